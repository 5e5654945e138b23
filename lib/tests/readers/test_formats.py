"""Match files, light curves, LDAC, VOTable and their profiles: what is written is read, what is broken refused."""

from __future__ import annotations

import os
import pickle
import re
import sys
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.io.votable import from_table
from astropy.table import MaskedColumn, Table
from skyaccept.lib import measure, readers, requirements
from skyaccept.lib.catalog.association import has_one_position_per_object
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import files, inspection, reference
from skyaccept.lib.readers.column_source import Flag
from skyaccept.lib.readers.columns.flags import evaluate_flag
from skyaccept.lib.readers.columns.parsing import lookup
from skyaccept.lib.readers.formats import FORMATS, hdf5, parquet, votable
from skyaccept.lib.tests.realdata import REALDATA, needs_realdata

PTF = REALDATA / "ptf" / "PTF_d002867_f01_c01_sexcat_match.pytable"
ZTF = REALDATA / "ztf" / "ztf_000245_zr_c10_q1_match.pytable"
CURVES = REALDATA / "ztf" / "ztf_000250_zg_c01_q1_dr5.parquet"

STARS, VISITS = 6, 4
BAD_EPOCH = 32768


def load(source: Path, survey: str | Path = "generic") -> Any:
    """Detections of a catalog; which of their columns are there is for the tests to know."""
    return readers.load(source, survey)


def refusal(source: Path, survey: str | Path = "generic") -> str:
    """Message about a catalog that has to be refused."""
    with pytest.raises(InputError) as caught:
        load(source, survey)
    return str(caught.value)


def rng() -> np.random.Generator:
    """Random numbers of a test."""
    return np.random.default_rng(5)


def ztf_rows(seed: int = 5, order: str = "<") -> Any:
    """Detections of a ZTF match file: six stars in four visits, every eighth not to be used."""
    draw = np.random.default_rng(seed)
    kind: list[Any] = [
        ("catflags", "u2"),
        ("dec", "f8"),
        ("expid", "u4"),
        ("hjd", "f8"),
        ("mag", "f4"),
        ("magerr", "f4"),
    ]
    kind += [("matchid", "u4"), ("mjd", "f8"), ("ra", "f8"), ("percentiles", "f4", (3,))]
    rows = np.zeros(STARS * VISITS, [(name, order + form, *shape) for name, form, *shape in kind])
    star, visit = np.divmod(np.arange(len(rows)), VISITS)
    rows["matchid"], rows["expid"], rows["mjd"] = star, 1000 + visit, 59000 + visit
    rows["ra"], rows["dec"] = 10 + star / 50 + draw.normal(0, 1e-5, len(rows)), 5 + draw.normal(0, 1e-5, len(rows))
    rows["mag"], rows["magerr"] = 16 + star / 4 + draw.normal(0, 0.02, len(rows)), 0.02
    rows["catflags"] = np.where(np.arange(len(rows)) % 8 == 3, BAD_EPOCH | 1, 0)
    return rows


def ztf_file(path: Path, rows: Any, exposures: int = VISITS, **attributes: Any) -> Path:
    """Write a ZTF match file: five tables in a group whose attributes tell the filter and the quadrant."""
    with h5py.File(path, "w") as file:
        group = file.create_group("matches")
        for name, value in ({"filterID": np.int32(2), "rcID": np.int32(36), "quadrantID": 1} | attributes).items():
            group.attrs[name] = value
        table = np.zeros(exposures, [("expid", "<u4"), ("airmass", "<f4")])
        table["expid"], table["airmass"] = 1000 + np.arange(exposures), 1.5 + np.arange(exposures) / 10
        group.create_dataset("exposures", data=table)
        group.create_dataset("sourcedata", data=rows, chunks=(5,), maxshape=(None,), **hdf5plugin.Blosc())
        group.create_dataset("transientdata", data=rows[:0], chunks=(5,), maxshape=(None,))
        group.create_dataset("sources", data=rows[:STARS])
    return path


def ptf_file(path: Path, chip: int = 1) -> tuple[Path, Any]:
    """Write a PTF match file, integers in thousandths of a magnitude, and what stands in it."""
    kind = [("absphotzp", "<u2"), ("dec", "<f8"), ("ipacFlags", "<i2"), ("mag_auto", "<i2"), ("magerr_auto", "<i2")]
    kind += [("matchedSourceID", "<i4"), ("mjd", "<f8"), ("pid", "<i4"), ("ra", "<f8"), ("sextractorFlags", "<i2")]
    rows = np.zeros(8, kind)
    star, visit = np.divmod(np.arange(8), 2)
    rows["matchedSourceID"], rows["pid"], rows["mjd"] = star, 7 + visit, 56000 + visit
    rows["ra"], rows["dec"] = 20 + star + rng().normal(0, 1e-5, 8), 30 + rng().normal(0, 1e-5, 8)
    rows["mag_auto"], rows["absphotzp"], rows["magerr_auto"] = -11384 + 10 * star, 27594 + visit, 479
    rows["ipacFlags"], rows["sextractorFlags"] = [2, 256, 128, 512, 0, 64, 2048, 4096], [0, 4, 8, 16, 1, 2, 0, 0]
    with h5py.File(path, "w") as file:
        group = file.create_group(f"photosex/filter01/field002867/chip{chip:02d}")
        group.attrs["filterID"], group.attrs["chipID"] = 1, chip
        table = np.zeros(2, [("pid", "<i4"), ("airmass", "<f4")])
        table["pid"], table["airmass"] = [8, 7], [2.25, 2.0]
        group.create_dataset("exposures", data=table)
        group.create_dataset("sourcedata", data=rows)
        group.create_dataset("transientdata", data=rows[:3])
    return path, rows


