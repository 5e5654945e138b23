"""Photometric repeatability against plain loops, known truth, the peers' tables and published figures."""

from __future__ import annotations

import dataclasses
import gzip
import json
import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from scipy import stats
from skyaccept.lib import measure, readers, requirements
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.metrics import METRICS, photometric_repeatability
from skyaccept.lib.metrics.metric import evaluate
from skyaccept.lib.metrics.photometric_repeatability import MagnitudeRmsSettings
from skyaccept.lib.results.model import Result
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.selection import select
from skyaccept.lib.tests.realdata import REALDATA, needs_realdata
from skyaccept.lib.tests.reference import photometry as photometric_reference
from skyaccept.lib.uncertainty.errors import Errors

HSC = "hsc/matchedCatalogTract_0_r.fits.gz"
DECAM = "decam/verify_job_decam_z.json.gz"
DEFINITIONS = ["srd", "validate_drp", "faro", "analysis_tools"]
FLAGS = ("saturated", "cr", "bad", "edge", "not_primary")


def catalog(stars: Sequence[Sequence[float]], error: float = 0.003, band: str = "r") -> AssociatedDetections:
    """Bright clean stars with these magnitudes in visits 0, 1, 2 ..."""
    star = np.repeat(np.arange(len(stars)), [len(seen) for seen in stars])
    visit = np.concatenate([np.arange(len(seen)) for seen in stars])
    n = len(star)
    return AssociatedDetections(
        ra=10 + star * 0.01,
        dec=np.zeros(n),
        visit=visit,
        band=np.zeros(n, dtype=np.int16),
        visits=tuple(map(str, range(int(visit.max()) + 1))),
        bands=(band,),
        object=star,
        mag=np.concatenate([np.asarray(seen, dtype=float) for seen in stars]),
        mag_err=np.full(n, error),
        snr=np.full(n, 300.0),
        extendedness=np.zeros(n),
        flags={name: np.zeros(n, dtype=bool) for name in FLAGS},
        name="test",
    )


def gaussian(visits: int, stars: int, sigma: float = 8.0, seed: int = 1) -> AssociatedDetections:
    """Stars that scatter by ``sigma`` mmag in every one of some visits."""
    rng = np.random.default_rng(seed + visits)
    mean = rng.uniform(17, 20, stars)
    return catalog(mean[:, None] + rng.normal(0, sigma / 1000, (stars, visits)), sigma / 1000)  # type: ignore[arg-type]


def values(detections: AssociatedDetections, definition: str, band: str = "r") -> dict[str, Result]:
    """PA1, PF1 and PA2 of LSE-30 by their names without the band group."""
    run = measure.run(
        detections, requirements.load(), measure.Options(bands=[band], definition=definition, confidence=None)
    )
    return {r.clause[:3]: r for r in run.results if r.clause[:3] in ("PA1", "PF1", "PA2")}


def uneven(seed: int = 3) -> list[list[float]]:
    """Stars of one to nine visits that scatter by 12 mmag."""
    rng = np.random.default_rng(seed)
    return [(rng.uniform(17, 20) + rng.normal(0, 0.012, rng.integers(1, 10))).tolist() for _ in range(80)]


@pytest.mark.parametrize("definition", DEFINITIONS)
@pytest.mark.parametrize("visits", ["uneven", "even"])
def test_every_definition_agrees_with_plain_loops(definition: str, visits: str) -> None:
    """At every level, to 1e-9; what a definition does not have is not measurable, and says so."""
    stars = uneven() if visits == "uneven" else [seen for seen in uneven() if len(seen) > 4]
    stars = stars if visits == "uneven" else [seen[:5] for seen in stars]
    found = values(catalog(stars), definition)
    for level, pa2, pf1 in (("design", 15, 10), ("minimum", 15, 20), ("stretch", 10, 5)):
        expected = photometric_reference(stars, definition, pa2, pf1)
        for name in ("PA1", "PF1", "PA2"):
            if name in expected:
                assert found[name].levels[level].value == pytest.approx(expected[name], rel=1e-9), (name, level)
            else:
                assert found[name].reason == f"definition {definition} does not cover photometric_percentile"


