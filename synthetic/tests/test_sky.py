"""Tests of the true sky."""

from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from scipy import stats
from skyaccept.lib.catalog.reference import Reference
from skyaccept.lib.sphere import MAS, separation, to_degrees, unit_vectors
from skyaccept.synthetic import sky
from skyaccept.synthetic.random_streams import stream
from skyaccept.synthetic.scenario_schema import Colors, Companions, Scenario, Variables
from skyaccept.synthetic.tests.surveys import nominal, plain


def complete_scenario() -> Scenario:
    """Return a scenario with all properties of stars."""
    base = nominal()
    stars = replace(
        base.stars,
        number=20000,
        variables=Variables(0.1, 0.2 * u.mag, 1 * u.day, 100 * u.day),
        companions=Companions(0.2, 1 * u.arcsec, 2.5 * u.mag),
    )
    return replace(base, stars=stars)


@pytest.mark.parametrize("dec", [0.0, 45.0, -90.0, 89.99])
def test_sources_are_uniform_over_a_disc_anywhere(dec: float) -> None:
    """The fraction within an angle grows as 1 - cos of it; position angles are uniform."""
    center = np.array([0.0, dec])
    radius = np.radians(40)
    places = sky.draw_in_disc(stream(1, "disc"), 5000, center, radius)
    np.testing.assert_allclose(np.linalg.norm(places, axis=1), 1, rtol=1e-12)
    distance = separation(places, unit_vectors(center[:1], center[1:])[0])
    share = (1 - np.cos(distance)) / (1 - np.cos(radius))
    assert stats.kstest(share, "uniform").pvalue > 1e-4
    halves = np.mean(places[:, 1] > 0)  # RA = 0: y is to the east
    assert halves == pytest.approx(0.5, abs=5 * 0.5 / np.sqrt(5000))


def test_counts_follow_the_slope() -> None:
    """Compare the numbers of stars in twelve bins with 10 ** (slope m) by chi-squared."""
    base = plain(stars=50000)
    mag = sky.draw(base, 1).mag
    bright, faint, slope = 16.5, 22.5, base.stars.slope
    edges = np.linspace(bright, faint, 13)
    expected = np.diff(10 ** (slope * edges)) / (10 ** (slope * faint) - 10 ** (slope * bright)) * len(mag)
    assert stats.chisquare(np.histogram(mag, edges)[0], expected).pvalue > 1e-4
    assert mag.min() >= bright
    assert mag.max() <= faint
    flat = sky.draw(replace(base, stars=replace(base.stars, slope=0.0)), 1).mag
    assert stats.kstest((flat - bright) / (faint - bright), "uniform").pvalue > 1e-4


def test_effects_do_not_change_draws_of_other_effects() -> None:
    """Without variables, companions, galaxies or colors, all other properties are the same to the bit."""
    whole = sky.draw(complete_scenario(), 1)
    without = replace(complete_scenario().stars, variables=None, companions=None, colors=None)
    less = sky.draw(replace(complete_scenario(), stars=without, galaxies=None), 1)
    n = len(less)
    assert n == 20000 < len(whole)
    np.testing.assert_array_equal(whole.direction[:n], less.direction)
    np.testing.assert_array_equal(whole.mag[:n], less.mag)
    np.testing.assert_array_equal(whole.motion[:n], less.motion)
    np.testing.assert_array_equal(whole.parallax[:n], less.parallax)


def test_directions_agree_with_an_exact_reference_catalog() -> None:
    """Proper motion and parallax agree with the library to 1e-6 mas; galaxies do not move."""
    whole = sky.draw(nominal(), 1)
    ra, dec = to_degrees(whole.direction)
    pmra, pmdec = whole.motion.T
    true = Reference(ra, dec, np.full(len(whole), sky.EPOCH), pmra, pmdec, whole.parallax)
    for mjd in (sky.EPOCH, 60000.25, 60700.5):
        expected = true.directions_at(np.arange(len(whole)), np.full(len(whole), mjd))
        assert separation(whole.apparent_directions(mjd), expected).max() < 1e-6 * MAS
    np.testing.assert_allclose(
        whole.apparent_directions(70000.0)[whole.galaxy], whole.direction[whole.galaxy], atol=1e-15
    )


def test_motions_colors_and_parallaxes_have_their_moments() -> None:
    whole = sky.draw(complete_scenario(), 1)
    n = 20000
    assert whole.color is not None
    assert whole.motion[:n].std() == pytest.approx(5, rel=5 / np.sqrt(4 * n))
    assert whole.parallax[:n].mean() == pytest.approx(0.5, rel=5 / np.sqrt(n))
    assert whole.color.mean() == pytest.approx(1.2, abs=5 * 0.5 / np.sqrt(n))
    assert whole.color.std() == pytest.approx(0.5, rel=5 / np.sqrt(2 * n))
    assert np.mean(whole.amplitude[:n] > 0) == pytest.approx(0.1, abs=5 * 0.3 / np.sqrt(n))
    assert np.mean(whole.share[:n] > 0) == pytest.approx(0.2, abs=5 * 0.4 / np.sqrt(n))
    np.testing.assert_allclose(whole.share[whole.share > 0], 0.1)
    assert np.hypot(*whole.companion.T).max() <= 1000


def test_magnitudes_follow_color_and_time() -> None:
    """G - i is the color; a variable star has its mean magnitude and half amplitude."""
    whole = sky.draw(complete_scenario(), 1)
    assert whole.color is not None
    np.testing.assert_allclose(whole.magnitude("g") - whole.magnitude("i"), whole.color, atol=1e-12)
    np.testing.assert_array_equal(whole.magnitude("r"), whole.mag)
    star = int(np.argmax(whole.amplitude))
    cycle = whole.period[star] * np.arange(400) / 400
    values = np.array([whole.magnitude("r", 60000 + t)[star] for t in cycle]) - whole.mag[star]
    assert values.mean() == pytest.approx(0, abs=1e-6)
    assert values.max() == pytest.approx(0.2, rel=1e-3)


def test_without_colors_magnitudes_are_equal_in_all_bands() -> None:
    whole = sky.draw(plain(), 1)
    for band in "ugrizy":
        np.testing.assert_array_equal(whole.magnitude(band), whole.mag)


def test_colors_need_no_other_effect() -> None:
    base = plain()
    colored = replace(base, stars=replace(base.stars, colors=Colors(1 * u.mag, 0 * u.mag)))
    np.testing.assert_allclose(sky.draw(colored, 1).magnitude("i"), sky.draw(base, 1).mag - 0.27)
