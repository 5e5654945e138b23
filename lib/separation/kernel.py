"""Reduce the pairs that the tree finds, in parallel over its leaves."""

from __future__ import annotations

import numba
import numpy as np
from skyaccept.lib.arrays import AnyArray, FloatArray, IntArray
from skyaccept.lib.numba_cache import cached_njit, popcount
from skyaccept.lib.separation import pair
from skyaccept.lib.separation.lanes import LANES
from skyaccept.lib.separation.pair import RMS, Task
from skyaccept.lib.separation.positions import Stars
from skyaccept.lib.separation.tree import LEAF, Tree, neighbours, pairs_of

_PAIRS = 512  # found before they are measured


@cached_njit(parallel=True)
def reduce_pairs(
    tree: Tree, stars: Stars, task: Task, begin: int, end: int, slot: IntArray, out: AnyArray, tally: IntArray
) -> None:
    """Reduce the pairs of the leaves ``begin`` to ``end``.

    A pair fills a row of ``out``: one number for `RMS`, one for each visit otherwise, NaN where it was not measured.

    Parameters
    ----------
    tree : Tree
    stars : Stars
    task : Task
    begin, end : int
        Numbers of the first leaf and of the one after the last.
    slot : (n_leaves + 1,) int64
        ``slot[k] - slot[begin]`` is the first row of leaf k.
    out : (rows, 1 or n_visits) float
    tally : (end - begin, 3) int64
        To the row of each leaf are added its pairs, their measurements and those of the pairs measured in float64.
    """
    low, high = np.sqrt(task.low2), np.sqrt(task.high2)
    room = (stars.x.shape[1] + LANES - 1) // LANES * LANES
    for leaf in numba.prange(begin, end):
        found = np.empty(len(tree.leaf), dtype=np.int64)
        first, second = np.empty(_PAIRS + LEAF * LEAF + 1, np.int64), np.empty(_PAIRS + LEAF * LEAF + 1, np.int64)
        values, short_values = np.full(room, np.nan), np.full(room, np.nan, np.float32)
        leaves = neighbours(tree, leaf, low, high, found)
        pairs = 0
        for k in range(leaves):
            pairs = pairs_of(tree, leaf, found[k], task.low2, task.high2, first, second, pairs)
            if pairs >= _PAIRS or k == leaves - 1:
                row = slot[leaf] - slot[begin] + tally[leaf - begin, 0]
                if task.reduction == RMS:
                    done = _write_rms(stars, task, first[:pairs], second[:pairs], values, out, row)
                else:
                    done = _write_deviations(stars, task, first[:pairs], second[:pairs], values, short_values, out, row)
                for count in range(3):
                    tally[leaf - begin, count] += done[count]
                pairs = 0


@cached_njit()
def _write_rms(
    stars: Stars, task: Task, first: IntArray, second: IntArray, values: FloatArray, out: AnyArray, row: int
) -> tuple[int, int, int]:
    """Write standard deviations of pairs to ``out`` from ``row`` on.

    Pairs, measurements and pairs in float64 are counted.
    """
    x, y, reach, single = stars.x, stars.y, stars.reach, stars.x.itemsize == 4
    pairs = measurements = in_float64 = 0
    for p in range(len(first)):
        i, j = first[p], second[p]
        common = _common_visits(stars, i, j)
        if common < task.min_common_visits:
            continue
        geometry = pair.geometry(stars.frame, i, j)
        exact = pair.needs_exact_form(geometry, reach[i] + reach[j], single)
        short, fine, rms = pair.short_factors(geometry), pair.fine_factors(geometry), np.nan
        if single and not exact:
            rms = pair.short_rms(short, x, y, i, j, common, task.ddof)
        elif not exact:
            rms = pair.fine_rms(fine, x, y, i, j, common, task.ddof)
        if rms != rms:  # the sum of squares about the mean is needed, and so the values one by one
            if exact:
                pair.exact_values(stars, i, j, values)
            elif single:
                pair.short_values(short, x, y, i, j, values)
            else:
                pair.fine_values(fine, x, y, i, j, values)
            rms = pair.standard_deviation(values, common, task.ddof)
        out[row + pairs, 0] = rms
        pairs += 1
        measurements += common
        in_float64 += exact or not single
    return pairs, measurements, in_float64


@cached_njit()
def _write_deviations(
    stars: Stars,
    task: Task,
    first: IntArray,
    second: IntArray,
    values: FloatArray,
    short_values: AnyArray,
    out: AnyArray,
    row: int,
) -> tuple[int, int, int]:
    """As `_write_rms`, the deviations in each visit from their median or mean."""
    x, y, reach, single = stars.x, stars.y, stars.reach, stars.x.itemsize == 4
    pairs = measurements = in_float64 = 0
    for p in range(len(first)):
        i, j = first[p], second[p]
        common = _common_visits(stars, i, j)
        if common < task.min_common_visits:
            continue
        geometry = pair.geometry(stars.frame, i, j)
        exact = pair.needs_exact_form(geometry, reach[i] + reach[j], single)
        if single and not exact:
            pair.short_values(pair.short_factors(geometry), x, y, i, j, short_values)
            pair.write_deviations(task, short_values, common, out, row + pairs)
        else:
            if exact:
                pair.exact_values(stars, i, j, values)
            else:
                pair.fine_values(pair.fine_factors(geometry), x, y, i, j, values)
            pair.write_deviations(task, values, common, out, row + pairs)
        pairs += 1
        measurements += common
        in_float64 += exact or not single
    return pairs, measurements, in_float64


@cached_njit()
def _common_visits(stars: Stars, i: int, j: int) -> int:
    """Number of visits in which both objects were seen."""
    common = 0
    for word in range(stars.bits.shape[1]):
        common += popcount(stars.bits[i, word] & stars.bits[j, word])
    return common


@cached_njit(parallel=True)
def gather(rows: AnyArray, slot: IntArray, tally: IntArray, begin: int, out: AnyArray) -> None:
    """Write the numbers of all leaves one behind the other, without NaN.

    From place ``begin`` on.
    """
    width = rows.shape[1]
    goal = np.full(len(tally) + 1, begin)
    goal[1:] += np.cumsum(tally[:, 0] if width == 1 else tally[:, 1])
    for leaf in numba.prange(len(tally)):
        place, last = goal[leaf], goal[leaf + 1] - 1
        for k in range(slot[leaf] - slot[0], slot[leaf] - slot[0] + tally[leaf, 0]):
            for v in range(width):
                # without a branch: what is NaN is overwritten by the next
                out[min(place, last)] = rows[k, v] if place <= last else out[last]
                place += rows[k, v] == rows[k, v]
