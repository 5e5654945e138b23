"""Tests of the detector grid and the projection."""

from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from skyaccept.lib.sphere import MAS, separation, to_degrees, unit_vectors
from skyaccept.synthetic import camera, sky
from skyaccept.synthetic.camera import Grid
from skyaccept.synthetic.random_streams import stream
from skyaccept.synthetic.scenario_schema import Camera
from skyaccept.synthetic.tests.surveys import first, plain


def test_detectors_agree_with_a_plain_loop() -> None:
    """Positions are all over the grid, in its gaps and outside."""
    grid = Grid(5, 1.0, 1.2, 0.1)
    x, y = stream(1, "places").uniform(-3.5, 3.5, (2, 2000))
    found, edge = grid.locate(x, y)
    for k in range(len(x)):
        expected, near = -1, False
        for number in range(25):
            middle_x, middle_y = (number % 5 - 2) * 1.2, (number // 5 - 2) * 1.2
            reach = max(abs(x[k] - middle_x), abs(y[k] - middle_y))
            if reach < 0.5:
                expected, near = number, reach > 0.4
        assert found[k] == expected
        if expected >= 0:
            assert edge[k] == near
            cx, cy = grid.center(found[k : k + 1])
            assert max(abs(x[k] - cx[0]), abs(y[k] - cy[0])) < 0.5


def test_fraction_on_detectors_equals_their_area() -> None:
    """It is (size / pitch) ** 2, as the grid extends beyond the view."""
    base = plain(stars=20000)
    fitted = replace(base, camera=Camera(10 * u.arcmin, 1 * u.arcmin, 0 * u.arcsec))
    with_gaps, without = len(first(fitted)), len(first(base))
    share = (10 / 11) ** 2
    assert with_gaps / without == pytest.approx(share, abs=5 * np.sqrt(share * (1 - share) / without))


@pytest.mark.parametrize("dec", [0.0, 60.0, -89.9, 90.0])
def test_projection_keeps_small_angles_and_rotates(dec: float) -> None:
    """Distances are tangents of angles; the axes are perpendicular to the pointing and to each other."""
    visit = replace(first(plain(0.0, dec, stars=10)).visit, rotation=0.0)
    for turned in (visit, replace(visit, rotation=1.0)):
        x_axis, y_axis = camera.focal_plane_axes(turned)
        np.testing.assert_allclose([x_axis @ y_axis, x_axis @ turned.pointing, y_axis @ turned.pointing], 0, atol=1e-15)
        np.testing.assert_allclose(np.cross(x_axis, y_axis) @ turned.pointing, 1, atol=1e-12)
    center = np.array(to_degrees(visit.pointing))
    places = sky.draw_in_disc(stream(1, "disc"), 100, center, np.radians(2))
    x, y = camera.project(places, visit)
    np.testing.assert_allclose(np.hypot(x, y), np.tan(separation(places, visit.pointing)), rtol=1e-9)
    turned_x, turned_y = camera.project(places, replace(visit, rotation=0.3))
    np.testing.assert_allclose(turned_x + 1j * turned_y, (x + 1j * y) * np.exp(-0.3j), atol=1e-12)


def test_x_points_east_and_y_points_north() -> None:
    pointing = unit_vectors(np.array([0.0]), np.array([10.0]))[0]
    visit = replace(first(plain(stars=10)).visit, pointing=pointing, rotation=0.0)
    east = unit_vectors(np.array([0.001, 0.0]), np.array([10.0, 10.001]))
    x, y = camera.project(east, visit)
    assert x[0] > 100 * MAS
    assert y[1] > 100 * MAS
    np.testing.assert_allclose([y[0], x[1]], 0, atol=1e-8)
