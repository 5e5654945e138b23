"""VOTables: columns are those of their names in any order, nulls are nulls, an answer that is not whole is refused."""

from __future__ import annotations

import base64
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io.votable import from_table
from astropy.table import MaskedColumn, Table
from hypothesis import given, settings
from hypothesis import strategies as st
from skyaccept.lib import readers
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import inspection
from skyaccept.lib.readers.formats import votable
from skyaccept.lib.tests.readers import survey_files

FORMS = ("tabledata", "binary", "binary2")


def document(*tables: str, before: str = "", after: str = "") -> str:
    """A document with tables in one resource."""
    return (
        '<?xml version="1.0"?><VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">'
        f'<RESOURCE type="results">{before}{"".join(tables)}{after}</RESOURCE></VOTABLE>'
    )


def table(fields: str, rows: str, attributes: str = "", after: str = "") -> str:
    """A table whose rows are TABLEDATA, cells parted by "|" and rows by ";"."""
    cells = "".join(
        f"<TR>{''.join(f'<TD>{one}</TD>' for one in row.split('|'))}</TR>" for row in rows.split(";") if rows
    )
    return f"<TABLE {attributes}>{fields}<DATA><TABLEDATA>{cells}</TABLEDATA></DATA>{after}</TABLE>"


def stream(fields: str, content: bytes, form: str = "BINARY") -> str:
    """A table whose rows are bytes."""
    text = base64.b64encode(content).decode()
    return f'<TABLE>{fields}<DATA><{form}><STREAM encoding="base64">{text}</STREAM></{form}></DATA></TABLE>'


def field(name: str, datatype: str, size: str = "", null: str | None = None) -> str:
    """A field."""
    values = "" if null is None else f'<VALUES null="{null}"/>'
    arraysize = f' arraysize="{size}"' if size else ""
    return f'<FIELD name="{name}" datatype="{datatype}"{arraysize}>{values}</FIELD>'


def written(folder: Path, *tables: str, **parts: str) -> Path:
    """Write a document."""
    path = folder / "a.vot"
    path.write_text(document(*tables, **parts))
    return path


def read(path: Path, *names: str, number: int = 0) -> list[Any]:
    """Columns of a table."""
    found = votable.read(path, [number], names, ())[0]
    return [found[name] for name in names]


def refusal(path: Path, *names: str) -> str:
    """Message about a file, or columns of its first table, that have to be refused."""
    try:
        votable.tables(path)
    except InputError as error:
        return str(error)
    with pytest.raises(InputError) as caught:
        votable.read(path, [0], names, ())
    return str(caught.value)


KINDS = ("f4", "f8", "u1", "i2", "i4", "i8", "?", "U", "3f8")


def made(kind: str, rows: int, draw: np.random.Generator) -> Any:
    """Values of a column."""
    if kind == "?":
        return draw.random(rows) < 0.5
    if kind == "U":
        return np.array(["".join(draw.choice(list("abcé"), 1 + k % 4)) for k in range(rows)], dtype="U4")
    if kind == "3f8":
        return draw.normal(size=(rows, 3))
    if kind.startswith("f"):
        return draw.normal(size=rows).astype(kind)
    limits = np.iinfo(kind)
    return draw.integers(limits.min, limits.max, rows, dtype=kind, endpoint=True)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(FORMS),
    st.integers(0, 12),
    st.integers(0, 10_000),
    st.lists(st.sampled_from(KINDS), min_size=1),
    st.data(),
)
def test_any_columns_in_any_order_are_what_astropy_wrote(
    tmp_path_factory: pytest.TempPathFactory, form: str, rows: int, seed: int, kinds: list[str], data: Any
) -> None:
    """In each serialisation, some of them, with nulls."""
    draw = np.random.default_rng(seed)
    columns: dict[str, Any] = {}
    for k, kind in enumerate(kinds):
        values = made(kind, rows, draw)
        # BINARY has no nulls of integers but those that a field declares, and astropy writes none of truth values there
        never = kind == "3f8" or (form == "binary" and kind[0] not in "fU")
        columns[f"c{k}"] = MaskedColumn(values, mask=np.zeros(values.shape, bool) if never else draw.random(rows) < 0.3)
    whole = from_table(Table(columns))
    whole.get_first_table().format = form
    path = tmp_path_factory.mktemp("votable") / "a.vot"
    whole.to_xml(str(path))
    names = data.draw(st.lists(st.sampled_from(sorted(columns)), unique=True, min_size=1))
    for name, values in zip(names, read(path, *names), strict=True):
        expected = columns[name]
        gone = np.ma.getmaskarray(expected.data)
        missing = np.isnan(values) if values.dtype.kind == "f" else np.ma.getmaskarray(values)
        np.testing.assert_array_equal(missing, gone)
        np.testing.assert_array_equal(np.ma.getdata(values)[~gone], expected.data.data[~gone])
        if values.dtype.kind != "O":
            assert values.dtype == expected.dtype


