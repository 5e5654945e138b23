"""Median of some numbers, NaN among them, by counting.

It is exact, without a branch that is hard to predict.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.numba_cache import cached_njit
from skyaccept.lib.separation import lanes
from skyaccept.lib.separation.lanes import LANES, load, select_below, zero_where_nan

Number = Any  # float64 or float32: compiled code keeps the precision that it is given


@cached_njit()
def median(values: AnyArray, n: int) -> Number:
    """Median of the n numbers that are not NaN.

    Parameters
    ----------
    values : (room,) float
        Room is a multiple of `LANES`.
    n : int
    """
    upper = _ranked(values, n, n // 2)
    lower = upper if n % 2 else _largest_below(values, upper)
    if upper != upper:  # equal values, or a distribution like no other; NaN is sorted behind all numbers
        ordered = np.sort(values)
        lower, upper = ordered[(n - 1) // 2], ordered[n // 2]
    return (lower + upper) / values.dtype.type(2)


@cached_njit()
def _ranked(values: AnyArray, n: int, rank: int) -> Number:
    """Value of a rank among the n that are not NaN.

    0 is the smallest; NaN where it could not be told apart.

    The value is bracketed by counting how many are smaller than each of four pivots. These lie where it is expected
    about the mean of a Gaussian distribution at first, and where interpolation in the bracket puts it then: three
    passes without a branch in them, most often, where sorting or partitioning mispredicts at every step.
    """
    number = values.dtype.type
    total = square = lanes.zeros(values)
    for v in range(0, len(values), LANES):
        seen = zero_where_nan(load(values, v))
        total += seen
        square += seen * seen
    middle = lanes.total(total) / n
    step = 0.76 * np.sqrt(max(lanes.total(square) / n - middle * middle, 0.0) / n)
    low, high, count_low, count_high = number(-np.inf), number(np.inf), 0, n
    for _ in range(40):
        p, q = number(middle - 1.5 * step), number(middle - 0.5 * step)
        r, s = number(middle + 0.5 * step), number(middle + 1.5 * step)
        below_p, below_q, below_r, below_s = _below(values, p, q, r, s)
        before = count_high - count_low
        # the last pivot with few enough below it, and the first with too many
        low, count_low, high, count_high = _narrow(p, below_p, rank, low, count_low, high, count_high)
        low, count_low, high, count_high = _narrow(q, below_q, rank, low, count_low, high, count_high)
        low, count_low, high, count_high = _narrow(r, below_r, rank, low, count_low, high, count_high)
        low, count_low, high, count_high = _narrow(s, below_s, rank, low, count_low, high, count_high)
        within = count_high - count_low
        if within == 1:
            return _sum_between(values, low, high)
        if low == -np.inf:
            middle, step = high - 3 * step, 2 * step
        elif high == np.inf:
            middle, step = low + 3 * step, 2 * step
        elif within < before:
            middle = low + (high - low) * ((rank + 0.5 - count_low) / within)
            step = (high - low) * (0.5 / np.sqrt(within))
        else:
            middle, step = 0.5 * (low + high), 0.25 * (high - low)
            if not low < number(middle) < high:
                break
    return number(np.nan)


@cached_njit()
def _narrow(
    pivot: Number, below: int, rank: int, low: Number, count_low: int, high: Number, count_high: int
) -> tuple[Number, int, Number, int]:
    """Bracket of a value of some rank, from the number smaller than a pivot."""
    raises, lowers = (pivot > low) & (below <= rank), (pivot < high) & (below > rank)
    count_low, count_high = below if raises else count_low, below if lowers else count_high
    return pivot if raises else low, count_low, pivot if lowers else high, count_high


@cached_njit()
def _below(values: AnyArray, p: Number, q: Number, r: Number, s: Number) -> tuple[int, int, int, int]:
    """How many numbers are smaller than each of four pivots."""
    below_p = below_q = below_r = below_s = lanes.zeros(values)
    for v in range(0, len(values), LANES):
        value = load(values, v)
        below_p += select_below(value, p, 1, 0)
        below_q += select_below(value, q, 1, 0)
        below_r += select_below(value, r, 1, 0)
        below_s += select_below(value, s, 1, 0)
    return int(lanes.total(below_p)), int(lanes.total(below_q)), int(lanes.total(below_r)), int(lanes.total(below_s))


@cached_njit()
def _sum_between(values: AnyArray, low: Number, high: Number) -> Number:
    """Sum of the numbers from ``low`` to less than ``high``."""
    total = lanes.zeros(values)
    for v in range(0, len(values), LANES):
        value = load(values, v)
        total += select_below(value, low, 0, select_below(value, high, value, 0))
    return lanes.total(total)


@cached_njit()
def _largest_below(values: AnyArray, bound: Number) -> Number:
    """The largest number that is smaller than a bound."""
    largest = lanes.zeros(values) - np.inf
    for v in range(0, len(values), LANES):
        value = load(values, v)
        smaller = select_below(value, bound, value, -np.inf)
        largest = select_below(largest, smaller, smaller, largest)
    return lanes.largest(largest)
