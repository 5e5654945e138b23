"""Tests of loading and overriding scenarios."""

import re
from pathlib import Path

import astropy.units as u
import pytest
from skyaccept.lib.exceptions import InputError
from skyaccept.synthetic import scenario, survey
from skyaccept.synthetic.faults import FAULTS
from skyaccept.synthetic.scenario_schema import Scenario


@pytest.mark.parametrize("name", scenario.shipped())
def test_every_shipped_scenario_loads_under_its_name(name: str) -> None:
    found = scenario.load(name)
    assert found.scenario == name
    assert found.title
    assert found.text


@pytest.mark.slow
def test_every_fault_has_a_scenario_with_only_that_fault() -> None:
    for name in FAULTS:
        chosen = scenario.load(f"fault-{name.replace('_', '-')}")
        assert [fault.name for fault in chosen.faults] == [name]
        assert FAULTS[name].measure(chosen.faults[0].strength) > 0


def test_variant_is_another_scenario_with_faults() -> None:
    found, like = scenario.load("fault-jitter"), scenario.load("nominal")
    for part in ("site", "field", "stars", "visits", "measurement", "galaxies", "camera", "reference"):
        assert getattr(found, part) == getattr(like, part)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seeing: 0.7 arcsec", "seeing: 0.7", "key 'seeing'"),
        ("seeing: 0.7 arcsec", "seeing: 0.7 mag", "key 'seeing': 0.7 mag is not convertible to arcsec"),
        ("seeing: 0.7 arcsec", "seeing: 0 arcsec", "key 'seeing': 0 arcsec: has to be above 0"),
        ("view_radius: 1.75 deg", "view_radius: 61 deg", "key 'view_radius': 61 deg: has to be not above 60 deg"),
        ("magnitude_floor: 3 mmag", "magnitude_floor: -3 mmag", "key 'magnitude_floor'"),
        ("slope: 0.2", "slop: 0.2", "slop"),
        ("missed: 0.03", "missed: 1.5", "key 'missed': expected a fraction, 0 <= x < 1"),
        ("spurious: 10", "spurious: -1", "key 'spurious'"),
        ("airmass: 1.5", "airmass: 0.5", "key 'airmass': expected an airmass above 1"),
        ("r: 8, i: 8", "r: 8, i: 0", "key 'i'"),
        ("r: 8, i: 8", "r: 8, K: 8", "'K' is not one of u, g, r, i, z, y"),
        ("r: 24.3 mag, i: 23.8 mag", "r: 24.3 mag", "band 'i' is missing"),
        ("faintest: 22.5 mag\n  slope: 0.2", "faintest: 12.5 mag\n  slope: 0.2", "has to be fainter than 'brightest'"),
        ("detector: 41 arcmin", "detector: 1 arcsec", "more than 1000 of them in a row"),
    ],
)
def test_error_in_scenario_names_file_line_and_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = scenario.shipped()["nominal"].read_text()
    assert old in text
    text = text.replace(old, new)
    line = next(k for k, row in enumerate(text.splitlines(), 1) if new.splitlines()[0] in row)
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        scenario.load(path)
    assert message in str(caught.value)
    assert f"bad.yaml: line {line}" in str(caught.value)


