"""Requirement documents: clauses, limits, definitions, waivers."""

from skyaccept.lib.requirements.loading import LEVELS, Case, Clause, Requirement, Specification, load

__all__ = ["LEVELS", "Case", "Clause", "Requirement", "Specification", "load"]
