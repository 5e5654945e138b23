r"""Compare two processings of the same sky, paired by star and by visit.

Measurements of the same star, or pair of stars, in the same visit share most of their error: the image is the same.
What both datasets hold is therefore measured in both with the same blocks of visits and cells of stars left out, and
the two tables of replicates (`skyaccept.lib.uncertainty.jackknife`) are subtracted entry by entry. The difference has
a table of its own,

.. math:: d_{bc} = y^{\text{after}}_{bc} - y^{\text{before}}_{bc},

of which `skyaccept.lib.uncertainty.distribution.part` makes an interval: what both have in common cancels, and the
noise of single measurements counts once, as visits and stars are left out at once as well. Replicates of nearly equal
samples differ by less than an order statistic jumps, so that :math:`y` is a mean of many
(`skyaccept.lib.uncertainty.statistic.level`).

Objects are paired by position, visits by name; a pair of stars is the same whichever comes first, as is its separation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from skyaccept.lib.arrays import FloatArray, IntArray
from skyaccept.lib.catalog.association import RADIUS
from skyaccept.lib.catalog.crossmatch import UNMATCHED, mutual_nearest
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.catalog.reference import Reference
from skyaccept.lib.catalog.visit_groups import Kind
from skyaccept.lib.exceptions import InputError, NotMeasurable
from skyaccept.lib.measure.assembly import needs
from skyaccept.lib.measure.measurer import Measurer, Remeasured
from skyaccept.lib.measure.options import Options
from skyaccept.lib.requirements.model import Case, Specification
from skyaccept.lib.results.comparison import TOLERANCE, Difference
from skyaccept.lib.results.model import Result, Results
from skyaccept.lib.sample.visit_matrix import VisitMatrix
from skyaccept.lib.sphere import unit_vectors
from skyaccept.lib.uncertainty.distribution import part
from skyaccept.lib.uncertainty.estimator import MatrixErrors
from skyaccept.lib.uncertainty.jackknife import assumptions, check, scheme, sorted_errors, tables
from skyaccept.lib.uncertainty.statistic import Statistic, level
from skyaccept.lib.uncertainty.transform import Scale


@dataclass(frozen=True)
class Processing:
    """One of two processings.

    Attributes
    ----------
    results : Results
    detections : AssociatedDetections
        The dataset that they were made of, with the columns that `columns` names.
    file : str
        Where the results were read from, for messages.

    Raises
    ------
    InputError
        Another dataset.
    """

    results: Results
    detections: AssociatedDetections
    file: str

    def __post_init__(self) -> None:
        known, found = self.results.dataset["sha256"], self.detections
        if found.sha256 != known:
            raise InputError(
                f"{found.source or found.name}: is not what {self.file} was made of: the sha256 of the dataset is "
                f"{found.sha256[:12]}, and that of {self.results.dataset['name']} was {known[:12]}"
            )

    @cached_property
    def directions(self) -> FloatArray:
        """Mean direction of each object over its detections, (n_objects, 3).

        Unit vectors; NaN without any detection.
        """
        d = self.detections
        rows = np.flatnonzero((d.object >= 0) & np.isfinite(d.ra) & np.isfinite(d.dec))
        vectors = unit_vectors(d.ra[rows], d.dec[rows])
        found = np.stack([np.bincount(d.object[rows], x, minlength=d.n_objects) for x in vectors.T], axis=1)
        with np.errstate(invalid="ignore"):
            return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def columns(results: Results, specification: Specification) -> frozenset[str]:
    """Columns that the clauses of some results need, each under its definition."""
    cases = {case.id: case for case in specification.cases()}
    asked: dict[str, list[Case]] = {}
    for result in results.results:
        if result.test in cases and result.definition in specification.definitions:
            asked.setdefault(result.definition, []).append(cases[result.test])
    return frozenset().union(*(needs(specification, some, Options(definition=name)) for name, some in asked.items()))


class Pairing:
    """Differences between two processings, clause by clause."""

    def __init__(
        self, before: Processing, after: Processing, specification: Specification, reference: Reference | None = None
    ) -> None:
        self._cases = {case.id: case for case in specification.cases()}
        self._before, self._after = before, after
        self._measurers = [
            Measurer(
                side.detections,
                specification,
                Options(reference=reference, confidence=None, visit_groups=_kind_of_groups(side.results)),
            )
            for side in (before, after)
        ]
        self._known = len(before.directions)
        counterpart = mutual_nearest(after.directions, before.directions, RADIUS)
        # an object without a counterpart, or a visit, keeps a code that the other dataset does not have
        self._object = np.where(counterpart == UNMATCHED, self._known + np.arange(len(counterpart)), counterpart)
        self._matched = np.isin(np.arange(self._known), counterpart)
        names = {name: code for code, name in enumerate(before.detections.exposures())}
        found = [names.setdefault(name, len(names)) for name in after.detections.exposures()]
        self._visit = np.array(found, dtype=np.int64)

    def __call__(self, old: Result, new: Result, confidence: float) -> Difference:
        """Difference of one clause in one band, of what both datasets hold.

        Parameters
        ----------
        old, new : Result
            Of the same clause under the same definition, with values.
        confidence : float
            Of the interval.

        Raises
        ------
        NotMeasurable
            They cannot be paired; the sentence says why.
        InputError
            A dataset does not give the value that is in its results.
        """
        measured = [
            self._measured(measurer, side, result)
            for measurer, side, result in zip(self._measurers, (self._before, self._after), (old, new), strict=True)
        ]
        here, there = measured[0].task.matrix, self._renamed(measured[1].task.matrix)
        pair = common(here, there)
        first, second = (replace(one.task, matrix=matrix) for one, matrix in zip(measured, pair, strict=True))
        return difference(first, second, measured[1].statistic, confidence, self._words(here, there, pair[0]))

    def _measured(self, measurer: Measurer, side: Processing, result: Result) -> Remeasured:
        """A clause measured anew, once it is known to be what the results say."""
        if result.test not in self._cases:
            raise NotMeasurable("the requirement documents that were named have no such clause")
        found = measurer.remeasure(self._cases[result.test], result.definition, result.level)
        if result.value is None or not math.isclose(found.value, result.value, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
            raise InputError(
                f"{side.file}: {result.test} is {result.value} {result.unit} there, and {found.value} "
                f"measured anew on {side.detections.source or side.detections.name}: by another version, or with other "
                "documents, survey profile, table of visits or reference catalog"
            )
        return found

    def _renamed(self, matrix: VisitMatrix) -> VisitMatrix:
        """The matrix after, with the codes of objects and visits of the one before."""
        objects, visits, other = matrix.objects, matrix.visits, matrix.comparison_visits
        return replace(
            matrix,
            objects=None if objects is None else self._object[objects],
            visits=None if visits is None else self._visit[visits],
            comparison_visits=None if other is None else self._visit[other],
        )

    def _words(self, here: VisitMatrix, there: VisitMatrix, both: VisitMatrix) -> str:
        """How much two matrices have in common."""
        if here.objects is None or there.objects is None:
            raise ValueError("the matrices do not say which objects they hold")
        unit = "pairs" if here.of_pairs else "stars"
        counts = [(np.isfinite(m.values[0]).sum(), *m.values[0].shape) for m in (both, here, there)]
        measurements, units, visits = (_of(*numbers) for numbers in zip(*counts, strict=True))
        alone = np.count_nonzero(~self._matched[here.objects]), np.count_nonzero(there.objects >= self._known)
        notes = [f"{m.subsample_note} {when}" for m, when in ((here, "before"), (there, "after")) if m.subsample_note]
        return (
            f"by star and visit: {measurements} measurements, {units} {unit} and {visits} visits in common; "
            f"stars without a counterpart: {alone[0]:,} before, {alone[1]:,} after{''.join(notes)}"
        )


def _of(number: int, before: int, after: int) -> str:
    """Some of those of either dataset."""
    return f"{number:,} of {before:,}" if before == after else f"{number:,} of {before:,} (after: {after:,})"


def common(here: VisitMatrix, there: VisitMatrix) -> tuple[VisitMatrix, VisitMatrix]:
    """Reduce two matrices to units, visits and measurements that both hold.

    Parameters
    ----------
    here, there : VisitMatrix
        With the same codes of objects and visits.

    Returns
    -------
    here, there : VisitMatrix
        Stars are numbered in the order that they have ``here``, with the brightness that they have there, so that
        models of both use the same; visits ascend in their codes.

    Raises
    ------
    NotMeasurable
        Nothing in common.
    """
    if here.objects is None or there.objects is None or here.visits is None or there.visits is None:
        raise NotMeasurable("an error is not that of single stars: there are no measurements of both to be paired")
    visits = _shared(here.visits, there.visits, "the datasets have no visit in common")
    size = 1 + int(max(here.objects.max(), there.objects.max()))
    what = "pair of stars" if here.of_pairs else "star"
    units = _shared(_unit_codes(here, size), _unit_codes(there, size), f"the datasets have no {what} in common")
    others = _shared_comparison_visits(here, there)
    parts = [
        matrix.select(units=of_unit, visits=of_visit, comparison_visits=of_other)
        for matrix, of_unit, of_visit, of_other in zip((here, there), units, visits, others, strict=True)
    ]
    first, second = _measured_by_both(*parts)
    seen = np.isfinite(first.values[0])
    compared = None
    if first.comparison:
        compared = np.isfinite(first.comparison[0])
        seen &= compared.any(axis=1, keepdims=True)
    rows, columns = np.asarray(seen.any(axis=1)), np.asarray(seen.any(axis=0))
    if not rows.any():
        raise NotMeasurable(f"the datasets have no measurement of a {what} in common")
    of_other = None if compared is None else np.asarray(compared.any(axis=0))
    used, number = np.unique(first.stars[rows], return_inverse=True)
    stars = number.reshape(-1, here.stars.shape[1])
    brightness = None if here.brightness is None else here.brightness[used]
    found = [
        replace(
            part.select(units=rows, visits=columns, comparison_visits=of_other),
            stars=stars,
            n_stars=len(used),
            brightness=brightness,
            objects=here.objects[used],
        )
        for part in (first, second)
    ]
    # a night may begin earlier in one dataset, and has another name there
    first, second = found
    return first, replace(second, visit_groups=first.visit_groups, comparison_groups=first.comparison_groups)


def _kind_of_groups(results: Results) -> Kind | None:
    """Return how the visits of a run were grouped; None for a column, which is that of the survey profile, if any."""
    known = results.dataset.get("visit_groups")
    if known is None:  # an earlier version
        return "visit"
    return None if known["kind"] == "column" else known["kind"]


def difference(
    here: MatrixErrors, there: MatrixErrors, statistic: Statistic, confidence: float, words: str
) -> Difference:
    """Difference of a statistic of two matrices that hold the same.

    After minus before.

    Parameters
    ----------
    here, there : MatrixErrors
        On matrices as `common` gives them.
    statistic : Statistic
    confidence : float
        Of the interval.
    words : str
        What the matrices hold.

    Raises
    ------
    NotMeasurable
        Too few visits or stars for an interval.
    """
    if _equal(here.matrix, there.matrix):
        return Difference(0.0, 0.0, 0.0, True, words)
    check(here)
    debiased = assumptions(here)[0](here.matrix, here.settings)
    errors = [statistic.prepare(one) for one in sorted_errors(here, debiased)]
    levels = [level(statistic, one, here.matrix.n_stars) for one in errors]
    # of two components the larger value counts in each replicate
    before, after = (np.max(tables(task, levels), axis=0) for task in (here, there))
    table = after - before
    known = part(table, float(table[0, 0]), Scale(), scheme=scheme(here))
    low, high = (known.quantile(p) for p in ((1 - confidence) / 2, (1 + confidence) / 2))
    return Difference(known.center, low, high, True, words)


def _equal(here: VisitMatrix, there: VisitMatrix) -> bool:
    """Whether the measurements are the same, and not only what is made of them."""
    pairs = zip((*here.values, *here.comparison), (*there.values, *there.comparison), strict=True)
    noise = here.noise is None or there.noise is None or np.array_equal(here.noise, there.noise)
    return noise and all(np.array_equal(one, other, equal_nan=True) for one, other in pairs)


def _shared(here: IntArray, there: IntArray, nothing: str) -> tuple[IntArray, IntArray]:
    """Places of the codes that both have, in the order that they have ``here``."""
    _, first, second = np.intersect1d(here, there, assume_unique=True, return_indices=True)
    if not len(first):
        raise NotMeasurable(nothing)
    order = np.argsort(first)
    return first[order], second[order]


def _unit_codes(matrix: VisitMatrix, size: int) -> IntArray:
    """Code of each unit, the same whichever star of a pair comes first.

    ``size`` is above all codes of objects.
    """
    if matrix.objects is None:
        raise ValueError("the matrix does not say which objects it holds")
    ordered = np.sort(matrix.objects[matrix.stars], axis=1)
    return np.asarray(ordered[:, 0] * size + ordered[:, -1])


def _shared_comparison_visits(here: VisitMatrix, there: VisitMatrix) -> tuple[IntArray | None, IntArray | None]:
    """Places of the visits of the other band that both have.

    None where nothing is compared with.
    """
    if here.comparison_visits is None or there.comparison_visits is None:
        return None, None
    return _shared(
        here.comparison_visits,
        there.comparison_visits,
        "the datasets have no visit of the band compared with in common",
    )


def _measured_by_both(here: VisitMatrix, there: VisitMatrix) -> tuple[VisitMatrix, VisitMatrix]:
    """Remove the measurements that only one of two matrices has."""
    seen = np.logical_and.reduce([np.isfinite(values) for values in (*here.values, *there.values)])
    found = [replace(one, values=tuple(np.where(seen, v, np.nan) for v in one.values)) for one in (here, there)]
    if here.comparison:
        seen = np.logical_and.reduce([np.isfinite(values) for values in (*here.comparison, *there.comparison)])
        found = [replace(one, comparison=tuple(np.where(seen, v, np.nan) for v in one.comparison)) for one in found]
    return found[0], found[1]
