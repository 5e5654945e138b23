"""Parse YAML text to plain data, within bounds on size, depth and numbers.

Only unambiguous numbers of YAML 1.2 are numbers: ``010`` and ``12:30`` are text, not octal or base 60.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from skyaccept.lib.exceptions import InputError

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
MAX_NODES = 50_000
"""Largest number of keys and values in a document."""

MAX_CHARACTERS = 20_000
"""Longest text in a document."""

MAX_DIGITS = 60
"""Longest number, in characters."""

MAX_SHOWN = 600
"""Characters shown at either end of a long error message."""

_PREFIX = "tag:yaml.org,2002:"
_TAGS = {_PREFIX + kind for kind in ("str", "int", "float", "bool", "null", "map", "seq")}
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9_]*|0b[01_]+|0x[0-9a-fA-F_]+)")
_FLOAT = re.compile(
    r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?|\.(?:inf|Inf|INF))"
    r"|\.(?:nan|NaN|NAN)"
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters except tabs and line ends, and marks of writing direction."""

_WORDS: dict[str, bool] = yaml.SafeLoader.bool_values


def read_text(path: Path, most: int = MAX_BYTES) -> str:
    """Read a file of at most ``most`` bytes, without its byte order mark.

    Raises
    ------
    InputError
        Not readable, not a regular file, too large, or not UTF-8.
    """
    try:
        size = path.stat().st_size
        if path.exists() and not path.is_file() and not path.is_dir():
            raise InputError(f"{path}: cannot be read: not a regular file")
        if size > most:
            raise InputError(f"{path}: {size} bytes; a document may have at most {most}")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError(f"{path}: UTF-16 text; save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start}); is this a YAML document?") from None


def compose(path: Path, text: str) -> yaml.MappingNode:
    """Parse a document that is a mapping to nodes.

    Raises
    ------
    InputError
        Malformed YAML, several documents, anything but plain data, a duplicate key, or out of bounds.
    """
    try:
        node = _compose(text)
    except _RefusedError as error:
        raise InputError(f"{path}: line {error.line}: {error}") from None
    except yaml.YAMLError as error:
        raise not_yaml(path, text, error) from None
    if not isinstance(node, yaml.MappingNode):
        raise InputError(f"{path}: line 1: expected a mapping of keys to values")
    return node


@lru_cache(maxsize=64)
def _compose(text: str) -> yaml.Node | None:
    """Parse a document; the shipped ones are read many times in a process."""
    return yaml.compose(text, Loader=_Loader)


