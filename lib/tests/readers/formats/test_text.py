"""Tables of text: letter by letter, bit by bit, or refused with the row."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import math
import os
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.table import MaskedColumn, QTable, Table
from astropy.time import Time, TimeDelta
from hypothesis import given, settings
from hypothesis import strategies as st
from skyaccept.lib.catalog.detections import Detections
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import files, load
from skyaccept.lib.readers.formats import text, text_layout, text_lines
from skyaccept.lib.tests.readers import catalogs

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}


def read(path: Path, content: str | bytes, *names: str, labels: tuple[str, ...] = ()) -> dict[str, Any]:
    """Write a file and read columns of it."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    text.tables(path)
    return dict(text.read(path, [0], names, labels)[0])


def refusal(path: Path, content: str | bytes, *names: str, labels: tuple[str, ...] = ()) -> str:
    """Message about a file."""
    with pytest.raises(InputError) as caught:
        read(path, content, *names, labels=labels)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def columns(path: Path, content: str | bytes) -> dict[str, tuple[str, str | None]]:
    """Type and unit of each column."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return {column.name: (column.dtype, column.unit) for column in text.tables(path)[0].columns}


@pytest.mark.parametrize("delimiter", DELIMITERS.values(), ids=DELIMITERS)
@pytest.mark.parametrize("comment", ["", "#", "# ", "# made today\n", "# made today\n#"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["unix", "windows", "mac"])
def test_names_stand_in_a_line_with_or_without_a_number_sign(
    tmp_path: Path, delimiter: str, comment: str, end: str
) -> None:
    """With any delimiter and line end, and other comments before it."""
    content = (comment + "visit,band,ra\n7.1,r,1.5\n7.10,NA,\n").replace(",", delimiter).replace("\n", end)
    found = read(tmp_path / "a", content, "visit", "band", "ra", labels=("visit", "band"))
    assert found["visit"].tolist() == ["7.1", "7.10"]
    assert found["band"].tolist() == ["r", "NA"]
    np.testing.assert_array_equal(found["ra"], [1.5, np.nan])


def test_fields_between_blanks_may_be_aligned_and_quoted(tmp_path: Path) -> None:
    """Any number of blanks and tabs is one delimiter."""
    found = read(tmp_path / "a", '# c\n visit  name ra \n   1  "a b"  +2.5\n  10  c \t -3 \n', "visit", "name", "ra")
    assert found["visit"].tolist() == [1, 10]
    assert found["name"].tolist() == ["a b", "c"]
    assert found["ra"].tolist() == [2.5, -3.0]


@pytest.mark.parametrize(
    ("label", "whole"),
    [
        *((text, False) for text in ("7.10", "01", "1E5", "10E4", "nan", "NA", "None", "null", "-0", "+1", "0x1F")),
        *((text, False) for text in ("1_000", "True", "1000000000000000000", "1152921504606846977")),
        *((text, True) for text in ("12", "-5", "0")),
    ],
)
def test_labels_are_kept_letter_by_letter(tmp_path: Path, label: str, whole: bool) -> None:
    """As integers only where all are the one way to write them."""
    found = read(tmp_path / "a", f"visit,ra\n{label},1\n3,2\n", "visit", labels=("visit",))["visit"]
    assert [str(value) for value in found.tolist()] == [label, "3"]
    assert (found.dtype.kind == "i") == whole


def test_only_empty_fields_are_missing(tmp_path: Path) -> None:
    """As NaN in floats, masked in integers, truth and text; words that other readers take for none stay."""
    content = 'a,b,c,d,e\n1,1.5,True,x,NA\n,,,,2\n""," ",  ,"",null\n'
    found = read(tmp_path / "a", content, "a", "b", "c", "d", "e", labels=("d",))
    np.testing.assert_array_equal(found["b"], [1.5, np.nan, np.nan])
    assert found["a"].tolist() == [1, None, None]
    assert found["c"].tolist() in ([True, None, None], ["True", None, None])
    assert found["d"].tolist() == ["x", None, None]
    assert found["e"].tolist() == ["NA", "2", "null"]


@pytest.mark.parametrize(
    "number",
    ["20.123456789012345", "1e-320", "4.9e-324", "1e400", "-1e400", "nan", "Infinity", "9007199254740993", "0.1"],
)
def test_numbers_are_those_that_python_reads(tmp_path: Path, number: str) -> None:
    """Bit by bit."""
    found = read(tmp_path / "a", f"a,b\n{number},1\n0.5,2\n", "a")["a"]
    assert np.float64(found[0]).tobytes() == np.float64(float(number)).tobytes()


def test_exponents_of_fortran_and_plus_signs_are_numbers(tmp_path: Path) -> None:
    """With blanks around them as well."""
    assert read(tmp_path / "a", "a,b\n 1D5 ,1\n-2d-3,2\n+.5,3\n,4\n", "a")["a"].tolist()[:3] == [1e5, -2e-3, 0.5]


def test_text_among_numbers_stays_text(tmp_path: Path) -> None:
    """For the profile to say what it means."""
    found = read(tmp_path / "a", "a,b\n>20.1,1\n--,2\n20.5,3\n", "a")["a"]
    assert found.tolist() == [">20.1", "--", "20.5"]


def test_times_stay_text(tmp_path: Path) -> None:
    """The parser would make timestamps, dates or times of day of them."""
    content = "a,b,c\n2020-01-01T00:00:00,2020-01-01,12:30:00\n"
    found = read(tmp_path / "a", content, "a", "b", "c")
    assert [found[name].tolist() for name in "abc"] == [["2020-01-01T00:00:00"], ["2020-01-01"], ["12:30:00"]]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1,r,2,3", "row 2: 4 fields, and the table has 3 columns"),
        ("1,r", "row 2: 2 fields, and the table has 3 columns"),
    ],
)
@pytest.mark.parametrize("delimiter", [*DELIMITERS.values(), " "])
def test_rows_of_another_length_are_refused(tmp_path: Path, delimiter: str, row: str, message: str) -> None:
    """With their number, whatever empty lines and comments stand before them."""
    content = f"visit,band,ra\n1,r,2\n\n   \n# a comment of many words here\n{row}\n3,r,4\n"
    assert message in refusal(tmp_path / "a", content.replace(",", delimiter), "ra")


def test_rows_that_are_all_longer_are_refused(tmp_path: Path) -> None:
    """Nothing is taken for an index, and no last field is dropped."""
    assert "row 1: 4 fields" in refusal(tmp_path / "a", "visit,band,ra\n0,1,r,2\n1,1,r,3\n", "ra")
    assert "row 1: 4 fields" in refusal(tmp_path / "a", "visit,band,ra\n1,r,2,\n1,r,3,\n", "ra")


def test_a_last_line_without_an_end_is_noted(tmp_path: Path) -> None:
    """Its last number may have lost digits, which nothing else shows."""
    places = "ra: {name: ra, unit: deg}, dec: {name: dec, unit: deg}"
    profile = f"survey: s\ntitle: t\ncolumns: {{visit: visit, band: band, {places}}}\nassociation_radius: 1 arcsec\n"
    (tmp_path / "s.yaml").write_text(profile)
    for end, notes in (("\n", ()), ("", ("the last line of a.csv has no line end; it may have been cut",))):
        (tmp_path / "a.csv").write_text("visit,band,ra,dec\n1,r,2,3\n1,r,3,4.25" + end)
        assert load(tmp_path / "a.csv", tmp_path / "s.yaml").notes == notes


def test_a_comment_that_could_be_a_row_is_refused(tmp_path: Path) -> None:
    """It may be a row that was taken out, or an object whose name begins so; in quotes it is the latter."""
    content = "object,ra\nS#1,1\n#2,2\n"
    assert "'#2,2' begins with '#' and has as many fields as a row" in refusal(tmp_path / "a", content, "ra")
    found = read(tmp_path / "a", content.replace("#2", '"#2"'), "object", labels=("object",))
    assert found["object"].tolist() == ["S#1", "#2"]


@pytest.mark.parametrize("value", ["20,5", "1.234,5", '"1,234.5"', "-7,25"])
def test_commas_in_numbers_are_refused(tmp_path: Path, value: str) -> None:
    """With the row and the remedy: neither 205 nor 20."""
    message = refusal(tmp_path / "a", f"a;b\n1;20.5\n2;{value}\n", "b")
    assert "column 'b', row 2: " in message
    assert "write decimal points" in message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param('a,b\n1,"x\n2,y"\n3,z\n', "a quotation mark is not closed", id="comma"),
        pytest.param('a b\n1 "x\n2 y"\n3 z\n', "a quotation mark is not closed", id="blank"),
    ],
)
def test_text_over_several_lines_is_refused(tmp_path: Path, content: str, message: str) -> None:
    """Two marks that are not closed would swallow the rows between them."""
    assert message in refusal(tmp_path / "a", content, "a")


def test_a_blank_before_a_quotation_mark_is_refused(tmp_path: Path) -> None:
    """The mark would become part of the label."""
    assert "row 1: a blank stands before a quotation mark" in refusal(
        tmp_path / "a", 'a,b\n1, "r"\n', "b", labels=("b",)
    )


def test_text_of_another_encoding_is_refused_where_it_is_read(tmp_path: Path) -> None:
    """Names may be in Latin-1, and columns that are not read may hold anything."""
    content = "visit,Größe\n1,ö\n".encode("latin-1")
    assert list(columns(tmp_path / "a", content)) == ["visit", "Größe"]
    assert read(tmp_path / "a", content, "visit")["visit"].tolist() == [1]
    assert "column 'Größe', row 1: not UTF-8 text" in refusal(tmp_path / "a", content, "Größe", labels=("Größe",))


def test_a_file_without_names_is_named_for_what_it_may_be(tmp_path: Path) -> None:
    """With the remedy."""
    message = refusal(tmp_path / "a", "  1 150.1 2.0\n  2 150.2 2.1\n", "x")
    assert "looks like a SExtractor catalog" in message
    assert "ASCII_HEAD" in message
    assert "without column names (3 fields" in refusal(tmp_path / "a", "# a comment\n1,150.1,2.0\n", "x")


def test_two_comments_that_could_be_names_are_refused(tmp_path: Path) -> None:
    """One of them may be that of the units."""
    assert "two comments" in refusal(tmp_path / "a", "# ra dec\n# deg deg\n1.5 2.5\n", "ra")


def test_a_column_twice_and_one_column_are_refused(tmp_path: Path) -> None:
    """By name."""
    assert "column 'ra' occurs twice" in refusal(tmp_path / "a", "ra,ra\n1,2\n", "ra")
    assert "'ra', holds one field" in refusal(tmp_path / "a", "ra\n1\n", "ra")
    assert "nothing but comments" in refusal(tmp_path / "a", "# ra,dec\n", "ra")


def test_columns_without_a_name_are_not_offered(tmp_path: Path) -> None:
    """Data frames write their index so."""
    assert columns(tmp_path / "a", ",visit,ra\n0,1,2.5\n") == {"visit": ("int64", None), "ra": ("float64", None)}


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_packed_files_are_read(tmp_path: Path, pack: Any) -> None:
    """Whatever their name."""
    assert read(tmp_path / "a", pack(b"a b\n1 2.5\n"), "b")["b"].tolist() == [2.5]


def test_the_name_of_a_file_need_not_be_utf8(tmp_path: Path) -> None:
    """Arrow opens none by such a name."""
    assert read(tmp_path / os.fsdecode(b"a\xff.csv"), "a,b\n1,2.5\n", "b")["b"].tolist() == [2.5]


def test_wide_tables_are_read(tmp_path: Path) -> None:
    """Whose line of names is longer than what a field may be."""
    names = [f"a_rather_long_name_of_a_column_{k}" for k in range(5000)]
    content = ",".join(names) + "\n" + ",".join(str(k) for k in range(5000)) + "\n"
    assert read(tmp_path / "a", content, names[-1])[names[-1]].tolist() == [4999]


def test_messages_have_one_line(tmp_path: Path) -> None:
    """Whatever the value that they show."""
    header = "# %ECSV 1.0\n# ---\n# datatype:\n# - {name: a, datatype: float64}\n# - {name: b, datatype: int64}\n"
    refusal(tmp_path / "a", header + 'a b\n"1\n2" 3\n', "a")


def test_arrays_that_declare_too_much_are_refused(tmp_path: Path) -> None:
    """Before they are made."""
    header = "# %ECSV 1.0\n# ---\n# datatype:\n# - {name: a, datatype: string, subtype: 'float64[99999,99999]'}\n"
    header += "# - {name: b, datatype: int64}\n"
    assert "too many to hold" in refusal(tmp_path / "a", header + 'a b\n"" 3\n', "a")


def test_blocks_end_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows, comments and continued lines that go over the end of a block."""
    rows = 400
    monkeypatch.setattr(text_lines, "BLOCK", 301)
    plain = "".join(f"{k}   r{k}  {k / 7!r}\n" + "# some words more than three\n" * (k % 5 == 0) for k in range(rows))
    daophot = "#N A B \\\n#N C\n" + "".join(f"{k} r{k} \\\n  {k / 7!r}\n" for k in range(rows))
    for content, names in (("a b c\n" + plain, "abc"), (daophot, "ABC")):
        found = read(tmp_path / "a", content, *names, labels=(names[1],))
        assert found[names[0]].tolist() == list(range(rows))
        assert found[names[1]].tolist() == [f"r{k}" for k in range(rows)]
        assert found[names[2]].tolist() == [k / 7 for k in range(rows)]


