"""Parquet files; units from the column's metadata or from the header that astropy writes."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from skyaccept.lib import progress
from skyaccept.lib.catalog import Array
from skyaccept.lib.errors import InputError
from skyaccept.lib.readers.table import Column, Format


def columns(path: Path) -> list[Column]:
    """Columns of a Parquet file."""
    schema = _open(path).schema_arrow
    twice = [name for name in schema.names if schema.names.count(name) > 1]
    if twice:
        raise InputError(f"{path}: column '{twice[0]}' stands in it twice")
    units = _astropy_units(path, schema)
    found = []
    for field in schema:
        unit = (field.metadata or {}).get(b"unit", b"").decode(errors="replace") or units.get(field.name)
        found.append(Column(field.name, str(field.type), unit))
    return found


def read(path: Path, names: Collection[str]) -> dict[str, Array]:
    """Read the named columns; other columns are not touched."""
    try:
        file = _open(path)
        found: dict[str, Array] = {}
        for name in names:
            progress.report(f"reading {path.name}", len(found), len(names))
            found[name] = _array(file.read(columns=[name]).column(name))
        return found
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: the Parquet file is truncated or damaged: {error}") from None


def _open(path: Path) -> Any:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: the Parquet file is truncated or damaged: {error}") from None


def _array(column: Any) -> Array:
    if pa.types.is_integer(column.type) and column.null_count:
        return np.asarray(column.cast(pa.float64(), safe=False).to_numpy())
    return np.asarray(column.to_numpy())


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


FORMAT = Format("Parquet", lambda start: start[:4] == b"PAR1", columns, read)
