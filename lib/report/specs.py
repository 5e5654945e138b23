"""Documents as text: requirements, clauses, definitions, limits, tests."""

from __future__ import annotations

from collections import defaultdict

from skyaccept.lib.requirements.model import Clause, Requirement, Specification, Uncovered

_KINDS = {
    "performance": "performance",
    "capability": "capability: passes when measured, limits are targets",
    "diagnostic": "diagnostic: no limit, no verdict",
}


def table(specification: Specification) -> list[str]:
    """Return lines of text on requirements, clauses, limits, citations and tests.

    Notes come last.
    """
    notes: dict[tuple[str | None, str, str], list[str]] = defaultdict(list)
    for note in specification.notes:
        notes[note.document, note.requirement, note.clause].append(note.text)
    lines = []
    for document in specification.documents:
        lines.append(f"{document.document}: {document.title}")
        for requirement in document.requirements:
            lines.append(f"  {requirement.id}: {requirement.title} ({_KINDS[requirement.kind]})")
            for clause in requirement.clauses:
                lines += _clause(requirement, clause)
                lines += [f"      note     {text}" for text in notes[document.document, requirement.id, clause.id]]
            lines += [f"    note     {text}" for text in notes[document.document, requirement.id, ""]]
    return lines


def _clause(requirement: Requirement, clause: Clause | Uncovered) -> list[str]:
    elements = f"; verified by {', '.join(clause.verification)}" if clause.verification else ""
    what = f"{clause.metric} under {clause.definition}" if isinstance(clause, Clause) else "not covered"
    lines = [f"    {clause.id}: {what}{elements}", f"      {' '.join(clause.text.split())}"]
    if isinstance(clause, Clause) and clause.parameters:
        lines.append("      with     " + ", ".join(f"{key} = {value:g}" for key, value in clause.parameters.items()))
    if isinstance(clause, Clause) and clause.sample is not None:
        lines.append(f"      sample   {'; '.join(map(str, clause.sample))}")
    if isinstance(clause, Clause) and clause.against is not None:
        of = clause.against
        bands = of if isinstance(of, str) else ", ".join(f"{other} for {band}" for band, other in of.items())
        lines.append(f"      against  {bands}")
    for name, level in clause.levels.items():
        partners = "".join(f", {key} = {value:g}" for key, value in level.parameters.items())
        lines.append(f"      {name:8} {level.limit}{partners}   [{level.source}]")
    if isinstance(clause, Uncovered):
        lines.append(f"      no test  {clause.not_covered}")
        if clause.specifications:
            lines.append(f"      holds    {', '.join(clause.specifications)}")
    else:
        tests = ", ".join(f"{requirement.id}-{clause.id}-{band}" for band in clause.bands)
        lines.append(f"      tests    {tests}; not in other bands")
    return lines
