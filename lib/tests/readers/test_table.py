"""Opening of files: truncated, damaged and compressed ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from skyaccept.lib.catalog.detections import Detections
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import load
from skyaccept.lib.readers import table as tables
from skyaccept.lib.tests.readers import catalogs


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".parquet", ".fits", ".csv.gz", ".fits.gz", ".ecsv.gz", ".h5", ".vot", ".vot.gz"])
def test_a_truncated_file_is_refused_wherever_it_ends(tmp_path: Path, expected: Detections, suffix: str) -> None:
    """Unless nothing but the padding of its last block, or an empty line, is lost."""
    whole = catalogs.write(tmp_path / f"whole{suffix}", catalogs.catalog())
    content = whole.read_bytes()
    end = len(content)
    if suffix == ".fits":
        with fits.open(whole) as hdus:
            end = hdus[1].fileinfo()["datLoc"] + hdus[1].header["NAXIS1"] * hdus[1].header["NAXIS2"]
    if suffix == ".vot":
        end = len(content.rstrip())
    sizes = {1, 9, 80, 2880, 5760, end - 1, end // 2, *np.linspace(10, end - 2, 25, dtype=int).tolist()}
    path = tmp_path / f"cat{suffix}"
    for size in sorted(size for size in sizes if size < end):
        path.write_bytes(content[:size])
        assert catalogs.refusal(path).startswith(f"{path}: "), size
    path.write_bytes(content)
    catalogs.assert_same(load(path), expected)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".fits", ".fits.gz", ".csv", ".csv.gz", ".ecsv", ".h5", ".vot"])
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, suffix: str) -> None:
    """A byte here or there; nothing but an InputError comes out, and a damaged gzip file is never read."""
    rng = np.random.default_rng(11)
    units = {"ra": "deg"} if suffix != ".csv" else None
    content = catalogs.write(tmp_path / f"whole{suffix}", catalogs.catalog(), units).read_bytes()
    path = tmp_path / f"cat{suffix}"
    for _ in range(60):
        damaged = bytearray(content)
        for place in rng.integers(12, len(content), 2):
            damaged[place] = rng.integers(32, 127)
        path.write_bytes(damaged)
        try:
            load(path)
        except InputError as error:
            assert str(path) in str(error)  # noqa: PT017  (damage may hit a digit)


def test_a_gzip_file_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it fills the memory."""
    monkeypatch.setattr(tables, "MAX_UNCOMPRESSED", 1000)
    path = catalogs.write(tmp_path / "cat.csv.gz", catalogs.catalog())
    assert catalogs.refusal(path) == f"{path}: the gzip file unpacks to more than 1000 bytes; unpack it first"
