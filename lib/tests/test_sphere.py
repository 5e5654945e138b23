"""Geometry on the sphere."""

from __future__ import annotations

import numpy as np
import pytest
from skyaccept.lib import sphere

RNG = np.random.default_rng(1)
RA, DEC = RNG.uniform(0, 360, 50), np.degrees(np.arcsin(RNG.uniform(-1, 1, 50)))
VECTORS = sphere.unit_vectors(RA, DEC)


def test_vectors_and_degrees_are_inverse() -> None:
    ra, dec = sphere.to_degrees(3 * VECTORS)
    np.testing.assert_allclose(ra, RA, atol=1e-12)
    np.testing.assert_allclose(dec, DEC, atol=1e-12)


@pytest.mark.parametrize("angle", [1e-12, 1e-3, 1.0, np.pi - 1e-9, np.pi])
def test_separations_are_accurate_at_any_angle(angle: float) -> None:
    a, b = np.array([1.0, 0, 0]), np.array([np.cos(angle), np.sin(angle), 0])
    assert float(sphere.separation(a, b)) == pytest.approx(angle, rel=1e-12, abs=1e-15)


def test_a_chord_subtends_its_angle() -> None:
    assert sphere.chord(np.pi / 3) == pytest.approx(1.0)
    assert sphere.chord(np.pi) == pytest.approx(2.0)


def test_azimuthal_offsets_keep_areas_and_directions() -> None:
    """The distance from the centre is that of the chord."""
    center = VECTORS[0]
    x, y = sphere.azimuthal_offsets(VECTORS[1:], center)
    np.testing.assert_allclose(np.hypot(x, y), np.degrees(np.linalg.norm(VECTORS[1:] - center, axis=1)), rtol=1e-9)
    north = sphere.unit_vectors(np.array([10.0]), np.array([21.0]))
    x, y = sphere.azimuthal_offsets(north, sphere.unit_vectors(np.array(10.0), np.array(20.0)))
    assert abs(x[0]) < 1e-12
    assert y[0] == pytest.approx(1.0, rel=1e-4)


def test_east_and_north_are_orthonormal_also_at_the_poles() -> None:
    vectors = np.concatenate([VECTORS, [[0, 0, 1.0], [0, 0, -1.0]]])
    east, north = sphere.tangent_basis(vectors)
    basis = np.stack([vectors, east, north], axis=1)
    identity = np.broadcast_to(np.eye(3), (len(vectors), 3, 3))
    np.testing.assert_allclose(basis @ basis.transpose(0, 2, 1), identity, atol=1e-12)


def test_parallel_transport_keeps_sizes_and_is_undone_backwards() -> None:
    shapes = RNG.normal(0, 0.1, 49) + 1j * RNG.normal(0, 0.1, 49)
    there = sphere.parallel_transport(shapes, VECTORS[:-1], VECTORS[1:])
    np.testing.assert_allclose(np.abs(there), np.abs(shapes), rtol=1e-9)
    np.testing.assert_allclose(sphere.parallel_transport(there, VECTORS[1:], VECTORS[:-1]), shapes, atol=1e-9)


def test_mean_directions_of_opposite_vectors_are_the_north_pole() -> None:
    vectors = np.array([[1.0, 0, 0], [-1.0, 0, 0], [0, 1.0, 0]])
    np.testing.assert_allclose(sphere.mean_directions(vectors, np.array([0, 0, 1])), [[0, 0, 1], [0, 1, 0]])
