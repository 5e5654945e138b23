"""Fields of stars for the tests of the separation core."""

import numpy as np
from skyaccept.lib.arrays import FloatArray, IntArray
from skyaccept.lib.separation import Positions
from skyaccept.lib.sphere import MAS
from skyaccept.lib.tests.reference import Star


def build(stars: list[Star]) -> Positions:
    """Positions of stars, in their order."""
    rows = [(k, visit, ra, dec) for k, star in enumerate(stars) for visit, (ra, dec) in star.seen.items()]
    obj, visit, ra, dec = (np.array(column) for column in zip(*rows, strict=True))
    return Positions.from_degrees(obj, visit, ra, dec)


def from_vectors(obj: IntArray, visit: IntArray, vectors: FloatArray, precise: bool = True) -> Positions:
    """Positions of unit vectors."""
    x, y, z = vectors.T
    ra, dec = np.degrees(np.arctan2(y, x)) % 360, np.degrees(np.arctan2(z, np.hypot(x, y)))
    return Positions.from_degrees(obj, visit, ra, dec, precise=precise)


def wrap(ra: float) -> float:
    return ra % 360 if ra % 360 < 360 else 0.0


def jittered(rng: np.random.Generator, n: int, visits: int, center: tuple[float, float], radius: float) -> list[Star]:
    """Stars within a square of half side ``radius`` degrees around a centre, each seen in some visits."""
    stars = []
    for _ in range(n):
        east, north = rng.uniform(-radius, radius, 2)
        seen = {}
        for visit in range(visits):
            if rng.random() < 0.8 or visit == 0:
                position = np.array([1.0, *(np.radians([east, north]) + rng.normal(0, 8 * MAS, 2))])
                a, d = np.radians(center)
                turn = np.array(
                    [
                        [np.cos(d) * np.cos(a), -np.sin(a), -np.sin(d) * np.cos(a)],
                        [np.cos(d) * np.sin(a), np.cos(a), -np.sin(d) * np.sin(a)],
                        [np.sin(d), 0.0, np.cos(d)],
                    ]
                )
                x, y, z = turn @ position
                seen[visit] = (wrap(np.degrees(np.arctan2(y, x))), float(np.degrees(np.arctan2(z, np.hypot(x, y)))))
        stars.append(Star(seen))
    return stars


def scattered(
    rng: np.random.Generator,
    n: int,
    visits: int,
    cap: float,
    center: tuple[float, float],
    errors: FloatArray,
    seen: float,
) -> tuple[IntArray, IntArray, FloatArray]:
    """Objects, visits and unit vectors of ``n`` stars within ``cap`` degrees, with an error in mas for each star."""
    obj, visit = np.nonzero(rng.random((n, visits)) < seen)
    distance = np.arccos(1 - rng.random(n) * (1 - np.cos(np.radians(cap))))
    angle = rng.uniform(0, 2 * np.pi, n)
    ra, dec = np.radians(center)
    axes = np.array(
        [
            [np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)],
            [-np.sin(ra), np.cos(ra), 0],
            [-np.sin(dec) * np.cos(ra), -np.sin(dec) * np.sin(ra), np.cos(dec)],
        ]
    )
    aside = np.stack([np.cos(distance), np.sin(distance) * np.cos(angle), np.sin(distance) * np.sin(angle)], axis=1)
    star = (aside @ axes)[obj]
    moved = star + rng.normal(size=star.shape) * (errors[obj] * MAS)[:, None]
    return obj, visit, moved / np.linalg.norm(moved, axis=1, keepdims=True)
