"""Flags: columns that mark bad detections."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.column_source import Flag
from skyaccept.lib.readers.columns.computed import ComputedColumn
from skyaccept.lib.readers.columns.parsing import as_numbers
from skyaccept.lib.readers.table import LIST_SUFFIX

_TRUTH: Mapping[object, bool] = dict.fromkeys((True, "True", "true", "TRUE", "T", "1"), True) | dict.fromkeys(
    (False, "False", "false", "FALSE", "F", "0"), False
)

_REQUIREMENT = (
    "a flag must be true or false (or 1 or 0) in every row; an integer of several bits needs 'bits:' in the survey "
    "profile"
)


@dataclass(frozen=True)
class FlagColumn(ComputedColumn):
    """A flag, set where any of several columns marks a bad detection."""

    flags: tuple[Flag, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the flags."""
        return tuple(dict.fromkeys(flag.name for flag in self.flags))

    def values(self, raw: Mapping[str, AnyArray], rows: int) -> AnyArray:
        """Combine the flags of the rows by a logical or."""
        bad = np.zeros(rows, dtype=bool)
        for flag in self.flags:
            bad |= evaluate_flag(self.place, flag, raw[flag.name])
        return bad


def match_flags(
    flags: Mapping[str, Sequence[Flag]], prefix: str | None, names: Sequence[str]
) -> dict[str, tuple[Flag, ...]]:
    """Match the flags of a profile with the columns of a file.

    Parameters
    ----------
    flags : mapping of str to sequence of Flag
        By flag name. A flag without any of its columns is left out.
    prefix : str, optional
        Prefix of columns that are flags, true for bad, named by the rest of the column name.
    names : sequence of str
    """
    matched: dict[str, tuple[Flag, ...]] = {}
    for name in names if prefix is not None else ():
        if name.startswith(str(prefix)) and name + LIST_SUFFIX not in names:
            matched[name.removeprefix(str(prefix)).removesuffix(LIST_SUFFIX)] = (Flag(name),)
    for flag, parts in flags.items():
        there = tuple(part for part in parts if part.name in names)
        if there:
            matched[flag] = there
    return matched


def evaluate_flag(place: str, flag: Flag, values: AnyArray) -> AnyArray:
    """Evaluate a flag for each row, True for a bad detection, (n,) bool.

    Raises
    ------
    InputError
        A value is neither true nor false, or is missing without a meaning in the profile; the message names column
        and row.
    """
    if values.ndim != 1:
        raise InputError(f"{place}: column '{flag.name}' holds arrays; a flag must have one value per row")
    missing = missing_rows(values)
    if missing.any() and flag.missing is None:
        raise InputError(
            f"{place}: column '{flag.name}', row {int(np.argmax(missing)) + 1}: no value ({np.count_nonzero(missing)} "
            f"such rows); say what that means in the survey profile: "
            f"flags: {{NAME: {{name: {flag.name}, missing: bad}}}} or missing: good"
        )
    there = np.asarray(values)[~missing]
    if flag.bits is not None:
        is_set = _any_bit_set(place, flag, there)
    elif flag.above is not None:
        is_set = as_numbers(place, flag.name, there) > flag.above
    else:
        is_set = as_booleans(place, flag.name, there, np.flatnonzero(~missing), _REQUIREMENT)
    bad = np.full(len(values), flag.missing == "bad")
    bad[~missing] = is_set == flag.bad
    return bad


def missing_rows(values: AnyArray) -> AnyArray:
    """Return which rows have no value: masked, None, NaN or empty."""
    if isinstance(values, np.ma.MaskedArray):
        return np.ma.getmaskarray(values)
    if values.dtype.kind == "f":
        return np.asarray(np.isnan(values))
    if values.dtype.kind in "OSU":
        return np.array(
            [v is None or (isinstance(v, Hashable) and (v in ("", b"") or v != v)) for v in values.tolist()], dtype=bool
        )
    return np.zeros(len(values), dtype=bool)


def _any_bit_set(place: str, flag: Flag, values: AnyArray) -> AnyArray:
    if values.dtype.kind == "f" and (values == np.floor(values)).all() and np.abs(values).max(initial=0) < 2**53:
        values = values.astype(np.int64)
    if values.dtype.kind in "OU":
        with suppress(ValueError, TypeError, OverflowError):
            values = np.array([int(value) for value in values.tolist()], dtype=np.int64)
    if values.dtype.kind not in "iu":
        raise InputError(
            f"{place}: column '{flag.name}': bits of {values.dtype}, and it must be an integer in every row"
        )
    return np.asarray(values.astype(np.int64) & np.int64(flag.bits or 0) != 0)


def as_booleans(place: str, name: str, values: AnyArray, rows: AnyArray, requirement: str) -> AnyArray:
    """Convert values to bool.

    Parameters
    ----------
    place, name : str
        File and column, for messages.
    values, rows : (n,) array
        Values, and their row numbers from 0.
    requirement : str
        Requirement on the values, for messages.

    Raises
    ------
    InputError
        A value is neither true nor false.
    """
    if values.dtype.kind == "b":
        return values
    if values.dtype.kind in "iuf":
        wrong = ~np.isin(values, (0, 1))
        if not wrong.any():
            return values.astype(bool)
        at = int(np.argmax(wrong))
        raise _neither(place, name, int(rows[at]), values[at].item(), requirement)
    booleans = np.empty(len(values), dtype=bool)
    for k, value in enumerate(values.tolist()):
        value = value.decode(errors="replace") if isinstance(value, bytes) else value
        meaning = (
            _TRUTH.get(value.strip() if isinstance(value, str) else value) if isinstance(value, Hashable) else None
        )
        if meaning is None:
            raise _neither(place, name, int(rows[k]), value, requirement)
        booleans[k] = meaning
    return booleans


def _neither(place: str, name: str, row: int, value: object, requirement: str) -> InputError:
    return InputError(f"{place}: column '{name}', row {row + 1}: {value!r:.80}: {requirement}")
