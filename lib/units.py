"""Parse units of files, profiles and documents, within bounds."""

from __future__ import annotations

import re
import warnings
from functools import lru_cache

import astropy.units as u

MAX_CHARACTERS = 80

FACTORS = 1e-40, 1e12
"""Smallest and largest factor before a unit, as in ``1e-29 erg / (s cm2 Hz)`` or ``0.001 mag``."""

UNIT_SPELLINGS = {
    word: unit
    for unit, words in {
        "deg": "deg degs degree degrees",
        "arcmin": "arcmin arcmins arcminute arcminutes",
        "arcsec": "arcsec arcsecs arcsecond arcseconds",
        "mas": "mas milliarcsec milliarcsecs milliarcsecond milliarcseconds",
        "uas": "uas microarcsec microarcsecs microarcsecond microarcseconds",
        "rad": "rad rads radian radians",
        "hourangle": "hourangle hourangles",
        "mag": "mag mags magnitude magnitudes abmag mag_ab",
        "mmag": "mmag mmags millimag millimags millimagnitude millimagnitudes",
        "Jy": "jy jansky janskys janskies",
        "uJy": "ujy microjansky microjanskys microjanskies",
        "nJy": "njy nanojansky nanojanskys nanojanskies",
        "nmgy": "nmgy nanomaggy nanomaggys nanomaggies",
        "mgy": "maggy maggys maggies",
        "ct": "ct cts count counts",
        "adu": "adu adus",
        "DN": "dn dns",
        "electron": "e electron electrons",
        "photon": "photon photons",
        "pix": "pix pixel pixels",
        "s": "sec secs second seconds",
        "min": "minute minutes",
        "h": "hr hrs hour hours",
        "d": "day days",
        "yr": "yr yrs year years",
        "m": "meter meters metre metres",
        "um": "micron microns micrometer micrometers",
        "nm": "nanometer nanometers nanometre nanometres",
        "angstrom": "angstrom angstroms",
        "erg": "erg ergs",
        "W": "watt watts",
        "Hz": "hz hertz",
        "%": "percent",
    }.items()
    for word in words.split()
}
"""Common spellings that astropy does not know, in lower case, and the astropy name of each."""

_FACTOR = re.compile(
    r"\s*([-+]?(?:[0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(?:[eE][-+]?[0-9]{1,3})?)\s*[*.]?(?!\*)\s*"
)
_POWER_OF_TEN = re.compile(r"\s*10(?:\*\*|\^)\(?([-+]?[0-9]{1,2})\)?\s*[*.]?\s*")
_NAME = re.compile(r"[^\W\d]+|%|°")
_NUMBER = r"[-+]?[0-9]{1,2}"
_PART = re.compile(
    rf"(?:\*\*|\^)\s*(?:{_NUMBER}(?:\.[0-9])?|\(\s*{_NUMBER}(?:\.[0-9]|\s*/\s*[0-9])?\s*\))"
    rf"|(?:[^\W\d]+|°)(?:{_NUMBER})?|%|\)(?:{_NUMBER})?|[\s*./(]"
)
"""A power, a name with or without a power, or a separator."""
_MAX_DEPTH = 3


def parse_unit(text: str, *, factor: bool = False) -> u.UnitBase:
    """Parse a unit of astropy or `UNIT_SPELLINGS`, or ``dimensionless``.

    Long powers and deep parentheses are refused, as astropy would evaluate them however long it takes. The zero point
    of a logarithmic unit is dropped: ``mag(AB)`` is ``mag``.

    Parameters
    ----------
    text : str
        Unit as written; empty text is ``dimensionless``.
    factor : bool
        Whether a number within `FACTORS` may precede the unit.

    Raises
    ------
    ValueError
        Not text, unknown, with a number before it, with long powers, or deeply nested.
    """
    if not isinstance(text, str):
        raise ValueError(f"{_shown(text)} is no unit; a unit is text, such as arcsec or mag")
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"{_shown(text)} is no unit; it has {len(text)} characters, of {MAX_CHARACTERS} at most")
    return _parse_cached(text, factor=factor)


def _shown(value: object) -> str:
    """Return the beginning of a value, on one line."""
    if isinstance(value, str):
        return repr(value[:40]) + "..." * (len(value) > 40)
    return str(value) if isinstance(value, bool | float) else f"a value of type {type(value).__name__}"


@lru_cache(maxsize=1_000)
def _parse_cached(text: str, *, factor: bool) -> u.UnitBase:
    if text.strip() == "dimensionless":
        return u.one
    number, rest = _split(text)
    if number != 1 and not factor:
        raise ValueError(f"{text!r} is no unit; no number may stand before it")
    if not FACTORS[0] <= number <= FACTORS[1]:
        raise ValueError(f"{text!r} is no unit; its factor is not from {FACTORS[0]:g} to {FACTORS[1]:g}")
    unit = _without_factor(rest, text)
    return unit if number == 1 else u.CompositeUnit(number, [unit], [1])


def _split(text: str) -> tuple[float, str]:
    """Split the number before a unit (default 1) and the unit."""
    if match := _POWER_OF_TEN.match(text):
        return 10.0 ** int(match[1]), text[match.end() :]
    match = _FACTOR.match(text)
    return (float(match[1]), text[match.end() :]) if match else (1.0, text)


def _without_factor(rest: str, text: str) -> u.UnitBase:
    """Parse a unit without a number before it; messages name ``text``."""
    rest = re.sub(r"\be-(?![0-9])", "electron", rest).strip()
    end, depth = 0, 0
    while end < len(rest):
        match = _PART.match(rest, end)
        if match is None:
            raise ValueError(f"{text!r} is no unit; {rest[end]!r} is out of place there")
        depth += (match[0] == "(") - match[0].startswith(")")
        if depth > _MAX_DEPTH:
            raise ValueError(f"{text!r} is no unit; its parentheses are nested too deeply")
        end = match.end()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", u.UnitsWarning)  # several slashes, which FITS discourages
            unit = u.Unit(_NAME.sub(lambda name: _astropy_name(name[0]), "1" * rest.startswith("/") + rest))
        unit = getattr(unit, "function_unit", unit)
        if isinstance(unit, u.UnitBase) and 1e-200 < abs(unit.decompose().scale) < 1e200:
            return unit
    except (ValueError, TypeError, ArithmeticError) as error:
        meant = re.search(r"Did you mean ([^?]{1,80}\?)", str(error))
        hint = f"did you mean {meant[1]}" if meant else "write it as deg, arcsec, mag, nJy or mas / yr"
        raise ValueError(f"{text!r} is not known to astropy; {hint}") from None
    raise ValueError(f"{text!r} is no unit that can be converted")


def _astropy_name(name: str) -> str:
    """Return the astropy name of a unit."""
    return name if name in _known_units() else UNIT_SPELLINGS.get(name.lower(), name)


@lru_cache(maxsize=1)
def _known_units() -> frozenset[str]:
    """Return all names that astropy knows, with prefixes."""
    return frozenset(u.get_current_unit_registry().registry)
