"""Stored results, baselines and histories of schema 1 stay readable everywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from skyaccept.lib import export
from skyaccept.lib.export import influxdb
from skyaccept.lib.report import html, text
from skyaccept.lib.results import comparison, history, model, run_file, schema
from skyaccept.lib.results.model import Results
from skyaccept.lib.tests.results.stored import DATA, FIRST, LATER

TESTS = ["OSS-REQ-0387-PA1gri-r", "OSS-REQ-0388-AM1-r", "OSS-REQ-0388-AF1-r"]
VALUES = [4.4221433930343945, 5.929191890501228, 0.0]


@pytest.fixture(params=[FIRST, LATER], ids=lambda path: path.name)
def stored(request: pytest.FixtureRequest) -> Results:
    """Results of either version."""
    return model.load(request.param)


def test_results_are_read_with_all_that_they_hold(stored: Results) -> None:
    assert [result.test for result in stored.results] == TESTS
    assert [result.value for result in stored.results] == pytest.approx(VALUES, rel=1e-9)
    assert [result.verdict for result in stored.results] == ["inconclusive", "pass", "pass"]
    first = stored.results[0]
    assert first.decision is not None
    assert first.decision["growth"] == pytest.approx(1.5, abs=0.1)
    assert first.decision["limited_by"] == "stars"
    assert first.data["breakdown"]["visit"]["count"] == 3
    assert stored.dataset["visits"] == 9


def test_results_are_written_again_in_the_same_schema(stored: Results, tmp_path: Path) -> None:
    stored.write(tmp_path / "again.json")
    assert model.load(tmp_path / "again.json") == stored
    assert json.loads((tmp_path / "again.json").read_bytes())["schema"] == schema.SCHEMA == "skyaccept-results/1"


def test_a_report_shows_them(stored: Results) -> None:
    page = html.page(stored)
    for result in stored.results:
        assert f'id="{result.test}"' in page
        assert f"{result.value:#.4g}".rstrip(".") in page or result.value == 0
    assert "OSS-REQ-0388-AM1-r" in "\n".join(line for line, _ in text.table(stored))
    assert page.count("<svg") >= 6


@pytest.mark.parametrize("name", export.FORMATS)
def test_every_export_takes_them(stored: Results, name: str) -> None:
    assert "AM1" in export.FORMATS[name](stored)


def test_line_protocol_takes_them(stored: Results) -> None:
    lines = influxdb.lines(stored).splitlines()
    assert len(lines) == sum(len(result.levels) for result in stored.results)


def test_they_are_compared_with_later_results() -> None:
    """The survey and the values are the same; the intervals became wider between the two versions."""
    first, later = model.load(FIRST), model.load(LATER)
    changes = comparison.compare(first, later)
    assert [change.test for change in changes] == TESTS
    assert [change.before for change in changes] == pytest.approx([change.after for change in changes], rel=1e-9)
    page = html.comparison_page(first, later, changes)
    assert all(test in page for test in TESTS)


def test_they_are_a_baseline_of_later_results() -> None:
    compared = comparison.with_baseline(model.load(FIRST), model.load(LATER), "first.json.gz")
    assert compared.baseline is not None
    assert [change["test"] for change in compared.baseline["changes"]] == TESTS
    assert "first.json.gz" in html.page(compared)


def test_a_stored_baseline_is_shown() -> None:
    """The comparison that a run of schema 1 holds."""
    later = model.load(LATER)
    assert later.baseline is not None
    assert [change["flag"] for change in later.baseline["changes"]] == ["same"] * 3
    assert comparison.any_compared(later)
    assert comparison.regressions(later) == []
    assert "3 same" in [line for line, _ in text.changes(later)]


def test_a_stored_history_is_read_and_grows(tmp_path: Path) -> None:
    (stored,) = (DATA / "history").glob("*.parquet")
    (tmp_path / stored.name).write_bytes(stored.read_bytes())
    history.append(model.load(FIRST), tmp_path)
    series = history.load(tmp_path)
    assert [one.test for one in series] == TESTS
    for one, value in zip(series, VALUES, strict=True):
        assert [point.value for point in one.points] == pytest.approx([value, value], rel=1e-9)
        assert one.changes == ()
    assert all(test in html.history_page(series) for test in TESTS)
    assert len(run_file.read(stored)) == 3
