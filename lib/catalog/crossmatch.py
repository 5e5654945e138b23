"""Cross-match of objects with reference stars or with another processing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from skyaccept.lib.arrays import FloatArray
from skyaccept.lib.sphere import chord

UNMATCHED = -1
AMBIGUOUS = -2


@dataclass(frozen=True)
class Matches:
    """Reference star of each object.

    Attributes
    ----------
    star : (n,) int64
        Row of the reference catalog, `UNMATCHED`, or `AMBIGUOUS`.
    """

    star: NDArray[np.int64]

    def counts(self) -> dict[str, int]:
        """Count matched, ambiguous and unmatched objects."""
        return {
            "matched": int(np.count_nonzero(self.star >= 0)),
            "ambiguous": int(np.count_nonzero(self.star == AMBIGUOUS)),
            "unmatched": int(np.count_nonzero(self.star == UNMATCHED)),
        }

    def __str__(self) -> str:
        return ", ".join(f"{number:,} {name}" for name, number in self.counts().items())


def match_unique(objects: FloatArray, stars: FloatArray, radius: float) -> Matches:
    """Match objects with stars one to one.

    Parameters
    ----------
    objects : (n, 3) float64
        Unit vectors.
    stars : (m, 3) float64
        Unit vectors; a vector that is not finite has no match.
    radius : float
        Radians; a star at exactly this distance is not matched.

    Returns
    -------
    Matches
        An object and a star match if each is the only one within the radius of the other. An object with two stars,
        or with a star that has two objects, is ambiguous. The result does not depend on the order of rows. Distances
        are chords, so that poles and RA = 0 need no special treatment.
    """
    if not radius > 0:
        raise ValueError("the matching radius is not positive")
    star = np.full(len(objects), UNMATCHED, dtype=np.int64)
    usable = np.flatnonzero(np.isfinite(stars).all(axis=1))
    if not len(objects) or not len(usable):
        return Matches(star)
    reach = chord(min(radius, np.pi))
    tree = cKDTree(stars[usable])
    first, second = _two_nearest(tree, objects, reach)
    has_star = first < len(usable)
    rivals = np.zeros(len(usable), dtype=np.int64)
    back = cKDTree(objects)
    _, other = _two_nearest(back, stars[usable], reach)
    rivals[other < len(objects)] = 1
    star[has_star] = usable[first[has_star]]
    star[(second < len(usable)) | (has_star & (rivals[np.minimum(first, len(usable) - 1)] > 0))] = AMBIGUOUS
    return Matches(star)


def mutual_nearest(first: FloatArray, second: FloatArray, radius: float) -> NDArray[np.int64]:
    """Match points that are each other's nearest neighbour within a radius.

    For two lists of the same objects, where a further neighbour within the radius does not make a match ambiguous.

    Parameters
    ----------
    first : (n, 3) float64
        Unit vectors.
    second : (m, 3) float64
        Unit vectors; a vector in either list that is not finite has no match.
    radius : float
        Radians; a point at exactly this distance is not matched.

    Returns
    -------
    (n,) int64
        Row of ``second``, or `UNMATCHED`.
    """
    if not radius > 0:
        raise ValueError("the matching radius is not positive")
    counterpart = np.full(len(first), UNMATCHED, dtype=np.int64)
    here, there = (np.flatnonzero(np.isfinite(points).all(axis=1)) for points in (first, second))
    if not len(here) or not len(there):
        return counterpart
    reach = chord(min(radius, np.pi))
    onward = _nearest(cKDTree(second[there]), first[here], reach)
    back = _nearest(cKDTree(first[here]), second[there], reach)
    near = np.flatnonzero(onward < len(there))
    near = near[back[onward[near]] == near]
    counterpart[here[near]] = there[onward[near]]
    return counterpart


def _nearest(tree: Any, points: FloatArray, reach: float) -> NDArray[np.int64]:
    """Find the nearest point of a tree within reach; the size of the tree means none."""
    index: NDArray[np.int64] = tree.query(points, distance_upper_bound=reach)[1]
    return index


def _two_nearest(tree: Any, points: FloatArray, reach: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the two nearest points of a tree within reach.

    The size of the tree stands for none.
    """
    _, index = tree.query(points, k=2, distance_upper_bound=reach)
    return index[:, 0], index[:, 1]
