"""Drafts from the names of columns."""

from __future__ import annotations

from pathlib import Path

from skyaccept.lib.readers import files, guessing
from skyaccept.lib.readers.guessing import Names


def part_of(path: Path, text: str) -> files.FileTable:
    """The table of a file of text."""
    path.write_text(text)
    return files.file_tables(files.find_files(path), path)[0]


def test_names_are_found_without_regard_to_case(tmp_path: Path) -> None:
    names = Names.of_table(part_of(tmp_path / "a.csv", "EXPNUM,Filter,RA,DEC\n1,r,2,3\n"))
    visit = names.first(["visit", "expnum"])
    assert visit is not None
    assert visit.name == "EXPNUM"
    assert names.first(["airmass"]) is None


def test_a_whole_pair_goes_before_an_earlier_half(tmp_path: Path) -> None:
    names = Names.of_table(part_of(tmp_path / "a.csv", "mag_psf,mag_aper,magerr_aper\n1,2,3\n"))
    one, other = names.pair([("mag_psf", "magerr_psf"), ("mag_aper", "magerr_aper")])
    assert one is not None
    assert other is not None
    assert (one.name, other.name) == ("mag_aper", "magerr_aper")


def test_a_unit_that_the_file_does_not_state_is_left_blank(tmp_path: Path) -> None:
    draft = guessing.draft_profile(part_of(tmp_path / "a.csv", "visit,band,ra,dec\n1,r,2,3\n"))
    assert "ra: {name: ra, unit: ?}" in draft.to_yaml("a.csv")
    assert {"visit", "band", "ra", "dec"} <= draft.keys_with_columns()
    assert {"ra", "dec"} <= set(draft.to_complete())


def test_sextractor_is_known_by_two_names(tmp_path: Path) -> None:
    part = part_of(tmp_path / "a.csv", "NUMBER,X_IMAGE,MAG_AUTO,MAGERR_AUTO\n1,2,3,4\n")
    assert Names.of_table(part).of_sextractor
    assert not Names.of_table(part_of(tmp_path / "b.csv", "number,x,mag\n1,2,3\n")).of_sextractor
