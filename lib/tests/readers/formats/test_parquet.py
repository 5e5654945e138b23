"""Parquet: any type of column exactly, masks applied, bombs and damage refused."""

from __future__ import annotations

import contextlib
import datetime
import decimal
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn, QTable, Table
from astropy.time import Time
from astropy.utils.masked import Masked
from hypothesis import given, settings
from hypothesis import strategies as st
from skyaccept.lib.catalog.detections import Detections
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import files, load
from skyaccept.lib.readers.formats import astropy_header, parquet, parquet_footer
from skyaccept.lib.tests.readers import catalogs


def read(path: Path, *names: str, labels: tuple[str, ...] = ()) -> dict[str, Any]:
    """Columns of a file."""
    parquet.tables(path)
    return dict(parquet.read(path, [0], names, labels)[0])


def refusal(path: Path, *names: str) -> str:
    """Message about a file."""
    with pytest.raises(InputError) as caught:
        read(path, *names)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def written(folder: Path, columns: dict[str, Any], **options: Any) -> Path:
    """Write a table of Arrow arrays."""
    path = folder / "a.parquet"
    pq.write_table(pa.table(columns), path, **options)
    return path


DAY = datetime.datetime(2020, 1, 2)
TYPES: dict[str, tuple[Any, list[Any]]] = {
    "int64": (pa.array([2**60 + 1, None, 3]), [2**60 + 1, None, 3]),
    "uint64": (pa.array([2**64 - 1, None, 3], pa.uint64()), [2**64 - 1, None, 3]),
    "bool": (pa.array([True, None, False]), [True, None, False]),
    "string": (pa.array(["7.10", None, ""]), ["7.10", None, ""]),
    "large string": (pa.array(["7.10", None, "x"], pa.large_string()), ["7.10", None, "x"]),
    "string view": (pa.array(["7.10", None, "x"], pa.string_view()), ["7.10", None, "x"]),
    "binary": (pa.array([b"x", None, b"\xff"]), [b"x", None, b"\xff"]),
    "fixed binary": (pa.array([b"xy", None, b"zz"], pa.binary(2)), [b"xy", None, b"zz"]),
    "dictionary of text": (pa.array(["r", None, "i"]).dictionary_encode(), ["r", None, "i"]),
    "dictionary of numbers": (pa.array([2**60 + 1, None, 6]).dictionary_encode(), [2**60 + 1, None, 6]),
    "timestamp": (pa.array([DAY, None, DAY], pa.timestamp("us")), [DAY, None, DAY]),
    "timestamp with a zone": (pa.array([DAY, None, DAY], pa.timestamp("us", "Asia/Tokyo")), [DAY, None, DAY]),
    "date": (pa.array([DAY.date(), None, DAY.date()]), [DAY.date(), None, DAY.date()]),
    "arrays of integers": (
        pa.array([[1, 2], None, [3, None]], pa.list_(pa.int64(), 2)),
        [[1, 2], [None] * 2, [3, None]],
    ),
    "arrays of text": (pa.array([["a"], None, ["b"]], pa.list_(pa.string(), 1)), [["a"], [None], ["b"]]),
}
FLOATS: dict[str, tuple[Any, list[float]]] = {
    "float64": (pa.array([0.1, None, np.nan]), [0.1, np.nan, np.nan]),
    "float32": (pa.array([0.1, None, 2.0], pa.float32()), [float(np.float32(0.1)), np.nan, 2.0]),
    "float16": (pa.array(np.array([0.1, 1.0, 2.0], dtype=np.float16)), [float(np.float16(0.1)), 1.0, 2.0]),
    "decimal": (
        pa.array([decimal.Decimal("20.123456789012345"), None, 1], pa.decimal128(20, 15)),
        [20.123456789012345, np.nan, 1],
    ),
    "null": (pa.nulls(3), [np.nan] * 3),
}


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("rows", [1, 3])
def test_columns_of_any_type_are_exact(tmp_path: Path, kind: str, rows: int) -> None:
    """With their missing values masked, whatever the groups of rows."""
    array, values = TYPES[kind]
    found = read(written(tmp_path, {"a": array}, row_group_size=rows), "a")["a"]
    assert found.tolist() == values


