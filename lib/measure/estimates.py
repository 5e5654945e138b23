"""Estimates with the replicates that they rest on, each computed once."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from skyaccept.lib.arrays import FloatArray
from skyaccept.lib.catalog.detections import AssociatedDetections, inverse_index
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.measure.plan import MeasurementPlan
from skyaccept.lib.rounding import Json, round_significant
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.visit_matrix import VisitMatrix
from skyaccept.lib.sphere import to_degrees
from skyaccept.lib.uncertainty.distribution import Estimate
from skyaccept.lib.uncertainty.estimator import MatrixErrors
from skyaccept.lib.uncertainty.jackknife import cells, estimates
from skyaccept.lib.uncertainty.statistic import Statistic
from skyaccept.lib.uncertainty.visit_blocks import check_groups

Found = TypeVar("Found")

BLOCKS_BY_HASH = "by hash"
"""How visits are dealt to blocks: replicates of results that were dealt otherwise cannot be paired with these."""


@dataclass(frozen=True)
class EstimateWithReplicates:
    """An estimate, and its replicates as they are stored in the results."""

    estimate: Estimate
    replicates: Json


class EstimateCache:
    """Visit matrices, and the estimates that rest on them."""

    def __init__(self) -> None:
        self._matrices: dict[Hashable, MatrixErrors | NotMeasurable] = {}
        self._estimates: dict[tuple[Hashable, Statistic], EstimateWithReplicates | str] = {}

    def has(self, key: Hashable, statistics: Iterable[Statistic]) -> bool:
        """Return True if all these statistics were estimated."""
        return all((key, statistic) in self._estimates for statistic in statistics)

    def get(self, key: Hashable, statistic: Statistic) -> EstimateWithReplicates | str:
        """Estimate of a statistic and its replicates, or why there is no interval."""
        return self._estimates[key, statistic]

    def matrix_errors(self, plan: MeasurementPlan, sample: Sample) -> MatrixErrors:
        """Estimator and visit matrix of a plan, made once.

        Raises `NotMeasurable` each time where there is none.
        """
        key = plan.key(sample.band)
        if key not in self._matrices:
            try:
                self._matrices[key] = plan.matrix_errors(sample)
            except NotMeasurable as reason:
                self._matrices[key] = reason
        return raise_if_reason(self._matrices[key])

    def compute(
        self,
        plan: MeasurementPlan,
        sample: Sample,
        measured: Mapping[Statistic, tuple[float, Mapping[str, float]]],
    ) -> None:
        """Estimate statistics, or keep the reason why there is no interval.

        Parameters
        ----------
        plan : MeasurementPlan
        sample : Sample
        measured : mapping of Statistic to (float, mapping)
            Measured values, and the same by component where there are several.
        """
        key = plan.key(sample.band)
        try:
            task = self.matrix_errors(plan, sample)
            noun = "night" if sample.visit_groups and sample.visit_groups.kind == "night" else "group"
            check_groups(task.matrix, task.estimator.fewest_visits + 1, noun)
            names = task.matrix.components
            values = [[by.get(name, value) for name in names] for value, by in measured.values()]
            found = estimates(task, list(measured), values if task.matrix.subsample_note else None)
        except NotMeasurable as reason:
            self._estimates.update({(key, statistic): str(reason) for statistic in measured})
            return
        for statistic, one in zip(measured, found, strict=True):
            self._estimates[key, statistic] = (
                str(one) if isinstance(one, NotMeasurable) else EstimateWithReplicates(one[0], stored(one[1], names))
            )


def raise_if_reason(found: Found | NotMeasurable) -> Found:
    """Return what was found; raise the reason where there is one instead."""
    if isinstance(found, NotMeasurable):
        raise NotMeasurable(*found.args)
    return found


def stored(tables: Sequence[FloatArray], names: Sequence[str]) -> dict[str, dict[str, list[float]]]:
    """Replicates as in the results: of all, without each block, without each cell."""

    def rounded(row: FloatArray) -> list[float]:
        return [round_significant(value) for value in row]

    return {
        name: {"all": rounded(table[0, :1]), "visits": rounded(table[1:, 0]), "stars": rounded(table[0, 1:])}
        for name, table in zip(names, tables, strict=True)
    }


def identity(matrix: VisitMatrix, detections: AssociatedDetections, sample: Sample) -> Json | None:
    """Identity of the blocks and cells that replicates leave out.

    Two runs leave out the same if the names of visits and the places of cells agree.

    None where a measurement is not of one visit, so that there are no names.
    """
    if matrix.objects is None or matrix.visits is None:
        return None
    positions = sample.positions
    groups = sample.visit_groups.names_of(matrix.visits) if sample.visit_groups else ["" for _ in matrix.visits]
    visits = (f"{detections.visits[code]}\0{group}" for code, group in zip(matrix.visits, groups, strict=True))
    names = "\0".join([BLOCKS_BY_HASH, *visits])
    direction = positions.direction[inverse_index(positions.objects, detections.n_objects)[matrix.objects]]
    cell = cells(matrix, np.arange(matrix.n_stars))
    middle = np.stack([direction[cell == code].mean(axis=0) for code in range(cell[-1] + 1)])
    return {
        "visits": hashlib.sha256(names.encode()).hexdigest()[:16],
        "cells": [[round(float(x), 5), round(float(y), 5)] for x, y in zip(*to_degrees(middle), strict=True)],
    }
