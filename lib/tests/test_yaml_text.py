"""YAML as text: encodings, bounds, and scalars that can be read in one way only."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from skyaccept.lib import yaml_text
from skyaccept.lib.exceptions import InputError


def read(folder: Path, content: str | bytes) -> Any:
    """Plain value of a document with this content."""
    path = folder / "x.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return yaml_text.to_python(yaml_text.compose(path, yaml_text.read_text(path)))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\xef\xbb\xbfa: 1\n", {"a": 1}),
        ("a: 1\r\nb: |\r\n  x\r\n  y\r\n", {"a": 1, "b": "x\ny\n"}),
        ("a: 1\rb: 2\r", {"a": 1, "b": 2}),
        ("a: 1", {"a": 1}),
        ("---\na: 1\n...\n", {"a": 1}),
        ("%YAML 1.1\n---\na: 1\n", {"a": 1}),
        ("# Größe\na: Größe\n", {"a": "Größe"}),
        ("{}\n", {}),
    ],
    ids=["mark", "CRLF", "CR", "no end", "marks", "directive", "beyond ASCII", "empty mapping"],
)
def test_text_is_read_however_it_was_saved(tmp_path: Path, content: str | bytes, expected: object) -> None:
    assert read(tmp_path, content) == expected


@pytest.mark.parametrize(
    ("scalar", "expected"),
    [
        ("12:30", "12:30"),
        ("1:2:3.5", "1:2:3.5"),
        ("010", "010"),
        ("08", "08"),
        ("0", 0),
        ("-17", -17),
        ("1_000", 1000),
        ("0x1F", 31),
        ("0b101", 5),
        ("1.50", 1.5),
        (".5", 0.5),
        ("-1.5e+3", -1500.0),
        ("1e5", "1e5"),
        (".inf", float("inf")),
        ("-.Inf", float("-inf")),
        ("2027-03-31", "2027-03-31"),
        ("2027-03-31 12:30:00", "2027-03-31 12:30:00"),
        ("true", True),
        ("no", False),
        ("y", "y"),
        ("~", None),
        ("", None),
        ("'no'", "no"),
        ('"1.10"', "1.10"),
        ("!!str 1.10", "1.10"),
        ("!!float 5", 5.0),
        ("!!null x", None),
    ],
)
def test_a_scalar_is_a_number_only_where_it_can_be_no_other(tmp_path: Path, scalar: str, expected: object) -> None:
    """YAML 1.1 takes ``12:30`` for 750 and ``010`` for 8."""
    found = read(tmp_path, f"a: {scalar}\n")["a"]
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize("key", ["1.10", "010", "no", "1:30", "0x1F", "~", "1"])
def test_a_key_is_the_text_that_stands_there(tmp_path: Path, key: str) -> None:
    assert read(tmp_path, f"a: {{{key}: x}}\n") == {"a": {key: "x"}}


REFUSED: dict[str, tuple[str | bytes, str]] = {
    "UTF-16": ("a: 1\n".encode("utf-16"), "UTF-16 text; save it as UTF-8"),
    "UTF-16 of the other order": (b"\xfe\xff" + "a: 1\n".encode("utf-16-be"), "UTF-16 text; save it as UTF-8"),
    "UTF-16 without mark": (
        "a: 1\n".encode("utf-16-le"),
        "line 1: not valid YAML: character U+0000 is not allowed; is the file UTF-16? save it as UTF-8",
    ),
    "NUL": ("a: 1\nb: x\0y\n", "line 2: not valid YAML: character U+0000 is not allowed"),
    "escape": ("a: \x1b[31m\n", "line 1: not valid YAML: character U+001B is not allowed"),
    "escape by its escape": ('a: "\\e[31m"\n', "line 1: character U+001B in a text controls terminals; leave it out"),
    "escape in a key": ('"\\x9b": 1\n', "line 1: character U+009B in a text controls terminals; leave it out"),
    "turned direction": ("a: x\u202ey\n", "line 1: character U+202E in a text controls terminals; leave it out"),
    "Latin-1": ("a: Größe\n".encode("latin-1"), "not UTF-8 text (byte 5); is this a YAML document?"),
    "bytes": (bytes(range(128, 256)), "not UTF-8 text (byte 0); is this a YAML document?"),
    "tab as indentation": ("a:\n\tb: 1\n", "line 2, column 1: not valid YAML"),
    "nothing": ("", "line 1: expected a mapping of keys to values"),
    "comments only": ("# a\n", "line 1: expected a mapping of keys to values"),
    "list": ("- a\n", "line 1: expected a mapping of keys to values"),
    "text": ("a\n", "line 1: expected a mapping of keys to values"),
    "two documents": ("a: 1\n---\nb: 2\n", "line 2, column 1: not valid YAML: but found another document"),
    "document behind the end": ("a: 1\n...\nb: 2\n", "line 3, column 1: not valid YAML"),
    "alias": ("a: &x 1\nb: *x\n", "line 2: aliases (*name) are not supported"),
    "merge": ("a: 1\n<<: {b: 1}\n", "line 2: tag merge is not supported; put << in quotes"),
    "set": ("a: !!set {b}\n", "line 1: tag set is not supported"),
    "binary": ("a: !!binary aGk=\n", "line 1: tag binary is not supported"),
    "own tag": ("a: !mine 1\n", "line 1: tag !mine is not supported"),
    "Python": ("a: !!python/object/apply:os.system [ls]\n", "tag python/object/apply:os.system is not supported"),
    "equals sign": ("a: =\n", "line 1: tag value is not supported; put = in quotes"),
    "integer that is none": ("a: !!int x\n", "line 1: 'x' is not of type int"),
    "octal by its tag": ("a: !!int 010\n", "line 1: '010' is not of type int"),
    "number that is none": ("a: !!float ''\n", "line 1: '' is not of type float"),
    "truth that is none": ("a: !!bool maybe\n", "line 1: 'maybe' is not of type bool"),
    "long integer": ("a: " + "9" * 5000 + "\n", "line 1: a number of 5000 characters"),
    "long hexadecimal": ("a: 0x" + "f" * 99_999 + "\n", "a number of 100001 characters; at most 60 are allowed"),
    "long fraction": ("a: 0." + "9" * 5000 + "\n", "a number of 5002 characters; at most 60 are allowed"),
    "long text": ("a: " + "x" * 20_001 + "\n", "a text of 20001 characters; at most 20000 are allowed"),
    "duplicate key": ("a: 1\nb: {c: 1, c: 2}\n", "line 2: duplicate key 'c'"),
    "duplicate key in quotes": ("1: a\n'1': b\n", "line 2: duplicate key '1'"),
    "mapping as key": ("? {a: 1}\n: 2\n", "line 1: a key must be plain text"),
    "nested lists": ("a: " + "[" * 42 + "]" * 42, "nested more than 40 deep"),
    "nested mappings": ("".join(f"{' ' * n}a:\n" for n in range(50)), "nested more than 40 deep"),
    "open brackets": ("a: " + "[" * 400_000, "nested more than 40 deep"),
    "open quote": ("a: 'x\n" * 2000, "not valid YAML"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_read_in_one_way_is_refused_in_one_line(tmp_path: Path, kind: str) -> None:
    content, words = REFUSED[kind]
    with pytest.raises(InputError) as complaint:
        read(tmp_path, content)
    message = str(complaint.value)
    assert message.startswith(f"{tmp_path / 'x.yaml'}: ")
    assert words in message
    assert "\n" not in message
    assert len(message) < 500


def test_sexagesimal_numbers_of_many_parts_are_text(tmp_path: Path) -> None:
    """As numbers, they took more digits than Python writes."""
    text = ":".join(["1"] * 3000)
    assert read(tmp_path, f"a: {text}\n") == {"a": text}


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.yaml")
    with pytest.raises(InputError, match=r"x\.yaml: cannot be read: not a regular file"):
        yaml_text.read_text(tmp_path / "x.yaml")


def test_a_document_of_the_largest_size_is_read(tmp_path: Path) -> None:
    content = "a: [1, 2]\n"
    assert read(tmp_path, content + "#" * (yaml_text.MAX_BYTES - len(content))) == {"a": [1, 2]}
    with pytest.raises(InputError, match=r"x\.yaml: 1000001 bytes; a document may have at most 1000000"):
        read(tmp_path, content + "#" * (yaml_text.MAX_BYTES + 1 - len(content)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "values", ["[" + "1, " * 60_000 + "]", "{" + ", ".join(f"k{n}" for n in range(60_000)) + "}"], ids=len
)
def test_a_document_has_a_limited_number_of_values(tmp_path: Path, values: str) -> None:
    with pytest.raises(InputError, match=r"line 1: more than 50000 keys and values"):
        read(tmp_path, f"a: {values}\n")
