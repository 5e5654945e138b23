"""Axes of plots: places, ticks, labels."""

from xml.etree import ElementTree as Tree

import pytest
from skyaccept.lib.report.axes import BOTTOM, HEIGHT, LEFT, TOP, WIDTH, Axes, Mark, _ticks, span, spots


def test_ends_of_the_data_are_ends_of_the_axes() -> None:
    axes = Axes((2.0, 4.0), (0.0, 10.0))
    assert (axes.x(2.0), axes.x(4.0)) == (LEFT, WIDTH - axes.right)
    assert (axes.y(0.0), axes.y(10.0)) == (HEIGHT - BOTTOM, TOP)


def test_a_range_without_width_puts_values_in_the_middle() -> None:
    axes = Axes((3.0, 3.0), (0.0, 1.0))
    assert axes.x(3.0) == pytest.approx((LEFT + axes.end) / 2)
    assert _ticks(3.0, 3.0) == []


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.0, 10.0, [0, 2, 4, 6, 8, 10]), (0.03, 0.11, [0.04, 0.06, 0.08, 0.1]), (5.0, -5.0, [-4, -2, 0, 2, 4])],
)
def test_ticks_are_round_numbers(low: float, high: float, expected: list[float]) -> None:
    assert _ticks(low, high) == pytest.approx(expected)


def test_a_span_holds_edges_and_marks() -> None:
    assert span([1.0, 5.0], [Mark("limit", 9.0, "limit")]) == (1.0, 9.0 + 0.04 * 8)
    assert span([1.0, 5.0], [Mark("limit", -1.0, "limit")])[0] == -1.0


def test_a_plot_escapes_its_labels() -> None:
    drawn = Axes((0.0, 1.0), (0.0, 1.0)).draw("<t>", "<x>", "<y>", spots("M0 0h0", "dots", names=["<&>"]))
    texts = [node.text for node in Tree.fromstring(drawn).iter() if node.text]
    assert {"<t>", "<x>", "<y>"} <= set(texts)
    assert "<&>" not in drawn
