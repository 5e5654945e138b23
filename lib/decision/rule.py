r"""Verdict from a measured value, its distribution and a limit (JCGM 106:2012).

The *conformance probability* is the probability that the true value meets the limit (clause 7). One minus it is the
*specific consumer's risk*: that of accepting a value which does not meet the limit (clause 9.3.2). There are two
decision rules (clause 8):

- ``guarded``: pass if that risk is at most ``risk``, fail if the conformance probability is at most ``risk``, otherwise
  inconclusive. The guard band follows from the uncertainty: a clause passes if the one-sided bound at confidence
  :math:`1 - \mathrm{risk}` meets the limit.
- ``simple``: compare the value as defined with the limit (simple acceptance). Near the limit its risk is about one
  half.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from operator import ge, gt, le, lt
from statistics import NormalDist
from typing import Literal

from skyaccept.lib.exceptions import InputError
from skyaccept.lib.uncertainty.distribution import Estimate

Verdict = Literal["pass", "fail", "inconclusive", "not_measurable", "waived", "error"]

RULES = ("guarded", "simple")
DEFAULT_RULE = "guarded"
DEFAULT_RISK = 0.05

MAX_SAMPLE_FACTOR = 1000.0
"""Largest sample, relative to this one, that is suggested; beyond it the estimate is taken to lie on the limit."""

_MEETS = {"<=": le, "<": lt, ">=": ge, ">": gt}


@dataclass(frozen=True)
class DecisionRule:
    """Rule by which verdicts are made; ``risk`` applies to ``guarded``.

    Raises
    ------
    InputError
        Unknown rule, or a risk outside (0, 0.5).
    """

    name: str = DEFAULT_RULE
    risk: float = DEFAULT_RISK

    def __post_init__(self) -> None:
        if self.name not in RULES:
            raise InputError(f"--decision {self.name}: not one of {', '.join(RULES)}")
        if not 0 < self.risk < 0.5:
            raise InputError(f"--risk {self.risk:g}: not a probability above 0 and below 0.5")

    @property
    def guarded(self) -> bool:
        """Whether the distribution decides rather than the value alone."""
        return self.name == "guarded"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A verdict and its basis; numbers in the metric's unit.

    Attributes
    ----------
    verdict : Verdict
    rule : {"guarded", "simple"}
    risk : float, optional
        Of ``guarded``.
    conformance : float, optional
        Probability that the true value meets the limit; None without a distribution.
    bound : float, optional
        One-sided bound at confidence 1 - risk, on the side of the limit; for a pass it meets the limit.
    sample_factor : float, optional
        For an inconclusive verdict: how many times larger a sample would settle it; None if no finite one would.
    note : str, optional
        Set if the value as defined and the unbiased value lead to different verdicts.
    reason : str, optional
        Why nothing can be decided.
    """

    verdict: Verdict
    rule: str
    risk: float | None = None
    conformance: float | None = None
    bound: float | None = None
    sample_factor: float | None = None
    note: str | None = None
    reason: str | None = None


def decide(value: float, operator: str, limit: float, rule: DecisionRule, estimate: Estimate | str) -> Decision:
    """Decide whether a limit is met.

    Parameters
    ----------
    value : float
        Measured value as its definition states it, in the metric's unit.
    operator : {"<=", "<", ">=", ">"}
        Relation that the true value must have to the limit.
    limit : float
        In the metric's unit.
    rule : DecisionRule
    estimate : Estimate or str
        Estimate of the true value, or the reason why there is none.

    Returns
    -------
    Decision
        Its verdict is pass, fail or inconclusive; inconclusive with a reason if the rule needs a distribution with
        finite bounds and there is none.

    Raises
    ------
    ValueError
        The value or its estimate is not finite, or the conformance is not a probability. That is an error of the
        measurement and must not look like a verdict.
    """
    if not math.isfinite(value):
        raise ValueError(f"the measured value is {value}")
    value_meets = _MEETS[operator](value, limit)
    simple: Verdict = "pass" if value_meets else "fail"
    risk = rule.risk if rule.guarded else None
    if isinstance(estimate, str):
        missing = missing_for_decision(estimate, rule)
        verdict = simple if missing is None else "inconclusive"
        return Decision(verdict=verdict, rule=rule.name, risk=risk, reason=missing)
    if not math.isfinite(estimate.value):
        raise ValueError(f"the estimate of the true value is {estimate.value}")
    conformance = estimate.conformance(operator, limit)
    if not 0 <= conformance <= 1:
        raise ValueError(f"the conformance probability is {conformance}")
    note = None
    if value_meets != _MEETS[operator](estimate.value, limit):
        note = _explain_conflict(value, estimate.value, value_meets=value_meets)
    if not rule.guarded:
        return Decision(verdict=simple, rule=rule.name, conformance=conformance, note=note)
    missing = missing_for_decision(estimate, rule)
    if missing is not None:
        return Decision(verdict="inconclusive", rule=rule.name, risk=risk, note=note, reason=missing)
    bound = estimate.interval(1 - 2 * rule.risk)[operator.startswith("<")]
    verdict = "inconclusive"
    if 1 - conformance <= rule.risk:
        verdict = "pass"
    elif conformance <= rule.risk:
        verdict = "fail"
    return Decision(
        verdict=verdict,
        rule=rule.name,
        risk=risk,
        conformance=conformance,
        bound=bound,
        sample_factor=_sample_factor(conformance, rule.risk) if verdict == "inconclusive" else None,
        note=note,
    )


