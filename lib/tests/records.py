"""Records of a run and a dataset for tests, and the finite bounds of an interval."""

from __future__ import annotations

from skyaccept.lib.results.model import LevelResult, Result
from skyaccept.lib.results.records import DatasetRecord, RunRecord

RUN: RunRecord = {
    "skyaccept": "0",
    "started": "2026-01-01T00:00:00+00:00",
    "seconds": 1.0,
    "command": "pytest",
    "python": "3.11",
    "packages": {},
}

DATASET: DatasetRecord = {
    "name": "d",
    "source": "d.csv",
    "sha256": "0" * 64,
    "survey": "generic",
    "detections": 1,
    "objects": 1,
    "visits": 1,
    "bands": ["r"],
}


def interval_of(result: Result | LevelResult) -> tuple[float, float]:
    """Return both ends of an interval, which must be finite."""
    assert result.interval is not None
    low, high = result.interval["low"], result.interval["high"]
    assert low is not None
    assert high is not None
    return low, high
