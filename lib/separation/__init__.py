"""Separation core: separations of all pairs of a separation class by visit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib import progress
from skyaccept.lib.arrays import FloatArray, IntArray
from skyaccept.lib.separation import kernel, matrix, pair, tree, value_bins
from skyaccept.lib.separation.positions import Positions, positions
from skyaccept.lib.sphere import chord

KEPT = 2**27
"""Bytes of values that a reduction keeps one by one; of more than that it keeps counts in the fine bins of `bins`."""

_PLACES = 4_000_000
"""Numbers that one batch of leaves has room for: few enough to stay near the processor."""


@dataclass(frozen=True)
class Annulus:
    """A separation class: pairs of a mean separation in [inner, outer), radians.

    The separation is that of the mean directions.
    """

    inner: float
    outer: float


@dataclass(frozen=True)
class PairValues:
    """Values of all pairs of a separation class.

    Attributes
    ----------
    values : (n,) float64 or float32
        One value per pair, or one per pair and visit, mas, in an order that depends on the positions alone; or the
        middles of bins, off by less than 7e-5 mas each, or 1e-6 of the value if that is more.
    pairs : int
        Pairs with enough common visits.
    measurements : int
        Separations measured in them: the sum of their common visits.
    exact_pairs : int
        Pairs among them measured in float64; the others by the short form in float32.
    counts : (n,) int64, optional
        Number of values in each bin; None where they are not binned.
    """

    values: NDArray[Any]
    pairs: int
    measurements: int
    exact_pairs: int
    counts: IntArray | None = None


def pair_rms(where: Positions, annulus: Annulus, *, ddof: int, min_common_visits: int) -> PairValues:
    """Standard deviation of the separation of each pair over its common visits.

    Parameters
    ----------
    where : Positions
    annulus : Annulus
    ddof : int
        Delta degrees of freedom: the sum of squares is divided by n - ddof.
    min_common_visits : int
        Pairs seen together in fewer visits are left out.

    Returns
    -------
    PairValues
        One value per pair, mas.
    """
    return _reduce(where, annulus, (pair.RMS, ddof, max(min_common_visits, ddof + 1), False))


def pair_deviations(
    where: Positions,
    annulus: Annulus,
    *,
    about: Literal["median", "mean"],
    min_common_visits: int,
    absolute: bool = False,
) -> PairValues:
    """Deviations of separations from the median, or mean, of their pair.

    Over the common visits of the pair.

    Parameters
    ----------
    where : Positions
    annulus : Annulus
    about : {"median", "mean"}
    min_common_visits : int
        Pairs seen together in fewer visits are left out.
    absolute : bool
        Their sizes, without the signs.

    Returns
    -------
    PairValues
        One value per pair and common visit, mas.
    """
    reduction = pair.ABOUT_MEDIAN if about == "median" else pair.ABOUT_MEAN
    return _reduce(where, annulus, (reduction, 0, min_common_visits, absolute))


def deviations(where: Positions, annulus: Annulus, least: int, objects: IntArray) -> tuple[IntArray, FloatArray]:
    """Pairs of some objects and deviations of their separations by visit.

    As `matrix.deviations` gives them.
    """
    return matrix.deviations(where, annulus.inner, annulus.outer, least, objects)


def _reduce(where: Positions, annulus: Annulus, what: tuple[int, int, int, bool]) -> PairValues:
    low, high = chord(min(annulus.inner, np.pi)), chord(annulus.outer) if annulus.outer <= np.pi else 3.0
    if len(where) < 2 or high <= low:
        return PairValues(np.empty(0), 0, 0, 0)
    task = pair.Task(low * low, high * high, *what)
    width = 1 if task.reduction == pair.RMS else where.n_visits
    slot = np.concatenate([[0], np.cumsum(tree.candidates(where.tree, low, high))])
    room = min(int(slot[-1]), max(int(np.diff(slot).max()), _PLACES // width))
    rows = np.empty((room, width), dtype=where.stars.x.dtype)
    # memory is used only where something is written
    kept = np.empty(min(int(slot[-1]) * width, KEPT // rows.itemsize), dtype=rows.dtype)
    counts: value_bins.Bins | None = None
    total = np.zeros(3, dtype=np.int64)
    begin = number = 0
    arcmin = np.degrees([annulus.inner, annulus.outer]) * 60
    while begin < len(slot) - 1:
        progress.report(f"pairs {arcmin[0]:g} to {arcmin[1]:g} arcmin apart", begin, len(slot) - 1)
        end = int(np.searchsorted(slot, slot[begin] + room, side="right")) - 1
        part, tally = slot[begin : end + 1], np.zeros((end - begin, 3), dtype=np.int64)
        kernel.reduce_pairs(where.tree, where.stars, task, begin, end, slot, rows, tally)
        total += tally.sum(axis=0)
        before, number = number, int(total[0 if width == 1 else 1])
        if counts is None and number > len(kept):
            counts = value_bins.Bins()
            counts.add_all(kept[:before])
            kept = kept[:0]
        if counts is not None:
            counts.add(rows, part, tally[:, 0])
        else:
            kernel.gather(rows, part, tally, before, kept)
        begin = end
    pairs, measurements, precise = map(int, total)
    if counts is not None:
        middles, times = counts.contents()
        return PairValues(middles, pairs, measurements, precise, times)
    return PairValues(kept[:number], pairs, measurements, precise)


__all__ = ["Annulus", "PairValues", "Positions", "deviations", "pair_deviations", "pair_rms", "positions"]
