"""FITS tables: what is written is read, a null is a null, what is cut, damaged or cannot be is refused."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.time import Time
from hypothesis import given, settings
from hypothesis import strategies as st
from skyaccept.lib import readers
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import load
from skyaccept.lib.readers.formats import fits as reader
from skyaccept.lib.readers.formats.fits_units import BLOCK
from skyaccept.lib.tests.readers import catalogs


def write(path: Path, *columns: fits.Column, kind: Any = fits.BinTableHDU, **keywords: Any) -> Path:
    """Write one table."""
    table = kind.from_columns(list(columns))
    table.header.update(keywords)
    table.writeto(path, overwrite=True)
    return path


def read(path: Path, *names: str, number: int = 0) -> list[Any]:
    """Columns of a table."""
    found = reader.read(path, [number], names, ())[0]
    return [found[name] for name in names]


def refusal(path: Path, *names: str) -> str:
    """Message about a file, or columns of its first table, that have to be refused."""
    try:
        reader.tables(path)
    except InputError as error:
        return str(error)
    with pytest.raises(InputError) as caught:
        reader.read(path, [0], names, ())
    return str(caught.value)


def edited(path: Path, old: bytes, new: bytes) -> Path:
    """Replace bytes of a file."""
    content = path.read_bytes()
    assert content.count(old) >= 1
    assert len(old) == len(new)
    path.write_bytes(content.replace(old, new, 1))
    return path


def catalog(rows: slice = slice(None)) -> Table:
    """Six stars in two visits."""
    star, visit = np.divmod(np.arange(12), 2)
    table = Table({"visit": 1000 + visit, "band": ["r"] * 12, "ra": 10 + star / 10, "dec": star / 7, "mag": 15 + star})
    return table[rows]


def several(path: Path, names: tuple[str, ...] = ("CCD0", "CCD1", "CCD2"), other: bool = False) -> Path:
    """Write tables of equal columns, and perhaps one of other columns."""
    hdus = [fits.PrimaryHDU()]
    for k, name in enumerate(names):
        hdus.append(fits.BinTableHDU(catalog(slice(k * 4, k * 4 + 4)), name=name))
    if other:
        hdus.append(fits.BinTableHDU(Table({"x": [1, 2]}), name="LOG"))
    fits.HDUList(hdus).writeto(path)
    return path


@pytest.mark.parametrize("name", ["a.fits", "a.fits.gz"])
def test_tables_of_equal_columns_are_one_catalog(tmp_path: Path, name: str) -> None:
    """All of them, in one file, plain or compressed."""
    d = readers.load(several(tmp_path / name))
    np.testing.assert_array_equal(d.ra, catalog()["ra"])
    assert not d.notes


def test_a_table_can_be_chosen_and_others_are_noted(tmp_path: Path) -> None:
    """By its name or number; one of other columns is not read, and the notes say so."""
    path = several(tmp_path / "a.fits", other=True)
    assert [(table.number, table.name) for table in reader.tables(path)] == list(
        enumerate(["CCD0", "CCD1", "CCD2", "LOG"])
    )
    assert any("1 table of a.fits not read" in note and "LOG" in note for note in readers.load(path).notes)
    for chosen in ("CCD1", "ccd1", "2"):
        np.testing.assert_array_equal(readers.load(f"{path}#{chosen}").ra, catalog(slice(4, 8))["ra"])


NULL_CASES = [
    ("I", np.int16, -32768, 0.001, 20.0),
    ("B", np.uint8, 255, 0.5, 0.0),
    ("J", np.int32, -1, 1e-6, 0.0),
    ("K", np.int64, -99, 2.0, 1.0),
]


@pytest.mark.parametrize(("form", "kind", "null", "scale", "zero"), NULL_CASES)
def test_a_null_is_one_of_the_stored_integer(
    tmp_path: Path, form: str, kind: Any, null: int, scale: float, zero: float
) -> None:
    """Before it is scaled."""
    stored = np.array([1, null, 7, 100], kind)
    path = write(tmp_path / "a.fits", fits.Column("m", form, array=stored), TNULL1=null)
    for key, value in (("TSCAL1", scale), ("TZERO1", zero)):
        fits.setval(path, key, value=value, ext=1)
    (found,) = read(path, "m")
    np.testing.assert_allclose(found, np.where(stored == null, np.nan, zero + scale * stored.astype(float)), rtol=1e-15)
    fits.delval(path, "TSCAL1", ext=1)
    fits.delval(path, "TZERO1", ext=1)
    (found,) = read(path, "m")
    assert found.dtype == kind
    assert np.ma.getmaskarray(found).tolist() == [False, True, False, False]


@pytest.mark.parametrize(("kind", "stored"), [("u2", "I"), ("u4", "J"), ("u8", "K"), ("i1", "B")])
def test_integers_of_the_other_sign_are_exact(tmp_path: Path, kind: str, stored: str) -> None:
    """To the last of 64 bits, with a null of the stored integer."""
    limits = np.iinfo(kind)
    values = np.array([limits.min, 1, limits.max - 1, limits.max], kind)
    zero = -128 if stored == "B" else 1 << (8 * values.itemsize - 1)
    path = write(tmp_path / "a.fits", fits.Column("id", stored, array=values, bzero=zero))
    (found,) = read(path, "id")
    assert found.dtype == kind
    assert found.tolist() == values.tolist()
    fits.setval(path, "TNULL1", value=1 - zero, ext=1)
    assert np.ma.getmaskarray(read(path, "id")[0]).tolist() == [False, True, False, False]


def test_shifted_integers_stay_exact_or_are_refused(tmp_path: Path) -> None:
    """A float64 would round them."""
    path = write(tmp_path / "a.fits", fits.Column("id", "K", array=np.array([2**53 + 1, 5])))
    fits.setval(path, "TZERO1", value=10, ext=1)
    assert read(path, "id")[0].tolist() == [2**53 + 11, 15]
    fits.setval(path, "TZERO1", value=2**63 - 1, ext=1)
    assert "more than 64 bits" in refusal(path, "id")


def test_null_logicals_are_neither_true_nor_false(tmp_path: Path) -> None:
    """And a byte that is no logical is refused with its row."""
    path = write(tmp_path / "a.fits", fits.Column("f", "L", array=np.array([True, False, True])))
    content = path.read_bytes()
    path.write_bytes(content[: 2 * BLOCK] + b"T\0F" + content[2 * BLOCK + 3 :])
    (found,) = read(path, "f")
    assert found.tolist() == [True, None, False]
    path.write_bytes(content[: 2 * BLOCK] + b"T\1F" + content[2 * BLOCK + 3 :])
    assert "column 'f', row 2: byte 1 is neither T nor F" in refusal(path, "f")


def test_a_flag_with_nulls_is_refused(tmp_path: Path) -> None:
    """Until the survey profile says what they mean."""
    table = catalog()
    table["flag_bad"] = np.zeros(12, bool)
    path = tmp_path / "a.fits"
    table.write(path)
    content = path.read_bytes()
    width = 8 + 1 + 8 + 8 + 8 + 1
    at = 2 * BLOCK + 3 * width - 1
    assert content[at : at + 1] == b"F"
    path.write_bytes(content[:at] + b"\0" + content[at + 1 :])
    with pytest.raises(InputError, match="column 'flag_bad', row 3: no value"):
        readers.load(path)


def test_missing_floats_and_text_are_missing(tmp_path: Path) -> None:
    """NaN, empty text, and a TNULL of floats, which the standard does not know but says what it means."""
    path = write(
        tmp_path / "a.fits",
        fits.Column("x", "E", array=np.array([1.5, np.nan, -99.9], "f4")),
        fits.Column("t", "5A", array=np.array(["a", "", " b "])),
    )
    fits.setval(path, "TNULL1", value=-99.9, ext=1)
    x, t = read(path, "x", "t")
    np.testing.assert_array_equal(x, np.array([1.5, np.nan, np.nan], "f4"))
    assert t.tolist() == ["a", None, "b"]


def test_arrays_are_handed_out_as_arrays(tmp_path: Path) -> None:
    """With their dimensions; texts and bits as well."""
    numbers = np.arange(12.0).reshape(2, 6)
    path = write(
        tmp_path / "a.fits",
        fits.Column("x", "6D", dim="(2,3)", array=numbers.reshape(2, 3, 2)),
        fits.Column("y", "6D", array=numbers),
        fits.Column("t", "6A", dim="(2,3)", array=np.array([["ab", "cd", "ef"], ["gh", "", "i"]])),
        fits.Column("b", "10X", array=np.arange(20).reshape(2, 10) % 3 == 0),
        fits.Column("one", "1X", array=np.array([[True], [False]])),
    )
    x, y, t, b, one = read(path, "x", "y", "t", "b", "one")
    np.testing.assert_array_equal(x, numbers.reshape(2, 3, 2))
    np.testing.assert_array_equal(y, numbers)
    assert t.tolist() == [["ab", "cd", "ef"], ["gh", None, "i"]]
    np.testing.assert_array_equal(b, np.arange(20).reshape(2, 10) % 3 == 0)
    assert one.tolist() == [True, False]


def test_what_is_no_number_or_text_is_refused_by_name(tmp_path: Path) -> None:
    """The other columns are read."""
    path = write(
        tmp_path / "a.fits",
        fits.Column("c", "C", array=np.array([1j, 2])),
        fits.Column("v", "PD()", array=np.array([[1.0], [1.0, 2.0]], dtype=object)),
        fits.Column("z", "0D", array=np.empty((2, 0))),
        fits.Column("x", "D", array=np.array([1.0, 2.0])),
    )
    assert read(path, "x")[0].tolist() == [1, 2]
    assert "column 'c' holds complex numbers" in refusal(path, "c")
    assert "column 'v' holds arrays of different lengths" in refusal(path, "v")
    assert "column 'z' has no width" in refusal(path, "z")


def test_names_that_differ_in_case_are_refused(tmp_path: Path) -> None:
    """They are one name in FITS."""
    column = fits.Column("x", "D", array=np.array([1.0]))
    path = edited(
        write(tmp_path / "a.fits", column, fits.Column("y", "D", array=np.array([2.0]))), b"'y       '", b"'X       '"
    )
    assert "column 'X' occurs twice" in refusal(path)


def ascii_table(path: Path) -> Path:
    """An ASCII table by hand, with numbers as Fortran writes them."""
    rows = [
        b"   12 1.5D2  -1234  9007199254740993 r ",
        b"  -99      0.5E-1                     nul",
        b"    7    -3    20.25                 0 g ",
    ]
    fields = {"i": (1, "I5"), "d": (6, "D6.1"), "f": (12, "F8.2"), "k": (20, "I18"), "t": (38, "A3")}
    rows = [
        row.ljust(41)[:41]
        for row in (
            b"   12 1.5D2   -1234  9007199254740993r  ",
            b"  -99        5.0E-1                  nul",
            b"    7   -30   20.25                 0 g ",
        )
    ]
    header = fits.Header(
        [
            ("XTENSION", "TABLE"),
            ("BITPIX", 8),
            ("NAXIS", 2),
            ("NAXIS1", 41),
            ("NAXIS2", len(rows)),
            ("PCOUNT", 0),
            ("GCOUNT", 1),
            ("TFIELDS", len(fields)),
        ]
    )
    for number, (name, (start, form)) in enumerate(fields.items(), start=1):
        header[f"TTYPE{number}"], header[f"TBCOL{number}"], header[f"TFORM{number}"] = name, start, form
    header["TNULL1"], header["TNULL5"], header["TUNIT3"] = "-99", "nul", "mag"
    data = b"".join(rows)
    primary = fits.PrimaryHDU().header.tostring().encode()
    path.write_bytes(primary + header.tostring().encode() + data.ljust(BLOCK))
    return path


def test_ascii_tables_are_read(tmp_path: Path) -> None:
    """Numbers without a point have one (Fw.d); integers are exact; nulls and blanks are missing."""
    path = ascii_table(tmp_path / "a.fits")
    i, d, f, k, t = read(path, "i", "d", "f", "k", "t")
    assert i.tolist() == [12, None, 7]
    np.testing.assert_array_equal(d, [150, np.nan, -3.0])
    np.testing.assert_array_equal(f, [-12.34, 0.5, 20.25])
    assert k.tolist() == [9007199254740993, None, 0]
    assert t.tolist() == ["r", None, "g"]
    assert reader.tables(path)[0].columns[2].unit == "mag"


def test_an_ascii_table_of_astropy_is_what_was_written(tmp_path: Path) -> None:
    """Through the whole of the readers."""
    table = catalog()
    columns = [
        fits.Column(name, form, array=np.asarray(table[name]), ascii=True)
        for name, form in zip(table.colnames, ("I10", "A1", "D25.17", "D25.17", "I10"), strict=True)
    ]
    d = readers.load(write(tmp_path / "a.fits", *columns, kind=fits.TableHDU))
    np.testing.assert_array_equal(d.ra, table["ra"])
    np.testing.assert_array_equal(d.dec, table["dec"])


def test_a_number_of_an_ascii_table_that_is_none_is_refused(tmp_path: Path) -> None:
    """With its row."""
    path = edited(ascii_table(tmp_path / "a.fits"), b"   12 1.5D2", b"   1x 1.5D2")
    assert "column 'i', row 1: '1x' is not an integer" in refusal(path, "i")


def ldac(path: Path, chips: int = 3) -> Path:
    """Write an LDAC file of several detectors."""
    hdus = [fits.PrimaryHDU()]
    for chip in range(chips):
        header = fits.Header({"SIMPLE": True, "EXPNUM": 5, "CCDNUM": chip})
        text = "".join(card.image for card in header.cards)
        image = fits.BinTableHDU.from_columns([fits.Column("Field Header Card", f"{len(text)}A", array=[text])])
        image.name = "LDAC_IMHEAD"
        hdus += [image, fits.BinTableHDU(catalog(slice(chip * 4, chip * 4 + 4)), name="LDAC_OBJECTS")]
    fits.HDUList(hdus).writeto(path)
    return path


@pytest.mark.parametrize("write_it", [ldac, several])
def test_a_file_that_is_cut_anywhere_is_refused(tmp_path: Path, write_it: Any) -> None:
    """Within a header or the rows; one that ends with a table is whole, unless it is LDAC and an image is left over."""
    content = write_it(tmp_path / "whole.fits").read_bytes()
    path = tmp_path / "cut.fits"
    starts = [at for at in range(0, len(content), BLOCK) if content[at:].startswith((b"SIMPLE", b"XTENSION"))]
    for length in range(200, len(content), 720):
        path.write_bytes(content[:length])
        after = starts.index(length) if length in starts else 0
        if after > 1 and (write_it is several or after % 2):
            assert len(reader.tables(path)) == (after - 1 if write_it is several else after // 2)
        else:
            assert str(path) in refusal(path, "ra")


def test_an_ldac_file_without_the_table_of_a_detector_is_refused(tmp_path: Path) -> None:
    """As one is that was cut between two tables, or has a damaged name."""
    path = ldac(tmp_path / "a.cat")
    content = path.read_bytes()
    last = content.rindex(b"XTENSION")
    path.write_bytes(content[:last])
    assert "3 tables of image headers (LDAC_IMHEAD), and 2 of detections" in refusal(path)
    path.write_bytes(content)
    assert "3 tables of image headers" in refusal(edited(path, b"LDAC_OBJECTS", b"LDAC_OBJECTX"))
    path.write_bytes(content)
    assert "is in some of its tables of detections only" in refusal(edited(path, b"'mag     '", b"'nag     '"))


DAMAGE = {
    "XTENSION": (b"XTENSION= 'BINTABLE'", b"XTENSIOM= 'BINTABLE'", "begins no extension"),
    "type": (b"XTENSION= 'BINTABLE'", b"XTENSION= 'BINTABLF'", "no extension is of type"),
    "TFIELDS": (b"TFIELDS =                    5", b"TFIELDS =           2147483648", "at most 999"),
    "NAXIS": (b"NAXIS   =                    2", b"NAXIS   =            999999999", "at most 999"),
    "NAXIS1": (b"NAXIS1  =                   33", b"NAXIS1  =                   32", "(NAXIS1)"),
    "rows": (b"NAXIS2  =                   12", b"NAXIS2  =        9999999999999", "truncated"),
    "fewer rows": (b"NAXIS2  =                   12", b"NAXIS2  =                   11", "bytes other than padding"),
    "negative": (b"NAXIS2  =                   12", b"NAXIS2  =                  -12", "whole number"),
    "PCOUNT": (b"PCOUNT  =                    0", b"PCOUNT  =           9999999999", "truncated"),
    "TFORM": (b"TFORM3  = 'D       '", b"TFORM3  = '99999D  '", "wider than a row"),
    "type of a column": (b"TFORM3  = 'D       '", b"TFORM3  = 'W       '", "is not a type"),
    "TTYPE": (b"TTYPE3  = 'ra      '", b"TTYPE3  =          3", "is not text"),
    "twice": (b"TTYPE4  = 'dec     '", b"TTYPE3  = 'dec     '", "TTYPE3 2 times"),
    "bits": (b"BITPIX  =                    8 / array", b"BITPIX  =                    9 / array", "BITPIX"),
    "TNULL": (b"TFORM1  = 'K       '", b"TNULL1  = 'K       '", "TFORM1"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_header_is_refused(tmp_path: Path, name: str) -> None:
    """Before anything is made of it."""
    old, new, words = DAMAGE[name]
    path = tmp_path / "a.fits"
    catalog().write(path)
    content = path.read_bytes()
    at = content.index(old, BLOCK)
    path.write_bytes(content[:at] + new + content[at + len(new) :])
    message = refusal(path, "ra")
    assert words in message
    assert message.startswith(str(path))


def test_a_header_without_its_end_does_not_run_into_the_next(tmp_path: Path) -> None:
    """It would take the rows of another table for those of its own."""
    for kind in (fits.BinTableHDU, fits.TableHDU):
        column = fits.Column("t", "A4", array=np.array(["abcd"] * 720), ascii=kind is fits.TableHDU)
        hdus = [fits.PrimaryHDU(), *(kind.from_columns([column]) for _ in range(2))]
        fits.HDUList(hdus).writeto(tmp_path / "a.fits", overwrite=True)
        content = (tmp_path / "a.fits").read_bytes()
        at = content.index(b"END" + b" " * 77, BLOCK)
        path = tmp_path / "b.fits"
        path.write_bytes(content[:at] + b"ENE" + content[at + 3 :])
        assert "its header does not end before the data" in refusal(path)


def test_bytes_behind_the_last_table_are_refused(tmp_path: Path) -> None:
    """But padding is none."""
    path = tmp_path / "a.fits"
    catalog().write(path)
    content = path.read_bytes()
    path.write_bytes(content + b"\0" * 2 * BLOCK)
    assert len(read(path, "ra")[0]) == 12
    path.write_bytes(content + b"\0" * BLOCK + b"x" + b"\0" * BLOCK)
    assert "begins no extension" in refusal(path)
    path.write_bytes(content[: 2 * BLOCK + 12 * 33])  # another table may have followed
    assert "its last block ends early" in refusal(path)


def test_data_that_are_not_those_that_were_summed_are_refused(tmp_path: Path) -> None:
    """A flipped bit, where the file has DATASUM."""
    path = tmp_path / "a.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU(catalog())]).writeto(path, checksum=True)
    assert len(read(path, "ra")[0]) == 12
    content = bytearray(path.read_bytes())
    content[2 * BLOCK + 40] ^= 1
    path.write_bytes(content)
    assert "DATASUM" in refusal(path, "ra")


def test_tables_compressed_by_fpack_are_named(tmp_path: Path) -> None:
    """And images compressed so are no tables."""
    path = write(tmp_path / "a.fits", fits.Column("x", "D", array=np.array([1.0])), ZTABLE=True)
    assert "funpack" in refusal(path)
    hdus = [fits.PrimaryHDU(), fits.CompImageHDU(np.ones((8, 8), "i2")), fits.BinTableHDU(catalog())]
    fits.HDUList(hdus).writeto(path, overwrite=True)
    assert [len(table.columns) for table in reader.tables(path)] == [5]


def test_text_that_is_not_utf8_is_refused_with_its_row(tmp_path: Path) -> None:
    """What comes after a zero byte is no part of a text."""
    path = write(tmp_path / "a.fits", fits.Column("t", "4A", array=np.array(["abcd", "efgh"])))
    assert "column 't', row 2: not UTF-8 text" in refusal(edited(path, b"efgh", b"e\xff\xfeh"), "t")
    edited(path, b"e\xff\xfeh", b"ef\0h")
    assert read(path, "t")[0].tolist() == ["abcd", "ef"]


@pytest.mark.slow
def test_two_hundred_tables_are_read_in_one_go(tmp_path: Path) -> None:
    """As a camera has detectors."""
    path = several(tmp_path / "a.fits", tuple(f"CCD{k}" for k in range(200)))
    found = reader.read(path, range(200), ["ra"], ())
    assert sum(len(table["ra"]) for table in found) == 12
    assert len(found) == 200


MADE = {
    "L": lambda draw, rows: draw.random(rows) < 0.5,
    "A": lambda draw, rows: draw.integers(1, 10**6, rows).astype("U7"),
    "E": lambda draw, rows: draw.normal(size=rows).astype("f4"),
    "D": lambda draw, rows: draw.normal(size=rows),
    "B": lambda draw, rows: draw.integers(0, 200, rows).astype("u1"),
    "I": lambda draw, rows: draw.integers(-200, 200, rows).astype("i2"),
    "J": lambda draw, rows: draw.integers(-200, 200, rows).astype("i4"),
    "K": lambda draw, rows: draw.integers(-(2**60), 2**60, rows),
}


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 20),
    st.integers(0, 1000),
    st.lists(st.sampled_from(sorted(MADE)), min_size=1),
    st.booleans(),
    st.data(),
)
def test_columns_of_any_type_and_order_are_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, rows: int, seed: int, forms: list[str], packed: bool, data: Any
) -> None:
    """Any columns, wanted in any order, plain or compressed."""
    draw = np.random.default_rng(seed)
    written = {f"c{k}": (form, MADE[form](draw, rows)) for k, form in enumerate(forms)}
    columns = [fits.Column(name, "7A" if form == "A" else form, array=v) for name, (form, v) in written.items()]
    path = write(tmp_path_factory.mktemp("fits") / "a.fits", *columns)
    if packed:
        path.write_bytes(gzip.compress(path.read_bytes()))
    names = data.draw(st.permutations(list(written)))
    for name, values in zip(names, read(path, *names), strict=True):
        np.testing.assert_array_equal(values, written[name][1])
        assert values.dtype.kind == written[name][1].dtype.kind


def test_times_of_astropy_are_put_together(tmp_path: Path) -> None:
    """They are two numbers a row; a scale that no survey profile can state becomes TAI."""
    path = tmp_path / "a.fits"
    when = Time([60000.25, 60001.5, 60002.75], format="mjd", scale="tai")
    when[1] = np.ma.masked
    Table({"t": when, "u": when.utc, "w": when.tt, "n": [1, 2, 3]}).write(path)
    scales = {column.name: (column.dtype, column.scale) for column in reader.tables(path)[0].columns[:3]}
    assert scales == {"t": ("datetime64[us]", "tai"), "u": ("datetime64[us]", "utc"), "w": ("datetime64[us]", "tai")}
    found = reader.read(path, [0], ["t", "u", "w"], [])[0]
    expected = np.array(["2023-02-25T06:00:00", "NaT", "2023-02-27T18:00:00"], "datetime64[us]")
    np.testing.assert_array_equal(found["t"], expected)
    np.testing.assert_array_equal(found["u"], expected - np.timedelta64(37, "s"))
    np.testing.assert_array_equal(found["w"], expected)


@pytest.mark.parametrize(("keyword", "value"), [("JDREF", 2400000.5), ("MJDREF", 0.0), ("TCTYP1", "GPS")])
def test_other_times_of_two_parts_are_refused(tmp_path: Path, keyword: str, value: object) -> None:
    path = tmp_path / "a.fits"
    Table({"t": Time([60000.25, 60001.5], format="mjd", scale="tai"), "n": [1, 2]}).write(path)
    with fits.open(path, mode="update") as file:
        file[1].header[keyword] = value
    with pytest.raises(InputError, match=r"column 't' holds times .*write one number a row, such as the MJD"):
        reader.read(path, [0], ["t"], [])


def test_a_fits_file_without_a_table_is_refused(tmp_path: Path) -> None:
    """An image, or nothing."""
    path = tmp_path / "image.fits"
    fits.PrimaryHDU(np.ones((3, 3))).writeto(path)
    assert catalogs.refusal(path) == f"{path}: the FITS file holds no table, only images"


def test_scaled_fits_integers_are_what_they_stand_for(tmp_path: Path) -> None:
    """TZERO and TSCAL, and unsigned integers."""
    columns = catalogs.catalog() | {
        "mag": np.arange(15, dtype=np.int16),
        "snr": np.arange(50000, 50015, dtype=np.uint16),
    }
    path = catalogs.write(tmp_path / "cat.fits", columns)
    number = list(columns).index("mag") + 1
    fits.setval(path, f"TSCAL{number}", value=0.01, ext=1)
    fits.setval(path, f"TZERO{number}", value=20.0, ext=1)
    found = load(path)
    assert found.mag is not None
    np.testing.assert_allclose(found.mag, 20 + np.arange(15) / 100)
    assert found.snr is not None
    assert found.snr.tolist() == list(range(50000, 50015))
