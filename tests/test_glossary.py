"""Tests that glossary, results schema and report labels use the same terms."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from skyaccept.lib.export import control
from skyaccept.lib.report import html, text
from skyaccept.lib.results import model
from skyaccept.synthetic import baselines

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "glossary.md"
SCHEMA = ROOT / "lib" / "results" / "schema.json"
LABELLED = "th|dt|h1|h2|h3|label"
PLAIN = "plain words"


def glossary_terms() -> list[str]:
    """Return the terms in the order of the glossary."""
    return re.findall(r"^- \*\*(.+?)\*\*", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def listed_names(column: int) -> list[tuple[str, str]]:
    """Return the names in a column of the glossary's table, each with its term."""
    rows = [line.strip("| \n").split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    cells = [[cell.strip() for cell in row] + ["", ""] for row in rows[2:]]
    return [(name.strip("` "), row[0]) for row in cells for name in row[column].split("; ") if name]


def is_explained(name: str, column: int) -> bool:
    """Return whether a label or key is a term (singular or plural) or is listed in the table."""
    word = name.lower().replace("_", " ").removesuffix("s")
    return word in {term.removesuffix("s") for term in glossary_terms()} or name in dict(listed_names(column))


@cache
def schema_keys() -> frozenset[str]:
    """Return the names of all properties in the results schema."""

    def walk(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            properties = node.get("properties", {})
            yield from properties
            yield from (key for child in (*properties.values(), *node.values()) for key in walk(child))
        elif isinstance(node, list):
            yield from (key for child in node for key in walk(child))

    return frozenset(walk(json.loads(SCHEMA.read_text(encoding="utf-8"))))


def strip_label(label: str) -> str:
    """Remove template fields, tags, numbers and units from a label."""
    filled_in = r"\{\{.*?\}\}|\{%.*?%\}|<select.*?</select>|<.*?>| \(.*?\)|\b\d[\d,.]*|%"
    return re.sub(filled_in, " ", label, flags=re.DOTALL)


@cache
def report_labels() -> frozenset[str]:
    """Return the headings and labels of all pages, plots and the verdict table."""
    templates = (ROOT / "lib" / "report" / "templates").glob("*.html")
    labels = [
        label
        for path in templates
        for _, label in re.findall(rf"<({LABELLED})\b[^>]*>(.*?)</\1>", path.read_text(encoding="utf-8"), re.DOTALL)
    ]
    run = model.load(baselines.shipped()["nominal"])
    labels += [name for kind in text.NOTES for name in text.headings(kind, text.estimate_heading(run))]
    labels += control.headings(run)
    page = html.page(run)
    labels += re.findall(r'<text class="title"[^>]*>(.*?)</text>', page)
    labels += re.findall(r'<text class="tick"[^>]*rotate[^>]*>(.*?)</text>', page)
    return frozenset(name for label in labels if (name := " ".join(strip_label(label).split()).strip(" :;.,")))


def test_terms_are_unique_and_in_alphabetical_order() -> None:
    assert glossary_terms() == sorted(set(glossary_terms()), key=str.lower)


def test_each_term_is_defined_in_one_sentence() -> None:
    entries = PAGE.read_text(encoding="utf-8").partition("\n## Where")[0].split("\n- ")[1:]
    assert len(entries) == len(glossary_terms())
    for entry in entries:
        text = " ".join(entry.split())
        assert re.fullmatch(r"\*\*[^*]+\*\*: [^*]+\.", text), entry
        assert ". " not in text, entry


def test_every_report_label_has_a_term() -> None:
    lacking = sorted(label for label in report_labels() if not is_explained(label, 1))
    assert not lacking, f"add terms to {PAGE.name}, or the labels to its table"


def test_every_results_key_has_a_term() -> None:
    lacking = sorted(key for key in schema_keys() if not is_explained(key, 2))
    assert not lacking, f"add terms to {PAGE.name}, or the keys to its table"


def test_table_lists_each_term_and_name_in_use_once() -> None:
    for column, used in ((1, report_labels()), (2, schema_keys())):
        listed = listed_names(column)
        assert [name for name, number in Counter(name for name, _ in listed).items() if number > 1] == []
        assert [term for _, term in listed if term not in (*glossary_terms(), PLAIN)] == []
        assert [name for name, _ in listed if name not in used] == []
