"""PA3, PF2 and PA4 against dense least squares and known zero points; what makes an exposure; what is refused."""

import dataclasses

import numpy as np
import pytest
from skyaccept.lib import measure, requirements
from skyaccept.lib.arrays import FloatArray
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.catalog.reference import Reference
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.metrics.exposures import STARS
from skyaccept.lib.metrics.zero_points import METRICS
from skyaccept.lib.results.model import Result
from skyaccept.lib.tests.records import interval_of
from skyaccept.lib.tests.samples import sample
from skyaccept.lib.uncertainty.estimator import NoSettings

CLAUSES = ("PA3", "PF2", "PA4")
FLAGS = ("saturated", "cr", "bad", "edge", "not_primary")


def catalog(
    zero_points: FloatArray, stars: int = 400, noise: float = 4.0, seed: int = 1, center: tuple[float, float] = (10, 0)
) -> AssociatedDetections:
    """Bright stars in dithered visits of a camera, ``zero_points`` in mmag by visit and detector."""
    rng = np.random.default_rng(seed)
    visits, detectors = zero_points.shape
    rows = max(k for k in range(1, int(detectors**0.5) + 1) if detectors % k == 0)
    columns = detectors // rows
    x, y = rng.uniform(0, columns + 1, stars), rng.uniform(0, rows + 1, stars)
    mag = rng.uniform(17, 19, stars)
    seen = []
    for visit in range(visits):
        column, row = (np.floor(along - rng.uniform(0, 1)).astype(np.int64) for along in (x, y))
        star = np.flatnonzero((column >= 0) & (column < columns) & (row >= 0) & (row < rows))
        seen.append(np.stack([star, np.full(len(star), visit), row[star] * columns + column[star]]))
    star, visit, detector = np.concatenate(seen, axis=1)
    n = len(star)
    names, found = np.unique(star, return_inverse=True)
    dec = center[1] + 0.1 * (y[star] - rows / 2)
    return AssociatedDetections(
        ra=(center[0] + 0.1 * x[star] / np.cos(np.radians(dec))) % 360,
        dec=dec,
        visit=visit,
        band=np.zeros(n, dtype=np.int16),
        visits=tuple(f"v{k}" for k in range(visits)),
        bands=("r",),
        object=found,
        detector=detector,
        detectors=tuple(f"d{k}" for k in range(detectors)),
        mag=mag[star] + (zero_points[visit, detector] + noise * rng.standard_normal(n)) / 1000,
        mag_err=np.full(n, noise / 1000),
        snr=np.full(n, 300.0),
        extendedness=np.zeros(n),
        flags={name: np.zeros(n, dtype=bool) for name in FLAGS},
        name=f"{len(names)} stars",
    )


def verify(found: AssociatedDetections, **options: object) -> dict[str, Result]:
    """Results of the three clauses of LSE-30."""
    run = measure.run(found, requirements.load(), measure.Options(bands=["r"], **options))  # type: ignore[arg-type]
    return {r.clause: r for r in run.results if r.clause in CLAUSES}


def dense(found: AssociatedDetections) -> FloatArray:
    """Zero points of all exposures by the singular values of the design matrix, all measurements alike; mmag."""
    assert found.mag is not None
    _, code = np.unique(found.visit * 1000 + np.asarray(found.detector), return_inverse=True)
    n, stars = len(code), int(found.object.max()) + 1
    design = np.zeros((n, stars + int(code.max()) + 1))
    design[np.arange(n), found.object] = 1
    design[np.arange(n), stars + code] = 1
    solved = np.linalg.lstsq(design, found.mag * 1000, rcond=None)[0][stars:]
    return np.asarray(solved - solved.mean())


@pytest.mark.slow
@pytest.mark.parametrize("center", [(10.0, 0.0), (359.9, 20.0), (200.0, 80.0), (0.0, -85.0)])
def test_zero_points_agree_with_dense_least_squares(center: tuple[float, float]) -> None:
    """Rms; share strictly above PA4 = 15 mmag; quantile of 90 %. At any place: positions have no part in it."""
    truth = np.random.default_rng(2).normal(0, 9, (6, 4))
    found = catalog(truth, stars=120, center=center)
    solved, results = dense(found), verify(found, confidence=None)
    assert len(solved) == 24
    assert results["PA3"].value == pytest.approx(np.sqrt(np.mean(solved**2)), abs=1e-6)
    assert results["PF2"].value == pytest.approx(100 * np.mean(np.abs(solved) > 15))
    assert results["PA4"].value == pytest.approx(np.percentile(np.abs(solved), 90), abs=1e-6)
    assert "24 zero points solved with" in str(results["PA3"].method)
    assert "one for each detector in each visit" in str(results["PA3"].method)


