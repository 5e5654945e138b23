"""Conversion of stored values to numbers, with the row in each error message."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.table import shorten

_SEXAGESIMAL = re.compile(r"[+-]?[0-9]{1,3}[:hd° ] ?[0-9]{1,2}[:m' ]")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eEdD][+-]?[0-9]{1,4})?|[+-]?(?i:nan|inf|infinity)")


def as_numbers(place: str, name: str, values: AnyArray, missing: Sequence[str] = ()) -> NDArray[np.float64]:
    """Convert values to float64.

    Masked, None, empty and ``missing`` texts become NaN.

    Raises
    ------
    InputError
        Another value is not a number; the message names its row.
    """
    if values.ndim != 1:
        raise InputError(f"{place}: column '{name}' holds arrays; it must hold one number per row")
    if isinstance(values, np.ma.MaskedArray):
        gone, values = np.ma.getmaskarray(values), values.data
        if values.dtype.kind in "fiub":
            return np.where(gone, np.nan, values.astype(np.float64))
        values = values.astype(object)
        values[gone] = None
    if values.dtype.kind in "fiub":
        return values.astype(np.float64, copy=False)
    if values.dtype.kind == "M":
        raise InputError(f"{place}: column '{name}' holds timestamps; it must hold numbers")
    if values.dtype.kind == "m":
        raise InputError(f"{place}: column '{name}' holds durations; it must hold numbers; write them in a unit")
    if values.dtype.kind not in "OSU":
        raise InputError(f"{place}: column '{name}' holds {values.dtype}; it must hold numbers")
    plain = [value.decode(errors="replace") if isinstance(value, bytes) else value for value in values.tolist()]
    texts = [value.strip() if isinstance(value, str) else value for value in plain]
    none = {"", *missing}
    starts = tuple(text.removesuffix("*") for text in missing if text.endswith("*"))
    cleaned = [
        None if isinstance(value, str) and (value in none or (starts and value.startswith(starts))) else value
        for value in texts
    ]
    return _parse(place, name, cleaned)


def _parse(place: str, name: str, values: Sequence[object]) -> NDArray[np.float64]:
    parsed = np.full(len(values), np.nan)
    for row, value in enumerate(values):
        if value is None or value is pd.NA:
            continue
        number = as_number(value)
        if number is None:
            raise InputError(
                f"{place}: column '{name}', row {row + 1}: {shorten(value)!r} is not a number; {_remedy(value, row)}"
            )
        parsed[row] = number
    return parsed


def _remedy(value: object, row: int) -> str:
    """Suggest what to do about text among numbers."""
    if isinstance(value, str) and _SEXAGESIMAL.match(value):
        return "it looks sexagesimal (hours or degrees, minutes, seconds); write it in degrees"
    if row == 0:
        return (
            "if the first row holds types, units or dashes, remove it; if this marks a missing value, the survey "
            f"profile must say so: missing: [{_quoted(value)}]"
        )
    return f"if it marks a missing value, the survey profile must say so: missing: [{_quoted(value)}]"


def as_number(value: object) -> float | None:
    """Convert a number or its text to float; None for anything else."""
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            return None
        return float(value.replace("D", "E").replace("d", "e") if "d" in value.lower() else value)
    if isinstance(value, bool | int | float | np.number | np.bool_):
        return float(value)
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None


def lookup(place: str, name: str, keys: tuple[AnyArray, AnyArray], values: AnyArray) -> AnyArray:
    """Look up a value for each row by key in another table; NaN without a match.

    Raises
    ------
    InputError
        The other table has a key twice.
    """
    there, here = keys
    listed, place_of = np.unique(there, return_index=True)
    if len(listed) < len(there):
        raise InputError(f"{place}: column '{name}': a row of its table is not the only one with its key")
    if not len(listed):
        return np.full(len(here), np.nan)
    at = np.searchsorted(listed, here).clip(max=len(listed) - 1)
    return np.where(listed[at] == here, as_numbers(place, name, values)[place_of][at], np.nan)


def _quoted(value: object) -> str:
    return '"' + shorten(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
