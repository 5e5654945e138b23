import dataclasses
import tracemalloc
from typing import Literal

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skyaccept.lib import separation
from skyaccept.lib.arrays import FloatArray, IntArray
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.numba_cache import share_cores
from skyaccept.lib.separation import Annulus, Positions, Weights, matrix, tree, value_bins
from skyaccept.lib.sphere import MAS
from skyaccept.lib.tests.reference import Star, exact_separation, haversine, mean_position, pair_separations
from skyaccept.lib.tests.separation import plain

ARCMIN = np.pi / 180 / 60


def build(stars: list[Star]) -> Positions:
    """Positions of stars, in their order."""
    rows = [(k, visit, ra, dec) for k, star in enumerate(stars) for visit, (ra, dec) in star.seen.items()]
    obj, visit, ra, dec = (np.array(column) for column in zip(*rows, strict=True))
    return Positions.from_degrees(obj, visit, ra, dec)


def from_vectors(obj: IntArray, visit: IntArray, vectors: FloatArray, precise: bool | None = None) -> Positions:
    """Positions of unit vectors."""
    x, y, z = vectors.T
    ra, dec = np.degrees(np.arctan2(y, x)) % 360, np.degrees(np.arctan2(z, np.hypot(x, y)))
    return Positions.from_degrees(obj, visit, ra, dec, precise=precise)


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
    everything = Annulus(0.0, 4.0)
    found = separation.pair_deviations(positions, everything, about="mean", min_common_visits=2).values
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
    sizes = separation.pair_deviations(
        build(stars), Annulus(4 * ARCMIN, 6 * ARCMIN), about=about, min_common_visits=3, absolute=True
    )
    np.testing.assert_array_equal(sizes.values, np.abs(found.values))
    expected = np.concatenate([np.array(pair) - center(pair) for pair in plain])
    assert (found.pairs, found.measurements) == (len(plain), len(expected))
    np.testing.assert_allclose(np.sort(found.values), np.sort(expected), rtol=1e-7, atol=1e-6)


def test_pairs_are_those_of_the_annulus_over_several_blocks() -> None:
    """More objects than one block, sorted or not: each pair once, none lost."""
    rng = np.random.default_rng(11)
    n = 700
    ra, dec = rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    positions = Positions.from_degrees(np.arange(n), np.zeros(n, dtype=int), ra, dec)
    for low, high in [(0, 3), (29, 31), (100, 120), (176, 181)]:
        found = set()
        for first, second in plain.pairs_in(positions, Annulus(np.radians(low), np.radians(high))):
            for i, j in zip(first.tolist(), second.tolist(), strict=True):
                assert (min(i, j), max(i, j)) not in found
                found.add((min(i, j), max(i, j)))
        cosine = np.clip(positions.direction @ positions.direction.T, -1, 1)
        angle = np.degrees(np.arccos(cosine))
        inside = (angle >= low) & (angle < high)
        assert found == {(i, j) for i, j in zip(*np.nonzero(np.triu(inside, 1)), strict=True)}


def test_an_inner_edge_belongs_to_the_class_and_an_outer_edge_does_not() -> None:
    positions = from_vectors(np.arange(2), np.zeros(2, dtype=int), np.eye(3)[:2])
    quarter = np.pi / 2

    def count(inner: float, outer: float) -> int:
        return sum(len(i) for i, _ in plain.pairs_in(positions, Annulus(inner, outer)))

    assert count(quarter, quarter + 0.1) == 1
    assert count(quarter - 0.1, quarter) == 0


def test_an_antipodal_pair_is_found() -> None:
    positions = from_vectors(np.arange(2), np.zeros(2, dtype=int), np.array([[0.0, 0, 1], [0, 0, -1]]))
    assert sum(len(i) for i, _ in plain.pairs_in(positions, Annulus(np.radians(179), np.radians(181)))) == 1


def test_one_visit_or_one_object_has_no_pair() -> None:
    one_visit = Positions.from_degrees(np.arange(3), np.zeros(3, dtype=int), np.arange(3.0), np.zeros(3))
    one_object = Positions.from_degrees(np.zeros(3, dtype=int), np.arange(3), np.zeros(3), np.zeros(3))
    for positions in (one_visit, one_object):
        found = separation.pair_rms(positions, Annulus(0, 1), ddof=1, min_common_visits=2)
        assert (found.pairs, found.measurements, len(found.values)) == (0, 0, 0)


