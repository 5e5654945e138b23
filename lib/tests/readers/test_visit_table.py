"""Visit tables joined to catalogs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from skyaccept.lib.readers import load
from skyaccept.lib.tests.readers import catalogs


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """Catalog without times."""
    return catalogs.write(
        tmp_path / "cat.parquet", {k: v for k, v in catalogs.catalog().items() if k not in ("mjd", "airmass")}
    )


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".fits", ".ecsv"])
def test_a_table_by_visit_is_joined(tmp_path: Path, bare: Path, suffix: str) -> None:
    """Each detection gets the values of its visit."""
    found = load(bare, visits=catalogs.visits(tmp_path / f"visits{suffix}", airmass=[1.5, 9.0, 1.25, 1.0]))
    assert found.mjd is not None
    assert found.mjd.tolist() == [60000.0] * catalogs.STARS + [60001.25] * catalogs.STARS + [60002.5] * catalogs.STARS
    assert found.airmass is not None
    assert found.airmass.tolist() == [1.0] * catalogs.STARS + [1.25] * catalogs.STARS + [1.5] * catalogs.STARS


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".fits", ".ecsv"])
def test_visits_of_text_are_joined_by_all_their_letters(tmp_path: Path, suffix: str) -> None:
    """Also where the table has longer names than the catalog."""
    columns = {name: values for name, values in catalogs.catalog().items() if name not in ("mjd", "airmass")}
    columns["visit"] = np.repeat(["v1", "v2", "v3"], catalogs.STARS)
    path = catalogs.write(tmp_path / f"cat{suffix}", columns)
    found = load(path, visits=catalogs.visits(tmp_path / f"visits{suffix}", visit=["v3", "v30", "v2", "v1"]))
    assert found.mjd is not None
    assert found.mjd.tolist() == [60000.0] * catalogs.STARS + [60001.25] * catalogs.STARS + [60002.5] * catalogs.STARS


def test_a_visit_that_is_missing_from_the_table_is_named(tmp_path: Path, bare: Path) -> None:
    """With their number."""
    path = catalogs.visits(tmp_path / "visits.csv", visit=[7, 5, 90, 8])
    assert catalogs.refusal(bare, visits=path) == f"{path}: visit 903334 of the catalog is not in it (2 visits missing)"


def test_text_visits_do_not_match_longer_ones(tmp_path: Path) -> None:
    """Visit v3 is not v30."""
    columns = {name: values for name, values in catalogs.catalog().items() if name not in ("mjd", "airmass")}
    columns["visit"] = np.repeat(["v1", "v2", "v3"], catalogs.STARS)
    path = catalogs.visits(tmp_path / "visits.csv", visit=["v30", "v0", "v2", "v1"])
    message = catalogs.refusal(catalogs.write(tmp_path / "cat.csv", columns), visits=path)
    assert message == f"{path}: visit v3 of the catalog is not in it (1 visits missing)"


def test_a_visit_that_stands_twice_in_the_table_is_refused(tmp_path: Path, bare: Path) -> None:
    """Nothing says which of the two would hold."""
    path = catalogs.visits(tmp_path / "visits.csv", visit=[1_000_000_007, 90, 90, 903334])
    assert catalogs.refusal(bare, visits=path).startswith(f"{path}, row 3: visit 90 occurs twice")


def test_a_table_without_a_useful_column_is_refused(tmp_path: Path, bare: Path) -> None:
    """The message says what was looked for and what is there."""
    path = catalogs.write(tmp_path / "visits.csv", {"expid": [1], "mjd": [2.0]})
    message = catalogs.refusal(bare, visits=path)
    assert message.startswith(f"{path}: a table of visits needs a column 'visit', and 'mjd' or 'airmass' that")
    assert message.endswith("it has expid, mjd")
    path = catalogs.write(tmp_path / "visits.csv", {"visit": [1], "seeing": [2.0]})
    assert "it has visit, seeing" in catalogs.refusal(bare, visits=path)


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"visit": ["a", "b", "c", "d"]}, id="text where the catalog has numbers"),
        pytest.param({"visit": [90.0, 903334.0, 1_000_000_007.0, np.nan]}, id="visit missing in a row"),
        pytest.param({"visit": [90.5, 903334.0, 1_000_000_007.0, 1.0]}, id="visit that is no integer"),
        pytest.param({"mjd": ["early", "late", "1", "2"]}, id="text in a number column"),
        pytest.param({"visit": [], "mjd": []}, id="no rows"),
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_broken_table_by_visit_is_refused(tmp_path: Path, bare: Path, columns: catalogs.Columns, suffix: str) -> None:
    """The message names the table."""
    path = catalogs.visits(tmp_path / f"visits{suffix}", **columns)
    assert catalogs.refusal(bare, visits=path).startswith(f"{path}: ")


def test_a_table_by_visit_that_is_not_there_is_named(tmp_path: Path, bare: Path) -> None:
    """As any other file."""
    path = tmp_path / "absent.csv"
    assert catalogs.refusal(bare, visits=path).startswith(f"{path}: ")


def test_the_unit_of_a_table_by_visit_is_heeded(tmp_path: Path, bare: Path) -> None:
    """Seconds are not days."""
    table = {"visit": [1_000_000_007, 90, 903334], "mjd": [60002.5, 60001.25, 60000.0]}
    path = catalogs.write(tmp_path / "visits.ecsv", table, {"mjd": "d"})
    assert load(bare, visits=path).mjd is not None
    path = catalogs.write(tmp_path / "seconds.ecsv", table, {"mjd": "mag"})
    assert catalogs.refusal(bare, visits=path).startswith(f"{path}: column 'mjd'")
