"""Ellipticities on the sphere: what has an axis, but no direction, turns by twice the angle of its axes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.separation.positions import tangent_basis
from skyaccept.lib.sphere import Float

Complex = NDArray[np.complex128]


def carried(ellipticity: Complex, origin: Float, middle: Float) -> Complex:
    r"""Ellipticities in the axes at another place, carried there along great circles.

    Parallel transport of the direction to the north n from a to b: :math:`n - (n \cdot b) (a + b) / (1 + a \cdot b)`.
    It stands at an angle :math:`\psi` to the north there (towards the west), and :math:`e' = e \exp(2 i \psi)`.

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


def middles(direction: Float, column: NDArray[np.int64]) -> Float:
    """Mean direction of each visit; the north pole where it has none."""
    total = np.stack([np.bincount(column, axis) for axis in direction.T], axis=1)
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return np.where(length > 1e-9, total / np.where(length > 1e-9, length, 1.0), [0.0, 0.0, 1.0])
