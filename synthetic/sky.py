"""Draw the true sky: magnitudes, motions, variability and companions of sources."""

from __future__ import annotations

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from skyaccept.lib.arrays import AnyArray, FloatArray
from skyaccept.lib.catalog.reference import JULIAN_YEAR, earth_position
from skyaccept.lib.sphere import MAS, tangent_basis, unit_vectors
from skyaccept.synthetic.random_streams import stream
from skyaccept.synthetic.scenario_schema import Galaxies, Scenario, Stars

EPOCH = 57388.5
"""MJD of the drawn positions: 2016.0, the epoch of Gaia DR3."""

LOCUS = {"u": (0.6, 1.7), "g": (0.0, 0.73), "r": (0.0, 0.0), "i": (0.0, -0.27), "z": (0.0, -0.4), "y": (0.0, -0.47)}
"""Coefficients of band - r = a + b (g - i), a line for the stellar locus (Covey et al. 2007, AJ 134, 2398)."""


@dataclass(frozen=True)
class Sky:
    """True properties of the sources; stars come before galaxies.

    Attributes
    ----------
    direction : (n, 3) float64
        Barycentric unit vectors at `EPOCH`.
    motion : (n, 2) float64
        Proper motion in RA times cos(Dec) and Dec, mas per Julian year.
    parallax : (n,) float64
        mas.
    mag, color : (n,) float64
        r and g - i; color is None if the magnitude is the same in all bands.
    galaxy : (n,) bool
    amplitude, period, phase : (n,) float64
        Variability: half amplitude in mag (0 for constant sources), days, and cycles at MJD 0.
    companion : (n, 2) float64
        Offset of the unresolved companion to the east and north, mas.
    share : (n,) float64
        Flux ratio of companion and star; 0 without companion.
    """

    direction: FloatArray
    motion: FloatArray
    parallax: FloatArray
    mag: FloatArray
    color: FloatArray | None
    galaxy: AnyArray
    amplitude: FloatArray
    period: FloatArray
    phase: FloatArray
    companion: FloatArray
    share: FloatArray

    def __len__(self) -> int:
        return len(self.mag)

    def apparent_directions(self, mjd: float) -> FloatArray:
        """Return the directions of the sources from the Earth, (n, 3) unit vectors.

        They are ``direction + motion t - parallax b``, normalized, with the barycentric position b of the Earth in au
        (ESA SP-1200, volume 1, section 1.2, without radial velocity).
        """
        if not self.motion.any() and not self.parallax.any():
            return self.direction
        years = (mjd - EPOCH) / JULIAN_YEAR
        parallax_shift = (self.parallax * MAS)[:, None] * earth_position(np.array([mjd]))
        return displace(self.direction, self.motion.T * years, -parallax_shift)

    def magnitude(self, band: str, mjd: float | None = None) -> FloatArray:
        """Return the magnitudes in a band at a time, or averaged over variability."""
        mag = self.mag
        if self.color is not None:
            zero, slope = LOCUS[band]
            mag = mag + zero + slope * self.color
        if mjd is not None and self.amplitude.any():
            mag = mag + self.amplitude * np.sin(2 * np.pi * (mjd / self.period + self.phase))
        return mag


