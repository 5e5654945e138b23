"""Tests of random fields against the von Karman correlation."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import integrate, special, stats
from skyaccept.lib.arrays import FloatArray
from skyaccept.synthetic import random_fields
from skyaccept.synthetic.random_streams import stream

SCALE = np.radians(5 / 60)
FIELDS = 3000
DISTANCES = np.radians(np.array([0.5, 2, 5, 15]) / 60)


def correlation(distance: float) -> float:
    """Return the von Karman correlation in closed form."""
    x = distance / SCALE
    return float(2 ** (1 / 6) / special.gamma(5 / 6) * x ** (5 / 6) * special.kv(5 / 6, x))


def mean_bessel(order: int, distance: float) -> float:
    """Return the mean of J(k r) over the spectrum, with density 5/3 k (1 + k^2) ** (-11/6) in units of the scale."""
    found, _ = integrate.quad(
        lambda k: 5 / 3 * k * (1 + k * k) ** (-11 / 6) * special.jv(order, k * distance / SCALE), 0, 400, limit=2000
    )
    return float(found)


def products(field: Callable[[random_fields.Waves, FloatArray, FloatArray], FloatArray]) -> FloatArray:
    """Return products of components at the origin and along x, (fields, components, distances)."""
    x = np.concatenate([[0.0], DISTANCES])
    found = []
    for number in range(FIELDS):
        values = np.atleast_2d(field(random_fields.draw(stream(1, "field", number), SCALE), x, np.zeros_like(x)))
        found.append(values[:, :1] * values)
    return np.array(found)


def check(found: FloatArray, expected: list[float]) -> None:
    """Check that means over the fields are as expected, within five standard errors."""
    error = found.std(axis=0) / np.sqrt(len(found))
    assert np.all(np.abs(found.mean(axis=0) - expected) < 5 * error), (found.mean(axis=0), expected)


@pytest.mark.slow
def test_scalar_field_has_the_von_karman_correlation() -> None:
    check(products(random_fields.scalar)[:, 0], [1.0, *map(correlation, DISTANCES)])


def test_mean_bessel_agrees_with_the_closed_form() -> None:
    """The next test uses this independent integral over the spectrum."""
    for distance in DISTANCES:
        assert mean_bessel(0, distance) == pytest.approx(correlation(distance), abs=2e-3)


@pytest.mark.slow
def test_displacements_are_correlated_as_a_gradient() -> None:
    """The correlation is J0 - J2 along the separation and J0 + J2 across it, so there is no curl."""
    found = products(random_fields.gradient)
    for component, sign in ((0, -1), (1, 1)):
        expected = [mean_bessel(0, d) + sign * mean_bessel(2, d) for d in DISTANCES]
        check(found[:, component], [1.0, *expected])


@pytest.mark.slow
def test_ellipticities_have_unit_variance_and_spin_two() -> None:
    """A rotation of the waves by 45 degrees changes e1 to e2."""
    drawn = random_fields.draw(stream(1, "e"), SCALE)
    turned = random_fields.Waves(drawn.vector, drawn.phase, drawn.direction + np.pi / 4)
    x, y = stream(2, "e").random((2, 50)) * 0.05
    e1, e2 = random_fields.ellipticity(drawn, x, y)
    t1, t2 = random_fields.ellipticity(turned, x, y)
    np.testing.assert_allclose((t1, t2), (-e2, e1), atol=1e-12)
    check(products(random_fields.ellipticity)[:, :, 0], [1.0, 1.0])


def test_field_is_the_plain_sum_of_its_waves() -> None:
    """The number of points exceeds the size of a block."""
    drawn = random_fields.draw(stream(3, "plain"), SCALE)
    x, y = stream(4, "plain").random((2, 8200)) * 0.06
    found = random_fields.scalar(drawn, x, y)
    for k in (0, 8191, 8192, 8199):
        total = 0.0
        for (kx, ky), phase in zip(drawn.vector, drawn.phase, strict=True):
            total += np.cos(kx * x[k] + ky * y[k] + phase)
        assert found[k] == pytest.approx(total * np.sqrt(2 / random_fields.WAVES), abs=1e-12)


@pytest.mark.slow
def test_field_is_normal_at_a_point() -> None:
    """The kurtosis of a sum of M waves is 3 (1 - 1 / (2 M))."""
    zero = np.zeros(1)
    values = np.array(
        [random_fields.scalar(random_fields.draw(stream(5, "n", k), SCALE), zero, zero)[0] for k in range(FIELDS)]
    )
    kurtosis = np.mean(values**4) / np.mean(values**2) ** 2
    assert kurtosis == pytest.approx(3 * (1 - 0.5 / random_fields.WAVES), abs=5 * np.sqrt(24 / FIELDS))


def test_waves_follow_the_von_karman_spectrum() -> None:
    """The fraction of wave numbers up to k is 1 - (1 + k^2) ** (-5/6) in units of the scale; directions are uniform."""
    drawn = [random_fields.draw(stream(6, "k", number), SCALE) for number in range(500)]
    size = np.concatenate([np.hypot(*one.vector.T) for one in drawn]) * SCALE
    assert stats.kstest(1 - (1 + size**2) ** (-5 / 6), "uniform").pvalue > 1e-4
    direction = np.concatenate([np.arctan2(*one.vector.T[::-1]) for one in drawn])
    assert stats.kstest((direction + np.pi) / (2 * np.pi), "uniform").pvalue > 1e-4
    phase = np.concatenate([one.phase for one in drawn])
    assert stats.kstest(phase / (2 * np.pi), "uniform").pvalue > 1e-4
