"""Replicates: a metric measured anew without some visits, without the stars of some cells of the sky, and without both.

Measurements stand in a matrix of units (a star, or a pair of stars) by visits. Leaving out visits means new errors;
leaving out stars takes away the errors of the units that they belong to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib import progress
from skyaccept.lib.arrays import BoolArray, FloatArray
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.sample.visit_matrix import Matrix
from skyaccept.lib.uncertainty import jackknife_bias
from skyaccept.lib.uncertainty.distribution import Coordinate, Crossing, Estimate, Part, Scheme, estimate, part
from skyaccept.lib.uncertainty.statistic import Question, Sorted, View, views

CELLS = 16
"""Cells of the sky, with the same number of stars each."""

BLOCKS = 10
"""Blocks of visits at most, in ascending order of their names."""


_DOUBT = 0.1  # of a correction for bias that may be wrong; the simulations of docs/uncertainty.md stay within it


@dataclass(frozen=True)
class Kept:
    """One coordinate of a matrix, in some of its visits."""

    values: FloatArray
    other: FloatArray | None
    least: int
    matrix: Matrix
    exposure: FloatArray | None = None


Take = Callable[[BoolArray], Sorted]
"""``take(units)``: errors of some of the units; raises `NotMeasurable` where there are none."""

Find = Callable[[Kept, bool], Take]
"""``find(kept, unbiased)``: errors as the definition has them, or as many visits would give them."""


@dataclass(frozen=True)
class Residual:
    """How the errors of a metric fall to single measurements.

    Attributes
    ----------
    about : {"unit", "zero", "mean", "visit", "exposure"}
        What a measurement is compared with: the mean of its unit; nothing, as it stands; the mean of all; the median of
        its visit. With "exposure" it is not compared: the zero point of its exposure counts.
    of : {"measurement", "unit", "visit"}
        What one error is of: a measurement itself, or the rms of a unit or of a visit.
    signed : bool
        Whether its sign counts.
    factor : float
        Of the rms of a unit.
    centered, sized : bool
        Whether the median of all is subtracted then; whether of the rest only sizes count.
    """

    about: Literal["unit", "zero", "mean", "visit", "exposure"] = "unit"
    of: Literal["measurement", "unit", "visit"] = "measurement"
    signed: bool = False
    factor: float = 1.0
    centered: bool = False
    sized: bool = False


@dataclass(frozen=True)
class Resampled:
    """A matrix and how errors follow from it.

    Attributes
    ----------
    matrix : Matrix
    find : callable
    fewest : int
        Fewest visits from which there are errors.
    extreme : callable, optional
        As ``find``, under the opposite of an assumption that the data cannot judge, where there is one. The estimate is
        then the middle of both, and its interval reaches from the lower end of the one to the upper end of the other.
    residual : Residual, optional
        How the errors fall to single measurements; None where they do not.
    note : str
        What belongs to the method, in words.
    independent : int, optional
        Errors that are counted as independent of each other, where they are not those of units.
    zero_points : (n_units, n_visits) float64, optional
        That of the exposure of each measurement, where the residuals are these.
    excess : float
        By what factor the variance by visits is too large where it is noise, see
        `skyaccept.lib.uncertainty.jackknife_bias`.
    """

    matrix: Matrix
    find: Find
    fewest: int = 1
    extreme: Find | None = None
    residual: Residual | None = None
    note: str = ""
    independent: int | None = None
    zero_points: FloatArray | None = None
    excess: float = 1.0


Inferred = tuple[Estimate, list[FloatArray]]
"""An estimate, and the tables that it rests on in the metric's unit, one for each coordinate."""


def infer(
    resampled: Resampled, questions: Sequence[Question], values: Sequence[Sequence[float]] | None = None
) -> list[Inferred | NotMeasurable]:
    """Estimates of the answers to some questions; the reason in place of one where there is no interval.

    Parameters
    ----------
    resampled : Resampled
    questions : sequence of Question
    values : sequence of sequence of float, optional
        Answers on the whole sample by question and coordinate, where the matrix holds a part of it.

    Raises
    ------
    NotMeasurable
        Too few visits or stars for an interval.
    """
    check(resampled)
    matrix, how = resampled.matrix, scheme(resampled)
    by_axis = [
        _coordinates(resampled, how, questions, axis, None if values is None else [value[axis] for value in values])
        for axis in range(len(matrix.values))
    ]
    method = (
        f"delete-block jackknife over {number_of_blocks(matrix)} blocks of {matrix.values[0].shape[1]} visits, over "
        f"{_cells(matrix)} cells of {matrix.n_stars:,} stars, and over both{matrix.note}{resampled.note}"
    )
    inferred: list[Inferred | NotMeasurable] = []
    for found in zip(*by_axis, strict=True):
        reasons = [one for one in found if isinstance(one, NotMeasurable)]
        known = [one for one in found if not isinstance(one, NotMeasurable)]
        inferred.append(
            reasons[0] if reasons else (estimate([one[0] for one in known], method), [one[1] for one in known])
        )
    return inferred


