"""Measured value and limit to verdict."""

from __future__ import annotations

import math
import operator
from typing import Literal

Verdict = Literal["pass", "fail", "inconclusive", "not_measurable", "waived", "error"]

_MEETS = {"<=": operator.le, "<": operator.lt, ">=": operator.ge, ">": operator.gt}


def decide(value: float, relation: str, limit: float) -> Verdict:
    """Compare a measured value with its limit, both in the metric's unit.

    Parameters
    ----------
    value, limit : float
    relation : {"<=", "<", ">=", ">"}
        How the value has to stand to the limit.

    Returns
    -------
    {"pass", "fail"}

    Raises
    ------
    ValueError
        The value is not finite: that is an error of the measurement and must not look like a verdict.
    """
    if not math.isfinite(value):
        raise ValueError(f"the measured value is {value}")
    return "pass" if _MEETS[relation](value, limit) else "fail"


def margin(value: float, relation: str, limit: float) -> float:
    """Distance to the limit in the metric's unit, positive where the limit is met."""
    return limit - value if relation.startswith("<") else value - limit
