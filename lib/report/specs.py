"""The documents as a table: requirement, clause, definition, limits, test."""

from __future__ import annotations

from skyaccept.lib.requirements import Specification


def table(specification: Specification) -> list[str]:
    """Lines of text: each requirement, its clauses with limits and sources, and the tests they become."""
    lines = []
    for document in specification.documents:
        lines.append(f"{document.document}: {document.title}")
        for requirement in document.requirements:
            lines.append(f"  {requirement.id}: {requirement.title} ({requirement.kind})")
            for clause in requirement.clauses:
                tests = ", ".join(f"{requirement.id}-{clause.id}-{band}" for band in clause.bands)
                elements = f"; verified by {', '.join(clause.verification)}" if clause.verification else ""
                lines.append(f"    {clause.id}: {clause.metric} under {clause.definition}{elements}")
                lines.append(f"      {clause.text}")
                for name, level in clause.levels.items():
                    partners = "".join(f", {key} = {value:g}" for key, value in level.parameters.items())
                    lines.append(f"      {name:8} {level.limit}{partners}   [{level.source}]")
                lines.append(f"      tests    {tests}; not in other bands")
    return lines
