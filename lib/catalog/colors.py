r"""Colours: ranges, colour terms, and the straight part of the stellar locus.

A colour term converts magnitudes of a reference catalog to the system of a survey. With :math:`c` the
colour of the star in two bands of the reference catalog, in mag,

.. math:: m = m_\mathrm{ref} + \sum_k a_k c^k,

as in lsst/pipe_tasks colorterms.py. A term holds for stars within ranges of colours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import astropy.units as u
import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, PlainValidator
from skyaccept.lib import strict_yaml
from skyaccept.lib.strict_yaml import STRICT, Words

Magnitudes = Mapping[str, NDArray[Any]]


def _color(value: object) -> tuple[str, str]:
    if not isinstance(value, list) or not all(isinstance(band, str) for band in value) or len(set(value)) != 2:
        raise ValueError("expected two different bands, such as [r, i]")
    return value[0], value[1]


MagnitudeValue = Annotated[float, PlainValidator(strict_yaml.number_in(u.mag))]
Color = Annotated[tuple[str, str], PlainValidator(_color)]


@dataclass(frozen=True)
class ColorRange:
    """Range of a colour, first band minus second, in mag, bounds included."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    color: Color
    at_least: MagnitudeValue = -np.inf
    at_most: MagnitudeValue = np.inf

    def __post_init__(self) -> None:
        """Refuse a range without a bound, and swapped bounds."""
        if not (np.isfinite(self.at_least) or np.isfinite(self.at_most)):
            raise ValueError("give at_least or at_most")
        if self.at_least > self.at_most:
            raise ValueError(f"at_least is {self.at_least:g} mag, above at_most, {self.at_most:g} mag")

    def contains(self, mags: Magnitudes) -> NDArray[np.bool_]:
        """Return which stars lie in the range; False where a magnitude is unknown."""
        color = self.values(mags)
        return np.asarray((color >= self.at_least) & (color <= self.at_most))

    def values(self, mags: Magnitudes) -> NDArray[np.float64]:
        """Compute the colour of each star."""
        return np.asarray(mags[self.color[0]] - mags[self.color[1]])

    def __str__(self) -> str:
        low = f"{self.at_least:g} <= " if np.isfinite(self.at_least) else ""
        high = f" <= {self.at_most:g}" if np.isfinite(self.at_most) else ""
        return f"{low}{'-'.join(self.color)}{high}"


def _closed(color_range: ColorRange) -> ColorRange:
    if not (np.isfinite(color_range.at_least) and np.isfinite(color_range.at_most)):
        raise ValueError("give at_least and at_most")
    return color_range


ClosedRange = Annotated[ColorRange, AfterValidator(_closed)]


@dataclass(frozen=True)
class ColorTerm:
    """Colour term of one band of a survey.

    Attributes
    ----------
    reference : str
        Band of the reference catalog to convert.
    color : tuple of str
        Two bands of the reference catalog, the first minus the second.
    coefficients : tuple of float
        Coefficients of the powers 0, 1, ... of the colour, in mag.
    range : tuple of ColorRange
        The term holds for stars in all of them.
    source : str
        Source of the coefficients.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    reference: str
    color: Color
    coefficients: Annotated[tuple[MagnitudeValue, ...], Field(min_length=1)]
    range: Annotated[tuple[ColorRange, ...], Field(min_length=1)]
    source: Words

    @property
    def measured(self) -> tuple[str, ...]:
        """Bands of the reference catalog that enter the magnitude."""
        return tuple(dict.fromkeys((self.reference, *self.color)))

    @property
    def bands(self) -> tuple[str, ...]:
        """Bands of the reference catalog that enter the magnitude or the ranges."""
        return tuple(dict.fromkeys((*self.measured, *(band for one in self.range for band in one.color))))

    def magnitude(self, mags: Magnitudes) -> NDArray[np.float64]:
        """Predict magnitudes in the survey's band.

        NaN for unknown magnitudes, and outside the ranges.
        """
        color = mags[self.color[0]] - mags[self.color[1]]
        # Horner's scheme
        value = np.zeros(len(color))
        for coefficient in reversed(self.coefficients):
            value = value * color + coefficient
        holds = np.all([one.contains(mags) for one in self.range], axis=0)
        return np.where(holds, mags[self.reference] + value, np.nan)

    def __str__(self) -> str:
        powers = ("", " c", *(f" c^{k}" for k in range(2, len(self.coefficients))))
        terms = " ".join(f"{a:+g}{power}" for a, power in zip(self.coefficients, powers, strict=False))
        held = " and ".join(map(str, self.range))
        return f"{self.reference} {terms} mag, c = {'-'.join(self.color)}, where {held}"


@dataclass(frozen=True)
class Locus:
    """Straight part of the stellar locus in a plane of two colours.

    Attributes
    ----------
    x, y : ColorRange
        The colours, and the box of the first selection of stars.
    clips : tuple of float
        For each round of the fit, the largest distance of a star from the line, in standard deviations.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    x: ClosedRange
    y: ClosedRange
    clips: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)]

    @property
    def bands(self) -> tuple[str, ...]:
        """Bands of both colours."""
        return tuple(dict.fromkeys(self.x.color + self.y.color))
