"""Band-to-band astrometry: positions in other bands against those in r (AB)."""

from collections.abc import Callable

from skyaccept.lib.results.model import Result
from skyaccept.lib.results.sentences import summary


def test_band_offset_rms(sky_verify: Callable[[], Result]) -> None:
    """The rms offset from another band meets the limit in each coordinate (AB1)."""
    result = sky_verify()
    assert result.satisfied, summary(result)


def test_band_offset_outliers(sky_verify: Callable[[], Result]) -> None:
    """The fraction of band offsets beyond AB2 from their mean meets the limit (ABF1)."""
    result = sky_verify()
    assert result.satisfied, summary(result)


def test_band_offset_percentile(sky_verify: Callable[[], Result]) -> None:
    """The offset deviation that a fraction ABF1 exceeds meets the limit (AB2)."""
    result = sky_verify()
    assert result.satisfied, summary(result)
