"""What a fault is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import astropy.units as u
from skyaccept.lib.arrays import AnyArray
from skyaccept.synthetic.exposure import Exposure
from skyaccept.synthetic.random_streams import stream

MOST = {"percent": 1000, "mas": 3.6e6, "arcsec": 3600, "mas / yr": 1e5, "yr": 200, "mmag": 1e4, "mag": 30}
"""Largest strength by unit, of a fault that has no smaller one."""


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong.

    Attributes
    ----------
    name : str
    apply : callable
        ``apply(exposure, strength)``, the strength in ``unit``; None where no detection is left.
    unit : str
    text : str
        What is wrong, and what the strength is.
    expected : str
        What it does to the metrics, in closed form where there is one; s is the strength in radians or as a share
        where that makes sense, sigma the error of a position per coordinate, n the number of visits.
    most : float, optional
        Largest strength, where it is not that of `MOST`.
    """

    name: str
    apply: Callable[[Exposure, float], Exposure | None]
    unit: str
    text: str
    expected: str
    most: float | None = None

    def measure(self, strength: u.Quantity) -> float:
        """Strength in the unit of the fault.

        Raises
        ------
        ValueError
            Another kind of unit, negative, or more than there can be.
        """
        if not strength.unit.is_equivalent(u.Unit(self.unit)):
            raise ValueError(f"{strength} is not convertible to {self.unit}, in which {self.name} is measured")
        value = float(strength.to_value(self.unit))
        most = MOST[self.unit] if self.most is None else self.most
        if not 0 <= value <= most:
            raise ValueError(
                f"{strength}: the strength of {self.name} is not negative and not above {most:g} {self.unit}"
            )
        return value


def struck(exposure: Exposure, name: str, strength: float) -> bool:
    """Whether a visit is among the share that a fault strikes, which is that share of each band's visits, rounded."""
    visits = sum(visit.band == exposure.visit.band for visit in exposure.plan)
    order: AnyArray = stream(exposure.seed, f"fault {name} {exposure.visit.band}").permutation(visits)
    return bool(order[exposure.visit.index] < round(strength / 100 * visits))
