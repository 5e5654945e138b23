r"""Internal zero points PA3, PF2 and PA4: how alike magnitudes are over exposures.

The zero points :math:`z_j` of all exposures are solved simultaneously from the repeat observations of all stars
(`skyaccept.lib.metrics.zero_point_solver`) and taken about their mean; a calibrated catalog has none left. An
exposure is what one detector saw in one visit, where half of these have `STARS` stars, and otherwise the whole visit.
Over the exposures

- PA3, ``zero_point_rms``: :math:`\sqrt{\mathrm{mean}\, z_j^2}`;
- PF2, ``zero_point_outliers``: the percentage of :math:`|z_j|` strictly above PA4 (mmag);
- PA4, ``zero_point_percentile``: the (100 - PF2)th percentile of :math:`|z_j|`.

They hold the noise of the solution, whose mean variance is taken off for the estimate of the true value, but no more
than `MOST` of what is seen: what is nearly all noise tells an upper bound. What is the same in all visits, such as an
error of the flat field at a place on a detector that always sees the same stars, no repeat observation shows.

`skyaccept.lib.metrics.reference_zero_points` compares with a reference catalog instead.

Source: LPM-17 5.2.3.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.arrays import AnyArray, FloatArray
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.metrics import reference_zero_points, zero_point_solver
from skyaccept.lib.metrics.exposures import (
    SIGMA,
    STARS,
    Measurements,
    exposures,
    less_noise,
    matrix_by_exposure,
    shown,
)
from skyaccept.lib.metrics.metric import Metric, rms
from skyaccept.lib.metrics.photometric_repeatability import MMAG, finite, from_mean
from skyaccept.lib.metrics.reference_photometry import ReferenceSettings
from skyaccept.lib.metrics.zero_point_solver import Repeats, System
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.visit_matrix import VisitMatrix
from skyaccept.lib.uncertainty.errors import Errors
from skyaccept.lib.uncertainty.estimator import Estimator, NoSettings, Parameters, Residuals
from skyaccept.lib.uncertainty.statistic import Statistic

START = "zero point"
"""Column of a visit matrix: zero point of the exposure of each measurement, in the solution of the whole sample."""

_ALONE = 0.1  # of the exposures that may have no star in common with the others before nothing is measured


@dataclass(frozen=True)
class _Exposures:
    """Repeat observations, codes of their exposures, and chosen measurements."""

    repeats: Repeats
    code: NDArray[np.int64]
    chosen: NDArray[np.int64]
    alone: int
    few: int

    @classmethod
    def connected(cls, magnitude: FloatArray, star: AnyArray, code: AnyArray) -> _Exposures:
        """Exposures with `STARS` stars that repeated stars connect with most others.

        Raises
        ------
        NotMeasurable
            None, or too many that are not connected.
        """
        everything = len(np.unique(code))
        chosen = np.arange(len(star))
        while True:
            seen = np.bincount(star[chosen]) >= 2
            kept = chosen[seen[star[chosen]]]
            _, number, count = np.unique(code[kept], return_inverse=True, return_counts=True)
            kept = kept[(count >= STARS)[number]]
            if len(kept) == len(chosen):
                break
            chosen = kept
        if not len(chosen):
            raise NotMeasurable(f"no exposure has {STARS} stars that were measured in another one as well")
        found = cls._numbered(magnitude, star, code, chosen)
        part = zero_point_solver.parts(found.repeats)
        alone = int(np.count_nonzero(part))
        if alone > _ALONE * len(part):
            raise NotMeasurable(zero_point_solver.apart(part))
        if alone:
            found = cls._numbered(magnitude, star, code, chosen[part[found.repeats.exposure] == 0])
        return replace(found, alone=alone, few=everything - len(part))

    @classmethod
    def _numbered(cls, magnitude: FloatArray, star: AnyArray, code: AnyArray, chosen: NDArray[np.int64]) -> _Exposures:
        stars, of_star = np.unique(star[chosen], return_inverse=True)
        names, exposure = np.unique(code[chosen], return_inverse=True)
        repeats = Repeats(
            of_star.astype(np.int32), exposure.astype(np.int32), magnitude[chosen], len(stars), len(names)
        )
        return cls(repeats, names, chosen, 0, 0)


def fast_exposure_offset(sample: Sample, parameters: Parameters, settings: NoSettings) -> Errors:
    """Zero points of all exposures about their mean, mmag.

    Parameters
    ----------
    sample : Sample
    parameters : mapping
        None are taken.
    settings : NoSettings

    Raises
    ------
    NotMeasurable
        A magnitude is not finite, there are fewer than two exposures, or they fall into groups without a star in
        common.
    """
    return sample.cached("zero points", lambda: _errors(sample))


def _errors(sample: Sample) -> Errors:
    found, solution = _solution(sample)
    repeats = found.repeats
    notes = []
    if found.few:
        notes.append(f"{found.few:,} exposures have fewer than {STARS} stars: no zero point is looked for")
    if found.alone:
        notes.append(f"{found.alone:,} exposures have no star in common with the others: left out")
    clipped = int(np.count_nonzero(solution.clipped))
    if clipped:
        notes.append(f"{clipped:,} measurements beyond {zero_point_solver.CLIP:g} sigma have no weight")
    method = (
        f"{repeats.exposures:,} zero points solved with {repeats.stars:,} stars, noise "
        f"{np.sqrt(solution.variance):.3g} mmag; one for each {exposures(sample)[1]}"
    )
    return Errors(
        components={"value": solution.offsets}, measurements=len(repeats.star), method=method, notes=tuple(notes)
    )


def _solution(sample: Sample) -> tuple[_Exposures, zero_point_solver.Solution]:
    def compute() -> tuple[_Exposures, zero_point_solver.Solution]:
        magnitude, code = finite(sample, "mag") * MMAG, exposures(sample)[0]
        order = np.lexsort((code, sample.star_index))  # the same bits in whatever order the rows stand
        found = _Exposures.connected(magnitude[order], sample.star_index[order], code[order])
        return replace(found, chosen=order[found.chosen]), zero_point_solver.solve(found.repeats)

    return sample.cached("zero points solved", compute)


def measurements(sample: Sample, parameters: Parameters, settings: NoSettings, limit: int | None) -> VisitMatrix:
    """Magnitudes about the mean of their star by visit, with their exposures.

    Without those that have no weight.

    Further columns: the zero point of the exposure in the solution of the whole sample, and the standard error of the
    measurement, scaled so that the formal errors of the zero points are as large as those of simulated noise.
    """
    found, solution = _solution(sample)
    weighed = ~solution.clipped
    used = np.zeros(len(sample.star_index), dtype=bool)
    used[found.chosen[weighed]] = True
    scale = np.sqrt(solution.variance / float(np.mean(solution.errors**2)))
    columns = {SIGMA: solution.sigma * scale, START: solution.offsets[found.repeats.exposure]}
    extra = {}
    for name, values in columns.items():
        by_row = np.full(len(used), np.nan)
        by_row[found.chosen] = values
        extra[name] = by_row[used]
    return matrix_by_exposure(sample, from_mean(sample, least=1)[0][used], used, limit, extra)


def exposure_offset(matrix: VisitMatrix, settings: NoSettings) -> Errors:
    """Zero points of the exposures about their mean, mmag.

    With the weights that the whole sample leads to.
    """
    return Errors(components={"value": _solve(matrix).offsets})


def debiased_exposure_offset(matrix: VisitMatrix, settings: NoSettings) -> Errors:
    """The same without the noise of the solution."""
    found = _solve(matrix)
    return less_noise(found.offsets, found.noise)


def zero_points_of_measurements(matrix: VisitMatrix, settings: NoSettings) -> tuple[FloatArray, ...]:
    """Zero point of the exposure of each measurement."""
    found = _solve(matrix)
    by_measurement = np.full(len(found.exposures_of.star), np.nan)
    by_measurement[found.repeats.chosen] = found.offsets[found.repeats.repeats.exposure]
    return shown(matrix, by_measurement)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Solved:
    """Zero points of the exposures of a matrix, and their mean variance by noise."""

    exposures_of: Measurements
    repeats: _Exposures
    offsets: FloatArray
    noise: float


def _solve(matrix: VisitMatrix) -> _Solved:
    data = Measurements.from_matrix(matrix)
    found = _Exposures.connected(data.value, data.star, data.exposure)
    system = System.from_weights(found.repeats, 1 / data.extra[SIGMA][found.chosen] ** 2)
    start = np.zeros(found.repeats.exposures)
    start[found.repeats.exposure] = data.extra[START][found.chosen]
    offsets = system.solve(found.repeats.magnitude, start)
    return _Solved(exposures_of=data, repeats=found, offsets=offsets, noise=float(np.mean(1 / system.diagonal)))


ZERO_POINT_TEXT = "zero points of the exposures of single measurements"

_EXPOSURE_OFFSET = Estimator(
    description="zero point of an exposure",
    quantity="magnitudes",
    measurements=measurements,
    errors=exposure_offset,
    debiased=debiased_exposure_offset,
    fast=fast_exposure_offset,
    unit="mmag",
    columns=("mag",),
    residuals=Residuals(compute=zero_points_of_measurements, text=ZERO_POINT_TEXT),
    fewest_visits=2,
    independent=True,
    formula="z of an exposure, m = M + z + noise for the magnitude m of a star of magnitude M, all solved at once",
)

_ESTIMATORS = {
    "exposure_offset": _EXPOSURE_OFFSET,
    "exposure_reference_offset": replace(
        _EXPOSURE_OFFSET,
        description="zero point of an exposure against the reference catalog",
        measurements=reference_zero_points.measurements,
        errors=reference_zero_points.exposure_reference_offset,
        debiased=reference_zero_points.debiased_exposure_reference_offset,
        fast=reference_zero_points.fast_exposure_reference_offset,
        settings=ReferenceSettings,
        residuals=Residuals(compute=reference_zero_points.zero_points_of_measurements, text=ZERO_POINT_TEXT),
        formula="z of an exposure, the mean of m - m(ref) over its stars, less the mean of all z",
    ),
}


def _outliers(level: Parameters) -> Statistic:
    return Statistic("above", level["PA4"], sized=True)


def _percentile(level: Parameters) -> Statistic:
    return Statistic("percentile", 100 - level["PF2"], sized=True)


METRICS = (
    Metric(
        name="zero_point_rms",
        title="rms of the zero points of exposures",
        unit="mmag",
        statistic=rms,
        estimators=_ESTIMATORS,
    ),
    Metric(
        name="zero_point_outliers",
        title="fraction of zero points that deviate by more than PA4",
        unit="percent",
        statistic=_outliers,
        estimators=_ESTIMATORS,
        level_parameters={"PA4": "mmag"},
    ),
    Metric(
        name="zero_point_percentile",
        title="deviation of a zero point that a fraction PF2 exceeds",
        unit="mmag",
        statistic=_percentile,
        estimators=_ESTIMATORS,
        level_parameters={"PF2": "percent"},
    ),
)
