r"""Displace positions by atmospheric turbulence and chromatic refraction.

Refraction lifts a star at zenith distance z by :math:`R(\lambda) \tan z`, :math:`R = n(\lambda) - 1`. A star that is
redder by 1 mag in g - i has a longer effective wavelength in a band, where R is smaller. A calibration with stars of
mean colour leaves the difference,

.. math:: \Delta = \frac{dR}{d\lambda} \frac{d\lambda_\mathrm{eff}}{d(g - i)} (g - i - \overline{g - i}) \tan z.

The refractive index is that of dry air at 10 C (Filippenko 1982, PASP 94, 715, eqs. 1 and 2) at the pressure of the
site. The shift of the effective wavelength follows from a photon spectrum that is a power law of the wavelength, in a
band with sharp limits: :math:`s \lambda (\Delta\lambda / \lambda)^2 / 12`, where the index s makes 1 mag in g - i.
"""

from __future__ import annotations

import astropy.units as u
import numpy as np
from skyaccept.lib.arrays import FloatArray
from skyaccept.lib.sphere import MAS
from skyaccept.synthetic import camera, random_fields
from skyaccept.synthetic.random_streams import stream
from skyaccept.synthetic.scenario_schema import Scenario, Site
from skyaccept.synthetic.visits import Visit

LIMITS = {"u": (320, 400), "g": (400, 552), "r": (552, 691), "i": (691, 818), "z": (818, 922), "y": (922, 1060)}
"""Limits of the bands, nm (Ivezic et al. 2019, table 1 and section 2, rounded)."""

SCALE_HEIGHT = 8400.0
"""Scale height of the pressure, m."""

TEMPERATURE = 10.0


def refractivity(wavelength: float, pressure: float = 760.0, temperature: float = 15.0) -> float:
    """Return the refractive index of dry air minus 1.

    The wavelength is in nm, the pressure in mm of mercury, the temperature in degrees C.
    """
    square = (1000 / wavelength) ** 2
    standard = 1e-6 * (64.328 + 29498.1 / (146 - square) + 255.4 / (41 - square))
    density = pressure * (1 + (1.049 - 0.0157 * temperature) * 1e-6 * pressure)
    return float(standard * density / (720.883 * (1 + 0.003661 * temperature)))


def chromatic_coefficient(band: str, site: Site) -> float:
    """Return the change of refraction per mag of g - i at tan z = 1, in mas (< 0)."""
    pressure = 760 * float(np.exp(-site.height.to_value(u.m) / SCALE_HEIGHT))
    low, high = LIMITS[band]
    middle = (low + high) / 2
    blue, red = (sum(LIMITS[name]) / 2 for name in ("g", "i"))
    index = 0.4 * np.log(10) / np.log(red / blue)
    shift = index * middle * ((high - low) / middle) ** 2 / 12
    above, below = (refractivity(middle + step, pressure, TEMPERATURE) for step in (0.5, -0.5))
    return float((above - below) * shift / MAS)


def displacement(
    scenario: Scenario,
    visit: Visit,
    seed: int,
    color: FloatArray | None,
    directions: FloatArray,
    x: FloatArray,
    y: FloatArray,
) -> FloatArray:
    """Return displacements by turbulence and residual refraction, (n, 3) in radians.

    Parameters
    ----------
    color : (n,) float64 or None
        g - i; if None there is no chromatic refraction.
    place : (n, 3) float64
        Unit vectors.
    x, y : (n,) float64
        Positions on the focal plane, radians.
    """
    air, total = scenario.atmosphere, np.zeros((len(directions), 3))
    if air is None:
        return total
    if air.turbulence is not None:
        rng = stream(seed, f"turbulence {visit.band}", visit.index)
        pattern = random_fields.draw(rng, air.turbulence.scale.to_value(u.rad))
        total += camera.shift_vectors(
            visit, directions, air.turbulence.rms.to_value(u.rad) * random_fields.gradient(pattern, x, y)
        )
    if air.refraction and color is not None:
        total += air.refraction * refraction(scenario, visit.band, color, directions, visit.zenith)
    return total


def refraction(
    scenario: Scenario, band: str, color: FloatArray, directions: FloatArray, zenith: FloatArray
) -> FloatArray:
    """Return displacements by uncorrected chromatic refraction, (n, 3) in radians.

    At direction s, the vector towards the zenith with length tan z is ``zenith / (zenith . s) - s``.
    """
    mean = scenario.stars.colors.mean.to_value(u.mag) if scenario.stars.colors is not None else 0.0
    upward = zenith / np.einsum("ij,j->i", directions, zenith)[:, None] - directions
    return np.asarray((chromatic_coefficient(band, scenario.site) * MAS * (color - mean))[:, None] * upward)
