"""What is odd about a requirement document and does no harm: it is said, and the document is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from skyaccept.lib.document import Origin
from skyaccept.lib.limit import Level

if TYPE_CHECKING:
    from skyaccept.lib.requirements import Document


@dataclass(frozen=True)
class Note:
    """A sentence with file and line, on a clause of a requirement or, without one, on all of it."""

    document: str
    requirement: str
    text: str
    clause: str = ""


def notes(doc: Document, place: Origin) -> Iterator[Note]:
    """What was noted as a document was read, and levels that contradict each other."""
    name = doc.document or ""
    yield from (Note(name, requirement, text) for requirement, text in place.notes)
    for r, requirement in enumerate(doc.requirements):
        for c, clause in enumerate(requirement.clauses):
            for level, words in contradictions(clause.levels).items():
                text = f"{place.where(('requirements', r, 'clauses', c, 'levels', level))}: {words}"
                yield Note(name, requirement.id, text, clause.id)


def contradictions(levels: Mapping[str, Level]) -> dict[str, str]:
    """Levels whose limit is looser than that of a level that it should imply, in words.

    Stretch implies design, and design implies minimum; each is compared with the next that is stated.
    """
    stated = [(name, levels[name].limit) for name in ("stretch", "design", "minimum") if name in levels]
    found = {}
    for (name, limit), (other, looser) in pairwise(stated):
        sign = 1 if "<" in limit.operator else -1
        if not limit.bound.unit.is_equivalent(looser.bound.unit):
            found[name] = f"{name} ({limit}) is in another kind of unit than {other} ({looser})"
        elif limit.operator[0] != looser.operator[0]:
            found[name] = f"{name} ({limit}) bounds from the other side than {other} ({looser})"
        elif sign * (limit.bound.to_value(looser.bound.unit) - looser.bound.value) > 0:
            found[name] = f"{name} ({limit}) is looser than {other} ({looser})"
    return found
