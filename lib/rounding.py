"""Numbers with few digits, and data as JSON has it."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
"""An object of JSON."""


def round_significant(value: float, digits: int = 6) -> float:
    """Round a number to significant digits, as data of a result are stored."""
    return float(f"{value:.{digits}g}")
