"""Measure clauses on detections: the one orchestration for pytest, command line and notebooks."""

from skyaccept.lib.measure.assembly import assemble, needs, run
from skyaccept.lib.measure.measurer import Measurer
from skyaccept.lib.measure.options import CONFIDENCE, Options

__all__ = ["CONFIDENCE", "Measurer", "Options", "assemble", "needs", "run"]
