"""What a metric is: a statistic of the errors that an estimator finds in a sample."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.catalog.colors import Locus
from skyaccept.lib.catalog.detections import Detections, numbering
from skyaccept.lib.catalog.reference import Reference
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.sample.selection import Groups, Selection
from skyaccept.lib.sample.subsampling import sampled
from skyaccept.lib.separation import Positions, positions
from skyaccept.lib.separation.separation_bins import Binning
from skyaccept.lib.uncertainty.jackknife import LIMIT, Matrix, Resampled
from skyaccept.lib.uncertainty.statistic import Question

T = TypeVar("T")

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
class Sample:
    """Selected detections of one band.

    ``other(band)`` is the sample that the same cuts give in another band, ``reference`` the reference catalog of the
    run, if it has one.
    """

    detections: Detections
    selection: Selection
    band: str
    other: Callable[[str], Sample] | None = None
    reference: Reference | None = None
    found: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)
    """What `once` has found."""

    def once(self, key: Hashable, find: Callable[[], T]) -> T:
        """What ``find()`` gives, found once for all estimators that start from it."""
        if key not in self.found:
            self.found[key] = find()
        known: T = self.found[key]
        return known

    @cached_property
    def groups(self) -> Groups:
        """Rows of each object among the selected rows."""
        return Groups.of(self.detections, self.selection.rows)

    @cached_property
    def visits(self) -> int:
        """Number of visits in which any object was seen."""
        return int(np.count_nonzero(np.bincount(self.detections.visit[self.selection.rows])))

    def column(self, name: str) -> AnyArray:
        """Values of a column, one for each selected row."""
        return self.detections.column(name, "the estimator")[self.selection.rows]

    @cached_property
    def positions(self) -> Positions:
        """Objects by visits."""
        return positions(self.detections, self.selection.rows)

    @cached_property
    def star(self) -> NDArray[np.int64]:
        """Number of the object of each selected row among those of `positions`, which follow the sky."""
        if self.detections.object is None:
            raise ValueError("detections are not associated")
        number = numbering(self.positions.objects, self.detections.n_objects)
        return np.asarray(number[self.detections.object[self.selection.rows]])

    @cached_property
    def brightness(self) -> NDArray[np.float64] | None:
        """Logarithm of the median S/N of each object of `positions`, or its median magnitude; None without both."""
        values = self.detections.snr if self.detections.snr is not None else self.detections.mag
        if values is None:
            return None
        medians = self.groups.statistic("median", values[self.selection.rows].astype(np.float64))
        if self.detections.snr is not None:
            medians = np.log(np.maximum(medians, np.finfo(float).tiny))
        if not np.isfinite(medians).any():
            return None
        found = np.empty(len(self.positions))
        found[self.star[self.groups.start]] = np.where(np.isfinite(medians), medians, np.nanmedian(medians))
        return found

    def matrix(
        self,
        *columns: AnyArray,
        star: NDArray[np.int64] | None = None,
        visit: AnyArray | None = None,
        between: bool = False,
    ) -> Matrix:
        """Measurements by object and visit, of some columns; at most `LIMIT` of them, by objects.

        ``star`` and ``visit`` are the object, numbered as in `positions`, and the visit of each row, by default those
        of the selected rows. ``between`` counts pairs of visits instead of visits.
        """
        star = self.star if star is None else star
        visit = self.detections.visit[self.selection.rows] if visit is None else visit
        visits, column = np.unique(visit, return_inverse=True)
        stars = np.unique(star)
        each = len(visits) * (len(visits) - 1) // 2 if between else len(visits)
        kept, note = sampled(self.positions.direction[stars], LIMIT // max(1, each), "stars")
        number = numbering(stars[kept], len(self.positions))
        row, used = number[star], number[star] >= 0
        found = []
        for values in columns:
            dense = np.full((len(kept), len(visits)), np.nan, dtype=values.dtype)
            dense[row[used], column[used]] = values[used]
            found.append(dense)
        bright = None if self.brightness is None else self.brightness[stars[kept]]
        objects = self.positions.objects[stars[kept]]
        return Matrix(tuple(found), np.arange(len(kept))[:, None], len(kept), bright, objects, note=note, visits=visits)


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
