"""Faults of rows and labels."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.sphere import unit_vectors
from skyaccept.synthetic.exposure import Exposure
from skyaccept.synthetic.faults.fault import Fault, is_affected
from skyaccept.synthetic.random_streams import stream


def galaxies_as_stars(exposure: Exposure, strength: float) -> Exposure:
    """Classify galaxies as stars in all visits, percent."""
    misclassified = stream(exposure.seed, "fault galaxies_as_stars").random(len(exposure.sky)) < strength / 100
    misclassified_detection = (exposure.source >= 0) & (exposure.sky.galaxy & misclassified)[exposure.source]
    return exposure.with_columns(extendedness=np.where(misclassified_detection, 0.0, exposure.columns["extendedness"]))


def duplicates(exposure: Exposure, strength: float) -> Exposure:
    """Repeat detections with independent errors, percent."""
    rng = exposure.random_generator("fault duplicates")
    rows = np.flatnonzero(rng.random(len(exposure)) < strength / 100)
    copies = exposure.select(rows)
    east, north = copies.columns["ra_err"] * rng.standard_normal((2, len(copies)))
    return exposure.append(
        copies.shift_on_sky(east, north).add_to_magnitude(copies.columns["mag_err"] * rng.standard_normal(len(rows)))
    )


def repeated_rows(exposure: Exposure, strength: float) -> Exposure:
    """Repeat rows of the catalog unchanged, percent."""
    rows = exposure.random_generator("fault repeated_rows").random(len(exposure)) < strength / 100
    return exposure.append(exposure.select(rows))


def swapped_visits(exposure: Exposure, strength: float) -> Exposure:
    """Exchange the bands of visits in two bands, percent of the visits."""
    bands = sorted(exposure.scenario.visits.number)
    if len(bands) < 2:
        raise InputError(f"scenario {exposure.scenario.scenario}: fault swapped_visits needs two bands")
    band_index = bands.index(exposure.visit.band)
    partner = band_index + 1 if band_index % 2 == 0 else band_index - 1
    count = round(strength / 100 * min(exposure.scenario.visits.number.values()))
    if partner == len(bands) or exposure.visit.index >= count:
        return exposure
    return exposure.with_columns(band=np.full(len(exposure), partner, dtype=np.int16))


def not_a_number(exposure: Exposure, strength: float) -> Exposure:
    """Remove position and magnitude of detections, percent."""
    rows = exposure.random_generator("fault not_a_number").random(len(exposure)) < strength / 100
    columns = exposure.columns
    return exposure.with_columns(**{name: np.where(rows, np.nan, columns[name]) for name in ("ra", "dec", "mag")})


def missing_visits(exposure: Exposure, strength: float) -> Exposure | None:
    """Remove visits, percent."""
    return None if is_affected(exposure, "missing_visits", strength) else exposure


def misassociation(exposure: Exposure, strength: float) -> Exposure:
    """Assign detections to wrong objects by exchanging neighbours, percent."""
    n = len(exposure)
    # a spurious detection is an object of its own
    spurious = exposure.source < 0
    first_id = len(exposure.sky) + 1_000_000 * exposure.visit.number
    object_ids = np.where(spurious, first_id + np.cumsum(spurious), exposure.source)
    if n > 1:
        rng = exposure.random_generator("fault misassociation")
        directions = unit_vectors(exposure.columns["ra"], exposure.columns["dec"])
        neighbour = cKDTree(directions).query(directions, k=2)[1][:, 1]
        free = np.ones(n, dtype=bool)
        swaps = round(strength / 100 * n / 2)
        for row in rng.permutation(n):
            other = neighbour[row]
            if swaps == 0:
                break
            if free[row] and free[other] and row != other:
                object_ids[[row, other]] = object_ids[[other, row]]
                free[[row, other]] = False
                swaps -= 1
    return exposure.with_columns(object=object_ids)


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
        "magnitudes of such a visit are wrong by the color of each star: like visit_zero_point, but by star",
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
        "the extent of a star is the distance to its neighbour with probability 1 - (1 - s)^n: the catalog is refused "
        "if this holds for more than 5 percent of the stars; otherwise these stars are left out",
        100,
    ),
)
