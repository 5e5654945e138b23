"""What a metric is: a statistic of the errors that an estimator finds in a sample."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.catalog import Array, Detections
from skyaccept.lib.selection import Groups, Selection
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
    def groups(self) -> Groups:
        """Rows of each object among the selected rows."""
        return Groups.of(self.detections, self.selection.rows)

    @cached_property
    def visits(self) -> int:
        """Number of visits in which any object was seen."""
        return int(np.count_nonzero(np.bincount(self.detections.visit[self.selection.rows])))

    def column(self, name: str) -> Array:
        """Values of a column, one for each selected row."""
        return self.detections.column(name, "the estimator")[self.selection.rows]

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
    subtract_shot_noise : bool
        Whether the variance of the measurements' own errors is subtracted.
    """

    half_width: float = 0.0
    min_common_visits: int = 1
    ddof: int | None = None
    subtract_shot_noise: bool = False


@dataclass(frozen=True)
class Errors:
    """The errors whose median, percentile or fraction is limited.

    Attributes
    ----------
    values : (n,) float
        In the unit of the estimator.
    pairs, measurements : int
        Pairs of objects, where these were looked at, and single measurements that they rest on.
    method : str
        How they were computed, for the record in the results.
    counts : (n,) int or float, optional
        How often each value occurred, where there were too many to keep one by one, or its weight.
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

    Attributes
    ----------
    of, unit : str
        What the errors are, and their unit.
    needs_ddof, of_pairs : bool
        Whether a rule has to state ddof; half-width and fewest common visits.
    takes_shot_noise : bool
        Whether it can subtract shot noise.
    columns : tuple of str
        Columns that it reads beside visit, band, position and object.
    statistic : callable, optional
        In place of the metric's.
    """

    find: Callable[[Sample, Mapping[str, float], Settings], Errors]
    of: str
    unit: str = "mas"
    needs_ddof: bool = False
    of_pairs: bool = False
    takes_shot_noise: bool = False
    columns: tuple[str, ...] = ()
    statistic: Callable[[Errors, Mapping[str, float]], float] | None = None

    def reads(self, settings: Settings) -> tuple[str, ...]:
        """Columns that it reads under some settings."""
        return (*self.columns, "mag_err") if settings.subtract_shot_noise else self.columns


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

    def parameters_of(self, kind: str) -> Mapping[str, str]:
        """Names and units of what a clause has to state; a diagnostic has no levels and states all of it."""
        return {**self.parameters, **self.level_parameters} if kind == "diagnostic" else self.parameters
