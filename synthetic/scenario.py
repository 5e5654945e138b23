"""Scenarios: descriptions of simulated surveys, as YAML."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, ClassVar

import astropy.units as u
from pydantic import PlainValidator
from skyaccept.lib import document
from skyaccept.lib.document import Quantity
from skyaccept.lib.errors import InputError

_STRICT: dict[str, Any] = {"extra": "forbid", "arbitrary_types_allowed": True}


def _positive(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 100_000_000:
        raise ValueError("expected a whole number from 1 to 100,000,000")
    return value


def _fraction(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1:
        raise ValueError("expected a fraction, 0 <= x < 1")
    return float(value)


Count = Annotated[int, PlainValidator(_positive)]
Fraction = Annotated[float, PlainValidator(_fraction)]


@dataclass(frozen=True)
class Field:
    """Disc on the sky that holds the stars."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    ra: Quantity
    dec: Quantity
    radius: Quantity


@dataclass(frozen=True)
class Stars:
    """Stars uniform over the field, their number growing as 10 ** (slope * magnitude)."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    number: Count
    brightest: Quantity
    faintest: Quantity
    slope: float


@dataclass(frozen=True)
class Visits:
    """Visits of a round field of view, in each band, dithered uniformly in a disc; times from ``start`` (MJD) on."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    number: Mapping[str, Count]
    view_radius: Quantity
    dither: Quantity
    missed: Fraction
    start: Quantity
    nights: Count


@dataclass(frozen=True)
class Measurement:
    """Depth, image quality and noise floors."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    depth: Mapping[str, Quantity]
    seeing: Quantity
    saturation: Quantity
    position_floor: Quantity
    magnitude_floor: Quantity
    cosmic_rays: Fraction
    edges: Fraction


@dataclass(frozen=True)
class ReferenceCatalog:
    """Reference catalog of the same stars; positions have this error per coordinate."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    epoch: Quantity
    position_error: Quantity


@dataclass(frozen=True)
class Scenario:
    """A simulated survey."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    scenario: str
    title: str
    text: str
    field: Field
    stars: Stars
    visits: Visits
    measurement: Measurement
    reference: ReferenceCatalog | None = None


_KINDS = {
    ("field", "ra"): u.rad,
    ("field", "dec"): u.rad,
    ("field", "radius"): u.rad,
    ("stars", "brightest"): u.mag,
    ("stars", "faintest"): u.mag,
    ("visits", "view_radius"): u.rad,
    ("visits", "dither"): u.rad,
    ("visits", "start"): u.day,
    ("measurement", "seeing"): u.rad,
    ("measurement", "saturation"): u.mag,
    ("measurement", "position_floor"): u.rad,
    ("measurement", "magnitude_floor"): u.mag,
    ("reference", "epoch"): u.yr,
    ("reference", "position_error"): u.rad,
}


def shipped() -> dict[str, Path]:
    """Scenarios that come with the package, by name."""
    folder = Path(str(resources.files("skyaccept.synthetic.scenarios")))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def load(name: str | Path) -> Scenario:
    """Load a scenario by the name of a shipped one, or from a YAML file.

    Raises
    ------
    InputError
        No such scenario, or it breaks a rule; the message names file, line and key.
    """
    known = shipped()
    path = known.get(str(name), Path(name))
    if not path.exists():
        raise InputError(f"--scenario {name}: no such file, and not one of {', '.join(known)}")
    scenario, place = document.read(path, Scenario)
    for (part, key), unit in _KINDS.items():
        if getattr(scenario, part) is None:
            continue
        value = getattr(getattr(scenario, part), key)
        if not value.unit.is_equivalent(unit):
            raise place.error((part, key), f"key '{key}': {value} is not convertible to {unit}")
    for band in scenario.visits.number:
        if band not in scenario.measurement.depth:
            raise place.error(("measurement", "depth"), f"key 'depth': band {band!r} is missing")
    for band, depth in scenario.measurement.depth.items():
        if not depth.unit.is_equivalent(u.mag):
            raise place.error(("measurement", "depth", band), f"key '{band}': {depth} is not a magnitude")
    return scenario


def override(
    scenario: Scenario, stars: int | None = None, visits: int | None = None, bands: Collection[str] | None = None
) -> Scenario:
    """Change a scenario's number of stars, of visits in each band, or its bands.

    Raises
    ------
    InputError
        Not a number that a scenario may have, or a band that it does not.
    """
    for name, number in (("stars", stars), ("visits", visits)):
        if number is not None:
            try:
                _positive(number)
            except ValueError as error:
                raise InputError(f"--{name} {number}: {error}") from None
    known = scenario.visits.number
    unknown = sorted(set(bands or ()) - set(known))
    if unknown:
        raise InputError(f"--band {', '.join(unknown)}: scenario {scenario.scenario} has {', '.join(sorted(known))}")
    numbers = {band: visits or n for band, n in known.items() if bands is None or band in bands}
    return replace(
        scenario,
        stars=replace(scenario.stars, number=stars or scenario.stars.number),
        visits=replace(scenario.visits, number=numbers),
    )