@pytest.mark.parametrize("kind", FLOATS)
def test_columns_of_floats_have_nan_for_missing_values(tmp_path: Path, kind: str) -> None:
    """Bit by bit."""
    array, values = FLOATS[kind]
    found = read(written(tmp_path, {"a": array}), "a")["a"]
    assert not isinstance(found, np.ma.MaskedArray)
    np.testing.assert_array_equal(found.astype(np.float64), np.array(values, dtype=np.float64))


def test_a_duration_is_no_number(tmp_path: Path) -> None:
    """It is handed on as one, with its unit."""
    assert read(written(tmp_path, {"a": pa.array([1, None], pa.duration("s"))}), "a")["a"].dtype.kind == "m"


def test_decimal_labels_are_text(tmp_path: Path) -> None:
    """7.10 is not 7.1."""
    path = written(tmp_path, {"a": pa.array([decimal.Decimal("7.10"), None], pa.decimal128(5, 2))})
    assert read(path, "a", labels=("a",))["a"].tolist() == ["7.10", None]


@pytest.mark.parametrize(
    ("array", "name", "kind"),
    [
        (pa.array([[[1]]]), "a[]", "int64"),
        (pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())), "a", "map"),
        (pa.array([1], pa.time32("s")), "a", "time32"),
        (pa.array([b"0" * 16], pa.uuid()), "a", "uuid"),
    ],
)
def test_other_types_are_refused_by_name(tmp_path: Path, array: Any, name: str, kind: str) -> None:
    """If they are asked for; the columns beside them are read."""
    path = written(tmp_path, {"b": pa.array([5]), "a": array, "c": pa.array([6])})
    message = refusal(path, name)
    assert f"column '{name}' is of type" in message
    assert kind in message
    assert read(path, "c")["c"].tolist() == [6]


LIGHT_CURVES: list[Any] = [[{"visit": 1, "mag": 1.5}, {"visit": 2, "mag": None}], [], None, [{"visit": 3, "mag": 3.5}]]


@pytest.mark.parametrize("form", ["struct of lists", "list of structs"])
@pytest.mark.parametrize("rows", [1, 2, 100])
def test_nested_light_curves_have_one_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, rows: int
) -> None:
    """However they are nested; other columns are repeated, masks and all."""
    monkeypatch.setattr(parquet, "_ROWS", rows)
    if form == "list of structs":
        lc = pa.array(LIGHT_CURVES, pa.list_(pa.struct([("visit", pa.int64()), ("mag", pa.float64())])))
    else:
        curves = [None if c is None else {k: [e[k] for e in c] for k in ("visit", "mag")} for c in LIGHT_CURVES]
        lc = pa.array(curves, pa.struct([("visit", pa.list_(pa.int64())), ("mag", pa.list_(pa.float64()))]))
    coord = pa.array([{"ra": float(k), "n": k or None} for k in range(4)])
    path = written(tmp_path, {"band": ["r", None, "i", "z"], "lc": lc, "coord": coord}, row_group_size=rows)
    names = ("lc.mag[]", "band", "lc.visit[]", "coord.ra", "coord.n")
    assert {column.name for column in parquet.tables(path)[0].columns} == set(names)
    found = read(path, *names)
    assert found["lc.visit[]"].tolist() == [1, 2, 3]
    np.testing.assert_array_equal(found["lc.mag[]"], [1.5, np.nan, 3.5])
    assert found["band"].tolist() == ["r", "r", "z"]
    assert found["coord.ra"].tolist() == [0.0, 0.0, 3.0]
    assert found["coord.n"].tolist() == [None, None, 3]


SCALARS = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float64(): st.floats(allow_nan=False),
    pa.string(): st.text(max_size=5),
}


@pytest.mark.slow
@given(st.data(), st.sampled_from(list(SCALARS)), st.booleans(), st.booleans())
@settings(max_examples=120, deadline=None)
def test_any_column_is_read_back(tmp_path_factory: Any, data: Any, kind: Any, nested: bool, dictionary: bool) -> None:
    """In structs and lists as well, with or without dictionaries, in groups of any size."""
    value = st.none() | SCALARS[kind]
    values = data.draw(st.lists(st.none() | st.lists(value, max_size=4) if nested else value, min_size=1, max_size=12))
    array = pa.array(values, pa.list_(kind) if nested else kind)
    path = tmp_path_factory.mktemp("parquet") / "a.parquet"
    table = pa.table({"s": pa.StructArray.from_arrays([array], ["x"])})
    pq.write_table(table, path, row_group_size=data.draw(st.integers(1, 5)), use_dictionary=dictionary)
    found = read(path, "s.x[]" if nested else "s.x")["s.x[]" if nested else "s.x"].tolist()
    plain = [one for row in values if row is not None for one in row] if nested else values
    assert [None if v is None or v != v else v for v in found] == plain


