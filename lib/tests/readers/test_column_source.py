"""Every key of a profile works on every kind of column, or is refused there with file, line and key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from skyaccept.lib.catalog.detections import Detections
from skyaccept.lib.catalog.reference import Reference
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import load
from skyaccept.lib.readers import reference as references
from skyaccept.lib.readers.column_source import KEYS
from skyaccept.lib.tests.readers import survey_files

ROWS = 6
X = np.array([4.0, 5.0, 6.0, 7.0, 8.0, 9.0])
SET = np.array([False, True, False, False, False, False])

TABLE: dict[str, Any] = {
    "v": [1, 1, 1, 2, 2, 2],
    "b": ["r"] * ROWS,
    "a": np.arange(ROWS) / 10 + 10,
    "d": np.arange(ROWS) / 10 + 20,
    "x": X,
    "x32": X.astype(np.float32) + np.float32(0.1),
    "other": np.arange(ROWS) / 10,
    "flag": SET,
    "f": np.full(ROWS, 100.0),
    "e": np.ones(ROWS),
    "jd": X + 2460000.5,
    "text": [str(x) if x != 6 else "--" for x in X],
}
ARRAY = pa.FixedSizeListArray.from_arrays(pa.array(np.stack([X, X + 10], axis=1).ravel()), 2)

BASE = """survey: s
title: t
columns:
  visit: v
  band: b
  ra: {name: a, unit: deg}
  dec: {name: d, unit: deg}
"""

# where a column may stand in a profile, its kind, a unit that fits, and the column of ours that it becomes
PLACES: dict[str, tuple[str, str, str, str]] = {
    "number": ("columns:\n  airmass: ENTRY\n", "number", "", "airmass"),
    "magnitude": ("columns:\n  mag: ENTRY\n", "number", "mag", "mag"),
    "error": ("columns:\n  mag_err: ENTRY\n", "error", "mag", "mag_err"),
    "snr": ("columns:\n  snr: ENTRY\n", "snr", "", "snr"),
    "extendedness": ("columns:\n  extendedness: ENTRY\n", "extendedness", "", "extendedness"),
    "flux": ("flux:\n  flux: ENTRY\n  error: {name: e, unit: nJy}\n", "flux", "nJy", "mag"),
    "error of a flux": ("flux:\n  flux: {name: f, unit: nJy}\n  error: ENTRY\n", "flux error", "nJy", "mag_err"),
    "zero point": ("flux:\n  flux: {name: f, unit: ct}\n  zero_point: ENTRY\n", "zero point", "mag", "mag"),
    "flux of magnitude 0": ("flux:\n  flux: {name: f, unit: ct}\n  fluxmag0: ENTRY\n", "zero point", "ct", "mag"),
    "calibration": ("flux:\n  flux: {name: f, unit: ct}\n  calibration: ENTRY\n", "zero point", "nJy / ct", "mag"),
    "moment": ("moments:\n  star: [ENTRY, f, other]\n  psf: [x, f, other]\n", "moment", "", "e1"),
}

# keys that change the number of a column, and what they make of it
CHANGES: dict[str, tuple[str, str, Any]] = {
    "missing": ("x", "missing: [6]", lambda x: np.where(x == 6, np.nan, x)),
    "missing of float32": ("x32", "missing: [6.1]", lambda x: np.where(X == 6, np.nan, x)),
    "missing text": ("text", 'missing: ["--"]', lambda x: np.where(X == 6, np.nan, X)),
    "missing beginnings": ("text", 'missing: ["-*"]', lambda x: np.where(X == 6, np.nan, X)),
    "unless": ("x", "unless: flag", lambda x: np.where(SET, np.nan, x)),
    "plus": ("x", "plus: other", lambda x: x + np.arange(ROWS) / 10),
    "element": ("array", "element: 1", lambda x: X + 10),
}


def written(folder: Path, **more: Any) -> Path:
    """The table as Parquet, which states no units."""
    columns = {name: pa.array(values) for name, values in (TABLE | more).items()}
    path = folder / "cat.parquet"
    pq.write_table(pa.table(columns | {"array": ARRAY}), path)
    return path


def profile(folder: Path, section: str) -> Path:
    """A profile with one section more, merged into its columns."""
    columns = section.removeprefix("columns:\n") if section.startswith("columns:\n") else ""
    rest = "" if columns else section
    path = folder / "p.yaml"
    path.write_text(BASE + columns + rest + "association_radius: 1 arcsec\n")
    return path


def expected(place: str, x: Any) -> Any:
    """What a column of numbers becomes, by the formula that stands in the documentation."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "flux": 31.4 - 2.5 * np.log10(x),
            "error of a flux": 2.5 / np.log(10) * x / 100,
            "zero point": x - 5,
            "flux of magnitude 0": 2.5 * np.log10(x) - 5,
            "calibration": 31.4 - 2.5 * np.log10(x * 100),
            "moment": (x - 100) / (x + 100),
        }.get(place, x)


