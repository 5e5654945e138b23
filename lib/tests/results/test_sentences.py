"""Sentences about results."""

from __future__ import annotations

from dataclasses import replace

from skyaccept.lib.results.model import Result
from skyaccept.lib.results.records import BreakdownRecord, GroupRecord
from skyaccept.lib.results.sentences import join_words, sample_text, summary, worst_groups
from skyaccept.lib.tests.results.stored import stored_results

PA1, AM1, AF1 = stored_results().results


def with_groups(verdict: str, worst: str | None, tested: int) -> Result:
    """PA1 with a breakdown by sky of two regions."""
    group: GroupRecord = {
        "name": "a", "value": 9.0, "low": 8.0, "high": 10.0, "measurements": 100, "objects": 10, "ratio": 2.0,
        "significance": 1e-9, "departs": worst == "a",
    }  # fmt: skip
    by: BreakdownRecord = {
        "of": "", "value": 5.0, "confidence": 0.95, "count": 2, "judged": tested, "departing": int(worst is not None),
        "worst": worst, "outside": 0, "cells": [group], "note": "",
    }  # fmt: skip
    return replace(PA1, verdict=verdict, data={"breakdown": {"sky": by}})  # type: ignore[arg-type]


def test_a_summary_states_value_sample_limit_and_bound() -> None:
    assert summary(AM1).startswith("OSS-REQ-0388-AM1-r: ")
    assert " is 5.929 mas on " in summary(AM1)
    assert f" on {sample_text(AM1)} (lvv-t1278)" in summary(AM1)
    assert "; the design limit is <= 10 mas and the bound at a risk of 0.05 is " in summary(AM1)
    assert summary(AM1).endswith("the true value meets the limit with a probability of > 0.999")
    assert " (lvv-t1278, AD = 20 mas); the design limit is <= 10% " in summary(AF1)


def test_a_summary_gives_the_reason_without_a_value() -> None:
    text = summary(replace(AM1, value=None, verdict="not_measurable", reason="one\x1bvisit"))
    assert text == "OSS-REQ-0388-AM1-r: not measurable: one\\x1bvisit"


def test_a_target_is_called_a_target() -> None:
    text = summary(replace(AM1, kind="capability"))
    assert "; the design target is <= 10 mas, and the capability to measure it is what is required" in text


def test_a_waiver_is_named_with_person_and_date() -> None:
    waiver = {"reason": "tilt", "who": "A. Who", "expiry": "2027-01-01"}
    waived = replace(PA1, verdict="waived", waiver=waiver)  # type: ignore[arg-type]
    assert summary(waived).endswith("; waived by A. Who until 2027-01-01: tilt")
    passed = replace(AM1, waiver=waiver)  # type: ignore[arg-type]
    assert summary(passed).endswith("; it passes, so the waiver has to go, by A. Who until 2027-01-01: tilt")


def test_the_worst_group_is_named() -> None:
    assert worst_groups(with_groups("fail", "a", 2)) == (
        "; worst: region a, 2 times the rest (1 of 2 regions is an outlier)"
    )
    assert worst_groups(with_groups("fail", None, 2)) == "; no outlying region"
    assert worst_groups(with_groups("fail", None, 0)) == "; too few measurements to tell regions apart"
    assert worst_groups(with_groups("pass", "a", 2)) == ""


def test_words_are_joined_to_a_list() -> None:
    assert join_words(["u"], "or") == "u"
    assert join_words(["u", "z"], "or") == "u or z"
    assert join_words("uzy", "and") == "u, z and y"
