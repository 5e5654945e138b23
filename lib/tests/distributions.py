"""Distributions of a true value for the tests of what is decided on them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

LimitedBy = Literal["stars", "visits", "both"]


@dataclass(frozen=True)
class Normal:
    """Normal about an estimate."""

    value: float
    error: float
    limited_by: LimitedBy = "visits"
    method: str = "normal"

    def interval(self, confidence: float) -> tuple[float, float]:
        """Interval with equal tails."""
        half = NormalDist().inv_cdf((1 + confidence) / 2) * self.error
        return self.value - half, self.value + half

    def conformance(self, relation: str, limit: float) -> float:
        """Probability on the good side of the limit."""
        below = NormalDist(self.value, self.error).cdf(limit)
        return below if relation.startswith("<") else 1 - below


@dataclass(frozen=True)
class LogNormal:
    """Normal in the logarithm, with a relative error."""

    value: float
    error: float
    limited_by: LimitedBy = "stars"
    method: str = "log-normal"

    def interval(self, confidence: float) -> tuple[float, float]:
        """Interval with equal tails."""
        low, high = Normal(math.log(self.value), self.error).interval(confidence)
        return math.exp(low), math.exp(high)

    def conformance(self, relation: str, limit: float) -> float:
        """Probability on the good side of the limit."""
        return Normal(math.log(self.value), self.error).conformance(relation, math.log(limit))


@dataclass(frozen=True)
class Unbounded(Normal):
    """Without a finite upper bound."""

    def interval(self, confidence: float) -> tuple[float, float]:
        """Half a line."""
        return super().interval(confidence)[0], math.inf
