r"""Trends of errors with magnitude, place on the sky, detector, visit and airmass.

Values are binned for plots.

Sizes are medians of the absolute residuals of single measurements (`skyaccept.lib.diagnostics.residuals`), which a
few wrong associations do not move. Against magnitude stands the rms of each star or pair over its visits, with a
model of the error of one star (after Ivezic et al. 2019, equation 5, whose two random terms are free here):

.. math:: \sigma^2 = s^2 + a f + b f^2, \quad f = 10^{0.4 (m - m_0)}.

The noise of the source is in a, that of the sky in b, and s is what is left at the bright end; a pair has the sum of
both. The three are fitted to bins, non-negative, by relative least squares of the squares of the medians, over the
median of chi squared per degree of freedom.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, special
from skyaccept.lib.arrays import FloatArray, IntArray
from skyaccept.lib.catalog import focal_plane
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.diagnostics import groups as cells
from skyaccept.lib.diagnostics.residuals import MeasurementResiduals, measurement_residuals, subsample_text
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.rounding import Json, round_significant
from skyaccept.lib.sphere import azimuthal_offsets, to_degrees, unit_vectors
from skyaccept.lib.uncertainty.estimator import MatrixErrors

BINS, UNITS = 16, 10
"""Bins of magnitude at most, and stars or pairs of one at least."""

ACROSS, CELL_STARS = 16, 10
"""Cells of the map along one side at most, and how many stars one has on average."""

FEWEST = 5
"""Measurements below which a cell of the map, or a detector, is left blank."""

VISITS = 80
"""Visits that are told apart; of more, groups of successive ones are."""


_DIGITS = {"mjd": 9, "airmass": 5}


def trend_data(task: MatrixErrors | NotMeasurable, detections: AssociatedDetections, rows: IntArray) -> Json:
    """What the results hold of it, or why there is nothing.

    Parameters
    ----------
    task : MatrixErrors or NotMeasurable
        The estimator at work on its visit matrix, or the reason why there is none.
    detections : AssociatedDetections
    rows : (n_rows,) int64
        AssociatedDetections of the sample.
    """
    try:
        if isinstance(task, NotMeasurable):
            raise task
        found = measurement_residuals(task)
    except NotMeasurable as reason:
        return {"no_dependence": str(reason)}
    matrix = task.matrix
    place = cells.locate(matrix, detections, rows, found)
    sizes = np.abs(found.values)
    parts = {
        "magnitude": _by_magnitude(found, place),
        "sky": _by_sky(sizes, place),
        "detectors": _by_detector(sizes, place),
        "visits": _by_visit(sizes, place),
    }
    known = {name: part for name, part in parts.items() if part is not None}
    return {"dependence": {"of": found.text, "note": subsample_text(matrix), **known}}


def _by_magnitude(found: MeasurementResiduals, place: cells.Place) -> Json | None:
    """Rms of stars, or of pairs by their fainter star, and the model.

    None without magnitudes.
    """
    if place.detections.mag is None:
        return None
    magnitude = cells.magnitudes(place)
    units, first, number = np.unique(found.unit, return_index=True, return_counts=True)
    square = np.bincount(found.unit, (found.values**2).mean(axis=1))[units] / number
    both = magnitude[found.stars[first]]
    fainter = both.max(axis=1)
    seen = np.isfinite(fainter)
    if np.count_nonzero(seen) < UNITS:
        return None
    square, both, fainter, number = square[seen], both[seen], fainter[seen], number[seen]
    edges = np.quantile(fainter, np.linspace(0, 1, min(BINS, len(fainter) // UNITS) + 1))
    bin_of = np.clip(np.searchsorted(edges, fainter, side="right") - 1, 0, len(edges) - 2)
    table = pd.DataFrame({"bin": bin_of, "rms": np.sqrt(square), "magnitude": fainter, "number": number}).groupby("bin")
    middle = table[["rms", "magnitude", "number"]].median()
    low, high = (table["rms"].quantile(share) for share in (0.16, 0.84))
    axes = found.values.shape[1]
    degrees_of_freedom = axes * np.maximum(middle["number"] - found.fitted, 1)
    median = np.asarray(2 * special.gammaincinv(degrees_of_freedom / 2, 0.5) / degrees_of_freedom)
    known: Json = {
        "magnitude": _rounded(middle["magnitude"]),
        "rms": _rounded(middle["rms"]),
        "low": _rounded(low),
        "high": _rounded(high),
        "number": table.size().tolist(),
    }
    expected = np.asarray(middle["rms"]) ** 2 / median
    if len(middle) >= 4 and (expected > 0).all():
        zero = float(np.median(fainter))
        flux = 10 ** (0.4 * (both - zero))
        terms = pd.DataFrame({k: (flux**k).sum(axis=1) for k in range(3)}).groupby(bin_of).mean().to_numpy()
        weight = np.sqrt(known["number"])
        fitted, _ = optimize.nnls(terms / expected[:, None] * weight[:, None], weight)
        known["model"] = _rounded(np.sqrt(terms @ fitted * median))
        known["floor"] = round_significant(float(np.sqrt(fitted[0])), 4)
    return known


def _by_sky(sizes: FloatArray, place: cells.Place) -> Json:
    """Map around the middle of the stars; RA increases with x as it does with east."""
    table, d = place.table, place.detections
    measured = np.unique(place.stars)
    row = table[measured, np.argmax(table[measured] >= 0, axis=1)]
    directions = unit_vectors(d.ra[row], d.dec[row])
    center = directions.mean(axis=0)
    x, y = azimuthal_offsets(directions, center)
    across = int(np.clip(np.sqrt(len(measured) / CELL_STARS), 1, ACROSS))
    width = max(float(np.ptp(x)), float(np.ptp(y)), 1e-9) / across
    columns, lines = (max(1, int(np.ceil(np.ptp(along) / width - 1e-9))) for along in (x, y))
    column, line = (
        np.minimum(((along - along.min()) / width).astype(np.int64), most - 1)
        for along, most in ((x, columns), (y, lines))
    )
    cell_of = np.zeros(place.matrix.n_stars, dtype=np.int64)
    cell_of[measured] = line * columns + column
    median, number = _medians(cell_of[place.stars], sizes, columns * lines)
    ra, dec = to_degrees(center)
    return {
        "center": [float(f"{ra:.6f}"), float(f"{dec:.6f}")],
        "corner": _rounded([x.min(), y.min()]),
        "width": round_significant(width),
        "columns": columns,
        "size": _rounded(median, 3),
        "number": number.tolist(),
    }


def _by_detector(sizes: FloatArray, place: cells.Place) -> Json | None:
    """Sizes by detector; None without detectors, or with too many for a camera."""
    if place.detections.detector is None or focal_plane.too_many_detectors(place.detections) is not None:
        return None
    detectors, code = np.unique(place.detections.detector[place.rows], return_inverse=True)
    median, number = _medians(code.reshape(place.stars.shape), sizes, len(detectors))
    names = [place.detections.detector_name(detector) for detector in detectors]
    return {"name": names, "size": _rounded(median, 3), "number": number.tolist()}


def _by_visit(sizes: FloatArray, place: cells.Place) -> Json | None:
    """Sizes by visit in order of time, or of name where that is not known."""
    visits, d, table = place.matrix.visits, place.detections, place.table
    if visits is None:
        return None
    facts = {name: _of_visits(values, table) for name in ("mjd", "airmass") if (values := getattr(d, name)) is not None}
    order = np.lexsort((np.arange(len(visits)), facts.get("mjd", np.zeros(len(visits)))))
    seen = np.zeros(len(visits), dtype=bool)
    seen[place.column] = True
    order = order[seen[order]]
    groups = np.array_split(order, min(VISITS, len(order)))
    group_of = np.zeros(len(visits), dtype=np.int64)
    for k, group in enumerate(groups):
        group_of[group] = k
    median, number = _medians(group_of[place.column][:, None], sizes, len(groups))
    more = [f" and {len(group) - 1} more" if len(group) > 1 else "" for group in groups]
    return {
        "name": [d.visits[visits[group[0]]] + last for group, last in zip(groups, more, strict=True)],
        "size": _rounded(median, 3),
        "number": number.tolist(),
        **{name: _rounded([_mean(values[group]) for group in groups], _DIGITS[name]) for name, values in facts.items()},
    }


def _of_visits(values: NDArray[Any], table: IntArray) -> FloatArray:
    """Mean over the stars of each visit of a column; NaN where it has no value."""
    known = np.where(table >= 0, values[table], np.nan)
    return np.array([_mean(column) for column in known.T])


def _mean(values: FloatArray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else np.nan


def _medians(code: IntArray, sizes: FloatArray, of: int) -> tuple[FloatArray, IntArray]:
    """Median size and number of measurements of each cell.

    NaN for fewer than `FEWEST`; a measurement of a pair may be in two cells.
    """
    twice = code.shape[1] == 2
    other = code[:, -1] != code[:, 0] if twice else np.zeros(len(code), dtype=bool)
    codes = np.concatenate([code[:, 0], code[other, -1]])
    values = np.concatenate([sizes, sizes[other]])
    grouped = pd.Series(values.ravel()).groupby(np.repeat(codes, values.shape[1])).median()
    found = np.full(of, np.nan)
    found[grouped.index] = grouped.to_numpy()
    number = np.bincount(codes, minlength=of)
    found[number < FEWEST] = np.nan
    return found, number


def _rounded(values: Any, digits: int = 4) -> list[float | None]:
    """As they stand in the results: short, and None for what is not known."""
    return [
        round_significant(value, digits) if np.isfinite(value) else None for value in np.asarray(values, dtype=float)
    ]
