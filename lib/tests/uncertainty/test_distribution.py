"""Distributions of true values, and the tables that they come from."""

from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.uncertainty.distribution import (
    Coordinate,
    Crossing,
    Estimate,
    Part,
    Scheme,
    combined,
    estimate,
    likeness,
    part,
    unskewed,
    variances,
)
from skyaccept.lib.uncertainty.transform import Scale


def one(**changes: float) -> Part:
    settings = {"center": np.log(8.0), "error": 0.1, "degrees": 9.0, "bias": 0.0, "visits": 0.002, "stars": 0.008}
    return Part(Scale("logarithm"), **(settings | changes))


def alone(*parts: Part, value: float = 8.0) -> Estimate:
    return estimate([Coordinate(value, parts)], "test")


def table_of_means(x: np.ndarray) -> np.ndarray:
    """Mean of a two-way array, without each row, each column, and both, in plain loops."""
    rows, columns = x.shape
    table = np.empty((rows + 1, columns + 1))
    for b in range(-1, rows):
        for c in range(-1, columns):
            kept = [x[i, j] for i in range(rows) for j in range(columns) if i != b and j != c]
            table[b + 1, c + 1] = sum(kept) / len(kept)
    return table


def test_variances_of_a_mean_follow_the_analysis_of_variance() -> None:
    """Mean squares between rows, between columns and of what is left, each divided by the number of entries."""
    x = np.random.default_rng(1).normal(size=(5, 7)) + np.arange(5)[:, None]
    total, between_rows, between_columns, rest = x.mean(), 0.0, 0.0, 0.0
    for i in range(5):
        between_rows += 7 * (x[i].mean() - total) ** 2 / 4
    for j in range(7):
        between_columns += 5 * (x[:, j].mean() - total) ** 2 / 6
    for i in range(5):
        for j in range(7):
            rest += (x[i, j] - x[i].mean() - x[:, j].mean() + total) ** 2 / 24
    assert variances(table_of_means(x)) == pytest.approx((between_rows / 35, between_columns / 35, rest / 35))


@pytest.mark.slow
def test_what_visits_and_stars_share_counts_once() -> None:
    """The variance of a mean with errors of rows, columns and entries is recovered on average."""
    rng = np.random.default_rng(2)
    found = []
    for _ in range(400):
        x = rng.normal(0, 0.5, (10, 1)) + rng.normal(0, 0.3, (1, 16)) + rng.normal(0, 2, (10, 16))
        found.append(part(table_of_means(x), 0.0, Scale()).error ** 2)
    true = 0.25 / 10 + 0.09 / 16 + 4 / 160
    assert true < np.mean(found) < 1.15 * true  # no less than its largest part, so a little more on average


def test_similar_variances_are_averaged_else_the_larger_counts() -> None:
    """Ends by hand: equal ones of noise alone, and one that is four times the other."""
    assert likeness(2.0, 2.0, 10) == 1.0
    assert likeness(8.0, 2.0, 10) == likeness(2.0, 8.0, 10) == likeness(0.0, 2.0, 10) == likeness(0.0, 0.0, 10) == 0.0
    assert likeness(4.0, 2.0, 10) == pytest.approx(0.5)  # a ratio of 2, half way to 4
    assert likeness(4.0, 2.0, 3) == pytest.approx(0.5 * 0.3)
    assert combined(2.0, 2.0, 2.0, 1.0) == 2.0
    assert combined(8.0, 2.0, 3.0, 0.0) == combined(2.0, 8.0, 3.0, 0.0) == 8.0
    assert combined(4.0, 2.0, 3.0, 0.5) == 3.5
    assert combined(2.0, 2.0, 0.5, 1.0) == 3.5


