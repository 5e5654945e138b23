"""``skyaccept inspect``: list columns of a catalog, and draft a survey profile."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from pathlib import Path

DOCUMENT = "LSE-30"
"""Document for whose clauses missing columns are reported."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("file", metavar="FILE", help="catalog, folder or glob; FILE#TABLE for one of several tables")
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="write the survey profile: *.yaml")
    parser.add_argument("--force", action="store_true", help="overwrite an existing file")


def run(options: argparse.Namespace) -> tuple[list[str], bool]:
    """Inspect the catalog, and print the draft of the profile or write it."""
    from skyaccept.lib.atomic_write import write
    from skyaccept.lib.exceptions import InputError
    from skyaccept.lib.readers import inspection

    output: Path | None = options.output
    if output is None and options.force:
        raise InputError("--force: needs --output FILE")
    if output is not None and output.exists() and not options.force:
        raise InputError(f"{output}: exists; name another file, or overwrite it with --force")
    inspected = inspection.inspect(options.file)
    advice = inspected.advice
    lines = [*inspection.describe_inspection(inspected), ""]
    if output is None:
        lines += advice.text.splitlines()
    else:
        write(output, advice.text)
        lines.append(f"{output}: survey profile written; use it with --survey {output}")
    return [*lines, "", *describe_missing(inspected.missing, advice.to_complete)], True


def describe_missing(columns: Collection[str], to_complete: Collection[str]) -> list[str]:
    """Describe the missing columns and the clauses that each of them blocks."""
    from skyaccept.lib.readers.profile import REQUIRED

    blocked, total = blocked_clauses(columns)
    lines = []
    required = [name for name in columns if name in REQUIRED]
    if required:
        lines.append(f"missing, and required: {', '.join(required)}: each blocks all {total} clauses of {DOCUMENT}")
    groups: dict[tuple[str, ...], list[str]] = {}
    for name in columns:
        if name not in REQUIRED:
            groups.setdefault(tuple(blocked.get(name, ())), []).append(name)
    for clauses, names in sorted(groups.items(), key=lambda item: -len(item[0])):
        if clauses:
            each = "each blocks" if len(names) > 1 else "blocks"
            count = f"{len(clauses)} of {total}" if len(clauses) < total else f"all {total}"
            clause_list = f": {', '.join(clauses)}" if len(clauses) < total else ""
            lines.append(f"missing: {', '.join(names)}: {each} {count} clauses of {DOCUMENT}{clause_list}")
        else:
            lines.append(f"missing, and blocking no clause of {DOCUMENT}: {', '.join(names)}")
    if to_complete:
        lines.append(f"lines to complete in the profile: {', '.join(to_complete)}")
    return lines or [f"nothing is missing for the clauses of {DOCUMENT}"]


def blocked_clauses(columns: Collection[str]) -> tuple[dict[str, list[str]], int]:
    """Return the clauses that each missing column blocks, and their total number."""
    from skyaccept.lib import requirements
    from skyaccept.lib.measure import plan
    from skyaccept.lib.metrics import METRICS, reference_photometry

    # zero points need no epochs to compare with a reference catalog
    without_epochs = {metric.name for metric in reference_photometry.METRICS}
    specification = requirements.load([DOCUMENT])
    clauses: dict[str, set[str]] = {}
    for case in specification.cases():
        needed = clauses.setdefault(case.clause.id, set())
        needed |= plan.columns(specification.definitions[case.clause.definition], case)
        if case.clause.metric not in without_epochs:
            needed |= set(METRICS[case.clause.metric].optional_columns)
    return {name: [clause for clause, needed in clauses.items() if name in needed] for name in columns}, len(clauses)
