"""Benchmarks of the kernels in pair-visits or detections per second.

Run them with ``make bench``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from skyaccept.lib import separation
from skyaccept.lib.catalog.association import associate
from skyaccept.lib.catalog.components import connected_components
from skyaccept.lib.catalog.detections import Detections
from skyaccept.lib.separation import Annulus, Positions
from skyaccept.lib.sphere import MAS, unit_vectors

from benchmarks import roofline

ARCMIN = np.pi / 180 / 60
CASES = [
    # objects, visits, radius of the field (degrees), separation and half width (arcmin), float64
    (30_000, 100, 0.5, 5.0, 0.5, False),
    (30_000, 100, 0.5, 20.0, 0.5, False),
    (30_000, 100, 1.8, 200.0, 0.5, False),
    (5_000, 20, 0.5, 5.0, 1.0, True),
    (5_000, 20, 0.5, 20.0, 1.0, True),
]


@cache
def draw_field(objects: int, visits: int, radius: float, precise: bool, detected: float = 0.85) -> Positions:
    """Draw stars uniformly over a disc, as detected in visits.

    They are detected in 85 % of the visits, with errors of 10 mas per coordinate.
    """
    rng = np.random.default_rng(1)
    distance = radius * np.sqrt(rng.random(objects))
    angle = rng.uniform(0, 2 * np.pi, objects)
    obj, visit = np.nonzero(rng.random((objects, visits)) < detected)
    dec = 2 + distance * np.sin(angle)
    ra = 150 + distance * np.cos(angle) / np.cos(np.radians(dec))
    error = rng.normal(0, 10 / 3.6e6, (2, len(obj)))
    return Positions.from_degrees(obj, visit, ra[obj] + error[0], dec[obj] + error[1], precise=precise)


def case_name(case: tuple[Any, ...]) -> str:
    return f"{case[0]}x{case[1]}-{case[3]:g}arcmin-{'float64' if case[5] else 'float32'}"


def time_reduction(benchmark: Any, case: tuple[Any, ...], reduce: Callable[[Positions, Annulus], Any]) -> None:
    """Time a reduction and record its rate in pair-visits per second."""
    objects, visits, radius, middle, half, precise = case
    positions = draw_field(objects, visits, radius, precise)
    annulus = Annulus((middle - half) * ARCMIN, (middle + half) * ARCMIN)
    values = reduce(positions, annulus)
    benchmark.pedantic(reduce, args=(positions, annulus), rounds=7, warmup_rounds=1)
    if benchmark.stats is not None:
        benchmark.extra_info["pairs"] = values.pairs
        benchmark.extra_info["pair_visits_per_second"] = values.pairs * visits / benchmark.stats.stats.median


@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_pair_rms(benchmark: Any, case: tuple[Any, ...]) -> None:
    time_reduction(benchmark, case, lambda p, a: separation.pair_rms(p, a, ddof=1, min_common_visits=2))


@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_roofline(benchmark: Any, case: tuple[Any, ...]) -> None:
    time_reduction(benchmark, case, roofline.pair_rms)


@pytest.mark.parametrize("case", CASES[:4], ids=case_name)
def test_deviations_from_the_median(benchmark: Any, case: tuple[Any, ...]) -> None:
    time_reduction(
        benchmark,
        case,
        lambda p, a: separation.pair_deviations(p, a, about="median", min_common_visits=2, absolute=True),
    )


def draw_detections() -> tuple[Any, Any, Any]:
    """Draw RA, Dec and visit of 2.1 million detections in 50 visits, in random order."""
    rng = np.random.default_rng(2)
    stars, visits = 42_000, 50
    ra, dec = 150 + rng.uniform(-1.8, 1.8, stars), 2 + rng.uniform(-1.8, 1.8, stars)
    order = rng.permutation(stars * visits)
    star, visit = np.divmod(order, visits)
    error = rng.normal(0, 10 / 3.6e6, (2, len(star)))
    return ra[star] + error[0], dec[star] + error[1], visit


def test_association(benchmark: Any) -> None:
    ra, dec, visit = draw_detections()
    benchmark.pedantic(connected_components, args=(unit_vectors(ra, dec), visit, 1000 * MAS), rounds=5, warmup_rounds=1)
    if benchmark.stats is not None:
        benchmark.extra_info["detections_per_second"] = len(ra) / benchmark.stats.stats.median


def test_association_of_a_catalog(benchmark: Any) -> None:
    ra, dec, visit = draw_detections()
    catalog = Detections(ra, dec, visit, np.zeros(len(ra), np.int16), tuple(map(str, range(50))), ("r",))
    benchmark.pedantic(associate, args=(catalog, 1000 * MAS), rounds=5, warmup_rounds=1)
    if benchmark.stats is not None:
        benchmark.extra_info["detections_per_second"] = len(ra) / benchmark.stats.stats.median
