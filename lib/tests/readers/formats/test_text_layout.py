"""Layouts of text tables."""

from __future__ import annotations

from pathlib import Path

import pytest
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.formats.text_layout import BLANKS, detect_layout

IPAC = "|  ra  | dec |\n|double|int  |\n|deg   |     |\n 1.0     2   \n"
SEXTRACTOR = "# 1 NUMBER  Running number\n# 2 ALPHA_J2000 RA [deg]\n# 3 FLUX_APER Fluxes [count]\n1 2.0 3 4\n"


@pytest.mark.parametrize(
    ("text", "form", "delimiter", "names"),
    [
        ("ra,dec\n1,2\n", "CSV", ",", ["ra", "dec"]),
        ("ra\tdec\n1\t2\n", "TSV", "\t", ["ra", "dec"]),
        ("# ra dec\n1 2\n", "table of blanks", BLANKS, ["ra", "dec"]),
        (IPAC, "IPAC", BLANKS, ["ra", "dec"]),
        (SEXTRACTOR, "SExtractor", BLANKS, ["NUMBER", "ALPHA_J2000", "FLUX_APER"]),
    ],
)
def test_form_delimiter_and_names_are_detected(
    tmp_path: Path, text: str, form: str, delimiter: str, names: list[str]
) -> None:
    path = tmp_path / "a.txt"
    path.write_text(text)
    layout = detect_layout(path)
    assert (layout.form, layout.delimiter, [field.name for field in layout.fields]) == (form, delimiter, names)


def test_units_and_arrays_of_sextractor_are_in_its_header(tmp_path: Path) -> None:
    path = tmp_path / "a.cat"
    path.write_text(SEXTRACTOR)
    fields = detect_layout(path).fields
    assert [(field.unit, field.count) for field in fields] == [(None, 1), ("deg", 1), ("count", 2)]


def test_a_name_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("ra,ra\n1,2\n")
    with pytest.raises(InputError, match="column 'ra' occurs twice"):
        detect_layout(path)
