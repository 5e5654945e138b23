"""Some of many stars, always the same ones, where not all can serve."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.arrays import FloatArray
from skyaccept.lib.sphere import MAS, chord

_PLACE = 2000 * MAS  # wide against what positions change by, and narrow against the distance of stars


def sampled(directions: FloatArray, most: int, what: str) -> tuple[NDArray[np.int64], str]:
    """Which of some stars replicates are made of, and a note where these are not all.

    The stars whose places have the lowest hashes: always the same ones, in whatever order they stand, and in another
    processing of the same sky nearly the same, as few stars lie so close to the edge of a place that they cross it.

    Parameters
    ----------
    directions : (n, 3) float64
        Unit vectors.
    most : int
        Stars at most; three are kept in any case.
    what : str
        What they are called in the note.
    """
    number = len(directions)
    if number <= most:
        return np.arange(number), ""
    kept = np.sort(np.argsort(_hash_of_place(directions), kind="stable")[: max(most, 3)])
    return kept, f"; replicates of {len(kept):,} of the {number:,} {what}"


def _hash_of_place(directions: FloatArray) -> NDArray[np.uint64]:
    """Mixed bits (splitmix64) of the cubes that unit vectors end in.

    The sides are `_PLACE`; Steele, Lea and Flood 2014.
    """
    x, y, z = (np.rint(column / chord(_PLACE)).astype(np.int64).view(np.uint64) for column in directions.T)
    found = np.zeros(len(directions), dtype=np.uint64)
    for coordinate in (x, y, z):
        found = (found ^ coordinate) + np.uint64(0x9E3779B97F4A7C15)
        found = (found ^ (found >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        found = (found ^ (found >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        found ^= found >> np.uint64(31)
    return found
