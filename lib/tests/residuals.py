"""A survey of few stars on a camera of few detectors, and the residuals of its measurements by plain loops."""

from __future__ import annotations

import dataclasses
import math
import statistics
from functools import cache

import numpy as np
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.tests import reference
from skyaccept.lib.tests.samples import detections, scattered

STARS, VISITS = 120, 8


@cache
def survey(
    center: tuple[float, float] = (150.0, 20.0), bad_visit: int | None = None, scale: float = 3.0
) -> AssociatedDetections:
    """Stars in visits of five airmasses, on a camera of 3 x 3 detectors; some measurements are missing."""
    rng = np.random.default_rng(5)
    ra, dec, star, visit = scattered(rng, STARS, VISITS, 6.0, center)
    kept = rng.random(len(ra)) < 0.9
    bad = np.where(visit == bad_visit, math.sqrt(scale**2 - 1), 0.0)
    ra = ra + bad * rng.normal(0, 6 / 3.6e6, len(ra)) / np.cos(np.radians(dec))
    dec = dec + bad * rng.normal(0, 6 / 3.6e6, len(ra))
    mag = (17.6 + 3 * star / STARS + rng.normal(0, 0.004, len(ra))) + bad * rng.normal(0, 0.004, len(ra))
    found = detections(ra[kept], dec[kept], star[kept], visit[kept])
    place = [
        np.clip((part - part.min()) / np.ptp(part) * 3, 0, 2.999).astype(int) for part in (found.ra % 180, found.dec)
    ]
    return dataclasses.replace(
        found,
        visits=tuple(f"v{k:03d}" for k in range(VISITS)),
        mag=mag[kept],
        detector=(3 * place[0] + place[1] + found.visit) % 9,
        airmass=1 + 0.1 * (found.visit % 5) + 0.001 * star[kept] / STARS,
    )


@cache
def residuals_of_magnitudes() -> list[tuple[float, tuple[int, ...]]]:
    """Residual about the mean of its star, made larger by sqrt(n / (n - 1)), and the row, of each measurement."""
    d = survey()
    found: list[tuple[float, tuple[int, ...]]] = []
    assert d.mag is not None
    for star in range(STARS):
        rows = [k for k in range(len(d)) if d.object[k] == star]
        mean = statistics.fmean(1000 * d.mag[k] for k in rows)
        grow = math.sqrt(len(rows) / (len(rows) - 1))
        found += [(grow * (1000 * float(d.mag[k]) - mean), (k,)) for k in rows]
    return found


@cache
def residuals_of_pairs(low: float = 4.5, high: float = 5.5, least: int = 2) -> list[tuple[float, tuple[int, ...]]]:
    """The same of pairs so many arcmin apart, with so many common visits or more, and both rows."""
    d = survey()
    found: list[tuple[float, tuple[int, ...]]] = []
    row = {(int(d.object[k]), int(d.visit[k])): k for k in range(len(d))}
    place = {key: (float(d.ra[k]), float(d.dec[k])) for key, k in row.items()}
    seen = [{v: place[s, v] for v in range(VISITS) if (s, v) in place} for s in range(STARS)]
    middle = [reference.mean_position(reference.Star(one)) for one in seen]
    for a in range(STARS):
        for b in range(a + 1, STARS):
            common = sorted(set(seen[a]) & set(seen[b]))
            if low <= reference.haversine(middle[a], middle[b]) / 60_000 < high and len(common) >= least:
                apart = [reference.haversine(seen[a][v], seen[b][v]) for v in common]
                grow, mean = math.sqrt(len(common) / (len(common) - 1)), statistics.fmean(apart)
                found += [(grow * (s - mean), (row[a, v], row[b, v])) for s, v in zip(apart, common, strict=True)]
    return found
