from pathlib import Path

import numpy as np
import pytest
from skyaccept.lib import readers, requirements
from skyaccept.lib.catalog.colors import ColorRange, ColorTerm
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import profile as profiles

TERMS = """\
color_terms:
  ps1:
    r:
      reference: r
      color: [r, i]
      coefficients: [2 mmag, -0.01 mag]
      range: [{color: [g, r], at_least: 0 mag}, {color: [r, i], at_most: 0.5 mag}]
      source: a paper
"""


def saved(folder: Path, old: str = "", new: str = "") -> Path:
    """The generic profile with colour terms."""
    assert old in TERMS
    text = profiles.shipped()["generic"].read_text(encoding="utf-8") + TERMS.replace(old, new, 1)
    path = folder / "own.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_term_is_a_polynomial_of_the_colour_where_it_holds() -> None:
    """One star at a time; ends of a range belong to it, and an unknown magnitude gives none."""
    term = ColorTerm("i", ("r", "z"), (0.1, -0.2, 0.3), (ColorRange(("g", "r"), 0.0, 1.0),), "a paper")
    mags = {
        "g": np.array([20.5, 21.0, 20.0, 21.5, 20.5, np.nan]),
        "r": np.array([20.0, 20.0, 20.0, 20.0, 20.0, 20.0]),
        "i": np.array([19.5, 19.6, 19.7, 19.8, np.nan, 19.0]),
        "z": np.array([19.0, 19.5, 20.5, 19.9, 19.0, 19.0]),
    }
    found = term.magnitude(mags)
    for k in range(3):
        c = mags["r"][k] - mags["z"][k]
        assert found[k] == pytest.approx(mags["i"][k] + 0.1 - 0.2 * c + 0.3 * c * c, rel=1e-14)
    assert np.isnan(found[3:]).all()
    assert (term.measured, term.bands) == (("i", "r", "z"), ("i", "r", "z", "g"))
    assert str(term) == "i +0.1 -0.2 c +0.3 c^2 mag, c = r-z, where 0 <= g-r <= 1"


def test_a_profile_declares_terms_and_detections_carry_them(tmp_path: Path) -> None:
    path = saved(tmp_path)
    (term,) = profiles.load(path).color_terms["ps1"].values()
    assert term.coefficients == pytest.approx((0.002, -0.01))
    assert term.range == (ColorRange(("g", "r"), at_least=0.0), ColorRange(("r", "i"), at_most=0.5))
    catalog = tmp_path / "stars.csv"
    catalog.write_text("visit,band,ra,dec\n1,r,10,0\n2,r,10,0\n")
    assert readers.load(catalog, path).color_terms["ps1"]["r"] == term
    assert set(profiles.load("hsc-afw").color_terms["ps1"]) == set("grizy")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2 mmag", "0.002", "key 'coefficients': 0.002 has no unit"),
        ("2 mmag", "2 mas", "key 'coefficients': 2 mas is not convertible to mag"),
        ("[2 mmag, -0.01 mag]", "[]", "key 'coefficients': Tuple should have at least 1 item"),
        ("[r, i]", "[r, r]", "key 'color': expected two different bands, such as [r, i]"),
        ("[r, i]", "r", "key 'color': expected two different bands, such as [r, i]"),
        ("at_least: 0 mag", "from: 0 mag", "unknown key 'from'"),
        (", at_least: 0 mag", "", "key 'range': give at_least or at_most"),
        ("at_least: 0 mag", "at_least: 1 mag, at_most: 0 mag", "key 'range': at_least is 1 mag, above at_most, 0 mag"),
        (
            "[{color: [g, r], at_least: 0 mag}, {color: [r, i], at_most: 0.5 mag}]",
            "[]",
            "key 'range': Tuple should have at least 1 item",
        ),
        ("      source: a paper\n", "", "key 'source' is missing"),
        ("source: a paper", "source: ''", "key 'source'"),
    ],
)
def test_a_faulty_color_term_is_named_with_file_line_and_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = saved(tmp_path, old, new)
    with pytest.raises(InputError) as error:
        profiles.load(path)
    first = len(profiles.shipped()["generic"].read_text(encoding="utf-8").splitlines())
    start, line, *_ = str(error.value).split(": ")
    assert start == str(path)
    assert first < int(line.removeprefix("line ")) <= first + len(TERMS.splitlines())
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "against: {g: r, r: i, i: z, z: y}",
            "against: {g: r, r: i, i: z}",
            "names a band for g, r, i, not for g, r, i, z",
        ),
        ("against: {g: r, r: i, i: z, z: y}", "against: {g: r, r: q, i: z, z: y}", "key 'against': 'q' is not a band"),
        ("against: {g: r, r: i, i: z, z: y}", "against: {g: g, r: i, i: z, z: y}", "g is compared with itself"),
        (
            "against: {g: r, r: i, i: z, z: y}",
            "against: [r, i]",
            "key 'against': expected a band, or one for each band",
        ),
    ],
)
def test_each_band_of_a_clause_needs_a_comparison_band(tmp_path: Path, old: str, new: str, message: str) -> None:
    content = requirements.shipped()["LSE-30"].read_text(encoding="utf-8")
    assert old in content
    path = tmp_path / "own.yaml"
    path.write_text(content.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError) as error:
        requirements.load([path])
    assert message in str(error.value)


