"""Tests of histories: adding runs, concurrent writers, changes and the page."""

import multiprocessing
import os
import re
import subprocess
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from skyaccept.cli import main as command
from skyaccept.fixtures import dataset
from skyaccept.fixtures.tests import forked
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.results import history
from skyaccept.lib.results import table as tidy
from skyaccept.lib.results.model import Results
from skyaccept.lib.results.records import IntervalRecord
from skyaccept.lib.tests.records import interval_of

START = datetime(2026, 1, 1, tzinfo=UTC)
TEST = "OSS-REQ-0388-AM1-r"


@cache
def base() -> Results:
    """Return results of one clause with an interval."""
    found = dataset.load_baseline("degraded")
    return replace(found, results=tuple(r for r in found.results if r.test == TEST))


def run(number: int, factor: float = 1.0, data: int | None = None, name: str = "survey") -> Results:
    """Return a run ``number`` days after the start, with all numbers scaled; ``data`` identifies the dataset."""
    (one,) = base().results
    assert one.value is not None
    assert one.value_unbiased is not None
    assert one.interval is not None
    low, high = interval_of(one)
    level = one.levels["design"]
    moved: dict[str, Any] = {"value": one.value * factor, "value_unbiased": one.value_unbiased * factor}
    interval: IntervalRecord = {**one.interval, "low": low * factor, "high": high * factor}
    levels = {"design": replace(level, **moved, interval=interval)}
    return replace(
        base(),
        run={**base().run, "started": (START + timedelta(days=number)).isoformat(timespec="seconds")},
        dataset={**base().dataset, "sha256": f"{number if data is None else data:064d}", "name": name},
        results=(replace(one, **moved, interval=interval, levels=levels),),
    )


def verify(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a separate process."""
    return forked.run("skyaccept", "verify", *options, folder=folder)


def series(folder: Path) -> history.Series:
    (found,) = history.load(folder)
    return found


def test_runs_are_loaded_in_order_with_their_numbers(tmp_path: Path) -> None:
    for number in (2, 0, 1):
        history.append(run(number, 1 + number / 1000), tmp_path / "deep" / "history")
    found = series(tmp_path / "deep" / "history")
    value = base().results[0].value or 0.0
    assert [point.value for point in found.points] == [value * (1 + k / 1000) for k in range(3)]
    assert [point.when for point in found.points] == [START + timedelta(days=k) for k in range(3)]
    assert (found.test, found.unit, found.requirement) == (TEST, "mas", "OSS-REQ-0388")
    assert found.points[0].limit == 10
    assert found.points[0].verdict == "fail"


def test_run_that_is_added_twice_is_stored_once(tmp_path: Path) -> None:
    assert history.append(run(1), tmp_path) == history.append(run(1), tmp_path)
    assert len(series(tmp_path).points) == 1


def _append(folder: Path, first: int, number: int, pause: float) -> None:
    for k in range(first, first + number):
        history.append(run(k), folder)
        time.sleep(pause)


@pytest.mark.slow
def test_concurrent_and_killed_processes_keep_history_valid(tmp_path: Path) -> None:
    """Four processes add two hundred runs, and one of them is killed."""
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_append, args=(tmp_path, 100 * k, 50, 0.0)) for k in range(3)]
    victim = context.Process(target=_append, args=(tmp_path, 900, 1000, 0.001))
    for worker in (*workers, victim):
        worker.start()
    while len(list(tmp_path.glob("2028-*.parquet"))) < 20:
        time.sleep(0.01)
    assert victim.pid is not None
    os.kill(victim.pid, 9)
    for worker in (*workers, victim):
        worker.join()
    found = series(tmp_path).points
    assert len([point for point in found if point.when < START + timedelta(days=900)]) == 150
    assert len([point for point in found if point.when >= START + timedelta(days=900)]) >= 20


def test_step_is_found_at_its_run_and_noise_is_not(tmp_path: Path) -> None:
    """Each of forty runs has other data; the interval is +- 5 %, and the step 15 %."""
    (one,) = base().results
    assert one.value_unbiased is not None
    low, high = interval_of(one)
    error = (high - low) / 2 / 1.96 / one.value_unbiased
    found = 0
    for seed in range(20):
        noise = np.random.default_rng(seed).normal(0, error, 40)
        for kind, step in (("steady", 0.0), ("step", 6 * error)):
            runs = [run(k, 1 + noise[k] + step * (k >= 25)) for k in range(40)]
            points = []
            for each in runs:
                row = tidy.rows(each)[0]
                names = ("value", "value_unbiased", "low", "high", "confidence", "limit", "verdict")
                points.append(history.Point(history._run(each), *(row[name] for name in names)))
            changes = history.changes(points)
            if kind == "steady":
                assert changes == ()
            else:
                found += changes == (25,)
    assert found >= 18


def test_other_value_of_the_same_data_is_a_change(tmp_path: Path) -> None:
    for number, factor in enumerate((1.0, 1.0, 1 + 1e-7, 1 + 1e-7)):
        history.append(run(number, factor, data=7), tmp_path)
    assert series(tmp_path).changes == (2,)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no runs in it; runs add themselves with --history"),
        (b"PAR1 not really", r"run\.parquet: not a run of a history: .*; move the file to another folder"),
        ("other", r"run\.parquet: not a run of a history: its metadata do not hold skyaccept: skyaccept-history/1"),
    ],
)
def test_invalid_history_is_refused(content: bytes | str | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "run.parquet"
    if content == "other":
        pq.write_table(pa.table({"deciding": [True]}), path)
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        history.load(tmp_path)


def test_run_is_added_and_shown_on_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The run starts with a catalog, and the page escapes names of datasets."""
    folder, page = tmp_path / "history", tmp_path / "history.html"
    assert verify(tmp_path, "--scenario=hsc-few-visits", "--band=r", "-k=AM1", f"--history={folder}").returncode == 0
    for number in range(1, 4):
        history.append(run(400 + number, number, name="<script>alert(1)</script>"), folder)
    capsys.readouterr()
    assert command.main(["history", str(folder), "-o", str(page)]) == 0
    output = capsys.readouterr().out.splitlines()
    assert output[-1] == f"4 runs of 1 clauses, {len(output) - 1} changes"
    assert re.match(rf"{TEST} \(lvv-t1278\): changes with the run of 2027-", output[0])
    text = page.read_text(encoding="utf-8")
    assert "<script" not in text
    assert text.count("<circle") == 4
    assert "4 runs; the level changes in 1 of 1 clauses." in text


def test_history_that_is_a_file_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    done = verify(tmp_path, "--history=file", "--band=r")
    assert done.returncode == 4
    assert "--history file: not a folder" in done.stderr + done.stdout
