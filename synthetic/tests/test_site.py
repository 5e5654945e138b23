"""Tests of sidereal time, Sun, zenith and airmass."""

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
    """Keep astropy offline: outside its own tables UT1 is UTC."""
    with iers.conf.set_temp("auto_download", False):
        yield


def test_sidereal_time_agrees_with_astropy() -> None:
    """Agree to 24 ms, with UT1 in place of UTC."""
    expected = Time(MJD, format="mjd", scale="ut1").sidereal_time("mean", "greenwich").to_value(u.deg)
    apart = (site.sidereal_time(MJD) - expected + 180) % 360 - 180
    assert np.abs(apart).max() < 1e-4


def test_sun_agrees_with_astropy() -> None:
    """Agree to 0.35 degrees, as ICRS differs by up to 23 years from the equinox of date; at J2000 to 0.01."""
    there = get_sun(Time(MJD, format="mjd", scale="tdb"))
    expected = np.moveaxis(there.cartesian.xyz.value / there.cartesian.norm().value, 0, -1)
    apart = np.degrees(np.arccos(np.clip((site.sun(MJD) * expected).sum(axis=1), -1, 1)))
    assert apart.max() < 0.35
    assert apart[0] < 0.02


def test_zenith_rotates_once_a_sidereal_day() -> None:
    """Its declination is the latitude; its RA grows by 360 degrees in 23 h 56 m 4.09 s."""
    place = nominal().site
    times = 60000 + np.arange(5) * (86164.0905 / 86400)
    vectors = site.zenith(place, times)
    np.testing.assert_allclose(np.degrees(np.arcsin(vectors[:, 2])), place.latitude.to_value(u.deg), atol=1e-9)
    np.testing.assert_allclose(vectors, np.tile(vectors[0], (5, 1)), atol=1e-7)


def test_airmass_at_zenith_at_60_degrees_and_below_horizon() -> None:
    up = np.array([0.0, 0.0, 1.0])
    angles = np.radians([0, 60, 90, 120])
    directions = np.stack([np.sin(angles), np.zeros(4), np.cos(angles)], axis=1)
    directions[2, 2] = 0
    np.testing.assert_allclose(site.airmass(directions, up), [1, 2, np.inf, np.inf])


def test_midnight_is_night_and_noon_is_day() -> None:
    """Use local mean time on Cerro Pachon, in June and in December."""
    place = nominal().site
    for day in (60482, 60665):
        midnight = day - place.longitude.to_value(u.deg) / 360
        assert site.is_night(place, np.array([midnight, midnight + 0.5])).tolist() == [True, False]
