import numpy as np
from skyaccept.lib.separation import Annulus, Positions
from skyaccept.lib.tests.separation import plain
from skyaccept.lib.tests.separation.fields import from_vectors


def test_pairs_are_those_of_the_annulus_over_several_blocks() -> None:
    """More objects than one block, sorted or not: each pair once, none lost."""
    rng = np.random.default_rng(11)
    n = 700
    ra, dec = rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    positions = Positions.from_degrees(np.arange(n), np.zeros(n, dtype=int), ra, dec)
    for low, high in [(0, 3), (29, 31), (100, 120), (176, 181)]:
        found = set()
        for first, second in plain.pairs_in(positions, Annulus(np.radians(low), np.radians(high))):
            for i, j in zip(first.tolist(), second.tolist(), strict=True):
                assert (min(i, j), max(i, j)) not in found
                found.add((min(i, j), max(i, j)))
        cosine = np.clip(positions.direction @ positions.direction.T, -1, 1)
        angle = np.degrees(np.arccos(cosine))
        inside = (angle >= low) & (angle < high)
        assert found == {(i, j) for i, j in zip(*np.nonzero(np.triu(inside, 1)), strict=True)}


def test_inner_edges_are_included_and_outer_edges_excluded() -> None:
    positions = from_vectors(np.arange(2), np.zeros(2, dtype=int), np.eye(3)[:2])
    quarter = np.pi / 2

    def count(inner: float, outer: float) -> int:
        return sum(len(i) for i, _ in plain.pairs_in(positions, Annulus(inner, outer)))

    assert count(quarter, quarter + 0.1) == 1
    assert count(quarter - 0.1, quarter) == 0


def test_an_antipodal_pair_is_found() -> None:
    positions = from_vectors(np.arange(2), np.zeros(2, dtype=int), np.array([[0.0, 0, 1], [0, 0, -1]]))
    assert sum(len(i) for i, _ in plain.pairs_in(positions, Annulus(np.radians(179), np.radians(181)))) == 1
