"""Measure how often intervals of complete simulated surveys contain the truth.

``python -m benchmarks.recovery OUT.json [--seeds N]`` simulates surveys with independent errors, and associates, cuts
and measures them like any catalog. The true value of a clause is its expected value in the limit of many visits
(`skyaccept.synthetic.expectation.expected_values`), averaged over all seeds. The program records how often the 95 %
interval contains it. An estimate of a value near zero cannot be negative, so only the upper end can miss, in 2.5 % of
the surveys. Surveys that the output file has already for the same number of seeds are skipped.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from scipy import stats
from skyaccept.lib import measure, requirements
from skyaccept.lib.catalog.association import RADIUS, associate
from skyaccept.synthetic import expectation, scenario, survey

SCENARIOS = {"nominal": 8, "nominal, 4 visits": 4, "nominal, 20 visits": 20, "nominal, 40 visits": 40, "degraded": 8}
"""Names of the surveys, and their number of visits in each band."""

BANDS = ("g", "r")
MIN_COVERAGE, SIGNIFICANCE = 93.0, 0.001
"""Coverage in percent below which no clause may be, and the significance level of the test."""

NEAR_ZERO = 2.0
"""True values below this number of standard deviations are near zero: most of their intervals start at zero."""


def measure_survey(task: tuple[str, int]) -> dict[str, tuple[float, float, float, float, float]]:
    """Simulate and measure a survey.

    Returns truth, value, estimate and ends of the interval of each clause.
    """
    name, seed = task
    base = scenario.load(name.partition(",")[0])
    bands = [band for band in BANDS if band in base.visits.number]
    variant = scenario.override(base, bands=bands, visits=SCENARIOS[name])
    specification = requirements.load()
    expected = expectation.expected_values(variant, specification, seed, limit=True)
    detections = associate(survey.simulate(variant, seed).detections, RADIUS)
    results = measure.run(
        detections, specification, measure.Options(bands=bands, reference=survey.reference(variant, seed))
    ).results
    return {
        r.test: (expected[r.test], r.value, r.value_unbiased, r.interval["low"], r.interval["high"])
        for r in results
        if r.test in expected and r.value is not None and r.value_unbiased is not None and r.interval is not None
    }


def summary(runs: list[dict[str, tuple[float, ...]]]) -> dict[str, dict[str, float]]:
    """Return the truth, the mean value and estimate, and the coverage, by clause."""
    table = {}
    for test in sorted(set().union(*runs)):
        expected, value, unbiased, low, high = np.array([run[test] for run in runs if test in run], dtype=float).T
        true = expected.mean()
        covered = int(np.count_nonzero((low <= true) & (true <= high)))
        table[test] = {
            "surveys": len(expected),
            "true": true,
            "value": value.mean(),
            "unbiased": unbiased.mean(),
            "error": unbiased.std(ddof=1) / np.sqrt(len(unbiased)),
            "covered": 100 * covered / len(expected),
            "too_few": float(stats.binom.cdf(covered, len(expected), MIN_COVERAGE / 100)),
        }
    return table


def coverage_table(cells: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Iterator[str]:
    """Format coverage and bias in percent by clause and survey in Markdown.

    The bias of a value near zero is left out: an estimate that cannot be negative is too high on average.
    """
    yield "| clause | " + " | ".join(cells) + " |"
    yield "|---" * (1 + len(cells)) + "|"
    for test in dict.fromkeys(test for table in cells.values() for test in table):
        yield f"| {test} | " + " | ".join(_cell(table.get(test)) for table in cells.values()) + " |"


def average_lines(cells: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Iterator[str]:
    """Return lines with average coverages, and the clauses below the minimum."""
    rows = [(name, test, row) for name, table in cells.items() for test, row in table.items()]
    far = [row for row in rows if _away_from_zero(row[-1])]
    parts = [("of all clauses", rows), ("of clauses with values away from zero", far)]
    parts += [(f"of those in {name}", [row for row in far if row[0] == name]) for name in cells]
    for label, some in parts:
        if some:
            covered = np.average([row["covered"] for *_, row in some], weights=[row["surveys"] for *_, row in some])
            yield f"{covered:.1f} % {label} ({len(some)})"
    low = [f"{test} in {name}" for name, test, row in rows if row["too_few"] < SIGNIFICANCE / len(rows)]
    yield f"significantly below {MIN_COVERAGE:g} %: {', '.join(low) or 'none'}"


def _away_from_zero(row: Mapping[str, float]) -> bool:
    """Return whether the true value is not near zero."""
    return row["true"] > NEAR_ZERO * row["error"] * np.sqrt(row["surveys"])


def _cell(row: Mapping[str, float] | None) -> str:
    """Format the coverage and the bias of a clause."""
    if row is None:
        return "-"
    if not _away_from_zero(row):
        return f"{row['covered']:.1f} (near zero)"
    bias, error = (100 * part / row["true"] for part in (row["unbiased"] - row["true"], row["error"]))
    return f"{row['covered']:.1f} ({bias:+.1f} ± {error:.1f})"


def main() -> None:
    """Simulate the surveys and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    cells = json.loads(options.out.read_text(encoding="utf-8")) if options.out.exists() else {}
    with ProcessPoolExecutor(options.workers) as pool:
        for name in SCENARIOS:
            if max((row["surveys"] for row in cells.get(name, {}).values()), default=0) == options.seeds:
                sys.stderr.write(f"{name}: taken from {options.out}\n")
                continue
            tasks = [(name, seed) for seed in range(1, options.seeds + 1)]
            cells[name] = summary(list(pool.map(measure_survey, tasks, chunksize=5)))
            options.out.write_text(json.dumps(cells, indent=1) + "\n", encoding="utf-8")
            sys.stderr.write(f"{name}\n")
    sys.stdout.write("\n".join([*coverage_table(cells), "", *(f"- {line}" for line in average_lines(cells))]) + "\n")


if __name__ == "__main__":
    main()