VARIANT = """scenario: mine
title: Mine
text: Mine.
like: nominal
faults:
  - {name: jitter, strength: 3 mas}
  - {name: duplicates, strength: 3 percent}
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("name: jitter", "name: jiter", 6, "key 'name': 'jiter' is not one of jitter, "),
        ("3 mas", "3 mag", 6, "key 'strength': 3.0 mag is not convertible to mas"),
        ("3 percent", "300 percent", 7, "from 0 to 100 percent"),
        ("like: nominal", "like: fault-jitter", 4, "'fault-jitter' is not a shipped scenario without 'like'"),
        ("like: nominal", "like: mine.yaml", 4, "'mine.yaml' is not a shipped scenario"),
        ("title: Mine", "tittle: Mine", 2, "unknown key 'tittle'"),
    ],
)
def test_error_in_variant_names_file_line_and_key(tmp_path: Path, old: str, new: str, line: int, message: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(VARIANT.replace(old, new))
    with pytest.raises(InputError) as caught:
        scenario.load(path)
    assert message in str(caught.value)
    assert f"mine.yaml: line {line}" in str(caught.value)


def test_scenarios_and_variants_of_users_are_simulated(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(VARIANT)
    chosen: Scenario = scenario.override(scenario.load(path), stars=20)
    assert len(survey.simulate(chosen).detections)
    path.write_text(scenario.shipped()["nominal"].read_text().replace("scenario: nominal", "scenario: mine"))
    chosen = scenario.override(scenario.load(path), stars=20)
    assert survey.simulate(chosen).detections.name == "simulated survey mine"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("shortest: 0.2 d", "shortest: 0 d", "key 'shortest': 0 d: has to be above 0 d"),
        ("shortest: 0.2 d", "shortest: 400 d", "key 'longest': has to be at or above 'shortest'"),
    ],
)
def test_variables_need_a_period(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = scenario.shipped()["lsst-year"].read_text()
    (tmp_path / "bad.yaml").write_text(text.replace(old, new))
    with pytest.raises(InputError) as caught:
        scenario.load(tmp_path / "bad.yaml")
    assert str(caught.value) == f"{tmp_path / 'bad.yaml'}: line 15: {message}"


NUMBER = re.compile(r"(?<=: )-?[0-9][0-9.]*( [a-z]+( / yr)?)?(?=[,}\n])")
"""Pattern of a number in a scenario, with its unit."""


@pytest.mark.slow
@pytest.mark.parametrize("number", [".nan", ".inf", "-.inf", "1e308", "-1e308", "1.0e+308", "true", "null"])
@pytest.mark.parametrize("name", ["lsst-year", "fault-jitter"])
def test_every_number_has_a_finite_range(tmp_path: Path, name: str, number: str) -> None:
    """Replace each number, with its unit, by values that are too large."""
    text = scenario.shipped()[name].read_text()
    found = list(NUMBER.finditer(text))
    assert len(found) == {"lsst-year": 71, "fault-jitter": 1}[name]
    for match in found:
        path = tmp_path / "bad.yaml"
        path.write_text(f"{text[: match.start()]}{number}{match[1] or ''}{text[match.end() :]}")
        with pytest.raises(InputError) as caught:
            scenario.load(path)
        line = text[: match.start()].count("\n") + 1
        assert f"bad.yaml: line {line}: key '" in str(caught.value)
        assert "\n" not in str(caught.value)


def test_every_fault_has_a_largest_strength() -> None:
    for fault in FAULTS.values():
        with pytest.raises(ValueError, match=f"the strength of {fault.name} must be from 0 to"):
            fault.measure(1e300 * u.Unit(fault.unit))


def test_overrides_change_only_the_given_numbers() -> None:
    """Stars with their galaxies, visits in each band, bands, and faults can be changed."""
    nominal = scenario.load("nominal")
    assert scenario.override(nominal) == nominal
    other = scenario.override(nominal, stars=30, visits=3, bands=["r"])
    assert (other.stars.number, other.visits.number) == (30, {"r": 3})
    assert other.galaxies is not None
    assert other.galaxies.number == 13
    assert (other.stars.slope, other.measurement) == (nominal.stars.slope, nominal.measurement)
    for wrong, words in (
        ({"stars": 0}, "--stars 0: expected a whole number"),
        ({"visits": -1}, "--visits -1: expected a whole number"),
        ({"bands": ["r", "w"]}, "--band w: scenario nominal has g, i, r, u, y, z"),
    ):
        with pytest.raises(InputError, match=words):
            scenario.override(nominal, **wrong)


def test_unknown_scenario_error_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match="not one of degraded, "):
        scenario.load("no-such")
