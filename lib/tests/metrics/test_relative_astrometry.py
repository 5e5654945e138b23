import numpy as np
import pytest
from scipy import stats
from skyaccept.lib import measure, requirements
from skyaccept.lib.catalog.association import RADIUS, associate
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.results.model import Result
from skyaccept.lib.sphere import MAS, separation, unit_vectors
from skyaccept.lib.tests.reference import Star, pair_separations, relative_astrometry

NAMES = ["lvv-t1278", "lvv-t1278-notebook", "srd", "validate_drp", "faro", "analysis_tools"]
HALF_WIDTH = {"lvv-t1278": 0.5, "lvv-t1278-notebook": 0.5}


def catalog(ra: np.ndarray, dec: np.ndarray, seen: np.ndarray, band: str = "r") -> AssociatedDetections:
    """Bright, clean detections of stars (n,) seen in visits (n, v), at positions (n, v) degrees."""
    star, visit = np.nonzero(seen)
    n = len(star)
    return AssociatedDetections(
        ra=ra[star, visit] % 360,
        dec=dec[star, visit],
        visit=visit,
        band=np.zeros(n, dtype=np.int16),
        visits=tuple(map(str, range(seen.shape[1]))),
        bands=(band,),
        object=star.astype(np.int64),
        mag=np.full(n, 20.0),
        snr=np.full(n, 300.0),
        extendedness=np.zeros(n),
        flags={name: np.zeros(n, dtype=bool) for name in ("saturated", "cr", "bad", "edge", "not_primary")},
        name="test",
    )


def field(
    rng: np.random.Generator, stars: int, visits: int, sigma: float, center: tuple[float, float], width: float
) -> tuple[np.ndarray, np.ndarray]:
    """Positions (stars, visits) in degrees with a per-coordinate error of ``sigma`` mas."""
    dec = center[1] + rng.uniform(-width, width, stars)
    ra = center[0] + rng.uniform(-width, width, stars) / np.cos(np.radians(dec))
    shift = rng.normal(0, sigma / 3.6e6, (2, stars, visits))
    return ra[:, None] + shift[0] / np.cos(np.radians(dec))[:, None], dec[:, None] + shift[1]


def values(detections: AssociatedDetections, definition: str) -> dict[str, Result]:
    """Results in band r, by clause."""
    results = measure.run(
        detections, requirements.load(), measure.Options(bands=["r"], definition=definition, confidence=None)
    )
    return {result.clause: result for result in results.results}


@pytest.mark.slow
@pytest.mark.parametrize("definition", NAMES)
@pytest.mark.parametrize("center", [(0.0, 0.0), (75.0, -60.0), (359.99, 84.0)])
def test_every_definition_agrees_with_a_double_loop(definition: str, center: tuple[float, float]) -> None:
    """AM, AF and AD at 5 and 20 arcmin, to 1e-7 relative, on the same number of pairs."""
    rng = np.random.default_rng(1)
    visits = 2 if definition == "lvv-t1278-notebook" else 5
    ra, dec = field(rng, 90, visits, 9.0, center, 0.22)
    seen = rng.random((90, visits)) < (1.0 if visits == 2 else 0.75)
    stars = [
        Star({v: (float(ra[k, v] % 360), float(dec[k, v])) for v in range(visits) if seen[k, v]})
        for k in range(90)
        if seen[k].sum() >= 2
    ]
    found = values(associate(catalog(ra, dec, seen), RADIUS), definition)
    half = HALF_WIDTH.get(definition, 1.0)
    for x, arcmin in ((1, 5), (2, 20)):
        pairs = pair_separations(stars, (arcmin - half) * 60_000, (arcmin + half) * 60_000, 2)
        for level, ad, af in (("design", 20, 10), ("minimum", 40, 20), ("stretch", 10, 5)):
            expected = relative_astrometry(pairs, definition, ad, af)
            for metric, value in expected.items():
                result = found[f"{metric}{x}"]
                assert result.levels[level].value == pytest.approx(value, rel=1e-7, abs=1e-9), (metric, level)
        sample = found[f"AM{x}"].sample
        assert sample is not None
        assert (sample.pairs, sample.measurements) == (len(pairs), sum(map(len, pairs)))


def wide_pairs(rng: np.random.Generator, pairs: int, visits: int, sigma: float) -> AssociatedDetections:
    """Independent pairs 5 arcmin apart on a grid, so that each separation has its own error of ``sigma`` mas."""
    rows, columns = np.divmod(np.arange(pairs), 100)
    ra0, dec0 = 10 + columns * 0.5, -20 + rows * 0.5
    ra = np.stack([ra0, ra0], axis=1).ravel()
    dec = np.stack([dec0, dec0 + 5 / 60], axis=1).ravel()
    shift = rng.normal(0, sigma / np.sqrt(2) / 3.6e6, (2, 2 * pairs, visits))
    positions = ra[:, None] + shift[0] / np.cos(np.radians(dec))[:, None], dec[:, None] + shift[1]
    return associate(catalog(*positions, np.ones((2 * pairs, visits), dtype=bool)), RADIUS)


