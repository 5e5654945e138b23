"""Scales on which values vary evenly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special
from skyaccept.lib.arrays import FloatArray


@dataclass(frozen=True)
class Scale:
    """Scale on which a value varies evenly.

    Attributes
    ----------
    kind : {"logarithm", "linear", "size", "share"}
        "size": linear, of a value whose sign does not count. "share": of a percentage, minus the logarithm of how many
        standard deviations from the middle of a Gaussian the same percentage lies beyond; it moves by d where all
        errors grow by the factor exp(d). Within one standard deviation, where that would run away, one minus how many.
    units : float
        For "share", the number of independent units that are counted; half of one is added to either side.
    relative : bool
        Whether a step on the scale is a relative change of the size of the errors.
    """

    kind: Literal["logarithm", "linear", "size", "share"] = "linear"
    units: float = np.inf
    relative: bool = False

    def on(self, x: FloatArray | float) -> FloatArray:
        """Place of values on the scale."""
        value = np.asarray(x, dtype=np.float64)
        if self.kind == "logarithm":
            return np.log(value)
        if self.kind == "share":
            share = value / 100 if np.isinf(self.units) else (value / 100 * self.units + 0.5) / (self.units + 1)
            deviations = -special.ndtri(share / 2)
            return np.where(deviations > 1, -np.log(np.maximum(deviations, 1)), 1 - deviations)
        return value

    def off(self, y: FloatArray | float) -> FloatArray:
        """Values at places on the scale; the inverse of `on`."""
        place = np.asarray(y, dtype=np.float64)
        if self.kind == "logarithm":
            with np.errstate(over="ignore"):  # the end of an interval that is not finite
                return np.exp(place)
        if self.kind == "share":
            share = 2 * special.ndtr(-np.where(place < 0, np.exp(-np.minimum(place, 0)), np.maximum(1 - place, 0)))
            units = self.units
            found = 100 * np.clip(share if np.isinf(units) else (share * (units + 1) - 0.5) / units, 0, 1)
            return np.asarray(np.where(found < 1e-9, 0.0, found))  # of what was 0, there and back
        return np.abs(place) if self.kind == "size" else place
