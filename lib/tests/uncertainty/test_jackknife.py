"""Replicates against measurements made anew, in plain loops, without the visits and the stars that they leave out."""

import math
import statistics
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.metrics import absolute_astrometry, band_offset, position_repeatability, relative_astrometry
from skyaccept.lib.metrics.position_repeatability import ObjectRmsSettings
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.subsampling import sampled
from skyaccept.lib.sample.visit_matrix import VisitMatrix, name_keys
from skyaccept.lib.sphere import unit_vectors
from skyaccept.lib.tests import reference, samples
from skyaccept.lib.uncertainty import matrix_errors
from skyaccept.lib.uncertainty.distribution import Crossing, Estimate
from skyaccept.lib.uncertainty.errors import Errors
from skyaccept.lib.uncertainty.estimator import MatrixErrors, NoSettings
from skyaccept.lib.uncertainty.jackknife import estimates
from skyaccept.lib.uncertainty.statistic import Statistic
from skyaccept.lib.uncertainty.visit_blocks import blocks_of_visits, without_block

OBJECT_RMS = position_repeatability.ESTIMATORS["object_rms"]
REFERENCE_OFFSET = absolute_astrometry.ESTIMATORS["reference_offset"]

ARCMIN = math.pi / 180 / 60


def stars(errors: np.ndarray, brightness: np.ndarray | None = None) -> VisitMatrix:
    """Single stars by visit."""
    return VisitMatrix(
        values=(errors,), stars=np.arange(len(errors))[:, None], n_stars=len(errors), brightness=brightness
    )


def of_rms(matrix: VisitMatrix, ddof: int = 1) -> MatrixErrors:
    """Rms of each unit."""
    return MatrixErrors(estimator=OBJECT_RMS, matrix=matrix, settings=ObjectRmsSettings(ddof=ddof))


def of_deviations(matrix: VisitMatrix) -> MatrixErrors:
    """Sizes of deviations from the mean of each unit."""
    return MatrixErrors(estimator=position_repeatability.ESTIMATORS["residual"], matrix=matrix, settings=NoSettings())


def of_offsets(matrix: VisitMatrix, *, absolute: bool = False) -> MatrixErrors:
    """Offsets of single measurements."""
    estimator = band_offset.ESTIMATORS["offset"] if matrix.comparison else REFERENCE_OFFSET
    return MatrixErrors(estimator=replace(estimator, absolute=absolute), matrix=matrix, settings=NoSettings())


def estimate_of(task: MatrixErrors, statistic: Statistic) -> Estimate:
    (found,) = estimates(task, [statistic])
    assert not isinstance(found, NotMeasurable), found
    return found[0]


def why_not(task: MatrixErrors, statistic: Statistic) -> str:
    try:
        (found,) = estimates(task, [statistic])
    except NotMeasurable as reason:
        return str(reason)
    assert isinstance(found, NotMeasurable)
    return str(found)


@pytest.fixture(scope="module")
def pair_sample() -> Sample:
    """Forty stars in six visits about RA = 0, some of them missed."""
    rng = np.random.default_rng(1)
    ra, dec, obj, visit = samples.scattered(rng, 40, 6, 10.0, (0.0, 60.0))
    seen = rng.random(len(ra)) > 0.15
    return samples.sample(samples.detections(ra[seen], dec[seen], obj[seen], visit[seen]))