@pytest.mark.slow
def test_true_zero_points_are_recovered_without_solution_noise() -> None:
    """8 mmag, solved with noise of 2: the estimate is without it and the interval holds the truth."""
    truth = np.random.default_rng(3).normal(0, 8, (20, 10))
    truth -= truth.mean()
    results = verify(catalog(truth, stars=450, noise=10))
    rms = float(np.sqrt(np.mean(truth**2)))
    design = results["PA3"].levels["design"]
    assert results["PA3"].value == pytest.approx(np.hypot(rms, 2.0), abs=0.4)
    assert design.value_unbiased == pytest.approx(rms, rel=0.06)
    low, high = interval_of(design)
    assert low < rms < high < 1.5 * rms
    assert results["PA4"].levels["design"].value_unbiased == pytest.approx(np.percentile(np.abs(truth), 90), rel=0.12)
    assert results["PF2"].levels["design"].value_unbiased == pytest.approx(100 * np.mean(np.abs(truth) > 15), abs=2.5)


@pytest.mark.slow
def test_what_is_nearly_all_noise_gives_an_upper_bound() -> None:
    """No more than three quarters of the variance are taken off, and the method says so."""
    results = verify(catalog(np.zeros((12, 6)), noise=10))
    design = results["PA3"].levels["design"]
    assert results["PA3"].value is not None
    assert design.value_unbiased == pytest.approx(results["PA3"].value / 2, rel=0.02)
    assert interval_of(design)[1] < 2 * results["PA3"].value
    interval = results["PA3"].interval
    assert interval is not None
    assert "nearly all is noise of the solution, of whose variance 75 % are taken off" in interval["method"]


@pytest.mark.slow
def test_sparse_or_unnamed_detectors_are_solved_by_visit() -> None:
    """And the method says why; zero points of visits come out alike."""
    truth = np.repeat(np.random.default_rng(4).normal(0, 9, (10, 1)), 12, axis=1)
    sparse = catalog(truth, stars=40)
    few, none = (verify(one)["PA3"] for one in (sparse, dataclasses.replace(sparse, detector=None, detectors=())))
    assert f"visit: one detector of it has 2 stars in the median, and {STARS} are needed" in str(few.method)
    assert "visit: the catalog holds no detectors" in str(none.method)
    assert few.value == none.value == pytest.approx(np.std(truth[:, 0]), rel=0.2)


def test_exposures_without_enough_stars_are_counted() -> None:
    """No zero point is looked for, and the account says of how many."""
    found = catalog(np.zeros((8, 4)), stars=200)
    assert found.detector is not None
    lonely = (found.visit == 3) & (found.detector == 1)
    keep = ~lonely | (np.cumsum(lonely) <= STARS - 1)
    part = {f.name: getattr(found, f.name) for f in dataclasses.fields(found)}
    cut = {name: value[keep] for name, value in part.items() if isinstance(value, np.ndarray)}
    cut["flags"] = {name: value[keep] for name, value in found.flags.items()}
    result = verify(dataclasses.replace(found, **cut), confidence=None)["PA3"]
    assert result.sample is not None
    assert "1 exposures have fewer than 5 stars: no zero point is looked for" in result.sample.notes


def test_a_split_field_is_refused_and_a_small_island_left_out() -> None:
    """With a sentence; detectors of visits that share no star tell nothing of each other."""

    def split(first: int) -> Result:
        """Visits from ``first`` on see stars of their own."""
        found = catalog(np.zeros((20, 2)), stars=300)
        own = np.where(found.visit < first, found.object, found.object + 1000)
        _, star = np.unique(own, return_inverse=True)
        ra = found.ra + np.where(found.visit < first, 0, 5)
        return verify(dataclasses.replace(found, object=star, ra=ra), confidence=None)["PA3"]

    refused, island = split(10), split(18)
    assert refused.verdict == "not_measurable"
    assert str(refused.reason) == (
        "the exposures fall into 2 groups without a star in common, of 20, 20: nothing tells the zero points of one "
        "from those of another"
    )
    assert island.value is not None
    assert island.sample is not None
    assert "4 exposures have no star in common with the others: left out" in island.sample.notes


def test_gross_errors_have_no_weight_and_are_counted() -> None:
    """As a wrong association is one."""
    found = catalog(np.zeros((10, 4)))
    assert found.mag is not None
    mag = found.mag.copy()
    wrong = np.flatnonzero(np.bincount(found.object)[found.object] > 3)[7::100]
    mag[wrong] += 0.5
    bad = dataclasses.replace(found, mag=mag)
    clean, result = (verify(one, confidence=None)["PA3"] for one in (found, bad))
    assert result.value == pytest.approx(clean.value, rel=0.1)
    assert result.sample is not None
    assert f"{len(wrong)} measurements beyond 5 sigma have no weight" in result.sample.notes


