r"""Width of the stellar locus: wPerp in g - r and r - i, where it is straight.

Stars in a box of the two colours x and y, mean magnitudes over their visits, give a first line by orthogonal regression
(the principal axis). In each further round the stars between the perpendiculars to the line at the ends of the range of
x count, no farther from it than so many times 0.74 of the difference of the quartiles of the distances, and give a new
line. With :math:`d_k` the distance of star k from the last line, at right angles to it, the width is

.. math:: 1.4826\,\mathrm{median}_k |d_k - \mathrm{median}_l d_l|,
          \qquad d = \frac{y - y_0 - t (x - x_0)}{\sqrt{1 + t^2}},

t being the slope: the standard deviation of Gaussian distances. The locus is narrow on the blue side (Ivezic et al.
2004, AN 325, 583), so that errors of colours widen it that are too small to be seen star by star.

Without bias the variance that the means of few visits still have, from the scatter of each star about its mean, is
taken off: what is left is the width of the locus itself and of errors that repeat in all visits.

Sources: analysis_tools stellarLocus.py (c74f828); its correction for extinction is not applied, for which a map of the
dust is needed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy import special
from skyaccept.lib.arrays import FloatArray
from skyaccept.lib.catalog.colors import Locus
from skyaccept.lib.catalog.detections import inverse_index
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.metrics.metric import Metric, stable_group_sum
from skyaccept.lib.metrics.photometric_repeatability import MMAG, finite
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.subsampling import sampled
from skyaccept.lib.sample.visit_matrix import VisitMatrix
from skyaccept.lib.uncertainty.errors import Errors
from skyaccept.lib.uncertainty.estimator import Estimator, Parameters
from skyaccept.lib.uncertainty.matrix_errors import NOTHING_LEFT
from skyaccept.lib.uncertainty.statistic import Statistic
from skyaccept.lib.uncertainty.visit_blocks import BLOCKS, blocks_of_visits

FEWEST = 3
"""Stars of a line at least, as in analysis_tools."""

_QUARTILE = NormalDist().inv_cdf(0.75)
_OF_QUARTILES = 0.74  # of the difference of the quartiles: a standard deviation, as analysis_tools rounds it


@dataclass(frozen=True)
class Line:
    """A line through the means ``x`` and ``y`` at an angle to the x axis, radians."""

    x: float
    y: float
    angle: float

    @classmethod
    def least_squares(cls, x: FloatArray, y: FloatArray) -> Line:
        """Line with the smallest sum of squares of distances at right angles."""
        dx, dy = x - x.mean(), y - y.mean()
        angle = 0.5 * np.arctan2(2 * (dx @ dy), dx @ dx - dy @ dy)
        return cls(float(x.mean()), float(y.mean()), float(angle))

    def distance(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Distances at right angles, positive above."""
        return np.cos(self.angle) * (y - self.y) - np.sin(self.angle) * (x - self.x)

    def along(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Places along the line."""
        return np.cos(self.angle) * (x - self.x) + np.sin(self.angle) * (y - self.y)

    def at(self, x: float) -> float:
        """Place along the line of its point at x."""
        return float((x - self.x) / np.cos(self.angle))


def fit(x: FloatArray, y: FloatArray, locus: Locus) -> tuple[Line, NDArray[np.int64]]:
    """Line through the locus, and the stars that it rests on.

    Parameters
    ----------
    x, y : (n,) float64
        Colours, mag; NaN where unknown.
    locus : Locus

    Raises
    ------
    NotMeasurable
        Fewer than `FEWEST` stars in the box, or left in a round.
    """
    low, high = locus.x.at_least, locus.x.at_most
    used = np.flatnonzero((x > low) & (x < high) & (y > locus.y.at_least) & (y < locus.y.at_most))
    if len(used) < FEWEST:
        raise NotMeasurable(f"only {len(used)} stars in the box {locus.x}, {locus.y}; a line takes {FEWEST}")
    line = Line.least_squares(x[used], y[used])
    for clip in locus.clips:
        place, distance = line.along(x, y), line.distance(x, y)
        between = (place > line.at(low)) & (place < line.at(high))
        if np.count_nonzero(between) < FEWEST:
            raise NotMeasurable(f"fewer than {FEWEST} stars lie between the ends of the locus {locus.x}")
        width = _OF_QUARTILES * float(np.subtract(*np.percentile(distance[between], [75, 25])))
        used = np.flatnonzero(between & (np.abs(distance) <= clip * width))
        if len(used) < FEWEST:
            raise NotMeasurable(f"fewer than {FEWEST} stars are left along the locus {locus.x}")
        line = Line.least_squares(x[used], y[used])
    return line, used


@dataclass(frozen=True, kw_only=True)
class LocusSettings:
    """Part of the stellar locus that is measured."""

    locus: Locus


def fast_locus_distance(sample: Sample, parameters: Parameters, settings: LocusSettings) -> Errors:
    """Distances of stars from the locus about their median, mmag.

    At right angles to the locus.

    Parameters
    ----------
    sample : Sample
    parameters : mapping
        None are taken.
    settings : LocusSettings

    Raises
    ------
    NotMeasurable
        A band of the locus is missing, a magnitude is not finite, or too few stars lie along it.
    """
    locus = settings.locus
    found = _means(sample, locus)
    mags = {
        band: column / found.number[:, k]
        for k, (band, column) in enumerate(zip(locus.bands, found.sums.T, strict=True))
    }
    x, y = locus.x.values(mags), locus.y.values(mags)
    line, used = fit(x, y, locus)
    distance = line.distance(x[used], y[used]) * MMAG
    slope = float(np.tan(line.angle))
    notes = (
        f"{len(found.objects):,} stars have all of {', '.join(locus.bands)}; {len(used):,} lie along the locus",
        f"{'-'.join(locus.y.color)} = {slope:.4f} {'-'.join(locus.x.color)} {line.y - slope * line.x:+.4f} mag",
        "colours not corrected for extinction",
    )
    method = "distance at right angles to an orthogonal fit, mean magnitudes of each star"
    measurements = int(found.number[used].sum())
    return Errors(
        components={"value": distance - np.median(distance)},
        measurements=measurements,
        method=method,
        notes=notes,
        zeros=1,
    )


@dataclass(frozen=True)
class _Stars:
    """Stars that all bands have, with sums and numbers of their magnitudes.

    Codes, sums (mag) and numbers of visits, (n_stars, n_bands).
    """

    objects: NDArray[np.int64]
    sums: FloatArray
    number: FloatArray
    samples: tuple[Sample, ...]


def _means(sample: Sample, locus: Locus) -> _Stars:
    return sample.cached(("mean magnitudes", locus.bands), lambda: _collect(sample, locus))


def _collect(sample: Sample, locus: Locus) -> _Stars:
    d = sample.detections
    if sample.in_band is None:
        raise ValueError("the sample knows of no other bands")
    samples = []
    for band in locus.bands:
        if band not in d.bands:
            raise NotMeasurable(f"the dataset has no detections in band {band}; it has {', '.join(d.bands)}")
        one = sample if band == sample.band else sample.in_band(band)
        if not len(one.selection.rows):
            raise NotMeasurable(f"no detection in band {band} passes the cuts")
        samples.append(one)
    objects = [d.object[one.selection.rows] for one in samples]
    sums: FloatArray = np.stack(
        [stable_group_sum(o, finite(one, "mag"), d.n_objects) for o, one in zip(objects, samples, strict=True)], 1
    )
    number = np.stack([np.bincount(o, minlength=d.n_objects) for o in objects], axis=1)
    seen = np.flatnonzero((number > 0).all(axis=1))
    if not len(seen):
        raise NotMeasurable(f"no star has all of {', '.join(locus.bands)}")
    return _Stars(seen, sums[seen], number[seen].astype(np.float64), tuple(samples))


def measurements(sample: Sample, parameters: Parameters, settings: LocusSettings, limit: int | None) -> VisitMatrix:
    """Numbers, sums and sums of squares of magnitudes in each band, mmag.

    By star and block of visits of all bands.

    A column is a block of the visits of every band, so that the visits of all are left out together; there are no more
    blocks than any band has visits.
    """
    found = _means(sample, settings.locus)
    d = sample.detections
    positions = sample.positions
    place = inverse_index(positions.objects, d.n_objects)[found.objects]
    order = np.argsort(place)  # along the sky
    objects, place = found.objects[order], place[order]
    visits = [np.unique(d.visit[one.selection.rows]) for one in found.samples]
    groups = [sample.group_keys(seen) for seen in visits]
    columns = min(BLOCKS, *(len(np.unique(one)) for one in groups))
    most = len(place) if limit is None else limit // (columns * len(visits))
    kept, note = sampled(positions.direction[place], most, "stars")
    row_of = inverse_index(objects[kept], d.n_objects)
    values = np.zeros((len(kept), columns, 3, len(visits)))
    blocks = blocks_of_visits(groups, columns)
    for k, (one, seen, block) in enumerate(zip(found.samples, visits, blocks, strict=True)):
        rows = one.selection.rows
        row, column = row_of[d.object[rows]], block[np.searchsorted(seen, d.visit[rows])]
        used = row >= 0
        magnitude = finite(one, "mag")[used] * MMAG
        for power in range(3):
            np.add.at(values[:, :, power, k], (row[used], column[used]), magnitude**power)
    return VisitMatrix(
        values=(values,),
        stars=np.arange(len(kept))[:, None],
        n_stars=len(kept),
        brightness=None if sample.brightness is None else sample.brightness[place[kept]],
        objects=objects[kept],
        subsample_note=note,
    )


def locus_distance(matrix: VisitMatrix, settings: LocusSettings) -> Errors:
    """Distances of stars from the locus about their median, mmag.

    At right angles to the locus.
    """
    return _distances(matrix, settings.locus, debiased=False)


def debiased_locus_distance(matrix: VisitMatrix, settings: LocusSettings) -> Errors:
    """The same without the noise of the mean magnitudes."""
    errors = _distances(matrix, settings.locus, debiased=True)
    note = f"a block leaves out visits in each of {', '.join(settings.locus.bands)}"
    return replace(errors, notes=(note,))


def _distances(matrix: VisitMatrix, locus: Locus, *, debiased: bool) -> Errors:
    number, sums, squares = np.moveaxis(matrix.values[0].sum(axis=1), 1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = sums / number
        variance = np.maximum(squares - number * mean**2, 0) / (number - 1) / _median_of(number - 1)
    mags = {band: column / MMAG for band, column in zip(locus.bands, mean.T, strict=True)}
    try:
        line, used = fit(locus.x.values(mags), locus.y.values(mags), locus)
    except NotMeasurable:
        raise NotMeasurable(NOTHING_LEFT) from None
    distance = line.distance(locus.x.values(mags)[used], locus.y.values(mags)[used]) * MMAG
    distance -= np.median(distance)
    if debiased:
        width = float(np.median(np.abs(distance))) / _QUARTILE
        noise = _typical(variance[used]) * np.mean(1 / number[used], axis=0) @ _weights(line, locus)
        distance = distance * np.sqrt(max(1 - noise / width**2, 0.0) if width else 0.0)
    return Errors(components={"value": distance}, unit=used)


def _typical(variance: FloatArray) -> FloatArray:
    """Median variance of a magnitude, by band, which variable stars do not move.

    0 where no star was seen twice.
    """
    known = np.isfinite(variance).any(axis=0)
    return np.where(known, np.nanmedian(np.where(known, variance, 0.0), axis=0), 0.0)


def _median_of(degrees: FloatArray) -> FloatArray:
    """Median of chi squared over its degrees of freedom; NaN without any."""
    few = np.where(degrees > 0, degrees, np.nan)
    return np.asarray(2 * special.gammaincinv(few / 2, 0.5) / few)


def _weights(line: Line, locus: Locus) -> FloatArray:
    """Squares of the weights of magnitudes in a distance from the line, by band."""

    def sign(band: str, color: tuple[str, str]) -> int:
        return (band == color[0]) - (band == color[1])

    x, y = (np.array([sign(band, one.color) for band in locus.bands]) for one in (locus.x, locus.y))
    return np.asarray((np.cos(line.angle) * y - np.sin(line.angle) * x) ** 2)


def _width(level: Parameters) -> Statistic:
    return Statistic("percentile", 50, sized=True, factor=1 / _QUARTILE)


METRICS = (
    Metric(
        name="stellar_locus_width",
        title="width of the stellar locus",
        unit="mmag",
        statistic=_width,
        estimators={
            "locus_distance": Estimator(
                description="distance of a star from the stellar locus",
                quantity="magnitudes",
                measurements=measurements,
                errors=locus_distance,
                debiased=debiased_locus_distance,
                fast=fast_locus_distance,
                unit="mmag",
                settings=LocusSettings,
                columns=("mag",),
                signed=True,
                formula="w, distance of a star from the line that fits the colours of all best",
            ),
        },
    ),
)
