"""Unit vectors and angles on the sphere."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.arrays import ComplexArray, FloatArray

MAS = np.pi / 180 / 3_600_000
"""One milliarcsecond in radians."""

ARCMIN = np.pi / 180 / 60
"""One arcminute in radians."""


def unit_vectors(ra: NDArray[Any], dec: NDArray[Any]) -> FloatArray:
    """Compute unit vectors of positions in degrees, (..., 3)."""
    alpha, delta = np.radians(ra, dtype=np.float64), np.radians(dec, dtype=np.float64)
    return np.stack([np.cos(delta) * np.cos(alpha), np.cos(delta) * np.sin(alpha), np.sin(delta)], axis=-1)


def to_degrees(vectors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Compute RA in [0, 360) and Dec of vectors (..., 3) of any length, degrees."""
    x, y, z = np.moveaxis(vectors, -1, 0)
    ra = np.degrees(np.arctan2(y, x)) % 360
    return np.where(ra >= 360, 0.0, ra), np.degrees(np.arctan2(z, np.hypot(x, y)))


def chord(angle: float) -> float:
    """Compute the chord of an angle in radians on the unit sphere."""
    return float(2 * np.sin(angle / 2))


def separation(a: FloatArray, b: FloatArray) -> FloatArray:
    """Compute the angle between unit vectors, radians, accurate to rounding.

    Parameters
    ----------
    a, b : (..., 3) float64
        Unit vectors.

    Notes
    -----
    ``2 arcsin(|a - b| / 2)`` loses accuracy near 180 degrees and ``pi - 2 arcsin(|a + b| / 2)`` near zero; the
    half-angle form ``2 atan2(|a - b|, |a + b|)`` (Kahan) is good everywhere.
    """
    return 2 * np.arctan2(np.linalg.norm(a - b, axis=-1), np.linalg.norm(a + b, axis=-1))


def azimuthal_offsets(vectors: FloatArray, center: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Project to east and north offsets (Lambert azimuthal equal-area), degrees.

    Parameters
    ----------
    vectors : (..., 3) float64
        Unit vectors.
    center : (3,) float64
        A direction of any length; where it has none, the north pole.
    """
    length = float(np.linalg.norm(center))
    middle = center / length if length > 1e-9 else np.array([0.0, 0.0, 1.0])
    alpha = np.arctan2(middle[1], middle[0])
    east = np.array([-np.sin(alpha), np.cos(alpha), 0.0])
    north = np.cross(middle, east)
    scale = np.degrees(np.sqrt(2 / np.maximum(1 + vectors @ middle, 1e-12)))
    return scale * (vectors @ east), scale * (vectors @ north)


def tangent_basis(direction: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Compute east and north of unit vectors (n, 3); at a pole, along the axes."""
    east = np.stack([-direction[:, 1], direction[:, 0], np.zeros(len(direction))], axis=1)
    length = np.linalg.norm(east, axis=1, keepdims=True)
    east = np.where(length > 0, east / np.where(length > 0, length, 1.0), [0.0, 1.0, 0.0])
    return np.ascontiguousarray(east), np.ascontiguousarray(np.cross(direction, east))


def parallel_transport(ellipticity: ComplexArray, origin: FloatArray, middle: FloatArray) -> ComplexArray:
    r"""Transport ellipticities along great circles to the axes at another position.

    Parallel transport takes the direction to the north n from a to b:
    :math:`n - (n \cdot b) (a + b) / (1 + a \cdot b)`.
    Its angle to the north at b is :math:`\psi` (towards the west), and :math:`e' = e \exp(2 i \psi)`.

    Parameters
    ----------
    ellipticity : (n,) complex128
        e1 + i e2, x to the east and y to the north.
    origin, middle : (n, 3) float64
        Unit vectors; not opposite to each other.
    """
    _, north = tangent_basis(origin)
    to_east, to_north = tangent_basis(middle)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.einsum("ij,ij->i", north, middle) / (1 + np.einsum("ij,ij->i", origin, middle))
        there = north - share[:, None] * (origin + middle)
    turned = np.einsum("ij,ij->i", there, to_north) - 1j * np.einsum("ij,ij->i", there, to_east)
    return np.asarray(ellipticity * turned**2 / np.abs(turned) ** 2)


def mean_directions(direction: FloatArray, column: NDArray[np.int64]) -> FloatArray:
    """Compute the mean direction of each group (``column``).

    It is the north pole where undefined.
    """
    total = np.stack([np.bincount(column, axis) for axis in direction.T], axis=1)
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return np.where(length > 1e-9, total / np.where(length > 1e-9, length, 1.0), [0.0, 0.0, 1.0])
