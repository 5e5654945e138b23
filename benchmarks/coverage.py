"""Measure the coverage of the confidence intervals with simulated surveys.

``python -m benchmarks.coverage OUT.json [--surveys N] [--workers N]`` simulates surveys in four regimes with 3, 5, 10
and 30 visits. For each metric it records how often the 95 % interval misses the true value on either side, the width
of the interval, and how often the metric passes a limit just below the true value: under the guarded rule (conformance
probability of at least 95 %) and by comparing the measured value itself. The true values are integrals over the
distributions from which the surveys are drawn. An existing output file is continued.
``python -m benchmarks.coverage OUT.json --table`` prints the tables of docs/uncertainty.md.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy import optimize, stats
from skyaccept.lib.arrays import FloatArray
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.metrics import absolute_astrometry, band_offset, position_repeatability, relative_astrometry
from skyaccept.lib.metrics.metric import evaluate
from skyaccept.lib.metrics.position_repeatability import ObjectRmsSettings
from skyaccept.lib.sample.sample import COORDINATES
from skyaccept.lib.sample.visit_matrix import VisitMatrix, name_keys
from skyaccept.lib.uncertainty.estimator import MatrixErrors
from skyaccept.lib.uncertainty.jackknife import estimates
from skyaccept.lib.uncertainty.statistic import Statistic

from benchmarks.table import coverage_tables, summary_lines

REGIMES = ("independent", "distorted", "correlated", "outliers")
VISITS = (3, 5, 10, 30)
STARS = 300

FIELDS = 40
"""Number of simulated fields, of 3000 stars each, over which the true values are averaged."""

FIELD_WIDTH = 12.4
"""Side of the field, arcmin."""

BRIGHT_SNR = 200.0
"""Minimum S/N of a bright star in the srd definitions."""

DISTORTION = 10.0, 30.0
"""Distortions of whole visits: rms per coordinate in mas, and longest wavelength in arcmin."""

CORRELATED = 6.0, 3.0
"""Errors correlated over arcminutes: rms per coordinate in mas, and scale of the Gaussian correlation in arcmin."""

ROUND_SIZE = 100
"""Surveys simulated for one cell of the table before the next cell is continued."""

EXPENSIVE_VISITS, EXPENSIVE_DIVISOR = 30, 4
"""Cells with at least this many visits are slow, so their number of surveys is divided by the second number."""

FIRST_SEED = 10_000
"""First seed; seeds below were used while the intervals were developed."""

OUTLIERS = 0.03, 5.0
"""Fraction of measurements with wider errors, and the factor by which they are wider."""

MMAG_PER_MAS = 0.5
"""Photometric errors in mmag per mas of distortion or correlated error."""

REFERENCE_ERROR = 2.0
"""Error of the reference catalog per coordinate, mas; it is the same in all visits and so part of the true value."""

_WAVES = np.array([[1, 0], [0, 1], [1, 1], [1, -1], [2, 1], [1, 2]]) * 2 * np.pi / DISTORTION[1]
_WAVE_VARIANCES = np.array([1, 1, 0.64, 0.64, 0.36, 0.36])


@dataclass(frozen=True)
class Stars:
    """Positions, S/N and standard errors of simulated stars.

    Positions (n, 2) are in arcmin, errors per coordinate in mas and of the magnitude in mmag.
    """

    xy: FloatArray
    snr: FloatArray
    position: FloatArray
    magnitude: FloatArray


def draw_stars(rng: np.random.Generator, number: int) -> Stars:
    """Draw stars from 17.5 to 21.5 mag, ordered by cell of the field.

    Counts grow as 10^(0.2 mag), and the depth is 24 mag.
    """
    low, high = 10 ** (0.2 * 17.5), 10 ** (0.2 * 21.5)
    mag = np.log10(low + (high - low) * rng.random(number)) / 0.2
    x = 10 ** (0.4 * (mag - 24))
    snr = 1.0857 / np.sqrt(0.001 * x + 0.039 * x * x)
    xy = rng.uniform(0, FIELD_WIDTH, (number, 2))
    return Stars(xy[order_by_cell(xy)], snr, np.hypot(4, 297 / snr), np.hypot(4, 1085.7 / snr))


def order_by_cell(xy: FloatArray) -> Any:
    """Return the order that splits the stars into 16 consecutive cells.

    The tree of positions orders stars in the same way.
    """
    order = np.arange(len(xy))
    for level in range(4):
        for a, b in itertools.pairwise((len(xy) * k) >> level for k in range(2**level + 1)):
            part = order[a:b]
            order[a:b] = part[np.argsort(xy[part, level % 2], kind="stable")]
    return order


def distortion_basis(xy: FloatArray) -> FloatArray:
    """Return the distortion by each of 12 waves of unit amplitude, (n, 12)."""
    phase = xy @ _WAVES.T
    size = DISTORTION[0] * np.sqrt(_WAVE_VARIANCES / _WAVE_VARIANCES.sum())
    return np.concatenate([np.cos(phase) * size, np.sin(phase) * size], axis=1)


def draw_errors(
    rng: np.random.Generator, regime: str, field: Stars, widths: list[FloatArray], visits: int
) -> list[FloatArray]:
    """Draw errors by star and visit for several quantities.

    An outlier affects all quantities of a measurement.
    """
    shape = (len(field.snr), visits)
    wide = np.xy(rng.random(shape) < OUTLIERS[0], OUTLIERS[1], 1.0) if regime == "outliers" else np.ones(shape)
    draws = []
    for width in widths:
        scale = MMAG_PER_MAS if width is field.magnitude else 1.0
        error = width[:, None] * rng.standard_normal(shape) * wide
        if regime == "distorted":
            error += scale * distortion_basis(field.xy) @ rng.standard_normal((2 * len(_WAVES), visits))
        elif regime == "correlated":
            error += scale * CORRELATED[0] * _correlation_root(field.xy) @ rng.standard_normal(shape)
        draws.append(error)
    return draws


def _correlation_root(xy: FloatArray) -> FloatArray:
    square = ((xy[:, None] - xy) ** 2).sum(axis=-1)
    return np.asarray(np.linalg.cholesky(np.exp(-square / 2 / CORRELATED[1] ** 2) + 1e-8 * np.eye(len(xy))))


def find_pairs(xy: FloatArray, half: float) -> tuple[Any, FloatArray]:
    """Return the pairs 5 arcmin apart, and the unit vectors between their stars."""
    difference = xy[None] - xy[:, None]
    distance = np.hypot(difference[..., 0], difference[..., 1])
    i, j = np.nonzero(np.triu((distance >= 5 - half) & (distance < 5 + half), 1))
    return np.stack([i, j], axis=1), difference[i, j] / distance[i, j, None]


def simulate_matrices(rng: np.random.Generator, regime: str, visits: int) -> Iterator[tuple[str, MatrixErrors]]:
    """Simulate one survey; yields the name and errors of each visit matrix."""
    field = draw_stars(rng, STARS)
    p = field.position
    x, y, magnitude, other_x, other_y = draw_errors(rng, regime, field, [p, p, field.magnitude, p, p], visits)
    bright, logarithm = field.snr >= BRIGHT_SNR, np.log(field.snr)
    keys = name_keys(f"visit {k}" for k in range(visits))
    for name, chosen, half in (("lvv", np.full(STARS, True), 0.5), ("srd", bright, 1.0)):
        pair, along = find_pairs(field.xy[chosen], half)
        i, j = pair.T
        separation = along[:, :1] * (x[chosen][j] - x[chosen][i]) + along[:, 1:] * (y[chosen][j] - y[chosen][i])
        matrix = VisitMatrix(
            values=(separation,),
            stars=pair,
            n_stars=int(chosen.sum()),
            brightness=logarithm[chosen],
            min_visits=2,
            visit_groups=keys,
        )
        estimator = relative_astrometry.ESTIMATORS["pair_rms" if name == "lvv" else "deviation"]
        yield name, MatrixErrors(estimator=estimator, matrix=matrix, settings=ObjectRmsSettings(ddof=1))
    single = VisitMatrix(
        values=(magnitude[bright],),
        stars=np.arange(np.count_nonzero(bright))[:, None],
        n_stars=int(np.count_nonzero(bright)),
        brightness=logarithm[bright],
        visit_groups=keys,
    )
    for name, used in (("rms", "object_rms"), ("deviation", "residual")):
        estimator = position_repeatability.ESTIMATORS[used]
        yield name, MatrixErrors(estimator=estimator, matrix=single, settings=ObjectRmsSettings(ddof=1))
    other = tuple(o[bright] - o[bright].mean(axis=1, keepdims=True) for o in (other_x, other_y))
    origin = [o[bright].mean(axis=1, keepdims=True) for o in (other_x, other_y)]
    template = replace(single, brightness=None, components=COORDINATES)
    own = tuple(o[bright] - middle for o, middle in zip((x, y), origin, strict=True))
    matrix = replace(
        template,
        values=own,
        comparison=other,
        comparison_groups=name_keys(f"other {k}" for k in range(other[0].shape[1])),
    )
    yield "band", MatrixErrors(estimator=band_offset.ESTIMATORS["offset"], matrix=matrix, settings=None)
    catalog = rng.normal(0, REFERENCE_ERROR, (2, single.n_stars, 1))
    own = tuple(o[bright] - shift for o, shift in zip((x, y), catalog, strict=True))
    estimator = replace(absolute_astrometry.ESTIMATORS["reference_offset"], absolute=True)
    yield "reference", MatrixErrors(estimator=estimator, matrix=replace(template, values=own), settings=None)


class Mixture:
    """Absolute values of a mixture of zero-mean Gaussians."""

    def __init__(self, parts: list[tuple[float, FloatArray]]) -> None:
        widths, weights = (np.concatenate(a) for a in zip(*((s, np.full(len(s), w)) for w, s in parts), strict=True))
        share, edges = np.histogram(np.log(widths), 2000, weights=weights)
        self._widths, self._share = np.exp((edges[1:] + edges[:-1]) / 2), share / share.sum()

    def fraction_above(self, size: float) -> float:
        """Return the probability of an absolute value above ``size``."""
        return float(self._share @ (2 * stats.norm.sf(size / self._widths)))

    def percentile(self, percent: float) -> float:
        """Return a percentile of the absolute values."""
        return float(optimize.brentq(lambda size: self.fraction_above(size) - 1 + percent / 100, 1e-3, 1e3))


@cache
def true_values(regime: str) -> dict[str, tuple[str, Statistic, float]]:
    """Return the matrix, statistic and true value of each metric.

    Thresholds are chosen such that 8 % of the errors exceed them.
    """
    rng = np.random.default_rng(0)
    pair_rms, star_rms, squares = [], [], []
    separations: list[tuple[float, FloatArray]] = []
    magnitudes: list[tuple[float, FloatArray]] = []
    offsets: list[tuple[float, FloatArray]] = []
    extra = 1 + OUTLIERS[0] * (OUTLIERS[1] ** 2 - 1) if regime == "outliers" else 1.0
    kinds = [(1 - OUTLIERS[0], 1.0), (OUTLIERS[0], OUTLIERS[1] ** 2)] if regime == "outliers" else [(1.0, 1.0)]
    for _ in range(FIELDS):
        field = draw_stars(rng, 3000)
        bright = field.snr >= BRIGHT_SNR
        for name, chosen, half in (("lvv", np.full(3000, True), 0.5), ("srd", bright, 1.0)):
            xy, variance = field.xy[chosen], field.position[chosen] ** 2
            i, j = find_pairs(xy, half)[0][::7].T
            common = np.zeros(len(i))
            if regime == "distorted":
                common = ((distortion_basis(xy)[j] - distortion_basis(xy)[i]) ** 2).sum(axis=1)
            elif regime == "correlated":
                square = ((xy[j] - xy[i]) ** 2).sum(axis=1)
                common = 2 * CORRELATED[0] ** 2 * (1 - np.exp(-square / 2 / CORRELATED[1] ** 2))
            if name == "lvv":
                pair_rms.append(np.sqrt((variance[i] + variance[j]) * extra + common))
            else:
                separations += [
                    (p * q, np.sqrt(variance[i] * a + variance[j] * b + common)) for p, a in kinds for q, b in kinds
                ]
        shared = np.zeros(int(bright.sum()))
        if regime == "distorted":
            shared = (distortion_basis(field.xy[bright]) ** 2).sum(axis=1)
        elif regime == "correlated":
            shared += CORRELATED[0] ** 2
        mag, pos = field.magnitude[bright] ** 2, field.position[bright] ** 2
        star_rms.append(np.sqrt(mag * extra + MMAG_PER_MAS**2 * shared))
        squares.append(pos * extra + shared)
        magnitudes += [(p, np.sqrt(mag * a + MMAG_PER_MAS**2 * shared)) for p, a in kinds]
        offsets += [(p, np.sqrt(pos * a + shared + REFERENCE_ERROR**2)) for p, a in kinds]
    rms = np.concatenate(pair_rms)
    threshold = float(np.percentile(rms, 92))
    separation, mag, offset = Mixture(separations), Mixture(magnitudes), Mixture(offsets)
    return {
        "AM1": ("lvv", Statistic("percentile", 50), float(np.median(rms))),
        "AF1": ("lvv", Statistic("above", threshold), 100 * float(np.mean(rms > threshold))),
        "AD1": ("lvv", Statistic("percentile", 90), float(np.percentile(rms, 90))),
        "AF1 srd": ("srd", Statistic("above", separation.percentile(92)), 8.0),
        "AD1 srd": ("srd", Statistic("percentile", 90), separation.percentile(90)),
        "PA1": ("rms", Statistic("percentile", 50), float(np.median(np.concatenate(star_rms)))),
        "PF1": ("deviation", Statistic("above", mag.percentile(92)), 8.0),
        "PA2": ("deviation", Statistic("percentile", 90), mag.percentile(90)),
        "AB1": ("band", Statistic("rms"), float(np.sqrt(np.mean(np.concatenate(squares))))),
        "AA1": ("reference", Statistic("percentile", 50), offset.percentile(50)),
    }


def measure_survey(task: tuple[str, int, int]) -> dict[str, list[float]]:
    """Simulate and measure one survey.

    Returns, by metric, the estimate, the ends of its interval, the conformance probability for a limit at the true
    value, and the measured value.
    """
    regime, visits, seed = task
    rng = np.random.default_rng([seed, REGIMES.index(regime), visits])
    figures = {}
    for matrix, work in simulate_matrices(rng, regime, visits):
        targets = [
            (name, statistic, true) for name, (key, statistic, true) in true_values(regime).items() if key == matrix
        ]
        for (name, statistic, true), inferred in zip(
            targets, estimates(work, [statistic for _, statistic, _ in targets]), strict=True
        ):
            if isinstance(inferred, NotMeasurable):
                raise inferred
            estimate = inferred[0]
            figures[name] = [
                estimate.value,
                *estimate.interval(0.95),
                estimate.conformance("<=", true),
                _measured_value(work, statistic),
            ]
    return figures


def _measured_value(work: MatrixErrors, statistic: Statistic) -> float:
    """Return the statistic of the errors without bias correction."""
    errors = work.estimator.finish(work.estimator.errors(work.matrix, work.settings))
    return evaluate(statistic, errors)[0]


def summary(regime: str, visits: int, surveys: list[dict[str, list[float]]]) -> dict[str, dict[str, float]]:
    """Average the results of the surveys of one cell of the table, by metric."""
    table = {}
    for name, (_, statistic, true) in true_values(regime).items():
        value, low, high, conformance, plain = np.array([survey[name] for survey in surveys]).T
        width = (high - low) / (1 if statistic.kind == "above" else true)
        table[name] = {
            "true": true,
            "value": float(np.mean(plain)),
            "unbiased": float(np.mean(value)),
            "scatter": float(np.std(value)),
            "covered": 100 * float(np.mean((low <= true) & (true <= high))),
            "below": 100 * float(np.mean(high < true)),
            "above": 100 * float(np.mean(low > true)),
            "width": float(np.median(width)),
            "accepted": 100 * float(np.mean(conformance >= 0.95)),
            "accepted_simply": 100 * float(np.mean(plain <= true)),
        }
    return table


def run(
    surveys: int,
    workers: int,
    regimes: tuple[str, ...] = REGIMES,
    visits: tuple[int, ...] = VISITS,
    save: Callable[[dict[str, Any]], None] | None = None,
    before: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Simulate the surveys of all cells of the table.

    Parameters
    ----------
    surveys
        Number of surveys of each cell.
    workers
        Number of processes.
    regimes, visits
        Regimes and numbers of visits whose combinations are the cells.
    save
        Called with the cells after each round over all of them, so that the program can be stopped and continued.
    before
        Cells of an earlier run, which are continued.

    Returns
    -------
    dict
        Number of surveys and figures by metric, for each cell.
    """
    for regime in regimes:
        true_values(regime)  # fills the cache before workers are forked
    cells = dict(before or {})
    with ProcessPoolExecutor(workers) as pool:
        for target in range(ROUND_SIZE, surveys + ROUND_SIZE, ROUND_SIZE):
            new = False
            for regime, number in itertools.product(regimes, visits):
                name = f"{regime} {number}"
                done = cells[name]["surveys"] if name in cells else 0
                divisor = EXPENSIVE_DIVISOR if number >= EXPENSIVE_VISITS else 1
                tasks = [(regime, number, FIRST_SEED + k) for k in range(done, -(-min(target, surveys) // divisor))]
                if not tasks:
                    continue
                measured = pool.map(measure_survey, tasks, chunksize=5) if workers > 1 else map(measure_survey, tasks)
                surveys_of_cell = list(measured)
                cell = {"surveys": len(surveys_of_cell), "metrics": summary(regime, number, surveys_of_cell)}
                cells[name] = merge_cells(cells[name], cell) if name in cells else cell
                new = True
            if new and save is not None:
                save(cells)
    return cells


def merge_cells(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Merge two runs of a cell.

    All figures, also medians and scatters, are averaged by the number of surveys.
    """
    n, m = first["surveys"], second["surveys"]
    metrics = {
        name: {key: (n * value + m * second["metrics"][name][key]) / (n + m) for key, value in figures.items()}
        for name, figures in first["metrics"].items()
    }
    return {"surveys": n + m, "metrics": metrics}


def main() -> None:
    """Simulate the surveys, or print the tables of an earlier run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--table", action="store_true", help="print the tables of OUT.json and exit")
    parser.add_argument("--surveys", type=int, default=2000, help="surveys of each cell; slow cells get fewer")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--regimes", default=",".join(REGIMES))
    parser.add_argument("--visits", default=",".join(map(str, VISITS)))
    options = parser.parse_args()
    if options.table:
        cells = json.loads(options.out.read_text())
        sys.stdout.write("\n".join([*coverage_tables(cells), *summary_lines(cells)]) + "\n")
        return
    regimes = tuple(options.regimes.split(","))
    visits = tuple(int(number) for number in options.visits.split(","))

    def save(cells: dict[str, Any]) -> None:
        options.out.write_text(json.dumps(cells, indent=1) + "\n")
        sys.stderr.write(f"{max(cell['surveys'] for cell in cells.values())} surveys per cell\n")

    before = json.loads(options.out.read_text()) if options.out.exists() else None
    run(options.surveys, options.workers, regimes, visits, save, before)


if __name__ == "__main__":
    main()
