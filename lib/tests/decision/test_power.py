"""Plans against a direct simulation of decisions."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from scipy import stats
from skyaccept.lib import requirements
from skyaccept.lib.decision.error_model import ErrorModel
from skyaccept.lib.decision.power import Plan, _distance_density
from skyaccept.lib.decision.rule import DecisionRule, decide
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.metrics import METRICS
from skyaccept.lib.report import power as planning
from skyaccept.lib.uncertainty.distribution import Estimate
from skyaccept.lib.uncertainty.statistic import Statistic

SPECIFICATION = requirements.load()
CASES = {case.id: case for case in SPECIFICATION.cases()}
GUARDED = DecisionRule("guarded", 0.05)


def plan(clause: str = "OSS-REQ-0388-AM1-r", **changes: Any) -> Plan:
    """Plan of a clause under its own definition."""
    case = CASES[clause]
    made = Plan(case, SPECIFICATION.definitions[case.clause.definition], 3000, 5, GUARDED)
    return replace(made, **changes)


@dataclass(frozen=True)
class Student(Estimate):
    """Student's t in the logarithm, farther above than below."""

    error: float = 1.0
    freedom: float = 1.0

    def interval(self, confidence: float) -> tuple[float, float]:
        """Interval with equal tails."""
        half = float(stats.t.ppf((1 + confidence) / 2, self.freedom)) * self.error
        return self.value * math.exp(-half), self.value * math.exp(half + half**2)

    def conformance(self, operator: str, limit: float) -> float:
        """Probability of being below the limit."""
        away = math.log(limit / self.value)
        even = (math.sqrt(1 + 4 * away) - 1) / 2 if away > 0 else away
        return float(stats.t.cdf(even / self.error, self.freedom))


def student(value: float, error: float, freedom: float) -> Student:
    """Return the estimate with a standard error in the logarithm and its degrees of freedom."""
    return Student(value, "t", "stars", (), error=error, freedom=freedom)


@pytest.mark.slow
@pytest.mark.parametrize("true", [8.5, 9.0, 10.0, 11.0])
def test_probabilities_are_those_of_simulated_decisions(true: float) -> None:
    """Estimates about the true value, with errors as uncertain as the plan says, decided one by one."""
    made = plan()
    found = made.sampling_error(true)
    freedom = made.degrees_of_freedom(found)
    rng = np.random.default_rng(2)
    number = 4000
    estimates = true * np.exp(found.error * rng.standard_normal(number))
    errors = found.error * np.sqrt(rng.chisquare(freedom, number) / freedom)
    verdicts: list[str] = [
        decide(x, "<=", 10.0, GUARDED, student(x, s, freedom)).verdict for x, s in zip(estimates, errors, strict=True)
    ]
    chances = made.verdict_probabilities(true)
    for verdict, chance in zip(
        ("pass", "inconclusive", "fail"), (chances.passed, chances.inconclusive, chances.failed), strict=True
    ):
        assert verdicts.count(verdict) / number == pytest.approx(chance, abs=4 * math.sqrt(0.25 / number))