def test_two_detections_of_an_object_in_a_visit_are_refused() -> None:
    with pytest.raises(ValueError, match="two detections"):
        Positions.from_degrees(np.zeros(2, dtype=int), np.zeros(2, dtype=int), np.zeros(2), np.zeros(2))


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


def test_the_mean_direction_is_that_of_the_mean_vector() -> None:
    stars = jittered(np.random.default_rng(6), 5, 4, (0.0, 0.0), 0.01)
    positions = build(stars)
    for k, star in enumerate(positions.objects):
        x, y, z = positions.direction[k]
        direction = (float(np.degrees(np.arctan2(y, x))), float(np.degrees(np.arcsin(z))))
        assert haversine(direction, mean_position(stars[star])) < 1e-3


def scattered(
    rng: np.random.Generator,
    n: int,
    visits: int,
    cap: float,
    center: tuple[float, float],
    errors: FloatArray,
    seen: float,
) -> tuple[IntArray, IntArray, FloatArray]:
    """Objects, visits and unit vectors of ``n`` stars within ``cap`` degrees, with an error in mas for each star."""
    obj, visit = np.nonzero(rng.random((n, visits)) < seen)
    distance = np.arccos(1 - rng.random(n) * (1 - np.cos(np.radians(cap))))
    angle = rng.uniform(0, 2 * np.pi, n)
    ra, dec = np.radians(center)
    axes = np.array(
        [
            [np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)],
            [-np.sin(ra), np.cos(ra), 0],
            [-np.sin(dec) * np.cos(ra), -np.sin(dec) * np.sin(ra), np.cos(dec)],
        ]
    )
    aside = np.stack([np.cos(distance), np.sin(distance) * np.cos(angle), np.sin(distance) * np.sin(angle)], axis=1)
    star = (aside @ axes)[obj]
    moved = star + rng.normal(size=star.shape) * (errors[obj] * MAS)[:, None]
    return obj, visit, moved / np.linalg.norm(moved, axis=1, keepdims=True)


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


def test_alike_deviations_keep_their_small_scatter_in_single_precision() -> None:
    """Two visits in which a pair is displaced alike: its standard deviation is far below its deviations."""
    rng = np.random.default_rng(0)
    obj, visit, vectors = scattered(rng, 300, 3, 0.1, (40.0, 20.0), np.full(300, 30.0), 1.0)
    half = obj % 2 == 0
    still = visit < 2
    first = {o: k for k, o in enumerate(obj) if visit[k] == 0}
    for k in np.flatnonzero(still & half):
        vectors[k] = vectors[first[obj[k]]]
    for k in np.flatnonzero(still & ~half):
        vectors[k] = vectors[first[obj[k]]]
    keep = ~((visit == 2) & (rng.random(len(obj)) < 0.6))
    where = from_vectors(obj[keep], visit[keep], vectors[keep], precise=False)
    annulus = Annulus(1 * ARCMIN, 10 * ARCMIN)
    fast = separation.pair_rms(where, annulus, ddof=1, min_common_visits=2)
    slow = plain.pair_rms(where, annulus, ddof=1, min_common_visits=2)
    assert np.median(slow.values) < 1e-3, "most pairs have only the two visits without scatter"
    np.testing.assert_allclose(np.sort(fast.values), np.sort(slow.values), atol=1e-4)


@pytest.mark.slow
def test_the_number_of_threads_changes_no_bit() -> None:
    rng = np.random.default_rng(8)
    obj, visit, vectors = scattered(rng, 800, 12, 0.3, (0.0, 30.0), np.full(800, 10.0), 0.8)
    annulus = Annulus(4 * ARCMIN, 6 * ARCMIN)
    found = []
    before = numba.get_num_threads()
    share_cores(1)
    available = numba.get_num_threads()
    for threads in (1, 2):
        numba.set_num_threads(min(threads, available))
        for precise in (True, False):
            where = from_vectors(obj, visit, vectors, precise=precise)
            found.append(separation.pair_rms(where, annulus, ddof=1, min_common_visits=2).values.tobytes())
            found.append(
                separation.pair_deviations(where, annulus, about="median", min_common_visits=2).values.tobytes()
            )
    numba.set_num_threads(before)
    assert found[:4] == found[4:]


