"""CSV files, and ECSV files with their units."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
from skyaccept.lib.catalog import Array
from skyaccept.lib.errors import InputError
from skyaccept.lib.readers.table import Column, Format, open_binary


def columns(path: Path) -> list[Column]:
    """Columns of a CSV or ECSV file; types from the first thousand rows."""
    delimiter, units = _header(path)
    sample = _parse(path, sep=delimiter, nrows=1000)
    return [Column(str(name), str(kind), units.get(str(name))) for name, kind in sample.dtypes.items()]


def read(path: Path, names: Iterable[str]) -> dict[str, Array]:
    """Read the named columns; empty fields of numbers become NaN."""
    delimiter, _ = _header(path)
    table = _parse(path, sep=delimiter, usecols=list(names), low_memory=False)
    return {name: table[name].to_numpy() for name in names}


def _parse(path: Path, **options: Any) -> pd.DataFrame:
    try:
        with open_binary(path) as file:
            return pd.read_csv(file, comment="#", skipinitialspace=True, **options)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a readable CSV table: {str(error).strip()}") from None


def _header(path: Path) -> tuple[str, dict[str, str]]:
    """Delimiter and units; a plain CSV file is delimited by commas and states no units."""
    lines = []
    with open_binary(path) as file:
        for raw in file:
            if not raw.startswith(b"#"):
                break
            lines.append(raw.decode("utf-8", errors="replace").removeprefix("#").removeprefix(" ").rstrip("\n"))
            if len(lines) > 100_000:
                raise InputError(f"{path}: the header has more than 100,000 lines")
    if not lines or not lines[0].startswith("%ECSV"):
        return ",", {}
    from astropy.table import meta

    try:
        header = meta.get_header_from_yaml([line for line in lines if not line.startswith("%ECSV")])
        units = {entry["name"]: str(entry["unit"]) for entry in header["datatype"] if entry.get("unit")}
    except Exception as error:  # astropy lets the errors of its YAML parser through, of many kinds
        raise InputError(f"{path}: the ECSV header cannot be read: {error}") from None
    return str(header.get("delimiter", " ")), units


def _looks_like_text(start: bytes) -> bool:
    first = start.split(b"\n", 1)[0]
    return b"\0" not in start and (start.startswith(b"# %ECSV") or b"," in first or first.startswith(b"#"))


FORMAT = Format("CSV or ECSV", _looks_like_text, columns, read)
