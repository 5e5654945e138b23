"""CSV files, and ECSV files with their units."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from skyaccept.lib.catalog import Array
from skyaccept.lib.errors import InputError
from skyaccept.lib.readers.table import Column, Format, Table, open_binary, shorten


def tables(path: Path) -> list[Table]:
    """The one table of a CSV or ECSV file; types from the first thousand rows."""
    delimiter, units, skip = _header(path)
    names = _parse(path, sep=delimiter, skiprows=skip, header=None, nrows=1, dtype=str).iloc[0].dropna()
    if names.duplicated().any():
        twice = names[names.duplicated()].iloc[0]
        raise InputError(f"{path}: column '{shorten(twice)}' stands in it twice")
    sample = _parse(path, sep=delimiter, skiprows=skip, nrows=1000)
    found = tuple(Column(str(name), str(kind), units.get(str(name))) for name, kind in sample.dtypes.items())
    return [Table(0, "", found)]


def read(
    path: Path, numbers: Sequence[int], names: Collection[str], labels: Collection[str]
) -> list[Mapping[str, Array]]:
    """Read the named columns; empty fields of numbers become NaN, those in ``labels`` are text."""
    delimiter, _, skip = _header(path)
    wanted = list(names)
    last = str(_parse(path, sep=delimiter, skiprows=skip, nrows=0).columns[-1])
    table = _parse(
        path, sep=delimiter, skiprows=skip, usecols=[*wanted, last], dtype=dict.fromkeys(labels, str), low_memory=False
    )
    if table[last].isna().any():
        _refuse_short_rows(path, delimiter, skip)
    return [{name: table[name].to_numpy(dtype=object if name in labels else None) for name in wanted}]


def _parse(path: Path, **options: Any) -> pd.DataFrame:
    try:
        with open_binary(path) as file:
            return pd.read_csv(file, skipinitialspace=True, encoding="utf-8-sig", **options)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a readable CSV table: {str(error).strip()}") from None


def _refuse_short_rows(path: Path, delimiter: str, skip: int) -> None:
    """A row that ends early is a damaged file; the parser would fill it up with missing values."""
    with open_binary(path) as file, io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as lines:
        rows = csv.reader(itertools.islice(lines, skip, None), delimiter=delimiter, skipinitialspace=True)
        width = len(next(rows))
        for number, row in enumerate(rows, start=1):
            if row and len(row) < width:
                raise InputError(f"{path}: row {number}: {len(row)} fields, and the table has {width} columns")


def _header(path: Path) -> tuple[str, dict[str, str], int]:
    """Delimiter, units and number of comment lines; plain CSV is delimited by commas and states no units."""
    lines = []
    with open_binary(path) as file:
        for raw in file:
            if not raw.startswith(b"#"):
                break
            lines.append(raw.decode("utf-8", errors="replace").removeprefix("#").removeprefix(" ").rstrip("\r\n"))
            if len(lines) > 100_000:
                raise InputError(f"{path}: the header has more than 100,000 lines")
    if not lines or not lines[0].startswith("%ECSV"):
        return ",", {}, len(lines)
    from astropy.table import meta

    try:
        header = meta.get_header_from_yaml([line for line in lines if not line.startswith("%ECSV")])
        units = {entry["name"]: str(entry["unit"]) for entry in header["datatype"] if entry.get("unit")}
    except Exception as error:  # astropy lets the errors of its YAML parser through, of many kinds
        raise InputError(f"{path}: the ECSV header cannot be read: {error}") from None
    delimiter = str(header.get("delimiter", " "))
    if delimiter not in (" ", ","):
        raise InputError(f"{path}: the ECSV header names delimiter {delimiter!r}; it has to be a blank or a comma")
    return delimiter, units, len(lines)


def _looks_like_text(start: bytes) -> bool:
    first = start.split(b"\n", 1)[0]
    return b"\0" not in start and (start.startswith(b"# %ECSV") or b"," in first or first.startswith(b"#"))


FORMAT = Format("CSV or ECSV", _looks_like_text, tables, read)
