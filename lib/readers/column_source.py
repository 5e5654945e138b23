"""Keys of a profile for one column: source, missing values, unit and conversion."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, ClassVar, Literal

import astropy.units as u
from pydantic import BeforeValidator, Field, PlainValidator, Strict
from skyaccept.lib import strict_yaml
from skyaccept.lib.strict_yaml import STRICT
from skyaccept.lib.units import parse_unit


def _unit(text: object) -> u.UnitBase:
    if not isinstance(text, str):
        raise ValueError(f"unit {text!r}: write the name of a unit, such as deg")
    try:
        return parse_unit(text, factor=True)
    except ValueError:
        raise ValueError(f"unit {text!r} is not known to astropy") from None


def parse_source(entry: object) -> object:
    """Expand a bare column name to {name: ...}, and convert codes to text."""
    if isinstance(entry, str):
        return {"name": entry}
    if isinstance(entry, dict) and isinstance(entry.get("codes"), dict):
        for key, value in entry["codes"].items():
            if isinstance(value, bool) or not isinstance(value, str | int):
                raise ValueError(f"code {key}: {value!r} is not text; put it in quotes")
        return entry | {"codes": {str(key): str(value) for key, value in entry["codes"].items()}}
    return entry


def parse_flags(entry: object) -> object:
    """Expand a single flag to a list."""
    if entry == []:
        raise ValueError("a flag needs a column")
    return [parse_source(one) for one in entry] if isinstance(entry, list) else [parse_source(entry)]


@dataclass(frozen=True)
class Flag:
    """A column that marks bad detections.

    Attributes
    ----------
    name : str
    bad : bool
        Value that marks a bad detection; with ``bits`` or ``above``, whether the bits or the comparison do.
    bits : int, optional
        Mask of an integer; any set bit marks a bad detection.
    above : float, optional
        Threshold; larger numbers mark bad detections.
    missing : {"good", "bad"}, optional
        Meaning of a missing value, which is refused by default.
    optional : bool
        Whether a file may lack the column; a note says so.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    name: str
    bad: bool = True
    bits: Annotated[int, Field(ge=1, lt=2**63)] | None = None
    above: Annotated[float, Field(allow_inf_nan=False)] | None = None
    missing: Literal["good", "bad"] | None = None
    optional: bool = False

    def __post_init__(self) -> None:
        """Refuse contradictory keys."""
        if self.bits is not None and self.above is not None:
            raise ValueError("keys 'bits' and 'above' exclude each other")


@dataclass(frozen=True)
class Time:
    """Format of a column of times.

    Attributes
    ----------
    format : {"mjd", "jd", "unix", "decimalyear", "iso"}
    scale : {"tai", "utc", "tdb"}, optional
        Times in UTC or TDB are converted to TAI; without a scale they are assumed to be TAI.
    offset : float
        Added to the numbers, such as 2450000 for a column of JD - 2450000.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    format: Literal["mjd", "jd", "unix", "decimalyear", "iso"]
    scale: Literal["tai", "utc", "tdb"] | None = None
    offset: Annotated[float, Field(allow_inf_nan=False)] = 0.0

    def __post_init__(self) -> None:
        """Refuse an offset of times that are text."""
        if self.format == "iso" and self.offset:
            raise ValueError("'offset' belongs to times that are numbers")


Number = Annotated[float, Field(allow_inf_nan=False)]


@dataclass(frozen=True)
class ColumnSource:
    """Source of a column: a column of the file, or one value for all rows of a file.

    Attributes
    ----------
    name : str, optional
        Column of the file.
    value, header, field : optional
        Alternatives to a column: one value, a header keyword, or a field of the file name.
    unit, per : Unit, optional
        Unit of the numbers, and a divisor that the file's unit omits.
    element : int, optional
        Index of the element of an array, from 0.
    missing : tuple of number or str
        Numbers or texts that mark missing values; ``">*"`` is all text that begins with ``>``.
    unless : Flag, optional
        Flag of rows whose value is missing.
    plus : str, optional
        Column to add, in the same unit.
    codes : mapping of str to str, optional
        Translates the file's values.
    star_below, star_above : float, optional
        Thresholds that convert a classifier to extendedness.
    magnitude_error, inverse_variance : bool
        Whether the column for S/N holds magnitude errors, or that for an error holds 1 / error^2.
    time : Time, optional
        Format of times; MJD by default.
    day, within : optional
        For labels: a column of days that distinguishes equal labels of different days; ``within: file`` distinguishes
        equal labels of different files.
    join : mapping of str to str, optional
        ``{THERE: HERE}`` looks the value up in another table of the file, in the row whose column THERE equals column
        HERE.
    optional : bool
        Whether a file may lack the column without a note.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    name: str | None = None
    value: str | int | Number | None = None
    header: str | None = None
    field: str | None = None
    unit: Annotated[u.UnitBase | None, PlainValidator(_unit)] = None
    codes: Mapping[str, str] | None = None
    star_below: Number | None = None
    star_above: Number | None = None
    per: Annotated[u.UnitBase | None, PlainValidator(_unit)] = None
    element: Annotated[int, Field(ge=0)] | None = None
    missing: tuple[Annotated[int, Strict()] | Annotated[Number, Strict()] | str, ...] = ()
    unless: Annotated[Flag | None, BeforeValidator(parse_source)] = None
    plus: str | None = None
    magnitude_error: bool = False
    inverse_variance: bool = False
    time: Time | None = None
    day: str | None = None
    within: Literal["file"] | None = None
    join: Mapping[str, str] | None = None
    optional: bool = False

    @property
    def n_origins(self) -> int:
        """Number of sources that the profile gives; one is valid."""
        return sum(place is not None for place in (self.name, self.value, self.header, self.field))

    def keys(self) -> tuple[str, ...]:
        """Return the keys that the profile gives."""
        return tuple(one.name for one in fields(self) if getattr(self, one.name) != one.default)


