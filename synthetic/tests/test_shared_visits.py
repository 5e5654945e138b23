"""Tests of visit names that bands share, from simultaneous cameras or numbers that restart in each band."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from skyaccept.lib import measure, requirements
from skyaccept.lib.catalog.association import AMBIGUOUS, CONFLICT, RADIUS, associate
from skyaccept.lib.catalog.components import UNPLACED
from skyaccept.lib.catalog.detections import Detections, select_rows
from skyaccept.lib.measure import paired
from skyaccept.lib.results.model import Result, Results
from skyaccept.lib.sample import sample
from skyaccept.synthetic import scenario, survey

BANDS = ["g", "r", "i"]


@pytest.fixture(scope="module")
def named() -> Detections:
    """Simulate a small survey in three bands with unique visit names."""
    return survey.simulate(scenario.override(scenario.load("nominal"), stars=600, bands=BANDS)).detections


def restarted(d: Detections) -> Detections:
    """Return the survey with visits numbered from 0 in each band."""
    number = np.zeros(len(d.visits), dtype=np.int64)
    for band in range(len(d.bands)):
        own = np.unique(d.visit[d.band == band])
        number[own] = np.arange(len(own))
    return replace(d, visit=number[d.visit], visits=tuple(f"{k:03}" for k in range(number.max() + 1)))


def measured(d: Detections, confidence: float | None = 0.95) -> Results:
    """Return the results of all clauses, with breakdowns."""
    by = ["visit", "detector"]
    return measure.run(
        associate(d, RADIUS), requirements.load(), measure.Options(bands=BANDS, confidence=confidence, breakdown=by)
    )


def content(result: Result) -> Any:
    """Return the parts of a result that do not depend on visit names."""
    account = None if result.sample is None else (result.sample.objects, result.sample.visits, result.sample.rejected)
    tables = result.data.get("breakdown", {}).items()
    sizes = [(by, sorted(str(cell["value"]) for cell in table["cells"])) for by, table in tables]
    return result.test, result.verdict, result.value, result.interval, account, sizes


@pytest.mark.slow
def test_shared_names_do_not_change_results(named: Detections, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare values, intervals, sample summaries and breakdowns, with blocks in the order of visits.

    Hashes of visit names would put visits of two bands into one block in one case and not in the other.
    """
    monkeypatch.setattr(sample, "name_keys", lambda names: np.arange(len(list(names)), dtype=np.uint64))
    apart, shared = measured(named), measured(restarted(named))
    assert sum(result.value is not None for result in apart.results) > 30
    assert [content(result) for result in shared.results] == [content(result) for result in apart.results]
    assert shared.dataset["objects"] == apart.dataset["objects"]
    assert shared.dataset["visits"] == len(set(restarted(named).visits))
    assert any("names are those of exposures in several bands" in note for note in shared.dataset["notes"])


def test_processings_are_paired_by_visit_and_band(named: Detections) -> None:
    """A processing without the first visit in g has one visit less in common in g, and all of them in r."""
    before = associate(restarted(named), RADIUS)
    lacking = (before.visit == before.exposures().index(("000", "g"))) & (before.band == before.bands.index("g"))
    after = associate(select_rows(restarted(named), np.flatnonzero(~lacking)), RADIUS)
    runs = [measure.run(d, requirements.load(), measure.Options(bands=BANDS, confidence=None)) for d in (before, after)]
    pair = paired.Pairing(
        paired.Processing(runs[0], before, "a.json"),
        paired.Processing(runs[1], after, "b.json"),
        requirements.load(),
    )
    notes = {}
    for band in "gr":
        old, new = (next(r for r in run.results if r.test == f"OSS-REQ-0387-PA1gri-{band}") for run in runs)
        notes[band] = pair(old, new, 0.95)
    visits = len({before.visit[k] for k in np.flatnonzero(before.band == before.bands.index("g"))})
    assert f"{visits - 1} of {visits} (after: {visits - 1}) visits in common" in str(notes["g"])
    assert f" {visits} of {visits} visits in common" in str(notes["r"])
    assert notes["r"].value == 0


@pytest.mark.parametrize("code", [AMBIGUOUS, CONFLICT, UNPLACED])
def test_failed_association_gives_reason_and_remedy(named: Detections, code: int) -> None:
    """No clause raises an error."""
    lost = replace(named, object=np.full(len(named), code))
    if code == UNPLACED:
        lost = replace(lost, ra=np.full(len(named), np.nan))
    run = measured(lost)
    assert run.dataset["objects"] == 0
    assert {result.verdict for result in run.results} <= {"not_measurable", None}
    reasons = [str(result.reason) for result in run.results if result.test.endswith("AM1-r")]
    assert reasons
    assert all("no object is left" in reason and "column mapped as visit" in reason for reason in reasons)


def test_one_visit_name_makes_all_objects_ambiguous() -> None:
    """If the visit column is constant, each star has a hundred detections in one visit."""
    rng = np.random.default_rng(1)
    n = 2000
    d = Detections(
        ra=10.0 + rng.integers(20, size=n) / 100 + rng.normal(0, 1e-6, n),
        dec=rng.normal(0, 1e-6, n),
        visit=(np.arange(n) % 2).astype(np.int64),
        band=np.zeros(n, dtype=np.int16),
        visits=("0", "1"),
        bands=("r",),
        mag=rng.uniform(17, 19, n),
        snr=np.full(n, 300.0),
        extendedness=np.zeros(n),
        name="one",
    )
    run = measure.run(associate(d, RADIUS), requirements.load(), measure.Options(bands=["r"]))
    am1 = next(result for result in run.results if result.clause == "AM1")
    assert (am1.verdict, run.dataset["objects"]) == ("not_measurable", 0)
    assert am1.sample is not None
    assert am1.sample.rejected == {"association:two detections in half of its visits or more": n}
