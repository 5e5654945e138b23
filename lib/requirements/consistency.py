"""Warnings about a requirement document that do not prevent its use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from skyaccept.lib.requirements.limits import Level
from skyaccept.lib.requirements.model import Note, Requirement
from skyaccept.lib.strict_yaml import SourceLocation


def document_notes(document: str, requirements: Sequence[Requirement], place: SourceLocation) -> Iterator[Note]:
    """Yield warnings of reading, and levels that contradict each other."""
    yield from (Note(document, requirement, text) for requirement, text in place.notes)
    for r, requirement in enumerate(requirements):
        for c, clause in enumerate(requirement.clauses):
            for level, words in contradictions(clause.levels).items():
                text = f"{place.where(('requirements', r, 'clauses', c, 'levels', level))}: {words}"
                yield Note(document, requirement.id, text, clause.id)


def contradictions(levels: Mapping[str, Level]) -> dict[str, str]:
    """Return a sentence for each level that is looser than one it implies.

    That is, its limit is looser.

    Stretch implies design, and design implies minimum; each is compared with the next stated level.
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
