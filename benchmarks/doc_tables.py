"""Generate the tables of the documentation: ``python -m benchmarks.doc_tables``.

Each table of a page is enclosed by ``<!-- table: NAME -->`` and ``<!-- end of table -->``. The command replaces all
tables. A test fails if a page is out of date.
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


def option_table() -> list[str]:
    """Return the options of ``skyaccept verify`` with their help texts."""
    labels = {option: f"--{option} {settings.get('metavar', '')}".strip() for option, settings in OPTIONS.items()}
    return markdown(("option", "meaning"), [(f"`{word}`", OPTIONS[option]["help"]) for option, word in labels.items()])


def scenario_table() -> list[str]:
    """Return the shipped scenarios, without those of single faults.

    The table of faults covers these.
    """
    names = [name for name in scenario.shipped() if not name.startswith("fault-")]
    return markdown(("scenario", "survey"), [(f"`{name}`", scenario.load(name).text.strip()) for name in names])


def fault_table() -> list[str]:
    """Return the faults with their units and expected effects."""
    rows = [(f"`{fault.name}`", fault.unit, fault.text, fault.expected) for fault in FAULTS.values()]
    return markdown(("fault", "unit", "what is wrong", "expected effect"), rows)


def sensitivity_table() -> list[str]:
    """Return the sensitivity matrix, fault by clause."""
    return sensitivity_report.markdown(sensitivity.load())


def recovery_tables() -> list[str]:
    """Return the coverage in complete simulated surveys, and averages."""
    cells = _load_results("recovery")
    return [*recovery.coverage_table(cells), "", *(f"- {line}" for line in recovery.average_lines(cells))]


def coverage_tables() -> list[str]:
    """Return the coverage of the intervals by metric, and averages."""
    return [*_split_coverage_tables()[0], "", *(f"- {line}" for line in _coverage_summary()[:3])]


def acceptance_tables() -> list[str]:
    """Return how often a limit below the true value is passed, and averages."""
    return [*_split_coverage_tables()[1], "", *(f"- {line}" for line in _coverage_summary()[3:])]


TABLES: Mapping[str, Callable[[], list[str]]] = {
    "options": option_table,
    "scenarios": scenario_table,
    "faults": fault_table,
    "sensitivity": sensitivity_table,
    "recovery": recovery_tables,
    "coverage": coverage_tables,
    "acceptance": acceptance_tables,
}
"""Function that returns the lines of each table, by the table's name in the pages."""


def markdown(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """Format a table in Markdown; bars within cells are escaped."""
    head = tuple(head)
    lines = [" | ".join(cell.replace("|", r"\|") for cell in row) for row in rows]
    return [f"| {line} |" for line in (" | ".join(head), " | ".join(["---"] * len(head)), *lines)]


def update_tables(page: str) -> str:
    """Return a page with all its tables brought up to date.

    Raises
    ------
    KeyError
        The page names a table that does not exist.
    """
    return _BLOCK.sub(lambda match: match[1] + "\n".join(TABLES[match[2]]()) + match[3], page)


def find_pages() -> list[Path]:
    """Return the paths of the README and all documentation pages."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def table_names(page: str) -> list[str]:
    """Return the names of the tables of a page."""
    return [match[2] for match in _BLOCK.finditer(page)]


def main() -> None:
    """Update the tables of all pages and print the pages that changed."""
    for path in find_pages():
        page = path.read_text(encoding="utf-8")
        if update_tables(page) != page:
            path.write_text(update_tables(page), encoding="utf-8")
            sys.stdout.write(f"{path.relative_to(ROOT)}: updated\n")


def _split_coverage_tables() -> list[list[str]]:
    lines = table.coverage_tables(_load_results("coverage"))
    return [list(group) for filled, group in groupby(lines, key=bool) if filled]


def _coverage_summary() -> list[str]:
    return list(table.summary_lines(_load_results("coverage")))


@cache
def _load_results(name: str) -> dict[str, Any]:
    cells: dict[str, Any] = json.loads((ROOT / "docs" / f"{name}.json").read_text(encoding="utf-8"))
    return cells


if __name__ == "__main__":
    main()
