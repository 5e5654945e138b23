"""Reading of YAML documents: what is refused, and that the complaint names file, line and key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import astropy.units as u
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skyaccept.lib import strict_yaml, yaml_text
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.strict_yaml import Quantity


@dataclass(frozen=True)
class Entry:
    """An entry of the small schema."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "arbitrary_types_allowed": True}
    id: str
    width: Quantity
    count: int = 0


@dataclass(frozen=True)
class Small:
    """A small schema."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "arbitrary_types_allowed": True}
    title: str
    entries: tuple[Entry, ...] = ()
    extra: Mapping[str, int] = field(default_factory=dict)


def refused(folder: Path, content: str | bytes) -> tuple[Path, str]:
    """Path and complaint of a document that has to be refused."""
    path = folder / "small.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(InputError) as caught:
        strict_yaml.read(path, Small)
    return path, str(caught.value)


def test_a_document_becomes_frozen_dataclasses(tmp_path: Path) -> None:
    """Values arrive typed, with units."""
    path = tmp_path / "small.yaml"
    path.write_text("title: T\nentries:\n  - {id: A, width: 5 arcmin, count: 2}\n")
    small, place = strict_yaml.read(path, Small)
    assert small == Small("T", (Entry("A", 5 * u.arcmin, 2),))
    assert place.path == path


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    """Editors on Windows write one."""
    path = tmp_path / "small.yaml"
    path.write_bytes(b"\xef\xbb\xbftitle: T\r\n")
    assert strict_yaml.read(path, Small)[0].title == "T"


FAULTS = {
    "unknown key": ("title: T\nrubbish: 1  # HERE\n", "unknown key 'rubbish'"),
    "unknown key with a block below it": ("title: T\nrubbish:  # HERE\n  - 1\n  - 2\n", "unknown key 'rubbish'"),
    "unknown key without a value": ("title: T\nrubbish:  # HERE\n", "unknown key 'rubbish'"),
    "unknown key in an entry": (
        "title: T\nentries:\n  - id: A\n    width: 1 mas\n    rubbish: 1  # HERE\n",
        "A: unknown key 'rubbish'",
    ),
    "missing key": ("extra: {a: 1}  # HERE\n", "key 'title' is missing"),
    "missing key in an entry": (
        "title: T\nentries:\n  - {id: A, width: 1 mas}\n  - {id: B}  # HERE\n",
        "B: key 'width' is missing",
    ),
    "wrong type": ("title: T\nextra:\n  a: 1\n  b: two  # HERE\n", "key 'b'"),
    "missing unit": ("title: T\nentries:\n  - id: A\n    width: 5  # HERE\n", "A: key 'width': 5 has no unit"),
    "missing unit in text": ("title: T\nentries:\n  - id: A\n    width: '5'  # HERE\n", "key 'width': '5' has no unit"),
    "unknown unit": (
        "title: T\nentries:\n  - id: A\n    width: 5 arcmim  # HERE\n",
        "unit 'arcmim' is not known to astropy; did you mean arcmin",
    ),
    "not a number": ("title: T\nentries:\n  - id: A\n    width: wide  # HERE\n", "key 'width': 'wide' is not a number"),
    "duplicate key": ("title: T\nextra: {}\ntitle: U  # HERE\n", "duplicate key 'title'"),
    "duplicate key further in": ("title: T\nextra:\n  a: 1\n  b: 2\n  a: 1  # HERE\n", "duplicate key 'a'"),
    "alias": ("title: &name T\nextra:\n  a: 1\nentries: *name  # HERE\n", "aliases"),
    "tag of an own kind": ("title: !mine T  # HERE\n", "tag !mine"),
    "tag on a list": ("title: T\nentries: !mine [1]  # HERE\n", "tag !mine"),
    "tag on a mapping": ("title: T\nextra: !mine {a: 1}  # HERE\n", "tag !mine"),
    "tag on a key": ("title: T\n!mine extra: {a: 1}  # HERE\n", "tag !mine"),
    "Python object": ("title: !!python/object:os.system ls  # HERE\n", "tag"),
    "Python call": ("title: !!python/object/apply:os.system [ls]  # HERE\n", "tag"),
    "Python name as key": ("title: T\n!!python/name:os.system extra: {a: 1}  # HERE\n", "tag"),
    "merge key": ("title: T\n<<: {extra: {a: 1}}  # HERE\n", "<<"),
    "tab": ("title: T\nextra:\n\ta: 1  # HERE\n", "tabs"),
    "mapping as key": ("title: T\n? {a: b}  # HERE\n: 1\n", "key must be plain text"),
    "not a mapping": ("- title  # HERE\n", "expected a mapping"),
    "empty": ("", "expected a mapping"),
    "two documents": ("title: T\n---  # HERE\ntitle: U\n", "another document"),
    "unclosed bracket": ("title: T\nentries: [1, 2\nextra: {}  # HERE\n", "not valid YAML"),
    "impossible date": ("title: T\nextra: {a: 1}\nentries: 2024-13-45  # HERE\n", "2024-13-45"),
    "lone equals sign": ("title: =  # HERE\n", "="),
    "not an integer by its tag": ("title: T\nextra: {a: !!int x}  # HERE\n", ""),
    "number of five thousand digits": ("title: T\nextra: {a: " + "1" * 5000 + "}  # HERE\n", ""),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_complaint_names_file_line_and_key(tmp_path: Path, fault: str) -> None:
    """One line, for one fault, at the line that has to be changed."""
    content, words = FAULTS[fault]
    line = content[: content.find("# HERE")].count("\n") + 1 if content else 1
    path, message = refused(tmp_path, content)
    assert message.startswith(f"{path}: line {line}")
    assert words in message
    assert "\n" not in message


def test_every_fault_is_named_in_one_go(tmp_path: Path) -> None:
    """Two faults make two lines."""
    path, message = refused(tmp_path, "title: T\nrubbish: 1\nentries:\n  - {id: A, width: 5}\n")
    assert sorted(message.split("\n")) == [
        f"{path}: line 2: unknown key 'rubbish'",
        f"{path}: line 4: A: key 'width': 5 has no unit; write a number and a unit, such as '5 arcmin'",
    ]


@pytest.mark.parametrize("nesting", ["[", "{a: ", "- ", "? "])
def test_deep_nesting_is_refused(tmp_path: Path, nesting: str) -> None:
    """The interpreter's stack holds."""
    path, message = refused(tmp_path, f"title: T\nextra: {nesting * 5000}")
    assert message.startswith(f"{path}: ")
    assert len(message) < 1000


