"""The bar against the numbers that it shows."""

import re
from dataclasses import replace
from xml.etree import ElementTree as Tree

import pytest
from skyaccept.lib.report import interval_bar, rerun_command, text, text_bar
from skyaccept.lib.results.model import LevelResult, Result, Results
from skyaccept.lib.tests.records import DATASET, RUN

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


def numbers(svg: str) -> dict[str, list[list[float]]]:
    """Places along the axis, as values, by class."""
    found: dict[str, list[list[float]]] = {}
    limit = float(re.search('class="limit" x1="([0-9.]+)"', svg)[1])  # type: ignore[index]
    scale = 10.0 / (limit - 4)
    for node in Tree.fromstring(svg).iter():
        name = node.get("class", "")
        at = [node.get(key) for key in ("x1", "x2", "cx") if node.get(key)]
        if node.get("d"):
            at = [str(float(re.match("M([0-9.]+)", node.get("d", ""))[1]) + 3)]  # type: ignore[index]
        found.setdefault(name, []).append([(float(str(x)) - 4) * scale for x in at])
    return found


def test_value_estimate_interval_and_limits_stand_where_they_belong() -> None:
    found = numbers(interval_bar.draw_result(result()))
    assert found["value"] == [[pytest.approx(6.0, abs=0.02)]]
    assert found["estimate"] == [[pytest.approx(7.0, abs=0.02)]]
    assert found["interval"] == [[pytest.approx(6.5, abs=0.02), pytest.approx(8.0, abs=0.02)]]
    assert found["other"] == [[pytest.approx(5.0, abs=0.02)] * 2]  # that of 20 mas lies beyond the end


def test_an_interval_that_reaches_far_ends_in_an_arrow() -> None:
    svg = interval_bar.draw_result(
        result(interval={"confidence": 0.95, "low": None, "high": None, "method": "m"}, verdict="fail")
    )
    assert '<path class="interval"' not in svg
    far = interval_bar.draw_result(result(interval={"confidence": 0.95, "low": 1.0, "high": 1e9, "method": "m"}))
    assert '<path class="interval"' in far
    assert "6.000, estimate 7.000 (1.000 to 1.000e+09); limits design &lt;= 10, minimum" in far


def test_what_was_not_measured_has_no_bar_and_two_runs_have_one() -> None:
    nothing = result(value=None, verdict="not_measurable", interval=None, value_unbiased=None)
    assert interval_bar.draw_result(nothing) == ""
    assert interval_bar.draw_pair(nothing, None) == ""
    assert interval_bar.draw_pair(result(), None).count("<circle") == 1
    both = interval_bar.draw_pair(result(), result(value=9.0))
    assert both.count("<circle") == 2
    assert [node.get("class") for node in Tree.fromstring(both) if node.tag == "g"] == ["before", "after"]


def test_a_bar_escapes_what_it_says() -> None:
    assert "<script" not in interval_bar.draw_result(result(unit="<script>", levels={"<script>": LEVELS["design"]}))


def test_the_bar_of_characters_shows_the_same() -> None:
    """Of 20 characters the limit of 10 takes the 17th, so that one is 0.6."""
    drawn = text_bar.draw(result())
    assert len(drawn) == text_bar.WIDTH
    limit = drawn.index("|")
    scale = 10.0 / limit
    assert drawn.index("\N{BLACK CIRCLE}") * scale == pytest.approx(6.0, abs=scale)
    interval = [k for k, character in enumerate(drawn) if character == "\N{EN DASH}"]
    assert interval[-1] * scale == pytest.approx(8.0, abs=scale)
    assert drawn[limit + 1 :].strip() == ""


def test_the_bar_of_characters_says_where_an_interval_goes_on() -> None:
    far = {"confidence": 0.95, "low": 1.0, "high": 1e9, "method": "m"}
    assert text_bar.draw(result(interval=far)).endswith(">")
    assert text_bar.draw(result(interval=far | {"high": None})).endswith(">")
    assert text_bar.draw(result(value=None)) == ""
    assert text_bar.draw(result(limit=None)) == ""


def test_bars_stand_in_the_table_where_there_is_room_for_them() -> None:
    run = Results(RUN, DATASET, (result(),))
    wide, narrow = (text.table(run, width) for width in (200, 80))
    assert [line for line, _ in wide if "\N{BLACK CIRCLE}" in line]
    assert not [line for line, _ in narrow if "\N{BLACK CIRCLE}" in line]
    assert narrow == text.table(run)
    assert max(len(line) for line, _ in wide) <= 200


def test_the_headline_says_why_clauses_cannot_be_measured() -> None:
    """Reasons that differ in a band or a number are one; of more than two the rest is counted."""

    def lacking(reason: str) -> Result:
        return result(value=None, verdict="not_measurable", reason=reason)

    bands = [lacking(f"the dataset has no detections in band {band}; it has r") for band in "uzy"]
    assert text.headline(Results(RUN, DATASET, (result(), *bands))) == (
        "1 of 4 clauses meet the design level; 3 cannot be measured with this dataset because the dataset has no "
        "detections in band u, z or y"
    )
    others = [lacking(f"no pair of objects {k}.5 arcmin apart") for k in (5, 200)] + [lacking("x"), lacking("y")]
    assert text.headline(Results(RUN, DATASET, (*bands, *others))).endswith(
        "7 cannot be measured with this dataset because 3, the dataset has no detections in band u, z or y; 2, no pair "
        "of objects 5.5 arcmin apart; 2 for other reasons"
    )


@pytest.mark.parametrize(
    ("run", "again"),
    [
        ("pytest acceptance --dataset a.parquet", "pytest acceptance --dataset a.parquet -k R-AM1-r"),
        ("pytest --html r.html --sky-results=r.json -q", "pytest -q -k R-AM1-r"),
        ("pytest --history h --dataset 'a b'", "pytest --dataset 'a b' -k R-AM1-r"),
        ("skyaccept.lib.measure.run", "skyaccept.lib.measure.run"),
        ("pytest 'unbalanced", "pytest 'unbalanced"),
        ("", ""),
    ],
)
def test_a_case_is_measured_again_without_what_the_run_wrote(run: str, again: str) -> None:
    assert rerun_command.rerun_command(run, "R-AM1-r") == again


@pytest.mark.parametrize(
    ("confidences", "heading"),
    [((0.9, None, 0.9), "estimate (90 % CI)"), ((0.9, 0.95), "estimate (CI)"), ((None,), "estimate (CI)")],
)
def test_the_heading_of_estimates_names_the_confidence_in_use(
    confidences: tuple[float | None, ...], heading: str
) -> None:
    intervals = [None if one is None else {"confidence": one, "low": 1.0, "high": 9.0} for one in confidences]
    run = Results(RUN, DATASET, tuple(result(interval=interval) for interval in intervals))
    assert text.estimate_heading(run) == heading