def test_what_noise_makes_too_large_is_taken_off() -> None:
    """All of it of stars and interaction; of visits none where they are four times the stars, all below these."""
    rows, columns = (np.concatenate([[0.0], np.resize([1.0, -1.0], n)]) for n in (10, 16))

    def table(visits: float, stars: float, both: float) -> np.ndarray:
        found = np.sqrt(visits / 9) * rows[:, None] + np.sqrt(stars / 15) * columns
        found[1:, 1:] += np.sqrt(both / 135) * np.outer(rows[1:], columns[1:])
        return found

    scheme = Scheme(visits=1.25, stars=1.5)
    for sizes, expected in (
        ((80.0, 30.0, 1.875), 80.0 + 20 - 1),
        ((10.0, 30.0, 1.875), 8.0 + 20 - 1),
        ((40.0, 30.0, 1.875), 40 / 1.25**0.5 + 20 - 1),
    ):
        assert part(table(*sizes), 0.0, Scale(), scheme=scheme).error ** 2 == pytest.approx(expected)


def test_a_noisier_answer_has_more_variance_from_stars() -> None:
    rng = np.random.default_rng(5)
    table = rng.normal(size=(11, 17))
    less, more = (part(table, 0.0, Scale(), smoothed=ratio).error ** 2 for ratio in (1.0, 1.2))
    assert more - less == pytest.approx(0.2 * variances(table)[1])


@pytest.mark.parametrize(("visits", "stars", "degrees"), [(2.0, 2.0, 24.0), (8.0, 2.0, 9.0)])
def test_all_degrees_of_freedom_count_where_variances_are_alike(visits: float, stars: float, degrees: float) -> None:
    rows, columns = (np.concatenate([[0.0], np.resize([1.0, -1.0], n)]) for n in (10, 16))
    table = np.sqrt(visits / 9) * rows[:, None] + np.sqrt(stars / 15) * columns
    table[1:, 1:] += np.sqrt(1e4 / 135) * np.outer(rows[1:], columns[1:])  # so that the sum of both does not count
    found = part(table, 0.0, Scale())
    assert variances(table) == pytest.approx((visits, stars, 1e4))
    assert (found.error**2, found.degrees) == pytest.approx((max(visits, stars), degrees))


def test_two_estimates_of_the_same_noise_are_not_too_large() -> None:
    """Of noise alone at least the larger of the two variances is 1.27 times too large on average."""
    rng = np.random.default_rng(3)
    v, g = rng.chisquare(9, 5000) / 9, rng.chisquare(15, 5000) / 15
    found = [combined(a, b, 1.0, likeness(a, b, 10)) for a, b in zip(v, g, strict=True)]
    assert np.mean(np.maximum.reduce([v, g, v + g - 1])) > 1.25
    assert 1.1 < np.mean(found) < 1.22


@given(st.floats(0, 0.4), st.floats(0, 0.5), st.lists(st.floats(-20, 20), min_size=2, max_size=9, unique=True))
def test_distances_keep_their_order(skew: float, error: float, distances: list[float]) -> None:
    found = unskewed(np.sort(distances), error, skew)
    assert (np.diff(found[found > -np.inf]) >= 0).all()
    assert np.isfinite(found[np.sort(distances) >= 0]).all()


@given(st.floats(1e-4, 0.05), st.floats(-3, 3))
def test_a_small_skewness_is_that_of_the_expansion(skew: float, t: float) -> None:
    """T = t + gamma (1 + 2 t^2) / (6 sqrt(V)), with skew = gamma / (3 sqrt(V)); to second order."""
    distance = t + skew * (1 + 2 * t * t) / 2
    assert unskewed(np.array([distance]), 0.0, skew)[0] == pytest.approx(t, abs=60 * skew**2)


@pytest.mark.slow
def test_few_skewed_visits_are_missed_as_often_above_as_below() -> None:
    """Means of exponential contributions of 20 visits on a constant: the mean is known exactly."""
    rng = np.random.default_rng(4)
    relative, true = Scale("logarithm", relative=True), 4.0
    missed = {20: np.zeros(2), None: np.zeros(2)}
    for _ in range(1500):
        by_visit = 3 + rng.exponential(1, 20) + rng.normal(0, 0.01, 20)
        means = np.array(
            [by_visit.mean(), *(np.delete(by_visit, np.arange(2 * b, 2 * b + 2)).mean() for b in range(10))]
        )
        table = np.log(means[:, None] + rng.normal(0, 1e-4, (1, 17)))
        for visits, count in missed.items():
            found = part(table, float(table[0, 0]), relative, scheme=Scheme(skewed=visits))
            count += [true < found.quantile(0.05), true > found.quantile(0.95)]
    low, high = missed[20] / 15
    assert low == pytest.approx(5, abs=2)
    assert high == pytest.approx(5, abs=2)
    low, high = missed[None] / 15
    assert high > low + 4


