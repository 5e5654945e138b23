"""HDF5 tables of many makers: what is written is read, and what cannot be is refused by name."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
from astropy.table import MaskedColumn, QTable
from astropy.time import Time
from hypothesis import given, settings
from hypothesis import strategies as st
from skyaccept.lib import readers
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.formats import hdf5
from skyaccept.lib.readers.formats.hdf5_layout import texts_in_pickle


def rows(number: int = 8, seed: int = 5) -> dict[str, Any]:
    """Stars in two visits."""
    star, visit = np.divmod(np.arange(number), 2)
    ra = 10 + star / 10 + seed + np.random.default_rng(seed).normal(0, 1e-6, number)
    band = np.array([b"r"] * number)
    return {"visit": 1000 + visit, "band": band, "ra": ra, "dec": star / 7, "mag": 15.0 + star, "flag_bad": star == 1}


def columns_of(group: Any, columns: dict[str, Any]) -> None:
    """Write one dataset a column."""
    for name, values in columns.items():
        group[name] = values


def records(columns: dict[str, Any]) -> Any:
    """Rows as records."""
    found = np.zeros(len(columns["ra"]), [(name, values.dtype) for name, values in columns.items()])
    for name, values in columns.items():
        found[name] = values
    return found


def read(path: Path, *names: str, number: int = 0) -> list[Any]:
    """Columns of a table."""
    found = hdf5.read(path, [number], names, ())[0]
    return [found[name] for name in names]


def refusal(path: Path, *names: str) -> str:
    """Message about columns of a first table that have to be refused."""
    with pytest.raises(InputError) as caught:
        hdf5.read(path, [0], names, ())
    return str(caught.value)


@pytest.mark.parametrize("place", ["/", "photometry", "a/b"])
def test_one_dataset_a_column_is_a_table(tmp_path: Path, place: str) -> None:
    """In the root or any group; units are attributes."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        group = file.require_group(place)
        columns_of(group, rows())
        group["ra"].attrs["unit"], group["dec"].attrs["units"] = "deg", np.bytes_(b"deg")
    d = readers.load(path)
    np.testing.assert_array_equal(d.ra, rows()["ra"])
    assert d.bands == ("r",)
    np.testing.assert_array_equal(d.flags["bad"], rows()["flag_bad"])
    units = {column.name: column.unit for column in hdf5.tables(path)[0].columns}
    assert (units["ra"], units["dec"], units["mag"]) == ("deg", "deg", None)


def test_tables_of_equal_columns_are_joined_and_others_noted(tmp_path: Path) -> None:
    """Groups of detectors are read together; a table of something else is told."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        columns_of(file.create_group("ccd0"), rows())
        file["ccd1"] = records(rows(seed=6))
        columns_of(file.create_group("log"), {"x": [1, 2], "y": [1, 2]})
    d = readers.load(path)
    np.testing.assert_array_equal(d.ra, np.concatenate([rows()["ra"], rows(seed=6)["ra"]]))
    assert any("1 table of a.h5 not read" in note and "log" in note for note in d.notes)
    np.testing.assert_array_equal(readers.load(f"{path}#ccd1").ra, rows(seed=6)["ra"])


def test_datasets_of_another_length_are_no_columns(tmp_path: Path) -> None:
    """Such as a list of bands beside the columns."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        columns_of(file, rows() | {"bands": np.array([b"r"])})
    assert len(readers.load(path)) == 8
    assert "column 'bands' of table '/bands' has 1 rows, and the others of its group 8" in refusal(path, "bands")


@pytest.mark.parametrize("form", ["fixed", "table", "columns"])
def test_frames_of_pandas_are_read(tmp_path: Path, form: str) -> None:
    """In both of its formats, its blocks under the names of their columns; times are times."""
    frame = pd.DataFrame(rows()).drop(columns="band")
    frame["t"] = pd.date_range("2024-01-01", periods=len(frame), freq="D")
    frame["i4"] = np.arange(len(frame), dtype="i4")
    path = tmp_path / "a.h5"
    options: dict[str, Any] = {"format": "fixed" if form == "fixed" else "table"}
    frame.to_hdf(path, key="x/df", data_columns=["ra", "visit"] if form == "columns" else None, **options)
    (table,) = hdf5.tables(path)
    assert table.name == "df"
    assert {column.name for column in table.columns} == {*frame.columns, "index"}
    for name in frame.columns:
        np.testing.assert_array_equal(read(path, name)[0], frame[name])


