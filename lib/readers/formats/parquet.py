"""Parquet files; units from column metadata or from astropy's header.

Light curves have one row per object, with lists or structs of the measurements at its epochs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from skyaccept.lib import progress
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.formats import parquet_footer
from skyaccept.lib.readers.formats.arrow_arrays import concatenate, is_list, is_supported, is_text, to_numpy
from skyaccept.lib.readers.formats.astropy_header import Header, read_header
from skyaccept.lib.readers.table import (
    ARRAY_PREFIX,
    LIST_SUFFIX,
    MAX_RATIO,
    MAX_UNCOMPRESSED,
    MIN_CHECKED,
    Column,
    Format,
    Table,
    mask_missing,
    shorten,
)

_ROWS = 65_536  # objects per step
_DAMAGED = (pa.ArrowException, OSError, UnicodeDecodeError, ValueError, KeyError)


@dataclass(frozen=True)
class Leaf:
    """A column of values, which may lie in structs and a list.

    Attributes
    ----------
    name : str
        Name in the table: ``mag``, ``coord.ra``, ``mag[]``, ``lc.mag[]``.
    column : str
        Column of the table that holds it.
    steps : tuple of str
        Path of struct fields to it, with `LIST_SUFFIX` for a list.
    path : str
        Name of the Parquet column.
    place : int
        Number of the Parquet column.
    kind : DataType
    unit : str, optional
    whole : bool
        Whether its lists, all of one length, are read as arrays.
    """

    name: str
    column: str
    steps: tuple[str, ...]
    path: str
    place: int
    kind: Any
    unit: str | None = None
    whole: bool = False

    @property
    def listed(self) -> bool:
        """Whether each value of its lists is a row."""
        return LIST_SUFFIX in self.steps and not self.whole


def tables(path: Path) -> list[Table]:
    """List the one table of a file; names of list columns end in `LIST_SUFFIX`."""
    file = _open(path)
    leaves = _leaves(path, file)
    stored = [
        Column(leaf.name, str(leaf.kind), leaf.unit, scale=_scale(leaf.kind)) for leaf in leaves.values() if leaf.name
    ]
    wholes = {one.name: Column(one.name, f"{ARRAY_PREFIX} {one.kind}", one.unit) for one in _array_leaves(leaves)}
    return [Table(0, "", _header(path, file.schema_arrow).offered(stored), aliases=wholes)]


def read(
    path: Path, numbers: Sequence[int], names: Collection[str], labels: Collection[str]
) -> list[Mapping[str, AnyArray]]:
    """Read the named columns only; with list columns, list elements are the rows."""
    file = _open(path)
    leaves = _leaves(path, file)
    leaves = {one.name: one for one in _array_leaves(leaves)} | leaves
    header = _header(path, file.schema_arrow)
    header.check_columns(str(path), names, leaves)
    wanted = [leaves[name] for name in header.needed(names)]
    for leaf in wanted:
        if not is_supported(leaf.kind) or leaf.steps.count(LIST_SUFFIX) > 1:
            raise InputError(
                f"{path}: column '{leaf.name}' is of type {shorten(leaf.kind)}, which is not read; write numbers or "
                "text"
            )
    sizes = _check_size(path, file, wanted)
    as_text = set(header.needed([name for name in labels if name in names]))
    read_all = _unpack_lists if any(leaf.listed for leaf in wanted) else _columns
    # a dictionary holds repeated text once
    texts = [leaf for leaf in wanted if is_text(leaf.kind) and not sizes[leaf.place].delta]
    try:
        try:
            stored = read_all(path, _open(path, [leaf.path for leaf in texts]), wanted, as_text)
        except pa.ArrowNotImplementedError:
            # Arrow reads text in structs and lists as a dictionary only if all its pages have one
            stored = read_all(path, _open(path, [leaf.path for leaf in texts if not leaf.steps]), wanted, as_text)
    except MemoryError:
        raise InputError(f"{path}: its columns do not fit into memory") from None
    except _DAMAGED as error:
        raise _damage_error(path, error) from None
    return [header.combine(str(path), names, stored)]


def _columns(path: Path, file: Any, leaves: Sequence[Leaf], labels: Collection[str]) -> dict[str, AnyArray]:
    columns: dict[str, AnyArray] = {}
    for leaf in leaves:
        progress.report(f"reading {path.name}", len(columns), len(leaves))
        if not leaf.steps:
            columns[leaf.name] = to_numpy(file.read(columns=[leaf.path]).column(leaf.column), leaf.name in labels)
            continue
        if leaf.whole:
            columns[leaf.name] = _arrays(path, file, leaf)
            continue
        parts = [to_numpy(pa.array([], leaf.kind), leaf.name in labels)]
        for batch in _batches(file, [leaf]):
            parts.append(to_numpy(_struct_values(batch, leaf), leaf.name in labels))
        columns[leaf.name] = concatenate(parts)
    return columns


def _unpack_lists(path: Path, file: Any, leaves: Sequence[Leaf], labels: Collection[str]) -> dict[str, AnyArray]:
    """Read list columns as rows, and repeat the other columns for each element."""
    # keeps the type of an empty column
    parts = {leaf.name: [to_numpy(pa.array([], leaf.kind), leaf.name in labels)] for leaf in leaves if not leaf.whole}
    whole = {leaf.name: _arrays(path, file, leaf) for leaf in leaves if leaf.whole}
    row, rows = 0, file.metadata.num_rows
    for batch in _batches(file, leaves):
        progress.report(f"reading {path.name}", row, rows)
        lengths: AnyArray | None = None
        first = ""
        for leaf in (leaf for leaf in leaves if leaf.listed):
            values, own = _flatten_lists(batch.column(leaf.column), leaf.steps)
            if lengths is None:
                lengths, first = own, leaf.name
            elif (own != lengths).any():
                at = int(np.argmax(own != lengths))
                raise InputError(
                    f"{path}, row {row + at + 1}: column '{leaf.name.removesuffix(LIST_SUFFIX)}' lists {own[at]} "
                    f"values, and '{first.removesuffix(LIST_SUFFIX)}' {lengths[at]}"
                )
            parts[leaf.name].append(to_numpy(values, leaf.name in labels))
        for name, values in whole.items():
            parts.setdefault(name, []).append(_repeat(values[row : row + len(batch)], np.asarray(lengths)))
        for leaf in (leaf for leaf in leaves if not leaf.listed and not leaf.whole):
            own_values = to_numpy(_struct_values(batch, leaf), leaf.name in labels)
            parts[leaf.name].append(_repeat(own_values, np.asarray(lengths)))
        row += len(batch)
    return {leaf.name: concatenate(parts.pop(leaf.name, []) or [whole[leaf.name]]) for leaf in leaves}


def _arrays(path: Path, file: Any, leaf: Leaf) -> AnyArray:
    """Read lists of one length as (n, length); a null list masks all its elements."""
    lengths: list[AnyArray] = []
    parts = [to_numpy(pa.array([], leaf.kind))]
    there: list[AnyArray] = []
    for batch in _batches(file, [leaf]):
        lists = _struct_values(batch, leaf)
        lengths.append(lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False))
        there.append(lists.is_valid().to_numpy(zero_copy_only=False))
        parts.append(to_numpy(lists.flatten()))
    valid = np.concatenate([np.zeros(0, dtype=bool), *there])
    number = np.concatenate([np.zeros(0, dtype=np.int64), *lengths])
    width = int(number[valid][0]) if valid.any() else 0
    odd = np.flatnonzero(valid & (number != width))
    if odd.size:
        raise InputError(
            f"{path}: column '{leaf.name}' holds lists of different lengths, {width} and in row {odd[0] + 1} "
            f"{number[odd[0]]}; an element can be chosen from lists of one length only"
        )
    values = concatenate(parts).reshape(-1, width) if width else np.empty((len(valid), 0))
    if valid.all() or not width:
        return values
    at = np.cumsum(valid) - 1
    filled = values[np.maximum(at, 0)]
    gone = np.broadcast_to(~valid[:, None], filled.shape)
    return mask_missing(np.ma.getdata(filled), gone | np.ma.getmaskarray(filled))


def _batches(file: Any, leaves: Sequence[Leaf]) -> Iterator[Any]:
    """Iterate over batches of rows, each within one row group."""
    for group in range(file.metadata.num_row_groups):
        yield from file.iter_batches(_ROWS, [group], [leaf.path for leaf in leaves])


def _struct_values(batch: Any, leaf: Leaf) -> Any:
    """Return the values of a column within structs."""
    column = batch.column(leaf.column)
    for step in leaf.steps[: -1 if leaf.whole else None]:
        column = pc.struct_field(column, step)
    return column


def _flatten_lists(column: Any, steps: Sequence[str]) -> tuple[Any, AnyArray]:
    """Return the elements of all lists of a column, and the length of each list."""
    lengths = np.zeros(len(column), dtype=np.int64)
    for step in steps:
        if step == LIST_SUFFIX:
            lengths = column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
            column = column.flatten()
        else:
            column = pc.struct_field(column, step)
    return column, lengths


def _repeat(values: AnyArray, lengths: AnyArray) -> AnyArray:
    if isinstance(values, np.ma.MaskedArray):
        return np.ma.array(np.repeat(values.data, lengths, 0), mask=np.repeat(np.ma.getmaskarray(values), lengths, 0))
    return np.repeat(values, lengths, 0)


def _array_leaves(leaves: Mapping[str, Leaf]) -> list[Leaf]:
    """Return list columns as columns of arrays, named without `LIST_SUFFIX`."""
    return [
        replace(leaf, name=name.removesuffix(LIST_SUFFIX), whole=True)
        for name, leaf in leaves.items()
        if leaf.steps.count(LIST_SUFFIX) == 1
        and leaf.steps[-1] == LIST_SUFFIX
        and name.removesuffix(LIST_SUFFIX) not in leaves
    ]


def _leaves(path: Path, file: Any) -> dict[str, Leaf]:
    """Return the columns of values by name."""
    leaves: dict[str, Leaf] = {}
    try:
        schema = file.schema_arrow
        paths = iter([file.schema.column(k).path for k in range(len(file.schema))])
        number = iter(range(len(file.schema)))
        for field in schema:
            for leaf in _walk_leaves(field, field.name, field.name, (), paths, number):
                if leaf.name in leaves:
                    raise InputError(f"{path}: column '{shorten(leaf.name)}' occurs twice")
                leaves[leaf.name] = leaf
        if next(paths, None) is not None:
            raise ValueError("more columns than the schema names")
    except (*_DAMAGED, StopIteration, RuntimeError) as error:
        raise _damage_error(path, error) from None
    return leaves


def _walk_leaves(
    field: Any, name: str, column: str, steps: tuple[str, ...], paths: Iterator[str], number: Iterator[int]
) -> Iterator[Leaf]:
    """Iterate over the columns of values in a field, in Parquet's own order."""
    kind = field.type
    if pa.types.is_struct(kind):
        for child in kind:
            yield from _walk_leaves(child, f"{name}.{child.name}", column, (*steps, child.name), paths, number)
    elif is_list(kind):
        element = pa.field(field.name, kind.value_type, True, field.metadata)
        yield from _walk_leaves(element, name, column, (*steps, LIST_SUFFIX), paths, number)
    else:
        unit = (field.metadata or {}).get(b"unit", b"").decode(errors="replace") or None
        path, place = next(paths), next(number)
        if pa.types.is_map(kind) or (pa.types.is_fixed_size_list(kind) and pa.types.is_nested(kind.value_type)):
            kind, rest = pa.map_(pa.string(), pa.string()), _count_leaves(kind) - 1
            for _ in range(rest):
                next(paths)
                next(number)
        yield Leaf(name + LIST_SUFFIX * (LIST_SUFFIX in steps), column, steps, path, place, kind, unit)


