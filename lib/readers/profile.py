"""Survey profiles: how the columns of a survey's catalogs become detections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, ClassVar

import astropy.units as u
from pydantic import BeforeValidator, PlainValidator
from skyaccept.lib import document
from skyaccept.lib.catalog import UNITS
from skyaccept.lib.document import Quantity
from skyaccept.lib.errors import InputError

_STRICT: dict[str, Any] = {"extra": "forbid", "arbitrary_types_allowed": True}

REQUIRED = ("visit", "band", "ra", "dec")


def _unit(text: object) -> u.UnitBase:
    try:
        return u.Unit(text)
    except (ValueError, TypeError):
        raise ValueError(f"unit {text!r} is not known to astropy") from None


@dataclass(frozen=True)
class Source:
    """Where a column comes from: a column of the file, or one value for all rows.

    ``codes`` translates the file's values, ``star_below`` and ``star_above`` turn a classifier into extendedness.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    name: str | None = None
    value: str | int | float | None = None
    unit: Annotated[u.UnitBase | None, PlainValidator(_unit)] = None
    codes: Mapping[str, str] | None = None
    star_below: float | None = None
    star_above: float | None = None


@dataclass(frozen=True)
class Flag:
    """A flag column and the value that marks a bad detection."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    name: str
    bad: bool = True


def _source(entry: object) -> object:
    """Let a bare column name stand for {name: ...}, and codes be numbers."""
    if isinstance(entry, str):
        return {"name": entry}
    if isinstance(entry, dict) and isinstance(entry.get("codes"), dict):
        return entry | {"codes": {str(key): str(value) for key, value in entry["codes"].items()}}
    return entry


@dataclass(frozen=True)
class Profile:
    """A survey profile.

    Attributes
    ----------
    survey, title : str
    columns : mapping of str to Source
        By the names of `UNITS`.
    flags : mapping of str to Flag
        By the names that definitions use (saturated, cr, bad, edge, not_primary ...).
    flag_prefix : str, optional
        Every column whose name starts so is a flag, true for bad, named by what follows.
    association_radius : Quantity
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    survey: str
    title: str
    columns: Mapping[
        Annotated[str, PlainValidator(document.one_of(*UNITS))], Annotated[Source, BeforeValidator(_source)]
    ]
    association_radius: Quantity
    flags: Mapping[str, Annotated[Flag, BeforeValidator(_source)]] = field(default_factory=dict)
    flag_prefix: str | None = None


def shipped() -> dict[str, Path]:
    """Survey profiles that come with the package, by name."""
    folder = Path(str(resources.files("skyaccept.lib.readers.profiles")))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def load(name: str | Path) -> Profile:
    """Load a survey profile by the name of a shipped one, or from a YAML file.

    Raises
    ------
    InputError
        No such profile, or it breaks a rule; the message names file, line and key.
    """
    known = shipped()
    path = known.get(str(name), Path(name))
    if not document.exists(path):
        raise InputError(f"--survey {name}: no such file, and not one of {', '.join(known)}")
    profile, place = document.read(path, Profile)
    for column in REQUIRED:
        if column not in profile.columns:
            raise place.error(("columns",), f"key '{column}' is missing: a profile has to map it")
    for column, source in profile.columns.items():
        where = ("columns", column)
        if (source.name is None) == (source.value is None):
            raise place.error(where, f"key '{column}': give either the name of a column or a value for all rows")
        unit = UNITS[column]
        if unit is not None and source.value is not None and not isinstance(source.value, int | float):
            raise place.error(where, f"key '{column}': {source.value!r} is not a number")
        if source.unit is not None and (unit is None or not source.unit.is_equivalent(unit)):
            raise place.error(where, f"key 'unit': {column} is not measured in {source.unit}")
        if (source.star_below is not None or source.star_above is not None) and column != "extendedness":
            raise place.error(where, "keys 'star_below' and 'star_above' belong to extendedness")
    radius = profile.association_radius
    if not radius.unit.is_equivalent(u.rad):
        raise place.error(("association_radius",), f"key 'association_radius': {radius} is no angle")
    if not 0 < radius.to_value(u.deg) < 180:
        raise place.error(("association_radius",), f"key 'association_radius': {radius} is not above 0")
    return profile
