"""Tests of ``skyaccept inspect``."""

from pathlib import Path

import pandas as pd
import pytest
from skyaccept.cli import inspection
from skyaccept.cli import main as command
from skyaccept.cli.tests.test_main import usage_error
from skyaccept.fixtures.tests import catalogs
from skyaccept.lib.exceptions import WRITE_ERROR
from skyaccept.lib.readers import load

COLUMNS = {"visit": [1, 2], "band": ["r", "r"], "RAJ2000": [10.0, 10.0], "DEJ2000": [20.0, 20.0]}


def test_inspect_lists_columns_profile_and_missing_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The columns have their types, and the profile is the one that fits."""
    catalog = catalogs.write(tmp_path / "good.csv")
    assert command.main(["inspect", str(catalog)]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{catalog}: table of text, 7 columns\n")
    for name in ("visit", "band", "ra", "dec", "mag", "snr", "extendedness"):
        assert f"\n  {name} " in out
    assert "survey profile 'generic' fits: --survey generic" in out
    assert "ra: {name: ra, unit: deg}" in out
    assert "missing: mjd: blocks 1 of 34 clauses of LSE-30: AA1\n" in out
    assert "missing: e1, e2, psf_e1, psf_e2: each blocks 6 of 34 clauses of LSE-30: TE1, TE2" in out
    assert (
        "missing, and blocking no clause of LSE-30: detector, object, mag_err, airmass, ra_err, dec_err, visit_group\n"
        in out
    )


def test_inspect_lists_missing_required_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Columns with other names are guessed, and all missing ones are listed together."""
    (tmp_path / "odd.csv").write_text("expnum,RAJ2000,name\n1,10,a\n")
    assert command.main(["inspect", str(tmp_path / "odd.csv")]) == 0
    out = capsys.readouterr().out
    assert "no shipped survey profile fits" in out
    assert "visit: expnum" in out
    assert "ra: {name: RAJ2000, unit: ?}" in out
    assert "missing, and required: band, ra, dec: each blocks all 34 clauses of LSE-30" in out
    assert "missing: snr, extendedness: each blocks all 34 clauses of LSE-30" in out
    assert "lines to complete in the profile: band, ra, dec, extendedness, mjd" in out


def test_inspect_of_a_missing_file_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    """There is one message, which names the file."""
    assert usage_error(["inspect", "missing.csv"], capsys) == "ERROR: missing.csv: no such file, folder or match\n"


def test_inspect_writes_a_profile_that_loads_when_completed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It overwrites a file only with --force."""
    pd.DataFrame(COLUMNS).to_csv(tmp_path / "cat.csv", index=False)
    profile = tmp_path / "mine.yaml"
    words = ["inspect", str(tmp_path / "cat.csv"), "-o", str(profile)]
    assert command.main(words) == 0
    out = capsys.readouterr().out
    assert f"{profile}: survey profile written; use it with --survey {profile}" in out
    assert "survey: my-survey" not in out
    profile.write_text(profile.read_text().replace("unit: ?", "unit: deg"))
    assert load(tmp_path / "cat.csv", profile).visits == ("1", "2")
    assert "exists; name another file, or overwrite it with --force" in usage_error(words, capsys)
    assert "unit: deg" in profile.read_text()
    assert command.main([*words, "--force"]) == 0
    assert "unit: ?" in profile.read_text()
    capsys.readouterr()
    assert "--force: needs --output" in usage_error(["inspect", str(tmp_path / "cat.csv"), "--force"], capsys)
    assert command.main([*words[:-1], str(tmp_path / "cat.csv/folder.yaml")]) == WRITE_ERROR
    assert "folder.yaml: cannot be written" in capsys.readouterr().err


def test_blocked_clauses_are_counted_once() -> None:
    """The number of bands does not matter."""
    blocked, total = inspection.blocked_clauses(["snr", "mag", "mjd", "detector"])
    assert total == len(set(blocked["snr"])) == 34
    assert blocked["mjd"] == ["AA1"]
    assert blocked["detector"] == []
    assert set(blocked["mag"]) < set(blocked["snr"])