def _count_leaves(kind: Any) -> int:
    """Count the Parquet columns of a nested type."""
    if pa.types.is_map(kind):
        return _count_leaves(kind.key_type) + _count_leaves(kind.item_type)
    if pa.types.is_struct(kind):
        return sum(_count_leaves(child.type) for child in kind)
    if is_list(kind) or pa.types.is_fixed_size_list(kind):
        return _count_leaves(kind.value_type)
    return 1


def _check_size(path: Path, file: Any, leaves: Sequence[Leaf]) -> list[parquet_footer.Size]:
    """Return the sizes of all columns; refuse too large ones before reading."""
    meta = file.metadata
    groups = [meta.row_group(group) for group in range(meta.num_row_groups)]
    if sum(group.num_rows for group in groups) != meta.num_rows:
        raise InputError(f"{path}: the Parquet file is damaged: its groups do not have the rows of the whole")
    columns = parquet_footer.sizes(path) if groups else [parquet_footer.Size(0, 0, 0)] * meta.num_columns
    if len(columns) != meta.num_columns:
        raise InputError(f"{path}: the Parquet file is damaged: its groups do not have the columns of the whole")
    total, length = 0, path.stat().st_size
    for leaf in leaves:
        size = columns[leaf.place]
        width = 8 * getattr(leaf.kind, "list_size", 1)
        values = max(size.values, meta.num_rows)
        if values * width > MAX_UNCOMPRESSED or size.unfolded > MAX_UNCOMPRESSED:
            raise InputError(
                f"{path}: column '{leaf.name.removesuffix(LIST_SUFFIX)}' declares {values} values, too many to hold"
            )
        total += max(values * width, size.uncompressed, size.unfolded)
    most = max(4 * MIN_CHECKED, MAX_RATIO * length)
    if total > most:
        raise InputError(
            f"{path}: {length} bytes declare {total} bytes of values, more than {MAX_RATIO} times as many; "
            "write the file again without repeated values"
        )
    return columns


