"""``skyaccept history``: show how clauses changed over many runs."""

from __future__ import annotations

import argparse
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("folder", metavar="DIR", type=Path, help="folder of the history, from --history DIR")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="HTML page to write")


def run(options: argparse.Namespace) -> tuple[list[str], bool]:
    """List the runs at which clauses changed, and write the page.

    Raises
    ------
    InputError
        The folder has no history, or the page cannot be written.
    """
    from skyaccept.lib import atomic_write
    from skyaccept.lib.report import html
    from skyaccept.lib.results import history

    if options.output is not None:
        atomic_write.check_writable(options.output)
    series = history.load(options.folder)
    if options.output is not None:
        atomic_write.write(options.output, html.history_page(series))
    lines = [
        f"{clause.test} ({clause.definition}): changes with the run of {clause.points[k].run['started']}"
        for clause in series
        for k in clause.changes
    ]
    counts = f"{max(len(clause.points) for clause in series)} runs of {len(series)} clauses, {len(lines)} changes"
    return [*lines, counts], True
