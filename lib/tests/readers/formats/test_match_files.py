"""HDF5 match files of ZTF and PTF."""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pytest
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import inspection
from skyaccept.lib.readers.formats import hdf5
from skyaccept.lib.tests.readers import survey_files

STARS, VISITS = 6, 4


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
    rows["catflags"] = np.where(np.arange(len(rows)) % 8 == 3, survey_files.BAD_EPOCH | 1, 0)
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
    rows["ra"], rows["dec"] = (
        20 + star + survey_files.rng().normal(0, 1e-5, 8),
        30 + survey_files.rng().normal(0, 1e-5, 8),
    )
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
    d = survey_files.load(ztf_file(tmp_path / "a.pytable", rows), "ztf-matchfile")
    for name in ("ra", "dec", "mjd"):
        np.testing.assert_array_equal(getattr(d, name), rows[name])
    bad = rows["catflags"] >= survey_files.BAD_EPOCH
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
    d = survey_files.load(ztf_file(tmp_path / "a.pytable", ztf_rows(order=order)), "ztf-matchfile")
    np.testing.assert_array_equal(d.ra, ztf_rows()["ra"])
    assert d.ra.dtype.isnative


def test_an_exposure_that_is_not_listed_has_no_airmass(tmp_path: Path) -> None:
    """The others have theirs."""
    rows = ztf_rows()
    d = survey_files.load(ztf_file(tmp_path / "a.pytable", rows, exposures=2), "ztf-matchfile")
    np.testing.assert_array_equal(np.isnan(d.airmass), rows["expid"] >= 1002)


def test_an_exposure_that_is_listed_twice_is_refused(tmp_path: Path) -> None:
    """Its airmass could be either."""
    path = ztf_file(tmp_path / "a.pytable", ztf_rows())
    with h5py.File(path, "r+") as file:
        file["matches/exposures"][1] = file["matches/exposures"][0]
    assert survey_files.refusal(path, "ztf-matchfile").startswith(
        f"{path}#sourcedata: column 'exposures/airmass': a row of its table"
    )


def test_objects_of_several_match_files_are_not_mixed_up(tmp_path: Path) -> None:
    """Numbers of objects begin anew in each file; an empty one is one of them."""
    ztf_file(tmp_path / "a.pytable", ztf_rows())
    ztf_file(tmp_path / "b.pytable", ztf_rows(seed=6), rcID=np.int32(37))
    ztf_file(tmp_path / "c.pytable", ztf_rows()[:0], filterID=np.int32(1))
    d = survey_files.load(tmp_path, "ztf-matchfile")
    assert len(d) == 2 * STARS * VISITS
    assert d.n_objects == 2 * STARS
    assert (d.object >= 0).all()
    assert len(d.visits) == VISITS  # an exposure is one of all quadrants
    assert d.bands == ("r",)
    np.testing.assert_array_equal(d.detector, np.repeat([0, 1], STARS * VISITS))


def test_a_ptf_match_file_is_what_was_written(tmp_path: Path) -> None:
    """Magnitudes are sums of integers; flags are bits of two columns."""
    path, rows = ptf_file(tmp_path / "PTF_match.pytable")
    d = survey_files.load(path, "ptf-matchfile")
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
    assert survey_files.load(path, "ztf-matchfile").n_objects == STARS
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
    assert survey_files.refusal(path, "ztf-matchfile") == (
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
    assert survey_files.refusal(path, "ztf-matchfile").startswith(
        f"{path}: the HDF5 file is truncated, damaged or cannot be unpacked"
    )


def test_a_match_file_without_its_table_is_refused(tmp_path: Path) -> None:
    """The message names the column."""
    path = ztf_file(tmp_path / "a.pytable", ztf_rows())
    with h5py.File(path, "r+") as file:
        del file["matches/sourcedata"]
    assert survey_files.refusal(path, "ztf-matchfile").startswith(f"{path}: no column 'sourcedata/expid' (visit)")
    with h5py.File(path, "r+") as file:
        del file["matches/exposures"]
        file["matches/sourcedata"] = ztf_rows()
    assert survey_files.load(path, "ztf-matchfile").airmass is None


def test_chips_in_one_file_are_told_apart_by_their_groups(tmp_path: Path) -> None:
    """Each table has the header of its own group, and its airmasses from the table beside it."""
    path, rows = ptf_file(tmp_path / "a.pytable")
    rows = rows.copy()
    rows["ra"] += 1
    with h5py.File(path, "r+") as file:
        other = file.create_group("photosex/filter01/field002867/chip02")
        other.attrs["filterID"], other.attrs["chipID"] = 1, 2
        other["sourcedata"] = rows
        other["exposures"] = file["photosex/filter01/field002867/chip01/exposures"][:]
    d = survey_files.load(path, "ptf-matchfile")
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
    assert (
        survey_files.refusal(path) == f"{path}: an HDF5 file needs h5py and hdf5plugin: pip install 'skyaccept[hdf5]'"
    )


def test_a_user_block_may_come_first(tmp_path: Path) -> None:
    """The signature of HDF5 then stands behind it."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", userblock_size=1024) as file:
        file["t"] = ztf_rows()
    assert [c.name for c in hdf5.tables(path)[0].columns][:2] == ["catflags", "dec"]
    assert inspection.inspect(str(path)).format == "HDF5 tables"
