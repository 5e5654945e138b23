"""Unique identifiers for formats that allow fewer characters than names have."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping


def unique_keys(identifiers: Mapping[tuple[str, ...], str]) -> dict[tuple[str, ...], str]:
    """Return identifiers by name; append a digest to those that several names share.

    Parameters
    ----------
    identifiers : mapping of tuple of str to str
        Identifier of each name by itself; names are tuples of their parts.
    """
    found, length = dict(identifiers), 6
    while True:
        number = Counter(found.values())
        shared = [name for name, identifier in found.items() if number[identifier] > 1]
        if not shared:
            return found
        found |= {name: f"{identifiers[name]}_{_digest(name)[:length]}" for name in shared}
        length += 6


def _digest(name: tuple[str, ...]) -> str:
    return hashlib.sha256("\0".join(name).encode()).hexdigest().upper()
