"""Tables as CSV and ECSV."""

from __future__ import annotations

import io
from dataclasses import replace

import pandas as pd
import pytest
from astropy.table import Table
from skyaccept.lib.export import table
from skyaccept.lib.results.table import COLUMNS
from skyaccept.lib.tests.results.stored import stored_results


def test_csv_has_all_columns_and_numbers() -> None:
    read = pd.read_csv(io.StringIO(table.csv(stored_results())))
    assert list(read.columns) == list(COLUMNS)
    assert len(read) == 9
    row = read[(read["test"] == "OSS-REQ-0388-AM1-r") & (read["level"] == "design")].iloc[0]
    assert (row["value"], row["limit"], row["verdict"]) == (5.929191890501228, 10.0, "pass")


def test_ecsv_has_types_and_provenance() -> None:
    read = Table.read(table.ecsv(stored_results()), format="ascii.ecsv")
    assert len(read) == 9
    assert read["deciding"].dtype.kind == "b"
    assert read.meta["dataset"]["name"] == "simulated survey hsc-few-visits"


@pytest.mark.parametrize("sign", "=+-@")
def test_text_like_a_formula_has_an_apostrophe(sign: str) -> None:
    bad = replace(stored_results().results[1], clause=f"{sign}cmd")
    read = pd.read_csv(io.StringIO(table.csv(replace(stored_results(), results=(bad,)))))
    assert set(read["clause"]) == {f"'{sign}cmd"}