PEERS = {
    # metrics.md 2.4: 8 mmag true, n visits: PA1, then PF1 (PA2 = 15 mmag)
    3: {"validate_drp": (8.00, 6.08), "faro": (5.44, 2.16), "analysis_tools": (6.66, 0.064)},
    10: {"validate_drp": (7.99, 5.97), "faro": (7.30, 4.80), "analysis_tools": (7.70, 0.0)},
    30: {"validate_drp": (7.98, 6.08), "faro": (7.78, 5.66), "analysis_tools": (7.91, 0.0)},
}


@pytest.mark.slow
@pytest.mark.parametrize("visits", PEERS)
def test_what_each_peer_reads_for_a_scatter_of_8_mmag_comes_out(visits: int) -> None:
    """Within four times the sampling error of 20,000 stars, to which the table adds that of its own."""
    stars = 20_000
    detections = gaussian(visits, stars)
    for definition, (pa1, pf1) in PEERS[visits].items():
        found = values(detections, definition)
        # the median of chi, and the quartiles of a Gaussian of which each star shows n - 1 at most
        chi = stats.chi(visits - 1, scale=8 / np.sqrt(visits - 1))
        error = 1 / (2 * chi.pdf(chi.median()) * np.sqrt(stars)) + 0.01
        assert found["PA1"].value == pytest.approx(pa1, abs=4 * error)
        share = max(pf1, 0.01) / 100
        per_star = 1 if definition == "analysis_tools" else visits
        noise = 100 * np.sqrt(share / (stars * per_star)) + 0.03
        assert found["PF1"].value == pytest.approx(pf1, abs=4 * noise)


@pytest.mark.slow
@pytest.mark.parametrize("visits", [2, 3, 5, 10])
def test_pa1_of_the_srd_follows_the_closed_form(visits: int) -> None:
    """The true scatter, low by the median of chi with n - 1 degrees of freedom; the deviations by sqrt(1 - 1/n)."""
    stars, sigma = 10_000, 8.0
    found = values(gaussian(visits, stars, sigma), "srd")
    chi = stats.chi(visits - 1, scale=sigma / np.sqrt(visits - 1))
    assert found["PA1"].value == pytest.approx(chi.median(), abs=4 / (2 * chi.pdf(chi.median()) * np.sqrt(stars)))
    about_mean = stats.norm(scale=sigma * np.sqrt(1 - 1 / visits))
    expected = 200 * about_mean.sf(15)
    assert found["PF1"].value == pytest.approx(expected, abs=4 * 100 * np.sqrt(expected / 100 / stars))
    quantile = about_mean.isf(0.05)
    assert found["PA2"].value == pytest.approx(
        quantile, abs=4 * np.sqrt(0.1 * 0.9 / stars) / (2 * about_mean.pdf(quantile))
    )


@pytest.mark.slow
def test_shot_noise_is_subtracted_where_the_clause_asks_for_it(tmp_path: Path) -> None:
    """6 mmag remain of 10 where each error is 8, but for the median of chi; nothing under another definition."""
    text = requirements.shipped()["LSE-30"].read_text()
    (tmp_path / "own.yaml").write_text(
        text.replace("        definition: srd\n", "        definition: srd\n        subtract_shot_noise: true\n", 1)
    )
    specification = requirements.load([tmp_path / "own.yaml"])
    rng = np.random.default_rng(8)
    stars = (18 + rng.normal(0, 0.010, (4000, 40))).tolist()
    detections = catalog(stars, error=0.008)

    def pa1(detections: AssociatedDetections, definition: str | None = None) -> Result:
        return measure.run(
            detections, specification, measure.Options(bands=["r"], definition=definition, confidence=None)
        ).results[0]

    found = pa1(detections)
    assert found.value == pytest.approx(np.sqrt(100 * stats.chi2.median(39) / 39 - 64), abs=0.15)
    by_hand = [max(0.0, statistics.variance([1000 * m for m in seen]) - 64) for seen in stars]
    assert found.value == pytest.approx(math.sqrt(statistics.median(by_hand)), rel=1e-7)
    below = sum(v == 0 for v in by_hand)
    assert found.method == (
        f"shot noise subtracted; {below} of 4000 stars scatter less than their errors and count as 0"
    )
    assert pa1(detections, "faro").value == values(detections, "faro")["PA1"].value
    assert pa1(catalog(stars, error=0.030)).value == 0
    with pytest.raises(InputError, match="no column for 'mag_err', which OSS-REQ-0387-PA1gri-r under definition srd"):
        pa1(dataclasses.replace(detections, mag_err=None))
    assert measure.needs(specification, specification.cases(["r"])) >= {"mag", "mag_err"}
    unknown = dataclasses.replace(detections, mag_err=np.where(np.arange(len(detections)) == 5, np.nan, 0.008))
    assert str(pa1(unknown).reason).startswith("1 of 160000 selected rows have no finite mag_err: the definition has")


