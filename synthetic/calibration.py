"""Simulate errors of zero points of visits and detectors, and of the flat field."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from skyaccept.lib.arrays import AnyArray, FloatArray
from skyaccept.synthetic import camera, random_fields
from skyaccept.synthetic.random_streams import stream
from skyaccept.synthetic.scenario_schema import Scenario
from skyaccept.synthetic.visits import Visit


def zero_point_error(
    scenario: Scenario, visit: Visit, seed: int, detector: AnyArray, x: FloatArray, y: FloatArray
) -> FloatArray:
    """Return the zero-point error of each detection, mag.

    It is the sum of a normal error of the visit, a normal error of the detector and band, and a von Karman field on the
    focal plane for each band, which stands for the residual of the flat field. The last two are constant over visits.
    """
    settings, total = scenario.calibration, np.zeros(len(x))
    if settings is None:
        return total
    if settings.visits is not None:
        step = stream(seed, f"zero points {visit.band}", visit.index).standard_normal()
        total += settings.visits.to_value(u.mag) * step
    if settings.detectors is not None:
        steps = stream(seed, f"detectors {visit.band}").standard_normal(camera.detector_grid(scenario).number)
        total += settings.detectors.to_value(u.mag) * steps[detector]
    if settings.flat is not None:
        pattern = random_fields.draw(stream(seed, f"flat {visit.band}"), settings.flat.scale.to_value(u.rad))
        total += settings.flat.rms.to_value(u.mag) * random_fields.scalar(pattern, x, y)
    return total