def test_a_ztf_match_file_is_what_was_written(tmp_path: Path) -> None:
    """Each column, its labels, and the objects of the file."""
    rows = ztf_rows()
    d = load(ztf_file(tmp_path / "a.pytable", rows), "ztf-matchfile")
    for name in ("ra", "dec", "mjd"):
        np.testing.assert_array_equal(getattr(d, name), rows[name])
    bad = rows["catflags"] >= BAD_EPOCH
    assert bad.sum() == 3
    np.testing.assert_array_equal(d.mag, np.where(bad, np.nan, rows["mag"].astype(float)))
    np.testing.assert_array_equal(d.flags["bad_epoch"], bad)
    np.testing.assert_allclose(d.snr, 2.5 / np.log(10) / rows["magerr"].astype(float), rtol=1e-14)
    np.testing.assert_array_equal(d.object, rows["matchid"])
    assert [d.visits[k] for k in d.visit] == [str(expid) for expid in rows["expid"]]
    assert d.bands == ("r",)
    np.testing.assert_array_equal(d.airmass, np.float32(1.5) + (rows["expid"] - 1000).astype("f4") / np.float32(10))


@pytest.mark.parametrize("order", ["<", ">"])
def test_byte_order_does_not_matter(tmp_path: Path, order: str) -> None:
    """Numbers come in that of the machine."""
    d = load(ztf_file(tmp_path / "a.pytable", ztf_rows(order=order)), "ztf-matchfile")
    np.testing.assert_array_equal(d.ra, ztf_rows()["ra"])
    assert d.ra.dtype.isnative


def test_an_exposure_that_is_not_listed_has_no_airmass(tmp_path: Path) -> None:
    """The others have theirs."""
    rows = ztf_rows()
    d = load(ztf_file(tmp_path / "a.pytable", rows, exposures=2), "ztf-matchfile")
    np.testing.assert_array_equal(np.isnan(d.airmass), rows["expid"] >= 1002)


def test_an_exposure_that_is_listed_twice_is_refused(tmp_path: Path) -> None:
    """Its airmass could be either."""
    path = ztf_file(tmp_path / "a.pytable", ztf_rows())
    with h5py.File(path, "r+") as file:
        file["matches/exposures"][1] = file["matches/exposures"][0]
    assert refusal(path, "ztf-matchfile").startswith(
        f"{path}#sourcedata: column 'exposures/airmass': a row of its table"
    )


def test_looking_up_is_a_plain_loop() -> None:
    """Keys in any order, some of them missing."""
    there, here = rng().permutation(20)[:12], rng().integers(0, 20, 50)
    values = rng().random(12)
    plain = dict(zip(there.tolist(), values.tolist(), strict=True))
    found = lookup("x", "y", (there, here), values)
    np.testing.assert_array_equal(found, [plain.get(key, np.nan) for key in here.tolist()])
    nothing = lookup("x", "y", (there[:0], here), values[:0])
    assert np.isnan(nothing).all()
    assert len(nothing) == len(here)


def test_objects_of_several_match_files_are_not_mixed_up(tmp_path: Path) -> None:
    """Numbers of objects begin anew in each file; an empty one is one of them."""
    ztf_file(tmp_path / "a.pytable", ztf_rows())
    ztf_file(tmp_path / "b.pytable", ztf_rows(seed=6), rcID=np.int32(37))
    ztf_file(tmp_path / "c.pytable", ztf_rows()[:0], filterID=np.int32(1))
    d = load(tmp_path, "ztf-matchfile")
    assert len(d) == 2 * STARS * VISITS
    assert d.n_objects == 2 * STARS
    assert (d.object >= 0).all()
    assert len(d.visits) == VISITS  # an exposure is one of all quadrants
    assert d.bands == ("r",)
    np.testing.assert_array_equal(d.detector, np.repeat([0, 1], STARS * VISITS))


def test_a_ptf_match_file_is_what_was_written(tmp_path: Path) -> None:
    """Magnitudes are sums of integers; flags are bits of two columns."""
    path, rows = ptf_file(tmp_path / "PTF_match.pytable")
    d = load(path, "ptf-matchfile")
    np.testing.assert_allclose(d.mag, (rows["mag_auto"] + rows["absphotzp"].astype(float)) / 1000, rtol=1e-12)
    np.testing.assert_allclose(d.mag_err, 0.0479, rtol=1e-12)
    np.testing.assert_allclose(d.snr, 2.5 / np.log(10) / 0.0479, rtol=1e-12)
    np.testing.assert_array_equal(d.flags["saturated"], rows["ipacFlags"] == 256)
    np.testing.assert_array_equal(d.flags["cr"], rows["ipacFlags"] == 128)
    np.testing.assert_array_equal(d.flags["bad"], np.isin(rows["ipacFlags"], [512, 4096]))
    np.testing.assert_array_equal(d.flags["edge"], np.isin(rows["sextractorFlags"], [8, 16]))
    np.testing.assert_array_equal(d.airmass, np.where(rows["pid"] == 7, 2.0, 2.25))
    assert d.bands == ("g",)
    assert d.n_objects == 4


