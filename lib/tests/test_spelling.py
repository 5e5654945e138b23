"""Column names of a profile as a file spells them."""

import pytest
from skyaccept.lib.readers import profile as profiles
from skyaccept.lib.readers.source import Flag, Source
from skyaccept.lib.readers.spelling import as_in_file


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
def test_a_name_is_matched_exactly_and_else_without_regard_to_case_if_it_is_unique(
    names: list[str], found: str
) -> None:
    assert as_in_file(Source("psfFlux"), names) == Source(found)
    assert as_in_file((Flag("psfFlux", bad=False),), names) == (Flag(found, bad=False),)


def test_all_columns_of_an_entry_are_spelled_as_the_file_does() -> None:
    source = Source("Mag", plus="Zp", day="Day", unless=Flag("Flag", bits=4), join={"There": "Here"}, missing=(-99,))
    names = ["mag", "zp", "day", "flag", "there", "here"]
    spelled = Source("mag", plus="zp", day="day", unless=Flag("flag", bits=4), join={"there": "here"}, missing=(-99,))
    assert as_in_file(source, names) == spelled


@pytest.mark.parametrize("survey", profiles.shipped())
def test_a_profile_is_the_same_in_a_file_that_spells_as_it_does(survey: str) -> None:
    """Whatever it holds; and nothing but names of columns changes in another one."""
    profile = profiles.load(survey)
    assert as_in_file(profile, []) == profile
    names = [str(source.name).upper() for source in profile.columns.values() if source.name is not None]
    changed = as_in_file(profile, names)
    assert changed.color_terms == profile.color_terms
    assert {str(source.name).lower() for source in changed.columns.values()} == {
        str(source.name).lower() for source in profile.columns.values()
    }