def test_on_a_relative_scale_the_upper_end_is_farther_away() -> None:
    """Ends by hand, and finite whatever the error."""
    relative = Scale("logarithm", relative=True)
    for error, bend in ((0.02, 0.02), (0.15, 0.1), (0.5, 0.25)):
        t = error * float(stats.t.ppf(0.975, 9))
        found = alone(Part(relative, np.log(8.0), error, 9.0, 0.0, 0.01, 0.01))
        low, high = found.interval(0.95)
        assert (low, high) == pytest.approx((8 * np.exp(-t), 8 * np.exp(t + bend * t * t / error)))
        assert found.conformance("<=", high) == pytest.approx(0.975)
        assert found.conformance("<=", low) == pytest.approx(0.025)


def test_interval_and_conformance_are_of_one_distribution() -> None:
    estimate = alone(one(bias=0.05))
    low, high = estimate.interval(0.95)
    assert estimate.conformance("<=", high) == pytest.approx(0.975)
    assert estimate.conformance("<=", low) == pytest.approx(0.025)
    assert estimate.conformance(">=", low) == pytest.approx(0.975)
    least, most = estimate.interval(0.9)  # one-sided bounds at 95 %
    assert low < least < most < high
    assert estimate.conformance("<=", most) == pytest.approx(0.95)
    assert estimate.conformance(">=", least) == pytest.approx(0.95)


def test_without_bias_the_distribution_is_t_on_its_scale() -> None:
    low, high = alone(one()).interval(0.9)
    half = stats.t.ppf(0.95, 9) * 0.1
    assert (low, high) == pytest.approx((8 * np.exp(-half), 8 * np.exp(half)))


def test_a_bias_widens_the_interval_by_itself_on_both_sides() -> None:
    """Where it is all there is, the bounds of 95 % are at 0.95 of it."""
    low, high = alone(one(error=1e-4, bias=0.2)).interval(0.95)
    assert np.log([low / 8, high / 8]) == pytest.approx([-0.19, 0.19], abs=1e-3)


def test_of_two_coordinates_both_have_to_meet_the_limit() -> None:
    ra, dec = Coordinate(8.0, (one(),)), Coordinate(7.5, (one(center=np.log(7.5), error=0.3),))
    both = estimate([ra, dec], "test")
    assert both.value == 8.0
    assert both.conformance("<=", 10) == min(ra.below(10), dec.below(10))
    low, high = both.interval(0.95)
    assert (low, high) == pytest.approx((ra.quantile(0.025), dec.quantile(0.975)))
    assert both.conformance("<=", high) == pytest.approx(0.975)


def test_of_two_views_of_a_value_the_wider_counts() -> None:
    narrow, wide = one(), one(error=0.3)
    assert alone(narrow, wide).interval(0.95) == pytest.approx(alone(wide).interval(0.95))
    assert alone(narrow, wide).conformance("<=", 9) == pytest.approx(wide.below(9))
    assert alone(narrow, wide).conformance("<=", 7) == pytest.approx(wide.below(7))


@pytest.mark.parametrize("kind", ["logarithm", "linear", "share"])
def test_scales_lead_there_and_back(kind: Literal["logarithm", "linear", "share"]) -> None:
    scale = Scale(kind, units=200)
    values = np.array([0.4, 3.0, 25.0, 60.0, 97.0])
    assert scale.off(scale.on(values)) == pytest.approx(values)
    assert (np.diff(scale.on(values)) > 0).all()


def quantiles(above: np.ndarray, error: float) -> list[Part]:
    """Of Gaussian errors of rms 8, all equally uncertain."""
    return [one(center=float(np.log(8 * stats.norm.isf(x / 200))), error=error) for x in above]


