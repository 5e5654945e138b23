"""Position repeatability: scatter of the positions of objects over visits."""

from collections.abc import Callable

from skyaccept.lib.results.model import Result
from skyaccept.lib.results.sentences import summary


def test_position_rms(sky_verify: Callable[[], Result]) -> None:
    """The median rms of positions about their means, in each coordinate."""
    result = sky_verify()
    assert result.satisfied, summary(result)


def test_position_outliers(sky_verify: Callable[[], Result]) -> None:
    """The fraction of position residuals beyond a threshold, in each coordinate."""
    result = sky_verify()
    assert result.satisfied, summary(result)