class Trap:
    """Leaves a mark where it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Call this when unpickled."""
        return os.mkdir, (str(self.mark),)

    mark = Path()


def test_attributes_are_not_unpickled(tmp_path: Path) -> None:
    """PyTables would."""
    Trap.mark = tmp_path / "sprung"
    trap = np.bytes_(pickle.dumps(Trap(), protocol=0))
    path = ztf_file(tmp_path / "a.pytable", ztf_rows(), datetimeMatched=trap, shape=np.zeros((2, 2)))
    assert load(path, "ztf-matchfile").n_objects == STARS
    inspection.describe_inspection(inspection.inspect(str(path)))
    header = hdf5.tables(path)[0].header
    assert header["filterID"] == 2
    assert "shape" not in header
    assert not Trap.mark.exists()
    pickle.loads(bytes(trap))  # noqa: S301  (the trap works)
    assert Trap.mark.exists()


def test_files_beside_the_file_are_not_opened(tmp_path: Path) -> None:
    """A link to another file is no table; storage in another file is refused."""
    other = ztf_file(tmp_path / "other.pytable", ztf_rows())
    path = tmp_path / "link.h5"
    with h5py.File(path, "w") as file:
        file["matches"] = h5py.ExternalLink(str(other), "/matches")
    assert refusal(path, "ztf-matchfile") == (
        f"{path}: the HDF5 file holds no table: no dataset of records, and no group with several columns of equal "
        "length"
    )
    (tmp_path / "raw").write_bytes(ztf_rows().tobytes())
    with h5py.File(path, "w") as file:
        kind = ztf_rows().dtype
        external = [(str(tmp_path / "raw"), 0, h5py.h5f.UNLIMITED)]
        file.create_dataset("t", (STARS * VISITS,), kind, external=external)
    with pytest.raises(InputError, match="refers to other files, which are not opened"):
        hdf5.read(path, [0], ["ra"], ())[0]
    with h5py.File(path, "w") as file:
        layout = h5py.VirtualLayout((STARS * VISITS,), kind)
        layout[:] = h5py.VirtualSource(str(other), "matches/sourcedata", (STARS * VISITS,), kind)
        file.create_virtual_dataset("t", layout)
    with pytest.raises(InputError, match="refers to other files, which are not opened"):
        hdf5.read(path, [0], ["ra"], ())[0]


def test_rows_that_are_declared_have_to_be_there(tmp_path: Path) -> None:
    """Nothing is made of rows that were never written, or of more than fit."""
    kind = np.dtype([("ra", "<f8"), ("dec", "<f8")])
    path = tmp_path / "a.h5"
    for size, words in ((10**7, "declares 10000000 rows, and holds 0"), (10**12, "unpacks to 16000000000000 bytes")):
        for chunks in (None, (1000,)):
            with h5py.File(path, "w") as file:
                file.create_dataset("t", (size,), kind, chunks=chunks)
            with pytest.raises(InputError, match=words) as caught:
                hdf5.read(path, [0], ["ra"], ())[0]
            assert str(caught.value).startswith(f"{path}: ")


def test_a_damaged_chunk_is_refused(tmp_path: Path) -> None:
    """It cannot be unpacked."""
    path = ztf_file(tmp_path / "a.pytable", ztf_rows())
    with h5py.File(path) as file:
        chunk = file["matches/sourcedata"].id.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset : chunk.byte_offset + chunk.size] = os.urandom(chunk.size)
    path.write_bytes(content)
    assert refusal(path, "ztf-matchfile").startswith(
        f"{path}: the HDF5 file is truncated, damaged or cannot be unpacked"
    )


def test_a_match_file_without_its_table_is_refused(tmp_path: Path) -> None:
    """The message names the column."""
    path = ztf_file(tmp_path / "a.pytable", ztf_rows())
    with h5py.File(path, "r+") as file:
        del file["matches/sourcedata"]
    assert refusal(path, "ztf-matchfile").startswith(f"{path}: no column 'sourcedata/expid' (visit)")
    with h5py.File(path, "r+") as file:
        del file["matches/exposures"]
        file["matches/sourcedata"] = ztf_rows()
    assert load(path, "ztf-matchfile").airmass is None


def test_several_chips_in_one_file_are_told_apart_by_their_groups(tmp_path: Path) -> None:
    """Each table has the header of its own group, and its airmasses from the table beside it."""
    path, rows = ptf_file(tmp_path / "a.pytable")
    rows = rows.copy()
    rows["ra"] += 1
    with h5py.File(path, "r+") as file:
        other = file.create_group("photosex/filter01/field002867/chip02")
        other.attrs["filterID"], other.attrs["chipID"] = 1, 2
        other["sourcedata"] = rows
        other["exposures"] = file["photosex/filter01/field002867/chip01/exposures"][:]
    d = load(path, "ptf-matchfile")
    assert d.detectors == ("1", "2")
    np.testing.assert_array_equal(d.airmass, np.tile(np.where(rows["pid"] == 7, 2.0, 2.25), 2))
    names = [table.name for table in hdf5.tables(path)]
    assert "photosex/filter01/field002867/chip02/sourcedata" in names


