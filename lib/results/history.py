"""History of a product: a folder with one Parquet file of results per run.

The name of a file follows from its content, and it is written in one step. So runs at the same time do not collide, an
interrupted run leaves nothing, and a run that is added twice is stored once.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special
from skyaccept.lib.atomic_write import write_into
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.results import table
from skyaccept.lib.results.comparison import TOLERANCE
from skyaccept.lib.results.model import Results
from skyaccept.lib.results.schema import parse_time

SIGNIFICANCE = 0.01
"""Significance of change points, for all those of a series together."""


@dataclass(frozen=True)
class Point:
    """One clause in one run, at the level that decided.

    Numbers are in the unit of its metric.
    """

    run: Mapping[str, Any]
    value: float | None
    value_unbiased: float | None
    low: float | None
    high: float | None
    confidence: float | None
    limit: float | None
    verdict: str | None

    @property
    def when(self) -> datetime:
        """When the run began."""
        return parse_time(self.run["started"])


@dataclass(frozen=True)
class Series:
    """A clause under one definition over all runs, in order of time.

    ``changes`` are the indices of points at which the level changes.
    """

    test: str
    definition: str
    requirement: str
    unit: str
    points: tuple[Point, ...]
    changes: tuple[int, ...]


def append(results: Results, folder: Path) -> Path:
    """Add a run to a history; returns its file.

    Raises
    ------
    OutputError
        The folder cannot be made or written to.
    InputError
        The run is too large for a file.
    """
    return write_into(folder, *encode(results), "--history")


def encode(results: Results) -> tuple[str, bytes]:
    """Return name and content of the file of a run.

    Raise InputError if it is too large.
    """
    from skyaccept.lib.results import run_file

    rows = [_run(results) | row for row in table.rows(results)]
    digest = hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()[:16]
    started = results.run["started"].replace(":", "").replace("+0000", "Z")
    return f"{started}-{digest}.parquet", run_file.encode(rows)


def load(folder: Path) -> list[Series]:
    """Read a history: a series for each clause and definition.

    In order of first appearance.

    Raises
    ------
    InputError
        No such folder, no run in it, or a file of another kind.
    """
    from skyaccept.lib.results import run_file

    paths = sorted(path for path in folder.glob("*.parquet") if not path.name.startswith("."))
    if not paths:
        raise InputError(f"{folder}: no runs in it; runs add themselves with --history {folder}")
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in sorted(
        (row for path in paths for row in run_file.read(path)), key=lambda row: parse_time(row["started"])
    ):
        found.setdefault((row["test"], row["definition"]), []).append(row)
    if not found:
        raise InputError(f"{folder}: no results in its {len(paths)} runs")
    return [_series(rows) for rows in found.values()]


def _run(results: Results) -> dict[str, Any]:
    run, dataset = results.run, results.dataset
    return {
        "started": run["started"],
        "skyaccept": run["skyaccept"],
        "command": run["command"],
        "dataset": dataset["name"],
        "survey": dataset["survey"],
        "sha256": dataset["sha256"],
        "detections": dataset["detections"],
    }


def _series(rows: Sequence[dict[str, Any]]) -> Series:
    from skyaccept.lib.results.run_file import RUN

    points = tuple(
        Point(
            {name: row[name] for name in RUN},
            *(row[name] for name in ("value", "value_unbiased", "low", "high", "confidence", "limit", "verdict")),
        )
        for row in rows
    )
    last = rows[-1]
    return Series(last["test"], last["definition"], last["requirement"], last["unit"], points, changes(points))


def changes(points: Sequence[Point]) -> tuple[int, ...]:
    """Return the indices of points at which the level changes.

    A point is compared with the weighted mean of all points since the last change, within the uncertainty of both,
    corrected for the number of comparisons (Bonferroni). The same data must give the same value.
    """
    found: list[int] = []
    since: list[Point] = []
    measured = [k for k, point in enumerate(points) if point.value is not None]
    far = float(-special.ndtri(SIGNIFICANCE / 2 / max(1, len(measured) - 1)))
    for k in measured:
        if since and _is_change(points[k], since, far):
            found.append(k)
            since = []
        since.append(points[k])
    return tuple(found)


def _is_change(point: Point, since: Sequence[Point], far: float) -> bool:
    same = [other for other in since if other.run["sha256"] == point.run["sha256"]]
    if same:
        value, before = float(point.value or 0.0), float(same[-1].value or 0.0)
        return not math.isclose(value, before, rel_tol=TOLERANCE)
    error, known = _error(point), [other for other in since if _error(other) is not None]
    if error is None or not known:
        return False
    # repeated runs on the same data add nothing
    others = list({other.run["sha256"]: other for other in known}.values())
    weights = np.array([1 / float(_error(other) or 1.0) ** 2 for other in others])
    mean = float(np.average([float(other.value_unbiased or 0.0) for other in others], weights=weights))
    return abs(float(point.value_unbiased or 0.0) - mean) > far * float(np.hypot(error, weights.sum() ** -0.5))


def _error(point: Point) -> float | None:
    """Return the standard error of the estimate; None without an interval.

    From the width of the interval.
    """
    if point.low is None or point.high is None or point.confidence is None or point.high <= point.low:
        return None
    return (point.high - point.low) / 2 / float(-special.ndtri((1 - point.confidence) / 2))