def column(found: Detections, name: str) -> Any:
    """A column of ours."""
    return getattr(found, name)


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("place", PLACES)
def test_a_key_changes_the_numbers_wherever_a_column_may_stand(tmp_path: Path, place: str, change: str) -> None:
    """The same for columns, fluxes, their errors, zero points, calibrations and moments."""
    section, kind, unit, ours = PLACES[place]
    name, key, made = CHANGES[change]
    assert key.split(":")[0] in KEYS[kind]
    stated = f", unit: {unit}" if unit else ""
    path = profile(tmp_path, section.replace("ENTRY", f"{{name: {name}{stated}, {key}}}"))
    found = load(written(tmp_path), path)
    stored = TABLE[name].astype(np.float64) if name in ("x", "x32") else X
    np.testing.assert_allclose(column(found, ours), expected(place, made(stored)), rtol=1e-12)


ENTRIES = {
    "codes": "codes: {4: 0}",
    "star_below": "star_below: 3",
    "star_above": "star_above: 3",
    "magnitude_error": "magnitude_error: true",
    "inverse_variance": "inverse_variance: true",
    "time": "time: {format: jd}",
    "day": "day: other",
    "within": "within: file",
    "join": "join: {other: x}",
    "header": "header: KEY",
    "field": "field: visit",
    "value": "value: 3",
    "per": "per: s",
    "optional": "optional: true",
}


@pytest.mark.slow
@pytest.mark.parametrize("key", ENTRIES)
@pytest.mark.parametrize("place", PLACES)
def test_a_key_without_meaning_is_refused_with_its_line(tmp_path: Path, place: str, key: str) -> None:
    """Wherever a column may stand."""
    section, kind, unit, _ = PLACES[place]
    if key in KEYS[kind]:
        return
    stated = f", unit: {unit}" if unit else ""
    section = section.replace("ENTRY", f"{{name: x{stated}, {ENTRIES[key]}}}")
    path = profile(tmp_path, section)
    line = path.read_text().split("\n").index(next(one for one in section.split("\n") if ENTRIES[key] in one)) + 1
    with pytest.raises(InputError) as caught:
        load(written(tmp_path), path)
    message = str(caught.value)
    assert message.startswith(f"{path}: line {line}: ")
    assert f"key '{key}'" in message


@pytest.mark.parametrize(
    "key", ["missing: [1]", "unless: flag", "plus: x", "element: 0", "unit: mag", "time: {format: jd}"]
)
def test_a_label_refuses_what_is_for_numbers(tmp_path: Path, key: str) -> None:
    """An object alone may be missing."""
    path = profile(tmp_path, f"columns:\n  detector: {{name: v, {key}}}\n")
    with pytest.raises(InputError, match=f"line 8: key '{key.split(':')[0]}': has no effect for 'detector'"):
        load(written(tmp_path), path)


def test_errors_may_be_inverse_variances(tmp_path: Path) -> None:
    """Nothing is known where one is not positive; the unit is that of the column."""
    path = profile(tmp_path, "columns:\n  ra_err: {name: x, unit: 1 / arcsec2, inverse_variance: true}\n")
    ivar = np.array([4.0, 1.0, 0.0, -1.0, 0.25, np.nan])
    found = load(written(tmp_path, x=ivar), path).ra_err
    assert found is not None
    np.testing.assert_allclose(found, np.array([500, 1000, np.nan, np.nan, 2000, np.nan]))
    path = profile(tmp_path, "columns:\n  ra_err: {name: x, unit: arcsec, inverse_variance: true}\n")
    with pytest.raises(InputError, match=r"key 'unit': ra_err is not measured in arcsec, but in 1 / mas2"):
        load(written(tmp_path), path)


def test_codes_make_numbers_of_a_classification(tmp_path: Path) -> None:
    """A code that the profile does not know is refused."""
    path = profile(tmp_path, "columns:\n  extendedness: {name: text, codes: {STAR: 0, GAL: 1}, missing: [UNKNOWN]}\n")
    kinds = ["STAR", "GAL", "GAL", "UNKNOWN", "STAR", None]
    found = load(written(tmp_path, text=kinds), path).extendedness
    np.testing.assert_array_equal(found, [0, 1, 1, np.nan, 0, np.nan])
    with pytest.raises(InputError, match="code QSO is not in the survey profile's codes"):
        load(written(tmp_path, text=["QSO", *kinds[1:]]), path)


