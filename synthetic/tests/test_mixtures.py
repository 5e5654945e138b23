"""Tests of the verdicts of scenarios that mix many effects, with their stored results."""

import pytest
from skyaccept.lib.results import model
from skyaccept.synthetic import baselines, scenario


def values(name: str) -> dict[str, list[float | None]]:
    """Return measured values over limits, by clause without its band group."""
    found: dict[str, list[float | None]] = {}
    bands = scenario.load(name).visits.number
    for result in (one for one in model.load(baselines.shipped()[name]).results if one.band in bands):
        assert result.limit is not None
        clause = result.clause.removesuffix("gri").removesuffix("uzy")
        found.setdefault(clause, []).append(None if result.value is None else result.value / result.limit)
    return found


SHAPES = {"TE1", "TE2", "TEF-TE3", "TE3", "TEF-TE4", "TE4"}


@pytest.mark.slow
def test_year_of_lsst_meets_every_clause() -> None:
    """Only shapes miss their limits, which are far below the noise of so few stars."""
    found = values("lsst-year")
    assert found.keys() > SHAPES
    ratios = [ratio for clause in found.keys() - SHAPES for ratio in found[clause]]
    assert all(ratio is not None and ratio <= 1 for ratio in ratios)


def test_few_visits_of_hsc_measure_all_clauses_but_am3() -> None:
    """There are no shapes, and no z for the colour with i."""
    found = values("hsc-few-visits")
    lost = {clause for clause, ratios in found.items() if None in ratios}
    assert lost == {"AM3", "AF3", "AD3", "PA5", *SHAPES}


def test_many_visits_of_ztf_meet_only_limits_on_means() -> None:
    found = values("ztf-many-visits")
    passing = {clause for clause, ratios in found.items() if all(ratio is not None and ratio <= 1 for ratio in ratios)}
    assert passing == {"AA1", "PA3", "PF2", "PA4", "PA6"}
