import pytest
from skyaccept.lib.decision import decide, margin


@pytest.mark.parametrize(
    ("value", "relation", "limit", "verdict"),
    [
        (10.0, "<=", 10.0, "pass"),
        (10.0, "<", 10.0, "fail"),
        (10.0001, "<=", 10.0, "fail"),
        (0.9, ">=", 0.95, "fail"),
        (0.95, ">=", 0.95, "pass"),
        (0.95, ">", 0.95, "fail"),
    ],
)
def test_value_against_limit(value: float, relation: str, limit: float, verdict: str) -> None:
    assert decide(value, relation, limit) == verdict
    assert (margin(value, relation, limit) >= 0) or verdict == "fail"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_value_that_is_not_finite_is_never_a_verdict(value: float) -> None:
    with pytest.raises(ValueError, match="measured value"):
        decide(value, "<=", 10.0)
