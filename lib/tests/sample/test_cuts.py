"""Cuts: how they are parsed, counted and described."""

from __future__ import annotations

from typing import Any

import pytest
from skyaccept.lib.sample.cuts import Cut


@pytest.mark.parametrize(
    ("entry", "reason", "needs", "text"),
    [
        ({"column": "snr", "of": "median", "above": 10}, "snr:median", ("snr",), "median snr > 10"),
        ({"column": "mag", "of": "each", "below": "21 mag"}, "mag:each", ("mag",), "mag < 21 mag"),
        ({"flags": ["bad", "cr"], "of": "each"}, "flag", ("flag_bad", "flag_cr"), "clear on each detection: bad, cr"),
        ({"min_visits": 3}, "visits", (), "seen in at least 3 visits"),
        ({"min_visits": "all"}, "visits", (), "seen in every visit"),
    ],
)
def test_a_cut_has_a_reason_columns_and_a_description(
    entry: dict[str, Any], reason: str, needs: tuple[str, ...], text: str
) -> None:
    cut = Cut.parse(entry)
    assert (cut.reason, cut.needs, str(cut)) == (reason, needs, text)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"column": "snr", "of": "each"}, "needs a bound"),
        ({"column": "snr", "of": "each", "above": 1, "odd": 2}, "unknown key in a cut: odd"),
        ({"column": "snr", "of": "all", "above": 1}, "goes with finite: true"),
    ],
)
def test_a_cut_without_meaning_is_refused(entry: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Cut.parse(entry)
