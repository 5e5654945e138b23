"""Two-way delete-block jackknife over visits and cells of the sky.

Measurements stand in a matrix of units (a star, or a pair of stars) by visits. A replicate leaves out a block of
visits, the stars of a cell of the sky, or both, and computes the errors of the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

import numpy as np
from skyaccept.lib import progress
from skyaccept.lib.arrays import AnyArray, BoolArray, FloatArray, IntArray
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.sample.visit_matrix import VisitMatrix
from skyaccept.lib.uncertainty import few_visit_bias, jackknife_bias, order_statistics
from skyaccept.lib.uncertainty.distribution import Coordinate, Crossing, Estimate, Part, Scheme, estimate, part
from skyaccept.lib.uncertainty.errors import Errors
from skyaccept.lib.uncertainty.estimator import MatrixErrors
from skyaccept.lib.uncertainty.matrix_errors import NOTHING_LEFT, numbers
from skyaccept.lib.uncertainty.statistic import Sorted, Statistic, View, views, without_signs
from skyaccept.lib.uncertainty.visit_blocks import (
    check_groups,
    deletes_comparison,
    number_of_blocks,
    visits_in_words,
    without_block,
)

CELLS = 16
"""Cells of the sky, with the same number of stars each."""

_DOUBT = 0.1  # of a correction for bias that may be wrong; the simulations of docs/uncertainty.md stay within it

Compute = Callable[[VisitMatrix, object], Errors]
Component = tuple[Coordinate, FloatArray]
"""Distribution of the value of one component, and the table of its replicates in the metric's unit."""

Estimated = tuple[Estimate, list[FloatArray]]
"""An estimate, and the tables of replicates that it rests on in the metric's unit, one for each component."""


def estimates(
    task: MatrixErrors, statistics: Sequence[Statistic], values: Sequence[Sequence[float]] | None = None
) -> list[Estimated | NotMeasurable]:
    """Estimate statistics of the errors of infinitely many visits.

    The reason stands in place of one without an interval.

    Parameters
    ----------
    task : MatrixErrors
    statistics : sequence of Statistic
    values : sequence of sequence of float, optional
        Values on the whole sample by statistic and component, where the matrix holds a part of it.

    Raises
    ------
    NotMeasurable
        Too few visits or stars for an interval.
    """
    check(task)
    matrix = task.matrix
    debiased, *alternative = assumptions(task)
    errors = debiased(matrix, task.settings)
    found = _under(task, debiased, errors, statistics, values)
    for compute in alternative:
        opposite = _under(task, compute, compute(matrix, task.settings), statistics, values)
        found = [[_enclosing(*both) for both in zip(*pair, strict=True)] for pair in zip(found, opposite, strict=True)]
    notes = "".join(f"; {note}" for note in errors.notes)
    method = (
        f"delete-block jackknife over {number_of_blocks(matrix)} blocks of {visits_in_words(matrix)}, over "
        f"{_cells(matrix)} cells of {matrix.n_stars:,} stars, and over both{matrix.subsample_note}{notes}"
    )
    return [_combined(components, method) for components in zip(*found, strict=True)]


def tables(task: MatrixErrors, levels: Sequence[Callable[[Sorted], float]]) -> list[FloatArray]:
    """Tables of a statistic of errors, one for each component.

    They have the form that `skyaccept.lib.uncertainty.distribution.part` takes.

    Parameters
    ----------
    task : MatrixErrors
        With enough visits and stars, see `check`.
    levels : sequence of callable
        One for each component.
    """
    found = []
    for compute in assumptions(task):
        rows = [
            [[level(errors) for level, errors in zip(levels, cell, strict=True)] for cell in row]
            for row in _replicates(task, compute)
        ]
        found.append(np.moveaxis(np.array(rows), -1, 0))
    return list(np.mean(found, axis=0))


def check(task: MatrixErrors) -> None:
    """Make sure that there are visits and stars enough for an interval.

    Raises `NotMeasurable`.
    """
    matrix = task.matrix
    check_groups(matrix, task.estimator.fewest_visits + 1)
    if matrix.n_stars < 3:
        raise NotMeasurable(f"no interval: {matrix.n_stars} stars cannot tell how much stars differ, which takes 3")


def assumptions(task: MatrixErrors) -> list[Compute]:
    """How debiased errors are computed: in one way, or in two.

    Two where few visits cannot tell which holds.
    """
    estimator = task.estimator
    found = [estimator.debiased or estimator.errors]
    if estimator.alternative is not None and few_visits(task.matrix):
        found.append(estimator.alternative)
    return found


