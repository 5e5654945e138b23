"""The compiled core: the pairs that the tree finds are reduced as they come, in parallel over its leaves."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.arrays import AnyArray, FloatArray, IntArray
from skyaccept.lib.numba_cache import compiled, ones
from skyaccept.lib.separation import pair
from skyaccept.lib.separation.pair import LANES, RMS, Task
from skyaccept.lib.separation.positions import Stars
from skyaccept.lib.separation.tree import LEAF, Tree, neighbours, pairs_of

_PAIRS = 512  # found before they are measured


class Shares(NamedTuple):
    """Weights of objects and visits: empty arrays stand for ones, ``bits`` marks the visits of positive weight."""

    objects: FloatArray
    visits: AnyArray
    bits: NDArray[np.uint64]


@compiled(parallel=True)
def reduce_pairs(
    tree: Tree,
    stars: Stars,
    shares: Shares,
    task: Task,
    begin: int,
    end: int,
    slot: IntArray,
    out: AnyArray,
    out_weight: FloatArray,
    tally: IntArray,
) -> None:
    """Reduce the pairs that fall to the leaves ``begin`` to ``end``.

    A pair fills a row of ``out``: one number for `RMS`, one for each visit otherwise, NaN where it was not measured.
    ``slot[k] - slot[begin]`` is the first row of leaf k. ``tally[k - begin]`` counts its pairs, their measurements and
    those of them measured in float64. ``out_weight`` takes the weight of each pair, if it has any room.
    """
    low, high = np.sqrt(task.low2), np.sqrt(task.high2)
    n_visits = stars.x.shape[1]
    room = (n_visits + LANES - 1) // LANES * LANES
    for leaf in numba.prange(begin, end):
        found = np.empty(len(tree.leaf), dtype=np.int64)
        first, second = np.empty(_PAIRS + LEAF * LEAF + 1, np.int64), np.empty(_PAIRS + LEAF * LEAF + 1, np.int64)
        values, short_values = np.full(room, np.nan), np.full(room, np.nan, np.float32)
        work, short_work = np.empty(room // 2), np.empty(room // 2, np.float32)
        known = neighbours(tree, leaf, low, high, found)
        pairs = 0
        for k in range(known):
            pairs = pairs_of(tree, leaf, found[k], task.low2, task.high2, first, second, pairs)
            if pairs >= _PAIRS or k == known - 1:
                row = slot[leaf] - slot[begin] + tally[leaf - begin, 0]
                done = _measure(
                    stars,
                    shares,
                    task,
                    first[:pairs],
                    second[:pairs],
                    values,
                    work,
                    short_values,
                    short_work,
                    row,
                    out,
                    out_weight,
                )
                for count in range(3):
                    tally[leaf - begin, count] += done[count]
                pairs = 0


@compiled()
def _measure(
    stars: Stars,
    shares: Shares,
    task: Task,
    first: IntArray,
    second: IntArray,
    values: FloatArray,
    work: FloatArray,
    short_values: AnyArray,
    short_work: AnyArray,
    row: int,
    out: AnyArray,
    out_weight: FloatArray,
) -> tuple[int, int, int]:
    """Reduce pairs to rows of ``out`` from ``row`` on; the number of pairs, measurements and pairs in float64."""
    frame, x, y, bits, reach = stars.frame, stars.x, stars.y, stars.bits, stars.reach
    objects, visits, visit_bits = shares.objects, shares.visits, shares.bits
    reduction, ddof, single = task.reduction, task.ddof, x.itemsize == 4
    begin = row
    measurements = precise = 0
    for p in range(len(first)):
        i, j = first[p], second[p]
        common = 0
        for w in range(bits.shape[1]):
            common += ones(bits[i, w] & bits[j, w] & visit_bits[w])
        if common < task.least:
            continue
        weight = objects[i] * objects[j] if len(objects) else 1.0
        if weight == 0:
            continue
        geometry = pair.geometry(frame, i, j)
        form = pair.form(geometry, reach[i] + reach[j], single)
        known, careful = True, not (reduction == RMS and len(visits) == 0)
        if form == pair.SHORT:
            short = pair.short_factors(geometry)
            if not careful:
                result = pair.short_rms(short, x, y, i, j, common, ddof)
                out[row, 0] = result
                careful = result != result
            if careful:
                pair.short_values(short, x, y, i, j, short_values)
                if len(visits):
                    known = pair.reduce_weighted(task, short_values[: x.shape[1]], visits, out, row)
                else:
                    pair.reduce(task, short_values, short_work, common, out, row)
        else:
            fine = pair.fine_factors(geometry)
            if form == pair.FINE and not careful:
                exact = pair.fine_rms(fine, x, y, i, j, common, ddof)
                out[row, 0] = exact
                careful = exact != exact
            if form == pair.EXACT or careful:
                if form == pair.FINE:
                    pair.fine_values(fine, x, y, i, j, values)
                else:
                    pair.exact_values(stars, i, j, values)
                if len(visits):
                    known = pair.reduce_weighted(task, values[: x.shape[1]], visits, out, row)
                else:
                    pair.reduce(task, values, work, common, out, row)
            precise += known
        if known:
            if len(out_weight):
                out_weight[row] = weight
            measurements += common
            row += 1
    return row - begin, measurements, precise


@compiled(parallel=True)
def gather(
    rows: AnyArray,
    weight: FloatArray,
    visits: AnyArray,
    slot: IntArray,
    tally: IntArray,
    begin: int,
    out: AnyArray,
    out_weight: FloatArray,
) -> None:
    """Write the numbers of all leaves one behind the other, from place ``begin`` on; NaN is left out.

    ``out_weight`` takes the weight of each, if it has any room.
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
                if len(out_weight) and place <= last:
                    out_weight[place] = weight[k] * (visits[v] if width > 1 and len(visits) else 1.0)
                place += rows[k, v] == rows[k, v]
