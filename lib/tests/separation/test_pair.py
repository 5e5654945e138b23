import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skyaccept.lib.separation import pair
from skyaccept.lib.separation.lanes import LANES
from skyaccept.lib.separation.positions import Positions
from skyaccept.lib.tests.separation.fields import from_vectors, scattered


def padded(values: np.ndarray) -> np.ndarray:
    """Values with room for whole vectors, as in the kernel."""
    found = np.full((len(values) + LANES - 1) // LANES * LANES, np.nan, dtype=values.dtype)
    found[: len(values)] = values
    return found


def written(values: np.ndarray, reduction: int, absolute: bool = False) -> np.ndarray:
    """One row, as the kernel asks for it."""
    out = np.full((3, len(values)), -99.0, dtype=values.dtype)
    task = pair.Task(0.0, 4.0, reduction, 0, 1, absolute)
    pair.write_deviations(task, padded(values), int(np.isfinite(values).sum()), out, 1)
    assert (out[[0, 2]] == -99).all()
    return np.asarray(out[1])


VALUES = np.array([1.0, np.nan, 2.0, 6.0, 3.5])


@pytest.mark.parametrize(("reduction", "center"), [(pair.ABOUT_MEAN, 3.125), (pair.ABOUT_MEDIAN, 2.75)])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_deviations_leave_out_what_was_not_seen(reduction: int, center: float, kind: type) -> None:
    expected = VALUES - center
    np.testing.assert_array_equal(written(VALUES.astype(kind), reduction), expected)
    np.testing.assert_array_equal(written(VALUES.astype(kind), reduction, absolute=True), np.abs(expected))


@pytest.mark.parametrize("n", [2, 15, 16, 17, 100])
@pytest.mark.parametrize("ddof", [0, 1])
def test_the_standard_deviation_is_that_of_numpy(n: int, ddof: int) -> None:
    values = np.append(np.random.default_rng(n).normal(3, 2, n), np.nan)
    found = pair.standard_deviation(padded(values), n, ddof)
    assert found == pytest.approx(np.nanstd(values, ddof=ddof), rel=1e-14)


def field(seed: int, cap: float, error: float, single: bool) -> Positions:
    """A handful of stars, some of them in the same place."""
    rng = np.random.default_rng(seed)
    obj, visit, vectors = scattered(rng, 6, 21, cap, (rng.uniform(0, 360), 40.0), np.full(6, error), 0.8)
    twin = obj == 5
    first = {v: k for k, v in enumerate(visit) if obj[k] == 4}
    both = np.array([v in first for v in visit])
    vectors[twin & both] = vectors[[first[v] for v in visit[twin & both]]]
    keep = ~(obj == 4) | np.isin(visit, visit[twin])
    keep &= ~twin | both
    return from_vectors(obj[keep], visit[keep], vectors[keep], precise=not single)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    cap=st.sampled_from([1e-5, 0.01, 0.3, 4.0, 60.0, 180.0]),
    error=st.sampled_from([1.0, 30.0, 1e3, 1e5]),
    single=st.booleans(),
)
def test_a_pair_with_its_objects_swapped_has_the_same_bits(seed: int, cap: float, error: float, single: bool) -> None:
    """In each form, by visit and as a standard deviation; also where the directions are the same."""
    stars = field(seed, cap, error, single).stars
    n, visits = stars.x.shape
    found: list[list[bytes]] = []
    for i, j in itertools.combinations(range(n), 2):
        for a, b in ((i, j), (j, i)):
            geometry = pair.geometry(stars.frame, a, b)
            short, fine = pair.short_factors(geometry), pair.fine_factors(geometry)
            values, exact = np.empty(visits, stars.x.dtype), np.empty(visits)
            if single:
                pair.short_values(short, stars.x, stars.y, a, b, values)
                rms = pair.short_rms(short, stars.x, stars.y, a, b, visits, 1)
            else:
                pair.fine_values(fine, stars.x, stars.y, a, b, values)
                rms = pair.fine_rms(fine, stars.x, stars.y, a, b, visits, 1)
            pair.exact_values(stars, a, b, exact)
            form = pair.needs_exact_form(geometry, stars.reach[a] + stars.reach[b], single)
            # zeros may differ in sign, and NaN in its bits
            numbers = [np.nan_to_num(np.append(values, rms)) + 0.0, np.nan_to_num(exact) + 0.0, np.array([form])]
            found.append([number.tobytes() for number in numbers])
    assert found[::2] == found[1::2]
