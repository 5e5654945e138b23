"""Stellar locus: its width shows errors of colours (wPerp)."""

from collections.abc import Callable

from skyaccept.lib.results.model import Result
from skyaccept.lib.results.sentences import summary


def test_stellar_locus_width(sky_verify: Callable[[], Result]) -> None:
    """The width of the stellar locus at right angles to it."""
    result = sky_verify()
    assert result.satisfied, summary(result)