def few_visits(matrix: VisitMatrix) -> bool:
    """Whether most units have too few visits to tell how their variances differ."""
    visits = numbers(matrix.values[0])
    return bool(np.count_nonzero(visits >= few_visit_bias.FEWEST) < max(2, 0.5 * len(visits)))


def scheme(task: MatrixErrors) -> Scheme:
    """How the replicates of a matrix are to be read."""
    matrix = task.matrix
    by_stars = 1.0
    if matrix.of_pairs:
        by_stars = jackknife_bias.of_stars(matrix.stars, cells(matrix, np.arange(matrix.n_stars)))
    # of two components the lower end is that of the larger, which lies high as it is
    return Scheme(_inflation(task), by_stars, matrix.n_visits if len(matrix.components) == 1 else None)


def sorted_errors(task: MatrixErrors, errors: Errors) -> list[Sorted]:
    """Errors of an estimator by component, in ascending order.

    As its statistic is taken of them.
    """
    return [_finished(task, *_in_order(values, errors.weights)) for values in errors.components.values()]


def cells(matrix: VisitMatrix, stars: IntArray) -> IntArray:
    """Cell of the sky of each of some stars, as the tree of the positions is divided."""
    return cells_of(matrix.n_stars, stars)


def cells_of(n_stars: int, stars: IntArray) -> IntArray:
    """The same by the number of stars."""
    return np.searchsorted(starts(n_stars)[1:], stars, side="right")


def starts(n_stars: int) -> IntArray:
    """First star of each cell of the sky."""
    number = min(CELLS, n_stars)
    return n_stars * np.arange(number) // max(number, 1)


def _cells(matrix: VisitMatrix) -> int:
    return min(CELLS, matrix.n_stars)


def _inflation(task: MatrixErrors) -> float:
    """Factor by which the variance by visits of a scatter is too large.

    The scatter is about a mean of the same visits.
    """
    matrix = task.matrix
    if not task.estimator.about_mean:
        return 1.0
    visits, number = float(numbers(matrix.values[0]).mean()), number_of_blocks(matrix)
    if not matrix.comparison:
        return jackknife_bias.of_visits(visits, number)
    if not deletes_comparison(matrix):
        return 1.0
    return jackknife_bias.of_offsets(visits, float(numbers(matrix.comparison[0]).mean()), number)


def _in_order(values: AnyArray, weights: AnyArray | None) -> Sorted:
    order = np.argsort(values, kind="stable")
    return values[order], None if weights is None else weights[order]


def _finished(task: MatrixErrors, values: AnyArray, weights: AnyArray | None) -> Sorted:
    """Errors in ascending order, less their median, without signs.

    As the estimator says.
    """
    if weights is not None:
        weights = weights / weights.mean()
    errors: Sorted = values, weights
    if task.estimator.subtract_median:
        errors = values - order_statistics.median(values, weights), weights
    return without_signs(errors) if task.estimator.absolute else errors


def _replicates(task: MatrixErrors, compute: Compute) -> Iterator[list[list[Sorted]]]:
    """Errors of all replicates by component.

    Rows are with all visits and without each block, columns without cells.

    The first column has all stars.
    """
    matrix = task.matrix
    cell = cells(matrix, matrix.stars)
    kept = [(cell != code).all(axis=1) for code in range(-1, _cells(matrix))]
    left_out = [None, *range(number_of_blocks(matrix))]
    for row, block in enumerate(left_out):
        progress.report("leaving out visits and stars", row, len(left_out))
        part = without_block(matrix, block)
        if task.estimator.separable:
            yield list(_of_parts(task, compute(part, task.settings), kept))
        else:
            yield [_of_part(task, compute, part, units) for units in kept]


def _of_part(task: MatrixErrors, compute: Compute, part: VisitMatrix, units: BoolArray) -> list[Sorted]:
    """Errors of some of the units, by component."""
    return sorted_errors(task, compute(part if units.all() else part.select(units=units), task.settings))


