"""Parquet file of one run in a history.

Its rows are those of `skyaccept.lib.results.table`, with the provenance of the run.

Files are untrusted: the metadata are checked before the rows are read, and then each row.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from skyaccept.lib import atomic_write
from skyaccept.lib.decision.rule import Verdict
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.results import table as tidy
from skyaccept.lib.results.schema import LARGEST, parse_time

SCHEMA = "skyaccept-history/1"

RUN = {
    "started": str,
    "skyaccept": str,
    "command": str,
    "dataset": str,
    "survey": str,
    "sha256": str,
    "detections": int,
}
"""Columns in addition to those of `skyaccept.lib.results.table.COLUMNS`, and their types; each holds one value."""

MAX_BYTES, MAX_UNPACKED, MAX_ROWS = 5_000_000, 100_000_000, 20_000
"""Largest file, packed and unpacked, and largest number of rows."""

MAX_TEXT, MAX_COMMAND = 1_000, 100_000
"""Longest text in a row, and in the columns of the run."""

_KEY = b"skyaccept"
_TYPES = {str: pa.string(), float: pa.float64(), int: pa.int64(), bool: pa.bool_()}
_ALWAYS = (*RUN, "test", "definition", "requirement", "unit", "deciding")
_READ = (*_ALWAYS, "value", "value_unbiased", "low", "high", "confidence", "limit", "verdict")


def encode(rows: Sequence[dict[str, Any]]) -> bytes:
    """Return the content of a file with rows.

    Raises
    ------
    InputError
        `read` would refuse the file.
    """
    columns = RUN | tidy.COLUMNS
    schema = pa.schema([(name, _TYPES[kind]) for name, kind in columns.items()], metadata={_KEY: SCHEMA.encode()})
    texts = [{name: _text(value) for name, value in row.items()} for row in rows]
    table = pa.Table.from_pylist(texts, schema=schema)
    for fault in _faults(table):
        raise InputError(f"--history: a run with {fault}")
    content = io.BytesIO()
    pq.write_table(table, content)
    return content.getvalue()


def _text(value: Any) -> Any:
    """Return a value, or text with invalid characters as visible escapes."""
    return atomic_write.encode(value).decode() if isinstance(value, str) else value


def read(path: Path) -> list[dict[str, Any]]:
    """Read the rows of the deciding levels.

    Raises
    ------
    InputError
        Not a file of `encode`; the message says why.
    """
    try:
        if not path.is_file():
            raise InputError("no regular file")
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"larger than {MAX_BYTES:,} bytes")
        table = _table(path)
        table.validate(full=True)
        for fault in _faults(table):
            raise InputError(fault)
    except (OSError, ValueError, MemoryError, pa.ArrowException) as error:
        why = str(error).partition("\n")[0]
        raise InputError(f"{path}: not a run of a history: {why}; move the file to another folder") from None
    return [row for row in table.to_pylist() if row["deciding"]]


def _table(path: Path) -> pa.Table:
    """Read the needed columns, once schema and size are checked.

    Text is dictionary-encoded.
    """
    schema = pq.read_schema(path)
    if (schema.metadata or {}).get(_KEY) != SCHEMA.encode():
        raise InputError(f"its metadata do not hold {_KEY.decode()}: {SCHEMA}")
    kinds = {name: _TYPES[(RUN | tidy.COLUMNS)[name]] for name in _READ}
    for name, kind in kinds.items():
        if schema.names.count(name) != 1:
            raise InputError(f"column {name} is there {schema.names.count(name)} times")
        found = schema.field(name).type
        if (found.value_type if pa.types.is_dictionary(found) else found) != kind:
            raise InputError(f"column {name} is of type {found}, and not {kind}")
    with pq.ParquetFile(path, read_dictionary=[name for name, kind in kinds.items() if kind == pa.string()]) as file:
        meta = file.metadata
        unpacked = sum(meta.row_group(k).total_byte_size for k in range(meta.num_row_groups))
        if meta.num_rows > MAX_ROWS or unpacked > MAX_UNPACKED:
            most = f"at most {MAX_ROWS:,} of {MAX_UNPACKED:,} are read"
            raise InputError(f"{meta.num_rows:,} rows of {unpacked:,} bytes, and {most}")
        return file.read(columns=list(kinds))


def _faults(table: pa.Table) -> Iterator[str]:
    """Yield the faults of the values of a table."""
    if not 0 < table.num_rows <= MAX_ROWS:
        yield f"{table.num_rows:,} rows: there have to be one to {MAX_ROWS:,}"
    for name in _READ:
        column = table[name]
        if name in _ALWAYS and column.null_count:
            yield f"no {name} in row {pc.index(column.is_null(), True).as_py() + 1}"
        if (RUN | tidy.COLUMNS)[name] is str:
            most = MAX_COMMAND if name in RUN else MAX_TEXT
            if (pc.max(pc.utf8_length(_texts(column))).as_py() or 0) > most:
                yield f"column {name} with a text of more than {most:,} characters"
        if pa.types.is_floating(column.type):
            wrong = pc.invert(pc.less_equal(pc.abs(column.drop_null()), LARGEST))
            if pc.any(wrong).as_py():
                yield f"column {name} with a value that is not finite, or larger than {LARGEST:g}"
        if name in RUN and len(column.unique()) > 1:
            yield f"column {name} with {len(column.unique())} values: a file holds one run"
    yield from _value_faults(table)


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the texts of a column, distinct ones if it is dictionary-encoded."""
    if not pa.types.is_dictionary(column.type):
        return column
    return pa.chunked_array([chunk.dictionary for chunk in column.chunks], column.type.value_type)


def _value_faults(table: pa.Table) -> Iterator[str]:
    """Yield values of the right type without meaning."""
    try:
        parse_time(table["started"][0].as_py())
    except ValueError as error:
        yield f"column started: {error}"
    unknown = set(table["verdict"].unique().to_pylist()) - {None, *get_args(Verdict)}
    if unknown:
        yield f"column verdict with {ascii(min(unknown))[:80]}: no verdict"
    confidence = table["confidence"].drop_null()
    if not pc.all(pc.and_(pc.greater(confidence, 0), pc.less(confidence, 1))).as_py() and len(confidence):
        yield "column confidence with a value that is not between 0 and 1"
    named = table.select(["test", "definition", "deciding"]).to_pylist()
    cases = [(row["test"], row["definition"]) for row in named if row["deciding"]]
    if len(set(cases)) < len(cases):
        yield "two rows for the deciding level of a case"
