"""What a metric is: a statistic of the errors that an estimator finds in a sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.catalog.colors import Locus
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.visit_matrix import Matrix
from skyaccept.lib.separation.separation_bins import Binning
from skyaccept.lib.uncertainty.jackknife import Resampled
from skyaccept.lib.uncertainty.statistic import Question

ZERO: Mapping[str, float] = {"mas": 1e-4, "mmag": 1e-4}
"""Size up to which an error is 0, by unit: above the rounding of float64, and half of the bins that count errors.

One part in ten thousand of errors of 1 mas or mmag is smaller by chance.
"""

MOST_ZEROS = 0.05
"""Share of errors that are exactly 0 from which on nothing is measured.

Errors are continuous: of normal ones that were rounded to a step of a tenth of their width 4 percent are 0, and their
variance has grown by one part in a thousand; with a step as large as their width 38 percent, and 8 percent.
"""


@dataclass(frozen=True)
class Settings:
    """What a definition prescribes beside the sample.

    Attributes
    ----------
    half_width : float
        Half the width of a separation class, radians; 0 for metrics without.
    min_common_visits : int
        Fewest visits in which both stars of a pair, or an object, were seen.
    ddof : int, optional
        Delta degrees of freedom of a standard deviation.
    subtract_shot_noise : bool
        Whether the variance of the measurements' own errors is subtracted.
    against : str, optional
        Band that the clause compares with.
    radius : float, optional
        Matching radius of objects and reference stars, radians.
    all_bands : bool
        Whether the cuts judge an object by its detections in all bands.
    reference_snr : float, optional
        Least signal-to-noise ratio of the magnitudes of reference stars.
    locus : Locus, optional
        Part of the stellar locus that is looked at.
    bins : Binning, optional
        Of separations, whose mean is taken.
    """

    half_width: float = 0.0
    min_common_visits: int = 1
    ddof: int | None = None
    subtract_shot_noise: bool = False
    against: str | None = None
    radius: float | None = None
    all_bands: bool = False
    reference_snr: float | None = None
    locus: Locus | None = None
    bins: Binning | None = None


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
    coordinates : mapping of str to (n,) float
        Where each coordinate is limited: the errors along ``ra`` (times cos Dec) and ``dec``, and in ``total``;
        ``values`` are then the sizes of the first two. Or those of each component of a correlation.
    notes : tuple of str
        What belongs to the account of the sample, in words.
    rows : (n_rows,) bool, optional
        Which of the selected rows were measured, where these are not all.
    zeros : int
        How many are 0 by the way they are made, at most: the middle one of an odd number about their median, say.
    """

    values: NDArray[Any]
    pairs: int
    measurements: int
    method: str
    counts: NDArray[Any] | None = None
    coordinates: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    rows: NDArray[np.bool_] | None = None
    zeros: int = 0

    def check(self, unit: str) -> Errors:
        """Return the errors unless too many of them are 0.

        Raises
        ------
        NotMeasurable
            More than `MOST_ZEROS`, of one coordinate where both are limited: the data are rounded.
        """
        if unit not in ZERO:
            return self
        by = [values for name, values in self.coordinates.items() if name != "total"] or [self.values]
        for values in by:
            zero = (values <= ZERO[unit]) & (values >= -ZERO[unit])
            number = float(zero.sum() if self.counts is None else self.counts[zero].sum())
            total = float(len(values) if self.counts is None else self.counts.sum())
            share = (number - self.zeros) / total
            if share > MOST_ZEROS:
                what = "positions" if unit == "mas" else "magnitudes"
                raise NotMeasurable(
                    f"{100 * share:.0f} % of the errors are exactly 0, which errors of measured {what} are not: the "
                    f"{what} are rounded to steps too coarse for them, or one value stands in for several visits"
                )
        return self


Statistic = Callable[[NDArray[Any], NDArray[Any] | None], float]
"""``statistic(values, counts)`` of errors gives the measured value."""


@dataclass(frozen=True)
class Estimator:
    """A way to find errors: ``find(sample, parameters, settings)``, parameters in the metric's units.

    ``find`` raises `NotMeasurable` where the sample cannot say, with the reason. Its errors are found anew, for
    replicates, from ``matrix(sample, parameters, settings, errors)`` by ``replicates(matrix, settings)``.

    Attributes
    ----------
    of, unit : str
        What the errors are, and their unit.
    needs : tuple of str
        Settings that a rule has to state, and else may not, beside those of pairs.
    of_pairs, takes_shot_noise : bool
        Whether a rule has to state half-width and fewest common visits; whether shot noise can be subtracted.
    columns : tuple of str
        Columns that it reads beside visit, band, position and object.
    question : Question, optional
        In place of the metric's.
    statistic : callable, optional
        What is measured, where it is the answer to that question only in the limit of many errors.
    formula : str
        Of one error, or of the value where there is a ``statistic``; ``{ddof}`` stands for that of the settings.
    """

    find: Callable[[Sample, Mapping[str, float], Settings], Errors]
    of: str
    matrix: Callable[[Sample, Mapping[str, float], Settings, Errors], Matrix]
    replicates: Callable[[Matrix, Settings], Resampled]
    unit: str = "mas"
    needs: tuple[str, ...] = ()
    of_pairs: bool = False
    takes_shot_noise: bool = False
    columns: tuple[str, ...] = ()
    question: Question | None = None
    statistic: Statistic | None = None
    formula: str = ""

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
    question : callable
        ``question(level_parameters)`` is the statistic; where each coordinate is limited, of one.
    estimators : mapping of str to Estimator
        Those a definition may name.
    optional_columns : tuple of str
        Columns of the catalog that are looked at where they are there.
    against : bool
        Whether the clause has to name a band that it compares with.
    """

    name: str
    title: str
    unit: str
    question: Callable[[Mapping[str, float]], Question]
    estimators: Mapping[str, Estimator]
    parameters: Mapping[str, str] = field(default_factory=dict)
    level_parameters: Mapping[str, str] = field(default_factory=dict)
    optional_columns: tuple[str, ...] = ()
    against: bool = False

    def parameters_of(self, kind: str) -> Mapping[str, str]:
        """Names and units of what a clause has to state; a diagnostic has no levels and states all of it."""
        return {**self.parameters, **self.level_parameters} if kind == "diagnostic" else self.parameters

    def asked_of(self, estimator: Estimator, level: Mapping[str, float]) -> Question:
        """What is asked of the errors of an estimator."""
        return estimator.question or self.question(level)


def grouped_sum(group: NDArray[np.int64], values: NDArray[Any], number: int) -> NDArray[np.float64]:
    """Sum of the values of each of some groups, the same bits in whatever order they stand."""
    order = np.lexsort((values, group))
    return np.asarray(np.bincount(group[order], values[order], minlength=number), dtype=np.float64)


def evaluate(question: Question, errors: Errors, statistic: Statistic | None = None) -> tuple[float, dict[str, float]]:
    """Measured value, and the values by coordinate; a limit on each coordinate is met where the larger one meets it.

    ``statistic`` is that of the estimator, where it has one.
    """
    measure = statistic or question.answer

    def of(values: NDArray[Any]) -> float:
        return measure(np.abs(values) if question.sized else values, errors.counts)

    if not errors.coordinates:
        return of(errors.values), {}
    by = {name: of(values) for name, values in errors.coordinates.items()}
    return max(value for name, value in by.items() if name != "total"), by
