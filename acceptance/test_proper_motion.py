"""Proper motions: errors of the motions of objects over the visits."""

from collections.abc import Callable

from skyaccept.lib.results.model import Result
from skyaccept.lib.results.sentences import summary


def test_proper_motion_error(sky_verify: Callable[[], Result]) -> None:
    """The median standard error of proper motions, in each coordinate."""
    result = sky_verify()
    assert result.satisfied, summary(result)
