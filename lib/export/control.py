"""Verification control document: clauses, elements, cases, verdicts, evidence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from skyaccept.lib.report import html as pages
from skyaccept.lib.report import text
from skyaccept.lib.results.model import Result, Results
from skyaccept.lib.results.records import UncoveredRecord
from skyaccept.lib.results.sentences import summary

Status = Literal["verified", "not verified", "in verification", "not covered"]


@dataclass(frozen=True)
class VerifiedRequirement:
    """A requirement of a document, with its cases and its clauses without cases.

    ``status`` is ``verified`` if every clause is measured and met, ``not verified`` if one fails or broke,
    ``not covered`` without cases, and ``in verification`` otherwise.
    """

    name: str
    document: str
    cases: tuple[Result, ...]
    uncovered: tuple[UncoveredRecord, ...]

    @property
    def status(self) -> Status:
        """Status of the verification."""
        if not self.cases:
            return "not covered"
        if any(case.verdict in ("fail", "error") for case in self.cases):
            return "not verified"
        if all(case.satisfied for case in self.cases) and not self.uncovered:
            return "verified"
        return "in verification"


def requirements(results: Results) -> list[VerifiedRequirement]:
    """Return the requirements of results, in document order."""
    keys = [(result.requirement, result.document) for result in results.results]
    keys += [(clause["requirement"], clause["document"]) for clause in results.uncovered]
    return [
        VerifiedRequirement(
            name,
            document,
            tuple(r for r in results.results if (r.requirement, r.document) == (name, document)),
            tuple(c for c in results.uncovered if (c["requirement"], c["document"]) == (name, document)),
        )
        for name, document in dict.fromkeys(keys)
    ]


def markdown(results: Results) -> str:
    """Return the document as GitHub-flavoured Markdown."""
    said = [
        f"# Verification control document: {_escaped(results.dataset['name'])}",
        "",
        f"{text.headline(results)}.",
        "",
    ]
    said += [f"- {name}: {_escaped(str(value))}" for name, value in provenance(results)]
    for requirement in requirements(results):
        said += ["", f"## {_escaped(requirement.name)} ({_escaped(requirement.document)}): {requirement.status}", ""]
        if requirement.cases:
            head = headings(results)
            said += [_row(head), _row(["---"] * len(head))]
            said += [_row(map(_escaped, cells(case))) for case in requirement.cases]
        said += [""] * bool(requirement.cases and requirement.uncovered)
        said += [
            f"- {_escaped(clause['clause'])}: not covered: {_escaped(clause['reason'])}"
            for clause in requirement.uncovered
        ]
    return "\n".join(said) + "\n"


def html(results: Results) -> str:
    """Return the document as a self-contained HTML page."""
    return pages.render(
        "control.html",
        results=results,
        requirements=requirements(results),
        head=headings(results),
        cells=cells,
        provenance=provenance(results),
        headline=text.headline(results),
    )


def provenance(results: Results) -> list[tuple[str, object]]:
    """Return dataset and run."""
    dataset, run = results.dataset, results.run
    return [
        ("dataset", dataset["source"]),
        ("sha256", dataset["sha256"]),
        ("run", f"{run['started']}, skyaccept {run['skyaccept']}"),
        ("command", run["command"]),
    ]


def headings(results: Results) -> Sequence[str]:
    """Return the headings of the columns."""
    estimate = text.estimate_heading(results)
    return ("clause", "band", "verified by", "case", "measured", estimate, "limit", "verdict", "evidence")


def cells(result: Result) -> Sequence[str]:
    """Return the row of a case."""
    unit = text.unit(result.unit)
    limit = text.DASH if result.limit is None else f"{result.operator} {result.limit:g} {unit}"
    value = text.DASH if result.value is None else f"{text.number(result.value)} {unit}"
    return (
        result.clause,
        result.band,
        ", ".join(result.verification) or text.DASH,
        result.test,
        value,
        text.interval(result),
        limit,
        text.verdict_text(result.verdict),
        summary(result),
    )


def _row(cells: Sequence[str] | map[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(written: str) -> str:
    """Escape text for one line of Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#|&~])", r"\\\1", " ".join(written.split()))
