"""Interval bar: values, estimates with intervals, and limits on one axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from skyaccept.lib.report import text
from skyaccept.lib.results.model import Result
from skyaccept.lib.results.records import interval_ends

WIDTH, ROW = 120, 14
_EDGE = 4
_BEYOND = 1.15  # end of the axis over the largest number that is shown
_FAR = 2.5  # longest stretch of the axis by an interval, over the larger of value and limit


@dataclass(frozen=True)
class Span:
    """Measured value, estimate and interval; ``name`` is the style class."""

    name: str
    value: float
    estimate: float | None = None
    low: float | None = None
    high: float | None = None

    @classmethod
    def from_result(cls, result: Result, name: str) -> Span | None:
        """Return the span of a result; None if nothing was measured."""
        if result.value is None:
            return None
        return cls(name, result.value, result.value_unbiased, *interval_ends(result.interval))


def draw_result(result: Result) -> str:
    """Draw the bar of a result with the limits of all levels.

    "" if nothing was measured.
    """
    span = Span.from_result(result, str(result.verdict))
    return "" if span is None else draw([span], result)


def draw_pair(before: Result | None, after: Result | None) -> str:
    """Draw the bars of a clause in two runs, one above the other.

    "" if neither measured it.
    """
    spans = [Span.from_result(run, name) for run, name in ((before, "before"), (after, "after")) if run is not None]
    result = after or before
    known = [span for span in spans if span is not None]
    return draw(known, result) if known and result is not None else ""


def draw(spans: Sequence[Span], result: Result) -> str:
    """Draw spans with the limits of a result as SVG."""
    limits = {name: level.limit for name, level in result.levels.items()}
    seen = [span.value for span in spans] + [0.0 if result.limit is None else result.limit]
    most = _FAR * max(*seen, 1e-12)
    end = _BEYOND * max(*seen, *(min(span.high or 0.0, most) for span in spans), 1e-12)
    height = ROW * len(spans) + 4

    def x(value: float) -> float:
        return _EDGE + (WIDTH - 2 * _EDGE) * min(max(value, 0.0), end) / end

    drawn = [f'<line class="axis" x1="{_EDGE}" x2="{WIDTH - _EDGE}" y1="{height - 2}" y2="{height - 2}"/>']
    drawn += [
        f'<line class="{"limit" if name == result.level else "other"}" x1="{x(limit):.1f}" x2="{x(limit):.1f}" '
        f'y1="{0 if name == result.level else height - 7}" y2="{height - 2}"/>'
        for name, limit in limits.items()
        if limit <= end
    ]
    for k, span in enumerate(spans):
        drawn.append(_span(span, x, ROW * k + ROW / 2, end))
    return (
        f'<svg class="spans" role="img" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">'
        f"<title>{escape(_words(spans, result))}</title>{''.join(drawn)}</svg>"
    )


def _span(span: Span, x: Callable[[float], float], y: float, end: float) -> str:
    drawn = []
    if span.low is not None or span.high is not None:
        low = 0.0 if span.low is None else span.low
        high = end if span.high is None else span.high
        drawn.append(f'<line class="interval" x1="{x(low):.1f}" x2="{x(high):.1f}" y1="{y:.1f}" y2="{y:.1f}"/>')
        if high > end:
            tip = WIDTH - _EDGE
            drawn.append(f'<path class="interval" d="M{tip - 4} {y - 3:.1f}L{tip} {y:.1f}L{tip - 4} {y + 3:.1f}"/>')
    if span.estimate is not None:
        at = x(span.estimate)
        drawn.append(f'<path class="estimate" d="M{at - 3:.1f} {y:.1f}l3 -4l3 4l-3 4z"/>')
    drawn.append(f'<circle class="value" cx="{x(span.value):.1f}" cy="{y:.1f}" r="2.5"/>')
    return f'<g class="{escape(span.name)}">{"".join(drawn)}</g>'


def _words(spans: Sequence[Span], result: Result) -> str:
    """Describe the bar in words, for screen readers."""
    said = []
    for span in spans:
        name = f"{span.name}: " if len(spans) > 1 else ""
        found = f"{name}measured {text.number(span.value)}"
        if span.estimate is not None:
            found += f", estimate {text.number(span.estimate)} ({text.number(span.low)} to {text.number(span.high)})"
        said.append(found)
    limits = ", ".join(f"{name} {level.operator} {level.limit:g}" for name, level in result.levels.items())
    return "; ".join([*said, *([f"limits {limits}"] if limits else [])]) + f" {text.unit(result.unit)}"
