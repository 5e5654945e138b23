"""Files of runs from strangers: what no run wrote is refused with file and column, before it takes time or memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.results import run_file
from skyaccept.lib.results import table as tidy

ROW: dict[str, Any] = {name: kind() for name, kind in (run_file.RUN | tidy.COLUMNS).items()} | {
    "started": "2026-11-20T00:00:00+00:00",
    "verdict": "pass",
    "deciding": True,
    "confidence": 0.95,
    "test": "T",
}


def written(path: Path, change: Callable[[pa.Table], pa.Table], rows: int = 1, **options: Any) -> Path:
    """A file of some rows, each of a test of its own, with something changed."""
    content = run_file.encode([ROW | {"test": f"T{k}"} for k in range(rows)])
    table = change(pq.read_table(pa.BufferReader(content)))
    pq.write_table(table.replace_schema_metadata({b"skyaccept": run_file.SCHEMA.encode()}), path, **options)
    return path


def holding(name: str, *values: Any, kind: pa.DataType | None = None) -> Callable[[pa.Table], pa.Table]:
    """A column with other values, repeated to its length."""

    def change(table: pa.Table) -> pa.Table:
        place = table.column_names.index(name)
        column = pa.array([values[k % len(values)] for k in range(table.num_rows)], kind or table[name].type)
        return table.set_column(place, name, column)

    return change


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as error:
        run_file.read(path)
    said = str(error.value)
    assert said.startswith(f"{path}: not a run of a history: ")
    assert said.endswith("; move the file to another folder")
    assert len(said.splitlines()) == 1
    return said


def test_what_was_written_comes_back(tmp_path: Path) -> None:
    (tmp_path / "run.parquet").write_bytes(run_file.encode([ROW, ROW | {"level": "minimum", "deciding": False}]))
    (row,) = run_file.read(tmp_path / "run.parquet")
    assert row == {name: ROW[name] for name in row}
    assert {"value", "test", *run_file.RUN} <= set(row)


@pytest.mark.parametrize(
    "name", [*run_file.RUN, "test", "definition", "requirement", "unit", "deciding", "value", "verdict"]
)
def test_a_column_that_is_missing_or_there_twice_is_named(name: str, tmp_path: Path) -> None:
    path = written(tmp_path / "a.parquet", lambda table: table.drop_columns([name]))
    assert f"column {name} is there 0 times" in refusal(path)
    path = written(tmp_path / "b.parquet", lambda table: table.append_column(name, table[name]))
    assert f"column {name} is there 2 times" in refusal(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (holding("value", "12", kind=pa.string()), "column value is of type string, and not double"),
        (holding("value", 1, kind=pa.int64()), "column value is of type int64, and not double"),
        (holding("detections", 1.5, kind=pa.float64()), "column detections is of type double, and not int64"),
        (holding("test", 1, kind=pa.int64()), "column test is of type int64, and not string"),
        (holding("test", [1], kind=pa.list_(pa.int64())), "column test is of type list"),
        (
            holding("started", datetime(2026, 1, 1, tzinfo=UTC), kind=pa.timestamp("us", "UTC")),
            "column started is of type",
        ),
        (holding("deciding", 1, kind=pa.int64()), "column deciding is of type int64, and not bool"),
        (holding("started", None), "no started in row 1"),
        (holding("test", "T", None), "no test in row 2"),
        (holding("deciding", None), "no deciding in row 1"),
        (holding("detections", None), "no detections in row 1"),
        (holding("started", "yesterday"), "column started: 'yesterday' is no time like"),
        (holding("started", "2026-11-20T00:00:00"), "column started: '2026-11-20T00:00:00' is no time like"),
        (holding("started", "2026-13-20T00:00:00+00:00"), "column started: "),
        (holding("started", "0001-01-01T00:00:00+14:00"), "is not between the years"),
        (holding("value", float("nan")), "column value with a value that is not finite"),
        (holding("high", float("inf")), "column high with a value that is not finite"),
        (holding("limit", 1e300), "column limit with a value that is not finite, or larger than 1e+50"),
        (holding("confidence", 1.0), "column confidence with a value that is not between 0 and 1"),
        (holding("verdict", "<b>"), "column verdict with '<b>': no verdict"),
        (holding("test", "T"), "two rows for the deciding level of a case"),
        (holding("sha256", "a", "b"), "column sha256 with 2 values: a file holds one run"),
        (holding("test", "x" * 1_001), "column test with a text of more than 1,000 characters"),
        (holding("command", "x" * 100_001), "column command with a text of more than 100,000 characters"),
        (lambda table: table.slice(0, 0), "0 rows"),
    ],
)
def test_what_means_nothing_is_named_with_its_column(
    change: Callable[[pa.Table], pa.Table], said: str, tmp_path: Path
) -> None:
    assert said in refusal(written(tmp_path / "run.parquet", change, rows=2))


def test_text_that_is_none_is_refused(tmp_path: Path) -> None:
    bad = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff\xfe"]).buffers())
    path = written(
        tmp_path / "run.parquet", lambda table: table.set_column(table.column_names.index("unit"), "unit", bad)
    )
    refusal(path)


def test_numbers_that_are_not_known_and_diagnostics_are_no_fault(tmp_path: Path) -> None:
    row = ROW | dict.fromkeys(("value", "low", "high", "confidence", "limit", "verdict"))
    (tmp_path / "run.parquet").write_bytes(run_file.encode([row]))
    assert run_file.read(tmp_path / "run.parquet")[0]["value"] is None


@pytest.mark.slow
def test_rows_are_counted_before_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three million rows are a small file."""
    rows = pa.concat_tables([pq.read_table(pa.BufferReader(run_file.encode([ROW])))] * 1_000).combine_chunks()
    path = written(tmp_path / "run.parquet", lambda _: pa.concat_tables([rows] * 3_000), compression="zstd")
    assert path.stat().st_size < run_file.MAX_BYTES
    monkeypatch.setattr(pq.ParquetFile, "read", None)
    assert "3,000,000 rows" in refusal(path)


