"""Exposures that have a zero point each, and how much of their zero points is noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.metrics.metric import Sample

Values = NDArray[np.float64]

STARS = 5
"""Fewest stars of an exposure."""

MOST = 0.75
"""Share of the variance of the zero points that may be noise of the solution and is taken off."""


def exposures(sample: Sample) -> tuple[NDArray[np.int64], str]:
    """Code of the exposure of each selected row, and what one is."""

    def find() -> tuple[NDArray[np.int64], str]:
        d, rows = sample.detections, sample.selection.rows
        visit = d.visit[rows].astype(np.int64)
        if d.detector is None:
            return visit, "visit: the catalog holds no detectors"
        names, number = np.unique(d.detector[rows], return_inverse=True)
        code = visit * len(names) + number
        typical = float(np.median(np.unique(code, return_counts=True)[1]))
        if typical < STARS:
            return visit, f"visit: one detector of it has {typical:g} stars in the median, and {STARS} are needed"
        return code, "detector in each visit"

    return sample.once("exposures", find)


def said_of_noise(noise: float, offsets: Values) -> str:
    """What there is to say where nearly all is noise."""
    said = f"; nearly all is noise of the solution, of whose variance {100 * MOST:g} % are taken off"
    return said if share_of_noise(noise, offsets) == MOST else ""


def share_of_noise(noise: float, offsets: Values) -> float:
    """Share of the variance of some zero points that is noise, as far as it is taken off."""
    return min(MOST, noise / max(float(np.mean(offsets**2)), 1e-300))
