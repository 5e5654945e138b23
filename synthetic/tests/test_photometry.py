"""Tests of the error model of magnitudes and positions."""

import math

import numpy as np
import pytest
from skyaccept.synthetic import photometry


@pytest.mark.parametrize("band", photometry.BANDS)
def test_snr_is_five_at_the_depth(band: str) -> None:
    """The random error of the model is 0.2 mag there, so S/N is 5.43 = 2.5 / ln 10 / 0.2."""
    error = photometry.random_error(band, np.array([24.0]), 24.0)[0]
    assert error == pytest.approx(0.2, rel=1e-12)
    assert photometry.snr(np.array([error]))[0] == pytest.approx(2.5 / math.log(10) / 0.2)


def test_random_error_follows_photon_and_sky_noise() -> None:
    """It grows as flux ** -0.5 for bright and flux ** -1 for faint stars."""
    bright = photometry.random_error("r", np.array([10.0, 12.5]), 24.5)
    assert bright[1] / bright[0] == pytest.approx(np.sqrt(10), rel=1e-3)
    faint = photometry.random_error("r", np.array([40.0, 42.5]), 24.5)
    assert faint[1] / faint[0] == pytest.approx(10, rel=1e-3)


def test_depth_decreases_with_airmass_and_seeing() -> None:
    assert photometry.depth("g", 25.0, 1.0, 1.0) == 25.0
    assert photometry.depth("g", 25.0, 2.0, 1.0) == pytest.approx(25 - 0.213)
    assert photometry.depth("g", 25.0, 1.0, 10.0) == pytest.approx(25 - 2.5)


def test_centroid_error_agrees_with_a_gaussian_image() -> None:
    """The mean of N photons scatters by sigma / sqrt(N), and S/N is sqrt(N)."""
    rng = np.random.default_rng(1)
    sigma, photons, images = 300.0, 400, 4000
    scatter = rng.normal(0, sigma, (images, photons)).mean(axis=1).std()
    expected = photometry.centroid_error(sigma * photometry.FWHM, np.array([np.sqrt(photons)]), 0.0)[0]
    assert scatter == pytest.approx(expected, rel=5 / np.sqrt(2 * images))
    assert photometry.centroid_error(0.0, np.array([50.0]), 4.0)[0] == 4.0
