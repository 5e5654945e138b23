"""The separation kernel without its geometry: the same pairs and the same memory traffic, for the most it could do."""

from __future__ import annotations

import types
from typing import Any

import numba
import numpy as np
from skyaccept.lib import separation
from skyaccept.lib.jit import REASSOCIATE
from skyaccept.lib.separation import Annulus, PairValues, Positions, kernel, pair


@numba.njit(fastmath=REASSOCIATE, error_model="numpy")
def _no_form(direction, east, north, i, j, dx, dy, dz, chord2):
    one = np.float32(1)
    return one, one, one, one, one, one


@numba.njit(fastmath=REASSOCIATE, error_model="numpy")
def _traffic(x, y, i, j, a, b, c, d, cot, csc):
    total = square = np.float32(0)
    for v in range(x.shape[1]):
        value = (x[j, v] - x[i, v]) + (y[j, v] - y[i, v])
        seen = value if value == value else np.float32(0)
        total += seen
        square += seen * seen
    return total, square


def _without_geometry() -> Any:
    """Compile the kernel anew, with the two functions above in place of the geometry."""
    fake = types.ModuleType("pair")
    fake.__dict__.update({**vars(pair), "short_form": _no_form, "sums": _traffic})
    source = kernel.reduce_pairs.py_func
    function = types.FunctionType(source.__code__, {**source.__globals__, "pair": fake}, "roofline")
    return numba.njit(parallel=True, fastmath=REASSOCIATE, error_model="numpy")(function)


_ROOFLINE = _without_geometry()


def pair_rms(where: Positions, annulus: Annulus) -> PairValues:
    """As `skyaccept.lib.separation.pair_rms`, with meaningless values."""
    whole = kernel.reduce_pairs
    try:
        kernel.reduce_pairs = _ROOFLINE
        return separation.pair_rms(where, annulus, ddof=1, min_common_visits=2)
    finally:
        kernel.reduce_pairs = whole
