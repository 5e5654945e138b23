"""Conversion of Arrow columns to NumPy arrays without loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.readers.table import mask_missing


def to_numpy(column: Any, as_label: bool = False) -> AnyArray:
    """Convert a column to an array as `Format.read` returns it.

    Parameters
    ----------
    column : pyarrow.Array or pyarrow.ChunkedArray
        Column of a supported type (`is_supported`).
    as_label : bool
        Whether to return decimal numbers as text, without loss.
    """
    kind = column.type
    if isinstance(column, pa.ChunkedArray) and (pa.types.is_dictionary(kind) or _is_array(kind)):
        parts = [to_numpy(chunk, as_label) for chunk in column.chunks] or [to_numpy(pa.array([], kind), as_label)]
        return concatenate(parts)
    if _is_array(kind):
        return _elements(column, as_label)
    if pa.types.is_dictionary(kind):
        if not is_text(kind.value_type):
            return to_numpy(column.dictionary_decode(), as_label)
        return _texts(column)
    if pa.types.is_decimal(kind):
        texts = column.cast(pa.string())
        return _encode(texts) if as_label else to_numpy(texts.cast(pa.float64()))
    if is_text(kind):
        return _encode(column.cast(_VIEW_TYPES.get(str(kind), kind)))
    if pa.types.is_null(kind):
        return np.full(len(column), np.nan)
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        column = column.cast(pa.timestamp(kind.unit))
    if pa.types.is_float16(kind):
        column = column.cast(pa.float32())
    if not column.null_count or not (pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        return _numpy(column)
    missing = np.asarray(_numpy(column.is_null()))
    return mask_missing(_numpy(pc.fill_null(column, pa.scalar(0).cast(kind))), missing)


_VIEW_TYPES = {"string_view": pa.large_string(), "binary_view": pa.large_binary()}


def is_supported(kind: Any) -> bool:
    """Return whether a type is supported: scalars and fixed-size arrays of them."""
    if pa.types.is_dictionary(kind):
        return is_supported(kind.value_type) and not pa.types.is_nested(kind.value_type)
    if _is_array(kind):
        return bool(kind.list_size > 0 and is_supported(kind.value_type) and not pa.types.is_nested(kind.value_type))
    tests = (
        pa.types.is_integer,
        pa.types.is_floating,
        pa.types.is_boolean,
        pa.types.is_decimal,
        pa.types.is_timestamp,
        pa.types.is_date,
        pa.types.is_duration,
        pa.types.is_null,
    )
    return is_text(kind) or any(test(kind) for test in tests)


def is_text(kind: Any) -> bool:
    """Return whether a type is text, or bytes that may be text."""
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return str(kind) in ("string", "large_string", "string_view", "binary", "large_binary", "binary_view") or bool(
        pa.types.is_fixed_size_binary(kind)
    )


def is_list(kind: Any) -> bool:
    """Return whether rows hold lists of their own lengths, unlike fixed sizes."""
    names = ("list", "large_list", "list_view", "large_list_view")
    return any(str(kind).startswith(f"{name}<") for name in names)


def _is_array(kind: Any) -> bool:
    return bool(pa.types.is_fixed_size_list(kind))


def _elements(column: Any, as_label: bool) -> AnyArray:
    """Convert fixed-size arrays to (n, size); a null array masks all its elements."""
    size = column.type.list_size
    values = to_numpy(column.values.slice(column.offset * size, len(column) * size), as_label)
    values = values.reshape(len(column), size)
    gone = np.asarray(_numpy(column.is_null()))
    if not gone.any():
        return values
    missing = np.broadcast_to(gone[:, None], values.shape) | np.ma.getmaskarray(values)
    return mask_missing(np.ma.getdata(values), missing)


def _encode(column: Any) -> AnyArray:
    coded = column.dictionary_encode()
    return to_numpy(coded)


def _texts(column: Any) -> AnyArray:
    """Convert dictionary-encoded text to objects, masked if null.

    Equal values share one object.
    """
    values = column.dictionary.cast(_VIEW_TYPES.get(str(column.type.value_type), column.type.value_type))
    texts = np.empty(len(values) + 1, dtype=object)
    texts[:] = [*values.to_pylist(), ""]
    indices = _numpy(pc.fill_null(column.indices.cast(pa.int64()), len(values)))
    missing = indices == len(values)
    if values.null_count:
        none = np.append(np.asarray(_numpy(values.is_null())), True)
        texts[none] = ""
        missing = none[indices]
    return mask_missing(texts[indices], missing)


def _numpy(column: Any) -> AnyArray:
    if isinstance(column, pa.ChunkedArray):
        return np.asarray(column.to_numpy())
    return np.asarray(column.to_numpy(zero_copy_only=False))


def concatenate(parts: Sequence[AnyArray]) -> AnyArray:
    """Concatenate arrays with their masks."""
    if len(parts) == 1:
        return parts[0]
    if any(isinstance(part, np.ma.MaskedArray) for part in parts):
        joined: AnyArray = np.ma.concatenate(parts)  # type: ignore[no-untyped-call]
        return joined
    return np.concatenate(parts)
