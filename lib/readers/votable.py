"""VOTable files, in any of the serialisations that astropy reads; units and descriptions from its fields."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.parsers import expat

import numpy as np
from astropy.io.votable import parse
from skyaccept.lib.catalog import Array
from skyaccept.lib.errors import InputError
from skyaccept.lib.readers.table import Column, Format, Table, native, open_binary, shorten


def tables(path: Path) -> list[Table]:
    """The first table of a file."""
    found = []
    for field in _first(path, []).fields:
        unit = str(field.unit) if field.unit is not None else None
        kind = field.datatype + (f"[{field.arraysize}]" if field.arraysize else "")
        found.append(Column(field.name, kind, unit, " ".join((field.description or "").split())))
    return [Table(0, "", tuple(found))]


def read(
    path: Path, numbers: Sequence[int], names: Collection[str], labels: Collection[str]
) -> list[Mapping[str, Array]]:
    """Read the named columns of the first table of a file."""
    table = _first(path, list(names))
    keys = {field.name: field.ID for field in table.fields}
    return [{name: _values(table.array[keys[name]]) for name in names}]


def _first(path: Path, names: list[str]) -> Any:
    """First table of a file that has fields; only the named columns are kept."""
    _refuse_references(path)
    try:
        with warnings.catch_warnings(), open_binary(path) as file:
            warnings.simplefilter("ignore")  # what is not to the letter of the standard is read all the same
            parsed = parse(file, columns=names or None, verify="ignore")
    except Exception as error:  # astropy lets errors of many kinds through
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: not a readable VOTable: {shorten(' '.join(str(error).split()))}") from None
    for table in parsed.iter_tables():
        if table.fields:
            return table
    raise InputError(f"{path}: the VOTable holds no table with fields")


def _refuse_references(path: Path) -> None:
    """Refuse data that lie elsewhere, which astropy would fetch, and document types, whose entities can be bombs."""
    parser = expat.ParserCreate(namespace_separator=" ")

    def start(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(" ")[2] == "STREAM" and any(key.rpartition(" ")[2] == "href" for key in attributes):
            raise InputError(
                f"{path}: its data lie elsewhere (STREAM with href), and are not fetched; save them inline"
            )

    def doctype(*_: object) -> None:
        raise InputError(f"{path}: a VOTable with a document type is not read; remove <!DOCTYPE ...>")

    parser.StartElementHandler, parser.StartDoctypeDeclHandler = start, doctype
    try:
        with open_binary(path) as file:
            parser.ParseFile(file)
    except expat.ExpatError as error:
        raise InputError(f"{path}: the VOTable is truncated or damaged: {error}") from None


def _values(column: Any) -> Array:
    """Values of a column, missing numbers as NaN, missing text as None."""
    values, missing = np.asarray(column.data), np.ma.getmaskarray(column)
    if values.dtype.kind in "OSU":
        text = [v.decode() if isinstance(v, bytes) else v for v in values.tolist()]
        known = [None if gone or v == "" else v for gone, v in zip(missing.tolist(), text, strict=True)]
        return np.array(known, dtype=object if None in known else None)
    if values.dtype.kind in "biuf" and missing.any():
        return np.where(missing, np.nan, values.astype(np.float64))
    return native(values)


def _recognises(start: bytes) -> bool:
    return start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<" and b"VOTABLE" in start


FORMAT = Format("VOTable", _recognises, tables, read)
