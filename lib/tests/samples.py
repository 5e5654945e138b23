"""Samples for the tests of metrics: detections made from positions, and what cuts that reject nothing leave of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.arrays import FloatArray
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.catalog.reference import Reference
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.selection import select


def detections(
    ra: FloatArray,
    dec: FloatArray,
    obj: NDArray[np.int64],
    visit: NDArray[np.int64],
    band: NDArray[np.int64] | None = None,
    mjd: FloatArray | None = None,
) -> AssociatedDetections:
    """Bright, clean detections of given objects; bands are numbered in the order r, i."""
    n = len(ra)
    codes = np.zeros(n, dtype=np.int16) if band is None else band.astype(np.int16)
    return AssociatedDetections(
        ra=ra % 360,
        dec=dec,
        visit=visit,
        band=codes,
        visits=tuple(map(str, range(int(visit.max()) + 1))),
        bands=("r", "i")[: int(codes.max()) + 1],
        object=obj,
        mag=np.full(n, 20.0),
        snr=np.full(n, 300.0),
        extendedness=np.zeros(n),
        mjd=mjd,
        flags={name: np.zeros(n, dtype=bool) for name in ("saturated", "cr", "bad", "edge", "not_primary")},
        name="test",
    )


def sample(found: AssociatedDetections, band: str = "r", reference: Reference | None = None) -> Sample:
    """All detections of a band."""
    return Sample(
        found, select(found, band, (), "test"), band, lambda other: sample(found, other, reference), reference
    )


def scattered(
    rng: np.random.Generator, stars: int, visits: int, sigma: float, center: tuple[float, float], width: float = 0.1
) -> tuple[FloatArray, FloatArray, NDArray[np.int64], NDArray[np.int64]]:
    """Right ascension, declination, object and visit of stars seen in every visit with ``sigma`` mas a coordinate."""
    dec = center[1] + rng.uniform(-width, width, stars)
    ra = center[0] + rng.uniform(-width, width, stars) / np.cos(np.radians(dec))
    obj, visit = (grid.ravel() for grid in np.meshgrid(np.arange(stars), np.arange(visits), indexing="ij"))
    shift = rng.normal(0, sigma / 3.6e6, (2, len(obj)))
    return ra[obj] + shift[0] / np.cos(np.radians(dec[obj])), dec[obj] + shift[1], obj, visit


def moving_stars(
    rng: np.random.Generator, n: int, visits: int, sigma: float, bias: float = 0.0, center: tuple[float, float] = (0, 0)
) -> tuple[AssociatedDetections, Reference]:
    """Moving stars of a reference catalog, measured in visits over two years with ``sigma`` mas a coordinate."""
    # on a grid of 6", so that no two stars are within the radius
    step = 6 / 3600
    k, m = np.divmod(np.arange(n), 40)
    dec = center[1] + (k - n // 80) * step
    ra = center[0] + (m - 20) * step / np.cos(np.radians(dec))
    reference = Reference(
        ra % 360,
        dec,
        np.full(n, 57205.875),
        rng.normal(0, 20, n),
        rng.normal(0, 20, n),
        rng.uniform(0.5, 5, n),
        name="stars",
    )
    obj, visit = (grid.ravel() for grid in np.meshgrid(np.arange(n), np.arange(visits), indexing="ij"))
    mjd = 58000.0 + 730.0 * visit / max(1, visits - 1)
    place = reference.directions_at(obj, mjd)
    here = np.degrees(np.arctan2(place[:, 1], place[:, 0])), np.degrees(np.arcsin(place[:, 2]))
    shift = rng.normal(0, sigma, (2, len(obj))) / 3.6e6
    seen_ra = here[0] + (shift[0] + bias / 3.6e6) / np.cos(np.radians(here[1]))
    return detections(seen_ra, here[1] + shift[1], obj, visit, mjd=mjd), reference


def rotated(ra: FloatArray, dec: FloatArray, axis: FloatArray, angle: float) -> tuple[FloatArray, FloatArray]:
    """Positions after a rotation of the sky about an axis, by Rodrigues' formula."""
    a, d = np.radians(ra), np.radians(dec)
    v = np.stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)], axis=1)
    k = axis / np.linalg.norm(axis)
    v = v * np.cos(angle) + np.cross(k, v) * np.sin(angle) + np.outer(v @ k, k) * (1 - np.cos(angle))
    return np.degrees(np.arctan2(v[:, 1], v[:, 0])) % 360, np.degrees(np.arctan2(v[:, 2], np.hypot(v[:, 0], v[:, 1])))


def offset(origin: tuple[float, float], position: tuple[float, float]) -> tuple[float, float]:
    """Offset in the tangent plane at the origin along RA and Dec, mas (sine projection), one at a time."""
    from math import cos, radians, sin

    a0, d0, a, d = (radians(x) for x in (*origin, *position))
    x = cos(d) * sin(a - a0)
    y = sin(d) * cos(d0) - cos(d) * sin(d0) * cos(a - a0)
    return x * 180 / np.pi * 3.6e6, y * 180 / np.pi * 3.6e6
