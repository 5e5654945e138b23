r"""Draw random fields with a von Karman correlation as sums of plane waves.

A field is :math:`\sqrt{2/M} \sum_m \cos(k_m \cdot x + \varphi_m)` with uniform phases and wave vectors drawn from the
von Karman spectrum :math:`P(k) \propto (k^2 + k_0^2)^{-11/6}`, :math:`k_0 = 1 / \mathrm{scale}`, which is Kolmogorov's
beyond it. Its expected correlation is exactly

.. math:: \rho(r) = \frac{2^{1/6}}{\Gamma(5/6)} (k_0 r)^{5/6} K_{5/6}(k_0 r),

for any number of waves M, without grid, box or interpolation.

Source: method of random Fourier modes (Kraichnan 1970, Phys. Fluids 13, 22); von Karman kernel for astrometric
turbulence: Leget et al. 2021 (A&A 650, A81).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.arrays import FloatArray

WAVES = 100
"""Number of waves of a field, which makes its distribution at a point normal to 1e-2."""

_BLOCK = 8192


@dataclass(frozen=True)
class Waves:
    """Waves of a field: vectors, phases and directions.

    Vectors (m, 2) are in 1/radian, phases (m,) and directions (m,) in radians.
    """

    vector: FloatArray
    phase: FloatArray
    direction: FloatArray


def draw(rng: np.random.Generator, scale: float) -> Waves:
    """Draw the waves of a field whose correlation has the given scale, radians."""
    # the cumulative spectrum up to k is 1 - (1 + k**2 / k0**2) ** (-5/6)
    size = np.sqrt((1 - rng.random(WAVES)) ** -1.2 - 1) / scale
    direction = 2 * np.pi * rng.random(WAVES)
    vector = size[:, None] * np.stack([np.cos(direction), np.sin(direction)], axis=1)
    return Waves(vector, 2 * np.pi * rng.random(WAVES), direction)


def scalar(waves: Waves, x: FloatArray, y: FloatArray) -> FloatArray:
    """Return a field of unit variance at points in radians, shape (n,)."""
    return _sum(waves, x, y, np.full((1, WAVES), np.sqrt(2 / WAVES)))[0]


def gradient(waves: Waves, x: FloatArray, y: FloatArray) -> FloatArray:
    """Return a curl-free displacement field of unit variance, shape (2, n).

    Displacements by turbulence are the gradient of the wave front, and so curl-free.
    """
    return _sum(waves, x, y, np.stack([np.cos(waves.direction), np.sin(waves.direction)]) * 2 / np.sqrt(WAVES))


def ellipticity(waves: Waves, x: FloatArray, y: FloatArray) -> FloatArray:
    """Return e1 and e2 of a spin-2 field of unit variance, shape (2, n).

    The images are elongated along the waves.
    """
    angle = 2 * waves.direction
    return _sum(waves, x, y, np.stack([np.cos(angle), np.sin(angle)]) * 2 / np.sqrt(WAVES))


def _sum(waves: Waves, x: FloatArray, y: FloatArray, amplitude: NDArray[np.float64]) -> FloatArray:
    total = np.zeros((len(amplitude), len(x)))
    for begin in range(0, len(x), _BLOCK):
        part = slice(begin, begin + _BLOCK)
        wave = np.empty(len(x[part]))
        for m, (kx, ky) in enumerate(waves.vector):
            np.multiply(x[part], kx, out=wave)
            wave += ky * y[part]
            wave += waves.phase[m]
            np.cos(wave, out=wave)
            for row, size in zip(total, amplitude[:, m], strict=True):
                row[part] += size * wave
    return total
