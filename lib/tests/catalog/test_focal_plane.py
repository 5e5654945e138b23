"""The plan of a camera found again from the stars on it, whatever visits are dithered and rotated by."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from skyaccept.lib import measure, readers, requirements
from skyaccept.lib.catalog import focal_plane
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.catalog.focal_plane import detector_layout
from skyaccept.lib.tests.samples import detections

PLAN = {str(k): ((k % 4 - 1.5) * 0.2, (k // 4 - 1) * 0.25) for k in range(12)}


def survey(
    center: tuple[float, float],
    seed: int = 1,
    visits: int = 6,
    stars: int = 60,
    missing: float = 0.0,
    turn: bool = True,
) -> AssociatedDetections:
    """Stars on 4 x 3 detectors; a share of the detectors is missing in each visit."""
    rng, stars = np.random.default_rng(1), 60
    x, y, detector, visit = [], [], [], []
    for v in range(visits):
        angle = rng.uniform(0, 2 * np.pi) if v else 0.0
        shift = rng.uniform(-0.3, 0.3, 2)
        for name, (u, w) in PLAN.items():
            if rng.random() < missing and v:
                continue
            z = (u + rng.uniform(-0.1, 0.1, stars) + 1j * (w + rng.uniform(-0.12, 0.12, stars))) * np.exp(1j * angle)
            x += list(z.real + shift[0])
            y += list(z.imag + shift[1])
            detector += [int(name)] * stars
            visit += [v] * stars
    # gnomonic, which a camera sees
    a, d = np.radians(center)
    east = np.array([-np.sin(a), np.cos(a), 0])
    middle = np.array([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)])
    north = np.cross(middle, east)
    vectors = middle + np.radians(x)[:, None] * east + np.radians(y)[:, None] * north
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ra = np.degrees(np.arctan2(vectors[:, 1], vectors[:, 0])) % 360
    dec = np.degrees(np.arcsin(vectors[:, 2]))
    found = detections(ra, dec, np.arange(len(ra)), np.array(visit))
    return replace(found, detector=np.array(detector))


def apart(places: dict[str, tuple[float, float]]) -> np.ndarray:
    """Distances between detectors, which neither shift nor rotation change."""
    z = np.array([complex(*places[name]) for name in sorted(places)])
    return np.asarray(np.abs(z[:, None] - z))


@pytest.mark.parametrize("center", [(150.0, 2.0), (0.0, 0.0), (77.0, 89.9), (10.0, -90.0)])
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_the_plan_is_found_again(center: tuple[float, float], missing: float) -> None:
    found = detector_layout(survey(center, missing=missing))
    assert sorted(found) == sorted(PLAN)
    np.testing.assert_allclose(apart(found), apart(PLAN), atol=0.03)


def test_north_is_up_in_the_visit_with_the_most_detectors() -> None:
    """East is positive, so that the plan is not mirrored."""
    found = detector_layout(survey((150.0, 2.0), missing=0.3))
    for name, place in PLAN.items():
        assert found[name] == pytest.approx(place, abs=0.04)


def test_positions_that_follow_no_plan_give_none() -> None:
    """What a catalog calls a detector may be something else."""
    rng = np.random.default_rng(1)
    found = survey((150.0, 2.0))
    assert found.detector is not None
    assert detector_layout(replace(found, detector=rng.permutation(found.detector))) == {}


def test_without_detectors_or_with_one_or_two_there_is_no_plan() -> None:
    found = survey((150.0, 2.0), visits=2)
    assert found.detector is not None
    assert detector_layout(replace(found, detector=None)) == {}
    assert detector_layout(replace(found, detector=np.zeros(len(found), dtype=np.int64))) == {}
    assert detector_layout(replace(found, detector=found.detector % 2)) == {}


def test_positions_that_are_not_known_do_no_harm() -> None:
    found = survey((150.0, 2.0))
    ra = np.where(np.arange(len(found)) % 7 == 0, np.nan, found.ra)
    assert sorted(detector_layout(replace(found, ra=ra))) == sorted(PLAN)


def test_detectors_keep_the_names_that_the_catalog_gives_them(tmp_path: Path) -> None:
    """In the plan, in maps and in breakdowns; a reader holds labels as codes of those that occur."""
    found = survey((150.0, 2.0))
    assert found.detector is not None
    columns = {"visit": found.visit, "band": "r", "ra": found.ra, "dec": found.dec, "detector": 3 * found.detector + 17}
    pd.DataFrame(columns).to_parquet(tmp_path / "catalog.parquet")
    read = readers.load(tmp_path / "catalog.parquet")
    expected = {str(3 * int(name) + 17) for name in PLAN}
    assert set(detector_layout(read)) == set(read.detectors) == expected
    assert read.detector is not None
    assert {read.detector_name(code) for code in np.unique(read.detector)} == expected


@pytest.mark.parametrize("number", [focal_plane.MAX_DETECTORS, 60_000])
def test_as_many_detectors_as_no_camera_has_are_said_to_be_none(number: int) -> None:
    """A column of running numbers, taken for the detector, takes no memory with the square of their number."""
    rng = np.random.default_rng(1)
    rows = 3 * number
    found = detections(rng.uniform(10, 12, rows), rng.uniform(0, 2, rows), np.arange(rows), np.arange(rows) // number)
    found = replace(found, detector=np.arange(rows) % number)
    tracemalloc.start()
    try:
        assert detector_layout(found) == {}
        assert tracemalloc.get_traced_memory()[1] < 400 * rows
    finally:
        tracemalloc.stop()
    refusal = focal_plane.too_many_detectors(found)
    assert (refusal or "").startswith("60,000 detectors, more than the 4,000") == (number == 60_000)
    assert (refusal is None) == (number == focal_plane.MAX_DETECTORS)


def test_memory_grows_with_occurring_visit_detector_pairs() -> None:
    """Each of 3,000 visits is on three of 3,000 detectors."""
    rng = np.random.default_rng(1)
    visit = np.repeat(np.arange(3_000), 3)
    rows = len(visit)
    found = detections(rng.uniform(10, 12, rows), rng.uniform(0, 2, rows), np.arange(rows), visit)
    tracemalloc.start()
    try:
        detector_layout(replace(found, detector=(visit + np.tile([0, 1, 2], 3_000)) % 3_000))
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_the_results_say_why_there_is_no_map() -> None:
    found = survey((150.0, 2.0))
    many = replace(found, detector=np.arange(len(found)) + 0)
    assert len(found) > focal_plane.MAX_DETECTORS
    described = measure.Measurer(many, requirements.load(["LSE-30"])).dataset()
    assert described["focal_plane"] == {}
    assert any("no map of the focal plane" in note for note in described["notes"])
