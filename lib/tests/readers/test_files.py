from __future__ import annotations

import bz2
import gzip
import lzma
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.table import Table
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import files, find_files, inspection, load, table
from skyaccept.lib.readers import profile as profiles
from skyaccept.lib.tests.readers import catalogs


def catalog(visit: int, **more: Any) -> pd.DataFrame:
    """Three stars in one visit."""
    rng = np.random.default_rng(visit)
    position = {"ra": np.arange(10.0, 13.0) + rng.normal(0, 1e-6, 3), "dec": np.arange(3.0)}
    return pd.DataFrame({"visit": visit, "band": "r", **position, "mag": 20.0 + rng.random(3), **more})


def test_all_catalogs_below_a_folder_are_one_dataset(tmp_path: Path) -> None:
    """Suffixes in any case, compressed files, folders in folders, and binary files of any name."""
    names = ["a.csv", "b.CSV", "deep/er/c.csv.gz", "deep/d.csv.bz2", "e.Csv.xz", "deep/f.parquet", "g.dat", "h.bin"]
    packers: dict[str, Any] = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
    for visit, name in enumerate(names):
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix in (".parquet", ".bin"):
            catalog(visit).to_parquet(path)
        else:
            text = catalog(visit).to_csv(index=False).encode()
            path.write_bytes(packers.get(path.suffix, bytes)(text))
    (tmp_path / "set" / "notes.md").write_text("a, b\n")
    (tmp_path / "set" / "deep" / "plot.png").write_bytes(b"\x89PNG\r\n")
    (tmp_path / "set" / "_SUCCESS").write_text("")
    (tmp_path / "set" / ".hidden.csv").write_text("x\n")
    os.mkfifo(tmp_path / "set" / "pipe.csv")
    found = load(tmp_path / "set")
    assert len(found.visits) == len(names)
    assert found.notes == ("5 files in set not read: .hidden.csv, _SUCCESS, deep/plot.png, notes.md, pipe.csv",)


def test_folders_named_by_values_give_columns(tmp_path: Path) -> None:
    """Of the files below them: band=r/visit=07 are text, and 7 is another visit."""
    for visit in ("7", "07", "8"):
        folder = tmp_path / "set" / "band=r" / f"visit={visit}"
        folder.mkdir(parents=True)
        catalog(int(visit)).drop(columns=["visit", "band"]).to_parquet(folder / "part-0.parquet")
    found = load(tmp_path / "set")
    assert found.visits == ("07", "7", "8")
    assert found.bands == ("r",)
    assert load(f"{tmp_path}/set/*/*/*.parquet").visits == found.visits
    assert load(tmp_path / "set" / "band=r" / "visit=8" / "part-0.parquet").visits == ("8",)


def tables(path: Path) -> Path:
    """A FITS file of two catalogs with the same columns, a third with others, and a table of something else."""
    hdus = [fits.PrimaryHDU()]
    for name, visit in (("NIGHT1", 1), ("NIGHT2", 2)):
        hdus.append(fits.BinTableHDU(Table.from_pandas(catalog(visit)), name=name))
    hdus.append(fits.BinTableHDU(Table({"exposure": [1, 2]}), name="LOG"))
    fits.HDUList(hdus).writeto(path)
    return path


def test_tables_of_the_same_columns_are_one_dataset(tmp_path: Path) -> None:
    """A note names the others; one may be chosen by its name or number, in the option or the profile."""
    path = tables(tmp_path / "cat.fits")
    found = load(path)
    assert found.visits == ("1", "2")
    assert found.notes == ("1 table of cat.fits not read, required columns missing: LOG",)
    for chosen in ("NIGHT2", "night2", "2"):
        assert load(f"{path}#{chosen}").visits == ("2",)
    with pytest.raises(InputError, match=r"no table 'NIGHT3' in it; it has NIGHT1, NIGHT2, LOG"):
        load(f"{path}#NIGHT3")
    with pytest.raises(InputError, match="no column 'visit'"):
        load(f"{path}#LOG")
    profile = tmp_path / "p.yaml"
    shipped = Path(files.__file__).parent / "profiles" / "generic.yaml"
    profile.write_text(shipped.read_text() + "table: NIGHT1\n")
    assert load(path, profile).visits == ("1",)


