"""Small inputs that once went wrong, each through the command line: values, counts, notes or a refusal."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from skyaccept.lib.tests.realdata import REALDATA

CASES = Path(os.environ.get("SKYACCEPT_CASES") or REALDATA.parent / "cases")
"""Folder of the cases: what SKYACCEPT_CASES names, else that beside the real catalogs."""

PROGRAM = "import sys; from skyaccept.cli.main import main; sys.exit(main())"
USAGE_ERROR = 4


def cases() -> Iterator[Any]:
    """One parameter for each run of each case."""
    path = CASES / "expected.yaml"
    known = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for name, runs in known.items():
        for number, run in enumerate(runs if isinstance(runs, list) else [runs]):
            yield pytest.param(name, run, id=f"{name}-{number}" if isinstance(runs, list) else name)


needs_cases = pytest.mark.skipif(
    not (CASES / "expected.yaml").is_file(), reason=f"no cases in {CASES}; set SKYACCEPT_CASES to their folder"
)


@needs_cases
@pytest.mark.parametrize(("name", "run"), list(cases()))
def test_a_case_comes_out_as_expected(tmp_path: Path, name: str, run: dict[str, Any]) -> None:
    """As its file says; nothing ends in a traceback."""
    results, report = tmp_path / "results.json", tmp_path / "report.html"
    wanted = [run, *run.get("either", [])]
    clauses = sorted({clause for one in wanted for clause in one.get("values", {})}) or ["AM1"]
    done = subprocess.run(
        [
            *(sys.executable, "-c", PROGRAM, "verify", *shlex.split(run["run"]), "--band", "r"),
            *("-k", " or ".join(clauses), "--results", str(results), "--html", str(report)),
        ],
        cwd=CASES / name,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    assert "INTERNALERROR" not in said
    outcomes = run.get("either", [run])
    wrong = [_differences(one, done, results, report) for one in outcomes]
    assert [] in wrong, f"{wrong}\n{said[-3000:]}"


def _differences(
    expected: dict[str, Any], done: subprocess.CompletedProcess[str], results: Path, report: Path
) -> list[str]:
    """Where a run differs from what was expected."""
    if "refused" in expected:
        wrong = [] if done.returncode == USAGE_ERROR else [f"exit status {done.returncode}"]
        text = done.stderr.lower()
        return wrong + [f"not named: {word}" for word in expected["refused"] if word.lower() not in text]
    if not results.is_file():
        return ["no results"]
    data = json.loads(results.read_text(encoding="utf-8"))
    values = {record["clause"]: record["value"] for record in data["results"]}
    relative = float(expected.get("rtol", 1e-6))
    wrong = [
        f"{clause} is {values.get(clause)}"
        for clause, value in expected.get("values", {}).items()
        if values.get(clause) != pytest.approx(value, rel=relative, abs=0)
    ]
    counts = expected.get("counts", {}).items()
    wrong += [f"{key} is {data['dataset'][key]}" for key, value in counts if data["dataset"][key] != value]
    page = report.read_text(encoding="utf-8")
    for words in expected.get("noted", []):
        wrong += [f"not noted: {words}"] if words not in json.dumps(data) or words not in page else []
    return wrong
