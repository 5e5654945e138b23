"""Focal plane: projection of the sky, and a grid of square detectors."""

from __future__ import annotations

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.arrays import ComplexArray, FloatArray
from skyaccept.lib.sphere import parallel_transport, tangent_basis
from skyaccept.synthetic.scenario_schema import Scenario
from skyaccept.synthetic.visits import Visit

IntArray = NDArray[np.int64]


def focal_plane_axes(visit: Visit) -> tuple[FloatArray, FloatArray]:
    """Return the x and y axes of the focal plane as unit vectors at the pointing."""
    east, north = (basis[0] for basis in tangent_basis(visit.pointing[None, :]))
    cos, sin = np.cos(visit.rotation), np.sin(visit.rotation)
    return cos * east + sin * north, cos * north - sin * east


def project(direction: FloatArray, visit: Visit) -> tuple[FloatArray, FloatArray]:
    """Project directions onto the focal plane (gnomonic), radians.

    They must be within 90 degrees of the pointing.
    """
    along = np.einsum("ij,j->i", direction, visit.pointing)
    x, y = (np.einsum("ij,j->i", direction, axis) / along for axis in focal_plane_axes(visit))
    return x, y


def shift_vectors(visit: Visit, direction: FloatArray, offset: FloatArray) -> FloatArray:
    """Convert shifts (2, n) on the focal plane to vectors (n, 3) on the sky.

    The vectors are tangent to the sphere at the directions.
    """
    first, second = focal_plane_axes(visit)
    vector = offset[0][:, None] * first + offset[1][:, None] * second
    return np.asarray(vector - np.einsum("ij,ij->i", vector, direction)[:, None] * direction)


def rotate_to_sky(visit: Visit, direction: FloatArray, ellipticity: ComplexArray | complex) -> ComplexArray:
    """Convert ellipticities from focal-plane axes to east and north.

    ``direction`` has the unit vectors (n, 3) of the positions.
    """
    pointing = np.broadcast_to(visit.pointing, direction.shape)
    turned = np.broadcast_to(np.exp(2j * visit.rotation) * ellipticity, len(direction))
    return parallel_transport(turned, pointing, direction)


@dataclass(frozen=True)
class Grid:
    """Grid of ``side`` x ``side`` square detectors, numbered row by row.

    ``size`` and ``pitch`` are in radians; positions closer than ``edge`` to the edge of a detector are marked.
    """

    side: int
    size: float
    pitch: float
    edge: float

    @property
    def number(self) -> int:
        """Number of detectors."""
        return self.side**2

    def locate(self, x: FloatArray, y: FloatArray) -> tuple[IntArray, NDArray[np.bool_]]:
        """Return the detector at each position, and whether it is at the edge.

        The detector is -1 in a gap or outside.
        """
        column, dx = self._along(x)
        row, dy = self._along(y)
        rim = self.size / 2 - np.maximum(np.abs(dx), np.abs(dy))
        inside = (rim > 0) & (column >= 0) & (column < self.side) & (row >= 0) & (row < self.side)
        return np.where(inside, row * self.side + column, -1), rim < self.edge

    def center(self, detector: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return the positions of the centres of detectors."""
        row, column = np.divmod(detector, self.side)
        return (column - (self.side - 1) / 2) * self.pitch, (row - (self.side - 1) / 2) * self.pitch

    def _along(self, x: FloatArray) -> tuple[IntArray, FloatArray]:
        index = np.floor(x / self.pitch + self.side / 2)
        return index.astype(np.int64), x - (index - (self.side - 1) / 2) * self.pitch


def detector_grid(scenario: Scenario) -> Grid:
    """Return the detectors that cover the view; a single one without a camera."""
    width = 2 * float(np.tan(scenario.visits.view_radius.to_value(u.rad)))
    if scenario.camera is None:
        return Grid(1, width, width, 0.0)
    size, gap, edge = (getattr(scenario.camera, name).to_value(u.rad) for name in ("detector", "gap", "edge"))
    # an odd number, so that the middle is on a detector and not in a gap
    side = int(np.ceil((width + gap) / (size + gap))) // 2 * 2 + 1
    return Grid(side, size, size + gap, edge)
