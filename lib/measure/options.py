"""Options of a run, the same for pytest, command line and notebooks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from skyaccept.lib.catalog.reference import Reference
from skyaccept.lib.catalog.visit_groups import Kind
from skyaccept.lib.decision.rule import DecisionRule
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.requirements.model import LEVELS, Case, Specification
from skyaccept.lib.requirements.waivers import Waiver

CONFIDENCE = 0.95
"""Of intervals, unless another is chosen."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to measure, and how to decide.

    Attributes
    ----------
    bands : collection of str, optional
        Only these bands; all that the clauses apply to by default.
    level : {"design", "minimum", "stretch"}
        Level that decides the verdict; all levels are reported.
    definition : str, optional
        Measure everything under this definition instead of each clause's own.
    compare : bool
        Measure under every other definition that covers the metric as well.
    reference : Reference, optional
        Reference catalog, as `skyaccept.lib.readers.reference.load` returns it.
    rule : DecisionRule, optional
        How verdicts are made.
    waivers : mapping of str to Waiver
        As `skyaccept.lib.requirements.waivers.load` returns it.
    confidence : float, optional
        Of the intervals, between 0 and 1; with None values are measured alone.
    visit_groups : {"night", "visit", "column"}, optional
        Visits that share errors, as for `skyaccept.lib.catalog.visit_groups.group_visits`.
    breakdown : sequence of str
        Keys of `skyaccept.lib.diagnostics.groups.KEYS` that all clauses are broken down by.
    diagnose : bool
        Break the errors of failing clauses down and follow their trends; verdicts do not depend on it.

    Raises
    ------
    InputError
        The level does not exist, or the confidence is not between 0 and 1.
    """

    bands: Collection[str] | None = None
    level: str = "design"
    definition: str | None = None
    compare: bool = False
    reference: Reference | None = None
    rule: DecisionRule | None = None
    waivers: Mapping[str, Waiver] = field(default_factory=dict)
    confidence: float | None = CONFIDENCE
    visit_groups: Kind | None = None
    breakdown: Sequence[str] = ()
    diagnose: bool = True

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise InputError(f"--level {self.level}: not one of {', '.join(LEVELS)}")
        if self.confidence is not None and not 0 < self.confidence < 1:
            raise InputError(f"--confidence {self.confidence:g}: not between 0 and 1")

    def deciding_definition(self, case: Case) -> str:
        """Definition that decides a case; a diagnostic is measured under its own alone."""
        chosen = self.definition
        return case.clause.definition if chosen is None or case.requirement.kind == "diagnostic" else chosen

    def check_definition(self, specification: Specification) -> None:
        """Make sure that the definition exists; raises `InputError`."""
        if self.definition is not None and self.definition not in specification.definitions:
            known = ", ".join(specification.definitions)
            raise InputError(f"--definition {self.definition}: does not exist; known: {known}")
