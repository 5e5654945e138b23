"""HATS folders."""

from __future__ import annotations

from pathlib import Path

import pytest
from skyaccept.lib.readers import hats


def test_properties_describe_a_catalog(tmp_path: Path) -> None:
    (tmp_path / "hats.properties").write_text(
        "# comment\nobs_collection = gaia\ndataproduct_type=object\nhats_nrows=12\n"
    )
    found = hats.read_description(tmp_path)
    assert found == hats.HatsCatalog("gaia", "object", 12)
    assert found.holds_rows


@pytest.mark.parametrize("kind", ["margin", "index", "association"])
def test_auxiliary_tables_hold_no_rows(tmp_path: Path, kind: str) -> None:
    (tmp_path / "catalog_info.json").write_text(f'{{"catalog_type": "{kind}", "total_rows": "many"}}')
    found = hats.read_description(tmp_path)
    assert found is not None
    assert (found.rows, found.holds_rows) == (None, False)


def test_other_folders_are_not_described(tmp_path: Path) -> None:
    assert hats.read_description(tmp_path) is None
    (tmp_path / "catalog_info.json").write_text("[")
    assert hats.read_description(tmp_path) is None
    assert not hats.is_collection(tmp_path)
    (tmp_path / "collection.properties").write_text("")
    assert hats.is_collection(tmp_path)
