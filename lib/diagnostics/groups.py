"""Groups of measurements: visits, detectors, airmass, magnitude, sky."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from skyaccept.lib.arrays import FloatArray, IntArray
from skyaccept.lib.catalog.detections import AssociatedDetections, inverse_index
from skyaccept.lib.diagnostics.residuals import MeasurementResiduals
from skyaccept.lib.sample.visit_matrix import VisitMatrix
from skyaccept.lib.sphere import to_degrees, unit_vectors

BINS, REGIONS = 5, 16
"""Bins of airmass and of magnitude, with as many measurements each; regions of the sky, with as many stars, at most."""

STARS = 20
"""Stars of a region, at least."""


@dataclass(frozen=True)
class Place:
    """Where measurements of a matrix were made.

    Attributes
    ----------
    matrix : VisitMatrix
    detections : AssociatedDetections
    table : (n_stars, n_visits) int64
        Row of the catalog of each star in each visit; negative where there is none.
    stars : (m, 1 or 2) int64
        Star, or both stars, of each measurement.
    column : (m,) int64
        Its visit, as a column of the matrix.
    """

    matrix: VisitMatrix
    detections: AssociatedDetections
    table: IntArray
    stars: IntArray
    column: IntArray

    @property
    def rows(self) -> IntArray:
        """Row, or both rows, of the catalog of each measurement."""
        return self.table[self.stars, self.column[:, None]]


Members = list[tuple[str, IntArray]]
"""Name of each cell and the measurements in it; a measurement of two detections may be in two cells."""


def by_visit(place: Place) -> Members:
    """Cells of the visits that were measured."""
    names, visits = place.detections.visits, place.matrix.visits
    if visits is None:
        raise ValueError("the matrix does not say which visits it holds")
    order = np.argsort(place.column, kind="stable")
    parts = np.split(order, np.searchsorted(place.column[order], np.arange(1, len(visits))))
    return [(names[code], part) for code, part in zip(visits, parts, strict=True) if len(part)]


def by_detector(place: Place) -> Members:
    """Cells of the detectors; a pair that lies on two belongs to both."""
    detector = place.detections.column("detector", "--breakdown detector")[place.rows]
    name = place.detections.detector_name
    return [(name(code), np.flatnonzero((detector == code).any(axis=1))) for code in np.unique(detector)]


def by_airmass(place: Place) -> Members:
    """Bins of airmass; of a pair, of the mean of its two."""
    airmass = place.detections.column("airmass", "--breakdown airmass")[place.rows].mean(axis=1)
    return _bins(airmass[:, None], ".3f")


def by_magnitude(place: Place) -> Members:
    """Bins of the mean magnitudes of the stars; a pair belongs to the bins of both."""
    return _bins(magnitudes(place)[place.stars], ".2f")


def magnitudes(place: Place) -> FloatArray:
    """Mean magnitude of each star; NaN where it has none."""
    magnitude = place.detections.column("mag", "--breakdown magnitude")
    known = np.where(place.table >= 0, magnitude[place.table], np.nan).astype(np.float64)
    number = np.count_nonzero(np.isfinite(known), axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.nansum(known, axis=1) / number)


def by_sky(place: Place) -> Members:
    """Regions of the sky; a pair that lies in two belongs to both."""
    number = place.matrix.n_stars
    region = place.stars * max(1, min(REGIONS, number // STARS)) // number
    rows = place.rows
    vectors = unit_vectors(place.detections.ra[rows], place.detections.dec[rows])
    found = []
    for code in np.unique(region):
        ra, dec = to_degrees(vectors[region == code].mean(axis=0))
        found.append((f"around RA {ra:.3f}, Dec {dec:+.3f} deg", np.flatnonzero((region == code).any(axis=1))))
    return found


KEYS: Mapping[str, Callable[[Place], Members]] = {
    "visit": by_visit,
    "detector": by_detector,
    "airmass": by_airmass,
    "magnitude": by_magnitude,
    "sky": by_sky,
}
"""What errors can be broken down by."""

COLUMNS: Mapping[str, str] = {"detector": "detector", "airmass": "airmass", "magnitude": "mag"}
"""Columns that keys need."""


def locate(matrix: VisitMatrix, detections: AssociatedDetections, rows: IntArray, found: MeasurementResiduals) -> Place:
    """Where the residuals of a matrix were made; ``rows`` are its sample."""
    return Place(matrix, detections, table(matrix, detections, rows), found.stars, found.column)


def table(matrix: VisitMatrix, detections: AssociatedDetections, rows: IntArray) -> IntArray:
    """Row of the catalog of each star in each visit; negative where there is none."""
    if matrix.objects is None or matrix.visits is None:
        raise ValueError("the matrix does not say which objects and visits it holds")
    star = inverse_index(matrix.objects, detections.n_objects)
    column = inverse_index(matrix.visits, len(detections.visits))
    rows = rows[star[detections.object[rows]] >= 0]
    rows = rows[column[detections.visit[rows]] >= 0]
    found = np.full((matrix.n_stars, len(matrix.visits)), -1, dtype=np.int64)
    found[star[detections.object[rows]], column[detections.visit[rows]]] = rows
    return found


def _bins(values: FloatArray, digits: str) -> Members:
    """Bins with equal numbers of measurements.

    A measurement of several values is in the bin of each of them.
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return []
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)))
    if len(edges) == 1:
        return [(f"{edges[0]:{digits}}", np.flatnonzero((values == edges[0]).any(axis=1)))]
    found = []
    for k, (low, high) in enumerate(itertools.pairwise(edges)):
        inside = (values >= low) & ((values < high) | ((k == len(edges) - 2) & (values == high)))
        if inside.any():
            found.append((f"{low:{digits}} to {high:{digits}}", np.flatnonzero(inside.any(axis=1))))
    return found
