"""Decision rules: verdict, risk, bound, and the sample that would settle it."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skyaccept.lib.decision.rule import DEFAULT_RULE, Decision, DecisionRule, decide, explain_inconclusive, margin
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.tests.distributions import LimitedBy, log_normal, normal, unbounded

SIMPLE, GUARDED = DecisionRule("simple"), DecisionRule("guarded", 0.05)


@pytest.mark.parametrize(
    ("value", "operator", "limit", "verdict"),
    [
        (10.0, "<=", 10.0, "pass"),
        (10.0, "<", 10.0, "fail"),
        (10.0001, "<=", 10.0, "fail"),
        (0.9, ">=", 0.95, "fail"),
        (0.95, ">=", 0.95, "pass"),
        (0.95, ">", 0.95, "fail"),
    ],
)
def test_simple_compares_value_and_limit(value: float, operator: str, limit: float, verdict: str) -> None:
    """With or without a distribution, which shows its conformance and decides nothing."""
    assert decide(value, operator, limit, SIMPLE, "no interval") == Decision(verdict=verdict, rule="simple")  # type: ignore[arg-type]
    known = decide(value, operator, limit, SIMPLE, normal(limit, 1.0))
    assert (known.verdict, known.bound, known.risk) == (verdict, None, None)
    assert known.conformance == pytest.approx(0.5)
    assert (margin(value, operator, limit) >= 0) or verdict == "fail"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_value_that_is_not_finite_is_never_a_verdict(value: float) -> None:
    for rule in (SIMPLE, GUARDED):
        with pytest.raises(ValueError, match="measured value"):
            decide(value, "<=", 10.0, rule, normal(9, 1))
        with pytest.raises(ValueError, match="estimate of the true value"):
            decide(9.0, "<=", 10.0, rule, normal(value, 1))


def test_a_conformance_outside_0_to_1_is_never_a_verdict() -> None:
    with pytest.raises(ValueError, match="conformance probability is nan"):
        decide(9.0, "<=", 10.0, GUARDED, normal(9.0, math.nan))


# one standard error of 1: the quantile of the normal distribution at 0.95 is 1.6449
@pytest.mark.parametrize(
    ("estimate", "operator", "verdict"),
    [
        (8.355, "<=", "pass"),
        (8.356, "<=", "inconclusive"),
        (10.0, "<", "inconclusive"),
        (11.644, "<=", "inconclusive"),
        (11.645, "<", "fail"),
        (8.355, ">=", "fail"),
        (8.356, ">", "inconclusive"),
        (11.644, ">=", "inconclusive"),
        (11.645, ">", "pass"),
    ],
)
def test_guarded_passes_and_fails_at_the_stated_risk(estimate: float, operator: str, verdict: str) -> None:
    found = decide(estimate, operator, 10.0, GUARDED, normal(estimate, 1.0))
    assert found.verdict == verdict
    assert found.bound == pytest.approx(estimate + (1.6449 if operator.startswith("<") else -1.6449), abs=1e-4)
    assert found.risk == 0.05


@given(
    estimate=st.floats(0.1, 100),
    error=st.floats(0.01, 3),
    limit=st.floats(0.1, 100),
    risk=st.floats(0.001, 0.49),
    operator=st.sampled_from(["<=", "<", ">=", ">"]),
)
def test_bound_and_conformance_agree(estimate: float, error: float, limit: float, risk: float, operator: str) -> None:
    """A pass is where the bound meets the limit, a fail where the one on the other side does not."""
    known = log_normal(estimate, error)
    found = decide(estimate, operator, limit, DecisionRule("guarded", risk), known)
    low, high = known.interval(1 - 2 * risk)
    if min(abs(math.log(low / limit)), abs(math.log(high / limit))) > 1e-9:
        inside = high < limit if operator.startswith("<") else low > limit
        outside = low > limit if operator.startswith("<") else high < limit
        assert found.verdict == ("pass" if inside else "fail" if outside else "inconclusive")
    assert (found.verdict == "inconclusive") or found.sample_factor is None


def test_false_acceptance_at_the_limit_is_the_stated_risk() -> None:
    """Direct Monte Carlo: estimates about a true value just above the limit."""
    rng = np.random.default_rng(1)
    estimates = 10.0 * np.exp(0.08 * rng.standard_normal(20_000))
    share = {}
    for rule in (SIMPLE, GUARDED):
        verdicts = [decide(x, "<=", 9.9999, rule, log_normal(x, 0.08)).verdict for x in estimates]
        share[rule.name] = verdicts.count("pass") / len(verdicts)
    assert share["guarded"] == pytest.approx(0.05, abs=0.005)
    assert share["simple"] == pytest.approx(0.5, abs=0.011)


def test_guarded_needs_a_finite_bound() -> None:
    found = decide(9.0, "<=", 10.0, GUARDED, "one visit is too few")
    assert (found.verdict, found.reason) == ("inconclusive", "no interval can be formed: one visit is too few")
    found = decide(9.0, "<=", 10.0, GUARDED, unbounded(1.0, 0.1))
    assert (found.verdict, found.bound) == ("inconclusive", None)
    assert "no finite upper bound at a risk of 0.05" in str(found.reason)
    assert decide(9.0, "<=", 10.0, SIMPLE, unbounded(1.0, 0.1)).verdict == "pass"


@pytest.mark.parametrize(
    ("value", "unbiased", "words"),
    [
        (9.5, 11.0, "the value as defined, 9.5, meets the limit; without its bias, 11, it does not"),
        (10.5, 9.0, "the value as defined, 10.5, does not meet the limit; without its bias, 9, it does"),
        (9.0, 9.5, None),
        (11.0, 12.0, None),
    ],
)
def test_a_note_says_that_the_bias_changes_the_verdict(value: float, unbiased: float, words: str | None) -> None:
    for rule in (SIMPLE, GUARDED):
        assert decide(value, "<=", 10.0, rule, normal(unbiased, 0.1)).note == words


@pytest.mark.parametrize(("limited_by", "estimate"), [*itertools.product(["stars", "visits", "both"], [9.0, 11.2])])
def test_the_suggested_sample_settles_it(limited_by: LimitedBy, estimate: float) -> None:
    """With the estimate where it is and an error that falls as 1 / sqrt(sample), a little less does not settle it."""
    found = decide(estimate, "<=", 10.0, GUARDED, normal(estimate, 1.0))
    assert found.sample_factor is not None
    for factor, settled in ((1.001, True), (0.999, False)):
        again = normal(estimate, 1 / math.sqrt(found.sample_factor * factor))
        assert (decide(estimate, "<=", 10.0, GUARDED, again).verdict != "inconclusive") == settled
    words = explain_inconclusive(found, limited_by, 300, 5)
    stars, visits = f"{math.ceil(300 * found.sample_factor):,} stars", f"{math.ceil(5 * found.sample_factor)} visits"
    assert (stars in words) == (limited_by in ("stars", "both"))
    assert (visits in words) == (limited_by in ("visits", "both"))


def test_on_the_limit_no_finite_sample_settles_it() -> None:
    found = decide(10.0, "<=", 10.0, GUARDED, normal(10.0, 1.0))
    assert (found.verdict, found.sample_factor) == ("inconclusive", None)
    assert "no finite sample would settle it" in explain_inconclusive(found, "visits", 300, 5)
    assert "a probability of 0.500," in explain_inconclusive(found, "visits", 300, 5)


@pytest.mark.parametrize(
    ("name", "risk", "words"),
    [
        ("guard", 0.05, "--decision guard: not one of guarded, simple"),
        ("guarded", 0.5, "--risk 0.5"),
        ("simple", 0, "--risk 0: not"),
    ],
)
def test_an_invalid_rule_is_an_input_error(name: str, risk: float, words: str) -> None:
    with pytest.raises(InputError, match=words):
        DecisionRule(name, risk)
    with pytest.raises(InputError, match="--risk nan"):
        DecisionRule(DEFAULT_RULE, math.nan)