@pytest.mark.parametrize("ddof", [0, 1])
def test_what_is_subtracted_is_what_unequal_errors_contribute(ddof: int) -> None:
    """The mean variance of stars that scatter by their errors alone is 0, whatever ddof."""
    rng = np.random.default_rng(ddof)
    errors = np.tile([0.002, 0.010, 0.020, 0.006], 50_000).reshape(-1, 4)
    detections = catalog((18 + rng.normal(0, 1, errors.shape) * errors).tolist())
    detections = dataclasses.replace(detections, mag_err=errors.ravel())
    sample = Sample(detections, select(detections, "r", (), "test"), "r")
    rms = METRICS["photometric_repeatability"].estimators["magnitude_rms"]
    plain = rms.of_sample(sample, {}, MagnitudeRmsSettings(ddof=ddof)).values ** 2
    shot = 1e6 * (errors**2).sum(axis=1) * 3 / (4 * (4 - ddof))
    assert (plain - shot).mean() == pytest.approx(0, abs=4 * plain.std() / np.sqrt(len(plain)))
    subtracted = rms.of_sample(sample, {}, MagnitudeRmsSettings(ddof=ddof, subtract_shot_noise=True)).values
    np.testing.assert_allclose(subtracted, np.sqrt(np.maximum(plain - shot, 0)), atol=1e-6)


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_a_constant_magnitude_added_everywhere_changes_nothing(definition: str) -> None:
    """Nor does one added to single stars."""
    stars = uneven()
    here = values(catalog(stars), definition)
    moved = values(catalog([[m + 3.25 + k for m in seen] for k, seen in enumerate(stars)]), definition)
    for name, result in here.items():
        assert moved[name].value == (None if result.value is None else pytest.approx(result.value, rel=1e-8))
        assert moved[name].sample == result.sample


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_the_order_of_rows_and_visits_changes_nothing(definition: str) -> None:
    """Rows in another order, visits under other names."""
    detections = catalog(uneven())
    rng = np.random.default_rng(0)
    order = rng.permutation(len(detections))
    names = [f.name for f in dataclasses.fields(detections)]
    columns: dict[str, Any] = {n: c[order] for n in names if isinstance(c := getattr(detections, n), np.ndarray)}
    flags = {name: flag[order] for name, flag in detections.flags.items()}
    columns["visit"] = len(detections.visits) - 1 - columns["visit"]
    other = dataclasses.replace(detections, **columns, flags=flags)
    for name, result in values(detections, definition).items():
        found = values(other, definition)[name]
        assert found.value == (None if result.value is None else pytest.approx(result.value, rel=1e-12))
        assert found.sample == result.sample


def test_files_of_one_dataset_in_another_order_change_nothing(tmp_path: Path) -> None:
    """To the bit: visits are told apart by their names, not by the order in which they are read."""
    stars = uneven()
    for names in (("a", "b"), ("b", "a")):
        folder = tmp_path / "".join(names)
        folder.mkdir()
        for name, visits in zip(names, (range(4), range(4, 9)), strict=True):
            rows = ["visit,band,ra,dec,mag,snr,extendedness"] + [
                f"{v},r,{10 + k * 0.01},0,{seen[v]!r},300,0"
                for k, seen in enumerate(stars)
                for v in visits
                if v < len(seen)
            ]
            (folder / f"{name}.csv").write_text("\n".join(rows) + "\n")
    first, second = (values(readers.load(tmp_path / name), "srd") for name in ("ab", "ba"))
    for name, result in first.items():
        assert result.value is not None
        assert (second[name].value, second[name].sample) == (result.value, result.sample)


