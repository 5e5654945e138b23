"""Plain references: slow, independent of the code under test, one operation at a time."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import mpmath

MAS_PER_RADIAN = 180 / math.pi * 3_600_000


@dataclass(frozen=True)
class Star:
    """Positions of a star by visit, degrees."""

    seen: dict[int, tuple[float, float]]


def exact_separation(a: tuple[float, float], b: tuple[float, float]) -> mpmath.mpf:
    """Angle between two positions in degrees, mas, with 50 digits (Vincenty's formula)."""
    with mpmath.workdps(50):
        ra1, dec1, ra2, dec2 = (mpmath.mpf(x) * mpmath.pi / 180 for x in (*a, *b))
        d = ra2 - ra1
        y = mpmath.hypot(
            mpmath.cos(dec2) * mpmath.sin(d),
            mpmath.cos(dec1) * mpmath.sin(dec2) - mpmath.sin(dec1) * mpmath.cos(dec2) * mpmath.cos(d),
        )
        x = mpmath.sin(dec1) * mpmath.sin(dec2) + mpmath.cos(dec1) * mpmath.cos(dec2) * mpmath.cos(d)
        return mpmath.atan2(y, x) * 180 / mpmath.pi * 3_600_000


def haversine(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Angle between two positions in degrees, mas."""
    ra1, dec1, ra2, dec2 = (math.radians(x) for x in (*a, *b))
    h = math.sin((dec2 - dec1) / 2) ** 2 + math.cos(dec1) * math.cos(dec2) * math.sin((ra2 - ra1) / 2) ** 2
    return 2 * math.asin(min(1.0, math.sqrt(h))) * MAS_PER_RADIAN


def mean_position(star: Star) -> tuple[float, float]:
    """Direction of the mean unit vector, degrees."""
    x = y = z = 0.0
    for ra, dec in star.seen.values():
        x += math.cos(math.radians(dec)) * math.cos(math.radians(ra))
        y += math.cos(math.radians(dec)) * math.sin(math.radians(ra))
        z += math.sin(math.radians(dec))
    return math.degrees(math.atan2(y, x)), math.degrees(math.atan2(z, math.hypot(x, y)))


def pair_separations(stars: Sequence[Star], low: float, high: float, least: int) -> list[list[float]]:
    """Separations by common visit, mas, of every pair whose mean positions are low <= separation < high apart (mas)."""
    middle = [mean_position(star) for star in stars]
    found = []
    for i in range(len(stars)):
        for j in range(i + 1, len(stars)):
            if low <= haversine(middle[i], middle[j]) < high:
                common = sorted(set(stars[i].seen) & set(stars[j].seen))
                if len(common) >= least:
                    found.append([haversine(stars[i].seen[v], stars[j].seen[v]) for v in common])
    return found


def percentile(values: Sequence[float], percent: float) -> float:
    """Percentile, linear between order statistics."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def relative_astrometry(pairs: Sequence[Sequence[float]], definition: str, ad: float, af: float) -> dict[str, float]:
    """AM, AF and AD of pairs of at least two visits by the words of each definition, in two plain loops.

    faro and analysis_tools look at pairs of at least three visits for AF and AD.
    """
    rms = [statistics.stdev(pair) for pair in pairs]
    if definition == "lvv-t1278-notebook":
        rms = [abs(pair[0] - pair[1]) for pair in pairs]
    am = statistics.median(rms)
    triples = [pair for pair in pairs if len(pair) >= 3]
    if definition in ("lvv-t1278", "lvv-t1278-notebook"):
        af_errors = ad_errors = rms
    elif definition == "srd":
        af_errors = ad_errors = [abs(s - statistics.median(pair)) for pair in pairs for s in pair]
    elif definition == "validate_drp":
        af_errors = ad_errors = [value - am for value in rms]
    elif definition == "faro":
        once = [abs(s - statistics.median(pair)) for pair in triples for s in pair]
        again = statistics.median(once)
        af_errors, ad_errors = [abs(value - again) for value in once], [value - again for value in once]
    elif definition == "analysis_tools":
        about_mean = [s - statistics.fmean(pair) for pair in triples for s in pair]
        middle = statistics.median(about_mean)
        af_errors = ad_errors = [abs(value - middle) for value in about_mean]
    else:
        raise ValueError(definition)
    return {
        "AM": am,
        "AF": 100 * sum(error > ad for error in af_errors) / len(af_errors),
        "AD": percentile(ad_errors, 100 - af),
    }


def weighted(values: Sequence[tuple[float, float]], percent: float) -> float:
    """Percentile of values with weights of mean 1: the running sum of the weights says who stands at a place."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100

    def at(rank: int) -> float:
        running = 0.0
        for value, weight in ordered:
            running += weight
            if running > rank + 1e-9:
                return value
        return ordered[-1][0]

    low = math.floor(place + 1e-9)
    return at(low) + (at(min(low + 1, len(ordered) - 1)) - at(low)) * (place - low)


def photometry(stars: Sequence[Sequence[float]], definition: str, pa2: float, pf1: float) -> dict[str, float]:
    """PA1, PF1 and PA2 by the words of each definition, in plain loops; mmag."""
    stars = [[1000 * m for m in seen if math.isfinite(m)] for seen in stars]
    stars = [seen for seen in stars if len(seen) >= (2 if definition in ("srd", "validate_drp") else 3)]
    if definition == "validate_drp":
        total = sum(len(seen) * (len(seen) - 1) // 2 for seen in stars)
        sizes = []
        for seen in stars:
            pairs = len(seen) * (len(seen) - 1) // 2
            for j in range(len(seen)):
                for k in range(j):
                    sizes.append((abs(seen[j] - seen[k]) / math.sqrt(2), total / len(stars) / pairs))
        signed = sizes + [(-size, weight) for size, weight in sizes]
        above = sum(weight for size, weight in sizes if size > pa2)
        return {
            "PA1": (weighted(signed, 75) - weighted(signed, 25)) / 1.3489795003921634,
            "PF1": 100 * above / total,
            "PA2": weighted(sizes, 100 - pf1),
        }
    spread = statistics.pstdev if definition == "faro" else statistics.stdev
    rms = [spread(seen) for seen in stars]
    found = {"PA1": statistics.median(rms)}
    if definition == "analysis_tools":
        return found | {"PF1": 100 * sum(s - found["PA1"] > pa2 for s in rms) / len(rms)}
    deviations = [abs(m - statistics.fmean(seen)) for seen in stars for m in seen]
    found["PF1"] = 100 * sum(d > pa2 for d in deviations) / len(deviations)
    return found if definition == "faro" else found | {"PA2": percentile(deviations, 100 - pf1)}


def bearing(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Direction in which b lies from a, from the north through the east, radians; degrees in."""
    ra1, dec1, ra2, dec2 = (math.radians(x) for x in (*a, *b))
    return math.atan2(
        math.sin(ra2 - ra1) * math.cos(dec2),
        math.cos(dec1) * math.sin(dec2) - math.sin(dec1) * math.cos(dec2) * math.cos(ra2 - ra1),
    )


def carried(e: complex, star: tuple[float, float], middle: tuple[float, float]) -> complex:
    """Ellipticity, x to the east and y to the north, at another place: it keeps its angle to the way there."""
    if star == middle:
        return e
    turn = bearing(star, middle) - (bearing(middle, star) + math.pi)
    return e * complex(math.cos(2 * turn), math.sin(2 * turn))


def ellipticity_products(
    stars: Sequence[Star], shapes: Sequence[dict[int, complex]], low: float, high: float, by_visit: bool
) -> dict[int, list[tuple[complex, complex]]]:
    """By visit, ellipticities of both stars of all pairs low <= separation < high (mas), in the axes at the middle.

    That of the visit, or of all detections.
    """
    places = [mean_position(star) for star in stars]
    found: dict[int, list[tuple[complex, complex]]] = {}
    for visit in sorted({visit for star in stars for visit in star.seen}):
        visits = [visit] if by_visit else sorted({v for star in stars for v in star.seen})
        seen = [places[k] for k, star in enumerate(stars) for v in visits if v in star.seen]
        middle = mean_position(Star(dict(enumerate(seen))))
        pairs = []
        for i in range(len(stars)):
            for j in range(i):
                if visit in shapes[i] and visit in shapes[j] and low <= haversine(places[i], places[j]) < high:
                    one, other = (carried(shapes[k][visit], stars[k].seen[visit], middle) for k in (i, j))
                    pairs.append((one, other))
        found[visit] = pairs
    return found