def test_columns_of_two_tables_are_not_put_side_by_side(tmp_path: Path) -> None:
    """Their rows are not the same things."""
    path = ztf_file(tmp_path / "a.pytable", ztf_rows())
    with pytest.raises(InputError, match="have rows of their own"):
        hdf5.read(path, [0], ["sourcedata/ra", "sources/ra"], ())[0]


def test_without_h5py_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing else breaks."""
    path = ztf_file(tmp_path / "a.pytable", ztf_rows())
    monkeypatch.setitem(sys.modules, "hdf5plugin", None)
    assert refusal(path) == f"{path}: an HDF5 file needs h5py and hdf5plugin: pip install 'skyaccept[hdf5]'"


def test_a_user_block_may_come_first(tmp_path: Path) -> None:
    """The signature of HDF5 then stands behind it."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", userblock_size=1024) as file:
        file["t"] = ztf_rows()
    assert [c.name for c in hdf5.tables(path)[0].columns][:2] == ["catflags", "dec"]
    assert inspection.inspect(str(path)).format == "HDF5 tables"


def curves(seed: int = 5) -> dict[str, Any]:
    """Light curves of six stars, of up to five epochs; one has none."""
    draw = np.random.default_rng(seed)
    lengths = [4, 5, 0, 5, 3, 5]
    lists: dict[str, Any] = {name: [] for name in ("hmjd", "mag", "magerr", "clrcoeff", "catflags")}
    for n in lengths:
        epochs = np.sort(draw.permutation(5)[:n])
        lists["hmjd"].append((58000.25 + epochs // 2 + draw.random(n) / 1000).tolist())
        lists["clrcoeff"].append(np.array([-0.1, 0.2, -0.1, 0.3, 0.4])[epochs].tolist())
        lists["mag"].append(draw.normal(15, 0.02, n).tolist())
        lists["magerr"].append(np.full(n, 0.017).tolist())
        lists["catflags"].append([BAD_EPOCH if k == 1 else 0 for k in epochs.tolist()])
    ids = np.arange(len(lengths)) + 250101100000001
    scalars = {"filterid": np.ones(6, "u1"), "rcid": np.full(6, 3, "u1"), "objra": 41 + np.arange(6) / 10}
    return {"objectid": ids, **scalars, "objdec": np.full(6, -26.0), **lists}


def curves_file(path: Path, columns: dict[str, Any], large: bool = False, **options: Any) -> Path:
    """Write light curves."""
    kind = pa.large_list if large else pa.list_
    forms = {"hmjd": pa.float64(), "catflags": pa.uint16()}
    arrays = {
        name: pa.array(values, kind(forms.get(name, pa.float32()))) if isinstance(values, list) else pa.array(values)
        for name, values in columns.items()
    }
    pq.write_table(pa.table(arrays), path, **options)
    return path


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("rows", [1, 4, 100])
def test_light_curves_are_what_a_plain_loop_makes_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, large: bool
) -> None:
    """Whatever the groups of rows and the batches in which they are read."""
    monkeypatch.setattr(parquet, "_ROWS", rows)
    columns = curves()
    d = load(curves_file(tmp_path / "a.parquet", columns, large, row_group_size=2), "ztf-lightcurve")
    plain = [(star, k) for star in range(6) for k in range(len(columns["mag"][star]))]
    assert len(d) == len(plain) == 22
    for row, (star, k) in enumerate(plain):
        bad = columns["catflags"][star][k] == BAD_EPOCH
        assert np.isnan(d.mag[row]) if bad else d.mag[row] == np.float32(columns["mag"][star][k])
        assert d.flags["bad_epoch"][row] == bad
        assert d.ra[row] == columns["objra"][star]
        day, coefficient = int(columns["hmjd"][star][k]), np.float32(columns["clrcoeff"][star][k])
        assert d.visits[d.visit[row]] == f"{day} {float(coefficient)}"
    assert d.n_objects == 5
    assert len(d.visits) == 5  # the same coefficient on another day is another visit
    assert d.mjd is None


def test_lists_of_unequal_length_are_refused(tmp_path: Path) -> None:
    """The message names the row and both columns."""
    columns = curves()
    columns["mag"][3].pop()
    path = curves_file(tmp_path / "a.parquet", columns)
    with pytest.raises(InputError) as caught:
        parquet.read(path, [0], ["objra", "hmjd[]", "mag[]"], ())
    assert str(caught.value) == f"{path}, row 4: column 'mag' lists 4 values, and 'hmjd' 5"
    assert refusal(path, "ztf-lightcurve").startswith(f"{path}, row 4: column '")


def test_missing_values_of_lists_are_nan_and_missing_lists_are_empty(tmp_path: Path) -> None:
    """A list that is missing in one column has to be so in all."""
    columns = curves()
    columns["mag"][0][2] = None
    for name in ("hmjd", "mag", "magerr", "clrcoeff", "catflags"):
        columns[name][2] = None
    d = load(curves_file(tmp_path / "a.parquet", columns), "ztf-lightcurve")
    assert len(d) == 22
    assert np.isnan(d.mag[2])
    columns["mag"][1] = None
    assert "row 2: column 'mag' lists 0 values" in refusal(
        curves_file(tmp_path / "b.parquet", columns), "ztf-lightcurve"
    )


def test_light_curves_of_several_files_are_one_catalog(tmp_path: Path) -> None:
    """Objects have numbers of their own throughout."""
    curves_file(tmp_path / "a.parquet", curves())
    more = curves(6)
    curves_file(tmp_path / "b.parquet", more | {"objectid": more["objectid"] + 1000, "objra": more["objra"] + 1})
    curves_file(tmp_path / "c.parquet", {name: values[:0] for name, values in curves().items()})
    assert load(tmp_path, "ztf-lightcurve").n_objects == 10


def test_lists_in_a_table_of_detections_are_refused(tmp_path: Path) -> None:
    """A visit is one of each row there."""
    columns = {"visit": [1, 2], "band": ["r", "r"], "ra": [1.0, 2.0], "dec": [0.0, 0.0], "mag": [[1.0], [2.0]]}
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table(columns), path)
    assert refusal(path).startswith(f"{path}: column 'mag' holds arrays; mag must be one value per row")


