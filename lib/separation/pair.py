r"""One pair: its deviations visit by visit, and their reduction.

For a pair at an angle :math:`\theta` between the mean directions let :math:`l_i, w_i` be the offset of object i along
the great circle towards j and to its left, and the same at j along the continued great circle. Then the separation
changes by

.. math:: l_j - l_i + \frac{(w_j - w_i)^2}{2 \sin\theta} + \epsilon, \quad
   |\epsilon| \le \frac{r^3}{\sin^2\theta} + \frac{r^2}{2} \tan\frac{\theta}{2},

with r the sum of the two largest offsets. This *short* form in float32 serves a pair where the sum of that bound and of
a bound of the rounding stays below `TOLERANCE`. All other pairs, and all pairs of a small dataset, are measured in
float64. There the *fine* form takes all terms of second and third order,

.. math:: l_j - l_i + \tfrac12 (w_i^2 + w_j^2) \cot\theta - \frac{w_i w_j}{\sin\theta}
   - \tfrac12 (l_j - l_i) \frac{w_i^2 + w_j^2 - 2 w_i w_j \cos\theta}{\sin^2\theta}, \quad
   |\epsilon| \le r^4 / \sin^3\theta + r^3,

and serves pairs for which that bound stays below `FINE_TOLERANCE`; what remains, close or fast pairs, takes the *exact*
form: with chord :math:`c = 2\sin(\theta/2)`, sum :math:`s = 2\cos(\theta/2)`, and the same with index 0 for the mean
directions,

.. math:: \sin\frac{\theta - \theta_0}{2} = \frac{c^2 - c_0^2}{c\,s_0 + s\,c_0},

whose numerator :math:`2 D_0 \cdot d + |d|^2` for the chord vector :math:`D_0 + d` (or minus the same for the vector
sum, beyond 90 degrees) holds no difference of large numbers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from skyaccept.lib.arrays import AnyArray, FloatArray
from skyaccept.lib.numba_cache import compiled
from skyaccept.lib.separation.positions import Stars
from skyaccept.lib.sphere import MAS

TOLERANCE = 1e-4
"""Largest error of a separation that the short form may make, mas."""

FINE_TOLERANCE = 1e-6
"""Largest error of a separation that the fine form may make, mas."""

ROUNDING = 4e-7
"""Bound of the rounding of the short form, relative to the sum of the two largest offsets."""

FINE_ROUNDING = 1e-14
"""The same in float64, generously."""

SHORT, FINE, EXACT = 0, 1, 2
"""Forms in which a pair is measured."""

RMS, ABOUT_MEDIAN, ABOUT_MEAN = 0, 1, 2
"""Reductions of a pair: one standard deviation, or its deviations from their median or mean."""


class Task(NamedTuple):
    """What to do: squared chords of the separation class, reduction, delta degrees of freedom, fewest common visits.

    ``absolute`` asks for the sizes of deviations.
    """

    low2: float
    high2: float
    reduction: int
    ddof: int
    least: int
    absolute: bool


LANES = 64
"""Values that compiled loops take in one step at most."""

Number = Any  # float64 or float32: compiled code keeps the precision that it is given
Geometry = tuple[float, float, float, float, float, float]
Factors = tuple[Number, Number, Number, Number, Number]
FineFactors = tuple[float, float, float, float, float, float, float]


@compiled()
def geometry(frame: FloatArray, i: int, j: int) -> Geometry:
    """Cosine and sine of the position angle of the great circle at i and at j, squared chord, one over the sine."""
    dx, dy, dz = frame[j, 5] - frame[i, 5], frame[j, 6] - frame[i, 6], frame[j, 7] - frame[i, 7]
    a = frame[i, 0] * dx + frame[i, 1] * dy
    b = frame[i, 2] * dx + frame[i, 3] * dy + frame[i, 4] * dz
    c = frame[j, 0] * dx + frame[j, 1] * dy
    d = frame[j, 2] * dx + frame[j, 3] * dy + frame[j, 4] * dz
    csc = 1 / np.sqrt(a * a + b * b)
    return a * csc, b * csc, c * csc, d * csc, dx * dx + dy * dy + dz * dz, csc


@compiled()
def form(geometry: Geometry, reach: float, single: bool) -> int:
    """Form in which a pair whose largest offsets sum up to ``reach``, mas, is measured."""
    chord2, csc = geometry[4], geometry[5]
    ratio = reach * MAS * csc
    cubic = reach * ratio * ratio
    if single:
        # tan(theta / 2) = (1 - cos(theta)) / sin(theta)
        bound = ROUNDING * reach + cubic + reach * ratio * chord2 / 4
        return SHORT if bound < TOLERANCE else EXACT
    return FINE if cubic * (ratio + 1 / (csc * csc)) < FINE_TOLERANCE else EXACT


@compiled()
def short_factors(geometry: Geometry) -> Factors:
    """Factors of the short form in float32, per mas."""
    a, b, c, d, _, csc = geometry
    return np.float32(a), np.float32(b), np.float32(c), np.float32(d), np.float32(0.5 * MAS * csc)


@compiled()
def _short_value(factors: Factors, xi: Number, yi: Number, xj: Number, yj: Number) -> Number:
    """Deviation in one visit by the short form, mas; NaN where one was not seen."""
    a, b, c, d, half = factors
    across = c * yj - d * xj - a * yi + b * xi
    return c * xj + d * yj - a * xi - b * yi + across * across * half


@compiled()
def short_rms(factors: Factors, x: AnyArray, y: AnyArray, i: int, j: int, common: int, ddof: int) -> Number:
    """Standard deviation over the visits in which both were seen; NaN where the sum of squares cancels too far."""
    total = square = np.float32(0)
    for v in range(x.shape[1]):
        value = _short_value(factors, x[i, v], y[i, v], x[j, v], y[j, v])
        seen = value if value == value else np.float32(0)
        total += seen
        square += seen * seen
    n, free = np.float32(common), np.float32(common - ddof)
    result = np.sqrt(max((square - total * total / n) / free, np.float32(0)))
    return result if ROUNDING * square <= TOLERANCE * result * free else np.float32(np.nan)


@compiled()
def short_values(factors: Factors, x: AnyArray, y: AnyArray, i: int, j: int, values: AnyArray) -> None:
    """Deviation in each visit by the short form, mas; NaN where one was not seen."""
    for v in range(x.shape[1]):
        values[v] = _short_value(factors, x[i, v], y[i, v], x[j, v], y[j, v])


@compiled()
def fine_factors(geometry: Geometry) -> FineFactors:
    """Factors of the fine form, per mas."""
    a, b, c, d, chord2, csc = geometry
    return a, b, c, d, 1 - chord2 / 2, 0.5 * MAS * csc, -0.5 * (MAS * csc) ** 2


@compiled()
def _fine_value(factors: FineFactors, xi: float, yi: float, xj: float, yj: float) -> float:
    """Deviation in one visit to third order, mas; NaN where one was not seen."""
    a, b, c, d, cos, second, third = factors
    wi, wj = a * yi - b * xi, c * yj - d * xj
    along = c * xj + d * yj - a * xi - b * yi
    squares, cross = wi * wi + wj * wj, 2 * wi * wj
    return along + second * (squares * cos - cross) + third * along * (squares - cross * cos)


@compiled()
def fine_rms(factors: FineFactors, x: AnyArray, y: AnyArray, i: int, j: int, common: int, ddof: int) -> float:
    """As `short_rms`, by the fine form."""
    total = square = 0.0
    for v in range(x.shape[1]):
        value = _fine_value(factors, x[i, v], y[i, v], x[j, v], y[j, v])
        seen = value if value == value else 0.0
        total += seen
        square += seen * seen
    free = common - ddof
    result = np.sqrt(max((square - total * total / common) / free, 0.0))
    return result if FINE_ROUNDING * square <= FINE_TOLERANCE * result * free else np.nan


@compiled()
def fine_values(factors: FineFactors, x: AnyArray, y: AnyArray, i: int, j: int, values: FloatArray) -> None:
    """As `short_values`, by the fine form."""
    for v in range(x.shape[1]):
        values[v] = _fine_value(factors, x[i, v], y[i, v], x[j, v], y[j, v])


@compiled()
def exact_values(stars: Stars, i: int, j: int, values: FloatArray) -> None:
    """Deviation in each visit by the exact form, mas; NaN where one was not seen."""
    frame, wide = stars.frame, stars.wide
    ei, ni, mi = (frame[i, 0], frame[i, 1], 0.0), (frame[i, 2], frame[i, 3], frame[i, 4]), frame[i, 5:]
    ej, nj, mj = (frame[j, 0], frame[j, 1], 0.0), (frame[j, 2], frame[j, 3], frame[j, 4]), frame[j, 5:]
    near = mi[0] * mj[0] + mi[1] * mj[1] + mi[2] * mj[2] >= 0
    # the chord vector between nearby directions, their sum beyond 90 degrees: the shorter of the two
    sign = -1.0 if near else 1.0
    ux, uy, uz = mj[0] + sign * mi[0], mj[1] + sign * mi[1], mj[2] + sign * mi[2]
    px, py, pz = mj[0] - sign * mi[0], mj[1] - sign * mi[1], mj[2] - sign * mi[2]
    u0 = np.sqrt(ux * ux + uy * uy + uz * uz)
    p0 = np.sqrt(px * px + py * py + pz * pz)
    for v in range(stars.x.shape[1]):
        ex = (stars.wide_x[wide[i], v] if wide[i] >= 0 else np.float64(stars.x[i, v])) * MAS
        ey = (stars.wide_y[wide[i], v] if wide[i] >= 0 else np.float64(stars.y[i, v])) * MAS
        fx = (stars.wide_x[wide[j], v] if wide[j] >= 0 else np.float64(stars.x[j, v])) * MAS
        fy = (stars.wide_y[wide[j], v] if wide[j] >= 0 else np.float64(stars.y[j, v])) * MAS
        si, sj = ex * ex + ey * ey, fx * fx + fy * fy
        ez, fz = -si / (1 + np.sqrt(1 - si)), -sj / (1 + np.sqrt(1 - sj))
        # change of the shorter vector
        dx = fx * ej[0] + fy * nj[0] + fz * mj[0] + sign * (ex * ei[0] + ey * ni[0] + ez * mi[0])
        dy = fx * ej[1] + fy * nj[1] + fz * mj[1] + sign * (ex * ei[1] + ey * ni[1] + ez * mi[1])
        dz = fx * ej[2] + fy * nj[2] + fz * mj[2] + sign * (ex * ei[2] + ey * ni[2] + ez * mi[2])
        change = 2 * (ux * dx + uy * dy + uz * dz) + (dx * dx + dy * dy + dz * dz)
        length = np.sqrt((ux + dx) ** 2 + (uy + dy) ** 2 + (uz + dz) ** 2)
        other = np.sqrt(max(p0 * p0 - change, 0.0))
        sine = -sign * change / (length * p0 + other * u0)
        values[v] = 2 * np.arcsin(sine) / MAS


@compiled()
def reduce(task: Task, values: AnyArray, work: AnyArray, common: int, out: AnyArray, row: int) -> None:
    """Write the standard deviation of some deviations, or each of them about their center, to a row.

    Parameters
    ----------
    task : Task
    values : (room,) float
        The deviations, NaN where not seen, and NaN from n_visits to a multiple of `LANES`.
    work : (room / 2,) float
        Overwritten.
    common : int
        How many deviations are not NaN; more than ``ddof``.
    out : (rows, 1 or n_visits) float
    row : int
    """
    # one way through, so that compiled code need not count references to the arrays
    number = values.dtype.type
    center = number(_median(values, work, common) if task.reduction == ABOUT_MEDIAN else _mean(values, common))
    rms = number(_deviation(values, center, common - task.ddof) if task.reduction == RMS else 0.0)
    for v in range(out.shape[1]):
        apart = rms if task.reduction == RMS else values[v] - center
        out[row, v] = abs(apart) if task.absolute else apart


@compiled()
def _mean(values: AnyArray, n: int) -> float:
    """Mean of the n that are not NaN."""
    total = 0.0
    for v in range(len(values)):
        total += values[v] if values[v] == values[v] else 0.0
    return total / n


@compiled()
def _deviation(values: AnyArray, mean: Number, free: int) -> float:
    """Standard deviation of those that are not NaN."""
    square = 0.0
    for v in range(len(values)):
        apart = values[v] - mean
        square += apart * apart if apart == apart else 0.0
    return np.sqrt(square / free)


@compiled()
def _median(values: AnyArray, work: AnyArray, n: int) -> Number:
    """Median of the n that are not NaN."""
    upper = _ranked(values, n, n // 2)
    lower = upper if n % 2 else _largest_below(values, work, upper)
    if upper != upper:  # equal values, or a distribution like no other; NaN is sorted behind all numbers
        ordered = np.sort(values)
        lower, upper = ordered[(n - 1) // 2], ordered[n // 2]
    return (lower + upper) / values.dtype.type(2)


@compiled()
def _ranked(values: AnyArray, n: int, rank: int) -> Number:
    """Value of a rank, 0 being the smallest, among the n that are not NaN; NaN where it could not be told apart.

    The value is bracketed by counting how many are smaller than each of four pivots. These lie where it is expected
    about the mean of a Gaussian distribution at first, and where interpolation in the bracket puts it then: three
    passes without a branch in them, most often, where sorting or partitioning mispredicts at every step.
    """
    number = values.dtype.type
    total = square = number(0)
    for k in range(len(values)):
        seen = values[k] if values[k] == values[k] else number(0)
        total += seen
        square += seen * seen
    middle = total / n
    step = 0.76 * np.sqrt(max(square / n - middle * middle, 0.0) / n)
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


@compiled()
def _narrow(
    pivot: Number, below: int, rank: int, low: Number, count_low: int, high: Number, count_high: int
) -> tuple[Number, int, Number, int]:
    """Bracket of a value of some rank, once it is known how many are smaller than a pivot."""
    raises, lowers = (pivot > low) & (below <= rank), (pivot < high) & (below > rank)
    count_low, count_high = below if raises else count_low, below if lowers else count_high
    return pivot if raises else low, count_low, pivot if lowers else high, count_high


@compiled()
def _below(values: AnyArray, p: Number, q: Number, r: Number, s: Number) -> tuple[int, int, int, int]:
    """How many are smaller than each of four pivots."""
    below_p = below_q = below_r = below_s = np.float32(0)
    one, none = np.float32(1), np.float32(0)
    for k in range(len(values)):
        below_p += one if values[k] < p else none
        below_q += one if values[k] < q else none
        below_r += one if values[k] < r else none
        below_s += one if values[k] < s else none
    return int(below_p), int(below_q), int(below_r), int(below_s)


@compiled()
def _sum_between(values: AnyArray, low: Number, high: Number) -> Number:
    """Sum of those from ``low`` to less than ``high``."""
    total = none = values.dtype.type(0)
    for k in range(len(values)):
        total += values[k] if low <= values[k] < high else none
    return total


@compiled()
def _largest_below(values: AnyArray, work: AnyArray, bound: Number) -> Number:
    """The largest that is smaller than a bound: the winners of pairs, of pairs of these, and so on."""
    half, least = len(values) // 2, values.dtype.type(-np.inf)
    for k in range(half):
        one, other = values[k], values[half + k]
        one, other = one if one < bound else least, other if other < bound else least
        work[k] = one if one > other else other
    while half > 1:
        rest = half // 2
        half -= rest
        for k in range(half):
            work[k] = work[k] if work[k] > work[rest + k] else work[rest + k]
    return work[0]


@compiled()
def reduce_weighted(task: Task, values: AnyArray, weight: AnyArray, out: AnyArray, row: int) -> bool:
    """As `reduce`, with a weight for each visit; False where those of the pair do not exceed ``ddof``."""
    chosen = np.flatnonzero((values == values) & (weight > 0))
    kept, share = values[chosen].astype(np.float64), weight[chosen].astype(np.float64)
    norm = share.sum()
    mean = (kept * share).sum() / norm
    if task.reduction == RMS:
        out[row, 0] = np.sqrt((share * (kept - mean) ** 2).sum() / (norm - task.ddof))
        return bool(norm > task.ddof)
    apart = kept - (_weighted_median(kept, share) if task.reduction == ABOUT_MEDIAN else mean)
    out[row] = np.nan
    out[row][chosen] = np.abs(apart) if task.absolute else apart
    return True


@compiled()
def _weighted_median(values: FloatArray, weight: FloatArray) -> float:
    """The value with half of the weight on either side; the middle of two where it is between."""
    order, norm = np.argsort(values), weight.sum()
    below = 0.0
    for place in range(len(order)):
        below += weight[order[place]]
        if below > 0.5 * norm:
            return values[order[place]]
        if below == 0.5 * norm:
            return 0.5 * (values[order[place]] + values[order[place + 1]])
    return values[order[-1]]
