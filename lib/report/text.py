"""The verdict table for terminals, and how numbers are written everywhere."""

from __future__ import annotations

from skyaccept.lib.decision import Verdict
from skyaccept.lib.results import Result, Results

DASH = "\N{EN DASH}"

COLORS: dict[Verdict, str] = {
    "pass": "green",
    "fail": "red",
    "error": "red",
    "inconclusive": "yellow",
    "not_measurable": "yellow",
    "waived": "cyan",
}


def number(value: float | None, signed: bool = False) -> str:
    """Four significant digits, or a dash where there is nothing."""
    if value is None:
        return DASH
    if value == 0:
        return "0"
    return (f"{value:+#.4g}" if signed else f"{value:#.4g}").rstrip(".")


def unit(name: str) -> str:
    """Write a unit as readers expect it."""
    return "%" if name == "percent" else name


def words(verdict: str) -> str:
    """Write a verdict in words."""
    return verdict.replace("_", " ")


def headline(results: Results) -> str:
    """Count the verdicts in one sentence."""
    total = len(results.results)
    level = results.results[0].level if results.results else "design"
    parts = [f"{results.count('pass')} of {total} clauses meet the {level} level"]
    for verdict, phrase in (
        ("fail", "{} fail"),
        ("inconclusive", "{} are inconclusive"),
        ("waived", "{} are waived"),
        ("error", "{} broke"),
        ("not_measurable", "{} cannot be measured with this dataset"),
    ):
        count = sum(result.verdict == verdict for result in results.results)
        if count:
            parts.append(phrase.format(count))
    return "; ".join(parts)


def table(results: Results) -> list[tuple[str, str]]:
    """Lines of the verdict table, each with its colour ("" for none).

    One line per case, in document order, then the definitions under comparison, the reasons, and the headline.
    """
    rows: list[tuple[str, ...]] = [
        (
            "case",
            "definition",
            "measured",
            "limit",
            "margin",
            "unit",
            "design",
            "minimum",
            "stretch",
            "verdict",
        )
    ]
    colors = [""]
    for result in results.results:
        rows.append(_row(result))
        colors.append(COLORS[result.verdict])
        for name, other in result.other_definitions.items():
            rows.append(_other_row(result, name, other["levels"]))
            colors.append("")
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    right = {2, 3, 4}
    lines = []
    for row, color in zip(rows, colors, strict=True):
        cells = [c.rjust(w) if k in right else c.ljust(w) for k, (c, w) in enumerate(zip(row, widths, strict=True))]
        lines.append(("  ".join(cells).rstrip(), color))
    dataset = results.dataset
    lines.insert(0, (f"{dataset['name']}: {dataset['detections']:,} detections in {dataset['visits']} visits", ""))
    for reason in dict.fromkeys(r.reason for r in results.results if r.reason):
        tests = [r.test for r in results.results if r.reason == reason]
        lines.append((f"{', '.join(tests)}: {reason}", "yellow"))
    lines.append((headline(results), "green" if results.count("pass") == len(results.results) else "yellow"))
    return lines


def _row(result: Result) -> tuple[str, ...]:
    limit = DASH if result.limit is None else f"{result.operator} {result.limit:g}"
    levels = [words(result.levels[name].verdict) if name in result.levels else DASH for name in _LEVELS]
    return (
        result.test,
        result.definition,
        number(result.value),
        limit,
        number(result.margin, signed=True),
        unit(result.unit),
        *levels,
        words(result.verdict).upper(),
    )


def _other_row(result: Result, definition: str, levels: dict[str, dict[str, object]]) -> tuple[str, ...]:
    value = levels.get(result.level, {}).get("value")
    verdicts = [words(str(levels[name]["verdict"])) if name in levels else DASH for name in _LEVELS]
    measured = number(value if isinstance(value, float) else None)
    return ("", definition, measured, "", "", unit(result.unit) if value is not None else "", *verdicts, "")


_LEVELS = ("design", "minimum", "stretch")
