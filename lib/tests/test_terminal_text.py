import sys
import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from skyaccept.lib import terminal_text
from skyaccept.lib.exceptions import InputError


def test_what_steers_a_terminal_or_hides_is_shown_as_an_escape() -> None:
    text = "v1\x1b[31m\r\n\x9b2J\u202egnp\u2028\ufeff\udcff\x07é \N{GREEK SMALL LETTER MU}"
    assert terminal_text.safe(text) == (
        r"v1\x1b[31m\r\n\x9b2J\u202egnp\u2028\ufeff\udcff\x07é " + "\N{GREEK SMALL LETTER MU}"
    )


def test_ordinary_text_stays_as_it_is() -> None:
    for text in ("OSS-REQ-0388-AM1-r", "5 µm \N{EN DASH} 3\N{NO-BREAK SPACE}mas", "可視", "C:\\data\\x1b"):
        assert terminal_text.safe(text) == text


@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=20))
def test_safe_text_is_writable_without_control_characters(text: str) -> None:
    shown = terminal_text.safe(text)
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert shown.encode().decode() == shown
    assert terminal_text.safe(shown) == shown


def test_every_single_character_of_the_controls_is_escaped() -> None:
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
            assert terminal_text.safe(chr(code)).startswith("\\")


def test_an_error_has_exactly_one_line_for_each_message() -> None:
    """A line end within a name begins no line."""
    error = InputError("a.yaml: line 1: x", "b\nERROR: y.yaml: line 2")
    assert terminal_text.message(error).splitlines() == ["a.yaml: line 1: x", r"b\nERROR: y.yaml: line 2"]
    assert str(error) == "a.yaml: line 1: x\nb\nERROR: y.yaml: line 2"
