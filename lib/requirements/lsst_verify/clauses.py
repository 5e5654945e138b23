"""Clauses of an lsst.verify package: its specifications as the data of a requirement document.

A package of metrics becomes a requirement. Specifications that limit a metric that is known are gathered by band and
level into clauses; all others stand in it as not covered, with the reason.
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
from skyaccept.lib.metrics import METRICS
from skyaccept.lib.requirements.limits import Limit, explain_useless
from skyaccept.lib.requirements.lsst_verify import located_yaml
from skyaccept.lib.requirements.lsst_verify import package as packages
from skyaccept.lib.requirements.lsst_verify.located_yaml import Value
from skyaccept.lib.requirements.lsst_verify.names import BANDS, LEVELS, Family, Names, is_bands
from skyaccept.lib.requirements.lsst_verify.package import Package, PackageMetric, PackageSpecification

BAND_TERM = "filter_name"
"""Term of a query that chooses the band."""

_BOUNDS = ("<=", "<", ">=", ">")
_SHOWN = 60
"""Characters of a term that are shown."""

Location = tuple[str | int, ...]


@dataclass(frozen=True)
class PackageLocations:
    """Where the parts of the document of a package stand: a `skyaccept.lib.strict_yaml.SourceLocation`."""

    package: Package
    places: Mapping[Location, Value]

    @property
    def path(self) -> Path:
        """Folder of the package."""
        return self.package.folder

    @property
    def notes(self) -> tuple[tuple[str, str], ...]:
        """What is odd about the package, each with the requirement that it is about."""
        return self.package.notes

    def error(self, location: Sequence[str | int], text: str) -> InputError:
        """Build the error that names file and line of ``location``."""
        place = self._place(location)
        return InputError(f"{self.path}: {text}") if place is None else place.error(text)

    def where(self, location: Sequence[str | int]) -> str:
        """File below the package, and line of ``location``."""
        place = self._place(location)
        return self.path.name if place is None else self.package.where(place)

    def _place(self, location: Sequence[str | int]) -> Value | None:
        ends = (tuple(location[:end]) for end in range(len(location), 0, -1))
        return next((self.places[end] for end in ends if end in self.places), None)


@dataclass(frozen=True)
class ParsedSpecification:
    """What a specification asks for: a limit, in the unit of the metric, of a family at a level in some bands.

    ``qualifier`` is what its name says beside these.
    """

    specification: PackageSpecification
    family: Family
    level: str
    bands: str
    qualifier: str
    limit: Limit


class _NotCovered(Exception):  # noqa: N818  (a kind of answer, not a fault)
    """Why a specification makes no clause: a word for the reason, and the reason."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(kind, reason)
        self.kind, self.reason = kind, reason