LABEL = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp", "Zs")) | st.just(" "), max_size=8
).map(str.strip)


@pytest.mark.slow
@given(
    st.lists(st.tuples(LABEL, st.floats(), LABEL, st.booleans()), min_size=1, max_size=20),
    st.sampled_from([*DELIMITERS.values(), " "]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
)
@settings(max_examples=150, deadline=None)
def test_any_table_is_read_back(tmp_path_factory: Any, rows: list[Any], delimiter: str, quoting: Any) -> None:
    """Labels letter by letter and numbers bit by bit, by any delimiter and style of quotes."""
    path = tmp_path_factory.mktemp("text") / "a"
    written = io.StringIO()
    # between blanks, an empty field has to be in quotes
    quoting = csv.QUOTE_ALL if delimiter == " " else quoting
    writer = csv.writer(written, delimiter=delimiter, quoting=quoting, lineterminator="\n")
    writer.writerow(["label", "number", "other", "truth", "last"])
    for label, number, other, truth in rows:
        # a first field that begins with a number sign has to be in quotes, as the message about it says
        writer.writerow(["x" + label, number, other, truth, 1])
    names = ("label", "number", "other", "truth")
    found = read(path, written.getvalue(), *names, labels=("label", "other"))
    assert [str(value) for value in found["label"].tolist()] == ["x" + label for label, *_ in rows]
    others = [None if value is None else str(value) for value in found["other"].tolist()]
    assert others == [other or None for _, _, other, _ in rows]
    for value, (_, number, _, _) in zip(found["number"].tolist(), rows, strict=True):
        assert (
            math.isnan(number)
            if math.isnan(value)
            else math.copysign(1, value) * value == math.copysign(1, number) * number
        )
    assert found["truth"].tolist() == [truth for *_, truth in rows]


SEXTRACTOR = """#   1 NUMBER                 Running object number
#   2 MAG_APER               Fixed aperture magnitude vector         [mag]
#   5 ALPHA_J2000            Right ascension (J2000)                 [deg]
#   6 FLAGS
         1  20.1  20.2  99.0   150.5          3
         2  21.1  21.2  21.3   150.75         0
"""


def test_a_sextractor_catalog_has_names_units_and_arrays(tmp_path: Path) -> None:
    """A column of several numbers is an array, as it is in its FITS catalogs."""
    found = columns(tmp_path / "a", SEXTRACTOR)
    assert found["MAG_APER"] == ("float64[3]", "mag")
    assert found["ALPHA_J2000"] == ("float64", "deg")
    assert found["FLAGS"] == ("int64", None)
    values = read(tmp_path / "a", SEXTRACTOR, "NUMBER", "MAG_APER", "FLAGS", labels=("NUMBER",))
    assert values["NUMBER"].tolist() == [1, 2]
    assert values["MAG_APER"].tolist() == [[20.1, 20.2, 99.0], [21.1, 21.2, 21.3]]
    assert values["FLAGS"].tolist() == [3, 0]
    assert "row 2: 5 fields" in refusal(tmp_path / "a", SEXTRACTOR.removesuffix("         0\n") + "\n", "FLAGS")


DAOPHOT = """#K IRAF       = NOAO/IRAFV2.10EXPORT    version    %-23s
#N ID    XCENTER   YCENTER   MAG         MERR          MSKY           NITER    \\
#U ##    pixels    pixels    magnitudes  magnitudes    counts         ##       \\
#F %-9d  %-10.3f   %-10.3f   %-12.3f     %-14.3f       %-15.7g        %-6d
#N         SHARPNESS   CHI         PIER  PERROR                                \\
#U         ##          ##          ##    perrors                               \\
#F         %-23.3f     %-12.3f     %-6d  %-13s
#
14       138.538   256.405   15.461      0.003         34.85955       4        \\
            -0.032      0.802       0     No_error
18       18.114    280.170   INDEF       INDEF         30.12784       4        \\
            -2.544      1.104       0     No_error
"""


def test_a_daophot_table_has_rows_of_several_lines(tmp_path: Path) -> None:
    """INDEF is no value."""
    assert columns(tmp_path / "a", DAOPHOT)["MAG"] == ("float64", "mag")
    found = read(tmp_path / "a", DAOPHOT, "ID", "MAG", "CHI", "PERROR", labels=("ID",))
    assert found["ID"].tolist() == [14, 18]
    np.testing.assert_array_equal(found["MAG"], [15.461, np.nan])
    assert found["CHI"].tolist() == [0.802, 1.104]
    assert found["PERROR"].tolist() == ["No_error", "No_error"]


def test_an_ipac_table_is_what_astropy_wrote(tmp_path: Path) -> None:
    """With units, missing numbers and labels of any letters."""
    table = Table({"id": ["01", "1", "a b"], "ra": MaskedColumn([1.5, 2.5, 3.5], mask=[0, 1, 0]), "n": [5, 6, 7]})
    table["ra"].unit = "deg"
    table.write(tmp_path / "a.tbl", format="ascii.ipac")
    content = (tmp_path / "a.tbl").read_text()
    assert columns(tmp_path / "a", content) == {"id": ("char", None), "ra": ("double", "deg"), "n": ("long", None)}
    found = read(tmp_path / "a", content, "id", "ra", "n", labels=("id",))
    assert found["id"].tolist() == ["01", "1", "a b"]
    np.testing.assert_array_equal(found["ra"], [1.5, np.nan, 3.5])
    assert found["n"].tolist() == [5, 6, 7]
    moved = content.rstrip().rpartition("\n")
    assert "row 3: its fields are not aligned" in refusal(tmp_path / "a", f"{moved[0]}\n12345{moved[2]}", "ra")
    assert "row 3: its fields are not aligned" in refusal(tmp_path / "a", f"{moved[0]}\n{moved[2][:9]}\n", "ra")


def ecsv() -> QTable:
    """Columns of all kinds, with missing values."""
    table = QTable()
    table["visit"] = ["01", "1", "1E5"]
    table["number"] = MaskedColumn(np.array([2**60 + 1, 0, 3]), mask=[0, 1, 0])
    table["mag"] = MaskedColumn([1.5, 2.5, 3.5], mask=[0, 1, 0], unit="mag")
    table["single"] = np.array([1.1, 2.2, 3.3], dtype=np.float32)
    table["flag"] = MaskedColumn([True, False, True], mask=[0, 0, 1])
    table["name"] = MaskedColumn(["a b", "", "c"], mask=[0, 0, 1])
    table["t"] = Time([59000.25, 59001.5, 59002.0], format="mjd", scale="utc")
    table["iso"] = Time(["2020-01-01T00:00:00", "2020-01-02T00:00:01", "2020-01-03"], format="isot", scale="tt")
    table["array"] = np.arange(6.0).reshape(3, 2)
    table["wait"] = TimeDelta([1.0, 2.0, 3.0], format="sec")
    return table


@pytest.mark.parametrize("delimiter", [" ", ","])
def test_an_ecsv_file_is_what_astropy_wrote(tmp_path: Path, delimiter: str) -> None:
    """By the types of its header."""
    ecsv().write(tmp_path / "a.ecsv", format="ascii.ecsv", delimiter=delimiter)
    content = (tmp_path / "a.ecsv").read_text()
    (table,) = text.tables(tmp_path / "a.ecsv")
    found = {column.name: column for column in table.columns}
    assert found["mag"].unit == "mag"
    assert (found["t"].dtype, found["t"].scale, found["iso"].scale) == ("datetime64[us]", "utc", "tai")
    names = ("visit", "number", "mag", "single", "flag", "name", "t", "iso", "array")
    values = read(tmp_path / "a", content, *names, labels=("visit", "name"))
    assert values["visit"].tolist() == ["01", "1", "1E5"]
    assert values["number"].tolist() == [2**60 + 1, None, 3]
    np.testing.assert_array_equal(values["mag"], [1.5, np.nan, 3.5])
    assert values["single"].dtype == np.float32
    assert values["flag"].tolist() == [True, False, None]
    assert values["name"].tolist() == ["a b", None, None]
    assert values["t"].astype(str).tolist()[0] == "2020-05-31T06:00:00.000000"
    assert values["iso"].astype(str).tolist()[1] == "2020-01-01T23:59:28.816000"
    assert values["array"].tolist() == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
    assert "column 'wait' is stored as astropy.time.core.TimeDelta, which is not read" in refusal(
        tmp_path / "a", content, "wait"
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: mag,", "name: gam,", "is not that of the ECSV header"),
        ("datatype: int64", "datatype: complex64", "column 'number' is of type complex64, which is not read"),
        ("1.5", "bright", "column 'mag', row 1: 'bright' is not of type float64"),
        ("1152921504606846977", "1.5", "column 'number', row 1: '1.5' is not of type int64"),
        ("[2.0,3.0]", "[2.0]", "column 'array', row 2: '[2.0]' is not float64[2]"),
        ("[2.0,3.0]", "[" * 5000, "column 'array', row 2: "),
        ("# datatype:", "# - datatype:", "the header"),
        ("scale: utc", "scale: ut9", "column 't' is a time of format mjd and scale ut9, which is not read"),
    ],
)
def test_an_ecsv_file_that_contradicts_its_header_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    """With column and row."""
    ecsv().write(tmp_path / "a.ecsv", format="ascii.ecsv")
    content = (tmp_path / "a.ecsv").read_text()
    assert old in content
    assert message in refusal(tmp_path / "a", content.replace(old, new, 1), "number", "mag", "array", "t")