@pytest.mark.parametrize("precise", [True, False])
def test_zero_weights_leave_objects_and_visits_out(precise: bool) -> None:
    """As if the objects and visits had never been there, apart from the mean positions, which stay."""
    rng = np.random.default_rng(9)
    obj, visit, vectors = scattered(rng, 120, 9, 0.15, (0.0, -30.0), np.full(120, 10.0), 0.9)
    where = from_vectors(obj, visit, vectors, precise=precise)
    annulus = Annulus(2 * ARCMIN, 8 * ARCMIN)
    objects, visits = (rng.random(120) < 0.7).astype(float), np.array([1.0, 1, 0, 1, 0, 1, 1, 1, 1])
    weights = Weights(objects, visits)
    weighted = separation.pair_rms(where, annulus, ddof=1, min_common_visits=2, weights=weights)
    assert weighted.weights is not None
    x, y = (np.where(visits > 0, offset, np.nan) for offset in (where.stars.x, where.stars.y))
    kept = dataclasses.replace(where, stars=where.stars._replace(x=x, y=y))
    kept.seen[objects == 0] = False
    slow = plain.pair_rms(kept, annulus, ddof=1, min_common_visits=2)
    assert (weighted.pairs, set(weighted.weights.tolist())) == (slow.pairs, {1.0})
    np.testing.assert_allclose(np.sort(weighted.values), np.sort(slow.values), atol=1e-4)
    abouts: tuple[Literal["median", "mean"], ...] = ("median", "mean")
    for about in abouts:
        found = separation.pair_deviations(where, annulus, about=about, min_common_visits=2, weights=weights)
        expected = plain.pair_deviations(kept, annulus, about=about, min_common_visits=2)
        np.testing.assert_allclose(np.sort(found.values), np.sort(expected.values), atol=2e-4)
        sizes = separation.pair_deviations(
            where, annulus, about=about, min_common_visits=2, absolute=True, weights=weights
        )
        np.testing.assert_array_equal(sizes.values, np.abs(found.values))


@pytest.mark.parametrize("precise", [True, False])
def test_a_visit_of_weight_two_counts_twice(precise: bool) -> None:
    """Weights are frequencies: the pair's standard deviation is that of the repeated list."""
    rng = np.random.default_rng(10)
    obj, visit, vectors = scattered(rng, 2, 6, 0.05, (10.0, -30.0), np.full(2, 10.0), 1.0)
    where = from_vectors(obj, visit, vectors, precise=precise)
    everything = Annulus(0.0, 1.0)
    plainly = separation.pair_deviations(where, everything, about="mean", min_common_visits=2).values
    times = np.array([1, 2, 0, 3, 1, 1])
    weights = Weights(np.array([2.0, 3.0]), times.astype(float))
    found = separation.pair_rms(where, everything, ddof=1, min_common_visits=2, weights=weights)
    assert found.weights is not None
    assert found.weights.tolist() == [6.0]
    repeated = np.repeat(plainly, times)
    assert found.values[0] == pytest.approx(np.std(repeated, ddof=1), abs=1e-4)
    about = separation.pair_deviations(where, everything, about="median", min_common_visits=2, weights=weights)
    expected = (plainly - np.median(repeated))[times > 0]
    np.testing.assert_allclose(about.values, expected, atol=1e-4)
    assert about.weights is not None
    assert about.weights.tolist() == (6.0 * times[times > 0]).tolist()


