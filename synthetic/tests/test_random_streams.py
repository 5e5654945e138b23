"""Tests of the random streams."""

import numpy as np
from skyaccept.synthetic.random_streams import stream


def test_streams_depend_on_seed_purpose_and_index() -> None:
    same = stream(1, "positions r", 3).random(5)
    np.testing.assert_array_equal(stream(1, "positions r", 3).random(5), same)
    for other in (stream(2, "positions r", 3), stream(1, "positions i", 3), stream(1, "positions r", 4)):
        assert not np.isin(other.random(5), same).any()


def test_streams_are_uncorrelated() -> None:
    """Compare streams of a thousand visits and of two purposes."""
    first = np.stack([stream(1, "a", visit).standard_normal(100) for visit in range(1000)])
    second = np.stack([stream(1, "b", visit).standard_normal(100) for visit in range(1000)])
    for a, b in ((first, second), (first[1:], first[:-1])):
        assert abs(np.mean(a * b)) < 5 / np.sqrt(a.size)
