"""Columns of FITS tables."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.formats.fits_columns import decode_column, describe_columns, read_rows
from skyaccept.lib.readers.formats.fits_units import HeaderDataUnit, read_units


def table(*columns: fits.Column, **keywords: Any) -> tuple[io.BytesIO, HeaderDataUnit]:
    """A table in memory with some keywords changed."""
    hdu = fits.BinTableHDU.from_columns(list(columns))
    hdu.header.update(keywords)
    file = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(file)
    return file, read_units(Path("a.fits"), file)[1]


def values(*columns: fits.Column) -> list[Any]:
    """Decoded columns of a table."""
    file, unit = table(*columns)
    described = describe_columns(unit)
    stored = read_rows(file, unit, described)
    return [decode_column(column, stored[column.number]) for column in described]


def test_names_units_and_offsets_are_described() -> None:
    _, unit = table(fits.Column("ra", "D", "deg", array=[1.0]), fits.Column("band", "2A", array=["r"]))
    ra, band = describe_columns(unit)
    assert (ra.name, ra.unit, ra.offset, band.name, band.offset) == ("ra", "deg", 0, "band", 8)


def test_a_null_is_masked_and_unsigned_integers_are_exact() -> None:
    null, unsigned = values(
        fits.Column("a", "J", null=-1, array=np.array([-1, 5])),
        fits.Column("b", "K", bzero=2**63, array=np.array([2**64 - 1, 0], dtype=np.uint64)),
    )
    assert np.ma.getmaskarray(null).tolist() == [True, False]
    assert unsigned.tolist() == [2**64 - 1, 0]


def test_bits_truth_and_text_are_decoded() -> None:
    bits, truth, text = values(
        fits.Column("a", "3X", array=np.array([[True, False, True]])),
        fits.Column("b", "L", array=np.array([True])),
        fits.Column("c", "4A", array=np.array(["ab"])),
    )
    assert (bits.tolist(), truth.tolist(), text.tolist()) == ([[True, False, True]], [True], ["ab"])


def test_columns_of_other_widths_than_the_rows_are_refused() -> None:
    file, _ = table(fits.Column("ra", "D", array=[1.0]))
    stored = file.getvalue().replace(b"TFORM1  = 'D       '", b"TFORM1  = 'E       '")
    with pytest.raises(InputError, match="columns of 4 bytes in rows of 8"):
        describe_columns(read_units(Path("a.fits"), io.BytesIO(stored))[1])
