"""Detector positions in the focal plane, estimated from the stars on them.

Catalogs rarely hold more than detector numbers. The stars of a visit show where its detectors are on the sky; visits
are aligned by the best-fitting shift and rotation, so that dithers and the rotator have no effect.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import spatial
from skyaccept.lib.arrays import ComplexArray, FloatArray, IntArray
from skyaccept.lib.catalog.detections import Detections
from skyaccept.lib.rounding import round_significant
from skyaccept.lib.sphere import azimuthal_offsets, unit_vectors

MAX_ROWS = 1_000_000
"""Largest number of detections used; a regular subset of more."""

MAX_VISITS = 2_000
"""Largest number of visits used: those with the most detectors."""

MAX_DETECTORS = 4_000
"""Largest number of detectors of a camera."""

_ROUNDS = 10
_FEWEST = 3
_LOOSE = 0.3  # largest disagreement of visits, in distances of neighbouring detectors


@dataclass(frozen=True)
class _Cells:
    """Mean position of the stars by visit and detector, in order of visits.

    Attributes
    ----------
    visit, detector : (n_cells,) int64
        Numbered from 0 without gaps.
    place : (n_cells,) complex
        East is real, north imaginary; degrees from the centre of the visit.
    """

    visit: IntArray
    detector: IntArray
    place: ComplexArray


def detector_layout(detections: Detections) -> dict[str, tuple[float, float]]:
    """Estimate detector positions in degrees from the centre.

    Empty without a common layout.

    North is up in the visit with the most detectors. Detectors without stars are missing.
    """
    if detections.detector is None or too_many_detectors(detections) is not None:
        return {}
    rows = np.arange(0, len(detections), -(-len(detections) // MAX_ROWS))
    rows = rows[np.isfinite(detections.ra[rows]) & np.isfinite(detections.dec[rows])]
    names, detector = np.unique(detections.detector[rows], return_inverse=True)
    cells = _cells(detections, rows, detector) if len(names) >= _FEWEST else None
    if cells is None:
        return {}
    first = cells.visit == np.argmax(np.bincount(cells.visit))
    plan = np.full(len(names), np.nan, dtype=complex)
    plan[cells.detector[first]] = cells.place[first]
    for _ in range(_ROUNDS):
        laid = _align(cells, plan)
        seen = np.isfinite(laid)
        number = np.bincount(cells.detector[seen], minlength=len(names))
        total = _sum_by_code(cells.detector[seen], laid[seen], len(names))
        plan = np.full(len(names), np.nan, dtype=complex)
        plan[number > 0] = total[number > 0] / number[number > 0]
    located = np.flatnonzero(np.isfinite(plan))
    apart = nearest_distance(np.stack([plan[located].real, plan[located].imag], axis=1))
    if not np.nanmedian(np.abs(laid - plan[cells.detector])) < _LOOSE * np.median(apart):
        return {}
    plan = plan - plan[located].mean()
    return {
        detections.detector_name(names[k]): (round_significant(plan[k].real, 5), round_significant(plan[k].imag, 5))
        for k in located
    }


def too_many_detectors(detections: Detections) -> str | None:
    """Explain why there is no focal plane map; None if one is possible."""
    number = 0 if detections.detector is None else len(pd.unique(detections.detector))
    if number <= MAX_DETECTORS:
        return None
    return (
        f"{number:,} detectors, more than the {MAX_DETECTORS:,} that a camera may have: no map of the focal plane; see "
        "which column the survey profile takes for the detector"
    )


def nearest_distance(places: FloatArray) -> FloatArray:
    """Distance of each point to its nearest neighbour, (n_points,), of (n_points, 2)."""
    distance: FloatArray = spatial.KDTree(places).query(places, k=2)[0][:, 1]
    return distance


def _cells(detections: Detections, rows: IntArray, detector: IntArray) -> _Cells | None:
    """Build the cells of visits with enough detectors; None without such a visit."""
    _, visit = np.unique(detections.visit[rows], return_inverse=True)
    pairs, cell = np.unique(visit * (detector.max() + 1) + detector, return_inverse=True)
    visits, detectors = np.divmod(pairs, detector.max() + 1)
    number = np.bincount(visits)
    chosen = np.argsort(-number, kind="stable")[:MAX_VISITS]
    chosen = chosen[number[chosen] >= _FEWEST]
    if not len(chosen):
        return None
    vectors = unit_vectors(detections.ra[rows], detections.dec[rows])
    mean: FloatArray = np.stack([np.bincount(cell, along) for along in vectors.T], axis=-1).astype(np.float64)
    mean /= np.linalg.norm(mean, axis=-1, keepdims=True)
    places = np.full(len(pairs), np.nan, dtype=complex)
    end = np.cumsum(number)
    for k in chosen:
        there = slice(end[k] - number[k], end[k])
        x, y = azimuthal_offsets(mean[there], mean[there].mean(axis=0))
        places[there] = x + 1j * y
    kept = np.isfinite(places)
    return _Cells(np.unique(visits[kept], return_inverse=True)[1], detectors[kept], places[kept])


def _align(cells: _Cells, plan: ComplexArray) -> ComplexArray:
    """Shift and rotate each visit onto the layout.

    NaN for a visit with too few detectors in common.
    """
    visit, here, there = cells.visit, cells.place, plan[cells.detector]
    both = np.isfinite(there)
    number = np.bincount(visit, both)
    middle, target = (_sum_by_code(visit, np.where(both, z, 0)) / np.maximum(number, 1) for z in (here, there))
    away = here - middle[visit]
    turn = _sum_by_code(visit, np.where(both, np.conj(away) * (there - target[visit]), 0))
    laid: ComplexArray = target[visit] + away * (turn / np.maximum(np.abs(turn), 1e-300))[visit]
    return np.where((number >= _FEWEST)[visit], laid, np.nan)


def _sum_by_code(code: IntArray, values: ComplexArray, length: int = 0) -> ComplexArray:
    """Sum values by code."""
    real = np.bincount(code, values.real, minlength=length)
    return real + 1j * np.bincount(code, values.imag, minlength=length)
