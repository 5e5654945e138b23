"""Base of the computed columns."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from skyaccept.lib.readers.column_source import ColumnSource, Flag
from skyaccept.lib.readers.columns.computed import ComputedColumn, Labels
from skyaccept.lib.readers.columns.flags import FlagColumn
from skyaccept.lib.readers.columns.labels import LabelColumn


def test_a_column_states_what_it_reads_and_computes() -> None:
    with pytest.raises(TypeError, match="abstract"):
        ComputedColumn("f", "mag")  # type: ignore[abstract]


def test_only_columns_of_labels_are_read_as_labels() -> None:
    assert FlagColumn("f", "flag_bad", (Flag("x"),)).labels == ()
    assert LabelColumn("f", "visit", ColumnSource("v", day="d")).labels == ("v",)
    assert LabelColumn("f", "visit", ColumnSource("v", day="d")).columns == ("v", "d")


def test_labels_are_as_many_as_their_codes() -> None:
    labels = Labels(np.array([0, 0, -1]), np.array(["r"]))
    assert len(labels) == 3
    with pytest.raises(FrozenInstanceError):
        labels.codes = np.array([1])  # type: ignore[misc]
