"""Sample plan as text and as a plot: probability of each verdict by true value."""

from __future__ import annotations

import math
from html import escape

from skyaccept.lib.decision.power import MAX_STARS, MAX_VISITS, Plan
from skyaccept.lib.decision.rule import format_probability
from skyaccept.lib.metrics import METRICS
from skyaccept.lib.report.axes import HEIGHT, WIDTH, Axes, Mark
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


def lines(plan: Plan, true_value: float, power: float | None = None) -> list[str]:
    """Return a plan as lines of text.

    Parameters
    ----------
    plan : Plan
    true_value : float
        In the metric's unit.
    power : float, optional
        Also name the samples that give the right verdict with this probability.

    Raises
    ------
    InputError
        See `Plan.verdict_probabilities` and `Plan.required_sample`.
    """
    metric = METRICS[plan.case.clause.metric]
    name = unit(metric.unit)
    pairs = f", about {plan.pairs:,.0f} pairs" if plan.pairs else ""
    error = plan.sampling_error(true_value)
    reading = plan.reading(true_value, error)
    rule = f"guarded, risk {plan.rule.risk:g}" if plan.rule.guarded else "simple"
    scale = "of the logit of the fraction" if plan.is_fraction else "of the logarithm of the value"
    text = [
        f"{plan.case.id} under {plan.definition.id}: {metric.title}",
        f"{plan.level} limit {plan.operator} {plan.limit:g} {name}; decision {rule}",
        f"sample: {plan.stars:,} stars in {plan.visits} visits{pairs} within {math.degrees(plan.radius):g} deg",
        *(f"assumed: {sentence}" for sentence in assumptions(plan)),
        f"standard error {scale}: {error.error:.3f} (stars {math.sqrt(error.star_variance):.3f}, visits "
        f"{math.sqrt(error.visit_variance):.3f}; {plan.degrees_of_freedom(error):.1f} degrees of freedom)",
        f"for a true value of {true_value:g} {name} the value as defined is {reading:.4g} {name} on average",
        "",
        f"{'true value':>12}  {'pass':>7}  {'inconclusive':>12}  {'fail':>7}",
    ]
    for value in sorted({*map(float, plan.grid()), true_value}):
        probabilities = plan.verdict_probabilities(value)
        marks = " <" if value == true_value else ""
        cells = f"{format_probability(probabilities.passed):>7}  {format_probability(probabilities.inconclusive):>12}"
        text.append(f"{value:>8.4g} {name:3}  {cells}  {format_probability(probabilities.failed):>7}{marks}")
    return text + ([] if power is None else ["", _required_sample(plan, true_value, power)])


def assumptions(plan: Plan) -> list[str]:
    """Return what the probabilities assume, a sentence each."""
    model = plan.model
    shared = "an affine distortion" if plan.pairs else "a shift"
    text = [
        f"Gaussian errors; their sigma is log-normal between stars, rms of ln(sigma) {model.log_sigma_rms:g} "
        "(--error-spread)",
        f"{100 * model.shared_variance_fraction:g} % of the variance shared by the stars of a visit, as {shared} "
        "(--shared-variance)",
        "all stars seen in all visits; an unbiased estimate, with its error estimated from the visits and from "
        f"{CELLS} cells of stars",
    ]
    if plan.case.against is not None:
        text.append(f"one coordinate; as many visits in {plan.case.against}")
    elif plan.case.clause.metric == "absolute_astrometry":
        text.append("one coordinate; a reference catalog without errors")
    return text


def plot(plan: Plan, true_value: float) -> str:
    """Return an SVG plot of the probability of each verdict against the true value."""
    values = [float(value) for value in plan.grid(POINTS)]
    probabilities = [plan.verdict_probabilities(value) for value in values]
    axes = Axes((min(values[0], true_value), max(values[-1], true_value)), (0.0, 1.0))
    name = unit(METRICS[plan.case.clause.metric].unit)
    drawn = []
    for verdict, shown in (("passed", "pass"), ("inconclusive", "inconclusive"), ("failed", "fail")):
        heights = [float(getattr(one, verdict)) for one in probabilities]
        if not any(heights):
            continue
        points = " ".join(f"{axes.x(x):.1f},{axes.y(y):.1f}" for x, y in zip(values, heights, strict=True))
        # the name is below the top of its curve
        top = max(range(POINTS), key=heights.__getitem__)
        anchor = "start" if top < POINTS / 4 else "end" if top > 3 * POINTS / 4 else "middle"
        x, y = axes.x(values[top]), axes.y(heights[top]) + 32
        drawn.append(f'<polyline class="{verdict}" points="{points}"/>')
        drawn.append(f'<text class="name {verdict}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{shown}</text>')
    marks = [
        Mark(f"limit {plan.limit:g} {name}", plan.limit, "limit"),
        Mark(f"true {true_value:g} {name}", true_value, "measured"),
    ]
    title = f"{plan.case.id}: {plan.stars:,} stars in {plan.visits} visits"
    content = "".join(drawn) + "".join(axes.vertical(mark) for mark in marks)
    svg = axes.draw(title, f"true value ({name})", "probability", content)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * WIDTH}" height="{2 * HEIGHT}" '
    described = "".join(f"<desc>{escape(text)}</desc>" for text in assumptions(plan))
    return svg.replace("<svg ", head, 1).replace(">", f"><style>{_STYLE}</style>{described}", 1) + "\n"


def _required_sample(plan: Plan, true_value: float, power: float) -> str:
    stars, visits = plan.required_sample(true_value, power)
    verdict = "pass" if plan.meets(true_value) else "fail"
    with_stars = f"{stars:,} stars in {plan.visits} visits" if stars else f"not even {MAX_STARS:,} stars"
    with_visits = f"{visits} visits of {plan.stars:,} stars" if visits else f"not even {MAX_VISITS} visits"
    with_stars += "" if stars else f" in {plan.visits} visits"
    with_visits += "" if visits else f" of {plan.stars:,} stars"
    return f"to {verdict} with a probability of {power:g}: {with_stars}, or {with_visits}"
