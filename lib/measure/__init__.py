"""Measure clauses on detections, for pytest, command line and notebooks alike."""

from skyaccept.lib.measure.assembly import assemble, needs, run
from skyaccept.lib.measure.measurer import Measurer
from skyaccept.lib.measure.options import CONFIDENCE, Options

__all__ = ["CONFIDENCE", "Measurer", "Options", "assemble", "needs", "run"]