@pytest.mark.parametrize("least", [2, 3])
@pytest.mark.parametrize("estimator", [name for name in relative_astrometry.ESTIMATORS if name != "visit_difference"])
def test_pairs_are_measured_anew_without_visits_and_stars(pair_sample: Sample, estimator: str, least: int) -> None:
    """Every replicate of the plain errors, against loops over the detections that are left."""
    sample, used = pair_sample, relative_astrometry.ESTIMATORS[estimator]
    given = {"half_width": 2 * ARCMIN, "min_common_visits": least, "ddof": 1}
    settings = used.settings(**{name: value for name, value in given.items() if used.takes(name)})
    parameters = {"separation": 5.0}
    found = used.of_sample(sample, parameters, settings)
    matrix = used.measurements(sample, parameters, settings, None)
    d, rows = sample.detections, sample.selection.rows
    seen = {int(o): reference.Star({}) for o in np.unique(d.object)}
    for row in rows:
        seen[int(d.object[row])].seen[int(d.visit[row])] = (float(d.ra[row]), float(d.dec[row]))
    names = [int(sample.positions.objects[k]) for k in range(matrix.n_stars)]
    # which pairs there are is decided by all visits
    low, high = (x * 60_000 for x in (3, 7))
    means = [reference.mean_position(seen[name]) for name in names]
    for block in (None, 0, 3):
        assert matrix.visit_groups is not None
        (dealt,) = blocks_of_visits([matrix.visit_groups], 6)
        out = set() if block is None else set(map(int, np.flatnonzero(dealt == block)))
        fewest = max(2, least - len(out))
        part = without_block(matrix, block)
        assert part.min_visits == max(1, least - len(out))
        for gone in (set(), set(range(10, 13))):
            expected = []
            for i in range(len(names)):
                for j in range(i + 1, len(names)):
                    if gone & {i, j} or not low <= reference.haversine(means[i], means[j]) < high:
                        continue
                    a, b = seen[names[i]].seen, seen[names[j]].seen
                    if len(set(a) & set(b)) < least:
                        continue
                    apart = [reference.haversine(a[v], b[v]) for v in sorted((set(a) & set(b)) - out)]
                    if len(apart) < fewest:
                        continue
                    if estimator in ("pair_rms", "excess_rms"):
                        expected.append(statistics.stdev(apart))
                    elif estimator == "pooled_deviation":
                        expected += [s - statistics.fmean(apart) for s in apart]
                    else:
                        expected += [abs(s - statistics.median(apart)) for s in apart]
            if estimator not in ("pair_rms", "deviation"):
                middle = statistics.median(expected)
                expected = [error - middle for error in expected]
            if estimator in ("recentred_deviation_size", "pooled_deviation"):
                expected = [abs(error) for error in expected]
            left = np.array([not gone & set(map(int, pair)) for pair in matrix.stars])
            assert len(expected) > 50
            measured = used.finish(used.errors(part.select(units=left), settings)).values
            assert np.sort(measured) == pytest.approx(sorted(expected), abs=1e-5)
            if block is None and not gone:
                assert np.sort(measured) == pytest.approx(np.sort(found.values), abs=1e-5)


def test_stars_are_measured_anew_without_visits() -> None:
    rng = np.random.default_rng(2)
    errors = np.where(rng.random((30, 7)) < 0.2, np.nan, rng.normal(0, 5, (30, 7)))
    values = np.delete(errors, [2, 3], axis=1)
    part = stars(errors).select(visits=np.delete(np.arange(7), [2, 3]), units=np.arange(30) % 4 > 0)
    cases: dict[str, tuple[Errors, Callable[[list[float]], list[float]]]] = {
        "rms": (matrix_errors.rms(part, ObjectRmsSettings(ddof=0)), lambda seen: [statistics.pstdev(seen)]),
        "deviation": (
            matrix_errors.deviations(part, NoSettings(), about="mean", absolute=True),
            lambda seen: [abs(s - statistics.fmean(seen)) for s in seen],
        ),
        "difference": (
            matrix_errors.differences(part, NoSettings()),
            lambda seen: [abs(a - b) / math.sqrt(2) for k, a in enumerate(seen) for b in seen[:k]],
        ),
    }
    for found, loop in cases.values():
        expected = []
        for k, row in enumerate(values):
            seen = [float(s) for s in row if math.isfinite(s)]
            if k % 4 and len(seen) >= 2:
                expected += loop(seen)
        assert np.sort(found.values) == pytest.approx(sorted(expected))


def test_the_value_of_the_whole_is_that_of_the_definition() -> None:
    errors = np.random.default_rng(3).normal(0, 5, (200, 6))
    found = matrix_errors.rms(stars(errors), ObjectRmsSettings(ddof=1))
    assert Statistic("percentile", 50).answer(found.values) == pytest.approx(np.median(errors.std(axis=1, ddof=1)))


