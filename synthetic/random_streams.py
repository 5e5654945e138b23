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
        What they are for. Streams of different purposes are independent, so that an effect that is switched on or
        changed leaves all other draws as they are.
    *index : int
        Number of the visit, or whatever else tells streams of one purpose apart.
    """
    key = int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:8], "little")
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(key, *index)))
