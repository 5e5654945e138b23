"""Quality cuts against a plain reference, and the account of what they reject."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skyaccept.lib.catalog.association import AMBIGUOUS, REASONS
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.sample.cuts import Cut
from skyaccept.lib.sample.selection import Selection, select

Row = dict[str, Any]

NAN = math.nan


def catalog(rows: Sequence[Row]) -> AssociatedDetections:
    """Associated detections; what a row does not say is ordinary."""

    def column(name: str, otherwise: float, kind: type = float) -> Any:
        return np.array([row.get(name, otherwise) for row in rows], dtype=kind)

    bands = tuple(sorted({row.get("band", "r") for row in rows})) or ("r",)
    flags = sorted({name for row in rows for name in row if name.startswith("flag_")})
    return AssociatedDetections(
        ra=column("ra", 10.0),
        dec=column("dec", 0.0),
        visit=column("visit", 0, int),
        band=np.array([bands.index(row.get("band", "r")) for row in rows], dtype=np.int16),
        visits=tuple("0123456789"),
        bands=bands,
        object=column("object", 0, int),
        mag=column("mag", 20.0),
        snr=column("snr", 100.0),
        extendedness=column("extendedness", 0.0),
        flags={name.removeprefix("flag_"): column(name, False, bool) for name in flags},
        source="cat.csv",
        survey="generic",
    )


def star(object_: int, column: str, *values: float) -> list[Row]:
    """One object with one detection a visit."""
    return [{"object": object_, "visit": visit, column: value} for visit, value in enumerate(values)]


def selected(rows: Sequence[Row], *entries: Row, band: str = "r") -> Selection:
    """Selection by cuts written as in a document."""
    return select(catalog(rows), band, [Cut.parse(entry) for entry in entries], "a test")


def satisfies(value: float, entry: Row) -> bool:
    """Whether a finite value keeps the bounds of a cut, in the units of the column."""

    def number(name: str) -> float:
        return float(str(entry[name]).split()[0])

    return (
        math.isfinite(value)
        and ("at_least" not in entry or value >= number("at_least"))
        and ("above" not in entry or value > number("above"))
        and ("at_most" not in entry or value <= number("at_most"))
        and ("below" not in entry or value < number("below"))
    )


def statistic(name: str, values: list[float]) -> float:
    """Median of the finite values; the others are spoilt by any that is not finite."""
    finite = sorted(value for value in values if math.isfinite(value))
    if name == "median":
        n = len(finite)
        return (finite[(n - 1) // 2] + finite[n // 2]) / 2 if n else NAN
    if len(finite) < len(values):
        return NAN
    return max(values) if name == "max" else min(values)


def reference(rows: Sequence[Row], band: str, cuts: Sequence[Row]) -> tuple[list[int], dict[str, int]]:
    """Rows left, sorted by object and visit, and rows rejected by reason: loops over rows, nothing else."""
    left, rejected = list(range(len(rows))), dict[str, int]()

    def keep(good: list[bool], reason: str) -> None:
        nonlocal left
        lost = good.count(False)
        if lost:
            rejected[reason] = rejected.get(reason, 0) + lost
        left = [row for row, is_good in zip(left, good, strict=True) if is_good]

    def of_same_object(row: int) -> list[Row]:
        return [rows[other] for other in left if rows[other]["object"] == rows[row]["object"]]

    keep([rows[i].get("band", "r") == band for i in left], f"band:not {band}")
    keep([math.isfinite(rows[i].get("ra", 10.0)) for i in left], "position:not finite")
    for code, reason in REASONS.items():
        keep([rows[i]["object"] != code for i in left], reason)
    for cut in cuts:
        if "flags" in cut:
            for flag in cut["flags"]:
                name, of = f"flag_{flag}", cut.get("of", "all")
                judged = [[rows[i]] if of == "each" else of_same_object(i) for i in left]
                keep([not any(row.get(name, False) for row in group) for group in judged], f"flag:{flag}")
        elif "min_visits" in cut:
            needed = cut["min_visits"]
            if needed == "all":
                needed = len({rows[i]["visit"] for i in left})
            keep(
                [len({row["visit"] for row in of_same_object(i)}) >= needed for i in left],
                f"visits:fewer than {needed}",
            )
        else:
            column, of = cut["column"], cut["of"]
            if of == "each":
                values = [rows[i][column] for i in left]
            else:
                values = [statistic(of, [row[column] for row in of_same_object(i)]) for i in left]
            keep([satisfies(value, cut) for value in values], f"{column}:{of}")
    return sorted(left, key=lambda i: (rows[i]["object"], rows[i]["visit"])), rejected


@st.composite
def tables(draw: st.DrawFn) -> list[Row]:
    """Rows of few objects in few visits, one each, with values on a coarse grid and some missing."""
    places = draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), unique=True, max_size=14))
    number = st.sampled_from([0.0, 1.0, 2.0, 3.0, 4.0, NAN, math.inf])
    rows = []
    for object_, visit in places:
        kind = draw(st.integers(0, 11))
        rows.append(
            {
                "object": draw(st.sampled_from(list(REASONS))) if kind == 0 else object_,
                "visit": visit,
                "band": "i" if kind == 1 else "r",
                "ra": NAN if kind == 2 else 10.0,
                "snr": draw(number),
                "mag": draw(number),
                "extendedness": draw(number),
                "flag_bad": draw(st.integers(0, 4)) == 0,
                "flag_edge": draw(st.integers(0, 4)) == 0,
            }
        )
    return rows


@st.composite
def cuts(draw: st.DrawFn) -> Row:
    """Any cut that a document can hold."""
    kind = draw(st.integers(0, 5))
    if kind == 0:
        flags = draw(st.lists(st.sampled_from(["bad", "edge"]), min_size=1, max_size=2, unique=True))
        return {"flags": flags, **draw(st.sampled_from([{}, {"of": "each"}, {"of": "all"}]))}
    if kind == 1:
        return {"min_visits": draw(st.sampled_from([1, 2, 3, "all"]))}
    column = draw(st.sampled_from(["snr", "mag", "extendedness"]))
    if kind == 2:
        return {"column": column, "of": draw(st.sampled_from(["each", "median", "max", "min", "all"])), "finite": True}
    unit = " mag" if column == "mag" else 0
    names = draw(
        st.lists(st.sampled_from(["at_least", "above", "at_most", "below"]), min_size=1, max_size=2, unique=True)
    )
    bounds = {name: draw(st.integers(0, 4)) for name in names}
    written = {name: f"{bound}{unit}" if unit else bound for name, bound in bounds.items()}
    return {"column": column, "of": draw(st.sampled_from(["each", "median", "max", "min"])), **written}


@pytest.mark.slow
@settings(deadline=None, max_examples=400)
@given(tables(), st.lists(cuts(), max_size=4))
def test_cuts_do_what_a_plain_loop_does(rows: list[Row], entries: list[Row]) -> None:
    """The same rows, the same account, and every row in it once."""
    found = selected(rows, *entries)
    left, rejected = reference(rows, "r", entries)
    assert found.rows.tolist() == left
    assert dict(found.rejected) == rejected
    assert list(found.rejected) == list(rejected)
    assert found.rows_in == len(rows) == len(found.rows) + sum(found.rejected.values())
    assert all(count > 0 for count in found.rejected.values())


@settings(deadline=None)
@given(tables(), st.lists(cuts(), max_size=3), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows: list[Row], entries: list[Row], random: Any) -> None:
    """The same detections are used, in the same sequence, with the same account."""
    order = list(range(len(rows)))
    random.shuffle(order)
    straight, shuffled = selected(rows, *entries), selected([rows[i] for i in order], *entries)
    assert [order[row] for row in shuffled.rows] == straight.rows.tolist()
    assert dict(shuffled.rejected) == dict(straight.rejected)


@pytest.mark.parametrize(
    ("name", "bound", "kept"),
    [("at_least", 2, [1, 2]), ("above", 2, [2]), ("at_most", 2, [0, 1]), ("below", 2, [0])],
)
def test_bounds_include_their_value_or_not(name: str, bound: float, kept: list[int]) -> None:
    """As their names say."""
    found = selected(star(0, "snr", 1.0, 2.0, 3.0), {"column": "snr", "of": "each", name: bound})
    assert found.rows.tolist() == kept
    assert found.rejected == {"snr:each": 3 - len(kept)}


@pytest.mark.parametrize(
    ("of", "values", "kept"),
    [
        ("each", (1.0, NAN, 9.0, 5.0), [2, 3]),
        ("each", (1.0, math.inf, 9.0, 5.0), [2, 3]),
        ("median", (1.0, 9.0, 9.0), [0, 1, 2]),
        ("median", (1.0, 9.0), [0, 1]),  # the mean of the middle two, 5
        ("median", (0.9, 9.0), []),
        ("median", (NAN, 9.0, NAN), [0, 1, 2]),
        ("median", (NAN, 4.0, 9.0, 4.0), []),
        ("median", (NAN, NAN), []),
        ("max", (1.0, 2.0, 5.0), [0, 1, 2]),
        ("max", (1.0, 2.0, 4.9), []),
        ("max", (9.0, NAN), []),
        ("max", (9.0, math.inf), []),
        ("min", (5.0, 6.0), [0, 1]),
        ("min", (4.9, 6.0), []),
        ("min", (9.0, NAN), []),
    ],
)
def test_a_statistic_judges_the_object_as_a_whole(of: str, values: tuple[float, ...], kept: list[int]) -> None:
    """A value that is missing spoils all but the median; each detection stands for itself."""
    found = selected(star(0, "snr", *values), {"column": "snr", "of": of, "at_least": 5})
    assert found.rows.tolist() == kept
    assert found.rejected == ({f"snr:{of}": len(values) - len(kept)} if len(kept) < len(values) else {})


@pytest.mark.parametrize(
    ("of", "kept"), [("each", [0, 2, 3]), ("all", [2, 3]), ("max", [2, 3]), ("min", [2, 3]), ("median", [0, 1, 2, 3])]
)
def test_values_may_have_to_be_finite(of: str, kept: list[int]) -> None:
    """Of each detection, of all of an object, or their statistic."""
    rows = star(0, "mag", 20.0, NAN) + star(1, "mag", 20.0, 21.0)
    assert selected(rows, {"column": "mag", "of": of, "finite": True}).rows.tolist() == kept


def test_bounds_have_units() -> None:
    """They are converted to those of the column."""
    rows = star(0, "mag", 20.0, 21.0)
    assert selected(rows, {"column": "mag", "of": "each", "below": "20500 mmag"}).rows.tolist() == [0]


def test_a_flag_rejects_the_detection_or_the_object() -> None:
    """As the cut says; without a word, the object."""
    rows = star(0, "flag_bad", True, False) + star(1, "flag_bad", False, False)
    assert selected(rows, {"flags": ["bad"], "of": "each"}).rows.tolist() == [1, 2, 3]
    for entry in ({"flags": ["bad"], "of": "all"}, {"flags": ["bad"]}):
        found = selected(rows, entry)
        assert found.rows.tolist() == [2, 3]
        assert found.rejected == {"flag:bad": 2}


def test_flags_are_counted_one_by_one() -> None:
    """A row with two of them counts under the first."""
    rows: list[Row] = [
        {"object": 0, "flag_bad": True, "flag_edge": True},
        {"object": 1, "flag_edge": True},
        {"object": 2},
    ]
    found = selected(rows, {"flags": ["edge", "bad"]})
    assert found.rejected == {"flag:edge": 2}
    assert selected(rows, {"flags": ["bad", "edge"]}).rejected == {"flag:bad": 1, "flag:edge": 1}


def test_a_flag_that_the_catalog_lacks_is_noted() -> None:
    """It rejects nothing, and the report can say so."""
    found = selected(star(0, "flag_bad", True, False), {"flags": ["cr", "bad", "edge"], "of": "each"})
    assert found.notes == ("the catalog has no flag 'cr': not applied", "the catalog has no flag 'edge': not applied")
    assert found.rows.tolist() == [1]
    assert selected(star(0, "flag_bad", True, False), {"flags": ["bad"]}).notes == ()


def test_a_flag_that_two_cuts_miss_is_noted_once() -> None:
    """A repeated note tells nothing new."""
    found = selected(star(0, "snr", 1.0), {"flags": ["cr"]}, {"flags": ["cr"], "of": "each"})
    assert found.notes == ("the catalog has no flag 'cr': not applied",)


def test_a_column_that_the_catalog_lacks_is_an_error() -> None:
    """The message says who needs it."""
    bare = replace(catalog(star(0, "mag", 20.0)), snr=None)
    with pytest.raises(InputError, match=r"cat\.csv: no column for 'snr', which clause X needs"):
        select(bare, "r", [Cut.parse({"column": "snr", "of": "each", "above": 5})], "clause X")
    with pytest.raises(InputError, match="no column for 'airmass'"):
        select(bare, "r", [Cut.parse({"column": "airmass", "of": "median", "below": 2})], "clause X")


def test_objects_have_to_be_seen_often_enough() -> None:
    """Visits are counted after the cuts before."""
    rows = star(0, "snr", 9.0, 1.0, 9.0) + star(1, "snr", 9.0, 9.0, 9.0) + star(2, "snr", 9.0)
    assert selected(rows, {"min_visits": 3}).rows.tolist() == [0, 1, 2, 3, 4, 5]
    found = selected(rows, {"column": "snr", "of": "each", "above": 5}, {"min_visits": 3})
    assert found.rows.tolist() == [3, 4, 5]
    assert found.rejected == {"snr:each": 1, "visits:fewer than 3": 3}


def test_seen_in_every_visit_means_every_visit_of_the_rows_left() -> None:
    """Of the band, not of the catalog."""
    rows = star(0, "snr", 9.0, 9.0) + star(1, "snr", 9.0) + [{"object": 0, "visit": 5, "band": "i"}]
    found = selected(rows, {"min_visits": "all"})
    assert found.rows.tolist() == [0, 1]
    assert found.rejected == {"band:not r": 1, "visits:fewer than 2": 1}


def test_statistics_are_of_one_band() -> None:
    """The other band's detections of the same object do not count."""
    rows = [*star(0, "snr", 9.0, 9.0), {"object": 0, "visit": 2, "band": "i", "snr": 0.0, "flag_bad": True}]
    found = selected(rows, {"column": "snr", "of": "min", "above": 5}, {"flags": ["bad"]})
    assert found.rows.tolist() == [0, 1]


