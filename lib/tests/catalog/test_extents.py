"""Extents of the objects of a catalog, against loops over all pairs of their rows."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skyaccept.lib.catalog.extents import MAX_LARGE_FRACTION, find_too_large
from skyaccept.lib.exceptions import InputError

ARCSEC = math.radians(1 / 3600)


def objects(number: int, rows: int = 4) -> tuple[Any, Any, Any]:
    """Labels and positions of sound objects, 10 mas wide, one degree apart."""
    rng = np.random.default_rng(number)
    label = np.repeat(np.arange(number), rows)
    east, north = rng.normal(0, 0.01 / 3600, (2, number * rows))
    return label, 10.0 + label + east, north


def test_sound_objects_are_taken() -> None:
    rows, note = find_too_large("cat", *objects(50), ARCSEC)
    assert (len(rows), note) == (0, "")


def test_no_object_is_none_too_large() -> None:
    label = np.array([-1, -4])
    assert find_too_large("cat", label, np.array([10.0, np.nan]), np.zeros(2), ARCSEC)[1] == ""
    assert find_too_large("cat", label[:0], np.zeros(0), np.zeros(0), ARCSEC)[1] == ""


def test_single_large_objects_are_left_out_and_noted() -> None:
    """A wrong merge, and a fast star."""
    label, ra, dec = objects(100)
    dec[13] += 30 / 3600
    ra[40:44] += 2 * np.arange(4) / 3600
    rows, note = find_too_large("cat", label, ra, dec, ARCSEC)
    assert sorted(rows.tolist()) == [12, 13, 14, 15, 40, 41, 42, 43]
    assert note.startswith("2 of 100 objects with several detections extend over more than 4 arc sec, up to 30.0")


@pytest.mark.parametrize("share", [0.9 * MAX_LARGE_FRACTION, 1.1 * MAX_LARGE_FRACTION])
def test_many_large_objects_are_refused(share: float) -> None:
    """Above a share of those that have several detections."""
    label, ra, dec = objects(1000)
    dec[0 : 4 * round(share * 1000) : 4] += 0.1
    label, ra, dec = np.r_[label, 1000 + np.arange(5000)], np.r_[ra, np.zeros(5000)], np.r_[dec, np.zeros(5000)]
    if share < MAX_LARGE_FRACTION:
        assert len(find_too_large("cat", label, ra, dec, ARCSEC)[0]) == 4 * round(share * 1000)
        return
    with pytest.raises(InputError, match=r"cat: 55 of 1,000 objects .* arc sec .* median .* 360 arc sec.*within: file"):
        find_too_large("cat", label, ra, dec, ARCSEC)


def test_one_large_object_of_few_is_left_out() -> None:
    """It is no share of them."""
    label, ra, dec = objects(3)
    dec[0] += 0.1
    assert find_too_large("cat", label, ra, dec, ARCSEC)[0].tolist() == [0, 1, 2, 3]


def test_a_running_number_within_each_file_is_refused() -> None:
    """Each object holds a row of each visit, anywhere in the field."""
    rng = np.random.default_rng(1)
    ra, dec = rng.uniform(10, 10.2, 500), rng.uniform(-0.1, 0.1, 500)
    with pytest.raises(InputError, match=r"100 of 100 objects.*running number"):
        find_too_large("cat", np.tile(np.arange(100), 5), ra, dec, ARCSEC)


def opposite(ra: float, dec: float, arcsec: float) -> tuple[Any, Any]:
    """Two places on either side of one, on its parallel; at a pole, across it."""
    if abs(dec) == 90.0:
        return np.array([20.0, 200.0]), np.full(2, math.copysign(90 - arcsec / 7200, dec))
    east = arcsec / 7200 / math.cos(math.radians(dec))
    return np.array([ra - east, ra + east]) % 360, np.full(2, dec)


@pytest.mark.parametrize(("ra", "dec"), [(0.0, 10.0), (0.0, 90.0), (0.0, -90.0), (77.0, -89.9), (359.9999, 60.0)])
def test_extents_are_those_of_the_sky(ra: float, dec: float) -> None:
    """Across RA = 0 and about a pole: 3.99 arc sec are within the bound, and 4.01 are not."""
    for arcsec, expected in ((3.99, 0), (4.01, 2)):
        label, sound_ra, sound_dec = objects(100)
        places = opposite(ra, dec, arcsec)
        ra_of_all, dec_of_all = (np.r_[sound_ra, places[0]], np.r_[sound_dec, places[1]])
        rows, _ = find_too_large("cat", np.r_[label, 100, 100], ra_of_all, dec_of_all, ARCSEC)
        assert len(rows) == expected


@pytest.mark.slow
@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(-3, 3), st.integers(-3, 3)), max_size=20),
    st.sampled_from([0.0, 89.0, -60.0]),
    st.randoms(use_true_random=False),
)
def test_extents_are_those_of_all_pairs(rows: list[tuple[int, int, int]], dec0: float, random: Any) -> None:
    """No pair of an object that is taken lies beyond the bound, and one that is left out has a far pair.

    The diagonal of a box is at most sqrt(3) of the largest separation; the order of the rows does not matter.
    """
    label, ra, dec = objects(200)
    east = [1.8 / 3600 * x / math.cos(math.radians(dec0)) for _, x, _ in rows]
    north = [dec0 + 1.8 / 3600 * y for _, _, y in rows]
    whole = (
        np.r_[label, np.array([200 + k for k, _, _ in rows], dtype=np.int64)],
        np.r_[ra, np.array(east) % 360],
        np.r_[dec, np.array(north)],
    )
    lost = set(find_too_large("cat", *whole, ARCSEC)[0].tolist())
    order = list(range(len(whole[0])))
    random.shuffle(order)
    label, ra, dec = (column[order] for column in whole)
    assert {order[k] for k in find_too_large("cat", label, ra, dec, ARCSEC)[0].tolist()} == lost
    for name in range(4):
        own = [k for k, row in enumerate(rows) if row[0] == name]
        widest = max(
            (
                1.8 * math.hypot(rows[i][1] - rows[j][1], rows[i][2] - rows[j][2])
                for i, j in itertools.combinations(own, 2)
            ),
            default=0.0,
        )
        out = [800 + k in lost for k in own]
        assert all(out) or not any(out)
        if widest > 4.001:
            assert all(out)
        if widest < 4 / math.sqrt(3) - 0.001:
            assert not any(out)
