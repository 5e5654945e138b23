"""What a clause demands at each level: a limit, the threshold that goes with it, and where both are published."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import astropy.units as u
from pydantic import PlainValidator, StringConstraints
from skyaccept.lib import document
from skyaccept.lib.document import STRICT, Quantity

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)]


@dataclass(frozen=True)
class Limit:
    """A bound that a measured value has to meet."""

    operator: Literal["<=", "<", ">=", ">"]
    bound: u.Quantity

    @classmethod
    def parse(cls, text: object) -> Limit:
        """Parse ``"<= 10 mas"``; a limit stays as it is."""
        if isinstance(text, Limit):
            return text
        match = re.fullmatch(r"\s*([^\w\s.+-]+)\s*(.*)", str(text))
        if match is None:
            raise ValueError("a limit is an operator, a number and a unit, such as '<= 10 mas'")
        operator, bound = match.groups()
        return cls(document.one_of("<=", "<", ">=", ">")(operator), document.quantity(bound))  # type: ignore[arg-type]

    def __str__(self) -> str:
        return f"{self.operator} {document.text_of(self.bound)}"


@dataclass(frozen=True)
class Source:
    """Where a limit is published."""

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
    """One level of a clause: its limit, the partner threshold that goes with it, and their source."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    limit: Annotated[Limit, PlainValidator(Limit.parse)]
    source: Source
    parameters: Mapping[str, Quantity] = field(default_factory=dict)


def check_parameters(
    given: Mapping[str, u.Quantity],
    wanted: Mapping[str, str],
    place: document.Origin,
    where: tuple[str | int, ...],
) -> None:
    """Make sure that thresholds are those that are ``wanted``, by their units.

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
        if not given[name].unit.is_equivalent(u.Unit(unit)):
            raise place.error((*where, name), f"key '{name}': {given[name]} is not convertible to {unit}")
        check_range(name, given[name], unit, place, (*where, name))


def check_range(name: str, value: u.Quantity, unit: str, place: document.Origin, where: tuple[str | int, ...]) -> None:
    """Make sure that an angle lies above 0 and up to 180 degrees, a share between 0 and 100 percent.

    The near end of a range of separations, ``nearest``, may be 0.

    Raises
    ------
    InputError
        It does not.
    """
    if u.Unit(unit).is_equivalent(u.rad):
        if not value.unit.is_equivalent(u.rad):
            raise place.error(where, f"key '{name}': {value} is not an angle")
        angle = value.to_value(u.deg)
        if not 0 <= angle <= 180 or (angle == 0 and name != "nearest"):
            raise place.error(where, f"key '{name}': {value} is not above 0 and up to 180 degrees")
    elif u.Unit(unit) == u.percent and not 0 <= value.to_value(u.percent) <= 100:
        raise place.error(where, f"key '{name}': {value} is not from 0 to 100 percent")
