"""``skyaccept power``: plan a sample for a clause."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from skyaccept.fixtures.renamed_options import refusal

if TYPE_CHECKING:
    from skyaccept.lib.requirements.model import Case, Specification

RENAMED = {"true": "true-value", "common": "shared-variance", "spread": "error-spread"}
"""New name of each renamed option."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("--clause", required=True, metavar="ID", help="clause, such as AM1 or OSS-REQ-0388-AM1")
    add("--true-value", required=True, type=float, metavar="VALUE", help="true value, in the metric's unit")
    add("--stars", required=True, type=int, metavar="N", help="number of stars that pass the cuts")
    add("--visits", required=True, type=int, metavar="N", help="number of visits of each star")
    add(
        "--field", default="1.75 deg", metavar="RADIUS", help="radius of the field with these stars (default: 1.75 deg)"
    )
    add("--specs", action="append", metavar="NAME", help="requirement document (default: LSE-30)")
    add("--definition", metavar="NAME", help="measure under this definition")
    add("--level", default="design", metavar="LEVEL", help="design, minimum or stretch (default: design)")
    add("--decision", default="guarded", metavar="RULE", help="guarded or simple (default: guarded)")
    add("--risk", default=0.05, type=float, metavar="R", help="risk that guarded accepts (default: 0.05)")
    add("--error-spread", default=0.3, type=float, metavar="S", help="rms of ln(error) between stars (default: 0.3)")
    add(
        "--shared-variance",
        default=0.2,
        type=float,
        metavar="S",
        help="fraction of the error variance that the stars of a visit share (default: 0.2)",
    )
    add(
        "--power",
        type=float,
        metavar="P",
        help="also find the sample that gives the right verdict with this probability",
    )
    add("--plot", type=Path, metavar="FILE", help="plot against the true value, as SVG")
    for old, new in RENAMED.items():
        add(f"--{old}", **refusal(f"--{new}"))


def run(options: argparse.Namespace) -> tuple[list[str], bool]:
    """Plan a sample; returns the lines to print, and writes the plot.

    Raises
    ------
    InputError
        An option is invalid, or no plan can be made for the clause.
    """
    from skyaccept.lib import atomic_write, requirements, strict_yaml
    from skyaccept.lib.decision.error_model import ErrorModel
    from skyaccept.lib.decision.power import Plan
    from skyaccept.lib.decision.rule import DecisionRule
    from skyaccept.lib.exceptions import InputError
    from skyaccept.lib.report import power as planning

    specification = requirements.load(options.specs or ["LSE-30"])
    case = _find_case(specification, options.clause)
    name = options.definition or case.clause.definition
    if name not in specification.definitions:
        raise InputError(f"--definition {name}: does not exist; known: {', '.join(specification.definitions)}")
    try:
        radius = float(strict_yaml.quantity(options.field).to_value("rad"))
    except ValueError as error:
        raise InputError(f"--field {options.field}: {error}") from None
    plan = Plan(
        case,
        specification.definitions[name],
        options.stars,
        options.visits,
        DecisionRule(options.decision, options.risk),
        options.level,
        ErrorModel(options.error_spread, options.shared_variance),
        radius,
    )
    lines = planning.lines(plan, options.true_value, options.power)
    if options.plot is not None:
        atomic_write.check_writable(options.plot, "--plot")
        atomic_write.write(options.plot, planning.plot(plan, options.true_value))
    return lines, True


def _find_case(specification: Specification, name: str) -> Case:
    """Return the case of a clause in its first band, which stands for all."""
    from skyaccept.lib.exceptions import InputError

    cases = [
        case
        for case in specification.cases()
        if name in (case.clause.id, f"{case.requirement.id}-{case.clause.id}", case.id)
    ]
    clauses = list(dict.fromkeys(f"{case.requirement.id}-{case.clause.id}" for case in cases))
    if len(clauses) != 1:
        clauses_of_documents = ", ".join(dict.fromkeys(case.clause.id for case in specification.cases()))
        reason = f"one of {', '.join(clauses)}" if clauses else f"not one of {clauses_of_documents}"
        raise InputError(f"--clause {name}: {reason}")
    return cases[0]
