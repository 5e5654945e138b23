"""Faults: what goes wrong in surveys, each one function of a visit's detections with a strength in a physical unit.

A fault takes an `Exposure` and returns what becomes of it, or None where nothing is left. It draws from streams of its
own, so that the survey is otherwise the same with it and without.
"""

from __future__ import annotations

from collections.abc import Mapping

from skyaccept.synthetic.exposure import Exposure
from skyaccept.synthetic.faults import magnitudes, positions, rows, shapes
from skyaccept.synthetic.faults.fault import Fault

FAULTS: Mapping[str, Fault] = {
    fault.name: fault for family in (positions, magnitudes, shapes, rows) for fault in family.FAULTS
}
"""Every fault by its name."""


def apply(exposure: Exposure) -> Exposure | None:
    """Let the faults of its scenario befall a visit, in their order."""
    made: Exposure | None = exposure
    for chosen in exposure.scenario.faults:
        if made is not None:
            fault = FAULTS[chosen.name]
            made = fault.apply(made, fault.measure(chosen.strength))
    return made
