"""Association against a plain search over all pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array, csgraph
from scipy.spatial import cKDTree
from skyaccept.lib.catalog import association
from skyaccept.lib.catalog.association import AMBIGUOUS, CONFLICT, UNASSOCIATED, associate
from skyaccept.lib.catalog.components import UNPLACED, connected_components
from skyaccept.lib.catalog.detections import Detections
from skyaccept.lib.sphere import chord, unit_vectors

ARCSEC = math.radians(1 / 3600)

Partition = tuple[set[frozenset[int]], set[int], set[int], set[int]]


def catalog(
    ra: Sequence[float], dec: Sequence[float], visit: Sequence[int], objects: Any = None, band: Any = None
) -> Detections:
    """Detections at these positions, of three bands."""
    return Detections(
        ra=np.array(ra, dtype=float),
        dec=np.array(dec, dtype=float),
        visit=np.array(visit, dtype=np.int64),
        band=np.zeros(len(ra), dtype=np.int16) if band is None else np.array(band, dtype=np.int16),
        visits=tuple(map(str, range(max(visit, default=0) + 1))),
        bands=("r", "i", "z"),
        object=None if objects is None else np.array(objects, dtype=np.int64),
    )


def codes(detections: Detections, radius: float = ARCSEC) -> Any:
    """Object of each row once associated."""
    result = associate(detections, radius).object
    assert result is not None
    return result


def partition(labels: Sequence[int]) -> Partition:
    """Groups of rows, ambiguous rows, rows in conflict and unplaced rows."""
    groups: dict[int, set[int]] = {}
    for row, label in enumerate(labels):
        groups.setdefault(int(label), set()).add(row)
    ambiguous, conflict, unplaced = (groups.pop(code, set()) for code in (AMBIGUOUS, CONFLICT, UNPLACED))
    assert all(label >= 0 for label in groups)
    return {frozenset(group) for group in groups.values()}, ambiguous, conflict, unplaced


def angle(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Angle between two positions in degrees, by the haversine formula; radians."""
    (ra1, dec1), (ra2, dec2) = ((math.radians(x), math.radians(y)) for x, y in (a, b))
    h = math.sin((dec2 - dec1) / 2) ** 2 + math.cos(dec1) * math.cos(dec2) * math.sin((ra2 - ra1) / 2) ** 2
    return 2 * math.asin(min(1.0, math.sqrt(h)))


def reference(
    ra: Sequence[float], dec: Sequence[float], visit: Sequence[int], band: Sequence[int], radius: float
) -> Partition:
    """Union-find over all pairs of rows of different exposures; loops, nothing else."""
    exposure = list(zip(visit, band, strict=True))
    parent = list(range(len(ra)))

    def root(row: int) -> int:
        while parent[row] != row:
            row = parent[row]
        return row

    placed = [row for row in range(len(ra)) if math.isfinite(ra[row]) and math.isfinite(dec[row])]
    for i in placed:
        for j in placed:
            if i < j and exposure[i] != exposure[j] and angle((ra[i], dec[i]), (ra[j], dec[j])) < radius:
                parent[root(i)] = root(j)
    groups: dict[int, set[int]] = {}
    for row in placed:
        groups.setdefault(root(row), set()).add(row)
    clear, ambiguous, conflict = set(), set[int](), set[int]()
    for group in groups.values():
        visits: dict[tuple[int, int], list[int]] = {}
        for row in group:
            visits.setdefault(exposure[row], []).append(row)
        twice = [rows for rows in visits.values() if len(rows) > 1]
        if 2 * len(twice) >= len(visits):
            ambiguous |= group
        else:
            conflict |= {row for rows in twice for row in rows}
            clear.add(frozenset(row for rows in visits.values() for row in rows if len(rows) == 1))
    return clear, ambiguous, conflict, set(range(len(ra))) - set(placed)


Field = tuple[list[float], list[float], list[int], list[int]]


def located(field: Field) -> Detections:
    """Detections of a field as `fields` draws it."""
    ra, dec, visit, band = field
    return catalog(ra, dec, visit, band=band)


