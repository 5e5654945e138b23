r"""Measured value, its distribution and limit to verdict, after JCGM 106:2012.

The *conformance probability* is the probability that the true value meets the limit (clause 7), and one minus it the
*specific consumer's risk* of accepting what does not (clause 9.3.2). The two decision rules (clause 8):

- ``guarded``: pass where that risk is at most ``risk``, fail where the conformance probability is at most ``risk``,
  inconclusive otherwise. The guard band is what the uncertainty asks for: a value passes where its one-sided bound at
  the level of confidence :math:`1 - \mathrm{risk}` meets the limit.
- ``simple``: the value as defined is compared with the limit (simple acceptance); its risk near the limit is about
  one half.
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal, Protocol

from skyaccept.lib.exceptions import InputError

Verdict = Literal["pass", "fail", "inconclusive", "not_measurable", "waived", "error"]

RULES = ("guarded", "simple")
DEFAULT_RULE = "guarded"
DEFAULT_RISK = 0.05

MOST_GROWTH = 1000.0
"""Factor beyond which no larger sample is named: the estimate lies on the limit, as far as anybody can tell."""

_MEETS = {"<=": operator.le, "<": operator.lt, ">=": operator.ge, ">": operator.gt}


class Distribution(Protocol):
    """What is known of the true value: an estimate with one distribution behind interval and conformance."""

    @property
    def value(self) -> float:
        """Estimate of the true value."""

    @property
    def method(self) -> str:
        """How it was found, in words."""

    @property
    def limited_by(self) -> Literal["stars", "visits", "both"]:
        """What the width of the distribution comes from."""

    def interval(self, confidence: float) -> tuple[float, float]:
        """Two-sided interval with equal tails."""

    def conformance(self, relation: str, limit: float, /) -> float:
        """Probability that the true value meets the limit."""


@dataclass(frozen=True)
class DecisionRule:
    """How verdicts are made; ``risk`` is that of ``guarded``.

    Raises
    ------
    InputError
        No such rule, or not a risk below one half.
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
        """Whether the distribution decides, and not the value alone."""
        return self.name == "guarded"


@dataclass(frozen=True)
class Decision:
    """A verdict and what it rests on; values in the metric's unit.

    Attributes
    ----------
    verdict : Verdict
    rule : {"guarded", "simple"}
    risk : float, optional
        Of ``guarded``.
    conformance : float, optional
        Probability that the true value meets the limit; None without a distribution.
    bound : float, optional
        One-sided bound at the level of confidence 1 - risk, on the side of the limit: what meets the limit for a pass.
    growth : float, optional
        Of an inconclusive one: about how many times the sample would settle it; None where no finite one would.
    note : str, optional
        That the value as defined and the unbiased one lead to different verdicts.
    reason : str, optional
        Why nothing can be decided.
    """

    verdict: Verdict
    rule: str
    risk: float | None = None
    conformance: float | None = None
    bound: float | None = None
    growth: float | None = None
    note: str | None = None
    reason: str | None = None


