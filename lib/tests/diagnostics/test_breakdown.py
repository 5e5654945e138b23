"""Which cells are named, and how often one is named where there is nothing to find."""

import numpy as np
import pytest
from skyaccept.lib.arrays import FloatArray
from skyaccept.lib.diagnostics import breakdown
from skyaccept.lib.diagnostics.breakdown import Ask, Breakdown


def spread(values: FloatArray) -> float:
    return float(1.4826 * np.median(np.abs(values)))


ASK = Ask(spread, 50)


def visits_of(errors: FloatArray) -> Breakdown:
    """Break errors, (stars, visits), down by visit, about the mean of each star."""
    stars, visits = errors.shape
    residuals = (errors - errors.mean(axis=1, keepdims=True)) * np.sqrt(visits / (visits - 1))
    star, visit = (grid.ravel() for grid in np.meshgrid(np.arange(stars), np.arange(visits), indexing="ij"))
    members = [(str(k), np.flatnonzero(visit == k)) for k in range(visits)]
    return breakdown.compare("visit", residuals.reshape(-1, 1), members, star[:, None], ASK)


@pytest.mark.parametrize("visits", [5, 10, 30])
def test_a_visit_of_three_times_the_scatter_is_named_first(visits: int) -> None:
    rng = np.random.default_rng(visits)
    errors = rng.normal(0, 5, (200, visits))
    errors[:, 1] *= 3
    found = visits_of(errors)
    assert found.worst is not None
    assert found.cells[0] == found.worst
    assert found.worst.name == "1"
    assert found.worst.ratio == pytest.approx(3, rel=0.35)
    assert found.worst.value is not None
    if visits >= 10:
        # with few visits the bad one is a good part of every star's mean
        assert found.departing == 1
        assert found.worst.low is not None
        assert found.worst.high is not None
        own = 15**2 * (1 - 1 / visits) + 5**2 / visits
        assert found.worst.low < np.sqrt(own) < found.worst.high


@pytest.mark.slow
@pytest.mark.parametrize("distortion", [0.0, 5.0])
@pytest.mark.parametrize("visits", [3, 8, 20])
def test_nothing_is_named_where_nothing_is_wrong(visits: int, distortion: float) -> None:
    """In 95 % of surveys, less the Monte Carlo error; also where visits differ by more than their stars tell."""
    number = 480 // visits
    rng = np.random.default_rng(1)
    named = 0
    for _ in range(number):
        sigma = rng.uniform(3, 8, (120, 1))
        errors = rng.normal(0, 1, (120, visits)) * sigma
        place = rng.uniform(-1, 1, (120, 4))
        errors += distortion * place @ rng.normal(0, 0.5, (4, visits))
        named += visits_of(errors).departing > 0
    assert named <= number * 0.05 + 3 * np.sqrt(number * 0.05 * 0.95)


def test_two_bad_cells_of_many_do_not_hide_each_other() -> None:
    rng = np.random.default_rng(3)
    errors = rng.normal(0, 5, (150, 30))
    errors[:, [4, 9]] *= 2.5
    found = visits_of(errors)
    assert {cell.name for cell in found.cells if cell.departs} == {"4", "9"}


def test_a_pair_counts_in_the_cells_of_both_detections() -> None:
    rng = np.random.default_rng(4)
    pairs = rng.integers(0, 300, (4000, 2))
    detector = pairs % 12
    scale = np.where((detector == 7).any(axis=1), 4.0, 1.0)
    members = [(f"detector {k}", np.flatnonzero((detector == k).any(axis=1))) for k in range(12)]
    found = breakdown.compare("detector", rng.normal(0, scale)[:, None], members, pairs, ASK)
    assert found.worst is not None
    assert found.worst.name == "detector 7"
    assert sum(cell.measurements for cell in found.cells) > 4000


def test_cells_with_little_in_them_are_shown_and_not_judged() -> None:
    rng = np.random.default_rng(5)
    errors = rng.normal(0, 5, (1000, 1))
    members = [
        ("a", np.arange(400)),
        ("b", np.arange(400, 800)),
        ("c", np.arange(800, 995)),
        ("d", np.arange(995, 1000)),
    ]
    found = breakdown.compare("region", errors, members, np.arange(1000)[:, None], ASK)
    last = found.cells[-1]
    assert (last.name, last.value, last.ratio, last.measurements, last.objects) == ("d", None, None, 5, 5)
    few = breakdown.compare("region", errors, members[:2], np.arange(1000)[:, None], ASK)
    assert few.departing == 0
    assert {cell.ratio for cell in few.cells} == {None}


@pytest.mark.slow
def test_the_interval_covers_the_true_scatter() -> None:
    """Of a cell whose stars differ in scatter; 95 % in 400 surveys, less the Monte Carlo error."""
    rng = np.random.default_rng(6)
    covered = 0
    truth = spread(rng.normal(0, 1, 400_000) * rng.choice([3.0, 8.0], 400_000))
    for _ in range(400):
        values = (rng.normal(0, 1, (300, 3)) * rng.choice([3.0, 8.0], (300, 1))).reshape(-1, 1)
        star = np.repeat(np.arange(300), 3)[:, None]
        (cell,) = breakdown.compare("all", values, [("all", np.arange(900))], star, ASK).cells
        assert cell.low is not None
        assert cell.high is not None
        covered += cell.low <= truth <= cell.high
    assert covered >= 400 * 0.95 - 3 * np.sqrt(400 * 0.05 * 0.95)


def test_none_of_a_few_is_not_none_of_all() -> None:
    """The interval of a percentage of 0 ends where as many stars would show one (Clopper and Pearson)."""
    members = [("all", np.arange(60))]
    errors = np.random.default_rng(7).normal(0, 1, (60, 1))
    ask = Ask(lambda values: 100 * float(np.mean(np.abs(values) > 10)), 50, percentage=True)
    (cell,) = breakdown.compare("all", errors, members, np.arange(60)[:, None], ask).cells
    assert (cell.value, cell.low) == (0, 0)
    assert cell.high == pytest.approx(100 * (1 - 0.025 ** (1 / 60)))


def test_more_tests_ask_for_more_evidence() -> None:
    """Bonferroni: the same departure is as many times less significant."""
    errors = np.random.default_rng(10).normal(0, 5, (200, 10))
    errors[:, 1] *= 1.9
    residuals = errors.reshape(-1, 1)
    members = [(str(k), np.arange(k, 2000, 10)) for k in range(10)]
    star = np.repeat(np.arange(200), 10)[:, None]
    once, often = (
        breakdown.compare("visit", residuals, members, star, Ask(spread, 50, tests=n)).cells[0] for n in (1, 10)
    )
    assert once.significance is not None
    assert often.significance == pytest.approx(10 * once.significance)
    assert (once.name, once.departs) == ("1", True)
