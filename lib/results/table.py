"""Results as a long table: one row for each clause, band and level."""

from __future__ import annotations

from typing import Any

from skyaccept.lib.decision import rule
from skyaccept.lib.results.model import LevelResult, Result, Results
from skyaccept.lib.results.records import interval_ends

COLUMNS = {
    "requirement": str,
    "clause": str,
    "band": str,
    "document": str,
    "kind": str,
    "metric": str,
    "definition": str,
    "test": str,
    "level": str,
    "deciding": bool,
    "verdict": str,
    "unit": str,
    "value": float,
    "value_unbiased": float,
    "low": float,
    "high": float,
    "confidence": float,
    "operator": str,
    "limit": float,
    "margin": float,
    "conformance": float,
    "thresholds": str,
    "objects": int,
    "visits": int,
    "pairs": int,
    "measurements": int,
    "verification": str,
    "waived_by": str,
    "reason": str,
}
"""Columns and their types; unknown numbers are empty."""


def rows(results: Results) -> list[dict[str, Any]]:
    """Return rows by column, with None for empty cells.

    A diagnostic has one row without a level.
    """
    return [row for result in results.results for row in _result_rows(result)]


def _result_rows(result: Result) -> list[dict[str, Any]]:
    sample = result.sample
    whole = {
        "requirement": result.requirement,
        "clause": result.clause,
        "band": result.band,
        "document": result.document,
        "kind": result.kind,
        "metric": result.metric,
        "definition": result.definition,
        "test": result.test,
        "unit": result.unit,
        "objects": sample.objects if sample else None,
        "visits": sample.visits if sample else None,
        "pairs": sample.pairs if sample else None,
        "measurements": sample.measurements if sample else None,
        "verification": " ".join(result.verification),
        "waived_by": result.waiver["who"] if result.waiver else None,
    }
    levels = result.levels or {
        "": LevelResult({}, "", 0.0, "", result.value, result.verdict, result.value_unbiased, result.interval)
    }
    found = []
    for name, level in levels.items():
        low, high = interval_ends(level.interval)
        limited = bool(result.levels)
        deciding = name == result.level or not limited
        margin = rule.margin(level.value, level.operator, level.limit) if limited and level.value is not None else None
        row = {
            "level": name,
            "deciding": deciding,
            "verdict": result.verdict if deciding else level.verdict,
            "reason": result.reason if deciding else level.decision["reason"] if level.decision else None,
            "value": level.value,
            "value_unbiased": level.value_unbiased,
            "low": low,
            "high": high,
            "confidence": level.interval["confidence"] if level.interval else None,
            "operator": level.operator if limited else None,
            "limit": level.limit if limited else None,
            "margin": margin,
            "conformance": level.conformance,
            "thresholds": ", ".join(f"{key} = {value}" for key, value in level.parameters.items()),
        }
        made = whole | row
        found.append({name: None if made[name] is None else kind(made[name]) for name, kind in COLUMNS.items()})
    return found
