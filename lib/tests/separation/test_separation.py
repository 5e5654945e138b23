from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skyaccept.lib import separation
from skyaccept.lib.separation import Annulus, Positions, matrix
from skyaccept.lib.sphere import ARCMIN
from skyaccept.lib.tests.reference import Star, exact_separation, pair_separations
from skyaccept.lib.tests.separation import plain
from skyaccept.lib.tests.separation.fields import build, from_vectors, jittered, scattered, wrap


@pytest.mark.parametrize(
    "middle", [(0.0, 0.0), (359.9999, -28.0), (123.4, 60.0), (10.0, 89.9), (200.0, -89.999), (80.0, 90.0)]
)
@pytest.mark.parametrize(
    "apart", [1 / 3600, 10 / 3600, 5 / 60, 20 / 60, 200 / 60, 30.0, 89.99, 90.01, 135.0, 179.0, 179.999, 180.0]
)
@pytest.mark.parametrize("motion", [0.01, 10.0])
def test_deviation_agrees_with_fifty_digits(middle: tuple[float, float], apart: float, motion: float) -> None:
    """From 1 arcsec to 180 degrees, at RA 0 and the poles, for motions of up to 10 arcsec a year over 10 years."""
    rng = np.random.default_rng(7)
    ra, dec = middle
    stars = []
    for step, speed in ((0.0, motion), (apart, -0.3 * motion)):
        start = dec + step if dec + step <= 90 else 180 - dec - step
        turned = ra if dec + step <= 90 else ra + 180
        seen = {}
        for year in range(11):
            north = start + year * speed / 3600 * 0.6 + rng.normal() * 1e-5
            north = min(90.0, max(-90.0, north))
            east = turned + (year * speed / 3600 * 0.8 + rng.normal() * 1e-5) / max(np.cos(np.radians(north)), 1e-3)
            seen[year] = (wrap(east), north)
        stars.append(Star(seen))
    positions = build(stars)
    everything = Annulus(0.0, 4.0)
    found = separation.pair_deviations(positions, everything, about="mean", min_common_visits=2).values
    exact = [exact_separation(stars[0].seen[year], stars[1].seen[year]) for year in range(11)]
    differences = [float(value - exact[0]) for value in exact]
    assert np.abs((found - found[0]) - differences).max() < 1e-6, "1e-4 mas is asked for"


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    ra=st.sampled_from([0.0, 359.999, 42.0, 180.0]),
    dec=st.sampled_from([-90.0, -89.9, -28.0, 0.0, 60.0, 90.0]),
    visits=st.integers(1, 5),
    least=st.integers(2, 3),
    inner=st.floats(0, 10),
    width=st.floats(0.5, 10),
)
def test_pairs_and_rms_agree_with_a_double_loop(
    seed: int, ra: float, dec: float, visits: int, least: int, inner: float, width: float
) -> None:
    """The same pairs, and their standard deviations to 1e-7 relative."""
    stars = jittered(np.random.default_rng(seed), 25, visits, (ra, dec), 0.12)
    plain = pair_separations(stars, inner * 60_000, (inner + width) * 60_000, least)
    annulus = Annulus(inner * ARCMIN, (inner + width) * ARCMIN)
    found = separation.pair_rms(build(stars), annulus, ddof=1, min_common_visits=least)
    assert found.pairs == len(plain)
    assert found.measurements == sum(map(len, plain))
    expected = sorted(float(np.std(pair, ddof=1)) for pair in plain)
    np.testing.assert_allclose(np.sort(found.values), expected, rtol=1e-7, atol=1e-6)


@pytest.mark.parametrize("about", ["median", "mean"])
def test_deviations_agree_with_a_double_loop(about: Literal["median", "mean"]) -> None:
    stars = jittered(np.random.default_rng(3), 40, 6, (0.0, 89.95), 0.15)
    plain = pair_separations(stars, 4 * 60_000, 6 * 60_000, 3)
    found = separation.pair_deviations(
        build(stars),
        Annulus(4 * ARCMIN, 6 * ARCMIN),
        about=about,
        min_common_visits=3,
    )
    center = np.median if about == "median" else np.mean
    sizes = separation.pair_deviations(
        build(stars), Annulus(4 * ARCMIN, 6 * ARCMIN), about=about, min_common_visits=3, absolute=True
    )
    np.testing.assert_array_equal(sizes.values, np.abs(found.values))
    expected = np.concatenate([np.array(pair) - center(pair) for pair in plain])
    assert (found.pairs, found.measurements) == (len(plain), len(expected))
    np.testing.assert_allclose(np.sort(found.values), np.sort(expected), rtol=1e-7, atol=1e-6)


