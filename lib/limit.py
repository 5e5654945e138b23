"""What a clause demands at each level: a limit, the threshold that goes with it, and where both are published."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import astropy.units as u
from pydantic import PlainValidator
from skyaccept.lib import document
from skyaccept.lib.document import Quantity

STRICT: dict[str, Any] = {"extra": "forbid", "arbitrary_types_allowed": True}
"""How pydantic reads the dataclasses of documents."""


@dataclass(frozen=True)
class Limit:
    """A bound that a measured value has to meet."""

    operator: Literal["<=", "<", ">=", ">"]
    bound: u.Quantity

    @classmethod
    def parse(cls, text: object) -> Limit:
        """Parse ``"<= 10 mas"``."""
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
