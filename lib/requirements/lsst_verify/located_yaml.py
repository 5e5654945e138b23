"""YAML values with file and line, and their merging.

Unlike `skyaccept.lib.yaml_text` this reads several documents per file, aliases, merge keys and sets, as lsst.verify
packages use them. Only plain data is allowed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from skyaccept.lib import yaml_text
from skyaccept.lib.exceptions import InputError

MAX_VALUES = 50_000
"""Largest number of values in a document after aliases and inheritance."""

MAX_DEPTH = 20

LENIENT = "provenance_query"
"""The one mapping in which a key may be repeated: a prototype that lsst.verify never read."""

_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PREFIX = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Value:
    """A mapping of strings to values, a list of values, or a scalar.

    With its file and line (from 1).

    ``size`` counts the values in it, those under aliases wherever they are used. A set is a list of its names.
    """

    data: Any
    path: Path
    line: int
    size: int = 1
    is_set: bool = False

    def error(self, text: str) -> InputError:
        """Return an error that names file and line."""
        return InputError(f"{self.path}: line {self.line}: {yaml_text.one_line(text)}")

    @property
    def plain(self) -> Any:
        """The value in plain Python types."""
        if isinstance(self.data, dict):
            return {key: value.plain for key, value in self.data.items()}
        return [value.plain for value in self.data] if isinstance(self.data, list) else self.data

    def mapping(self, key: str) -> Mapping[str, Value]:
        """Return the entries of a mapping.

        Raise `InputError` with ``key`` for anything else.
        """
        if not isinstance(self.data, dict):
            raise self.error(f"key '{key}': expected a mapping of keys to values")
        return self.data


def merge(base: Value, new: Value) -> Value:
    """Merge a value onto another as inheritance does.

    As ``merge_documents`` of lsst.verify.

    Mappings merge key by key, lists are appended to those of the base, anything else is replaced.

    Raises
    ------
    InputError
        The result would have more than `MAX_VALUES` values.
    """
    if isinstance(base.data, dict) and isinstance(new.data, dict):
        data: Any = dict(base.data)
        for key, value in new.data.items():
            data[key] = merge(data[key], value) if key in data else value
        size = 1 + sum(value.size for value in data.values())
    elif isinstance(base.data, list) and isinstance(new.data, list):
        size = base.size + new.size - 1
        data = [*base.data, *new.data] if size <= MAX_VALUES else None
    else:
        return new
    if size > MAX_VALUES:
        raise new.error(f"has more than {MAX_VALUES} values with all that it inherits")
    return Value(data, new.path, new.line, size)


def read(path: Path, most: int, notes: list[tuple[Value, str]]) -> list[Value]:
    """Read the documents of a file of at most ``most`` bytes; see `parse`."""
    return parse(yaml_text.read_text(path, most), path, notes)


def parse(text: str, path: Path, notes: list[tuple[Value, str]]) -> list[Value]:
    """Parse the documents of a YAML text; append warnings to ``notes``.

    Empty documents are left out.

    Raises
    ------
    InputError
        Malformed YAML, a tag or a repeated key, nested too deeply, or too many values.
    """
    try:
        reader = _Reader(path, notes, iter(yaml.parse(text, Loader=_PARSER)))
        return [value for value in reader.documents() if value.data is not None]
    except yaml.YAMLError as error:
        raise yaml_text.not_yaml(path, text, error) from None


class _Reader:
    """Builds values from parser events.

    An anchor is defined after its value, so none contains itself.
    """

    def __init__(self, path: Path, notes: list[tuple[Value, str]], events: Iterator[Any]) -> None:
        self._path = path
        self._notes = notes
        self._events = events
        self._anchors: dict[str, Value] = {}

    def documents(self) -> Iterator[Value]:
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors = {}
                yield self._value(next(self._events), 0)

    def _value(self, event: Any, depth: int, *, lenient: bool = False) -> Value:
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise self._error(event, f"alias *{event.anchor} has no anchor before it")
            return self._anchors[event.anchor]
        if depth > MAX_DEPTH:
            raise self._error(event, f"nested more than {MAX_DEPTH} deep")
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._check_tag(event, "seq")
            items = [self._value(item, depth + 1) for item in self._until(yaml.SequenceEndEvent)]
            value = self._made(event, items, 1 + sum(item.size for item in items))
        else:
            value = self._mapping(event, depth, lenient=lenient)
        if event.anchor is not None:
            self._anchors[event.anchor] = value
        return value

    def _until(self, end: type[yaml.Event]) -> Iterator[Any]:
        for event in self._events:
            if isinstance(event, end):
                return
            yield event

    def _scalar(self, event: Any) -> Value:
        tag = None if event.tag in (None, "!") else event.tag
        try:
            data = yaml_text.scalar(event.value, tag, bare=event.implicit[0] and event.tag is None)
        except ValueError as error:
            raise self._error(event, str(error)) from None
        return self._made(event, data, 1)

    def _mapping(self, event: Any, depth: int, *, lenient: bool) -> Value:
        self._check_tag(event, "map", "set")
        found: dict[str, Value] = {}
        merged: list[Value] = []
        for key in self._until(yaml.MappingEndEvent):
            name = self._key(key)
            value = self._value(next(self._events), depth + 1, lenient=name == LENIENT)
            if name == "<<" and isinstance(key, yaml.ScalarEvent) and key.implicit[0]:
                merged += value.data if isinstance(value.data, list) and not value.is_set else [value]
                self._made(key, None, sum(base.size for base in merged))
                continue
            if name in found:
                here = self._made(key, None, 1)
                if not lenient:
                    raise here.error(f"duplicate key '{name}'")
                self._notes.append((here, f"duplicate key '{name}'; the last one is used"))
            found[name] = value
        for base in merged:
            found = self._merged(event, base) | found
        if event.tag == f"{_PREFIX}set":
            names = [self._made(event, name, 1) for name in found]
            return replace(self._made(event, names, 1 + len(names)), is_set=True)
        return self._made(event, found, 1 + sum(value.size for value in found.values()))

    def _key(self, event: Any) -> str:
        """Return the text of a key, which may be an alias."""
        if isinstance(event, yaml.AliasEvent):
            found = self._value(event, 0).data
            if isinstance(found, dict | list):
                raise self._error(event, "a key must be plain text")
            return str(found)
        if not isinstance(event, yaml.ScalarEvent):
            raise self._error(event, "a key must be plain text")
        try:
            name = str(yaml_text.scalar(event.value, f"{_PREFIX}str", bare=False))
        except ValueError as error:
            raise self._error(event, str(error)) from None
        if event.anchor is not None:
            self._anchors[event.anchor] = self._scalar(event)
        return name

    def _merged(self, event: Any, base: Value) -> dict[str, Value]:
        """Return what a merge key adds; names of a set have no values."""
        if base.is_set:
            return {name.data: replace(name, data=None) for name in base.data}
        if not isinstance(base.data, dict):
            raise self._error(event, "key '<<': merges something else than a mapping or a set")
        return base.data

    def _check_tag(self, event: Any, *kinds: str) -> None:
        if event.tag not in (None, "!", *(_PREFIX + kind for kind in kinds)):
            raise self._error(event, f"tag {event.tag.removeprefix(_PREFIX)} is not supported")

    def _made(self, event: Any, data: Any, size: int) -> Value:
        if size > MAX_VALUES:
            raise self._error(event, f"more than {MAX_VALUES} values with all aliases written out")
        return Value(data, self._path, event.start_mark.line + 1, size)

    def _error(self, event: Any, text: str) -> InputError:
        return InputError(f"{self._path}: line {event.start_mark.line + 1}: {yaml_text.one_line(text)}")
