"""Resolve the inheritance of specifications from specifications and partials.

Names are those of SQR-017: a specification is ``package.metric.name``, a partial ``package:file#id`` with the file's
path below ``specs/package`` and without its extension.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import groupby

from skyaccept.lib.requirements.lsst_verify.located_yaml import Value, merge

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
"""Name of a package, a metric, or a specification."""

MAX_BASES = 50
MAX_VALUES = 2_000_000
"""Largest depth of inheritance, and largest number of values after it."""

_PARTIAL = re.compile(r"(?:(?P<package>[^\s#:]+):)?(?P<file>[^\s#:]+)?#(?P<id>[^\s#:]+)")
_OWN = ("id", "name", "base", "package", "metric")
"""Keys that are not merged."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """Document of a file before inheritance.

    A specification, or a partial with its full name in ``partial``.

    ``bases`` are full names of partials and specifications, from left to right.
    """

    content: Value
    package: str
    file: str
    bases: tuple[str, ...]
    partial: str | None


@dataclass(frozen=True, slots=True)
class Resolved:
    """Specification after inheritance."""

    package: str
    metric: str
    name: str
    content: Value

    @property
    def full_name(self) -> str:
        """Such as ``validate_drp.AM1.design``."""
        return f"{self.package}.{self.metric}.{self.name}"


def parse_entry(content: Value, package: str, file: str) -> Entry:
    """Read names and bases of a document.

    Raises
    ------
    InputError
        No name, an invalid name, or an invalid base.
    """
    data = content.data
    if not isinstance(data, dict):
        raise content.error("expected a mapping of keys to values")
    if "package" in data and data["package"].data != package:
        said = data["package"]
        raise said.error(f"key 'package': {said.plain!r}, but the file is in the folder of {package}")
    partial = None
    if "id" in data:
        if "name" in data:
            raise data["name"].error("key 'name' does not belong to a partial, which has an 'id'")
        known = data["id"]
        if not isinstance(known.data, str) or re.fullmatch(r"[^\s#:]{1,80}", known.data) is None:
            raise known.error(f"key 'id': {known.plain!r} is not the name of a partial")
        partial = f"{package}:{file}#{known.data}"
    elif "name" not in data:
        raise content.error("key 'name' is missing, or 'id' of a partial")
    bases = data.get("base")
    named = [] if bases is None else bases.data if isinstance(bases.data, list) else [bases]
    return Entry(content, package, file, tuple(_base(base, package, file) for base in named), partial)


def _base(base: Value, package: str, file: str) -> str:
    """Return the full name of a base, as a document of a package and file names it."""
    name = base.data
    if not isinstance(name, str):
        raise base.error(f"key 'base': {base.plain!r} is not a name")
    if "#" in name:
        match = _PARTIAL.fullmatch(name)
        if match is None:
            raise base.error(f"key 'base': {name!r} is not of the form file#partial")
        return f"{match['package'] or package}:{match['file'] or file}#{match['id']}"
    if "." not in name:
        raise base.error(f"key 'base': {name!r} names no metric; write METRIC.{name}, or #{name} for a partial")
    return ".".join(_qualified(name, 3, (package,), base, "base"))


def _qualified(name: object, total: int, known: Sequence[str], value: Value, key: str) -> list[str]:
    """Return the ``total`` parts of a name.

    ``known`` are the first, and stated ones must agree with them.
    """
    parts = str(name).split(".")
    lead = total - len(parts)
    if lead < 0 or not all(NAME.fullmatch(part) for part in parts):
        raise value.error(f"key '{key}': {name!r} is not a name of at most {total} parts (letters, digits, _ and -)")
    for have, said in zip(known[lead:], parts, strict=False):
        if said != have:
            raise value.error(f"key '{key}': {name!r} is of {said}, and what it belongs to is of {have}")
    return [*known[:lead], *parts]


def resolve(entries: Sequence[Entry]) -> tuple[list[Resolved], list[tuple[Value, str]]]:
    """Resolve what every specification inherits.

    Bases are merged from left to right, then the document itself, by `located_yaml.merge`. The metric is that of the
    document, else of the last base that has one (SQR-019, inheritance; lsst.verify, ``resolve_document``).

    Returns
    -------
    resolved : list of Resolved
        In the order of the documents; of duplicates the first.
    notes : list of (Value, str)
        Identical duplicates.

    Raises
    ------
    InputError
        An unknown base, bases in a circle, a specification without metric, or two different documents of one name.
    """
    known = _Documents()
    repeated: list[tuple[str, Entry, Entry]] = []
    for partials in (True, False):  # names of specifications may depend on partials
        for each in entries:
            if (each.partial is not None) is partials:
                name = known.name(each)
                first = known.entries.setdefault(name, each)
                if first is not each:
                    repeated.append((name, first, each))
    for name, first, again in repeated:
        there = f"{first.file}, line {first.content.line}"
        if known.asks(first) != known.asks(again):
            raise again.content.error(f"duplicate {name}, which says something else in {there}")
    notes = []
    for _, group in groupby(repeated, key=lambda one: one[2].content.path):
        (name, first, again), *more = group
        others = f", as do {len(more)} more in this file" if more else ""
        words = f"{name} repeats what it says in {first.file}, line {first.content.line}{others}"
        notes.append((again.content, words))
    resolved = []
    for name, each in known.entries.items():
        content = known.content(name)
        if each.partial is None:
            package, metric, own = name.split(".")
            resolved.append(Resolved(package, metric, own, content))
    return resolved, notes


class _Documents:
    """Documents by full name, before and after inheritance."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self._contents: dict[str, Value] = {}
        self._metrics: dict[str, str | None] = {}
        self._size = 0

    def name(self, each: Entry) -> str:
        """Return the full name of a document."""
        if each.partial is not None:
            return each.partial
        value = each.content.data["name"]
        metric = self._metric(each, [])
        if metric is None:
            raise value.error(f"{value.plain}: key 'metric' is missing, and no base has one")
        return ".".join(_qualified(value.data, 3, (each.package, metric), value, "name"))

    def asks(self, each: Entry) -> object:
        """Return the content of a document without tags, to compare two of them."""
        content = {key: value for key, value in self._merged(each, []).plain.items() if key != "tags"}
        return self._metric(each, []), content

    def content(self, name: str, trail: Sequence[str] = ()) -> Value:
        """Return a document after inheritance.

        ``trail`` are the documents that inherit from it.
        """
        if name not in self._contents:
            made = self._contents[name] = self._merged(self.entries[name], [*trail, name])
            self._size += made.size
            if self._size > MAX_VALUES:
                raise made.error(f"more than {MAX_VALUES} values in this package with all that is inherited")
        return self._contents[name]

    def _merged(self, each: Entry, trail: Sequence[str]) -> Value:
        data = {key: value for key, value in each.content.data.items() if key not in _OWN}
        size = 1 + sum(value.size for value in data.values())
        own = Value(data, each.content.path, each.content.line, size)
        bases = [self.content(self._checked(base, each, trail), trail) for base in each.bases]
        return reduce(merge, [*bases, own])

    def _metric(self, each: Entry, trail: Sequence[str]) -> str | None:
        """Return the metric that a document names or inherits."""
        data = each.content.data
        if "metric" in data:
            value = data["metric"]
            return _qualified(value.plain, 2, (each.package,), value, "metric")[-1]
        if "name" in data and "." in str(data["name"].data):
            return str(data["name"].data).split(".")[-2]
        for base in reversed(each.bases):
            if "#" not in base:
                return base.split(".")[1]
            if base not in self._metrics:
                self._metrics[base] = self._metric(self.entries[self._checked(base, each, trail)], [*trail, base])
            if self._metrics[base] is not None:
                return self._metrics[base]
        return None

    def _checked(self, base: str, each: Entry, trail: Sequence[str]) -> str:
        """Return the name of a base, after checks that it exists and makes no circle."""
        place = each.content.data["base"]
        if base in trail:
            raise place.error(f"key 'base': bases in a circle, {' -> '.join([*trail[trail.index(base) :], base])}")
        if len(trail) >= MAX_BASES:
            raise place.error(f"key 'base': more than {MAX_BASES} bases above one another")
        if base not in self.entries:
            what = "partial" if "#" in base else "specification"
            raise place.error(f"key 'base': there is no {what} {base}" + self._near(base))
        return base

    def _near(self, base: str) -> str:
        """Suggest up to three names with the same ending."""
        mark = "#" if "#" in base else "."
        ends = mark + base.split(mark)[-1]
        found = [name for name in self.entries if name.endswith(ends)][:3]
        return f"; there is {', '.join(found)}" if found else ""
