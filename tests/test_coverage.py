"""Test of coverage with few simulated surveys, which would reveal a badly wrong interval."""

import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.slow
def test_intervals_cover_and_limit_below_truth_is_rarely_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Intervals from stars alone would cover 2/3 for distorted visits; from visits alone they would be too wide."""
    monkeypatch.syspath_prepend(ROOT)
    coverage = importlib.import_module("benchmarks.coverage")
    monkeypatch.setattr(coverage, "FIELDS", 4)  # 12,000 stars: true values precise enough for surveys of 300 stars
    cells = coverage.run(20, 1, ("distorted",), (5,)) | coverage.run(20, 1, ("independent",), (5,))
    for cell, found in cells.items():
        figures = found["metrics"].values()
        assert sum(f["covered"] for f in figures) / len(figures) > 88, cell
        assert min(f["covered"] for f in figures) > 75, cell
        assert sum(f["accepted"] for f in figures) / len(figures) < 12, cell
    widths = {cell: found["metrics"]["AM1"]["width"] for cell, found in cells.items()}
    assert 0.08 < widths["independent 5"] < 0.25
    assert 1.5 < widths["distorted 5"] / widths["independent 5"] < 8
