"""Ellipticities from second moments."""

from __future__ import annotations

import numpy as np
import pytest
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.column_source import ColumnSource, Flag
from skyaccept.lib.readers.columns.moments import find_columns
from skyaccept.lib.readers.profile import Moments
from skyaccept.lib.readers.table import Column

NAMES = ("xx", "yy", "xy")
MOMENTS = Moments(
    star=tuple(ColumnSource(name) for name in NAMES),  # type: ignore[arg-type]
    psf=tuple(ColumnSource(f"p{name}") for name in NAMES),  # type: ignore[arg-type]
    unless=Flag("bad"),
)
THERE = {name: Column(name, "double", "pix2") for name in (*NAMES, "pxx", "pyy", "pxy", "bad")}


def test_ellipticities_are_distortions() -> None:
    """NaN where a moment is not positive or the flag is set."""
    raw = {name: np.array(values) for name, values in zip(NAMES, ([3.0, -1, 3], [1.0, 1, 1], [0.5, 0, 0]), strict=True)}
    raw["bad"] = np.array([False, False, True])
    found = find_columns("f", MOMENTS, THERE)
    assert sorted(found) == ["e1", "e2", "psf_e1", "psf_e2"]
    np.testing.assert_array_equal(found["e1"].values(raw, 3), [0.5, np.nan, np.nan])
    np.testing.assert_array_equal(found["e2"].values(raw, 3), [0.25, np.nan, np.nan])
    assert found["e1"].columns == ("xx", "yy", "bad")
    assert found["psf_e2"].columns == ("pxx", "pyy", "pxy")


def test_a_missing_moment_is_refused_unless_all_are_missing() -> None:
    assert find_columns("f", MOMENTS, {"ra": Column("ra", "double")}) == {}
    with pytest.raises(InputError, match="no column 'pxy'"):
        find_columns("f", MOMENTS, {name: column for name, column in THERE.items() if name != "pxy"})


def test_moments_in_different_units_are_refused() -> None:
    with pytest.raises(InputError, match="not in the same unit"):
        find_columns("f", MOMENTS, THERE | {"yy": Column("yy", "double", "arcsec2")})