ARRAYS = (
    "survey: s\ntitle: a survey\nassociation_radius: 1 arcsec\n"
    + "columns: {visit: v, band: b, ra: {name: ra, unit: deg}, dec: {name: dec, unit: deg}"
)


def arrays_file(folder: Path, values: Any, **further: Any) -> Path:
    """Detections with a list each, as pandas writes arrays."""
    path = folder / "a.parquet"
    table = {"v": [1, 2, 3], "b": ["r"] * 3, "ra": [10.0] * 3, "dec": [1.0] * 3, "A": values, **further}
    pq.write_table(pa.table(table), path, row_group_size=2)
    return path


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        (", mag: {name: A, element: 1, unit: mag}}\n", [20.0, np.nan, 21.0]),
        (
            "}\nflux: {flux: {name: A, element: 1, unit: nJy}, error: {name: E, element: 0, unit: nJy}}\n",
            [31.4 - 2.5 * np.log10(20), np.nan, 31.4 - 2.5 * np.log10(21)],
        ),
    ],
)
def test_lists_of_one_length_are_arrays(tmp_path: Path, rest: str, expected: list[float]) -> None:
    survey = tmp_path / "s.yaml"
    survey.write_text(ARRAYS + rest)
    path = arrays_file(tmp_path, [[0, 20.0], None, [0, 21.0]], E=[[1.0], [1.0], [1.0]])
    found = readers.load(path, survey).mag
    assert found is not None
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_lists_of_several_lengths_have_no_elements(tmp_path: Path) -> None:
    survey = tmp_path / "s.yaml"
    survey.write_text(ARRAYS + ", mag: {name: A, element: 1, unit: mag}}\n")
    path = arrays_file(tmp_path, [[0, 20.0], [0, 1.0], [0, 21.0, 3]])
    assert "column 'A' holds lists of different lengths, 2 and in row 3 3" in refusal(path, survey)
    survey.write_text(ARRAYS + ", mag: {name: 'A[]', unit: mag}}\n")
    assert "element: 0 (the first)" in refusal(path, survey)
    survey.write_text(ARRAYS + ", mag: {name: A, unit: mag}}\n")
    assert "element: 0 (the first)" in refusal(path, survey)
    survey.write_text(ARRAYS + "}\nflags: {bad: A}\n")
    assert "column 'A' holds lists" in refusal(path, survey)


def test_elements_of_lists_serve_in_reference_profiles(tmp_path: Path) -> None:
    survey = tmp_path / "r.yaml"
    survey.write_text(
        "survey: r\ntitle: stars\ncolumns: {ra: {name: ra, unit: deg}, dec: {name: dec, unit: deg}}\n"
        "mags: {r: {mag: {name: A, element: 1, unit: mag}}}\n"
    )
    path = arrays_file(tmp_path, [[0, 15.0], [0, 16.0], [0, 17.0]])
    assert reference.load(path, survey).mags["r"].tolist() == [15.0, 16.0, 17.0]