def astropy_table() -> QTable:
    """Columns that astropy stores as several."""
    table = QTable()
    table["n"] = MaskedColumn(np.array([2**60 + 1, 2, 3]), mask=[0, 1, 0])
    table["mag"] = MaskedColumn([1.5, 2.5, 3.5], mask=[0, 1, 0], unit="mag")
    table["name"] = MaskedColumn(["a", "", "c"], mask=[0, 0, 1])
    table["err"] = Masked([1.5, 2.5, 3.5], mask=[1, 0, 0]) * table["mag"].unit
    times = Time([59000.25, 59001.5, 59002.0], format="mjd", scale="utc")
    times[1] = np.ma.masked
    table["t"] = times
    table["c"] = SkyCoord([1.0, 2, 3], [4.0, 5, 6], unit="deg")
    table["g"] = SkyCoord([1.0, 2, 3], [4.0, 5, 6], unit="deg", frame="galactic")
    return table


def test_columns_of_astropy_are_put_together(tmp_path: Path) -> None:
    """Masks are applied and not offered, times keep their scale, other frames are refused."""
    path = tmp_path / "a.parquet"
    astropy_table().write(path, format="parquet")
    offered = {column.name: column for column in parquet.tables(path)[0].columns}
    assert list(offered) == ["n", "mag", "name", "err", "t", "c.ra", "c.dec", "g.l", "g.b"]
    assert (offered["mag"].unit, offered["c.ra"].unit, offered["t"].scale) == ("mag", "deg", "utc")
    found = read(path, "n", "mag", "name", "err", "t", "c.ra")
    assert found["n"].tolist() == [2**60 + 1, None, 3]
    np.testing.assert_array_equal(found["mag"], [1.5, np.nan, 3.5])
    assert found["name"].tolist() == ["a", "", None]
    np.testing.assert_array_equal(found["err"], [np.nan, 2.5, 3.5])
    assert found["t"].astype(str).tolist() == ["2020-05-31T06:00:00.000000", "NaT", "2020-06-02T00:00:00.000000"]
    assert found["c.ra"].tolist() == [1.0, 2.0, 3.0]
    assert "column 'g.l' is of coordinates 'g' in frame galactic" in refusal(path, "g.l")


def test_a_mask_without_its_header_is_applied(tmp_path: Path) -> None:
    """Other programs drop the header and keep the columns; a mask that was dropped is missed."""
    path = tmp_path / "a.parquet"
    astropy_table().write(path, format="parquet")
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata(None), path)
    part = files.file_tables(files.find_files(path), path)[0]
    np.testing.assert_array_equal(files.read_columns([part], ["mag"])[0]["mag"], [1.5, np.nan, 3.5])
    pq.write_table(table.drop_columns(["mag.mask"]), path)
    assert "column 'mag': its part 'mag.mask', which the header names, is not in the file" in refusal(path, "mag")


def with_header(path: Path, header: str) -> Path:
    """A table of one column with a header of astropy's."""
    schema = pa.schema([("a", pa.float64())], metadata={"table_meta_yaml": header})
    pq.write_table(pa.table({"a": [1.0]}, schema=schema), path)
    return path


ALIASES = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 10)}]\n" for k in range(1, 12)
)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        pytest.param(
            ALIASES + "datatype: [{name: a, unit: *a11, datatype: float64}]", "more than 200000 entries", id="aliases"
        ),
        pytest.param("datatype: [{name: a, <<: {unit: deg}, datatype: float64}]", "merges others", id="merge"),
        pytest.param("datatype: &d [*d]", "refers to nothing before it", id="a list in itself"),
        pytest.param("datatype: " + "[" * 60, "more than 40 levels", id="depth"),
        pytest.param(
            "datatype: [{name: a, datatype: float64}, {name: a, datatype: float64}]", "twice", id="name twice"
        ),
        pytest.param("datatype: 5", "no list 'datatype'", id="no list"),
        pytest.param("[", "not readable YAML", id="no YAML"),
        pytest.param("x" * 5_000_000, "it may have at most", id="size"),
    ],
)
def test_headers_of_astropy_are_read_within_bounds(tmp_path: Path, header: str, message: str) -> None:
    """Before a library makes anything of them."""
    assert message in refusal(with_header(tmp_path / "a.parquet", header), "a")


