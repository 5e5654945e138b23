"""Tests that the generated tables of the documentation are up to date."""

from collections import Counter
from pathlib import Path

import pytest
from skyaccept.fixtures.plugin import OPTIONS

from benchmarks import doc_tables


@pytest.mark.parametrize("path", doc_tables.find_pages(), ids=lambda path: path.name)
def test_tables_of_pages_are_up_to_date(path: Path) -> None:
    page = path.read_text(encoding="utf-8")
    assert doc_tables.update_tables(page) == page, f"{path.name} is out of date: run 'make docs-tables'"
    assert page.count("<!-- table: ") == page.count("<!-- end of table -->") == len(doc_tables.table_names(page))


def test_every_table_appears_in_exactly_one_page() -> None:
    counts = Counter(
        name for path in doc_tables.find_pages() for name in doc_tables.table_names(path.read_text(encoding="utf-8"))
    )
    assert counts == Counter(list(doc_tables.TABLES))


def test_outdated_table_is_replaced() -> None:
    page = "before\n<!-- table: options -->\n| old |\n<!-- end of table -->\nafter\n"
    lines = doc_tables.update_tables(page).splitlines()
    assert lines[:3] == ["before", "<!-- table: options -->", "| option | meaning |"]
    assert len(lines) == len(OPTIONS) + 6
    assert lines[-2:] == ["<!-- end of table -->", "after"]
    with pytest.raises(KeyError, match="nothing"):
        doc_tables.update_tables(page.replace("options", "nothing"))


def test_bars_in_cells_are_escaped() -> None:
    assert doc_tables.markdown(["a"], [["x|y"]]) == ["| a |", "| --- |", r"| x\|y |"]


def test_help_lists_every_reference_profile() -> None:
    shipped = {path.stem for path in (doc_tables.ROOT / "lib" / "readers" / "references").glob("*.yaml")}
    assert shipped <= set(OPTIONS["reference-survey"]["help"].replace(",", "").split())