def test_rows_that_cannot_be_used_are_accounted_for() -> None:
    """Magnitudes that are not finite, stars of one visit, two detections in one visit."""
    stars = uneven()
    stars[0], stars[1], stars[2] = [18.0], [18.0, math.nan], [math.nan, 18.0, math.inf, 18.01]
    found = values(catalog(stars), "srd")["PA1"]
    assert found.value == pytest.approx(photometric_reference(stars, "srd", 15, 10)["PA1"], rel=1e-9)
    sample = found.sample
    assert sample is not None
    single = sum(len([m for m in seen if math.isfinite(m)]) == 1 for seen in stars)
    assert dict(sample.rejected) == {"mag:each": 3, "visits:fewer than 2": single}
    assert sample.rows_in == sample.rows_used + sum(sample.rejected.values()) == sum(map(len, stars))
    assert sample.measurements == sample.rows_used
    assert sample.objects == sum(len([m for m in seen if math.isfinite(m)]) >= 2 for seen in stars)


def test_the_reason_is_given_where_nothing_can_be_measured() -> None:
    """One visit, no bright star, a band that is not there."""
    single = values(catalog([[18.0], [18.5]]), "srd")
    assert {r.reason for r in single.values()} == {"needs 2 visits in band r, and the dataset has 1"}
    two = values(catalog([[18.0, 18.1]]), "faro")
    assert two["PA1"].reason == "needs 3 visits in band r, and the dataset has 2"
    faint = dataclasses.replace(catalog(uneven()), snr=np.full(len(catalog(uneven())), 20.0))
    assert "no detection in band r passes the cuts; rejected: " in str(values(faint, "srd")["PA2"].reason)
    assert "no detections in band u; it has r" in str(values(catalog(uneven()), "srd", "u")["PA1"].reason)


def test_unusable_magnitudes_are_refused_with_the_missing_cut(tmp_path: Path) -> None:
    """Nothing is left out that no cut rejects."""
    text = requirements.shipped()["LSE-30"].read_text()
    for cuts, words in (
        ("{min_visits: 2}", "1 of 4 selected rows have no finite mag: the definition has to reject them"),
        ("{column: mag, of: each, finite: true}", "has stars with fewer than 2 measurements"),
    ):
        path = tmp_path / "own.yaml"
        path.write_text(
            text.replace("        bands: [g, r, i]\n", f"        bands: [g, r, i]\n        sample: [{cuts}]\n", 1)
        )
        stars = [[18.0, math.nan], [18.0, 18.01]]
        found = measure.run(catalog(stars), requirements.load([path]), measure.Options(bands=["r"])).results[0]
        assert (found.verdict, found.value) == ("not_measurable", None)
        assert words in str(found.reason)


