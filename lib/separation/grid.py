r"""A cell grid on the sphere that enumerates the pairs of a separation class.

The sky is cut into strips of declination and each strip into columns of right ascension. For an object in one strip,
the partners in another strip at a separation from ``inner`` to ``outer`` lie in two intervals of right ascension;
bounds of these, for any two strips, come from

.. math:: \sin^2\frac{\Delta\alpha}{2} =
   \frac{\sin^2(s/2) - \sin^2(\Delta\delta/2)}{\cos\delta_1 \cos\delta_2},

so that poles, RA = 0 and separations up to 180 degrees are ordinary cases. Objects are sorted by cell: an interval is
a run of objects, and each candidate is then tested exactly.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.jit import compiled
from skyaccept.lib.sphere import Float

Index = NDArray[np.int64]

_PER_CELL = 4
_STRIPS = 1000
_SLACK = 1e-9  # radians; far above the rounding of the bounds, far below a cell


class Grid(NamedTuple):
    """Objects sorted into cells.

    Attributes
    ----------
    order : (n,) int64
        Objects in the order of their cells; what follows is in that order.
    ra : (n,) float64
        Right ascension from the western edge of the field, radians, 0 ... span.
    strip : (n,) int64
    first : (n_strips + 1,) int64
        First cell of each strip.
    start : (n_cells + 1,) int64
        First object of each cell.
    width : (n_strips,) float64
        Width of the columns of each strip, radians of right ascension.
    edges : (n_strips + 1,) float64
        Declinations between strips.
    span : float
        Extent of the field in right ascension.
    """

    order: Index
    ra: Float
    strip: Index
    first: Index
    start: Index
    width: Float
    edges: Float
    span: float


def build(direction: Float) -> Grid:
    """Sort unit vectors (n, 3) into cells of about four objects."""
    n = len(direction)
    dec = np.arcsin(direction[:, 2].clip(-1, 1))
    ra = np.arctan2(direction[:, 1], direction[:, 0]) % (2 * np.pi)
    western = _western_edge(ra)
    ra = (ra - western) % (2 * np.pi)
    ra[ra >= 2 * np.pi] = 0.0
    span = float(ra.max())
    low, high = float(dec.min()), float(dec.max())
    area = max(np.sin(high) - np.sin(low), 1e-12) * max(span, 1e-12)
    height = max(np.sqrt(area * _PER_CELL / n), (high - low) / _STRIPS, 1e-9)
    strips = int((high - low) / height) + 1
    edges = low + height * np.arange(strips + 1)
    strip = np.minimum(((dec - low) / height).astype(np.int64), strips - 1)
    widest = np.cos(np.where(edges[:-1] * edges[1:] <= 0, 0.0, np.minimum(abs(edges[:-1]), abs(edges[1:]))))
    columns = np.maximum(1, (span * np.maximum(widest, 0.0) / height).astype(np.int64))
    width = (span + 1e-12) * (1 + 1e-12) / columns
    column = np.minimum((ra / width[strip]).astype(np.int64), columns[strip] - 1)
    first = np.concatenate([[0], np.cumsum(columns)])
    cell = first[strip] + column
    order = np.lexsort((ra, cell))
    start = np.searchsorted(cell[order], np.arange(first[-1] + 1))
    return Grid(order, ra[order], strip[order], first, start, width, edges, span)


def _western_edge(ra: Float) -> float:
    """Right ascension after the widest gap, so that the field does not wrap unless it goes all around."""
    ordered = np.sort(ra)
    gaps = np.diff(np.append(ordered, ordered[0] + 2 * np.pi))
    return float(ordered[(int(np.argmax(gaps)) + 1) % len(ordered)])


def intervals(edges: Float, inner: float, outer: float) -> tuple[Float, Float]:
    """Bounds of the difference in right ascension for pairs of strips.

    Returns
    -------
    nearest, farthest : (n_strips, reach) float64
        For an object in strip s and a partner in strip s + k at a separation from ``inner`` to ``outer``, the
        difference in right ascension lies in [nearest[s, k], farthest[s, k]]; farthest is negative where there is none.
    """
    strips = len(edges) - 1
    reach = min(strips, int((outer + _SLACK) / (edges[1] - edges[0])) + 2)
    other = np.minimum(np.arange(strips)[:, None] + np.arange(reach), strips - 1)
    low, high = edges[:-1, None], edges[1:, None]
    other_low, other_high = edges[other], edges[other + 1]
    # an upper bound of the quotient takes the least declination difference and the least cosines, a lower bound the
    # greatest; a strip may overhang a pole, where the cosine vanishes
    gap = np.maximum(0.0, other_low - high)
    across = np.minimum(np.maximum(other_high - low, high - other_low), np.pi)
    least = _cosine(low, high, least=True) * _cosine(other_low, other_high, least=True)
    greatest = _cosine(low, high, least=False) * _cosine(other_low, other_high, least=False)
    upper = np.sin(min(outer, np.pi) / 2) ** 2 - np.sin(gap / 2) ** 2
    lower = np.sin(min(inner, np.pi) / 2) ** 2 - np.sin(across / 2) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        far = np.where(upper < 0, -1.0, 2 * np.arcsin(np.sqrt(np.clip(upper / least, 0, 1))) + _SLACK)
        near = np.where(lower <= 0, 0.0, 2 * np.arcsin(np.sqrt(np.clip(lower / greatest, 0, 1))) - _SLACK)
    far = np.where((upper >= 0) & (least <= 0), np.pi, far)
    return np.maximum(near, 0.0), np.minimum(far, np.pi)


def _cosine(low: Float, high: Float, *, least: bool) -> Float:
    """Least or greatest cosine of a declination between two."""
    ends = np.cos(np.clip(low, -np.pi / 2, np.pi / 2)), np.cos(np.clip(high, -np.pi / 2, np.pi / 2))
    if least:
        return np.asarray(np.minimum(*ends))
    return np.where((low <= 0) & (high >= 0), 1.0, np.maximum(*ends))


@compiled()
def runs(low: float, high: float, span: float, width: float, first: int, last: int, start: Index, out: Index) -> int:
    """Runs of objects in the cells of a strip that touch [low, high] in right ascension.

    ``high - low`` is at most pi. Writes start and stop of up to two runs, which share no object, and returns how many.
    """
    turn = 2 * np.pi
    columns = last - first
    if low < 0:
        low += turn
        high += turn
    elif low >= turn:
        low -= turn
        high -= turn
    found = 0
    left = first + min(int(low / width), columns - 1)
    if high < turn:
        if low <= span:
            out[0] = start[left]
            out[1] = start[first + min(int(high / width), columns - 1) + 1]
            found = 1
    else:
        right = first + min(int((high - turn) / width), columns - 1) + 1
        if low <= span:
            if left < right:
                out[0] = start[first]
                out[1] = start[last]
                return 1
            out[0] = start[left]
            out[1] = start[last]
            found = 1
        out[2 * found] = start[first]
        out[2 * found + 1] = start[right]
        found += 1
    return found
