"""Strict, safe YAML loading with file, line and key in every error message."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Protocol, TypeVar

import astropy.units as u
import pydantic
import yaml
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.units import MAX_CHARACTERS, parse_unit
from skyaccept.lib.yaml_text import compose, one_line, read_text, to_python

T = TypeVar("T")

_ADAPTERS: dict[type[Any], pydantic.TypeAdapter[Any]] = {}

STRICT: dict[str, Any] = {"extra": "forbid", "arbitrary_types_allowed": True}
"""Settings of pydantic for the dataclasses of documents."""


class SourceLocation(Protocol):
    """Locations of the parts of a document, for the messages of later checks."""

    @property
    def path(self) -> Path:
        """File or folder of the document."""

    @property
    def notes(self) -> tuple[tuple[str, str], ...]:
        """Warnings about the document, each with its requirement."""

    def error(self, location: Sequence[str | int], text: str) -> InputError:
        """Return an error that names file and line of ``location``."""

    def where(self, location: Sequence[str | int]) -> str:
        """Return file name and line of ``location``."""


@dataclass(frozen=True)
class YamlLocation:
    """Locations in a YAML file: a `SourceLocation`."""

    path: Path
    root: yaml.Node
    notes: tuple[tuple[str, str], ...] = ()

    def error(self, location: Sequence[str | int], text: str) -> InputError:
        """Return an error that names file, line and the way to ``location``."""
        node, trail, _ = _locate(self.root, location)
        return InputError(f"{self.path}: line {node.start_mark.line + 1}: {trail}{one_line(text)}")

    def where(self, location: Sequence[str | int]) -> str:
        """Return file name and line of ``location``."""
        return f"{self.path.name}: line {_locate(self.root, location)[0].start_mark.line + 1}"


def read(path: Path, schema: type[T]) -> tuple[T, YamlLocation]:
    """Read one YAML file into a frozen dataclass.

    Parameters
    ----------
    path : Path
        File to read; at most `yaml_text.MAX_BYTES` bytes.
    schema : type
        Dataclass with ``__pydantic_config__ = {"extra": "forbid"}``; its annotations are the schema.

    Returns
    -------
    document : schema
        The checked document.
    place : Place
        Locations of its parts in the file.

    Raises
    ------
    InputError
        File missing or too large, malformed YAML, a duplicate or unknown key, a missing or wrong value. One line
        per fault, each naming file, line and key.
    """
    node = compose(path, read_text(path))
    try:
        return _adapter(schema).validate_python(to_python(node)), YamlLocation(path, node)
    except pydantic.ValidationError as error:
        raise InputError(*_error_lines(path, node, error)) from None


def validate(data: object, schema: type[T], origin: SourceLocation) -> T:
    """Make a frozen dataclass from data that other files state.

    Raises
    ------
    InputError
        A missing, unknown or wrong value; one line per fault, each with its location.
    """
    try:
        return _adapter(schema).validate_python(data)
    except pydantic.ValidationError as error:
        faults = [(fault["loc"], fault["msg"]) for fault in error.errors(include_url=False)]
        raise InputError(*(str(origin.error(where, text)) for where, text in faults)) from None


def _adapter(schema: type[T]) -> pydantic.TypeAdapter[T]:
    """Return the validator of a dataclass, made once.

    To make it takes longer than to check a document.
    """
    if schema not in _ADAPTERS:
        _ADAPTERS[schema] = pydantic.TypeAdapter(schema)
    return _ADAPTERS[schema]


def path_exists(path: Path) -> bool:
    """Return True if a file or folder exists; False for a name that no file can have."""
    try:
        return path.exists()
    except OSError:
        return False


def _error_lines(path: Path, root: yaml.Node, error: pydantic.ValidationError) -> list[str]:
    lines: dict[str, None] = {}
    for fault in error.errors(include_url=False):
        location = [part for part in fault["loc"] if part != "[key]"]
        unknown = fault["type"] in ("unexpected_keyword_argument", "extra_forbidden") or "[key]" in fault["loc"]
        node, trail, key = _locate(root, location, at_key=unknown)
        text = {
            "missing": f"key '{location[-1]}' is missing",
            "unexpected_keyword_argument": f"unknown key '{location[-1]}'",
            "extra_forbidden": f"unknown key '{location[-1]}'",
        }.get(fault["type"])
        if text is None:
            text = f"key '{key}': " + re.sub(r"^(Value|Assertion) error, ", "", fault["msg"])
            if isinstance(fault["input"], str | int | float | bool) and str(fault["input"]) not in text:
                text += f" (found {fault['input']!r})"
            if fault["type"] == "string_type" and not isinstance(fault["input"], dict | list | None):
                text += "; put it in quotes if it is text"
        lines[f"{path}: line {node.start_mark.line + 1}: {trail}{one_line(text)}"] = None
    return list(lines)


def _locate(root: yaml.Node, location: Sequence[Any], *, at_key: bool = False) -> tuple[yaml.Node, str, str]:
    """Return the node nearest to a pydantic location, and the way to it.

    Also the ids of the entries above it, and the last key.
    """
    node, names, key = root, [], ""
    for depth, part in enumerate(location, start=1):
        if isinstance(node, yaml.MappingNode):
            found = [(k, v) for k, v in node.value if k.value == str(part)]
            if not found:
                continue  # a missing key, or the tag of a union
            key = str(part)
            # show an unknown key on its own line, a value on the line where it starts
            unknown = at_key and depth == len(location)
            node = found[0][1] if found[0][1].value and not unknown else found[0][0]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            if isinstance(node, yaml.MappingNode):
                names += [v.value for k, v in node.value if k.value == "id" and isinstance(v.value, str)]
    return node, "".join(f"{name}: " for name in names), key


def quantity(text: object) -> u.Quantity:
    """Parse ``"5 arcmin"``, a number and a unit known to astropy.

    A quantity is returned unchanged.

    Raises
    ------
    ValueError
        No unit, an unknown unit, or not a finite number.
    """
    if isinstance(text, u.Quantity):
        return text
    if not isinstance(text, str):
        raise ValueError(f"{text!r} has no unit; write a number and a unit, such as '5 arcmin'")
    if len(text) > 2 * MAX_CHARACTERS:
        raise ValueError(f"{text[:MAX_CHARACTERS]!r}... is not a number with a unit, such as '5 arcmin'")
    match = re.fullmatch(r"\s*([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)\s*((?:[^-+.\s0-9].*?)?)\s*", text)
    if match is None:
        raise ValueError(f"{text!r} is not a number with a unit, such as '5 arcmin'")
    number, unit = match.groups()
    if not unit:
        raise ValueError(f"{text!r} has no unit; write a number and a unit, such as '5 arcmin'")
    if not math.isfinite(float(number)):
        raise ValueError(f"{text!r} is not a finite number")
    try:
        return float(number) * parse_unit(unit)
    except ValueError as error:
        raise ValueError(f"{text!r}: unit {error}") from None


def number_or_quantity(value: object) -> u.Quantity:
    """Parse a number without unit, or text as `quantity` does."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise ValueError(f"{value!r} is not a finite number")
        return u.Quantity(float(value))
    return quantity(value)