def test_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    """The message says at which byte."""
    path, message = refused(tmp_path, "title: Größe\n".encode("latin-1"))
    assert message == f"{path}: not UTF-8 text (byte 9); is this a YAML document?"


def test_control_characters_are_refused(tmp_path: Path) -> None:
    """As YAML demands."""
    path, message = refused(tmp_path, "title: \x07\n")
    assert message == f"{path}: line 1: not valid YAML: character U+0007 is not allowed"


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    """As is a folder in its place."""
    with pytest.raises(InputError, match=r"absent\.yaml: cannot be read: No such file"):
        strict_yaml.read(tmp_path / "absent.yaml", Small)
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        strict_yaml.read(tmp_path, Small)


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """A sparse file costs nothing to make."""
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(yaml_text.MAX_BYTES + 1)
    with pytest.raises(InputError, match=rf"huge\.yaml: {yaml_text.MAX_BYTES + 1} bytes; .* at most"):
        strict_yaml.read(path, Small)


def test_a_later_check_can_name_the_place(tmp_path: Path) -> None:
    """`Place.error` finds the line and the ids on the way."""
    path = tmp_path / "small.yaml"
    path.write_text("title: T\nentries:\n  - id: A\n    width: 1 mas\n  - id: B\n    count: 3\n    width: 2 mas\n")
    _, place = strict_yaml.read(path, Small)
    error = place.error(("entries", 1, "width"), "too wide")
    assert isinstance(error, InputError)
    assert str(error) == f"{path}: line 7: B: too wide"
    assert str(place.error(("entries",), "no 'a\nb'")) == f"{path}: line 3: no 'a\\nb'"
    assert len(str(place.error(("entries",), "x" * 10_000))) < 2000


@pytest.mark.slow
@settings(deadline=None, max_examples=200)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    )
)
def test_any_yaml_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    """Whatever is in the file, nothing but an InputError comes out."""
    import yaml

    path = tmp_path_factory.mktemp("yaml") / "any.yaml"
    path.write_text(yaml.safe_dump({"title": "T", "extra": value, "entries": [value]}), encoding="utf-8")
    with pytest.raises(InputError, match=r"any\.yaml"):
        strict_yaml.read(path, Small)


