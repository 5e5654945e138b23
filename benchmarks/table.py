"""Tables of `benchmarks.coverage` in Markdown, and what they come to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import stats

ASKED, MANY = ("AM1", "AF1", "AD1", "PA1", "PF1", "PA2", "AB1", "AA1"), 10
"""Metrics whose coverage should not be too large either, and visits from which."""

_NAMED = 4  # figures that are farthest beyond a bound

Cells = dict[str, Any]


def show(cells: Cells) -> Iterator[str]:
    """Tables in Markdown by metric and cell.

    First coverage in percent and median width, then how often a limit at the true value is met, in percent: under the
    guarded rule, and by the value itself.
    """
    names = list(next(iter(cells.values()))["metrics"])
    figures = (
        lambda found: f"{found['covered']:.1f} ({found['width']:.2g})",
        lambda found: f"{found['accepted']:.1f} ({found['accepted_simply']:.0f})",
    )
    for shown in figures:
        yield "| regime | visits | " + " | ".join(names) + " |"
        yield "|---" * (2 + len(names)) + "|"
        for cell, found in cells.items():
            yield "| " + " | ".join([*cell.split(), *(shown(found["metrics"][name]) for name in names)]) + " |"
        yield ""


def sums(cells: Cells) -> Iterator[str]:
    """What the tables come to, in sentences.

    Coverage is compared with 93 %, and of `ASKED` metrics from `MANY` visits on with 97 % too; how often a limit just
    below the true value is met, with 5 %. Each by a binomial test, for one figure alone and for all (Bonferroni).
    """
    rows = [
        (f"{name} of {cell}", name in ASKED and int(cell.split()[1]) >= MANY, found["surveys"], figures)
        for cell, found in cells.items()
        for name, figures in found["metrics"].items()
    ]
    asked = [row for row in rows if row[1]]

    def mean(some: list[Any], key: str) -> str:
        return f"{np.mean([figures[key] for *_, figures in some]):.1f} %"

    def beyond(some: list[Any], key: str, bound: float, above: bool, what: str) -> str:
        far = []
        for name, _, n, figures in some:
            times = round(n * figures[key] / 100)
            chance = stats.binomtest(times, n, bound / 100, "greater" if above else "less").pvalue
            far.append((figures[key], name, chance))
        found = sorted((one for one in far if (one[0] > bound) == above and one[0] != bound), reverse=above)
        alone, together = (sum(p < 0.05 / m for *_, p in found) for m in (1, len(some)))
        names = "".join(f"; {name} {value:.1f}" for value, name, _ in found[:_NAMED])
        said = f"{len(found)} of {len(some)} {what} {bound:g} %, {alone} by more than chance for one alone"
        return f"{said}, {together} for all{names}."

    yield f"Covered are {mean(rows, 'covered')} on average, of those asked from ten visits on {mean(asked, 'covered')}."
    yield beyond(rows, "covered", 93, False, "are below")
    yield beyond(asked, "covered", 97, True, "asked are above")
    yield f"Accepted are {mean(rows, 'accepted')} on average."
    yield beyond(rows, "accepted", 5, True, "are above")
