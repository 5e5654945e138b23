"""Tests of whole simulated surveys."""

from dataclasses import replace
from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
from scipy import stats
from skyaccept.lib import readers
from skyaccept.lib.catalog.association import RADIUS, associate
from skyaccept.lib.decision.rule import DecisionRule
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import reference as reference_reader
from skyaccept.lib.results.model import Result
from skyaccept.lib.sphere import MAS, tangent_basis, unit_vectors
from skyaccept.synthetic import output, scenario, sky, survey
from skyaccept.synthetic.tests.surveys import one_magnitude, plain, single_requirement, verify

COLUMNS = ("ra", "dec", "mag", "mag_err", "snr", "extendedness", "ra_err", "dec_err", "mjd", "airmass", "detector")


def verified(name: str, seed: int, rule: DecisionRule) -> dict[str, Result]:
    """Return the results of a shipped scenario with its reference catalog, without clauses about shapes or z."""
    chosen = scenario.load(name)
    found = verify(survey.simulate(chosen, seed).detections, survey.reference(chosen, seed), rule)
    return {t: r for t, r in found.items() if r.requirement != "OSS-REQ-0403" and t != "OSS-REQ-0387-PA5-i"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nominal_meets_every_clause(seed: int) -> None:
    found = verified("nominal", seed, DecisionRule("guarded"))
    assert len(found) == 38
    assert {test for test, result in found.items() if result.verdict != "pass"} == set()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_degraded_misses_am1_am2_and_ab1_at_design_only(seed: int) -> None:
    found = verified("degraded", seed, DecisionRule("simple"))
    failed = {test for test, result in found.items() if result.verdict == "fail"}
    relative = {f"OSS-REQ-0388-{clause}-{band}" for clause in ("AM1", "AM2") for band in "ri"}
    assert failed == {*relative, "OSS-REQ-0388-AB1-i"}
    assert {test for test, result in found.items() if result.levels["minimum"].verdict != "pass"} == set()


@pytest.mark.slow
def test_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    nominal = scenario.load("nominal")
    for name in ("a.parquet", "b.parquet", "a.fits", "b.fits"):
        output.stream(nominal, 5, tmp_path / name)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert (tmp_path / "a.fits").read_bytes() == (tmp_path / "b.fits").read_bytes()
    assert survey.simulate(nominal, 6).detections.sha256 != survey.simulate(nominal, 5).detections.sha256


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["parquet", "fits"])
@pytest.mark.parametrize(
    "faults", [(), ("misassociation=0.1percent",), ("not_a_number=3percent", "missing_visits=50percent")]
)
def test_written_survey_is_read_back_without_loss(tmp_path: Path, suffix: str, faults: tuple[str, ...]) -> None:
    """All columns are the same, including objects of a fault, and visits without detections are missing."""
    chosen = scenario.override(scenario.load("nominal"), stars=300, faults=faults)
    made = survey.simulate(chosen).detections
    n = output.stream(chosen, 1, tmp_path / f"survey.{suffix}")
    back = readers.load(tmp_path / f"survey.{suffix}")
    assert len(back) == len(made) == n.detections
    for name in (*COLUMNS, "visit", "band"):
        np.testing.assert_array_equal(getattr(back, name), getattr(made, name), err_msg=name)
    assert (back.visits, back.bands, set(back.flags)) == (made.visits, made.bands, set(made.flags))
    for name, flag in made.flags.items():
        np.testing.assert_array_equal(back.flags[name], flag)
    np.testing.assert_array_equal(back.object, associate(made, RADIUS).object)


def test_survey_without_detections_leaves_no_file(tmp_path: Path) -> None:
    chosen = scenario.override(scenario.load("nominal"), stars=3, faults=["missing_visits=100percent"])
    with pytest.raises(InputError, match="no visit has detections"):
        output.stream(chosen, 1, tmp_path / "survey.parquet")
    with pytest.raises(InputError, match="no visit has detections"):
        survey.simulate(chosen)
    assert not list(tmp_path.iterdir())


def test_written_reference_catalog_is_read_back_without_loss(tmp_path: Path) -> None:
    made = survey.reference(scenario.load("nominal"))
    assert made is not None
    output.write_reference(made, tmp_path / "reference.parquet")
    back = reference_reader.load(tmp_path / "reference.parquet")
    for name in ("ra", "dec", "mjd", "pmra", "pmdec", "parallax"):
        np.testing.assert_array_equal(getattr(back, name), getattr(made, name), err_msg=name)
    for name, values in made.errors.items():
        np.testing.assert_array_equal(back.errors[name], values)


