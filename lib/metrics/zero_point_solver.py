r"""Zero points of exposures that fit the repeat observations of all stars best.

The magnitude of star s in exposure j (one visit, or one detector of it) is :math:`m_{sj} = M_s + z_j`, with noise.
What minimises :math:`\sum w_{sj} (m_{sj} - M_s - z_j)^2` (Glazebrook et al. 1994; Padmanabhan et al. 2008) follows,
with the magnitudes of the stars eliminated, from

.. math:: N z = b, \quad N = D - A W^{-1} A^T, \quad b = A' m - A W^{-1} A'^T m,

where A holds the weights by exposure and star, D and W their sums by exposure and by star. N is sparse in its factors
alone, so the solution is found by conjugate gradients. A shift of all zero points changes nothing: their mean is zero,
which takes that every exposure is connected with every other by stars.

Weights are 1/sigma^2, with sigma from the residuals of measurements of stars of like brightness; a measurement beyond
`CLIP` sigma has no weight. While these are looked for weights fall gradually instead (those of a Cauchy distribution),
so that a gross error does not take the other measurements of its star with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph
from skyaccept.lib.arrays import FloatArray
from skyaccept.lib.exceptions import NotMeasurable

Codes = NDArray[np.int32]

CLIP = 5.0
"""Sigma beyond which a measurement has no weight."""

ROUNDS = 3
"""Solutions in which gross errors are looked for, the first with equal weights."""

BINS = 20
"""Bins of brightness that have a sigma each, of 1,000 measurements or more."""

DRAWN = 2000
"""Zero points of pure noise that tell their mean variance: so many, or those of one solution where these are more."""

MAD = 1.4826
"""Standard deviation of a normal distribution over its median size."""

_TOLERANCE = 1e-10  # of the right side
_ROUGH = 1e-4  # while weights are still looked for
_ITERATIONS = 2000
_MOST_FITTED = 0.9  # of a residual that a fit may have taken


@dataclass(frozen=True)
class Repeats:
    """Repeat observations: star, exposure and magnitude of each measurement.

    Each star has two or more.

    Attributes
    ----------
    star, exposure : (n,) int32
    magnitude : (n,) float64
    stars, exposures : int
        How many there are.
    """

    star: Codes
    exposure: Codes
    magnitude: FloatArray
    stars: int
    exposures: int


@dataclass(frozen=True)
class Solution:
    """Zero points, and what they rest on.

    Attributes
    ----------
    offsets : (exposures,) float64
        In the unit of the magnitudes, with mean zero; larger where magnitudes are larger.
    errors : (exposures,) float64
        Formal error of each with all others known.
    variance : float
        Mean variance of the zero points, by noise.
    sigma : (n,) float64
        Error of each measurement.
    clipped : (n,) bool
        Measurements without weight.
    normal : callable
        ``normal(z)`` is N z; N is the inverse of the covariance of the zero points.
    """

    offsets: FloatArray
    errors: FloatArray
    variance: float
    sigma: FloatArray
    clipped: NDArray[np.bool_]
    normal: Callable[[FloatArray], FloatArray]


def solve(repeats: Repeats) -> Solution:
    """Zero points of all exposures.

    Raises
    ------
    NotMeasurable
        Fewer than two exposures, or some are not connected with the others by stars.
    """
    if repeats.exposures < 2:
        raise NotMeasurable("one exposure has no zero point relative to others")
    part = parts(repeats)
    if part.max() > 0:
        raise NotMeasurable(apart(part))
    weights, offsets = np.ones(len(repeats.star)), np.zeros(repeats.exposures)
    for _ in range(ROUNDS):
        offsets, residual, sigma = _refined(repeats, weights, offsets)
        beyond = residual / (CLIP * sigma)
        weights = 1 / (sigma**2 * (1 + beyond**2))
    used = np.abs(beyond) <= 1
    offsets, _, sigma = _refined(repeats, np.where(used, 1 / sigma**2, 0.0), offsets)
    system = System.from_weights(repeats, np.where(used, 1 / sigma**2, 0.0))
    offsets = system.solve(repeats.magnitude, offsets)
    rng = np.random.default_rng(0)
    draws = -(-DRAWN // repeats.exposures)
    noise = [system.solve(rng.standard_normal(len(sigma)) * sigma, np.zeros_like(offsets)) for _ in range(draws)]
    return Solution(
        offsets, 1 / np.sqrt(system.diagonal), float(np.mean(np.square(noise))), sigma, ~used, system.normal
    )


def _refined(repeats: Repeats, weights: FloatArray, offsets: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Zero points under some weights, nearly, with errors of measurements.

    Residuals are as large as errors are.
    """
    system = System.from_weights(repeats, weights)
    offsets = system.solve(repeats.magnitude, offsets, _ROUGH)
    residual = system.residual(repeats.magnitude, offsets) / np.sqrt(1 - system.leverage)
    return offsets, residual, _sigma(repeats, residual)


def parts(repeats: Repeats) -> NDArray[np.int64]:
    """Number of the part that each exposure belongs to, the largest first.

    Stars connect exposures.
    """
    number = repeats.exposures + repeats.stars
    ones = np.ones(len(repeats.star), dtype=np.int8)
    links = sparse.coo_array((ones, (repeats.exposure, repeats.star + repeats.exposures)), shape=(number, number))
    _, label = csgraph.connected_components(links, directed=False)
    _, code, size = np.unique(label[: repeats.exposures], return_inverse=True, return_counts=True)
    rank = np.empty(len(size), dtype=np.int64)
    rank[np.argsort(-size, kind="stable")] = np.arange(len(size))
    return rank[code]


