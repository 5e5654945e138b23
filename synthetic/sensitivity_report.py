"""Sensitivity matrix as text, as an HTML page and as a Markdown table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from skyaccept.lib.decision.rule import Verdict
from skyaccept.lib.report import html
from skyaccept.synthetic.sensitivity import Found, Reaction, Table, clauses, trials

SIGNS: Mapping[Verdict, str] = {"pass": ".", "fail": "F", "inconclusive": "?", "not_measurable": "-", "error": "!"}
"""What stands for the worst verdict of a clause in the bands that were tried."""

LEGEND = ". passes, F fails, ? is inconclusive, - cannot be measured, in the worst band"

EXPECTED: Mapping[Reaction, str] = {
    "pass": "",
    "fail": "**F**",
    "doubt": "F?",
    "near": "~",
    "lost": "-",
    "refused": "x",
}
"""What stands for a reaction."""


def headline(found: Sequence[Found]) -> str:
    """Say in one sentence what came of all trials."""
    wrong = sum(bool(one.wrong) for one in found)
    cells = sum(len(one.trial.expected) for one in found if not one.trial.refused)
    said = f"{len(found) - wrong} of {len(found)} trials with {cells:,} clauses react as expected"
    return f"{said}; {wrong} do not" if wrong else said


def lines(found: Sequence[Found]) -> list[str]:
    """Matrix as text, what is wrong, and the headline."""
    names = clauses()
    said = [f"{'fault':22}{'strength':>15}  {' '.join(f'{name:>4}' for name in names)}"]
    for one in found:
        signs = " ".join(f"{sign(one, name):>4}" for name in names) if one.verdicts else "  refused"
        said.append(f"{_name(one):22}{one.trial.strength:>15}  {signs}{'  <' if one.wrong else ''}")
    said += ["", LEGEND]
    said += [f"{_name(one)} {one.trial.strength}: {text}" for one in found for text in one.wrong]
    return [*said, f"{headline(found)}."]


def page(found: Sequence[Found], seed: int) -> str:
    """Matrix as one HTML page that needs nothing else."""
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


def sign(found: Found, clause: str) -> str:
    """What stands for a clause in a trial."""
    verdict = found.verdicts.get(clause)
    return "" if verdict is None else SIGNS[verdict]


def markdown(table: Table) -> list[str]:
    """Expected reactions, fault by clause."""
    names = clauses()
    rows = [["fault", "all pass at", "these react at", *names, "sample summary or note"], ["---"] * (len(names) + 4)]
    tried = [trial for trial in trials(table) if trial.fault]
    for _, group in groupby(tried, key=lambda trial: trial.fault):
        *mild, strong = group
        below = mild[0].strength if mild else ""
        cells = [EXPECTED[strong.expected[name]] for name in names]
        rows.append([f"`{strong.fault}`", below, strong.strength, *cells, strong.account or strong.noted or ""])
    return [f"| {' | '.join(row)} |" for row in rows]


def _name(found: Found) -> str:
    return found.trial.fault or f"none in {found.trial.survey.scenario}"