@pytest.mark.parametrize("epoch", [2016.0, 2000.0])
def test_reference_catalog_scatters_by_its_errors(epoch: float) -> None:
    """Residuals over stated errors are standard normal in all parameters; galaxies are not in the catalog."""
    base = scenario.override(scenario.load("nominal"), stars=10000)
    assert base.reference is not None
    base = replace(base, reference=replace(base.reference, epoch=epoch * u.yr))
    catalog, whole = survey.reference(base), sky.draw(base, 1)
    assert catalog is not None
    stars = survey.reference_sources(base, whole)
    assert not whole.galaxy[stars].any()
    assert whole.mag[stars].max() <= 21
    assert np.sum(whole.mag[~whole.galaxy] <= 21) == len(catalog) == len(stars)
    off = (catalog.mags["i"] - whole.magnitude("i")[stars]) / catalog.mag_errs["i"]
    assert (off.mean(), off.std()) == pytest.approx((0, 1), abs=5 / np.sqrt(len(stars)))
    np.testing.assert_allclose(catalog.errors["pmra"], 0.5 * 10 ** (0.2 * (whole.mag[stars] - 21)))
    years = epoch - 2016
    place = unit_vectors(catalog.ra, catalog.dec) - whole.direction[stars]
    x, y = (np.einsum("ij,ij->i", place, axis) / MAS for axis in tangent_basis(whole.direction[stars]))
    residuals = {
        "ra": x - years * whole.motion[stars, 0],
        "dec": y - years * whole.motion[stars, 1],
        "pmra": catalog.pmra - whole.motion[stars, 0],
        "pmdec": catalog.pmdec - whole.motion[stars, 1],
        "parallax": catalog.parallax - whole.parallax[stars],
    }
    n = len(stars)
    for name, values in residuals.items():
        ratio = values / catalog.errors[name]
        assert ratio.mean() == pytest.approx(0, abs=5 / np.sqrt(n)), name
        assert ratio.std() == pytest.approx(1, rel=5 / np.sqrt(2 * n)), name


def test_association_recovers_the_true_stars() -> None:
    """Only spurious detections are alone or make their object ambiguous."""
    made = survey.simulate(scenario.load("nominal"))
    found = associate(made.detections, RADIUS).object
    assert found is not None
    used = (found >= 0) & (made.truth.star >= 0)
    assert used.mean() > 0.99
    pairs = np.unique(np.stack([found[used], made.truth.star[used]]), axis=1)
    assert len(np.unique(pairs[0])) == len(np.unique(pairs[1])) == pairs.shape[1]


@pytest.mark.parametrize(("ra", "dec"), [(0, 0), (150, 90), (359.9, -89.5), (10, -60)])
def test_positions_scatter_by_the_stated_error_anywhere(ra: float, dec: float) -> None:
    """Offsets from the true positions, in units of the error per coordinate, are standard normal."""
    made = survey.simulate(plain(ra, dec))
    d, truth = made.detections, made.truth
    true = unit_vectors(truth.ra, truth.dec)[truth.star]
    offset = (unit_vectors(d.ra, d.dec) - true) / MAS
    assert d.ra_err is not None
    squared = (offset**2).sum(axis=1) / d.ra_err**2  # chi-squared with two degrees of freedom
    n = len(squared)
    assert squared.mean() == pytest.approx(2, abs=5 * 2 / np.sqrt(n))
    assert np.mean(squared > stats.chi2(2).ppf(0.9)) == pytest.approx(0.1, abs=5 * 0.3 / np.sqrt(n))


@pytest.mark.slow
def test_am_of_equal_stars_follows_the_closed_form() -> None:
    """All stars have one magnitude and are in every visit: sqrt(2) sigma times the median factor of eight visits."""
    chosen = one_magnitude(plain(), 20)
    made = survey.simulate(replace(chosen, visits=replace(chosen.visits, view_radius=3 * u.deg)))
    result = verify(made.detections, specification=single_requirement("OSS-REQ-0388"))["OSS-REQ-0388-AM2-r"]
    assert made.detections.ra_err is not None
    sigma = np.sqrt(np.mean(made.detections.ra_err[made.detections.band == 1] ** 2))
    expected = np.sqrt(2) * sigma * np.sqrt(stats.chi2.median(7) / 7)
    # the sampling error was 0.4 % in repeated simulations, as pairs share stars
    assert result.value == pytest.approx(expected, rel=0.016)


@pytest.mark.slow
def test_am_of_mixed_stars_agrees_with_many_draws() -> None:
    """Draw the errors of the same pairs many times, with their numbers of visits."""
    made = survey.simulate(plain())
    d, truth = associate(made.detections, RADIUS), made.truth
    result = verify(made.detections, specification=single_requirement("OSS-REQ-0388"))["OSS-REQ-0388-AM2-r"]
    assert d.ra_err is not None
    rng = np.random.default_rng(0)
    bright = (truth.mag["r"] >= 17.5) & (truth.mag["r"] <= 21.5)
    seen = np.zeros((len(truth.ra), len(d.visits)), dtype=bool)
    square = np.zeros(len(truth.ra))
    rows = d.band == d.bands.index("r")
    seen[truth.star[rows], d.visit[rows]] = True
    np.add.at(square, truth.star[rows], d.ra_err[rows] ** 2)
    stars = np.flatnonzero(bright & (seen.sum(axis=1) >= 2))
    sigma_of = np.sqrt(square / np.maximum(seen.sum(axis=1), 1))
    vectors = unit_vectors(truth.ra, truth.dec)
    i, j = np.nonzero(np.triu(vectors[stars] @ vectors[stars].T, 1))
    angle = np.degrees(np.arccos(np.clip((vectors[stars][i] * vectors[stars][j]).sum(axis=1), -1, 1))) * 60
    near = (angle >= 19.5) & (angle < 20.5)
    i, j = stars[i[near]], stars[j[near]]
    n = (seen[i] & seen[j]).sum(axis=1)
    i, j, n = i[n >= 2], j[n >= 2], n[n >= 2]
    sigma = np.hypot(sigma_of[i], sigma_of[j])
    medians = [np.median(sigma * np.sqrt(rng.chisquare(n - 1) / (n - 1))) for _ in range(200)]
    # the scatter over the draws ignores that pairs share stars, which about doubles it here
    assert result.value == pytest.approx(np.mean(medians), abs=4 * 2 * np.std(medians))
