"""Meaning of names in a package."""

import pytest
from skyaccept.lib.requirements.lsst_verify.names import Family, Names, UnmeasuredMetrics, is_bands

FAMILY = Family("AM1", "pair_separation_rms", "srd", against="r")
NAMES = Names((FAMILY,), {}, (), (), (UnmeasuredMetrics(("Speed",), "it is no property of a catalog"),))


@pytest.mark.parametrize("metric", ["AM1", "AM1_design", "AM1_gri", "AM1_minimum_r"])
def test_a_family_is_found_by_the_first_part_of_a_name(metric: str) -> None:
    assert NAMES.family(metric) is FAMILY


@pytest.mark.parametrize("metric", ["AM2", "AM1_best", "AM1_design_x", "am1"])
def test_another_name_has_no_family(metric: str) -> None:
    assert NAMES.family(metric) is None


def test_the_reason_is_that_of_the_file_or_a_general_one() -> None:
    assert NAMES.reason("Speed") == "it is no property of a catalog"
    assert NAMES.reason("Colour") == "no metric of this version measures it"


def test_a_family_is_not_measured_in_the_band_it_compares_with() -> None:
    assert FAMILY.bands == "ugizy"


@pytest.mark.parametrize(("word", "expected"), [("gri", True), ("r", True), ("rr", False), ("", False), ("grk", False)])
def test_bands_are_a_word_of_distinct_bands(word: str, expected: bool) -> None:
    assert is_bands(word) is expected
