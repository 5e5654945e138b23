"""Faults of rows and labels."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.sphere import unit_vectors
from skyaccept.synthetic.exposure import Exposure
from skyaccept.synthetic.faults.fault import Fault, struck
from skyaccept.synthetic.random_streams import stream


def galaxies_as_stars(exposure: Exposure, strength: float) -> Exposure:
    """Galaxies that are taken for stars in all visits, percent."""
    mistaken = stream(exposure.seed, "fault galaxies_as_stars").random(len(exposure.sky)) < strength / 100
    chosen = (exposure.source >= 0) & (exposure.sky.galaxy & mistaken)[exposure.source]
    return exposure.with_columns(extendedness=np.where(chosen, 0.0, exposure.columns["extendedness"]))


def duplicates(exposure: Exposure, strength: float) -> Exposure:
    """Detections that are there a second time, measured anew, percent."""
    rng = exposure.draws("fault duplicates")
    rows = np.flatnonzero(rng.random(len(exposure)) < strength / 100)
    again = exposure.select(rows)
    east, north = again.columns["ra_err"] * rng.standard_normal((2, len(again)))
    return exposure.joined(
        again.moved(east, north).brightened(again.columns["mag_err"] * rng.standard_normal(len(rows)))
    )


def repeated_rows(exposure: Exposure, strength: float) -> Exposure:
    """Rows that stand in the catalog twice, percent."""
    rows = exposure.draws("fault repeated_rows").random(len(exposure)) < strength / 100
    return exposure.joined(exposure.select(rows))


def swapped_visits(exposure: Exposure, strength: float) -> Exposure:
    """Visits that bear the band of a visit in another band, which bears theirs, percent."""
    bands = sorted(exposure.scenario.visits.number)
    if len(bands) < 2:
        raise InputError(f"scenario {exposure.scenario.scenario}: fault swapped_visits needs two bands")
    place = bands.index(exposure.visit.band)
    partner = place + 1 if place % 2 == 0 else place - 1
    count = round(strength / 100 * min(exposure.scenario.visits.number.values()))
    if partner == len(bands) or exposure.visit.index >= count:
        return exposure
    return exposure.with_columns(band=np.full(len(exposure), partner, dtype=np.int16))


def not_a_number(exposure: Exposure, strength: float) -> Exposure:
    """Detections without position and magnitude, percent."""
    rows = exposure.draws("fault not_a_number").random(len(exposure)) < strength / 100
    columns = exposure.columns
    return exposure.with_columns(**{name: np.where(rows, np.nan, columns[name]) for name in ("ra", "dec", "mag")})


def missing_visits(exposure: Exposure, strength: float) -> Exposure | None:
    """Visits that are not in the catalog, percent."""
    return None if struck(exposure, "missing_visits", strength) else exposure


def misassociation(exposure: Exposure, strength: float) -> Exposure:
    """Detections that are given to the wrong object, by pairs of neighbours that change places, percent."""
    n = len(exposure)
    # a detection of nothing is an object of its own
    nothing = exposure.source < 0
    first = len(exposure.sky) + 1_000_000 * exposure.visit.number
    named = np.where(nothing, first + np.cumsum(nothing), exposure.source)
    if n > 1:
        rng = exposure.draws("fault misassociation")
        place = unit_vectors(exposure.columns["ra"], exposure.columns["dec"])
        neighbour = cKDTree(place).query(place, k=2)[1][:, 1]
        free = np.ones(n, dtype=bool)
        swaps = round(strength / 100 * n / 2)
        for row in rng.permutation(n):
            other = neighbour[row]
            if swaps == 0:
                break
            if free[row] and free[other] and row != other:
                named[[row, other]] = named[[other, row]]
                free[[row, other]] = False
                swaps -= 1
    return exposure.with_columns(object=named)


FAULTS = (
    Fault(
        "galaxies_as_stars",
        galaxies_as_stars,
        "percent",
        "this fraction of the galaxies is classified as stars",
        "magnitudes of galaxies follow the seeing, and their positions scatter more",
        100,
    ),
    Fault(
        "duplicates",
        duplicates,
        "percent",
        "this fraction of the detections occurs twice, with independent errors",
        "a detection is left out with probability s, and an object if that holds for half of its visits",
        100,
    ),
    Fault(
        "repeated_rows",
        repeated_rows,
        "percent",
        "this fraction of the rows occurs twice, without a change",
        "the catalog is refused",
        100,
    ),
    Fault(
        "swapped_visits",
        swapped_visits,
        "percent",
        "this fraction of the visits exchanges its band with a visit in another band",
        "such a visit is wrong by the color of each star: like visit_zero_point, by star",
        100,
    ),
    Fault(
        "not_a_number",
        not_a_number,
        "percent",
        "this fraction of the detections has neither position nor magnitude",
        "their rows are rejected; no metric changes beyond its sample",
        100,
    ),
    Fault(
        "missing_visits",
        missing_visits,
        "percent",
        "this fraction of the visits of each band is missing",
        "no metric changes beyond its sample, until fewer than two visits are left",
        100,
    ),
    Fault(
        "misassociation",
        misassociation,
        "percent",
        "the catalog has objects, and this fraction of the detections is assigned to a neighbour",
        "a star is as large as the distance to its neighbour with probability 1 - (1 - s)^n: the catalog is refused "
        "where more than 5 percent are, and the others are left out",
        100,
    ),
)
