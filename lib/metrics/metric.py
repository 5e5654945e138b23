"""A metric: a statistic of the errors that an estimator finds in a sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from skyaccept.lib.arrays import AnyArray, FloatArray, IntArray
from skyaccept.lib.uncertainty.errors import Errors
from skyaccept.lib.uncertainty.estimator import Estimator, Measure, Parameters
from skyaccept.lib.uncertainty.statistic import Statistic


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A quantity that a clause limits.

    Attributes
    ----------
    name, title, unit : str
    statistic : callable
        ``statistic(level_parameters)`` of the errors; of those of each component, where there are several.
    estimators : mapping of str to Estimator
        Those that a definition may name.
    parameters, level_parameters : mapping of str to str
        Names and units of what the clause, and each of its levels, has to state.
    ascending : tuple of (str, str)
        Parameters of which the second has to be larger than the first, which may be 0.
    optional_columns : tuple of str
        Columns of the catalog that are used where they are there.
    compares_bands : bool
        Whether the clause has to name a band that it compares with.
    """

    name: str
    title: str
    unit: str
    statistic: Callable[[Parameters], Statistic]
    estimators: Mapping[str, Estimator]
    parameters: Mapping[str, str] = field(default_factory=dict)
    level_parameters: Mapping[str, str] = field(default_factory=dict)
    ascending: tuple[tuple[str, str], ...] = ()
    optional_columns: tuple[str, ...] = ()
    compares_bands: bool = False

    def parameters_of(self, kind: str) -> Mapping[str, str]:
        """Names and units of what a clause has to state.

        A diagnostic has no levels and states all of it.
        """
        return {**self.parameters, **self.level_parameters} if kind == "diagnostic" else self.parameters

    def statistic_of(self, estimator: Estimator, level: Parameters) -> Statistic:
        """Statistic of the errors of an estimator."""
        return estimator.statistic or self.statistic(level)


def median(level: Parameters) -> Statistic:
    """Median of the errors."""
    return Statistic("percentile", 50)


def rms(level: Parameters) -> Statistic:
    """Root mean square of the errors."""
    return Statistic("rms")


def absolute_median(level: Parameters) -> Statistic:
    """Size of the median of errors, in which signs cancel."""
    return Statistic("size")


def stable_group_sum(group: IntArray, values: AnyArray, number: int) -> FloatArray:
    """Sum of the values of each group, the same bits in whatever order they stand."""
    order = np.lexsort((values, group))
    return np.asarray(np.bincount(group[order], values[order], minlength=number), dtype=np.float64)


def evaluate(statistic: Statistic, errors: Errors, measure: Measure | None = None) -> tuple[float, dict[str, float]]:
    """Measured value, and the values by component: of several the larger one counts.

    ``measure`` is that of the estimator, where it has one.
    """
    answer = measure or statistic.answer

    def value(values: AnyArray) -> float:
        return answer(np.abs(values) if statistic.sized else values, errors.weights)

    by = {name: value(values) for name, values in errors.components.items()}
    largest = max(by.values())
    if len(by) == 1:
        return largest, {}
    return largest, by if errors.total is None else by | {"total": value(errors.total)}
