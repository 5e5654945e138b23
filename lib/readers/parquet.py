"""Parquet files; units from the column's metadata or from the header that astropy writes.

Also light curves: a row an object, with lists of what was measured at its epochs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from skyaccept.lib import progress
from skyaccept.lib.catalog import Array
from skyaccept.lib.errors import InputError
from skyaccept.lib.readers.table import LIST, MAX_UNCOMPRESSED, Column, Format, Table

_ROWS = 65_536  # of objects that are unpacked at a time


def tables(path: Path) -> list[Table]:
    """The one table of a Parquet file; its columns of lists have `LIST` at the end of their names."""
    schema = _open(path).schema_arrow
    twice = [name for name in schema.names if schema.names.count(name) > 1]
    if twice:
        raise InputError(f"{path}: column '{twice[0]}' stands in it twice")
    units = _astropy_units(path, schema)
    found = []
    for field in schema:
        unit = (field.metadata or {}).get(b"unit", b"").decode(errors="replace") or units.get(field.name)
        found.append(Column(field.name + LIST * _is_list(field.type), str(field.type), unit))
    return [Table(0, "", tuple(found))]


def read(
    path: Path, numbers: Sequence[int], names: Collection[str], labels: Collection[str]
) -> list[Mapping[str, Array]]:
    """Read the named columns; other columns are not touched. With one of lists, its entries are the rows."""
    return [_columns(path, names)]


def _columns(path: Path, names: Collection[str]) -> dict[str, Array]:
    try:
        file = _open(path)
        _check_size(path, file, names)
        if any(name.endswith(LIST) and name not in file.schema_arrow.names for name in names):
            return _unpacked(path, file, list(names))
        found: dict[str, Array] = {}
        for name in names:
            progress.report(f"reading {path.name}", len(found), len(names))
            found[name] = _array(file.read(columns=[name]).column(name))
        return found
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: the Parquet file is truncated or damaged: {error}") from None


def _unpacked(path: Path, file: Any, names: list[str]) -> dict[str, Array]:
    """Columns of lists one after the other, the others' values as often as their row has entries."""
    stored = {name: name.removesuffix(LIST) for name in names}
    schema = file.schema_arrow
    kinds = {n: schema.field(stored[n]).type.value_type if n.endswith(LIST) else schema.field(n).type for n in names}
    parts = {name: [_array(pa.array([], kind))] for name, kind in kinds.items()}  # of the type, if there are no rows
    row, rows = 0, file.metadata.num_rows
    for batch in file.iter_batches(batch_size=_ROWS, columns=list(dict.fromkeys(stored.values()))):
        progress.report(f"reading {path.name}", row, rows)
        lengths: Array | None = None
        first = ""
        for name in (name for name in names if name.endswith(LIST)):
            column = batch.column(stored[name])
            own = column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
            if lengths is None:
                lengths, first = own, name
            elif (own != lengths).any():
                at = int(np.argmax(own != lengths))
                raise InputError(
                    f"{path}, row {row + at + 1}: column '{stored[name]}' lists {own[at]} values, and "
                    f"'{stored[first]}' {lengths[at]}"
                )
            parts[name].append(_array(column.flatten()))
        for name in (name for name in names if not name.endswith(LIST)):
            parts[name].append(np.repeat(_array(batch.column(name)), np.asarray(lengths)))
        row += len(batch)
    return {name: np.concatenate(parts.pop(name)) for name in names}


def _check_size(path: Path, file: Any, names: Collection[str]) -> None:
    """Refuse columns that declare more values than can be held, before any of them is read."""
    wanted = {name.removesuffix(LIST) for name in names}
    meta = file.metadata
    values: dict[str, int] = {}
    for group in range(meta.num_row_groups):
        for number in range(meta.num_columns):
            chunk = meta.row_group(group).column(number)
            name = chunk.path_in_schema
            if name.split(".")[0] in wanted:
                values[name] = values.get(name, 0) + chunk.num_values
    for name, number in values.items():
        if number * 8 > MAX_UNCOMPRESSED:
            raise InputError(f"{path}: column '{name.split('.')[0]}' declares {number} values, too many to hold")


def _is_list(kind: Any) -> bool:
    """Whether a row holds a list of its own length; one of fixed size is an array."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _open(path: Path) -> Any:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: the Parquet file is truncated or damaged: {error}") from None


def _array(column: Any) -> Array:
    if (pa.types.is_integer(column.type) or pa.types.is_boolean(column.type)) and column.null_count:
        missing = np.asarray(column.is_null())
        return np.ma.array(_array(column.fill_null(False if pa.types.is_boolean(column.type) else 0)), mask=missing)
    return np.asarray(column.to_numpy(zero_copy_only=False) if isinstance(column, pa.Array) else column.to_numpy())


def _astropy_units(path: Path, schema: Any) -> dict[str, str]:
    text = (schema.metadata or {}).get(b"table_meta_yaml")
    if text is None:
        return {}
    from astropy.table import meta

    try:
        header = meta.get_header_from_yaml(text.decode().split("\n"))
        return {entry["name"]: str(entry["unit"]) for entry in header["datatype"] if entry.get("unit")}
    except Exception as error:  # astropy lets the errors of its YAML parser through, of many kinds
        raise InputError(f"{path}: the metadata in key table_meta_yaml cannot be read: {error!r}") from None


FORMAT = Format("Parquet", lambda start: start[:4] == b"PAR1", tables, read)