@pytest.mark.slow
@pytest.mark.parametrize("precise", [True, False])
@pytest.mark.parametrize("error", [10.0, 300.0, 1e6])
def test_bins_stand_in_for_what_is_too_much_to_keep(
    precise: bool, error: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each value is off by less than 7e-5 mas, or 1e-6 of it; none is lost, whatever the batches and the carry."""
    rng = np.random.default_rng(1)
    obj, visit, vectors = scattered(rng, 150, 6, 0.1, (10.0, -30.0), np.full(150, error), 0.9)
    where, annulus = from_vectors(obj, visit, vectors, precise=precise), Annulus(0.0, 1.0)

    def measure() -> list[separation.PairValues]:
        return [
            separation.pair_rms(where, annulus, ddof=1, min_common_visits=2),
            separation.pair_deviations(where, annulus, about="median", min_common_visits=2),
            separation.pair_deviations(where, annulus, about="mean", min_common_visits=2),
        ]

    kept = measure()
    monkeypatch.setattr(separation, "KEPT", 4000)
    monkeypatch.setattr(separation, "_PLACES", 5000)
    monkeypatch.setattr(value_bins, "_MOST", 20_000)
    for whole, binned in zip(kept, measure(), strict=True):
        assert binned.binned
        assert not whole.binned
        assert binned.weights is not None
        assert np.all(np.diff(binned.values) > 0)
        assert (binned.pairs, binned.measurements) == (whole.pairs, whole.measurements)
        values = np.sort(whole.values.astype(np.float64))
        repeated = np.repeat(binned.values, binned.weights)
        np.testing.assert_allclose(repeated, values, atol=7e-5, rtol=1e-6)


def test_weighted_values_that_are_too_many_are_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(separation, "KEPT", 800)
    rng = np.random.default_rng(1)
    obj, visit, vectors = scattered(rng, 60, 5, 0.1, (10.0, -30.0), np.full(60, 10.0), 1.0)
    where, weights = from_vectors(obj, visit, vectors), Weights(np.ones(60))
    with pytest.raises(NotMeasurable, match="more than 100 weighted values; use fewer stars"):
        separation.pair_rms(where, Annulus(0.0, 1.0), ddof=1, min_common_visits=2, weights=weights)


def test_memory_is_less_than_a_byte_for_each_two_objects() -> None:
    """Pairs of a narrow class are few: neither values nor their matrix by visit need an array of all pairs."""
    rng, n = np.random.default_rng(9), 2000
    obj, visit, vectors = scattered(rng, n, 2, 3.0, (120.0, -40.0), np.full(n, 10.0), 1.0)
    where, annulus = from_vectors(obj, visit, vectors), Annulus(4 * ARCMIN, 6 * ARCMIN)

    def both() -> int:
        pairs, _ = separation.deviations(where, annulus, 2, np.arange(n))
        assert len(pairs) == separation.pair_rms(where, annulus, ddof=1, min_common_visits=2).pairs
        return len(pairs)

    assert both() > n / 4  # and all is compiled
    tracemalloc.start()
    try:
        both()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < n**2


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 90),
    cap=st.sampled_from([1e-7, 1e-4, 0.01, 1.0, 40.0, 180.0]),
    inner=st.floats(0, 1),
    outer=st.floats(0, 1.2),
    twins=st.integers(0, 40),
)
def test_the_tree_finds_every_pair_once(seed: int, n: int, cap: float, inner: float, outer: float, twins: int) -> None:
    """Any field from a point to the whole sky, identical objects among them, any annulus."""
    rng = np.random.default_rng(seed)
    distance = np.arccos(1 - rng.random(n) * (1 - np.cos(np.radians(cap))))
    angle = rng.uniform(0, 2 * np.pi, n)
    vectors = np.stack([np.sin(distance) * np.cos(angle), np.sin(distance) * np.sin(angle), np.cos(distance)], axis=1)
    vectors = np.concatenate([vectors, vectors[rng.integers(0, n, twins)]])
    order, leaves = tree.build(vectors)
    assert sorted(order.tolist()) == list(range(n + twins))
    ordered = vectors[order]
    low, high = inner * np.radians(cap), outer * np.radians(cap)
    found: list[tuple[int, int]] = []
    neighbours = np.empty(len(leaves.leaf), dtype=np.int64)
    first, second = (np.empty(tree.LEAF**2 + 1, dtype=np.int64) for _ in range(2))
    for leaf in range(len(leaves.leaf)):
        for k in range(tree.neighbours(leaves, leaf, low, high, neighbours)):
            count = tree.pairs_of(leaves, leaf, neighbours[k], low * low, high * high, first, second, 0)
            found += [(min(i, j), max(i, j)) for i, j in zip(first[:count], second[:count], strict=True)]
    square = ((ordered[:, None] - ordered[None]) ** 2).sum(axis=-1)
    sure = (square > low * low * (1 + 1e-9) + 1e-30) & (square < high * high * (1 - 1e-9))
    possible = (square >= low * low * (1 - 1e-9)) & (square < high * high * (1 + 1e-9) + 1e-30)
    pairs = set(found)
    assert len(pairs) == len(found)
    assert {(i, j) for i, j in zip(*np.nonzero(np.triu(sure, 1)), strict=True)} <= pairs
    assert pairs <= {(i, j) for i, j in zip(*np.nonzero(np.triu(possible, 1)), strict=True)}
