"""Text from bytes of fixed width."""

from __future__ import annotations

import numpy as np
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.exceptions import InputError


def decode_text(place: str, stored: AnyArray) -> AnyArray:
    """Decode text up to a zero byte, stripped.

    Parameters
    ----------
    place : str
        File and column, for messages.
    stored : (n, ...) array of bytes

    Raises
    ------
    InputError
        Not UTF-8; the message names the row.
    """
    if any(b"\0" in one for one in set(stored.ravel().tolist())):
        ended = [one.partition(b"\0")[0] for one in stored.ravel().tolist()]
        stored = np.array(ended, dtype=stored.dtype).reshape(stored.shape)
    try:
        return np.asarray(np.char.strip(np.char.decode(stored, "utf-8")))
    except UnicodeDecodeError:
        raise InputError(f"{place}, row {_undecodable(stored)}: not UTF-8 text") from None


def _undecodable(stored: AnyArray) -> int:
    """Find the first row that is not UTF-8, from 1."""
    for row, value in enumerate(stored.reshape(len(stored), -1).tolist(), start=1):
        try:
            for one in value:
                one.decode()
        except UnicodeDecodeError:
            return row
    return 0
