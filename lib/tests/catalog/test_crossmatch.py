import numpy as np
import pytest
from skyaccept.lib.catalog.crossmatch import AMBIGUOUS, UNMATCHED, match_unique, mutual_nearest
from skyaccept.lib.sphere import MAS, unit_vectors
from skyaccept.lib.tests.reference import haversine

ARCSEC = 1000 * MAS


def brute(objects: list[tuple[float, float]], stars: list[tuple[float, float]], radius: float) -> list[int]:
    """Matches by a double loop; radius in mas."""
    near = [[k for k, star in enumerate(stars) if haversine(obj, star) < radius] for obj in objects]
    wanted = [sum(k in candidates for candidates in near) for k in range(len(stars))]
    found = []
    for candidates in near:
        if not candidates:
            found.append(UNMATCHED)
        else:
            found.append(candidates[0] if len(candidates) == 1 and wanted[candidates[0]] == 1 else AMBIGUOUS)
    return found


@pytest.mark.parametrize("center", [(0.0, 0.0), (75.0, -60.0), (0.0, 90.0), (12.0, -90.0)])
def test_matches_agree_with_a_double_loop(center: tuple[float, float]) -> None:
    """Crowded enough that all three outcomes occur, across RA = 0 and at the poles."""
    rng = np.random.default_rng(3)
    if abs(center[1]) == 90:
        rho = rng.uniform(0, 30 / 3600, (2, 150))
        dec, ra = np.sign(center[1]) * (90 - rho), rng.uniform(0, 360, (2, 150))
    else:
        dec = center[1] + rng.uniform(-15, 15, (2, 150)) / 3600
        ra = (center[0] + rng.uniform(-15, 15, (2, 150)) / 3600 / np.cos(np.radians(center[1]))) % 360
    points = [list(zip(ra[k].tolist(), dec[k].tolist(), strict=True)) for k in (0, 1)]
    found = match_unique(unit_vectors(ra[0], dec[0]), unit_vectors(ra[1], dec[1]), ARCSEC)
    expected = brute(points[0], points[1], 1000.0)
    assert found.star.tolist() == expected
    assert min(found.counts().values()) > 0
    assert sum(found.counts().values()) == 150


def test_order_changes_nothing() -> None:
    rng = np.random.default_rng(5)
    ra, dec = 10 + rng.uniform(-20, 20, (2, 200)) / 3600, rng.uniform(-20, 20, (2, 200)) / 3600
    objects, stars = (unit_vectors(ra[k], dec[k]) for k in (0, 1))
    a, b = rng.permutation(200), rng.permutation(200)
    there = match_unique(objects[a], stars[b], ARCSEC).star
    back = np.where(there >= 0, b[np.maximum(there, 0)], there)
    assert np.array_equal(back, match_unique(objects, stars, ARCSEC).star[a])


def test_nothing_to_match_and_positions_that_are_not_known() -> None:
    one, none = unit_vectors(np.array([10.0]), np.array([5.0])), np.empty((0, 3))
    assert match_unique(one, none, ARCSEC).star.tolist() == [UNMATCHED]
    assert match_unique(none, one, ARCSEC).star.tolist() == []
    assert match_unique(one, np.full((2, 3), np.nan), ARCSEC).star.tolist() == [UNMATCHED]
    assert match_unique(one, np.concatenate([np.full((1, 3), np.nan), one]), ARCSEC).star.tolist() == [1]
    with pytest.raises(ValueError, match="not positive"):
        match_unique(one, one, 0.0)


@pytest.mark.parametrize("center", [(0.0, 0.0), (75.0, -60.0), (0.0, 90.0)])
def test_counterparts_agree_with_a_double_loop(center: tuple[float, float]) -> None:
    """Crowded, across RA = 0 and about a pole; some are not known, and the order changes nothing."""
    rng = np.random.default_rng(4)
    rho, angle = 20 / 3600 * np.sqrt(rng.random((2, 200))), rng.uniform(0, 2 * np.pi, (2, 200))
    if center[1] == 90:
        dec, ra = 90 - rho, np.degrees(angle)
    else:
        dec = center[1] + rho * np.cos(angle)
        ra = (center[0] + rho * np.sin(angle) / np.cos(np.radians(center[1]))) % 360
    dec[0, 5] = dec[1, 9] = np.nan
    first, second = (list(zip(ra[k].tolist(), dec[k].tolist(), strict=True)) for k in (0, 1))
    apart = np.array([[haversine(one, other) for other in second] for one in first])
    apart[np.isnan(apart)] = np.inf
    expected = [
        int(row.argmin()) if row.min() < 1000 and apart[:, row.argmin()].argmin() == k else UNMATCHED
        for k, row in enumerate(apart)
    ]
    vectors = [unit_vectors(ra[k], dec[k]) for k in (0, 1)]
    found = mutual_nearest(vectors[0], vectors[1], ARCSEC)
    assert found.tolist() == expected
    assert 50 < np.count_nonzero(found >= 0) < 150
    order = rng.permutation(200)
    assert mutual_nearest(vectors[0][order], vectors[1], ARCSEC).tolist() == found[order].tolist()
    back = mutual_nearest(vectors[1], vectors[0], ARCSEC)
    assert all(back[other] == k for k, other in enumerate(found) if other >= 0)


def test_nothing_has_no_counterpart() -> None:
    some = unit_vectors(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    assert mutual_nearest(some, some[:0], ARCSEC).tolist() == [UNMATCHED, UNMATCHED]
    assert mutual_nearest(some[:0], some, ARCSEC).tolist() == []
    assert mutual_nearest(some, some[::-1], ARCSEC).tolist() == [1, 0]
    with pytest.raises(ValueError, match="radius"):
        mutual_nearest(some, some, 0.0)
