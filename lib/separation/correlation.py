"""Correlations of ellipticities: sums of products over all pairs of stars.

By separation class, visit and groups of objects.

Every pair is measured, at the separation of the mean positions, so that there is no bin to be resolved and nothing to
be tuned; a tree finds them. Groups (cells of the sky) keep apart what a jackknife leaves out.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.arrays import FloatArray, IntArray
from skyaccept.lib.numba_cache import cached_njit
from skyaccept.lib.separation import Annulus
from skyaccept.lib.separation.tree import LEAF, Tree, neighbours, pairs_of
from skyaccept.lib.sphere import chord

COMPONENTS = ("E1", "E2", "EX")
"""Products of a pair: e1 e1', e2 e2' and (e1 e2' + e2 e1') / 2."""

_CHUNKS = 16  # of leaves, summed each for itself, whatever the number of threads

_PLANES = 2 + 2 * len(COMPONENTS)


class Sums(NamedTuple):
    """Sums over the pairs of two groups in a visit.

    Attributes
    ----------
    number : (n_groups_pairs, n_visits) float64
        Pairs.
    products, squares : (3, n_group_pairs, n_visits) float64
        Sums of their products (`COMPONENTS`), and of the squares of these.
    both : (n_group_pairs, n_visits) float64
        Sums of e1 e1' + e2 e2'.
    pairs : int
        Pairs of objects seen together in any visit.
    """

    number: FloatArray
    products: FloatArray
    squares: FloatArray
    both: FloatArray
    pairs: int


def group_pairs(groups: int) -> NDArray[np.int64]:
    """Both groups of each row of `Sums`, (n_group_pairs, 2), the lower one first."""
    return np.array([(low, high) for high in range(groups) for low in range(high + 1)])


def sums(tree: Tree, annulus: Annulus, group: IntArray, ellipticity: NDArray[np.complex128]) -> Sums:
    """Sums of products over all pairs of a separation class.

    Parameters
    ----------
    tree : Tree
    annulus : Annulus
    group : (n_objects,) int64
        Group of each object, from 0 on, in the order of the leaves.
    ellipticity : (n_objects, n_visits) complex128
        e1 + i e2 in axes that both objects of a pair share; NaN where an object was not measured.
    """
    seen = np.isfinite(ellipticity)
    e1, e2 = (np.where(seen, part, 0.0) for part in (ellipticity.real, ellipticity.imag))
    groups, visits = int(group.max(initial=0)) + 1, ellipticity.shape[1]
    low, high = chord(min(annulus.inner, np.pi)), chord(annulus.outer) if annulus.outer <= np.pi else 3.0
    out = np.zeros((_CHUNKS, groups * (groups + 1) // 2, _PLANES, visits))
    pairs = np.zeros(_CHUNKS, dtype=np.int64)
    if len(group) > 1 and high > low:
        _add(tree, low, high, group, e1, e2, seen.astype(np.float64), out, pairs)
    found = np.ascontiguousarray(np.moveaxis(out.sum(axis=0), 1, 0))
    return Sums(found[0], found[1:4], found[4:7], found[7], int(pairs.sum()))


@cached_njit(parallel=True)
def _add(
    tree: Tree,
    low: float,
    high: float,
    group: IntArray,
    e1: FloatArray,
    e2: FloatArray,
    seen: FloatArray,
    out: FloatArray,
    pairs: IntArray,
) -> None:
    """Fill ``out`` with numbers and sums of pairs, by chunk and groups.

    Number of pairs, sums of E1, E2, EX, of their squares, and of E1 + E2.
    """
    leaves, visits = len(tree.leaf), e1.shape[1]
    for chunk in numba.prange(len(out)):
        found = np.empty(leaves, dtype=np.int64)
        first, second = np.empty(LEAF * LEAF + 1, dtype=np.int64), np.empty(LEAF * LEAF + 1, dtype=np.int64)
        for leaf in range(leaves * chunk // len(out), leaves * (chunk + 1) // len(out)):
            for k in range(neighbours(tree, leaf, low, high, found)):
                for p in range(pairs_of(tree, leaf, found[k], low * low, high * high, first, second, 0)):
                    i, j = first[p], second[p]
                    a, b = min(group[i], group[j]), max(group[i], group[j])
                    row = out[chunk, b * (b + 1) // 2 + a]
                    together = False
                    for v in range(visits):
                        x, y = e1[i, v] * e1[j, v], e2[i, v] * e2[j, v]
                        cross = (e1[i, v] * e2[j, v] + e2[i, v] * e1[j, v]) / 2
                        row[0, v] += seen[i, v] * seen[j, v]
                        row[1, v] += x
                        row[2, v] += y
                        row[3, v] += cross
                        row[4, v] += x * x
                        row[5, v] += y * y
                        row[6, v] += cross * cross
                        row[7, v] += x + y
                    for v in range(visits):
                        together |= seen[i, v] * seen[j, v] > 0
                    pairs[chunk] += together