def tables(resampled: Resampled, statistics: Sequence[Callable[[Sorted], float]]) -> list[FloatArray]:
    """Tables of a statistic of errors, one for each coordinate.

    They have the form that `skyaccept.lib.uncertainty.distribution.part` takes.

    Parameters
    ----------
    resampled : Resampled
        With enough visits and stars, see `check`.
    statistics : sequence of callable
        One for each coordinate.
    """
    finds = [find for find in (resampled.find, resampled.extreme) if find is not None]

    def table(find: Find, axis: int) -> FloatArray:
        rows = _rows(resampled.matrix, find, axis, lambda errors: np.array([statistics[axis](errors)]))
        return np.array(list(rows))[:, :, 0]

    return [np.mean([table(find, axis) for find in finds], axis=0) for axis in range(len(resampled.matrix.values))]


def check(resampled: Resampled) -> None:
    """Make sure that there are visits and stars enough for an interval; raises `NotMeasurable`."""
    matrix = resampled.matrix
    visits = _fewest(matrix)
    if visits <= resampled.fewest:
        raise NotMeasurable(
            f"no interval: {visits} visit{'s' * (visits != 1)} cannot tell how much visits differ, which takes "
            f"{resampled.fewest + 1}"
        )
    if matrix.n_stars < 3:
        raise NotMeasurable(f"no interval: {matrix.n_stars} stars cannot tell how much stars differ, which takes 3")


def scheme(resampled: Resampled) -> Scheme:
    """How the replicates of a matrix are to be read."""
    matrix = resampled.matrix
    by_stars = 1.0
    if matrix.stars.shape[1] == 2:
        by_stars = jackknife_bias.of_stars(matrix.stars, cells(matrix, np.arange(matrix.n_stars)))
    # of two coordinates the lower end is that of the larger, which lies high as it is
    return Scheme(resampled.excess, by_stars, matrix.values[0].shape[1] if len(matrix.values) == 1 else None)


def blocks(visits: int, number: int = BLOCKS) -> list[NDArray[np.int64]]:
    """Visits of each block, of at most so many."""
    return np.array_split(np.arange(visits), min(visits, number))


def _coordinates(
    resampled: Resampled, how: Scheme, questions: Sequence[Question], axis: int, values: Sequence[float] | None
) -> list[tuple[Coordinate, FloatArray] | NotMeasurable]:
    """Distribution of one coordinate by question, and the table of its replicates in the metric's unit."""
    known = _under(resampled, how, resampled.find, questions, axis, values)
    if resampled.extreme is None:
        return known
    opposite = _under(resampled, how, resampled.extreme, questions, axis, values)
    found: list[tuple[Coordinate, FloatArray] | NotMeasurable] = []
    for one, other in zip(known, opposite, strict=True):
        if isinstance(one, NotMeasurable) or isinstance(other, NotMeasurable):
            found.append(one if isinstance(one, NotMeasurable) else other)
        else:
            middle = (one[0].value + other[0].value) / 2
            found.append((Coordinate(middle, one[0].parts + other[0].parts), (one[1] + other[1]) / 2))
    return found


def _under(
    resampled: Resampled,
    how: Scheme,
    find: Find,
    questions: Sequence[Question],
    axis: int,
    values: Sequence[float] | None,
) -> list[tuple[Coordinate, FloatArray] | NotMeasurable]:
    """The same under one assumption."""
    matrix = resampled.matrix
    everything = np.ones(len(matrix.stars), dtype=bool)
    kept = whole(matrix, axis)
    unbiased, plain = (find(kept, wanted)(everything) for wanted in (True, False))
    own = resampled.independent
    counted = (matrix.n_stars, matrix.stars.shape[1]) if own is None else (own, 1)
    asked = [views(q, q.prepare(unbiased), *counted) for q in questions]

    def places(errors: Sorted) -> FloatArray:
        prepared = [question.prepare(errors) for question in questions]
        return np.concatenate([view.place(one) for one, seen in zip(prepared, asked, strict=True) for view in seen])

    table = np.array(list(_rows(matrix, find, axis, places)))
    found: list[tuple[Coordinate, FloatArray] | NotMeasurable] = []
    first = 0
    for k, (question, seen) in enumerate(zip(questions, asked, strict=True)):
        errors = question.prepare(unbiased), question.prepare(plain)
        value = None if values is None else values[k]
        number = sum(len(view.center) for view in seen)
        try:
            found.append(_coordinate(question, seen, table[:, :, first : first + number], *errors, value, how))
        except NotMeasurable as reason:
            found.append(reason)
        first += number
    return found


