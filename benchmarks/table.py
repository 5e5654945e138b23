"""Tables and averages of the results of `benchmarks.coverage`, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import stats

MAIN_METRICS = ("AM1", "AF1", "AD1", "PA1", "PF1", "PA2", "AB1", "AA1")
"""Metrics whose coverage must not be too large either, from `MANY_VISITS` visits on."""

MANY_VISITS = 10

_LISTED = 4  # extreme cases listed by name

Cells = dict[str, Any]


def coverage_tables(cells: Cells) -> Iterator[str]:
    """Format two tables in Markdown by metric and cell.

    The first has the coverage in percent and the median width. The second has how often a limit at the true value is
    passed, in percent: under the guarded rule, and by the measured value itself.
    """
    names = list(next(iter(cells.values()))["metrics"])
    figures = (
        lambda content: f"{content['covered']:.1f} ({content['width']:.2g})",
        lambda content: f"{content['accepted']:.1f} ({content['accepted_simply']:.0f})",
    )
    for shown in figures:
        yield "| regime | visits | " + " | ".join(names) + " |"
        yield "|---" * (2 + len(names)) + "|"
        for cell, content in cells.items():
            yield "| " + " | ".join([*cell.split(), *(shown(content["metrics"][name]) for name in names)]) + " |"
        yield ""


def summary_lines(cells: Cells) -> Iterator[str]:
    """Summarize the tables in sentences.

    Coverage is compared with 93 %, and for `MAIN_METRICS` from `MANY_VISITS` visits on with 97 % as well. The fraction
    of surveys that pass a limit just below the true value is compared with 5 %. Binomial tests count the significant
    cases at the 5 % level, without and with a Bonferroni correction for the number of cases.
    """
    rows = [
        (f"{name}, {cell}", name in MAIN_METRICS and int(cell.split()[1]) >= MANY_VISITS, content["surveys"], figures)
        for cell, content in cells.items()
        for name, figures in content["metrics"].items()
    ]
    main = [row for row in rows if row[1]]

    def mean(some: list[Any], key: str) -> str:
        return f"{np.mean([figures[key] for *_, figures in some]):.1f} %"

    def count_beyond(some: list[Any], key: str, bound: float, above: bool, label: str) -> str:
        cases = []
        for name, _, n, figures in some:
            successes = round(n * figures[key] / 100)
            p_value = stats.binomtest(successes, n, bound / 100, "greater" if above else "less").pvalue
            cases.append((figures[key], name, p_value))
        beyond = sorted((case for case in cases if (case[0] > bound) == above and case[0] != bound), reverse=above)
        single, corrected = (sum(p < 0.05 / m for *_, p in beyond) for m in (1, len(some)))
        names = "; ".join(f"{name}: {value:.1f}" for value, name, _ in beyond[:_LISTED])
        counts = f"{len(beyond)} of {len(some)} {label} {bound:g} %, {single} of them significantly"
        return f"{counts} ({corrected} after Bonferroni correction)" + (f": {names}." if names else ".")

    extra = f"main metrics, {MANY_VISITS} or more visits: {mean(main, 'covered')}"
    yield f"Average coverage: {mean(rows, 'covered')}; {extra}."
    yield count_beyond(rows, "covered", 93, False, "coverages are below")
    yield count_beyond(main, "covered", 97, True, "coverages of main metrics are above")
    yield f"Average acceptance: {mean(rows, 'accepted')}."
    yield count_beyond(rows, "accepted", 5, True, "acceptances are above")