FOREIGN = {
    "zip": (b"PK\x03\x04" + bytes(100), "is a ZIP archive"),
    "tar": (b"a.csv".ljust(257, b"\0") + b"ustar\x0000", "is a tar archive"),
    "zstd": (b"\x28\xb5\x2f\xfd" + bytes(100), "unpack it first"),
    "npy": (b"\x93NUMPY\x01\0", "is a NumPy array"),
    "pickle": (pickle.dumps({"ra": [1]}), "is a Python pickle, which is never read"),
    "sqlite": (b"SQLite format 3\0" + bytes(100), "is an SQLite database"),
    "feather": (b"ARROW1\0\0" + bytes(100), "is an Arrow IPC"),
    "avro": (b"Obj\x01" + bytes(100), "is an Avro file"),
    "orc": (b"ORC" + bytes(100), "is an ORC file"),
    "pdf": (b"%PDF-1.7\n1,2,3\n", "is a PDF document"),
    "json": (b'[{"ra": 1, "dec": 2}]\n', "is JSON"),
    "xml": (b"<?xml version='1.0'?><table><r ra='1'/></table>", "is an XML document other than VOTable"),
    "page": (b"\xef\xbb\xbf\n<!DOCTYPE html><html>log in, please</html>", "is a web page"),
    "latex": (b"\\begin{deluxetable}{cc}\n1 & 2\\\\\n", "is a LaTeX table"),
    "utf-16": ("ra,dec\n1,2\n".encode("utf-16"), "is text in UTF-16; save it as UTF-8"),
    "utf-16 without mark": ("ra,dec\n1,2\n".encode("utf-16-le"), "is text in UTF-16; save it as UTF-8"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n", "is a pointer of Git LFS"),
    "machine-readable": (
        b"Title: A\n" + b"=" * 80 + b"\nByte-by-byte Description of file: a\n",
        "machine-readable table",
    ),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_no_catalog_is_named_for_what_it_is(tmp_path: Path, name: str) -> None:
    """With what to do."""
    content, message = FOREIGN[name]
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        files.format_of(path)
    assert str(caught.value).startswith(f"{path}: not a catalog: it ")
    assert message in str(caught.value)


def test_the_start_of_a_file_is_read_within_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that stand behind a megabyte of comments are found; a line without an end is not looked for."""
    content = "# words of a comment\n" * 60_000 + "a,b\n1,2\n"
    assert read(tmp_path / "a", content, "b")["b"].tolist() == [2]
    monkeypatch.setattr(text_layout, "MAX_HEADER", 1000)
    assert "nothing but comments" in refusal(tmp_path / "a", content, "b")
    assert "no table" in refusal(tmp_path / "a", "a,b" * 1000, "b")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: text.replace(b"\n", b"\r\n"), id="line ends of Windows"),
        pytest.param(lambda text: b"\xef\xbb\xbf" + text, id="byte order mark"),
        pytest.param(lambda text: text.replace(b",", b", "), id="blank after each comma"),
        pytest.param(lambda text: b"# made today\n# by hand\n" + text, id="comments above"),
        pytest.param(lambda text: text + b"\n\n", id="empty lines below"),
        pytest.param(lambda text: re.sub(rb",([ri]),", rb',"\1",', text), id="quoted text"),
    ],
)
def test_csv_comes_in_many_guises(tmp_path: Path, expected: Detections, change: Callable[[bytes], bytes]) -> None:
    """All of them usual."""
    path = catalogs.write(tmp_path / "cat.csv", catalogs.catalog())
    path.write_bytes(change(path.read_bytes()))
    catalogs.assert_same(load(path), expected)


def test_ecsv_may_be_delimited_by_commas(tmp_path: Path, expected: Detections) -> None:
    """And may have the line ends of Windows."""
    path = tmp_path / "cat.ecsv"
    catalogs.astropy_table(catalogs.catalog(), {"ra": "deg"}).write(path, format="ascii.ecsv", delimiter=",")
    catalogs.assert_same(load(path), expected)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    catalogs.assert_same(load(path), expected)


def test_a_number_sign_inside_a_csv_row_is_data(tmp_path: Path) -> None:
    """Comments stand on lines of their own; cutting the row short would lose its last columns unseen."""
    columns = catalogs.catalog() | {
        "object": [f"S#{k % catalogs.STARS}" for k in range(catalogs.STARS * catalogs.VISITS)],
        "last": np.ones(catalogs.STARS * catalogs.VISITS),
    }
    names = ["visit", "band", "object", *[name for name in columns if name not in ("visit", "band", "object")]]
    columns = {name: columns[name] for name in names}
    catalogs.assert_same(
        load(catalogs.write(tmp_path / "cat.csv", columns)), load(catalogs.write(tmp_path / "cat.parquet", columns))
    )
