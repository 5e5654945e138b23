"""Axes of a plot, drawn as inline SVG."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

WIDTH, HEIGHT = 460, 250
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 26, 40


@dataclass(frozen=True)
class Mark:
    """Value shown by a line; ``kind`` is limit, measured or threshold."""

    label: str
    at: float
    kind: str


@dataclass(frozen=True)
class Axes:
    """Axes of a plot, with conversion of data to picture coordinates."""

    span_x: tuple[float, float]
    span_y: tuple[float, float]
    right: float = RIGHT

    @property
    def end(self) -> float:
        """Right edge of the axes."""
        return WIDTH - self.right

    def x(self, value: float) -> float:
        """Return the horizontal coordinate."""
        return LEFT + _fraction(value, self.span_x) * (self.end - LEFT)

    def y(self, value: float) -> float:
        """Return the vertical coordinate."""
        return HEIGHT - BOTTOM - _fraction(value, self.span_y) * (HEIGHT - TOP - BOTTOM)

    def vertical(self, mark: Mark) -> str:
        """Draw a line at a value of x, with its label."""
        x = self.x(mark.at)
        end = x > self.end - 106
        row = {"limit": 0, "measured": 1, "threshold": 2}[mark.kind]
        text = f'<text class="label {mark.kind}" x="{x + (-4 if end else 4):.1f}" y="{TOP + 10 + 13 * row}"'
        text += f"{' text-anchor=' + chr(34) + 'end' + chr(34) if end else ''}>{escape(mark.label)}</text>"
        return f'<line class="mark {mark.kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>{text}'

    def horizontal(self, mark: Mark) -> str:
        """Draw a line at a value of y, with its label."""
        y = self.y(mark.at)
        shift = -4 if mark.kind != "measured" or mark.at > 15 else 12
        return (
            f'<line class="mark {mark.kind}" x1="{LEFT}" x2="{self.end:g}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="label {mark.kind}" x="{self.end - 4:g}" y="{y + shift:.1f}" text-anchor="end">'
            f"{escape(mark.label)}</text>"
        )

    def line(self, xs: Iterable[float], ys: Iterable[float], kind: str = "line") -> str:
        """Draw a line through points."""
        points = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in zip(xs, ys, strict=True))
        return f'<polyline class="{kind}" points="{points}"/>'

    def dots(
        self, xs: Iterable[float], ys: Iterable[float], names: Sequence[str] = (), numbers: Sequence[int] = ()
    ) -> str:
        """Draw dots; parameters as for `spots`."""
        path = "".join(f"M{self.x(x):.1f} {self.y(y):.1f}h0" for x, y in zip(xs, ys, strict=True))
        return spots(path, "dots", names=names, numbers=numbers)

    def draw(self, title: str, x_label: str, y_label: str, content: str) -> str:
        """Draw the plot as SVG: axes, labels and content."""
        bottom = HEIGHT - BOTTOM
        axes = [f'<rect class="frame" x="{LEFT}" y="{TOP}" width="{self.end - LEFT}" height="{bottom - TOP}"/>']
        for tick in _ticks(*self.span_x):
            axes.append(
                f'<text class="tick" x="{self.x(tick):.1f}" y="{bottom + 14}" text-anchor="middle">{tick:g}</text>'
            )
        for tick in _ticks(*self.span_y):
            axes.append(
                f'<line class="grid" x1="{LEFT}" x2="{self.end:g}" y1="{self.y(tick):.1f}" y2="{self.y(tick):.1f}"/>'
            )
            axes.append(
                f'<text class="tick" x="{LEFT - 5}" y="{self.y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>'
            )
        ends = (*self.span_x, *self.span_y, LEFT, self.end, bottom, TOP)
        axes_of = " ".join(f"{value:.7g}" for value in ends)
        middle = (LEFT + self.end) / 2
        return (
            f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}" '
            f'data-axes="{axes_of}">'
            f'<text class="title" x="{LEFT}" y="16">{escape(title)}</text>{"".join(axes)}'
            f'<text class="tick" x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x_label)}</text>'
            f'<text class="tick" x="14" y="{(TOP + bottom) / 2}" text-anchor="middle" '
            f'transform="rotate(-90 14 {(TOP + bottom) / 2})">{escape(y_label)}</text>{content}</svg>'
        )


def spots(
    path: str, kind: str, *, names: Sequence[str] = (), numbers: Sequence[int] = (), values: Sequence[float] = ()
) -> str:
    """Draw one path with a subpath ("M") for each spot.

    A tooltip shows name, number of measurements and value of a spot, if ``names``, ``numbers`` or ``values`` are given.
    """
    data = f' data-names="{escape(json.dumps(list(names), ensure_ascii=False))}"' if names else ""
    data += f' data-numbers="{" ".join(map(str, numbers))}"' if len(numbers) else ""
    data += f' data-values="{" ".join(f"{value:.3g}" for value in values)}"' if len(values) else ""
    return f'<path class="points {kind}" d="{path}"{data}/>'


def span(edges: Any, marks: Sequence[Mark]) -> tuple[float, float]:
    """Return the range of x that shows bins and marks."""
    places = [mark.at for mark in marks]
    low, high = float(edges[0]), max([float(edges[-1]), *places])
    return min([low, *places]), high + 0.04 * (high - low)


def _fraction(value: float, ends: tuple[float, float]) -> float:
    """Return the position of a value in a range from 0 to 1.

    0.5 in a range without width.
    """
    low, high = ends
    return (value - low) / (high - low) if high != low else 0.5


def _ticks(low: float, high: float) -> list[float]:
    """Return about five round numbers in a range; none in one without width."""
    low, high = min(low, high), max(low, high)
    if low == high:
        return []
    raw = (high - low) / 5
    step = 10 ** np.floor(np.log10(raw))
    step *= min((m for m in (1, 2, 5, 10) if m * step >= raw), default=10)
    first = np.ceil(low / step)
    return [float(f"{k * step:.10g}") + 0.0 for k in np.arange(first, np.floor(high / step) + 1)]