def _open(path: Path, dictionaries: Sequence[str] = ()) -> Any:
    try:
        return pq.ParquetFile(_source(path), read_dictionary=list(dictionaries))
    except _DAMAGED as error:
        raise _damage_error(path, error) from None


def _source(path: Path) -> Any:
    """Return the path, or the content of a file whose name is not UTF-8 for Arrow."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return pa.BufferReader(path.read_bytes())
    return path


def _damage_error(path: Path, error: Exception) -> InputError:
    if isinstance(error, InputError):
        return error
    text = str(error).strip().split("\n")[0]
    return InputError(f"{path}: the Parquet file is truncated or damaged: {shorten(text or type(error).__name__)}")


def _scale(kind: Any) -> str | None:
    """Return the scale of timestamps: UTC for those with a time zone."""
    return "utc" if pa.types.is_timestamp(kind) and kind.tz is not None else None


def _header(path: Path, schema: Any) -> Header:
    """Read astropy's header, if there is one."""
    text = (schema.metadata or {}).get(b"table_meta_yaml")
    if text is None:
        return Header()
    return read_header(f"{path}: metadata table_meta_yaml", text.decode(errors="replace"))


FORMAT = Format("Parquet", (".parquet", ".parq", ".pq"), lambda start: start[:4] == b"PAR1", tables, read)
