r"""Model of measurement errors, and the implied sampling error of each metric.

**Model.** The error of a star has the standard deviation :math:`\sigma_i`, which is log-normal between stars:
``log_sigma_rms`` is the rms of :math:`\ln\sigma_i`. Single measurements are Gaussian and independent, apart from a part
that all stars of a visit share. ``shared_variance_fraction`` is the fraction of the variance that is shared, for a star
of median :math:`\sigma`. In magnitudes and in offsets of positions the shared part is a shift of the visit. In
separations it is an affine distortion of the visit: at the position angle :math:`\varphi` of a pair its separation
changes by :math:`q\,(\kappa_k + \gamma_k \cos 2\varphi + \gamma'_k \sin 2\varphi)`, a change of scale and two shears of
equal size. Every visit sees all stars.

**Sampling error.** Let :math:`y` be the fraction of the errors of a unit (a pair or a star) above some x. Let
:math:`\zeta_2` be the variance of a unit, :math:`\zeta_1` the covariance of two pairs that share a star, and
:math:`\zeta_0` that of two units that share only the visits. The mean of y over the P pairs of N stars has the variance

.. math:: \left[P\,\zeta_2 + n\,\zeta_1 + (P^2 - P - n)\,\zeta_0\right] / P^2, \qquad n = (2P)^2 / N,

because n ordered pairs of pairs share a star (Hoeffding 1948, for a graph with Poisson degrees). The mean over N stars
has the variance :math:`\zeta_2 / N + (1 - 1/N)\,\zeta_0`. From these follow the errors of the statistics. A quantile x
with the fraction p above it has the error :math:`\mathrm{sd}(\bar y) / |dp / d\ln x|` in its logarithm (Woodruff 1952).
An rms has half the relative error of the mean square. The error of a fraction, in its logit, follows from how it
changes with the scale of all errors. For pairs with independent, equal errors and many visits the error of the median
is :math:`1 / (2\sqrt{N (V - 1)})`: the number of stars counts, not that of pairs.

The covariances come from simulated errors, by an analysis of variance of groups whose units share the visits, and for
pairs also a star. If ``shared_variance_fraction`` = 0, :math:`\zeta_0` is exactly 0. The seed is fixed.
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

MAX_SIMULATED = 4_000_000
"""Simulated measurements in memory at a time."""

GROUP_SIZE = 100
"""Units of a group."""

LOG_STEP = 0.05
"""Step in the logarithm for the density at a quantile."""

MIN_SLOPE = 5e-3
"""Change of a fraction with the logarithm of x, below which too few simulated errors remain to measure it."""

PAIR_ESTIMATORS = ("pair_rms", "deviation")
RMS_ESTIMATORS = ("pair_rms", "magnitude_rms")
"""Estimators with one error per unit: its standard deviation."""

MODELED_ESTIMATORS = (
    *PAIR_ESTIMATORS,
    "magnitude_rms",
    "magnitude_deviation",
    "offset",
    "deviation_from_mean",
    "reference_offset",
)
"""Estimators whose errors the model describes."""


@dataclass(frozen=True)
class ErrorModel:
    """Assumptions about the errors of measurements.

    Raises
    ------
    InputError
        A fraction outside [0, 1), or an rms outside (0, 2].
    """

    log_sigma_rms: float = 0.3
    shared_variance_fraction: float = 0.2

    def __post_init__(self) -> None:
        if not 0 < self.log_sigma_rms <= 2:
            raise InputError(f"--error-spread {self.log_sigma_rms:g}: not above 0 and up to 2")
        if not 0 <= self.shared_variance_fraction < 1:
            raise InputError(f"--shared-variance {self.shared_variance_fraction:g}: not a fraction from 0 to below 1")

    @property
    def shared_sigma(self) -> float:
        """Standard deviation of what a visit shares, for a star of standard deviation 1."""
        return float(np.sqrt(self.shared_variance_fraction / (1 - self.shared_variance_fraction)))


@dataclass(frozen=True)
class SamplingError:
    """Sampling variances of the logarithm of a value, or of the logit of a fraction.

    Attributes
    ----------
    star_variance, visit_variance : float
        From the choice of stars (and pairs), and from the errors that the visits share.
    expected_reading : float
        Expected value as defined, divided by the true value; for a fraction the expected value itself.
    """

    star_variance: float
    visit_variance: float
    expected_reading: float

    @property
    def error(self) -> float:
        """Standard error."""
        return float(np.sqrt(self.star_variance + self.visit_variance))


@dataclass(frozen=True)
class SimulatedErrors:
    """Simulated errors of one estimator for a number of visits.

    In units of the error of the median star.

    Raises
    ------
    InputError
        The model does not describe the estimator, or there are fewer than two visits.
    """

    model: ErrorModel
    estimator: str
    visits: int
    ddof: int = 1

    def __post_init__(self) -> None:
        if self.estimator not in MODELED_ESTIMATORS:
            known = ", ".join(MODELED_ESTIMATORS)
            raise InputError(f"there is no model of the errors of {self.estimator}, only of {known}")
        if self.visits < 2:
            raise InputError(f"--visits {self.visits}: at least two visits are needed")

    def sampling_error(self, kind: Kind, fraction: float, stars: int, pairs: float = 0.0) -> SamplingError:
        """Return the sampling error of a statistic.

        Parameters
        ----------
        kind : {"percentile", "above", "rms"}
        fraction : float
            True fraction of the errors above the percentile or above the threshold; not used for an rms.
        stars : int
        pairs : float
            Number of pairs of stars, for estimators of pairs.

        Raises
        ------
        InputError
            Another kind, or a fraction too close to 0 or 1 for the model.
        """
        if kind == "rms":
            mean = float(np.mean(self._errors**2))
            # the logarithm of an rms is half that of the mean square
            factor, reading = 1 / (2 * mean), np.sqrt(mean / np.mean(self._true_sigmas**2))
            variances = self._variances(None, stars, pairs)
        elif kind == "percentile":
            x = float(np.quantile(self._errors, 1 - fraction))
            factor, reading = 1 / _slope(self._simulated_fraction_above, x), x / self.quantile(fraction)
            variances = self._variances(x, stars, pairs)
        elif kind == "above":
            x = self.quantile(fraction)
            true_slope = _slope(self.fraction_above, x)
            factor = true_slope / (_slope(self._simulated_fraction_above, x) * fraction * (1 - fraction))
            reading = self._simulated_fraction_above(x)
            variances = self._variances(x, stars, pairs)
        else:
            raise InputError(f"there is no error model for the {kind} of errors, only for percentile, above and rms")
        return SamplingError(variances[0] * factor**2, variances[1] * factor**2, float(reading))

    def fraction_above(self, x: float) -> float:
        """Return the fraction of the errors above x in the limit of many visits."""
        if self.estimator in RMS_ESTIMATORS:
            return float(np.mean(self._true_sigmas > x))
        return float(np.mean(2 * special.ndtr(-x / self._true_sigmas)))

    def quantile(self, fraction: float) -> float:
        """Return the error that a fraction of them exceeds in the limit of many visits."""
        if self.estimator in RMS_ESTIMATORS:
            return float(np.quantile(self._true_sigmas, 1 - fraction))
        top = 10 * float(self._true_sigmas.max())
        return float(optimize.brentq(lambda x: self.fraction_above(x) - fraction, 0.0, top))

    @cached_property
    def _true_sigmas(self) -> FloatArray:
        """Standard deviations of units in the limit of many visits."""
        rng = np.random.default_rng(0)
        square = np.exp(2 * self.model.log_sigma_rms * rng.standard_normal((2, 100_000)))
        if self.estimator in PAIR_ESTIMATORS:
            return np.asarray(np.sqrt(square[0] + square[1] + 2 * self.model.shared_sigma**2))
        return np.asarray(np.sqrt(square[0] + self.model.shared_sigma**2))

    @cached_property
    def _errors(self) -> FloatArray:
        """Errors of units that share the visits of their group.

        The axes are groups, units, and visits if each has an error.
        """
        return self._simulate(np.random.default_rng(1), share_star=False)

    @cached_property
    def _errors_with_shared_star(self) -> FloatArray:
        """Errors of pairs that share a star in addition to the visits."""
        return self._simulate(np.random.default_rng(2), share_star=True)

    def _simulate(self, rng: np.random.Generator, *, share_star: bool) -> FloatArray:
        groups = max(200, MAX_SIMULATED // (GROUP_SIZE * self.visits))
        shape = (groups, GROUP_SIZE, self.visits)
        shared = self.model.shared_sigma
        if self.estimator in PAIR_ESTIMATORS:
            errors = self._separations(rng, shape, share_star=share_star)
        else:
            sigma = self._sigma(rng, shape[:2])[..., None]
            errors = sigma * rng.standard_normal(shape) + shared * rng.standard_normal((groups, 1, self.visits))
            if self.estimator in ("offset", "deviation_from_mean"):
                # the mean position in the other band, over as many visits
                other = sigma * rng.standard_normal((*shape[:2], 1)) + shared * rng.standard_normal((groups, 1, 1))
                errors -= other / np.sqrt(self.visits)
        if self.estimator in RMS_ESTIMATORS:
            return np.asarray(errors.std(axis=2, ddof=self.ddof))
        if self.estimator == "deviation":
            errors -= np.median(errors, axis=2, keepdims=True)
        elif self.estimator == "magnitude_deviation":
            errors -= errors.mean(axis=2, keepdims=True)
        elif self.estimator == "deviation_from_mean":
            errors -= errors.mean(axis=(1, 2), keepdims=True)
        return np.abs(errors, out=errors)

    def _separations(self, rng: np.random.Generator, shape: tuple[int, int, int], *, share_star: bool) -> FloatArray:
        """Deviations of separations, with errors of both stars and of the visit.

        Errors of two stars along the line between them, and the distortion of the visit.
        """
        groups, members, visits = shape
        angle = rng.uniform(0, 2 * np.pi, (groups, members, 1))
        errors = self._sigma(rng, (groups, members))[..., None] * rng.standard_normal(shape)
        if share_star:
            along, across = self._sigma(rng, (groups, 1, 1)) * rng.standard_normal((2, groups, 1, visits))
            errors -= np.cos(angle) * along + np.sin(angle) * across
        else:
            errors -= self._sigma(rng, (groups, members))[..., None] * rng.standard_normal(shape)
        scale, shear, cross = self.model.shared_sigma * rng.standard_normal((3, groups, 1, visits))
        return np.asarray(errors + scale + np.cos(2 * angle) * shear + np.sin(2 * angle) * cross)

    def _sigma(self, rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
        return np.asarray(np.exp(self.model.log_sigma_rms * rng.standard_normal(shape)))

    def _variances(self, x: float | None, stars: int, pairs: float) -> tuple[float, float]:
        """Variances of the mean fraction above x, or mean square, by stars and visits."""
        unit, common = _covariances(self._errors, x)
        visits = common if self.model.shared_variance_fraction else 0.0
        if self.estimator not in PAIR_ESTIMATORS:
            return max(0.0, unit - visits) / stars, visits
        # pairs that share a star share the visits as well
        with_star = _covariances(self._errors_with_shared_star, x)[1]
        neighbours = (2 * pairs) ** 2 / stars
        return (pairs * (unit - visits) + neighbours * max(0.0, with_star - visits)) / pairs**2, visits

    def _simulated_fraction_above(self, x: float) -> float:
        """Fraction of the errors above x in these visits."""
        return float(np.mean(self._errors > x))


def _slope(fraction_above: Callable[[float], float], x: float) -> float:
    """Decrease of a fraction per unit of the logarithm of x."""
    slope = (fraction_above(x * np.exp(-LOG_STEP)) - fraction_above(x * np.exp(LOG_STEP))) / (2 * LOG_STEP)
    if slope < MIN_SLOPE:
        raise InputError("the fraction of outliers is too close to 0 or 100 % for the error model")
    return slope


def _covariances(errors: FloatArray, x: float | None) -> tuple[float, float]:
    """Unbiased variance of a unit, and covariance of two units of a group."""
    y = errors**2 if x is None else (errors > x).astype(np.float64)
    if y.ndim == 3:
        y = y.mean(axis=2)
    within = float(y.var(axis=1, ddof=1).mean())
    common = float(y.mean(axis=1).var(ddof=1)) - within / y.shape[1]
    return within + common, max(0.0, common)
