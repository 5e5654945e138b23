"""Plan the visits of a survey: time, pointing and observing conditions."""

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
from skyaccept.synthetic.sky import draw_in_disc

_TRIES = 200_000
"""Number of random times to try before a field counts as unobservable."""


@dataclass(frozen=True)
class Visit:
    """One exposure.

    Attributes
    ----------
    number : int
        Number within the survey, from 0.
    band : str
    index : int
        Number within the band, in order of time; random draws depend on band and index only.
    mjd : float
    pointing, zenith : (3,) float64
        Unit vectors.
    rotation : float
        Angle of the focal plane's x axis from east towards north, radians.
    airmass : float
        Airmass of the pointing.
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
    """Plan the visits of a survey by band (alphabetical) and time.

    Times are uniform over the nights while the field is below the maximum airmass. The seeing is log-normal around the
    typical one and grows as airmass ** 0.6. Saturation depends on the peak, flux / FWHM ** 2.

    Raises
    ------
    InputError
        The field is never high enough at night.
    """
    planned: list[Visit] = []
    visits, measurement = scenario.visits, scenario.measurement
    center = np.array([scenario.field.ra.to_value(u.deg), scenario.field.dec.to_value(u.deg)])
    typical = measurement.seeing.to_value(u.mas)
    for band in sorted(visits.number):
        n = visits.number[band]
        times = _draw_times(scenario, stream(seed, f"times {band}"), n, unit_vectors(*center))
        pointings = draw_in_disc(stream(seed, f"dithers {band}"), n, center, visits.dither.to_value(u.rad))
        turns = 2 * stream(seed, f"rotations {band}").random(n) - 1
        noise = stream(seed, f"seeing {band}").standard_normal(n)
        for index in range(n):
            zenith = site.zenith(scenario.site, times[index])
            airmass = float(site.airmass(pointings[index], zenith))
            broadening = airmass**photometry.SEEING_POWER * float(np.exp(measurement.seeing_scatter * noise[index]))
            zenith_depth = measurement.depth[band].to_value(u.mag)
            planned.append(
                Visit(
                    number=len(planned),
                    band=band,
                    index=index,
                    mjd=float(times[index]),
                    pointing=pointings[index],
                    zenith=zenith,
                    rotation=0.0 if visits.rotation is None else float(turns[index] * visits.rotation.to_value(u.rad)),
                    airmass=airmass,
                    seeing=typical * broadening,
                    depth=photometry.depth(band, zenith_depth, airmass, broadening),
                    saturation=float(measurement.saturation.to_value(u.mag) - 5 * np.log10(broadening)),
                )
            )
    return tuple(planned)


def _draw_times(scenario: Scenario, rng: np.random.Generator, n: int, center: FloatArray) -> FloatArray:
    """Draw times at which the field is observable, MJD in ascending order."""
    visits = scenario.visits
    times = np.empty(0)
    tried = 0
    while len(times) < n:
        mjd = visits.start.to_value(u.day) + visits.nights * rng.random(max(1000, 20 * n))
        tried += len(mjd)
        observable = site.airmass(center, site.zenith(scenario.site, mjd)) <= visits.airmass
        times = np.concatenate([times, mjd[observable & site.is_night(scenario.site, mjd)]])
        if not len(times) and tried > _TRIES:
            raise InputError(
                f"scenario {scenario.scenario}: at night the field is never below airmass {visits.airmass:g} in "
                f"{visits.nights} nights from MJD {visits.start.to_value(u.day):g} on; change visits or site"
            )
    return np.sort(times[:n])