def test_a_case_knows_the_band_that_it_is_compared_with() -> None:
    against = {case.id: case.against for case in requirements.load().cases() if case.clause.id.startswith("PA5")}
    assert against == {f"OSS-REQ-0387-PA5-{a}": b for a, b in zip("griz", "rizy", strict=True)} | {
        "OSS-REQ-0387-PA5u-u": "g"
    }


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("        reference_snr: 50\n", "", "key 'reference_snr' is missing"),
        ("        reference_snr: 50\n", "        reference_snr: -1\n", "key 'reference_snr'"),
        ("        clips: [3.5, 5]\n", "        clips: []\n", "key 'clips': Tuple should have at least 1 item"),
        (", at_most: 1.0 mag", "", "give at_least and at_most"),
    ],
)
def test_a_rule_states_what_its_estimator_takes(tmp_path: Path, old: str, new: str, message: str) -> None:
    content = RULES
    assert old in content
    path = tmp_path / "own.yaml"
    path.write_text(content.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError) as error:
        requirements.load(["LSE-30", path])
    assert message in str(error.value)


def test_a_rule_states_nothing_that_is_without_effect(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(RULES.replace("estimator: mean_difference", "estimator: locus_distance"), encoding="utf-8")
    with pytest.raises(InputError, match="'locus_distance' is not one of mean_difference"):
        requirements.load(["LSE-30", path])
    text = RULES.replace("clips: [3.5, 5]\n", "clips: [3.5, 5]\n        reference_snr: 50\n")
    path.write_text(text.replace("          clips", "          clips"), encoding="utf-8")
    with pytest.raises(InputError, match="key 'reference_snr' has no effect on"):
        requirements.load(["LSE-30", path])
    path.write_text(RULES, encoding="utf-8")
    assert "own" in requirements.load(["LSE-30", path]).definitions


RULES = """\
definitions:
  - id: own
    title: Own
    text: My own way.
    samples:
      stars:
        - {column: mag, of: each, finite: true}
    rules:
      - metrics: [absolute_zero_point]
        sample: stars
        estimator: mean_difference
        radius: 1 arcsec
        reference_snr: 50
      - metrics: [stellar_locus_width]
        sample: stars
        estimator: locus_distance
        locus:
          x: {color: [g, r], at_least: 0.28 mag, at_most: 1.0 mag}
          y: {color: [r, i], at_least: 0.02 mag, at_most: 0.48 mag}
          clips: [3.5, 5]
"""
