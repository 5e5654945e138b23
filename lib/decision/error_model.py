r"""A law of errors, and from it the sampling error of each metric against numbers of stars, pairs and visits.

**Law.** The error of a star has the standard deviation :math:`\sigma_i`, log-normal between stars with ``spread`` =
rms of :math:`\ln\sigma_i`; single measurements are Gaussian and independent, beside what a visit has in common:
the share ``common`` of the variance of a star of median :math:`\sigma`. In magnitudes and offsets of positions that is
a shift of the visit. In separations it is an affine distortion of the visit: at the position angle :math:`\varphi` of
the pair its separation changes by :math:`q\,(\kappa_k + \gamma_k \cos 2\varphi + \gamma'_k \sin 2\varphi)`, a change of
scale and two shears of equal size. All stars are seen in all visits.

**Sampling error.** Let :math:`y` be the share of the errors of a unit (a pair, a star) above some x. With the
covariances :math:`\zeta_2` of a unit with itself, :math:`\zeta_1` of two pairs that share a star, and :math:`\zeta_0`
of two units that share the visits only, the mean of y over the P pairs of N stars has the variance

.. math:: \left[P\,\zeta_2 + n\,\zeta_1 + (P^2 - P - n)\,\zeta_0\right] / P^2, \qquad n = (2P)^2 / N,

since that is the number of ordered pairs of pairs that share a star (Hoeffding 1948, for a graph with Poisson
degrees); over N stars :math:`\zeta_2 / N + (1 - 1/N)\,\zeta_0`. A quantile x with the share p above it is then
uncertain by :math:`\mathrm{sd}(\bar y) / |dp / d\ln x|` in its logarithm (Woodruff 1952); an rms by half the relative
error of the mean square; a share by its change with the scale of all errors, in its logit. For pairs of independent,
equal errors and many visits this becomes :math:`1 / (2\sqrt{N (V - 1)})` for the median: stars count, not pairs.

The covariances are those of simulated errors, by an analysis of variance of groups that share what it takes; with
``common`` = 0 :math:`\zeta_0` is 0 exactly. The seed is fixed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import optimize, special
from skyaccept.lib.arrays import FloatArray
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.uncertainty.statistic import Kind

ROOM = 4_000_000
"""Simulated measurements that are held at a time."""

MEMBERS = 100
"""Units of a group."""

STEP = 0.05
"""Step in the logarithm over which the density at a quantile is taken."""

LEAST_SLOPE = 5e-3
"""Change of a share with the logarithm of x below which too few simulated errors are left to tell."""

PAIRS = ("pair_rms", "deviation")
SPREADS = ("pair_rms", "magnitude_rms")
"""Estimators with one error a unit: its standard deviation."""

MODELLED = (*PAIRS, "magnitude_rms", "magnitude_deviation", "offset", "deviation_from_mean", "reference_offset")
"""Estimators whose errors the law describes."""


@dataclass(frozen=True)
class Law:
    """What is assumed of the errors.

    Raises
    ------
    InputError
        A share outside [0, 1), or a spread outside (0, 2].
    """

    spread: float = 0.3
    common: float = 0.2

    def __post_init__(self) -> None:
        if not 0 < self.spread <= 2:
            raise InputError(f"--error-spread {self.spread:g}: not above 0 and up to 2")
        if not 0 <= self.common < 1:
            raise InputError(f"--shared-variance {self.common:g}: not a fraction from 0 to below 1")

    @property
    def shift(self) -> float:
        """Standard deviation of what a visit has in common, for a star of standard deviation 1."""
        return float(np.sqrt(self.common / (1 - self.common)))


@dataclass(frozen=True)
class Scatter:
    """Sampling variances of the logarithm of a value, or of the logit of a share.

    Attributes
    ----------
    stars, visits : float
        From the stars (and pairs) that happen to be there, and from what the visits have in common.
    reads : float
        What the value as defined is on average over the true one; of a share the value itself.
    """

    stars: float
    visits: float
    reads: float

    @property
    def error(self) -> float:
        """Standard error."""
        return float(np.sqrt(self.stars + self.visits))


@dataclass(frozen=True)
class Draws:
    """Simulated errors of one estimator in some number of visits, in units of the median star's.

    Raises
    ------
    InputError
        The law does not describe the estimator, or fewer than two visits.
    """

    law: Law
    estimator: str
    visits: int
    ddof: int = 1

    def __post_init__(self) -> None:
        if self.estimator not in MODELLED:
            raise InputError(f"no model of the errors of {self.estimator}; modelled are {', '.join(MODELLED)}")
        if self.visits < 2:
            raise InputError(f"--visits {self.visits}: at least two visits are needed")

    def scatter(self, kind: Kind, share: float, stars: int, pairs: float = 0.0) -> Scatter:
        """Sampling error of a statistic.

        Parameters
        ----------
        kind : {"percentile", "above", "rms"}
        share : float
            True share of the errors above the percentile, or above the threshold; without meaning for an rms.
        stars : int
        pairs : float
            Of stars, where the estimator looks at pairs.

        Raises
        ------
        InputError
            Another kind, or a share so close to 0 or 1 that the law says nothing of it.
        """
        if kind == "rms":
            mean = float(np.mean(self._alone**2))
            # the logarithm of an rms is half that of the mean square
            factor, reads = 1 / (2 * mean), np.sqrt(mean / np.mean(self._widths**2))
            found = self._variance(None, stars, pairs)
        elif kind == "percentile":
            x = float(np.quantile(self._alone, 1 - share))
            factor, reads = 1 / _slope(self._seen_above, x), x / self.quantile(share)
            found = self._variance(x, stars, pairs)
        elif kind == "above":
            x = self.quantile(share)
            true_slope = _slope(self.share_above, x)
            factor = true_slope / (_slope(self._seen_above, x) * share * (1 - share))
            reads = self._seen_above(x)
            found = self._variance(x, stars, pairs)
        else:
            raise InputError(f"no law of the {kind} of errors; there are those of percentile, above and rms")
        return Scatter(found[0] * factor**2, found[1] * factor**2, float(reads))

    def share_above(self, x: float) -> float:
        """Share of the errors above x in the limit of many visits."""
        if self.estimator in SPREADS:
            return float(np.mean(self._widths > x))
        return float(np.mean(2 * special.ndtr(-x / self._widths)))

    def quantile(self, share: float) -> float:
        """Error that a share exceeds in the limit of many visits."""
        if self.estimator in SPREADS:
            return float(np.quantile(self._widths, 1 - share))
        top = 10 * float(self._widths.max())
        return float(optimize.brentq(lambda x: self.share_above(x) - share, 0.0, top))

    @cached_property
    def _widths(self) -> FloatArray:
        """Standard deviations of units in the limit of many visits."""
        rng = np.random.default_rng(0)
        square = np.exp(2 * self.law.spread * rng.standard_normal((2, 100_000)))
        if self.estimator in PAIRS:
            return np.asarray(np.sqrt(square[0] + square[1] + 2 * self.law.shift**2))
        return np.asarray(np.sqrt(square[0] + self.law.shift**2))

    @cached_property
    def _alone(self) -> FloatArray:
        """Errors of units that share the visits of their group: groups, units, and visits where each has an error."""
        return self._errors(np.random.default_rng(1), share_star=False)

    @cached_property
    def _sharing(self) -> FloatArray:
        """Errors of pairs that share a star as well."""
        return self._errors(np.random.default_rng(2), share_star=True)

    def _errors(self, rng: np.random.Generator, share_star: bool) -> FloatArray:
        groups = max(200, ROOM // (MEMBERS * self.visits))
        shape = (groups, MEMBERS, self.visits)
        if self.estimator in PAIRS:
            found = self._separations(rng, shape, share_star)
        else:
            sigma = self._sigma(rng, shape[:2])[..., None]
            found = sigma * rng.standard_normal(shape) + self.law.shift * rng.standard_normal((groups, 1, self.visits))
            if self.estimator in ("offset", "deviation_from_mean"):
                # the mean position in the other band, of as many visits
                other = sigma * rng.standard_normal((*shape[:2], 1)) + self.law.shift * rng.standard_normal(
                    (groups, 1, 1)
                )
                found -= other / np.sqrt(self.visits)
        if self.estimator in SPREADS:
            return np.asarray(found.std(axis=2, ddof=self.ddof))
        if self.estimator == "deviation":
            found -= np.median(found, axis=2, keepdims=True)
        elif self.estimator == "magnitude_deviation":
            found -= found.mean(axis=2, keepdims=True)
        elif self.estimator == "deviation_from_mean":
            found -= found.mean(axis=(1, 2), keepdims=True)
        return np.abs(found, out=found)

    def _separations(self, rng: np.random.Generator, shape: tuple[int, int, int], share_star: bool) -> FloatArray:
        """Deviations of separations: two stars, projected on the line between them, and the distortion of the visit."""
        groups, members, visits = shape
        angle = rng.uniform(0, 2 * np.pi, (groups, members, 1))
        found = self._sigma(rng, (groups, members))[..., None] * rng.standard_normal(shape)
        if share_star:
            along, across = self._sigma(rng, (groups, 1, 1)) * rng.standard_normal((2, groups, 1, visits))
            found -= np.cos(angle) * along + np.sin(angle) * across
        else:
            found -= self._sigma(rng, (groups, members))[..., None] * rng.standard_normal(shape)
        scale, shear, cross = self.law.shift * rng.standard_normal((3, groups, 1, visits))
        return np.asarray(found + scale + np.cos(2 * angle) * shear + np.sin(2 * angle) * cross)

    def _sigma(self, rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
        return np.asarray(np.exp(self.law.spread * rng.standard_normal(shape)))

    def _variance(self, x: float | None, stars: int, pairs: float) -> tuple[float, float]:
        """Variances of the mean share above x, or of the mean square, that come from stars and from visits."""
        one, common = _covariances(self._alone, x)
        visits = common if self.law.common else 0.0
        if self.estimator not in PAIRS:
            return max(0.0, one - visits) / stars, visits
        # visits are shared by these as well
        shared = _covariances(self._sharing, x)[1]
        neighbours = (2 * pairs) ** 2 / stars
        return (pairs * (one - visits) + neighbours * max(0.0, shared - visits)) / pairs**2, visits

    def _seen_above(self, x: float) -> float:
        """Share of the errors above x in these visits."""
        return float(np.mean(self._alone > x))


def _slope(share_above: Callable[[float], float], x: float) -> float:
    """Change of a share with the logarithm of x, downwards."""
    slope = (share_above(x * np.exp(-STEP)) - share_above(x * np.exp(STEP))) / (2 * STEP)
    if slope < LEAST_SLOPE:
        raise InputError("the fraction of outliers is too close to 0 or 100 % for the model of the errors")
    return slope


def _covariances(errors: FloatArray, x: float | None) -> tuple[float, float]:
    """Variance of a unit, and covariance of two units of a group: an analysis of variance, free of bias."""
    y = errors**2 if x is None else (errors > x).astype(np.float64)
    if y.ndim == 3:
        y = y.mean(axis=2)
    within = float(y.var(axis=1, ddof=1).mean())
    common = float(y.mean(axis=1).var(ddof=1)) - within / y.shape[1]
    return within + common, max(0.0, common)
