"""Survey profiles: every fault is named with file, line and key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import profile as profiles
from skyaccept.lib.tests.readers import catalogs

BAD_PROFILES = {
    "unknown column": ("  dec:", "  decl: dec  # HERE\n  dec:", "'decl' is not one of visit, detector"),
    "unknown key": ("title: Mine", "title: Mine\ncolour: red  # HERE", "unknown key 'colour'"),
    "unknown key of a column": ("{name: ra, unit: deg}", "{name: ra, units: deg}  # HERE", "unknown key 'units'"),
    "required column missing": (
        "  visit: visit\n  band",
        "  band  # HERE".removesuffix("  # HERE"),
        "key 'visit' is missing: a profile must map it",
    ),
    "name and value": (
        "visit: visit",
        "visit: {name: visit, value: 3}  # HERE",
        "key 'visit': give its source once",
    ),
    "neither name nor value": ("visit: visit", "visit: {}  # HERE", "key 'visit': give its source once"),
    "unknown unit": ("{name: ra, unit: deg}", "{name: ra, unit: degree_s}  # HERE", "key 'unit': unit 'degree_s'"),
    "unit of another kind": (
        "{name: ra, unit: deg}",
        "{name: ra, unit: mag}  # HERE",
        "key 'unit': ra is not measured in",
    ),
    "unit of a label": (
        "visit: visit",
        "visit: {name: visit, unit: s}  # HERE",
        "key 'unit': has no effect for 'visit' (label)",
    ),
    "classifier of another column": (
        "visit: visit",
        "visit: {name: visit, star_below: 1}  # HERE",
        "key 'star_below': has no effect for 'visit' (label)",
    ),
    "radius without a unit": ("radius: 1 arcsec", "radius: 1  # HERE", "key 'association_radius': 1 has no unit"),
    "radius that is not an angle": (
        "radius: 1 arcsec",
        "radius: 1 s  # HERE",
        "key 'association_radius': 1 s is not convertible to rad",
    ),
    "negative radius": ("radius: 1 arcsec", "radius: -1 arcsec  # HERE", "key 'association_radius'"),
    "radius missing": ("survey: mine", "survey: mine  # HERE", "key 'association_radius' is missing"),
    "text for a number": ("  dec:", "  airmass: {value: low}  # HERE\n  dec:", "key 'value': 'low' is not a number"),
    "flags as a list": ("title: Mine", "title: Mine\nflags: [cr]  # HERE", "key 'flags'"),
    "flag that is no flag": ("title: Mine", "title: Mine\nflags: {cr: {name: x, bad: maybe}}  # HERE", "key 'bad'"),
    "duplicate column": ("visit: visit", "visit: visit\n  visit: exposure  # HERE", "duplicate key 'visit'"),
}


@pytest.mark.parametrize("name", BAD_PROFILES)
def test_a_fault_of_a_profile_is_named_with_file_line_and_key(tmp_path: Path, name: str) -> None:
    """One fault, one line."""
    old, new, words = BAD_PROFILES[name]
    path = catalogs.profile(tmp_path)
    text = path.read_text()
    assert text.count(old) == 1
    text = text.replace(old, new)
    if name == "radius missing":
        text = text.replace("association_radius: 1 arcsec\n", "")
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        profiles.load(path)
    message = str(caught.value)
    line = text[: text.find("# HERE")].count("\n") + 1 if "# HERE" in text else 4
    assert re.match(rf"{re.escape(str(path))}: line {line}: ", message), message
    assert words in message
    assert "\n" not in message


def test_a_profile_that_is_not_there_is_named() -> None:
    """With the names that would do."""
    with pytest.raises(InputError, match=r"--survey hcs: no such file, and not one of generic, hsc-afw"):
        profiles.load("hcs")


@pytest.mark.parametrize("name", sorted(profiles.shipped()))
def test_shipped_profiles_are_sound(name: str) -> None:
    """And known by the name of their file."""
    assert profiles.load(name).survey == name
