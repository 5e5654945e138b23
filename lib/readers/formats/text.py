"""Text tables: delimited, separated by blanks, ECSV, SExtractor, DAOPHOT, IPAC.

Labels are kept as written. Numbers are those that Python parses; any other text stays text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.formats import json_arrays, text_lines, unsupported
from skyaccept.lib.readers.formats.text_layout import BLANKS, TextField, TextLayout, detect_layout
from skyaccept.lib.readers.table import Column, Format, Table, mask_missing, shorten

_SAMPLE = 1024**2
_DECLARED: Mapping[str, Any] = {
    "bool": pa.bool_(),
    **{f"{sign}int{bits}": getattr(pa, f"{sign}int{bits}")() for sign in ("", "u") for bits in (8, 16, 32, 64)},
    "float16": pa.float64(),
    "float32": pa.float64(),
    "float64": pa.float64(),
    "float128": pa.float64(),
    "string": pa.string(),
}
_INFERRED = {pa.int64(): "int64", pa.float64(): "float64", pa.bool_(): "bool", pa.null(): "float64"}
_COUNTS = re.compile(r"Expected ([0-9]+) columns, got ([0-9]+)")
_CONVERSION = re.compile(r"In CSV column #([0-9]+): ")
_COMMA = r"^[+-]?[0-9]{1,3}(\.?[0-9]{3})*,[0-9]+$|^[+-]?[0-9]+,[0-9]+$|^[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?$"


def tables(path: Path) -> list[Table]:
    """List the one table of a file; types from its header or its first megabyte."""
    layout = detect_layout(path)
    kinds = _sample_types(path, layout)
    stored = []
    for field in layout.fields:
        kind = layout.header.subtypes.get(field.name) or field.dtype or kinds[field.first]
        if field.name:
            stored.append(Column(field.name, kind if field.count == 1 else f"{kind}[{field.count}]", field.unit))
    notes = (
        ()
        if text_lines.last_line_ends(path)
        else (f"the last line of {path.name} has no line end; it may have been cut",)
    )
    return [Table(0, "", layout.header.offered(stored), notes=notes)]


def read(
    path: Path, numbers: Sequence[int], names: Collection[str], labels: Collection[str]
) -> list[Mapping[str, AnyArray]]:
    """Read the named columns.

    Empty numbers become NaN, columns in ``labels`` are text.
    """
    layout = detect_layout(path)
    header = layout.header
    fields = {field.name: field for field in layout.fields}
    header.check_columns(str(path), names, fields)
    wanted = [fields[name] for name in header.needed(names)]
    as_text = set(header.needed([name for name in labels if name in names]))
    columns = _columns(path, layout, wanted, as_text)
    stored = {}
    for field in wanted:
        parts = [columns[field.first + k] for k in range(field.count)]
        for k in range(field.count):
            del columns[field.first + k]
        arrays = [_array(path, layout, field, part, field.name in as_text) for part in parts]
        stored[field.name] = arrays[0] if field.count == 1 else _stack(arrays)
    return [header.combine(str(path), names, stored)]


def _columns(path: Path, layout: TextLayout, fields: Sequence[TextField], as_text: Collection[str]) -> dict[int, Any]:
    """Read columns by position; as text if requested, or if neither numbers nor bool."""
    if layout.slices:
        return _slice_columns(path, layout, fields)
    types: dict[int, Any] = {}
    for field in fields:
        for place in range(field.first, field.first + field.count):
            if field.name in as_text or field.name in layout.header.subtypes:
                types[place] = pa.string()
            elif layout.header.columns:
                types[place] = _declared(path, field)
            else:
                types[place] = None
    try:
        columns = _parse(path, layout, types)
    except _WidthError:
        if layout.delimiter != " ":
            raise
        layout = replace(layout, delimiter=BLANKS)
        columns = _parse(path, layout, types)
    odd = {place: pa.string() for place, column in columns.items() if not _is_kept(column.type)}
    if odd:
        columns |= _parse(path, layout, odd)
    return columns


class _RowError(InputError):
    """An invalid row."""


class _WidthError(_RowError):
    """A row with another number of fields than the table."""


def _is_kept(kind: Any) -> bool:
    return bool(kind in _INFERRED or pa.types.is_string(kind) or pa.types.is_integer(kind))


def _declared(path: Path, field: TextField) -> Any:
    kind = _DECLARED.get(str(field.dtype))
    if kind is None:
        raise InputError(
            f"{path}: column '{field.name}' is of type {shorten(field.dtype)}, which is not read; write numbers or text"
        )
    return kind


def _parse(path: Path, layout: TextLayout, types: Mapping[int, Any], most: int | None = None) -> dict[int, Any]:
    """Parse columns by position.

    Type None is inferred as integer, float, bool or text.
    """
    try:
        table = _csv(path, layout, types, most, threads=True)
    except _RowError:
        # without threads, blank lines are dropped and messages have row numbers
        table = _csv(path, layout, types, most, threads=False)
    if most is None and text_lines.has_quotes(path, layout):
        count = text_lines.count_rows(path, layout)
        if count != table.num_rows:
            raise InputError(
                f"{path}: {count} lines, and {table.num_rows} rows: a quotation mark is not closed in its line, or "
                "text in quotes has a line break; write every row in one line"
            )
    return {place: table.column(str(place)) for place in types}


def _csv(path: Path, layout: TextLayout, types: Mapping[int, Any], most: int | None, threads: bool) -> Any:
    names = [str(k) for k in range(layout.width)]
    rows = text_lines.open_rows(path, layout, most, rewritten=not threads)
    try:
        return pa.csv.read_csv(
            rows.file,
            read_options=pa.csv.ReadOptions(
                use_threads=threads and rows.native, block_size=text_lines.BLOCK, column_names=names
            ),
            parse_options=pa.csv.ParseOptions(delimiter=rows.delimiter),
            convert_options=pa.csv.ConvertOptions(
                null_values=["", *layout.missing],
                strings_can_be_null=True,
                true_values=["True", "true", "TRUE"],
                false_values=["False", "false", "FALSE"],
                include_columns=[str(place) for place in types],
                column_types={str(place): kind for place, kind in types.items() if kind is not None},
            ),
        )
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if "Empty CSV file" in str(error):
            return pa.table({str(place): pa.array([], kind or pa.float64()) for place, kind in types.items()})
        raise _translate_error(path, layout, str(error)) from None
    finally:
        if not rows.native:
            rows.file.close()


def _translate_error(path: Path, layout: TextLayout, text: str) -> InputError:
    """Translate an error of the parser to file, row and column."""
    row = text.partition("Row #")[2].partition(":")[0]
    where = f"row {row}: " if row else ""
    if (match := _COUNTS.search(text)) is not None:
        return _WidthError(f"{path}: {where}{match[2]} fields, and the table has {match[1]} columns; correct the file")
    if "straddl" in text:
        return InputError(f"{path}: a row is longer than {text_lines.BLOCK} bytes")
    if (match := _CONVERSION.search(text)) is not None:
        field = next(one for one in layout.fields if one.first <= int(match[1]) < one.first + one.count)
        if "UTF8" in text:
            return _RowError(f"{path}: column '{field.name}', {where}not UTF-8 text; save the file as UTF-8")
        value = shorten(text.rpartition("invalid value ")[2])
        return _RowError(
            f"{path}: column '{field.name}', {where}{value} is not of type {field.dtype}, which the header states"
        )
    return InputError(f"{path}: not a readable table ({layout.form}): {shorten(text)}")


def _slice_columns(path: Path, layout: TextLayout, fields: Sequence[TextField]) -> dict[int, Any]:
    """Read columns of a fixed-width table as text."""
    places = [field.first for field in fields]
    edges = [layout.slices[0][0] - 1, *(end for _, end in layout.slices)]
    columns: dict[int, list[Any]] = {place: [] for place in places}
    row = 0
    opened = text_lines.open_rows(path, layout)
    try:
        batches = pa.csv.open_csv(
            opened.file,
            read_options=pa.csv.ReadOptions(
                use_threads=opened.native, block_size=text_lines.BLOCK, column_names=["row"]
            ),
            parse_options=pa.csv.ParseOptions(delimiter=opened.delimiter, quote_char=False),
            convert_options=pa.csv.ConvertOptions(column_types={"row": pa.string()}, strings_can_be_null=False),
        )
        for batch in batches:
            rows = pc.utf8_rtrim_whitespace(batch.column(0))
            rows = rows.filter(pc.greater(pc.utf8_length(rows), 0))
            _check_edges(path, layout, rows, edges, row)
            for place in places:
                columns[place].append(pc.utf8_slice_codeunits(rows, *layout.slices[place]))
            row += len(rows)
    except (pa.ArrowException, OSError) as error:
        if "Empty CSV file" not in str(error):
            raise _translate_error(path, layout, str(error)) from None
    finally:
        if not opened.native:
            opened.file.close()
    return {place: pa.chunked_array(parts, pa.string()) for place, parts in columns.items()}


def _check_edges(path: Path, layout: TextLayout, rows: Any, edges: Sequence[int], row: int) -> None:
    """Refuse rows with text below a bar of the header, and rows that end early."""
    wrong = pc.less_equal(pc.utf8_length(rows), layout.slices[-1][0])
    for edge in edges:
        wrong = pc.or_(wrong, pc.not_equal(pc.utf8_trim_whitespace(pc.utf8_slice_codeunits(rows, edge, edge + 1)), ""))
    wrong = pc.or_(wrong, pc.greater(pc.utf8_length(rows), edges[-1] + 1))
    if pc.any(wrong).as_py():
        at = row + pc.index(wrong, True).as_py() + 1
        raise InputError(
            f"{path}: row {at}: its fields are not aligned with the IPAC header, or it ends early; correct the file"
        )


def _array(path: Path, layout: TextLayout, field: TextField, column: Any, as_text: bool) -> AnyArray:
    """Convert one column to an array as `Format.read` returns it."""
    subtype = layout.header.subtypes.get(field.name)
    if pa.types.is_string(column.type):
        column = _without_blanks(path, field, column, layout)
        if subtype is not None and subtype != "json":
            return json_arrays.parse_arrays(path, field.name, subtype, column)
        if as_text:
            return _labels(column)
        return _objects(column) if field.dtype == "string" else _typed(path, field, column)
    values = _to_numpy(column)
    return values.astype(field.dtype) if field.dtype in ("float16", "float32") else values


def _without_blanks(path: Path, field: TextField, column: Any, layout: TextLayout) -> Any:
    """Strip text; empty text and declared null values become null."""
    quoted = pc.fill_null(pc.match_substring_regex(column, r'^[ \t]+"'), False)
    if pc.any(quoted).as_py():
        raise InputError(
            f"{path}: column '{field.name}', row {pc.index(quoted, True).as_py() + 1}: a blank stands before a "
            "quotation mark; remove the blanks behind the delimiters"
        )
    column = pc.utf8_trim_whitespace(column)
    none = ["", *layout.missing, *([field.missing] if field.missing is not None else [])]
    gone = pc.is_in(column, value_set=pa.array(none))
    return pc.if_else(gone, pa.scalar(None, pa.string()), column)


def _labels(column: Any) -> AnyArray:
    """Convert labels to objects, or to integers if all are canonical integers."""
    try:
        whole = column.cast(pa.int64())
    except pa.ArrowInvalid:
        return _objects(column)
    lowest, highest = (pc.min_max(whole)[key].as_py() for key in ("min", "max"))
    if lowest is None or lowest <= -(10**18) or highest >= 10**18:
        return _objects(column)
    same = pc.all(pc.equal(whole.cast(pa.string()), column)).as_py()
    return _to_numpy(whole) if same else _objects(column)


def _typed(path: Path, field: TextField, column: Any) -> AnyArray:
    """Convert text to integers or floats if all of it is numeric."""
    plain = pc.replace_substring_regex(column, r"^\+([0-9.])", r"\1")
    plain = pc.replace_substring_regex(plain, r"^([+-]?[0-9.]+)[dD]([+-]?[0-9]+)$", r"\1e\2")
    for kind in (pa.int64(), pa.float64()):
        try:
            return _to_numpy(plain.cast(kind))
        except pa.ArrowInvalid:
            continue
    commas = pc.fill_null(pc.match_substring_regex(column, _COMMA), False)
    if pc.any(commas).as_py():
        at = pc.index(commas, True).as_py()
        raise InputError(
            f"{path}: column '{field.name}', row {at + 1}: {column[at].as_py()!r} is not a number: write decimal "
            "points, and nothing between thousands"
        )
    return _objects(column)


def _objects(column: Any) -> AnyArray:
    """Convert text to objects, one for all equal values; masked if null."""
    coded = column.dictionary_encode().combine_chunks()
    coded = coded if isinstance(coded, pa.DictionaryArray) else pa.chunked_array([coded]).combine_chunks()
    texts = np.array([*coded.dictionary.to_pylist(), ""], dtype=object)
    places = coded.indices.fill_null(len(texts) - 1).to_numpy(zero_copy_only=False)
    return mask_missing(texts[places], places == len(texts) - 1)


def _to_numpy(column: Any) -> AnyArray:
    """Convert numbers or bool; null becomes NaN or masked."""
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    if pa.types.is_floating(column.type) or not column.null_count:
        return np.asarray(column.to_numpy())
    missing = np.asarray(column.is_null().to_numpy())
    return np.ma.array(pc.fill_null(column, pa.scalar(0).cast(column.type)).to_numpy(), mask=missing)


def _stack(arrays: Sequence[AnyArray]) -> AnyArray:
    """Stack the elements of an array column."""
    if any(isinstance(one, np.ma.MaskedArray) for one in arrays):
        return np.ma.stack(arrays, axis=1)
    return np.stack(arrays, axis=1)


def _sample_types(path: Path, layout: TextLayout) -> dict[int, str]:
    """Infer the types of columns from the first rows."""
    places = dict.fromkeys(range(layout.width))
    if layout.slices or layout.header.columns:
        return dict.fromkeys(places, "text")
    columns = _parse(path, layout, places, _SAMPLE)
    return {place: _INFERRED.get(column.type, "text") for place, column in columns.items()}


FORMAT = Format(
    "table of text",
    (".csv", ".tsv", ".ecsv", ".tbl", ".dat", ".asc"),
    unsupported.is_text,
    tables,
    read,
    by_content=False,
)
