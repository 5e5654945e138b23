"""Zero points of bands and of colours against a reference catalog (PA5, PA6)."""

from collections.abc import Callable

from skyaccept.lib.results.model import Result
from skyaccept.lib.results.sentences import summary


def test_absolute_zero_point(sky_verify: Callable[[], Result]) -> None:
    """The zero point of a band agrees with that of the reference catalog (PA6)."""
    result = sky_verify()
    assert result.satisfied, summary(result)


def test_color_zero_point(sky_verify: Callable[[], Result]) -> None:
    """The zero point of a colour agrees with that of the reference catalog (PA5)."""
    result = sky_verify()
    assert result.satisfied, summary(result)