def test_the_first_reason_counts() -> None:
    """Band, position and association come before all cuts, which come in their order."""
    rows: list[Row] = [
        {"object": AMBIGUOUS, "band": "i", "ra": NAN, "snr": 0.0},
        {"object": AMBIGUOUS, "ra": NAN, "snr": 0.0},
        {"object": AMBIGUOUS, "snr": 0.0},
        {"object": 0, "snr": 0.0, "mag": 99.0},
        {"object": 1, "mag": 99.0},
        {"object": 2},
    ]
    snr: Row = {"column": "snr", "of": "each", "above": 5}
    mag: Row = {"column": "mag", "of": "each", "below": "30 mag"}
    common = ["band:not r", "position:not finite", REASONS[AMBIGUOUS]]
    found = selected(rows, snr, mag)
    assert list(found.rejected.items()) == [*((reason, 1) for reason in common), ("snr:each", 1), ("mag:each", 1)]
    assert selected(rows, mag, snr).rejected["mag:each"] == 2
    assert found.rows.tolist() == [5]


def test_a_band_that_is_not_there_rejects_every_row() -> None:
    """Under one reason; the cuts still run."""
    rows = star(0, "snr", 9.0, 9.0)
    found = selected(
        rows,
        {"column": "snr", "of": "median", "above": 5},
        {"flags": ["bad"]},
        {"min_visits": "all"},
        {"column": "mag", "of": "max", "below": "5 mag"},
        band="z",
    )
    assert found.rows.tolist() == []
    assert found.rejected == {"band:not z": 2}


