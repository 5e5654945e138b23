"""``skyaccept export``: write a results JSON in another format."""

from __future__ import annotations

import argparse
from pathlib import Path

FORMATS = ("junit", "lsst-verify", "csv", "ecsv", "control-md", "control-html", "needs")
"""Names of the formats of `skyaccept.lib.export`, repeated because its import is slow."""

_RENAMED = {"job": "lsst-verify"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("results", metavar="RESULTS", help="results JSON of a run")
    names = ", ".join(FORMATS)
    parser.add_argument("--to", required=True, type=_parse_format, choices=FORMATS, metavar="FORMAT", help=names)
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="file to write (default: standard output)")


def _parse_format(name: str) -> str:
    if name in _RENAMED:
        raise argparse.ArgumentTypeError(f"{name} is now called {_RENAMED[name]}")
    return name


def run(options: argparse.Namespace) -> tuple[list[str], bool]:
    """Write the results of a run in another format.

    Raises
    ------
    InputError
        The file is not a results JSON, or the output cannot be written.
    """
    from skyaccept.cli.stdout import print_document
    from skyaccept.lib import atomic_write, export
    from skyaccept.lib.results import model

    if options.output is not None:
        atomic_write.check_writable(options.output)
    text = export.FORMATS[options.to](model.load(options.results))
    if options.output is None:
        print_document(text)
    else:
        atomic_write.write(options.output, text)
    return [], True
