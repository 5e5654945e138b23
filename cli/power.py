"""``skyaccept power``: plan a sample for a clause."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from skyaccept.fixtures.renamed_options import refusal

if TYPE_CHECKING:
    from skyaccept.lib.requirements.model import Case, Specification

RENAMED = {"true": "true-value", "common": "shared-variance", "spread": "error-spread"}
"""Option that replaces one of an earlier version."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("--clause", required=True, metavar="ID", help="clause, such as AM1 or OSS-REQ-0388-AM1")
    add("--true-value", required=True, type=float, metavar="VALUE", help="true value, in the metric's unit")
    add("--stars", required=True, type=int, metavar="N", help="stars that pass the cuts")
    add("--visits", required=True, type=int, metavar="N", help="visits of each star")
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
    add("--power", type=float, metavar="P", help="also the sample that gives the right verdict with this probability")
    add("--plot", type=Path, metavar="FILE", help="plot against the true value, as SVG")
    for old, new in RENAMED.items():
        add(f"--{old}", **refusal(f"--{new}"))


def run(options: argparse.Namespace) -> tuple[list[str], bool]:
    """Lines that the command prints, and that all is well; writes the plot.

    Raises
    ------
    InputError
        Options that make no sense, or a clause that no plan can be made for.
    """
    from skyaccept.lib import atomic_write, requirements, strict_yaml
    from skyaccept.lib.decision.error_model import ErrorModel
    from skyaccept.lib.decision.power import Plan
    from skyaccept.lib.decision.rule import DecisionRule
    from skyaccept.lib.exceptions import InputError
    from skyaccept.lib.report import power as planning

    specification = requirements.load(options.specs or ["LSE-30"])
    case = _case(specification, options.clause)
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


def _case(specification: Specification, name: str) -> Case:
    """Case of a clause, in its first band, which makes no difference here."""
    from skyaccept.lib.exceptions import InputError

    found = [
        case
        for case in specification.cases()
        if name in (case.clause.id, f"{case.requirement.id}-{case.clause.id}", case.id)
    ]
    clauses = list(dict.fromkeys(f"{case.requirement.id}-{case.clause.id}" for case in found))
    if len(clauses) != 1:
        known = ", ".join(dict.fromkeys(case.clause.id for case in specification.cases()))
        why = f"one of {', '.join(clauses)}" if clauses else f"not one of {known}"
        raise InputError(f"--clause {name}: {why}")
    return found[0]