def test_too_many_pairs_to_keep_are_counted_in_bins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within half a bin for what is small, as they are beyond 1 mag; the same with equal and unequal visits."""
    for stars in (uneven(), [*uneven(), [17.0, 19.5, 18.0]]):
        kept = values(catalog(stars), "validate_drp")
        monkeypatch.setattr(photometric_repeatability, "KEPT", 10)
        binned = values(catalog(stars), "validate_drp")
        monkeypatch.undo()
        assert "too many to keep: counted in bins of 0.0001 mmag" in str(binned["PA1"].method)
        assert "too many" not in str(kept["PA1"].method)
        for name in ("PA1", "PA2"):
            assert binned[name].value == pytest.approx(kept[name].value, abs=1e-4)
        assert binned["PF1"].value == pytest.approx(kept["PF1"].value, abs=1e-9)


def test_every_bin_of_signal_to_noise_is_measured() -> None:
    """Stars and galaxies of each, and no others: no cut of the definition is left over them."""
    bins = [(low, galaxies) for galaxies in (False, True) for low in (5, 10, 20, 40)]
    scatter = [2.0 + k for k in range(len(bins))]  # mmag, in two visits
    stars = [[18.0, 18.0 + np.sqrt(2) * scatter[k % len(bins)] / 1000] for k in range(3 * len(bins))]
    found = catalog(stars)
    own = np.array([bins[k % len(bins)] for k in found.object])
    found = dataclasses.replace(found, snr=1.5 * own[:, 0], extendedness=own[:, 1].astype(float))
    run = measure.run(found, requirements.load(["diagnostics"]), measure.Options(bands=["r"], confidence=None))
    results = {result.clause: result for result in run.results if result.requirement == "PHOT-SNR"}
    assert list(results) == [f"{'Gal' if galaxies else 'Star'}{low}-{2 * low}" for low, galaxies in bins]
    for result, expected in zip(results.values(), scatter, strict=True):
        assert result.value == pytest.approx(expected, rel=1e-6), result.reason
        assert result.sample is not None
        assert result.sample.objects == 3


@needs_realdata
def test_the_published_figures_of_hsc_come_out() -> None:
    """PA1 and PF1 under faro to 1e-7, from the published number of stars."""
    published = yaml.safe_load((REALDATA / "expected.yaml").read_text())[HSC]
    found = values(readers.load(REALDATA / HSC, "hsc-afw"), "faro")
    assert found["PA1"].value == pytest.approx(published["PA1"]["value"], rel=1e-7)
    assert found["PF1"].value == pytest.approx(published["PF1"]["value"], rel=1e-7)
    sample = found["PA1"].sample
    assert sample is not None
    assert sample.objects == published["sample_photometry"]["objects"]
    assert sample.rows_in == sample.rows_used + sum(sample.rejected.values()) == 5891


@needs_realdata
def test_the_published_figures_of_decam_come_out_of_its_arrays() -> None:
    """AM, AF, AD, PA1, PF1 and PA2 of validate_drp at every level, by the metric functions, to the stored precision."""
    with gzip.open(REALDATA / DECAM) as file:
        job = json.load(file)
    stored: dict[str, Any] = {blob["name"].split(".")[-1]: blob["data"] for blob in job["blobs"]}
    value = {m["metric"].split(".")[-1]: m["value"] for m in job["measurements"]}
    expected = yaml.safe_load((REALDATA / "expected.yaml").read_text())[DECAM]
    levels = {"design": (20.0, 22.5, 10.0), "minimum": (40.0, 22.5, 20.0), "stretch": (10.0, 15.0, 5.0)}
    found = {}

    def answer(metric: str, errors: Errors, **level: float) -> float:
        return evaluate(METRICS[metric].statistic(level), errors)[0]

    for x in "12":
        rms = Errors(components={"value": np.array(stored[f"AM{x}"]["rmsDistMas"]["value"])})
        found[f"AM{x}"] = answer("pair_separation_rms", rms)
        beyond = METRICS["pair_separation_outliers"].estimators["excess_rms"].finish(rms)
        for level, (ad, _, share) in levels.items():
            found[f"AF{x}_{level}"] = answer("pair_separation_outliers", beyond, AD=ad)
            found[f"AD{x}_{level}"] = answer("pair_separation_percentile", beyond, AF=share)
    draws = np.array(stored["PA1"]["magDiff"]["value"])
    assert draws.shape == (50, 339)
    widths = [photometric_repeatability.interquartile_width(draw, None) for draw in draws]
    np.testing.assert_allclose(widths, stored["PA1"]["iqr"]["value"], rtol=1e-9)
    found["PA1"] = statistics.fmean(widths)
    first = Errors(components={"value": np.abs(draws[0])})  # the peer takes PF1 and PA2 from its first draw alone
    for level, (_, pa2, share) in levels.items():
        found[f"PF1_{level}_uzy"] = answer("photometric_outliers", first, PA2=pa2)
        found[f"PA2_{level}_uzy"] = answer("photometric_percentile", first, PF1=share)
    assert set(found) == set(value)
    for name, measured in found.items():
        assert measured == pytest.approx(value[name], rel=1e-9 if name == "PA1" else 1e-13), name
    checked = {name for name in expected if name in found}
    assert checked == set(expected) - {"definition", "band", "note"}
    for name in checked:
        assert found[name] == pytest.approx(expected[name]["value"], rel=1e-9)
