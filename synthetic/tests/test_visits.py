"""Tests of the plan of visits."""

from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.sphere import separation, unit_vectors
from skyaccept.synthetic import site, visits
from skyaccept.synthetic.scenario_schema import Site
from skyaccept.synthetic.tests.surveys import nominal


def test_visits_are_at_night_below_the_maximum_airmass() -> None:
    """Visits are in order of time, and pointings within the dither."""
    chosen = nominal()
    plan = visits.plan(replace(chosen, visits=replace(chosen.visits, number={"r": 200})), 1)
    mjd = np.array([visit.mjd for visit in plan])
    assert (np.diff(mjd) > 0).all()
    assert mjd.min() >= 60676
    assert mjd.max() <= 60706
    assert site.is_night(chosen.site, mjd).all()
    center = unit_vectors(np.array([150.0]), np.array([2.0]))[0]
    assert (site.airmass(center, site.zenith(chosen.site, mjd)) <= 1.5).all()
    for visit in plan:
        assert visit.airmass == pytest.approx(1 / (visit.pointing @ visit.zenith))
        assert separation(visit.pointing, center) <= np.radians(0.2)
        assert abs(visit.rotation) <= np.pi / 4


def test_seeing_depth_and_saturation_are_consistent() -> None:
    """FWHM is log-normal and grows as airmass ** 0.6; depth and saturation follow from it."""
    chosen = nominal()
    many = replace(chosen, visits=replace(chosen.visits, number={"i": 400}))
    plan = visits.plan(many, 1)
    broadening = np.array([visit.seeing / 700 for visit in plan])
    airmass = np.array([visit.airmass for visit in plan])
    noise = np.log(broadening / airmass**0.6)
    assert noise.mean() == pytest.approx(0, abs=5 * 0.1 / np.sqrt(400))
    assert noise.std() == pytest.approx(0.1, rel=5 / np.sqrt(800))
    expected = 23.8 - 0.096 * (airmass - 1) - 2.5 * np.log10(broadening)
    np.testing.assert_allclose([visit.depth for visit in plan], expected)
    np.testing.assert_allclose([visit.saturation for visit in plan], 17 - 5 * np.log10(broadening))


def test_visits_of_a_band_do_not_depend_on_other_bands() -> None:
    chosen = nominal()
    alone = visits.plan(replace(chosen, visits=replace(chosen.visits, number={"r": 8})), 3)
    among = [visit for visit in visits.plan(chosen, 3) if visit.band == "r"]
    for one, other in zip(alone, among, strict=True):
        assert (one.mjd, one.seeing, one.rotation, one.index) == (other.mjd, other.seeing, other.rotation, other.index)
        np.testing.assert_array_equal(one.pointing, other.pointing)


def test_field_that_never_rises_is_refused() -> None:
    """Try the northern sky from the south pole, and a site with midnight sun."""
    chosen = nominal()
    for place in (Site(-89 * u.deg, 0 * u.deg, 0 * u.m), Site(70 * u.deg, 0 * u.deg, 0 * u.m)):
        start = 60676 if place.latitude.value < 0 else 60846
        moved = replace(chosen, site=place, visits=replace(chosen.visits, start=start * u.day, nights=5))
        with pytest.raises(InputError, match=r"at night the field is never below airmass 1\.5 in 5 nights"):
            visits.plan(moved, 1)
