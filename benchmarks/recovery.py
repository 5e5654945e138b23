"""Recovery of the injected truth, from simulation to interval: ``python -m benchmarks.recovery OUT.json [--seeds N]``.

Surveys with independent errors are simulated whole, associated, cut and measured as any catalog is. The true value of a
clause is the mean over all seeds of what its errors amount to in the limit of many visits
(`skyaccept.synthetic.expectation.expected`): that of stars and visits drawn like these. It is counted how often the
95 % interval holds it. A value near zero cannot be less, so only the upper end can miss it, in 2.5 %.
Surveys that the output holds already, of as many seeds, are not made again.
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
"""Surveys by name, and their visits in each band."""

BANDS = ("g", "r")
LEAST, SIGNIFICANCE = 93.0, 0.001
"""Coverage, percent, that no clause may be significantly below, and at which significance."""

NEAR_ZERO = 2.0
"""Standard deviations of an estimate below which its true value is near zero: then most intervals begin there."""


def one(task: tuple[str, int]) -> dict[str, tuple[float, float, float, float, float]]:
    """Expected limit, value, estimate and interval of each clause of one survey."""
    name, seed = task
    whole = scenario.load(name.partition(",")[0])
    bands = [band for band in BANDS if band in whole.visits.number]
    chosen = scenario.override(whole, bands=bands, visits=SCENARIOS[name])
    specification = requirements.load()
    expected = expectation.expected(chosen, specification, seed, limit=True)
    detections = associate(survey.simulate(chosen, seed).detections, RADIUS)
    results = measure.run(
        detections, specification, measure.Options(bands=bands, reference=survey.reference(chosen, seed))
    ).results
    return {
        r.test: (expected[r.test], r.value, r.value_unbiased, r.interval["low"], r.interval["high"])
        for r in results
        if r.test in expected and r.value is not None and r.value_unbiased is not None and r.interval is not None
    }


def summary(found: list[dict[str, tuple[float, ...]]]) -> dict[str, dict[str, float]]:
    """Truth, means of values and estimates, and coverage by clause."""
    table = {}
    for test in sorted(set().union(*found)):
        expected, value, unbiased, low, high = np.array([run[test] for run in found if test in run], dtype=float).T
        true = expected.mean()
        covered = int(np.count_nonzero((low <= true) & (true <= high)))
        table[test] = {
            "surveys": len(expected),
            "true": true,
            "value": value.mean(),
            "unbiased": unbiased.mean(),
            "error": unbiased.std(ddof=1) / np.sqrt(len(unbiased)),
            "covered": 100 * covered / len(expected),
            "too_few": float(stats.binom.cdf(covered, len(expected), LEAST / 100)),
        }
    return table


def show(cells: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Iterator[str]:
    """Table in Markdown: coverage, and bias with its error, by clause and survey, in percent.

    A value near zero has no bias shown: an estimate that cannot be negative is too high on average.
    """
    yield "| clause | " + " | ".join(cells) + " |"
    yield "|---" * (1 + len(cells)) + "|"
    for test in dict.fromkeys(test for table in cells.values() for test in table):
        yield f"| {test} | " + " | ".join(_cell(table.get(test)) for table in cells.values()) + " |"


def sums(cells: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Iterator[str]:
    """Average coverage: of all, of values away from zero, of these by survey; and what is too low."""
    rows = [(name, test, row) for name, table in cells.items() for test, row in table.items()]
    far = [one for one in rows if _away(one[-1])]
    parts = [("all", rows), ("those that are not near zero", far)]
    parts += [(f"these of {name}", [one for one in far if one[0] == name]) for name in cells]
    for which, some in parts:
        if some:
            covered = np.average([row["covered"] for *_, row in some], weights=[row["surveys"] for *_, row in some])
            yield f"{covered:.1f} % of {which} ({len(some)})"
    low = [f"{test} of {name}" for name, test, row in rows if row["too_few"] < SIGNIFICANCE / len(rows)]
    yield f"significantly below {LEAST:g} %: {', '.join(low) or 'none'}"


def _away(row: Mapping[str, float]) -> bool:
    """Whether the true value is not near zero."""
    return row["true"] > NEAR_ZERO * row["error"] * np.sqrt(row["surveys"])


def _cell(row: Mapping[str, float] | None) -> str:
    """Coverage and bias."""
    if row is None:
        return "-"
    if not _away(row):
        return f"{row['covered']:.1f} (near zero)"
    bias, error = (100 * part / row["true"] for part in (row["unbiased"] - row["true"], row["error"]))
    return f"{row['covered']:.1f} ({bias:+.1f} ± {error:.1f})"


def main() -> None:
    """Run, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    cells = json.loads(asked.out.read_text(encoding="utf-8")) if asked.out.exists() else {}
    with ProcessPoolExecutor(asked.workers) as pool:
        for name in SCENARIOS:
            if max((row["surveys"] for row in cells.get(name, {}).values()), default=0) == asked.seeds:
                sys.stderr.write(f"{name}: as {asked.out} has it\n")
                continue
            tasks = [(name, seed) for seed in range(1, asked.seeds + 1)]
            cells[name] = summary(list(pool.map(one, tasks, chunksize=5)))
            asked.out.write_text(json.dumps(cells, indent=1) + "\n", encoding="utf-8")
            sys.stderr.write(f"{name}\n")
    sys.stdout.write("\n".join([*show(cells), "", *(f"- {line}" for line in sums(cells))]) + "\n")


if __name__ == "__main__":
    main()
