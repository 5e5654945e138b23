"""Estimates with normal and log-normal distributions, for tests of decisions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from skyaccept.lib.uncertainty.distribution import Estimate

LimitedBy = Literal["stars", "visits", "both"]


@dataclass(frozen=True)
class _Normal(Estimate):
    """Normal about ``center`` with a standard error."""

    center: float = 0.0
    error: float = 1.0

    def interval(self, confidence: float) -> tuple[float, float]:
        """Interval with equal tails."""
        half = NormalDist().inv_cdf((1 + confidence) / 2) * self.error
        return self.center - half, self.center + half

    def conformance(self, operator: str, limit: float) -> float:
        """Probability on the good side of the limit."""
        below = NormalDist(self.center, self.error).cdf(limit)
        return below if operator.startswith("<") else 1 - below


@dataclass(frozen=True)
class _LogNormal(_Normal):
    """Normal in the logarithm."""

    def interval(self, confidence: float) -> tuple[float, float]:
        """Interval with equal tails."""
        low, high = super().interval(confidence)
        return math.exp(low), math.exp(high)

    def conformance(self, operator: str, limit: float) -> float:
        """Probability on the good side of the limit."""
        return super().conformance(operator, math.log(limit))


@dataclass(frozen=True)
class _Unbounded(_Normal):
    """Without a finite upper bound."""

    def interval(self, confidence: float) -> tuple[float, float]:
        """Half a line."""
        return super().interval(confidence)[0], math.inf


def normal(value: float, error: float, limited_by: LimitedBy = "visits") -> Estimate:
    """Return an estimate with a normal distribution."""
    return _Normal(value, "normal", limited_by, (), center=value, error=error)


def log_normal(value: float, error: float, limited_by: LimitedBy = "stars") -> Estimate:
    """Return an estimate with a log-normal distribution and a relative error."""
    return _LogNormal(value, "log-normal", limited_by, (), center=math.log(value), error=error)


def unbounded(value: float, error: float) -> Estimate:
    """Return an estimate with a normal distribution that states no upper bound."""
    return _Unbounded(value, "unbounded", "visits", (), center=value, error=error)
