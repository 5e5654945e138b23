"""Limits of a clause by level, with their thresholds and citations."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import astropy.units as u
from pydantic import PlainValidator, StringConstraints
from skyaccept.lib import strict_yaml
from skyaccept.lib.strict_yaml import STRICT, Quantity

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)]


@dataclass(frozen=True)
class Limit:
    """Bound that a measured value must meet."""

    operator: Literal["<=", "<", ">=", ">"]
    bound: u.Quantity

    @classmethod
    def parse(cls, text: object) -> Limit:
        """Parse ``"<= 10 mas"``; return a limit unchanged."""
        if isinstance(text, Limit):
            return text
        match = re.fullmatch(r"\s*([^\w\s.+-]+)\s*(.*)", str(text))
        if match is None:
            raise ValueError("a limit is an operator, a number and a unit, such as '<= 10 mas'")
        operator, bound = match.groups()
        return cls(strict_yaml.one_of("<=", "<", ">=", ">")(operator), strict_yaml.quantity(bound))  # type: ignore[arg-type]

    def __str__(self) -> str:
        return f"{self.operator} {strict_yaml.text_of(self.bound)}"


@dataclass(frozen=True)
class Citation:
    """Publication of a limit."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    document: str
    version: str | None = None
    table: int | str | None = None
    section: str | None = None
    page: int | None = None
    via: str | None = None

    def __str__(self) -> str:
        parts: list[object] = [
            self.document,
            self.version and f"version {self.version}",
            self.section and f"section {self.section}",
        ]
        parts += [
            self.table and f"table {self.table}",
            self.page and f"page {self.page}",
            self.via and f"via {self.via}",
        ]
        return ", ".join(str(part) for part in parts if part)


@dataclass(frozen=True)
class Level:
    """Limit of a clause at one level, its partner threshold, and their citation."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    limit: Annotated[Limit, PlainValidator(Limit.parse)]
    source: Citation
    parameters: Mapping[str, Quantity] = field(default_factory=dict)


RANGES: Mapping[str, tuple[float, float]] = {
    "mas": (0, 6.48e8),
    "mas/yr": (0, 6.48e8),
    "arcmin": (0, 10_800),
    "mmag": (0, 1e5),
    "percent": (0, 100),
    "": (0, 4),
}
"""Smallest and largest value of a limit or parameter by unit: angles, differences of magnitudes, fractions, and
absolute correlations of ellipticities."""


def check_limit(limit: Limit, unit: str, place: strict_yaml.SourceLocation, where: tuple[str | int, ...]) -> None:
    """Check that a limit can be met and missed by values in a unit.

    Raises
    ------
    InputError
        All values meet it, or none.
    """
    if reason := explain_useless(limit, unit):
        raise place.error(where, f"key 'limit': {limit} {reason}")


def explain_useless(limit: Limit, unit: str) -> str:
    """Say why a limit always or never holds for values in a unit; "" if it does not."""
    low, high = RANGES[unit]
    bound = float(limit.bound.to_value(u.Unit(unit)))
    upper, strict = "<" in limit.operator, "=" not in limit.operator
    words = f"a value lies between {low:g} and {high:g} {unit}".rstrip()
    if bound < low or (bound == low and upper is strict):
        return f"{'never holds' if upper else 'always holds'}; {words}"
    if bound > high or (bound == high and upper is not strict):
        return f"{'always holds' if upper else 'never holds'}; {words}"
    if bound in (low, high) and unit != "percent":  # a fraction may be 0, an error is not
        return f"{'always' if upper is (bound == high) else 'never'} holds but for a value of {bound:g}; {words}"
    return ""


def check_parameters(
    given: Mapping[str, u.Quantity],
    wanted: Mapping[str, str],
    place: strict_yaml.SourceLocation,
    where: tuple[str | int, ...],
    may_be_zero: Collection[str] = (),
) -> None:
    """Check that the parameters are those of ``wanted``, with units and ranges.

    Raises
    ------
    InputError
        One is missing, unknown, in another kind of unit, or out of range.
    """
    for name in given:
        if name not in wanted:
            raise place.error((*where, name), f"unknown key '{name}'; the metric takes {', '.join(wanted) or 'none'}")
    for name, unit in wanted.items():
        if name not in given:
            raise place.error(where, f"key '{name}' is missing (in {unit or 'no unit'})")
        check_range(name, given[name], unit, place, (*where, name), may_be_zero=name in may_be_zero)


def check_range(
    name: str,
    value: u.Quantity,
    unit: str,
    place: strict_yaml.SourceLocation,
    where: tuple[str | int, ...],
    *,
    may_be_zero: bool = False,
) -> None:
    """Make sure that a value lies in the range of its unit, of `RANGES`.

    Only a percentage, and what ``may_be_zero``, may be 0; no percentage is 100 percent.

    Raises
    ------
    InputError
        It does not.
    """
    if not value.unit.is_equivalent(u.Unit(unit)):
        raise place.error(where, f"key '{name}': {value} is not convertible to {unit}")
    low, high = RANGES[unit]
    number, share = value.to_value(u.Unit(unit)), unit == "percent"
    if share and not low <= number < high:
        raise place.error(where, f"key '{name}': {value} is not from 0 to below 100 percent")
    if not share and (not low <= number <= high or (number == low and not may_be_zero)):
        raise place.error(where, f"key '{name}': {value} is not above 0 and up to {high:g} {unit}".rstrip())


def in_units(parameters: Mapping[str, u.Quantity], units: Mapping[str, str]) -> dict[str, float]:
    """Convert quantities to numbers, each in its unit."""
    return {name: float(parameters[name].to_value(unit)) for name, unit in units.items()}
