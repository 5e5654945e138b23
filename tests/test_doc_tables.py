"""The generated tables of the documentation are those of the program."""

from collections import Counter
from pathlib import Path

import pytest
from skyaccept.fixtures.plugin import OPTIONS

from benchmarks import doc_tables


@pytest.mark.parametrize("path", doc_tables.pages(), ids=lambda path: path.name)
def test_pages_are_what_make_docs_tables_would_write(path: Path) -> None:
    page = path.read_text(encoding="utf-8")
    assert doc_tables.renewed(page) == page, f"{path.name} is out of date: run 'make docs-tables'"
    assert page.count("<!-- table: ") == page.count("<!-- end of table -->") == len(doc_tables.names(page))


def test_every_table_stands_in_one_page() -> None:
    found = Counter(name for path in doc_tables.pages() for name in doc_tables.names(path.read_text(encoding="utf-8")))
    assert found == Counter(list(doc_tables.TABLES))


def test_a_table_that_is_out_of_date_is_renewed() -> None:
    page = "before\n<!-- table: options -->\n| old |\n<!-- end of table -->\nafter\n"
    lines = doc_tables.renewed(page).splitlines()
    assert lines[:3] == ["before", "<!-- table: options -->", "| option | meaning |"]
    assert len(lines) == len(OPTIONS) + 6
    assert lines[-2:] == ["<!-- end of table -->", "after"]
    with pytest.raises(KeyError, match="nothing"):
        doc_tables.renewed(page.replace("options", "nothing"))


def test_bars_in_cells_are_escaped() -> None:
    assert doc_tables.markdown(["a"], [["x|y"]]) == ["| a |", "| --- |", r"| x\|y |"]


def test_the_help_names_every_profile_of_a_reference_catalog() -> None:
    shipped = {path.stem for path in (doc_tables.ROOT / "lib" / "readers" / "references").glob("*.yaml")}
    assert shipped <= set(OPTIONS["reference-survey"]["help"].replace(",", "").split())