@st.composite
def fields(draw: st.DrawFn) -> Field:
    """Small crowded fields: somewhere, across RA = 0, or about a pole; some positions missing, visits in two bands."""
    dec0 = draw(st.sampled_from([0.0, -30.0, 89.9999, 90.0, -90.0, 60.0]))
    ra0 = draw(st.sampled_from([0.0, 123.4, 359.9999]))
    n = draw(st.integers(1, 20))
    bands = draw(st.integers(0, 1))
    ra, dec, visit, band = [], [], [], []
    for _ in range(n):
        # thirds of an arcsecond and a bit: no pair lies at the radius within rounding
        east, north = (draw(st.integers(-6, 6)) * 0.371 / 3600 for _ in range(2))
        if abs(dec0) == 90.0:
            distance = math.hypot(east, north)
            ra.append(math.degrees(math.atan2(north, east)) % 360)
            dec.append(math.copysign(90 - distance, dec0))
        else:
            ra.append((ra0 + east / math.cos(math.radians(dec0))) % 360)
            dec.append(min(90.0, dec0 + north))
        if draw(st.integers(0, 9)) == 0:
            (ra if draw(st.booleans()) else dec)[-1] = draw(st.sampled_from([math.nan, math.inf]))
        visit.append(draw(st.integers(0, 4)))
        band.append(draw(st.integers(0, bands)))
    return ra, dec, visit, band


@pytest.mark.slow
@settings(deadline=None, max_examples=300)
@given(fields())
def test_objects_are_those_of_a_search_over_all_pairs(field: Field) -> None:
    """Groups, ambiguous rows, rows in conflict and unplaced rows."""
    assert partition(codes(located(field))) == reference(*field, ARCSEC)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(0, 1)), min_size=1, max_size=25))
def test_objects_of_the_catalog_follow_the_same_rule(rows: list[tuple[int, int, int]]) -> None:
    """As a loop over objects and exposures finds it."""
    objects, visit, band = (list(values) for values in zip(*rows, strict=True))
    # one place for each object, far from the others
    places = [10.0 + k for k in objects]
    found = partition(codes(catalog(places, [0.0] * len(rows), visit, objects, band)))
    clear, ambiguous, conflict = set(), set(), set()
    for name in set(objects):
        own = [k for k in range(len(rows)) if objects[k] == name]
        seen = [(visit[k], band[k]) for k in own]
        twice = {one for one in seen if seen.count(one) > 1}
        if 2 * len(twice) >= len(set(seen)):
            ambiguous |= set(own)
        else:
            conflict |= {k for k in own if (visit[k], band[k]) in twice}
            clear.add(frozenset(k for k in own if (visit[k], band[k]) not in twice))
    assert found == (clear, ambiguous, conflict, set())


