"""Subsamples of stars: always the same ones, by a plain reference."""

import math

import numpy as np
import pytest
from skyaccept.lib.arrays import FloatArray
from skyaccept.lib.sample.subsampling import sampled
from skyaccept.lib.sphere import unit_vectors

SIDE = 2 * math.sin(math.radians(2 / 3600) / 2)
"""Chord of two arcseconds."""

MASK = 2**64 - 1


def sky(number: int = 500) -> FloatArray:
    """Stars in a degree about RA = 0."""
    rng = np.random.default_rng(3)
    return unit_vectors(rng.uniform(-0.5, 0.5, number) % 360, rng.uniform(-0.5, 0.5, number))


def splitmix(direction: tuple[float, float, float]) -> int:
    """Hash of the cube of a unit vector, by the published algorithm (Steele, Lea and Flood 2014)."""
    state = 0
    for coordinate in direction:
        state = ((state ^ (round(coordinate / SIDE) & MASK)) + 0x9E3779B97F4A7C15) & MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & MASK
        state ^= state >> 31
    return state


@pytest.mark.parametrize("most", [1, 3, 50, 499])
def test_stars_are_those_of_the_lowest_hashes(most: int) -> None:
    directions = sky()
    kept, note = sampled(directions, most, "stars")
    hashes = [splitmix((x, y, z)) for x, y, z in directions.tolist()]
    expected = sorted(range(len(hashes)), key=lambda k: hashes[k])[: max(most, 3)]
    assert kept.tolist() == sorted(expected)
    assert note == f"; replicates of {max(most, 3)} of the 500 stars"


def test_few_stars_are_all_kept_without_a_note() -> None:
    kept, note = sampled(sky(20), 20, "stars")
    assert (kept.tolist(), note) == (list(range(20)), "")


def test_another_order_or_processing_keeps_the_same_stars() -> None:
    """All of them in another order; nearly all if positions change by 20 mas."""
    directions = sky()
    kept = set(sampled(directions, 100, "stars")[0].tolist())
    order = np.random.default_rng(4).permutation(len(directions))
    assert {int(order[k]) for k in sampled(directions[order], 100, "stars")[0]} == kept
    moved = directions + np.random.default_rng(5).normal(0, math.radians(0.02 / 3600), directions.shape)
    assert len(kept & set(sampled(moved, 100, "stars")[0].tolist())) >= 90
