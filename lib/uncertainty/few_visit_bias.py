r"""What few visits do to a scatter, and the values that many visits would give.

The sample variance :math:`s_k^2` of unit k (a star, or the separation of a pair) over :math:`n_k` visits is an unbiased
estimate of its variance :math:`\sigma_k^2` whatever the distribution of the errors; a median, a percentile or a share
of :math:`s_k` is not one of the same of :math:`\sigma_k`. Two steps lead from the one to the other:

1. The mean of :math:`s_k^2` is a sum of smooth functions of the brightness of the stars of the unit, each at least
   zero: :math:`f_k = \sum_{i \in k} h(x_i)`, h linear between knots (`Model`). Independent errors of two stars add so,
   and errors that stars have in common belong to h.
2. What remains, :math:`u_k = s_k^2 / f_k`, is noise and persistent differences between units (a place in the field, a
   bad star). The variance :math:`\eta` of the persistent part is the covariance of squared differences between disjoint
   visits (`heterogeneity`), in which errors of single visits, outliers included, have no part. Then

   .. math:: \hat\sigma_k^2 \propto f_k u_k^{\rho}, \quad 0 \le \rho \le 1,

   with the mean of :math:`u_k` and the exponent for which the variance is :math:`\eta` (`persistent`): constrained
   shrinkage (Louis 1984; Ghosh 1992) on the logarithm. With many visits :math:`\rho \to 1` and nothing changes.

Where nothing persists, what is found of :math:`\eta` varies about nil. Were less than nil taken for nil, medians would
be low on average and percentiles high. Less than nil therefore does the opposite of what as much above nil would.

With fewer than four visits there are no two disjoint differences and :math:`\eta = 0` is taken, that is what brightness
does not explain is noise; the other extreme, Gaussian errors whose excess scatter is all persistent, bounds the bias.

An error of another kind, a star that was taken for another one, has no limit of many visits: a few in a thousand would
be all of the mean of :math:`s_k^2`. Units with a residual beyond `GROSS` times what is modelled (`gross`) take no part
in the model and keep the :math:`s_k` that they have.

Deviations of single measurements from the mean of their unit are :math:`\sqrt{1 - 1/n}` too small, which is exact for
the variance. Their distribution is also more Gaussian than that of the errors: `errors_of` undoes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, isotonic_regression, nnls
from skyaccept.lib.arrays import FloatArray

KNOTS = 6
"""Knots of the function of brightness, at quantiles of the stars."""

_STARS_PER_KNOT = 12
_FLOOR = 1e-3  # least model variance, of the mean
_TINY = 1e-12
_ROUNDS = 4

_REACH = 15.0  # of residuals, in standard deviations
_WIDTHS = 48  # quantiles of standard deviations that stand for all of them

GROSS = 20.0
"""Modelled standard deviations beyond which a residual is no scatter; outliers five times wider stay below."""

FEWEST = 4
"""Visits from which persistent differences can be told from noise."""


def design(brightness: FloatArray | None, stars: NDArray[np.int64]) -> FloatArray:
    """Columns whose sum, each times a number that is not negative, models the variance of a unit.

    Parameters
    ----------
    brightness : (n_stars,) float64, optional
        Logarithm of S/N, or magnitude; without it all stars count as alike.
    stars : (n_units, 1 or 2) int64
        Stars of each unit.

    Returns
    -------
    (n_units, n_knots) float64
        Sum over the stars of the unit of the hat function of each knot.
    """
    if brightness is None:
        return np.full((len(stars), 1), float(stars.shape[1]))
    used = brightness[np.unique(stars)]
    number = max(1, min(KNOTS, len(used) // _STARS_PER_KNOT))
    knots = np.unique(np.quantile(used, np.linspace(0, 1, number)))
    hats = np.stack([np.interp(brightness, knots, column) for column in np.eye(len(knots))], axis=1)
    return np.asarray(hats[stars].sum(axis=1))


@dataclass(frozen=True)
class Model:
    """Smooth part f of the variances: weighted least squares with coefficients of at least zero.

    The weights are those of all units, so that a fit to some of them takes no more than the sums of the others.
    """

    columns: FloatArray
    squares: FloatArray
    weighted: FloatArray
    normal: FloatArray
    right: FloatArray

    @classmethod
    def of(cls, columns: FloatArray, squares: FloatArray, free: FloatArray) -> Model:
        """Model of all units.

        Parameters
        ----------
        columns : (n, k) float64
            As `design` gives them.
        squares : (n,) float64
            Sample variances.
        free : (n,) float64
            Their degrees of freedom.
        """
        found = cls._weighted(columns, squares, free)
        for _ in range(2):  # weighted as the model says, which hardly changes any more
            fitted = found.fit(np.zeros(len(squares), dtype=bool))
            if fitted.any():
                found = cls._weighted(columns, squares, free / (fitted / fitted.mean()) ** 2)
        return found

    @classmethod
    def _weighted(cls, columns: FloatArray, squares: FloatArray, weights: FloatArray) -> Model:
        weighted = columns * weights[:, None]
        return cls(columns, squares, weighted, weighted.T @ columns, weighted.T @ squares)

    def fit(self, without: NDArray[np.bool_]) -> FloatArray:
        """Modelled variances of the units that are not left out."""
        return self.of_units(self.columns[~without], without)

    def of_units(self, columns: FloatArray, without: NDArray[np.bool_]) -> FloatArray:
        """Variances of any units, by their columns, as modelled by the units that are not left out."""
        out = np.flatnonzero(without)
        normal = self.normal - self.weighted[out].T @ self.columns[out]
        right = self.right - self.weighted[out].T @ self.squares[out]
        mean = float(self.squares[~without].mean())
        if mean == 0:
            return np.zeros(len(columns))
        factor = np.linalg.cholesky(normal + 1e-9 * np.trace(normal) / len(right) * np.eye(len(right)))
        coefficients, _ = nnls(factor.T, np.linalg.solve(factor, right))
        return np.asarray(np.maximum(columns @ coefficients, _FLOOR * mean))


def gross(columns: FloatArray, squares: FloatArray, free: FloatArray, largest: FloatArray) -> NDArray[np.bool_]:
    """Units with a residual that no scatter explains; none where that is so of more than half of them.

    Parameters
    ----------
    columns, squares, free : (n, k), (n,) and (n,) float64
        As for `Model.of`.
    largest : (n,) float64
        Size of the largest residual of each unit.
    """
    # what the median says is coarse, and wrong for units that are far from it; the model of the others mends that
    found = largest > GROSS * np.sqrt(np.median(squares))
    for _ in range(_ROUNDS):
        if not found.any():
            break
        kept = ~found
        model = Model.of(columns[kept], squares[kept], free[kept])
        found = largest > GROSS * np.sqrt(model.of_units(columns, np.zeros(len(model.squares), dtype=bool)))
        if found.all():
            break
    return np.asarray(found if 2 * np.count_nonzero(found) <= len(found) else np.zeros(len(found), dtype=bool))


def common(residuals: FloatArray, fitted: FloatArray) -> float:
    """Relative variance of the mean of ``squares / fitted`` from what the visits happen to be.

    The jackknife over visits of the mean of sample variances, which follows from the mean square of each visit.

    Parameters
    ----------
    residuals : (n, v) float64
        About the mean of each unit; NaN where there is no measurement.
    fitted : (n,) float64
        As `Model` gives them.
    """
    seen = np.isfinite(residuals)
    taken = seen.any(axis=0)
    visits = np.count_nonzero(taken)
    if visits < FEWEST or not fitted.all():
        return 0.0
    square = (1 / fitted) @ np.where(seen, residuals, 0.0)[:, taken] ** 2 / np.count_nonzero(seen[:, taken], axis=0)
    mean = square.sum() / (visits - 1)
    return float(square.var() * visits**2 / ((visits - 1) * (visits - 2) ** 2) / mean**2) if mean > 0 else 0.0


def heterogeneity(
    squares: FloatArray, fourth: FloatArray, number: FloatArray, fitted: FloatArray, shared: float = 0.0
) -> float | None:
    r"""Variance of the persistent part of ``squares / fitted``, relative to its mean squared.

    Over all ways to take two disjoint pairs of visits from the n of a unit, the mean product of half the squared
    differences, an unbiased estimate of :math:`\sigma^4`, is with :math:`M_p = \sum_j (e_j - \bar e)^p`

    .. math:: \frac{(n^2 - 3 n + 3) M_2^2 - n (n - 1) M_4}{n (n - 1) (n - 2) (n - 3)}.

    The square of the mean is too large by the variance of the mean, of which the visits may make much.

    Parameters
    ----------
    squares, fourth : (n,) float64
        Sample variances (ddof = 1), and :math:`M_4`.
    number : (n,) float64
        Visits of each unit.
    fitted : (n,) float64
        As `Model` gives them.
    shared : float
        As `common` gives it.

    Returns
    -------
    float or None
        None where hardly a unit has four visits. It varies about nil where nothing persists.
    """
    enough = number >= FEWEST
    if np.count_nonzero(enough) < max(2, 0.5 * len(number)):
        return None
    if not fitted.all():
        return 0.0
    n, f = number[enough], fitted[enough]
    second = squares[enough] * (n - 1)
    products = ((n * n - 3 * n + 3) * second**2 - n * (n - 1) * fourth[enough]) / (n * (n - 1) * (n - 2) * (n - 3))
    square = float(np.mean(squares[enough] / f)) ** 2 * max(1 - shared, 0.5)
    return float(np.mean(products / f**2)) / square - 1 if square > 0 else 0.0


def gaussian_heterogeneity(squares: FloatArray, number: FloatArray, fitted: FloatArray) -> float:
    """The same if the errors of single measurements are Gaussian, so that all other scatter is persistent."""
    if not fitted.all():
        return 0.0
    ratio = squares / fitted
    mean, noise = float(ratio.mean()), float(np.mean(2 / (number - 1)))
    return max(0.0, (float(ratio.var()) / mean**2 - noise) / (1 + noise)) if mean > 0 else 0.0


def persistent(squares: FloatArray, number: FloatArray, fitted: FloatArray, eta: float) -> FloatArray:
    """Variances whose mean follows the model and whose relative scatter about it has the variance ``eta``.

    Parameters
    ----------
    squares, number, fitted : (n,) float64
        Sample variances, visits and model of each unit.
    eta : float
        Below nil each quantile moves by the opposite of what it would for as much above, as far as they stay in order.

    Returns
    -------
    (n,) float64
    """
    if abs(eta) <= _TINY or not fitted.any():
        return fitted
    if eta < 0:
        order = np.argsort(fitted, kind="stable")
        smooth, wide = np.log(fitted[order]), np.log(np.sort(persistent(squares, number, fitted, -eta)))
        opposite = np.empty(len(fitted))
        opposite[order] = np.exp(isotonic_regression(2 * smooth - wide).x)
        return opposite
    logarithm = np.log(np.maximum(squares / fitted, _TINY))
    visits, group = np.unique(number, return_inverse=True)
    counts = np.bincount(group)
    reliability = np.sqrt(eta / (eta + 2 / (visits - 1)))

    def spread(strength: float) -> FloatArray:
        power = np.exp(np.minimum(strength * reliability, 1.0)[group] * logarithm)
        means = np.bincount(group, power) / counts
        return np.asarray(power / means[group])

    def beyond(strength: float) -> float:
        relative = spread(strength)  # its mean is 1
        return float(relative @ relative) / len(relative) - 1 - eta

    strength = 1 / float(reliability.min())
    if beyond(strength) > 0:
        strength = brentq(beyond, 0.0, strength, xtol=1e-9)
    return fitted * spread(strength)


def sizes(residuals: FloatArray, visits: float, widths: FloatArray) -> tuple[FloatArray, FloatArray]:
    """How large the errors of many visits are where the residuals about the mean of a few have a given size.

    Parameters
    ----------
    residuals : (m,) float64
        As for `errors_of`.
    visits : float
        Visits of a unit.
    widths : (n,) float64
        Standard deviations of the units.

    Returns
    -------
    before, after : (k,) float64
        The same quantiles of the sizes of residuals and of errors, ascending.
    """
    size, errors, predicted = errors_of(residuals, visits)
    some = np.quantile(widths, (np.arange(_WIDTHS) + 0.5) / _WIDTHS)
    all_sizes = np.outer(some, size).ravel()
    order = np.argsort(all_sizes, kind="stable")
    ordered = all_sizes[order]
    tail = np.geomspace(1e-4, 0.5, 60)
    shares = np.concatenate([tail, 1 - tail[-2::-1]])
    before, after = (
        np.interp(shares, np.cumsum(np.tile(p, len(some))[order]) / len(some), ordered) for p in (predicted, errors)
    )
    return before, after


def errors_of(residuals: FloatArray, visits: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    r"""Distribution of errors from that of residuals about the mean of n of them, both of unit variance.

    A residual times :math:`\sqrt{n / (n-1)}` is :math:`a e_k - b \sum_{j \ne k} e_j` with :math:`a^2 = 1 - 1/n` and
    :math:`b = a / (n - 1)`. The density of e is found from that of the residuals by Richardson-Lucy iteration (1972,
    1974), in which the sum of the other n - 1 errors is distributed as the current estimate says. Both are even, so
    that sizes tell all.

    Parameters
    ----------
    residuals : (m,) float64
        In units of the standard deviation of their unit, times the factor above.
    visits : float
        n.

    Returns
    -------
    size, errors, residuals : (k,) float64
        Sizes in ascending order, and the probability of each among errors, and among residuals that follow from them.
    """
    step, cosines, back, low, part = _tables(visits)
    half = cosines.shape[1] - 1
    counts = np.bincount(np.minimum(np.rint(np.abs(residuals) / step).astype(np.int64), half), minlength=half + 1)
    errors = seen = counts / counts.sum()
    for _ in range(12):
        others = np.maximum(back @ np.maximum(cosines @ errors, 0) ** (visits - 1), 0)
        same, opposite = others[low] + part * (others[low + 1] - others[low])
        kernel = same + opposite
        kernel[:, 0] = same[:, 0]  # nothing is on its other side
        kernel /= kernel.sum(axis=1, keepdims=True)
        predicted = errors @ kernel
        errors, before = errors * (kernel @ (seen / np.maximum(predicted, _TINY))), errors
        errors = errors / errors.sum()
    fine = np.linspace(0, half * step, 8 * half + 1)

    def smooth(sizes: FloatArray) -> FloatArray:
        density = np.concatenate([sizes[:1], sizes[1:] / 2])
        found = np.interp(fine, np.arange(half + 1) * step, density)
        return np.asarray(found / found.sum())

    return fine, smooth(before), smooth(predicted)


@lru_cache(maxsize=4)  # a jackknife asks for the same number of visits again and again
def _tables(visits: float) -> tuple[float, FloatArray, FloatArray, NDArray[np.int64], FloatArray]:
    """What the iteration of `errors_of` needs of the number of visits.

    The step of the sizes; cosines that make a characteristic function of their distribution, and back, at a quarter of
    the step; and the place there of the sum of the other errors, if residual and error have the same sign or not.
    """
    step = min(0.25, 0.5 / np.sqrt(visits))
    size = np.arange(round(_REACH / step) + 1) * step
    a = np.sqrt(1 - 1 / visits)
    frequency = np.linspace(0, np.pi / step, 400)
    cosines = np.cos(np.outer(a / (visits - 1) * frequency, size))
    lag = np.arange(0, 2 * _REACH, step / 4)
    back = np.cos(np.outer(lag, frequency))
    back[:, [0, -1]] /= 2
    place = np.abs(np.stack([size - a * size[:, None], size + a * size[:, None]])) / (step / 4)
    low = np.minimum(place.astype(np.int64), len(lag) - 2)
    return step, cosines, back, low, place - low