def test_an_element_of_an_array_has_to_be_chosen(tmp_path: Path) -> None:
    """And to be there."""
    for key, words in (
        ("", r"arrays of 2 elements.*element: 0 \(the first\) to 1"),
        (", element: 2", "chooses element 2"),
    ):
        path = profile(tmp_path, f"columns:\n  mag: {{name: array, unit: mag{key}}}\n")
        with pytest.raises(InputError, match=words):
            load(written(tmp_path), path)
    path = profile(tmp_path, "columns:\n  mag: {name: x, unit: mag, element: 0}\n")
    with pytest.raises(InputError, match="holds one value a row, and the survey profile chooses element 0"):
        load(written(tmp_path), path)


@pytest.mark.parametrize("optional", [False, True])
def test_a_missing_flag_is_an_error_unless_optional(tmp_path: Path, optional: bool) -> None:
    """Then a note names it."""
    entry = "{name: nowhere, optional: true}" if optional else "nowhere"
    path = profile(tmp_path, f"flags:\n  saturated: flag\n  cr: {entry}\n")
    if optional:
        found = load(written(tmp_path), path)
        assert set(found.flags) == {"saturated"}
        assert any("nowhere (flag cr)" in note for note in found.notes)
        return
    with pytest.raises(InputError, match=r"no column 'nowhere' \(flag cr\)"):
        load(written(tmp_path), path)


def test_a_flag_may_be_made_of_several_columns_and_of_numbers(tmp_path: Path) -> None:
    """Any of them marks a bad detection."""
    path = profile(tmp_path, "flags:\n  not_primary: [{name: x, above: 7}, flag]\n")
    np.testing.assert_array_equal(load(written(tmp_path), path).flags["not_primary"], (X > 7) | SET)


def test_a_flag_that_is_missing_means_what_the_profile_says(tmp_path: Path) -> None:
    """Without a word it is refused with its row."""
    table = written(tmp_path, flag=[True, None, False, False, None, True])
    for missing, marks in (("bad", [1, 1, 0, 0, 1, 1]), ("good", [1, 0, 0, 0, 0, 1])):
        path = profile(tmp_path, f"flags:\n  cr: {{name: flag, missing: {missing}}}\n")
        np.testing.assert_array_equal(load(table, path).flags["cr"], np.array(marks, dtype=bool))
    with pytest.raises(InputError, match=r"column 'flag', row 2: no value \(2 such rows\)"):
        load(table, profile(tmp_path, "flags:\n  cr: flag\n"))


REFERENCE = """survey: s
title: t
columns:
  ra: {name: a, unit: deg}
  dec: {name: d, unit: deg}
"""


def reference(folder: Path, section: str) -> Reference:
    """A reference catalog of the table with a section more in its profile."""
    path = folder / "r.yaml"
    path.write_text(REFERENCE + section)
    return references.load(written(folder), path)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("place", ["pmra", "pmra_err", "mag", "flux", "error", "zero point"])
def test_a_key_changes_the_numbers_of_a_reference_catalog(tmp_path: Path, place: str, change: str) -> None:
    """As it does those of a catalog."""
    name, key, made = CHANGES[change]
    stored = TABLE[name].astype(np.float64) if name in ("x", "x32") else X
    x = made(stored)
    entry = f"{{name: {name}, unit: UNIT, {key}}}"
    flux = "  r: {flux: {name: f, unit: UNIT}, "
    sections = {
        "pmra": f"  pmra: {entry.replace('UNIT', 'mas / yr')}\n",
        "pmra_err": f"  pmra_err: {entry.replace('UNIT', 'mas / yr')}\n",
        "mag": f"mags:\n  r: {{mag: {entry.replace('UNIT', 'mag')}}}\n",
        "flux": f"mags:\n  r: {{flux: {entry.replace('UNIT', 'nJy')}}}\n",
        "error": f"mags:\n{flux.replace('UNIT', 'nJy')}error: {entry.replace('UNIT', 'nJy')}}}\n",
        "zero point": f"mags:\n{flux.replace('UNIT', 'ct')}zero_point: {entry.replace('UNIT', 'mag')}}}\n",
    }
    found = reference(tmp_path, sections[place])
    values = {
        "pmra": lambda: found.pmra,
        "pmra_err": lambda: found.errors["pmra"],
        "error": lambda: found.mag_errs["r"],
    }.get(place, lambda: found.mags["r"])()
    formula = {"error": "error of a flux"}.get(place, place)
    np.testing.assert_allclose(values, expected(formula, x), rtol=1e-12)


