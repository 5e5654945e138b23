"""Conversion of stored values to numbers."""

from __future__ import annotations

import numpy as np
from skyaccept.lib.readers.columns.parsing import lookup
from skyaccept.lib.tests.readers import survey_files


def test_looking_up_is_a_plain_loop() -> None:
    """Keys in any order, some of them missing."""
    there, here = survey_files.rng().permutation(20)[:12], survey_files.rng().integers(0, 20, 50)
    values = survey_files.rng().random(12)
    plain = dict(zip(there.tolist(), values.tolist(), strict=True))
    found = lookup("x", "y", (there, here), values)
    np.testing.assert_array_equal(found, [plain.get(key, np.nan) for key in here.tolist()])
    nothing = lookup("x", "y", (there[:0], here), values[:0])
    assert np.isnan(nothing).all()
    assert len(nothing) == len(here)