_PLACES = frozenset({"name", "value", "header", "field", "optional"})
_LABEL = _PLACES | {"codes", "day", "within"}
_NUMBER = _PLACES | {"unit", "per", "element", "missing", "unless", "plus", "join"}
_MEASURED = _NUMBER - {"value", "header", "field"}
KEYS: Mapping[str, frozenset[str]] = {
    "label": _LABEL,
    "object": _LABEL | {"missing"},
    "number": _NUMBER,
    "error": _NUMBER | {"inverse_variance"},
    "snr": _NUMBER | {"magnitude_error"},
    "extendedness": _NUMBER | {"star_below", "star_above", "codes"},
    "time": _NUMBER | {"time"},
    "flux": _MEASURED,
    "flux error": _MEASURED | {"inverse_variance"},
    "magnitude": _MEASURED,
    "zero point": _NUMBER - {"optional"},
    "moment": _MEASURED - {"optional"},
}
"""Valid keys for each kind of column; all others are refused."""

_OF_A_COLUMN = ("missing", "unless", "plus", "join", "day", "element")


def column_kind(column: str, unit: u.UnitBase | None) -> str:
    """Return the kind of a column of the detections, a key of `KEYS`."""
    if unit is None:
        return "object" if column == "object" else "label"
    if column in ("snr", "extendedness"):
        return column
    if column == "mjd":
        return "time"
    return "error" if column.endswith("_err") else "number"


def check_keys(
    place: strict_yaml.YamlLocation,
    where: tuple[str | int, ...],
    source: ColumnSource,
    kind: str,
    unit: u.UnitBase | None = None,
) -> None:
    """Refuse keys that have no effect for a kind of column, and contradictory keys.

    Parameters
    ----------
    place : Place
    where : tuple of str or int
        Path of keys to the source.
    source : ColumnSource
    kind : str
        One of `KEYS`.
    unit : Unit, optional
        Unit to which the numbers must be convertible.

    Raises
    ------
    InputError
        With file, line and key.
    """
    given = source.keys()
    name = where[-1] if isinstance(where[-1], str) else where[-2]
    for key in given:
        if key not in KEYS[kind]:
            raise place.error((*where, key), f"key '{key}': has no effect for '{name}' ({kind}); remove it")
    if source.n_origins != 1:
        ways = " or ".join(way for way in ("name", "value", "header", "field") if way in KEYS[kind])
        raise place.error(where, f"key '{name}': give its source once: {ways}")
    for key in _OF_A_COLUMN:
        if key in given and source.name is None:
            raise place.error((*where, key), f"key '{key}': goes with the name of a column")
    if source.join is not None and (len(source.join) != 1 or source.unless or source.plus):
        raise place.error(
            (*where, "join"), "key 'join': one pair {THERE: HERE}, without 'unless' and 'plus', which are of this table"
        )
    if source.within is not None and source.name is None:
        raise place.error((*where, "within"), "key 'within': goes with the name of a column")
    if source.codes is not None and kind == "extendedness":
        wrong = [value for value in source.codes.values() if not _is_number(value)]
        if wrong:
            raise place.error((*where, "codes"), f"key 'codes': {wrong[0]!r} is not a number; 0 is a star, 1 a galaxy")
    if source.codes is not None and (source.star_below is not None or source.star_above is not None):
        raise place.error((*where, "codes"), "key 'codes': goes without 'star_below' and 'star_above'")
    if source.time is not None and (source.unit is not None or source.per is not None):
        raise place.error((*where, "unit"), "key 'unit': 'time' states how times are written; keep one of both")
    if kind not in ("label", "object"):
        _check_number(place, where, source)
        _check_unit(place, where, source, unit)


def _check_unit(
    place: strict_yaml.YamlLocation, where: tuple[str | int, ...], source: ColumnSource, unit: u.UnitBase | None
) -> None:
    if source.unit is None or unit is None:
        return
    own = getattr(source.unit, "function_unit", source.unit)
    expected = u.mag if source.magnitude_error else unit**-2 if source.inverse_variance else unit
    if not own.is_equivalent(expected):
        raise place.error(
            (*where, "unit"),
            f"key 'unit': {where[-1]} is not measured in {source.unit}, but in {expected or 'numbers'}",
        )


def _check_number(place: strict_yaml.YamlLocation, where: tuple[str | int, ...], source: ColumnSource) -> None:
    iso = source.time is not None and source.time.format == "iso"
    if isinstance(source.value, str) and not iso and source.codes is None:
        raise place.error((*where, "value"), f"key 'value': {source.value!r} is not a number")
    if isinstance(source.value, bool):
        raise place.error((*where, "value"), f"key 'value': {source.value!r} is not a number")
    if source.time is not None and source.plus is not None and iso:
        raise place.error((*where, "plus"), "key 'plus': belongs to times that are numbers")


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