def to_python(node: yaml.Node) -> Any:
    """Return a node of `compose` as plain Python types; keys are text."""
    if isinstance(node, yaml.MappingNode):
        return {key.value: to_python(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [to_python(value) for value in node.value]
    return scalar(node.value, node.tag, bare=False)


@lru_cache(maxsize=10_000)
def scalar(text: str, tag: str | None, *, bare: bool) -> object:
    """Return the value of a YAML scalar with its tag, if any.

    ``bare`` means without quotes.

    Raises
    ------
    ValueError
        Not plain data, not of the type of its tag, or too long.
    """
    tag = tag or (_implicit_tag(text) if bare else _PREFIX + "str")
    kind = tag.removeprefix(_PREFIX)
    if tag not in _TAGS:
        raise ValueError(f"tag {kind} is not supported")
    if kind == "str":
        if len(text) > MAX_CHARACTERS:
            raise ValueError(f"a text of {len(text)} characters; at most {MAX_CHARACTERS} are allowed")
        if control := _CONTROL.search(text):
            raise ValueError(f"character U+{ord(control[0]):04X} in a text controls terminals; leave it out")
        return text
    if kind == "null":
        return None
    if kind == "bool" and text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if kind in ("int", "float") and len(text) > MAX_DIGITS:
        raise ValueError(f"a number of {len(text)} characters; at most {MAX_DIGITS} are allowed")
    if kind in ("int", "float") and _INT.fullmatch(text):
        number = int(text.replace("_", ""), 0)
        return float(number) if kind == "float" else number
    if kind == "float" and _FLOAT.fullmatch(text):
        return float(re.sub(r"_|\.(?=[A-Za-z])", "", text))
    raise ValueError(f"{text[:MAX_DIGITS]!r} is not of type {kind}")


def one_line(text: str) -> str:
    """Return a message on one line; only both ends of a long one."""
    text = "\\n".join(text.splitlines())
    return text if len(text) <= 2 * MAX_SHOWN else f"{text[:MAX_SHOWN]} ... {text[-MAX_SHOWN:]}"


def not_yaml(path: Path, text: str, error: yaml.YAMLError) -> InputError:
    """Return the error for text that the YAML parser refuses."""
    if isinstance(error, yaml.reader.ReaderError):
        line = len(text[: error.position].splitlines()) if error.position > 0 else 1
        code = error.character if isinstance(error.character, int) else ord(error.character)
        hint = "; is the file UTF-16? save it as UTF-8" if code == 0 else ""
        return InputError(f"{path}: line {line}: not valid YAML: character U+{code:04X} is not allowed{hint}")
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or error
    where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"
    hint = "; indent with spaces, not tabs" if "'\\t'" in str(problem) else ""
    return InputError(f"{path}: {where}: not valid YAML: {problem}{hint}")


def _implicit_tag(text: str) -> str:
    """Return the implicit tag of a scalar without quotes."""
    if _INT.fullmatch(text):
        return _PREFIX + "int"
    if _FLOAT.fullmatch(text):
        return _PREFIX + "float"
    for tag, pattern in yaml.SafeLoader.yaml_implicit_resolvers.get(text[:1], []):
        if tag.removeprefix(_PREFIX) not in ("int", "float", "timestamp") and pattern.match(text):
            return str(tag)
    return _PREFIX + "str"


class _Loader(yaml.SafeLoader):
    """Loader that refuses anything but plain data, with its line; a date is text."""

    depth = nodes = 0

    def resolve(self, kind: type[yaml.Node], value: str, implicit: Any) -> str:
        """Return the tag of a node without one."""
        if kind is yaml.ScalarNode and implicit[0]:
            return _implicit_tag(value)
        return str(super().resolve(kind, value, implicit))  # type: ignore[no-untyped-call]

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose the next node, and those in it."""
        if self.check_event(yaml.AliasEvent):
            raise _RefusedError(self.get_event(), "aliases (*name) are not supported; write the value out")  # type: ignore[no-untyped-call]
        if self.depth > MAX_DEPTH:
            raise _RefusedError(self.peek_event(), f"nested more than {MAX_DEPTH} deep")  # type: ignore[no-untyped-call]
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise _RefusedError(self.peek_event(), f"more than {MAX_NODES} keys and values")  # type: ignore[no-untyped-call]
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        if node is not None:
            _check(node)
        return node


def _check(node: yaml.Node) -> None:
    """Refuse a node that is not plain data, and keys that are no text or double."""
    if node.tag not in _TAGS:
        hint = f"; put {node.value[:MAX_DIGITS]} in quotes if it is text" if isinstance(node, yaml.ScalarNode) else ""
        raise _RefusedError(node, f"tag {node.tag.removeprefix(_PREFIX)} is not supported{hint}")
    if isinstance(node, yaml.ScalarNode):
        try:
            scalar(node.value, node.tag, bare=False)
        except ValueError as error:
            raise _RefusedError(node, str(error)) from None
    elif isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _RefusedError(key, "a key must be plain text")
            if key.value in keys:
                raise _RefusedError(key, f"duplicate key '{key.value[:MAX_DIGITS]}'")
            keys.add(key.value)


class _RefusedError(Exception):
    """Valid YAML that is refused, with its line."""

    def __init__(self, at: Any, text: str) -> None:
        super().__init__(text)
        self.line = at.start_mark.line + 1
