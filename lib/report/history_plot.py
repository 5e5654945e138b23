"""Plot of a clause over time: values, intervals, limit, changes of level."""

from __future__ import annotations

from html import escape

from skyaccept.lib.report import text
from skyaccept.lib.report.axes import Axes, Mark
from skyaccept.lib.results.history import Series

_DAY = 86400.0


def plot(series: Series) -> str:
    """Draw the plot as SVG; "" if nothing was measured."""
    points = [(k, point) for k, point in enumerate(series.points) if point.value is not None]
    if not points:
        return ""
    first = series.points[0].when
    days = [(point.when - first).total_seconds() / _DAY for point in series.points]
    limit = series.points[-1].limit
    values = [float(point.value or 0.0) for _, point in points]
    top = max(*values, *(point.value_unbiased or 0.0 for _, point in points), limit or 0.0, 1e-12)
    most = max(top, *(min(point.high or 0.0, 2 * top) for _, point in points))
    last = max(days[-1], 1e-6)
    frame = Axes((-0.03 * last, 1.03 * last), (0.0, 1.08 * most))
    drawn = [] if limit is None else [frame.horizontal(Mark(f"limit {limit:g}", limit, "limit"))]
    drawn += [
        f'<line class="mark change" x1="{frame.x(days[k]):.1f}" x2="{frame.x(days[k]):.1f}" '
        f'y1="{frame.y(0):.1f}" y2="{frame.y(frame.span_y[1]):.1f}"/>'
        for k in series.changes
    ]
    line = " ".join(f"{frame.x(days[k]):.1f},{frame.y(float(point.value or 0)):.1f}" for k, point in points)
    drawn.append(f'<polyline class="line" points="{line}"/>')
    for k, point in points:
        x, y = frame.x(days[k]), frame.y(float(point.value or 0))
        interval = ""
        if point.low is not None and point.high is not None:
            low, high = (frame.y(min(end, frame.span_y[1])) for end in (point.low, point.high))
            interval = f'<line class="interval" x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}"/>'
        said = f"{point.run['started']} {point.run['dataset']}: {text.number(point.value)} {text.unit(series.unit)}"
        drawn.append(
            f'<g class="{escape(str(point.verdict))}"><title>{escape(said)}, {text.verdict_text(point.verdict)}</title>'
            f'{interval}<circle class="value" cx="{x:.1f}" cy="{y:.1f}" r="3"/></g>'
        )
    title = f"{series.test} ({series.definition})"
    return frame.draw(title, f"days since {first:%Y-%m-%d %H:%M}", text.unit(series.unit), "".join(drawn))