@pytest.mark.parametrize("form", FORMS)
def test_the_order_of_the_survey_profile_does_not_matter(tmp_path: Path, form: str) -> None:
    """A catalog whose fields stand in another order than the profile has them."""
    star, visit = np.divmod(np.arange(8), 2)
    rows = {
        "mag": 15.0 + star,
        "dec": star / 7,
        "visit": visit,
        "band": ["r"] * 8,
        "snr": 9.0 + star,
        "ra": 10 + star / 9,
    }
    whole = from_table(Table(rows))
    whole.get_first_table().format = form
    path = tmp_path / "a.vot"
    whole.to_xml(str(path))
    d = readers.load(path)
    for name in ("ra", "dec", "mag", "snr"):
        np.testing.assert_array_equal(getattr(d, name), rows[name])


STATUS = '<INFO name="QUERY_STATUS" value="{}"/>'
WHOLE = table(field("ra", "double"), "1;2;3")


@pytest.mark.parametrize("value", ["OVERFLOW", "ERROR", "overflow", " Error "])
@pytest.mark.parametrize("place", ["before", "in", "after", "behind"])
def test_an_answer_that_is_not_whole_is_refused(tmp_path: Path, value: str, place: str) -> None:
    """Wherever the service says so, with what was got; a first status of OK does not help."""
    status = STATUS.format(value)
    rows = table(field("ra", "double"), "1;2;3", after=status if place == "in" else "")
    parts = {"before": {"before": status}, "after": {"after": status}}.get(place, {})
    path = written(tmp_path, STATUS.format("OK"), rows, **parts)
    if place == "behind":
        path.write_text(path.read_text().replace("</VOTABLE>", status + "</VOTABLE>"))
    message = refusal(path)
    assert value.strip().upper() in message
    assert "3 rows" in message
    assert "split the query" in message


def test_rows_of_a_stream_are_counted_in_the_refusal(tmp_path: Path) -> None:
    """And what the service says of its error is passed on."""
    rows = stream(field("ra", "double"), np.arange(5.0).astype(">f8").tobytes())
    path = written(tmp_path, rows, after='<INFO name="QUERY_STATUS" value="ERROR">disk full</INFO>')
    assert "(disk full), with 5 rows" in refusal(path)


def test_an_error_of_a_cone_search_is_refused(tmp_path: Path) -> None:
    """Which older services tell without a status; a parameter of that name is a number."""
    path = written(tmp_path, WHOLE, before='<INFO name="Error" value="bad radius"/>')
    assert "ERROR (bad radius)" in refusal(path)
    path = written(tmp_path, WHOLE, before='<PARAM name="error" datatype="double" value="0.1"/>' + STATUS.format("OK"))
    assert read(path, "ra")[0].tolist() == [1, 2, 3]