def test_a_negative_object_needs_a_reason() -> None:
    """The code of a reader, which only association turns into a reason."""
    found = catalog(star(0, "snr", 9.0))
    with pytest.raises(ValueError, match="not associated"):
        select(replace(found, object=np.full(len(found), -1)), "r", [], "a test")


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("snr > 5", "a cut is a mapping"),
        (None, "a cut is a mapping"),
        ({}, "None is not one of ra, dec, mag"),
        ({"column": "snr", "at_least": 5}, "None is not one of each, median, max, min, all"),
        ({"column": "sn", "of": "each", "at_least": 5}, "'sn' is not one of"),
        ({"column": "visit", "of": "each", "at_least": 5}, "'visit' is not one of"),
        ({"column": "snr", "of": "mean", "at_least": 5}, "'mean' is not one of each"),
        ({"column": "snr", "of": "each"}, "a cut needs a bound"),
        ({"column": "snr", "of": "each", "finite": False}, "a cut needs a bound"),
        ({"column": "snr", "of": "all", "at_least": 5}, "goes with finite: true"),
        ({"column": "snr", "of": "each", "at_least": 5, "finite": "yes"}, "finite"),
        ({"column": "snr", "of": "each", "more_than": 5}, "unknown key in a cut: more_than|a cut needs a bound"),
        ({"column": "snr", "of": "each", "at_least": 5, "more_than": 5}, "unknown key in a cut: more_than"),
        ({"column": "snr", "of": "each", "at_least": True}, "True has no unit"),
        ({"column": "snr", "of": "each", "at_least": "5 mag"}, "at_least: snr is in no unit, not '5.0 mag'"),
        ({"column": "snr", "of": "each", "at_least": NAN}, "finite"),
        ({"column": "mag", "of": "each", "at_least": 5}, "at_least: mag is in mag, not '5.0'"),
        ({"column": "mag", "of": "each", "at_least": "5 mas"}, "at_least: mag is in mag, not '5.0 mas'"),
        ({"flags": []}, "expected a list of flag names"),
        ({"flags": "bad"}, "expected a list of flag names"),
        ({"flags": [1]}, "expected a list of flag names"),
        ({"flags": ["bad"], "of": "median"}, "'median' is not one of each, all"),
        ({"flags": ["bad"], "column": "snr"}, "unknown key in a cut: column"),
        ({"min_visits": 0}, "neither a positive number nor 'all'"),
        ({"min_visits": True}, "neither a positive number nor 'all'"),
        ({"min_visits": 2.5}, "neither a positive number nor 'all'"),
        ({"min_visits": "most"}, "neither a positive number nor 'all'"),
        ({"min_visits": 2, "of": "each"}, "unknown key in a cut: of"),
    ],
)
def test_what_is_no_cut_is_a_value_error(entry: object, words: str) -> None:
    """The document reader adds file, line and key."""
    with pytest.raises(ValueError, match=words):
        Cut.parse(entry)


def test_parsing_leaves_the_entry_alone() -> None:
    """It belongs to the document."""
    entry = {"column": "snr", "of": "each", "at_least": 5}
    Cut.parse(entry)
    assert entry == {"column": "snr", "of": "each", "at_least": 5}


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (
            {"column": "mag", "of": "median", "at_least": "17.5 mag", "at_most": "21.5 mag"},
            "median mag >= 17.5 mag and <= 21.5 mag",
        ),
        ({"column": "snr", "of": "each", "above": 50}, "snr > 50"),
        ({"column": "mag", "of": "all", "finite": True}, "every mag finite"),
        ({"column": "snr", "of": "max", "below": 5, "finite": True}, "max snr < 5 and finite"),
        ({"flags": ["bad", "cr"], "of": "each"}, "clear on each detection: bad, cr"),
        ({"flags": ["bad"]}, "clear in all of the object's detections: bad"),
        ({"min_visits": 2}, "seen in at least 2 visits"),
        ({"min_visits": "all"}, "seen in every visit"),
    ],
)
def test_a_cut_says_what_it_asks(entry: Row, words: str) -> None:
    """In words for the report."""
    assert str(Cut.parse(entry)) == words
