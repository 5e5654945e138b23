"""Tables of the documentation that the program knows: ``python -m benchmarks.doc_tables``.

A page holds each table between ``<!-- table: NAME -->`` and ``<!-- end of table -->``. The command writes all tables
anew; a test fails where a page is not what it would write.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from skyaccept.fixtures.plugin import OPTIONS
from skyaccept.synthetic import scenario, sensitivity, sensitivity_report
from skyaccept.synthetic.faults import FAULTS

from benchmarks import recovery, table

ROOT = Path(__file__).resolve().parent.parent
_BLOCK = re.compile(r"(<!-- table: ([a-z ]+) -->\n).*?(\n<!-- end of table -->)", re.DOTALL)


def options() -> list[str]:
    """Options of ``skyaccept verify``, as its help describes them."""
    words = {name: f"--{name} {settings.get('metavar', '')}".strip() for name, settings in OPTIONS.items()}
    return markdown(("option", "meaning"), [(f"`{word}`", OPTIONS[name]["help"]) for name, word in words.items()])


def scenarios() -> list[str]:
    """Whole scenarios; those of single faults follow from the table of faults."""
    names = [name for name in scenario.shipped() if not name.startswith("fault-")]
    return markdown(("scenario", "survey"), [(f"`{name}`", scenario.load(name).text.strip()) for name in names])


def faults() -> list[str]:
    """Faults with their units and what they change."""
    rows = [(f"`{fault.name}`", fault.unit, fault.text, fault.expected) for fault in FAULTS.values()]
    return markdown(("fault", "unit", "what is wrong", "expected effect"), rows)


def expected_reactions() -> list[str]:
    """Sensitivity matrix, fault by clause."""
    return sensitivity_report.markdown(sensitivity.load())


def recovered() -> list[str]:
    """Coverage of whole simulated surveys, and its averages."""
    cells = _stored("recovery")
    return [*recovery.show(cells), "", *(f"- {line}" for line in recovery.sums(cells))]


def coverage() -> list[str]:
    """Coverage of the intervals by metric, and its averages."""
    return [*_coverage_tables()[0], "", *(f"- {line}" for line in list(table.sums(_stored("coverage")))[:3])]


def acceptance() -> list[str]:
    """How often a limit below the true value is met, and its averages."""
    return [*_coverage_tables()[1], "", *(f"- {line}" for line in list(table.sums(_stored("coverage")))[3:])]


TABLES: Mapping[str, Callable[[], list[str]]] = {
    "options": options,
    "scenarios": scenarios,
    "faults": faults,
    "sensitivity": expected_reactions,
    "recovery": recovered,
    "coverage": coverage,
    "acceptance": acceptance,
}
"""Lines of each table by its name in the pages."""


def markdown(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """Return a table in Markdown; bars within cells are escaped."""
    head = tuple(head)
    lines = [" | ".join(cell.replace("|", r"\|") for cell in row) for row in rows]
    return [f"| {line} |" for line in (" | ".join(head), " | ".join(["---"] * len(head)), *lines)]


def renewed(page: str) -> str:
    """Return a page with all its tables as they are now.

    Raises
    ------
    KeyError
        The page names a table that does not exist.
    """
    return _BLOCK.sub(lambda found: found[1] + "\n".join(TABLES[found[2]]()) + found[3], page)


def pages() -> list[Path]:
    """Pages of the documentation."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def names(page: str) -> list[str]:
    """Names of the tables of a page."""
    return [found[2] for found in _BLOCK.finditer(page)]


def main() -> None:
    """Write all tables anew, and name the pages that change."""
    for path in pages():
        page = path.read_text(encoding="utf-8")
        if renewed(page) != page:
            path.write_text(renewed(page), encoding="utf-8")
            sys.stdout.write(f"{path.relative_to(ROOT)}: renewed\n")


def _coverage_tables() -> list[list[str]]:
    lines = table.show(_stored("coverage"))
    return [list(group) for filled, group in groupby(lines, key=bool) if filled]


@cache
def _stored(name: str) -> dict[str, Any]:
    cells: dict[str, Any] = json.loads((ROOT / "docs" / f"{name}.json").read_text(encoding="utf-8"))
    return cells


if __name__ == "__main__":
    main()
