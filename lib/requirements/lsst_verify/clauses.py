"""Convert the specifications of an lsst.verify package to a requirement document.

A package of metrics becomes a requirement. Specifications that limit a known metric are grouped by band and level into
clauses; all others are listed as not covered, with the reason.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import astropy.units as u
from skyaccept.lib import strict_yaml
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.requirements.limits import Limit
from skyaccept.lib.requirements.lsst_verify import located_yaml
from skyaccept.lib.requirements.lsst_verify import package as packages
from skyaccept.lib.requirements.lsst_verify.located_yaml import Value
from skyaccept.lib.requirements.lsst_verify.names import BANDS, LEVELS, Names
from skyaccept.lib.requirements.lsst_verify.package import Package, PackageMetric, PackageSpecification
from skyaccept.lib.requirements.lsst_verify.specification import (
    BAND_TERM,
    BOUNDS,
    NotCovered,
    ParsedSpecification,
    conditions_text,
    parse_specification,
)

Location = tuple[str | int, ...]


@dataclass(frozen=True)
class PackageLocations:
    """Locations in the files of a package.

    A `skyaccept.lib.strict_yaml.SourceLocation`.
    """

    package: Package
    places: Mapping[Location, Value]

    @property
    def path(self) -> Path:
        """Folder of the package."""
        return self.package.folder

    @property
    def notes(self) -> tuple[tuple[str, str], ...]:
        """Warnings about the package, each with its requirement."""
        return self.package.notes

    def error(self, location: Sequence[str | int], text: str) -> InputError:
        """Return an error that names file and line of ``location``."""
        place = self._place(location)
        return InputError(f"{self.path}: {text}") if place is None else place.error(text)

    def where(self, location: Sequence[str | int]) -> str:
        """Return the file below the package, and the line of ``location``."""
        place = self._place(location)
        return self.path.name if place is None else self.package.where(place)

    def _place(self, location: Sequence[str | int]) -> Value | None:
        ends = (tuple(location[:end]) for end in range(len(location), 0, -1))
        return next((self.places[end] for end in ends if end in self.places), None)


def read(
    folders: Iterable[str | Path], names: Path, where: Iterable[str]
) -> dict[str | Path, tuple[dict[str, Any], PackageLocations]]:
    """Read packages as the data of requirement documents.

    Parameters
    ----------
    folders : iterable of str or Path
    names : Path
        File with the meaning of names, see `skyaccept.lib.requirements.lsst_verify.names`.
    where : iterable of str
        Properties of the dataset, such as ``"instrument=HSC"``. A specification with a ``metadata_query`` applies if
        all its terms hold (SQR-019, metadata queries); its ``filter_name`` chooses bands.

    Returns
    -------
    documents : dict
        By folder: data in the schema of requirement documents, and their locations.

    Raises
    ------
    InputError
        Anything wrong with a package or with ``where``.
    """
    known = _names(names)
    given: dict[str, Any] = {}
    for word in where:
        key, value = _term(word)
        if key in given:
            raise InputError(f"--dataset-property {key}: is given twice")
        given[key] = value
    found = {folder: packages.read(Path(folder)) for folder in folders}
    asked = {term for package in found.values() for one in package.specifications for term in one.query} - {BAND_TERM}
    if given and not found:
        raise InputError("--dataset-property goes with an lsst.verify package, and --specs names none")
    for key in given:
        if key == BAND_TERM:
            raise InputError(f"--dataset-property {key}: bands are chosen with --band")
        if key not in asked:
            wanted = ", ".join(sorted(asked)) or "nothing"
            raise InputError(f"--dataset-property {key}: no specification uses it; they use {wanted}")
    return {folder: _document(package, known, given) for folder, package in found.items()}


@cache
def _names(path: Path) -> Names:
    return strict_yaml.read(path, Names)[0]


def _term(word: str) -> tuple[str, Any]:
    key, equals, value = word.partition("=")
    if not key or not equals:
        raise InputError(f"--dataset-property {word}: not of the form KEY=VALUE, such as instrument=HSC")
    values = located_yaml.parse(value, Path(f"--dataset-property {key}"), [])
    return key, values[0].plain if values else None


def _document(package: Package, names: Names, given: Mapping[str, Any]) -> tuple[dict[str, Any], PackageLocations]:
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", package.folder.resolve().name).strip("-._") or "package"
    places: dict[Location, Value] = {}
    requirements: list[dict[str, Any]] = []
    for one in dict.fromkeys(metric.package for metric in package.metrics):
        clauses = list(_clauses(package, one, names, given))
        for c, clause in enumerate(clauses):
            place: Location = ("requirements", len(requirements), "clauses", c)
            places[place] = clause.location
            places |= {(*place, "levels", level): value for level, value in clause.levels.items()}
        if clauses:
            data = [clause.data for clause in clauses]
            title = f"lsst.verify specifications of {one}"
            requirements.append({"id": one, "title": title, "kind": "performance", "clauses": data})
    title = f"lsst.verify package {package.folder.resolve().name}"
    return {"document": name[:80], "title": title, "requirements": requirements}, PackageLocations(package, places)


@dataclass(frozen=True)
class ClauseData:
    """Data of a clause, with its location and those of its levels."""

    data: dict[str, Any]
    location: Value
    levels: Mapping[str, Value]


@dataclass(frozen=True)
class LevelLimit:
    """Limit at a level, and the thresholds that go with it."""

    parsed: ParsedSpecification
    thresholds: Mapping[str, u.Quantity]

    @property
    def key(self) -> tuple[Any, ...]:
        """Same for two bands that can share a clause."""
        limit = self.parsed.limit
        values = (threshold.value for threshold in self.thresholds.values())
        return self.parsed.level, limit.operator, limit.bound.value, *values


LimitsByLevel = dict[str, LevelLimit]


class ByBandAndLevel:
    """Specifications by family and qualifier, then by band and level."""

    def __init__(self, specifications: Iterable[ParsedSpecification]) -> None:
        self.groups: dict[tuple[str, str], dict[str, dict[str, ParsedSpecification]]] = {}
        for one in specifications:
            self._add(one)

    def _add(self, one: ParsedSpecification) -> None:
        """Add a specification; if its place is taken, qualify it by its name."""
        name = one.specification.name
        for qualifier in (one.qualifier, name, f"{one.specification.metric.name}-{name}"):
            bands = self.groups.setdefault((one.family.name, qualifier), {})
            if not any(one.level in bands.get(band, {}) for band in one.bands):
                for band in one.bands:
                    bands.setdefault(band, {})[one.level] = one
                return

    def threshold(self, family: str, qualifier: str, band: str, level: str) -> u.Quantity | None:
        """Return the limit of a partner.

        That of the specification with the same qualifier, else of that without one.
        """
        for key in ((family, qualifier), (family, "")):
            one = self.groups.get(key, {}).get(band, {}).get(level)
            if one is not None and one.limit.operator in ("<=", "<"):
                return one.limit.bound
        return None


LeftOut = dict[tuple[str, str], list[tuple[PackageSpecification, str]]]
"""Specifications that make no clause, with the reason; by name and kind of reason."""


def _clauses(package: Package, name: str, names: Names, given: Mapping[str, Any]) -> Iterator[ClauseData]:
    """Clauses of a package of metrics, then those not covered.

    In the order of the metrics.
    """
    parsed: list[ParsedSpecification] = []
    left_out: LeftOut = defaultdict(list)
    specifications = [one for one in package.specifications if one.package == name]
    for one in specifications:
        family = names.family(one.metric.name)
        if family is None:
            left_out[one.metric.name, ""].append((one, names.reason(one.metric.name)))
            continue
        try:
            parsed.append(parse_specification(one, family, names, given))
        except NotCovered as why:
            left_out[family.name, why.kind].append((one, why.reason))
    limits = ByBandAndLevel(parsed)
    order = dict.fromkeys(metric.name for metric in package.metrics)
    rank = {family.name: number for number, family in enumerate(names.families)}
    for key in sorted(limits.groups, key=lambda key: (rank[key[0]], key[1])):
        yield from _group_clauses(key, limits, left_out)
    rank |= {metric: len(rank) + number for number, metric in enumerate(order) if metric not in rank}
    for key in sorted(left_out, key=lambda key: (rank[key[0]], key[1])):
        yield _uncovered(*key, left_out[key])
    limited = {one.metric.name for one in specifications}
    for metric in package.metrics:
        if metric.package == name and metric.name not in limited:
            yield _metric_without_limit(metric)


def _group_clauses(key: tuple[str, str], limits: ByBandAndLevel, left_out: LeftOut) -> Iterator[ClauseData]:
    """Clauses of a family with a qualifier: one for all bands with the same limits."""
    alike: dict[tuple[Any, ...], dict[str, LimitsByLevel]] = defaultdict(dict)
    without: dict[str, tuple[PackageSpecification, str, str]] = {}
    for band, by_level in limits.groups[key].items():
        stated: LimitsByLevel = {}
        for level in sorted(by_level, key=LEVELS.index):
            one = by_level[level]
            families = one.family.partner
            partners = {name: limits.threshold(families[name], key[1], band, level) for name in families}
            missing = [families[name] for name, value in partners.items() if value is None]
            if missing:
                name = one.specification.full_name
                before = without[name][2] if name in without else ""
                without[name] = one.specification, ", ".join(missing), before + band
            else:
                stated[level] = LevelLimit(one, {name: value for name, value in partners.items() if value is not None})
        if stated:
            alike[tuple(limit.key for limit in stated.values())][band] = stated
    for bands in alike.values():
        yield _clause(key[1], dict(sorted(bands.items(), key=lambda item: BANDS.index(item[0]))))
    if without:
        left_out[key[0], "partners"] += [
            (one, f"need the limit of {missing} at their level in {bands}, and there is none")
            for one, missing, bands in without.values()
        ]


def _clause(qualifier: str, bands: Mapping[str, LimitsByLevel]) -> ClauseData:
    levels = next(iter(bands.values()))
    first = next(iter(levels.values())).parsed
    family, specification = first.family, first.specification
    everywhere = "".join(bands) == family.bands
    conditions = {term: value for term, value in specification.query.items() if term != BAND_TERM}
    data: dict[str, Any] = {
        "id": family.name + ("" if everywhere else "".join(bands)) + (f"-{qualifier}" if qualifier else ""),
        "text": specification.metric.description + (f" Where {conditions_text(conditions)}." if conditions else ""),
        "metric": family.metric,
        "definition": family.definition,
        "parameters": dict(family.parameters),
        "bands": list(bands),
        "levels": {
            level: {
                "limit": one.parsed.limit,
                "source": _source(bands, level),
                "parameters": dict(one.thresholds),
            }
            for level, one in levels.items()
        },
    }
    if family.against is not None:
        data["against"] = family.against
    locations = {level: one.parsed.specification.limit_origin for level, one in levels.items()}
    return ClauseData(data, specification.origin, locations)


def _source(bands: Mapping[str, LimitsByLevel], level: str) -> dict[str, Any]:
    """Source of the definition of the metric, and specifications of the limit."""
    stating = dict.fromkeys(levels[level].parsed.specification.full_name for levels in bands.values())
    metric = next(iter(bands.values()))[level].parsed.specification.metric
    return _reference(metric) | {"via": ", ".join(stating)}


def _reference(metric: PackageMetric) -> dict[str, Any]:
    return {"document": metric.doc or metric.url or metric.package, "page": metric.page}


def _uncovered(name: str, kind: str, left_out: Sequence[tuple[PackageSpecification, str]]) -> ClauseData:
    """Entry for specifications of a metric or family that make no clause.

    One for each kind of reason.
    """
    reasons: dict[str, list[PackageSpecification]] = defaultdict(list)
    for one, reason in left_out:
        reasons[reason].append(one)
    first = left_out[0][0]
    said = [reason if not kind else f"{reason} ({len(ones)})" for reason, ones in reasons.items()]
    stated: dict[str, PackageSpecification] = {}
    if not kind:
        for one, _ in left_out:
            if one.name in LEVELS and one.operator in BOUNDS:
                stated.setdefault(one.name, one)
    data = {
        "id": f"{name}-{kind}" if kind else name,
        "text": first.metric.description,
        "not_covered": "; ".join(said),
        "specifications": list(dict.fromkeys(one.full_name for one, _ in left_out)),
        "levels": {
            level: {
                "limit": Limit(one.operator, one.bound),  # type: ignore[arg-type]
                "source": _reference(one.metric) | {"via": one.full_name},
            }
            for level, one in ((level, stated[level]) for level in LEVELS if level in stated)
        },
    }
    return ClauseData(data, first.origin, {level: one.limit_origin for level, one in stated.items()})


def _metric_without_limit(metric: PackageMetric) -> ClauseData:
    data = {
        "id": f"{metric.name}-unlimited",
        "text": metric.description,
        "not_covered": "no specification of this package states a limit",
    }
    return ClauseData(data, metric.origin, {})
