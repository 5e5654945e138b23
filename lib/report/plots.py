"""Plots as inline SVG, drawn from the binned data of a result."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from skyaccept.lib.report.axes import TOP, Axes, Mark, span, spots
from skyaccept.lib.report.text import number
from skyaccept.lib.report.text import unit as text_unit
from skyaccept.lib.results.model import Result
from skyaccept.lib.results.records import DependenceRecord, GroupsRecord, HistogramRecord, VisitsRecord
from skyaccept.lib.results.schema import LARGEST


def histogram(result: Result) -> str:
    """Draw the histogram of the errors, with median and limit; "" without data."""
    data = result.data.get("histogram")
    if not data:
        return ""
    edges, counts = np.array(data["edges"]), np.array(data["counts"], dtype=float)
    edges, counts = _rebin(edges, counts, 2)
    marks = [Mark("median", data["median"], "measured")]
    if not _is_fraction(result):
        if result.limit is not None:
            marks.append(Mark(f"{result.level} {_bound(result)}", result.limit, "limit"))
        if result.value is not None and abs(result.value - data["median"]) > 1e-9:
            marks.append(Mark("measured", result.value, "measured"))
    frame = Axes(span(edges, marks), (0.0, float(counts.max()) * 1.08 or 1.0))
    half = max(0.25, (frame.x(edges[1]) - frame.x(edges[0]) - 0.6) / 2)
    bars = "".join(
        f"M{frame.x((a + b) / 2):.1f} {frame.y(n):.1f}m-{half:.1f} 0h{2 * half:.1f}V{frame.y(0):.1f}h-{2 * half:.1f}z"
        for a, b, n in zip(edges[:-1], edges[1:], counts, strict=True)
        if n
    )
    beyond = f" ({data['above']:,} beyond the last bin)" if data["above"] else ""
    title = f"{data['of']:,} errors{beyond}"
    return frame.draw(
        title,
        f"{data['errors']} ({data['unit']})",
        "number per bin",
        spots(bars, "bar") + "".join(frame.vertical(mark) for mark in marks),
    )


def cumulative(result: Result) -> str:
    """Draw the percentage of errors above x, with threshold and limit.

    "" without data.
    """
    data = result.data.get("histogram")
    if not data:
        return ""
    edges, above = np.array(data["edges"]), _above(data)
    thresholds = result.levels[result.level].parameters if result.level in result.levels else result.parameters
    marks, level_marks = [], []
    measured = Mark(f"measured {number(result.value)} {text_unit(result.unit)}", float(result.value or 0), "measured")
    bounds = []
    if result.limit is not None:
        bounds = [Mark(f"{_bound(result)} {result.limit:g} {text_unit(result.unit)}", result.limit, "limit")]
    if _is_fraction(result):
        marks += [
            Mark(f"{name} {value}", at, "threshold") for name, value in thresholds.items() for at in _number(value)
        ]
        level_marks += [*bounds, measured]
    else:
        marks += [*bounds, measured]
        by = {name: value for name, value in thresholds.items() if value.endswith("percent")}
        fractions = {name: percent for name, value in by.items() for percent in _number(value)}
        level_marks += [Mark(f"{name} {percent:g} %", percent, "threshold") for name, percent in fractions.items()]
        if not fractions:
            level_marks.append(Mark("median", 50.0, "threshold"))
    frame = Axes(span(edges, marks), (0.0, 105.0))
    lines = "".join(frame.vertical(mark) for mark in marks) + "".join(frame.horizontal(mark) for mark in level_marks)
    return frame.draw("Fraction of errors above x", f"x ({unit(result)})", "%", frame.line(edges, above) + lines)


def magnitude(result: Result) -> str:
    """Draw rms against magnitude, with 68 % range and error model.

    "" without data.
    """
    found = dependence(result).get("magnitude")
    if not found:
        return ""
    x, y = found["magnitude"], found["rms"]
    margin = 0.04 * (max(x) - min(x)) or 0.5
    frame = Axes((min(x) - margin, max(x) + margin), (0.0, 1.08 * (max(found["high"]) or 1.0)))
    drawn = frame.line([*x, *reversed(x)], [*found["high"], *reversed(found["low"])], kind="span")
    if "model" in found:
        drawn += frame.line(x, found["model"], kind="line model")
        words = escape(f"error model, from {number(found['floor'])} {unit(result)} a star")
        place = f'x="{frame.x(x[0]) + 4:.1f}" y="{frame.y(0) - 8:.1f}"'
        drawn += f'<text class="label threshold" {place}>{words}</text>'
    pairs = "of the fainter star" if result.sample is not None and result.sample.pairs else ""
    return frame.draw(
        "Rms against magnitude", f"magnitude {pairs}".strip(), f"rms ({unit(result)})", drawn + frame.dots(x, y)
    )


def draw_pair(before: Result, after: Result) -> str:
    """Draw errors above x and rms against magnitude in two runs.

    "" without data.
    """
    runs = {"before": before, "after": after}
    known = {name: run.data["histogram"] for name, run in runs.items() if run.data.get("histogram")}
    if len(known) < 2:
        return ""
    first, last = (pick(data["edges"][k] for data in known.values()) for pick, k in ((min, 0), (max, -1)))
    frame = Axes((first, last), (0.0, 105.0))
    lines = "".join(frame.line(data["edges"], _above(data), f"line {name}") for name, data in known.items())
    drawn = frame.draw("Fraction of errors above x", f"x ({unit(after)})", "%", lines + _which(frame))
    by_magnitude = {name: one for name, run in runs.items() if (one := dependence(run).get("magnitude"))}
    if len(by_magnitude) < 2:
        return drawn
    found = by_magnitude.values()
    places = [x for one in found for x in one["magnitude"]]
    frame = Axes((min(places) - 0.2, max(places) + 0.2), (0.0, 1.15 * max(max(one["rms"]) for one in found)))
    lines = "".join(frame.line(one["magnitude"], one["rms"], f"line {name}") for name, one in by_magnitude.items())
    return drawn + frame.draw("Rms against magnitude", "magnitude", f"rms ({unit(after)})", lines + _which(frame))


def _which(frame: Axes) -> str:
    """Draw the names of the two lines."""
    return "".join(
        f'<text class="label {name}" x="{frame.end - 6:g}" y="{TOP + 14 + 13 * row}" text-anchor="end">{name}</text>'
        for row, name in enumerate(("before", "after"))
    )


def visits(result: Result) -> str:
    """Draw residuals by visit against time and airmass, or by name.

    "" without data.
    """
    found = dependence(result).get("visits")
    if not found or len(found["name"]) < 2:
        return ""
    drawn = ""
    mjd, airmass = found.get("mjd", []), found.get("airmass", [])
    if any(value is not None for value in mjd):
        drawn += _by_visit(result, found, mjd, "by time", "MJD")
    else:
        drawn += _by_visit(result, found, list(range(1, len(found["name"]) + 1)), "in order of name", "visit")
    if any(value is not None for value in airmass):
        drawn += _by_visit(result, found, airmass, "by airmass", "airmass")
    return drawn


def _by_visit(result: Result, found: VisitsRecord, places: list[float | None], how: str, label: str) -> str:
    known = [x for x, size in zip(places, found["size"], strict=True) if x is not None and size is not None]
    if not known:
        return ""
    if label == "MJD":
        first = float(min(known) // 1)
        label = f"MJD - {first:.0f}"
        places = [None if x is None else x - first for x in places]
        known = [x - first for x in known]
    margin = 0.04 * (max(known) - min(known)) or 0.5
    what = "groups of visits" if any(re.search(r" and \d+ more$", name) for name in found["name"]) else "visits"
    span_x = (min(known) - margin, max(known) + margin)
    return sizes(result, found, found["name"], places, span_x, f"{len(known)} {what} {how}", label)


def sizes(
    result: Result,
    found: GroupsRecord,
    names: Sequence[str],
    places: Sequence[float | None],
    span_x: tuple[float, float],
    title: str,
    label: str,
) -> str:
    """Draw median absolute residuals of groups as dots, with that of all.

    "" without any.
    """
    rows = zip(places, found["size"], names, found["number"], strict=True)
    known = [row for row in rows if row[0] is not None and row[1] is not None]
    if not known:
        return ""
    xs, ys, labels, numbers = zip(*known, strict=True)
    frame = Axes(span_x, (0.0, 1.15 * (max(ys) or 1.0)))
    middle = frame.horizontal(Mark("median", float(np.median(ys)), "threshold"))
    return frame.draw(
        title, label, f"median absolute residual ({unit(result)})", middle + frame.dots(xs, ys, labels, numbers)
    )


def _above(histogram: HistogramRecord) -> Any:
    """Return the percentage of errors above each edge."""
    counts = np.array(histogram["counts"], dtype=float)
    return 100 * (histogram["of"] - np.concatenate([[0.0], np.cumsum(counts)])) / histogram["of"]


def dependence(result: Result) -> DependenceRecord:
    """Return the trends of the residuals of a result; none if they are unknown."""
    return result.data.get("dependence") or {"of": "", "note": ""}


def unit(result: Result) -> str:
    """Return the unit of the errors, also if the metric is a percentage."""
    return str(result.data.get("histogram", {}).get("unit", result.unit))


def _is_fraction(result: Result) -> bool:
    """Whether the value is the percentage of errors beyond a threshold."""
    return result.unit != unit(result)


def _number(quantity: str) -> list[float]:
    """Return the number of a quantity as text; none if it is invalid or too large."""
    try:
        found = float(quantity.partition(" ")[0])
    except ValueError:
        return []
    return [found] if abs(found) <= LARGEST else []


def _bound(result: Result) -> str:
    return "target" if result.kind == "capability" else "limit"


def _rebin(edges: Any, counts: Any, factor: int) -> tuple[Any, Any]:
    if len(counts) % factor:
        return edges, counts
    return edges[::factor], counts.reshape(-1, factor).sum(axis=1)
