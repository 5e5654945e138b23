"""Errors of the photometric calibration: zero points of visits and detectors, and the flat field."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from skyaccept.lib.arrays import AnyArray, FloatArray
from skyaccept.synthetic import camera, random_fields
from skyaccept.synthetic.random_streams import stream
from skyaccept.synthetic.scenario_schema import Scenario
from skyaccept.synthetic.visits import Visit


def error(scenario: Scenario, visit: Visit, seed: int, detector: AnyArray, x: FloatArray, y: FloatArray) -> FloatArray:
    """Error of the zero point of each detection, mag.

    Normal by visit; normal by detector and band, the same in all visits; and a von Karman field on the focal plane by
    band, the same in all visits, which is what a flat field leaves.
    """
    of, total = scenario.calibration, np.zeros(len(x))
    if of is None:
        return total
    if of.visits is not None:
        step = stream(seed, f"zero points {visit.band}", visit.index).standard_normal()
        total += of.visits.to_value(u.mag) * step
    if of.detectors is not None:
        steps = stream(seed, f"detectors {visit.band}").standard_normal(camera.grid(scenario).number)
        total += of.detectors.to_value(u.mag) * steps[detector]
    if of.flat is not None:
        pattern = random_fields.draw(stream(seed, f"flat {visit.band}"), of.flat.scale.to_value(u.rad))
        total += of.flat.rms.to_value(u.mag) * random_fields.scalar(pattern, x, y)
    return total
