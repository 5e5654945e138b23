"""Rows of results by clause, band and level."""

from dataclasses import replace

from skyaccept.lib.results.table import COLUMNS, rows
from skyaccept.lib.tests.results.stored import stored_results


def test_there_is_a_row_for_each_level_and_one_decides() -> None:
    found = rows(stored_results())
    assert [row["level"] for row in found] == ["design", "minimum", "stretch"] * 3
    assert [row["deciding"] for row in found] == [True, False, False] * 3
    assert all(tuple(row) == tuple(COLUMNS) for row in found)


def test_numbers_are_those_of_the_level() -> None:
    am1 = stored_results().results[1]
    row = next(row for row in rows(stored_results()) if row["test"] == am1.test and row["level"] == "minimum")
    level = am1.levels["minimum"]
    assert level.interval is not None
    assert (row["value"], row["low"], row["high"]) == (level.value, level.interval["low"], level.interval["high"])
    assert (row["limit"], row["margin"]) == (20.0, 20.0 - float(level.value or 0))
    assert row["confidence"] == 0.95


def test_what_is_unknown_is_none() -> None:
    bare = replace(stored_results().results[1], levels={}, sample=None, interval=None, kind="diagnostic", limit=None)
    (row,) = rows(replace(stored_results(), results=(bare,)))
    assert row["deciding"]
    assert [row[name] for name in ("limit", "operator", "margin", "low", "objects", "confidence")] == [None] * 6