def test_one_visit_or_one_object_has_no_pair() -> None:
    one_visit = Positions.from_degrees(np.arange(3), np.zeros(3, dtype=int), np.arange(3.0), np.zeros(3))
    one_object = Positions.from_degrees(np.zeros(3, dtype=int), np.arange(3), np.zeros(3), np.zeros(3))
    for positions in (one_visit, one_object):
        found = separation.pair_rms(positions, Annulus(0, 1), ddof=1, min_common_visits=2)
        assert (found.pairs, found.measurements, len(found.values)) == (0, 0, 0)


def test_a_common_shift_and_rotation_of_a_visit_changes_nothing() -> None:
    """Separations do not see where a visit points nor how it is rotated, exactly."""
    stars = jittered(np.random.default_rng(5), 30, 4, (30.0, -40.0), 0.1)
    positions = build(stars)
    moved = matrix.vectors(positions, np.arange(len(positions)))
    axis = np.array([0.2, -0.5, 0.3])
    for visit in range(4):
        moved[:, visit] += np.cross(axis * visit * 1e-8, moved[:, visit])
    obj, visits = np.nonzero(positions.seen)
    vectors = moved[obj, visits] / np.linalg.norm(moved[obj, visits], axis=1, keepdims=True)
    turned = from_vectors(obj, visits, vectors)
    annulus = Annulus(1 * ARCMIN, 9 * ARCMIN)
    before = separation.pair_rms(positions, annulus, ddof=1, min_common_visits=2)
    after = separation.pair_rms(turned, annulus, ddof=1, min_common_visits=2)
    assert before.pairs == after.pairs
    np.testing.assert_allclose(np.sort(before.values), np.sort(after.values), atol=1e-6)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    center=st.sampled_from([(0.0, 0.0), (0.0, 90.0), (200.0, -90.0), (359.99, 45.0), (10.0, -89.5), (90.0, 60.0)]),
    cap=st.sampled_from([0.01, 0.3, 4.0, 60.0, 180.0]),
    visits=st.integers(1, 70),
    lower=st.floats(0, 1),
    width=st.floats(0.01, 1),
    precise=st.booleans(),
    least=st.integers(2, 4),
)
def test_the_core_agrees_with_plain_numpy(
    seed: int,
    center: tuple[float, float],
    cap: float,
    visits: int,
    lower: float,
    width: float,
    precise: bool,
    least: int,
) -> None:
    """The same pairs anywhere on the sky, and values within 1e-4 mas (1e-6 in float64), fast movers among them."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 60))
    errors = np.where(rng.random(n) < 0.2, 10.0 ** rng.uniform(2, 5, n), 10.0)
    obj, visit, vectors = scattered(rng, n, visits, cap, center, errors, 0.7)
    if len(obj) == 0:
        return
    where = from_vectors(obj, visit, vectors, precise=precise)
    annulus = Annulus(np.radians(2 * cap * lower), np.radians(2 * cap * (lower + width)))
    fast = separation.pair_rms(where, annulus, ddof=1, min_common_visits=least)
    slow = plain.pair_rms(where, annulus, ddof=1, min_common_visits=least)
    assert (fast.pairs, fast.measurements) == (slow.pairs, slow.measurements)
    tolerance = 1e-6 if precise else 1e-4
    np.testing.assert_allclose(np.sort(fast.values), np.sort(slow.values), rtol=1e-6, atol=tolerance)
    abouts: tuple[Literal["median", "mean"], ...] = ("median", "mean")
    for about in abouts:
        fast = separation.pair_deviations(where, annulus, about=about, min_common_visits=least)
        slow = plain.pair_deviations(where, annulus, about=about, min_common_visits=least)
        assert (fast.pairs, fast.measurements) == (slow.pairs, slow.measurements)
        np.testing.assert_allclose(np.sort(fast.values), np.sort(slow.values), rtol=1e-6, atol=2 * tolerance)
