import tracemalloc

import numpy as np
import pytest
from skyaccept.lib import separation
from skyaccept.lib.separation import Annulus
from skyaccept.lib.sphere import ARCMIN
from skyaccept.lib.tests.separation import plain
from skyaccept.lib.tests.separation.fields import from_vectors, scattered


def test_memory_is_less_than_a_byte_for_each_two_objects() -> None:
    """Pairs of a narrow class are few: neither values nor their matrix by visit need an array of all pairs."""
    rng, n = np.random.default_rng(9), 2000
    obj, visit, vectors = scattered(rng, n, 2, 3.0, (120.0, -40.0), np.full(n, 10.0), 1.0)
    where, annulus = from_vectors(obj, visit, vectors), Annulus(4 * ARCMIN, 6 * ARCMIN)

    def both() -> int:
        pairs, _ = separation.deviations(where, annulus, 2, np.arange(n))
        assert len(pairs) == separation.pair_rms(where, annulus, ddof=1, min_common_visits=2).pairs
        return len(pairs)

    assert both() > n / 4  # and all is compiled
    tracemalloc.start()
    try:
        both()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < n**2


@pytest.mark.parametrize("precise", [True, False])
def test_deviations_are_those_of_the_chosen_objects(precise: bool) -> None:
    """The same bits for all objects and for some, and those of plain numpy."""
    rng = np.random.default_rng(3)
    obj, visit, vectors = scattered(rng, 80, 7, 0.1, (359.99, 10.0), np.full(80, 20.0), 0.7)
    where, annulus = from_vectors(obj, visit, vectors, precise=precise), Annulus(1 * ARCMIN, 6 * ARCMIN)
    pairs, values = separation.deviations(where, annulus, 3, np.arange(80))
    some = np.flatnonzero(rng.random(80) < 0.5)
    chosen, found = separation.deviations(where, annulus, 3, some)
    row = {(i, j): k for k, (i, j) in enumerate(pairs.tolist())}
    inside = np.isin(pairs, some).all(axis=1)
    assert len(found) == inside.sum() > 100
    same = values[[row[i, j] for i, j in some[chosen].tolist()]]
    np.testing.assert_array_equal(found, same)
    plainly = plain.pair_deviations(where, annulus, about="mean", min_common_visits=3)
    assert plainly.pairs == len(pairs)
    centered = values - np.nanmean(values, axis=1, keepdims=True)
    np.testing.assert_allclose(np.sort(centered[np.isfinite(centered)]), np.sort(plainly.values), atol=1e-6)
