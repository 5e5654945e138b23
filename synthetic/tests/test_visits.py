from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.sphere import separation, unit_vectors
from skyaccept.synthetic import site, visits
from skyaccept.synthetic.scenario_schema import Site
from skyaccept.synthetic.tests.surveys import nominal


def test_visits_are_at_night_and_above_the_airmass_allowed() -> None:
    """Airmass of the field, within its dither; in order of time; pointings within the dither."""
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


def test_seeing_depth_and_saturation_go_together() -> None:
    """FWHM as airmass ** 0.6 and log-normal; depth by extinction and seeing; saturation by the peak."""
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


def test_a_band_is_the_same_whatever_other_bands_there_are() -> None:
    chosen = nominal()
    alone = visits.plan(replace(chosen, visits=replace(chosen.visits, number={"r": 8})), 3)
    among = [visit for visit in visits.plan(chosen, 3) if visit.band == "r"]
    for one, other in zip(alone, among, strict=True):
        assert (one.mjd, one.seeing, one.rotation, one.index) == (other.mjd, other.seeing, other.rotation, other.index)
        np.testing.assert_array_equal(one.pointing, other.pointing)


def test_a_field_that_never_rises_is_refused() -> None:
    """The northern sky from the south pole; and a site in the light of summer."""
    chosen = nominal()
    for place in (Site(-89 * u.deg, 0 * u.deg, 0 * u.m), Site(70 * u.deg, 0 * u.deg, 0 * u.m)):
        start = 60676 if place.latitude.value < 0 else 60846
        moved = replace(chosen, site=place, visits=replace(chosen.visits, start=start * u.day, nights=5))
        with pytest.raises(InputError, match=r"at night the field never stands above airmass 1\.5 in 5 nights"):
            visits.plan(moved, 1)
