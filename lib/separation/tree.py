"""Tree on the sphere that enumerates the pairs of a separation class.

Objects are halved along the longest side of the box around them, again and again, until a leaf holds a handful. A node
knows the ball around its objects in space; whether any pair of two nodes can lie at a separation from ``inner`` to
``outer`` follows from the distance of the two balls' centres, by the triangle inequality for chords. Poles, RA = 0 and
separations up to 180 degrees are ordinary cases. Every candidate pair is then tested exactly.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from skyaccept.lib.arrays import FloatArray, IntArray
from skyaccept.lib.numba_cache import cached_njit

LEAF = 8
"""Objects of a leaf at most: as many as a processor compares at once."""

_SLACK = 1e-12  # far above the rounding of a chord, far below any separation class


class Tree(NamedTuple):
    """Nodes in heap order: the children of node k are 2k + 1 and 2k + 2.

    Those of level d are 2^d - 1 ... 2^(d+1) - 2.

    Attributes
    ----------
    start, stop : (n_nodes,) int64
        First object of each node, and the one after its last, in the order of the leaves.
    ball : (n_nodes, 4) float64
        Centre and radius of the ball around the objects of each node.
    leaf : (n_leaves, 3, LEAF) float64
        Unit vectors of the objects of each leaf; NaN, which lies in no separation class, fills it up.
    """

    start: IntArray
    stop: IntArray
    ball: FloatArray
    leaf: FloatArray


def build(direction: FloatArray) -> tuple[IntArray, Tree]:
    """Order and tree of unit vectors (n, 3).

    Returns
    -------
    order : (n,) int64
        Objects in the order of the leaves, those of a leaf along its longest side: whatever the order they came in.
    tree : Tree
    """
    n = len(direction)
    levels = max(0, int(np.ceil(np.log2(max(n, 1) / LEAF))))
    start = np.concatenate([(n * np.arange(2**d)) >> d for d in range(levels + 1)])
    stop = np.concatenate([(n * np.arange(1, 2**d + 1)) >> d for d in range(levels + 1)])
    order = np.arange(n)
    for d in range(levels):
        level = slice(2**d - 1, 2 ** (d + 1) - 1)
        _halve(direction, order, start[level], stop[level], d)
    leaves = slice(2**levels - 1, None)
    _sort(direction, order, start[leaves], stop[leaves])
    ball, leaf = np.zeros((len(start), 4)), np.full((2**levels, 3, LEAF), np.nan)
    _enclose(direction[order], start, stop, ball, leaf)
    return order, Tree(start, stop, ball, leaf)


@cached_njit(parallel=True)
def _halve(direction: FloatArray, order: IntArray, first: IntArray, stop: IntArray, level: int) -> None:
    """Order the objects of each node so that those of its first child come first."""
    n = len(order)
    for node in numba.prange(len(first)):
        begin, end = first[node], stop[node]
        middle = (n * (2 * node + 1)) >> (level + 1)
        _select(direction, _longest(direction, order, begin, end), order, begin, end - 1, middle)


@cached_njit(parallel=True)
def _sort(direction: FloatArray, order: IntArray, first: IntArray, stop: IntArray) -> None:
    """Order the objects of each leaf along its longest side."""
    for leaf in numba.prange(len(first)):
        axis = _longest(direction, order, first[leaf], stop[leaf])
        for p in range(first[leaf] + 1, stop[leaf]):
            one, place = order[p], p
            while place > first[leaf] and direction[order[place - 1], axis] > direction[one, axis]:
                order[place] = order[place - 1]
                place -= 1
            order[place] = one


@cached_njit()
def _longest(direction: FloatArray, order: IntArray, begin: int, end: int) -> int:
    """Axis of the longest side of the box around some objects."""
    longest, axis = -1.0, 0
    for k in range(3):
        low, high = np.inf, -np.inf
        for p in range(begin, end):
            low, high = min(low, direction[order[p], k]), max(high, direction[order[p], k])
        if high - low > longest:
            longest, axis = high - low, k
    return axis


@cached_njit()
def _select(direction: FloatArray, axis: int, order: IntArray, low: int, high: int, place: int) -> None:
    """Order ``low`` to ``high`` so that ``place`` divides the coordinates.

    None before it is larger than any from there on.
    """
    while low < high:
        pivot = direction[order[(low + high) // 2], axis]
        left, right = low, high
        while left <= right:
            while direction[order[left], axis] < pivot:
                left += 1
            while direction[order[right], axis] > pivot:
                right -= 1
            if left <= right:
                order[left], order[right] = order[right], order[left]
                left += 1
                right -= 1
        if place <= right:
            high = right
        elif place >= left:
            low = left
        else:
            return


@cached_njit(parallel=True)
def _enclose(direction: FloatArray, start: IntArray, stop: IntArray, ball: FloatArray, leaf: FloatArray) -> None:
    """Fill in balls and leaves."""
    for node in numba.prange(len(start)):
        begin, end = start[node], stop[node]
        for p in range(begin, end):
            for k in range(3):
                ball[node, k] += direction[p, k] / (end - begin)
                if node >= len(leaf) - 1:
                    leaf[node - len(leaf) + 1, k, p - begin] = direction[p, k]
        square = 0.0
        for p in range(begin, end):
            dx, dy, dz = (
                direction[p, 0] - ball[node, 0],
                direction[p, 1] - ball[node, 1],
                direction[p, 2] - ball[node, 2],
            )
            square = max(square, dx * dx + dy * dy + dz * dz)
        ball[node, 3] = np.sqrt(square)


@cached_njit()
def neighbours(tree: Tree, leaf: int, low: float, high: float, found: IntArray) -> int:
    """Find the leaves whose pairs with this one fall to this one.

    Pairs at a chord from ``low`` to ``high``.

    The pairs of two leaves fall to one of the two, by the parity of their numbers: each leaf has its fair share.

    Parameters
    ----------
    tree : Tree
    leaf : int
    low, high : float
        Chords, in units of the radius of the sphere.
    found : (n_leaves,) int64
        Filled with leaves in ascending order.

    Returns
    -------
    int
        How many there are.
    """
    ball, inner = tree.ball, len(tree.leaf) - 1  # nodes below this number have children
    x, y, z, radius = ball[inner + leaf, 0], ball[inner + leaf, 1], ball[inner + leaf, 2], ball[inner + leaf, 3]
    stack = np.empty(64, dtype=np.int64)
    stack[0] = 0
    height, count = 1, 0
    while height > 0:
        height -= 1
        node = stack[height]
        dx, dy, dz = ball[node, 0] - x, ball[node, 1] - y, ball[node, 2] - z
        both = radius + ball[node, 3] + _SLACK
        square = dx * dx + dy * dy + dz * dz
        if (low > both and square < (low - both) ** 2) or square > (high + both) ** 2:
            continue
        if node < inner:
            stack[height] = 2 * node + 2
            stack[height + 1] = 2 * node + 1
            height += 2
        else:
            other = node - inner
            if other == leaf or ((leaf + other) % 2 == 1) == (leaf < other):
                found[count] = other
                count += 1
    return count


@cached_njit()
def pairs_of(
    tree: Tree, leaf: int, other: int, low2: float, high2: float, first: IntArray, second: IntArray, count: int
) -> int:
    """Append pairs of two leaves at a squared chord in [low2, high2).

    To ``first`` and ``second``.

    Returns the number of pairs after that; a place behind them is overwritten.
    """
    inner = len(tree.leaf) - 1
    begin, start = tree.start[inner + leaf], tree.start[inner + other]
    for k in range(tree.stop[inner + leaf] - begin):
        x, y, z = tree.leaf[leaf, 0, k], tree.leaf[leaf, 1, k], tree.leaf[leaf, 2, k]
        least = k + 1 if leaf == other else 0
        for p in range(LEAF):
            dx, dy, dz = tree.leaf[other, 0, p] - x, tree.leaf[other, 1, p] - y, tree.leaf[other, 2, p] - z
            square = dx * dx + dy * dy + dz * dz
            first[count] = begin + k
            second[count] = start + p
            count += (square >= low2) & (square < high2) & (p >= least)
    return count


@cached_njit(parallel=True)
def candidates(tree: Tree, low: float, high: float) -> IntArray:
    """Upper bound of the number of pairs that fall to each leaf."""
    count = np.zeros(len(tree.leaf), dtype=np.int64)
    for leaf in numba.prange(len(tree.leaf)):
        found = np.empty(len(tree.leaf), dtype=np.int64)
        count[leaf] = LEAF * LEAF * neighbours(tree, leaf, low, high, found)
    return count


@cached_njit()
def listed(tree: Tree, low: float, high: float) -> IntArray:
    """List all pairs at a chord from ``low`` to below ``high``, (n, 2).

    Places are in the order of the leaves.
    """
    found = np.empty(len(tree.leaf), dtype=np.int64)
    first, second = np.empty(LEAF * LEAF + 1, dtype=np.int64), np.empty(LEAF * LEAF + 1, dtype=np.int64)
    pairs = np.empty((1024, 2), dtype=np.int64)
    number = 0
    for leaf in range(len(tree.leaf)):
        for k in range(neighbours(tree, leaf, low, high, found)):
            more = pairs_of(tree, leaf, found[k], low * low, high * high, first, second, 0)
            if number + more > len(pairs):
                longer = np.empty((2 * len(pairs), 2), dtype=np.int64)
                longer[:number] = pairs[:number]
                pairs = longer
            pairs[number : number + more, 0], pairs[number : number + more, 1] = first[:more], second[:more]
            number += more
    return pairs[:number].copy()
