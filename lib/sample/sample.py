"""The selected detections of one band, and what estimators take from them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.arrays import AnyArray, FloatArray, IntArray
from skyaccept.lib.catalog.detections import AssociatedDetections, inverse_index
from skyaccept.lib.catalog.reference import Reference
from skyaccept.lib.catalog.visit_groups import VisitGroups
from skyaccept.lib.sample.selection import Groups, Selection
from skyaccept.lib.sample.subsampling import sampled
from skyaccept.lib.sample.visit_matrix import VisitMatrix, name_keys
from skyaccept.lib.separation import Positions, positions

T = TypeVar("T")

COORDINATES = ("ra", "dec")
"""Components of positions, along RA (times cos Dec) and Dec."""


@dataclass(frozen=True)
class Sample:
    """Selected detections of one band.

    ``in_band(band)`` is the sample that the same cuts give in another band, ``reference`` the reference catalog of the
    run, if it has one. ``visit_groups`` are the visits that share errors; without them every visit is independent.
    """

    detections: AssociatedDetections
    selection: Selection
    band: str
    in_band: Callable[[str], Sample] | None = None
    reference: Reference | None = None
    visit_groups: VisitGroups | None = None
    _cache: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)

    def cached(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return ``compute()``, computed once for all estimators that start from it."""
        if key not in self._cache:
            self._cache[key] = compute()
        found: T = self._cache[key]
        return found

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
    def star_index(self) -> NDArray[np.int64]:
        """Number of the object of each selected row in `positions`.

        The numbers follow the sky.
        """
        number = inverse_index(self.positions.objects, self.detections.n_objects)
        return np.asarray(number[self.detections.object[self.selection.rows]])

    @cached_property
    def brightness(self) -> NDArray[np.float64] | None:
        """Logarithm of the median S/N of each object, or its median magnitude.

        For the objects of `positions`; None without both columns.
        """
        values = self.detections.snr if self.detections.snr is not None else self.detections.mag
        if values is None:
            return None
        medians = self.groups.reduce("median", values[self.selection.rows].astype(np.float64))
        if self.detections.snr is not None:
            medians = np.log(np.maximum(medians, np.finfo(float).tiny))
        if not np.isfinite(medians).any():
            return None
        found = np.empty(len(self.positions))
        found[self.star_index[self.groups.start]] = np.where(np.isfinite(medians), medians, np.nanmedian(medians))
        return found

    @cached_property
    def offsets(self) -> tuple[FloatArray, FloatArray]:
        """Offset of each selected row from the mean position of its object, mas.

        Along RA (times cos Dec) and Dec.
        """
        where = self.positions
        column = np.searchsorted(where.visits, self.detections.visit[self.selection.rows])
        x, y = (o[self.star_index, column].astype(np.float64) for o in (where.stars.x, where.stars.y))
        return x, y

    def matrix(
        self,
        *columns: AnyArray,
        limit: int | None = None,
        star: IntArray | None = None,
        visit: AnyArray | None = None,
        extra: Mapping[str, AnyArray] | None = None,
        pairs_of_visits: bool = False,
    ) -> VisitMatrix:
        """Measurements by object and visit.

        Parameters
        ----------
        *columns : (n,) float64 or complex128
            Measurements, one array for each component.
        limit : int, optional
            Measurements at most; of more, those of a subsample of the objects.
        star, visit : (n,) int64, optional
            Object, numbered as in `positions`, and visit of each measurement; those of the selected rows by default.
        extra : mapping of str to (n,) float64, optional
            Further columns by measurement.
        pairs_of_visits : bool
            Count pairs of visits, in place of visits, against the limit.
        """
        star = self.star_index if star is None else star
        visit = self.detections.visit[self.selection.rows] if visit is None else visit
        visits, column = np.unique(visit, return_inverse=True)
        stars = np.unique(star)
        each = len(visits) * (len(visits) - 1) // 2 if pairs_of_visits else len(visits)
        most = len(stars) if limit is None else limit // max(1, each)
        kept, note = sampled(self.positions.direction[stars], most, "stars")
        number = inverse_index(stars[kept], len(self.positions))
        row, used = number[star], number[star] >= 0

        def dense(values: AnyArray) -> AnyArray:
            found = np.full((len(kept), len(visits)), np.nan, dtype=values.dtype)
            found[row[used], column[used]] = values[used]
            return found

        return VisitMatrix(
            values=tuple(dense(values) for values in columns),
            components=COORDINATES if len(columns) == 2 else ("value",),
            stars=np.arange(len(kept))[:, None],
            n_stars=len(kept),
            brightness=None if self.brightness is None else self.brightness[stars[kept]],
            objects=self.positions.objects[stars[kept]],
            extra={name: dense(values.astype(np.float64)) for name, values in (extra or {}).items()},
            subsample_note=note,
            visits=visits,
            visit_groups=self.group_keys(visits),
        )

    def group_keys(self, visits: AnyArray) -> AnyArray:
        """Hash of the name of the group of each visit."""
        if self.visit_groups is None:
            return name_keys(self.detections.visits[code] for code in visits)
        return name_keys(self.visit_groups.names_of(visits))
