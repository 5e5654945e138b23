"""The errors of a sample: numbers whose median or fraction a clause limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
from skyaccept.lib.arrays import AnyArray, IntArray
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.uncertainty import order_statistics

Quantity = Literal["positions", "magnitudes", "shapes"]
"""What of the detections is measured."""

ZERO: Mapping[str, float] = {"mas": 1e-4, "mmag": 1e-4, "mas/yr": 1e-4, "": 1e-14}
"""Size up to which an error is 0, by unit: above the rounding of float64, and half of the bins that count errors.

One part in ten thousand of errors of 1 mas or mmag is smaller by chance. Correlations have no unit.
"""

MOST_ZEROS = 0.05
"""Fraction of errors that are exactly 0 from which on nothing is measured.

Errors are continuous. Of normal errors rounded to a step of a tenth of their width 4 percent are 0, and their variance
grows by one part in a thousand; with a step as large as their width 38 percent are 0, and it grows by 8 percent.
"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Errors:
    """Errors in the unit of their estimator.

    Attributes
    ----------
    components : mapping of str to (n,) float
        One array, or one for each component where each is limited: the errors along ``ra`` (times cos Dec) and ``dec``,
        say. The larger value of the components counts.
    unit, visit : (n,) int64, optional
        Row and column of the visit matrix that each error belongs to; without ``visit`` an error is that of its unit,
        with neither it is that of all.
    weights : (n,) int or float, optional
        How often each value counts: the number of values in a bin, or the weight of its unit.
    total : (n,) float, optional
        Shown beside the components, such as sqrt(x^2 + y^2); it decides nothing.
    pairs, measurements : int
        Pairs of objects, and single measurements, that they rest on.
    method : str
        How they were computed.
    notes : tuple of str
        Sentences for the summary of the sample, or on the method of the interval.
    rejected : mapping of str to int
        Rows of the sample that lack what the errors need, by reason, such as an epoch.
    zeros : int
        How many are 0 by definition, at most, such as the middle one of an odd number about their median.
    """

    components: Mapping[str, AnyArray]
    unit: IntArray | None = None
    visit: IntArray | None = None
    weights: AnyArray | None = None
    total: AnyArray | None = None
    pairs: int = 0
    measurements: int = 0
    method: str = ""
    notes: tuple[str, ...] = ()
    zeros: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(next(iter(self.components.values())))

    @cached_property
    def values(self) -> AnyArray:
        """All errors as one array, for the histogram.

        Those of the one component, or the sizes of those of all.
        """
        every = list(self.components.values())
        return every[0] if len(every) == 1 else np.abs(np.concatenate(every))

    def map(self, change: Callable[[AnyArray], AnyArray]) -> Errors:
        """Apply a function of arrays to each component."""
        return replace(self, components={name: change(values) for name, values in self.components.items()})

    def less_median(self) -> Errors:
        """Subtract from each component its median over all errors."""
        found = {
            name: values - order_statistics.median(values, self.weights) for name, values in self.components.items()
        }
        return replace(self, components=found, zeros=1)

    def check_rounding(self, quantity: Quantity, unit: str) -> Errors:
        """Return the errors unless too many of them are 0.

        Raises
        ------
        NotMeasurable
            More than `MOST_ZEROS`, of one component where several are limited: the data are rounded.
        """
        for values in self.components.values():
            zero = (values <= ZERO[unit]) & (values >= -ZERO[unit])
            number = float(zero.sum() if self.weights is None else self.weights[zero].sum())
            total = float(len(values) if self.weights is None else self.weights.sum())
            fraction = (number - self.zeros) / total
            if fraction > MOST_ZEROS:
                raise NotMeasurable(
                    f"{100 * fraction:.0f} % of the errors are exactly 0, which errors of measured {quantity} are not: "
                    f"the {quantity} are rounded to steps too coarse, or one value stands in for several visits"
                )
        return self
