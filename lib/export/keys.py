"""Identifiers of other formats, which know fewer characters than names have: different names get different ones."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping


def unique_keys(identifiers: Mapping[tuple[str, ...], str]) -> dict[tuple[str, ...], str]:
    """Identifier by name, where those that several names would share end in a digest of their name.

    Parameters
    ----------
    identifiers : mapping of tuple of str to str
        What a name becomes by itself; names are tuples of their parts.
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
