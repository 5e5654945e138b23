import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skyaccept.lib.separation.lanes import LANES
from skyaccept.lib.separation.median import median


def found(values: np.ndarray) -> float:
    """Median of values that are not NaN, with room for whole vectors as in the kernel."""
    padded = np.full((len(values) + LANES - 1) // LANES * LANES, np.nan, dtype=values.dtype)
    padded[: len(values)] = values
    return float(median(padded, int(np.isfinite(values).sum())))


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
    expected = ordered[middle] if len(kept) % 2 else (ordered[middle - 1] + ordered[middle]) / array.dtype.type(2)
    assert found(array) == expected


@pytest.mark.parametrize("n", [1, 2, 3, 63, 64, 65, 127, 128, 129, 1000])
def test_the_median_is_exact_for_gaussian_values_of_any_number(n: int) -> None:
    rng = np.random.default_rng(n)
    for _ in range(50):
        values = rng.normal(3, 10, n)
        assert found(values) == np.median(values)
