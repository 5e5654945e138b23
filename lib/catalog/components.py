"""Connected components of points on the sphere."""

from __future__ import annotations

import numpy as np
from skyaccept.lib.arrays import AnyArray, FloatArray, IntArray
from skyaccept.lib.numba_cache import cached_njit
from skyaccept.lib.sphere import chord

UNPLACED = -1
"""Label of a point that is not finite."""

_MANY = -1  # visits
_SMALLEST_SIDE = 1e-6  # coordinates from 0 to 2 in units of it take 21 bits each
_SLACK = 1e-6  # relative; rounding moves a point by less than 1e-9 of a cube


def connected_components(vectors: FloatArray, visit: AnyArray, radius: float) -> IntArray:
    """Label connected components of points of different visits closer than a radius.

    Parameters
    ----------
    vectors : (n, 3) float64
        Unit vectors; a vector that is not finite is left out.
    visit : (n,) int
        Visit of each point, not negative.
    radius : float
        Radians; a pair at exactly this separation is not joined.

    Returns
    -------
    (n,) int64
        Labels 0, 1, ..., equal within a component, numbered by the first point of each; `UNPLACED` for a vector that
        is not finite.

    Notes
    -----
    Points are sorted into cubes in space, so that neighbours lie in adjacent cubes; poles and RA = 0 are not special.
    Components grow by union-find.

    Let all points of a cube lie within the radius of each other and come from two visits or more. Two of different
    visits are then joined by an edge, and two of the same visit through any point of another one: the cube is connected
    without a test of its pairs, and a single edge joins it to another such cube. Cubes are therefore made small
    enough, with a diagonal below the radius; where their keys do not allow it, the extent of the points decides.
    """
    n = len(vectors)
    vectors, visit = np.ascontiguousarray(vectors, dtype=np.float64), np.ascontiguousarray(visit, dtype=np.int64)
    reach = chord(min(radius, np.pi))
    side = max(reach / np.sqrt(3) * (1 - _SLACK), _SMALLEST_SIDE)
    parent = np.empty(n, dtype=np.int64)
    previous = np.empty(n, dtype=np.int32 if n < 2**31 else np.int64)
    key, last, seen = _fill_cubes(vectors, visit, side, parent, previous)
    order = np.argsort(key)
    _join_cubes(vectors, visit, key[order], last[order], seen[order], side, reach, parent, previous)
    _number(parent)
    return parent


@cached_njit()
def _fill_cubes(
    vectors: FloatArray, visit: IntArray, side: float, parent: IntArray, previous: AnyArray
) -> tuple[IntArray, AnyArray, IntArray]:
    """Assign points to cubes in order of appearance, by a hash of their key.

    ``previous`` becomes the row of the point before each in its cube, -1 for the first, and ``parent`` the row of the
    first: as if all points of a cube were connected.

    Returns
    -------
    key : (n_cubes,) int64
        The coordinates of each cube, x, y, z, of 21 bits.
    last : (n_cubes,) int
        The row of its last point.
    seen : (n_cubes,) int64
        The visit of its points, ``_MANY`` where they differ.
    """
    n = len(vectors)
    # only as many elements are touched as there are cubes
    key = np.empty(n, dtype=np.int64)
    first = np.empty(n, dtype=previous.dtype)
    last = np.empty(n, dtype=previous.dtype)
    seen = np.empty(n, dtype=np.int64)
    cubes, bits = 0, 10
    table = np.full(1 << bits, -1, dtype=previous.dtype)
    for row in range(n):
        x, y, z = vectors[row, 0], vectors[row, 1], vectors[row, 2]
        if not np.isfinite(x + y + z):
            parent[row] = UNPLACED
            continue
        own = (int((x + 1.0) / side) << 42) | (int((y + 1.0) / side) << 21) | int((z + 1.0) / side)
        place = _hash(own, bits)
        while table[place] >= 0 and key[table[place]] != own:
            place = (place + 1) & (len(table) - 1)
        cube = table[place]
        if cube >= 0:
            parent[row] = first[cube]
            previous[row] = last[cube]
            last[cube] = row
            if seen[cube] != visit[row]:
                seen[cube] = _MANY
            continue
        table[place] = cubes
        key[cubes] = own
        first[cubes] = last[cubes] = parent[row] = row
        seen[cubes] = visit[row]
        previous[row] = -1
        cubes += 1
        if 2 * cubes > len(table):
            bits += 2
            table = np.full(1 << bits, -1, dtype=previous.dtype)
            for old in range(cubes):
                place = _hash(key[old], bits)
                while table[place] >= 0:
                    place = (place + 1) & (len(table) - 1)
                table[place] = old
    return key[:cubes], last[:cubes], seen[:cubes]


