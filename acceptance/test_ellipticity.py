"""Residual ellipticity: correlation of errors of the PSF model (TE1 to TE4, TEF)."""

from collections.abc import Callable

from skyaccept.lib.results.model import Result
from skyaccept.lib.results.sentences import summary


def test_ellipticity_correlation(sky_verify: Callable[[], Result]) -> None:
    """The median correlation of residual ellipticities meets the limit (TE1, TE2)."""
    result = sky_verify()
    assert result.satisfied, summary(result)


def test_ellipticity_correlation_outliers(sky_verify: Callable[[], Result]) -> None:
    """The fraction of images with larger correlations meets the limit (TEF)."""
    result = sky_verify()
    assert result.satisfied, summary(result)


def test_ellipticity_correlation_percentile(sky_verify: Callable[[], Result]) -> None:
    """The correlation that a fraction TEF exceeds meets the limit (TE3, TE4)."""
    result = sky_verify()
    assert result.satisfied, summary(result)
