"""Faults to inject into surveys.

A fault is a function that takes an `Exposure` and a strength in a physical unit, and returns the changed exposure, or
None if no detection is left. It uses its own random streams, so that the rest of the survey is the same without it.
"""

from __future__ import annotations

from collections.abc import Mapping

from skyaccept.synthetic.exposure import Exposure
from skyaccept.synthetic.faults import magnitudes, positions, rows, shapes
from skyaccept.synthetic.faults.fault import Fault

FAULTS: Mapping[str, Fault] = {
    fault.name: fault for family in (positions, magnitudes, shapes, rows) for fault in family.FAULTS
}
"""Every fault by name."""


def apply(exposure: Exposure) -> Exposure | None:
    """Apply the faults of the scenario to a visit, in their order."""
    changed: Exposure | None = exposure
    for choice in exposure.scenario.faults:
        if changed is not None:
            fault = FAULTS[choice.name]
            changed = fault.apply(changed, fault.measure(choice.strength))
    return changed
