"""A plan as text and as a plot: probabilities of the verdicts against the true value, and all that is assumed."""

from __future__ import annotations

import math
from html import escape

from skyaccept.lib.decision.power import MOST_STARS, MOST_VISITS, Plan
from skyaccept.lib.decision.rule import probability
from skyaccept.lib.metrics import METRICS
from skyaccept.lib.report.axes import HEIGHT, WIDTH, Frame, Mark
from skyaccept.lib.report.text import unit
from skyaccept.lib.uncertainty.jackknife import CELLS

POINTS = 61
"""True values of a plot."""

_STYLE = (
    "svg{font:11px system-ui,Arial,sans-serif;background:#fff}.frame{fill:none;stroke:#8c959f}.grid{stroke:#e6e9ec}"
    ".tick{fill:#5c646d}.mark{stroke-width:1.6;stroke-dasharray:6 3;stroke:#b3261e}.label{fill:#b3261e}"
    ".mark.measured{stroke:#1b1f24}.label.measured{fill:#1b1f24}polyline{fill:none;stroke-width:2}"
    "polyline.passed{stroke:#1a7f37}polyline.inconclusive{stroke:#b58900;stroke-dasharray:5 3}"
    "polyline.failed{stroke:#b3261e}.name{font-weight:600}.name.passed{fill:#1a7f37}.name.inconclusive{fill:#8a6700}"
    ".name.failed{fill:#b3261e}"
)


def lines(plan: Plan, true: float, power: float | None = None) -> list[str]:
    """Text of a plan at a true value; with ``power`` also the samples that the right verdict needs.

    Raises
    ------
    InputError
        As `Plan.chances` and `Plan.needed`.
    """
    metric = METRICS[plan.case.clause.metric]
    name = unit(metric.unit)
    pairs = f", about {plan.pairs:,.0f} pairs" if plan.pairs else ""
    found = plan.scatter(true)
    reads = 100 * found.reads if plan.of_share else true * found.reads
    rule = f"guarded, risk {plan.rule.risk:g}" if plan.rule.guarded else "simple"
    scale = "of the logit of the share" if plan.of_share else "of the logarithm of the value"
    said = [
        f"{plan.case.id} under {plan.definition.id}: {metric.title}",
        f"{plan.level} limit {plan.relation} {plan.limit:g} {name}; decision {rule}",
        f"sample: {plan.stars:,} stars in {plan.visits} visits{pairs} within {math.degrees(plan.radius):g} deg",
        *(f"assumed: {text}" for text in assumptions(plan)),
        f"standard error {scale}: {found.error:.3f} (stars {math.sqrt(found.stars):.3f}, visits "
        f"{math.sqrt(found.visits):.3f}; {plan.freedom(found):.1f} degrees of freedom)",
        f"a true value of {true:g} {name} reads {reads:.4g} {name} as it is defined",
        "",
        f"{'true value':>12}  {'pass':>7}  {'inconclusive':>12}  {'fail':>7}",
    ]
    for value in sorted({*map(float, plan.around()), true}):
        chances = plan.chances(value)
        marks = " <" if value == true else ""
        cells = f"{probability(chances.passed):>7}  {probability(chances.inconclusive):>12}"
        said.append(f"{value:>8.4g} {name:3}  {cells}  {probability(chances.failed):>7}{marks}")
    return said + ([] if power is None else ["", _needed(plan, true, power)])


def assumptions(plan: Plan) -> list[str]:
    """What the figures rest on."""
    law = plan.law
    common = "an affine distortion" if plan.pairs else "a shift"
    found = [
        f"Gaussian errors, their size log-normal between stars with {law.spread:g} in the logarithm (--error-spread)",
        f"{100 * law.common:g} % of the variance common to a visit, as {common} of it (--shared-variance)",
        "all stars seen in all visits; the estimate without bias, its error estimated from the visits and from "
        f"{CELLS} cells of stars",
    ]
    if plan.case.against is not None:
        found.append(f"one coordinate; as many visits in {plan.case.against}")
    elif plan.case.clause.metric == "absolute_astrometry":
        found.append("one coordinate; a reference catalog without errors")
    return found


def plot(plan: Plan, true: float) -> str:
    """SVG of the probabilities of the verdicts against the true value."""
    values = [float(value) for value in plan.around(POINTS)]
    chances = [plan.chances(value) for value in values]
    frame = Frame((min(values[0], true), max(values[-1], true)), (0.0, 1.0))
    name = unit(METRICS[plan.case.clause.metric].unit)
    drawn = []
    for verdict, shown in (("passed", "pass"), ("inconclusive", "inconclusive"), ("failed", "fail")):
        heights = [float(getattr(chance, verdict)) for chance in chances]
        if not any(heights):
            continue
        points = " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in zip(values, heights, strict=True))
        # the name stands under the top of its curve
        top = max(range(POINTS), key=heights.__getitem__)
        anchor = "start" if top < POINTS / 4 else "end" if top > 3 * POINTS / 4 else "middle"
        x, y = frame.x(values[top]), frame.y(heights[top]) + 32
        drawn.append(f'<polyline class="{verdict}" points="{points}"/>')
        drawn.append(f'<text class="name {verdict}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{shown}</text>')
    marks = [Mark(f"limit {plan.limit:g} {name}", plan.limit, "limit"), Mark(f"true {true:g} {name}", true, "measured")]
    title = f"{plan.case.id}: {plan.stars:,} stars in {plan.visits} visits"
    content = "".join(drawn) + "".join(frame.vertical(mark) for mark in marks)
    svg = frame.draw(title, f"true value ({name})", "probability", content)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * WIDTH}" height="{2 * HEIGHT}" '
    described = "".join(f"<desc>{escape(text)}</desc>" for text in assumptions(plan))
    return svg.replace("<svg ", head, 1).replace(">", f"><style>{_STYLE}</style>{described}", 1) + "\n"


def _needed(plan: Plan, true: float, power: float) -> str:
    stars, visits = plan.needed(true, power)
    verdict = "pass" if plan.meets(true) else "fail"
    with_stars = f"{stars:,} stars in {plan.visits} visits" if stars else f"not even {MOST_STARS:,} stars"
    with_visits = f"{visits} visits of {plan.stars:,} stars" if visits else f"not even {MOST_VISITS} visits"
    with_stars += "" if stars else f" in {plan.visits} visits"
    with_visits += "" if visits else f" of {plan.stars:,} stars"
    return f"to {verdict} with a probability of {power:g}: {with_stars}, or {with_visits}"
