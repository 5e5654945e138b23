"""Text bar: measured value, interval and limit on one axis from zero."""

from __future__ import annotations

from skyaccept.lib.results.model import Result

WIDTH = 20
HEADING = "0 .. limit |"

_BEYOND = 1.15  # end of the axis over the larger of value and limit
_VALUE, _LIMIT, _INTERVAL, _MORE = "\N{BLACK CIRCLE}", "|", "\N{EN DASH}", ">"


def draw(result: Result) -> str:
    """Return the bar of a result; "" without a value or a limit."""
    if result.value is None or result.limit is None:
        return ""
    end = _BEYOND * max(result.value, result.limit, 1e-12)

    def column(value: float) -> int:
        return round((WIDTH - 1) * min(max(value, 0.0), end) / end)

    drawn = [" "] * WIDTH
    if result.interval is not None:
        low, high = (result.interval[name] for name in ("low", "high"))
        first, last = column(low or 0.0), column(end if high is None else high)
        drawn[first : last + 1] = _INTERVAL * (last + 1 - first)
        if high is None or high > end:
            drawn[-1] = _MORE
    drawn[column(result.limit)] = _LIMIT
    drawn[column(result.value)] = _VALUE
    return "".join(drawn)
