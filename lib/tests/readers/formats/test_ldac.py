"""FITS_LDAC files of SExtractor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from skyaccept.lib.readers import inspection
from skyaccept.lib.tests.readers import survey_files


def ldac_survey(folder: Path, detector: str) -> Path:
    """A profile of SExtractor catalogs: a sentinel, and bits of its flags."""
    path = folder / "sex.yaml"
    path.write_text(
        "survey: sex\ntitle: SExtractor\ncolumns:\n"
        "  visit: {header: EXPNUM}\n"
        f"  detector: {detector}\n"
        "  band: {header: FILTER}\n"
        "  ra: ALPHA_J2000\n"
        "  dec: DELTA_J2000\n"
        "  mag: {name: MAG_AUTO, missing: [99, -99]}\n"
        "flags:\n  saturated: {name: FLAGS, bits: 4}\n  edge: {name: FLAGS, bits: 8}\n"
        "association_radius: 1 arcsec\n"
    )
    return path


def test_ldac_is_what_was_written(tmp_path: Path) -> None:
    """Detections of the second table, keywords of the header in the first; 99 is no magnitude."""
    path, table = survey_files.ldac(tmp_path / "a.cat", 1)
    d = survey_files.load(path, ldac_survey(tmp_path, "{header: CCDNUM}"))
    np.testing.assert_array_equal(d.ra, table["ALPHA_J2000"])
    np.testing.assert_array_equal(d.mag, [15, np.nan, 16, 17])
    np.testing.assert_array_equal(d.flags["saturated"], [False, True, False, False])
    np.testing.assert_array_equal(d.flags["edge"], [False, False, True, False])
    assert (d.visits, d.bands) == (("5",), ("r",))


def test_extensions_of_ldac_are_detectors(tmp_path: Path) -> None:
    """Each has the header of its own image."""
    path, _ = survey_files.ldac(tmp_path / "a.cat", 2)
    d = survey_files.load(path, ldac_survey(tmp_path, "LDAC_EXTENSION"))
    assert len(d) == 8
    np.testing.assert_array_equal(d.detector, np.repeat([0, 1], 4))
    np.testing.assert_array_equal(
        survey_files.load(path, ldac_survey(tmp_path, "{header: CCDNUM}")).detector, d.detector
    )
    path.unlink()
    survey_files.ldac(path, 2, exposures=(5, 6))
    d = survey_files.load(path, ldac_survey(tmp_path, "LDAC_EXTENSION"))
    assert d.visits == ("5", "6")
    np.testing.assert_array_equal(d.visit, np.repeat([0, 1], 4))


def test_a_look_at_ldac_guesses_its_columns(tmp_path: Path) -> None:
    """As it does for any table."""
    found = inspection.inspect(str(survey_files.ldac(tmp_path / "a.cat", 1)[0]))
    assert "ra: {name: ALPHA_J2000," in found.advice.text
    assert "mag: {name: MAG_AUTO," in found.advice.text
