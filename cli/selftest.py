"""``skyaccept selftest``: check that clauses detect simulated faults."""

from __future__ import annotations

import argparse
import os
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("-o", "--output", type=Path, metavar="FILE", help="HTML page to write with the sensitivity matrix")
    add("--fault", action="append", metavar="NAME", help="only this fault; may be repeated")
    add(
        "--seed",
        type=int,
        default=1,
        metavar="N",
        help="random seed of the surveys; the expected reactions hold for 1 (default: 1)",
    )
    add("--workers", type=int, default=min(2, os.cpu_count() or 1), metavar="N", help="processes (default: 2)")


def run(options: argparse.Namespace) -> tuple[list[str], bool]:
    """Run the self-test; returns lines and success, and writes the page.

    Raises
    ------
    InputError
        An option is invalid.
    """
    from skyaccept.lib import atomic_write
    from skyaccept.lib.exceptions import InputError
    from skyaccept.synthetic import sensitivity, sensitivity_report

    for name, minimum in (("seed", 0), ("workers", 1)):
        if getattr(options, name) < minimum:
            raise InputError(f"--{name} {getattr(options, name)}: must not be below {minimum}")
    path = options.output
    if path is not None:
        atomic_write.check_writable(path)
    trials = sensitivity.trials(sensitivity.load(), options.fault)
    reactions = list(sensitivity.run(trials, options.seed, options.workers))
    if path is not None:
        atomic_write.write(path, sensitivity_report.page(reactions, options.seed))
    return sensitivity_report.lines(reactions), not any(reaction.wrong for reaction in reactions)