def test_text_of_pandas_is_read_or_refused_by_name(tmp_path: Path) -> None:
    """It is pickled in the fixed format; categories are codes."""
    frame = pd.DataFrame({"ra": [1.0, 2.0, 3.0], "band": ["r", None, "i"]})
    path = tmp_path / "a.h5"
    frame.to_hdf(path, key="df", format="fixed")
    assert "column 'band'" in (message := refusal(path, "band"))
    assert "format='table'" in message
    assert read(path, "ra")[0].tolist() == [1, 2, 3]
    frame["codes"] = frame["band"].astype("category")
    frame.to_hdf(path, key="df", format="table", mode="w")
    assert read(path, "band")[0].tolist() == ["r", None, "i"]
    assert "codes of categories" in refusal(path, "codes")


def test_pickled_names_are_looked_at_and_not_unpickled() -> None:
    """A list of text, and nothing else."""
    for protocol in range(5):
        text = pickle.dumps(["ra", "dec"], protocol).decode("latin-1")
        assert texts_in_pickle(text) == ["ra", "dec"]
        for other in ({"a": 1}, [1, 2], [print], Path("x"), [["a"], ("b",)]):
            assert texts_in_pickle(pickle.dumps(other, protocol).decode("latin-1")) in ([], ["a"], ["a", "b"])
    assert texts_in_pickle("cos\nsystem\n(Vecho\ntR.") == []
    assert texts_in_pickle("no pickle") == []


def test_masks_and_units_of_astropy_are_heeded(tmp_path: Path) -> None:
    """Of its serialized columns; times are times; the same where its header was lost."""
    path = tmp_path / "a.h5"
    mask = np.arange(8) % 3 == 0
    table = QTable(rows())
    table["mag"] = MaskedColumn(rows()["mag"], mask=mask, unit="mag")
    table["id"] = MaskedColumn(np.arange(8), mask=mask)
    table["mjd"] = Time(59000 + np.arange(8), format="mjd", scale="tai")
    table.write(path, path="data", serialize_meta=True)
    d = readers.load(path)
    np.testing.assert_array_equal(d.mag, np.where(mask, np.nan, rows()["mag"]))
    np.testing.assert_allclose(np.asarray(d.mjd), 59000 + np.arange(8), rtol=0, atol=1e-10)
    assert np.ma.getmaskarray(read(path, "id")[0]).tolist() == mask.tolist()
    assert {c.name: c.unit for c in hdf5.tables(path)[0].columns}["mag"] == "mag"
    with h5py.File(path, "r+") as file:
        del file["data.__table_column_meta__"]
    np.testing.assert_array_equal(readers.load(path).mag, d.mag)


def test_tables_of_vaex_are_read(tmp_path: Path) -> None:
    """A group a column, with masks and units; text in parts is refused by name."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_group("table").attrs["type"] = "table"
        for name, values in rows().items():
            file[f"table/columns/{name}/data"] = values
        file["table/columns/ra"].attrs["unit"] = "deg"
        file["table/columns/mag/mask"] = np.arange(8) == 2
        file["table/columns/t/data"], file["table/columns/t/indices"] = np.zeros(9, "u1"), np.arange(9)
    d = readers.load(path)
    np.testing.assert_array_equal(np.isnan(np.asarray(d.mag)), np.arange(8) == 2)
    assert "column 't'" in (message := refusal(path, "t"))
    assert "by vaex in parts (indices)" in message


def test_scaled_integers_of_netcdf_are_what_they_stand_for(tmp_path: Path) -> None:
    """The fill is one of the stored integer."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["m"], file["id"], file["x"] = np.array([1, -9, 3], "i2"), np.array([1, -9, 3]), np.array([1.0, -9.0, 3.0])
        for name in ("m", "id", "x"):
            file[name].attrs["_FillValue"] = np.array([-9], file[name].dtype)
        file["m"].attrs["scale_factor"], file["m"].attrs["add_offset"] = 0.5, 20.0
    m, id_, x = read(path, "m", "id", "x")
    np.testing.assert_array_equal(m, [20.5, np.nan, 21.5])
    assert id_.tolist() == [1, None, 3]
    np.testing.assert_array_equal(x, [1, np.nan, 3])


