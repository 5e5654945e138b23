"""Case-insensitive column names: services and FITS do not keep the case."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from skyaccept.lib.readers.column_source import ColumnSource, Flag

T = TypeVar("T")


def match_spelling(profile: T, names: Collection[str]) -> T:
    """Replace column names in a profile by their spelling in the file.

    A name in the file stays. A name that differs only in case from a single column, such as ``psfflux`` for
    ``psfFlux``, is replaced by it.

    Parameters
    ----------
    profile : ColumnSource, Flag, or tuple, mapping or dataclass of these
    names : collection of str
        Columns of the file.
    """
    lower: dict[str, list[str]] = {}
    for name in names:
        lower.setdefault(name.lower(), []).append(name)
    respelled: T = _respell(profile, lower)
    return respelled


def _respell(value: Any, lower: Mapping[str, list[str]]) -> Any:
    if isinstance(value, Flag):
        return replace(value, name=_name_in_file(value.name, lower))
    if isinstance(value, ColumnSource):
        named: dict[str, Any] = {
            key: _name_in_file(getattr(value, key), lower) for key in ("name", "plus", "day") if getattr(value, key)
        }
        join = (
            None
            if value.join is None
            else {_name_in_file(k, lower): _name_in_file(v, lower) for k, v in value.join.items()}
        )
        return replace(value, **named, unless=_respell(value.unless, lower), join=join)
    if isinstance(value, tuple):
        return tuple(_respell(one, lower) for one in value)
    if isinstance(value, Mapping):
        return {key: _respell(one, lower) for key, one in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _respell(getattr(value, f.name), lower) for f in fields(value)})
    return value


def _name_in_file(name: str, lower: Mapping[str, list[str]]) -> str:
    there = lower.get(name.lower(), [])
    return there[0] if name not in there and len(there) == 1 else name
