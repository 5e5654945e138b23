"""What few visits do to a scatter, undone."""

import itertools

import numpy as np
import pytest
from skyaccept.lib.uncertainty import few_visit_bias


def variances(errors: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sample variances, sums of fourth powers and numbers of visits of each row."""
    residuals = errors - errors.mean(axis=1, keepdims=True)
    number = np.full(len(errors), float(errors.shape[1]))
    return (residuals**2).sum(axis=1) / (number - 1), (residuals**4).sum(axis=1), number


def contaminated(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Errors of unit width, 3 % of them five times wider."""
    return rng.standard_normal(shape) * np.where(rng.random(shape) < 0.03, 5.0, 1.0)


@pytest.mark.slow
def test_the_model_is_a_sum_over_the_stars_of_a_pair() -> None:
    """The additive variances of two stars come out, for pairs and for single stars."""
    rng = np.random.default_rng(1)
    brightness = rng.uniform(4, 7, 300)
    true = 9 + 4000 * np.exp(-2 * brightness)
    for per_unit in (1, 2):
        stars = rng.integers(0, 300, (40_000, per_unit))
        expected = true[stars].sum(axis=1)
        squares = expected * rng.chisquare(4, len(stars)) / 4
        columns = few_visit_bias.design(brightness, stars)
        fitted = few_visit_bias.Model.of(columns, squares, np.full(len(stars), 4.0)).fit(
            np.zeros(len(stars), dtype=bool)
        )
        assert fitted == pytest.approx(expected, rel=0.12)
        assert np.mean(fitted / expected) == pytest.approx(1, abs=0.01)


def test_a_model_without_some_units_is_that_of_the_others() -> None:
    rng = np.random.default_rng(2)
    columns = few_visit_bias.design(rng.uniform(4, 7, 200), np.arange(200)[:, None])
    squares = rng.chisquare(2, 200) / 2
    out = rng.random(200) < 0.3
    whole = few_visit_bias.Model.of(columns, squares, np.ones(200))
    # the weights are those of all units
    weights = whole.weighted[:, 0] / np.where(columns[:, 0] > 0, columns[:, 0], np.nan)
    assert np.isfinite(weights).any()
    rest = few_visit_bias.Model(
        columns[~out],
        squares[~out],
        whole.weighted[~out],
        *(whole.weighted[~out].T @ a[~out] for a in (columns, squares)),
    )
    assert whole.fit(out) == pytest.approx(rest.fit(np.zeros(len(rest.squares), dtype=bool)))


@pytest.mark.parametrize("per_unit", [1, 2])
def test_gross_errors_are_found_and_faint_stars_are_none(per_unit: int) -> None:
    """Stars from 3 to 120 mas; every wrong detection of one in a hundred, and nothing else, is one."""
    rng = np.random.default_rng(5)
    brightness = np.sort(rng.uniform(1, 7, 400))
    width = np.hypot(3, 300 * np.exp(-brightness))
    stars = rng.integers(0, 400, (5000, per_unit))
    errors = rng.standard_normal((5000, 8)) * np.sqrt((width**2)[stars].sum(axis=1))[:, None]
    errors *= np.where(rng.random(errors.shape) < 0.03, 5, 1)
    wrong = rng.random(errors.shape) < 0.01
    errors[wrong] += rng.uniform(5e3, 1e5, int(wrong.sum()))
    residuals = errors - errors.mean(axis=1, keepdims=True)
    columns, squares = few_visit_bias.design(brightness, stars), errors.var(axis=1, ddof=1)
    found = few_visit_bias.gross(columns, squares, np.full(5000, 7.0), np.abs(residuals).max(axis=1))
    assert np.array_equal(found, wrong.any(axis=1))


def test_what_most_units_show_is_no_gross_error() -> None:
    rng = np.random.default_rng(6)
    errors = rng.standard_normal((1000, 8)) * rng.choice([1, 1e4], (1000, 1), p=[0.3, 0.7])
    residuals = errors - errors.mean(axis=1, keepdims=True)
    columns = few_visit_bias.design(None, np.arange(1000)[:, None])
    found = few_visit_bias.gross(columns, errors.var(axis=1, ddof=1), np.full(1000, 7.0), np.abs(residuals).max(axis=1))
    assert not found.any()


def test_heterogeneity_is_the_covariance_of_disjoint_differences() -> None:
    """Against a loop over all ways to take two disjoint pairs of visits."""
    rng = np.random.default_rng(3)
    errors = rng.standard_normal((300, 6)) * rng.choice([1.0, 2.0], 300)[:, None]
    products = []
    for row in errors:
        ways = [
            (row[a] - row[b]) ** 2 / 2 * (row[c] - row[d]) ** 2 / 2
            for a, b in itertools.combinations(range(6), 2)
            for c, d in itertools.combinations(range(6), 2)
            if not {a, b} & {c, d}
        ]
        products.append(sum(ways) / len(ways))
    squares, fourth, number = variances(errors)
    expected = np.mean(products) / squares.mean() ** 2 - 1
    assert expected > 0
    assert few_visit_bias.heterogeneity(squares, fourth, number, np.ones(300)) == pytest.approx(expected)


@pytest.mark.parametrize("visits", [4, 6, 12])
def test_bad_stars_are_heterogeneity_but_not_bad_detections(visits: int) -> None:
    rng = np.random.default_rng(4)
    errors = contaminated(rng, (100_000, visits))
    squares, fourth, number = variances(errors)
    assert few_visit_bias.heterogeneity(squares, fourth, number, np.ones(len(errors))) == pytest.approx(0, abs=0.06)
    errors = rng.standard_normal((100_000, visits)) * rng.choice([1.0, 2.0], 100_000)[:, None]
    squares, fourth, number = variances(errors)
    found = few_visit_bias.heterogeneity(squares, fourth, number, np.ones(len(errors)))
    assert found == pytest.approx(1.5**2 / 2.5**2, rel=0.05)


def test_the_common_variance_is_a_jackknife_over_visits() -> None:
    """Of the mean of sample variances over what is modelled, in plain loops."""
    rng = np.random.default_rng(7)
    errors = rng.standard_normal((40, 6)) * rng.uniform(0.5, 2, 6)
    fitted = rng.uniform(1, 3, 40)
    replicates = [float(np.mean(np.delete(errors, v, axis=1).var(axis=1, ddof=1) / fitted)) for v in range(6)]
    variance = 5 / 6 * sum((one - np.mean(replicates)) ** 2 for one in replicates)
    mean = float(np.mean(errors.var(axis=1, ddof=1) / fitted))
    residuals = errors - errors.mean(axis=1, keepdims=True)
    assert few_visit_bias.common(residuals, fitted) == pytest.approx(variance / mean**2)
    assert few_visit_bias.common(residuals[:, :3], fitted) == 0.0


def test_visits_that_differ_do_not_hide_what_persists() -> None:
    """Units of 1 +- 0.3 times the variance in 10 visits that are worse or better for all of them."""
    rng = np.random.default_rng(8)
    found = []
    for _ in range(60):
        persistent = np.sqrt(1 + 0.3 * rng.choice([-1, 1], 2000))
        errors = rng.standard_normal((2000, 10)) * persistent[:, None] * np.exp(rng.normal(0, 0.3, 10))
        squares, fourth, number = variances(errors)
        fitted, residuals = np.full(2000, squares.mean()), errors - errors.mean(axis=1, keepdims=True)
        shared = few_visit_bias.common(residuals, fitted)
        found.append([few_visit_bias.heterogeneity(squares, fourth, number, fitted, k) or 0.0 for k in (shared, 0.0)])
    with_visits, without = np.mean(found, axis=0)
    assert with_visits == pytest.approx(0.09, abs=0.02)
    assert without < 0.06


def test_with_three_visits_heterogeneity_is_unknown() -> None:
    squares, fourth, number = variances(np.random.default_rng(5).standard_normal((50, 3)))
    assert few_visit_bias.heterogeneity(squares, fourth, number, np.ones(50)) is None


def test_persistent_variances_have_the_given_mean_and_scatter() -> None:
    rng = np.random.default_rng(6)
    number = rng.choice([4.0, 5.0, 9.0], 5000)
    fitted = rng.uniform(1, 3, 5000)
    squares = fitted * rng.gamma(3, 1 / 3, 5000) * rng.chisquare(number - 1) / (number - 1)
    found = few_visit_bias.persistent(squares, number, fitted, 0.3) / fitted
    assert found.mean() == pytest.approx(1)
    assert found.var() == pytest.approx(0.3, rel=1e-3)
    assert few_visit_bias.persistent(squares, number, fitted, 0.0) == pytest.approx(fitted)
    assert (few_visit_bias.persistent(np.zeros(5), number[:5], np.zeros(5), 0.3) == 0).all()


def test_less_than_nothing_moves_quantiles_the_other_way() -> None:
    """By as much as the same above nil does; where they would change places they meet."""
    rng = np.random.default_rng(9)
    number = np.full(20_000, 6.0)
    fitted = np.exp(rng.normal(0, 1, 20_000))
    squares = fitted * rng.chisquare(5, 20_000) / 5
    percent = np.array([10, 25, 50, 75, 90])
    more, none, less = (
        np.log(np.percentile(few_visit_bias.persistent(squares, number, fitted, e), percent)) for e in (0.1, 0, -0.1)
    )
    assert (np.abs(more - none) > 0.01).any()
    assert none - less == pytest.approx(more - none, abs=1e-3)
    alike = few_visit_bias.persistent(squares / fitted, number, np.ones(20_000), -0.1)
    assert alike == pytest.approx(np.full(20_000, alike[0]))
    ordered = few_visit_bias.persistent(squares, number, fitted, -0.8)[np.argsort(fitted)]
    assert (np.diff(ordered) >= -1e-12 * ordered[1:]).all()


@pytest.mark.parametrize("width", [0.0, 0.5])
def test_medians_are_right_on_average_where_nothing_persists(width: float) -> None:
    """Of stars of different width with outliers in few visits; were less than nothing nil, they would be 2 % low."""
    rng = np.random.default_rng(10)
    found = []
    for _ in range(400):
        true = np.exp(rng.normal(0, width, 100))
        errors = contaminated(rng, (100, 6)) * true[:, None]
        squares, fourth, number = variances(errors)
        fitted = true**2 * np.mean(squares / true**2)
        shared = few_visit_bias.common(errors - errors.mean(axis=1, keepdims=True), fitted)
        eta = few_visit_bias.heterogeneity(squares, fourth, number, fitted, shared)
        assert eta is not None
        medians = [
            np.median(np.sqrt(few_visit_bias.persistent(squares, number, fitted, e))) for e in (eta, max(eta, 0.0))
        ]
        found.append(np.array(medians) / np.median(true) / np.sqrt(1.72))
    signed, positive = np.mean(found, axis=0)
    assert signed == pytest.approx(1, abs=0.012)
    assert positive < signed - 0.01


@pytest.mark.parametrize("visits", [3, 5, 10, 30])
@pytest.mark.parametrize("outliers", [False, True])
def test_residuals_give_the_distribution_of_errors(visits: int, outliers: bool) -> None:
    """The share beyond one to three standard deviations, with and without outliers."""
    rng = np.random.default_rng(7)
    shape = (400_000 // visits, visits)
    errors = contaminated(rng, shape) / np.sqrt(1.72) if outliers else rng.standard_normal(shape)
    residuals = (errors - errors.mean(axis=1, keepdims=True)) * np.sqrt(visits / (visits - 1))
    size, found, predicted = few_visit_bias.errors_of(residuals.ravel(), visits)
    for bound in (1.0, 2.0, 3.0):
        true, seen = np.mean(np.abs(errors) > bound), np.mean(np.abs(residuals) > bound)
        assert found[size > bound].sum() == pytest.approx(true, rel=0.04, abs=2e-4)
        assert predicted[size > bound].sum() == pytest.approx(seen, rel=0.04, abs=2e-4)
    if outliers and visits == 3:
        assert np.mean(np.abs(residuals) > 2) > 1.3 * np.mean(np.abs(errors) > 2)  # there is something to undo


def test_sizes_of_gaussian_residuals_stay_as_they_are() -> None:
    rng = np.random.default_rng(8)
    widths = rng.uniform(3, 6, 500)
    before, after = few_visit_bias.sizes(rng.standard_normal(300_000), 5, widths)
    assert after[20:-20] == pytest.approx(before[20:-20], rel=0.02)
