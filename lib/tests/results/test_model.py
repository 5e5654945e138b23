"""Results as records and as JSON."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.requirements.waivers import Waiver
from skyaccept.lib.results import model
from skyaccept.lib.results.model import Result, in_document_order, normalize_json
from skyaccept.lib.tests.results.stored import stored_results

PA1, AM1, AF1 = stored_results().results
WAIVER = Waiver("OSS-REQ-0388", "AM1", "tilt", "A. Who", date(2027, 1, 1))


def test_a_result_comes_back_from_json() -> None:
    assert Result.from_json(normalize_json(AM1.to_json())) == AM1
    assert Result.from_json(normalize_json(AM1.to_json()) | {"unknown": 1}) == AM1


def test_a_waiver_turns_a_failure_and_keeps_a_pass() -> None:
    assert PA1.with_waiver(WAIVER).verdict == "waived"
    assert AM1.with_waiver(WAIVER).verdict == "pass"
    assert AM1.satisfied
    assert not AM1.with_waiver(WAIVER).satisfied
    broken = replace(AM1, verdict="error")
    assert broken.with_waiver(WAIVER) is broken
    assert PA1.with_waiver(None) is PA1


def test_the_margin_is_positive_if_the_limit_is_met() -> None:
    assert AM1.margin == pytest.approx(10 - 5.929191890501228)
    assert replace(AM1, operator=">=").margin == pytest.approx(5.929191890501228 - 10)
    assert replace(AM1, kind="capability").margin is None


def test_results_of_a_kind_are_picked_and_counted() -> None:
    assert [one.clause for one in stored_results().of_kind("performance")] == ["PA1gri", "AM1", "AF1"]
    assert stored_results().of_kind("diagnostic") == ()
    assert stored_results().count("pass") == 2


def test_results_are_sorted_as_their_documents() -> None:
    assert in_document_order([AF1, PA1, AM1], [PA1.test, AM1.test, AF1.test]) == (PA1, AM1, AF1)


def test_file_names_that_are_not_text_survive() -> None:
    assert normalize_json({"name": os.fsdecode(b"bad\xff.csv"), "of": (1, 2)}) == {
        "name": "bad\\udcff.csv",
        "of": [1, 2],
    }
    with pytest.raises(ValueError, match="Out of range float"):
        model.dumps({"value": float("nan")})


def test_a_file_that_is_no_results_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    with pytest.raises(InputError, match=r"results\.json: cannot be read: No such file"):
        model.load(path)
    path.write_text(json.dumps({"schema": "skyaccept-results/2"}), encoding="utf-8")
    with pytest.raises(InputError, match=r"results\.json: not in the results schema skyaccept-results/1"):
        model.load(path)


def test_a_notebook_shows_a_row_for_each_case() -> None:
    page = stored_results()._repr_html_()
    assert page.count("<tr>") == 4
    assert "<td>5.929</td><td>&lt;= 10</td>" in page