def decide(
    value: float,
    relation: str,
    limit: float,
    rule: DecisionRule,
    known: Distribution | str,
) -> Decision:
    """Decide whether a limit is met.

    Parameters
    ----------
    value, limit : float
        Measured value, as its definition has it, and limit, in the metric's unit.
    relation : {"<=", "<", ">=", ">"}
        How the true value has to stand to the limit.
    rule : DecisionRule
    known : Distribution or str
        What is known of the true value, or the reason why nothing is.

    Returns
    -------
    Decision
        Its verdict is pass, fail, inconclusive, or not_measurable where the rule needs a distribution with finite
        bounds and there is none.

    Raises
    ------
    ValueError
        The value, or its estimate, is not finite, or the conformance is no probability: that is an error of the
        measurement and must not look like a verdict.
    """
    if not math.isfinite(value):
        raise ValueError(f"the measured value is {value}")
    by_value = _MEETS[relation](value, limit)
    simple: Verdict = "pass" if by_value else "fail"
    risk = rule.risk if rule.guarded else None
    if isinstance(known, str):
        missing = lacking(known, rule)
        return Decision(simple if missing is None else "not_measurable", rule.name, risk, reason=missing)
    if not math.isfinite(known.value):
        raise ValueError(f"the estimate of the true value is {known.value}")
    conformance = known.conformance(relation, limit)
    if not 0 <= conformance <= 1:
        raise ValueError(f"the conformance probability is {conformance}")
    note = _difference(value, known.value, by_value, _MEETS[relation](known.value, limit))
    if not rule.guarded:
        return Decision(simple, rule.name, conformance=conformance, note=note)
    missing = lacking(known, rule)
    if missing is not None:
        return Decision("not_measurable", rule.name, risk, note=note, reason=missing)
    bound = known.interval(1 - 2 * rule.risk)[relation.startswith("<")]
    if 1 - conformance <= rule.risk:
        verdict: Verdict = "pass"
    else:
        verdict = "fail" if conformance <= rule.risk else "inconclusive"
    growth = _growth(conformance, rule.risk) if verdict == "inconclusive" else None
    return Decision(verdict, rule.name, risk, conformance, bound, growth, note)


def lacking(known: Distribution | str, rule: DecisionRule) -> str | None:
    """Say why a rule can decide nothing with what is known; None where it can."""
    if not rule.guarded:
        return None
    if isinstance(known, str):
        return f"no interval can be formed: {known}"
    low, high = known.interval(1 - 2 * rule.risk)
    if math.isfinite(low) and math.isfinite(high):
        return None
    side = "upper" if math.isfinite(low) else "lower"
    return f"the interval has no finite {side} bound at a risk of {rule.risk:g}"


def probability(value: float) -> str:
    """Write a probability to three digits, one next to 0 or 1 as a bound."""
    if value < 0.001:
        return "< 0.001"
    return "> 0.999" if value > 0.999 else f"{value:.3f}"


def margin(value: float, relation: str, limit: float) -> float:
    """Distance to the limit in the metric's unit, positive where the limit is met."""
    return limit - value if relation.startswith("<") else value - limit


def outlook(decision: Decision, limited_by: str, stars: int, visits: int) -> str:
    """Say why a decision is inconclusive and what would settle it, for a sample of so many stars and visits."""
    said = (
        f"the true value meets the limit with a probability of {probability(decision.conformance or 0.0)}, which "
        f"neither passes nor fails at a risk of {decision.risk:g}"
    )
    growth = decision.growth
    if growth is None:
        return f"{said}: the estimate lies on the limit, and no finite sample would settle it"
    wanted = {name: max(n + 1, math.ceil(n * growth)) for name, n in (("stars", stars), ("visits", visits))}
    if limited_by == "both":
        what = f"about {wanted['stars']:,} stars in {wanted['visits']:,} visits in place of {stars:,} in {visits:,}"
        return f"{said}; limited by stars and visits: {what} would settle it, if the estimate stays"
    now = stars if limited_by == "stars" else visits
    what = f"about {wanted[limited_by]:,} {limited_by} in place of {now:,}"
    return f"{said}; limited by {limited_by}: {what} would settle it, if the estimate stays"


def _growth(conformance: float, risk: float) -> float | None:
    """How many times the sample would settle it, if the estimate stays and its error falls as 1 / sqrt(sample).

    In units of that error the limit is ``z = Phi^-1(conformance)`` away, and has to be ``Phi^-1(1 - risk)`` away.
    """
    normal = NormalDist()
    away = abs(normal.inv_cdf(conformance))
    asked = normal.inv_cdf(1 - risk)
    return (asked / away) ** 2 if asked**2 <= MOST_GROWTH * away**2 else None


def _difference(value: float, unbiased: float, by_value: bool, by_unbiased: bool) -> str | None:
    """Say in words where the two values lead to different verdicts."""
    if by_value == by_unbiased:
        return None
    meets = ("meets the limit", "does not") if by_value else ("does not meet the limit", "does")
    return f"the value as defined, {value:.4g}, {meets[0]}; without its bias, {unbiased:.4g}, it {meets[1]}"
