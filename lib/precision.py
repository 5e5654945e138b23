"""Precision of positions: the step to which they were rounded."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from skyaccept.lib.catalog import Array
from skyaccept.lib.sphere import MAS, Float

NOTED = 1.0
"""Least step that is noted, mas.

Rounding to a step s adds an error of s / sqrt(12) to each coordinate: 0.3 mas here, which makes a separation error of
10 mas, the design level of AM1, larger by one part in a thousand.
"""

FEWEST = 20
"""Different values below which nothing is said about their step."""

_SAMPLE = 4096  # values that are looked at first
_SMALL = 256  # differences of neighbours that are looked at
_STEP = 1_000_000  # rows that are looked at at a time
_UNITS = (1.0, np.pi / 180, 1 / 15, 3600.0)  # of a degree: files hold degrees, radians, hours or arcseconds
_TOLERANCE = 1e-9  # degrees; rounding of float64 is 1e-13
_FINEST = NOTED * float(np.degrees(MAS)) / 2  # degrees

_DECIMALS = sorted(
    (size for unit in (1.0, 15.0, 1 / 3600, 15 / 3600) for k in range(8) if (size := unit / 10**k) > _FINEST),
    reverse=True,
)
"""Last decimals of degrees and hours, and of the arcseconds and seconds of sexagesimal numbers; degrees."""


def note(ra: Array, dec: Array) -> str:
    """Sentence on the precision of positions in degrees where they are rounded to `NOTED` or more; else empty."""
    steps = {"RA": step(ra), "Dec": step(dec)}
    north = dec[np.isfinite(dec)]
    if not len(north):
        return ""
    size = {
        "RA": steps["RA"][0] * float(np.cos(np.radians(np.median(north[:: max(1, len(north) // _SAMPLE)])))),
        "Dec": steps["Dec"][0],
    }
    coarse = max(size, key=lambda name: size[name])
    mas = size[coarse] / float(np.degrees(MAS))
    if mas < NOTED:
        return ""
    why = "single precision" if steps[coarse][1] else "rounded"
    return f"positions have a precision of about {mas:.3g} mas in {coarse} ({why}): errors below that are not seen"


def step(values: Array) -> tuple[float, bool]:
    """Step of coordinates, degrees, and whether it is that of single precision; 0 where there is none to speak of.

    Parameters
    ----------
    values : (n,) float
        Degrees. A sample is looked at first, and all of them where it has a step.
    """
    finite = values[:: max(1, len(values) // _SAMPLE)].astype(np.float64)
    distinct = np.unique(finite[np.isfinite(finite)])
    if len(distinct) < FEWEST:
        return 0.0, False
    for unit in _UNITS:
        if _single(distinct * unit) and all(_single(part * unit) for part in _parts(values)):
            return float(np.spacing(np.float32(np.median(np.abs(distinct)) * unit))) / unit, True
    size = _common_step(distinct)
    if size and all(_multiples(part - distinct[0], size) for part in _parts(values)):
        return size, False
    for size in _DECIMALS:
        if _multiples(distinct, size) and all(_multiples(part, size) for part in _parts(values)):
            return size, False
    return 0.0, False


def _parts(values: Array) -> Iterator[Float]:
    """Finite values, in parts."""
    for start in range(0, len(values), _STEP):
        part = values[start : start + _STEP].astype(np.float64)
        yield part[np.isfinite(part)]


def _single(values: Float) -> bool:
    """Whether all values are those of single precision, but for the last digits, which a change of units takes."""
    return bool((np.abs(values - values.astype(np.float32)) <= 4 * np.spacing(np.abs(values))).all())


def _multiples(values: Float, of: float) -> bool:
    return bool((np.abs(values - np.round(values / of) * of) <= _TOLERANCE).all())


def _common_step(ordered: Float) -> float:
    """Largest step that all differences of some values are multiples of, by Euclid's algorithm; 0 below `_FINEST`.

    Far more steps across than there are values hide it: rounding then leaves remainders of its own.
    """
    differences = np.diff(ordered)
    differences = differences[differences > _TOLERANCE]
    found = float(differences.min(initial=np.inf))
    # many times an inaccurate step leaves a remainder of its own
    small = np.sort(differences)[:_SMALL]
    rest = small
    while len(rest):
        if found < _FINEST:
            return 0.0
        rest = np.mod(small, found)
        rest = np.minimum(rest, found - rest)
        rest = rest[rest > _TOLERANCE]
        found = float(rest.min(initial=found))
    # the whole range tells the step best
    return float(differences.sum() / np.round(differences / found).sum()) if np.isfinite(found) else 0.0
