"""Where detectors lie in the focal plane, as the positions of the stars on them tell.

A catalog rarely holds more than the number of a detector. The stars of a visit show where its detectors are on the sky;
visits are laid over each other by the shift and rotation that fit best, so that dithers and a rotator do no harm.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.catalog import Detections
from skyaccept.lib.results import short
from skyaccept.lib.sphere import azimuthal, unit_vectors

Complex = NDArray[np.complex128]

ROWS = 1_000_000
"""Detections that are looked at, at most: every second, third, ... one of more."""

_ROUNDS = 10
_FEWEST = 3
_LOOSE = 0.3  # of the distance of neighbouring detectors, that visits may disagree by


def layout(detections: Detections) -> dict[str, tuple[float, float]]:
    """Place of each detector, in degrees from the middle; empty where visits show no common plan.

    North is up in the visit with the most detectors. A detector without stars is not there.
    """
    if detections.detector is None:
        return {}
    rows = np.arange(0, len(detections), -(-len(detections) // ROWS))
    rows = rows[np.isfinite(detections.ra[rows]) & np.isfinite(detections.dec[rows])]
    names, detector = np.unique(detections.detector[rows], return_inverse=True)
    if len(names) < _FEWEST:
        return {}
    places = _by_visit(detections, rows, detector, len(names))
    places = places[np.count_nonzero(np.isfinite(places), axis=1) >= _FEWEST]
    if not len(places):
        return {}
    plan = places[np.argmax(np.count_nonzero(np.isfinite(places), axis=1))]
    for _ in range(_ROUNDS):
        laid = _laid(places, plan)
        seen = np.isfinite(laid)
        number = seen.sum(axis=0)
        plan = np.full(len(names), np.nan, dtype=complex)
        plan[number > 0] = np.where(seen, laid, 0).sum(axis=0)[number > 0] / number[number > 0]
    known = np.flatnonzero(np.isfinite(plan))
    apart = np.abs(plan[known][:, None] - plan[known])
    np.fill_diagonal(apart, np.inf)
    if not np.nanmedian(np.abs(laid - plan)) < _LOOSE * np.median(apart.min(axis=1)):
        return {}
    plan = plan - plan[known].mean()
    return {detections.detector_name(names[k]): (short(plan[k].real, 5), short(plan[k].imag, 5)) for k in known}


def _by_visit(detections: Detections, rows: NDArray[np.int64], detector: NDArray[np.int64], of: int) -> Complex:
    """Mean place of the stars of each detector, (n_visits, n_detectors); east is real, north imaginary."""
    visits, visit = np.unique(detections.visit[rows], return_inverse=True)
    code, shape = visit * of + detector, (len(visits), of)
    vectors = unit_vectors(detections.ra[rows], detections.dec[rows])
    number = np.bincount(code, minlength=shape[0] * of)
    total = np.stack([np.bincount(code, along, minlength=shape[0] * of) for along in vectors.T], axis=-1)
    with np.errstate(invalid="ignore"):
        mean = (total / np.linalg.norm(total, axis=-1, keepdims=True)).reshape(*shape, 3)
    places = np.full(shape, np.nan, dtype=complex)
    for k, there in enumerate((number > 0).reshape(shape)):
        x, y = azimuthal(mean[k, there], mean[k, there].mean(axis=0))
        places[k, there] = x + 1j * y
    return places


def _laid(places: Complex, plan: Complex) -> Complex:
    """Places of each visit, shifted and rotated onto a plan; NaN for a visit that has too little in common with it."""
    both = np.isfinite(places) & np.isfinite(plan)
    number = both.sum(axis=1)
    laid = np.full_like(places, np.nan)
    enough = number >= _FEWEST
    here, both, number = places[enough], both[enough], number[enough, None]
    middle = np.where(both, here, 0).sum(axis=1, keepdims=True) / number
    target = np.where(both, plan, 0).sum(axis=1, keepdims=True) / number
    turn = np.where(both, np.conj(here - middle) * (plan - target), 0).sum(axis=1, keepdims=True)
    laid[enough] = target + (here - middle) * turn / np.maximum(np.abs(turn), 1e-300)
    return laid