@settings(deadline=None)
@given(fields(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(field: Field, random: Any) -> None:
    """The same rows end up together."""
    order = list(range(len(field[0])))
    random.shuffle(order)
    straight = partition(codes(located(field)))
    ra, dec, visit, band = field
    places = [ra[i] for i in order], [dec[i] for i in order]
    groups, *others = partition(codes(catalog(*places, [visit[i] for i in order], band=[band[i] for i in order])))
    back = {frozenset(order[row] for row in group) for group in groups}
    assert (back, *({order[row] for row in rows} for rows in others)) == straight


@settings(deadline=None)
@given(fields())
def test_objects_are_numbered_without_gaps(field: Field) -> None:
    """0 ... n - 1, so that arrays can be indexed by them."""
    done = associate(located(field), ARCSEC)
    assert sorted(set(done.object[done.object >= 0].tolist())) == list(range(done.n_objects))
    assert done.object.dtype == np.int64


def test_a_star_across_ra_zero_is_one_object() -> None:
    """360 degrees are 0 degrees."""
    tiny = 0.2 / 3600
    assert codes(catalog([tiny, 360 - tiny, 0.0, 360.0], [5.0] * 4, [0, 1, 2, 3])).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("pole", [90.0, -90.0])
def test_a_star_at_a_pole_is_one_object(pole: float) -> None:
    """Right ascension means nothing there."""
    near = math.copysign(90 - 0.3 / 3600, pole)
    assert codes(catalog([0.0, 200.0, 90.0], [pole, pole, near], [0, 1, 2])).tolist() == [0, 0, 0]


def test_detections_of_one_visit_are_never_joined() -> None:
    """Close neighbours seen once each stay two objects."""
    assert len(set(codes(catalog([10.0, 10.0 + 0.1 / 3600], [0.0, 0.0], [3, 3])).tolist())) == 2


def test_two_detections_in_one_visit_leave_out_that_visit() -> None:
    """One of five; the others stay, and so does everything else."""
    places = [10.0, 10.0 + 0.5 / 3600, *[10.0 + 0.25 / 3600] * 4, 20.0, 20.0]
    found = codes(catalog(places, [0.0] * 8, [0, 0, 1, 2, 3, 4, 0, 1]))
    assert found.tolist() == [CONFLICT] * 2 + [0] * 4 + [1, 1]


def test_two_detections_in_half_of_the_visits_leave_out_all() -> None:
    """One of two visits; three detections in one visit are one such visit."""
    a = 0.5 / 3600
    found = codes(catalog([10.0, 10.0 + a, 10.0 + a / 2, 20.0, 20.0], [0.0] * 5, [0, 0, 1, 0, 1]))
    assert found.tolist() == [AMBIGUOUS] * 3 + [0, 0]
    found = codes(catalog([10.0, 10.0 + a, 10.0 + a / 2, 10.0, 10.0], [0.0] * 5, [0, 0, 0, 1, 2]))
    assert found.tolist() == [CONFLICT] * 3 + [0, 0]


def test_a_visit_is_one_of_a_band() -> None:
    """Simultaneous cameras, or numbers that restart by band: one star in two visits of two bands, four detections."""
    field = catalog([10.0] * 4, [0.0] * 4, [0, 0, 1, 1], band=[0, 1, 0, 1])
    for given_objects in (None, np.zeros(4, dtype=np.int64)):
        done = associate(replace(field, object=given_objects), ARCSEC)
        assert done.object.tolist() == [0] * 4
        assert done.visit.tolist() == [0, 1, 2, 3]
        assert done.visits == ("0", "0", "1", "1")
        assert done.notes == (
            "2 visit names are those of exposures in several bands: a visit is taken to be one of a band",
        )
        assert associate(done, ARCSEC).notes == done.notes


def test_visits_of_one_band_each_stay_what_they_are() -> None:
    """Codes and names; nothing is said."""
    field = catalog([10.0] * 3, [0.0] * 3, [0, 2, 1], band=[0, 1, 1])
    done = associate(field, ARCSEC)
    assert done.visit is field.visit
    assert (done.visits, done.notes) == (field.visits, ())


def test_rows_without_an_object_are_left_out_and_noted() -> None:
    """In a catalog that comes with objects."""
    field = catalog([10.0, 10.0, 10.0, 20.0], [0.0] * 4, [0, 1, 2, 0], [5, -1, 5, UNASSOCIATED])
    done = associate(field, ARCSEC)
    assert done.object.tolist() == [0, UNASSOCIATED, 0, UNASSOCIATED]
    assert done.notes == ("2 rows have no object (null or declared missing): left out",)
    assert associate(done, ARCSEC).notes == done.notes


def test_a_chain_is_one_object() -> None:
    """Its ends may be farther apart than the radius."""
    step = 0.9 / 3600
    assert codes(catalog([10 + k * step for k in range(5)], [0.0] * 5, [4, 2, 0, 1, 3])).tolist() == [0] * 5


def test_a_chain_that_comes_back_to_a_visit_loses_it() -> None:
    """Whatever the distance."""
    step = 0.9 / 3600
    found = codes(catalog([10 + k * step for k in range(4)], [0.0] * 4, [0, 1, 2, 0]))
    assert found.tolist() == [CONFLICT, 0, 0, CONFLICT]


def test_detections_without_a_position_belong_to_no_object() -> None:
    """They keep their row."""
    found = codes(catalog([10.0, np.nan, 10.0, 10.0], [0.0, 0.0, np.inf, 0.0], [0, 1, 2, 3]))
    assert found.tolist() == [0, UNPLACED, UNPLACED, 0]


def test_nothing_placed_is_no_object() -> None:
    """Nor is no row at all."""
    done = associate(catalog([np.nan, np.nan], [0.0, 0.0], [0, 1]), ARCSEC)
    assert done.object.tolist() == [UNPLACED, UNPLACED]
    assert done.n_objects == 0
    assert len(codes(catalog([], [], []))) == 0


@pytest.mark.parametrize("dec", [0.0, 47.3, -89.0])
def test_a_pair_at_exactly_the_radius_is_not_joined(dec: float) -> None:
    """One step of the last digit more and it is."""
    vectors = unit_vectors(np.array([10.0, 10.0 + 1 / 3600]), np.array([dec, dec]))
    length = float(np.linalg.norm(vectors[0] - vectors[1]))
    radius = 2 * math.asin(length / 2)
    while chord(radius) > length:
        radius = math.nextafter(radius, 0)
    while chord(math.nextafter(radius, 1)) <= length:
        radius = math.nextafter(radius, 1)
    larger = math.nextafter(radius, 1)
    assert chord(radius) <= length < chord(larger)
    visit = np.array([0, 1])
    assert len(set(connected_components(vectors, visit, radius).tolist())) == 2
    assert len(set(connected_components(vectors, visit, larger).tolist())) == 1


@pytest.mark.parametrize(("share", "objects"), [(0.999999, 1), (1.000001, 2)])
@pytest.mark.parametrize("arcsec", [0.1, 1.0, 30.0])
def test_the_radius_is_an_angle_on_the_sky(arcsec: float, share: float, objects: int) -> None:
    """Not in right ascension."""
    dec = 60.0
    offset = share * arcsec / 3600
    east = 2 * math.degrees(math.asin(math.sin(math.radians(offset) / 2) / math.cos(math.radians(dec))))
    for ra2, dec2 in ((50.0 + east, dec), (50.0, dec + offset)):
        done = associate(catalog([50.0, ra2], [dec, dec2], [0, 1]), arcsec * ARCSEC)
        assert done.n_objects == objects


def test_objects_of_the_catalog_are_kept() -> None:
    """Even where positions say otherwise."""
    done = associate(catalog([10.0, 10.0003, 10.0, 10.0003], [0.0] * 4, [0, 1, 1, 0], [4, 4, 9, 9]), ARCSEC)
    assert done.object.tolist() == [0, 0, 1, 1]


def test_own_objects_with_two_detections_a_visit_are_ambiguous() -> None:
    """The rule is the same for all; numbers close up."""
    given_objects = [0, 0, 1, 1, 1, 2, 2, 3]
    found = codes(catalog([10.0] * 8, [0.0] * 8, [0, 1, 0, 0, 1, 1, 0, 1], given_objects))
    assert found.tolist() == [0, 0, AMBIGUOUS, AMBIGUOUS, AMBIGUOUS, 1, 1, 2]


def test_objects_of_the_catalog_lose_rows_without_a_position() -> None:
    """Such a row does not make its object ambiguous."""
    found = codes(catalog([10.0, np.nan, 10.0], [0.0] * 3, [0, 0, 1], [0, 0, 0]))
    assert found.tolist() == [0, UNPLACED, 0]


def test_association_twice_is_association_once() -> None:
    """Ambiguous and unplaced rows stay what they are."""
    a = 0.5 / 3600
    field = catalog([10.0, 10.0 + a, 10.0, np.nan, 20.0, 20.0, 30.0], [0.0] * 7, [0, 0, 1, 1, 0, 1, 0])
    once = associate(field, ARCSEC)
    again = associate(once, ARCSEC)
    assert once.object.tolist() == again.object.tolist() == [-2, -2, -2, -1, 0, 0, 1]


def test_a_catalog_without_a_clear_object_stays_so() -> None:
    """However it is marked."""
    for given_objects in ([AMBIGUOUS] * 3, [UNASSOCIATED] * 3, [AMBIGUOUS, CONFLICT, AMBIGUOUS]):
        assert codes(catalog([10.0] * 3, [0.0] * 3, [0, 0, 1], given_objects)).tolist() == given_objects


def test_nothing_but_the_objects_changes() -> None:
    """The other columns are handed on."""
    field = catalog([10.0, 10.0], [0.0, 0.0], [0, 1])
    done = associate(field, ARCSEC)
    assert done.ra is field.ra
    assert done.visit is field.visit
    assert field.object is None


def test_many_stars_are_found_again() -> None:
    """Twenty thousand detections of two thousand stars."""
    rng = np.random.default_rng(1)
    stars, visits = 2000, 10
    ra, dec = rng.uniform(0, 2, stars), rng.uniform(-1, 1, stars)
    star = np.tile(np.arange(stars), visits)
    visit = np.repeat(np.arange(visits), stars)
    jitter = rng.normal(0, 0.01 / 3600, (2, stars * visits))
    shuffled = rng.permutation(stars * visits)
    field = catalog(
        ((ra[star] + jitter[0]) % 360)[shuffled].tolist(),
        (dec[star] + jitter[1])[shuffled].tolist(),
        visit[shuffled].tolist(),
    )
    found = codes(field)
    clear = found >= 0
    assert clear.mean() > 0.99
    pairs = {(int(a), int(b)) for a, b in zip(found[clear], star[shuffled][clear], strict=True)}
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


@pytest.mark.slow
@pytest.mark.parametrize("scatter", [0.02, 0.3, 1.0])
@pytest.mark.parametrize("visits", [1, 2, 60])
@pytest.mark.parametrize("radius", [0.02 * ARCSEC, 0.3 * ARCSEC, ARCSEC, math.radians(1), math.radians(100)])
def test_components_are_those_of_the_graph_of_all_pairs(radius: float, visits: int, scatter: float) -> None:
    """Crowded and sparse, cubes smaller and larger than the radius; stars about a pole, an axis and anywhere."""
    rng = np.random.default_rng(round(1000 * scatter) + visits)
    for centre in ([0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.5, -0.7, 0.3]):
        for spread in (2.0, 40.0):
            stars = centre + rng.normal(0, spread * radius, (60, 3))
            vectors = stars[rng.integers(60, size=1500)] + rng.normal(0, scatter * radius, (1500, 3))
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            visit = rng.integers(visits, size=1500)
            pairs = cKDTree(vectors).query_pairs(1.001 * chord(radius), output_type="ndarray")
            length = np.sqrt(np.sum((vectors[pairs[:, 0]] - vectors[pairs[:, 1]]) ** 2, axis=1))
            edges = pairs[(length < chord(radius)) & (visit[pairs[:, 0]] != visit[pairs[:, 1]])]
            graph = coo_array((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(1500, 1500))
            found, expected = (
                connected_components(vectors, visit, radius),
                csgraph.connected_components(graph, directed=False)[1],
            )
            first = np.unique(expected, return_index=True)[1]
            assert np.array_equal(found, np.argsort(np.argsort(first))[expected])


def test_a_vector_that_is_not_finite_stands_apart() -> None:
    """Wherever it comes."""
    vectors = np.array([[np.nan, 0, 0], [1, 0, 0], [0, np.inf, 0], [1, 0, 0], [0, 0, 1]])
    assert connected_components(vectors, np.arange(5), ARCSEC).tolist() == [UNPLACED, 0, UNPLACED, 0, 1]


def test_visits_may_have_large_numbers() -> None:
    """They are told apart by all of their digits."""
    vectors = np.tile([1.0, 0.0, 0.0], (2, 1))
    assert connected_components(vectors, np.array([5, 5]) + (1 << 40), ARCSEC).tolist() == [0, 1]
    assert connected_components(vectors, np.array([5, 5 + (1 << 40)]), ARCSEC).tolist() == [0, 0]


def test_directions_are_those_of_the_plain_formula() -> None:
    """To rounding."""
    rng = np.random.default_rng(1)
    ra, dec = rng.uniform(0, 360, 1000), rng.uniform(-90, 90, 1000)
    np.testing.assert_allclose(association._directions(ra, dec), unit_vectors(ra, dec), rtol=0, atol=3e-16)


def test_objects_of_the_catalog_may_have_large_numbers() -> None:
    """They are numbered in their order."""
    field = catalog([10.0, 50.0, 10.0, 30.0], [0.0] * 4, [0, 1, 1, 1], [1 << 60, 7, 1 << 60, 1 << 50])
    assert codes(field).tolist() == [2, 0, 2, 1]


def test_columns_may_be_of_any_layout() -> None:
    """As they come from files: big-endian, read-only, strided."""
    ra, visit = np.array([10.0, 0, 20.0, 0, 10.0, 0], dtype=">f8")[::2], np.array([0, 0, 1], dtype=">i4")
    ra.flags.writeable = visit.flags.writeable = False
    field = replace(catalog([0.0] * 3, [0.0] * 3, [0, 0, 1]), ra=ra, dec=np.zeros(3, dtype=np.float32), visit=visit)
    assert codes(field).tolist() == [0, 1, 0]


def test_many_ambiguous_rows_are_noted_with_the_extent() -> None:
    """Radians taken for degrees, and one visit for all exposures; few ambiguous objects are no matter for a note."""
    rng = np.random.default_rng(2)
    visit = np.tile(np.arange(4), 200)
    star = np.repeat(np.arange(200), 4)
    ra, dec = 150 + rng.uniform(0, 0.2, 200)[star], 2 + rng.uniform(0, 0.2, 200)[star]
    d = Detections(ra, dec, visit, np.zeros(800, dtype=np.int16), ("0", "1", "2", "3"), ("r",))
    assert associate(d, ARCSEC).notes == ()
    (radians,) = associate(replace(d, ra=np.radians(ra), dec=np.radians(dec)), ARCSEC).notes
    assert "of the rows are left out: their objects have two detections in half of their visits or more" in radians
    assert "arcsec of their centre: are they in radians?" in radians
    (one,) = associate(replace(d, visit=np.arange(800) // 400, object=star), ARCSEC).notes
    assert "All positions lie within 0.1" in one
    assert "degrees of their centre" in one
    assert "does the visit identify exposures?" in one