def test_blocks_follow_the_names_of_visits_and_not_their_order() -> None:
    """Names dealt by hash: another order of the same names, or of time, gives the same blocks of names."""
    names = [f"visit {k:03}" for k in range(37)]
    keys = name_keys(names)
    (dealt,) = blocks_of_visits([keys], 10)
    blocks = [{names[k] for k in np.flatnonzero(dealt == block)} for block in range(10)]
    assert [len(block) for block in blocks] == [4] * 7 + [3] * 3
    assert set().union(*blocks) == set(names)
    order = np.random.default_rng(1).permutation(37)
    (again,) = blocks_of_visits([keys[order]], 10)
    assert np.array_equal(again, dealt[order])
    spread = [np.ptp([names.index(name) for name in block]) for block in blocks]
    assert min(spread) > 5, "a block of successive visits"


def test_visits_of_a_group_are_left_out_together_on_both_sides() -> None:
    """Nights of both bands, whole and in the same block; nights of one band fill the blocks that have fewest."""
    nights = name_keys(["a", "a", "b", "c", "c", "d", "e"])
    others = name_keys(["e", "f", "b", "b", "g"])
    here, there = blocks_of_visits([nights, others], 3)
    assert here[0] == here[1]
    assert here[3] == here[4]
    assert (there[0], there[2], there[3]) == (here[6], here[2], here[2])
    assert sorted(np.bincount(here[[0, 2, 3, 5, 6]], minlength=3)) == [1, 2, 2]
    assert set(there) == {0, 1, 2}


@pytest.mark.slow
def test_nights_that_share_an_offset_make_intervals_wide_enough() -> None:
    """Rms of offsets that are common to both visits of a night; known scatter over 40 surveys of ten nights.

    The relative scatter of an rms is 1 / sqrt(2 n): twenty visits in place of ten nights make it 1.4 times too small.
    """
    rng = np.random.default_rng(8)
    values: list[float] = []
    widths: dict[str, list[float]] = {"night": [], "visit": []}
    for _ in range(40):
        offsets = np.repeat(rng.normal(0, 5, 10), 2) + rng.normal(0, 1, (60, 20))
        for kind, each in (("night", 2), ("visit", 1)):
            groups = name_keys(f"{k // each}" for k in range(20))
            task = of_offsets(replace(stars(offsets), visit_groups=groups))
            low, high = estimate_of(task, Statistic("rms")).interval(0.6827)
            widths[kind].append((high - low) / 2)
        values.append(float(np.sqrt(np.mean(offsets**2))))
    scatter = float(np.std(values, ddof=1))
    assert 0.9 < np.median(widths["night"]) / scatter < 1.5
    assert np.median(widths["visit"]) / scatter < 0.9
    assert 1.2 < np.median(widths["night"]) / np.median(widths["visit"]) < 1.7


def test_an_interval_does_not_depend_on_the_order_of_visits() -> None:
    """The same names make the same blocks."""
    rng = np.random.default_rng(4)
    errors = rng.normal(0, 5, (400, 40))
    matrix = replace(stars(errors), visit_groups=name_keys(f"v{k}" for k in range(40)))
    low, high = estimate_of(of_rms(matrix), Statistic("percentile", 50)).interval(0.95)
    order = rng.permutation(40)
    renamed = matrix.select(visits=order)
    assert estimate_of(of_rms(renamed), Statistic("percentile", 50)).interval(0.95) == pytest.approx(
        (low, high), rel=1e-3
    )


@pytest.mark.slow
@pytest.mark.parametrize("visits", [3, 5, 10])
def test_equal_errors_lose_the_known_factor(visits: int) -> None:
    """The median of chi makes up for itself, and the residuals of three visits do as well."""
    errors = np.random.default_rng(4).normal(0, 8, (4000, visits))
    assert estimate_of(of_rms(stars(errors), 1), Statistic("percentile", 50)).value == pytest.approx(8, rel=0.03)
    assert estimate_of(of_rms(stars(errors), 0), Statistic("percentile", 50)).value == pytest.approx(8, rel=0.03)
    found = estimate_of(of_deviations(stars(errors)), Statistic("percentile", 90))
    assert found.value == pytest.approx(8 * 1.6449, rel=0.03)


