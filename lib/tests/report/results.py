"""A result for tests of what reports show."""

from dataclasses import replace

from skyaccept.lib.results.model import LevelResult, Result

LEVELS = {
    name: LevelResult({}, "<=", limit, "somewhere", 6.0, "pass")
    for name, limit in (("design", 10.0), ("minimum", 20.0), ("stretch", 5.0))
}


def result(**parts: object) -> Result:
    """AM1 of 6 mas, 7 (6.5 to 8) in truth, against 10 mas."""
    base = Result(
        requirement="R", clause="AM1", document="D", kind="performance", metric="m", title="t", text="x", band="r",
        definition="d", unit="mas", operator="<=", level="design", value=6.0, limit=10.0, verdict="pass", reason=None,
        parameters={}, levels=LEVELS, sample=None, test="R-AM1-r", value_unbiased=7.0,
        interval={"confidence": 0.95, "low": 6.5, "high": 8.0, "method": "m"},
    )  # fmt: skip
    return replace(base, **parts)  # type: ignore[arg-type]
