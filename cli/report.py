"""``skyaccept report``: write the HTML report of a results JSON."""

from __future__ import annotations

import argparse
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("results", metavar="RESULTS", help="results JSON of a run")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="HTML page to write")


def run(options: argparse.Namespace) -> tuple[list[str], bool]:
    """Write the HTML report of a finished run.

    Raises
    ------
    InputError
        The file is not a results JSON, or the page cannot be written.
    """
    from skyaccept.lib import atomic_write
    from skyaccept.lib.report import html
    from skyaccept.lib.results import model

    atomic_write.check_writable(options.output)
    atomic_write.write(options.output, html.page(model.load(options.results)))
    return [], True
