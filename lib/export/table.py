"""Long tables as CSV or ECSV."""

from __future__ import annotations

import io
from typing import Any

from skyaccept.lib.results.model import Results
from skyaccept.lib.results.table import COLUMNS, rows

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv(results: Results) -> str:
    """Return CSV with a header.

    Text like a formula gets an apostrophe in front, for spreadsheets.
    """
    import pandas as pd

    table = pd.DataFrame(
        [{name: _safe(value) for name, value in row.items()} for row in rows(results)], columns=list(COLUMNS)
    )
    for name, kind in COLUMNS.items():
        if kind is int:
            table[name] = table[name].astype("Int64")
    text: str = table.to_csv(index=False, lineterminator="\n")
    return text


def ecsv(results: Results) -> str:
    """Return ECSV with types, run and dataset; empty cells are masked."""
    from astropy.table import MaskedColumn, Table

    found = rows(results)
    table = Table(meta={"run": results.run, "dataset": results.dataset})
    for name, kind in COLUMNS.items():
        values = [row[name] for row in found]
        filled = [kind() if value is None else value for value in values]
        table[name] = MaskedColumn(filled, mask=[value is None for value in values], dtype=kind)
    text = io.StringIO()
    table.write(text, format="ascii.ecsv")
    return text.getvalue()


def _safe(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
