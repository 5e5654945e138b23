"""Format the sensitivity matrix as text, as an HTML page and as a Markdown table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from skyaccept.lib.decision.rule import Verdict
from skyaccept.lib.report import html
from skyaccept.synthetic.sensitivity import Reaction, Table, TrialResult, clauses, trials

SIGNS: Mapping[Verdict, str] = {"pass": ".", "fail": "F", "inconclusive": "?", "not_measurable": "-", "error": "!"}
"""Sign for the worst verdict of a clause over the bands."""

LEGEND = ". passes, F fails, ? is inconclusive, - is not measurable, in the worst band"

EXPECTED: Mapping[Reaction, str] = {
    "pass": "",
    "fail": "**F**",
    "doubt": "F?",
    "near": "~",
    "lost": "-",
    "refused": "x",
}
"""Sign for an expected reaction."""


def headline(results: Sequence[TrialResult]) -> str:
    """Summarize all trials in one sentence."""
    wrong = sum(bool(result.wrong) for result in results)
    cells = sum(len(result.trial.expected) for result in results if not result.trial.refused)
    summary = f"{len(results) - wrong} of {len(results)} trials with {cells:,} clauses react as expected"
    return f"{summary}; {wrong} do not" if wrong else summary


def lines(results: Sequence[TrialResult]) -> list[str]:
    """Return the matrix as text, unexpected reactions, and the headline."""
    names = clauses()
    text_lines = [f"{'fault':22}{'strength':>15}  {' '.join(f'{name:>4}' for name in names)}"]
    for result in results:
        signs = " ".join(f"{sign(result, name):>4}" for name in names) if result.verdicts else "  refused"
        text_lines.append(f"{_name(result):22}{result.trial.strength:>15}  {signs}{'  <' if result.wrong else ''}")
    text_lines += ["", LEGEND]
    text_lines += [f"{_name(result)} {result.trial.strength}: {text}" for result in results for text in result.wrong]
    return [*text_lines, f"{headline(results)}."]


def page(found: Sequence[TrialResult], seed: int) -> str:
    """Return the matrix as a self-contained HTML page."""
    return html.render(
        "sensitivity.html",
        styles=("style.css", "sensitivity.css"),
        found=found,
        clauses=clauses(),
        headline=headline(found),
        seed=seed,
        name=_name,
        sign=sign,
        legend=LEGEND,
    )


def sign(result: TrialResult, clause: str) -> str:
    """Return the sign of a clause in a trial."""
    verdict = result.verdicts.get(clause)
    return "" if verdict is None else SIGNS[verdict]


def markdown(table: Table) -> list[str]:
    """Return the expected reactions as a Markdown table, fault by clause."""
    names = clauses()
    rows = [["fault", "all pass at", "these react at", *names, "sample summary or note"], ["---"] * (len(names) + 4)]
    with_fault = [trial for trial in trials(table) if trial.fault]
    for _, group in groupby(with_fault, key=lambda trial: trial.fault):
        *weak, strong = group
        below = weak[0].strength if weak else ""
        cells = [EXPECTED[strong.expected[name]] for name in names]
        rows.append([f"`{strong.fault}`", below, strong.strength, *cells, strong.account or strong.noted or ""])
    return [f"| {' | '.join(row)} |" for row in rows]


def _name(result: TrialResult) -> str:
    return result.trial.fault or f"none in {result.trial.survey.scenario}"
