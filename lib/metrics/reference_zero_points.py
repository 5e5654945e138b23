r"""Zero points of exposures against a reference catalog, for PA3, PF2 and PA4.

The zero point of an exposure is the mean of the differences of its stars from the magnitudes expected
(`skyaccept.lib.metrics.reference_photometry`), without those beyond `CLIP` sigma, about the mean of all exposures. It
shows what all visits have in common at a place on the sky, which repeat observations do not, and holds what the
reference catalog is off by there; errors of single reference stars are noise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.arrays import FloatArray
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.metrics.exposures import (
    SIGMA,
    STARS,
    Measurements,
    exposures,
    less_noise,
    matrix_by_exposure,
    shown,
)
from skyaccept.lib.metrics.reference_photometry import Differences, ReferenceSettings, differences
from skyaccept.lib.metrics.zero_point_solver import CLIP, MAD
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.visit_matrix import VisitMatrix
from skyaccept.lib.uncertainty.errors import Errors
from skyaccept.lib.uncertainty.estimator import Parameters


def fast_exposure_reference_offset(sample: Sample, parameters: Parameters, settings: ReferenceSettings) -> Errors:
    """Mean difference of each exposure from a reference catalog, mmag.

    About the mean of all.

    Parameters
    ----------
    sample : Sample
    parameters : mapping
        None are taken.
    settings : ReferenceSettings

    Raises
    ------
    NotMeasurable
        As `skyaccept.lib.metrics.reference_photometry.measurements`; also where fewer than two exposures have `STARS`
        stars to compare.
    """
    found, code, means = _compared(sample, settings)
    notes = list(found.notes)
    if few := len(np.unique(code)) - len(means.code):
        notes.append(f"{few:,} exposures have fewer than {STARS} stars to compare: no zero point is looked for")
    if clipped := int(np.count_nonzero(means.clipped)):
        notes.append(f"{clipped:,} measurements beyond {CLIP:g} sigma have no weight")
    method = (
        f"{len(means.code):,} zero points, mean over an exposure of the {found.method}, noise "
        f"{np.sqrt(means.noise):.3g} mmag; one for each {exposures(sample)[1]}"
    )
    return Errors(
        components={"value": means.offsets},
        measurements=len(means.of),
        method=method,
        notes=tuple(notes),
    )


@dataclass(frozen=True)
class _Means:
    """Means of exposures about their own mean.

    ``of`` is the exposure of each measurement among ``code``, -1 where it has too few stars; ``clipped`` measurements
    have no weight, ``sigma`` is the error of one, ``noise`` the mean variance of ``offsets`` by it.
    """

    offsets: FloatArray
    code: NDArray[np.int64]
    of: NDArray[np.int64]
    clipped: NDArray[np.bool_]
    sigma: float
    noise: float


def _means(value: FloatArray, code: NDArray[np.int64], sigma: float | None = None) -> _Means:
    """Means of exposures with `STARS` stars.

    Where sigma is not known, measurements beyond `CLIP` of it are clipped.
    """
    names, of, count = np.unique(code, return_inverse=True, return_counts=True)
    enough = count >= STARS
    if np.count_nonzero(enough) < 2:
        raise NotMeasurable(f"fewer than two exposures have {STARS} stars to compare with the reference catalog")
    kept = np.flatnonzero(enough)
    place = np.full(len(names), -1, dtype=np.int64)
    place[kept] = np.arange(len(kept))
    of = place[of]
    clipped = np.zeros(len(value), dtype=bool)
    if sigma is None:
        order = np.lexsort((value, of))
        start = np.searchsorted(of[order], np.arange(len(kept)))
        number = count[kept]
        middle = (value[order][start + (number - 1) // 2] + value[order][start + number // 2]) / 2
        residual = np.where(of >= 0, value - middle[of], 0.0)
        sigma = max(float(MAD * np.median(np.abs(residual[of >= 0]))), 1e-9)
        clipped = np.abs(residual) > CLIP * sigma
    used = (of >= 0) & ~clipped
    number = np.maximum(np.bincount(of[used], minlength=len(kept)), 1)
    means = np.bincount(of[used], value[used], minlength=len(kept)) / number
    return _Means(means - means.mean(), names[kept], of, clipped, sigma, sigma**2 * float(np.mean(1 / number)))


def _compared(sample: Sample, settings: ReferenceSettings) -> tuple[Differences, NDArray[np.int64], _Means]:
    def compute() -> tuple[Differences, NDArray[np.int64], _Means]:
        found = differences(sample, settings)
        code = exposures(sample)[0][found.used]
        order = np.lexsort((code, sample.star_index[found.used]))  # the same bits in whatever order the rows stand
        means = _means(found.value[order], code[order])
        place = np.argsort(order)
        return found, code, replace(means, of=means.of[place], clipped=means.clipped[place])

    return sample.cached(("zero points against the reference", settings.radius, settings.reference_snr), compute)


def measurements(sample: Sample, parameters: Parameters, settings: ReferenceSettings, limit: int | None) -> VisitMatrix:
    """Differences from the reference catalog by star and visit.

    Those that have a weight, with their exposures.
    """
    found, _, means = _compared(sample, settings)
    weighed = (means.of >= 0) & ~means.clipped
    rows = found.used.copy()
    rows[found.used] = weighed
    sigma = np.full(int(np.count_nonzero(weighed)), means.sigma)
    return matrix_by_exposure(sample, found.value[weighed], rows, limit, {SIGMA: sigma})


def exposure_reference_offset(matrix: VisitMatrix, settings: ReferenceSettings) -> Errors:
    """Mean difference of each exposure from a reference catalog, mmag.

    About the mean of all.
    """
    return Errors(components={"value": _solved(matrix)[1].offsets})


def debiased_exposure_reference_offset(matrix: VisitMatrix, settings: ReferenceSettings) -> Errors:
    """The same without the noise of the means."""
    _, means = _solved(matrix)
    return less_noise(means.offsets, means.noise)


def zero_points_of_measurements(matrix: VisitMatrix, settings: ReferenceSettings) -> tuple[FloatArray, ...]:
    """Zero point of the exposure of each measurement."""
    _, means = _solved(matrix)
    return shown(matrix, np.where(means.of >= 0, means.offsets[means.of], np.nan))


def _solved(matrix: VisitMatrix) -> tuple[Measurements, _Means]:
    """Measurements of a matrix, and the means of their exposures.

    With the error that a measurement has in the sample.
    """
    data = Measurements.from_matrix(matrix)
    if not len(data.value):
        raise NotMeasurable(f"fewer than two exposures have {STARS} stars to compare with the reference catalog")
    return data, _means(data.value, data.exposure, float(data.extra[SIGMA][0]))
