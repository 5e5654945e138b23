"""Tables, headlines and numbers of the terminal."""

import pytest
from skyaccept.lib.report import text
from skyaccept.lib.results.model import Result, Results
from skyaccept.lib.tests.records import DATASET, RUN
from skyaccept.lib.tests.report.results import result


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
    ("confidences", "heading"),
    [((0.9, None, 0.9), "estimate (90 % CI)"), ((0.9, 0.95), "estimate (CI)"), ((None,), "estimate (CI)")],
)
def test_the_heading_of_estimates_names_the_confidence_in_use(
    confidences: tuple[float | None, ...], heading: str
) -> None:
    intervals = [None if one is None else {"confidence": one, "low": 1.0, "high": 9.0} for one in confidences]
    run = Results(RUN, DATASET, tuple(result(interval=interval) for interval in intervals))
    assert text.estimate_heading(run) == heading
