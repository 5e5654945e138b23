"""Requirement documents: YAML files read into frozen dataclasses, and the cases that they ask for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Discriminator, PlainValidator, StringConstraints, Tag
from skyaccept.lib import strict_yaml
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.metrics import METRICS
from skyaccept.lib.requirements import definitions as definition
from skyaccept.lib.requirements.consistency import Note, notes
from skyaccept.lib.requirements.definitions import Definition, Rule
from skyaccept.lib.requirements.limits import Identifier, Level, check_limit, check_parameters, check_range
from skyaccept.lib.requirements.lsst_verify import clauses as lsst_verify
from skyaccept.lib.requirements.lsst_verify.package import FOLDERS, is_package
from skyaccept.lib.sample.selection import Cut
from skyaccept.lib.strict_yaml import STRICT, Quantity

LEVELS = ("design", "minimum", "stretch")
KINDS = ("performance", "capability", "diagnostic")
BANDS = ("u", "g", "r", "i", "z", "y")
DEFINITIONS, LSST_VERIFY = "definitions.yaml", "lsst-verify.yaml"
"""Files beside the shipped documents that are none."""

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

    ``sample`` and ``half_width`` override those of its own definition; ``subtract_shot_noise`` holds under that one
    only. The clause of a diagnostic has no levels, and its parameters are all that its metric takes. ``against`` is the
    band that it compares with, or one for each of its bands.
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
    """A clause that stands in the document and makes no case, for the reason given under ``not_covered``.

    ``specifications`` are those of an lsst.verify package that it stands for.
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
    """A requirement and its clauses; its kind says what makes it pass.

    A ``performance`` is met where a value meets its limit, a ``capability`` where the quantity was measured, whatever
    its value, and a ``diagnostic`` has no verdict.
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
    """One clause in one band: what becomes one test and one row of the report."""

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
        """Band that it is compared with, where it is with one."""
        against = self.clause.against
        return against if against is None or isinstance(against, str) else against[self.band]


@dataclass(frozen=True)
class Specification:
    """The documents chosen for a run, the definitions that they may refer to, and what is odd about the documents."""

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
            No case is left.
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


def shipped() -> dict[str, Path]:
    """Requirement documents that come with the package, by name."""
    folder = Path(str(resources.files("skyaccept.requirements_specs")))
    return {path.stem: path for path in sorted(folder.glob("*.yaml")) if path.name not in (DEFINITIONS, LSST_VERIFY)}


def load(names: str | Path | Iterable[str | Path] = "LSE-30", where: Iterable[str] = ()) -> Specification:
    """Load requirement documents.

    Parameters
    ----------
    names : str, Path, or iterable of these
        Each the name of a shipped document, a YAML file, a folder of YAML files, or an lsst.verify package.
    where : iterable of str
        What holds of the dataset, as ``"instrument=HSC"``, where specifications of a package ask for it.

    Returns
    -------
    Specification

    Raises
    ------
    InputError
        A document cannot be read or breaks a rule; the message names file, line and key. Also when the documents
        hold no requirement at all.
    """
    if isinstance(names, str | Path):
        names = (names,)
    folder = Path(str(resources.files("skyaccept.requirements_specs")))
    names = list(names)
    definitions: dict[str, Definition] = {}
    known = shipped()
    folders = [name for name in names if str(name) not in known and is_package(Path(name))]
    packages = lsst_verify.read(folders, folder / LSST_VERIFY, where)
    read: list[tuple[Document, strict_yaml.Origin]] = [_shipped(folder / DEFINITIONS)]
    for name in names:
        if name in packages:
            data, origin = packages[name]
            read.append((strict_yaml.check(data, Document, origin), origin))
        else:
            read += [_shipped(known[str(name)])] if str(name) in known else [_read(path) for path in _files(name)]
    for doc, place in read:
        definition.check(doc.definitions, place, definitions)
    seen: dict[str, Path] = {}
    for doc, place in read:
        _check_clauses(doc, place, definitions, seen)
    documents = tuple(doc for doc, _ in read if doc.requirements)
    if not any(requirement.clauses for doc in documents for requirement in doc.requirements):
        raise InputError(f"no requirement found in {', '.join(map(str, names)) or 'an empty list of documents'}")
    noted = (note for doc, place in read for note in notes(doc.document or "", doc.requirements, place))
    return Specification(documents, definitions, tuple(noted))


def _read(path: Path) -> tuple[Document, strict_yaml.Origin]:
    return strict_yaml.read(path, Document)


_shipped = cache(_read)
"""Reads a document of the package, once."""


def _files(name: str | Path) -> list[Path]:
    path = Path(name)
    if strict_yaml.exists(path) and path.is_dir():
        files = sorted([*path.glob("*.yaml"), *path.glob("*.yml")])
        if not files:
            raise InputError(
                f"{path}: no YAML file in this folder, nor an lsst.verify package (folders {' and '.join(FOLDERS)})"
            )
        return files
    if not strict_yaml.exists(path):
        raise InputError(f"--specs {name}: no such file or folder, and not one of {', '.join(shipped())}")
    return [path]


def _check_clauses(
    doc: Document, place: strict_yaml.Origin, definitions: Mapping[str, Definition], seen: dict[str, Path]
) -> None:
    if doc.requirements and doc.document is None:
        raise place.error((), "key 'document' is missing")
    if not doc.requirements and not doc.definitions:
        raise place.error((), "neither 'requirements' nor 'definitions' in this document")
    known_bands = (*BANDS, *doc.bands)
    for r, requirement in enumerate(doc.requirements):
        if not requirement.clauses:
            raise place.error(("requirements", r, "clauses"), "key 'clauses': names no clause")
        for c, clause in enumerate(requirement.clauses):
            where = ("requirements", r, "clauses", c)
            if isinstance(clause, Uncovered):
                _check_once(f"{requirement.id}-{clause.id}", place, where, seen)
                continue
            if clause.definition not in definitions:
                raise place.error(
                    (*where, "definition"),
                    f"key 'definition': {clause.definition!r} does not exist; known: {', '.join(definitions)}",
                )
            if METRICS[clause.metric].against != (clause.against is not None):
                why = "does not belong here" if clause.against else "is missing; the metric compares two bands"
                raise place.error(where, f"key 'against' {why}")
            _check_against(clause, known_bands, place, (*where, "against"))
            if not clause.bands:
                raise place.error((*where, "bands"), "key 'bands': names no band")
            if not clause.levels and requirement.kind != "diagnostic":
                raise place.error((*where, "levels"), "key 'levels': names no level")
            if clause.levels and requirement.kind == "diagnostic":
                raise place.error((*where, "levels"), "key 'levels': a diagnostic has no limits")
            for b, band in enumerate(clause.bands):
                if band not in known_bands:
                    raise place.error(
                        (*where, "bands", b),
                        f"key 'bands': band {band!r} is not one of {', '.join(known_bands)}; "
                        "a document may name further bands under its key 'bands'",
                    )
                if band in clause.bands[:b]:
                    raise place.error((*where, "bands", b), f"key 'bands': band {band!r} stands there twice")
                _check_once(Case(doc.document or "", requirement, clause, band).id, place, where, seen)
            definition.check_cuts(clause.sample or (), place, (*where, "sample"))
            _check_overrides(clause, definitions[clause.definition].rule(clause.metric), place, where)
            _check_units(clause, requirement.kind, place, where)


def _check_against(
    clause: Clause, known: Collection[str], place: strict_yaml.Origin, where: tuple[str | int, ...]
) -> None:
    """It names bands, others than those that are compared with them; one for each, where it names several."""
    named = clause.against
    if named is None:
        return
    of = dict.fromkeys(clause.bands, named) if isinstance(named, str) else named
    for band in of.values():
        if band not in known:
            raise place.error(where, f"key 'against': {band!r} is not a band")
    if set(of) != set(clause.bands):
        raise place.error(where, f"key 'against': names a band for {', '.join(of)}, not for {', '.join(clause.bands)}")
    for band, other in of.items():
        if band == other:
            raise place.error(where, f"key 'against': {band} is compared with itself")


def _check_once(name: str, place: strict_yaml.Origin, where: tuple[str | int, ...], seen: dict[str, Path]) -> None:
    if name in seen:
        raise place.error((*where, "id"), f"key 'id': duplicate {name}, also in {seen[name]}")
    seen[name] = place.path


def _check_overrides(
    clause: Clause, rule: Rule | None, place: strict_yaml.Origin, where: tuple[str | int, ...]
) -> None:
    """What the clause changes of its definition can be changed there."""
    estimator = METRICS[clause.metric].estimators[rule.estimator] if rule else None
    if clause.half_width is not None:
        check_range("half_width", clause.half_width, "arcmin", place, (*where, "half_width"))
        if estimator is not None and not estimator.of_pairs:
            raise place.error((*where, "half_width"), f"key 'half_width': {clause.metric} looks at no pairs of objects")
    if clause.subtract_shot_noise and (estimator is None or not estimator.takes_shot_noise):
        raise place.error(
            (*where, "subtract_shot_noise"),
            f"key 'subtract_shot_noise': {clause.metric} under {clause.definition} is no variance of a star "
            "from which that of its errors could be subtracted",
        )


def _check_units(clause: Clause, kind: str, place: strict_yaml.Origin, where: tuple[str | int, ...]) -> None:
    metric = METRICS[clause.metric]
    check_parameters(clause.parameters, metric.parameters_of(kind), place, (*where, "parameters"))
    if "nearest" in clause.parameters and clause.parameters["farthest"] <= clause.parameters["nearest"]:
        raise place.error((*where, "parameters", "farthest"), "key 'farthest': not above 'nearest'")
    for name, level in clause.levels.items():
        here = (*where, "levels", name)
        if not level.limit.bound.unit.is_equivalent(metric.unit):
            raise place.error(
                (*here, "limit"),
                f"key 'limit': {level.limit} cannot bound {clause.metric}, which is in {metric.unit}",
            )
        check_limit(level.limit, metric.unit, place, (*here, "limit"))
        check_parameters(level.parameters, metric.level_parameters, place, (*here, "parameters"))
