"""Groups of visits: nights, days without nights, columns, and what is refused."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skyaccept.lib.catalog.detections import Detections, select_rows
from skyaccept.lib.catalog.visit_groups import NIGHT_GAP, VisitGroups, group_visits, visit_times
from skyaccept.lib.exceptions import InputError


def catalog(times: list[float] | None, names: list[str] | None = None, groups: list[int] | None = None) -> Detections:
    """Two detections in each visit."""
    number = len(times or names or [])
    visit = np.repeat(np.arange(number), 2)
    zeros = np.zeros(2 * number)
    return Detections(
        ra=zeros,
        dec=zeros,
        visit=visit,
        band=np.zeros(2 * number, dtype=np.int16),
        visits=tuple(names or [f"v{k}" for k in range(number)]),
        bands=("r",),
        mjd=None if times is None else np.repeat(times, 2),
        visit_group=None if groups is None else np.array(groups),
        visit_group_names=() if groups is None else ("a", "b", "c"),
        source="cat.parquet",
    )


def grouped(found: VisitGroups) -> list[list[int]]:
    """Visits of each group."""
    return [np.flatnonzero(found.of_visit == k).tolist() for k in range(len(found))]


def test_a_gap_of_daylight_separates_nights() -> None:
    times = [60000.9, 60001.0, 60001.15, 60001.95, 60003.0]
    found = group_visits(catalog(times))
    assert (found.kind, found.note) == ("night", "")
    assert sorted(map(tuple, grouped(found))) == [(0, 1, 2), (3,), (4,)]
    assert [found.names[k] for k in found.of_visit[[0, 4]]] == ["MJD 60000.9", "MJD 60003.0"]
    assert found.names_of(np.array([1, 4])) == [found.names[found.of_visit[1]], found.names[found.of_visit[4]]]


@given(st.lists(st.floats(0, 30), min_size=1, max_size=40))
def test_nights_are_those_of_a_plain_loop(times: list[float]) -> None:
    """Whatever the order of visits; no night is longer than two days unless it is split into days."""
    found = group_visits(catalog([60000 + time for time in times]))
    order = np.argsort(times)
    expected, night = {int(order[0]): 0}, 0
    for before, here in pairwise(order):
        night += (60000 + times[here]) - (60000 + times[before]) > NIGHT_GAP
        expected[int(here)] = night
    for k in range(len(times)):
        for other in range(len(times)):
            if found.of_visit[k] == found.of_visit[other]:
                assert expected[k] == expected[other]
                assert abs(times[k] - times[other]) <= 2.0 + 1e-6
            elif not found.note:
                assert expected[k] != expected[other]
    assert len(set(found.names)) == len(found.names)


def test_visits_without_gaps_are_grouped_by_day_with_a_note() -> None:
    """As from space: 6 days of a visit an hour."""
    found = group_visits(catalog([60000 + k / 24 for k in range(145)]))
    assert [len(group) for group in grouped(found)] == [24, 24, 24, 24, 24, 25]
    assert "6.0 days without a gap of 4 h: groups of visits are days" in found.note


def test_names_of_nights_do_not_depend_on_the_order_of_visits() -> None:
    times = [60000.9, 60001.0, 60001.95, 60003.0]
    one, other = group_visits(catalog(times)), group_visits(catalog(times[::-1]))
    assert one.names_of(np.arange(4)) == other.names_of(np.arange(4)[::-1])


def test_without_times_visits_are_independent_and_a_note_says_so() -> None:
    found = group_visits(catalog(None, ["b", "a", "b"]))
    assert (found.kind, found.names, found.of_visit.tolist()) == ("visit", ("a", "b"), [1, 0, 1])
    assert found.note.startswith("the times of visits are not known: visits are taken as independent")
    part = group_visits(catalog([60000.0, np.nan]))
    assert part.note.startswith("the times of 1 visits are not known")
    assert group_visits(catalog([60000.0, 60000.1]), "visit").note == ""
    with pytest.raises(InputError, match=r"--visit-groups night: 1 of 2 visits have no time, such as 'v1'"):
        group_visits(catalog([60000.0, np.nan]), "night")


def test_a_column_names_groups_and_has_one_value_in_a_visit() -> None:
    found = group_visits(catalog([60000.0, 60000.1, 60009.0], groups=[2, 2, 0, 0, 2, 2]))
    assert (found.kind, found.names_of(np.arange(3))) == ("column", ["c", "a", "c"])
    with pytest.raises(InputError, match="visit 'v1' has several values of visit_group"):
        group_visits(catalog([60000.0, 60000.1], groups=[2, 2, 0, 1]))
    with pytest.raises(InputError, match="no column for 'visit_group'"):
        group_visits(catalog([60000.0]), "column")


def test_the_time_of_a_visit_is_the_mean_of_its_detections() -> None:
    detections = catalog([60000.25, np.nan])
    assert detections.mjd is not None
    detections.mjd[0] = 60000.75
    assert visit_times(detections).tolist() == pytest.approx([60000.5, np.nan], nan_ok=True)


def test_visits_without_detections_do_not_matter() -> None:
    """As in a part of a catalog, which keeps the names of all visits."""
    whole = catalog([60000.0, 60000.1, 60002.0])
    part = select_rows(whole, np.flatnonzero(whole.visit != 1))
    found = group_visits(part)
    assert (found.kind, found.note) == ("night", "")
    assert found.names_of(np.array([0, 2])) == ["MJD 60000.0", "MJD 60002.0"]
