"""Unit vectors and angles on the sphere."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]

MAS = np.pi / 180 / 3_600_000
ARCMIN = np.pi / 180 / 60
"""One milliarcsecond in radians."""


def unit_vectors(ra: NDArray[Any], dec: NDArray[Any]) -> Float:
    """Unit vectors of positions in degrees; shape (..., 3)."""
    alpha, delta = np.radians(ra, dtype=np.float64), np.radians(dec, dtype=np.float64)
    return np.stack([np.cos(delta) * np.cos(alpha), np.cos(delta) * np.sin(alpha), np.sin(delta)], axis=-1)


def degrees(vectors: Float) -> tuple[Float, Float]:
    """Right ascension in [0, 360) and declination of vectors (..., 3) of any length, degrees."""
    x, y, z = np.moveaxis(vectors, -1, 0)
    ra = np.degrees(np.arctan2(y, x)) % 360
    return np.where(ra >= 360, 0.0, ra), np.degrees(np.arctan2(z, np.hypot(x, y)))


def chord(angle: float) -> float:
    """Length of the chord that subtends ``angle`` radians on the unit sphere."""
    return float(2 * np.sin(angle / 2))


def separation(a: Float, b: Float) -> Float:
    """Angle between unit vectors, radians, accurate to rounding at any angle.

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


def azimuthal(vectors: Float, center: Float) -> tuple[Float, Float]:
    """Offsets to the east and north of a centre in the azimuthal equal-area projection (Lambert), degrees.

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
