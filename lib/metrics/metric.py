"""What a metric is: a statistic of the errors that an estimator finds in a sample."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from numpy.typing import NDArray
from skyaccept.lib.catalog import Detections
from skyaccept.lib.selection import Selection
from skyaccept.lib.separation import Positions, positions


@dataclass(frozen=True)
class Sample:
    """Selected detections of one band."""

    detections: Detections
    selection: Selection
    band: str
    found: dict[Hashable, Errors] = field(default_factory=dict, repr=False, compare=False)
    """What has been measured in it, for estimators that start from the same errors."""

    @cached_property
    def positions(self) -> Positions:
        """Objects by visits."""
        return positions(self.detections, self.selection.rows)


@dataclass(frozen=True)
class Settings:
    """What a definition prescribes beside the sample.

    Attributes
    ----------
    half_width : float
        Half the width of a separation class, radians.
    min_common_visits : int
        Fewest visits in which both stars of a pair were seen.
    ddof : int, optional
        Delta degrees of freedom of a standard deviation.
    """

    half_width: float
    min_common_visits: int
    ddof: int | None = None


@dataclass(frozen=True)
class Errors:
    """The errors whose median, percentile or fraction is limited.

    Attributes
    ----------
    values : (n,) float
        In the unit of the estimator, mas for separations.
    pairs, measurements : int
        Pairs of objects and single measurements that they rest on.
    method : str
        How they were computed, for the record in the results.
    counts : (n,) int, optional
        How often each value occurred, where there were too many to keep one by one.
    """

    values: NDArray[Any]
    pairs: int
    measurements: int
    method: str
    counts: NDArray[Any] | None = None


@dataclass(frozen=True)
class Estimator:
    """A way to find errors: ``find(sample, parameters, settings)``, parameters in the metric's units.

    ``find`` raises `NotMeasurable` where the sample cannot say, with the reason.
    """

    find: Callable[[Sample, Mapping[str, float], Settings], Errors]
    of: str
    needs_ddof: bool = False


@dataclass(frozen=True)
class Metric:
    """A quantity that a clause limits.

    Attributes
    ----------
    name, title, unit : str
    parameters, level_parameters : mapping of str to str
        Names and units of what the clause, and each of its levels, has to state.
    statistic : callable
        ``statistic(errors, level_parameters)`` gives the measured value.
    estimators : mapping of str to Estimator
        Those a definition may name.
    """

    name: str
    title: str
    unit: str
    statistic: Callable[[Errors, Mapping[str, float]], float]
    estimators: Mapping[str, Estimator]
    parameters: Mapping[str, str] = field(default_factory=dict)
    level_parameters: Mapping[str, str] = field(default_factory=dict)
