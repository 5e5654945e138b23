"""What a jackknife makes of scatters and of pairs, against sums over quadratic forms and whole simulations."""

import itertools

import numpy as np
import pytest
from skyaccept.lib.uncertainty import jackknife_bias
from skyaccept.lib.uncertainty.jackknife import cells_of


def centring(chosen: np.ndarray, of: int) -> np.ndarray:
    """Matrix whose quadratic form is the sample variance of some of the values."""
    found = np.zeros((of, of))
    found[np.ix_(chosen, chosen)] = (np.eye(len(chosen)) - 1 / len(chosen)) / (len(chosen) - 1)
    return found


@pytest.mark.parametrize(("visits", "blocks"), [(3, 3), (5, 5), (10, 10), (30, 10), (100, 10)])
def test_a_jackknife_by_visits_of_a_sample_variance(visits: int, blocks: int) -> None:
    """Of Gaussian errors the covariance of two quadratic forms is twice the trace of their product."""
    forms = [
        centring(np.delete(np.arange(visits), block), visits) for block in np.array_split(np.arange(visits), blocks)
    ]
    mean = sum(forms) / blocks
    jackknife = (blocks - 1) / blocks * sum(2 * np.sum((form - mean) ** 2) for form in forms)
    true = 2 * np.sum(centring(np.arange(visits), visits) ** 2)
    assert jackknife_bias.of_visits(visits, blocks) == pytest.approx(jackknife / true)


def test_where_visits_are_blocks_it_has_a_closed_form() -> None:
    for visits in (3, 4, 8, 20):
        assert jackknife_bias.of_visits(visits, 20) == pytest.approx((visits - 1) / (visits - 2))
    assert jackknife_bias.of_visits(2.5, 10) == 1.0
    assert jackknife_bias.of_visits(1e6, 10) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(("visits", "others"), [(5, 5), (10, 10), (20, 30)])
def test_jackknife_bias_of_offsets_matches_simulations(visits: int, others: int) -> None:
    """Mean square of simulated errors minus the mean of the others, less the variance of that mean."""
    rng = np.random.default_rng(4)
    blocks, surveys = min(visits, 10), 60_000
    x, o = rng.normal(size=(surveys, visits)), rng.normal(size=(surveys, others))

    def value(x: np.ndarray, o: np.ndarray) -> np.ndarray:
        squares = ((x - o.mean(axis=1, keepdims=True)) ** 2).mean(axis=1)
        return squares - o.var(axis=1, ddof=1) / o.shape[1]

    parts = [np.array_split(np.arange(number), blocks) for number in (visits, others)]
    left = [(np.delete(x, here, axis=1), np.delete(o, there, axis=1)) for here, there in zip(*parts, strict=True)]
    jackknife = (blocks - 1) * np.var([value(*both) for both in left], axis=0).mean()
    assert jackknife_bias.of_offsets(visits, others, blocks) == pytest.approx(jackknife / value(x, o).var(), rel=0.03)


def test_where_the_others_are_too_few_nothing_is_known() -> None:
    assert jackknife_bias.of_offsets(10, 2.5, 10) == jackknife_bias.of_offsets(2.5, 10, 10) == 1.0
    assert jackknife_bias.of_offsets(1e6, 1e6, 10) == pytest.approx(1, abs=1e-5)


def test_a_jackknife_of_pairs_by_cells_of_stars() -> None:
    """Squared differences of the errors of stars some way apart, simulated."""
    rng = np.random.default_rng(3)
    number = 160
    where = np.sort(rng.uniform(0, 1, number))
    apart = np.abs(where[:, None] - where)
    pairs = np.argwhere(np.triu((apart > 0.1) & (apart < 0.14), 1))
    cell = cells_of(number, np.arange(number))
    values, jackknife = [], []
    for _ in range(1500):
        error = rng.normal(size=number)
        square = (error[pairs[:, 0]] - error[pairs[:, 1]]) ** 2
        values.append(square.mean())
        jackknife.append(15 * np.var([square[(cell[pairs] != c).all(axis=1)].mean() for c in range(16)]))
    found = jackknife_bias.of_stars(pairs, cell)
    assert found == pytest.approx(np.mean(jackknife) / np.var(values), rel=0.08)
    assert found > 1.2


def test_ends_of_pairs() -> None:
    """Exact where all stars make pairs, as a mean over them is a mean over stars; pairs within cells are units."""
    cell = np.arange(160) // 10
    assert jackknife_bias.of_stars(np.array(list(itertools.combinations(range(160), 2))), cell) == pytest.approx(
        1, abs=0.01
    )
    inside = np.stack([np.arange(0, 160, 2), np.arange(1, 160, 2)], axis=1)
    assert jackknife_bias.of_stars(inside, cell) == pytest.approx(1)
    assert jackknife_bias.of_stars(np.array([[0, 15], [1, 16]]), cell) == 1.0  # without the first cell nothing is left
