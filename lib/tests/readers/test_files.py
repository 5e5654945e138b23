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
from skyaccept.lib.readers import files, load, table


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


def test_tables_of_other_columns_are_refused_with_the_way_to_choose_one(tmp_path: Path) -> None:
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
