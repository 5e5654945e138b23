"""The selected detections of one band, and what several estimators take from them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.catalog.detections import AssociatedDetections, inverse_index
from skyaccept.lib.catalog.reference import Reference
from skyaccept.lib.sample.selection import Groups, Selection
from skyaccept.lib.sample.subsampling import sampled
from skyaccept.lib.sample.visit_matrix import LIMIT, Matrix
from skyaccept.lib.separation import Positions, positions

T = TypeVar("T")


@dataclass(frozen=True)
class Sample:
    """Selected detections of one band.

    ``other(band)`` is the sample that the same cuts give in another band, ``reference`` the reference catalog of the
    run, if it has one.
    """

    detections: AssociatedDetections
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
        return Groups.from_rows(self.detections, self.selection.rows)

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
        number = inverse_index(self.positions.objects, self.detections.n_objects)
        return np.asarray(number[self.detections.object[self.selection.rows]])

    @cached_property
    def brightness(self) -> NDArray[np.float64] | None:
        """Logarithm of the median S/N of each object of `positions`, or its median magnitude; None without both."""
        values = self.detections.snr if self.detections.snr is not None else self.detections.mag
        if values is None:
            return None
        medians = self.groups.reduce("median", values[self.selection.rows].astype(np.float64))
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
        number = inverse_index(stars[kept], len(self.positions))
        row, used = number[star], number[star] >= 0
        found = []
        for values in columns:
            dense = np.full((len(kept), len(visits)), np.nan, dtype=values.dtype)
            dense[row[used], column[used]] = values[used]
            found.append(dense)
        bright = None if self.brightness is None else self.brightness[stars[kept]]
        objects = self.positions.objects[stars[kept]]
        return Matrix(tuple(found), np.arange(len(kept))[:, None], len(kept), bright, objects, note=note, visits=visits)