def test_tables_of_other_columns_are_refused_with_the_remedy(tmp_path: Path) -> None:
    """Neither is read alone in silence."""
    path = tmp_path / "cat.fits"
    first, second = Table.from_pandas(catalog(1)), Table.from_pandas(catalog(2, snr=1.0))
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU(first), fits.BinTableHDU(second)]).writeto(path)
    with pytest.raises(InputError, match=r"cat.fits#2: not the columns of .*#1: snr is .*FILE#TABLE"):
        load(path)
    assert load(f"{path}#2").visits == ("2",)


def test_a_name_with_a_hash_is_a_file_before_it_is_a_table(tmp_path: Path) -> None:
    """So that no file is out of reach."""
    path = tmp_path / "cat#1.csv"
    catalog(5).to_csv(path, index=False)
    assert load(path).visits == ("5",)


def test_a_pipe_is_no_catalog(tmp_path: Path) -> None:
    """Reading it would wait for ever."""
    os.mkfifo(tmp_path / "p.csv")
    with pytest.raises(InputError, match="not a regular file"):
        load(tmp_path / "p.csv")


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_small_file_may_not_unpack_to_much(tmp_path: Path, pack: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused before it fills the memory."""
    monkeypatch.setattr(table, "MIN_CHECKED", 10_000)
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(pack(b"visit,band,ra,dec\n" + b"1,r,2,3\n" * 200_000))
    with pytest.raises(InputError, match="unpacks to more than"):
        load(path)


def test_the_hash_changes_with_any_file(tmp_path: Path) -> None:
    """Of a folder; a name counts as well."""
    folder = catalogs.split(tmp_path / "parts", ".csv", catalogs.catalog())
    hashes = {load(folder).sha256}
    (folder / "part2.csv").rename(folder / "part9.csv")
    hashes.add(load(folder).sha256)
    (folder / "part9.csv").unlink()
    hashes.add(load(folder).sha256)
    assert len(hashes) == 3


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path: Path) -> None:
    """Brackets are legal in names."""
    path = catalogs.write(tmp_path / "cat[1].csv", catalogs.catalog())
    assert find_files(path).paths == (path,)


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b"], ids=["too long", "zero byte"])
def test_names_that_no_file_can_have_are_refused(name: str) -> None:
    """Of catalogs, profiles and tables of visits."""
    with pytest.raises(InputError):
        find_files(name)
    with pytest.raises(InputError):
        profiles.load(name)


def test_a_catalog_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A file, a pattern, or a folder without a catalog."""
    assert catalogs.refusal(tmp_path / "absent.fits") == f"{tmp_path}/absent.fits: no such file, folder or match"
    assert catalogs.refusal(f"{tmp_path}/*.fits") == f"{tmp_path}/*.fits: no such file, folder or match"
    (tmp_path / "notes.txt").write_text("nothing")
    assert catalogs.refusal(tmp_path).startswith(
        f"{tmp_path}: no catalog in this folder or below it (looked for .parquet, "
    )


JUNK: dict[str, bytes] = {
    "empty": b"",
    "zeros": b"\0" * 5000,
    "noise": np.random.default_rng(1).bytes(5000),
    "noise that starts as gzip": b"\x1f\x8b" + np.random.default_rng(2).bytes(5000),
    "gzip of nothing": gzip.compress(b""),
    "gzip of noise": gzip.compress(np.random.default_rng(3).bytes(5000)),
    "noise that starts as Parquet": b"PAR1" + np.random.default_rng(4).bytes(5000),
    "noise between Parquet marks": b"PAR1" + np.random.default_rng(5).bytes(5000) + b"PAR1",
    "Parquet marks only": b"PAR1PAR1",
    "noise that starts as FITS": b"SIMPLE  =                    T" + np.random.default_rng(6).bytes(5000),
    "FITS mark only": b"SIMPLE  =",
    "FITS of blanks": b"SIMPLE  =".ljust(2880),
    "HDF5": b"\x89HDF\r\n\x1a\n" + b"\0" * 100,
    "web page": b"<!DOCTYPE html>\n<html><body>Not found, sorry</body></html>\n",
    "web page with commas": b"<html><head>a, b, c</head>\n<body>d, e</body></html>\n",
    "JSON": b'{"ra": [1, 2], "dec": [3, 4]}\n',
    "prose": b"It was a dark, stormy night.\nThe rain fell, in torrents, except at intervals.\n",
    "comment only": b"# nothing here\n",
    "ECSV without a header": b"# %ECSV 1.0\nvisit band ra dec\n1 r 2 3\n",
    "ECSV with a broken header": b"# %ECSV 1.0\n# ---\n# datatype: [\nvisit band ra dec\n1 r 2 3\n",
    "ECSV with a strange header": b"# %ECSV 1.0\n# ---\n# [1, 2]\nvisit band ra dec\n1 r 2 3\n",
    "ECSV with another delimiter": b"# %ECSV 1.0\n# ---\n# delimiter: abc\n# datatype: [{name: visit}]\nvisit,x\n1,2\n",
    "ECSV that runs code": b"# %ECSV 1.0\n# ---\n# datatype: !!python/object/apply:os.system [ls]\nvisit,x\n1,2\n",
    "wrong encoding": "visit,band,ra,dec\n1,Größe,2,3\n".encode("latin-1"),
    "wide characters": "visit,band,ra,dec\n1,r,2,3\n".encode("utf-16"),
    "row too long": b"visit,band,ra,dec\n1,r,2,3\n1,r,3,4,5,6\n",
    "comma at the end of every row": b"visit,band,ra,dec\n1,r,2,3,\n1,r,3,4,\n",
    "every row too long": b"visit,band,ra,dec\n1,2,r,2,3\n1,2,r,3,4\n",
    "row too short": b"visit,band,ra,dec,mag\n1,r,2,3,20\n2,r,2\n",
    "row of a cut file": b"visit,band,ra,dec,mag\n1,r,2,3,20\n2,r,2,3\n",
    "unclosed quote": b'visit,band,ra,dec\n1,"r,2,3\n1,r,3,4\n',
    "zero bytes further on": b"visit,band,ra,dec\n" + b"1,r,2,3\n" * 9000 + b"\0\0\0\n",
    "column twice": b"visit,band,ra,ra,dec\n1,r,2,3,4\n2,r,2,3,4\n",
    "name of a megabyte": b"visit,band," + b"x" * 1_000_000 + b",dec\n1,r,2,3\n",
    "three thousand names": b",".join(b"x%d" % k for k in range(3_000)) + b"\n",
    "value of a megabyte": b"visit,band,ra,dec\n1,r," + b"x" * 1_000_000 + b",3\n",
    "number beyond all bounds": b"visit,band,ra,dec\n1,r,1e300,3\n2,r,2,3\n",
    "header only": b"visit,band,ra,dec\n",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", JUNK)
def test_junk_is_refused_with_its_name(tmp_path: Path, name: str) -> None:
    """One line, no other exception; neither does a look at it break."""
    path = tmp_path / "cat.dat"
    path.write_bytes(JUNK[name])
    assert str(path) in catalogs.refusal(path)
    try:
        inspection.describe_inspection(inspection.inspect(str(path)))
    except InputError as error:
        assert str(path) in str(error)  # noqa: PT017  (a look may succeed where reading cannot)


@pytest.mark.parametrize("suffix", catalogs.SUFFIXES)
def test_a_file_that_stands_in_the_folder_twice_is_refused(tmp_path: Path, suffix: str) -> None:
    """Under another name."""
    folder = catalogs.split(tmp_path / "parts", suffix, catalogs.catalog())
    (folder / f"qart{suffix}").write_bytes((folder / f"part1{suffix}").read_bytes())
    message = catalogs.refusal(folder)
    assert message.startswith(f"{folder}/qart{suffix}, row ")
    assert "identical in every column to" in message
    assert f"{folder}/part1{suffix}, row " in message
    assert "(5 repeated rows)" in message
