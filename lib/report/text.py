"""Verdict table for terminals, and the format of numbers and units."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from skyaccept.lib.decision.rule import Verdict, format_probability
from skyaccept.lib.report import text_bar
from skyaccept.lib.results.comparison import PAIRED
from skyaccept.lib.results.model import Result, Results
from skyaccept.lib.results.records import LevelRecord
from skyaccept.lib.results.sentences import join_words, sample_text

DASH = "\N{EN DASH}"

COLORS: dict[Verdict | None, str] = {
    None: "",
    "pass": "green",
    "fail": "red",
    "error": "red",
    "inconclusive": "yellow",
    "not_measurable": "yellow",
    "waived": "cyan",
}


FLAGS = {
    "worse": "red",
    "changed": "red",
    "gone": "red",
    "better": "green",
    "new": "",
    "not_comparable": "yellow",
    "same": "",
}
"""Colour of each kind of change since the baseline."""


def number(value: float | None, *, signed: bool = False) -> str:
    """Return four significant digits, or a dash for None."""
    if value is None:
        return DASH
    if value == 0:
        return "0"
    return (f"{value:+#.4g}" if signed else f"{value:#.4g}").rstrip(".")


def unit(name: str) -> str:
    """Return the sign of a unit."""
    return "%" if name == "percent" else name


def estimate_heading(results: Results) -> str:
    """Return the heading of the estimates, with a common confidence."""
    confidences = {result.interval["confidence"] for result in results.results if result.interval is not None}
    return f"estimate ({100 * confidences.pop():g} % CI)" if len(confidences) == 1 else "estimate (CI)"


def interval(result: Result) -> str:
    """Return the estimate with its confidence interval; a dash without one."""
    if result.interval is None:
        return DASH
    return f"{number(result.value_unbiased)} ({number(result.interval['low'])} to {number(result.interval['high'])})"


def verdict_text(verdict: str | None) -> str:
    """Return a verdict in words; "measured" for None."""
    return "measured" if verdict is None else verdict.replace("_", " ")


def headline(results: Results) -> str:
    """Count the verdicts of each kind of requirement in one sentence."""
    incomplete = results.run.get("incomplete")
    parts = [f"incomplete: {incomplete['recorded']} of {incomplete['selected']} cases were run"] if incomplete else []
    for kind, phrase in (
        ("performance", "{} of {} clauses meet the {} level"),
        ("capability", "{} of {} capabilities are shown"),
        ("diagnostic", "{} of {} diagnostics are measured"),
    ):
        found = results.of_kind(kind)
        if found:
            parts.append(phrase.format(sum(r.satisfied for r in found), len(found), found[0].level))
            parts += _others(found)
    return "; ".join(parts) or "nothing was verified"


def _others(found: Sequence[Result]) -> list[str]:
    """Return the counts of the other verdicts."""
    parts = []
    for verdict, phrase in (
        ("fail", "{} fail"),
        ("inconclusive", "{} are inconclusive"),
        ("waived", "{} are waived"),
        ("error", "{} broke"),
        ("not_measurable", "{} cannot be measured with this dataset"),
    ):
        count = sum(result.verdict == verdict for result in found)
        if count:
            why = (
                _frequent_reasons([r.reason or "" for r in found if r.verdict == verdict])
                if verdict == "not_measurable"
                else ""
            )
            parts.append(phrase.format(count) + why)
    idle = sum(result.verdict == "pass" and result.waiver is not None for result in found)
    return [*parts, f"{idle} pass, and the waiver has to go"] if idle else parts


def _frequent_reasons(reasons: Sequence[str]) -> str:
    """Return the most frequent reasons.

    Reasons that differ only in a band or a number are one.
    """
    groups: dict[str, list[str]] = {}
    for reason in reasons:
        said = reason.partition(";")[0]
        groups.setdefault(re.sub(r"\d[\d.,]*", "", re.sub(r"\bband \w+", "band", said)), []).append(said)
    ordered = sorted(groups.values(), key=len, reverse=True)
    parts = []
    for group in ordered[:_REASONS]:
        bands = join_words(dict.fromkeys(band for said in group for band in re.findall(r"\bband (\w+)", said)), "or")
        count = f"{len(group)}, " if len(ordered) > 1 else ""
        parts.append(count + re.sub(r"\bband \w+", f"band {bands}", group[0], count=1))
    rest = sum(map(len, ordered[_REASONS:]))
    return f" because {'; '.join(parts)}" + (f"; {rest} for other reasons" if rest else "")


def table(results: Results, width: int | None = None) -> list[tuple[str, str]]:
    """Return the lines of the verdict table with colours.

    With bars if ``width`` allows.

    The order is: selection and notes on the data; a table for each kind of requirement with a line per case, in
    document order, and one per compared definition; reasons; clauses that are not covered; notes on the documents;
    cases without a result; headline.
    """
    dataset = results.dataset
    lines = [(f"{dataset['name']}: {dataset['detections']:,} detections in {dataset['visits']} visits", "")]
    lines += [(said, "") for said in selection(results)]
    lines += [(f"note on the data: {note}", "yellow") for note in dataset.get("notes", ())]
    for kind, note in NOTES.items():
        found = results.of_kind(kind)
        if found:
            lines += [(note, "")] if note else []
            lines += _rows(found, headings(kind, estimate_heading(results)), kind, width)
    for reason in dict.fromkeys(r.reason for r in results.results if r.reason):
        tests = [r.test for r in results.results if r.reason == reason]
        lines.append((f"{', '.join(tests)}: {reason}", "yellow"))
    lines += [(f"{r.test}: {words}", "yellow") for r in results.results for words in remarks(r)]
    for requirement, group in groupby(results.uncovered, key=itemgetter("requirement")):
        clauses = ", ".join(clause["clause"] for clause in group)
        lines.append((f"{requirement}: not covered by this version, see skyaccept specs: {clauses}", ""))
    for requirement, notes in groupby(results.notes, key=itemgetter("requirement")):
        said = list(notes)
        lines += [(f"{requirement}: {note['clause']}: {note['text']}", "yellow") for note in said if note["clause"]]
        others = sum(not note["clause"] for note in said)
        if others:
            lines.append((f"{requirement}: notes on the document, see skyaccept specs: {others}", ""))
    lines += [(said, "red") for said in not_run(results, _NAMED)]
    good = all(result.satisfied for result in results.results) and not results.run.get("incomplete")
    lines.append((headline(results), "green" if good else "yellow"))
    return lines


def selection(results: Results) -> list[str]:
    """Return a sentence on the selected cases, unless all were or it is unknown."""
    chosen = results.run.get("selection")
    if not chosen or chosen["selected"] == chosen["cases"]:
        return []
    by = f" ({', '.join(chosen['options'])})" if chosen["options"] else ""
    return [f"{chosen['selected']} of {chosen['cases']} cases of the documents were selected{by}"]


def not_run(results: Results, named: int | None = None) -> list[str]:
    """Return a sentence that names selected cases without a result, if any."""
    incomplete = results.run.get("incomplete")
    if not incomplete:
        return []
    missing = incomplete["missing"]
    rest = len(missing) - len(missing[:named])
    names = ", ".join(missing[:named]) + (f" and {rest} more" if rest else "")
    return [f"selected, but without a result ({incomplete['reason']}): {names}"]


def changes(results: Results) -> list[tuple[str, str]]:
    """Return coloured lines on changes since the baseline; none without one."""
    if results.baseline is None:
        return []
    found = results.baseline["changes"]
    lines = [(f"{results.baseline['source']}: {results.baseline['dataset']['name']}", "")]
    lines += [
        (f"{change['test']}: {verdict_text(change['flag'])}: {difference(change)}", FLAGS[change["flag"]])
        for change in found
        if change["flag"] != "same"
    ]
    return [*lines, (count_flags(change["flag"] for change in found), "")]


def count_flags(flags: Iterable[str]) -> str:
    """Count the changes of each kind."""
    found = Counter(flags)
    return ", ".join(f"{found[flag]} {verdict_text(flag)}" for flag in FLAGS if found[flag]) or "nothing to compare"


def difference(change: Mapping[str, Any]) -> str:
    """Return the values before and now, and the difference of the estimates."""
    said = f"{number(change['before'])} before, {number(change['after'])} {unit(change['unit'])} now"
    if change["low"] is not None:
        ends = f"{number(change['low'], signed=True)} to {number(change['high'], signed=True)}"
        pairing = change.get("pairing") or PAIRED[change["paired"]]
        said += f"; difference {number(change['difference'], signed=True)} ({ends}), {pairing}"
    return f"{said}; {change['reason']}" if change["reason"] else said


def remarks(result: Result) -> list[str]:
    """Return remarks on a verdict: the effect of bias, and a waiver."""
    found = [result.decision["note"]] if result.decision and result.decision["note"] else []
    waiver = result.waiver
    if waiver is not None:
        by = f"by {waiver['who']} until {waiver['expiry']}: {waiver['reason']}"
        found.append(f"waived {by}" if result.verdict == "waived" else f"it passes, so the waiver has to go, {by}")
    return found


def conformance_text(result: Result) -> str:
    """Return the conformance probability as text; "" without one."""
    known = result.decision["conformance"] if result.decision else None
    return "" if known is None else format_probability(known)


def _rows(found: Sequence[Result], headings: tuple[str, ...], kind: str, width: int | None) -> list[tuple[str, str]]:
    """Return the table of the results of one kind, with the headings of its columns."""
    rows: list[tuple[str, ...]] = [headings]
    colors = [""]
    bars = [text_bar.HEADING if kind == "performance" else ""]
    for result in found:
        bars.append(text_bar.draw(result) if kind == "performance" else "")
        rows.append(_row(result) if kind == "performance" else _row_without_limit(result))
        colors.append(COLORS[result.verdict])
        for name, other in result.other_definitions.items():
            cells = _other_row(result, name, other["levels"])
            rows.append(cells if kind == "performance" else (*cells[:4], "", cells[6], "", cells[-1]))
            colors.append("")
            bars.append("")
    if kind == "performance":  # leave out empty columns
        empty = {name for k, name in enumerate(headings) if name in _OPTIONAL and not any(r[k] for r in rows[1:])}
        rows = [tuple(c for name, c in zip(headings, row, strict=True) if name not in empty) for row in rows]
        headings = rows[0]
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    room = width is not None and sum(widths) + 2 * len(widths) + text_bar.WIDTH <= width
    lines = []
    for row, color, drawn in zip(rows, colors, bars, strict=True):
        padded = [
            c.rjust(w) if headings[k].partition(" ")[0] in _NUMBERS else c.ljust(w)
            for k, (c, w) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(("  ".join([*padded, drawn] if room else padded).rstrip(), color))
    return lines


def headings(kind: str, estimate: str) -> tuple[str, ...]:
    """Return the headings of the table of one kind of requirement."""
    return ("case", "definition", "measured", estimate, *_AFTER_ESTIMATE[kind])


def _row(result: Result) -> tuple[str, ...]:
    limit = DASH if result.limit is None else f"{result.operator} {result.limit:g}"
    levels = [verdict_text(result.levels[name].verdict) if name in result.levels else DASH for name in _LEVELS]
    return (
        result.test,
        result.definition,
        number(result.value),
        interval(result),
        limit,
        conformance_text(result),
        unit(result.unit),
        *levels,
        verdict_text(result.verdict).upper(),
    )


def _row_without_limit(result: Result) -> tuple[str, ...]:
    target = DASH if result.limit is None else f"{result.operator} {result.limit:g}"
    verdict = verdict_text(result.verdict).upper() if result.verdict else verdict_text(None)
    return (
        result.test,
        result.definition,
        number(result.value),
        interval(result),
        *((target,) if result.kind == "capability" else ()),
        unit(result.unit),
        sample_text(result) if result.value is not None else "",
        verdict,
    )


def _other_row(result: Result, definition: str, levels: Mapping[str, LevelRecord]) -> tuple[str, ...]:
    value = levels[result.level]["value"] if result.level in levels else None
    verdicts = [verdict_text(str(levels[name]["verdict"])) if name in levels else DASH for name in _LEVELS]
    measured = number(value)
    return ("", definition, measured, "", "", "", unit(result.unit) if value is not None else "", *verdicts, "")


_REASONS = 2  # given in a headline
_NAMED = 10  # cases without a result, named on a terminal

_LEVELS = ("design", "minimum", "stretch")

NOTES = {
    "performance": "",
    "capability": "Capabilities: required is that the quantity can be measured; the targets decide nothing.",
    "diagnostic": "Diagnostics: measurements without a limit and without a verdict.",
}
"""Kinds of requirement in order of display, with an explanation."""

_AFTER_ESTIMATE = {
    "performance": ("limit", "P(conform)", "unit", *_LEVELS, "verdict"),
    "capability": ("target", "unit", "sample", "verdict"),
    "diagnostic": ("unit", "sample", "verdict"),
}

_NUMBERS = {"measured", "estimate", "limit", "P(conform)", "target"}
_OPTIONAL = {"P(conform)"}