@pytest.mark.slow
def test_a_bad_detector_is_found() -> None:
    """12 mmag in one of ten: the largest of the map by detector, and named by the breakdown."""
    truth = np.zeros((20, 10))
    truth[:, 4] = 40
    result = verify(catalog(truth, stars=600, noise=2), breakdown=["detector"])["PA3"]
    assert result.verdict == "fail"
    by = result.data["dependence"]["detectors"]
    assert result.data["dependence"]["of"] == "zero points of the exposures of single measurements"
    assert by["name"][int(np.nanargmax(np.array(by["size"], dtype=np.float64)))] == "d4"
    assert by["size"][4] == pytest.approx(36, abs=1)
    assert result.data["breakdown"]["detector"]["worst"] == "d4"


def test_single_exposures_and_nan_are_not_measurable() -> None:
    """One visit; stars of one visit each; a magnitude that is NaN where no cut leaves it out."""
    one = verify(catalog(np.zeros((1, 3))))["PA3"]
    assert str(one.reason) == "needs 2 visits in band r, and the dataset has 1"
    few = catalog(np.zeros((5, 1)), stars=7)
    reason = str(verify(few)["PA3"].reason)
    assert reason == "no exposure has 5 stars that were measured in another one as well"
    found = catalog(np.zeros((5, 3)))
    assert found.mag is not None
    found.mag[3] = np.nan
    with pytest.raises(NotMeasurable, match=r"1 of \d+ selected rows have no finite mag"):
        METRICS[0].estimators["exposure_offset"].of_sample(sample(found), {}, NoSettings())


def standards(found: AssociatedDetections, zero_points: FloatArray, error: float = 0.003, seed: int = 9) -> Reference:
    """The stars of a catalog without noise, with errors of ``error`` mag."""
    assert found.mag is not None
    assert found.detector is not None
    _, row = np.unique(found.object, return_index=True)
    unknown = np.full(len(row), np.nan)
    true = found.mag[row] - zero_points[found.visit[row], found.detector[row]] / 1000
    off = error * np.random.default_rng(seed).standard_normal(len(row))
    return Reference(
        found.ra[row],
        found.dec[row],
        unknown,
        unknown,
        unknown,
        unknown,
        mags={"r": true + off},
        mag_errs={"r": np.full(len(row), 0.003)},
        name="standards",
    )


def noisy(found: AssociatedDetections, sigma: float, seed: int = 8) -> AssociatedDetections:
    """The same with noise, mmag."""
    assert found.mag is not None
    return dataclasses.replace(
        found, mag=found.mag + sigma / 1000 * np.random.default_rng(seed).standard_normal(len(found.mag))
    )


def test_zero_points_against_a_reference_are_mean_differences() -> None:
    """One at a time, about the mean of all; exposures with fewer than 5 stars do not count."""
    truth = np.random.default_rng(5).normal(0, 9, (6, 4))
    exact = catalog(truth, stars=150, noise=0)
    reference, found = standards(exact, truth), noisy(exact, 4)
    assert found.mag is not None
    by: dict[tuple[int, int], list[float]] = {}
    for visit, detector, star, mag in zip(
        found.visit, np.asarray(found.detector), found.object, found.mag, strict=True
    ):
        by.setdefault((int(visit), int(detector)), []).append(1000 * float(mag - reference.mags["r"][star]))
    means = np.array([np.mean(some) for some in by.values() if len(some) >= STARS])
    off = means - means.mean()
    results = verify(found, definition="reference", reference=reference, confidence=None)
    assert results["PA3"].value == pytest.approx(np.sqrt(np.mean(off**2)), abs=1e-6)
    assert results["PF2"].value == pytest.approx(100 * np.mean(np.abs(off) > 15))
    assert results["PA4"].value == pytest.approx(np.percentile(np.abs(off), 90), abs=1e-6)
    assert str(verify(found, definition="reference")["PA3"].reason) == "no reference catalog is named (--reference)"


def test_against_a_reference_catalog_known_zero_points_come_out() -> None:
    """Also what all visits have in common, such as those of detectors."""
    truth = np.tile(np.random.default_rng(6).normal(0, 8, 9), (12, 1))
    exact = catalog(truth, stars=500, noise=0)
    results = verify(noisy(exact, 6), definition="reference", reference=standards(exact, truth))
    design = results["PA3"].levels["design"]
    rms = float(np.std(truth[0]))
    assert design.value_unbiased == pytest.approx(rms, rel=0.05)
    low, high = interval_of(design)
    assert low < rms < high
    assert results["PA3"].data["dependence"]["detectors"]["size"][0] == pytest.approx(
        abs(truth[0, 0] - truth[0].mean()), abs=1.5
    )


def test_against_a_reference_catalog_gross_errors_have_no_weight() -> None:
    """Variable stars, or wrong matches, are counted."""
    truth = np.zeros((8, 4))
    exact = catalog(truth, noise=0)
    reference, found = standards(exact, truth), noisy(exact, 4)
    assert found.mag is not None
    found.mag[::97] += 0.8
    result = verify(found, definition="reference", reference=reference, confidence=None)["PA3"]
    assert result.value is not None
    assert result.value < 2
    assert result.sample is not None
    assert f"{len(found.mag[::97])} measurements beyond 5 sigma have no weight" in result.sample.notes
