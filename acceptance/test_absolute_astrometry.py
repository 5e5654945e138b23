"""Absolute astrometry: positions against a reference catalog (AA1)."""

from collections.abc import Callable

from skyaccept.lib.results.model import Result
from skyaccept.lib.results.sentences import summary


def test_absolute_astrometry(sky_verify: Callable[[], Result]) -> None:
    """The median error of positions meets the limit in each coordinate (AA1)."""
    result = sky_verify()
    assert result.satisfied, summary(result)
