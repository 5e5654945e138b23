"""The separation kernel without its geometry: the same pairs and the same memory traffic, for the most it could do."""

from __future__ import annotations

import types
from typing import Any

import numba
import numpy as np
from skyaccept.lib import arrays, separation
from skyaccept.lib.numba_cache import REASSOCIATE
from skyaccept.lib.separation import Annulus, PairValues, Positions, kernel, pair


@numba.njit(fastmath=REASSOCIATE, error_model="numpy")
def _traffic(
    factors: pair.Factors, x: arrays.AnyArray, y: arrays.AnyArray, i: int, j: int, common: int, ddof: int
) -> pair.Number:
    total = square = np.float32(0)
    for v in range(x.shape[1]):
        value = (x[j, v] - x[i, v]) + (y[j, v] - y[i, v])
        seen = value if value == value else np.float32(0)
        total += seen
        square += seen * seen
    return square - total


@numba.njit(fastmath=REASSOCIATE, error_model="numpy")
def _no_geometry(frame: Any, i: int, j: int) -> pair.Geometry:
    return 1.0, 1.0, 1.0, 1.0, 1.0, frame[i, 0] + frame[j, 0] + 5.0


def _with(function: Any, **names: Any) -> types.FunctionType:
    """Copy of a compiled function's source that sees other functions under some names."""
    source = function.py_func
    return types.FunctionType(source.__code__, {**source.__globals__, **names}, source.__name__)


def _without_geometry() -> Any:
    """Compile the kernel anew, with the two functions above in place of the geometry."""
    fake = types.ModuleType("pair")
    fake.__dict__.update({**vars(pair), "geometry": _no_geometry, "short_rms": _traffic})
    measure = numba.njit(fastmath=REASSOCIATE, error_model="numpy")(_with(kernel._measure, pair=fake))
    reduce_pairs = _with(kernel.reduce_pairs, _measure=measure)
    return numba.njit(parallel=True, fastmath=REASSOCIATE, error_model="numpy")(reduce_pairs)


_ROOFLINE = _without_geometry()


def pair_rms(where: Positions, annulus: Annulus) -> PairValues:
    """As `skyaccept.lib.separation.pair_rms`, with meaningless values."""
    whole = kernel.reduce_pairs
    try:
        kernel.reduce_pairs = _ROOFLINE
        return separation.pair_rms(where, annulus, ddof=1, min_common_visits=2)
    finally:
        kernel.reduce_pairs = whole
