"""The shared separation core: separations of pairs of objects, visit by visit, for all pairs of a separation class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.errors import NotMeasurable
from skyaccept.lib.separation import grid, kernel
from skyaccept.lib.separation.positions import Positions, positions
from skyaccept.lib.sphere import Float, chord

MAX_VALUES = 400_000_000
"""Values that a reduction keeps at most: 1.5 GiB in float32."""

_PLACES = 8_000_000
"""Results held at once beyond those that are kept."""


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

    objects: Float | None = None
    visits: Float | None = None


@dataclass(frozen=True)
class PairValues:
    """What a reduction yields over all pairs of a separation class.

    Attributes
    ----------
    values : (n,) float64 or float32
        One value per pair, or one per pair and visit, mas; in an order that depends on the positions alone.
    pairs : int
        Pairs with enough common visits.
    measurements : int
        Separations measured in them: the sum of their common visits.
    exact_pairs : int
        Pairs among them measured by the exact form in float64; the others by the short form in float32.
    weights : (n,) float64, optional
        Weight of each value, where weights were given.
    """

    values: NDArray[Any]
    pairs: int
    measurements: int
    exact_pairs: int
    weights: Float | None = None


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
        More than `MAX_VALUES` values.
    """
    return _reduce(where, annulus, kernel.RMS, ddof, max(min_common_visits, ddof + 1), weights)


def pair_deviations(
    where: Positions,
    annulus: Annulus,
    *,
    about: Literal["median", "mean"],
    min_common_visits: int,
    weights: Weights | None = None,
) -> PairValues:
    """Signed deviations of the separation of each pair from its median, or mean, over its common visits.

    Parameters
    ----------
    where : Positions
    annulus : Annulus
    about : {"median", "mean"}
    min_common_visits : int
        Pairs seen together in fewer visits are left out.
    weights : Weights, optional

    Returns
    -------
    PairValues
        One value per pair and common visit, mas.

    Raises
    ------
    NotMeasurable
        More than `MAX_VALUES` values.
    """
    reduction = kernel.ABOUT_MEDIAN if about == "median" else kernel.ABOUT_MEAN
    return _reduce(where, annulus, reduction, 0, min_common_visits, weights)


def _reduce(
    where: Positions, annulus: Annulus, reduction: int, ddof: int, least: int, weights: Weights | None
) -> PairValues:
    n, g = len(where), where.grid
    if n < 2 or annulus.outer <= annulus.inner:
        return PairValues(np.empty(0), 0, 0, 0)
    nearest, farthest = grid.intervals(g.edges, annulus.inner, annulus.outer)
    cells = (g.ra, g.strip, g.first, g.start, g.width, g.span, nearest, farthest)
    slot = np.concatenate([[0], np.cumsum(kernel.candidates(*cells))])
    per_pair = 1 if reduction == kernel.RMS else where.n_visits
    visit_weight, visit_bits, object_weight = _weights(where, weights)
    kept: list[NDArray[Any]] = []
    kept_weights: list[Float] = []
    total = np.zeros(4, dtype=np.int64)
    begin = 0
    while begin < n:
        end = int(np.searchsorted(slot, slot[begin] + max(1, _PLACES // per_pair), side="right")) - 1
        end = min(n, max(begin + 1, end))
        places = int(slot[end] - slot[begin]) * per_pair
        out = np.empty(places, dtype=where.x.dtype)
        out_weight = np.empty(places if weights is not None else 0)
        tally = np.zeros((end - begin, 4), dtype=np.int64)
        kernel.reduce_pairs(
            begin,
            end,
            slot,
            reduction,
            ddof,
            least,
            chord(min(annulus.inner, np.pi)) ** 2,
            chord(annulus.outer) ** 2 if annulus.outer <= np.pi else 5.0,
            where.direction,
            where.east,
            where.north,
            where.x,
            where.y,
            where.seen_bits,
            where.reach,
            where.wide,
            where.wide_x,
            where.wide_y,
            visit_weight,
            visit_bits,
            object_weight,
            *cells,
            out,
            out_weight,
            tally,
        )
        kept.append(kernel.gather(out, slot[begin:end], per_pair, tally[:, 3]))
        if weights is not None:
            kept_weights.append(kernel.gather(out_weight, slot[begin:end], per_pair, tally[:, 3]))
        total += tally.sum(axis=0)
        if total[3] > MAX_VALUES:
            raise NotMeasurable(
                f"one number for each pair and visit, more than {MAX_VALUES:,} here, does not fit into memory; "
                "use fewer stars, or a definition by the rms of each pair (lvv-t1278)"
                if per_pair > 1
                else f"one number for each pair, more than {MAX_VALUES:,} here, does not fit into memory"
            )
        begin = end
    joined = np.concatenate(kept_weights) if weights is not None else None
    return PairValues(np.concatenate(kept), int(total[0]), int(total[1]), int(total[2]), joined)


def _weights(where: Positions, weights: Weights | None) -> tuple[NDArray[Any], NDArray[np.uint64], Float]:
    """Arrays for the kernel: empty ones stand for ones, and the bits mark the visits of positive weight."""
    visits = np.empty(0) if weights is None or weights.visits is None else np.asarray(weights.visits, dtype=np.float64)
    objects = (
        np.empty(0) if weights is None or weights.objects is None else np.asarray(weights.objects, dtype=np.float64)
    )
    bits = np.zeros((where.n_visits + 63) // 64 * 64, dtype=bool)
    bits[: where.n_visits] = True if len(visits) == 0 else visits > 0
    packed = np.packbits(bits, bitorder="little").view(np.uint64)
    return visits.astype(where.x.dtype), packed, objects


__all__ = ["Annulus", "PairValues", "Positions", "Weights", "pair_deviations", "pair_rms", "positions"]