def test_a_header_runs_no_code(tmp_path: Path) -> None:
    """Tags mean nothing."""
    header = f"datatype: [{{name: a, datatype: float64}}]\nmeta: !!python/object/apply:os.system ['touch {tmp_path}/x']"
    assert read(with_header(tmp_path / "a.parquet", header), "a")["a"].tolist() == [1.0]
    assert not (tmp_path / "x").exists()


def test_aliases_of_a_header_are_read(tmp_path: Path) -> None:
    """The header that astropy writes has them."""
    path = tmp_path / "a.parquet"
    table = Table({"a": MaskedColumn([1.0, 2.0], mask=[0, 1], unit="mag")})
    table.meta["x"] = table.meta["y"] = [1, 2]
    table.write(path, format="parquet")
    assert b"*id001" in pq.read_schema(path).metadata[b"table_meta_yaml"]
    np.testing.assert_array_equal(read(path, "a")["a"], [1.0, np.nan])


def test_text_in_a_dictionary_is_held_once(tmp_path: Path) -> None:
    """However long it is: a small file may unfold to any size."""
    texts = pa.array(["x" * 2_000_000]).dictionary_encode().take(pa.array([0] * 2000))
    path = written(tmp_path, {"a": texts}, dictionary_pagesize_limit=5_000_000, compression="zstd")
    assert path.stat().st_size < 20_000
    found = read(path, "a")["a"]
    assert len(found) == 2000
    assert len({id(value) for value in found.tolist()}) == 1


def test_a_label_of_many_characters_is_refused(tmp_path: Path) -> None:
    """With its row; it would be held once more for each row that it is compared with."""
    path = written(tmp_path, {"visit": ["1", "x" * 1001], **hive()})
    with pytest.raises(InputError, match=r"column 'visit', row 2: 'x.* has 1001 characters; a label may have 1000"):
        load(path)


def test_text_that_shares_its_start_is_refused_where_it_unfolds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each value holds what it has in common with the one before."""
    monkeypatch.setattr(parquet, "MAX_UNCOMPRESSED", 1_000_000)
    values = ["x" * 100_000 + str(k) for k in range(20)]
    options: dict[str, Any] = {"use_dictionary": False, "column_encoding": {"a": "DELTA_BYTE_ARRAY"}}
    assert "too many to hold" in refusal(written(tmp_path, {"a": values}, **options), "a")


def test_more_rows_than_a_file_can_hold_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One value, repeated, takes no space in a file."""
    monkeypatch.setattr(parquet, "MIN_CHECKED", 1000)
    path = written(tmp_path, {"a": np.zeros(1_000_000)})
    assert "bytes of values, more than 100 times as many" in refusal(path, "a")


