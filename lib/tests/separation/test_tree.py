"""The tree of positions: complete, enclosing, and as compact as its use for pairs and for cells of the sky needs it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skyaccept.lib.separation import tree
from skyaccept.lib.sphere import unit_vectors

RADIUS = np.radians(1.5)


def field(n: int, ra: float, dec: float) -> np.ndarray:
    """Unit vectors, uniform over a disc."""
    rng = np.random.default_rng(n)
    middle = unit_vectors(np.array([ra]), np.array([dec]))[0]
    aside = np.linalg.svd(middle[None, :])[2][1:]
    size, angle = np.sin(RADIUS) * np.sqrt(rng.random(n)), 2 * np.pi * rng.random(n)
    offset = size[:, None] * (np.cos(angle)[:, None] * aside[0] + np.sin(angle)[:, None] * aside[1])
    return middle * np.sqrt(1 - size**2)[:, None] + offset


@pytest.mark.parametrize(("ra", "dec"), [(0.0, 0.0), (150.0, 30.0), (10.0, 90.0)])
@pytest.mark.parametrize("n", [1, 10, 1000, 20_000])
def test_nodes_enclose_their_objects_and_leaves_are_compact(n: int, ra: float, dec: float) -> None:
    """A leaf of m of the n objects covers about m / n of the disc; one that is long and thin would reach farther."""
    direction = field(n, ra, dec)
    order, found = tree.build(direction)
    assert sorted(order.tolist()) == list(range(n))
    leaves = len(found.leaf)
    for first, stop, (x, y, z, radius) in zip(found.start, found.stop, found.ball, strict=True):
        inside = direction[order[first:stop]]
        assert np.all(np.linalg.norm(inside - [x, y, z], axis=1) <= radius + 1e-12)
    radii = found.ball[leaves - 1 :, 3]
    side = np.sqrt(np.pi / leaves) * RADIUS
    assert np.median(radii) < 0.85 * side
    assert radii.max() < 1.6 * side


def test_each_level_halves_the_nodes_of_the_one_above() -> None:
    order, found = tree.build(field(20_000, 80.0, -60.0))
    for node in range(len(found.leaf) - 1):
        first, second = 2 * node + 1, 2 * node + 2
        assert found.start[node] == found.start[first]
        assert found.stop[first] == found.start[second]
        assert found.stop[second] == found.stop[node]
        assert abs((found.stop[first] - found.start[first]) - (found.stop[second] - found.start[second])) <= 1
    assert len(order) == 20_000


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 90),
    cap=st.sampled_from([1e-7, 1e-4, 0.01, 1.0, 40.0, 180.0]),
    inner=st.floats(0, 1),
    outer=st.floats(0, 1.2),
    twins=st.integers(0, 40),
)
def test_the_tree_finds_every_pair_once(seed: int, n: int, cap: float, inner: float, outer: float, twins: int) -> None:
    """Any field from a point to the whole sky, identical objects among them, any annulus."""
    rng = np.random.default_rng(seed)
    distance = np.arccos(1 - rng.random(n) * (1 - np.cos(np.radians(cap))))
    angle = rng.uniform(0, 2 * np.pi, n)
    vectors = np.stack([np.sin(distance) * np.cos(angle), np.sin(distance) * np.sin(angle), np.cos(distance)], axis=1)
    vectors = np.concatenate([vectors, vectors[rng.integers(0, n, twins)]])
    order, leaves = tree.build(vectors)
    assert sorted(order.tolist()) == list(range(n + twins))
    ordered = vectors[order]
    low, high = inner * np.radians(cap), outer * np.radians(cap)
    found: list[tuple[int, int]] = []
    neighbours = np.empty(len(leaves.leaf), dtype=np.int64)
    first, second = (np.empty(tree.LEAF**2 + 1, dtype=np.int64) for _ in range(2))
    for leaf in range(len(leaves.leaf)):
        for k in range(tree.neighbours(leaves, leaf, low, high, neighbours)):
            count = tree.pairs_of(leaves, leaf, neighbours[k], low * low, high * high, first, second, 0)
            found += [(min(i, j), max(i, j)) for i, j in zip(first[:count], second[:count], strict=True)]
    square = ((ordered[:, None] - ordered[None]) ** 2).sum(axis=-1)
    sure = (square > low * low * (1 + 1e-9) + 1e-30) & (square < high * high * (1 - 1e-9))
    possible = (square >= low * low * (1 - 1e-9)) & (square < high * high * (1 + 1e-9) + 1e-30)
    pairs = set(found)
    assert len(pairs) == len(found)
    assert {(i, j) for i, j in zip(*np.nonzero(np.triu(sure, 1)), strict=True)} <= pairs
    assert pairs <= {(i, j) for i, j in zip(*np.nonzero(np.triu(possible, 1)), strict=True)}
