"""Visits: when and where the telescope points, and the conditions."""

from __future__ import annotations

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from skyaccept.lib.arrays import FloatArray
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.sphere import unit_vectors
from skyaccept.synthetic import photometry, site
from skyaccept.synthetic.random_streams import stream
from skyaccept.synthetic.scenario_schema import Scenario
from skyaccept.synthetic.sky import disc

_TRIES = 200_000
"""Times that are looked at before a field counts as out of reach."""


@dataclass(frozen=True)
class Visit:
    """One exposure.

    Attributes
    ----------
    number : int
        Of the survey, from 0.
    band : str
    index : int
        Within the band, in order of time: draws are bound to band and index, whatever other bands there are.
    mjd : float
    pointing, zenith : (3,) float64
        Unit vectors.
    rotation : float
        Angle of the focal plane's x axis from east towards north, radians.
    airmass : float
        Of the pointing.
    seeing : float
        FWHM, mas.
    depth, saturation : float
        Magnitudes of S/N 5 and of saturation.
    """

    number: int
    band: str
    index: int
    mjd: float
    pointing: FloatArray
    zenith: FloatArray
    rotation: float
    airmass: float
    seeing: float
    depth: float
    saturation: float


def plan(scenario: Scenario, seed: int) -> tuple[Visit, ...]:
    """Plan the visits of a survey, band by band in alphabetical order, each in order of time.

    Times are uniform over those at which it is night and the field stands above the airmass allowed; seeing is
    log-normal about the typical one and grows as airmass ** 0.6; peaks saturate as flux / FWHM ** 2.

    Raises
    ------
    InputError
        The field is never high enough at night.
    """
    made: list[Visit] = []
    visits, measurement = scenario.visits, scenario.measurement
    center = np.array([scenario.field.ra.to_value(u.deg), scenario.field.dec.to_value(u.deg)])
    typical = measurement.seeing.to_value(u.mas)
    for band in sorted(visits.number):
        n = visits.number[band]
        times = _times(scenario, stream(seed, f"times {band}"), n, unit_vectors(*center))
        pointings = disc(stream(seed, f"dithers {band}"), n, center, visits.dither.to_value(u.rad))
        turns = 2 * stream(seed, f"rotations {band}").random(n) - 1
        noise = stream(seed, f"seeing {band}").standard_normal(n)
        for index in range(n):
            up = site.zenith(scenario.site, times[index])
            airmass = float(site.airmass(pointings[index], up))
            broadening = airmass**photometry.SEEING_POWER * float(np.exp(measurement.seeing_scatter * noise[index]))
            zenith_depth = measurement.depth[band].to_value(u.mag)
            made.append(
                Visit(
                    number=len(made),
                    band=band,
                    index=index,
                    mjd=float(times[index]),
                    pointing=pointings[index],
                    zenith=up,
                    rotation=0.0 if visits.rotation is None else float(turns[index] * visits.rotation.to_value(u.rad)),
                    airmass=airmass,
                    seeing=typical * broadening,
                    depth=photometry.depth(band, zenith_depth, airmass, broadening),
                    saturation=float(measurement.saturation.to_value(u.mag) - 5 * np.log10(broadening)),
                )
            )
    return tuple(made)


def _times(scenario: Scenario, rng: np.random.Generator, n: int, center: FloatArray) -> FloatArray:
    """Times in ascending order, MJD."""
    visits = scenario.visits
    found = np.empty(0)
    tried = 0
    while len(found) < n:
        mjd = visits.start.to_value(u.day) + visits.nights * rng.random(max(1000, 20 * n))
        tried += len(mjd)
        high = site.airmass(center, site.zenith(scenario.site, mjd)) <= visits.airmass
        found = np.concatenate([found, mjd[high & site.is_night(scenario.site, mjd)]])
        if not len(found) and tried > _TRIES:
            raise InputError(
                f"scenario {scenario.scenario}: at night the field never stands above airmass {visits.airmass:g} in "
                f"{visits.nights} nights from MJD {visits.start.to_value(u.day):g} on; change visits or site"
            )
    return np.sort(found[:n])