PEERS = {
    # metrics.md 2.5: a pair separation error of 10 mas, n visits: AM, then AD and AF (AD = 20 mas) of
    # validate_drp, faro and analysis_tools
    3: (8.33, {"validate_drp": (6.84, 0.033), "faro": (12.39, 2.50), "analysis_tools": (13.42, 1.44)}),
    10: (9.63, {"validate_drp": (3.15, 0.0), "faro": (10.39, 1.11), "analysis_tools": (15.62, 3.52)}),
    30: (9.88, {"validate_drp": (1.72, 0.0), "faro": (9.94, 0.86), "analysis_tools": (16.16, 4.18)}),
}


@pytest.mark.slow
@pytest.mark.parametrize("visits", PEERS)
def test_the_peers_effects_on_known_errors_come_out(visits: int) -> None:
    """What each peer reports for a true error of 10 mas, within the sampling error of 5,000 pairs."""
    detections = wide_pairs(np.random.default_rng(visits), 5000, visits, 10.0)
    am, peers = PEERS[visits]
    for definition, (ad, af) in peers.items():
        found = values(detections, definition)
        assert found["AM1"].value == pytest.approx(am, abs=0.13)
        assert found["AD1"].value == pytest.approx(ad, abs=0.25)
        assert found["AF1"].value == pytest.approx(af, abs=0.35)


def test_srd_tends_to_the_gaussian_limits_for_many_visits() -> None:
    """Deviations of 10 mas: AF(20 mas) tends to 4.55 % and AD(10 %) to 16.45 mas."""
    found = values(wide_pairs(np.random.default_rng(2), 1500, 100, 10.0), "srd")
    assert found["AF1"].value == pytest.approx(4.55, abs=0.25)
    assert found["AD1"].value == pytest.approx(16.45, abs=0.2)


@pytest.mark.parametrize("visits", [2, 3, 5, 10])
def test_am_follows_the_closed_form_for_equal_errors(visits: int) -> None:
    """sqrt(2) times the error per coordinate, low by the median of chi with n - 1 degrees of freedom."""
    pairs, sigma = 4000, 7.0
    detections = wide_pairs(np.random.default_rng(20 + visits), pairs, visits, np.sqrt(2) * sigma)
    factor = np.sqrt(stats.chi2.median(visits - 1) / (visits - 1))
    expected = np.sqrt(2) * sigma * factor
    found = values(detections, "lvv-t1278")["AM1"]
    scaled = stats.chi(visits - 1, scale=np.sqrt(2) * sigma / np.sqrt(visits - 1))
    error = 1 / (2 * scaled.pdf(scaled.median()) * np.sqrt(pairs))
    assert found.value == pytest.approx(expected, abs=4 * error)


def test_pairs_across_zero_right_ascension_are_like_others() -> None:
    rng = np.random.default_rng(4)
    ra, dec = field(rng, 80, 4, 6.0, (0.0, 10.0), 0.2)
    seen = np.ones((80, 4), dtype=bool)
    here = values(associate(catalog(ra, dec, seen), RADIUS), "lvv-t1278")
    there = values(associate(catalog(ra + 100, dec, seen), RADIUS), "lvv-t1278")
    assert np.ptp(ra % 360) > 300
    assert here["AM1"].value == pytest.approx(there["AM1"].value, rel=1e-6)
    assert here["AM1"].sample == there["AM1"].sample


def test_visits_across_zero_right_ascension_are_like_others() -> None:
    """On a meridian, where an arithmetic mean of their RA is on the other side of the sky."""
    rng = np.random.default_rng(5)
    ra, dec = field(rng, 80, 6, 6.0, (0.0, 10.0), 0.2)
    ra -= ra.mean(axis=1, keepdims=True)
    seen = np.ones((80, 6), dtype=bool)
    here, there = (values(associate(catalog(ra + east, dec, seen), RADIUS), "lvv-t1278") for east in (0, 100))
    assert np.ptp(ra % 360, axis=1).min() > 300
    assert here["AM1"].value == pytest.approx(there["AM1"].value, rel=1e-6)
    assert here["AM1"].sample == there["AM1"].sample


def test_the_reason_is_given_where_nothing_can_be_measured() -> None:
    rng = np.random.default_rng(4)
    ra, dec = field(rng, 30, 4, 6.0, (50.0, 10.0), 0.1)
    seen = np.ones((30, 4), dtype=bool)
    detections = associate(catalog(ra, dec, seen), RADIUS)
    wide = values(detections, "lvv-t1278")["AM3"]
    assert (wide.verdict, wide.value) == ("not_measurable", None)
    assert "no pair of objects 199.5 to 200.5 arcmin apart" in str(wide.reason)
    notebook = values(detections, "lvv-t1278-notebook")["AM1"]
    assert "exactly two visits, and band r has 4" in str(notebook.reason)
    seen[:, 1:] = False
    single = values(associate(catalog(ra, dec, seen), RADIUS), "lvv-t1278")["AM1"]
    assert "needs 2 visits in band r, and the dataset has 1" in str(single.reason)
    other = measure.run(detections, requirements.load(), measure.Options(bands=["i"])).results[-1]
    assert "no detections in band i; it has r" in str(other.reason)


def test_the_field_of_the_helper_is_as_wide_as_it_says() -> None:
    """Guards the tests above: pairs of 5 arcmin exist and their errors are those asked for."""
    detections = wide_pairs(np.random.default_rng(0), 10, 2, 0.0)
    vectors = unit_vectors(detections.ra, detections.dec).reshape(20, 2, 3)[:, 0]
    np.testing.assert_allclose(separation(vectors[::2], vectors[1::2]) / MAS, 300_000, rtol=1e-9)
