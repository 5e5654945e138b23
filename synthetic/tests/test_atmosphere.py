"""Tests of atmospheric refraction and turbulence."""

import math

import astropy.units as u
import numpy as np
import pytest
from skyaccept.lib.sphere import MAS, unit_vectors
from skyaccept.synthetic import atmosphere
from skyaccept.synthetic.scenario_schema import Site
from skyaccept.synthetic.tests.surveys import nominal

SEA = Site(0 * u.deg, 0 * u.deg, 0 * u.m)


def test_refractivity_agrees_with_standard_air() -> None:
    """The handbook has 2.77e-4 at 589 nm, 15 C and 760 mm for dry air without carbon dioxide; agree to 1e-3."""
    assert atmosphere.refractivity(589.3) == pytest.approx(2.77e-4, rel=2e-3)
    assert atmosphere.refractivity(589.3, 380) == pytest.approx(2.77e-4 / 2, rel=2e-3)


def test_blue_light_is_lifted_more() -> None:
    """From 400 to 600 nm, 60" tan z differs by 1.3" at sea level (Filippenko 1982, table 1: 1.3 to 1.4 at z = 45)."""
    blue, red = (atmosphere.refractivity(w, 760, 10) * u.rad.to(u.arcsec) for w in (400, 600))
    assert blue - red == pytest.approx(1.3, abs=0.15)


def test_chromatic_coefficient_agrees_with_integrals() -> None:
    """Compare with sums over the band: mean refraction of two power-law spectra 1 mag apart in g - i."""
    ratio = sum(atmosphere.LIMITS["i"]) / sum(atmosphere.LIMITS["g"])
    steep = 0.4 * math.log(10) / math.log(ratio)
    for band, (low, high) in atmosphere.LIMITS.items():
        mean: list[float] = []
        for index in (-steep / 2, steep / 2):
            light, lifted = 0.0, 0.0
            for step in range(2000):
                wavelength = low + (high - low) * (step + 0.5) / 2000
                photons = wavelength**index
                light += photons
                lifted += photons * atmosphere.refractivity(wavelength, 760, atmosphere.TEMPERATURE)
            mean.append(lifted / light / MAS)
        # first order in the width of the band: correct to a few per cent
        assert atmosphere.chromatic_coefficient(band, SEA) == pytest.approx(mean[1] - mean[0], rel=0.06)


def test_less_air_refracts_less() -> None:
    high = Site(0 * u.deg, 0 * u.deg, 8400 * u.m)
    assert atmosphere.chromatic_coefficient("g", high) == pytest.approx(
        atmosphere.chromatic_coefficient("g", SEA) / math.e, rel=1e-3
    )


@pytest.mark.parametrize("distance", [0.0, 10.0, 45.0, 60.0])
def test_refraction_is_along_the_zenith_and_grows_as_tan_z(distance: float) -> None:
    """A star redder by 1 mag than the mean is lower by the chromatic coefficient times tan z."""
    zenith = unit_vectors(np.array([40.0]), np.array([-30.0]))[0]
    place = unit_vectors(np.array([40.0]), np.array([-30.0 + distance]))
    colors = nominal().stars.colors
    assert colors is not None
    color = np.array([colors.mean.to_value(u.mag) + 1])
    shift = atmosphere.refraction(nominal(), "g", color, place, zenith)[0] / MAS
    size = abs(atmosphere.chromatic_coefficient("g", nominal().site)) * math.tan(math.radians(distance))
    assert np.linalg.norm(shift) == pytest.approx(size, abs=1e-9)
    assert abs(shift @ place[0]) < 1e-9
    if distance:
        assert shift @ (place[0] - zenith) > 0  # away from the zenith
