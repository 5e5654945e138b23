"""Where results come from: the run, the definitions, and what is left out or odd in the documents."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata

import skyaccept
from skyaccept.lib.requirements.model import Specification, Uncovered
from skyaccept.lib.results.model import Result
from skyaccept.lib.rounding import Json

_PACKAGES = ("numpy", "numba", "scipy", "astropy", "pandas", "pyarrow", "pytest")


def describe(results: Iterable[Result], specification: Specification) -> dict[str, Json]:
    """Describe the definitions that results were measured under, for the results and the report."""
    used = {name for result in results for name in (result.definition, *result.other_definitions)}
    return {
        name: {"title": d.title, "text": d.text, "quirks": list(d.quirks)}
        for name, d in specification.definitions.items()
        if name in used
    }


def uncovered(specification: Specification) -> tuple[Json, ...]:
    """Clauses of the documents that make no case, and why, for the results and the report."""
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


def notes(specification: Specification) -> tuple[Json, ...]:
    """What is odd about the documents, for the results and the report."""
    return tuple(asdict(note) for note in specification.notes)


def run_record(started: float, command: str) -> Json:
    """Provenance of a run that began at ``started`` (seconds since the epoch)."""
    return {
        "skyaccept": skyaccept.__version__,
        "started": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        "seconds": round(time.time() - started, 3),
        "command": command,
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in _PACKAGES},
    }