def test_a_mixture_is_not_corrected_like_equal_errors() -> None:
    """Of scatters of 5 and 15 mas, mixed 60 to 40, the median is 5; the factor of equal errors would make it 7."""
    rng = np.random.default_rng(5)
    faint = rng.random(3000) < 0.4
    errors = rng.standard_normal((3000, 3)) * np.where(faint, 15.0, 5.0)[:, None]
    plain = float(np.median(errors.std(axis=1, ddof=1)))
    assert plain / 0.8326 > 6.7
    estimate = estimate_of(of_rms(stars(errors, np.where(faint, 4.0, 6.0)), 1), Statistic("percentile", 50))
    assert estimate.value == pytest.approx(5, rel=0.04)
    low, high = estimate.interval(0.95)
    assert low < 5 < high


def test_bad_stars_without_other_signs_show_from_ten_visits() -> None:
    """The same mixture without brightness: the tenth of the stars beyond 20 mas stays what it is."""
    rng = np.random.default_rng(6)
    bad = rng.random(3000) < 0.1
    errors = rng.standard_normal((3000, 10)) * np.where(bad, 30.0, 5.0)[:, None]
    estimate = estimate_of(of_rms(stars(errors), 1), Statistic("above", 20.0))
    assert estimate.value == pytest.approx(100 * bad.mean(), abs=1.5)


def test_the_noise_of_the_comparison_mean_is_removed() -> None:
    """Of 6 mas against the mean of two visits of 8 mas remain 6."""
    rng = np.random.default_rng(7)
    other = rng.normal(0, 8, (2000, 2))
    here = rng.normal(0, 6, (2000, 5)) + 3.0 - other.mean(axis=1, keepdims=True)
    matrix = replace(stars(here), comparison=(other - other.mean(axis=1, keepdims=True),))
    plain = float(np.sqrt(np.mean(here**2)))
    assert plain == pytest.approx(math.sqrt(9 + 36 + 32), rel=0.02)
    estimate = estimate_of(of_offsets(matrix), Statistic("rms"))
    assert estimate.value == pytest.approx(math.sqrt(9 + 36), rel=0.05)


def test_differing_visits_or_stars_limit_the_interval() -> None:
    rng = np.random.default_rng(8)
    jitter = rng.normal(0, 5, (400, 12)) * np.exp(rng.normal(0, 0.5, 12))
    assert estimate_of(of_rms(stars(jitter), 1), Statistic("percentile", 50)).limited_by == "visits"
    uneven = rng.normal(0, 5, (100, 12)) * np.exp(rng.normal(0, 0.7, 100))[:, None]
    assert estimate_of(of_rms(stars(uneven), 1), Statistic("percentile", 50)).limited_by == "stars"


def test_what_no_interval_can_be_formed_of_is_said() -> None:
    rng = np.random.default_rng(9)
    statistic = Statistic("percentile", 50)
    assert "2 visits cannot tell" in why_not(of_rms(stars(rng.normal(size=(50, 2))), 1), statistic)
    assert "1 visit cannot tell" in why_not(of_offsets(stars(rng.normal(size=(50, 1)))), statistic)
    assert "2 stars cannot tell" in why_not(of_rms(stars(rng.normal(size=(2, 5))), 1), statistic)
    assert "nothing changes" in why_not(of_rms(stars(np.zeros((50, 5))), 1), statistic)
    # all pairs with one star: without its cell there is none
    pairs = np.stack([np.zeros(20, dtype=np.int64), np.arange(1, 21)], axis=1)
    star = VisitMatrix(values=(rng.normal(size=(20, 5)),), stars=pairs, n_stars=21, min_visits=2)
    assert "nothing is left to measure" in why_not(of_rms(star, 1), statistic)


