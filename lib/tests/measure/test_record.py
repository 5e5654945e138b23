"""What becomes of estimates, decision rules and waivers in the record of a case."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any
from xml.etree import ElementTree as Tree

import pytest
from skyaccept.lib import requirements
from skyaccept.lib.decision.rule import DecisionRule
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.measure.record import Measurement, make_result
from skyaccept.lib.report import html, maps, text
from skyaccept.lib.requirements.model import Case
from skyaccept.lib.requirements.waivers import Waiver
from skyaccept.lib.results import model, schema
from skyaccept.lib.results.model import Result, Results, SampleSummary
from skyaccept.lib.results.sentences import summary
from skyaccept.lib.tests.distributions import log_normal, unbounded
from skyaccept.lib.uncertainty.distribution import Estimate

SAMPLE = SampleSummary(300, 5, 2000, 10_000, 1500, 1500, {})
LEVELS = ("design", "minimum", "stretch")
AM1 = "OSS-REQ-0388-AM1-r"
GUARDED = DecisionRule("guarded", 0.05)
WAIVER = Waiver("OSS-REQ-0388", "AM1", "bad <optics>", "A. Who", date(2030, 1, 31))


@pytest.fixture(scope="module")
def case() -> Callable[[str], Case]:
    """Case by its test id."""
    found = {case.id: case for case in requirements.load(["LSE-30", "LSE-61", "diagnostics"]).cases()}
    return found.__getitem__


def measured(value: float, known: Estimate | str) -> Measurement:
    """Measurement with the same value and distribution at every level."""
    names = ("", *LEVELS)
    values, estimates = dict.fromkeys(names, value), dict.fromkeys(names, known)
    return Measurement(summary=SAMPLE, values=values, method="all pairs", estimates=estimates)


def conforming(*found: Result) -> Any:
    """Results JSON of some results, which conforms to the schema."""
    dataset: Any = {"name": "d", "source": "d", "sha256": "0", "survey": "generic", "bands": ["r"], "reference": None}
    dataset["notes"] = []
    dataset |= dict.fromkeys(("detections", "objects", "visits"), 1)
    run: Any = dict.fromkeys(("skyaccept", "command", "python"), "x")
    run |= {"started": "2026-11-20T00:00:00+00:00", "seconds": 1.0, "packages": {}}
    data = json.loads(model.dumps(Results(run, dataset, found).to_json()))
    schema.check_results(data, "results")
    return data


def page(*found: Result) -> tuple[str, str]:
    """Report and terminal table of some results."""
    data = conforming(*found)
    whole = Results(data["run"], data["dataset"], tuple(found))
    return html.body(whole), "\n".join(line for line, _ in text.table(whole))


def test_the_limits_of_all_levels_are_decided_at_the_same_risk(case: Callable[[str], Case]) -> None:
    """At 9.5 mas with an error of 6 %: inconclusive at 10 mas, pass at 20, fail at 5."""
    found = make_result(case(AM1), "lvv-t1278", "design", measured(9.5, log_normal(9.5, 0.06)), GUARDED)
    assert {name: level.verdict for name, level in found.levels.items()} == dict(
        zip(LEVELS, ("inconclusive", "pass", "fail"), strict=True)
    )
    assert found.verdict == "inconclusive"
    assert not found.satisfied
    assert found.decision == found.levels["design"].decision
    assert found.levels["design"].conformance == pytest.approx(0.8037, abs=1e-4)
    assert found.decision is not None
    assert found.decision["bound"] == pytest.approx(10.485, abs=1e-3)
    assert found.decision["growth"] == pytest.approx(3.70, abs=0.01)
    assert (
        "the design limit is <= 10 mas and the bound at a risk of 0.05 is 10.49 mas: inconclusive, the true value "
        "meets the limit with a probability of 0.804, which neither passes nor fails at a risk of 0.05; limited by "
        "stars: about 1,111 stars instead of 300 would settle it, if the estimate does not change"
    ) in summary(found)
    report, table = page(found)
    assert "is 10.49 mas: inconclusive" in report
    for shown in (report, table):
        assert "0.804" in shown
        assert "limited by stars" in shown
    assert Result.from_json(model.normalize_json(found.to_json())) == found


def test_a_pass_and_a_fail_say_how_sure_they_are(case: Callable[[str], Case]) -> None:
    outcomes = [measured(x, log_normal(x, 0.03)) for x in (9.0, 11.0)]
    met, missed = (make_result(case(AM1), "lvv-t1278", "design", o, GUARDED) for o in outcomes)
    assert (met.verdict, missed.verdict) == ("pass", "fail")
    assert "is 9.455 mas: pass, the true value meets the limit with a probability of > 0.999" in summary(met)
    assert "fail, the true value meets the limit with a probability of < 0.001" in summary(missed)
    conforming(met)
    conforming(missed)


def test_simple_says_nothing_of_bounds_and_shows_the_conformance(case: Callable[[str], Case]) -> None:
    rule = DecisionRule("simple")
    found = make_result(case(AM1), "lvv-t1278", "design", measured(9.5, log_normal(9.5, 0.06)), rule)
    assert found.verdict == "pass"
    assert summary(found).endswith("the design limit is <= 10 mas, met with 0.5 mas")
    _, table = page(found)
    assert "0.804" in table
    assert "at a risk" not in table


def test_where_bias_changes_the_verdict_it_is_said(case: Callable[[str], Case]) -> None:
    found = make_result(case(AM1), "lvv-t1278", "design", measured(9.5, log_normal(11.4, 0.02)), GUARDED)
    assert found.verdict == "fail"
    words = "the value as defined, 9.5, meets the limit; without its bias, 11.4, it does not"
    assert words in summary(found)
    assert all(words in shown for shown in page(found))


def test_without_an_interval_a_limit_is_inconclusive(case: Callable[[str], Case]) -> None:
    """The value stays on record, and simple takes it as it is; a capability needs no interval."""
    for outcome, words in (
        (measured(9.0, "one visit is too few"), "one visit is too few"),
        (measured(9.0, unbounded(9.0, 0.1)), "no finite upper bound"),
    ):
        found = make_result(case(AM1), "lvv-t1278", "design", outcome, GUARDED)
        assert (found.verdict, found.value, found.measured, found.satisfied) == ("inconclusive", 9.0, True, False)
        assert words in str(found.reason)
        assert words in summary(found)
        page(found)
        assert make_result(case(AM1), "lvv-t1278", "design", outcome, DecisionRule("simple")).verdict == "pass"
        assert make_result(case("DMS-REQ-0360-AM1-r"), "lvv-t1278", "design", outcome, GUARDED).verdict == "pass"
    enough = measured(9.0, log_normal(9.0, 0.01))
    assert make_result(case(AM1), "lvv-t1278", "design", enough, GUARDED).verdict == "pass"


def test_an_end_that_bounds_nothing_is_none(case: Callable[[str], Case]) -> None:
    """Few stars can give an upper end of 1e58 mas; the record has none, and conforms to the schema."""
    found = make_result(case(AM1), "lvv-t1278", "design", measured(9.0, log_normal(9.0, 70.0)), GUARDED)
    assert found.interval is not None
    assert found.interval["high"] is None
    assert found.interval["low"] is not None
    assert found.decision is not None
    assert found.decision["bound"] is None
    conforming(found)


def test_a_capability_passes_with_an_interval_whatever_its_value(case: Callable[[str], Case]) -> None:
    outcome = measured(99.0, log_normal(99.0, 0.5))
    found = make_result(case("DMS-REQ-0360-AM1-r"), "lvv-t1278", "design", outcome, GUARDED)
    assert (found.verdict, found.reason) == ("pass", None)
    conforming(found)


def test_each_coordinate_is_named_by_its_own_name(case: Callable[[str], Case]) -> None:
    """In the sentence, and on the axes of the map, on which east is to the left."""
    outcome = measured(60.0, log_normal(60.0, 0.01))
    sky = {"center": [150.0, -20.0], "corner": [-0.2, -0.1], "width": 0.1, "columns": 4, "size": [*range(1, 9)]}
    data = {
        "coordinates": {"design": {"ra": 50.0, "dec": 60.0, "total": 70.0}},
        "dependence": {"of": "offsets", "note": "", "sky": {**sky, "number": [9] * 8}},
    }
    found = make_result(case("OSS-REQ-0388-AA1-r"), "srd", "design", replace(outcome, data=data), GUARDED)
    assert "is 60 mas (RA cos(Dec) 50, Dec 60, total 70) on" in summary(found)
    drawn = maps.sky(found)
    assert ">degrees east of RA 150.0000, north of Dec -20.0000<" in drawn
    axes = re.search(r'data-axes="(\S+) (\S+) (\S+) (\S+) ', drawn)
    assert axes is not None
    east, west, south, north = map(float, axes.groups())
    assert east >= 0.2 > -0.2 >= west
    assert south <= -0.1 < 0.1 <= north
    assert Tree.fromstring(drawn).tag == "svg"


@pytest.mark.parametrize(
    ("outcome", "verdict", "accepted"),
    [
        (measured(11.0, log_normal(11.0, 0.01)), "waived", False),
        (measured(9.9, log_normal(9.9, 0.10)), "waived", False),
        (measured(9.0, log_normal(9.0, 0.01)), "pass", False),
        (Measurement(reason="no pair"), "not_measurable", False),
        (Measurement(reason="it broke", broken=True), "error", False),
    ],
    ids=["fail", "inconclusive", "pass", "not_measurable", "error"],
)
def test_a_waiver_takes_failures_and_accuses_a_pass(
    case: Callable[[str], Case], outcome: Measurement, verdict: str, accepted: bool
) -> None:
    """What was not measured, or broke, cannot be waived."""
    found = make_result(case(AM1), "lvv-t1278", "design", outcome, GUARDED)
    waived = found.with_waiver(WAIVER)
    assert (waived.verdict, waived.satisfied) == (verdict, accepted)
    assert found.with_waiver(None) is found
    report, table = page(waived)
    shown = "A. Who until 2030-01-31: bad <optics>"
    assert (shown in summary(waived)) == (shown in table) == ("bad &lt;optics&gt;" in report)
    assert (shown in table) == (verdict in ("waived", "pass"))
    assert "<optics>" not in report
    if verdict == "pass":
        assert "it passes, so the waiver has to go, by A. Who" in summary(waived)
        assert "1 pass, and the waiver has to go" in table
    assert waived.levels == found.levels
    assert Result.from_json(model.normalize_json(waived.to_json())) == waived


@pytest.mark.parametrize(
    "changes",
    [
        {"verdict": "waived"},
        {"waiver": {"reason": "", "who": "w", "expiry": "2030-01-01"}},
        {"waiver": {"reason": "r", "who": "w", "expiry": "soon"}},
        {"waiver": {"reason": "r", "who": "w", "expiry": "2030-01-01"}},
        {"verdict": "inconclusive"},
        {"verdict": "not_measurable", "reason": "r", "decision": None},
        {"verdict": "error", "reason": "r"},
        {"decision": {"rule": "guarded"}},
    ],
)
def test_the_schema_refuses_what_cannot_be(case: Callable[[str], Case], changes: dict[str, Any]) -> None:
    found = make_result(case(AM1), "lvv-t1278", "design", measured(11.0, log_normal(11.0, 0.01)), GUARDED)
    data = conforming(found)
    data["results"][0].update(changes)
    with pytest.raises(InputError, match="not in the results schema"):
        schema.check_results(data, "results")
