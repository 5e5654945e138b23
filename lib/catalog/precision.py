"""Numerical precision of positions: the step to which they were rounded."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from skyaccept.lib.arrays import AnyArray, FloatArray
from skyaccept.lib.sphere import MAS

MIN_NOTED = 1.0
"""Smallest rounding step that is noted, mas.

Rounding to a step s adds an error of s / sqrt(12) to each coordinate: 0.3 mas for this step, which increases a
separation error of 10 mas, the design level of AM1, by 0.1 %.
"""

MIN_DISTINCT = 20
"""Smallest number of distinct values from which a step is estimated."""

MIN_FRACTION = 0.05
"""Smallest rounded fraction of the values that is noted, in excess of chance."""

_SAMPLE = 20_000  # rows, drawn at random, since consecutive rows share a visit
_SMALL = 256  # smallest differences of neighbours that are used
_UNITS = (1.0, np.pi / 180, 1 / 15, 3600.0)  # per degree: files hold degrees, radians, hours or arcseconds
_TOLERANCE = 1e-9  # degrees; rounding of float64 is 1e-13
_CLOSE = 1e-11  # degrees; chance alone makes few values multiples of the smallest step
_CHANCE = 5  # standard deviations
_FINEST = MIN_NOTED * float(np.degrees(MAS)) / 2  # degrees

_DECIMALS = sorted(
    {36 * 10**k for k in range(3, 12)}
    | {540 * 10**k for k in range(2, 11)}
    | {10**k for k in range(5, 10)}
    | {15 * 10**k for k in range(4, 10)},
    reverse=True,
)
"""Last decimals of degrees and hours, and of the arcseconds and seconds of sexagesimal numbers; 1e-6 mas."""


@dataclass(frozen=True)
class Step:
    """Rounding step of coordinates.

    Attributes
    ----------
    size : float
        Degrees; 0 for full precision.
    single : bool
        Whether the step is due to single precision.
    fraction : float
        Fraction of the values rounded to this step.
    """

    size: float = 0.0
    single: bool = field(default=False, kw_only=True)
    fraction: float = field(default=1.0, kw_only=True)


def precision_note(ra: AnyArray, dec: AnyArray) -> str:
    """Describe positions rounded to `MIN_NOTED` or more; "" for others."""
    steps = {"RA": rounding_step(ra), "Dec": rounding_step(dec)}
    north = dec[np.isfinite(dec)]
    if not len(north):
        return ""
    shrunk = float(np.cos(np.radians(np.median(north[:: max(1, len(north) // _SAMPLE)]))))
    size = {"RA": steps["RA"].size * shrunk, "Dec": steps["Dec"].size}
    mas = {name: value / float(np.degrees(MAS)) for name, value in size.items()}
    coarse = max(mas, key=lambda name: (mas[name] >= MIN_NOTED) * steps[name].fraction * mas[name])
    if mas[coarse] < MIN_NOTED:
        return ""
    share = steps[coarse].fraction
    why = "single precision" if steps[coarse].single else "rounded"
    rows = "positions" if share > 0.995 else f"{share:.0%} of the positions"
    return f"{rows} have a precision of about {mas[coarse]:.3g} mas in {coarse} ({why}): errors below that are not seen"


def rounding_step(values: AnyArray) -> Step:
    """Estimate the rounding step of coordinates from a sample.

    Parameters
    ----------
    values : (n,) float
        Degrees.

    Notes
    -----
    A step common to all values may have any size; a step of some values must be single precision or a decimal. Among
    several, the step with the largest product of size and fraction is returned.
    """
    if len(values) > _SAMPLE:
        values = values[np.random.default_rng(0).integers(0, len(values), _SAMPLE)]
    finite = values[np.isfinite(values)].astype(np.float64)
    distinct = np.unique(finite)
    if len(distinct) < MIN_DISTINCT:
        return Step()
    steps = _single(finite)
    if not any(step.fraction > 0.995 for step in steps):
        size = _common_step(distinct)
        if size and _multiples(distinct - distinct[0], size, _TOLERANCE).all():
            return Step(size)
        steps += _decimals(finite)
    return max(steps, key=lambda step: step.size * step.fraction, default=Step())


def _single(values: FloatArray) -> list[Step]:
    """Find a step of single precision, up to digits lost in a change of units."""
    steps = []
    for unit in _UNITS:
        held = values * unit
        rounded = np.abs(held - held.astype(np.float32)) <= 4 * np.spacing(np.abs(held))
        if _enough(values, rounded, 0.0):
            size = float(np.spacing(np.float32(np.median(np.abs(held[rounded]))))) / unit
            steps.append(Step(size, single=True, fraction=float(rounded.mean())))
    return sorted(steps, key=lambda step: -step.fraction)[:1]


def _decimals(values: FloatArray) -> list[Step]:
    """Find decimal steps with more multiples than chance and finer steps explain."""
    shares: dict[int, float] = {}
    steps = []
    for whole in reversed(_DECIMALS):
        size = whole * 1e-6 * float(np.degrees(MAS))
        multiples = _multiples(values, size, _CLOSE)
        share = float(multiples.mean())
        chance = max((share * finer / np.lcm(finer, whole) for finer, share in shares.items()), default=0.0)
        shares[whole] = share
        if size > _FINEST and _enough(values, multiples, max(float(chance), 2 * _CLOSE / size)):
            steps.append(Step(size, fraction=share))
    return steps


def _enough(values: FloatArray, chosen: AnyArray, chance: float) -> bool:
    """Return whether enough distinct values are rounded, in excess of chance."""
    scatter = np.sqrt(chance / len(values))
    return bool(
        chosen.mean() > chance + MIN_FRACTION + _CHANCE * scatter and len(np.unique(values[chosen])) >= MIN_DISTINCT
    )


def _multiples(values: FloatArray, of: float, tolerance: float) -> AnyArray:
    return np.asarray(np.abs(values - np.round(values / of) * of) <= tolerance)


def _common_step(ordered: FloatArray) -> float:
    """Find the largest common divisor of differences (Euclid); 0 below `_FINEST`.

    A range of far more steps than values hides the step, since rounding leaves remainders of its own.
    """
    differences = np.diff(ordered)
    differences = differences[differences > _TOLERANCE]
    divisor = float(differences.min(initial=np.inf))
    # a multiple of an inaccurate step leaves a remainder of its own
    small = np.sort(differences)[:_SMALL]
    rest = small
    while len(rest):
        if divisor < _FINEST:
            return 0.0
        rest = np.mod(small, divisor)
        rest = np.minimum(rest, divisor - rest)
        rest = rest[rest > _TOLERANCE]
        divisor = float(rest.min(initial=divisor))
    # the whole range determines the step best
    return float(differences.sum() / np.round(differences / divisor).sum()) if np.isfinite(divisor) else 0.0
