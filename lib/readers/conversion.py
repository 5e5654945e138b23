"""Columns of a file, as it holds them, to ours: numbers in our units, labels, flags."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import astropy.units as u
import numpy as np
import pandas as pd
from skyaccept.lib.catalog import UNITS, Array
from skyaccept.lib.errors import InputError
from skyaccept.lib.readers.profile import Flag, Source
from skyaccept.lib.readers.table import shorten


@dataclass(frozen=True)
class Labels:
    """Labels as codes into their distinct values, for text of its own in every row may not fit.

    Attributes
    ----------
    codes : (n,) int64
    values : (n_distinct,) int64 or str
        In ascending order.
    """

    codes: Array
    values: Array

    def __len__(self) -> int:
        return len(self.codes)


def together(parts: Sequence[Array | Labels]) -> Array | Labels:
    """One column of the parts of several files; that of a single file as it is, for a copy may not fit."""
    if len(parts) == 1:
        return parts[0]
    labels = [part for part in parts if isinstance(part, Labels)]
    if not labels:
        return np.concatenate([part for part in parts if not isinstance(part, Labels)])
    values, place = np.unique(np.concatenate([part.values for part in labels]), return_inverse=True)
    places = np.split(place, np.cumsum([len(part.values) for part in labels])[:-1])
    return Labels(np.concatenate([at[part.codes] for at, part in zip(places, labels, strict=True)]), values)


def convert(
    path: Path,
    name: str,
    source: Source,
    scale: float,
    values: Array,
    others: Mapping[str, Array] = MappingProxyType({}),
) -> Array | Labels:
    """Column ``name`` of `Detections` from a column of the file, whose unit is ``scale`` times ours.

    ``others`` are further columns of the file: those that ``source.others`` names.

    Raises
    ------
    InputError
        The column does not hold what it should.
    """
    if values.ndim != 1:
        raise InputError(f"{path}: column '{source.name}' holds arrays; {name} has to be one number a row")
    if UNITS[name] is None:
        found = labels(path, source, values)
        return found if source.day is None else _by_day(path, found, source.day, others[source.day])
    values = numbers(path, str(source.name), values)
    if source.missing:
        values = np.where(np.isin(values, source.missing), np.nan, values)
    if source.unless is not None:
        values = np.where(flags(path, source.unless, others[source.unless.name]), np.nan, values)
    if source.plus is not None:
        values = values + numbers(path, source.plus, others[source.plus])
    if source.magnitude_error:
        error = np.where(values > 0, values * scale, np.nan)
        return np.asarray(2.5 / np.log(10) / error)  # f / e, for a magnitude error of 2.5 / ln(10) e / f
    if scale != 1.0:
        values = values * scale
    if source.star_below is not None or source.star_above is not None:
        star = np.ones(len(values), dtype=bool)
        if source.star_below is not None:
            star &= values < source.star_below
        if source.star_above is not None:
            star &= values > source.star_above
        values = np.where(np.isfinite(values), np.where(star, 0.0, 1.0), np.nan)
    return values


def _by_day(path: Path, found: Labels, name: str, values: Array) -> Labels:
    """Labels that are told apart by the whole day on which they stand."""
    days = numbers(path, name, values)
    if not np.isfinite(days).all():
        raise InputError(f"{path}: column '{name}', row {int(np.argmin(np.isfinite(days))) + 1}: no value")
    whole, day = np.unique(np.floor(days).astype(np.int64), return_inverse=True)
    pairs, codes = np.unique(day * max(len(found.values), 1) + found.codes, return_inverse=True)
    names = [f"{whole[pair // len(found.values)]} {found.values[pair % len(found.values)]}" for pair in pairs.tolist()]
    values, rank = np.unique(np.array(names, dtype=str), return_inverse=True)
    return Labels(rank[codes], values)


def looked_up(path: Path, name: str, keys: tuple[Array, Array], values: Array) -> Array:
    """Value of each row by its key (the second), where another table has it beside that key; NaN where it does not.

    Raises
    ------
    InputError
        A key stands in the other table twice.
    """
    there, here = keys
    listed, place = np.unique(there, return_index=True)
    if len(listed) < len(there):
        raise InputError(f"{path}: column '{name}': a row of its table is not the only one with its key")
    if not len(listed):
        return np.full(len(here), np.nan)
    at = np.searchsorted(listed, here).clip(max=len(listed) - 1)
    return np.where(listed[at] == here, numbers(path, name, values)[place][at], np.nan)


def constant(name: str, source: Source, n: int) -> Array | Labels:
    """Column ``name`` of `Detections` where the profile gives one value for all rows of a file."""
    unit = UNITS[name]
    if unit is None:
        value = source.value if source.codes is None else source.codes[str(source.value)]
        return Labels(np.zeros(n, dtype=np.int64), np.array([value])[: min(n, 1)])
    return np.full(n, float(source.value or 0) * (source.unit or unit).to(unit))


def settle(path: Path, name: str, source: Source, header: Mapping[str, object], fields: Mapping[str, str]) -> Source:
    """Replace a header keyword or a field of the file's name by the value that a file has there.

    Raises
    ------
    InputError
        It has none, or one that is not a number, not a label, or not in the profile's codes.
    """
    if source.header is None and source.field is None:
        return source
    where = f"header keyword '{source.header}'" if source.header is not None else f"field '{source.field}' of the name"
    value = header.get(source.header) if source.header is not None else fields.get(str(source.field))
    if isinstance(value, str):
        value = value.strip()
    if value is None or value == "" or not isinstance(value, str | int | float) or isinstance(value, bool):
        raise InputError(f"{path}: no {where} ({name}); correct the survey profile, or choose another --survey")
    if isinstance(value, str) and source.codes is None:
        # visits and detectors are numbers elsewhere, such as in a table of visits
        value = int(value) if re.fullmatch(r"[0-9]{1,18}", value) else value
    if source.codes is not None and str(value) not in source.codes:
        raise InputError(
            f"{path}: {where}: code {shorten(value)} is not in the survey profile's codes ({', '.join(source.codes)})"
        )
    if UNITS.get(name, u.one) is not None:
        try:
            value = float(value)
        except ValueError:
            raise InputError(f"{path}: {where} ({name}): {shorten(value)!r} is not a number") from None
    return dataclasses.replace(source, value=value, header=None, field=None)


def scale_of(
    path: Path, name: str, source: Source, own: str | None, units: Mapping[str, u.UnitBase | None] = UNITS
) -> float:
    """Factor to our unit, after comparing what the file (``own``) and the profile say of theirs.

    Raises
    ------
    InputError
        They contradict each other, or none of them says.
    """
    unit, stated = units[name], source.unit
    if unit is None:
        return 1.0
    if own:
        try:
            file_unit = u.Unit(own)
        except ValueError:
            raise InputError(f"{path}: column '{source.name}': its unit {own!r} is not known") from None
        file_unit = file_unit / source.per if source.per is not None else file_unit
        plain = getattr(file_unit, "function_unit", file_unit)  # mag(AB) is mag
        if stated is not None and stated not in (file_unit, plain):
            raise InputError(
                f"{path}: column '{source.name}': the file says {file_unit}, the survey profile says {stated}; "
                "correct the profile, or choose another --survey"
            )
        stated = file_unit
    if stated is not None and hasattr(stated, "function_unit") and stated.function_unit == unit:
        return 1.0
    if stated is None:
        if unit == u.one:
            return 1.0
        raise InputError(
            f"{path}: column '{source.name}': neither the file nor the survey profile states its unit; add "
            f"'unit:' to '{name}' in the profile"
        )
    if not stated.is_equivalent(unit):
        raise InputError(f"{path}: column '{source.name}': {stated} is not a unit of {name} ({unit})")
    return float(stated.to(unit))


def numbers(path: Path, name: str, values: Array) -> Array:
    """Values as float64; whatever is not a number is an `InputError` that names its row."""
    if values.dtype.kind in "fiub":
        return values.astype(np.float64, copy=False)
    for row, value in enumerate(values):
        try:
            float(value if value is not None else "nan")
        except (TypeError, ValueError):
            shown = shorten(value)
            raise InputError(f"{path}: column '{name}', row {row + 1}: {shown!r} is not a number") from None
    return values.astype(np.float64)


def labels(path: Path, source: Source, values: Array) -> Labels:
    """Labels, whole numbers or text, translated by the profile's codes; none may be missing."""
    if values.dtype.kind == "f" and np.isfinite(values).all() and np.all(values == np.floor(values)):
        if np.abs(values).max(initial=0) > 2**53:
            raise InputError(f"{path}: column '{source.name}': too large for whole floating-point numbers")
        values = values.astype(np.int64)
    try:
        codes, distinct = pd.factorize(values)
    except TypeError:  # arrays cannot be told apart by their hash
        raise InputError(f"{path}: column '{source.name}' holds arrays; it has to hold one value a row") from None
    missing = codes < 0
    if values.dtype.kind == "f":
        missing |= ~np.isfinite(values)
    if missing.any():
        raise InputError(
            f"{path}: column '{source.name}', row {int(np.argmax(missing)) + 1}: no value "
            f"({np.count_nonzero(missing)} such rows)"
        )
    if distinct.dtype.kind in "OSU":
        distinct = np.array([v.decode() if isinstance(v, bytes) else str(v) for v in distinct.tolist()], dtype=str)
    if source.codes is not None:
        unknown = [str(value) for value in np.unique(distinct) if str(value) not in source.codes]
        if unknown:
            raise InputError(
                f"{path}: column '{source.name}': code {', '.join(unknown)} is not in the survey profile's codes "
                f"({', '.join(source.codes)})"
            )
        distinct = np.array([source.codes[str(value)] for value in distinct], dtype=str)
    values, rank = np.unique(distinct, return_inverse=True)
    return Labels(rank[codes], values)


def flags(path: Path, flag: Flag, values: Array) -> Array:
    """Flags as bool, true for bad; whatever is neither true nor false, or has no bits, is an `InputError`."""
    if flag.bits is not None:
        if values.dtype.kind not in "iu":
            raise InputError(
                f"{path}: column '{flag.name}': bits of {values.dtype}, and it has to be an integer in every row"
            )
        return np.asarray((values.astype(np.int64) & flag.bits != 0) == flag.bad)
    truth = _truth(path, flag.name, values)
    return truth if flag.bad else ~truth


def _truth(path: Path, name: str, values: Array) -> Array:
    if values.dtype.kind == "b":
        return values
    if values.dtype.kind in "iu" and np.isin(values, (0, 1)).all():
        return values.astype(bool)
    if values.dtype == object:
        known = {True: True, False: False, "True": True, "False": False, "true": True, "false": False}
        if all(isinstance(value, str | bool) and value in known for value in values.tolist()):
            return np.array([known[value] for value in values.tolist()], dtype=bool)
    raise InputError(f"{path}: column '{name}': a flag has to be true or false (or 1 or 0) in every row")
