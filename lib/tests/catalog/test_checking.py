"""The checks that every catalog passes, and the messages of those that do not."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skyaccept.lib.catalog.checking import LIMITS, check_detections
from skyaccept.lib.catalog.detections import SHAPES, UNITS, Detections
from skyaccept.lib.exceptions import InputError


def catalog(n: int = 6, /, **columns: Any) -> Detections:
    """A sound catalog of n rows, or one with these columns instead."""
    row = np.arange(n)
    sound = Detections(
        ra=10.0 + row / 64,
        dec=-5.0 + row / 64,
        visit=row % 2,
        band=np.zeros(n, dtype=np.int16),
        visits=("1", "2"),
        bands=("r",),
        mag=20.0 + row / 8,
        flags={"bad": row % 3 == 0},
        name="cat.fits",
        source="data/cat.fits",
        survey="generic",
    )
    return replace(sound, **columns)


def complaint(detections: Detections, *parts: tuple[str, int]) -> str:
    """Message of the refusal."""
    with pytest.raises(InputError) as caught:
        check_detections(detections, parts)
    return str(caught.value)


def changed(values: Any, row: int, value: float) -> Any:
    """Copy of a column with one value replaced."""
    values = np.array(values, dtype=float)
    values[row] = value
    return values


def test_a_sound_catalog_passes_as_it_is() -> None:
    """The very same object."""
    sound = catalog()
    assert check_detections(sound) is sound
    assert check_detections(sound, [("a", 2), ("b", 4)]) is sound


def test_the_edges_of_the_sky_are_on_it() -> None:
    """0 and 360 degrees, and the poles; a position may be missing."""
    ra = np.array([0.0, 360.0, 12.0, 12.0, np.nan, 5.0])
    dec = np.array([0.0, 1.0, 90.0, -90.0, 3.0, np.nan])
    check_detections(catalog(ra=ra, dec=dec))


def test_an_empty_catalog_is_refused() -> None:
    """The message names the file."""
    assert complaint(catalog(0)) == "data/cat.fits: the catalog is empty: it has no rows"
    assert complaint(catalog(0, source="")) == "cat.fits: the catalog is empty: it has no rows"
    assert complaint(catalog(0, source="", name="")) == "catalog: the catalog is empty: it has no rows"


@pytest.mark.parametrize("name", [name for name in UNITS if name != "ra"])
def test_columns_have_one_value_a_row(name: str) -> None:
    """Every column is compared, whatever it is."""
    for wrong in (np.ones(5), np.ones((6, 2))):
        columns: dict[str, Any] = {name: wrong}
        message = complaint(catalog(**columns))
        assert message == f"data/cat.fits: column '{name}' has shape {wrong.shape}, expected (6,)"


def test_flags_have_one_value_a_row() -> None:
    """They are named as columns are."""
    message = complaint(catalog(flags={"bad": np.zeros(5, dtype=bool)}))
    assert message == "data/cat.fits: column 'flag_bad' has shape (5,), expected (6,)"


@pytest.mark.parametrize("name", [name for name, unit in UNITS.items() if unit is not None and name not in SHAPES])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_column_without_a_finite_value_is_refused(name: str, value: float) -> None:
    """One finite value is enough."""
    columns: dict[str, Any] = {name: np.full(6, value)}
    message = complaint(catalog(**columns))
    assert message == f"data/cat.fits: column '{name}' holds no finite value: all 6 rows are NaN or infinite"
    check_detections(catalog(**{name: changed(np.full(6, np.nan), 3, 1.0)}))


@pytest.mark.parametrize(
    ("name", "value", "bounds"),
    [
        ("ra", -10.0, "[0, 360]"),
        ("ra", -180.5, "[0, 360]"),
        ("ra", 360.5, "[0, 360]"),
        ("ra", np.inf, "[0, 360]"),
        ("ra", -np.inf, "[0, 360]"),
        ("dec", 90.5, "[-90, 90]"),
        ("dec", -91.0, "[-90, 90]"),
        ("dec", np.inf, "[-90, 90]"),
    ],
)
def test_positions_lie_on_the_sky(name: str, value: float, bounds: str) -> None:
    """The message names file, row, column, value and remedy."""
    sound = catalog()
    message = complaint(replace(sound, **{name: changed(getattr(sound, name), 4, value)}))
    declared = f"; a value that marks a missing one is declared with `missing: [{value:g}]` in the profile"
    marked = declared if value.is_integer() else ""
    assert message == (
        f"data/cat.fits, row 5: column '{name}': {value:.10g} is outside {bounds} degrees (1 such rows); "
        f"are the units in the survey profile right?{marked}"
    )


@pytest.mark.parametrize("name", ["ra", "dec"])
@pytest.mark.parametrize("marks", [[-999.0] * 2, [999.0, -999.0], [-999.99] * 3])
def test_markers_of_missing_positions_are_named(name: str, marks: list[float]) -> None:
    """One value in several rows, or a few whole numbers; not where all rows or many values are outside."""
    values = np.full(6, 10.0)
    values[: len(marks)] = marks
    listed = ", ".join(f"{mark:g}" for mark in sorted(set(marks)))
    assert complaint(catalog(**{name: values})).endswith(f"`missing: [{listed}]` in the profile")
    for wrong in (np.full(6, 999.0), np.array([400.5, 500.5, 600.5, 10, 10, 10])):
        assert "missing" not in complaint(catalog(**{name: wrong}))


def test_all_rows_off_the_sky_are_counted() -> None:
    """Degrees read as radians give many."""
    message = complaint(catalog(dec=np.array([0.0, 100.0, 0.0, 200.0, 300.0, 0.0])))
    assert "row 2: column 'dec': 100 is outside" in message
    assert "(3 such rows)" in message


@pytest.mark.parametrize(
    ("row", "name"), [(0, "a.fits, row 1"), (1, "a.fits, row 2"), (2, "c.fits, row 1"), (5, "c.fits, row 4")]
)
def test_a_row_is_named_by_the_file_it_stands_in(row: int, name: str) -> None:
    """Of several files; an empty one among them does not matter."""
    bad = catalog(dec=changed(catalog().dec, row, 99.0))
    assert complaint(bad, ("a.fits", 2), ("b.fits", 0), ("c.fits", 4)).startswith(f"{name}: column 'dec': 99 is")


def twice(row: int, other: int, **columns: Any) -> Detections:
    """Catalog in which one row repeats another in every column."""
    sound = catalog(**columns)
    index = np.arange(6)
    index[other] = row
    flags = {name: values[index] for name, values in sound.flags.items()}
    held: dict[str, Any] = {name: c[index] for name in UNITS if (c := getattr(sound, name)) is not None}
    return replace(sound, flags=flags, **held)


def test_identical_rows_are_refused() -> None:
    """Both rows are named."""
    assert complaint(twice(1, 4)) == (
        "data/cat.fits, row 5: identical in every column to data/cat.fits, row 2 (1 repeated rows); "
        "was a file read twice? remove the duplicates"
    )
    assert complaint(twice(1, 4), ("a", 3), ("b", 3)).startswith(
        "b, row 2: identical in every column to a, row 2 (1 repeated rows)"
    )


def test_a_file_read_twice_is_refused() -> None:
    """All its rows are counted."""
    once = catalog(3)
    held: dict[str, Any] = {name: np.tile(c, 2) for name in UNITS if (c := getattr(once, name)) is not None}
    both = replace(once, flags={"bad": np.tile(once.flags["bad"], 2)}, **held)
    assert complaint(both, ("a", 3), ("b", 3)).startswith(
        "b, row 1: identical in every column to a, row 1 (3 repeated rows)"
    )


@pytest.mark.parametrize("name", ["mag", "dec", "ra"])
def test_rows_that_lack_the_same_value_are_identical(name: str) -> None:
    """NaN equals NaN here, in a position too."""
    sound = catalog()
    message = complaint(twice(1, 4, **{name: changed(getattr(sound, name), 1, np.nan)}))
    assert "row 5: identical in every column to data/cat.fits, row 2" in message


@pytest.mark.parametrize("name", ["visit", "band", "dec", "mag", "mjd"])
def test_rows_that_differ_anywhere_are_two(name: str) -> None:
    """Any one of the columns that tell measurements apart."""
    columns: dict[str, Any] = {"mjd": np.full(6, 60000.0)}
    same = twice(1, 4, **columns)
    complaint(same)
    values = getattr(same, name).copy()
    values[4] = values[4] + 1
    check_detections(replace(same, **{name: values}))


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from([1.0, 2.0, np.nan])), min_size=1, max_size=8
    )
)
def test_identical_rows_are_found_as_a_plain_search_finds_them(rows: list[tuple[int, int, float]]) -> None:
    """Whatever else the rows share."""
    ra, visit, mag = (np.array(values) for values in zip(*rows, strict=True))
    if np.isnan(mag).all():
        mag[0] = 1.0
    n = len(rows)
    table = catalog(n, ra=ra.astype(float), dec=np.zeros(n), visit=visit, mag=mag, flags={})
    texts = [f"{a} {b} {c}" for a, b, c in zip(ra, visit, mag, strict=True)]
    repeated = n - len(set(texts))
    if repeated:
        assert f"({repeated} repeated rows)" in complaint(table)
    else:
        check_detections(table)


@pytest.mark.parametrize("name", ["object", "airmass", "extendedness"])
def test_a_measurement_under_two_names_is_refused(name: str) -> None:
    """Equal in visit, band, position and magnitude; both rows are named, and the remedy."""
    columns: dict[str, Any] = {name: np.arange(6) % 2}
    same = twice(1, 4, **columns)
    values = getattr(same, name).copy()
    values[4] += 1
    message = complaint(replace(same, **{name: values}), ("a", 3), ("b", 3))
    under = " under two objects" if name == "object" else ""
    assert message.startswith(
        f"b, row 2: the same measurement as a, row 2{under}: equal in visit, band, position and magnitude (1 such rows)"
    )
    assert "`duplicates: merge`" in message


def test_columns_that_were_left_out_may_tell_measurements_apart() -> None:
    """Their times and detectors do; flags and airmass do not."""
    same = twice(1, 4)
    left_out = np.arange(6)
    for name in ("mjd", "detector"):
        check_detections(same, (), partial(dict, {name: left_out}))
    for name in ("flag_other", "airmass"):
        with pytest.raises(InputError, match="the same measurement"):
            check_detections(same, (), partial(dict, {name: left_out}))


def test_repeats_that_the_catalog_flags_as_not_primary_are_noted() -> None:
    """As parents of blends in afw tables; merged where this is asked for."""
    flag = np.arange(6) == 4
    same = twice(1, 4)
    flagged = replace(same, flags={"not_primary": flag})
    note = (
        "1 pairs of rows repeat a measurement, where one row is flagged not_primary: both count where a definition "
        "does not cut on that flag"
    )
    assert check_detections(flagged).notes == (note,)
    assert check_detections(same, (), lambda: {"flag_not_primary": flag}).notes == (note,)
    assert len(check_detections(flagged, duplicates="merge")) == 5
    complaint(replace(same, flags={"not_primary": np.ones(6, dtype=bool)}))


@pytest.mark.parametrize("flagged", [1, 4])
def test_of_merged_rows_one_without_a_flag_stays(flagged: int) -> None:
    same = twice(1, 4)
    done = check_detections(replace(same, flags={"inner": np.arange(6) == flagged}), duplicates="merge")
    assert not done.flags["inner"].any()
    assert done.notes == (
        "1 rows repeat a measurement of another row: merged; of rows that differ in their flags, one without a flag "
        "stays",
    )


def test_measurements_are_merged_where_this_is_asked_for() -> None:
    """Each counts once, objects that share one are one, and the note counts rows and objects."""
    columns: dict[str, Any] = {"object": np.array([0, 1, 2, 3, 1, 5])}
    same = twice(1, 4, **columns)
    done = check_detections(replace(same, object=np.array([0, 1, 2, 9, 9, 5])), duplicates="merge")
    assert done.object is not None
    assert done.object.tolist() == [0, 1, 2, 1, 5]
    assert done.ra.tolist() == same.ra[[0, 1, 2, 3, 5]].tolist()
    assert done.flags["bad"].tolist() == same.flags["bad"][[0, 1, 2, 3, 5]].tolist()
    assert done.notes == ("1 rows repeat a measurement of another row: merged, which joins 1 objects with others",)
    once = check_detections(twice(1, 4), duplicates="merge")
    assert (len(once), once.notes) == (5, ("1 rows repeat a measurement of another row: merged",))
    sound = catalog()
    assert check_detections(sound, duplicates="merge") is sound


def test_negative_right_ascensions_are_wrapped_and_noted() -> None:
    """From -180 to 180 degrees."""
    ra = np.array([-179.5, -0.25, 0.0, 0.25, 180.0, np.nan])
    done = check_detections(catalog(ra=ra))
    np.testing.assert_array_equal(done.ra, [180.5, 359.75, 0.0, 0.25, 180.0, np.nan])
    assert done.notes == ("right ascension wrapped into 0 to 360 degrees for 2 rows",)
    assert ra[0] == -179.5


@pytest.mark.parametrize("negative", [[-99.0, -99.0], [-1.0, -9.0], [-99.9, -99.9], [-0.5, -181.0]])
def test_markers_of_missing_positions_are_not_wrapped(negative: list[float]) -> None:
    """Whole numbers, or the same one twice; nor are right ascensions from -360 degrees."""
    message = complaint(catalog(ra=np.array([*negative, 10.0, 11.0, 12.0, 13.0])))
    assert "column 'ra'" in message
    assert "is outside [0, 360] degrees" in message


def test_right_ascensions_on_either_side_of_180_are_not_wrapped() -> None:
    """Negative ones among those up to 360 degrees: two conventions in one column."""
    assert "-0.5 is outside" in complaint(catalog(ra=np.array([-0.5, 200.0, 10.0, 11.0, 12.0, 13.0])))


@pytest.mark.parametrize("name", list(LIMITS))
def test_values_that_cannot_be_are_refused(name: str) -> None:
    """Finite ones; the message names row, column and remedy."""
    sound = {name: np.full(6, 0.5)}
    check_detections(catalog(**sound))
    for row, value in enumerate((1e308, -1e308, LIMITS[name][1] * 1.01 + 1, LIMITS[name][0] * 1.01 - 1)):
        message = complaint(catalog(**{name: changed(sound[name], row, value)}))
        assert message.startswith(f"data/cat.fits, row {row + 1}: column '{name}': {value:.10g} is outside")
        assert "`missing`" in message
    for value in (np.nan, np.inf, -np.inf):
        check_detections(catalog(**{name: changed(sound[name], 3, value)}))


def test_identifiers_as_bands_are_refused() -> None:
    """Before their codes are used, which wrap."""
    names = tuple(map(str, range(40_000)))
    assert "column 'band' holds 40,000 different values" in complaint(catalog(bands=names))
    check_detections(catalog(bands=names[:1000]))


def test_rounded_positions_are_noted() -> None:
    """And nothing else changes."""
    rng = np.random.default_rng(1)
    places = {name: np.round(rng.uniform(10, 11, 100), 5) for name in ("ra", "dec")}
    sound = catalog(100, **places)
    done = check_detections(sound)
    assert done.notes == (
        "positions have a precision of about 36 mas in Dec (rounded): errors below that are not seen",
    )
    assert done.ra is sound.ra


def test_a_missing_column_says_who_needs_it_and_what_to_do() -> None:
    """Its name as the survey profile knows it."""
    with pytest.raises(InputError) as caught:
        catalog().column("snr", "OSS-REQ-0388-AM1-r")
    message = str(caught.value)
    for words in (
        "data/cat.fits",
        "'snr'",
        "OSS-REQ-0388-AM1-r needs",
        "survey profile ('generic')",
        "skyaccept inspect",
    ):
        assert words in message
    sound = catalog()
    assert sound.column("mag", "anyone") is sound.mag
