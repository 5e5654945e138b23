r"""Internal zero points PA3, PF2 and PA4: how alike magnitudes are over visits and detectors.

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

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.arrays import AnyArray, FloatArray
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.metrics import zero_point_solver
from skyaccept.lib.metrics.exposures import STARS, by_visit, exposures, measured, resampled
from skyaccept.lib.metrics.metric import Errors, Estimator, Metric, Settings
from skyaccept.lib.metrics.photometric_repeatability import MMAG, finite, from_mean
from skyaccept.lib.metrics.reference_zero_points import (
    exposure_reference_offset,
    matrix_of_differences,
    resampled_differences,
)
from skyaccept.lib.metrics.zero_point_solver import Repeats, System
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.visit_matrix import Matrix
from skyaccept.lib.uncertainty.jackknife import Resampled
from skyaccept.lib.uncertainty.statistic import Question

_ALONE = 0.1  # of the exposures that may have no star in common with the others before nothing is measured


@dataclass(frozen=True)
class _Exposures:
    """Repeat observations, the codes of their exposures, and which of the measurements they are."""

    repeats: Repeats
    code: NDArray[np.int64]
    chosen: NDArray[np.int64]
    alone: int
    few: int

    @classmethod
    def of(cls, magnitude: FloatArray, star: AnyArray, code: AnyArray) -> _Exposures:
        """Those with `STARS` stars, that stars seen more than once connect with most others.

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


def exposure_offset(sample: Sample, parameters: Mapping[str, float], settings: Settings) -> Errors:
    """Zero points of all exposures about their mean, mmag.

    Parameters
    ----------
    sample : Sample
    parameters : mapping
        None are taken.
    settings : Settings
        None are looked at.

    Raises
    ------
    NotMeasurable
        A magnitude is not finite, there are fewer than two exposures, or they fall into groups without a star in
        common.
    """
    return sample.once("zero points", lambda: _errors(sample))


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
    return Errors(solution.offsets, 0, len(repeats.star), method, notes=tuple(notes))


def _solution(sample: Sample) -> tuple[_Exposures, zero_point_solver.Solution]:
    def find() -> tuple[_Exposures, zero_point_solver.Solution]:
        magnitude, code = finite(sample, "mag") * MMAG, exposures(sample)[0]
        order = np.lexsort((code, sample.star))  # the same bits in whatever order the rows stand
        found = _Exposures.of(magnitude[order], sample.star[order], code[order])
        return replace(found, chosen=order[found.chosen]), zero_point_solver.solve(found.repeats)

    return sample.once("zero points solved", find)


def _matrix(sample: Sample, parameters: Mapping[str, float], settings: Settings, errors: Errors) -> Matrix:
    """Magnitudes about the mean of their star by visit, without those that have no weight; and their exposures."""
    found, solution = _solution(sample)
    used = np.zeros(len(sample.star), dtype=bool)
    used[found.chosen[~solution.clipped]] = True
    return by_visit(sample, from_mean(sample, least=1)[0][used], used)


def _resampled(matrix: Matrix, settings: Settings) -> Resampled:
    """Zero points of the exposures that are left, with the weights that all of them lead to."""
    star, value, code = measured(matrix.values[0], matrix.exposure)
    whole = _Exposures.of(value, star, code)
    solution = zero_point_solver.solve(whole.repeats)
    sigma = np.full(len(matrix.stars), float(np.median(solution.sigma)))
    sigma[star[whole.chosen]] = solution.sigma
    start = dict(zip(whole.code.tolist(), solution.offsets.tolist(), strict=True))
    formal = float(np.mean(solution.errors**2))

    def solve(star: AnyArray, value: FloatArray, code: AnyArray) -> tuple[FloatArray, float]:
        found = _Exposures.of(value, star, code)
        system = System.of(found.repeats, 1 / sigma[star[found.chosen]] ** 2)
        first = np.array([start.get(name, 0.0) for name in found.code.tolist()])
        offsets = system.solve(found.repeats.magnitude, first)
        return offsets, solution.variance * float(np.mean(1 / system.diagonal)) / formal

    shown = np.full(len(star), np.nan)
    shown[whole.chosen] = solution.offsets[whole.repeats.exposure]
    return resampled(matrix, solve, solution.offsets, solution.variance, shown)


_SOLVED = {
    "exposure_offset": Estimator(
        exposure_offset,
        "zero point of an exposure",
        _matrix,
        _resampled,
        "mmag",
        columns=("mag",),
        formula="z of an exposure, m = M + z + noise for the magnitude m of a star of magnitude M, all solved at once",
    ),
    "exposure_reference_offset": Estimator(
        exposure_reference_offset,
        "zero point of an exposure against the reference catalog",
        matrix_of_differences,
        resampled_differences,
        "mmag",
        needs=("radius", "reference_snr"),
        columns=("mag",),
        formula="z of an exposure, the mean of m - m(ref) over its stars, less the mean of all z",
    ),
}

METRICS = (
    Metric("zero_point_rms", "rms of the zero points of exposures", "mmag", lambda _: Question("rms"), _SOLVED),
    Metric(
        "zero_point_outliers",
        "fraction of zero points that deviate by more than PA4",
        "percent",
        lambda level: Question("above", level["PA4"], sized=True),
        _SOLVED,
        level_parameters={"PA4": "mmag"},
    ),
    Metric(
        "zero_point_percentile",
        "deviation of a zero point that a fraction PF2 exceeds",
        "mmag",
        lambda level: Question("percentile", 100 - level["PF2"], sized=True),
        _SOLVED,
        level_parameters={"PF2": "percent"},
    ),
)
