"""Waivers: failures that a person accepts for a reason and until a date.

A clause that fails or is inconclusive may be waived. One that could not be measured or broke may not: there is nothing
to accept. A capability and a diagnostic cannot fail. A waiver of a clause that passes fails the run, in each band, so
that no waiver outlives its cause.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

from skyaccept.lib import strict_yaml
from skyaccept.lib.requirements.model import Case, Specification, Uncovered
from skyaccept.lib.strict_yaml import STRICT, Day, Words, YamlLocation

WAIVABLE = ("fail", "inconclusive")


@dataclass(frozen=True)
class Waiver:
    """Accepted failure of a clause: reason, person, and last valid day."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    requirement: Words
    clause: Words
    reason: Words
    who: Words
    expiry: Day
    band: Words | None = None
    document: Words | None = None

    def covers(self, case: Case) -> bool:
        """Return True if the waiver applies to a case."""
        return (
            (self.requirement, self.clause) == (case.requirement.id, case.clause.id)
            and self.band in (None, case.band)
            and self.document in (None, case.document)
        )


@dataclass(frozen=True)
class _File:
    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    waivers: tuple[Waiver, ...]


def load(path: str | Path, specification: Specification, today: date) -> dict[str, Waiver]:
    """Read a file of waivers.

    Parameters
    ----------
    path : str or Path
        YAML file with the key ``waivers``: a list of `Waiver`.
    specification : Specification
        The documents of the run; a waiver may name clauses and bands that the run does not select.
    today : date
        A waiver that expires today is still valid.

    Returns
    -------
    dict of str to Waiver
        By test id.

    Raises
    ------
    InputError
        Not a file of waivers, a missing reason, an unknown clause or band, a clause that cannot fail, an expired date,
        two waivers of one case, or a clause of several documents without the name of one. The message names file,
        line and key.
    """
    file, place = strict_yaml.read(Path(path), _File)
    if not file.waivers:
        raise place.error(("waivers",), "key 'waivers': names no waiver")
    found: dict[str, Waiver] = {}
    for number, waiver in enumerate(file.waivers):
        where = ("waivers", number)
        named = f"waiver of {waiver.requirement} {waiver.clause}"
        if waiver.expiry < today:
            raise place.error((*where, "expiry"), f"key 'expiry': {named} has expired on {waiver.expiry}")
        for case in _covered(waiver, specification, place, where):
            if case.id in found:
                raise place.error(where, f"{named}: {case.id} is waived twice")
            found[case.id] = waiver
    return found


def _covered(
    waiver: Waiver, specification: Specification, place: YamlLocation, where: tuple[str | int, ...]
) -> tuple[Case, ...]:
    """Return the cases that a waiver names: at least one, of one document."""
    cases = [case for case in specification.cases() if replace(waiver, band=None).covers(case)]
    if not cases:
        raise _unknown(waiver, specification, place, where)
    if cases[0].requirement.kind != "performance":
        raise place.error(
            (*where, "clause"), f"key 'clause': {waiver.clause} is a {cases[0].requirement.kind}, which cannot fail"
        )
    documents = list(dict.fromkeys(case.document for case in cases))
    if len(documents) > 1:
        raise place.error(where, f"key 'document' is missing; the clause is in {', '.join(documents)}")
    chosen = tuple(case for case in cases if waiver.covers(case))
    if not chosen:
        offered = ", ".join(case.band for case in cases)
        raise place.error((*where, "band"), f"key 'band': {waiver.band!r} is not a band of the clause: {offered}")
    return chosen


def _unknown(
    waiver: Waiver, specification: Specification, place: YamlLocation, where: tuple[str | int, ...]
) -> Exception:
    """Return the error for the unknown part of a waiver's address."""
    documents = [doc for doc in specification.documents if waiver.document in (None, doc.document)]
    if not documents:
        known = _names(doc.document or "" for doc in specification.documents)
        return place.error((*where, "document"), f"key 'document': {waiver.document!r} is not one of {known}")
    requirements = [entry for doc in documents for entry in doc.requirements]
    clauses = [c for entry in requirements if entry.id == waiver.requirement for c in entry.clauses]
    if not clauses:
        known = _names(entry.id for entry in requirements)
        return place.error((*where, "requirement"), f"key 'requirement': {waiver.requirement!r} is not one of {known}")
    if any(isinstance(c, Uncovered) and c.id == waiver.clause for c in clauses):
        return place.error((*where, "clause"), f"key 'clause': {waiver.clause} is not covered: nothing can fail")
    known = _names(c.id for c in clauses)
    return place.error((*where, "clause"), f"key 'clause': {waiver.clause!r} is not one of {known}")


def _names(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))
