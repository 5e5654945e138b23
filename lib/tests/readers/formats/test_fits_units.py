"""Header and data units of FITS files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from astropy.io import fits
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.formats.fits_units import BLOCK, HeaderDataUnit, check_padding, check_sum, read_units

PATH = Path("a.fits")


def content() -> bytes:
    """A file of one table with a checksum."""
    table = fits.BinTableHDU.from_columns([fits.Column("ra", "D", array=np.arange(5.0))], name="SRC")
    file = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(file, checksum=True)
    return file.getvalue()


def units(stored: bytes) -> tuple[BinaryIO, list[HeaderDataUnit]]:
    """The units of a file."""
    file = io.BytesIO(stored)
    return file, read_units(PATH, file)


def test_units_are_found_with_their_data() -> None:
    _, (primary, table) = units(content())
    assert (primary.kind, table.kind, table.size) == ("", "BINTABLE", 40)
    assert (table.place, table.integer("NAXIS2"), table.text("EXTNAME")) == ("a.fits: HDU 1 (SRC)", 5, "SRC")
    assert table.value("NONE") is None


def test_a_truncated_file_is_refused() -> None:
    with pytest.raises(InputError, match="truncated"):
        units(content()[: 2 * BLOCK + 100])


def test_changed_data_do_not_have_their_checksum() -> None:
    stored = bytearray(content())
    file, (_, table) = units(bytes(stored))
    check_sum(file, table)
    stored[table.start + 3] ^= 1
    file, (_, table) = units(bytes(stored))
    with pytest.raises(InputError, match="DATASUM"):
        check_sum(file, table)


def test_bytes_after_the_data_are_refused() -> None:
    stored = bytearray(content())
    file, (_, table) = units(bytes(stored))
    check_padding(file, table)
    stored[table.start + table.size + 5] = 1
    file, (_, table) = units(bytes(stored))
    with pytest.raises(InputError, match="bytes other than padding"):
        check_padding(file, table)