@pytest.mark.slow
@pytest.mark.parametrize("clause", ["AM1-r", "AF1-r", "AD1-r", "AB1-i", "ABF1-i", "AB2-i", "AA1-r"])
def test_on_the_limit_a_clause_passes_with_the_risk(clause: str) -> None:
    made = plan(f"OSS-REQ-0388-{clause}", model=ErrorModel(0.3, 0.1))
    for risk in (0.05, 0.2):
        chances = replace(made, rule=DecisionRule("guarded", risk)).verdict_probabilities(made.limit)
        assert chances.passed == pytest.approx(risk, abs=1e-6)
        assert chances.failed == pytest.approx(risk, abs=1e-6)
        assert chances.inconclusive == pytest.approx(1 - 2 * risk, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("share", [4.0, 9.0, 10.0, 14.0])
def test_a_percentage_is_settled_as_its_quantile_is(share: float) -> None:
    """AF1 allows 10 % above the limit of AD1, the 90 % quantile, of the same errors."""
    percentage, quantile = plan("OSS-REQ-0388-AF1-r"), plan("OSS-REQ-0388-AD1-r")
    assert (percentage.limit, percentage.question.at) == (10, quantile.limit)
    true = quantile.limit * percentage.simulated.quantile(0.1) / percentage.simulated.quantile(share / 100)
    found, expected = percentage.verdict_probabilities(share), quantile.verdict_probabilities(true)
    assert found.passed == pytest.approx(expected.passed)
    assert found.failed == pytest.approx(expected.failed)


def test_simple_compares_the_value_as_defined() -> None:
    """Pair rms of five visits read low, so that more than half of what lies on the limit passes."""
    made = plan("OSS-REQ-0388-AM1-r", rule=DecisionRule("simple"))
    assert made.sampling_error(10.0).expected_reading == pytest.approx(0.915, abs=0.01)
    assert made.verdict_probabilities(10.0).passed > 0.95
    assert made.verdict_probabilities(10.0 / made.sampling_error(10.0).expected_reading).passed == pytest.approx(
        0.5, abs=1e-6
    )
    assert made.verdict_probabilities(10.0).inconclusive == 0


def test_every_limit_has_an_error_model_or_is_refused() -> None:
    """Or of errors that it has no model of: of exposures, of medians of all stars, of products of pairs."""
    for case in SPECIFICATION.cases():
        if case.clause.id.startswith(("PA3", "PF2", "PA4", "PA5", "PA6", "TE")):
            with pytest.raises(InputError, match="there is no model of the errors of"):
                plan(case.id)
            continue
        for level in case.clause.levels:
            made = plan(case.id, level=level)
            assert made.question.kind in ("percentile", "above", "rms")
            assert made.is_fraction == (METRICS[case.clause.metric].unit == "percent")


@pytest.mark.parametrize(
    ("clause", "question"),
    [
        ("OSS-REQ-0388-AM1-r", Statistic("percentile", 50)),
        ("OSS-REQ-0388-AF1-r", Statistic("above", 20)),
        ("OSS-REQ-0388-AD1-r", Statistic("percentile", 90)),
        ("OSS-REQ-0387-PF1uzy-u", Statistic("above", 22.5)),
        ("OSS-REQ-0388-AB1-i", Statistic("rms")),
        ("OSS-REQ-0388-AA1-r", Statistic("percentile", 50, sized=True)),
    ],
)
def test_the_statistic_is_that_of_the_level(clause: str, question: Statistic) -> None:
    assert plan(clause).question == question


@pytest.mark.slow
@pytest.mark.parametrize("true", [8.5, 11.5])
def test_the_required_sample_is_the_smallest_enough(true: float) -> None:
    """For a pass and for a fail; the other number stays."""
    made = plan("OSS-REQ-0388-AB1-i", stars=120, model=ErrorModel(0.3, 0.02))
    stars, visits = made.required_sample(true, 0.9)
    assert stars is not None
    assert visits is not None
    assert (
        replace(made, stars=stars).correct_probability(true)
        >= 0.9
        > replace(made, stars=stars - 1).correct_probability(true)
    )
    assert (
        replace(made, visits=visits).correct_probability(true)
        >= 0.9
        > replace(made, visits=visits - 1).correct_probability(true)
    )


@pytest.mark.slow
def test_stars_cannot_make_up_for_shared_errors() -> None:
    assert plan(model=ErrorModel(0.3, 0.5)).required_sample(9.0, 0.9)[0] is None


def test_pairs_are_those_of_stars_in_a_disc() -> None:
    """Their expected number against points drawn at random, counted one by one."""
    made = plan(stars=400, radius=math.radians(0.25))
    rng, number = np.random.default_rng(3), []
    for _ in range(10):
        distance, angle = 15 * np.sqrt(rng.random(400)), rng.uniform(0, 2 * math.pi, 400)
        x, y = distance * np.cos(angle), distance * np.sin(angle)
        apart = np.hypot(x[:, None] - x, y[:, None] - y)[np.triu_indices(400, 1)]
        number.append(np.count_nonzero((apart >= 4.5) & (apart < 5.5)))
    assert made.pairs == pytest.approx(np.mean(number), rel=0.02)
    assert sum(_distance_density(s) for s in np.linspace(0, 2, 2001)) / 1000 == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"level": "best"}, "no limit at level best"),
        ({"stars": 1}, "--stars 1: not from 2"),
        ({"visits": 1}, "--visits 1: not from 2 to 200"),
        ({"visits": 201}, "--visits 201"),
        ({"radius": math.radians(0.02)}, "no pair of 5 arcmin among 3000 stars within 0.02 deg"),
        ({"radius": math.nan}, "--field nan deg"),
        ({"definition": SPECIFICATION.definitions["validate_drp"], "case": CASES["OSS-REQ-0388-AF1-r"]}, "excess_rms"),
        ({"definition": SPECIFICATION.definitions["lvv-t1278"], "case": CASES["OSS-REQ-0387-PA1gri-r"]}, "not cover"),
    ],
)
def test_an_invalid_plan_is_an_input_error(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        plan(**changes)


def test_invalid_true_values_and_powers_are_input_errors() -> None:
    for true in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(InputError, match=f"--true-value {true:g}"):
            plan().verdict_probabilities(true)
    with pytest.raises(InputError, match="--true-value 100: not a value in percent"):
        plan("OSS-REQ-0388-AF1-r").verdict_probabilities(100.0)
    with pytest.raises(InputError, match=r"--power 0\.05"):
        plan().required_sample(9.0, 0.05)
    with pytest.raises(InputError, match="--true-value 10 lies on the limit"):
        plan().required_sample(10.0, 0.9)


@pytest.mark.slow
def test_the_required_sample_can_be_planned_for() -> None:
    """A fraction near zero: three visits show no outliers and are not suggested."""
    made = plan("OSS-REQ-0387-PF1gri-r")
    _, visits = made.required_sample(0.2, 0.9)
    assert visits == 4
    assert replace(made, visits=visits).correct_probability(0.2) >= 0.9
    with pytest.raises(InputError, match="too close to 0 or 100 %"):
        replace(made, visits=visits - 1).verdict_probabilities(0.2)


@pytest.mark.slow
def test_text_and_plot_show_probabilities_and_assumptions() -> None:
    made = plan(model=ErrorModel(0.3, 0.05))
    text = "\n".join(planning.lines(made, 9.5, 0.9))
    chances = made.verdict_probabilities(9.5)
    assert 0.01 < chances.inconclusive < 0.99
    (row,) = [line for line in text.splitlines() if line.endswith(" <")]
    assert row.split()[:4] == ["9.5", "mas", f"{chances.passed:.3f}", f"{chances.inconclusive:.3f}"]
    assert "5 % of the variance shared by the stars of a visit, as an affine distortion" in text
    stars, visits = made.required_sample(9.5, 0.9)
    assert f"to pass with a probability of 0.9: {stars:,} stars in 5 visits, or {visits} visits of 3,000 stars" in text
    drawn = planning.plot(made, 9.5)
    assert drawn == planning.plot(made, 9.5)
    root = ElementTree.fromstring(drawn)
    lines = [node for node in root.iter() if node.tag.endswith("polyline")]
    assert [node.get("class") for node in lines] == ["passed", "inconclusive", "failed"]
    simple = planning.plot(replace(made, rule=DecisionRule("simple")), 9.5)
    assert ">inconclusive<" in drawn
    assert ">inconclusive<" not in simple
    assert any("affine distortion" in (node.text or "") for node in root.iter())