def _of_parts(task: MatrixErrors, errors: Errors, kept: Sequence[BoolArray]) -> Iterator[list[Sorted]]:
    """Errors of some of the units at a time, by component.

    Those of a unit depend on no other.
    """
    if errors.unit is None:
        raise ValueError(f"{task.estimator.description}: separable errors that belong to no unit")
    orders = [np.argsort(values, kind="stable") for values in errors.components.values()]
    ordered = [
        (values[order], errors.unit[order], None if errors.weights is None else errors.weights[order])
        for order, values in zip(orders, errors.components.values(), strict=True)
    ]
    for units in kept:
        found = []
        for values, unit, weights in ordered:
            chosen = units[unit]
            if not chosen.any():
                raise NotMeasurable(NOTHING_LEFT)
            found.append(_finished(task, values[chosen], None if weights is None else weights[chosen]))
        yield found


def _under(
    task: MatrixErrors,
    compute: Compute,
    errors: Errors,
    statistics: Sequence[Statistic],
    values: Sequence[Sequence[float]] | None,
) -> list[list[Component | NotMeasurable]]:
    """Distribution and replicates by component and statistic.

    Under one assumption; ``errors`` are those of all.
    """
    matrix, estimator = task.matrix, task.estimator
    counted = (len(errors), 1) if estimator.independent else (matrix.n_stars, matrix.stars.shape[1])
    unbiased = sorted_errors(task, errors)
    plain = sorted_errors(task, estimator.errors(matrix, task.settings))
    asked = [[views(one, one.prepare(whole), *counted) for one in statistics] for whole in unbiased]
    rows: list[list[list[FloatArray]]] = [[] for _ in unbiased]
    for row in _replicates(task, compute):
        for axis, seen in enumerate(asked):
            rows[axis].append([_places(statistics, seen, cell[axis]) for cell in row])
    found = []
    for axis, seen in enumerate(asked):
        known = None if values is None else [value[axis] for value in values]
        table = np.array(rows[axis])
        found.append(_by_statistic(task, statistics, seen, table, unbiased[axis], plain[axis], known))
    return found


def _places(statistics: Sequence[Statistic], seen: Sequence[Sequence[View]], errors: Sorted) -> FloatArray:
    """What all views compare between replicates."""
    prepared = [one.prepare(errors) for one in statistics]
    return np.concatenate([view.place(one) for one, own in zip(prepared, seen, strict=True) for view in own])


def _by_statistic(
    task: MatrixErrors,
    statistics: Sequence[Statistic],
    seen: Sequence[Sequence[View]],
    table: FloatArray,
    unbiased: Sorted,
    plain: Sorted,
    values: Sequence[float] | None,
) -> list[Component | NotMeasurable]:
    """Distribution and replicates of one component by statistic."""
    how = scheme(task)
    found: list[Component | NotMeasurable] = []
    first = 0
    for k, (statistic, own) in enumerate(zip(statistics, seen, strict=True)):
        errors = statistic.prepare(unbiased), statistic.prepare(plain)
        value = None if values is None else values[k]
        number = sum(len(view.center) for view in own)
        try:
            found.append(_component(statistic, own, table[:, :, first : first + number], *errors, value, how))
        except NotMeasurable as reason:
            found.append(reason)
        first += number
    return found


def _enclosing(one: Component | NotMeasurable, other: Component | NotMeasurable) -> Component | NotMeasurable:
    """Middle of two estimates, with an interval that encloses those of both.

    The estimates are under two assumptions.
    """
    if isinstance(one, NotMeasurable) or isinstance(other, NotMeasurable):
        return one if isinstance(one, NotMeasurable) else other
    middle = (one[0].value + other[0].value) / 2
    return Coordinate(middle, one[0].parts + other[0].parts), (one[1] + other[1]) / 2


def _combined(components: Sequence[Component | NotMeasurable], method: str) -> Estimated | NotMeasurable:
    """Estimate of all components; the reason where one of them has none."""
    reasons = [one for one in components if isinstance(one, NotMeasurable)]
    known = [one for one in components if not isinstance(one, NotMeasurable)]
    return reasons[0] if reasons else (estimate([one[0] for one in known], method), [one[1] for one in known])


def _component(
    statistic: Statistic,
    seen: Sequence[View],
    table: FloatArray,
    unbiased: Sorted,
    plain: Sorted,
    value: float | None,
    how: Scheme,
) -> Component:
    """Distribution of one statistic from the table of its views."""
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
    answer = statistic.answer(*unbiased) if value is None else float(last.off(middle))
    replicated = last.off(table[:, :, -1] - table[0, 0, -1] + middle)
    return Coordinate(answer, tuple(parts)), replicated
