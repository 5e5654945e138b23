"""Requirement documents: clauses, limits, definitions, waivers."""

from skyaccept.lib.requirements.loading import (
    LEVELS,
    Case,
    Clause,
    Requirement,
    Specification,
    Uncovered,
    load,
    shipped,
)

__all__ = ["LEVELS", "Case", "Clause", "Requirement", "Specification", "Uncovered", "load", "shipped"]
