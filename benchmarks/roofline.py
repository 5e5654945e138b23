"""Separation kernel without geometry, which bounds the speed of the real one."""

from __future__ import annotations

import types
from typing import Any

import numba
from skyaccept.lib import arrays, separation
from skyaccept.lib.separation import Annulus, PairValues, Positions, kernel, lanes, pair
from skyaccept.lib.separation.lanes import LANES, fma, load_rows, zero_where_nan


@numba.njit(error_model="numpy")
def _memory_traffic(
    factors: Any, x: arrays.AnyArray, y: arrays.AnyArray, i: int, j: int, common: int, ddof: int
) -> pair.Number:
    total = square = lanes.zeros(x)
    for v in range(0, x.shape[1], LANES):
        xi, yi, xj, yj = load_rows((x, y), (i, j), v)
        shift = zero_where_nan((xj - xi) + (yj - yi))
        total += shift
        square = fma(shift, shift, square)
    return lanes.total(square) - lanes.total(total)


@numba.njit(error_model="numpy")
def _no_geometry(frame: Any, i: int, j: int) -> pair.Geometry:
    return 1.0, 1.0, 1.0, 1.0, 1.0, frame[i, 0] + frame[j, 0] + 5.0


def _replace_globals(function: Any, **names: Any) -> types.FunctionType:
    """Copy a compiled function's Python source with other global names."""
    source = function.py_func
    return types.FunctionType(source.__code__, {**source.__globals__, **names}, source.__name__)


def _without_geometry() -> Any:
    """Compile the kernel with the two functions above in place of the geometry."""
    fake = types.ModuleType("pair")
    fake.__dict__.update(
        {**vars(pair), "geometry": _no_geometry, "short_rms": _memory_traffic, "fine_rms": _memory_traffic}
    )
    write_rms = numba.njit(error_model="numpy")(_replace_globals(kernel._write_rms, pair=fake))
    return numba.njit(parallel=True, error_model="numpy")(_replace_globals(kernel.reduce_pairs, _write_rms=write_rms))


_ROOFLINE = _without_geometry()


def pair_rms(positions: Positions, annulus: Annulus) -> PairValues:
    """Run `pair_rms` with the same pairs and memory traffic, without geometry.

    The values are meaningless.
    """
    original = kernel.reduce_pairs
    try:
        kernel.reduce_pairs = _ROOFLINE
        return separation.pair_rms(positions, annulus, ddof=1, min_common_visits=2)
    finally:
        kernel.reduce_pairs = original