def missing_for_decision(estimate: Estimate | str, rule: DecisionRule) -> str | None:
    """Say why a rule cannot decide with an estimate; None if it can."""
    if not rule.guarded:
        return None
    if isinstance(estimate, str):
        return f"no interval can be formed: {estimate.removeprefix('no interval: ')}"
    low, high = estimate.interval(1 - 2 * rule.risk)
    if math.isfinite(low) and math.isfinite(high):
        return None
    side = "upper" if math.isfinite(low) else "lower"
    return f"the interval has no finite {side} bound at a risk of {rule.risk:g}"


def format_probability(value: float) -> str:
    """Write a probability with three digits; one close to 0 or 1 as a bound."""
    if value < 0.001:
        return "< 0.001"
    return "> 0.999" if value > 0.999 else f"{value:.3f}"


def margin(value: float, operator: str, limit: float) -> float:
    """Distance to the limit in the metric's unit, positive if the limit is met."""
    return limit - value if operator.startswith("<") else value - limit


def explain_inconclusive(decision: Decision, limited_by: str, stars: int, visits: int) -> str:
    """Say why a decision is inconclusive and which sample would settle it.

    Parameters
    ----------
    decision : Decision
    limited_by : {"stars", "visits", "both"}
        What contributes most to the uncertainty.
    stars, visits : int
        Size of the sample.
    """
    text = (
        f"the true value meets the limit with a probability of {format_probability(decision.conformance or 0.0)}, "
        f"which neither passes nor fails at a risk of {decision.risk:g}"
    )
    factor = decision.sample_factor
    if factor is None:
        return f"{text}: the estimate lies on the limit, and no finite sample would settle it"
    needed = {name: max(n + 1, math.ceil(n * factor)) for name, n in (("stars", stars), ("visits", visits))}
    if limited_by == "both":
        larger = f"about {needed['stars']:,} stars in {needed['visits']:,} visits instead of {stars:,} in {visits:,}"
        return f"{text}; limited by stars and visits: {larger} would settle it, if the estimate does not change"
    now = stars if limited_by == "stars" else visits
    larger = f"about {needed[limited_by]:,} {limited_by} instead of {now:,}"
    return f"{text}; limited by {limited_by}: {larger} would settle it, if the estimate does not change"


def _sample_factor(conformance: float, risk: float) -> float | None:
    """Factor by which the sample must grow to decide.

    The estimate is taken to stay, and its error to fall as 1 / sqrt(sample).

    In units of that error the limit is ``z = Phi^-1(conformance)`` away, and must be ``Phi^-1(1 - risk)`` away.
    """
    normal = NormalDist()
    distance = abs(normal.inv_cdf(conformance))
    required = normal.inv_cdf(1 - risk)
    return (required / distance) ** 2 if required**2 <= MAX_SAMPLE_FACTOR * distance**2 else None


def _explain_conflict(value: float, unbiased: float, *, value_meets: bool) -> str:
    """Say that the value as defined and the unbiased one lead to different verdicts."""
    first, second = ("meets the limit", "does not") if value_meets else ("does not meet the limit", "does")
    return f"the value as defined, {value:.4g}, {first}; without its bias, {unbiased:.4g}, it {second}"
