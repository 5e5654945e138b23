"""Order statistics of values that may count several times."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.arrays import AnyArray

Counts = NDArray[Any] | None


def percentile(values: AnyArray, share: float, counts: Counts = None) -> float:
    """Percentile, interpolated linearly between order statistics.

    Type 7 of Hyndman and Fan (1996).

    Parameters
    ----------
    values : (n,) float
    share : float
        Percent, 0 to 100.
    counts : (n,) int or float, optional
        How often each value stands in the list, once by default; as a float, its weight, the mean of which is 1.

    Returns
    -------
    float
        Of the list in which each value is repeated as often as it counts.

    Raises
    ------
    ValueError
        Nothing counts.
    """
    if counts is None:
        if not len(values):
            raise ValueError("no values")
        return float(np.percentile(values, share))
    order = np.argsort(values, kind="stable")
    ordered, upto = values[order], np.cumsum(counts[order])
    if not len(upto) or upto[-1] <= 0:
        raise ValueError("no values")
    place = (float(upto[-1]) - 1) * share / 100
    lower, part = int(place), place - int(place)
    low = ordered[np.searchsorted(upto, lower, side="right")]
    high = ordered[np.searchsorted(upto, min(lower + 1, round(upto[-1]) - 1), side="right")]
    return float(low + (high - low) * part)


def median(values: AnyArray, counts: Counts = None) -> float:
    """Median; parameters and errors as in `percentile`.

    The middle value, or the mean of the two in the middle.
    """
    return float(np.median(values)) if counts is None and len(values) else percentile(values, 50, counts)


def percentage_above(values: AnyArray, bound: float, counts: Counts = None) -> float:
    """Percentage of values strictly above a bound.

    Parameters and errors as in `percentile`.
    """
    total = len(values) if counts is None else counts.sum()
    if not total:
        raise ValueError("no values")
    above = values > bound
    return float(100 * (np.count_nonzero(above) if counts is None else counts[above].sum()) / total)
