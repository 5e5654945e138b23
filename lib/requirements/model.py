"""Requirement documents as frozen dataclasses, and the cases of their clauses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from pydantic import Discriminator, PlainValidator, StringConstraints, Tag
from skyaccept.lib import strict_yaml
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.metrics import METRICS
from skyaccept.lib.requirements.definitions import Definition
from skyaccept.lib.requirements.limits import Identifier, Level
from skyaccept.lib.sample.cuts import Cut
from skyaccept.lib.strict_yaml import STRICT, Quantity

LEVELS = ("design", "minimum", "stretch")


KINDS = ("performance", "capability", "diagnostic")


BANDS = ("u", "g", "r", "i", "z", "y")


Levels = Mapping[Annotated[str, PlainValidator(strict_yaml.one_of(*LEVELS))], Level]


def _against(value: object) -> str | dict[str, str]:
    if isinstance(value, str):
        return value
    if not isinstance(value, dict) or not all(isinstance(band, str) for pair in value.items() for band in pair):
        raise ValueError("expected a band, or one for each band of the clause, such as {g: r, r: i}")
    return value


@dataclass(frozen=True)
class Clause:
    """One measurable clause of a requirement.

    ``sample`` and ``half_width`` override those of its own definition; ``subtract_shot_noise`` applies under that
    definition only. The clause of a diagnostic has no levels; it states all parameters of its metric. ``against`` is
    the band to compare with, or one for each of its bands.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    id: Identifier
    text: str
    metric: Annotated[str, PlainValidator(strict_yaml.one_of(*METRICS))]
    definition: str
    bands: tuple[Identifier, ...]
    levels: Levels = field(default_factory=dict)
    parameters: Mapping[str, Quantity] = field(default_factory=dict)
    sample: tuple[Annotated[Cut, PlainValidator(Cut.parse)], ...] | None = None
    half_width: Quantity | None = None
    subtract_shot_noise: bool = False
    against: Annotated[str | Mapping[str, str] | None, PlainValidator(_against)] = None
    verification: tuple[str, ...] = ()


@dataclass(frozen=True)
class Uncovered:
    """A clause of the document that makes no case, for the reason in ``not_covered``.

    ``specifications`` are those of an lsst.verify package that it represents.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    id: Identifier
    text: str
    not_covered: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    levels: Levels = field(default_factory=dict)
    verification: tuple[str, ...] = ()
    specifications: tuple[str, ...] = ()


@dataclass(frozen=True)
class Requirement:
    """A requirement, its clauses and its kind.

    A ``performance`` is met if a value meets its limit, a ``capability`` if the quantity was measured, whatever its
    value. A ``diagnostic`` has no verdict.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    id: Identifier
    title: str
    kind: Annotated[str, PlainValidator(strict_yaml.one_of(*KINDS))]
    clauses: tuple[
        Annotated[
            Annotated[Clause, Tag("covered")] | Annotated[Uncovered, Tag("uncovered")],
            Discriminator(
                lambda entry: "uncovered" if isinstance(entry, dict) and "not_covered" in entry else "covered"
            ),
        ],
        ...,
    ]
    text: str = ""

    @property
    def covered(self) -> tuple[Clause, ...]:
        """The clauses that make cases."""
        return tuple(clause for clause in self.clauses if isinstance(clause, Clause))


@dataclass(frozen=True)
class Document:
    """A published document, or a file of definitions."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    document: Identifier | None = None
    title: str = ""
    bands: tuple[Identifier, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    definitions: tuple[Definition, ...] = ()


@dataclass(frozen=True)
class Case:
    """One clause in one band: one test, and one row of the report."""

    document: str
    requirement: Requirement
    clause: Clause
    band: str

    @property
    def id(self) -> str:
        """Identifier of the test, such as ``OSS-REQ-0388-AM1-r``."""
        return f"{self.requirement.id}-{self.clause.id}-{self.band}"

    @property
    def against(self) -> str | None:
        """Band that the clause compares with, if any."""
        against = self.clause.against
        return against if against is None or isinstance(against, str) else against[self.band]


@dataclass(frozen=True)
class Note:
    """Warning with file and line, about a clause or a whole requirement."""

    document: str
    requirement: str
    text: str
    clause: str = ""


@dataclass(frozen=True)
class Specification:
    """Documents of a run, their definitions, and warnings about the documents."""

    documents: tuple[Document, ...]
    definitions: Mapping[str, Definition]
    notes: tuple[Note, ...] = ()

    def cases(self, bands: Iterable[str] | None = None) -> tuple[Case, ...]:
        """Cases in document order.

        Parameters
        ----------
        bands : iterable of str, optional
            Keep only these bands; all bands that the clauses apply to by default.

        Raises
        ------
        InputError
            There is no case.
        """
        wanted = None if bands is None else set(bands)
        cases = tuple(case for case in self._all_cases() if wanted is None or case.band in wanted)
        if not cases:
            names = ", ".join(d.document or "" for d in self.documents)
            offered = ", ".join(sorted({case.band for case in self._all_cases()})) or "none"
            raise InputError(
                f"no requirement to verify: {names} has clauses for bands {offered}"
                + ("" if wanted is None else f", and --band asks for {', '.join(sorted(wanted))}")
            )
        return cases

    def _all_cases(self) -> Iterator[Case]:
        for doc in self.documents:
            for requirement in doc.requirements:
                for clause in requirement.covered:
                    for band in clause.bands:
                        yield Case(doc.document or "", requirement, clause, band)
