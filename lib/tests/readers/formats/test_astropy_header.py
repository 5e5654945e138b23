"""Headers that astropy adds to tables."""

from __future__ import annotations

import numpy as np
import pytest
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.formats.astropy_header import CombinedColumn, Header, read_header
from skyaccept.lib.readers.table import Column

TIME = Header(combined={"t": CombinedColumn("t", {"jd1": "t.jd1", "jd2": "t.jd2"}, format="jd", scale="utc")})


def test_units_come_from_the_header() -> None:
    header = read_header("f", "datatype:\n- {name: ra, datatype: float64, unit: deg}\n")
    (column,) = header.offered([Column("ra", "double")])
    assert (column.name, column.unit) == ("ra", "deg")


def test_parts_of_a_column_are_offered_as_one() -> None:
    stored = [Column("t.jd1", "double"), Column("t.jd2", "double"), Column("x", "double")]
    assert [column.name for column in TIME.offered(stored)] == ["t", "x"]
    assert TIME.needed(["x", "t"]) == ["x", "t.jd1", "t.jd2"]


def test_two_parts_of_a_julian_date_are_a_time() -> None:
    stored = {"t.jd1": np.array([2451545.0]), "t.jd2": np.array([0.25])}
    assert TIME.combine("f", ["t"], stored)["t"].tolist() == [np.datetime64("2000-01-01T18:00:00", "us").item()]


def test_a_missing_part_is_named_before_reading() -> None:
    with pytest.raises(InputError, match=r"f: column 't': its part 't\.jd2'"):
        TIME.check_columns("f", ["t"], ["t.jd1"])


def test_a_header_that_is_not_yaml_is_refused() -> None:
    with pytest.raises(InputError, match="not readable YAML"):
        read_header("f", "datatype: [")