def test_percentages_and_quantiles_are_equally_likely() -> None:
    above = np.array([0.5, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0])
    parts = quantiles(above, 0.2)
    found = Crossing.of(above, parts, 14.0)
    for x, quantile in zip(above, parts, strict=True):
        assert found.below(x) == pytest.approx(quantile.below(14.0))
        assert found.quantile(found.below(x)) == pytest.approx(x)
    fine = np.linspace(0, 100, 401)
    chance = [found.below(x) for x in fine]
    assert chance[0] == 0
    assert chance[-1] == 1
    assert (np.diff(chance) >= 0).all()
    for probability in (1e-6, 0.025, 0.5, 0.975, 1 - 1e-6):
        assert found.below(found.quantile(probability)) == pytest.approx(probability)
    true = 200 * stats.norm.sf(14 / 8)
    assert found.quantile(0.5) == pytest.approx(true, rel=0.02)
    # the errors are 1.96 times 20 % larger, or smaller
    many = Crossing.of(fine[1:-1], quantiles(fine[1:-1], 0.2), 14.0)
    ends = [one(center=float(np.log(8)), error=0.2).quantile(p) for p in (0.025, 0.975)]
    expected = [200 * stats.norm.sf(14 / end) for end in ends]
    assert [many.quantile(p) for p in (0.025, 0.975)] == pytest.approx(expected, rel=0.02)


def test_quantiles_that_contradict_each_other_are_put_in_order() -> None:
    above = np.array([2.0, 4.0, 8.0])
    parts = [one(center=np.log(center)) for center in (15.0, 12.0, 12.5)]
    found = Crossing.of(above, parts, 13.0)
    assert parts[2].below(13.0) < parts[1].below(13.0)
    assert [found.below(x) for x in above] == pytest.approx([parts[k].below(13.0) for k in (0, 1, 1)])
    parts = [one(center=np.log(center)) for center in (13.5, 14.0, 12.5)]
    found = Crossing.of(above, parts, 13.0)
    assert parts[1].below(13.0) < parts[0].below(13.0)
    assert [found.below(x) for x in above] == pytest.approx([parts[k].below(13.0) for k in (1, 1, 2)])


def test_a_percentage_moves_with_the_width_of_gaussian_errors() -> None:
    scale = Scale("share")
    percent = 200 * stats.norm.sf(20 / np.array([8.0, 8.8]))
    assert float(np.diff(scale.on(percent))[0]) == pytest.approx(np.log(1.1))


@pytest.mark.parametrize("units", [20, 200, 5000])
def test_none_of_many_units_has_a_finite_bound(units: int) -> None:
    """About 3 / units, the rule of three; and zero belongs to the interval."""
    scale = Scale("share", units=units)
    table = np.full((4, 17), float(scale.on(0.0)))
    low, high = alone(part(table, float(scale.on(0.0)), scale), value=0.0).interval(0.95)
    assert low == 0
    assert 2 < high / 100 * units < 6


def test_all_of_many_units_is_bounded_below() -> None:
    scale = Scale("share", units=100)
    table = np.full((4, 17), float(scale.on(100.0)))
    low, high = alone(part(table, float(scale.on(100.0)), scale), value=100.0).interval(0.95)
    assert high == 100
    assert 50 < low < 99.9


def test_the_size_of_a_signed_value_is_folded() -> None:
    found = Part(Scale("size"), -0.5, 1.0, 30.0, 0.0, 1.0, 1.0)
    assert found.below(2.0) == pytest.approx(stats.t.cdf(2.5, 30) - stats.t.cdf(-1.5, 30))
    assert found.below(-1.0) == 0
    assert found.below(found.quantile(0.95)) == pytest.approx(0.95)


def test_a_table_in_which_nothing_changes_says_nothing() -> None:
    with pytest.raises(NotMeasurable, match="nothing changes"):
        part(np.ones((4, 17)), 1.0, Scale())
    with pytest.raises(NotMeasurable, match="too few"):
        part(np.ones((2, 17)), 1.0, Scale())


@pytest.mark.parametrize(("visits", "stars", "named"), [(1.0, 0.1, "visits"), (0.1, 1.0, "stars"), (1.0, 0.9, "both")])
def test_what_limits_the_interval_is_named(visits: float, stars: float, named: str) -> None:
    assert alone(one(visits=visits, stars=stars)).limited_by == named