def test_keys_without_meaning_are_refused_in_reference_profiles(tmp_path: Path) -> None:
    """With file, line and key."""
    for section, line, key in (
        ("  pmra: {name: x, unit: mas / yr, star_below: 3}\n", 6, "star_below"),
        ("  pmra: {name: x, unit: mas / yr, within: file}\n", 6, "within"),
        ("mags:\n  r: {mag: {name: x, unit: mag, magnitude_error: true}}\n", 7, "magnitude_error"),
        ("mags:\n  r: {mag: {name: x, unit: mag}, zero_point: {value: 1}}\n", 7, "zero_point"),
        ("mags:\n  r: {flux: {name: x, unit: nJy, header: K}}\n", 7, "header"),
    ):
        with pytest.raises(InputError, match=f"line {line}: .*key '{key}'"):
            reference(tmp_path, section)


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("flags:\n  bad: []\n", "a flag needs a column"),
        ("columns:\n  detector: {name: v, codes: {1: null}}\n", "code 1: None is not text"),
        ("columns:\n  detector: {name: v, codes: {1: 1.10}}\n", "code 1: 1.1 is not text"),
        ("columns:\n  mag: {name: x, unit: mag, missing: [true]}\n", "key 'missing'"),
        ("columns:\n  mag: {name: x, unit: mag, missing: [.nan]}\n", "key 'missing'"),
    ],
)
def test_values_that_yaml_takes_for_others_are_refused(tmp_path: Path, section: str, words: str) -> None:
    """So that no band is called None, and no flag is made of nothing."""
    path = profile(tmp_path, section)
    with pytest.raises(InputError) as caught:
        load(written(tmp_path), path)
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"{path}: line ")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (["10:00:00.5", "1", "2", "3", "4", "5"], "looks sexagesimal .* write it in degrees"),
        (["-10 00 00.5", "1", "2", "3", "4", "5"], "looks sexagesimal"),
        (
            ["N", "1", "2", "3", "4", "5"],
            "row 1: 'N' is not a number; if the first row holds types, units or dashes, remove",
        ),
        (
            ["1", "N", "2", "3", "4", "5"],
            r'row 2: .N. is not a number; if it marks a missing value, .*missing: \["N"\]',
        ),
    ],
)
def test_text_among_numbers_is_refused_with_what_helps(tmp_path: Path, text: list[str], words: str) -> None:
    """To declare sexagesimal positions or a row of units as missing would be no help."""
    path = profile(tmp_path, "columns:\n  airmass: text\n")
    with pytest.raises(InputError, match=words):
        load(written(tmp_path, text=text), path)


def test_a_unit_that_only_divides_needs_one_to_divide(tmp_path: Path) -> None:
    """Else it would be passed over."""
    path = profile(tmp_path, "columns:\n  snr: {name: x, per: s}\n")
    with pytest.raises(InputError, match="the file states no unit that 'per' could divide"):
        load(written(tmp_path), path)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("visit: {name: v, plus: w}", "key 'plus': has no effect for 'visit' (label)"),
        ("mag: {name: m, unit: mag, day: d}", "key 'day': has no effect for 'mag' (number)"),
        ("mag: {value: 3, unit: mag, missing: [3]}", "key 'missing': goes with the name of a column"),
        ("mag: {name: m, unit: mag, magnitude_error: true}", "key 'magnitude_error': has no effect for 'mag' (number)"),
        ("snr: {name: m, unit: deg, magnitude_error: true}", "key 'unit': snr is not measured in deg"),
        ("airmass: {name: a, join: {}}", "key 'join'"),
        ("airmass: {name: a, join: {b: c, d: e}}", "key 'join': one pair"),
        ("mag: {name: m, unit: mag, unless: {name: f, bits: 0}}", "bits"),
    ],
)
def test_keys_that_mean_nothing_are_refused(tmp_path: Path, entry: str, words: str) -> None:
    """With file, line and key."""
    base = {"visit": "v", "band": "b", "ra": "{name: r, unit: deg}", "dec": "{name: d, unit: deg}"}
    lines = [f"  {name}: {text}" for name, text in base.items() if not entry.startswith(f"{name}:")]
    path = tmp_path / "p.yaml"
    path.write_text(
        "\n".join(["survey: x", "title: x", "columns:", *lines, f"  {entry}", "association_radius: 1 arcsec"])
    )
    message = survey_files.refusal(path, path)
    assert message.startswith(f"{path}")
    assert words in message
