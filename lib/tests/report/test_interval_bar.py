"""Interval bar against the numbers that it shows."""

import re
from xml.etree import ElementTree as Tree

import pytest
from skyaccept.lib.report import interval_bar
from skyaccept.lib.tests.report.results import LEVELS, result


def numbers(svg: str) -> dict[str, list[list[float]]]:
    """Places along the axis, as values, by class."""
    found: dict[str, list[list[float]]] = {}
    limit = float(re.search('class="limit" x1="([0-9.]+)"', svg)[1])  # type: ignore[index]
    scale = 10.0 / (limit - 4)
    for node in Tree.fromstring(svg).iter():
        name = node.get("class", "")
        at = [node.get(key) for key in ("x1", "x2", "cx") if node.get(key)]
        if node.get("d"):
            at = [str(float(re.match("M([0-9.]+)", node.get("d", ""))[1]) + 3)]  # type: ignore[index]
        found.setdefault(name, []).append([(float(str(x)) - 4) * scale for x in at])
    return found


def test_value_estimate_interval_and_limits_are_in_place() -> None:
    found = numbers(interval_bar.draw_result(result()))
    assert found["value"] == [[pytest.approx(6.0, abs=0.02)]]
    assert found["estimate"] == [[pytest.approx(7.0, abs=0.02)]]
    assert found["interval"] == [[pytest.approx(6.5, abs=0.02), pytest.approx(8.0, abs=0.02)]]
    assert found["other"] == [[pytest.approx(5.0, abs=0.02)] * 2]  # that of 20 mas lies beyond the end


def test_an_interval_that_reaches_far_ends_in_an_arrow() -> None:
    svg = interval_bar.draw_result(
        result(interval={"confidence": 0.95, "low": None, "high": None, "method": "m"}, verdict="fail")
    )
    assert '<path class="interval"' not in svg
    far = interval_bar.draw_result(result(interval={"confidence": 0.95, "low": 1.0, "high": 1e9, "method": "m"}))
    assert '<path class="interval"' in far
    assert "6.000, estimate 7.000 (1.000 to 1.000e+09); limits design &lt;= 10, minimum" in far


def test_what_was_not_measured_has_no_bar_and_two_runs_have_one() -> None:
    nothing = result(value=None, verdict="not_measurable", interval=None, value_unbiased=None)
    assert interval_bar.draw_result(nothing) == ""
    assert interval_bar.draw_pair(nothing, None) == ""
    assert interval_bar.draw_pair(result(), None).count("<circle") == 1
    both = interval_bar.draw_pair(result(), result(value=9.0))
    assert both.count("<circle") == 2
    assert [node.get("class") for node in Tree.fromstring(both) if node.tag == "g"] == ["before", "after"]


def test_a_bar_escapes_what_it_says() -> None:
    assert "<script" not in interval_bar.draw_result(result(unit="<script>", levels={"<script>": LEVELS["design"]}))
