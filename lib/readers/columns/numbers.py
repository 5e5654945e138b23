"""Columns of numbers, converted to the units of the detections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import astropy.units as u
import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.column_source import ColumnSource, Time
from skyaccept.lib.readers.columns import times
from skyaccept.lib.readers.columns.computed import ComputedColumn
from skyaccept.lib.readers.columns.flags import evaluate_flag
from skyaccept.lib.readers.columns.labels import encode_labels
from skyaccept.lib.readers.columns.parsing import as_number, as_numbers
from skyaccept.lib.readers.table import Column, shorten
from skyaccept.lib.units import parse_unit

POGSON = 2.5 / np.log(10)
"""Magnitude error over relative flux error."""


@dataclass(frozen=True)
class NumberColumn(ComputedColumn):
    """A column of numbers with its unit.

    From a column of the table, or one value for all rows.

    Attributes
    ----------
    source : ColumnSource
    scale : float
        Unit in the file over the unit in the detections.
    unit : Unit, optional
        Unit in the file, if the file or the profile states it.
    """

    source: ColumnSource
    scale: float = field(default=1.0, kw_only=True)
    unit: u.UnitBase | None = field(default=None, kw_only=True)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the numbers, the summand and the flag; of a join, its key."""
        source = self.source
        if source.join is not None:
            return tuple(source.join.values())
        flag = None if source.unless is None else source.unless.name
        return tuple(dict.fromkeys(name for name in (source.name, source.plus, flag) if name is not None))

    def values(self, raw: Mapping[str, AnyArray], rows: int) -> NDArray[np.float64]:
        """Convert numbers to the unit of the detections; NaN for a missing value.

        ``raw`` holds a joined column under its own name.
        """
        source = self.source
        if source.name is None:
            constant = np.array([source.value], dtype=object if isinstance(source.value, str) else None)
            return np.full(rows, self._converted(self.name, constant)[0])
        column = self._numbers(source.name, self._element(source.name, raw[source.name]))
        if source.unless is not None:
            column = np.where(evaluate_flag(self.place, source.unless, raw[source.unless.name]), np.nan, column)
        if source.plus is not None:
            column = column + self._numbers(source.plus, self._element(source.plus, raw[source.plus]))
        return self._in_our_unit(source.name, column)

    def _converted(self, column: str, values: AnyArray) -> NDArray[np.float64]:
        return self._in_our_unit(column, self._numbers(column, values))

    def _element(self, column: str, values: AnyArray) -> AnyArray:
        """Select the array element that the profile gives."""
        element = self.source.element
        if values.ndim == 1 and values.dtype != object:
            if element is not None:
                raise InputError(
                    f"{self.place}: column '{column}' holds one value a row, and the survey profile chooses element "
                    f"{element}; remove 'element'"
                )
            return values
        if values.ndim == 1:
            arrays = [isinstance(value, np.ndarray | list | tuple) for value in values[:1000].tolist()]
            if not any(arrays):
                return values
            raise InputError(
                f"{self.place}: column '{column}' holds arrays of different lengths; {self.name} must be one value"
            )
        if values.ndim != 2:
            raise InputError(f"{self.place}: column '{column}' holds arrays of {values.ndim - 1} dimensions")
        n = values.shape[1]
        if element is None:
            raise InputError(
                f"{self.place}: column '{column}' holds arrays of {n} elements, and {self.name} must be one number per "
                f"row; choose one in the survey profile, element: 0 (the first) to {n - 1}: "
                f"{{name: {column}, element: 0}}"
            )
        if element >= n:
            raise InputError(
                f"{self.place}: column '{column}' holds arrays of {n} elements, 0 to {n - 1}; the survey profile "
                f"chooses element {element}"
            )
        return values[:, element]

    def _numbers(self, column: str, values: AnyArray) -> NDArray[np.float64]:
        """Convert to float64, missing values to NaN and times to MJD."""
        missing = self.source.missing
        if self.name == "mjd" and self._as_times(values):
            return times.to_mjd(self.place, column, self._form(column, values), self.source.time)
        if self.source.codes is not None:
            return self._translated(column, values)
        if self.name == "mjd" and any(isinstance(v, str) and v[4:5] == v[7:8] == "-" for v in values[:1000].tolist()):
            raise InputError(
                f"{self.place}: column '{column}' holds times as text; the survey profile must say so: "
                "time: {format: iso}"
            )
        return _remove_missing(values, as_numbers(self.place, column, values, _missing_texts(missing)), missing)

    def _form(self, column: str, values: AnyArray) -> AnyArray:
        """Return times as stored, as text, timestamps or numbers, without missing values."""
        missing = self.source.missing
        if values.dtype.kind == "M":
            return np.asarray(values.filled("NaT") if isinstance(values, np.ma.MaskedArray) else values)
        if self.source.time is not None and self.source.time.format == "iso":
            none = {None, "", *_missing_texts(missing)}
            return np.array([None if value in none else value for value in values.tolist()], dtype=object)
        return _remove_missing(values, as_numbers(self.place, column, values, _missing_texts(missing)), missing)

    def _as_times(self, values: AnyArray) -> bool:
        """Return whether the column holds timestamps or times of a declared format."""
        return self.source.time is not None or values.dtype.kind == "M"

    def _translated(self, column: str, values: AnyArray) -> NDArray[np.float64]:
        """Translate values by the profile's codes; NaN for a missing value."""
        codes = self.source.codes or {}
        labels = encode_labels(self.place, column, values)
        texts = [str(value) for value in labels.values.tolist()]
        none = _missing_texts(self.source.missing)
        unknown = [text for text in texts if text not in codes and text not in none]
        if unknown:
            raise InputError(
                f"{self.place}: column '{column}': code {shorten(', '.join(unknown))} is not in the survey profile's "
                f"codes ({shorten(', '.join(codes))})"
            )
        translated = np.array([float(codes[text]) if text in codes else np.nan for text in texts] + [np.nan])
        return translated[labels.codes]

    def _in_our_unit(self, column: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
        source = self.source
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            if source.inverse_variance:
                values = np.where(values > 0, 1 / np.sqrt(values), np.nan)
            if source.magnitude_error:
                error = np.where(values > 0, values * self.scale, np.nan)
                return np.asarray(POGSON / error)  # f / e, for a magnitude error of 2.5 / ln(10) e / f
            if self.scale != 1.0:
                values = values * self.scale
        if self.name == "mjd" and source.time is None:
            return times.to_mjd(self.place, column, values, None)
        if source.star_below is not None or source.star_above is not None:
            star = np.ones(len(values), dtype=bool)
            if source.star_below is not None:
                star &= values < source.star_below
            if source.star_above is not None:
                star &= values > source.star_above
            values = np.where(np.isfinite(values), np.where(star, 0.0, 1.0), np.nan)
        return values


def _remove_missing(
    stored: AnyArray, values: NDArray[np.float64], missing: Sequence[int | float | str]
) -> NDArray[np.float64]:
    """Replace numbers that mark missing values by NaN.

    At the precision of the column.
    """
    none = [float(value) for value in missing if not isinstance(value, str)]
    if not none:
        return values
    # 99.999 in float32 differs from 99.999 in float64, and a scaled value may be rounded
    step = np.finfo(np.float32 if stored.dtype == np.float32 else np.float64).eps
    is_missing = np.zeros(len(values), dtype=bool)
    for value in none:
        is_missing |= np.abs(values - value) <= 4 * step * abs(value)
        is_missing |= values == float(np.float32(value))
    return np.where(is_missing, np.nan, values)


def resolve_number(
    place: str,
    name: str,
    source: ColumnSource,
    there: Mapping[str, Column],
    unit: u.UnitBase | None,
    header: Mapping[str, object],
    fields: Mapping[str, str],
) -> NumberColumn:
    """Resolve a column of numbers in a file, with the factor to our unit.

    Parameters
    ----------
    place : str
        The file, for messages.
    name : str
        Name of the column of the detections.
    source : ColumnSource
        Its column must exist in the file.
    there : mapping of str to Column
        Columns of the file.
    unit : Unit, optional
        Unit of the detections; None for any unit.
    header, fields : mapping
        Keywords of the file's header, and fields of its name.

    Raises
    ------
    InputError
        A further column or a header keyword is missing, or a unit is unknown, missing or contradictory.
    """
    if source.name is None:
        return _constant(place, name, source, constant_from_header(place, name, source, header, fields), unit)
    for other in (
        source.plus,
        source.unless and source.unless.name,
        *(k for pair in (source.join or {}).items() for k in pair),
    ):
        if other is not None and other not in there:
            raise InputError(
                f"{place}: no column '{other}', which the survey profile needs for {name} ('{source.name}')"
            )
    own = there[source.name].unit
    if source.time is not None or there[source.name].dtype.startswith(("timestamp", "datetime", "date")):
        return NumberColumn(place, name, _with_scale(place, source, there[source.name].scale))
    stated = stated_unit(place, source, own)
    if source.plus is not None:
        other_unit = stated_unit(place, replace(source, name=source.plus), there[source.plus].unit)
        if other_unit != stated:
            raise InputError(f"{place}: columns '{source.name}' and '{source.plus}' ({name}) are not in the same unit")
    return NumberColumn(place, name, source, scale=_factor(place, name, source, stated, unit), unit=stated)


def _with_scale(place: str, source: ColumnSource, own: str | None) -> ColumnSource:
    """Add the time scale that the file states; the profile must not contradict it."""
    if own is None:
        return source
    if source.time is not None and source.time.scale not in (None, own):
        raise InputError(
            f"{place}: column '{source.name}': its times are in {own.upper()} by the file, and in "
            f"{source.time.scale.upper()} by the survey profile; correct the profile"
        )
    return replace(source, time=replace(source.time or Time("iso"), scale=own))  # type: ignore[arg-type]


def _constant(
    place: str, name: str, given: ColumnSource, source: ColumnSource, unit: u.UnitBase | None
) -> NumberColumn:
    """Resolve one number for all rows: a value, header keyword or file name field."""
    iso = source.time is not None and source.time.format == "iso"
    if source.codes is None and not iso and as_number(source.value) is None:
        raise InputError(f"{place}: {_describe_constant(given)} ({name}): {shorten(source.value)!r} is not a number")
    if source.time is not None:
        return NumberColumn(place, name, source)
    stated = source.unit or (unit if source.value is not None else None)
    return NumberColumn(place, name, source, scale=_factor(place, name, source, stated, unit), unit=stated)


def constant_from_header(
    place: str, name: str, source: ColumnSource, header: Mapping[str, object], fields: Mapping[str, str]
) -> ColumnSource:
    """Replace a header keyword or a file name field by its value.

    Raises
    ------
    InputError
        The file has no such value, or one that is not in the profile's codes.
    """
    if source.header is None and source.field is None:
        return source
    where = _describe_constant(source)
    value = header.get(source.header) if source.header is not None else fields.get(str(source.field))
    if isinstance(value, str):
        value = value.strip()
    if value is None or value == "" or not isinstance(value, str | int | float) or isinstance(value, bool):
        raise InputError(f"{place}: no {where} ({name}); correct the survey profile, or choose another --survey")
    if source.codes is not None and str(value) not in source.codes:
        raise InputError(
            f"{place}: {where}: code {shorten(value)} is not in the survey profile's codes "
            f"({shorten(', '.join(source.codes))})"
        )
    return replace(source, value=value, header=None, field=None)


def _describe_constant(source: ColumnSource) -> str:
    """Name the source of one value for all rows, for messages."""
    if source.header is not None:
        return f"header keyword '{source.header}'"
    return "value" if source.field is None else f"field '{source.field}' of the name"


def stated_unit(place: str, source: ColumnSource, own: str | None) -> u.UnitBase | None:
    """Return the unit that the file or the profile states.

    That of the file is ``own``; the two must not contradict each other.

    An unknown unit in the file is ignored if the profile states the unit.

    Raises
    ------
    InputError
        The units contradict each other, or the file's unit is unknown and the profile states none.
    """
    stated = source.unit
    if source.per is not None and stated is None and not (own or "").strip():
        raise InputError(
            f"{place}: column '{source.name}': the file states no unit that 'per' could divide; state the unit in "
            "the survey profile"
        )
    if not own or own.strip() in ("", "-", "--", "None", "null", "unknown"):
        return stated
    try:
        unit = parse_unit(own, factor=True)
    except ValueError:
        if stated is not None:
            return stated
        raise InputError(
            f"{place}: column '{source.name}': its unit {shorten(own)!r} is not known; state it in the survey profile: "
            f"{{name: {source.name}, unit: ...}}"
        ) from None
    if source.per is not None:
        unit = unit / source.per
    plain = getattr(unit, "function_unit", unit)  # mag(AB) is mag
    if stated is not None and stated not in (unit, plain):
        raise InputError(
            f"{place}: column '{source.name}': the file says {unit}, the survey profile says {stated}; "
            "correct the profile, or choose another --survey"
        )
    return unit


def _factor(place: str, name: str, source: ColumnSource, stated: u.UnitBase | None, unit: u.UnitBase | None) -> float:
    """Compute the unit in the file over the unit of the detections."""
    column = source.name or name
    if unit is None:
        return 1.0
    if source.magnitude_error:
        unit = u.mag
    if stated is None:
        if unit == u.one:
            return 1.0
        raise InputError(
            f"{place}: column '{column}': neither the file nor the survey profile states its unit; add "
            f"'unit:' to '{name}' in the profile"
        )
    stated = getattr(stated, "function_unit", stated)
    if source.inverse_variance:
        if not (stated ** (-1 / 2)).is_equivalent(unit):
            raise InputError(
                f"{place}: column '{column}': {stated} is not 1 over the square of a unit of {name} ({unit})"
            )
        return float((stated ** (-1 / 2)).to(unit))
    if not stated.is_equivalent(unit):
        raise InputError(f"{place}: column '{column}': {stated} is not a unit of {name} ({unit})")
    return float(stated.to(unit))


def _missing_texts(missing: Sequence[int | float | str]) -> tuple[str, ...]:
    return tuple(str(value).strip() for value in missing)
