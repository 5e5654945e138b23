"""``skyaccept selftest``: show on simulated surveys that each fault is found by the clauses that have to find it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("-o", "--output", type=Path, metavar="FILE", help="write the matrix as an HTML page")
    add("--fault", action="append", metavar="NAME", help="only this fault; may be repeated")
    add("--seed", type=int, default=1, metavar="N", help="of the simulated surveys; the table is made for 1")
    add("--workers", type=int, default=min(2, os.cpu_count() or 1), metavar="N", help="processes (default: 2)")


def run(options: argparse.Namespace) -> tuple[list[str], bool]:
    """Lines that the command prints, and whether everything is as it has to be; writes the page.

    Raises
    ------
    InputError
        Options that make no sense.
    """
    from skyaccept.lib import atomic_write
    from skyaccept.lib.exceptions import InputError
    from skyaccept.synthetic import sensitivity, sensitivity_report

    for name, least in (("seed", 0), ("workers", 1)):
        if getattr(options, name) < least:
            raise InputError(f"--{name} {getattr(options, name)}: must not be below {least}")
    path = options.output
    if path is not None:
        atomic_write.check_writable(path)
    chosen = sensitivity.trials(sensitivity.load(), options.fault)
    found = list(sensitivity.run(chosen, options.seed, options.workers))
    if path is not None:
        atomic_write.write(path, sensitivity_report.page(found, options.seed))
    return sensitivity_report.lines(found), not any(one.wrong for one in found)