def test_long_texts_are_measured_once(tmp_path: Path) -> None:
    """Two thousand rows of a megabyte each, by a dictionary."""
    change = holding("requirement", "x" * 1_000_000)
    small = written(tmp_path / "one.parquet", change)
    table = pq.read_table(small, read_dictionary=["requirement"])
    path = tmp_path / "run.parquet"
    many = pa.concat_tables([table] * 2_000)
    pq.write_table(many, path, compression="zstd")
    assert path.stat().st_size < run_file.MAX_BYTES
    assert "column requirement with a text of more than" in refusal(path)


def test_large_files_folders_and_pipes_are_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "large.parquet").write_bytes(bytes(run_file.MAX_BYTES + 1))
    assert "larger than 5,000,000 bytes" in refusal(tmp_path / "large.parquet")
    (tmp_path / "folder.parquet").mkdir()
    assert "no regular file" in refusal(tmp_path / "folder.parquet")
    os.mkfifo(tmp_path / "pipe.parquet")
    assert "no regular file" in refusal(tmp_path / "pipe.parquet")


def test_a_name_that_is_no_text_is_written_as_text(tmp_path: Path) -> None:
    (tmp_path / "run.parquet").write_bytes(run_file.encode([ROW | {"dataset": "caf\udce9"}]))
    assert run_file.read(tmp_path / "run.parquet")[0]["dataset"] == r"caf\udce9"


def test_a_run_that_could_not_be_read_is_not_written() -> None:
    with pytest.raises(InputError, match="--history: a run with column test with a text of more than 1,000 characters"):
        run_file.encode([ROW | {"test": "x" * 1_001}])
    with pytest.raises(InputError, match="--history: a run with 0 rows"):
        run_file.encode([])
