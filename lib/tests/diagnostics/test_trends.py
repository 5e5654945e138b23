"""What errors depend on against plain loops; the error model of known stars; and what is kept small."""

from __future__ import annotations

import dataclasses
import json
import math
import statistics
from typing import Any

import numpy as np
import pytest
from skyaccept.lib import measure, requirements
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.decision.rule import DecisionRule
from skyaccept.lib.diagnostics.trends import FEWEST, VISITS
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.results import schema
from skyaccept.lib.sphere import azimuthal_offsets, unit_vectors
from skyaccept.lib.tests.residuals import STARS, residuals_of_magnitudes, residuals_of_pairs, survey
from skyaccept.lib.tests.samples import detections, moving_stars, scattered

pytestmark = pytest.mark.xdist_group("cells")


def data_of(found: AssociatedDetections, clause: str = "PA1gri", **options: Any) -> dict[str, Any]:
    """What the results hold of one clause of LSE-30."""
    specification = requirements.load()
    measurer = measure.Measurer(found, specification, measure.Options(**options))
    case = next(case for case in specification.cases(["r"]) if case.clause.id == clause)
    return dict(measurer.measure(case).data)


def dependence_of(found: AssociatedDetections, clause: str = "PA1gri") -> dict[str, Any]:
    part: dict[str, Any] = data_of(found, clause)["dependence"]
    return part


def median_of(sizes: list[float]) -> float | None:
    return float(f"{statistics.median(sizes):.3g}") if len(sizes) >= FEWEST else None


@pytest.mark.parametrize("clause", ["PA1gri", "AM1"])
def test_sizes_by_visit_and_detector_are_those_of_plain_loops(clause: str) -> None:
    """A pair belongs to both of its detectors, and once to one that holds both."""
    d = survey()
    assert d.detector is not None
    assert d.airmass is not None
    found = dependence_of(d, clause)
    measured = residuals_of_magnitudes() if clause == "PA1gri" else residuals_of_pairs()
    for name, size, number in zip(*(found["detectors"][key] for key in ("name", "size", "number")), strict=True):
        part = [abs(r) for r, rows in measured if int(name) in {int(d.detector[k]) for k in rows}]
        assert (size, number) == (pytest.approx(median_of(part), rel=1e-3), len(part))
    assert found["visits"]["name"] == list(d.visits)  # no time is known
    for k, (size, airmass) in enumerate(zip(found["visits"]["size"], found["visits"]["airmass"], strict=True)):
        part = [abs(r) for r, rows in measured if d.visit[rows[0]] == k]
        assert size == pytest.approx(median_of(part), rel=1e-3)
        assert airmass == pytest.approx(statistics.fmean(d.airmass[d.visit == k]), abs=1e-3)


def test_rms_by_magnitude_is_that_of_plain_loops() -> None:
    """Each star has the standard deviation of its magnitudes; a bin holds the median of neighbours in magnitude."""
    d = survey()
    assert d.mag is not None
    found = dependence_of(d)["magnitude"]
    stars = sorted(
        (statistics.fmean(part), 1000 * statistics.stdev(part))
        for part in (d.mag[d.object == star].tolist() for star in range(STARS))
    )
    assert sum(found["number"]) == STARS
    first = 0
    for middle, rms, low, high, number in zip(
        *(found[key] for key in ("magnitude", "rms", "low", "high", "number")), strict=True
    ):
        part = stars[first : first + number]
        first += number
        assert middle == pytest.approx(statistics.median(m for m, _ in part), abs=6e-3)
        assert rms == pytest.approx(statistics.median(r for _, r in part), rel=1e-3)
        assert low <= rms <= high


