"""Relative astrometry: separations of pairs of stars repeat from visit to visit (AM, AF, AD)."""

from skyaccept.lib.results import Result


def test_pair_separation_rms(sky_result: Result) -> None:
    """The median error of pair separations meets the limit (AM)."""
    assert sky_result.accepted, sky_result.sentence


def test_pair_separation_outliers(sky_result: Result) -> None:
    """The fraction of pair separation errors above AD meets the limit (AF)."""
    assert sky_result.accepted, sky_result.sentence


def test_pair_separation_percentile(sky_result: Result) -> None:
    """The pair separation error that a fraction AF exceeds meets the limit (AD)."""
    assert sky_result.accepted, sky_result.sentence
