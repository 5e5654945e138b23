"""The shared separation core: separations of pairs of objects, visit by visit, for all pairs of a separation class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib import arrays, progress
from skyaccept.lib.arrays import FloatArray
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.separation import kernel, matrix, pair, tree, value_bins
from skyaccept.lib.separation.positions import Positions, positions
from skyaccept.lib.sphere import chord

KEPT = 2**27
"""Bytes of values that a reduction keeps one by one; of more than that it keeps counts in the fine bins of `bins`."""

_PLACES = 4_000_000
"""Numbers that one batch of leaves has room for: few enough to stay near the processor."""


@dataclass(frozen=True)
class Annulus:
    """A separation class: pairs with ``inner <= separation of the mean directions < outer``, in radians."""

    inner: float
    outer: float


@dataclass(frozen=True)
class Weights:
    """Weights for resampling: frequency weights of objects and visits, in the order of `Positions`.

    A pair counts as the product of the weights of its objects; in a standard deviation a visit counts as often as its
    weight says, and visits of weight zero are left out. None stands for ones.
    """

    objects: FloatArray | None = None
    visits: FloatArray | None = None


@dataclass(frozen=True)
class PairValues:
    """What a reduction yields over all pairs of a separation class.

    Attributes
    ----------
    values : (n,) float64 or float32
        One value per pair, or one per pair and visit, mas, in an order that depends on the positions alone; or the
        middles of bins.
    pairs : int
        Pairs with enough common visits.
    measurements : int
        Separations measured in them: the sum of their common visits.
    exact_pairs : int
        Pairs among them measured in float64; the others by the short form in float32.
    weights : (n,) float64 or int64, optional
        How often each value counts: by the weights that were given, or the number of values in each bin.
    binned : bool
        Whether the values are the middles of bins: off by less than 7e-5 mas each, or 1e-6 of the value if that is
        more.
    """

    values: NDArray[Any]
    pairs: int
    measurements: int
    exact_pairs: int
    weights: NDArray[Any] | None = None
    binned: bool = False


def pair_rms(
    where: Positions, annulus: Annulus, *, ddof: int, min_common_visits: int, weights: Weights | None = None
) -> PairValues:
    """Standard deviation of the separation of each pair over its common visits.

    Parameters
    ----------
    where : Positions
    annulus : Annulus
    ddof : int
        Delta degrees of freedom: the sum of squares is divided by n - ddof.
    min_common_visits : int
        Pairs seen together in fewer visits are left out.
    weights : Weights, optional

    Returns
    -------
    PairValues
        One value per pair, mas.

    Raises
    ------
    NotMeasurable
        More than `KEPT` bytes of values with weights.
    """
    return _reduce(where, annulus, (pair.RMS, ddof, max(min_common_visits, ddof + 1), False), weights)


def pair_deviations(
    where: Positions,
    annulus: Annulus,
    *,
    about: Literal["median", "mean"],
    min_common_visits: int,
    absolute: bool = False,
    weights: Weights | None = None,
) -> PairValues:
    """Deviations of the separation of each pair from its median, or mean, over its common visits.

    Parameters
    ----------
    where : Positions
    annulus : Annulus
    about : {"median", "mean"}
    min_common_visits : int
        Pairs seen together in fewer visits are left out.
    absolute : bool
        Their sizes, without the signs.
    weights : Weights, optional

    Returns
    -------
    PairValues
        One value per pair and common visit, mas.

    Raises
    ------
    NotMeasurable
        More than `KEPT` bytes of values with weights.
    """
    reduction = pair.ABOUT_MEDIAN if about == "median" else pair.ABOUT_MEAN
    return _reduce(where, annulus, (reduction, 0, min_common_visits, absolute), weights)


def deviations(
    where: Positions, annulus: Annulus, least: int, objects: arrays.IntArray
) -> tuple[arrays.IntArray, FloatArray]:
    """Pairs of some objects and the deviations of their separations by visit, as `matrix.deviations` gives them."""
    return matrix.deviations(where, annulus.inner, annulus.outer, least, objects)


def _reduce(
    where: Positions, annulus: Annulus, what: tuple[int, int, int, bool], weights: Weights | None
) -> PairValues:
    low, high = chord(min(annulus.inner, np.pi)), chord(annulus.outer) if annulus.outer <= np.pi else 3.0
    if len(where) < 2 or high <= low:
        return PairValues(np.empty(0), 0, 0, 0)
    task = pair.Task(low * low, high * high, *what)
    shares = _shares(where, weights)
    width = 1 if task.reduction == pair.RMS else where.n_visits
    slot = np.concatenate([[0], np.cumsum(tree.candidates(where.tree, low, high))])
    room = min(int(slot[-1]), max(int(np.diff(slot).max()), _PLACES // width))
    rows = np.empty((room, width), dtype=where.stars.x.dtype)
    row_weights = np.empty(room if weights is not None else 0)
    # memory is used only where something is written
    kept = np.empty(min(int(slot[-1]) * width, KEPT // rows.itemsize), dtype=rows.dtype)
    kept_weights = np.empty(len(kept) if weights is not None else 0)
    counts: value_bins.Bins | None = None
    total = np.zeros(3, dtype=np.int64)
    begin = number = 0
    arcmin = np.degrees([annulus.inner, annulus.outer]) * 60
    while begin < len(slot) - 1:
        progress.report(f"pairs {arcmin[0]:g} to {arcmin[1]:g} arcmin apart", begin, len(slot) - 1)
        end = int(np.searchsorted(slot, slot[begin] + room, side="right")) - 1
        part, tally = slot[begin : end + 1], np.zeros((end - begin, 3), dtype=np.int64)
        kernel.reduce_pairs(where.tree, where.stars, shares, task, begin, end, slot, rows, row_weights, tally)
        total += tally.sum(axis=0)
        before, number = number, int(total[0 if width == 1 else 1])
        if counts is None and number > len(kept):
            if weights is not None:
                raise NotMeasurable(f"more than {len(kept):,} weighted values; use fewer stars")
            counts = value_bins.Bins()
            counts.add_all(kept[:before])
            kept = kept[:0]
        if counts is not None:
            counts.add(rows, part, tally[:, 0])
        else:
            kernel.gather(rows, row_weights, shares.visits, part, tally, before, kept, kept_weights)
        begin = end
    pairs, measurements, precise = map(int, total)
    if counts is not None:
        middles, times = counts.contents()
        return PairValues(middles, pairs, measurements, precise, times, binned=True)
    return PairValues(
        kept[:number], pairs, measurements, precise, kept_weights[:number] if weights is not None else None
    )


def _shares(where: Positions, weights: Weights | None) -> kernel.Shares:
    """Arrays for the kernel: empty ones stand for ones, and the bits mark the visits of positive weight."""
    visits = np.empty(0) if weights is None or weights.visits is None else np.asarray(weights.visits, dtype=np.float64)
    objects = (
        np.empty(0) if weights is None or weights.objects is None else np.asarray(weights.objects, dtype=np.float64)
    )
    bits = np.zeros((where.n_visits + 63) // 64 * 64, dtype=bool)
    bits[: where.n_visits] = True if len(visits) == 0 else visits > 0
    packed = np.packbits(bits, bitorder="little").view(np.uint64)
    return kernel.Shares(objects, visits.astype(where.stars.x.dtype), packed)


__all__ = ["Annulus", "PairValues", "Positions", "Weights", "deviations", "pair_deviations", "pair_rms", "positions"]
