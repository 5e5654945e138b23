"""What a fault is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import astropy.units as u
import numpy as np
from skyaccept.lib.catalog import Array
from skyaccept.synthetic.draws import stream
from skyaccept.synthetic.exposure import Exposure


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
    most : float
        Largest strength.
    """

    name: str
    apply: Callable[[Exposure, float], Exposure | None]
    unit: str
    text: str
    expected: str
    most: float = float("inf")

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
        if not 0 <= value <= self.most:
            most = "" if np.isinf(self.most) else f" and not above {self.most:g} {self.unit}"
            raise ValueError(f"{strength}: the strength of {self.name} is not negative{most}")
        return value


def struck(exposure: Exposure, name: str, strength: float) -> bool:
    """Whether a visit is among the share that a fault strikes, which is that share of each band's visits, rounded."""
    visits = sum(visit.band == exposure.visit.band for visit in exposure.plan)
    order: Array = stream(exposure.seed, f"fault {name} {exposure.visit.band}").permutation(visits)
    return bool(order[exposure.visit.index] < round(strength / 100 * visits))
