"""Sentences about a result, for terminals, reports and exports."""

from __future__ import annotations

from collections.abc import Iterable

from skyaccept.lib.decision.rule import format_probability
from skyaccept.lib.results.model import Result
from skyaccept.lib.terminal_text import safe

_COORDINATES = {
    "ra": "RA cos(Dec)",
    "dec": "Dec",
    "total": "total",
}
_GROUP_NOUNS = {"sky": "region"}


def summary(result: Result) -> str:
    """Return the verdict as a sentence: value, sample, limit and margin.

    It is safe for a terminal.
    """
    if result.value is None or result.sample is None:
        return safe(f"{result.test}: {str(result.verdict).replace('_', ' ')}: {result.reason}")
    unit = "%" if result.unit == "percent" else f" {result.unit}".rstrip()
    limits = result.levels[result.level].parameters if result.level in result.levels else {}
    thresholds = "".join(f", {name} = {value}" for name, value in limits.items())
    parameters = ", ".join(f"{name} {value}" for name, value in result.parameters.items())
    coordinates = ", ".join(f"{_COORDINATES.get(name, name)} {value:.4g}" for name, value in result.coordinates.items())
    text = f"{result.test}: {result.title}"
    text += f" ({parameters})" if parameters else ""
    text += f" is {result.value:.4g}{unit}"
    text += f" ({coordinates})" if coordinates else ""
    text += f" on {sample_text(result)} ({result.definition}{thresholds})"
    if result.limit is not None:
        limit = f"{result.operator} {result.limit:g}{unit}"
        if result.margin is not None:
            text += f"; the {result.level} limit is {limit}{_comparison(result, unit)}"
        else:
            text += f"; the {result.level} target is {limit}, and the capability to measure it is what is required"
    return safe(text + worst_groups(result) + _waiver(result))


def sample_text(result: Result) -> str:
    """Return the size of the sample in words; "" without a sample."""
    sample = result.sample
    if sample is None:
        return ""
    number = f"{sample.pairs:,} pairs" if sample.pairs else f"{sample.measurements:,} measurements"
    return f"{number} of {sample.objects:,} objects in {sample.visits} visits"


def worst_groups(result: Result) -> str:
    """Name the worst visit, detector or region of a clause that does not pass.

    "" without a breakdown.
    """
    breakdown = result.data.get("breakdown", {})
    if result.verdict not in ("fail", "inconclusive", "waived") or not breakdown:
        return ""
    nouns = {key: _GROUP_NOUNS.get(key, key) for key in breakdown}
    worst = []
    for key, noun in nouns.items():
        record = breakdown[key]
        group = next((group for group in record["cells"] if group["name"] == record["worst"]), None)
        if group is not None:
            n, total = record["departing"], record["count"]
            count = f"{n} of {total} {noun}s {'is an outlier' if n == 1 else 'are outliers'}"
            worst.append(f"{noun} {group['name']}, {group['ratio']:.2g} times the rest ({count})")
    if worst:
        return f"; worst: {'; '.join(worst)}"
    tested = [noun for key, noun in nouns.items() if breakdown[key]["judged"]]
    if not tested:
        return f"; too few measurements to tell {join_words([f'{noun}s' for noun in nouns.values()], 'or')} apart"
    return f"; no outlying {join_words(tested, 'or')}"


def join_words(words: Iterable[str], conjunction: str) -> str:
    """Join words to a list in a sentence, with the conjunction before the last one."""
    items = list(words)
    return f" {conjunction} ".join(filter(None, (", ".join(items[:-1]), *items[-1:])))


def _comparison(result: Result, unit: str) -> str:
    """Outcome of the comparison with the limit."""
    verdict, decision = result.levels[result.level].verdict, result.decision
    text = ""
    if decision is not None and decision["bound"] is not None:
        text = f" and the bound at a risk of {decision['risk']:g} is {decision['bound']:.4g}{unit}: {verdict}, "
        probability = format_probability(decision["conformance"] or 0.0)
        text += decision["reason"] or f"the true value meets the limit with a probability of {probability}"
    elif verdict == "inconclusive" and decision is not None:
        text = f": inconclusive, {decision['reason']}"
    elif result.measured:
        text = f", {'met with' if verdict == 'pass' else 'missed by'} {abs(result.margin or 0.0):.3g}{unit}"
    return text + (f"; {decision['note']}" if decision is not None and decision["note"] else "")


def _waiver(result: Result) -> str:
    if result.waiver is None:
        return ""
    by = f"{result.waiver['who']} until {result.waiver['expiry']}: {result.waiver['reason']}"
    return f"; waived by {by}" if result.verdict == "waived" else f"; it passes, so the waiver has to go, by {by}"
