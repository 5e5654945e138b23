from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from astropy.time import Time as AstropyTime
from hypothesis import given, settings
from hypothesis import strategies as st
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import load
from skyaccept.lib.readers.column_source import Time
from skyaccept.lib.readers.columns.times import to_mjd

MJD = np.array([33282.0, 51544.5, 60000.123456789, 88069.0])
ASTROPY = {"mjd": "mjd", "jd": "jd", "unix": "unix", "decimalyear": "decimalyear"}


def written_as(mjd: Any, form: str, scale: str = "tai") -> Any:
    """Times in another form, by astropy."""
    times = AstropyTime(mjd, format="mjd", scale=scale)
    if form == "unix":  # seconds of days of 86,400 s, as computers count them
        return (mjd - 40587.0) * 86400
    return getattr(times, ASTROPY[form])


@settings(deadline=None)
@given(st.lists(st.floats(33283, 88068), min_size=1, max_size=5), st.sampled_from(sorted(ASTROPY)))
def test_numbers_in_a_declared_form_are_those_of_astropy(mjd: list[float], form: str) -> None:
    """Within the digits that the form leaves: 1e-5 d of a year with a fraction."""
    values = np.asarray(written_as(np.array(mjd), form), dtype=np.float64)
    found = to_mjd("f", "t", values, Time(form))  # type: ignore[arg-type]
    np.testing.assert_allclose(found, mjd, rtol=0, atol={"decimalyear": 1e-5, "jd": 1e-9}.get(form, 1e-9))


@pytest.mark.parametrize("scale", ["utc", "tdb", "tai", None])
def test_a_declared_scale_becomes_tai(scale: str | None) -> None:
    """By astropy, which knows the leap seconds; without one times are taken as they are."""
    mjd = np.array([41500.25, 57754.0, 60000.0, np.nan, 60000.0])
    found = to_mjd("f", "t", mjd, Time("mjd", scale))  # type: ignore[arg-type]
    expected = mjd.copy()
    there = np.isfinite(mjd)
    if scale is not None:
        expected[there] = AstropyTime(mjd[there], format="mjd", scale=scale).tai.mjd
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


def test_timestamps_need_no_declaration() -> None:
    """Of any resolution; NaT is none."""
    times = np.array(["2023-02-25T00:00:00", "NaT", "2023-02-25T12:00:00.000000001"], dtype="M8[ns]")
    for unit in ("ns", "us", "ms", "s"):
        np.testing.assert_allclose(to_mjd("f", "t", times.astype(f"M8[{unit}]"), None), [60000, np.nan, 60000.5])
    with pytest.raises(InputError, match="holds timestamps, and the survey profile says format jd"):
        to_mjd("f", "t", times, Time("jd"))


def test_text_is_read_as_iso_where_it_is_declared() -> None:
    """With T or a blank; what is no time is named with its row."""
    text = np.array(["2023-02-25T00:00:00", None, "2023-02-25 12:00:00", "2023-02-25"], dtype=object)
    np.testing.assert_allclose(to_mjd("f", "t", text, Time("iso")), [60000, np.nan, 60000.5, 60000])
    text[3] = "yesterday"
    with pytest.raises(InputError, match="f: column 't', row 4: 'yesterday' is not a time such as"):
        to_mjd("f", "t", text, Time("iso"))


def test_a_z_behind_text_marks_utc() -> None:
    """It may not contradict the profile, nor the other rows."""
    text = np.array(["2023-02-25T00:00:00Z", None, "2023-02-25T12:00:00Z"], dtype=object)
    expected = [60000 + 37 / 86400, np.nan, 60000.5 + 37 / 86400]
    for scale in (None, "utc"):
        np.testing.assert_allclose(to_mjd("f", "t", text, Time("iso", scale)), expected, rtol=0, atol=1e-9)
    with pytest.raises(InputError, match="Z marks UTC, and the survey profile says scale tai"):
        to_mjd("f", "t", text, Time("iso", "tai"))
    text[2] = "2023-02-25T12:00:00"
    with pytest.raises(InputError, match="Z marks UTC, and not all times have it"):
        to_mjd("f", "t", text, Time("iso"))


@pytest.mark.parametrize(
    ("values", "time", "words"),
    [
        (MJD[1:3] + 2400000.5, None, "as mjd .*it would fit as time: {format: jd} in"),
        (MJD[1:3] - 49999.5, None, "it would fit as time: {format: jd, offset: 2450000} in"),
        ([20000.5], None, "it would fit as time: {format: jd, offset: 2440000} in"),
        ([2015.5, 2020.0], None, "it would fit as time: {format: decimalyear} in"),
        ([1.5e9, 1.6e9], None, "it would fit as time: {format: unix} in"),
        ([0.0, 0.0], None, r"if 0 marks a missing value, the survey profile must say so: missing: \[0\]"),
        ([1.6e18, 1.7e18], None, "nanoseconds since 1970"),
        (MJD[1:3], Time("jd"), "as jd .*it would fit as time: {format: mjd} in"),
        (MJD[1:3], Time("decimalyear"), "as decimalyear .*it would fit as time: {format: mjd} in"),
        ([np.inf, 60000.0], None, "row 1: inf is outside 1950 to 2100"),
        ([60000.0, 1e300], None, "row 2: 1e.300 is outside"),
        ([-1.0, 7e9], None, "say in the survey profile how times are written"),
    ],
)
def test_times_of_another_form_are_refused_with_the_right_form(values: Any, time: Time | None, words: str) -> None:
    """Outside 1950 to 2100 nothing was measured digitally."""
    with pytest.raises(InputError, match=words) as caught:
        to_mjd("f", "t", np.array(values), time)
    assert str(caught.value).startswith("f: column 't', row ")


def test_times_from_every_place_of_a_profile_are_read(tmp_path: Path) -> None:
    """A column, a value, and the table of visits."""
    table = {
        "visit": [1, 1, 2, 2],
        "ra": [1.0, 2, 1, 2],
        "dec": 3.0,
        "band": "r",
        "t": [2460000.5] * 2 + [2460001.5] * 2,
    }
    pd.DataFrame(table).to_parquet(tmp_path / "cat.parquet")
    base = "survey: s\ntitle: t\nassociation_radius: 1 arcsec\ncolumns:\n  visit: visit\n  band: band\n"
    base += "  ra: {name: ra, unit: deg}\n  dec: {name: dec, unit: deg}\n"
    profile = tmp_path / "p.yaml"
    for entry, expected in (
        ("{name: t, time: {format: jd}}", [60000.0, 60000, 60001, 60001]),
        ("{name: t, time: {format: jd}, missing: [2460001.5]}", [60000.0, 60000, np.nan, np.nan]),
        ("{value: 2023-02-25T00:00:00, time: {format: iso}}", [60000.0] * 4),
    ):
        profile.write_text(base + f"  mjd: {entry}\n")
        np.testing.assert_array_equal(load(tmp_path / "cat.parquet", profile).mjd, expected)
    pd.DataFrame({"id": [2, 1], "jd": [2460001.5, 2460000.5]}).to_csv(tmp_path / "v.csv", index=False)
    profile.write_text(base + "visits:\n  visit: id\n  mjd: {name: jd, time: {format: jd}}\n")
    found = load(tmp_path / "cat.parquet", profile, visits=tmp_path / "v.csv")
    np.testing.assert_array_equal(found.mjd, [60000.0, 60000, 60001, 60001])
