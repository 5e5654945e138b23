"""Limit, level and bands of a specification, from its query, name and threshold."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import astropy.units as u
from skyaccept.lib.metrics import METRICS
from skyaccept.lib.requirements.limits import Limit, explain_useless
from skyaccept.lib.requirements.lsst_verify.names import BANDS, LEVELS, Family, Names, is_bands
from skyaccept.lib.requirements.lsst_verify.package import PackageSpecification

BAND_TERM = "filter_name"
"""Term of a query that chooses the band."""

BOUNDS = ("<=", "<", ">=", ">")
"""Operators of thresholds that bound a value."""

_SHOWN = 60  # characters of a term in a message


@dataclass(frozen=True)
class ParsedSpecification:
    """Limit of a specification, with its family, level and bands.

    In the unit of the metric.

    ``qualifier`` is the rest of its name.
    """

    specification: PackageSpecification
    family: Family
    level: str
    bands: str
    qualifier: str
    limit: Limit


class NotCovered(Exception):  # noqa: N818  (a kind of answer, not a fault)
    """A specification makes no clause, for a kind of reason and the reason."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(kind, reason)
        self.kind, self.reason = kind, reason


def parse_specification(
    one: PackageSpecification, family: Family, names: Names, given: Mapping[str, Any]
) -> ParsedSpecification:
    """Parse a specification of a known metric.

    Raises
    ------
    NotCovered
        It states no limit at one level in known bands, or applies to other datasets.
    """
    unmet = {term: value for term, value in one.query.items() if term != BAND_TERM and given.get(term) != value}
    if unmet:
        raise NotCovered("conditional", f"apply only where {conditions_text(unmet)}")
    words = re.split("[_-]+", one.name)
    if any(word in names.milestones for word in words):
        raise NotCovered("milestones", f"targets of a year ({', '.join(names.milestones)}), not a level")
    of_metric = one.metric.name.split("_")[1:]
    levels = {word for word in (*words, *of_metric) if word in LEVELS} or {tag for tag in one.tags if tag in LEVELS}
    if len(levels) != 1:
        found = f"more than one level, {' and '.join(sorted(levels))}" if levels else "none of the levels"
        raise NotCovered("levels", f"name {found}" + ("" if levels else f" {', '.join(LEVELS)}"))
    if one.operator not in BOUNDS:
        raise NotCovered("operators", f"the operator {one.operator} bounds nothing")
    unit = METRICS[family.metric].unit
    if not one.bound.unit.is_equivalent(unit):
        raise NotCovered("units", f"the limit is in '{one.bound.unit}', and {family.metric} is measured in {unit}")
    bands = _bands(one, words, of_metric, family, names)
    rest = [word for word in words if word not in (*LEVELS, *names.plain) and not is_bands(word)]
    bound = float(f"{one.bound.to_value(unit):.12g}") * u.Unit(unit)  # conversion adds digits that nobody stated
    limit = Limit(one.operator, bound)  # type: ignore[arg-type]
    if reason := explain_useless(limit, unit):
        raise NotCovered("ranges", f"the limit {limit} {reason}")
    return ParsedSpecification(one, family, levels.pop(), bands, "_".join(filter(None, rest)), limit)


def _bands(
    one: PackageSpecification, words: Sequence[str], of_metric: Sequence[str], family: Family, names: Names
) -> str:
    """Bands of the query, else of the names of specification or metric, else all."""
    query = one.query.get(BAND_TERM)
    named = next((word for word in (*words, *of_metric) if is_bands(word)), None)
    if query is not None:
        filters = query if isinstance(query, list) else [query]
        unknown = [str(one)[:_SHOWN] for one in filters if not isinstance(one, str) or one not in names.filters]
        if unknown:
            raise NotCovered("filters", f"the filter {', '.join(unknown)} is none of the bands {', '.join(BANDS)}")
        bands = {names.filters[one] for one in filters}
        if named is not None and not bands <= set(named):
            raise NotCovered("filters", f"name the bands {named}, and ask for the filter {', '.join(filters)}")
    else:
        bands = set(named or family.bands)
    if not bands <= set(family.bands):
        raise NotCovered("filters", f"{family.name} compares with {family.against} and is not measured in it")
    return "".join(band for band in family.bands if band in bands)


def conditions_text(terms: Mapping[str, Any]) -> str:
    """Return the terms of a query as text."""
    shown = {term: str(value) for term, value in terms.items()}
    return ", ".join(f"{term} is {text[:_SHOWN]}{'...' * (len(text) > _SHOWN)}" for term, text in shown.items())
