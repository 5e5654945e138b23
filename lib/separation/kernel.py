"""The compiled core: pairs are enumerated by the grid and reduced on the fly, in parallel over objects."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.jit import compiled
from skyaccept.lib.separation import pair
from skyaccept.lib.separation.grid import Index, runs
from skyaccept.lib.separation.pair import (
    ABOUT_MEAN,
    ABOUT_MEDIAN,
    FINE_TOLERANCE,
    LANES,
    RMS,
    ROUNDING,
    TOLERANCE,
    Number,
    Numbers,
)
from skyaccept.lib.sphere import MAS, Float

_BLOCK = 16  # objects given to a thread at a time
_CHUNK = 256  # candidates tested at a time


@compiled(parallel=True)
def candidates(
    ra: Float, strip: Index, first: Index, start: Index, width: Float, span: float, nearest: Float, farthest: Float
) -> Index:
    """Upper bound of the number of partners of each object, from the sizes of the runs alone."""
    n = len(ra)
    count = np.zeros(n, dtype=np.int64)
    for block in numba.prange((n + _BLOCK - 1) // _BLOCK):
        out = np.empty(4, dtype=np.int64)
        for i in range(block * _BLOCK, min(n, (block + 1) * _BLOCK)):
            s = strip[i]
            for k in range(min(farthest.shape[1], len(width) - s)):
                if farthest[s, k] >= 0:
                    for side in range(2):
                        low = ra[i] + nearest[s, k] if side == 0 else ra[i] - farthest[s, k]
                        high = ra[i] + farthest[s, k] if side == 0 else ra[i] - nearest[s, k]
                        if (low > span and high < 2 * np.pi) or (high < 0 and low > span - 2 * np.pi):
                            continue
                        t = s + k
                        found = runs(low, high, span, width[t], first[t], first[t + 1], start, out)
                        for r in range(found):
                            count[i] += out[2 * r + 1] - out[2 * r]
    return count


@compiled(parallel=True)
def reduce_pairs(
    begin: int,
    end: int,
    slot: Index,
    reduction: int,
    ddof: int,
    least: int,
    chord2_low: float,
    chord2_high: float,
    direction: Float,
    east: Float,
    north: Float,
    x: Numbers,
    y: Numbers,
    bits: NDArray[np.uint64],
    reach: Float,
    wide: Index,
    wide_x: Float,
    wide_y: Float,
    visit_weight: Numbers,
    visit_bits: NDArray[np.uint64],
    object_weight: Float,
    ra: Float,
    strip: Index,
    first: Index,
    start: Index,
    width: Float,
    span: float,
    nearest: Float,
    farthest: Float,
    out: Numbers,
    out_weight: Float,
    tally: Index,
) -> None:
    """Reduce the pairs of objects ``begin`` to ``end`` with later ones.

    ``slot[i] - slot[begin]`` is the place of the first result of object i in ``out``; a candidate takes one place for
    `RMS` and n_visits places otherwise. ``tally[i - begin]`` counts pairs, measurements, pairs measured in float64 and
    results. An empty ``visit_weight`` or ``object_weight`` stands for ones;
    ``visit_bits`` marks the visits of positive weight.
    """
    n_visits = x.shape[1]
    per_pair = 1 if reduction == RMS else n_visits
    single = x.itemsize == 4
    weigh_visits, weigh_objects = len(visit_weight) > 0, len(object_weight) > 0
    weighted = len(out_weight) > 0
    for block in numba.prange((end - begin + _BLOCK - 1) // _BLOCK):
        run = np.empty(4, dtype=np.int64)
        partner = np.empty(_CHUNK, dtype=np.int64)
        values, scratch = np.empty(n_visits), np.empty(n_visits + LANES)
        single_values, single_scratch = np.empty(n_visits, np.float32), np.empty(n_visits + LANES, np.float32)
        for i in range(begin + block * _BLOCK, min(end, begin + (block + 1) * _BLOCK)):
            place = (slot[i] - slot[begin]) * per_pair
            s = strip[i]
            ax, ay, az = direction[i, 0], direction[i, 1], direction[i, 2]
            pairs = measurements = precise = 0
            for k in range(min(farthest.shape[1], len(width) - s)):
                if farthest[s, k] < 0:
                    continue
                t = s + k
                for side in range(2):
                    low = ra[i] + nearest[s, k] if side == 0 else ra[i] - farthest[s, k]
                    high = ra[i] + farthest[s, k] if side == 0 else ra[i] - nearest[s, k]
                    if (low > span and high < 2 * np.pi) or (high < 0 and low > span - 2 * np.pi):
                        continue
                    found = runs(low, high, span, width[t], first[t], first[t + 1], start, run)
                    for r in range(found):
                        for chunk in range(run[2 * r], run[2 * r + 1], _CHUNK):
                            # first the partners are found, without branches; then they are measured
                            partners = 0
                            for j in range(chunk, min(chunk + _CHUNK, run[2 * r + 1])):
                                dx, dy, dz = direction[j, 0] - ax, direction[j, 1] - ay, direction[j, 2] - az
                                chord2 = dx * dx + dy * dy + dz * dz
                                turn = ra[j] - ra[i]
                                turn += 2 * np.pi * (turn <= -np.pi) - 2 * np.pi * (turn > np.pi)
                                partner[partners] = j
                                partners += (
                                    (chord2 >= chord2_low)
                                    & (chord2 < chord2_high)
                                    & ((k > 0) | (j > i))
                                    & ((side == 0) == (turn >= 0))
                                )
                            for p in range(partners):
                                j = partner[p]
                                dx, dy, dz = direction[j, 0] - ax, direction[j, 1] - ay, direction[j, 2] - az
                                chord2 = dx * dx + dy * dy + dz * dz
                                n = _common(bits, visit_bits, i, j)
                                if n < least:
                                    continue
                                weight = object_weight[i] * object_weight[j] if weigh_objects else 1.0
                                if weight == 0:
                                    continue
                                both = reach[i] + reach[j]
                                sin2 = chord2 * (1 - chord2 / 4)
                                cubic = both * both * both * MAS * MAS / sin2
                                short = single and ROUNDING * both + cubic < TOLERANCE
                                fine = not single and cubic * (both * MAS / np.sqrt(sin2) + sin2) < FINE_TOLERANCE
                                if short and reduction == RMS:
                                    a, b, c, d, cot, csc = pair.short_form(
                                        direction, east, north, i, j, dx, dy, dz, chord2
                                    )
                                    if weigh_visits:
                                        sums = pair.weighted_sums(x, y, i, j, visit_weight, a, b, c, d, cot, csc)
                                        total, square, norm = sums
                                    else:
                                        total, square = pair.sums(x, y, i, j, a, b, c, d, cot, csc)
                                        norm = np.float32(n)
                                    if norm <= ddof:
                                        continue
                                    variance = max(
                                        (square - total * total / norm) / (norm - np.float32(ddof)), np.float32(0)
                                    )
                                    result = np.sqrt(variance)
                                    # the sum of squares cancels where all deviations are alike
                                    if ROUNDING * square > TOLERANCE * result * (norm - np.float32(ddof)):
                                        pair.short_values(x, y, i, j, a, b, c, d, cot, csc, values)
                                        result = np.float32(pair.deviation(values, visit_weight, weigh_visits, ddof))
                                    out[place] = result
                                    written = 1
                                elif short:
                                    a, b, c, d, cot, csc = pair.short_form(
                                        direction, east, north, i, j, dx, dy, dz, chord2
                                    )
                                    pair.short_values(x, y, i, j, a, b, c, d, cot, csc, single_values)
                                    written = pair.differences(
                                        reduction, single_values, visit_weight, weigh_visits, single_scratch, out, place
                                    )
                                else:
                                    if fine:
                                        pair.fine_values(direction, east, north, i, j, dx, dy, dz, chord2, x, y, values)
                                    else:
                                        xi, yi = (wide_x[wide[i]], wide_y[wide[i]]) if wide[i] >= 0 else _row(x, y, i)
                                        xj, yj = (wide_x[wide[j]], wide_y[wide[j]]) if wide[j] >= 0 else _row(x, y, j)
                                        pair.exact_values(direction, east, north, i, j, xi, yi, xj, yj, values)
                                    precise += 1
                                    if reduction == RMS:
                                        result = pair.deviation(values, visit_weight, weigh_visits, ddof)
                                        if result != result:
                                            continue
                                        out[place] = result
                                        written = 1
                                    else:
                                        written = pair.differences(
                                            reduction, values, visit_weight, weigh_visits, scratch, out, place
                                        )
                                if weighted:
                                    out_weight[place : place + written] = weight
                                    if reduction != RMS and weigh_visits:
                                        k_written = 0
                                        for v in range(n_visits):
                                            if visit_weight[v] > 0 and x[i, v] == x[i, v] and x[j, v] == x[j, v]:
                                                out_weight[place + k_written] *= visit_weight[v]
                                                k_written += 1
                                place += written
                                pairs += 1
                                measurements += n
            tally[i - begin, 0] = pairs
            tally[i - begin, 1] = measurements
            tally[i - begin, 2] = precise
            tally[i - begin, 3] = place - (slot[i] - slot[begin]) * per_pair


@compiled(parallel=True)
def gather(scattered: Numbers, place: Index, per_pair: int, written: Index) -> Numbers:
    """Move the results of all objects together, in their order.

    ``written[k]`` results of the k-th object stand from ``(place[k] - place[0]) * per_pair`` on.
    """
    goal = np.zeros(len(written) + 1, dtype=np.int64)
    goal[1:] = np.cumsum(written)
    together = np.empty(goal[-1], dtype=scattered.dtype)
    for k in numba.prange(len(written)):
        source = (place[k] - place[0]) * per_pair
        for r in range(written[k]):
            together[goal[k] + r] = scattered[source + r]
    return together


@compiled()
def _common(bits: NDArray[np.uint64], visit_bits: NDArray[np.uint64], i: int, j: int) -> Number:
    """Number of visits in which both objects were seen."""
    count: Number = 0
    for w in range(bits.shape[1]):
        v = bits[i, w] & bits[j, w] & visit_bits[w]
        v = v - ((v >> np.uint64(1)) & np.uint64(0x5555555555555555))
        v = (v & np.uint64(0x3333333333333333)) + ((v >> np.uint64(2)) & np.uint64(0x3333333333333333))
        v = (v + (v >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
        count += np.int64((v * np.uint64(0x0101010101010101)) >> np.uint64(56))
    return count


@compiled()
def _row(x: Numbers, y: Numbers, i: int) -> tuple[Float, Float]:
    return x[i].astype(np.float64), y[i].astype(np.float64)


__all__ = ["ABOUT_MEAN", "ABOUT_MEDIAN", "RMS", "candidates", "gather", "reduce_pairs"]
