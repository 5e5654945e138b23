"""The glossary, the results schema and the labels of the report name the same things."""

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


def terms() -> list[str]:
    """Terms of the glossary in its order."""
    return re.findall(r"^- \*\*(.+?)\*\*", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def names(column: int) -> list[tuple[str, str]]:
    """Names in a column of the table of the glossary, each with its term."""
    rows = [line.strip("| \n").split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    cells = [[cell.strip() for cell in row] + ["", ""] for row in rows[2:]]
    return [(name.strip("` "), row[0]) for row in cells for name in row[column].split("; ") if name]


def is_term(name: str, column: int) -> bool:
    """Whether a label or key is a term, in the singular or plural, or stands in the table."""
    word = name.lower().replace("_", " ").removesuffix("s")
    return word in {term.removesuffix("s") for term in terms()} or name in dict(names(column))


@cache
def keys() -> frozenset[str]:
    """Names of all properties in the schema of the results."""

    def walk(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            properties = node.get("properties", {})
            yield from properties
            yield from (key for one in (*properties.values(), *node.values()) for key in walk(one))
        elif isinstance(node, list):
            yield from (key for one in node for key in walk(one))

    return frozenset(walk(json.loads(SCHEMA.read_text(encoding="utf-8"))))


def plain(label: str) -> str:
    """Label without what is filled in, tags, numbers and units."""
    filled_in = r"\{\{.*?\}\}|\{%.*?%\}|<select.*?</select>|<.*?>| \(.*?\)|\b\d[\d,.]*|%"
    return re.sub(filled_in, " ", label, flags=re.DOTALL)


@cache
def labels() -> frozenset[str]:
    """Headings and labels of the pages, the plots and the verdict table."""
    templates = (ROOT / "lib" / "report" / "templates").glob("*.html")
    found = [
        label
        for path in templates
        for _, label in re.findall(rf"<({LABELLED})\b[^>]*>(.*?)</\1>", path.read_text(encoding="utf-8"), re.DOTALL)
    ]
    run = model.load(baselines.shipped()["nominal"])
    found += [name for kind in text.NOTES for name in text.headings(kind, text.estimate_heading(run))]
    found += control.headings(run)
    page = html.page(run)
    found += re.findall(r'<text class="title"[^>]*>(.*?)</text>', page)
    found += re.findall(r'<text class="tick"[^>]*rotate[^>]*>(.*?)</text>', page)
    return frozenset(name for label in found if (name := " ".join(plain(label).split()).strip(" :;.,")))


def test_terms_stand_in_alphabetical_order_once() -> None:
    assert terms() == sorted(set(terms()), key=str.lower)


def test_each_term_is_defined_in_one_sentence() -> None:
    entries = PAGE.read_text(encoding="utf-8").partition("\n## Where")[0].split("\n- ")[1:]
    assert len(entries) == len(terms())
    for entry in entries:
        words = " ".join(entry.split())
        assert re.fullmatch(r"\*\*[^*]+\*\*: [^*]+\.", words), entry
        assert ". " not in words, entry


def test_every_label_of_the_report_has_a_term() -> None:
    lacking = sorted(label for label in labels() if not is_term(label, 1))
    assert not lacking, f"add terms to {PAGE.name}, or the labels to its table"


def test_every_key_of_the_results_has_a_term() -> None:
    lacking = sorted(key for key in keys() if not is_term(key, 2))
    assert not lacking, f"add terms to {PAGE.name}, or the keys to its table"


def test_the_table_holds_terms_and_names_in_use_once() -> None:
    for column, used in ((1, labels()), (2, keys())):
        listed = names(column)
        assert [name for name, number in Counter(name for name, _ in listed).items() if number > 1] == []
        assert [term for _, term in listed if term not in (*terms(), PLAIN)] == []
        assert [name for name, _ in listed if name not in used] == []
