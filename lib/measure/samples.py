"""Samples of clauses, each selected once, and why one cannot be measured."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.catalog.association import has_one_position_per_object
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.catalog.reference import Reference
from skyaccept.lib.catalog.visit_groups import VisitGroups
from skyaccept.lib.exceptions import InputError, NotMeasurable
from skyaccept.lib.measure.estimates import raise_if_reason
from skyaccept.lib.measure.plan import MeasurementPlan
from skyaccept.lib.sample.cuts import Cut
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.selection import Selection, in_band, select
from skyaccept.lib.uncertainty.errors import Errors

LARGEST = 1e50
"""No number that is measured with is larger: sums of its squares have to stay finite."""

_NOTHING_ASSOCIATED = (
    "no object is left: all detections have no position, or belong to no object or to one with two detections in half "
    "of its visits or more. Does the column mapped as visit tell exposures apart, is the association radius of the "
    'survey profile too large (1" by default), or does the column mapped as object join what is not one source?'
)


class SampleCache:
    """Samples of a dataset, and the errors that are found in them."""

    def __init__(
        self, detections: AssociatedDetections, reference: Reference | None, visit_groups: VisitGroups
    ) -> None:
        self._detections = detections
        self._reference = reference
        self._visit_groups = visit_groups
        self._selections: dict[tuple[Cut, ...], Selection] = {}
        self._samples: dict[tuple[Any, ...], Sample] = {}
        self._visits: dict[str, int] = {}
        self._errors: dict[tuple[Any, ...], Errors | NotMeasurable] = {}

    def sample(self, plan: MeasurementPlan, band: str) -> Sample:
        """Sample in a band.

        Raises
        ------
        InputError
            The catalog has not the columns, or in one of them a number that is too large to measure with.
        """
        sample = self._sample(band, plan.cuts, plan.requested_by, plan.rule.all_bands)
        for name in plan.estimator.columns_for(plan.settings):
            self._check_sizes(name, self._detections.column(name, plan.requested_by), sample)
        return sample

    def _check_sizes(self, name: str, values: AnyArray, sample: Sample) -> None:
        rows = sample.selection.rows
        beyond = rows[np.isfinite(values[rows]) & (np.abs(values[rows]) > LARGEST)]
        if len(beyond):
            row, d = int(beyond[0]), self._detections
            raise InputError(
                f"{d.source or d.name}: row {row + 1}: column '{name}': {values[row]:g} is too large to measure with "
                f"({len(beyond)} such rows): declare it as missing in the survey profile, or leave the row out"
            )

    def errors(self, plan: MeasurementPlan, sample: Sample) -> Errors:
        """Errors of a sample, found once; raises `NotMeasurable`."""
        self._check(plan, sample)
        key = plan.key(sample.band)
        if key not in self._errors:
            try:
                self._errors[key] = plan.errors(sample)
            except NotMeasurable as reason:
                self._errors[key] = reason
        return raise_if_reason(self._errors[key])

    def _sample(self, band: str, cuts: Sequence[Cut], needed_by: str, all_bands: bool) -> Sample:
        key = (band, tuple(cuts), all_bands)
        if key not in self._samples:
            if all_bands:
                selection = in_band(self._over_all_bands(cuts, needed_by), self._detections, band)
            else:
                selection = select(self._detections, band, cuts, needed_by)

            def other(band: str) -> Sample:
                return self._sample(band, cuts, needed_by, all_bands)

            self._samples[key] = Sample(self._detections, selection, band, other, self._reference, self._visit_groups)
        return self._samples[key]

    def _over_all_bands(self, cuts: Sequence[Cut], needed_by: str) -> Selection:
        key = tuple(cuts)
        if key not in self._selections:
            self._selections[key] = select(self._detections, None, cuts, needed_by)
        return self._selections[key]

    @cached_property
    def _photometry_only(self) -> bool:
        return has_one_position_per_object(self._detections)

    def _check(self, plan: MeasurementPlan, sample: Sample) -> None:
        """Say why nothing can be measured, where that is plain from the start."""
        d, band = self._detections, sample.band
        if band not in d.bands:
            raise NotMeasurable(f"the dataset has no detections in band {band}; it has {', '.join(d.bands)}")
        if band not in self._visits:
            self._visits[band] = int(np.count_nonzero(np.bincount(d.visit[d.band == d.bands.index(band)])))
        if plan.estimator.quantity == "positions" and self._photometry_only:
            raise NotMeasurable(
                "the catalog has one position for each object, the same in all visits: photometry only, and no "
                "positions of single visits to measure"
            )
        visits = self._visits[band]
        fewest = (cut.min_visits for cut in plan.cuts if isinstance(cut.min_visits, int))
        least = max(getattr(plan.settings, "min_common_visits", 1), *fewest, 1)
        if visits < least:
            raise NotMeasurable(f"needs {least} visits in band {band}, and the dataset has {visits}")
        if not d.n_objects:
            raise NotMeasurable(_NOTHING_ASSOCIATED)
        if not len(sample.selection.rows):
            lost = ", ".join(f"{n} by {reason}" for reason, n in sample.selection.rejected.items())
            raise NotMeasurable(f"no detection in band {band} passes the cuts; rejected: {lost}")