@cached_njit()
def _hash(key: int, bits: int) -> int:
    """Multiplicative hash (Knuth): upper bits of key times 2^64 / golden ratio."""
    return ((key * -0x61C8864680B583EB) >> (64 - bits)) & ((1 << bits) - 1)


@cached_njit()
def _join_cubes(
    vectors: FloatArray,
    visit: IntArray,
    key: IntArray,
    last: AnyArray,
    seen: IntArray,
    side: float,
    reach: float,
    parent: IntArray,
    previous: AnyArray,
) -> None:
    """Join the points of each cube with those of its neighbours; keys ascend.

    Neighbours in z are close in this order, and those in each other column of cubes run along with it. Of two
    neighbours, the one with the lower key looks for the other.
    """
    n = len(key)
    small = side > _SMALLEST_SIDE  # the diagonal is below the radius
    whole = np.empty(n, dtype=np.bool_)
    for cube in range(n):
        whole[cube] = seen[cube] == _MANY and (small or _extent(vectors, last[cube], previous) < reach)
        if not whole[cube]:
            row = last[cube]
            while row >= 0:
                parent[row] = row
                row = previous[row]
            if seen[cube] == _MANY:
                _join_points(vectors, visit, last[cube], last[cube], False, False, reach, parent, previous)
    steps = int(reach / side * (1 + _SLACK)) + 1
    columns = np.array(
        [(dx << 42) + (dy << 21) for dx in range(steps + 1) for dy in range(-steps, steps + 1) if dx > 0 or dy >= 0]
    )
    begin = np.zeros(len(columns), dtype=np.int64)
    for cube in range(n):
        for column in range(len(columns)):
            low = key[cube] + columns[column] - steps
            while begin[column] < n and key[begin[column]] < low:
                begin[column] += 1
            other = cube + 1 if column == 0 else begin[column]
            while other < n and key[other] <= low + 2 * steps:
                if whole[cube] and whole[other]:
                    pending = _root(parent, last[cube]) != _root(parent, last[other])
                else:
                    pending = seen[cube] == _MANY or seen[cube] != seen[other]
                if pending:
                    _join_points(
                        vectors, visit, last[cube], last[other], whole[cube], whole[other], reach, parent, previous
                    )
                other += 1


@cached_njit()
def _extent(vectors: FloatArray, last: int, previous: AnyArray) -> float:
    """Compute the diagonal of the bounding box of a cube's points, rounded up."""
    square = 0.0
    for axis in range(3):
        low = high = vectors[last, axis]
        row = previous[last]
        while row >= 0:
            low, high = min(low, vectors[row, axis]), max(high, vectors[row, axis])
            row = previous[row]
        square += (high - low) * (high - low)
    return np.sqrt(square)


@cached_njit()
def _join_points(
    vectors: FloatArray,
    visit: IntArray,
    last: int,
    other: int,
    whole: bool,
    other_whole: bool,
    reach: float,
    parent: IntArray,
    previous: AnyArray,
) -> None:
    """Join the points of two cubes, or of one; a point meets each whole cube once."""
    near = reach * reach * (1 + 1e-12)
    a = last
    while a >= 0:
        x, y, z = vectors[a, 0], vectors[a, 1], vectors[a, 2]
        b = previous[a] if last == other else other
        while b >= 0:
            dx, dy, dz = vectors[b, 0] - x, vectors[b, 1] - y, vectors[b, 2] - z
            square = dx * dx + dy * dy + dz * dz
            if square < near and visit[a] != visit[b] and np.sqrt(square) < reach:
                _join(parent, a, b)
                if whole and other_whole:
                    return
                if other_whole:
                    break
            b = previous[b]
        a = previous[a]


@cached_njit()
def _root(parent: IntArray, k: int) -> int:
    while parent[k] != k:
        parent[k] = parent[parent[k]]
        k = parent[k]
    return k


@cached_njit()
def _join(parent: IntArray, a: int, b: int) -> None:
    """Attach the later root to the earlier: a root is the first of its component."""
    a, b = _root(parent, a), _root(parent, b)
    if a < b:
        parent[b] = a
    elif b < a:
        parent[a] = b


@cached_njit()
def _number(parent: IntArray) -> None:
    """Replace parents by labels, in place; a parent precedes its children."""
    count = 0
    for k in range(len(parent)):
        if parent[k] == k:
            parent[k] = count
            count += 1
        elif parent[k] >= 0:
            parent[k] = parent[parent[k]]
