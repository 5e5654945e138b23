"""Values of HDF5 columns."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.formats.hdf5_layout import StoredColumn
from skyaccept.lib.readers.formats.hdf5_values import read_columns


def test_scaled_integers_have_a_fill_of_the_stored_value(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        data = file.create_dataset("mag", data=np.array([10, -1], dtype=np.int16))
        data.attrs.update({"scale_factor": 0.5, "add_offset": 2.0, "_FillValue": -1})
        found = read_columns("a.h5", [StoredColumn("mag", data)], 10**6)["mag"]
    np.testing.assert_array_equal(found, [7.0, np.nan])


def test_enumerations_become_names(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        kind = h5py.enum_dtype({"r": 1, "i": 2}, basetype="i1")
        data = file.create_dataset("band", data=np.array([2, 1], dtype="i1"), dtype=kind)
        assert read_columns("a.h5", [StoredColumn("band", data)], 10**6)["band"].tolist() == ["i", "r"]


def test_columns_of_different_lengths_are_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        wanted = [StoredColumn(name, file.create_dataset(name, data=np.zeros(n))) for name, n in (("a", 2), ("b", 3))]
        with pytest.raises(InputError, match="columns of one table differ in their number of rows: 'a' 2 and 'b' 3"):
            read_columns("a.h5", wanted, 10**6)


def test_rows_that_unpack_to_too_much_are_refused_unread(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        data = file.create_dataset("a", shape=(2**40,), dtype="f8", chunks=(1024,))
        with pytest.raises(InputError, match="unpacks to"):
            read_columns("a.h5", [StoredColumn("a", data)], 1000)
