"""Measure clauses on detections: the one orchestration for pytest, command line and notebooks."""

from skyaccept.lib.measure.measurer import Measurer, needs, run

__all__ = ["Measurer", "needs", "run"]
