"""Provenance of results: the run, the definitions, and notes on the documents."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import metadata

import skyaccept
from skyaccept.lib.requirements.model import Specification, Uncovered
from skyaccept.lib.results.model import Result
from skyaccept.lib.results.records import DefinitionRecord, NoteRecord, RunRecord, UncoveredRecord

_PACKAGES = ("numpy", "numba", "scipy", "astropy", "pandas", "pyarrow", "pytest")


def describe_definitions(results: Iterable[Result], specification: Specification) -> dict[str, DefinitionRecord]:
    """Return title, text and quirks of the definitions of results."""
    used = {name for result in results for name in (result.definition, *result.other_definitions)}
    return {
        name: {"title": d.title, "text": d.text, "quirks": list(d.quirks)}
        for name, d in specification.definitions.items()
        if name in used
    }


def uncovered_clauses(specification: Specification) -> tuple[UncoveredRecord, ...]:
    """Return the clauses of the documents that make no case, with the reason."""
    return tuple(
        {
            "requirement": requirement.id,
            "clause": clause.id,
            "document": doc.document or "",
            "text": clause.text,
            "reason": clause.not_covered,
        }
        for doc in specification.documents
        for requirement in doc.requirements
        for clause in requirement.clauses
        if isinstance(clause, Uncovered)
    )


def document_notes(specification: Specification) -> tuple[NoteRecord, ...]:
    """Return the notes on the documents."""
    return tuple(
        {"document": note.document, "requirement": note.requirement, "text": note.text, "clause": note.clause}
        for note in specification.notes
    )


def run_record(started: float, command: str) -> RunRecord:
    """Return the provenance of a run that began at ``started``.

    In seconds since the epoch.
    """
    return {
        "skyaccept": skyaccept.__version__,
        "started": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        "seconds": round(time.time() - started, 3),
        "command": command,
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in _PACKAGES},
    }
