"""Tests of ``skyaccept selftest``."""

from dataclasses import replace
from pathlib import Path

import pytest
from skyaccept.cli import main as command
from skyaccept.synthetic import sensitivity

CLAUSES = len(sensitivity.clauses())


@pytest.mark.slow
def test_selftest_prints_the_matrix_and_writes_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "self.html"
    arguments = ["selftest", "--fault=wrapped_ra", "--fault=band_offset", "-o", str(page), "--workers=1"]
    assert command.main(arguments) == 0
    output = capsys.readouterr().out
    assert "band_offset                    15 mas     .    .    ." in output
    assert "wrapped_ra                      100 %     ?    ?    ?" in output
    assert output.endswith(f"5 of 5 trials with {5 * CLAUSES} clauses react as expected.\n")
    assert "5 of 5 trials" in page.read_text(encoding="utf-8")


@pytest.mark.slow
def test_selftest_fails_if_a_reaction_is_not_as_expected(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = sensitivity.load()
    rows = [replace(row, refused="too blue") if row.fault == "repeated_rows" else row for row in table.rows]
    monkeypatch.setattr(sensitivity, "load", lambda: replace(table, rows=rows))
    assert command.main(["selftest", "--fault=repeated_rows", "--workers=1"]) == 1
    output = capsys.readouterr().out
    assert "repeated_rows 1 %: refused: scenario fault-repeated-rows" in output
    assert output.endswith(f"1 of 2 trials with {CLAUSES} clauses react as expected; 1 do not.\n")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--fault=earthquake"], "--fault earthquake: not one of jitter"),
        (["--seed=-1"], "--seed -1: must not be below 0"),
        (["--workers=0"], "--workers 0: must not be below 1"),
        (["-o", "no/such/page.html"], "no/such/page.html: not a file in an existing folder"),
    ],
)
def test_invalid_options_are_refused_in_one_line(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["selftest", *options]) == 4
    error = capsys.readouterr().err
    assert error.startswith(f"ERROR: {message}")
    assert error.count("\n") == 1
