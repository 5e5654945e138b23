"""Sidereal time, zenith, airmass and night at a site.

Coordinates of date are used as ICRS: precession moves the zenith by 0.35 degrees in 25 years, which changes an airmass
of 2 by 0.01. UT1 is replaced by UTC, which is correct to a second.
"""

from __future__ import annotations

import astropy.units as u
import numpy as np
from skyaccept.lib.arrays import AnyArray, FloatArray
from skyaccept.lib.sphere import unit_vectors
from skyaccept.synthetic.scenario_schema import Site

J2000 = 51544.5
"""MJD of the epoch 2000."""

TWILIGHT = -18.0
"""Altitude of the Sun, degrees, below which it is night."""


def sidereal_time(mjd: AnyArray) -> FloatArray:
    """Return Greenwich mean sidereal time, degrees.

    Source: Meeus, Astronomical Algorithms, eq. 12.4 without terms in T**2.
    """
    return np.asarray((280.46061837 + 360.98564736629 * (np.asarray(mjd) - J2000)) % 360)


def zenith(site: Site, mjd: AnyArray) -> FloatArray:
    """Return the direction of the zenith as unit vectors of shape (..., 3)."""
    local = sidereal_time(mjd) + site.longitude.to_value(u.deg)
    return unit_vectors(local, np.full(np.shape(mjd), site.latitude.to_value(u.deg)))


def sun(mjd: AnyArray) -> FloatArray:
    """Return the direction of the Sun to 0.01 degrees, for 1950 to 2050.

    Source: Astronomical Almanac, section C.
    """
    days = np.asarray(mjd) - J2000
    anomaly = np.radians(357.528 + 0.9856003 * days)
    longitude = np.radians(280.460 + 0.9856474 * days + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly))
    obliquity = np.radians(23.439 - 4e-7 * days)
    y = np.sin(longitude)
    return np.stack([np.cos(longitude), np.cos(obliquity) * y, np.sin(obliquity) * y], axis=-1)


def airmass(direction: FloatArray, zenith: FloatArray) -> FloatArray:
    """Return the airmass 1 / cos z, infinite below the horizon."""
    height = (direction * zenith).sum(axis=-1)
    with np.errstate(divide="ignore"):
        return np.where(height > 0, 1 / np.maximum(height, 0), np.inf)


def is_night(site: Site, mjd: AnyArray) -> AnyArray:
    """Return whether the Sun is below `TWILIGHT`."""
    return np.asarray((sun(mjd) * zenith(site, mjd)).sum(axis=-1) < np.sin(np.radians(TWILIGHT)))