def apart(part: NDArray[np.int64]) -> str:
    """Say that exposures have nothing in common."""
    sizes = np.bincount(part).tolist()
    return (
        f"the exposures fall into {len(sizes)} groups without a star in common, of {', '.join(map(str, sizes[:3]))}"
        f"{' ...' if len(sizes) > 3 else ''}: nothing tells the zero points of one from those of another"
    )


@dataclass(frozen=True)
class System:
    """The linear equations for the zero points, under some weights."""

    repeats: Repeats
    weights: FloatArray
    matrix: sparse.csr_array
    transposed: sparse.csc_array
    by_exposure: FloatArray
    by_star: FloatArray

    @classmethod
    def from_weights(cls, repeats: Repeats, weights: FloatArray) -> System:
        """Equations of some observations."""
        shape = (repeats.exposures, repeats.stars)
        matrix = sparse.coo_array((weights, (repeats.exposure, repeats.star)), shape=shape).tocsr()
        by_star = np.bincount(repeats.star, weights, minlength=repeats.stars)
        by_exposure = np.bincount(repeats.exposure, weights, minlength=repeats.exposures).astype(np.float64)
        return cls(repeats, weights, matrix, matrix.T, by_exposure, np.where(by_star > 0, by_star, 1.0))

    @property
    def diagonal(self) -> FloatArray:
        """Diagonal of N."""
        squared = np.bincount(
            self.repeats.exposure,
            self.weights**2 / self.by_star[self.repeats.star],
            minlength=self.repeats.exposures,
        )
        return np.maximum(self.by_exposure - squared, 1e-12 * self.by_exposure.max())

    @property
    def leverage(self) -> FloatArray:
        """Share of each measurement in its fit, by which its residual is too small.

        Of a star and an exposure with the same weights w of all n: 1/n; what both have in common, of the order of the
        inverse of the number of all measurements, is left out.
        """
        own = 1 / self.by_star[self.repeats.star] + 1 / np.maximum(self.by_exposure, 1e-300)[self.repeats.exposure]
        return np.minimum(self.weights * own, _MOST_FITTED)

    def normal(self, z: FloatArray) -> FloatArray:
        """N z."""
        return np.asarray(self.by_exposure * z - self.matrix @ ((self.transposed @ z) / self.by_star))

    def means(self, magnitude: FloatArray) -> FloatArray:
        """Weighted mean of each star."""
        star = self.repeats.star
        return np.bincount(star, self.weights * magnitude, minlength=self.repeats.stars) / self.by_star

    def residual(self, magnitude: FloatArray, offsets: FloatArray) -> FloatArray:
        """What is left of magnitudes without their zero points and stars."""
        left = magnitude - offsets[self.repeats.exposure]
        return np.asarray(left - self.means(left)[self.repeats.star])

    def solve(self, magnitude: FloatArray, start: FloatArray, tolerance: float = _TOLERANCE) -> FloatArray:
        """Zero points of magnitudes, by preconditioned conjugate gradients.

        The preconditioner is the diagonal.
        """
        z = start.copy()
        weighted = self.weights * self.residual(magnitude, z)
        r: FloatArray = np.bincount(self.repeats.exposure, weighted, minlength=self.repeats.exposures).astype(
            np.float64
        )
        scale = 1 / self.diagonal
        # the size of the right side without a start, which says when enough is enough
        weighted = self.weights * self.residual(magnitude, np.zeros_like(z))
        b = np.bincount(self.repeats.exposure, weighted, minlength=self.repeats.exposures)
        goal = tolerance**2 * _dot(b, scale * b)
        d = scale * r
        size = _dot(r, d)
        for _ in range(_ITERATIONS):
            if size <= goal:
                return np.asarray(z - z.mean())
            n = self.normal(d)
            step = size / _dot(d, n)
            z, r = z + step * d, r - step * n
            last, size = size, _dot(r, scale * r)
            d = scale * r + (size / last) * d
        raise NotMeasurable(
            f"the zero points did not settle in {_ITERATIONS} iterations: too few stars connect exposures"
        )


def _dot(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Product of two vectors, the same bits however many threads there are."""
    return float(np.sum(a * b))


def _sigma(repeats: Repeats, residual: FloatArray) -> FloatArray:
    """Error of each measurement by the brightness of its star, from residuals."""
    n = len(residual)
    fitted = repeats.stars + repeats.exposures - 1
    if n <= fitted:
        raise NotMeasurable(
            f"{n} measurements are too few for {repeats.exposures} zero points of {repeats.stars} stars"
        )
    mean = np.bincount(repeats.star, repeats.magnitude) / np.bincount(repeats.star)
    bins = max(1, min(BINS, n // 1000))
    rank = np.empty(repeats.stars, dtype=np.int8)  # of few values, so that measurements are sorted quickly
    rank[np.argsort(mean, kind="stable")] = np.arange(repeats.stars) * bins // repeats.stars
    code = rank[repeats.star]
    order = np.argsort(code, kind="stable")
    of_bin = np.ones(bins)
    for k, part in enumerate(np.split(order, np.searchsorted(code[order], np.arange(1, bins)))):
        if len(part):
            of_bin[k] = MAD * np.median(np.abs(residual[part]))
    sigma = of_bin[code]
    return np.maximum(sigma, float(np.median(of_bin)) * 1e-3 or 1.0)
