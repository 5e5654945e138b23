"""Plots as inline SVG, drawn from the binned data of a result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from skyaccept.lib.report.text import number
from skyaccept.lib.report.text import unit as text_unit
from skyaccept.lib.results import Result

WIDTH, HEIGHT = 460, 250
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 26, 40


def histogram(result: Result) -> str:
    """Histogram of the errors, with their median and, for a limit on an error, the limit; "" without data."""
    data = result.data.get("histogram")
    if not data:
        return ""
    edges, counts = np.array(data["edges"]), np.array(data["counts"], dtype=float)
    edges, counts = _rebin(edges, counts, 2)
    marks = [Mark("median", data["median"], "measured")]
    if result.unit != "percent":
        if result.limit is not None:
            marks.append(Mark(f"{result.level} {_bound(result)}", result.limit, "limit"))
        if result.value is not None and abs(result.value - data["median"]) > 1e-9:
            marks.append(Mark("measured", result.value, "measured"))
    frame = Frame(_span(edges, marks), (0.0, float(counts.max()) * 1.08 or 1.0))
    bars = "".join(
        f'<rect class="bar" x="{frame.x(a):.1f}" y="{frame.y(n):.1f}" '
        f'width="{max(0.5, frame.x(b) - frame.x(a) - 0.6):.1f}" height="{frame.y(0) - frame.y(n):.1f}"/>'
        for a, b, n in zip(edges[:-1], edges[1:], counts, strict=True)
        if n
    )
    beyond = f"; {data['above']:,} beyond the last bin" if data["above"] else ""
    title = f"{data['of']:,} errors{beyond}"
    return frame.draw(
        title,
        f"{data['errors']} ({data['unit']})",
        "number per bin",
        bars + "".join(frame.vertical(mark) for mark in marks),
    )


def cumulative(result: Result) -> str:
    """Percentage of the errors above x, with the outlier threshold and fraction of the clause; "" without data."""
    data = result.data.get("histogram")
    if not data:
        return ""
    edges, counts = np.array(data["edges"]), np.array(data["counts"], dtype=float)
    above = 100 * (data["of"] - np.concatenate([[0.0], np.cumsum(counts)])) / data["of"]
    thresholds = result.levels[result.level].parameters if result.level in result.levels else result.parameters
    unit, marks, level_marks = data["unit"], [], []
    measured = Mark(f"measured {number(result.value)} {text_unit(result.unit)}", float(result.value or 0), "measured")
    bounds = []
    if result.limit is not None:
        bounds = [Mark(f"{_bound(result)} {result.limit:g} {text_unit(result.unit)}", result.limit, "limit")]
    if result.unit == "percent":
        marks += [Mark(f"{name} {value}", float(value.split()[0]), "threshold") for name, value in thresholds.items()]
        level_marks += [*bounds, measured]
    else:
        marks += [*bounds, measured]
        shares = {name: float(value.split()[0]) for name, value in thresholds.items() if value.endswith("percent")}
        level_marks += [Mark(f"{name} {share:g} %", share, "threshold") for name, share in shares.items()]
        if not shares:
            level_marks.append(Mark("median", 50.0, "threshold"))
    frame = Frame(_span(edges, marks), (0.0, 105.0))
    points = " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in zip(edges, above, strict=True))
    lines = "".join(frame.vertical(mark) for mark in marks) + "".join(frame.horizontal(mark) for mark in level_marks)
    return frame.draw(
        "Share of errors above x", f"x ({unit})", "%", f'<polyline class="line" points="{points}"/>{lines}'
    )


@dataclass(frozen=True)
class Mark:
    """A value that a line shows: ``kind`` is limit, measured or threshold."""

    label: str
    at: float
    kind: str


@dataclass(frozen=True)
class Frame:
    """Axes of a plot: data ranges to picture coordinates."""

    span_x: tuple[float, float]
    span_y: tuple[float, float]

    def x(self, value: float) -> float:
        """Place across."""
        low, high = self.span_x
        return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Place down."""
        low, high = self.span_y
        return HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    def vertical(self, mark: Mark) -> str:
        """Line at a value of x, with its label."""
        x = self.x(mark.at)
        end = x > WIDTH - 120
        row = {"limit": 0, "measured": 1, "threshold": 2}[mark.kind]
        text = f'<text class="label {mark.kind}" x="{x + (-4 if end else 4):.1f}" y="{TOP + 10 + 13 * row}"'
        text += f"{' text-anchor=' + chr(34) + 'end' + chr(34) if end else ''}>{escape(mark.label)}</text>"
        return f'<line class="mark {mark.kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>{text}'

    def horizontal(self, mark: Mark) -> str:
        """Line at a value of y, with its label."""
        y = self.y(mark.at)
        shift = -4 if mark.kind != "measured" or mark.at > 15 else 12
        return (
            f'<line class="mark {mark.kind}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="label {mark.kind}" x="{WIDTH - RIGHT - 4}" y="{y + shift:.1f}" text-anchor="end">'
            f"{escape(mark.label)}</text>"
        )

    def draw(self, title: str, x_label: str, y_label: str, content: str) -> str:
        """Plot as SVG: axes, labels, and what is in it."""
        bottom = HEIGHT - BOTTOM
        axes = [f'<rect class="frame" x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" height="{bottom - TOP}"/>']
        for tick in _ticks(*self.span_x):
            axes.append(
                f'<text class="tick" x="{self.x(tick):.1f}" y="{bottom + 14}" text-anchor="middle">{tick:g}</text>'
            )
        for tick in _ticks(*self.span_y):
            axes.append(
                f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{self.y(tick):.1f}" y2="{self.y(tick):.1f}"/>'
            )
            axes.append(
                f'<text class="tick" x="{LEFT - 5}" y="{self.y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>'
            )
        middle = (LEFT + WIDTH - RIGHT) / 2
        return (
            f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
            f'<text class="title" x="{LEFT}" y="16">{escape(title)}</text>{"".join(axes)}'
            f'<text class="tick" x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x_label)}</text>'
            f'<text class="tick" x="14" y="{(TOP + bottom) / 2}" text-anchor="middle" '
            f'transform="rotate(-90 14 {(TOP + bottom) / 2})">{escape(y_label)}</text>{content}</svg>'
        )


def _bound(result: Result) -> str:
    return "target" if result.kind == "capability" else "limit"


def _span(edges: Any, marks: Sequence[Mark]) -> tuple[float, float]:
    """Range of x that shows the bins and the marks."""
    low, high = float(edges[0]), max(float(edges[-1]), *(mark.at for mark in marks))
    return min(low, *(mark.at for mark in marks)), high + 0.04 * (high - low)


def _rebin(edges: Any, counts: Any, factor: int) -> tuple[Any, Any]:
    if len(counts) % factor:
        return edges, counts
    return edges[::factor], counts.reshape(-1, factor).sum(axis=1)


def _ticks(low: float, high: float) -> list[float]:
    """About five round numbers within a range."""
    raw = (high - low) / 5
    step = 10 ** np.floor(np.log10(raw))
    step *= min((m for m in (1, 2, 5, 10) if m * step >= raw), default=10)
    first = np.ceil(low / step)
    return [float(f"{k * step:.10g}") + 0.0 for k in np.arange(first, np.floor(high / step) + 1)]
