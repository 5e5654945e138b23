"""Tests of small inputs that once failed, each through the command line."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from astropy.table import Table
from skyaccept.cli.main import USAGE_ERROR
from skyaccept.fixtures.tests import forked
from skyaccept.lib import measure, requirements
from skyaccept.lib.readers import load
from skyaccept.lib.tests.realdata import REALDATA

CASES = Path(os.environ.get("SKYACCEPT_CASES") or REALDATA.parent / "cases")
"""Folder of the cases: that of SKYACCEPT_CASES, or next to the real catalogs."""


@dataclass(frozen=True)
class Finished:
    """Outcome of one command."""

    status: int
    output: str
    errors: str
    results: Path
    report: Path


CORRECTED = {"masked_parquet": {"PA1gri": 8.523436782900973}}
"""Corrected values of cases. The mask of `masked_parquet` marks 161 rows, but the value of the case belongs to a file
next to it in which 170 other rows are missing; see `test_masked_case_agrees_with_astropy`."""


def cases() -> Iterator[Any]:
    """Yield one parameter for each run of each case."""
    path = CASES / "expected.yaml"
    expected_runs = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for name in CORRECTED.keys() & expected_runs.keys():
        expected_runs[name]["values"] |= CORRECTED[name]
    for name, runs in expected_runs.items():
        for number, run in enumerate(runs if isinstance(runs, list) else [runs]):
            yield pytest.param(name, run, id=f"{name}-{number}" if isinstance(runs, list) else name)


RUNS = list(cases())

needs_cases = pytest.mark.skipif(
    not (CASES / "expected.yaml").is_file(), reason=f"no cases in {CASES}; set SKYACCEPT_CASES to their folder"
)


def verify(case: Path, run: dict[str, Any], folder: Path) -> Finished:
    """Run the command of a case in its folder, for the clauses with known values."""
    outcomes = [run, *run.get("either", [])]
    clauses = sorted({clause for one in outcomes for clause in one.get("values", {})}) or ["AM1"]
    results, report = folder / "results.json", folder / "report.html"
    options = ("--band=r", "-k", " or ".join(clauses), f"--results={results}", f"--html={report}")
    done = forked.run("skyaccept", "verify", *shlex.split(run["run"]), *options, folder=case)
    return Finished(done.returncode, done.stdout, done.stderr, results, report)


@needs_cases
@pytest.mark.slow
@pytest.mark.parametrize(("case", "run"), RUNS)
def test_case_has_the_expected_outcome(case: str, run: dict[str, Any], tmp_path: Path) -> None:
    """Values, counts, notes or the refusal are as in the case's file, without a traceback."""
    done = verify(CASES / case, run, tmp_path)
    printed = done.output + done.errors
    assert "Traceback" not in printed
    assert "INTERNALERROR" not in printed
    wrong = [_differences(one, done) for one in run.get("either", [run])]
    assert [] in wrong, f"{wrong}\n{printed[-3000:]}"


@needs_cases
def test_masked_case_agrees_with_astropy(tmp_path: Path) -> None:
    """The corrected value follows from the rows that astropy's own reader masks."""
    table = Table.read(CASES / "masked_parquet" / "cat.parquet")
    assert np.ma.is_masked(table["mag"])
    mags = np.where(table["mag"].mask, np.nan, np.asarray(table["mag"].data))
    plain = pq.read_table(CASES / "base" / "base.parquet")
    plain = plain.set_column(plain.schema.get_field_index("mag"), "mag", pa.array(mags))
    pq.write_table(plain, tmp_path / "cat.parquet")
    run = measure.run(
        load(tmp_path / "cat.parquet"), requirements.load(), measure.Options(bands=["r"], confidence=None)
    )
    found = next(result.value for result in run.results if result.clause == "PA1gri")
    assert found == pytest.approx(CORRECTED["masked_parquet"]["PA1gri"], rel=1e-9)


def _differences(expected: dict[str, Any], done: Finished) -> list[str]:
    """Return the differences between a run and its expected outcome."""
    if "refused" in expected:
        wrong = [] if done.status == USAGE_ERROR else [f"exit status {done.status}"]
        text = done.errors.lower()
        return wrong + [f"not named: {word}" for word in expected["refused"] if word.lower() not in text]
    if not done.results.is_file():
        return ["no results"]
    data = json.loads(done.results.read_text(encoding="utf-8"))
    values = {record["clause"]: record["value"] for record in data["results"]}
    relative = float(expected.get("rtol", 1e-6))
    wrong = [
        f"{clause} is {values.get(clause)}"
        for clause, value in expected.get("values", {}).items()
        if values.get(clause) != pytest.approx(value, rel=relative, abs=0)
    ]
    counts = expected.get("counts", {}).items()
    wrong += [f"{key} is {data['dataset'][key]}" for key, value in counts if data["dataset"][key] != value]
    page = done.report.read_text(encoding="utf-8")
    for words in expected.get("noted", []):
        wrong += [f"not noted: {words}"] if words not in json.dumps(data) or words not in page else []
    return wrong
