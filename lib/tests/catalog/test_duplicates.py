"""Measurements that stand in a catalog twice, against a loop over all pairs of rows."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skyaccept.lib.catalog.detections import Detections, select_rows
from skyaccept.lib.catalog.duplicates import MAX_DEGREES, DuplicatePairs, find_duplicates, merge_duplicates


def field(n: int = 400, visits: int = 4, ra: float = 150.0) -> Detections:
    """Detections of stars in visits of two bands, with the errors that they have."""
    rng = np.random.default_rng(n)
    star = np.repeat(np.arange(n // visits), visits)
    visit = np.tile(np.arange(visits), n // visits)
    scatter = rng.normal(0, 10 / 3.6e6, (2, n))
    return Detections(
        ra=(ra + rng.uniform(-0.1, 0.1, n // visits)[star] + scatter[0]) % 360,
        dec=2 + rng.uniform(-0.1, 0.1, n // visits)[star] + scatter[1],
        visit=visit,
        band=(visit % 2).astype(np.int16),
        visits=tuple(map(str, range(visits))),
        bands=("g", "r"),
        mag=18 + rng.uniform(0, 3, n),
        mjd=60000.0 + visit,
        detector=star % 3,
        flags={"bad": star % 5 == 0},
        object=star,
    )


def doubled(d: Detections, rows: Any, **changes: Any) -> Detections:
    """Detections with some rows once more at the end, where some columns are changed."""
    again = replace(select_rows(d, rows), **changes)
    both = select_rows(d, np.r_[np.arange(len(d)), rows])
    held = {name: np.r_[getattr(d, name), values] for name, values in changes.items() if name != "flags"}
    flags = {name: np.r_[d.flags[name], again.flags[name]] for name in d.flags}
    return replace(both, flags=flags, **held)


def found(d: Detections) -> list[tuple[int, int]]:
    """Pairs of rows."""
    both = find_duplicates(d)
    return list(zip(both.first.tolist(), both.second.tolist(), strict=True))


def test_a_sound_field_has_no_pair() -> None:
    assert found(field()) == []


@pytest.mark.parametrize("ra", [0.0, 150.0, 359.95])
def test_rows_under_two_objects_are_found(ra: float) -> None:
    """Those of an overlap, whatever their objects are called."""
    d, rows = field(ra=ra), np.arange(0, 400, 7)
    both = find_duplicates(doubled(d, rows, object=d.object[rows] + 1000))  # type: ignore[index]
    assert both.same.all()
    assert list(zip(both.first, both.second - 400, strict=True)) == list(zip(rows, np.arange(len(rows)), strict=True))


@pytest.mark.parametrize(
    "change",
    [
        {"ra": lambda v: v.astype(np.float32).astype(float)},
        {"dec": lambda v: np.round(v, 5)},
        {"ra": lambda v: np.round(v, 6), "dec": lambda v: np.round(v, 6), "mag": lambda v: np.round(v, 5)},
        {"mag": lambda v: v.astype(np.float32).astype(float)},
        {"ra": lambda v: v * (1 + 1e-15)},
    ],
)
def test_rounding_hides_no_row(change: dict[str, Any]) -> None:
    """Single precision and decimals."""
    d, rows = field(), np.arange(0, 400, 7)
    again = doubled(d, rows, **{name: of(getattr(d, name)[rows]) for name, of in change.items()})
    assert found(again) == list(zip(rows.tolist(), range(400, 400 + len(rows)), strict=True))


@pytest.mark.parametrize("name", ["visit", "band", "mjd", "mag", "ra"])
def test_measurements_of_their_own_are_none(name: str) -> None:
    """One star in two bands, at two times, measured anew."""
    d, rows = field(), np.arange(0, 400, 7)
    rng = np.random.default_rng(3)
    changes: dict[str, Any] = {
        "visit": (d.visit[rows] + 2) % 4,
        "band": 1 - d.band[rows],
        "mjd": d.mjd[rows] + 0.01,  # type: ignore[index]
        "mag": d.mag[rows] + rng.normal(0, 0.005, len(rows)),  # type: ignore[index]
        "ra": d.ra[rows] + 3 * MAX_DEGREES,
    }
    assert found(doubled(d, rows, **{name: changes[name]})) == []


def test_rows_that_differ_in_flags_alone_are_one_measurement() -> None:
    """Tracts flag what is not primary in them."""
    d, rows = field(), np.arange(0, 400, 7)
    assert found(doubled(d, rows, flags={"bad": ~d.flags["bad"][rows]})) == list(
        zip(rows.tolist(), range(400, 400 + len(rows)), strict=True)
    )


def test_a_star_on_two_detectors_is_measured_twice() -> None:
    """The detector tells them apart, with errors of their own or the same values."""
    d, rows, rng = field(), np.arange(0, 400, 7), np.random.default_rng(5)
    other: dict[str, Any] = {"detector": d.detector[rows] + 1}  # type: ignore[index]
    moved = {"ra": d.ra[rows] + rng.normal(0, 3e-6, len(rows)), "mag": d.mag[rows] + rng.normal(0, 0.01, len(rows))}  # type: ignore[index]
    assert found(doubled(d, rows, **other, **moved)) == []
    assert found(doubled(d, rows, **other)) == []
    assert found(doubled(replace(d, mag=None), rows, **other)) == []


def test_the_row_without_a_flag_stays() -> None:
    d = field()
    rows = np.flatnonzero(d.flags["bad"])
    both = doubled(d, rows, flags={"bad": np.zeros(len(rows), dtype=bool)})
    kept, _ = merge_duplicates(both, find_duplicates(both))
    assert len(kept) == len(d)
    assert not both.flags["bad"][kept].any()


def test_stars_measured_twice_in_a_visit_do_not_agree_by_chance() -> None:
    """Ten thousand of them, some with magnitudes that happen to be equal within rounding."""
    d, rng = field(40_000), np.random.default_rng(4)
    rows = np.arange(0, 40_000, 4)
    moved = {"ra": d.ra[rows] + rng.normal(0, 3e-6, len(rows)), "mag": d.mag[rows] + rng.normal(0, 0.003, len(rows))}  # type: ignore[index]
    again = doubled(d, rows, **moved)
    assert np.count_nonzero(np.abs(moved["mag"] - d.mag[rows]) < 2e-5) > 10  # type: ignore[index]
    assert found(again) == []


def test_duplicates_without_magnitudes_agree_in_all_digits() -> None:
    """Missing ones, and a catalog that has none."""
    d, rows = field(), np.arange(0, 400, 7)
    for bare in (replace(d, mag=None), replace(d, mag=np.full(400, np.nan))):
        assert len(found(doubled(bare, rows))) == len(rows)
        assert found(doubled(bare, rows, ra=d.ra[rows] + 1e-8)) == []


def test_rows_without_a_position_have_no_pair() -> None:
    d = replace(field(), ra=np.full(400, np.nan))
    assert found(doubled(d, np.arange(50))) == []


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.integers(-2, 2), st.integers(-2, 2), st.integers(0, 1)), min_size=1, max_size=14
    ),
    st.sampled_from([(0.0, 0.0), (10.0003, -89.9), (359.9997, 45.0003), (77.0, 90.0 - 8e-5)]),
)
def test_pairs_are_those_of_a_loop(rows: list[tuple[int, int, int, int]], center: tuple[float, float]) -> None:
    """On either side of the edges of cells, and of RA = 0."""
    n, step = len(rows), 0.9 * MAX_DEGREES
    visit, x, y, mag = (np.array(column) for column in zip(*rows, strict=True))
    ra, dec = (center[0] + x * step) % 360, center[1] + y * step
    d = Detections(ra, dec, visit, np.zeros(n, dtype=np.int16), ("0", "1"), ("r",), mag=20 + mag * 1.0)
    expected = set()
    for i, j in itertools.combinations(range(n), 2):
        across = abs(ra[i] - ra[j])
        near = min(across, abs(360 - across)) <= MAX_DEGREES and abs(dec[i] - dec[j]) <= MAX_DEGREES
        if near and visit[i] == visit[j] and mag[i] == mag[j]:
            expected.add((i, j))
    equal = {(i, j) for i, j in expected if ra[i] == ra[j] and dec[i] == dec[j]}
    # two pairs that rounding explains may be chance
    assert set(found(d)) == (expected if len(expected - equal) > 2 else equal)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=8),
    st.lists(st.integers(-4, 5), min_size=12, max_size=12),
)
def test_each_measurement_counts_once(edges: list[tuple[int, int]], objects: list[int]) -> None:
    """One row of each connected group stays, if possible with an object and no flag; objects that share one are one."""
    edges = sorted({(min(e), max(e)) for e in edges if e[0] != e[1]} | {(3, 8)})
    first, second = (np.array([e[k] for e in edges], dtype=np.int64) for k in (0, 1))
    d = select_rows(field(12), np.arange(12))
    kept, joined = merge_duplicates(
        replace(d, object=np.array(objects)), DuplicatePairs(first, second, np.ones(len(edges), dtype=bool))
    )
    group = list(range(12))
    name = {code: code for code in objects}
    for _ in range(12):
        for i, j in edges:
            group[i] = group[j] = min(group[i], group[j])
            if objects[i] >= 0 and objects[j] >= 0:
                low = min(name[objects[i]], name[objects[j]])
                name[objects[i]] = name[objects[j]] = low
    expected = []
    for one in set(group):
        rows = [k for k in range(12) if group[k] == one]
        expected.append(min(rows, key=lambda k: (objects[k] < 0, d.flags["bad"][k], k)))
    assert kept.tolist() == sorted(expected)
    assert joined is not None
    assert joined.tolist() == [name[code] for code in objects]
