"""Zero points: magnitudes are alike over visits and detectors (PA3, PF2, PA4)."""

from collections.abc import Callable

from skyaccept.lib.results.model import Result
from skyaccept.lib.results.sentences import summary


def test_zero_point_rms(sky_verify: Callable[[], Result]) -> None:
    """The rms of the zero points of exposures meets the limit (PA3)."""
    result = sky_verify()
    assert result.satisfied, summary(result)


def test_zero_point_outliers(sky_verify: Callable[[], Result]) -> None:
    """The fraction of zero points that deviate beyond PA4 meets the limit (PF2)."""
    result = sky_verify()
    assert result.satisfied, summary(result)


def test_zero_point_percentile(sky_verify: Callable[[], Result]) -> None:
    """The deviation of zero points that a fraction PF2 exceeds meets the limit (PA4)."""
    result = sky_verify()
    assert result.satisfied, summary(result)