def read(
    folders: Iterable[str | Path], names: Path, where: Iterable[str]
) -> dict[str | Path, tuple[dict[str, Any], PackageLocations]]:
    """Read packages as the data of requirement documents.

    Parameters
    ----------
    folders : iterable of str or Path
    names : Path
        File that says what names in a package mean, see `skyaccept.lib.requirements.lsst_verify.names`.
    where : iterable of str
        What holds of the dataset, as ``"instrument=HSC"``. A specification with a ``metadata_query`` applies where all
        its terms hold (SQR-019, metadata queries); its ``filter_name`` chooses bands instead.

    Returns
    -------
    documents : dict
        By folder, data in the schema of requirement documents and where they come from.

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
            raise InputError(f"--dataset-property {key}: stands there twice")
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
        for c, (_, origin, levels) in enumerate(clauses):
            place: Location = ("requirements", len(requirements), "clauses", c)
            places[place] = origin
            places |= {(*place, "levels", level): value for level, value in levels.items()}
        if clauses:
            data = [clause for clause, _, _ in clauses]
            title = f"lsst.verify specifications of {one}"
            requirements.append({"id": one, "title": title, "kind": "performance", "clauses": data})
    title = f"lsst.verify package {package.folder.resolve().name}"
    return {"document": name[:80], "title": title, "requirements": requirements}, PackageLocations(package, places)


Made = tuple[dict[str, Any], Value, dict[str, Value]]
"""Data of a clause, where it stands, and where its levels stand."""


def _clauses(package: Package, name: str, names: Names, given: Mapping[str, Any]) -> Iterator[Made]:
    """Clauses of one package of metrics, then what is not covered, in the order of the metrics."""
    readings: list[ParsedSpecification] = []
    left_out: dict[tuple[str, str], list[tuple[PackageSpecification, str]]] = defaultdict(list)
    specifications = [one for one in package.specifications if one.package == name]
    for one in specifications:
        family = names.family(one.metric.name)
        if family is None:
            left_out[one.metric.name, ""].append((one, names.reason(one.metric.name)))
            continue
        try:
            readings.append(_parse_specification(one, family, names, given))
        except _NotCovered as why:
            left_out[family.name, why.kind].append((one, why.reason))
    slots = _by_band_and_level(readings)
    order = dict.fromkeys(metric.name for metric in package.metrics)
    rank = {family.name: number for number, family in enumerate(names.families)}
    for key in sorted(slots, key=lambda key: (rank[key[0]], key[1])):
        yield from _group_clauses(key, slots, left_out)
    rank |= {metric: len(rank) + number for number, metric in enumerate(order) if metric not in rank}
    for key in sorted(left_out, key=lambda key: (rank[key[0]], key[1])):
        yield _uncovered(*key, left_out[key])
    limited = {one.metric.name for one in specifications}
    for metric in package.metrics:
        if metric.package == name and metric.name not in limited:
            yield _metric_without_limit(metric)


def _parse_specification(
    one: PackageSpecification, family: Family, names: Names, given: Mapping[str, Any]
) -> ParsedSpecification:
    """What a specification of a known metric asks for."""
    unmet = {term: value for term, value in one.query.items() if term != BAND_TERM and given.get(term) != value}
    if unmet:
        raise _NotCovered("conditional", f"apply only where {_conditions(unmet)}")
    words = re.split("[_-]+", one.name)
    if any(word in names.milestones for word in words):
        raise _NotCovered("milestones", f"targets of a year ({', '.join(names.milestones)}), not a level")
    of_metric = one.metric.name.split("_")[1:]
    levels = {word for word in (*words, *of_metric) if word in LEVELS} or {tag for tag in one.tags if tag in LEVELS}
    if len(levels) != 1:
        found = f"more than one level, {' and '.join(sorted(levels))}" if levels else "none of the levels"
        raise _NotCovered("levels", f"name {found}" + ("" if levels else f" {', '.join(LEVELS)}"))
    if one.operator not in _BOUNDS:
        raise _NotCovered("operators", f"the operator {one.operator} bounds nothing")
    unit = METRICS[family.metric].unit
    if not one.bound.unit.is_equivalent(unit):
        raise _NotCovered("units", f"the limit is in '{one.bound.unit}', and {family.metric} is measured in {unit}")
    bands = _bands(one, words, of_metric, family, names)
    rest = [word for word in words if word not in (*LEVELS, *names.plain) and not is_bands(word)]
    bound = float(f"{one.bound.to_value(unit):.12g}") * u.Unit(unit)  # conversion adds digits that nobody stated
    limit = Limit(one.operator, bound)  # type: ignore[arg-type]
    if said := explain_useless(limit, unit):
        raise _NotCovered("ranges", f"the limit {limit} {said}")
    return ParsedSpecification(one, family, levels.pop(), bands, "_".join(filter(None, rest)), limit)


def _bands(
    one: PackageSpecification, words: Sequence[str], of_metric: Sequence[str], family: Family, names: Names
) -> str:
    """Bands by the query, or else by the name of the specification, or of the metric; all where none of them says."""
    asked = one.query.get(BAND_TERM)
    named = next((word for word in (*words, *of_metric) if is_bands(word)), None)
    if asked is not None:
        filters = asked if isinstance(asked, list) else [asked]
        unknown = [str(one)[:_SHOWN] for one in filters if not isinstance(one, str) or one not in names.filters]
        if unknown:
            raise _NotCovered("filters", f"the filter {', '.join(unknown)} is none of the bands {', '.join(BANDS)}")
        said = {names.filters[one] for one in filters}
        if named is not None and not said <= set(named):
            raise _NotCovered("filters", f"name the bands {named}, and ask for the filter {', '.join(filters)}")
    else:
        said = set(named or family.bands)
    if not said <= set(family.bands):
        raise _NotCovered("filters", f"{family.name} compares with {family.against} and is not measured in it")
    return "".join(band for band in family.bands if band in said)


def _conditions(terms: Mapping[str, Any]) -> str:
    shown = {term: str(value) for term, value in terms.items()}
    return ", ".join(f"{term} is {text[:_SHOWN]}{'...' * (len(text) > _SHOWN)}" for term, text in shown.items())


Slots = dict[tuple[str, str], dict[str, dict[str, ParsedSpecification]]]
"""By family and qualifier: by band: by level."""

Stated = dict[str, tuple[ParsedSpecification, dict[str, u.Quantity]]]
"""By level: a limit and the thresholds that go with it."""


def _by_band_and_level(readings: Iterable[ParsedSpecification]) -> Slots:
    """Gather specifications; one whose place is taken stands for itself, qualified by its name."""
    slots: Slots = {}
    for one in readings:
        name = one.specification.name
        for qualifier in (one.qualifier, name, f"{one.specification.metric.name}-{name}"):
            bands = slots.setdefault((one.family.name, qualifier), {})
            if not any(one.level in bands.get(band, {}) for band in one.bands):
                for band in one.bands:
                    bands.setdefault(band, {})[one.level] = one
                break
    return slots


def _group_clauses(
    key: tuple[str, str], slots: Slots, left_out: dict[tuple[str, str], list[tuple[PackageSpecification, str]]]
) -> Iterator[Made]:
    """Clauses of a family with a qualifier: one for all bands that have the same limits."""
    alike: dict[tuple[Any, ...], dict[str, Stated]] = defaultdict(dict)
    without: dict[str, tuple[PackageSpecification, str, str]] = {}
    for band in slots[key]:
        stated: Stated = {}
        for level in sorted(slots[key][band], key=LEVELS.index):
            one = slots[key][band][level]
            families = one.family.partner
            partners = {name: _partner(families[name], key[1], band, level, slots) for name in families}
            missing = [families[name] for name, value in partners.items() if value is None]
            if missing:
                name = one.specification.full_name
                before = without[name][2] if name in without else ""
                without[name] = one.specification, ", ".join(missing), before + band
            else:
                stated[level] = one, {name: value for name, value in partners.items() if value is not None}
        if stated:
            alike[tuple(_limits_key(level, *one) for level, one in stated.items())][band] = stated
    for found in alike.values():
        yield _clause(key[1], dict(sorted(found.items(), key=lambda item: BANDS.index(item[0]))))
    if without:
        left_out[key[0], "partners"] += [
            (one, f"need the limit of {missing} at their level in {bands}, and there is none")
            for one, missing, bands in without.values()
        ]


def _limits_key(level: str, one: ParsedSpecification, partners: Mapping[str, u.Quantity]) -> tuple[Any, ...]:
    """What is the same where two bands can share a clause."""
    return level, one.limit.operator, one.limit.bound.value, *(value.value for value in partners.values())


def _partner(family: str, qualifier: str, band: str, level: str, slots: Slots) -> u.Quantity | None:
    """Limit of another family at a level: of specifications that are qualified alike, or of those that are not."""
    for key in ((family, qualifier), (family, "")):
        one = slots.get(key, {}).get(band, {}).get(level)
        if one is not None and one.limit.operator in ("<=", "<"):
            return one.limit.bound
    return None


def _clause(qualifier: str, bands: Mapping[str, Stated]) -> Made:
    levels = next(iter(bands.values()))
    first = next(iter(levels.values()))[0]
    family, specification = first.family, first.specification
    everywhere = "".join(bands) == family.bands
    conditions = {term: value for term, value in specification.query.items() if term != BAND_TERM}
    data: dict[str, Any] = {
        "id": family.name + ("" if everywhere else "".join(bands)) + (f"-{qualifier}" if qualifier else ""),
        "text": specification.metric.description + (f" Where {_conditions(conditions)}." if conditions else ""),
        "metric": family.metric,
        "definition": family.definition,
        "parameters": dict(family.parameters),
        "bands": list(bands),
        "levels": {
            level: {"limit": one.limit, "source": _source(bands, level), "parameters": partners}
            for level, (one, partners) in levels.items()
        },
    }
    if family.against is not None:
        data["against"] = family.against
    return data, specification.origin, {level: one.specification.limit_origin for level, (one, _) in levels.items()}


def _source(bands: Mapping[str, Stated], level: str) -> dict[str, Any]:
    """Where the metric is defined, and the specifications that state the limit."""
    stating = dict.fromkeys(levels[level][0].specification.full_name for levels in bands.values())
    metric = next(iter(bands.values()))[level][0].specification.metric
    return _reference(metric) | {"via": ", ".join(stating)}


def _reference(metric: PackageMetric) -> dict[str, Any]:
    return {"document": metric.doc or metric.url or metric.package, "page": metric.page}


def _uncovered(name: str, kind: str, left_out: Sequence[tuple[PackageSpecification, str]]) -> Made:
    """Specifications of a metric, or of a family for one kind of reason, that make no clause."""
    reasons: dict[str, list[PackageSpecification]] = defaultdict(list)
    for one, reason in left_out:
        reasons[reason].append(one)
    first = left_out[0][0]
    said = [reason if not kind else f"{reason} ({len(ones)})" for reason, ones in reasons.items()]
    stated: dict[str, PackageSpecification] = {}
    if not kind:
        for one, _ in left_out:
            if one.name in LEVELS and one.operator in _BOUNDS:
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
    return data, first.origin, {level: one.limit_origin for level, one in stated.items()}


def _metric_without_limit(metric: PackageMetric) -> Made:
    data = {
        "id": f"{metric.name}-unlimited",
        "text": metric.description,
        "not_covered": "no specification of this package states a limit",
    }
    return data, metric.origin, {}