def test_rms_of_pairs_stands_against_the_fainter_star() -> None:
    d = survey()
    assert d.mag is not None
    found = dependence_of(d, "AM1")["magnitude"]
    by_pair: dict[tuple[int, int], list[float]] = {}
    for r, (a, b) in residuals_of_pairs():
        by_pair.setdefault((int(d.object[a]), int(d.object[b])), []).append(r)
    mean = [float(d.mag[d.object == star].mean()) for star in range(STARS)]
    rms = {pair: math.sqrt(statistics.fmean(r * r for r in rs)) for pair, rs in by_pair.items()}
    pairs = sorted((max(mean[a], mean[b]), rms[a, b]) for a, b in rms)
    assert sum(found["number"]) == len(pairs)
    part = pairs[: found["number"][0]]
    assert found["magnitude"][0] == pytest.approx(statistics.median(m for m, _ in part), rel=1e-3)
    assert found["rms"][0] == pytest.approx(statistics.median(r for _, r in part), rel=0.02)


@pytest.mark.parametrize("center", [(150.0, 20.0), (0.0, -5.0), (40.0, 89.95), (10.0, -89.95)])
def test_a_map_puts_each_star_where_it_is(center: tuple[float, float]) -> None:
    """Also across RA = 0 and at the poles; stars of one corner of the field scatter three times as much."""
    rng = np.random.default_rng(3)
    ra, dec, star, visit = scattered(rng, 400, 8, 5.0, center, 0.02)
    found = detections(ra, np.clip(dec, -90, 90), star, visit)
    x, y = azimuthal_offsets(unit_vectors(found.ra, found.dec), unit_vectors(*np.array(center)))
    wide = (x > 0) & (y > 0)
    mag = 18 + rng.normal(0, 0.004, len(ra)) * np.where(wide, 3, 1)
    sky = dependence_of(dataclasses.replace(found, mag=mag))["sky"]
    k = np.arange(len(sky["size"]))
    size = np.array(sky["size"], dtype=float)
    east = sky["corner"][0] + (k % sky["columns"] + 0.5) * sky["width"]
    north = sky["corner"][1] + (k // sky["columns"] + 0.5) * sky["width"]
    assert sum(sky["number"]) == len(ra)
    inside = (east > sky["width"]) & (north > sky["width"]) & np.isfinite(size)
    outside = ((east < -sky["width"]) | (north < -sky["width"])) & np.isfinite(size)
    assert np.median(size[inside]) > 2 * np.median(size[outside])
    off = azimuthal_offsets(unit_vectors(*np.array(sky["center"])), unit_vectors(*np.array(center)))
    assert np.hypot(*off) < 0.01


def test_cells_with_few_measurements_are_blank() -> None:
    sky = dependence_of(survey())["sky"]
    for size, number in zip(sky["size"], sky["number"], strict=True):
        assert (size is None) == (number < FEWEST)


@pytest.mark.slow
@pytest.mark.parametrize("pairs", [False, True])
def test_the_error_model_finds_the_floor_of_known_stars(pairs: bool) -> None:
    """Errors of 4 mmag (mas) at the bright end and as much again from the sky at 20 mag."""
    rng = np.random.default_rng(11)
    stars, visits = 900, 12
    ra, dec, star, visit = scattered(rng, stars, visits, 0.0, (10.0, 5.0))
    brightness = rng.uniform(17.6, 21.4, stars)
    sigma = np.hypot(4, 4 * 10 ** (0.4 * (brightness - 20)))[star]
    ra = ra + pairs * rng.normal(0, 1, len(ra)) * sigma / 3.6e6 / np.cos(np.radians(dec))
    dec = dec + pairs * rng.normal(0, 1, len(ra)) * sigma / 3.6e6
    mag = brightness[star] + (not pairs) * rng.normal(0, 1, len(ra)) * sigma / 1000
    found = dependence_of(dataclasses.replace(detections(ra, dec, star, visit), mag=mag), "AM1" if pairs else "PA1gri")
    assert found["magnitude"]["floor"] == pytest.approx(4, rel=0.08)
    for rms, model in zip(found["magnitude"]["rms"], found["magnitude"]["model"], strict=True):
        assert model == pytest.approx(rms, rel=0.15)


def test_visits_stand_in_order_of_time() -> None:
    d = survey()
    mjd = 60000 + 3.0 * ((5 * d.visit) % 8)
    found = dependence_of(dataclasses.replace(d, mjd=mjd))["visits"]
    assert found["mjd"] == [60000 + 3.0 * k for k in range(8)]
    assert found["name"] == [d.visits[k] for k in np.argsort([(5 * k) % 8 for k in range(8)])]


def test_many_visits_are_put_together_and_named() -> None:
    rng = np.random.default_rng(2)
    ra, dec, star, visit = scattered(rng, 30, 300, 5.0, (10.0, 5.0))
    found = detections(ra, dec, star, visit)
    names = tuple(f"{k:03d}" for k in range(300))
    found = dataclasses.replace(found, mag=18 + rng.normal(0, 0.004, len(ra)), visits=names)
    visits = dependence_of(found)["visits"]
    assert len(visits["name"]) == VISITS
    assert visits["name"][0] == "000 and 3 more"
    assert visits["name"][-1] == "297 and 2 more"
    assert sum(visits["number"]) == len(ra)


def test_what_a_catalog_does_not_hold_is_left_out() -> None:
    d = dataclasses.replace(survey(), detector=None, airmass=None)
    found = dependence_of(d)
    assert "detectors" not in found
    assert set(found["visits"]) == {"name", "size", "number"}


def test_unknown_magnitudes_and_times_do_no_harm() -> None:
    d = survey()
    mjd = np.where(d.visit == 3, np.nan, 60000.0 + d.visit)
    found = dependence_of(dataclasses.replace(d, mjd=mjd), "AM1")
    known = [60000, 60001, 60002, 60004, 60005, 60006, 60007]
    assert sorted(found["visits"]["mjd"], key=lambda mjd: mjd or 0) == [None, *known]


def test_values_alone_come_without() -> None:
    assert "dependence" not in data_of(survey(), confidence=None)


def test_offsets_from_a_reference_catalog_have_maps() -> None:
    d, reference = moving_stars(np.random.default_rng(4), 200, 6, 5.0)
    specification = requirements.load()
    measurer = measure.Measurer(d, specification, measure.Options(reference=reference))
    case = next(case for case in specification.cases(["r"]) if case.clause.id == "AA1")
    found = measurer.measure(case).data["dependence"]
    assert found["of"] == "offsets of single measurements"
    assert sum(found["visits"]["number"]) == 1200
    assert statistics.fmean(size for size in found["visits"]["size"] if size is not None) == pytest.approx(
        5 * 0.6745, rel=0.1
    )


@pytest.mark.slow
@pytest.mark.parametrize("clause", ["PA1gri", "AM1"])
def test_the_data_of_a_result_stay_small(clause: str) -> None:
    """Also of a survey of many visits and detectors with long names that fails."""
    rng = np.random.default_rng(6)
    ra, dec, star, visit = scattered(rng, 300, 250, 40.0, (10.0, 5.0))
    found = dataclasses.replace(
        detections(ra, dec, star, visit),
        visits=tuple(f"a-long-name-of-a-visit-{k:05d}" for k in range(250)),
        mag=18 + 3 * star / 300 + rng.normal(0, 0.02, len(ra)),
        detector=rng.integers(0, 200, len(ra)),
        airmass=rng.uniform(1, 2, 250)[visit],
        mjd=60000 + np.sort(rng.uniform(0, 365, 250))[visit],
    )
    data = data_of(found, clause, rule=DecisionRule("guarded"))
    assert {"breakdown", "dependence", "replicates", "histogram"} <= set(data)
    assert len(json.dumps(data)) < 20_000


def test_broken_data_of_a_results_file_are_an_error() -> None:
    """Lists that do not belong together would be drawn as something that was never measured."""
    specification = requirements.load()
    run = measure.run(survey(), specification, measure.Options(bands=["r"])).to_json()
    run = json.loads(json.dumps(run))
    schema.check_results(run, "run.json")
    first = next(k for k, r in enumerate(run["results"]) if "dependence" in r["data"])
    for name, cut in (("histogram", "counts"), ("dependence", "visits")):
        broken = json.loads(json.dumps(run))
        part = broken["results"][first]["data"][name]
        part = part if name == "histogram" else part[cut]
        del part[cut if name == "histogram" else "size"][0]
        with pytest.raises(InputError, match=f"run.json: results/{first}/data/{name}.*lists of different lengths"):
            schema.check_results(broken, "run.json")
