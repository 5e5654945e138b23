"""Plots against the binned data that they show."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree as Tree

import numpy as np
import pytest
from skyaccept.lib.report import plots
from skyaccept.lib.tests.results.stored import stored_results

AM1 = stored_results().results[1]
NOTHING = replace(AM1, data={})


@pytest.mark.parametrize("draw", [plots.histogram, plots.cumulative, plots.magnitude, plots.visits])
def test_a_plot_is_an_image_and_nothing_without_data(draw: object) -> None:
    assert callable(draw)
    assert {node.tag for node in Tree.fromstring(f"<div>{draw(AM1)}</div>")} == {"svg"}
    assert draw(NOTHING) == ""


def test_a_histogram_shows_the_number_of_errors_and_the_limit() -> None:
    drawn, data = plots.histogram(AM1), AM1.data["histogram"]
    assert f"{data['of']:,} errors" in drawn
    assert "design limit" in drawn
    bars = drawn.count("z")
    counts = np.array(data["counts"]).reshape(-1, 2).sum(axis=1)
    assert bars >= np.count_nonzero(counts)


def test_the_fraction_above_falls_from_all_to_what_lies_beyond() -> None:
    data = AM1.data["histogram"]
    above = plots._above(data)
    assert above[0] == 100
    assert above[-1] == pytest.approx(100 * data["above"] / data["of"])
    assert (np.diff(above) <= 0).all()


def test_two_runs_are_drawn_as_two_lines() -> None:
    drawn = plots.draw_pair(AM1, AM1)
    assert len(re.findall('class="line before"', drawn)) == len(re.findall('class="line after"', drawn)) == 2
    assert plots.draw_pair(AM1, NOTHING) == ""


def test_the_unit_of_errors_is_not_that_of_a_percentage() -> None:
    af1 = stored_results().results[2]
    assert (af1.unit, plots.unit(af1)) == ("percent", "mas")


@pytest.mark.parametrize(("text", "expected"), [("20 mas", [20.0]), ("x mas", []), ("1e999 mas", [])])
def test_a_threshold_of_strangers_may_be_no_number(text: str, expected: list[float]) -> None:
    assert plots._number(text) == expected
