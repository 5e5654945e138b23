r"""Zero points of exposures against a reference catalog, another way to PA3, PF2 and PA4.

The zero point of an exposure is the mean of the differences of its stars from the magnitudes expected
(`skyaccept.lib.metrics.reference_photometry`), without those beyond `CLIP` sigma, about the mean of all exposures. It
shows what all visits have in common at a place on the sky, which repeat observations do not, and holds what the
reference catalog is off by there; errors of single reference stars are noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.arrays import AnyArray, FloatArray
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.metrics.exposures import STARS, by_visit, exposures, measured, resampled
from skyaccept.lib.metrics.metric import Errors, Settings
from skyaccept.lib.metrics.reference_photometry import Differences, differences
from skyaccept.lib.metrics.zero_point_solver import CLIP, MAD
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.visit_matrix import Matrix
from skyaccept.lib.uncertainty.jackknife import Resampled


def exposure_reference_offset(sample: Sample, parameters: Mapping[str, float], settings: Settings) -> Errors:
    """Mean difference of the stars of each exposure from a reference catalog, about the mean of all; mmag.

    Parameters
    ----------
    sample : Sample
    parameters : mapping
        None are taken.
    settings : Settings
        As `skyaccept.lib.metrics.reference_photometry.mean_difference` takes them.

    Raises
    ------
    NotMeasurable
        As there; also where fewer than two exposures have `STARS` stars to compare.
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
    return Errors(means.offsets, 0, len(means.of), method, notes=tuple(notes), rows=found.used)


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
    """Those with `STARS` stars; where sigma is not known, measurements beyond `CLIP` of it are clipped."""
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


def _compared(sample: Sample, settings: Settings) -> tuple[Differences, NDArray[np.int64], _Means]:
    def find() -> tuple[Differences, NDArray[np.int64], _Means]:
        found = differences(sample, settings)
        code = exposures(sample)[0][found.used]
        order = np.lexsort((code, sample.star[found.used]))  # the same bits in whatever order the rows stand
        means = _means(found.value[order], code[order])
        place = np.argsort(order)
        return found, code, replace(means, of=means.of[place], clipped=means.clipped[place])

    return sample.once(("zero points against the reference", settings.radius, settings.reference_snr), find)


def matrix_of_differences(
    sample: Sample, parameters: Mapping[str, float], settings: Settings, errors: Errors
) -> Matrix:
    """Differences from the reference catalog by star and visit, those that have a weight; and their exposures."""
    found, _, means = _compared(sample, settings)
    weighed = (means.of >= 0) & ~means.clipped
    rows = found.used.copy()
    rows[found.used] = weighed
    return by_visit(sample, found.value[weighed], rows)


def resampled_differences(matrix: Matrix, settings: Settings) -> Resampled:
    """Zero points of the exposures that are left, with the error of a measurement that all of them lead to."""
    _, value, code = measured(matrix.values[0], matrix.exposure)
    whole = _means(value, code)

    def solve(star: AnyArray, value: FloatArray, code: AnyArray) -> tuple[FloatArray, float]:
        means = _means(value, code, whole.sigma)
        return means.offsets, means.noise

    return resampled(
        matrix, solve, whole.offsets, whole.noise, np.where(whole.of >= 0, whole.offsets[whole.of], np.nan)
    )
