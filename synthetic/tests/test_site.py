from typing import Any

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import get_sun
from astropy.time import Time
from astropy.utils import iers
from skyaccept.synthetic import site
from skyaccept.synthetic.tests.surveys import nominal

MJD = np.linspace(51544.5, 60000.5, 40)  # 2000 to 2023


@pytest.fixture(autouse=True)
def _offline() -> Any:
    """Astropy compares offline: UT1 is UTC where its own tables do not say."""
    with iers.conf.set_temp("auto_download", False):
        yield


def test_sidereal_time_agrees_with_astropy() -> None:
    """To 24 milliseconds of time, with UT1 put in for UTC."""
    expected = Time(MJD, format="mjd", scale="ut1").sidereal_time("mean", "greenwich").to_value(u.deg)
    apart = (site.sidereal_time(MJD) - expected + 180) % 360 - 180
    assert np.abs(apart).max() < 1e-4


def test_the_sun_stands_where_astropy_puts_it() -> None:
    """To 0.35 degrees: the equinox of date is up to 23 years from ICRS; the remainder of 0.01 is seen at J2000."""
    there = get_sun(Time(MJD, format="mjd", scale="tdb"))
    expected = np.moveaxis(there.cartesian.xyz.value / there.cartesian.norm().value, 0, -1)
    apart = np.degrees(np.arccos(np.clip((site.sun(MJD) * expected).sum(axis=1), -1, 1)))
    assert apart.max() < 0.35
    assert apart[0] < 0.02


def test_the_zenith_passes_over_the_site_once_a_sidereal_day() -> None:
    """Declination is the latitude; right ascension grows by 360 degrees in 23 h 56 m 4.09 s."""
    place = nominal().site
    times = 60000 + np.arange(5) * (86164.0905 / 86400)
    vectors = site.zenith(place, times)
    np.testing.assert_allclose(np.degrees(np.arcsin(vectors[:, 2])), place.latitude.to_value(u.deg), atol=1e-9)
    np.testing.assert_allclose(vectors, np.tile(vectors[0], (5, 1)), atol=1e-7)


def test_airmass_is_one_in_the_zenith_two_at_sixty_degrees_and_infinite_below_the_horizon() -> None:
    up = np.array([0.0, 0.0, 1.0])
    angles = np.radians([0, 60, 90, 120])
    directions = np.stack([np.sin(angles), np.zeros(4), np.cos(angles)], axis=1)
    directions[2, 2] = 0
    np.testing.assert_allclose(site.airmass(directions, up), [1, 2, np.inf, np.inf])


def test_it_is_night_at_midnight_and_day_at_noon() -> None:
    """Local mean time on Cerro Pachon, in June and in December."""
    place = nominal().site
    for day in (60482, 60665):
        midnight = day - place.longitude.to_value(u.deg) / 360
        assert site.is_night(place, np.array([midnight, midnight + 0.5])).tolist() == [True, False]
