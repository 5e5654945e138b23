r"""One pair: its deviations visit by visit, and their reduction.

For a pair at an angle :math:`\theta` between the mean directions let :math:`l_i, w_i` be the offset of object i along
the great circle towards j and to its left, and the same at j along the continued great circle. Then the separation
changes by

.. math:: l_j - l_i + \tfrac12 (w_i^2 + w_j^2) \cot\theta - \frac{w_i w_j}{\sin\theta} + \epsilon, \quad
   |\epsilon| \le r^3 / \sin^2\theta,

with r the sum of the two largest offsets. This *short* form in float32 serves a pair where the sum of that bound and of
a bound of the rounding stays below `TOLERANCE`. All other pairs, and all pairs of a small dataset, are measured in
float64. There the *fine* form adds the term of third order,

.. math:: -\tfrac12 (l_j - l_i) \frac{w_i^2 + w_j^2 - 2 w_i w_j \cos\theta}{\sin^2\theta}, \quad
   |\epsilon| \le r^4 / \sin^3\theta + r^3,

and serves pairs for which that bound stays below `FINE_TOLERANCE`; what remains, close or fast pairs, takes the *exact*
form: with chord :math:`c = 2\sin(\theta/2)`, sum :math:`s = 2\cos(\theta/2)`, and the same with index 0 for the mean
directions,

.. math:: \sin\frac{\theta - \theta_0}{2} = \frac{c^2 - c_0^2}{c\,s_0 + s\,c_0},

whose numerator :math:`2 D_0 \cdot d + |d|^2` for the chord vector :math:`D_0 + d` (or minus the same for the vector
sum, beyond 90 degrees) holds no difference of large numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.jit import compiled
from skyaccept.lib.sphere import MAS, Float

TOLERANCE = 1e-4
"""Largest error of a separation that the short form may make, mas."""

FINE_TOLERANCE = 1e-6
"""Largest error of a separation that the fine form may make, mas."""

ROUNDING = 4e-7
"""Bound of the rounding of the short form, relative to the sum of the two largest offsets."""

RMS, ABOUT_MEDIAN, ABOUT_MEAN = 0, 1, 2
"""Reductions of a pair: one standard deviation, or its deviations from their median or mean."""

LANES = 64
"""Values that compiled loops take in one step at most."""

Numbers = NDArray[Any]
Number = Any  # float64 or float32: compiled code keeps the precision that it is given


@compiled()
def short_form(
    direction: Float, east: Float, north: Float, i: int, j: int, dx: float, dy: float, dz: float, chord2: float
) -> tuple[Number, ...]:
    """Direction cosines of the great circle at i and at j, and the factors of the squares, per mas."""
    a = east[i, 0] * dx + east[i, 1] * dy + east[i, 2] * dz
    b = north[i, 0] * dx + north[i, 1] * dy + north[i, 2] * dz
    c = east[j, 0] * dx + east[j, 1] * dy + east[j, 2] * dz
    d = north[j, 0] * dx + north[j, 1] * dy + north[j, 2] * dz
    inverse = 1 / np.sqrt(a * a + b * b)
    cos = 1 - chord2 / 2
    return (
        np.float32(a * inverse),
        np.float32(b * inverse),
        np.float32(c * inverse),
        np.float32(d * inverse),
        np.float32(0.5 * MAS * cos * inverse),
        np.float32(MAS * inverse),
    )


@compiled()
def _short_value(
    xi: Number,
    yi: Number,
    xj: Number,
    yj: Number,
    a: Number,
    b: Number,
    c: Number,
    d: Number,
    cot: Number,
    csc: Number,
) -> Number:
    """Deviation in one visit by the short form, mas; NaN where one was not seen."""
    wi = a * yi - b * xi
    wj = c * yj - d * xj
    return c * xj + d * yj - a * xi - b * yi + (wi * wi + wj * wj) * cot - wi * wj * csc


@compiled()
def sums(
    x: Numbers,
    y: Numbers,
    i: int,
    j: int,
    a: Number,
    b: Number,
    c: Number,
    d: Number,
    cot: Number,
    csc: Number,
) -> tuple[Number, Number]:
    """Sum and sum of squares of the deviations over the visits in which both were seen."""
    total = square = np.float32(0)
    for v in range(x.shape[1]):
        value = _short_value(x[i, v], y[i, v], x[j, v], y[j, v], a, b, c, d, cot, csc)
        seen = value if value == value else np.float32(0)  # NaN marks a visit in which one was not seen
        total += seen
        square += seen * seen
    return total, square


@compiled()
def weighted_sums(
    x: Numbers,
    y: Numbers,
    i: int,
    j: int,
    weight: Numbers,
    a: Number,
    b: Number,
    c: Number,
    d: Number,
    cot: Number,
    csc: Number,
) -> tuple[Number, Number, Number]:
    """As `sums`, with a weight for each visit; also the sum of the weights of the visits that counted."""
    total = square = norm = np.float32(0)
    for v in range(x.shape[1]):
        value = _short_value(x[i, v], y[i, v], x[j, v], y[j, v], a, b, c, d, cot, csc)
        seen = value if value == value else np.float32(0)
        total += weight[v] * seen
        square += weight[v] * seen * seen
        norm += weight[v] if value == value else np.float32(0)
    return total, square, norm


@compiled()
def short_values(
    x: Numbers,
    y: Numbers,
    i: int,
    j: int,
    a: Number,
    b: Number,
    c: Number,
    d: Number,
    cot: Number,
    csc: Number,
    values: Numbers,
) -> None:
    """Deviation in each visit by the short form, mas; NaN where one was not seen."""
    for v in range(x.shape[1]):
        values[v] = _short_value(x[i, v], y[i, v], x[j, v], y[j, v], a, b, c, d, cot, csc)


@compiled()
def exact_values(
    direction: Float,
    east: Float,
    north: Float,
    i: int,
    j: int,
    xi: Float,
    yi: Float,
    xj: Float,
    yj: Float,
    values: Float,
) -> None:
    """Deviation in each visit by the exact form, mas; NaN where one was not seen."""
    m, n = direction[i], direction[j]
    near = m[0] * n[0] + m[1] * n[1] + m[2] * n[2] >= 0
    # the chord vector between nearby directions, their sum beyond 90 degrees: the shorter of the two
    sign = -1.0 if near else 1.0
    ux, uy, uz = n[0] + sign * m[0], n[1] + sign * m[1], n[2] + sign * m[2]
    px, py, pz = n[0] - sign * m[0], n[1] - sign * m[1], n[2] - sign * m[2]
    u0 = np.sqrt(ux * ux + uy * uy + uz * uz)
    p0 = np.sqrt(px * px + py * py + pz * pz)
    for v in range(len(xi)):
        ex, ey, fx, fy = xi[v] * MAS, yi[v] * MAS, xj[v] * MAS, yj[v] * MAS
        si, sj = ex * ex + ey * ey, fx * fx + fy * fy
        ez, fz = -si / (1 + np.sqrt(1 - si)), -sj / (1 + np.sqrt(1 - sj))
        # change of the shorter vector
        dx = fx * east[j, 0] + fy * north[j, 0] + fz * n[0] + sign * (ex * east[i, 0] + ey * north[i, 0] + ez * m[0])
        dy = fx * east[j, 1] + fy * north[j, 1] + fz * n[1] + sign * (ex * east[i, 1] + ey * north[i, 1] + ez * m[1])
        dz = fx * east[j, 2] + fy * north[j, 2] + fz * n[2] + sign * (ex * east[i, 2] + ey * north[i, 2] + ez * m[2])
        change = 2 * (ux * dx + uy * dy + uz * dz) + (dx * dx + dy * dy + dz * dz)
        length = np.sqrt((ux + dx) ** 2 + (uy + dy) ** 2 + (uz + dz) ** 2)
        other = np.sqrt(max(p0 * p0 - change, 0.0))
        sine = -sign * change / (length * p0 + other * u0)
        values[v] = 2 * np.arcsin(sine) / MAS


@compiled()
def fine_values(
    direction: Float,
    east: Float,
    north: Float,
    i: int,
    j: int,
    dx: float,
    dy: float,
    dz: float,
    chord2: float,
    x: Numbers,
    y: Numbers,
    values: Float,
) -> None:
    """Deviation in each visit to third order, mas; NaN where one was not seen."""
    a = east[i, 0] * dx + east[i, 1] * dy + east[i, 2] * dz
    b = north[i, 0] * dx + north[i, 1] * dy + north[i, 2] * dz
    c = east[j, 0] * dx + east[j, 1] * dy + east[j, 2] * dz
    d = north[j, 0] * dx + north[j, 1] * dy + north[j, 2] * dz
    csc = 1 / np.sqrt(a * a + b * b)
    a, b, c, d = a * csc, b * csc, c * csc, d * csc
    cos = 1 - chord2 / 2
    second, third = 0.5 * MAS * csc, -0.5 * (MAS * csc) ** 2
    for v in range(x.shape[1]):
        wi = a * y[i, v] - b * x[i, v]
        wj = c * y[j, v] - d * x[j, v]
        along = c * x[j, v] + d * y[j, v] - a * x[i, v] - b * y[i, v]
        squares, cross = wi * wi + wj * wj, 2 * wi * wj
        values[v] = along + second * (squares * cos - cross) + third * along * (squares - cross * cos)


@compiled()
def deviation(values: Float, weight: Numbers, weighted: bool, ddof: int) -> float:
    """Standard deviation of the values that are not NaN; NaN where their weights do not exceed ``ddof``."""
    total = norm = square = 0.0
    if weighted:
        for v in range(len(values)):
            total += weight[v] * values[v] if values[v] == values[v] else 0.0
            norm += weight[v] if values[v] == values[v] else 0.0
    else:
        for v in range(len(values)):
            total += values[v] if values[v] == values[v] else 0.0
        for v in range(len(values)):
            norm += 1.0 if values[v] == values[v] else 0.0
    if norm <= ddof:
        return np.nan
    mean = total / norm
    for v in range(len(values)):
        apart = values[v] - mean
        w = weight[v] if weighted else 1.0
        square += w * apart * apart if apart == apart else 0.0
    return np.sqrt(square / (norm - ddof))


@compiled()
def differences(
    reduction: int, values: Numbers, weight: Numbers, weighted: bool, scratch: Numbers, out: Numbers, place: int
) -> int:
    """Write the deviations from the median or mean of the values of positive weight, and return how many there are.

    ``scratch`` is longer than ``values`` by up to a `LANES`, to a multiple of that.
    """
    n = 0
    for v in range(len(values)):
        scratch[n] = values[v]
        n += (values[v] == values[v]) and (not weighted or weight[v] > 0)
    center: Number
    if weighted:
        center = _weighted_center(reduction, values, weight)
    elif reduction == ABOUT_MEAN:
        total = 0.0
        for k in range(n):
            total += scratch[k]
        center = total / n
    else:
        center = _median(scratch, n)
    for k in range(n):
        out[place + k] = scratch[k] - center
    return n


@compiled()
def _median(values: Numbers, n: int) -> Number:
    """Median of the first n; the places after them, up to a multiple of `LANES`, are overwritten."""
    padded = (n + LANES - 1) // LANES * LANES
    for k in range(n, padded):
        values[k] = np.inf
    middle = n // 2
    upper = _ranked(values, padded, n, middle)
    if n % 2:
        return upper
    if _below(values, padded, upper) < middle:
        return upper  # the two middle ones are equal
    lower = values[0] if values[0] < upper else -np.inf
    for k in range(n):
        if lower < values[k] < upper:
            lower = values[k]
    return (lower + upper) / 2


@compiled()
def _below(values: Numbers, padded: int, pivot: Number) -> Number:
    """How many are smaller than a pivot."""
    count = np.float32(0)
    for k in range(padded):
        count += np.float32(1) if values[k] < pivot else np.float32(0)
    return count


@compiled()
def _ranked(values: Numbers, padded: int, n: int, rank: int) -> Number:
    """Value of a rank, 0 being the smallest.

    The value is bracketed by counting how many are smaller than a pivot, which is moved by the slope of a Gaussian
    distribution until the bracket is finite and by interpolation then: a handful of passes over a few hundred visits,
    without a branch in them, where sorting or partitioning mispredicts at every step.
    """
    total = square = 0.0
    for k in range(n):
        total += values[k]
        square += values[k] * values[k]
    mean = total / n
    step = 2.5 * np.sqrt(max(square / n - mean * mean, 0.0)) / n
    low, high, count_low, count_high = -np.inf, np.inf, 0.0, float(n)
    pivot = mean
    for _ in range(40):
        count = _below(values, padded, pivot)
        if count <= rank:
            low, count_low = pivot, count
        else:
            high, count_high = pivot, count
        if count_high - count_low == 1:
            # one value is left between low and high: the one that is looked for
            found = 0.0
            for k in range(padded):
                found += values[k] if low <= values[k] < high else 0.0
            return found
        if low == -np.inf or high == np.inf:
            pivot += step * (rank + 0.5 - count + (1 if count <= rank else -1))
        else:
            pivot = low + (high - low) * min(max((rank + 0.5 - count_low) / (count_high - count_low), 0.05), 0.95)
        if not low < pivot < high:
            break
    for k in range(n):  # equal values, or a distribution like no other
        pivot = values[k]
        if _below(values, padded, pivot) <= rank:
            equal = 0
            for v in range(n):
                equal += values[v] == pivot
            if _below(values, padded, pivot) + equal > rank:
                return pivot
    return values[0]


@compiled()
def _weighted_center(reduction: int, values: Numbers, weight: Numbers) -> float:
    """Weighted mean, or the value with half of the weight on either side (the middle of two where it is between)."""
    chosen = np.flatnonzero((values == values) & (weight > 0))
    kept, share = values[chosen].astype(np.float64), weight[chosen].astype(np.float64)
    norm = share.sum()
    if reduction == ABOUT_MEAN:
        return (kept * share).sum() / norm
    order = np.argsort(kept)
    below = 0.0
    for place in range(len(order)):
        below += share[order[place]]
        if below > 0.5 * norm:
            return kept[order[place]]
        if below == 0.5 * norm:
            return 0.5 * (kept[order[place]] + kept[order[place + 1]])
    return kept[order[-1]]
