import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skyaccept.lib.separation import pair


def task(reduction: int, ddof: int) -> pair.Task:
    return pair.Task(0.0, 4.0, reduction, ddof, 1, False)


def reduced(values: np.ndarray, reduction: int, weight: np.ndarray | None = None, ddof: int = 0) -> np.ndarray:
    """One row, as the kernel asks for it."""
    n = len(values)
    room = (n + pair.LANES - 1) // pair.LANES * pair.LANES
    padded, work = np.full(room, np.nan, dtype=values.dtype), np.empty(room // 2, dtype=values.dtype)
    padded[:n] = values
    out = np.full((3, 1 if reduction == pair.RMS else n), -99.0, dtype=values.dtype)
    if weight is None:
        pair.reduce(task(reduction, ddof), padded, work, int(np.isfinite(values).sum()), out, 1)
    else:
        assert pair.reduce_weighted(task(reduction, ddof), values, weight.astype(values.dtype), out, 1)
    assert (out[[0, 2]] == -99).all()
    return np.asarray(out[1])


def differences(values: np.ndarray, reduction: int, weight: np.ndarray | None = None) -> np.ndarray:
    """Deviations of those that were seen; the others stay NaN."""
    row = reduced(values, reduction, weight)
    used = ~np.isnan(values) & (True if weight is None else weight > 0)
    np.testing.assert_array_equal(np.isnan(row), ~used)
    return row[used]


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(
    values=st.lists(
        st.one_of(
            st.floats(-100, 100, width=32),
            st.sampled_from([0.0, 1.0, 1.0, -3.0, float("nan")]),
            st.integers(-9, 9).map(lambda k: k * 2.0**-100),
        ),
        min_size=1,
        max_size=200,
    ).filter(lambda values: any(value == value for value in values)),
    single=st.booleans(),
)
def test_the_median_is_exact_for_any_values(values: list[float], single: bool) -> None:
    """Equal values, wild scales, odd and even numbers, gaps."""
    array = np.array(values, dtype=np.float32 if single else np.float64)
    kept = array[~np.isnan(array)]
    ordered = np.sort(kept)
    middle = len(kept) // 2
    # the middle of two is rounded to the precision of the values
    median = ordered[middle] if len(kept) % 2 else (ordered[middle - 1] + ordered[middle]) / array.dtype.type(2)
    np.testing.assert_array_equal(differences(array, pair.ABOUT_MEDIAN), kept - median)


@pytest.mark.parametrize("n", [1, 2, 3, 63, 64, 65, 127, 128, 129, 1000])
def test_the_median_is_exact_for_gaussian_values_of_any_number(n: int) -> None:
    rng = np.random.default_rng(n)
    for _ in range(50):
        values = rng.normal(3, 10, n)
        np.testing.assert_array_equal(differences(values, pair.ABOUT_MEDIAN), values - np.median(values))


def test_the_mean_leaves_out_what_was_not_seen() -> None:
    values = np.array([1.0, np.nan, 2.0, 6.0])
    np.testing.assert_allclose(differences(values, pair.ABOUT_MEAN), [-2, -1, 3])


def test_weights_move_the_center_and_leave_out_zeros() -> None:
    values, weight = np.array([1.0, 2.0, np.nan, 6.0, 50.0]), np.array([2.0, 1.0, 1.0, 1.0, 0.0])
    np.testing.assert_allclose(differences(values, pair.ABOUT_MEAN, weight), np.array([1, 2, 6]) - 2.5)
    np.testing.assert_allclose(differences(values, pair.ABOUT_MEDIAN, weight), np.array([1, 2, 6]) - 1.5)


@pytest.mark.parametrize("ddof", [0, 1])
def test_the_standard_deviation_is_that_of_numpy(ddof: int) -> None:
    values = np.array([1.0, np.nan, 2.0, 6.0, 3.5])
    expected = np.nanstd(values, ddof=ddof)
    assert reduced(values, pair.RMS, ddof=ddof)[0] == pytest.approx(expected, rel=1e-14)
    repeated = np.std(np.repeat([1.0, 2.0, 6.0], [1, 3, 2]), ddof=ddof)
    weight = np.array([1.0, 5.0, 3.0, 2.0, 0.0])
    assert reduced(values, pair.RMS, weight, ddof)[0] == pytest.approx(repeated, rel=1e-14)


def test_weights_that_leave_no_freedom_give_nothing() -> None:
    values, out = np.array([5.0, np.nan]), np.zeros((1, 1))
    assert not pair.reduce_weighted(task(pair.RMS, 1), values, np.array([1.0, 7.0]), out, 0)
