"""Photometric repeatability: scatter of magnitudes over visits (PA1, PF1, PA2)."""

from collections.abc import Callable

from skyaccept.lib.results.model import Result
from skyaccept.lib.results.sentences import summary


def test_photometric_repeatability(sky_verify: Callable[[], Result]) -> None:
    """The scatter of the magnitudes of a star meets the limit (PA1)."""
    result = sky_verify()
    assert result.satisfied, summary(result)


def test_photometric_outliers(sky_verify: Callable[[], Result]) -> None:
    """The fraction of magnitudes that deviate by more than PA2 meets the limit (PF1)."""
    result = sky_verify()
    assert result.satisfied, summary(result)


def test_photometric_percentile(sky_verify: Callable[[], Result]) -> None:
    """The deviation of magnitudes that a fraction PF1 exceeds meets the limit (PA2)."""
    result = sky_verify()
    assert result.satisfied, summary(result)
