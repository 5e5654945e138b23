"""Plot of a clause over time."""

from dataclasses import replace
from xml.etree import ElementTree as Tree

from skyaccept.lib.report import history_plot
from skyaccept.lib.results.history import Point, Series


def series(*values: float | None, changes: tuple[int, ...] = ()) -> Series:
    """Runs on consecutive days."""
    points = tuple(
        Point(
            {"started": f"2026-01-{k + 1:02}T00:00:00+00:00", "dataset": "<d>"},
            v,
            v,
            v and v - 1,
            v,
            0.95,
            10.0,
            "pass",
        )
        for k, v in enumerate(values)
    )
    return Series("R-AM1-r", "srd", "R", "mas", points, changes)


def test_there_is_a_circle_for_each_measured_run() -> None:
    drawn = history_plot.plot(series(5.0, None, 7.0, changes=(2,)))
    nodes = [node.tag for node in Tree.fromstring(drawn).iter()]
    assert nodes.count("circle") == 2
    assert drawn.count("mark change") == 1
    assert "limit 10" in drawn
    assert "<d>" not in drawn


def test_there_is_no_plot_if_nothing_was_measured() -> None:
    assert history_plot.plot(series(None, None)) == ""


def test_later_runs_stand_to_the_right() -> None:
    drawn = history_plot.plot(series(5.0, 6.0, 7.0))
    places = [float(node.get("cx", "")) for node in Tree.fromstring(drawn).iter() if node.tag == "circle"]
    assert places == sorted(places)
    assert len(set(places)) == 3


def test_a_series_without_a_limit_has_no_line_for_it() -> None:
    one = series(5.0)
    bare = replace(one, points=tuple(replace(point, limit=None) for point in one.points))
    assert "limit" not in history_plot.plot(bare)