def _coordinate(
    question: Question,
    seen: Sequence[View],
    table: FloatArray,
    unbiased: Sorted,
    plain: Sorted,
    value: float | None,
    how: Scheme,
) -> tuple[Coordinate, FloatArray]:
    """Distribution of the answer to one question from the table of its views."""
    tables = np.split(table, np.cumsum([len(view.center) for view in seen])[:-1], axis=2)
    parts: list[Part | Crossing] = []
    for view, own in zip(seen, tables, strict=True):
        doubt = _DOUBT * np.abs(view.place(plain) - view.place(unbiased))
        more = 0.0 if value is None else view.shift(value, plain)
        center = view.center + more
        if view.above is None:
            parts.append(part(own[:, :, 0], center[0], view.scale, doubt[0], view.smoothed[0], how))
            continue
        found = {}
        for k, above in enumerate(view.above):
            with suppress(NotMeasurable):  # of quantiles that leaving out does not change the others tell
                found[above] = part(own[:, :, k], center[k], view.scale, doubt[k], view.smoothed[k], how)
        if not found:
            raise NotMeasurable("nothing changes when stars or visits are left out")
        parts.append(Crossing.of(np.array(list(found)), list(found.values()), view.threshold))
    # of a percentage, the view that counts is the last
    last, middle = seen[-1].scale, center[-1]
    answer = question.answer(*unbiased) if value is None else float(last.off(middle))
    replicated = last.off(table[:, :, -1] - table[0, 0, -1] + middle)
    return Coordinate(answer, tuple(parts)), replicated


def _rows(matrix: Matrix, find: Find, axis: int, measure: Callable[[Sorted], FloatArray]) -> Iterator[list[FloatArray]]:
    """Measures of all replicates: by rows with all visits and without each block, by columns the same of cells."""
    cell = cells(matrix, matrix.stars)
    left_out = [None, *range(number_of_blocks(matrix))]
    for row, block in enumerate(left_out):
        progress.report("leaving out visits and stars", row, len(left_out))
        take = find(_without(matrix, axis, block), True)
        yield [measure(take((cell != c).all(axis=1))) for c in range(-1, _cells(matrix))]


def cells(matrix: Matrix, stars: NDArray[np.int64]) -> NDArray[np.int64]:
    """Cell of the sky of each of some stars, as the tree of the positions is divided."""
    return cells_of(matrix.n_stars, stars)


def cells_of(n_stars: int, stars: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same by the number of stars."""
    return np.searchsorted(starts(n_stars)[1:], stars, side="right")


def starts(n_stars: int) -> NDArray[np.int64]:
    """First star of each cell of the sky."""
    number = min(CELLS, n_stars)
    return n_stars * np.arange(number) // max(number, 1)


def number_of_blocks(matrix: Matrix) -> int:
    """How many blocks of visits are left out, one after the other."""
    return min(_fewest(matrix), BLOCKS)


def _fewest(matrix: Matrix) -> int:
    """Number of visits, of the side that has fewer where both are left out together."""
    sides = matrix.values[:1] + (matrix.other[:1] if matrix.together else ())
    return min(values.shape[1] for values in sides)


def _cells(matrix: Matrix) -> int:
    return min(CELLS, matrix.n_stars)


def whole(matrix: Matrix, axis: int) -> Kept:
    """One coordinate of a matrix, in all of its visits."""
    return _without(matrix, axis, None)


def _without(matrix: Matrix, axis: int, block: int | None) -> Kept:
    """One coordinate of a matrix, without one block of visits."""
    values, other = matrix.values[axis], matrix.other[axis] if matrix.other else None
    if block is None:
        return Kept(values, other, matrix.least, matrix, matrix.exposure)
    number = number_of_blocks(matrix)
    out = blocks(values.shape[1], number)[block]
    if other is not None and other.shape[1] >= number:
        other = np.delete(other, blocks(other.shape[1], number)[block], axis=1)
    exposure = None if matrix.exposure is None else np.delete(matrix.exposure, out, axis=1)
    return Kept(np.delete(values, out, axis=1), other, max(1, matrix.least - len(out)), matrix, exposure)
