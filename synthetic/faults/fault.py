"""Description of a fault, and the visits that it affects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import astropy.units as u
from skyaccept.lib.arrays import AnyArray
from skyaccept.synthetic.exposure import Exposure
from skyaccept.synthetic.random_streams import stream

MAX_STRENGTH = {"percent": 1000, "mas": 3.6e6, "arcsec": 3600, "mas / yr": 1e5, "yr": 200, "mmag": 1e4, "mag": 30}
"""Largest strength by unit, for faults without a limit of their own."""


@dataclass(frozen=True)
class Fault:
    """A fault of processing or calibration.

    Attributes
    ----------
    name : str
    apply : callable
        ``apply(exposure, strength)`` with the strength in ``unit``; returns None if no detection is left.
    unit : str
    text : str
        What is wrong, and what the strength means.
    expected : str
        Effect on the metrics, in closed form if there is one: s is the strength (in radians or as a fraction), sigma
        the error of a position per coordinate, n the number of visits.
    max_strength : float, optional
        Largest strength, if it differs from that of `MAX_STRENGTH`.
    """

    name: str
    apply: Callable[[Exposure, float], Exposure | None]
    unit: str
    text: str
    expected: str
    max_strength: float | None = None

    def measure(self, strength: u.Quantity) -> float:
        """Convert a strength to the unit of the fault.

        Raises
        ------
        ValueError
            The unit is of another kind, or the strength is negative or too large.
        """
        if not strength.unit.is_equivalent(u.Unit(self.unit)):
            raise ValueError(f"{strength} is not convertible to {self.unit}, in which {self.name} is measured")
        value = float(strength.to_value(self.unit))
        max_strength = MAX_STRENGTH[self.unit] if self.max_strength is None else self.max_strength
        if not 0 <= value <= max_strength:
            raise ValueError(f"{strength}: the strength of {self.name} must be from 0 to {max_strength:g} {self.unit}")
        return value


def is_affected(exposure: Exposure, name: str, strength: float) -> bool:
    """Return whether a fault affects a visit.

    It affects a random ``strength`` percent of the visits of each band.
    """
    visits = sum(visit.band == exposure.visit.band for visit in exposure.plan)
    order: AnyArray = stream(exposure.seed, f"fault {name} {exposure.visit.band}").permutation(visits)
    return bool(order[exposure.visit.index] < round(strength / 100 * visits))
