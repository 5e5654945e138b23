"""Column names of a profile as a file spells them."""

from pathlib import Path

import pytest
from astropy.io import fits, votable
from astropy.table import Table
from skyaccept.lib.readers import load
from skyaccept.lib.readers import profile as profiles
from skyaccept.lib.readers.column_source import ColumnSource, Flag
from skyaccept.lib.readers.spelling import match_spelling


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["psfFlux", "psfflux"], "psfFlux"),
        (["psfflux", "other"], "psfflux"),
        (["PSFFLUX", "psfflux"], "psfFlux"),
        (["psfFluxErr"], "psfFlux"),
    ],
    ids=["exact", "other case", "not unique", "missing"],
)
def test_names_match_exactly_or_else_by_case_if_unique(names: list[str], found: str) -> None:
    assert match_spelling(ColumnSource("psfFlux"), names) == ColumnSource(found)
    assert match_spelling((Flag("psfFlux", bad=False),), names) == (Flag(found, bad=False),)


def test_all_columns_of_an_entry_are_spelled_as_the_file_does() -> None:
    source = ColumnSource(
        "Mag", plus="Zp", day="Day", unless=Flag("Flag", bits=4), join={"There": "Here"}, missing=(-99,)
    )
    names = ["mag", "zp", "day", "flag", "there", "here"]
    spelled = ColumnSource(
        "mag", plus="zp", day="day", unless=Flag("flag", bits=4), join={"there": "here"}, missing=(-99,)
    )
    assert match_spelling(source, names) == spelled


@pytest.mark.parametrize("survey", profiles.shipped())
def test_a_profile_is_the_same_in_a_file_that_spells_as_it_does(survey: str) -> None:
    """Whatever it holds; and nothing but names of columns changes in another one."""
    profile = profiles.load(survey)
    assert match_spelling(profile, []) == profile
    names = [str(source.name).upper() for source in profile.columns.values() if source.name is not None]
    changed = match_spelling(profile, names)
    assert changed.color_terms == profile.color_terms
    assert {str(source.name).lower() for source in changed.columns.values()} == {
        str(source.name).lower() for source in profile.columns.values()
    }


@pytest.mark.parametrize("suffix", [".fits", ".vot"])
def test_tables_of_a_file_may_spell_a_column_differently(tmp_path: Path, suffix: str) -> None:
    """Each is read under its own name."""
    one = Table({"visit": [1, 2], "band": ["r", "r"], "ra": [1.0, 1.0], "dec": [2.0, 2.0]})
    other = Table({"VISIT": [3, 4], "Band": ["r", "r"], "RA": [3.0, 3.0], "DEC": [2.0, 2.0]})
    path = tmp_path / f"cat{suffix}"
    if suffix == ".fits":
        fits.HDUList([fits.PrimaryHDU(), fits.table_to_hdu(one), fits.table_to_hdu(other)]).writeto(path)
    else:
        file = votable.from_table(one)
        file.resources[0].tables.append(votable.from_table(other).resources[0].tables[0])
        file.to_xml(str(path))
    found = load(path)
    assert found.ra.tolist() == [1.0, 1.0, 3.0, 3.0]
    assert found.visits == ("1", "2", "3", "4")
