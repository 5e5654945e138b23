"""Check the clauses of a document: names, bands, units and overrides."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from skyaccept.lib import strict_yaml
from skyaccept.lib.metrics import METRICS
from skyaccept.lib.requirements import definitions as definition
from skyaccept.lib.requirements.definitions import Definition, Rule
from skyaccept.lib.requirements.limits import check_limit, check_parameters, check_range
from skyaccept.lib.requirements.model import BANDS, Case, Clause, Document, Uncovered


def check_clauses(
    doc: Document, place: strict_yaml.SourceLocation, definitions: Mapping[str, Definition], seen: dict[str, Path]
) -> None:
    """Check the clauses of a document; ``seen`` collects the ids of all documents."""
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
            if METRICS[clause.metric].compares_bands != (clause.against is not None):
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
                    raise place.error((*where, "bands", b), f"key 'bands': band {band!r} is listed twice")
                _check_once(Case(doc.document or "", requirement, clause, band).id, place, where, seen)
            definition.check_cuts(clause.sample or (), place, (*where, "sample"))
            _check_overrides(clause, definitions[clause.definition].rule(clause.metric), place, where)
            _check_units(clause, requirement.kind, place, where)


def _check_against(
    clause: Clause, known: Collection[str], place: strict_yaml.SourceLocation, where: tuple[str | int, ...]
) -> None:
    """Check the bands to compare with.

    They are known, other than the clause's own, and one for each band.
    """
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


def _check_once(
    name: str, place: strict_yaml.SourceLocation, where: tuple[str | int, ...], seen: dict[str, Path]
) -> None:
    if name in seen:
        raise place.error((*where, "id"), f"key 'id': duplicate {name}, also in {seen[name]}")
    seen[name] = place.path


def _check_overrides(
    clause: Clause, rule: Rule | None, place: strict_yaml.SourceLocation, where: tuple[str | int, ...]
) -> None:
    """Check that the clause overrides only what its definition uses."""
    estimator = METRICS[clause.metric].estimators[rule.estimator] if rule else None
    if clause.half_width is not None:
        check_range("half_width", clause.half_width, "arcmin", place, (*where, "half_width"))
        if estimator is not None and not estimator.takes("half_width"):
            raise place.error((*where, "half_width"), f"key 'half_width': {clause.metric} looks at no pairs of objects")
    if clause.subtract_shot_noise and (estimator is None or not estimator.takes("subtract_shot_noise")):
        raise place.error(
            (*where, "subtract_shot_noise"),
            f"key 'subtract_shot_noise': {clause.metric} under {clause.definition} is no variance of a star "
            "from which that of its errors could be subtracted",
        )


def _check_units(clause: Clause, kind: str, place: strict_yaml.SourceLocation, where: tuple[str | int, ...]) -> None:
    metric = METRICS[clause.metric]
    may_be_zero = [low for low, _ in metric.ascending]
    check_parameters(clause.parameters, metric.parameters_of(kind), place, (*where, "parameters"), may_be_zero)
    for low, high in metric.ascending:
        if clause.parameters[high] <= clause.parameters[low]:
            raise place.error((*where, "parameters", high), f"key '{high}': not above '{low}'")
    for name, level in clause.levels.items():
        here = (*where, "levels", name)
        if not level.limit.bound.unit.is_equivalent(metric.unit):
            raise place.error(
                (*here, "limit"),
                f"key 'limit': {level.limit} cannot bound {clause.metric}, which is in {metric.unit}",
            )
        check_limit(level.limit, metric.unit, place, (*here, "limit"))
        check_parameters(level.parameters, metric.level_parameters, place, (*here, "parameters"))
