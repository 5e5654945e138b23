"""Coverage of the intervals: ``python -m benchmarks.coverage OUT.json [--surveys N] [--workers N]``.

Surveys are simulated in four regimes with 3, 5, 10 and 30 visits, and for each metric it is counted how often the 95 %
interval misses the true value on either side, how wide it is, and how often a limit just below the true value is met:
under the guarded rule (probability of conformance of at least 95 %) and by comparing the value itself. The true values
are integrals over the laws that the surveys are drawn from. The table of docs/uncertainty.md is made from the output
(``python -m benchmarks.coverage --table OUT.json``). An output that is there already is continued.
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

from benchmarks.table import show, sums

REGIMES = ("independent", "distorted", "correlated", "outliers")
VISITS = (3, 5, 10, 30)
STARS = 300

FIELDS = 40
"""Fields of 3000 stars that the true values are integrals over."""

WIDTH = 12.4
"""Side of the field, arcmin."""

BRIGHT = 200.0
"""S/N from which a star is bright (srd)."""

MODES = 10.0, 30.0
"""Visit-wide distortions: rms of a coordinate, mas, and longest wavelength, arcmin."""

PATCHES = 6.0, 3.0
"""Errors correlated over arcminutes: rms of a coordinate, mas, and scale of a Gaussian correlation, arcmin."""

ROUND = 100
"""Surveys of a cell before the next one has its turn."""

DEAR = 30, 4
"""Visits from which a cell is dear, and how many times fewer surveys it gets."""

FIRST = 10_000
"""First seed: none of those that the intervals were developed with."""

OUTLIERS = 0.03, 5.0
"""Share of the measurements whose errors are wider, and by which factor."""

PHOTOMETRIC = 0.5
"""mmag for each mas of distortions and patches."""

REFERENCE = 2.0
"""Error of a coordinate of the reference catalog, mas; persistent, so it belongs to the true value."""

_WAVES = np.array([[1, 0], [0, 1], [1, 1], [1, -1], [2, 1], [1, 2]]) * 2 * np.pi / MODES[1]
_SHARES = np.array([1, 1, 0.64, 0.64, 0.36, 0.36])


@dataclass(frozen=True)
class Stars:
    """Positions (n, 2) in arcmin, S/N, and errors of a coordinate in mas and of a magnitude in mmag."""

    where: FloatArray
    snr: FloatArray
    position: FloatArray
    magnitude: FloatArray


def stars(rng: np.random.Generator, number: int) -> Stars:
    """Stars from 17.5 to 21.5 mag, their number growing as 10^(0.2 mag), to a depth of 24; in order along the sky."""
    low, high = 10 ** (0.2 * 17.5), 10 ** (0.2 * 21.5)
    mag = np.log10(low + (high - low) * rng.random(number)) / 0.2
    x = 10 ** (0.4 * (mag - 24))
    snr = 1.0857 / np.sqrt(0.001 * x + 0.039 * x * x)
    where = rng.uniform(0, WIDTH, (number, 2))
    return Stars(where[along_the_sky(where)], snr, np.hypot(4, 297 / snr), np.hypot(4, 1085.7 / snr))


def along_the_sky(where: FloatArray) -> Any:
    """Order in which runs of a sixteenth of the stars are cells of the field, as in the tree of the positions."""
    order = np.arange(len(where))
    for level in range(4):
        for a, b in itertools.pairwise((len(where) * k) >> level for k in range(2**level + 1)):
            part = order[a:b]
            order[a:b] = part[np.argsort(where[part, level % 2], kind="stable")]
    return order


def waves(where: FloatArray) -> FloatArray:
    """Distortions of a coordinate by unit amplitudes, (n, 12)."""
    phase = where @ _WAVES.T
    size = MODES[0] * np.sqrt(_SHARES / _SHARES.sum())
    return np.concatenate([np.cos(phase) * size, np.sin(phase) * size], axis=1)


def errors(
    rng: np.random.Generator, regime: str, field: Stars, widths: list[FloatArray], visits: int
) -> list[FloatArray]:
    """Errors by star and visit for each of several quantities; outliers hit all of a measurement."""
    shape = (len(field.snr), visits)
    wide = np.where(rng.random(shape) < OUTLIERS[0], OUTLIERS[1], 1.0) if regime == "outliers" else np.ones(shape)
    found = []
    for width in widths:
        scale = PHOTOMETRIC if width is field.magnitude else 1.0
        error = width[:, None] * rng.standard_normal(shape) * wide
        if regime == "distorted":
            error += scale * waves(field.where) @ rng.standard_normal((2 * len(_WAVES), visits))
        elif regime == "correlated":
            error += scale * PATCHES[0] * _root(field.where) @ rng.standard_normal(shape)
        found.append(error)
    return found


def _root(where: FloatArray) -> FloatArray:
    square = ((where[:, None] - where) ** 2).sum(axis=-1)
    return np.asarray(np.linalg.cholesky(np.exp(-square / 2 / PATCHES[1] ** 2) + 1e-8 * np.eye(len(where))))


def pairs(where: FloatArray, half: float) -> tuple[Any, FloatArray]:
    """Pairs 5 arcmin apart, and the unit vectors from one to the other."""
    apart = where[None] - where[:, None]
    distance = np.hypot(apart[..., 0], apart[..., 1])
    i, j = np.nonzero(np.triu((distance >= 5 - half) & (distance < 5 + half), 1))
    return np.stack([i, j], axis=1), apart[i, j] / distance[i, j, None]


def survey(rng: np.random.Generator, regime: str, visits: int) -> Iterator[tuple[str, MatrixErrors]]:
    """Matrices of one simulated survey by the metrics that they serve."""
    field = stars(rng, STARS)
    p = field.position
    x, y, magnitude, other_x, other_y = errors(rng, regime, field, [p, p, field.magnitude, p, p], visits)
    bright, logarithm = field.snr >= BRIGHT, np.log(field.snr)
    keys = name_keys(f"visit {k}" for k in range(visits))
    for name, chosen, half in (("lvv", np.full(STARS, True), 0.5), ("srd", bright, 1.0)):
        pair, along = pairs(field.where[chosen], half)
        i, j = pair.T
        apart = along[:, :1] * (x[chosen][j] - x[chosen][i]) + along[:, 1:] * (y[chosen][j] - y[chosen][i])
        matrix = VisitMatrix(
            values=(apart,),
            stars=pair,
            n_stars=int(chosen.sum()),
            brightness=logarithm[chosen],
            min_visits=2,
            visit_keys=keys,
        )
        estimator = relative_astrometry.ESTIMATORS["pair_rms" if name == "lvv" else "deviation"]
        yield name, MatrixErrors(estimator=estimator, matrix=matrix, settings=ObjectRmsSettings(ddof=1))
    single = VisitMatrix(
        values=(magnitude[bright],),
        stars=np.arange(np.count_nonzero(bright))[:, None],
        n_stars=int(np.count_nonzero(bright)),
        brightness=logarithm[bright],
        visit_keys=keys,
    )
    for name, used in (("rms", "object_rms"), ("deviation", "residual")):
        estimator = position_repeatability.ESTIMATORS[used]
        yield name, MatrixErrors(estimator=estimator, matrix=single, settings=ObjectRmsSettings(ddof=1))
    other = tuple(o[bright] - o[bright].mean(axis=1, keepdims=True) for o in (other_x, other_y))
    origin = [o[bright].mean(axis=1, keepdims=True) for o in (other_x, other_y)]
    both = replace(single, brightness=None, components=COORDINATES)
    here = tuple(o[bright] - middle for o, middle in zip((x, y), origin, strict=True))
    matrix = replace(
        both, values=here, comparison=other, comparison_keys=name_keys(f"other {k}" for k in range(other[0].shape[1]))
    )
    yield "band", MatrixErrors(estimator=band_offset.ESTIMATORS["offset"], matrix=matrix, settings=None)
    catalog = rng.normal(0, REFERENCE, (2, single.n_stars, 1))
    here = tuple(o[bright] - shift for o, shift in zip((x, y), catalog, strict=True))
    estimator = replace(absolute_astrometry.ESTIMATORS["reference_offset"], absolute=True)
    yield "reference", MatrixErrors(estimator=estimator, matrix=replace(both, values=here), settings=None)


class Mixture:
    """Gaussians about zero of many widths: shares of their sizes, and quantiles."""

    def __init__(self, parts: list[tuple[float, FloatArray]]) -> None:
        widths, weights = (np.concatenate(a) for a in zip(*((s, np.full(len(s), w)) for w, s in parts), strict=True))
        share, edges = np.histogram(np.log(widths), 2000, weights=weights)
        self._widths, self._share = np.exp((edges[1:] + edges[:-1]) / 2), share / share.sum()

    def above(self, size: float) -> float:
        """Share of sizes above one."""
        return float(self._share @ (2 * stats.norm.sf(size / self._widths)))

    def percentile(self, percent: float) -> float:
        """Percentile of sizes."""
        return float(optimize.brentq(lambda size: self.above(size) - 1 + percent / 100, 1e-3, 1e3))


@cache
def truth(regime: str) -> dict[str, tuple[str, Statistic, float]]:
    """Matrix, statistic and true value of each metric; thresholds are exceeded by 8 % in truth."""
    rng = np.random.default_rng(0)
    pair_rms, star_rms, squares = [], [], []
    separations: list[tuple[float, FloatArray]] = []
    magnitudes: list[tuple[float, FloatArray]] = []
    offsets: list[tuple[float, FloatArray]] = []
    extra = 1 + OUTLIERS[0] * (OUTLIERS[1] ** 2 - 1) if regime == "outliers" else 1.0
    kinds = [(1 - OUTLIERS[0], 1.0), (OUTLIERS[0], OUTLIERS[1] ** 2)] if regime == "outliers" else [(1.0, 1.0)]
    for _ in range(FIELDS):
        field = stars(rng, 3000)
        bright = field.snr >= BRIGHT
        for name, chosen, half in (("lvv", np.full(3000, True), 0.5), ("srd", bright, 1.0)):
            where, variance = field.where[chosen], field.position[chosen] ** 2
            i, j = pairs(where, half)[0][::7].T
            common = np.zeros(len(i))
            if regime == "distorted":
                common = ((waves(where)[j] - waves(where)[i]) ** 2).sum(axis=1)
            elif regime == "correlated":
                square = ((where[j] - where[i]) ** 2).sum(axis=1)
                common = 2 * PATCHES[0] ** 2 * (1 - np.exp(-square / 2 / PATCHES[1] ** 2))
            if name == "lvv":
                pair_rms.append(np.sqrt((variance[i] + variance[j]) * extra + common))
            else:
                separations += [
                    (p * q, np.sqrt(variance[i] * a + variance[j] * b + common)) for p, a in kinds for q, b in kinds
                ]
        shared = np.zeros(int(bright.sum()))
        if regime == "distorted":
            shared = (waves(field.where[bright]) ** 2).sum(axis=1)
        elif regime == "correlated":
            shared += PATCHES[0] ** 2
        mag, pos = field.magnitude[bright] ** 2, field.position[bright] ** 2
        star_rms.append(np.sqrt(mag * extra + PHOTOMETRIC**2 * shared))
        squares.append(pos * extra + shared)
        magnitudes += [(p, np.sqrt(mag * a + PHOTOMETRIC**2 * shared)) for p, a in kinds]
        offsets += [(p, np.sqrt(pos * a + shared + REFERENCE**2)) for p, a in kinds]
    rms = np.concatenate(pair_rms)
    threshold = float(np.percentile(rms, 92))
    apart, mag, offset = Mixture(separations), Mixture(magnitudes), Mixture(offsets)
    return {
        "AM1": ("lvv", Statistic("percentile", 50), float(np.median(rms))),
        "AF1": ("lvv", Statistic("above", threshold), 100 * float(np.mean(rms > threshold))),
        "AD1": ("lvv", Statistic("percentile", 90), float(np.percentile(rms, 90))),
        "AF1 srd": ("srd", Statistic("above", apart.percentile(92)), 8.0),
        "AD1 srd": ("srd", Statistic("percentile", 90), apart.percentile(90)),
        "PA1": ("rms", Statistic("percentile", 50), float(np.median(np.concatenate(star_rms)))),
        "PF1": ("deviation", Statistic("above", mag.percentile(92)), 8.0),
        "PA2": ("deviation", Statistic("percentile", 90), mag.percentile(90)),
        "AB1": ("band", Statistic("rms"), float(np.sqrt(np.mean(np.concatenate(squares))))),
        "AA1": ("reference", Statistic("percentile", 50), offset.percentile(50)),
    }


def one(task: tuple[str, int, int]) -> dict[str, list[float]]:
    """One survey: estimate, bounds, conformance with a limit at the true value, and the plain value, by metric."""
    regime, visits, seed = task
    rng = np.random.default_rng([seed, REGIMES.index(regime), visits])
    found = {}
    for matrix, work in survey(rng, regime, visits):
        asked = [(name, statistic, true) for name, (of, statistic, true) in truth(regime).items() if of == matrix]
        for (name, statistic, true), inferred in zip(
            asked, estimates(work, [statistic for _, statistic, _ in asked]), strict=True
        ):
            if isinstance(inferred, NotMeasurable):
                raise inferred
            estimate = inferred[0]
            found[name] = [
                estimate.value,
                *estimate.interval(0.95),
                estimate.conformance("<=", true),
                _plain(work, statistic),
            ]
    return found


def _plain(work: MatrixErrors, statistic: Statistic) -> float:
    """Value as the definition has it."""
    found = work.estimator.finish(work.estimator.errors(work.matrix, work.settings))
    return evaluate(statistic, found)[0]


def summary(regime: str, visits: int, found: list[dict[str, list[float]]]) -> dict[str, dict[str, float]]:
    """Figures of a cell of the table, by metric."""
    table = {}
    for name, (_, statistic, true) in truth(regime).items():
        value, low, high, conformance, plain = np.array([survey[name] for survey in found]).T
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
    """All cells of the table, in rounds over all of them: ``save(cells)`` after each, so that it can be stopped.

    ``before`` are cells that are continued.
    """
    for regime in regimes:
        truth(regime)  # before workers are forked
    cells = dict(before or {})
    with ProcessPoolExecutor(workers) as pool:
        for upto in range(ROUND, surveys + ROUND, ROUND):
            new = False
            for regime, number in itertools.product(regimes, visits):
                name = f"{regime} {number}"
                done = cells[name]["surveys"] if name in cells else 0
                share = DEAR[1] if number >= DEAR[0] else 1
                tasks = [(regime, number, FIRST + k) for k in range(done, -(-min(upto, surveys) // share))]
                if not tasks:
                    continue
                found = list(pool.map(one, tasks, chunksize=5) if workers > 1 else map(one, tasks))
                cell = {"surveys": len(found), "metrics": summary(regime, number, found)}
                cells[name] = both(cells[name], cell) if name in cells else cell
                new = True
            if new and save is not None:
                save(cells)
    return cells


def both(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Two parts of a cell as one: means by their numbers of surveys, also of medians and scatters."""
    n, m = one["surveys"], other["surveys"]
    metrics = {
        name: {key: (n * value + m * other["metrics"][name][key]) / (n + m) for key, value in figures.items()}
        for name, figures in one["metrics"].items()
    }
    return {"surveys": n + m, "metrics": metrics}


def main() -> None:
    """Run, or show what was run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--table", action="store_true", help="show what is there")
    parser.add_argument("--surveys", type=int, default=2000, help="of a cell; of dear ones fewer")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--regimes", default=",".join(REGIMES))
    parser.add_argument("--visits", default=",".join(map(str, VISITS)))
    chosen = parser.parse_args()
    if chosen.table:
        cells = json.loads(chosen.out.read_text())
        sys.stdout.write("\n".join([*show(cells), *sums(cells)]) + "\n")
        return
    regimes = tuple(chosen.regimes.split(","))
    visits = tuple(int(number) for number in chosen.visits.split(","))

    def save(cells: dict[str, Any]) -> None:
        chosen.out.write_text(json.dumps(cells, indent=1) + "\n")
        sys.stderr.write(f"{max(cell['surveys'] for cell in cells.values())} surveys a cell\n")

    before = json.loads(chosen.out.read_text()) if chosen.out.exists() else None
    run(chosen.surveys, chosen.workers, regimes, visits, save, before)


if __name__ == "__main__":
    main()
