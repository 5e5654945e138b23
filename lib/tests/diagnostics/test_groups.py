"""Breakdowns of clauses against plain loops, key by key; what cannot be broken down; what the results say."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest
from skyaccept.lib import measure, requirements
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.catalog.reference import Reference
from skyaccept.lib.decision.rule import DecisionRule
from skyaccept.lib.diagnostics import breakdown, groups
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.results import model, schema
from skyaccept.lib.results.model import Result
from skyaccept.lib.results.sentences import summary
from skyaccept.lib.tests import reference
from skyaccept.lib.tests.residuals import STARS, residuals_of_magnitudes, residuals_of_pairs, survey
from skyaccept.lib.tests.samples import detections, moving_stars, scattered

pytestmark = pytest.mark.xdist_group("cells")  # what these tests share is made once

ALL = tuple(groups.KEYS)
NORMAL = statistics.NormalDist().inv_cdf(0.75)


def one(found: AssociatedDetections, clause: str, by: Sequence[str], band: str = "r", **options: Any) -> Result:
    """Result of one clause of LSE-30; without intervals unless a confidence is given."""
    specification = requirements.load()
    measurer = measure.Measurer(found, specification, measure.Options(breakdown=by, **({"confidence": None} | options)))
    return measurer.measure(next(case for case in specification.cases([band]) if case.clause.id == clause))


def scaled(found: AssociatedDetections, factor: float) -> AssociatedDetections:
    """With errors of magnitudes that are larger by a factor."""
    assert found.mag is not None
    mean = np.bincount(found.object, found.mag) / np.bincount(found.object)
    return dataclasses.replace(found, mag=mean[found.object] + factor * (found.mag - mean[found.object]))


def median_size(residuals: Sequence[float]) -> float:
    return statistics.median(abs(r) for r in residuals)


def cells_by(key: str, rows: tuple[int, ...]) -> set[str]:
    """Cells of a measurement, by plain look-up."""
    d = survey()
    if key == "visit":
        return {d.visits[d.visit[rows[0]]]}
    assert d.detector is not None
    return {str(d.detector[k]) for k in rows}


@pytest.mark.parametrize("key", ["visit", "detector"])
@pytest.mark.parametrize("clause", ["PA1gri", "AM1"])
def test_cells_hold_what_plain_loops_put_into_them(clause: str, key: str) -> None:
    """Number of measurements and of objects, and the value, of each cell; and of all together."""
    d = survey()
    residuals = residuals_of_magnitudes() if clause == "PA1gri" else residuals_of_pairs()
    expected: dict[str, list[tuple[float, tuple[int, ...]]]] = defaultdict(list)
    for residual, rows in residuals:
        for name in cells_by(key, rows):
            expected[name].append((residual, rows))
    found = one(d, clause, [key]).data["breakdown"][key]
    assert {cell["name"] for cell in found["cells"]} == set(expected)
    assert (found["count"], found["outside"]) == (len(expected), 0)
    assert found["value"] == pytest.approx(median_size([r for r, _ in residuals]) / NORMAL, rel=1e-6)
    for cell in found["cells"]:
        inside = expected[cell["name"]]
        assert cell["measurements"] == len(inside)
        assert cell["objects"] == len({int(d.object[k]) for _, rows in inside for k in rows})
        if cell["value"] is not None:
            assert cell["value"] == pytest.approx(median_size([r for r, _ in inside]) / NORMAL, rel=6e-6)
            assert (cell["low"] or 0.0) < cell["value"] < (cell["high"] or 0.0)


@pytest.mark.parametrize(
    ("definition", "clause", "sized", "of"),
    [("faro", "AD1", False, "percentile"), ("faro", "AF1", True, "above"), ("validate_drp", "AD1", False, "std")],
)
def test_errors_about_the_median_of_all_are_so_in_each_cell(definition: str, clause: str, sized: bool, of: str) -> None:
    """What is subtracted is the median of all measurements, not that of the cell."""
    widths = {"percentile": (1.0, 1.0), "above": (1.0, 1.0), "std": (statistics.NormalDist().inv_cdf(0.95), NORMAL)}
    wide, middle = widths[of]
    residuals = residuals_of_pairs(4, 6, 3 if definition == "faro" else 2)
    center = median_size([r for r, _ in residuals]) / middle

    def value(part: Sequence[float]) -> float:
        errors = [abs(r) / wide - center for r in part]
        errors = [abs(e) for e in errors] if sized else errors
        return 100 * sum(e > 20 for e in errors) / len(errors) if of == "above" else reference.percentile(errors, 90)

    found = one(survey(bad_visit=None), clause, ["visit"], definition=definition).data["breakdown"]["visit"]
    assert found["of"].endswith("less the median of all")
    assert sum(cell["measurements"] for cell in found["cells"]) == len(residuals)
    assert found["value"] == pytest.approx(value([r for r, _ in residuals]), rel=1e-6)
    for cell in found["cells"]:
        inside = [r for r, rows in residuals if survey().visits[survey().visit[rows[0]]] == cell["name"]]
        assert cell["value"] == pytest.approx(value(inside), rel=6e-6)


@pytest.mark.parametrize(("key", "column"), [("airmass", "airmass"), ("magnitude", "mag")])
def test_bins_are_those_of_plain_loops(key: str, column: str) -> None:
    """Edges at the quintiles of the measurements; the magnitude of a star is its mean."""
    d = survey()
    values = getattr(d, column)
    of_star = [statistics.fmean(values[d.object == star]) for star in range(STARS)]
    measured = [(of_star[d.object[k]] if key == "magnitude" else values[k], r) for r, (k,) in residuals_of_magnitudes()]
    edges = [reference.percentile([m for m, _ in measured], 20 * k) for k in range(6)]
    found = one(d, "PA1gri", [key]).data["breakdown"][key]
    by_name = {cell["name"]: cell for cell in found["cells"]}
    assert len(by_name) == 5
    for k in range(5):
        inside = [r for m, r in measured if edges[k] <= m < edges[k + 1] or (k == 4 and m == edges[5])]
        digits = 3 if key == "airmass" else 2
        cell = by_name[f"{edges[k]:.{digits}f} to {edges[k + 1]:.{digits}f}"]
        assert cell["measurements"] == len(inside)
        assert cell["value"] == pytest.approx(median_size(inside) / NORMAL, rel=6e-6)


@pytest.mark.parametrize("center", [(0.0, 20.0), (150.0, 89.95), (77.0, -90.0)])
def test_regions_share_the_stars_and_are_named_by_their_middle(center: tuple[float, float]) -> None:
    """Also at RA = 0 and at the poles."""
    d = survey(center)
    found = one(d, "PA1gri", ["sky"]).data["breakdown"]["sky"]
    assert sum(cell["measurements"] for cell in found["cells"]) == len(d)
    assert sum(cell["objects"] for cell in found["cells"]) == STARS
    assert {cell["objects"] for cell in found["cells"]} == {20}
    for cell in found["cells"]:
        ra, dec = (float(part) for part in cell["name"].removeprefix("around RA ").removesuffix(" deg").split(", Dec "))
        assert 0 <= ra < 360.0005
        assert reference.haversine((ra, dec), center) < 0.16 * 3.6e6


@pytest.mark.slow
def test_every_breakdown_accounts_for_all_measurements() -> None:
    """All keys at once; each cell is shown, and cells of one detection each share all measurements."""
    d = survey()
    seen = set()
    for definition in ("lvv-t1278", "srd", "faro", "validate_drp", "analysis_tools"):
        specification = requirements.load()
        keys = ALL if definition == "srd" else ("visit", "airmass")
        made = measure.run(
            d, specification, measure.Options(bands=["r"], definition=definition, breakdown=keys, confidence=None)
        )
        schema.check_results(model.normalize_json(made.to_json()), "results")
        for result in made.results:
            if result.value is None:
                continue
            assert set(result.data["breakdown"]) == set(keys)
            for found in result.data["breakdown"].values():
                assert found["outside"] == 0
                assert found["count"] == len(found["cells"])
                assert math.isfinite(found["value"])
            by_visit = result.data["breakdown"]["visit"]
            by_airmass = result.data["breakdown"]["airmass"]
            assert sum(c["measurements"] for c in by_visit["cells"]) == sum(
                c["measurements"] for c in by_airmass["cells"]
            )
            seen.add((result.metric, by_visit["of"]))
    assert len(seen) > 10


def test_only_a_survey_with_a_bad_visit_names_one() -> None:
    """Without being asked, where a clause fails; the sentence says it once."""
    failed = one(scaled(survey(bad_visit=4), 2), "PA1gri", (), confidence=0.95)
    assert failed.verdict == "fail"
    assert list(failed.data["breakdown"]) == ["visit", "detector", "sky"]
    by = failed.data["breakdown"]["visit"]
    assert (by["worst"], by["cells"][0]["name"], by["departing"], by["confidence"]) == ("v004", "v004", 1, 0.95)
    ratio = by["cells"][0]["ratio"]
    assert ratio == pytest.approx(3, rel=0.35)
    assert f"; worst: visit v004, {ratio:.2g} times the rest (1 of 8 visits is an outlier)" in summary(failed)
    good = one(scaled(survey(), 3), "PA1gri", (), confidence=0.95)
    assert good.verdict == "fail"
    assert summary(good).endswith("; no outlying visit, detector or region")


def test_a_catalog_without_detectors_and_a_run_without_intervals() -> None:
    """A failure is explained without the detectors; where values alone are asked for it is not."""
    plain = dataclasses.replace(scaled(survey(), 3), detector=None)
    assert list(one(plain, "PA1gri", (), confidence=0.95).data["breakdown"]) == ["visit", "sky"]
    assert "breakdown" not in one(plain, "PA1gri", ()).data


def test_where_nothing_can_be_told_apart_the_sentence_says_so() -> None:
    few = scaled(survey(), 3)
    rows = few.object < 9
    names = [f.name for f in dataclasses.fields(few) if isinstance(getattr(few, f.name), np.ndarray)]
    cut = dataclasses.replace(
        few, **{name: getattr(few, name)[rows] for name in names}, flags={k: v[rows] for k, v in few.flags.items()}
    )
    result = one(cut, "PA1gri", (), confidence=0.95)
    assert result.verdict == "fail"
    assert summary(result).endswith("; too few measurements to tell visits, detectors or regions apart")


def test_passing_clauses_are_broken_down_only_on_request() -> None:
    verdicts = {}
    for factor in (0.5, 1.25, 3):
        result = one(scaled(survey(), factor), "PA1gri", (), confidence=0.95, rule=DecisionRule("guarded"))
        verdicts[result.verdict] = "breakdown" in result.data
    assert verdicts == {"pass": False, "inconclusive": True, "fail": True}
    asked = one(survey(), "AM1", ["visit"], confidence=0.95)
    assert asked.verdict == "pass"
    assert list(asked.data["breakdown"]) == ["visit"]
    assert "outlying" not in summary(asked)


@pytest.mark.parametrize(("key", "column"), [("detector", "detector"), ("airmass", "airmass")])
def test_a_key_without_its_column_is_refused_by_name(key: str, column: str) -> None:
    nothing: dict[str, Any] = {column: None}
    without = dataclasses.replace(survey(), **nothing)
    with pytest.raises(InputError, match=f"no column for '{column}', which --breakdown visit,{key} needs"):
        one(without, "AM1", ["visit", key])


def test_an_unknown_key_is_refused_with_the_list_of_keys() -> None:
    with pytest.raises(InputError, match=r"--breakdown color: not one of visit, detector, airmass, magnitude, sky"):
        one(survey(), "AM1", ["visit", "color"])
    with pytest.raises(InputError, match=r"--breakdown : not one of"):
        measure.needs(requirements.load(), [], measure.Options(breakdown=[""]))


def test_columns_for_automatic_breakdowns_are_always_needed() -> None:
    specification = requirements.load()
    always = {"detector", "mag", "mjd", "airmass", "visit_group"}
    assert measure.needs(specification, []) == always
    assert measure.needs(specification, [], measure.Options(breakdown=list(groups.KEYS))) == always


def test_measurements_without_an_airmass_are_counted_as_such() -> None:
    d = survey()
    assert d.airmass is not None
    airmass = np.where(np.arange(len(d)) % 10 == 0, np.nan, d.airmass)
    found = one(dataclasses.replace(d, airmass=airmass), "PA1gri", ["airmass"]).data["breakdown"]["airmass"]
    assert found["outside"] == np.count_nonzero(np.isnan(airmass))
    assert sum(cell["measurements"] for cell in found["cells"]) == len(d) - found["outside"]
    same = one(dataclasses.replace(d, airmass=np.full(len(d), 1.25)), "PA1gri", ["airmass"]).data["breakdown"][
        "airmass"
    ]
    assert [(cell["name"], cell["ratio"]) for cell in same["cells"]] == [("1.250", None)]


def moving() -> tuple[AssociatedDetections, Reference]:
    """Moving stars, the positions of visit 2 all 30 mas to the north."""
    found, catalog = moving_stars(np.random.default_rng(3), 150, 8, 5.0)
    return dataclasses.replace(found, dec=found.dec + np.where(found.visit == 2, 30 / 3.6e6, 0)), catalog


@pytest.mark.parametrize("definition", ["srd", "analysis_tools"])
def test_a_shifted_visit_is_the_worst_of_absolute_astrometry(definition: str) -> None:
    """Offsets count as they stand; the value of each visit is that of a plain loop, of the larger coordinate."""
    found, catalog = moving()
    result = one(found, "AA1", ["visit"], reference=catalog, definition=definition)
    by = result.data["breakdown"]["visit"]
    assert by["worst"] == by["cells"][0]["name"] == "2"
    assert by["cells"][0]["value"] == pytest.approx(30, abs=2)
    assert max(cell["value"] or 0.0 for cell in by["cells"][1:]) < 8


@cache
def two_bands() -> AssociatedDetections:
    """Visits 0 to 4 in r and 5 to 9 in i; visit 7 is 30 mas to the north."""
    rng = np.random.default_rng(8)
    ra, dec, star, visit = scattered(rng, 150, 10, 5.0, (10.0, 5.0))
    dec = dec + np.where(visit == 7, 30 / 3.6e6, 0)
    return detections(ra, dec, star, visit, band=(visit >= 5).astype(np.int64))


@pytest.mark.parametrize(
    ("definition", "clause", "value"),
    [
        ("srd", "AB1", 30.6),  # rms about zero
        ("srd", "ABF1", 77.0),  # beyond 20 mas of the mean of all visits, 24 mas away, with an error of 5.5
        ("srd", "AB2", 32.0),
        ("analysis_tools", "AB1", 30.6),
        ("analysis_tools", "ABF1", 0.0),  # about the median of the visit a shift of all is nothing
    ],
)
def test_a_shifted_visit_of_another_band(definition: str, clause: str, value: float) -> None:
    """What the metric subtracts is subtracted: a constant shift of a visit shows in AB1, and not about its median."""
    result = one(two_bands(), clause, ["visit"], "i", definition=definition)
    by = result.data["breakdown"]["visit"]
    cell = next(cell for cell in by["cells"] if cell["name"] == "7")
    assert cell["value"] == pytest.approx(value, rel=0.1, abs=1.5)
    assert by["count"] == 5
    if clause == "AB1":
        assert by["cells"][0] == cell


def test_pairs_of_visits_have_no_cells_and_say_so() -> None:
    result = one(two_bands(), "AB1", ["visit"], "i", definition="faro")
    assert result.value is not None
    assert "breakdown" not in result.data
    assert result.data["no_breakdown"] == (
        "no breakdown: an error (scatter of the separations between two visits, one of each band) is made of several "
        "measurements and is attributed to none of them"
    )


def test_many_cells_are_kept_in_part_and_counted_in_full() -> None:
    rng = np.random.default_rng(2)
    ra, dec, star, visit = scattered(rng, 100, 60, 5.0, (10.0, 5.0))
    found = detections(ra, dec, star, visit)
    mag = 18 + rng.normal(0, 0.004, len(ra)) * np.where(visit == 17, 3, 1)
    by = one(dataclasses.replace(found, mag=mag), "PA1gri", ["visit"]).data["breakdown"]["visit"]
    assert (by["count"], by["judged"], len(by["cells"])) == (60, 60, breakdown.SHOWN)
    assert by["worst"] == by["cells"][0]["name"] == "17"


def test_the_order_of_rows_changes_no_cell() -> None:
    d = survey()
    order = np.random.default_rng(1).permutation(len(d))
    names = [f.name for f in dataclasses.fields(d) if isinstance(getattr(d, f.name), np.ndarray)]
    other = dataclasses.replace(
        d, **{name: getattr(d, name)[order] for name in names}, flags={k: v[order] for k, v in d.flags.items()}
    )
    for clause in ("PA1gri", "AM1"):
        here, there = (one(part, clause, ALL).data["breakdown"] for part in (d, other))
        for key in ALL:
            for a, b in zip(here[key]["cells"], there[key]["cells"], strict=True):
                assert {n: v for n, v in a.items() if not isinstance(v, float)} == {
                    n: v for n, v in b.items() if not isinstance(v, float)
                }
                assert [a[n] for n in ("value", "low", "high", "ratio", "significance")] == pytest.approx(
                    [b[n] for n in ("value", "low", "high", "ratio", "significance")], rel=1e-6
                )


def test_cells_of_detectors_have_the_names_of_the_catalog() -> None:
    d = survey()
    names = tuple(f"ccd{k:02d}" for k in range(9))
    found = one(dataclasses.replace(d, detectors=names), "PA1gri", ["detector"], confidence=0.95).data
    assert {cell["name"] for cell in found["breakdown"]["detector"]["cells"]} == set(names)
    assert found["dependence"]["detectors"]["name"] == list(names)
