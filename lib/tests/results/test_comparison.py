"""Runs against their baselines: what is the same, what is worse, and what cannot be told."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import numpy as np
import pytest
from skyaccept.lib import measure, requirements
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.results.comparison import Change, compare, regressions, with_baseline
from skyaccept.lib.results.model import Results
from skyaccept.lib.tests import samples

pytestmark = pytest.mark.xdist_group("comparison")  # what these tests share is made once

STARS, VISITS, SIGMA = 250, 10, 6.0


@cache
def sky(seed: int = 1) -> AssociatedDetections:
    """Stars seen in all visits, with errors of magnitudes as well."""
    rng = np.random.default_rng(seed)
    found = samples.detections(*samples.scattered(rng, STARS, VISITS, SIGMA, (40.0, -20.0)))
    return dataclasses.replace(found, mag=20 + rng.normal(0, 0.004, len(found)), sha256=f"sky {seed}")


def processed(found: AssociatedDetections, extra: float, seed: int = 5) -> AssociatedDetections:
    """Another processing of the same images: small errors of its own, mas."""
    shift = np.random.default_rng(seed).normal(0, extra / 3.6e6, (2, len(found)))
    ra = found.ra + shift[0] / np.cos(np.radians(found.dec))
    return dataclasses.replace(found, ra=ra, dec=found.dec + shift[1], sha256=f"{found.sha256} + {extra} {seed}")


def verified(found: AssociatedDetections, **options: Any) -> Results:
    return measure.run(found, requirements.load(), measure.Options(bands=["r"], **options))


@cache
def baseline() -> Results:
    return verified(sky())


def change_of(changes: tuple[Change, ...], clause: str) -> Change:
    return next(change for change in changes if change.test == f"OSS-REQ-0388-{clause}-r")


@pytest.mark.slow
def test_a_run_on_the_same_data_is_the_same_to_the_last_digits() -> None:
    found = compare(baseline(), verified(sky()))
    assert [change.test for change in found] == [result.test for result in baseline().results]
    assert {change.flag for change in found} == {"same"}
    assert not regressions(with_baseline(baseline(), verified(sky()), "base.json"))


@pytest.mark.slow
def test_a_new_estimate_or_interval_of_equal_data_is_a_change() -> None:
    """One at another confidence is none."""
    before = baseline()

    def after(**parts: float) -> tuple[str, str | None]:
        moved = [
            dataclasses.replace(
                r,
                value_unbiased=r.value_unbiased * parts.get("estimate", 1.0),
                interval={
                    **r.interval,
                    "low": parts.get("low", 1.0) * (r.interval["low"] or 0.0),
                    "high": parts.get("high", 1.0) * (r.interval["high"] or 0.0),
                    "confidence": parts.get("confidence", 1.0) * r.interval["confidence"],
                },
            )
            for r in before.results
            if r.test.endswith("AM1-r") and r.value_unbiased is not None and r.interval is not None
        ]
        found = change_of(compare(before, dataclasses.replace(before, results=tuple(moved))), "AM1")
        return found.flag, found.reason

    assert after() == ("same", None)
    assert (
        after(estimate=1 + 1e-5)[1] == "another estimate of the true value, of the same data under the same definition"
    )
    assert after(low=1 + 1e-5)[1] == "another interval, of the same data under the same definition"
    assert after(high=1 - 1e-5)[0] == "changed"
    assert after(estimate=1 + 1e-8) == ("same", None)
    assert after(high=1.2, confidence=0.9 / 0.95)[0] == "same"


@pytest.mark.slow
def test_any_new_value_of_the_same_data_is_a_change() -> None:
    results = [
        dataclasses.replace(r, value=None if r.value is None else r.value * (1 + 1e-8)) for r in baseline().results
    ]
    changed = compare(baseline(), dataclasses.replace(baseline(), results=tuple(results)))
    measured = [change for change in changed if change.after is not None]
    assert len(measured) >= 6
    assert {change.flag for change in measured if change.before} == {"changed"}


@pytest.mark.slow
def test_pairing_shows_a_processing_worse_by_a_few_per_cent() -> None:
    """3 mas on 6 add 12 %; as two independent surveys nobody could tell 5 %, as the same stars and visits one can."""
    worse = compare(baseline(), verified(processed(sky(), 3.0)))
    am1 = change_of(worse, "AM1")
    assert (am1.flag, am1.paired) == ("worse", True)
    assert "OSS-REQ-0388-AM1-r" in regressions(with_baseline(baseline(), verified(processed(sky(), 3.0)), "base.json"))
    assert am1.difference == pytest.approx(SIGMA * np.sqrt(2) * (np.sqrt(1.25) - 1), rel=0.5)
    assert am1.low is not None
    assert 0 < am1.low < (am1.difference or 0) < (am1.high or 0)
    back = change_of(compare(verified(processed(sky(), 3.0)), baseline()), "AM1")
    assert back.flag == "better"
    assert back.difference == pytest.approx(-(am1.difference or 0))


@pytest.mark.slow
def test_equally_good_processings_compare_as_the_same() -> None:
    again = compare(verified(processed(sky(), 1.0, 6)), verified(processed(sky(), 1.0, 7)))
    flags = [change.flag for change in again if change.difference is not None]
    assert len(flags) >= 6
    assert flags.count("same") >= len(flags) - 1


@pytest.mark.slow
def test_another_sky_is_independent_with_a_wider_interval() -> None:
    paired = change_of(compare(baseline(), verified(processed(sky(), 1.0))), "AM1")
    alone = change_of(compare(baseline(), verified(sky(2))), "AM1")
    assert (alone.flag, alone.paired) == ("same", False)
    assert paired.paired

    def width(change: Change) -> float:
        return (change.high or 0) - (change.low or 0)

    assert width(alone) > 2 * width(paired)


@pytest.mark.slow
def test_the_interval_of_a_difference_is_that_of_plain_loops() -> None:
    after = verified(processed(sky(), 3.0))
    found = change_of(compare(baseline(), after), "AM1")
    old, new = (
        next(r for r in run.results if r.clause == "AM1").data["replicates"]["design"]["value"]
        for run in (baseline(), after)
    )
    variance = 0.0
    for kind in ("visits", "stars"):
        d = [b - a for a, b in zip(old[kind], new[kind], strict=True)]
        mean = sum(d) / len(d)
        variance += (len(d) - 1) / len(d) * sum((x - mean) ** 2 for x in d)
    assert found.low is not None
    assert found.difference is not None
    assert found.difference == new["all"][0] - old["all"][0]
    half = found.difference - found.low
    assert 1.9 * np.sqrt(variance) < half < 2.3 * np.sqrt(variance)


@pytest.mark.slow
def test_what_cannot_be_compared_says_why() -> None:
    """Another definition, other parameters, clauses of one run only, values without intervals."""
    other = compare(baseline(), verified(sky(), definition="srd"))
    assert {c.flag for c in other if "0388-AM" in c.test} == {"not_comparable"}
    assert "measured under lvv-t1278 before, under srd now" in {c.reason for c in other}
    fewer = dataclasses.replace(baseline(), results=baseline().results[3:])
    assert [c.flag for c in compare(baseline(), fewer)][-3:] == ["gone"] * 3
    assert [c.flag for c in compare(fewer, baseline())][:3] == ["new"] * 3
    alone = change_of(compare(baseline(), verified(sky(2), confidence=None)), "AM1")
    assert alone.flag == "not_comparable"
    assert "no interval was asked for" in str(alone.reason)
    stretched = compare(baseline(), verified(sky(2), level="stretch"))
    assert change_of(stretched, "AF1").flag == "not_comparable"
    assert change_of(stretched, "AM1").flag == "same"


def test_clauses_that_a_run_was_not_asked_for_are_not_gone() -> None:
    part = dataclasses.replace(baseline(), results=baseline().results[:4])
    left_out = [result.test for result in baseline().results[4:]]
    found = with_baseline(baseline(), part, "base.json", left_out).baseline
    assert found is not None
    assert [change["test"] for change in found["changes"]] == [result.test for result in part.results]
    assert regressions(with_baseline(baseline(), part, "base.json")) == left_out
