r"""Errors of magnitudes and positions by the LSST error model.

Source: Ivezic et al. 2019, ApJ 873, 111, eqs. 4 to 6, table 2. The random error of a magnitude m in a visit of depth
:math:`m_5` (S/N = 5) is
:math:`\sqrt{(0.04 - \gamma) x + \gamma x^2}`, :math:`x = 10^{0.4 (m - m_5)}`, and adds in quadrature to a floor. The
depth of a visit is that at the zenith in typical seeing, minus :math:`2.5 \log_{10}` of the ratio of the seeings, minus
:math:`k (X - 1)` at airmass X. The error of a position per coordinate is FWHM / (2.355 S/N), the centroid error of a
Gaussian image, in quadrature with a floor.
"""

from __future__ import annotations

import numpy as np
from skyaccept.lib.arrays import FloatArray

GAMMA = {"u": 0.038, "g": 0.039, "r": 0.039, "i": 0.039, "z": 0.039, "y": 0.039}
EXTINCTION = {"u": 0.491, "g": 0.213, "r": 0.126, "i": 0.096, "z": 0.069, "y": 0.170}
"""Extinction per airmass, mag."""

BANDS = tuple(GAMMA)

DETECTION_SNR = 5.0

FWHM = float(np.sqrt(8 * np.log(2)))
"""Full width at half maximum of a Gaussian in units of its standard deviation."""

SEEING_POWER = 0.6
"""FWHM grows as this power of the airmass (Kolmogorov)."""


def random_error(band: str, mag: FloatArray, depth: float) -> FloatArray:
    """Return the random error of magnitudes, mag, without floor."""
    x = 10 ** (0.4 * (mag - depth))
    return np.asarray(np.sqrt((0.04 - GAMMA[band]) * x + GAMMA[band] * x**2))


def snr(random: FloatArray) -> FloatArray:
    """Return the S/N of fluxes by their magnitude errors: 2.5 / ln 10 / error."""
    return np.asarray(2.5 / np.log(10) / random)


def depth(band: str, zenith: float, airmass: float, broadening: float) -> float:
    """Return the depth of a visit with images wider by ``broadening``, mag."""
    return float(zenith - EXTINCTION[band] * (airmass - 1) - 2.5 * np.log10(broadening))


def centroid_error(fwhm: FloatArray | float, ratio: FloatArray, floor: float) -> FloatArray:
    """Return the standard error of positions per coordinate.

    It has the unit of ``fwhm`` and ``floor``.
    """
    return np.asarray(np.hypot(floor, fwhm / (FWHM * ratio)))
