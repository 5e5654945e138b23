"""Tables in HDF5 files."""

from __future__ import annotations

import pickle
from pathlib import Path

import h5py
import numpy as np
from skyaccept.lib.readers.formats.hdf5_layout import attributes, find_tables, texts_in_pickle


def test_records_and_groups_of_columns_are_tables(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["rows"] = np.zeros(3, dtype=[("ra", "f8"), ("visit", "i4")])
        file["group/mag"] = np.zeros(4)
        file["group/band"] = np.zeros(4, dtype="S1")
        file["group/odd"] = np.zeros(7)
        found = find_tables("a.h5", file)
        assert [(table.path, sorted(table.stored)) for table in found] == [
            ("group", ["band", "mag", "odd"]),
            ("rows", ["ra", "visit"]),
        ]
        assert found[0].stored["odd"].refused == "has 7 rows, and the others of its group 4"
        assert (found[1].last, found[1].above) == ("rows", "")


def test_attributes_are_numbers_or_text(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs.update({"band": "r", "mjd": 5.5, "many": np.arange(3), "bytes": np.bytes_(b"x")})
        assert attributes(file) == {"band": "r", "mjd": 5.5, "bytes": "x"}


def test_a_pickled_list_of_text_is_read_without_unpickling() -> None:
    assert texts_in_pickle(pickle.dumps(["ra", "dec"], 0).decode("latin-1")) == ["ra", "dec"]
    assert texts_in_pickle(pickle.dumps(print, 0).decode("latin-1")) == []
    assert texts_in_pickle("no pickle") == []
