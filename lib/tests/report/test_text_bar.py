"""Bar of characters against the numbers that it shows."""

import pytest
from skyaccept.lib.report import text_bar
from skyaccept.lib.tests.report.results import result


def test_the_bar_shows_value_interval_and_limit() -> None:
    """Of 20 characters the limit of 10 takes the 17th, so that one is 0.6."""
    drawn = text_bar.draw(result())
    assert len(drawn) == text_bar.WIDTH
    limit = drawn.index("|")
    scale = 10.0 / limit
    assert drawn.index("\N{BLACK CIRCLE}") * scale == pytest.approx(6.0, abs=scale)
    interval = [k for k, character in enumerate(drawn) if character == "\N{EN DASH}"]
    assert interval[-1] * scale == pytest.approx(8.0, abs=scale)
    assert drawn[limit + 1 :].strip() == ""


def test_an_interval_beyond_the_bar_ends_in_an_arrow() -> None:
    far = {"confidence": 0.95, "low": 1.0, "high": 1e9, "method": "m"}
    assert text_bar.draw(result(interval=far)).endswith(">")
    assert text_bar.draw(result(interval=far | {"high": None})).endswith(">")
    assert text_bar.draw(result(value=None)) == ""
    assert text_bar.draw(result(limit=None)) == ""