@settings(deadline=None)
@given(st.floats(-1e12, 1e12), st.sampled_from(["mas", "arcmin", "percent", "mag", "deg", "km / s"]))
def test_a_quantity_is_a_number_and_a_unit(number: float, unit: str) -> None:
    """Bit for bit, with and without a blank."""
    for text in (f"{number!r} {unit}", f"{number!r}{unit}", f"  {number!r}   {unit} "):
        value = strict_yaml.quantity(text)
        assert value.value == number
        assert value.unit == u.Unit(unit)


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet="0123456789.+-eE masrcindg*/()^%'\"", max_size=12) | st.text(max_size=12))
def test_what_is_no_quantity_is_a_value_error(text: str) -> None:
    """Finite, or a ValueError that quotes the text."""
    try:
        value = strict_yaml.quantity(text)
    except ValueError as error:
        assert repr(text) in str(error)  # noqa: PT017  (whether it raises is for hypothesis to vary)
    else:
        assert abs(value.value) < float("inf")


@pytest.mark.parametrize("text", ["1e999 mas", "-1e999 mas"])
def test_a_quantity_is_finite(text: str) -> None:
    """An overflow is not a limit."""
    with pytest.raises(ValueError, match="finite"):
        strict_yaml.quantity(text)


def test_a_malformed_number_is_not_blamed_on_the_unit() -> None:
    """The unit in '1.2.3 mas' is fine."""
    with pytest.raises(ValueError, match="not a number with a unit"):
        strict_yaml.quantity("1.2.3 mas")


@pytest.mark.parametrize("text", ["5 10 mas", "1 000 mas", "5 1e3"])
def test_a_quantity_holds_one_number(text: str) -> None:
    """A second number is a slip of the pen, not a factor."""
    with pytest.raises(ValueError, match=text):
        strict_yaml.quantity(text)


@pytest.mark.parametrize("value", [True, None, [5], {"a": 1}, 5, 5.0])
def test_a_quantity_without_a_unit_is_refused(value: object) -> None:
    """Numbers without units are not quantities."""
    with pytest.raises(ValueError, match="has no unit"):
        strict_yaml.quantity(value)


def test_a_dimensionless_number_may_stand_alone() -> None:
    """Where a column has no unit."""
    assert strict_yaml.number_or_quantity(50) == 50 * u.one
    assert strict_yaml.number_or_quantity(0.5).unit == u.one
    assert strict_yaml.number_or_quantity("17.5 mag") == 17.5 * u.mag
    for value in (True, "50", None):
        with pytest.raises(ValueError, match="has no unit"):
            strict_yaml.number_or_quantity(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_dimensionless_number_is_finite(value: float) -> None:
    """A bound of NaN would reject every row."""
    with pytest.raises(ValueError, match="finite"):
        strict_yaml.number_or_quantity(value)


def test_one_of_names_the_choice() -> None:
    """And returns the word."""
    check = strict_yaml.one_of("each", "median")
    assert check("median") == "median"
    for value in ("Median", None, 3, ["each"]):
        with pytest.raises(ValueError, match="is not one of each, median"):
            check(value)


def test_units_are_written_as_in_documents() -> None:
    """Percent is a word, a bare number stays bare."""
    assert strict_yaml.unit_name(u.percent) == "percent"
    assert strict_yaml.unit_name(u.mas) == "mas"
    assert strict_yaml.text_of(20 * u.mas) == "20 mas"
    assert strict_yaml.text_of(10 * u.percent) == "10 percent"
    assert strict_yaml.text_of(u.Quantity(0.5)) == "0.5"
    assert strict_yaml.quantity(strict_yaml.text_of(7.5 * u.mas)) == 7.5 * u.mas


@pytest.mark.parametrize("text", ["1 m**99999", "1 m 10**999999999", "1 m.1e999", "1 " + "m" * 81])
def test_a_unit_has_short_numbers(text: str) -> None:
    """Astropy would work out the power, for hours."""
    with pytest.raises(ValueError, match="is no unit"):
        strict_yaml.quantity(text)
