"""Counts of numbers in fine bins, for numbers that are too many to keep."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.arrays import AnyArray, FloatArray, IntArray
from skyaccept.lib.numba_cache import cached_njit

PER_MAS = 2**13
"""Bins of 1 mas, up to `LINEAR`; half of one is 6.1e-5 mas."""

LINEAR = 64
"""mas, a power of two, beyond which bins widen with the value."""

PER_OCTAVE = 2**19
"""Bins from there to twice as much, and so on: half of one is less than 1e-6 of the value."""

_thread = numba.get_thread_id  # type: ignore[attr-defined]
_NARROW = 1 + 2 * LINEAR * PER_MAS  # the first place stands for nothing
_WIDE = 24 * PER_OCTAVE  # for each sign, up to 64 * 2^24 mas: more than 180 degrees
_PLACES = _NARROW + 2 * _WIDE
_MOST = 2**32 - 1  # a thread counts no further


class Bins:
    """Counts of numbers, taken by several threads.

    Memory is used only where something is counted.
    """

    def __init__(self) -> None:
        self._counts = np.zeros((numba.get_num_threads(), _PLACES), dtype=np.uint32)
        self._total = np.zeros(_PLACES, dtype=np.int64)
        self._used = np.full(len(self._counts), _NARROW, dtype=np.int64)
        self._since = 0

    def add(self, rows: AnyArray, slot: IntArray, pairs: IntArray) -> None:
        """Count those of ``pairs[k]`` rows from ``slot[k] - slot[0]`` on, without NaN."""
        if self._since + rows.shape[1] * int(pairs.sum()) > _MOST:
            self._settle()
        self._since += rows.shape[1] * int(pairs.sum())
        _count(rows, slot, pairs, self._counts, self._used)

    def add_all(self, values: AnyArray) -> None:
        """Count all of some values."""
        width = 1024
        whole = len(values) // width
        for rows in (values[: whole * width].reshape(whole, width), values[whole * width :].reshape(1, -1)):
            self.add(rows, np.arange(len(rows)), np.ones(len(rows), dtype=np.int64))

    def contents(self) -> tuple[FloatArray, IntArray]:
        """Middle and number of entries of each bin that has any, in ascending order."""
        self._settle()
        filled = np.flatnonzero(self._total[: self._used.max()])
        narrow, positive = np.searchsorted(filled, [_NARROW, _NARROW + _WIDE])
        octave, within = np.divmod((filled[narrow:] - _NARROW) % _WIDE, PER_OCTAVE)
        wide = LINEAR * 2.0**octave * (1 + (within + 0.5) / PER_OCTAVE)
        middles = (filled[:narrow] - 0.5) / PER_MAS - LINEAR, wide[: positive - narrow], -wide[positive - narrow :]
        numbers = np.split(self._total[filled], [narrow, positive])
        ascending = [(middles[2][::-1], numbers[2][::-1]), (middles[0], numbers[0]), (middles[1], numbers[1])]
        return np.concatenate([m for m, _ in ascending]), np.concatenate([n for _, n in ascending])

    def _settle(self) -> None:
        """Add up what the threads have counted, before a count overflows."""
        for mine, used in zip(self._counts, self._used, strict=True):
            self._total[:used] += mine[:used]
            mine[:used] = 0
        self._total[0] = self._since = 0


@cached_njit(parallel=True)
def _count(rows: AnyArray, slot: IntArray, pairs: IntArray, counts: NDArray[np.uint32], used: IntArray) -> None:
    # values that are rare are dealt with apart, so that no branch is hard to predict; NaN goes to the first place
    shift = rows.dtype.type(LINEAR + 1 / PER_MAS)
    for k in numba.prange(len(pairs)):
        mine, place = counts[_thread()], np.empty(rows.shape[1], dtype=np.int32)
        for row in range(slot[k] - slot[0], slot[k] - slot[0] + pairs[k]):
            wide = 0
            for v in range(rows.shape[1]):
                value = rows[row, v]
                place[v] = np.int32(((value if abs(value) < LINEAR else -shift) + shift) * PER_MAS)
                wide += abs(value) >= LINEAR
            for v in range(rows.shape[1]):
                mine[place[v]] += np.uint32(1)
            if wide:
                for v in range(rows.shape[1]):
                    if abs(rows[row, v]) >= LINEAR:
                        far = _wide_bin(rows[row, v])
                        mine[far] += np.uint32(1)
                        used[_thread()] = max(used[_thread()], far + 1)


@cached_njit()
def _wide_bin(value: float) -> int:
    mantissa, exponent = math.frexp(abs(value) / LINEAR)  # 2 mantissa * 2^(exponent - 1)
    place = _NARROW + (exponent - 1) * PER_OCTAVE + int((2 * mantissa - 1) * PER_OCTAVE)
    return place if value > 0 else place + _WIDE