def draw(scenario: Scenario, seed: int) -> Sky:
    """Draw the sources of a scenario, each property from its own random stream."""
    stars, galaxies = scenario.stars, scenario.galaxies
    n = stars.number
    center = np.array([scenario.field.ra.to_value(u.deg), scenario.field.dec.to_value(u.deg)])
    radius = scenario.field.radius.to_value(u.rad)
    directions = [draw_in_disc(stream(seed, "star positions"), n, center, radius)]
    mags = [_draw_magnitudes(stream(seed, "star magnitudes"), stars)]
    if galaxies is not None:
        directions.append(draw_in_disc(stream(seed, "galaxy positions"), galaxies.number, center, radius))
        mags.append(_draw_magnitudes(stream(seed, "galaxy magnitudes"), galaxies))
    mag = np.concatenate(mags)
    total = len(mag)
    color, motion, parallax = None, np.zeros((total, 2)), np.zeros(total)
    if stars.colors is not None:
        spread = stream(seed, "colors").standard_normal(total)
        color = stars.colors.mean.to_value(u.mag) + stars.colors.scatter.to_value(u.mag) * spread
    if stars.motions is not None:
        size = stars.motions.proper_motion.to_value(u.mas / u.yr)
        motion[:n] = size * stream(seed, "proper motions").standard_normal((n, 2))
        parallax[:n] = stars.motions.parallax.to_value(u.mas) * stream(seed, "parallaxes").exponential(size=n)
    amplitude, period, phase = np.zeros(total), np.ones(total), np.zeros(total)
    if stars.variables is not None:
        rng = stream(seed, "variables")
        amplitude[:n] = (rng.random(n) < stars.variables.fraction) * stars.variables.amplitude.to_value(u.mag)
        low, high = (np.log(t.to_value(u.day)) for t in (stars.variables.shortest, stars.variables.longest))
        period[:n] = np.exp(low + (high - low) * rng.random(n))
        phase[:n] = rng.random(n)
    companion, share = np.zeros((total, 2)), np.zeros(total)
    if stars.companions is not None:
        rng = stream(seed, "companions")
        faint = 10 ** (-0.4 * stars.companions.fainter.to_value(u.mag))
        share[:n] = (rng.random(n) < stars.companions.fraction) * faint
        distance = stars.companions.separation.to_value(u.mas) * np.sqrt(rng.random(n))
        angle = 2 * np.pi * rng.random(n)
        companion[:n] = np.stack([distance * np.sin(angle), distance * np.cos(angle)], axis=1)
    galaxy = np.arange(total) >= n
    return Sky(
        np.concatenate(directions),
        motion,
        parallax,
        mag,
        color,
        galaxy,
        amplitude,
        period,
        phase,
        companion,
        share,
    )


def draw_in_disc(rng: np.random.Generator, n: int, center: FloatArray, radius: float) -> FloatArray:
    """Draw unit vectors uniformly within ``radius`` (radians) of a centre (degrees)."""
    # half-angle form of 1 - cos, which keeps precision for small radii
    squared = np.sin(radius / 2) ** 2 * rng.random(n)
    distance, angle = 2 * np.arcsin(np.sqrt(squared)), 2 * np.pi * rng.random(n)
    middle = unit_vectors(*center)
    east, north = (basis[0] for basis in tangent_basis(middle[None, :]))
    tangent = np.cos(angle)[:, None] * east + np.sin(angle)[:, None] * north
    return np.asarray(np.cos(distance)[:, None] * middle + np.sin(distance)[:, None] * tangent)


def displace(direction: FloatArray, offset: FloatArray, further: FloatArray | float = 0.0) -> FloatArray:
    """Displace unit vectors (n, 3) by offsets (2, n) and further vectors (n, 3).

    Offsets are to the east and north, mas.
    """
    east, north = tangent_basis(direction)
    moved = direction + (offset[0] * MAS)[:, None] * east + (offset[1] * MAS)[:, None] * north + further
    return np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True))


def _draw_magnitudes(rng: np.random.Generator, sources: Stars | Galaxies) -> FloatArray:
    """Draw magnitudes with a density proportional to 10 ** (slope m)."""
    bright, faint = sources.brightest.to_value(u.mag), sources.faintest.to_value(u.mag)
    uniform = rng.random(sources.number)
    if sources.slope == 0:
        return np.asarray(bright + (faint - bright) * uniform)
    # relative to the faint end, which has most sources
    lowest = 10 ** (sources.slope * (bright - faint))
    return np.asarray(faint + np.log10(lowest + (1 - lowest) * uniform) / sources.slope)
