"""Arrays in a text column, as ECSV stores them: one JSON list per row."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.table import MAX_UNCOMPRESSED, mask_missing, shorten

_SUBTYPE = re.compile(r"(bool|u?int(?:8|16|32|64)|float(?:16|32|64|128)|string)\[([0-9]{1,6}(?:,[0-9]{1,6})*|.*null)\]")


def parse_arrays(path: Path, name: str, subtype: str, column: Any) -> AnyArray:
    """Parse the arrays of a column to (n, elements), or to objects if lengths differ.

    Parameters
    ----------
    path, name
        For messages.
    subtype : str
        Type such as ``float64[3]``, or ``float64[null]`` for lists of any length.
    column : pyarrow.ChunkedArray
        Text; null for a row without an array.

    Raises
    ------
    InputError
        A row does not hold such an array.
    """
    match = _SUBTYPE.fullmatch(subtype)
    if match is None:
        raise InputError(f"{path}: column '{name}' holds {shorten(subtype)}, which is not read")
    shape = None if "null" in match[2] else tuple(int(size) for size in match[2].split(","))
    if shape is not None and math.prod(shape) * max(len(column), 1) * 8 > MAX_UNCOMPRESSED:
        raise InputError(f"{path}: column '{name}' declares {shorten(subtype)} for each row, too many to hold")
    rows: list[Any] = []
    gone: list[Any] = []
    for number, text in enumerate(column.to_pylist(), start=1):
        try:
            values = np.array(json.loads(text) if text is not None else None, dtype=object)
            if shape is None:
                rows.append(values)
                continue
            values = np.full(shape, None, dtype=object) if text is None else values
            if values.shape != shape:
                raise ValueError(f"shape {values.shape}")
            missing = np.array([value is None for value in values.ravel().tolist()], dtype=bool).reshape(shape)
            rows.append(np.where(missing, "" if match[1] == "string" else 0, values).astype(_dtype(match[1])))
            gone.append(missing)
        except (ValueError, TypeError, OverflowError, RecursionError):
            raise InputError(f"{path}: column '{name}', row {number}: {shorten(text)!r} is not {subtype}") from None
    if shape is None:
        lists = np.empty(len(rows), dtype=object)
        lists[:] = [row.tolist() for row in rows]
        return lists
    if not rows:
        return np.empty((0, *shape), dtype=_dtype(match[1]))
    return mask_missing(np.stack(rows), np.stack(gone))


def _dtype(kind: str) -> Any:
    return object if kind == "string" else np.dtype("float64" if kind == "float128" else kind)
