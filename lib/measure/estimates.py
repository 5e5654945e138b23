"""Estimates of what was measured, each made once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from skyaccept.lib.arrays import FloatArray
from skyaccept.lib.catalog.detections import AssociatedDetections, inverse_index
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.rounding import Json, round_significant
from skyaccept.lib.sample.visit_matrix import Matrix
from skyaccept.lib.separation import Positions
from skyaccept.lib.sphere import to_degrees
from skyaccept.lib.uncertainty.distribution import Estimate
from skyaccept.lib.uncertainty.jackknife import Resampled, cells, infer
from skyaccept.lib.uncertainty.statistic import Question

Known = tuple[Estimate, Json]
"""What is known of a true value, and the replicates that say so."""


Found = TypeVar("Found")


class Inferences:
    """Estimates of values, and the matrices that they rest on."""

    def __init__(self) -> None:
        self._resampled: dict[Hashable, Resampled | NotMeasurable] = {}
        self._known: dict[tuple[Hashable, Question], Known | str] = {}

    def known(self, key: Hashable, questions: Iterable[Question]) -> bool:
        """Whether there are answers to all of some questions."""
        return all((key, question) in self._known for question in questions)

    def found(self, key: Hashable, question: Question) -> Known | str:
        """Estimate of a value and its replicates, or the reason why there is no interval."""
        return self._known[key, question]

    def infer(
        self,
        key: Hashable,
        resample: Callable[[], Resampled],
        measured: Mapping[Question, tuple[float, Mapping[str, float]]],
    ) -> None:
        """Find estimates of values and their replicates, or the reasons why there is no interval.

        Parameters
        ----------
        key : hashable
            Of what ``resample`` gives.
        resample : callable
            Gives what the errors can be found anew from.
        measured : mapping of Question to (float, mapping)
            Answers, and the same by coordinate where each is limited.
        """
        try:
            self._infer(key, resample, measured)
        except NotMeasurable as reason:
            self._known.update({(key, question): str(reason) for question in measured})

    def resampled(self, key: Hashable, resample: Callable[[], Resampled]) -> Resampled:
        """What ``resample`` gives, made once; it raises `NotMeasurable` each time where it does so once."""
        if key not in self._resampled:
            try:
                self._resampled[key] = resample()
            except NotMeasurable as reason:
                self._resampled[key] = reason
        return known(self._resampled[key])

    def _infer(
        self,
        key: Hashable,
        resample: Callable[[], Resampled],
        new: Mapping[Question, tuple[float, Mapping[str, float]]],
    ) -> None:
        resampled = self.resampled(key, resample)
        axes: tuple[str, ...] = ("value",)
        if len(resampled.matrix.values) > 1:
            axes = tuple(name for name in next(iter(new.values()))[1] if name != "total")
        values = [[by.get(name, value) for name in axes] for value, by in new.values()]
        found = infer(resampled, list(new), values if resampled.matrix.note else None)
        for question, one in zip(new, found, strict=True):
            self._known[key, question] = str(one) if isinstance(one, NotMeasurable) else (one[0], record(one[1], axes))


def known(found: Found | NotMeasurable) -> Found:
    """What was found; raises the reason where there is one instead."""
    if isinstance(found, NotMeasurable):
        raise NotMeasurable(*found.args)
    return found


def record(tables: Sequence[FloatArray], names: Sequence[str]) -> dict[str, dict[str, list[float]]]:
    """What is kept of tables in the results: values of all, without each block of visits, without each cell."""

    def rounded(row: FloatArray) -> list[float]:
        return [round_significant(value) for value in row]

    return {
        name: {"all": rounded(table[0, :1]), "visits": rounded(table[1:, 0]), "stars": rounded(table[0, 1:])}
        for name, table in zip(names, tables, strict=True)
    }


def identity(matrix: Matrix, detections: AssociatedDetections, positions: Positions) -> Json | None:
    """What tells whether the replicates of two runs leave out the same: names of visits, and where the cells are.

    None where a measurement is not of one visit, so that there are no names.
    """
    if matrix.objects is None or matrix.visits is None:
        return None
    names = "\0".join(detections.visits[code] for code in matrix.visits)
    direction = positions.direction[inverse_index(positions.objects, detections.n_objects)[matrix.objects]]
    cell = cells(matrix, np.arange(matrix.n_stars))
    middle = np.stack([direction[cell == code].mean(axis=0) for code in range(cell[-1] + 1)])
    return {
        "visits": hashlib.sha256(names.encode()).hexdigest()[:16],
        "cells": [[round(float(x), 5), round(float(y), 5)] for x, y in zip(*to_degrees(middle), strict=True)],
    }
