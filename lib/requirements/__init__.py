"""Requirement documents: clauses, limits, definitions, waivers."""

from skyaccept.lib.requirements.loading import load, shipped
from skyaccept.lib.requirements.model import LEVELS, Case, Clause, Requirement, Specification, Uncovered

__all__ = ["LEVELS", "Case", "Clause", "Requirement", "Specification", "Uncovered", "load", "shipped"]
