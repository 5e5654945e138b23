"""Relative astrometry: scatter of pair separations over visits (AM, AF, AD)."""

from collections.abc import Callable

from skyaccept.lib.results.model import Result
from skyaccept.lib.results.sentences import summary


def test_pair_separation_rms(sky_verify: Callable[[], Result]) -> None:
    """The median error of pair separations meets the limit (AM)."""
    result = sky_verify()
    assert result.satisfied, summary(result)


def test_pair_separation_outliers(sky_verify: Callable[[], Result]) -> None:
    """The fraction of pair separation errors above AD meets the limit (AF)."""
    result = sky_verify()
    assert result.satisfied, summary(result)


def test_pair_separation_percentile(sky_verify: Callable[[], Result]) -> None:
    """The pair separation error that a fraction AF exceeds meets the limit (AD)."""
    result = sky_verify()
    assert result.satisfied, summary(result)
