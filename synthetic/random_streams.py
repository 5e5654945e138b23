"""Independent random streams, one for each purpose and visit."""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, purpose: str, *index: int) -> np.random.Generator:
    """Return the random generator of one purpose.

    Parameters
    ----------
    seed : int
        Seed of the survey.
    purpose : str
        Purpose of the random numbers. Streams of different purposes are independent, so that switching an effect on or
        off does not change other draws.
    *index : int
        Number of the visit, or other numbers that distinguish streams of one purpose.
    """
    key = int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:8], "little")
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(key, *index)))