def day(value: object) -> date:
    """Parse a date, ``2027-03-31``.

    Raises
    ------
    ValueError
        Not a day of the calendar, or written in another way.
    """
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError(f"{value!r} is not a date, such as 2027-03-31")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{value!r} is not a day of the calendar") from None


def one_of(*allowed: str) -> Callable[[object], str]:
    """Return a validator that accepts these words and names them in its message."""

    def check(value: object) -> str:
        if value not in allowed:
            raise ValueError(f"{value!r} is not one of {', '.join(allowed)}")
        return str(value)

    return check


def convertible(value: object, unit: u.UnitBase) -> u.Quantity:
    """Parse text as `quantity` does; refuse one that is not convertible to a unit."""
    found = quantity(value)
    if not found.unit.is_equivalent(unit):
        raise ValueError(f"{value} is not convertible to {unit}")
    return found


def number_in(unit: u.UnitBase) -> Callable[[object], float]:
    """Return a validator that converts a quantity to a number in a unit."""
    return lambda value: float(convertible(value, unit).to_value(unit))


def unit_name(unit: u.UnitBase) -> str:
    """Return the name of a unit in results: ``mas``, ``percent``, ``arcmin``."""
    return "percent" if unit == u.percent else str(unit)


def text_of(value: u.Quantity) -> str:
    """Return a quantity as text, as in documents: ``20 mas``."""
    return f"{value.value:g} {unit_name(value.unit)}".strip()


Quantity = Annotated[u.Quantity, pydantic.PlainValidator(quantity)]
Day = Annotated[date, pydantic.PlainValidator(day)]
Words = Annotated[str, pydantic.StringConstraints(strip_whitespace=True, min_length=1)]
