"""Conversion of times in any common format to MJD."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.column_source import Time
from skyaccept.lib.readers.table import shorten

EARLIEST, LATEST = 33282.0, 88069.0
"""MJD of 1950-01-01 and 2100-01-01, the range of plausible times."""

_UNIX_EPOCH = 40587.0
_DAY = 86400.0

_FORMAT_RANGES: Mapping[str, tuple[float, float]] = {
    "time: {format: jd}": (EARLIEST + 2400000.5, LATEST + 2400000.5),
    "time: {format: mjd}": (EARLIEST, LATEST),
    "time: {format: unix}": ((46066.0 - _UNIX_EPOCH) * _DAY, (LATEST - _UNIX_EPOCH) * _DAY),  # from 1985 on
    "time: {format: decimalyear}": (1950.0, 2100.0),
    "time: {format: jd, offset: 2450000}": (0.5, 16_155.0),  # from 1995 to 2040
    "time: {format: jd, offset: 2440000}": (16_155.5, 26_155.0),  # from 2012 to 2040
    "time: {format: jd, offset: 2400000}": (EARLIEST + 0.5, LATEST + 0.5),
}
"""Time formats with their range of numbers from 1950 to 2100, the likeliest first."""


def to_mjd(place: str, column: str, values: AnyArray, time: Time | None) -> NDArray[np.float64]:
    """Convert times to MJD, in TAI where their scale is declared.

    Parameters
    ----------
    place, column : str
        For messages.
    values : (n,) float64, datetime64 or object (str)
        NaN, NaT or None for a missing time.
    time : Time, optional
        Format of the numbers or text; MJD by default. Timestamps (datetime64) need none.

    Raises
    ------
    InputError
        A time does not have the declared format, or is outside 1950 to 2100; the message names the row and a fitting
        format.
    """
    scale: str | None = None if time is None else time.scale
    if values.dtype.kind == "M":
        if time is not None and time.format != "iso":
            raise InputError(
                f"{place}: column '{column}' holds timestamps, and the survey profile says format {time.format}; "
                "remove 'time:' there, or write format: iso"
            )
        mjd = _mjd_from_timestamps(values)
    elif time is not None and time.format == "iso":
        scale = _scale_of_text(place, column, values, scale)
        mjd = _mjd_from_text(place, column, values)
    else:
        mjd = _mjd_from_numbers(np.asarray(values, dtype=np.float64), time)
    outside = np.flatnonzero((mjd < EARLIEST) | (mjd > LATEST))
    if outside.size:
        row = int(outside[0])
        raise InputError(
            f"{place}: column '{column}', row {row + 1}: {values[row]} is outside 1950 to 2100 as "
            f"{time.format if time else 'mjd'} ({outside.size} such rows){_remedy(values[outside])}"
        )
    return _to_tai(mjd, scale)


def _mjd_from_timestamps(values: AnyArray) -> NDArray[np.float64]:
    """Convert timestamps to MJD, days and time of day separately for precision."""
    days = values.astype("datetime64[D]")
    seconds = (values - days) / np.timedelta64(1, "s")
    mjd = days.astype(np.int64) + _UNIX_EPOCH + seconds / _DAY
    return np.where(np.isnat(values), np.nan, mjd)


def _mjd_from_text(place: str, column: str, values: AnyArray) -> NDArray[np.float64]:
    from astropy.time import Time as AstropyTime

    texts = np.array(["" if v is None or v != v else _plain(str(v)) for v in values.tolist()], dtype=str)
    mjd = np.full(len(texts), np.nan)
    there = texts != ""
    if not there.any():
        return mjd
    distinct, place_of = np.unique(texts[there], return_inverse=True)
    low, high = 0, len(distinct)
    try:
        mjd[there] = np.asarray(AstropyTime(distinct.tolist(), format="iso", scale="tai").mjd)[place_of]
        return mjd
    except ValueError:
        while high - low > 1:  # the first invalid time is at low or later
            middle = (low + high) // 2
            try:
                AstropyTime(distinct[low:middle].tolist(), format="iso", scale="tai")
                low = middle
            except ValueError:
                high = middle
    row = int(np.argmax(texts == distinct[low])) + 1
    raise InputError(
        f"{place}: column '{column}', row {row}: {shorten(str(values[row - 1]))!r} is not a time such as "
        "2026-11-30T18:30:00 (format iso)"
    )


def _plain(text: str) -> str:
    """Remove the UTC mark from a time."""
    return text.strip().removesuffix("Z").replace("T", " ")


def _scale_of_text(place: str, column: str, values: AnyArray, scale: str | None) -> str | None:
    """Find the scale of times in text from the profile and the UTC mark Z."""
    marked = [str(value).strip().endswith("Z") for value in values.tolist() if value is not None and value == value]
    if not any(marked):
        return scale
    if not all(marked) or scale not in (None, "utc"):
        why = f"the survey profile says scale {scale}" if all(marked) else "not all times have it"
        raise InputError(f"{place}: column '{column}': Z marks UTC, and {why}; correct the file or the profile")
    return "utc"


def _mjd_from_numbers(values: NDArray[np.float64], time: Time | None) -> NDArray[np.float64]:
    if time is None:
        return values
    values = values + time.offset
    if time.format == "jd":
        return values - 2400000.5
    if time.format == "unix":
        return values / _DAY + _UNIX_EPOCH
    if time.format == "decimalyear":
        return _of_years(values)
    return values


def _of_years(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert decimal years to MJD, as astropy defines decimalyear."""
    there = np.isfinite(values) & (values >= 1) & (values < 9999)
    year = np.where(there, np.floor(values), 2000)
    first = (year - 1970).astype(np.int64).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)
    following = (year - 1969).astype(np.int64).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)
    mjd = first + (values - year) * (following - first) + _UNIX_EPOCH
    # a year outside the calendar is out of range in any case
    return np.where(there, mjd, np.where(np.isnan(values), np.nan, np.inf))


def _to_tai(mjd: NDArray[np.float64], scale: str | None) -> NDArray[np.float64]:
    if scale in (None, "tai"):
        return mjd
    from astropy.time import Time as AstropyTime

    distinct, place_of = np.unique(mjd, return_inverse=True)
    finite = np.isfinite(distinct)
    converted = np.full(len(distinct), np.nan)
    times: Any = AstropyTime(distinct[finite], format="mjd", scale=scale)
    converted[finite] = times.tai.mjd
    return converted[place_of]


def _remedy(values: AnyArray) -> str:
    """Suggest a format that fits the values, or declaring zeros as missing."""
    if values.dtype.kind not in "fiu":
        return "; correct the file"
    numbers = np.asarray(values, dtype=np.float64)
    if (numbers == 0).all():
        return "; if 0 marks a missing value, the survey profile must say so: missing: [0]"
    numbers = numbers[numbers != 0]
    if (np.abs(numbers) > 1e17).all():
        return "; these are nanoseconds since 1970: write timestamps, or seconds with time: {format: unix}"
    form = likely_format(numbers)
    if form is None:
        return "; say in the survey profile how times are written: time: {format: jd | mjd | unix | decimalyear | iso}"
    return f"; it would fit as {form} in the survey profile"


def likely_format(values: NDArray[np.float64]) -> str | None:
    """Return the likeliest time format of numbers, as a profile key.

    One that puts all of them in 1950 to 2100.
    """
    fitting = [form for form, (low, high) in _FORMAT_RANGES.items() if ((values >= low) & (values <= high)).all()]
    return fitting[0] if fitting else None
