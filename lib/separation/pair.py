r"""Deviations of the separation of one pair by visit, and their reduction.

For a pair at an angle :math:`\theta` between the mean directions let :math:`l_i, w_i` be the offset of object i along
the great circle towards j and to its left, and :math:`l_j, w_j` the same at j along the continued great circle. The
separation then changes by

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

Each form treats both objects alike: with the two swapped every term is the same or its negative, to the last bit, and
so are the values. They do not depend on the order in which the tree meets a pair, nor on what else is in the tree.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from skyaccept.lib.arrays import AnyArray, FloatArray
from skyaccept.lib.numba_cache import cached_njit
from skyaccept.lib.separation import lanes
from skyaccept.lib.separation.lanes import LANES, fma, load, load_rows, zero_where_nan
from skyaccept.lib.separation.median import median
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

RMS, ABOUT_MEDIAN, ABOUT_MEAN = 0, 1, 2
"""Reductions of a pair: one standard deviation, or its deviations from their median or mean."""


class Task(NamedTuple):
    """Reduction of the pairs of a separation class.

    Attributes
    ----------
    low2, high2 : float
        Squared chords of the separation class, the upper one excluded.
    reduction : int
        `RMS`, `ABOUT_MEDIAN` or `ABOUT_MEAN`.
    ddof : int
        Delta degrees of freedom of `RMS`.
    min_common_visits : int
        Pairs seen together in fewer visits are left out.
    absolute : bool
        Deviations without their signs.
    """

    low2: float
    high2: float
    reduction: int
    ddof: int
    min_common_visits: int
    absolute: bool


Number = Any  # float64 or float32: compiled code keeps the precision that it is given
Geometry = tuple[float, float, float, float, float, float]
Factors = tuple[Number, Number, Number, Number, Number]
FineFactors = tuple[float, float, float, float, float, float, float]


@cached_njit()
def geometry(frame: FloatArray, i: int, j: int) -> Geometry:
    """Angles of the great circle through i and j, and their chord.

    Cosine and sine of the position angle at i and at j, squared chord, one over the sine.
    """
    dx, dy, dz = frame[j, 5] - frame[i, 5], frame[j, 6] - frame[i, 6], frame[j, 7] - frame[i, 7]
    a = fma(frame[i, 0], dx, frame[i, 1] * dy)
    b = fma(frame[i, 2], dx, fma(frame[i, 3], dy, frame[i, 4] * dz))
    c = fma(frame[j, 0], dx, frame[j, 1] * dy)
    d = fma(frame[j, 2], dx, fma(frame[j, 3], dy, frame[j, 4] * dz))
    csc = 1 / np.sqrt(0.5 * (fma(a, a, b * b) + fma(c, c, d * d)))
    return a * csc, b * csc, c * csc, d * csc, fma(dx, dx, fma(dy, dy, dz * dz)), csc


@cached_njit()
def needs_exact_form(geometry: Geometry, reach: float, single: bool) -> bool:
    """Whether neither short (float32) nor fine form (float64) suits a pair.

    Parameters
    ----------
    geometry : tuple
    reach : float
        Sum of the largest offsets of both objects, mas.
    single : bool
        The offsets are kept in float32.
    """
    chord2, csc = geometry[4], geometry[5]
    ratio = reach * MAS * csc
    cubic = reach * ratio * ratio
    if single:
        # tan(theta / 2) = (1 - cos(theta)) / sin(theta)
        return not ROUNDING * reach + cubic + reach * ratio * chord2 / 4 < TOLERANCE
    return not cubic * (ratio + 1 / (csc * csc)) < FINE_TOLERANCE


@cached_njit()
def short_factors(geometry: Geometry) -> Factors:
    """Factors of the short form in float32, per mas."""
    a, b, c, d, _, csc = geometry
    return np.float32(a), np.float32(b), np.float32(c), np.float32(d), np.float32(0.5 * MAS * csc)


@cached_njit()
def _turned(cos: Number, sin: Number, x: Number, y: Number) -> tuple[Number, Number]:
    """Offset along the great circle and to its left."""
    return fma(cos, x, sin * y), fma(-sin, x, cos * y)


@cached_njit()
def _short_value(factors: Factors, xi: Number, yi: Number, xj: Number, yj: Number) -> Number:
    """Deviation in one visit by the short form, mas; NaN where one was not seen."""
    a, b, c, d, half = factors
    (li, wi), (lj, wj) = _turned(a, b, xi, yi), _turned(c, d, xj, yj)
    across = wj - wi
    return fma(across * half, across, lj - li)


@cached_njit()
def short_rms(factors: Factors, x: AnyArray, y: AnyArray, i: int, j: int, common: int, ddof: int) -> Number:
    """Standard deviation over the common visits by the short form, mas.

    NaN where the squares cancel too far.
    """
    total = square = lanes.zeros(x)
    for v in range(0, x.shape[1], LANES):
        xi, yi, xj, yj = load_rows((x, y), (i, j), v)
        seen = zero_where_nan(_short_value(factors, xi, yi, xj, yj))
        total += seen
        square = fma(seen, seen, square)
    n, free, sums, squares = np.float32(common), np.float32(common - ddof), lanes.total(total), lanes.total(square)
    result = np.sqrt(max((squares - sums * sums / n) / free, np.float32(0)))
    return result if ROUNDING * squares <= TOLERANCE * result * free else np.float32(np.nan)


@cached_njit()
def short_values(factors: Factors, x: AnyArray, y: AnyArray, i: int, j: int, values: AnyArray) -> None:
    """Deviation in each visit by the short form, mas; NaN where one was not seen."""
    for v in range(x.shape[1]):
        values[v] = _short_value(factors, x[i, v], y[i, v], x[j, v], y[j, v])


@cached_njit()
def fine_factors(geometry: Geometry) -> FineFactors:
    """Factors of the fine form, per mas."""
    a, b, c, d, chord2, csc = geometry
    return a, b, c, d, 1 - chord2 / 2, 0.5 * MAS * csc, -0.5 * (MAS * csc) ** 2


@cached_njit()
def _fine_value(factors: FineFactors, xi: Number, yi: Number, xj: Number, yj: Number) -> Number:
    """Deviation in one visit to third order, mas; NaN where one was not seen."""
    a, b, c, d, cos, second, third = factors
    (li, wi), (lj, wj) = _turned(a, b, xi, yi), _turned(c, d, xj, yj)
    along, squares, cross = lj - li, wi * wi + wj * wj, 2 * wi * wj
    return fma(third * along, fma(-cos, cross, squares), fma(second, squares * cos - cross, along))


@cached_njit()
def fine_rms(factors: FineFactors, x: AnyArray, y: AnyArray, i: int, j: int, common: int, ddof: int) -> float:
    """As `short_rms`, by the fine form."""
    total = square = lanes.zeros(x)
    for v in range(0, x.shape[1], LANES):
        xi, yi, xj, yj = load_rows((x, y), (i, j), v)
        seen = zero_where_nan(_fine_value(factors, xi, yi, xj, yj))
        total += seen
        square = fma(seen, seen, square)
    free, sums, squares = common - ddof, lanes.total(total), lanes.total(square)
    result = np.sqrt(max((squares - sums * sums / common) / free, 0.0))
    return result if FINE_ROUNDING * squares <= FINE_TOLERANCE * result * free else np.nan


@cached_njit()
def fine_values(factors: FineFactors, x: AnyArray, y: AnyArray, i: int, j: int, values: FloatArray) -> None:
    """As `short_values`, by the fine form."""
    for v in range(x.shape[1]):
        values[v] = _fine_value(factors, x[i, v], y[i, v], x[j, v], y[j, v])


@cached_njit()
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


@cached_njit()
def standard_deviation(values: AnyArray, common: int, ddof: int) -> float:
    """Standard deviation of some deviations.

    Parameters
    ----------
    values : (room,) float
        NaN where not seen, and up to a multiple of `LANES`.
    common : int
        How many of them are not NaN; more than ``ddof``.
    ddof : int
    """
    mean, square = values.dtype.type(_mean(values, common)), lanes.zeros(values)
    for v in range(0, len(values), LANES):
        apart = zero_where_nan(load(values, v) - mean)
        square += apart * apart
    return np.sqrt(lanes.total(square) / (common - ddof))


@cached_njit()
def write_deviations(task: Task, values: AnyArray, common: int, out: AnyArray, row: int) -> None:
    """Write some deviations about their median or mean to a row.

    Parameters
    ----------
    task : Task
    values : (room,) float
        NaN where not seen, and from n_visits up to a multiple of `LANES`.
    common : int
        How many of them are not NaN.
    out : (rows, n_visits) float
    row : int
    """
    center = values.dtype.type(median(values, common) if task.reduction == ABOUT_MEDIAN else _mean(values, common))
    for v in range(out.shape[1]):
        apart = values[v] - center
        out[row, v] = abs(apart) if task.absolute else apart


@cached_njit()
def _mean(values: AnyArray, n: int) -> float:
    """Mean of the n that are not NaN."""
    total = lanes.zeros(values)
    for v in range(0, len(values), LANES):
        total += zero_where_nan(load(values, v))
    return lanes.total(total) / n
