"""Estimators: how the errors of a metric are computed from a sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
from skyaccept.lib.arrays import AnyArray, FloatArray
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.visit_matrix import VisitMatrix
from skyaccept.lib.uncertainty.errors import Errors, Quantity
from skyaccept.lib.uncertainty.statistic import Statistic

Parameters = Mapping[str, float]
"""Numbers of a clause, in the units of its metric."""

Measure = Callable[[AnyArray, AnyArray | None], float]
"""``measure(values, weights)`` of errors gives the measured value."""


@dataclass(frozen=True, kw_only=True)
class NoSettings:
    """Settings of an estimator that takes none."""


@dataclass(frozen=True, kw_only=True)
class Residuals:
    """How errors are attributed to single measurements, for breakdowns and trends.

    Attributes
    ----------
    compute : callable
        ``compute(matrix, settings)`` gives the signed residual of each measurement, by component, (n_units, n_visits),
        NaN where there is none.
    text : str
        What they are; ``{unit}`` stands for star or pair.
    error_of : {"measurement", "unit", "visit"}
        What one error is of: a measurement itself, or the rms of a unit or of a visit.
    fitted : int
        Parameters fitted to the unit, each of which takes a degree of freedom: 1 for a mean, 2 for a line.
    factor : float
        Of the errors, where these are the rms of a unit.
    """

    compute: Callable[[VisitMatrix, Any], tuple[FloatArray, ...]]
    text: str
    error_of: Literal["measurement", "unit", "visit"] = "measurement"
    fitted: int = 0
    factor: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Estimator:
    """How ``errors`` of the ``measurements`` of a sample are computed.

    They are defined once.

    The value, its interval, breakdowns and trends follow from these two. All functions raise `NotMeasurable` with the
    reason where the data cannot say.

    Attributes
    ----------
    description, unit, formula : str
        What the errors are, their unit, and the formula of one error; ``{ddof}`` stands for that of the settings.
    quantity : {"positions", "magnitudes", "shapes"}
        What of the detections is measured. Where objects have one position for all visits, there are no errors of
        positions.
    measurements : callable
        ``measurements(sample, parameters, settings, limit)`` gives the `VisitMatrix`, of a subsample of the stars where
        there are more measurements than ``limit``.
    errors : callable
        ``errors(matrix, settings)`` as the definition has them.
    debiased : callable, optional
        ``debiased(matrix, settings)`` gives the same errors as infinitely many visits would; ``errors`` by default.
    alternative : callable, optional
        The same under the opposite of an assumption that few visits cannot test. Where most units have few visits the
        estimate is the middle of both, and its interval encloses those of both.
    fast : callable, optional
        ``fast(sample, parameters, settings)`` gives the same as ``errors`` of all measurements, in less time or memory.
    settings : type
        Dataclass of what a definition prescribes; its fields are keys of a rule.
    columns : tuple of str
        Columns that are needed in addition to visit, band, position and object.
    separable : bool
        Whether the errors of a unit depend on no other unit.
    subtract_median, absolute : bool
        Whether the median of all errors is subtracted from them, and whether then only their sizes count.
    signed : bool
        Whether ``errors`` have signs.
    residuals : Residuals, optional
        By default the errors themselves, where each is that of a measurement.
    fewest_visits : int
        From how many visits on there are errors.
    about_mean : bool
        Whether an error is a scatter about a mean of the same visits, which makes the jackknife over visits too wide
        (`skyaccept.lib.uncertainty.jackknife_bias`).
    independent : bool
        Whether errors, rather than stars, count as independent of each other.
    statistic : Statistic, optional
        In place of that of the metric.
    measure : callable, optional
        What is measured, where it is the ``statistic`` only in the limit of many errors.
    """

    description: str
    quantity: Quantity
    unit: str
    measurements: Callable[[Sample, Parameters, Any, int | None], VisitMatrix]
    errors: Callable[[VisitMatrix, Any], Errors]
    debiased: Callable[[VisitMatrix, Any], Errors] | None = None
    alternative: Callable[[VisitMatrix, Any], Errors] | None = None
    fast: Callable[[Sample, Parameters, Any], Errors] | None = None
    formula: str = ""
    settings: type[Any] = NoSettings
    columns: tuple[str, ...] = ()
    separable: bool = False
    subtract_median: bool = False
    absolute: bool = False
    signed: bool = False
    residuals: Residuals | None = None
    fewest_visits: int = 1
    about_mean: bool = False
    independent: bool = False
    statistic: Statistic | None = None
    measure: Measure | None = None

    def takes(self, name: str) -> bool:
        """Whether the settings have a field of this name."""
        return any(one.name == name for one in fields(self.settings))

    def columns_for(self, settings: Any) -> tuple[str, ...]:
        """Columns that are needed under some settings."""
        return (*self.columns, "mag_err") if getattr(settings, "subtract_shot_noise", False) else self.columns

    def of_sample(self, sample: Sample, parameters: Parameters, settings: Any) -> Errors:
        """Errors of all measurements of a sample; raises `NotMeasurable`."""
        if self.fast is not None:
            found = self.fast(sample, parameters, settings)
        else:
            matrix = self.measurements(sample, parameters, settings, None)
            found = self.errors(matrix, settings)
        if self.subtract_median:
            found.check_rounding(self.quantity, self.unit)
        return self.finish(found).check_rounding(self.quantity, self.unit)

    def finish(self, errors: Errors) -> Errors:
        """Subtract the median and drop the signs, where the estimator does."""
        if self.subtract_median:
            errors = errors.less_median()
        return errors.map(np.abs) if self.absolute else errors


@dataclass(frozen=True, kw_only=True, eq=False)
class MatrixErrors:
    """An estimator at work on a visit matrix under some settings.

    Parts of the matrix have errors of their own: this is all that replicates, breakdowns and trends need.
    """

    estimator: Estimator
    matrix: VisitMatrix
    settings: Any