def test_all_tables_are_told(tmp_path: Path) -> None:
    """By name and number; one without fields is none."""
    other = table(field("x", "int"), "7", 'name="other"')
    path = written(tmp_path, WHOLE, "<TABLE/>", other)
    assert [(one.number, one.name) for one in votable.tables(path)] == [(0, ""), (1, "other")]
    assert read(path, "x", number=1)[0].tolist() == [7]


def test_nulls_are_masked(tmp_path: Path) -> None:
    """Those that a field declares, empty cells, and truth values that are neither."""
    fields = field("i", "short", null="-99") + field("d", "double", null="-1") + field("s", "char", "*", null="N/A")
    fields += field("b", "boolean") + field("h", "int")
    path = written(tmp_path, table(fields, "1|2.5|a|T|0x1F;-99|-1|N/A|?|;-0099|NaN||false|-3"))
    i, d, s, b, h = read(path, "i", "d", "s", "b", "h")
    assert i.tolist() == [1, None, None]
    np.testing.assert_array_equal(d, [2.5, np.nan, np.nan])
    assert s.tolist() == ["a", None, None]
    assert b.tolist() == [True, None, False]
    assert h.tolist() == [31, None, -3]


def test_nulls_of_a_stream_are_masked(tmp_path: Path) -> None:
    """By value in BINARY; in BINARY2 by bits, whatever the value is."""
    fields = field("i", "short", null="-99") + field("b", "boolean") + field("s", "unicodeChar", "2")
    rows = [(1, b"T", "ab"), (-99, b"?", "\0\0"), (3, b"0", "é ")]
    content = b"".join(struct.pack(">hc", i, b) + s.encode("utf-16-be") for i, b, s in rows)
    i, b, s = read(written(tmp_path, stream(fields, content)), "i", "b", "s")
    assert i.tolist() == [1, None, 3]
    assert b.tolist() == [True, None, False]
    assert s.tolist() == ["ab", None, "é"]
    marked = b"".join(
        bytes([mark]) + struct.pack(">hc", i, b) + s.encode("utf-16-be")
        for mark, (i, b, s) in zip((0x80, 0, 0x60), rows, strict=True)
    )
    i, b, s = read(written(tmp_path, stream(fields, marked, "BINARY2")), "i", "b", "s")
    assert i.tolist() == [None, None, 3]
    assert b.tolist() == [True, None, None]
    assert s.tolist() == ["ab", None, None]


@pytest.mark.parametrize("form", ["BINARY", "BINARY2"])
def test_a_stream_without_rows_is_a_table_without_rows(tmp_path: Path, form: str) -> None:
    """Its columns have their types."""
    fields = field("ra", "double") + field("b", "bit") + field("s", "char", "3") + field("x", "int", "2")
    path = written(tmp_path, stream(fields, b"", form))
    shapes = [values.shape for values in read(path, "ra", "b", "s", "x")]
    assert shapes == [(0,), (0,), (0,), (0, 2)]


def test_a_short_text_may_stand_in_a_wide_field(tmp_path: Path) -> None:
    """Its width is no size in memory."""
    path = written(tmp_path, table(field("s", "char", "9999"), ";".join(["a"] * 99)))
    assert read(path, "s")[0].tolist() == ["a"] * 99


def test_a_field_without_a_name_goes_by_its_id(tmp_path: Path) -> None:
    """And one with neither keeps its place."""
    fields = '<FIELD ID="a" datatype="int"/><FIELD datatype="int"/><FIELD ID="x" name="c" datatype="int"/>'
    path = written(tmp_path, table(fields, "1|2|3"))
    assert [column.name for column in votable.tables(path)[0].columns] == ["a", "c"]
    assert [values.tolist() for values in read(path, "c", "a")] == [[3], [1]]


