"""The solver of zero points against dense least squares, known truth, and what it refuses."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from skyaccept.lib.arrays import FloatArray
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.metrics import zero_point_solver
from skyaccept.lib.metrics.zero_point_solver import Repeats, System


def repeats(star: NDArray[Any], exposure: NDArray[Any], magnitude: FloatArray) -> Repeats:
    """Measurements as the solver takes them."""
    return Repeats(
        star.astype(np.int32), exposure.astype(np.int32), magnitude, int(star.max()) + 1, int(exposure.max()) + 1
    )


def dense(given: Repeats, weights: FloatArray) -> FloatArray:
    """Zero points by the singular values of the whole design matrix, stars and exposures; their mean is zero."""
    n = len(given.star)
    design = np.zeros((n, given.stars + given.exposures))
    design[np.arange(n), given.star] = 1
    design[np.arange(n), given.stars + given.exposure] = 1
    root = np.sqrt(weights)
    found = np.linalg.lstsq(design * root[:, None], given.magnitude * root, rcond=None)[0][given.stars :]
    return np.asarray(found - found.mean())


def field(
    rng: np.random.Generator, stars: int = 3000, visits: int = 12, across: int = 5, rms: float = 8.0
) -> tuple[Repeats, FloatArray, FloatArray]:
    """Dithered visits of a plane of across x across detectors: measurements, true zero points, errors (mmag).

    Stars 10 times as faint scatter 4 times as much; some detectors see a handful of stars only.
    """
    place = rng.uniform(0, across + 1, (stars, 2))
    brightness = rng.uniform(0, 2.5, stars)
    truth = rng.normal(0, rms, visits * across**2)
    rows = []
    for visit in range(visits):
        inside = place - rng.uniform(0, 1, 2)
        number = np.floor(inside).astype(np.int64)
        seen = np.flatnonzero(((number >= 0) & (number < across)).all(axis=1) & (rng.random(stars) < 0.95))
        code = visit * across**2 + number[seen, 0] * across + number[seen, 1]
        rows.append(np.stack([seen, code], axis=1))
    star, exposure = np.concatenate(rows).T
    twice = np.bincount(star)[star] >= 2
    star, exposure = star[twice], exposure[twice]
    error = 3 * 10 ** (0.24 * brightness[star])
    names, exposure = np.unique(exposure, return_inverse=True)
    found, star = np.unique(star, return_inverse=True)
    magnitude = 16_000 + 1000 * brightness[found][star] + truth[names][exposure] + rng.normal(0, error)
    truth = truth[names]
    return repeats(star, exposure, magnitude), truth - truth.mean(), error


def chi_squared(solution: zero_point_solver.Solution, truth: FloatArray) -> float:
    """Of the errors of a solution by its own covariance, per degree of freedom: all exposures but one."""
    off = solution.offsets - truth
    return float(off @ solution.normal(off)) / (len(off) - 1)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), stars=st.integers(6, 30), exposures=st.integers(2, 8))
def test_conjugate_gradients_find_what_dense_least_squares_finds(seed: int, stars: int, exposures: int) -> None:
    """With any weights, from any start; also where some measurements have none."""
    rng = np.random.default_rng(seed)
    seen = rng.random((stars, exposures)) < 0.7
    seen[0] = True  # connects all
    star, exposure = np.nonzero(seen)
    kept = np.bincount(star)[star] >= 2
    _, star = np.unique(star[kept], return_inverse=True)
    made = repeats(star, exposure[kept], rng.normal(0, 10, np.count_nonzero(kept)))
    weights = 10 ** rng.uniform(-2, 2, len(made.star))
    weights[rng.random(len(weights)) < 0.1] = 0
    weights[made.star == 0] = 1
    found = System.from_weights(made, weights).solve(made.magnitude, rng.normal(0, 100, exposures))
    assert found == pytest.approx(dense(made, weights), abs=1e-6)


def test_without_noise_zero_points_are_exact() -> None:
    """Larger where magnitudes are larger, with mean zero; a magnitude that all share changes nothing."""
    rng = np.random.default_rng(1)
    made, truth, _ = field(rng, stars=400)
    star = rng.normal(18_000, 500, made.stars)
    exact = repeats(made.star, made.exposure, star[made.star] + truth[made.exposure])
    assert zero_point_solver.solve(exact).offsets == pytest.approx(truth, abs=1e-5)
    shifted = repeats(made.star, made.exposure, exact.magnitude + 1234)
    assert zero_point_solver.solve(shifted).offsets == pytest.approx(truth, abs=1e-5)


@pytest.mark.slow
def test_errors_are_those_that_the_solution_states() -> None:
    """Chi squared per degree of freedom is 1 within 5 %, over 40 focal planes of 300 exposures; their rms as well."""
    chi, ratio = [], []
    for seed in range(40):
        made, truth, _ = field(np.random.default_rng(seed))
        solution = zero_point_solver.solve(made)
        chi.append(chi_squared(solution, truth))
        ratio.append(float(np.mean((solution.offsets - truth) ** 2)) / solution.variance)
    assert np.mean(chi) == pytest.approx(1, abs=0.05)
    assert np.mean(ratio) == pytest.approx(1, abs=0.06)
    assert np.std(chi) < 0.15


def test_the_error_of_each_measurement_is_found_by_brightness() -> None:
    """Of bins of magnitude, within a tenth of what was put in."""
    made, _, error = field(np.random.default_rng(3))
    solution = zero_point_solver.solve(made)
    assert np.median(solution.sigma / error) == pytest.approx(1, abs=0.05)
    assert np.percentile(np.abs(np.log(solution.sigma / error)), 90) < 0.15


def test_gross_errors_have_no_weight() -> None:
    """One measurement in a hundred off by 1 mag moves zero points by a small part of their noise."""
    rng = np.random.default_rng(4)
    made, truth, _ = field(rng)
    clean = zero_point_solver.solve(made)
    wrong = rng.random(len(made.star)) < 0.01
    bad = repeats(made.star, made.exposure, made.magnitude + np.where(wrong, rng.choice([-1000, 1000], len(wrong)), 0))
    solution = zero_point_solver.solve(bad)
    assert solution.clipped[wrong].all()
    assert np.count_nonzero(solution.clipped & ~wrong) < 1e-3 * len(wrong)
    assert float(np.std(solution.offsets - clean.offsets)) < 0.4 * np.sqrt(solution.variance)
    assert chi_squared(solution, truth) == pytest.approx(chi_squared(clean, truth), abs=0.1)


def test_the_order_of_measurements_changes_nothing_that_matters() -> None:
    """Rows shuffled."""
    rng = np.random.default_rng(5)
    made, _, _ = field(rng, stars=500)
    order = rng.permutation(len(made.star))
    other = repeats(made.star[order], made.exposure[order], made.magnitude[order])
    assert zero_point_solver.solve(other).offsets == pytest.approx(zero_point_solver.solve(made).offsets, abs=1e-6)


def test_halves_that_no_star_connects_are_refused() -> None:
    """With a sentence that says how many exposures stand on either side; one star that both see is enough."""
    one, _, _ = field(np.random.default_rng(6), stars=300, visits=6, across=2)
    star = np.concatenate([one.star, one.star + one.stars])
    exposure = np.concatenate([one.exposure, one.exposure + one.exposures])
    magnitude = np.concatenate([one.magnitude, one.magnitude])
    split = repeats(star, exposure, magnitude)
    number = one.exposures
    with pytest.raises(
        NotMeasurable,
        match=f"^the exposures fall into 2 groups without a star in common, of {number}, {number}: nothing tells the "
        "zero points of one from those of another$",
    ):
        zero_point_solver.solve(split)
    bridge = repeats(
        np.append(star, split.stars - 1),
        np.append(exposure, 0),
        np.append(magnitude, split.magnitude[star == split.stars - 1][0]),
    )
    assert zero_point_solver.parts(bridge).max() == 0
    assert len(zero_point_solver.solve(bridge).offsets) == 2 * number


def test_what_cannot_be_solved_is_said() -> None:
    """One exposure, and fewer measurements than unknowns."""
    with pytest.raises(NotMeasurable, match="one exposure has no zero point"):
        zero_point_solver.solve(repeats(np.array([0, 1]), np.array([0, 0]), np.zeros(2)))
    with pytest.raises(NotMeasurable, match="2 measurements are too few for 2 zero points of 1 stars"):
        zero_point_solver.solve(repeats(np.array([0, 0]), np.array([0, 1]), np.zeros(2)))
