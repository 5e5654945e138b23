import itertools

import numba
import numpy as np
import pytest
from skyaccept.lib.numba_cache import share_cores
from skyaccept.lib.separation import Annulus, correlation, tree
from skyaccept.lib.sphere import separation, unit_vectors


def field(n: int, visits: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit vectors, groups and ellipticities with gaps."""
    rng = np.random.default_rng(n)
    vectors = unit_vectors(rng.uniform(10, 11, n), rng.uniform(-0.5, 0.5, n))
    ellipticity = rng.normal(0, 0.1, (n, visits)) + 1j * rng.normal(0, 0.1, (n, visits))
    ellipticity[rng.random((n, visits)) < 0.4] = np.nan
    return vectors, rng.integers(0, 3, n), ellipticity


def test_sums_are_those_of_a_double_loop() -> None:
    vectors, group, ellipticity = field(70, 3)
    annulus = Annulus(np.radians(0.1), np.radians(0.4))
    order, leaves = tree.build(vectors)
    found = correlation.sums(leaves, annulus, group[order], ellipticity[order])
    number, products, squares, both = np.zeros((6, 3)), np.zeros((3, 6, 3)), np.zeros((3, 6, 3)), np.zeros((6, 3))
    rows = {tuple(pair): k for k, pair in enumerate(correlation.group_pairs(3).tolist())}
    pairs = 0
    for i, j in itertools.combinations(range(70), 2):
        if annulus.inner <= separation(vectors[i], vectors[j]) < annulus.outer:
            row = rows[min(group[i], group[j]), max(group[i], group[j])]
            a, b = ellipticity[i], ellipticity[j]
            product = np.array([a.real * b.real, a.imag * b.imag, (a.real * b.imag + a.imag * b.real) / 2])
            seen = np.isfinite(a) & np.isfinite(b)
            number[row] += seen
            products[:, row] += np.where(seen, product, 0)
            squares[:, row] += np.where(seen, product**2, 0)
            both[row] += np.where(seen, product[0] + product[1], 0)
            pairs += seen.any()
    assert found.pairs == pairs
    np.testing.assert_array_equal(found.number, number)
    np.testing.assert_allclose(found.products, products, atol=1e-14)
    np.testing.assert_allclose(found.squares, squares, atol=1e-14)
    np.testing.assert_allclose(found.both, both, atol=1e-14)


@pytest.mark.parametrize("annulus", [Annulus(0.0, 0.0), Annulus(3.0, 3.1)])
def test_a_class_without_pairs_sums_to_nothing(annulus: Annulus) -> None:
    vectors, group, ellipticity = field(30, 2)
    order, leaves = tree.build(vectors)
    found = correlation.sums(leaves, annulus, group[order], ellipticity[order])
    assert (found.pairs, found.number.sum(), np.abs(found.products).max()) == (0, 0, 0)


def test_threads_change_no_bit_of_the_sums() -> None:
    vectors, group, ellipticity = field(500, 4)
    order, leaves = tree.build(vectors)
    before, found = numba.get_num_threads(), []
    share_cores(1)
    available = numba.get_num_threads()
    for threads in (1, 2):
        numba.set_num_threads(min(threads, available))
        sums = correlation.sums(leaves, Annulus(0.001, 0.01), group[order], ellipticity[order])
        found.append([np.asarray(part).tobytes() for part in sums])
    numba.set_num_threads(before)
    assert found[0] == found[1]
