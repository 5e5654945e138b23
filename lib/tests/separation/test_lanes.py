from typing import Any

import numba
import numpy as np
import pytest
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.separation import lanes
from skyaccept.lib.separation.lanes import LANES, fma, load, load_rows, select_below, zero_where_nan

njit = numba.njit(error_model="numpy")


@njit
def sums(x: AnyArray, y: AnyArray, i: int, j: int) -> Any:
    total = product = lanes.zeros(x)
    for v in range(0, x.shape[1], LANES):
        xi, yi, xj, yj = load_rows((x, y), (i, j), v)
        total += zero_where_nan(2 * xi - yi)
        product = fma(zero_where_nan(xj), zero_where_nan(yj), product)
    return lanes.total(total), lanes.total(product)


@njit
def bounded(values: AnyArray, bound: Any) -> Any:
    count = lanes.zeros(values)
    largest = count - np.inf
    for v in range(0, len(values), LANES):
        value = load(values, v)
        count += select_below(value, bound, 1, 0)
        below = select_below(value, bound, value, -np.inf)
        largest = select_below(largest, below, below, largest)
    return lanes.total(count), lanes.largest(largest)


def in_halves(vector: AnyArray) -> Any:
    return vector[0] if len(vector) == 1 else in_halves(vector[: len(vector) // 2] + vector[len(vector) // 2 :])


@pytest.mark.parametrize("columns", [1, 15, 16, 17, 100])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_sums_have_the_order_that_is_written_down(columns: int, kind: Any) -> None:
    """Lane by lane, then in halves; what lies beyond a row does not count, nor does NaN."""
    x, y = np.random.default_rng(columns).normal(0, 10, (2, 3, columns)).astype(kind)
    x[0, ::3] = np.nan
    total = np.zeros(LANES, kind)
    for begin in range(0, columns, LANES):
        piece = np.nan_to_num(kind(2) * x[0] - y[0])[begin : begin + LANES]
        total[: len(piece)] += piece
    found = sums(x, y, 0, 2)
    assert found[0] == in_halves(total)
    assert found[1] == pytest.approx(float((x[2] * y[2]).sum(dtype=float)), rel=1e-5)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_values_below_a_bound_are_counted_without_nan(kind: Any) -> None:
    values = np.full(2 * LANES, np.nan, dtype=kind)
    values[:20] = np.random.default_rng(1).permutation(20) - 4.0
    assert bounded(values, kind(3.0)) == (7.0, 2.0)
    assert bounded(values, kind(-9.0)) == (0.0, -np.inf)


def test_a_fused_product_is_rounded_once() -> None:
    """The rounding error of a product, which two roundings would make 0."""
    small = 1 + 2.0**-30

    @njit
    def error(a: Any, b: Any) -> Any:
        return fma(a, b, -(a * b))

    assert error(small, small) == 2.0**-60
    assert error(np.float32(1 + 2.0**-12), np.float32(1 + 2.0**-12)) == 2.0**-24