def test_lists_that_declare_too_many_values_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the footer, before any is read."""
    monkeypatch.setattr(parquet, "MAX_UNCOMPRESSED", 100_000)
    path = written(tmp_path, {"a": [[1.0] * 20_000]})
    assert "column 'a' declares 20000 values, too many to hold" in refusal(path, "a[]")


@pytest.mark.slow
def test_no_byte_of_the_footer_ends_the_process(tmp_path: Path) -> None:
    """Tried in a child process, which may end in no other way than by itself."""
    path = written(tmp_path, {"band": ["r", None, "i"], "mag": [[1.0], None, [2.0]]}, store_schema=False)
    command = f"from skyaccept.lib.tests.readers.formats import test_parquet; test_parquet.read_damaged({str(path)!r})"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def read_damaged(name: str) -> None:
    """Read or refuse a file with each byte of its footer changed."""
    path = Path(name)
    content = path.read_bytes()
    length = int.from_bytes(content[-8:-4], "little")
    for place in range(len(content) - 8 - length, len(content) - 8):
        for value in (1, 44):
            path.write_bytes(content[:place] + bytes([value]) + content[place + 1 :])
            # or a column has another name
            with contextlib.suppress(InputError, KeyError):
                parquet.read(path, [0], ["band", "mag[]"], ["band"])


def test_the_footer_says_what_pyarrow_does(tmp_path: Path) -> None:
    """Values and bytes of each column, over all groups of rows."""
    columns = {"a": list(range(1000)), "b": [[1.0] * (k % 5) for k in range(1000)], "c": ["x"] * 1000}
    path = written(tmp_path, columns, row_group_size=300)
    meta = pq.ParquetFile(path).metadata
    groups = [meta.row_group(k) for k in range(meta.num_row_groups)]
    for number, size in enumerate(parquet_footer.sizes(path)):
        assert size.values == sum(group.column(number).num_values for group in groups)
        assert size.uncompressed == sum(group.column(number).total_uncompressed_size for group in groups)


@pytest.mark.parametrize("encoding", ["DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY", "PLAIN"])
def test_text_of_any_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    """Some of them not as dictionaries, which other programs than pyarrow write."""
    values = ["7.10", None, "7.1", "7.10"]
    options: dict[str, Any] = {"use_dictionary": False, "column_encoding": {"a": encoding}, "row_group_size": 3}
    assert read(written(tmp_path, {"a": values}, **options), "a", labels=("a",))["a"].tolist() == values


def test_the_name_of_a_file_need_not_be_utf8(tmp_path: Path) -> None:
    """Arrow opens none by such a name."""
    path = tmp_path / os.fsdecode(b"a\xff.parquet")
    path.write_bytes(written(tmp_path, {"a": [1, 2]}).read_bytes())
    assert read(path, "a")["a"].tolist() == [1, 2]


def test_a_column_of_pandas_index_is_offered(tmp_path: Path) -> None:
    """It is a column like others."""
    path = written(tmp_path, {"__index_level_0__": [5, 6], "a": [1, 2]})
    assert read(path, "__index_level_0__")["__index_level_0__"].tolist() == [5, 6]


def test_times_beyond_all_calendars_are_refused(tmp_path: Path) -> None:
    """Rather than wrapped."""
    one = astropy_header.CombinedColumn("t", {"jd1": "t.jd1", "jd2": "t.jd2"}, format="mjd", scale="utc")
    header = astropy_header.Header(combined={"t": one})
    for value in (1e15, 1e300):
        with pytest.raises(InputError, match="column 't': not times"):
            header.combine("file", ["t"], {"t.jd1": np.array([value]), "t.jd2": np.zeros(1)})


def in_folders(root: Path, name: str, value: str, columns: dict[str, Any]) -> Path:
    """One file in a folder that names a column."""
    folder = root / f"{name}={value}"
    folder.mkdir(parents=True)
    written(folder, columns)
    return root


def hive(visit: list[int] | None = None) -> dict[str, Any]:
    """Two stars, with or without a column of visits."""
    columns = {"band": ["r", "r"], "ra": [10.0, 11.0], "dec": [0.0, 0.0], "mag": [20.0, 21.0]}
    return columns if visit is None else {"visit": visit, **columns}


def test_names_of_folders_are_columns(tmp_path: Path) -> None:
    """With what a URL escapes; a column of the same name in the file has to agree."""
    for number, value in enumerate(("a%20b", "c%2Fd")):
        columns = hive() | {"mag": [20.0 + number, 21.0]}
        in_folders(tmp_path / "x", "visit", value, columns)
    assert load(tmp_path / "x").visits == ("a b", "c/d")
    for value, own in (("1", [1, 1]), ("2", [2, 2])):
        in_folders(tmp_path / "y", "visit", value, hive(own) | {"mag": [20.0 + own[0], 21.0]})
    assert load(tmp_path / "y").visits == ("1", "2")
    for value, own in (("1", [1, 1]), ("2", [1, 2])):
        in_folders(tmp_path / "z", "visit", value, hive(own))
    with pytest.raises(InputError, match="column 'visit' holds 1, and its folder is named visit=2"):
        load(tmp_path / "z")


def test_a_folder_without_a_value_is_a_missing_label(tmp_path: Path) -> None:
    """It is no label of that name."""
    in_folders(tmp_path / "x", "visit", "__HIVE_DEFAULT_PARTITION__", hive())
    with pytest.raises(InputError, match="column 'visit', row 1: no value"):
        load(tmp_path / "x")


def times(folder: Path, kind: Any, survey: str = "") -> Any:
    """MJD of a catalog with timestamps of a type."""
    stamps = pa.array([datetime.datetime(2020, 1, 1 + k) for k in (0, 0, 1, 1)], kind)
    columns = {"visit": [1, 1, 2, 2], **{name: values * 2 for name, values in hive().items()}, "mjd": stamps}
    profile = folder / "survey.yaml"
    entries = "visit: visit\n  band: band\n  ra: {name: ra, unit: deg}\n  dec: {name: dec, unit: deg}\n  mjd: "
    entries += f"{{name: mjd{survey}}}"
    profile.write_text(f"survey: s\ntitle: t\ncolumns:\n  {entries}\nassociation_radius: 1 arcsec\n")
    return load(written(folder, columns), profile).mjd


def test_timestamps_with_a_zone_are_in_utc(tmp_path: Path) -> None:
    """37 s from TAI, which the profile may not contradict."""
    plain = times(tmp_path, pa.timestamp("us"))
    zone = pa.timestamp("us", "UTC")
    np.testing.assert_allclose((times(tmp_path, zone) - plain) * 86400, 37, rtol=0, atol=1e-4)
    stated = times(tmp_path, zone, ", time: {format: iso, scale: utc}")
    np.testing.assert_array_equal(stated, times(tmp_path, zone))
    with pytest.raises(InputError, match="its times are in UTC by the file, and in TAI by the survey profile"):
        times(tmp_path, zone, ", time: {format: iso, scale: tai}")


def test_parquet_keeps_text_in_several_ways(tmp_path: Path, expected: Detections) -> None:
    """Dictionaries, large strings and bytes are text."""
    columns = catalogs.catalog()
    band = pa.array(columns["band"].tolist())
    for text in (band.dictionary_encode(), band.cast(pa.large_string()), band.cast(pa.binary())):
        catalogs.assert_same(load(catalogs.write(tmp_path / "cat.parquet", columns | {"band": text})), expected)


def test_small_parquet_types_are_numbers(tmp_path: Path) -> None:
    """Whatever their width."""
    columns = catalogs.catalog()
    n = len(columns["ra"])
    columns |= {
        "mag": columns["mag"].astype(np.float32),
        "snr": np.arange(n, dtype=np.uint16),
        "airmass": pa.array([f"1.{k:02}" for k in range(n)]).cast(pa.decimal128(5, 2)),
    }
    found = load(catalogs.write(tmp_path / "cat.parquet", columns))
    assert found.mag is not None
    assert found.mag.tolist() == columns["mag"].astype(float).tolist()
    assert found.snr is not None
    assert found.snr.tolist() == list(range(n))
    assert found.airmass is not None
    assert found.airmass.tolist() == [float(f"1.{k:02}") for k in range(n)]


def test_a_unit_that_astropy_wrote_to_parquet_is_heeded(tmp_path: Path, expected: Detections) -> None:
    """It stands in the file's metadata."""
    columns = catalogs.catalog()
    columns["ra"] = np.radians(columns["ra"])
    path = tmp_path / "cat.parquet"
    catalogs.astropy_table(columns, {"ra": "rad", "dec": "deg"}).write(path, format="parquet")
    np.testing.assert_allclose(load(path, catalogs.profile(tmp_path, columns={"ra": "ra"})).ra, expected.ra, rtol=4e-16)
    assert "the file says rad, the survey profile says deg" in catalogs.refusal(path)


def test_a_parquet_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    """Nothing says which of the two is meant."""
    columns = catalogs.catalog()
    path = tmp_path / "cat.parquet"
    pq.write_table(
        pa.Table.from_arrays([pa.array(v) for v in (*columns.values(), columns["ra"])], [*columns, "ra"]), path
    )
    assert catalogs.refusal(path).startswith(f"{path}: ")


def test_parquet_with_strange_metadata_is_read_or_refused(tmp_path: Path) -> None:
    """Metadata of others is not ours to trust."""
    path = tmp_path / "cat.parquet"
    for strange in (b"[", b"datatype: 3", b"\xff\xfe", b"{}", b"!!python/object/apply:os.system [ls]"):
        table = pa.table(catalogs.catalog()).replace_schema_metadata({b"table_meta_yaml": strange})
        pq.write_table(table, path)
        try:
            load(path)
        except InputError as error:
            assert str(path) in str(error)  # noqa: PT017  (either is fine)
