r"""How much too large a delete-block jackknife is by noise.

For what is no plain mean.

A jackknife is exact for a mean of independent values, and too large for what is not (Efron and Stein 1981). By how
much can be said of some: a scatter about the mean of few visits, errors about the mean of few others, and a mean over
pairs of stars, of which each belongs to two cells.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_FEWEST = 3  # visits of which one can be left out


def of_visits(visits: float, blocks: int) -> float:
    r"""Jackknife by visits of a sample variance, over its variance.

    For Gaussian errors.

    Without a block of m visits it has k - 1 = n - m - 1 degrees of freedom, and two replicates have o = n - 2 m visits
    in common. From their covariance,

    .. math:: \frac{(B - 1)^2 (n - 1)}{B} \left(\frac{1}{k - 1} - \frac{o (k - 1)^2 + o (o - 1)}{k^2 (k - 1)^2}\right),

    which is (n - 1) / (n - 2) where m = 1.

    Parameters
    ----------
    visits : float
        n, of a unit.
    blocks : int
        B; where there are more blocks than visits of a unit, each of its visits is a block.

    Returns
    -------
    float
        1 where a unit that loses a visit has no scatter left, with fewer than three.
    """
    if visits < _FEWEST:
        return 1.0
    number = min(float(blocks), visits)
    kept, shared = visits - visits / number, visits - 2 * visits / number
    covariance = (shared * (kept - 1) ** 2 + shared * (shared - 1)) / (kept * (kept - 1)) ** 2
    return (number - 1) ** 2 / number * (visits - 1) * (1 / (kept - 1) - covariance)


def of_offsets(visits: float, others: float, blocks: int) -> float:
    r"""The same of a mean square of offsets x about the mean of a few others o.

    Less the variance of that mean.

    It is :math:`\overline{x^2} - 2 \bar x \bar o + (\bar o^2 - s_o^2 / m)`, of which the variances are as 2 / V,
    4 / (V m) and 2 / (m (m - 1)). A block takes visits of both sides with it.

    Parameters
    ----------
    visits, others : float
        V and m, of a unit.
    blocks : int

    Returns
    -------
    float
        1 where either side has fewer than three visits.
    """
    if min(visits, others) < _FEWEST:
        return 1.0

    def terms(x: float, o: float, common_x: float, common_o: float) -> float:
        """Covariance of two replicates of x and o visits, some of them in both."""
        square, product = common_x / x**2, common_x * common_o / (x * o) ** 2
        return 2 * square + 4 * product + 2 * common_o * (common_o - 1) / (o * (o - 1)) ** 2

    left, common = 1 - 1 / blocks, 1 - 2 / blocks
    x, o = visits * left, others * left
    between = terms(x, o, x, o) - terms(x, o, visits * common, others * common)
    return (blocks - 1) ** 2 / blocks * between / terms(visits, others, visits, others)


def of_stars(pairs: NDArray[np.int64], cell: NDArray[np.int64]) -> float:
    r"""Jackknife by cells of stars of a mean over pairs, over its variance.

    The value of a pair is the square of a difference of two Gaussian errors, :math:`e_i^2 + e_j^2 - 2 e_i e_j`. With
    :math:`d_i` pairs of star i, and P in all, the variance of their mean is :math:`(2 \sum_i d_i^2 + 4 P) \sigma^4 /
    P^2`. A cell takes all pairs of its stars with it, so that d falls for stars of other cells as well. What the
    jackknife makes of both terms is a sum over stars, and one over pairs.

    Parameters
    ----------
    pairs : (n, 2) int64
        Stars of each pair.
    cell : (n_stars,) int64
        Cell of each star, from 0.

    Returns
    -------
    float
        1 where some cell leaves no pairs.
    """
    number, (here, there) = int(cell.max()) + 1, cell[pairs].T
    of_star = np.zeros((len(cell), number))  # pairs of a star with those of a cell
    np.add.at(of_star, (pairs[:, 0], there), 1)
    np.add.at(of_star, (pairs[:, 1], here), 1)
    between = np.zeros((number, number))
    np.add.at(between, (np.minimum(here, there), np.maximum(here, there)), 1)
    left = len(pairs) - between.sum(axis=0) - between.sum(axis=1) + between.diagonal()
    if not left.all():
        return 1.0
    degree = of_star.sum(axis=1)
    weights = (degree[:, None] - of_star) / left
    weights[np.arange(len(cell)), cell] = 0
    by_star = float(np.sum((weights - weights.mean(axis=1, keepdims=True)) ** 2))
    one, other = np.nonzero(between)
    weights = np.tile(1 / left, (len(one), 1))
    weights[np.arange(len(one)), one] = weights[np.arange(len(one)), other] = 0
    by_pair = float(between[one, other] @ np.sum((weights - weights.mean(axis=1, keepdims=True)) ** 2, axis=1))
    true = 2 * float(np.sum(degree**2)) + 4 * len(pairs)
    return (number - 1) / number * (2 * by_star + 4 * by_pair) * len(pairs) ** 2 / true