DAMAGE = {
    "name twice": (table(field("ra", "double") * 2, "1|2"), "column 'ra' occurs twice"),
    "too few cells": (table(field("ra", "double") + field("b", "int"), "1|2;1"), "row 2: the VOTable is damaged"),
    "too many cells": (table(field("ra", "double"), "1;1|2"), "row 2: the VOTable is damaged"),
    "no number": (table(field("ra", "double"), "1;x"), "row 2: 'x' is not a value of type double"),
    "underscore": (table(field("ra", "double"), "1_0"), "row 1: '1_0' is not"),
    "too large": (table(field("ra", "short"), "1;32768"), "row 2: '32768' is not a value of type short"),
    "neither": (table(field("ra", "boolean"), "T;maybe"), "row 2: 'maybe' is not"),
    "declared rows": (table(field("ra", "double"), "1;2", 'nrows="3"'), "it declares 3 rows, and holds 2"),
    "element": (WHOLE.replace("<TD>2</TD>", "<TD>2<i/></TD>"), "an element i within a cell"),
    "no row": (WHOLE.replace("<TR><TD>2</TD></TR>", "<TX/>"), "element TX among the rows"),
    "arraysize": (table(field("ra", "double", "99999999"), "1"), "is more than the file holds"),
    "empty arrays": (table(field("ra", "double", "999"), ";".join([" "] * 99)), "is more than the file holds"),
    "odd arraysize": (table(field("ra", "double", "3y"), "1"), "is not one of VOTable"),
    "lengths": (table(field("ra", "double", "*"), "1 2"), "holds arrays of different lengths"),
    "complex": (table(field("ra", "doubleComplex"), "1 2"), "not numbers or text"),
    "unknown": (table(field("ra", "decimal"), "1"), "not numbers or text"),
    "unknown in a stream": (stream(field("ra", "int") + field("b", "decimal"), b"1"), "is not one of VOTable"),
    "elements": (table(field("ra", "double", "2"), "1 2;1"), "row 2: 1 elements"),
    "cut stream": (stream(field("ra", "double"), b"\0" * 15), "15 bytes are not a whole number of rows of 8"),
    "cut text": (stream(field("ra", "char", "*"), b"\0\0\0\2ab\0\0\0\5a"), "its row 2 ends early"),
    "long text": (stream(field("ra", "char", "*"), b"\xff\xff\xff\xffab"), "its row 1 ends early"),
    "not base64": (stream(field("ra", "double"), b"\0" * 24).replace("AAAA", "A-AA", 1), "is not base64"),
    "encoding": (stream(field("ra", "double"), b"\0" * 8).replace('"base64"', '"gzip"'), "encoding 'gzip'"),
    "FITS": (f"<TABLE>{field('ra', 'double')}<DATA><FITS><STREAM/></FITS></DATA></TABLE>", "data in form FITS"),
    "reference": ('<TABLE ref="other"/>', "those of another table"),
    "values elsewhere": (
        table('<FIELD name="ra" datatype="int"><VALUES ref="a"/></FIELD>', "1"),
        "VALUES are in another element",
    ),
    "no end": (WHOLE[:-8], "truncated or damaged"),
    "not text": (stream(field("ra", "char", "2"), b"ab\xff\xfe"), "row 2: b'\\xff\\xfe' is not text"),
    "neither byte": (stream(field("ra", "boolean"), b"TX"), "row 2: 'X' is neither true nor false"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_what_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    """With its place."""
    text, words = DAMAGE[name]
    path = written(tmp_path, text)
    message = refusal(path, "ra")
    assert words in message
    assert message.startswith(str(path))


def test_arrays_are_handed_out_as_arrays(tmp_path: Path) -> None:
    """With their dimensions; bits as well."""
    fields = field("x", "float", "2x3") + field("b", "bit", "9") + field("one", "int", "1")
    path = written(tmp_path, table(fields, "1 2 3 4 5 6|101010101|4;|0 1 0 1 0 1 0 1 0|5"))
    x, b, one = read(path, "x", "b", "one")
    np.testing.assert_array_equal(x[0], [[1, 2], [3, 4], [5, 6]])
    assert np.isnan(x[1]).all()
    assert b.astype(int).tolist() == [[1, 0] * 4 + [1], [0, 1] * 4 + [0]]
    assert one.tolist() == [4, 5]


def test_a_file_that_is_cut_anywhere_is_refused(tmp_path: Path) -> None:
    """In each serialisation."""
    path = tmp_path / "cut.vot"
    for form in FORMS:
        whole = from_table(Table({"ra": np.arange(30.0), "band": ["r"] * 30}))
        whole.get_first_table().format = form
        whole.to_xml(str(tmp_path / "whole.vot"))
        content = (tmp_path / "whole.vot").read_bytes()
        for length in range(100, len(content) - 1, 97):
            path.write_bytes(content[:length])
            assert "truncated or damaged" in refusal(path, "ra", "band")


@pytest.mark.parametrize("form", ["tabledata", "binary", "binary2"])
def test_a_votable_is_what_was_written(tmp_path: Path, form: str) -> None:
    """In each serialisation, with units, missing numbers and text."""
    table = Table({"visit": [1, 2, 1, 2], "band": ["r", "r", "i", "i"], "ra": [1.0, 1.0, 2.0, 2.0]})
    table["dec"] = [0.5, 0.5000001, -0.5, -0.5]
    table["ra"].unit = table["dec"].unit = "deg"
    table["mag"] = MaskedColumn([15.0, 16.0, 17.0, 18.0], unit="mag", mask=[False, True, False, False])
    path = tmp_path / "a.vot"
    written = from_table(table)
    written.get_first_table().format = form
    written.to_xml(str(path))
    d = survey_files.load(path)
    np.testing.assert_array_equal(d.mag, [15, np.nan, 17, 18])
    np.testing.assert_array_equal(d.ra, table["ra"])
    assert ([d.visits[code] for code in d.visit], d.bands) == (["1", "2", "1", "2"], ("i", "r"))
    assert inspection.inspect(str(path)).columns[2].unit == "deg"


VOTABLE = (
    '<?xml version="1.0"?>{doctype}<VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE><TABLE>'
    '<FIELD name="ra" datatype="double"/><DATA>{data}</DATA></TABLE></RESOURCE></VOTABLE>'
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_votable_fetches_nothing(tmp_path: Path, encoding: str) -> None:
    """Neither from the network nor from another file; and it has no entities."""
    (tmp_path / "secret").write_bytes(b"\0" * 8)
    path = tmp_path / "a.vot"
    stream = f'<BINARY><STREAM href="file://{tmp_path}/secret"/></BINARY>'
    text = VOTABLE.format(doctype="", data=stream).replace('1.0"?', f'1.0" encoding="{encoding}"?')
    path.write_bytes(text.encode(encoding))
    with pytest.raises(InputError, match="is not fetched"):
        votable.tables(path)
    with pytest.raises(InputError):
        survey_files.load(path)
    bomb = '<!DOCTYPE VOTABLE [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    path.write_text(VOTABLE.format(doctype=bomb, data="<TABLEDATA><TR><TD>&b;</TD></TR></TABLEDATA>"))
    assert survey_files.refusal(path) == f"{path}: a VOTable with a document type is not read; remove <!DOCTYPE ...>"


def test_a_votable_without_a_table_is_refused(tmp_path: Path) -> None:
    """Or one that is none."""
    path = tmp_path / "a.vot"
    path.write_text('<?xml version="1.0"?><VOTABLE version="1.3"><RESOURCE/></VOTABLE>')
    assert survey_files.refusal(path) == f"{path}: the VOTable holds no table with fields"
    path.write_text("<html>VOTABLE</html>")
    assert survey_files.refusal(path) == f"{path}: the VOTable holds no table with fields"