def test_a_draft_chooses_elements_of_lists_where_rows_are_detections(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = {"visit": [1], "band": ["r"], "ra": [10.0], "dec": [1.0], "mag": [[20.0, 21.0]]}
    pq.write_table(pa.table(table), path)
    text = inspection.inspect(str(path)).advice.text
    assert "mag: {name: mag, unit: ?, element: ?}" in text


def test_more_values_than_can_be_held_are_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small file may declare very many."""
    path = tmp_path / "a.parquet"
    columns = curves()
    columns["mag"][1] = [15.0] * 100_000
    curves_file(path, columns)
    monkeypatch.setattr(parquet, "MAX_UNCOMPRESSED", 400_000)
    assert refusal(path, "ztf-lightcurve") == f"{path}: column 'mag' declares 100018 values, too many to hold"


def results(detections: AssociatedDetections, definition: str, band: str, **options: Any) -> dict[str, Any]:
    """Results of LSE-30 by the name of the clause."""
    clauses = requirements.load(["LSE-30"])
    return {
        r.clause: r
        for r in measure.run(
            detections, clauses, measure.Options(bands=[band], definition=definition, **options)
        ).results
    }


def test_photometry_alone_gives_no_astrometry(tmp_path: Path) -> None:
    """Positions of objects are not positions of visits: with a reason, while magnitudes are measured."""
    columns = curves()
    found = results(load(curves_file(tmp_path / "a.parquet", columns), "ztf-lightcurve"), "analysis_tools", "g")
    assert found["AB1"].verdict == found["AA1"].verdict == "not_measurable"
    assert str(found["AB1"].reason).startswith("the catalog has one position for each object")
    found = results(load(tmp_path / "a.parquet", "ztf-lightcurve"), "validate_drp", "g", confidence=None)
    rows = [np.array(m)[np.array(f) == 0] for m, f in zip(columns["mag"], columns["catflags"], strict=True)]
    assert found["PA1gri"].value is not None
    assert found["PA1gri"].sample.measurements == sum(len(m) for m in rows)


def test_positions_are_those_of_objects_only_if_none_has_two(tmp_path: Path) -> None:
    """One detection that lies elsewhere tells; single detections tell nothing."""
    d = load(curves_file(tmp_path / "a.parquet", curves()), "ztf-lightcurve")
    assert has_one_position_per_object(d)
    moved = d.dec.copy()
    moved[1] += 1e-9
    assert not has_one_position_per_object(AssociatedDetections(**{**vars(d), "dec": moved}))
    lone = AssociatedDetections(
        np.array([1.0, 2.0]), np.zeros(2), np.zeros(2, int), np.zeros(2, int), ("v",), ("r",), np.arange(2)
    )
    assert not has_one_position_per_object(lone)


def ldac(path: Path, chips: int, exposures: tuple[int, ...] = (5, 5)) -> tuple[Path, Table]:
    """Write a FITS_LDAC file of one extension or several, and the table of the first."""
    hdus = [fits.PrimaryHDU()]
    first = Table()
    for chip in range(chips):
        header = fits.Header({"SIMPLE": True, "EXPNUM": exposures[chip], "FILTER": "r", "CCDNUM": chip + 11})
        text = np.array([[card.image for card in header.cards]])
        image = fits.BinTableHDU.from_columns(
            [fits.Column("Field Header Card", f"{text.size * 80}A", array=["".join(text[0])])]
        )
        image.name = "LDAC_IMHEAD"
        table = Table({"ALPHA_J2000": 10 + np.arange(4) / 10 + chip, "DELTA_J2000": np.arange(4) / 7.0})
        table["ALPHA_J2000"].unit = table["DELTA_J2000"].unit = "deg"
        table["MAG_AUTO"], table["FLAGS"] = (
            MaskedColumn([15.0, 99.0, 16.0, 17.0], unit="mag"),
            np.array([0, 4, 8, 1], "i2"),
        )
        objects = fits.BinTableHDU(table)
        objects.name = "LDAC_OBJECTS"
        hdus += [image, objects]
        first = table if not chip else first
    fits.HDUList(hdus).writeto(path)
    return path, first


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
    path, table = ldac(tmp_path / "a.cat", 1)
    d = load(path, ldac_survey(tmp_path, "{header: CCDNUM}"))
    np.testing.assert_array_equal(d.ra, table["ALPHA_J2000"])
    np.testing.assert_array_equal(d.mag, [15, np.nan, 16, 17])
    np.testing.assert_array_equal(d.flags["saturated"], [False, True, False, False])
    np.testing.assert_array_equal(d.flags["edge"], [False, False, True, False])
    assert (d.visits, d.bands) == (("5",), ("r",))


def test_extensions_of_ldac_are_detectors(tmp_path: Path) -> None:
    """Each has the header of its own image."""
    path, _ = ldac(tmp_path / "a.cat", 2)
    d = load(path, ldac_survey(tmp_path, "LDAC_EXTENSION"))
    assert len(d) == 8
    np.testing.assert_array_equal(d.detector, np.repeat([0, 1], 4))
    np.testing.assert_array_equal(load(path, ldac_survey(tmp_path, "{header: CCDNUM}")).detector, d.detector)
    path.unlink()
    ldac(path, 2, exposures=(5, 6))
    d = load(path, ldac_survey(tmp_path, "LDAC_EXTENSION"))
    assert d.visits == ("5", "6")
    np.testing.assert_array_equal(d.visit, np.repeat([0, 1], 4))


def test_a_look_at_ldac_guesses_its_columns(tmp_path: Path) -> None:
    """As it does for any table."""
    found = inspection.inspect(str(ldac(tmp_path / "a.cat", 1)[0]))
    assert "ra: {name: ALPHA_J2000," in found.advice.text
    assert "mag: {name: MAG_AUTO," in found.advice.text


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
    d = load(path)
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
    with pytest.raises(InputError, match="are not fetched"):
        votable.tables(path)
    with pytest.raises(InputError):
        load(path)
    bomb = '<!DOCTYPE VOTABLE [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    path.write_text(VOTABLE.format(doctype=bomb, data="<TABLEDATA><TR><TD>&b;</TD></TR></TABLEDATA>"))
    assert refusal(path) == f"{path}: a VOTable with a document type is not read; remove <!DOCTYPE ...>"


def test_a_votable_without_a_table_is_refused(tmp_path: Path) -> None:
    """Or one that is none."""
    path = tmp_path / "a.vot"
    path.write_text('<?xml version="1.0"?><VOTABLE version="1.3"><RESOURCE/></VOTABLE>')
    assert refusal(path) == f"{path}: the VOTable holds no table with fields"
    path.write_text("<html>VOTABLE</html>")
    assert refusal(path) == f"{path}: the VOTable holds no table with fields"


def lsst(path: Path, **columns: Any) -> Path:
    """Write sources of two visits of three stars as the LSST pipelines name their columns."""
    star = np.tile(np.arange(3), 2)
    flux = 10 ** (0.4 * (31.4 - 18.0 - star))
    rows = {"visit": np.repeat([1, 2], 3), "detector": star, "band": ["r"] * 6, "ra": 10 + star / 10, "dec": star / 9}
    pq.write_table(pa.table(rows | {"psfFlux": flux, "psfFluxErr": flux / 100} | columns), path)
    return path


def test_lsst_sources_are_what_was_written(tmp_path: Path) -> None:
    """Fluxes become magnitudes, flags their names."""
    flags = {f"pixelFlags_{name}": np.arange(6) == k for k, name in enumerate(("saturated", "cr", "bad", "edge"))}
    more = {
        "extendedness": np.zeros(6),
        "detect_isPrimary": np.arange(6) != 5,
        "raErr": np.full(6, 1e-6),
        "calib_psf_used": np.zeros(6, bool),
    }
    d = load(lsst(tmp_path / "a.parquet", **flags, **more), "lsst-source")
    np.testing.assert_allclose(d.mag, 18.0 + np.tile(np.arange(3), 2), atol=1e-12)
    np.testing.assert_allclose(d.snr, 100, rtol=1e-12)
    np.testing.assert_allclose(d.ra_err, 3.6, rtol=1e-12)
    assert [int(np.argmax(d.flags[name])) for name in ("saturated", "cr", "bad", "edge", "not_primary")] == [
        0,
        1,
        2,
        3,
        5,
    ]
    assert d.n_objects == 3


def test_isolated_stars_keep_their_association(tmp_path: Path) -> None:
    """Numbers of objects begin anew with each tract; without calibrated fluxes there are no magnitudes."""
    for name in ("a", "b"):
        lsst(
            tmp_path / f"{name}.parquet",
            obj_index=np.tile([2, 0, 1], 2),
            ra=np.tile([1.0, 2, 3], 2) + 9 * (name == "b"),
        )
    d = load(tmp_path, "lsst-isolated-star")
    assert d.n_objects == 6
    bare = pq.read_table(tmp_path / "a.parquet").drop_columns(["psfFlux", "psfFluxErr"])
    pq.write_table(bare, tmp_path / "bare.parquet")
    assert load(tmp_path / "bare.parquet", "lsst-isolated-star").mag is None


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("visit: {name: v, plus: w}", "key 'plus': has no effect for 'visit' (label)"),
        ("mag: {name: m, unit: mag, day: d}", "key 'day': has no effect for 'mag' (number)"),
        ("mag: {value: 3, unit: mag, missing: [3]}", "key 'missing': goes with the name of a column"),
        ("mag: {name: m, unit: mag, magnitude_error: true}", "key 'magnitude_error': has no effect for 'mag' (number)"),
        ("snr: {name: m, unit: deg, magnitude_error: true}", "key 'unit': snr is not measured in deg"),
        ("airmass: {name: a, join: {}}", "key 'join'"),
        ("airmass: {name: a, join: {b: c, d: e}}", "key 'join': one pair"),
        ("mag: {name: m, unit: mag, unless: {name: f, bits: 0}}", "bits"),
    ],
)
def test_keys_that_mean_nothing_are_refused(tmp_path: Path, entry: str, words: str) -> None:
    """With file, line and key."""
    base = {"visit": "v", "band": "b", "ra": "{name: r, unit: deg}", "dec": "{name: d, unit: deg}"}
    lines = [f"  {name}: {text}" for name, text in base.items() if not entry.startswith(f"{name}:")]
    path = tmp_path / "p.yaml"
    path.write_text(
        "\n".join(["survey: x", "title: x", "columns:", *lines, f"  {entry}", "association_radius: 1 arcsec"])
    )
    message = refusal(path, path)
    assert message.startswith(f"{path}")
    assert words in message


def test_bits_are_those_of_integers(tmp_path: Path) -> None:
    """Of any size and sign; nothing else has bits."""
    flag = Flag("f", bits=BAD_EPOCH)
    for kind in ("u2", "i4", "u8"):
        found = evaluate_flag("x", flag, np.array([0, 1, BAD_EPOCH, 65535], kind))
        assert found.tolist() == [False, False, True, True]
    assert evaluate_flag("x", flag, np.array([-1, 5], "i2")).tolist() == [True, False]
    assert evaluate_flag("x", Flag("f", False, 2), np.array([2, 1])).tolist() == [False, True]
    with pytest.raises(InputError, match="it must be an integer"):
        evaluate_flag("x", flag, np.array([1.5]))


@pytest.mark.slow
@needs_realdata
@pytest.mark.parametrize(
    ("path", "survey", "counts"),
    [
        (PTF, "ptf-matchfile", (2147, 1145, 2, ("g",))),
        (ZTF, "ztf-matchfile", (336, 9, 68, ("r",))),
        (CURVES, "ztf-lightcurve", (106588, 5449, 105, ("g",))),
    ],
)
def test_the_real_files_are_read(path: Path, survey: str, counts: tuple[Any, ...]) -> None:
    """Detections, objects, visits and bands as their README counts them; the look at each finds its profile."""
    d = load(path, survey)
    assert (len(d), d.n_objects, len(d.visits), d.bands) == counts
    assert (d.object >= 0).all()
    found = inspection.inspect(str(path))
    assert found.advice.survey == survey
    assert all(name in inspection.describe_inspection(found)[0] for name in (str(path), found.format))


@needs_realdata
def test_ztf_light_curves_repeat_to_18_mmag() -> None:
    """The median rms of stars of magnitude 13 to 15, by a plain loop over the file and by the detections."""
    d = load(CURVES, "ztf-lightcurve")
    stored = pq.read_table(CURVES)
    rms, plain = [], []
    curves = np.split(d.mag, np.cumsum(np.bincount(d.object))[:-1])
    for mag, own, flags in zip(curves, stored["mag"].to_pylist(), stored["catflags"].to_pylist(), strict=True):
        good = [m for m, flag in zip(own, flags, strict=True) if not flag & BAD_EPOCH]
        if len(good) > 2 and 13 <= np.median(good) < 15:
            plain.append(np.std(good, ddof=1))
            rms.append(np.std(mag[np.isfinite(mag)], ddof=1))
    assert len(rms) > 50
    np.testing.assert_allclose(rms, plain, rtol=1e-12)
    assert np.median(rms) == pytest.approx(0.018, abs=0.001)


@pytest.mark.slow
@needs_realdata
def test_ztf_light_curves_have_verdicts() -> None:
    """Photometry fails the limits of LSST by far; there is no astrometry; no star has an S/N of 200."""
    d = load(CURVES, "ztf-lightcurve")
    found = results(d, "validate_drp", "g")
    assert found["PA1gri"].verdict == "fail"
    assert found["PA1gri"].value == pytest.approx(19.62, abs=0.01)
    assert results(d, "analysis_tools", "g")["AB1"].verdict == "not_measurable"
    bright = results(d, "srd", "g")["PA1gri"]
    assert bright.verdict == "not_measurable"
    assert "98209 by snr:median" in str(bright.reason)


@needs_realdata
def test_match_files_go_from_file_to_value() -> None:
    """Values stand, though two visits, or two stars, allow no interval and so no verdict."""
    ptf = results(load(PTF, "ptf-matchfile"), "srd", "g")["PA1gri"]
    assert ptf.verdict == "not_measurable"
    assert ptf.value is not None
    assert 5 < ptf.value < 40
    assert "2 visits cannot tell" in str(ptf.reason)
    ztf = results(load(ZTF, "ztf-matchfile"), "validate_drp", "r")["PA1gri"]
    assert ztf.value is not None
    assert 10 < ztf.value < 40
    assert "2 stars cannot tell" in str(ztf.reason)


@needs_realdata
def test_the_scatter_of_a_ztf_star_is_that_of_its_match_file() -> None:
    """The rms that the pipeline stored for each star, from the same epochs."""
    d = load(ZTF, "ztf-matchfile")
    stored = hdf5.read(ZTF, [0], ["sources/matchid", "sources/magrms", "sources/ngoodobs"], ())[0]
    raw = hdf5.read(ZTF, [0], ["sourcedata/matchid"], ())[0]["sourcedata/matchid"]
    compared = 0
    for star, rms, good in zip(
        *(stored[f"sources/{n}"].tolist() for n in ("matchid", "magrms", "ngoodobs")), strict=True
    ):
        mags = d.mag[(raw == star) & np.isfinite(d.mag)]
        if good > 30 and len(mags) > 30:
            compared += 1
            assert np.std(mags, ddof=1) == pytest.approx(rms, rel=0.25), star
    assert compared >= 4


def examples(language: str) -> list[str]:
    """Examples of the page on formats."""
    page = Path(__file__).parents[3] / "docs" / "formats.md"
    if not page.is_file():
        pytest.skip("docs/formats.md is there in a checkout only")
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)


def test_the_format_of_the_documentation_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module and a line: then a file is a catalog."""
    module: dict[str, Any] = {}
    exec(examples("python")[0], module)  # noqa: S102  (the project's own page)
    rows = np.zeros(4, [("visit", "<i8"), ("band", "<U1"), ("ra", ">f8"), ("dec", "<f8")])
    rows["visit"], rows["band"], rows["ra"] = [1, 2, 1, 2], "r", [1, 1, 2, 2]
    np.save(tmp_path / "a.npy", rows)
    assert "not a catalog" in refusal(tmp_path / "a.npy", units_of(tmp_path))
    monkeypatch.setattr(files, "FORMATS", (module["FORMAT"], *FORMATS))
    assert load(tmp_path / "a.npy", units_of(tmp_path)).n_objects == 2
    np.save(tmp_path / "b.npy", np.array([{}], dtype=object))
    assert refusal(tmp_path / "b.npy").startswith(f"{tmp_path}/b.npy: the NumPy file")


def units_of(folder: Path) -> Path:
    """A profile that states units."""
    path = folder / "units.yaml"
    columns = "visit: visit, band: band, ra: {name: ra, unit: deg}, dec: {name: dec, unit: deg}"
    path.write_text(f"survey: x\ntitle: x\ncolumns: {{{columns}}}\nassociation_radius: 1 arcsec\n")
    return path


def test_the_survey_of_the_documentation_reads_ldac(tmp_path: Path) -> None:
    """It is a profile as it stands, but for the codes of the bands."""
    profile = tmp_path / "my-camera.yaml"
    (text,) = [text for text in examples("yaml") if text.startswith("survey: my-camera")]
    profile.write_text(text.replace("{gp: g, rp: r}", "{r: r}"))
    d = load(ldac(tmp_path / "a.cat", 2)[0], profile)
    assert (len(d), d.visits, d.bands) == (8, ("5",), ("r",))
    assert np.isnan(d.mag).tolist() == [False, True, False, False] * 2
