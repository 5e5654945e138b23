"""Logarithmic bins of separation that correlations are averaged in."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, ClassVar

import astropy.units as u
import numpy as np
from pydantic import Field, PlainValidator
from skyaccept.lib import strict_yaml
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.sphere import ARCMIN
from skyaccept.lib.strict_yaml import STRICT

Angle = Annotated[float, PlainValidator(strict_yaml.number_in(u.rad))]


@dataclass(frozen=True)
class SeparationBins:
    """Number of bins, and their range (radians) where it is not all of a clause's.

    Without ``farthest`` they divide the separations that a clause asks for, from ``nearest`` on; with it they divide
    their own range, and those count whose middle lies within what the clause asks for.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    number: Annotated[int, Field(ge=1, le=1000)]
    nearest: Angle
    farthest: Angle | None = None

    def ends(self, nearest: float, farthest: float) -> list[tuple[float, float]]:
        """Ends of the bins that count for separations from nearest to farthest.

        In radians.

        Raises
        ------
        NotMeasurable
            None does.
        """
        if self.farthest is None:
            if farthest <= self.nearest:
                raise NotMeasurable(f"the bins of the definition begin at {self.nearest / ARCMIN:g} arcmin")
            edges = np.geomspace(max(nearest, self.nearest), farthest, self.number + 1)
            return list(pairwise(edges.tolist()))
        edges = np.geomspace(self.nearest, self.farthest, self.number + 1)
        found = [(low, high) for low, high in pairwise(edges.tolist()) if nearest <= np.sqrt(low * high) <= farthest]
        if not found:
            raise NotMeasurable("no bin of the definition lies within the separations asked for")
        return found

    def check(self, place: strict_yaml.SourceLocation, where: tuple[str | int, ...]) -> None:
        """Refuse ends that are not positive or not in ascending order.

        Raises
        ------
        InputError
            With file, line and key.
        """
        for key, value in (("nearest", self.nearest), ("farthest", self.farthest)):
            if value is not None and not 0 < value <= np.pi:
                raise place.error((*where, key), f"key '{key}': not above 0 and at most 180 deg")
        if self.farthest is not None and self.farthest <= self.nearest:
            raise place.error((*where, "farthest"), "key 'farthest': not above 'nearest'")