@pytest.mark.slow
def test_estimated_percentages_agree_with_quantiles() -> None:
    """At most x % are above a threshold where the quantile at 100 - x is at most the threshold."""
    rng = np.random.default_rng(12)
    errors = rng.standard_normal((400, 8)) * rng.choice([4.0, 6.0, 9.0], 400)[:, None]
    task = of_rms(stars(errors), 1)
    crossing = estimate_of(task, Statistic("above", 8.6)).coordinates[0].parts[0]
    assert isinstance(crossing, Crossing)
    telling = crossing.above[np.abs(crossing.known) < 3]
    assert len(telling) > 10
    for x in telling:
        chance = estimate_of(task, Statistic("percentile", 100 - x)).conformance("<=", 8.6)
        assert crossing.below(x) == pytest.approx(chance, abs=0.02)


@pytest.mark.parametrize(("threshold", "percent"), [(1e3, 0.0), (1e-3, 100.0)])
def test_percentages_of_none_and_of_all_have_finite_bounds(threshold: float, percent: float) -> None:
    errors = np.random.default_rng(10).normal(0, 5, (200, 6))
    for task in (of_rms(stars(errors), 1), of_offsets(stars(errors), absolute=True)):
        estimate = estimate_of(task, Statistic("above", threshold))
        low, high = estimate.interval(0.95)
        assert estimate.value == pytest.approx(percent, abs=0.1)
        assert 0 <= low <= percent + 0.1
        assert percent - 0.1 <= high <= 100
        assert high - low < 5


def test_three_visits_that_are_all_required_have_an_interval() -> None:
    """A replicate with a visit fewer asks for one fewer."""
    errors = np.random.default_rng(11).normal(0, 5, (300, 3))
    matrix = replace(stars(errors), min_visits=3)
    low, high = estimate_of(of_rms(matrix, 1), Statistic("percentile", 50)).interval(0.95)
    assert 0 < low < 5 < high


def test_the_same_matrix_gives_the_same_bits() -> None:
    errors = np.random.default_rng(12).normal(0, 5, (100, 5))
    first, second = (estimate_of(of_rms(stars(errors), 1), Statistic("percentile", 50)) for _ in range(2))
    assert first == second
    assert first.interval(0.95) == second.interval(0.95)


def test_one_mismatch_in_a_thousand_changes_no_median() -> None:
    """The estimate for many visits is that without the wrong ones, and the method says how many pairs they are in."""
    rng = np.random.default_rng(8)
    errors = rng.normal(0, 5, (600, 8))
    wrong = errors.copy()
    wrong[rng.choice(600, 5, replace=False), rng.integers(0, 8, 5)] += 1e5
    statistic = Statistic("percentile", 50)
    good, bad = (estimate_of(of_rms(stars(e), 1), statistic) for e in (errors, wrong))
    assert bad.value == pytest.approx(good.value, rel=0.01)
    assert bad.interval(0.95) == pytest.approx(good.interval(0.95), rel=0.03)
    assert "5 of 600 stars hold an error beyond 20 times" in bad.method
    assert "beyond" not in good.method


def test_a_subset_of_stars_is_the_same_in_any_processing() -> None:
    """About RA = 0 and the equator, where the sign of a coordinate changes; another 20 mas moves hardly a star out."""
    rng = np.random.default_rng(6)
    ra, dec = rng.uniform(-1, 1, 20_000) % 360, rng.uniform(-1, 1, 20_000)
    dec[:5000] = 0
    place = unit_vectors(ra, dec)
    kept, note = sampled(place, 2000, "stars")
    assert note == "; replicates of 2,000 of the 20,000 stars"
    assert (np.diff(kept) > 0).all()
    order = rng.permutation(len(place))
    assert set(order[sampled(place[order], 2000, "stars")[0]]) == set(kept)
    assert set(sampled(place, 1000, "stars")[0]) < set(kept)
    moved = unit_vectors(ra + rng.normal(0, 20 / 3.6e6, len(ra)), dec + rng.normal(0, 20 / 3.6e6, len(ra)))
    assert len(set(sampled(moved, 2000, "stars")[0]) & set(kept)) > 1900
    for part in (ra < 180, dec < 0, dec == 0):
        share = np.count_nonzero(part[kept]) / np.count_nonzero(part)
        assert share == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / np.count_nonzero(part)))
    assert sampled(place[:7], 7, "stars")[1] == ""
    assert len(sampled(place, 1, "stars")[0]) == 3
