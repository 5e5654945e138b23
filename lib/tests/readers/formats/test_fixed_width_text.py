"""Text of fixed width."""

from __future__ import annotations

import numpy as np
import pytest
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.formats.fixed_width_text import decode_text


def test_text_ends_at_a_zero_byte_and_is_stripped() -> None:
    stored = np.array([b" ab ", b"a\0xy", "é".encode()])
    assert decode_text("f", stored).tolist() == ["ab", "a", "é"]


def test_the_first_row_that_is_not_utf8_is_named() -> None:
    with pytest.raises(InputError, match="f, row 2: not UTF-8 text"):
        decode_text("f", np.array([b"ok", b"\xff", b"\xfe"]))
