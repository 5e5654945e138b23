"""Objects and the stars of a reference catalog that they are, or the same objects in another processing."""

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
    """The reference star of each object.

    Attributes
    ----------
    star : (n,) int64
        Row of the reference catalog, `UNMATCHED`, or `AMBIGUOUS`.
    """

    star: NDArray[np.int64]

    def counts(self) -> dict[str, int]:
        """Objects matched, ambiguous and unmatched."""
        return {
            "matched": int(np.count_nonzero(self.star >= 0)),
            "ambiguous": int(np.count_nonzero(self.star == AMBIGUOUS)),
            "unmatched": int(np.count_nonzero(self.star == UNMATCHED)),
        }

    def __str__(self) -> str:
        return ", ".join(f"{number:,} {name}" for name, number in self.counts().items())


def match_unique(objects: FloatArray, stars: FloatArray, radius: float) -> Matches:
    """Match objects with stars, one to one.

    Parameters
    ----------
    objects : (n, 3) float64
        Unit vectors.
    stars : (m, 3) float64
        Unit vectors; one that is not finite matches nothing.
    radius : float
        Radians; a star at exactly this distance is not matched.

    Returns
    -------
    Matches
        An object and a star belong together where each is the only one within the radius of the other. An object
        with two stars, or with a star that has two objects, is ambiguous. It does not depend on any order, and with
        distances taken in space neither poles nor RA = 0 are special.
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
    found = first < len(usable)
    rivals = np.zeros(len(usable), dtype=np.int64)
    back = cKDTree(objects)
    _, other = _two_nearest(back, stars[usable], reach)
    rivals[other < len(objects)] = 1
    star[found] = usable[first[found]]
    star[(second < len(usable)) | (found & (rivals[np.minimum(first, len(usable) - 1)] > 0))] = AMBIGUOUS
    return Matches(star)


def mutual_nearest(first: FloatArray, second: FloatArray, radius: float) -> NDArray[np.int64]:
    """Counterparts of points: the nearest one within a radius, where each is the nearest of the other.

    For two lists of the same objects, in which a neighbour within the radius is no reason for doubt.

    Parameters
    ----------
    first : (n, 3) float64
        Unit vectors.
    second : (m, 3) float64
        Unit vectors; of either, one that is not finite has no counterpart.
    radius : float
        Radians; a point at exactly this distance is none.

    Returns
    -------
    (n,) int64
        Row of ``second``, or `UNMATCHED`.
    """
    if not radius > 0:
        raise ValueError("the matching radius is not positive")
    found = np.full(len(first), UNMATCHED, dtype=np.int64)
    here, there = (np.flatnonzero(np.isfinite(points).all(axis=1)) for points in (first, second))
    if not len(here) or not len(there):
        return found
    reach = chord(min(radius, np.pi))
    onward = _nearest(cKDTree(second[there]), first[here], reach)
    back = _nearest(cKDTree(first[here]), second[there], reach)
    near = np.flatnonzero(onward < len(there))
    near = near[back[onward[near]] == near]
    found[here[near]] = there[onward[near]]
    return found


def _nearest(tree: Any, points: FloatArray, reach: float) -> NDArray[np.int64]:
    """Nearest point of a tree within reach of each point; the size of the tree for none."""
    index: NDArray[np.int64] = tree.query(points, distance_upper_bound=reach)[1]
    return index


def _two_nearest(tree: Any, points: FloatArray, reach: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Nearest and second nearest point of a tree within reach of each point; the size of the tree for none."""
    _, index = tree.query(points, k=2, distance_upper_bound=reach)
    return index[:, 0], index[:, 1]