def test_kinds_of_columns(tmp_path: Path) -> None:
    """Text of any length, enumerations and truth values are read; references and lists are refused by name."""
    path = tmp_path / "a.h5"
    text = h5py.string_dtype()
    kind = np.dtype([("t", text), ("e", h5py.enum_dtype({"g": 0, "r": 7}, basetype="u1")), ("c", "c16"), ("ok", "?")])
    with h5py.File(path, "w") as file:
        group = file.create_group("a")
        group["t"] = np.array(["r", "", "böse"], dtype=text)
        group.create_dataset("e", data=[0, 7, 7], dtype=kind["e"])
        group["ok"], group["half"], group["wide"] = [True, False, True], np.ones(3, "f2"), np.ones(3, "g")
        group["ref"] = np.array([group.ref] * 3, dtype=h5py.ref_dtype)
        group.create_dataset("list", (3,), dtype=h5py.vlen_dtype("f8"))
        file["b"] = np.array([("x", 7, 1j, True)] * 2, dtype=kind)
    t, e, ok, half, wide = read(path, "t", "e", "ok", "half", "wide")
    assert t.tolist() == ["r", None, "böse"]
    assert e.tolist() == ["g", "r", "r"]
    assert ok.tolist() == [True, False, True]
    assert half.tolist() == wide.tolist() == [1, 1, 1]
    assert "column 'ref' of table '/a/ref' holds references" in refusal(path, "ref")
    assert "column 'list' of table '/a/list' holds arrays of different lengths" in refusal(path, "list")
    assert [values.tolist() for values in read(path, "t", "e", "ok", number=1)] == [["x"] * 2, ["r"] * 2, [True] * 2]
    with pytest.raises(InputError, match="column 'c' of table '/b' holds complex128"):
        read(path, "c", number=1)


def test_what_an_enumeration_does_not_name_is_refused(tmp_path: Path) -> None:
    """As what is not UTF-8 is, with its row."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("e", data=[0, 3], dtype=h5py.enum_dtype({"g": 0}, basetype="u1"))
        file["t"] = np.array([b"a", b"\xff"])
    assert "column 'e': 3 is not one of its names (g)" in refusal(path, "e")
    assert "column 't', row 2: not UTF-8 text" in refusal(path, "t")


def test_indices_of_pytables_are_no_tables(tmp_path: Path) -> None:
    """They stand in groups of their own."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["t"] = records(rows())
        columns_of(file.create_group("_i_t/ra"), {"sorted": np.arange(5), "bounds": np.arange(5)})
    assert [table.name for table in hdf5.tables(path)] == ["t"]


@pytest.mark.parametrize("field", ["whole", "in chunks"])
def test_columns_that_were_never_written_are_refused(tmp_path: Path, field: str) -> None:
    """Their fill would read as data; so would a bomb."""
    path = tmp_path / "a.h5"
    for shape, words in (((1000,), "declares 1000 rows, and holds 0"), ((10**12,), "unpacks to 8000000000000 bytes")):
        with h5py.File(path, "w") as file:
            for name in ("ra", "dec"):
                file.create_dataset(name, shape, "f8", chunks=(100,) if field == "in chunks" else None)
        assert words in refusal(path, "ra")


def test_a_small_file_does_not_unpack_to_much(tmp_path: Path) -> None:
    """Zeros are packed a thousand times."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        for name in ("ra", "dec"):
            dataset = file.create_dataset(name, (5 * 10**7,), "f8", chunks=(10**6,), compression="gzip")
            for start in range(0, len(dataset), 10**6):
                dataset.id.write_direct_chunk((start,), b"x\x9c\x03\0\0\0\0\1")
    assert "unpacks to 400000000 bytes" in refusal(path, "ra")


KINDS = ("f4", "f8", "i2", "u8", "?", "S3", ">f8", "(2,)f4")


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 30), st.lists(st.sampled_from(KINDS), min_size=2), st.data())
def test_columns_of_any_type_and_order_are_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, number: int, kinds: list[str], data: Any
) -> None:
    """As records and as datasets, in chunks or not, wanted in any order."""
    draw = np.random.default_rng(number)
    written = {
        f"c{k}": draw.integers(1, 100, (number, *np.dtype(kind).shape)).astype(np.dtype(kind).base)
        for k, kind in enumerate(kinds)
    }
    table = np.zeros(number, [(f"c{k}", kind) for k, kind in enumerate(kinds)])
    for name, values in written.items():
        table[name] = values
    path = tmp_path_factory.mktemp("hdf5") / "a.h5"
    chunks = data.draw(st.sampled_from([None, True])) if number else None
    with h5py.File(path, "w") as file:
        file.create_dataset("records", data=table, chunks=chunks)
        for name, values in written.items():
            file.create_dataset(f"columns/{name}", data=values, chunks=chunks)
    names = data.draw(st.lists(st.sampled_from(sorted(written)), unique=True, min_size=1))
    assert len(hdf5.tables(path)) == 2
    for place in (0, 1):
        for name, values in zip(names, read(path, *names, number=place), strict=True):
            expected = np.char.decode(written[name]) if values.dtype.kind == "U" else written[name]
            np.testing.assert_array_equal(values, expected)
            assert values.dtype.isnative
