"""Measurements by object (or pair of objects) and visit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.arrays import FloatArray

LIMIT = 200_000
"""Measurements by unit and visit that replicates are made of; of more, those of some of the stars."""


@dataclass(frozen=True)
class Matrix:
    """Measurements by unit and visit.

    Attributes
    ----------
    values : tuple of (n_units, n_visits) float64
        One, or one for each coordinate; NaN where there is no measurement.
    stars : (n_units, 1 or 2) int64
        Stars of each unit, numbered along the sky: neighbours in number are neighbours.
    n_stars : int
    brightness : (n_stars,) float64, optional
        Logarithm of S/N, or magnitude.
    objects : (n_stars,) int64, optional
        Code of each star in the catalog.
    least : int
        Fewest visits of a unit; where visits are left out, as many fewer.
    other : tuple of (n_units, m_visits) float64
        Measurements that these are compared with, one for each coordinate, where there are such.
    noise : (n_units,) float64, optional
        Variance to be subtracted from that of each unit.
    note : str
        What the matrix leaves out, in words.
    visits : (n_visits,) int64, optional
        Code of each visit in the catalog.
    other_visits : (m_visits,) int64, optional
        The same of those in ``other``.
    together : bool
        Whether visits of ``other`` matter as much as those of ``values``, so that a block leaves out some of both: then
        there are no more blocks than either side has visits.
    pairs : (n_pairs, 3) int64, optional
        Units that are compared with each other, and the class that their separation belongs to.
    exposure : (n_units, n_visits) float64, optional
        Code of the exposure of each measurement, where a visit has several.
    """

    values: tuple[FloatArray, ...]
    stars: NDArray[np.int64]
    n_stars: int
    brightness: FloatArray | None = None
    objects: NDArray[np.int64] | None = None
    least: int = 1
    other: tuple[FloatArray, ...] = ()
    noise: FloatArray | None = None
    note: str = ""
    visits: NDArray[np.int64] | None = None
    other_visits: NDArray[np.int64] | None = None
    together: bool = False
    pairs: NDArray[np.int64] | None = None
    exposure: FloatArray | None = None
