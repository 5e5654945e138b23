"""Units that files and documents state: spellings that are known, and what is refused at once."""

from __future__ import annotations

import astropy.units as u
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from skyaccept.lib.units import MAX_CHARACTERS, UNIT_SPELLINGS, parse_unit

FLUX = u.erg / (u.s * u.cm**2 * u.Hz)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("degrees", u.deg),
        ("Degree", u.deg),
        ("DEG", u.deg),
        ("arcseconds", u.arcsec),
        ("mags", u.mag),
        ("MAG", u.mag),
        ("ABmag", u.mag),
        ("mag(AB)", u.mag),
        ("nanojansky", u.nJy),
        ("counts", u.ct),
        ("ADU", u.adu),
        ("e-/s", u.electron / u.s),
        ("seconds", u.s),
        ("days", u.d),
        ("degrees/day", u.deg / u.d),
        ("mas.yr-1", u.mas / u.yr),
        ("mag / arcsec**2", u.mag / u.arcsec**2),
        ("mag/s/s", u.mag / u.s**2),
        ("deg^(-2)", u.deg**-2),
        ("1 / deg", u.deg**-1),
        ("°", u.deg),
        ("percent", u.percent),
        ("dimensionless", u.one),
        ("", u.one),
    ],
)
def test_units_are_known_by_their_common_spellings(text: str, unit: u.UnitBase) -> None:
    assert parse_unit(text) == unit
    assert parse_unit(text, factor=True) == unit


@pytest.mark.parametrize("word", sorted(UNIT_SPELLINGS.keys() - {"yr"}))
def test_every_spelling_is_a_unit_in_capitals(word: str) -> None:
    """But for YR, which astropy knows, as a yottarayleigh."""
    assert parse_unit(word) == u.Unit(UNIT_SPELLINGS[word])
    assert parse_unit(word.upper()) == parse_unit(word)


@pytest.mark.parametrize("text", ["MJY", "hms", "MIN", "none", "marsec", "**", ")", "deg)", "()"])
def test_ambiguous_or_wrong_names_are_unknown(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not known to astropy; (did you mean|write it as)"):
        parse_unit(text)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("0.001 mag", 0.001 * u.mag),
        ("1e-3mag", 0.001 * u.mag),
        ("10**(-3) mag", 0.001 * u.mag),
        ("1000 * mas", 1 * u.arcsec),
        ("10**-29 erg / (s cm2 Hz)", 1e-29 * FLUX),
        ("10^-29 erg.s-1.cm-2.Hz-1", 1e-29 * FLUX),
        ("1e-29 erg/s/cm2/Hz", 1e-29 * FLUX),
    ],
)
def test_a_factor_is_taken_where_it_is_allowed(text: str, unit: u.Quantity) -> None:
    assert (1 * parse_unit(text, factor=True)).to_value(unit.unit) == pytest.approx(unit.value, rel=1e-14)
    with pytest.raises(ValueError, match="no number may stand before it"):
        parse_unit(text)


@pytest.mark.parametrize("text", ["-1 mag", "-5 arcmin", "0 mag", "1e308 mag", "1e400 mag", "1e-300 mag", "9" * 20])
def test_factors_out_of_range_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="its factor is not from 1e-40 to 1e"):
        parse_unit(text, factor=True)


@pytest.mark.parametrize(
    "value", [None, True, 5, 0.001, float("nan"), ["mag"], {"mag": 1}, 10**5000], ids=lambda value: type(value).__name__
)
def test_only_text_is_a_unit(value: object) -> None:
    with pytest.raises(ValueError, match=r"is no unit; a unit is text, such as arcsec or mag"):
        parse_unit(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "10**9999999999 deg",
        "deg**(9**9**9)",
        "deg**9999999999",
        "(((9999 deg)**99)**99)**99",
        "(" * 30 + "deg" + ")" * 30,
        "sqrt(" * 10 + "m" + ")" * 10,
        "(" * 500_000 + "deg" + ")" * 500_000,
        "x" * 10_000_000,
        "deg 5",
        "mag 1e3",
        "5.2.1 mag",
        "deg,mag",
        "\0",
        "km99 km99",
        "--",
    ],
    ids=lambda text: text[:30],
)
@pytest.mark.parametrize("factor", [False, True])
def test_what_would_take_long_or_overflow_is_refused(text: str, factor: bool) -> None:
    with pytest.raises(ValueError, match=r"is no unit|is not known") as complaint:
        parse_unit(text, factor=factor)
    assert len(str(complaint.value)) < 4 * MAX_CHARACTERS


PARTS = ["deg", "mag", "km", "Jy", "10", "99", "9", "1e9", "1/3", "**", "^", "(", ")", "/", "*", ".", "-", " ", "sqrt"]


@given(st.lists(st.sampled_from(PARTS), max_size=20).map("".join) | st.text(max_size=MAX_CHARACTERS))
@example("((km99)99)99")
@example("10 km**(9/7)")
@settings(max_examples=300)
def test_any_text_is_a_unit_that_converts_or_is_refused(text: str) -> None:
    try:
        unit = parse_unit(text, factor=True)
    except ValueError:
        return
    assert isinstance(unit, u.UnitBase)
    assert unit.is_equivalent(unit.decompose())
    assert 0 < unit.to(unit.decompose()) < float("inf")
