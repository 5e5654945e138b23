from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skyaccept.lib import separation
from skyaccept.lib.separation import Annulus, Positions
from skyaccept.lib.sphere import MAS, unit_vectors
from skyaccept.lib.tests.reference import Star, exact_separation, haversine, mean_position, pair_separations

ARCMIN = np.pi / 180 / 60


def build(stars: list[Star]) -> Positions:
    """Positions of stars, in their order."""
    rows = [(k, visit, ra, dec) for k, star in enumerate(stars) for visit, (ra, dec) in star.seen.items()]
    obj, visit, ra, dec = (np.array(column) for column in zip(*rows, strict=True))
    return Positions.from_vectors(obj, visit, unit_vectors(ra, dec))


def wrap(ra: float) -> float:
    return ra % 360 if ra % 360 < 360 else 0.0


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
    found = separation.separation_deviation(positions, np.array([0]), np.array([1]))[0] / MAS
    exact = [exact_separation(stars[0].seen[year], stars[1].seen[year]) for year in range(11)]
    differences = [float(value - exact[0]) for value in exact]
    assert np.abs((found - found[0]) - differences).max() < 1e-6, "1e-4 mas is asked for"


def jittered(rng: np.random.Generator, n: int, visits: int, center: tuple[float, float], radius: float) -> list[Star]:
    """Stars within a square of half side ``radius`` degrees around a centre, each seen in some visits."""
    stars = []
    for _ in range(n):
        east, north = rng.uniform(-radius, radius, 2)
        seen = {}
        for visit in range(visits):
            if rng.random() < 0.8 or visit == 0:
                position = np.array([1.0, *(np.radians([east, north]) + rng.normal(0, 8 * MAS, 2))])
                a, d = np.radians(center)
                turn = np.array(
                    [
                        [np.cos(d) * np.cos(a), -np.sin(a), -np.sin(d) * np.cos(a)],
                        [np.cos(d) * np.sin(a), np.cos(a), -np.sin(d) * np.sin(a)],
                        [np.sin(d), 0.0, np.cos(d)],
                    ]
                )
                x, y, z = turn @ position
                seen[visit] = (wrap(np.degrees(np.arctan2(y, x))), float(np.degrees(np.arctan2(z, np.hypot(x, y)))))
        stars.append(Star(seen))
    return stars


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
    expected = np.concatenate([np.array(pair) - center(pair) for pair in plain])
    assert (found.pairs, found.measurements) == (len(plain), len(expected))
    np.testing.assert_allclose(np.sort(found.values), np.sort(expected), rtol=1e-7, atol=1e-6)


def test_pairs_are_those_of_the_annulus_over_several_blocks() -> None:
    """More objects than one block, sorted or not: each pair once, none lost."""
    rng = np.random.default_rng(11)
    n = 700
    ra, dec = rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    positions = Positions.from_vectors(np.arange(n), np.zeros(n, dtype=int), unit_vectors(ra, dec))
    for low, high in [(0, 3), (29, 31), (100, 120), (176, 181)]:
        found = set()
        for first, second in separation.pairs_in(positions, Annulus(np.radians(low), np.radians(high))):
            for i, j in zip(first.tolist(), second.tolist(), strict=True):
                assert (min(i, j), max(i, j)) not in found
                found.add((min(i, j), max(i, j)))
        cosine = np.clip(positions.direction @ positions.direction.T, -1, 1)
        angle = np.degrees(np.arccos(cosine))
        inside = (angle >= low) & (angle < high)
        assert found == {(i, j) for i, j in zip(*np.nonzero(np.triu(inside, 1)), strict=True)}


def test_an_inner_edge_belongs_to_the_class_and_an_outer_edge_does_not() -> None:
    positions = Positions.from_vectors(np.arange(2), np.zeros(2, dtype=int), np.eye(3)[:2])
    quarter = np.pi / 2

    def count(inner: float, outer: float) -> int:
        return sum(len(i) for i, _ in separation.pairs_in(positions, Annulus(inner, outer)))

    assert count(quarter, quarter + 0.1) == 1
    assert count(quarter - 0.1, quarter) == 0


def test_an_antipodal_pair_is_found() -> None:
    positions = Positions.from_vectors(np.arange(2), np.zeros(2, dtype=int), np.array([[0.0, 0, 1], [0, 0, -1]]))
    assert sum(len(i) for i, _ in separation.pairs_in(positions, Annulus(np.radians(179), np.radians(181)))) == 1


def test_one_visit_or_one_object_has_no_pair() -> None:
    one_visit = Positions.from_vectors(np.arange(3), np.zeros(3, dtype=int), unit_vectors(np.arange(3.0), np.zeros(3)))
    one_object = Positions.from_vectors(np.zeros(3, dtype=int), np.arange(3), unit_vectors(np.zeros(3), np.zeros(3)))
    for positions in (one_visit, one_object):
        found = separation.pair_rms(positions, Annulus(0, 1), ddof=1, min_common_visits=2)
        assert (found.pairs, found.measurements, len(found.values)) == (0, 0, 0)


def test_two_detections_of_an_object_in_a_visit_are_refused() -> None:
    with pytest.raises(ValueError, match="two detections"):
        Positions.from_vectors(np.zeros(2, dtype=int), np.zeros(2, dtype=int), unit_vectors(np.zeros(2), np.zeros(2)))


def test_a_common_shift_and_rotation_of_a_visit_changes_nothing() -> None:
    """Separations do not see where a visit points nor how it is rotated, exactly."""
    stars = jittered(np.random.default_rng(5), 30, 4, (30.0, -40.0), 0.1)
    positions = build(stars)
    moved = positions.offset + positions.direction[:, None]
    axis = np.array([0.2, -0.5, 0.3])
    for visit in range(4):
        moved[:, visit] += np.cross(axis * visit * 1e-8, moved[:, visit])
    vectors = moved / np.linalg.norm(moved, axis=2, keepdims=True)
    obj, visits = np.nonzero(positions.seen)
    turned = Positions.from_vectors(obj, visits, vectors[obj, visits])
    annulus = Annulus(1 * ARCMIN, 9 * ARCMIN)
    before = separation.pair_rms(positions, annulus, ddof=1, min_common_visits=2)
    after = separation.pair_rms(turned, annulus, ddof=1, min_common_visits=2)
    assert before.pairs == after.pairs
    np.testing.assert_allclose(np.sort(before.values), np.sort(after.values), atol=1e-6)


def test_the_mean_direction_is_that_of_the_mean_vector() -> None:
    stars = jittered(np.random.default_rng(6), 5, 4, (0.0, 0.0), 0.01)
    positions = build(stars)
    for k, star in enumerate(stars):
        x, y, z = positions.direction[k]
        direction = (float(np.degrees(np.arctan2(y, x))), float(np.degrees(np.arcsin(z))))
        assert haversine(direction, mean_position(star)) < 1e-3
