import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skyaccept.lib.uncertainty import order_statistics


@given(
    pairs=st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(0, 5)), min_size=1, max_size=40).filter(
        lambda pairs: sum(count for _, count in pairs) > 0
    ),
    share=st.floats(0, 100),
    bound=st.floats(-1e6, 1e6),
)
def test_counts_stand_for_repeated_values(pairs: list[tuple[float, int]], share: float, bound: float) -> None:
    values, counts = np.array([value for value, _ in pairs]), np.array([count for _, count in pairs])
    repeated = np.repeat(values, counts)
    expected = np.percentile(repeated, share)
    assert order_statistics.percentile(values, share, counts) == pytest.approx(expected, rel=1e-9, abs=1e-6)
    assert order_statistics.percentile(repeated, share) == expected
    assert order_statistics.median(values, counts) == pytest.approx(np.median(repeated), rel=1e-12, abs=1e-9)
    assert order_statistics.percentage_above(values, bound, counts) == pytest.approx(100 * np.mean(repeated > bound))
    assert order_statistics.percentage_above(repeated, bound) == pytest.approx(100 * np.mean(repeated > bound))


@pytest.mark.parametrize("counts", [None, np.array([], dtype=int)])
def test_nothing_has_no_quantile(counts: np.ndarray | None) -> None:
    nothing = np.array([])
    with pytest.raises(ValueError, match="no values"):
        order_statistics.median(nothing, counts)
    with pytest.raises(ValueError, match="no values"):
        order_statistics.percentile(nothing, 10, counts)
    with pytest.raises(ValueError, match="no values"):
        order_statistics.percentage_above(nothing, 1.0, counts)
