"""What may change nothing, of every clause under every definition: orders, names of visits, the place on the sky."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from skyaccept.lib import measure, readers, requirements
from skyaccept.lib.catalog.reference import Reference
from skyaccept.lib.results.model import Result
from skyaccept.lib.tests.samples import rotated

pytestmark = pytest.mark.xdist_group("invariants")  # what these tests share is made once

VISITS, STARS = 24, 90
"""Visits in each of two bands; stars over some 20 arcmin."""


@cache
def table() -> pd.DataFrame:
    """Detections of moving stars in r and i, none of them in all visits; nothing is the same twice."""
    rng = np.random.default_rng(7)
    star, visit = (grid.ravel() for grid in np.meshgrid(np.arange(STARS), np.arange(2 * VISITS), indexing="ij"))
    keep = rng.random(len(star)) < 0.95
    star, visit = star[keep], visit[keep]
    catalog = stars()
    mjd = 57300.0 + 30.7 * visit
    place = catalog.directions_at(star, mjd)
    dec = np.degrees(np.arcsin(place[:, 2]))
    ra = np.degrees(np.arctan2(place[:, 1], place[:, 0])) + rng.normal(0, 12, len(star)) / 3.6e6 / np.cos(
        np.radians(dec)
    )
    magnitude = rng.uniform(17.6, 20.5, STARS)
    return pd.DataFrame(
        {
            "visit": 4000 + visit,
            "band": np.where(visit % 2, "i", "r"),
            "ra": ra % 360,
            "dec": dec + rng.normal(0, 12, len(star)) / 3.6e6,
            "mag": magnitude[star] + rng.normal(0, 0.012, len(star)),
            "mag_err": 0.012,
            "snr": 400.0,
            "extendedness": 0.0,
            "mjd": mjd,
            **{f"flag_{name}": False for name in ("saturated", "cr", "bad", "edge", "not_primary")},
        }
    )


@cache
def stars() -> Reference:
    """Their true places, with proper motions and parallaxes."""
    rng = np.random.default_rng(6)
    return Reference(
        ra=(rng.uniform(-0.17, 0.17, STARS)) % 360,
        dec=rng.uniform(-0.17, 0.17, STARS),
        mjd=np.full(STARS, 57000.0),
        pmra=rng.normal(0, 3, STARS),
        pmdec=rng.normal(0, 3, STARS),
        parallax=rng.uniform(0, 2, STARS),
        name="stars",
    )


def measured(path: Path, reference: Reference | None = None) -> dict[str, Result]:
    """Everything that the documents ask for, under every definition."""
    everything = requirements.load(["LSE-30", "diagnostics"])
    found = readers.load(path)
    run = measure.run(
        found,
        everything,
        measure.Options(bands=["r", "i"], compare=True, reference=reference or stars(), confidence=None),
    )
    return {result.test: result for result in run.results}


def numbers(results: dict[str, Result]) -> dict[tuple[str, ...], float]:
    """Measured values by case, definition and level."""
    values: dict[tuple[str, ...], float | None] = {}
    for name, result in results.items():
        values[name, result.definition] = result.value
        values |= {(name, result.definition, level): found.value for level, found in result.levels.items()}
        values |= {
            (name, other, level): found["value"]
            for other, record in result.other_definitions.items()
            for level, found in record["levels"].items()
        }
    return {key: value for key, value in values.items() if value is not None}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    path = tmp_path_factory.mktemp("here") / "cat.parquet"
    table().to_parquet(path)
    return measured(path)


def test_the_catalog_of_these_tests_is_measured_by_every_metric(here: dict[str, Result]) -> None:
    """Or the tests below would hold nothing; but for AM3, faint objects, shapes, reference magnitudes."""
    without = {name for name, result in here.items() if result.value is None}
    lacking = ("AM3", "AF3", "AD3", "PHOT-SNR", "OSS-REQ-0403", "PA5", "PA6", "STELLAR-LOCUS")
    assert all(any(word in name for word in lacking) for name in without), without
    definitions = {key[1] for key in numbers(here)}
    assert definitions == {"lvv-t1278", "srd", "faro", "validate_drp", "analysis_tools", "cfht-2017", "proper-motion"}


def renamed(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(visit=9000 - frame["visit"])


def brighter(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(mag=frame["mag"] + 0.25)


def shuffled(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sample(frac=1, random_state=3)


@pytest.mark.slow
@pytest.mark.parametrize("change", [shuffled, renamed, brighter])
def test_row_order_visit_names_and_mag_offset_do_not_matter(
    change: Callable[[pd.DataFrame], pd.DataFrame], here: dict[str, Result], tmp_path: Path
) -> None:
    change(table()).to_parquet(tmp_path / "cat.parquet")
    there = measured(tmp_path / "cat.parquet")
    assert numbers(there) == pytest.approx(numbers(here), rel=1e-7, abs=1e-9)
    for name, result in here.items():
        assert there[name].sample == result.sample
        assert there[name].reason == result.reason


@pytest.mark.slow
def test_the_order_of_rows_does_not_move_intervals(tmp_path: Path) -> None:
    """Blocks of visits and cells of the sky depend on what the catalog says, not on how."""
    found = []
    for number, frame in enumerate((table(), shuffled(table()))):
        path = tmp_path / f"{number}.parquet"
        frame.to_parquet(path)
        run = measure.run(
            readers.load(path), requirements.load("LSE-30"), measure.Options(bands=["i"], reference=stars())
        )
        ends = {result.test: result.interval for result in run.results if result.interval is not None}
        found.append({(name, end): ends[name][end] for name in ends for end in ("low", "high")})
    assert len(found[0]) > 16
    assert found[1] == pytest.approx(found[0], rel=1e-6)


@pytest.mark.slow
def test_files_of_one_dataset_in_another_order_change_no_bit(tmp_path: Path) -> None:
    """A visit, of either band, may be in any file."""
    parts = [part for _, part in table().groupby(table()["visit"] % 5)]
    found = []
    for order in (range(5), (3, 0, 4, 2, 1)):
        folder = tmp_path / "".join(map(str, order))
        folder.mkdir()
        for k, number in enumerate(order):
            parts[number].to_parquet(folder / f"part{k}.parquet")
        found.append(numbers(measured(folder)))
    assert found[0] == found[1]


def test_a_rotation_of_the_sky_keeps_pairs_magnitudes_and_totals(here: dict[str, Result], tmp_path: Path) -> None:
    """To a pole; parallaxes turn with the Earth's orbit, not with the sky, so that AA1 is left out."""
    axis, angle = np.array([0.0, -1.0, 0.0]), np.pi / 2
    frame = table()
    ra, dec = rotated(frame["ra"].to_numpy(), frame["dec"].to_numpy(), axis, angle)
    frame.assign(ra=ra, dec=dec).to_parquet(tmp_path / "cat.parquet")
    there = measured(tmp_path / "cat.parquet")
    assert np.ptp(ra) > 100
    by_coordinate = ("-AB", "-AA", "POSITION", "PROPER-MOTION")

    def invariant(results: dict[str, Result]) -> dict[tuple[str, ...], float]:
        return {key: value for key, value in numbers(results).items() if not any(c in key[0] for c in by_coordinate)}

    assert len(invariant(here)) > 100
    assert invariant(there) == pytest.approx(invariant(here), rel=1e-6, abs=1e-9)
    by, before = there["OSS-REQ-0388-AB1-i"].coordinates, here["OSS-REQ-0388-AB1-i"].coordinates
    assert by["total"] == pytest.approx(before["total"], rel=1e-6)
    assert by["total"] ** 2 == pytest.approx(by["ra"] ** 2 + by["dec"] ** 2, rel=1e-9)
