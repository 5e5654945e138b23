"""Blocks of visits, which replicates leave out.

A block is made of whole groups of visits that share errors, such as nights
(`skyaccept.lib.catalog.visit_groups`). Groups are dealt in the order of the hashes of their names: a block is spread
over the time of the survey, so that what changes with time, such as the lever arm of a proper motion, changes little
when a block is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from skyaccept.lib.arrays import AnyArray, IntArray
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.sample.visit_matrix import VisitMatrix

BLOCKS = 10
"""Blocks of visits at most."""

FEWEST_GROUPS = 3
"""Groups of visits that an interval takes: the difference of two does not tell how they scatter."""


def check_groups(matrix: VisitMatrix, fewest: int, noun: str = "group") -> None:
    """Make sure that there are enough groups of visits for an interval.

    Parameters
    ----------
    matrix : VisitMatrix
    fewest : int
        Groups that the estimator needs; `FEWEST_GROUPS` in any case.
    noun : str
        What a group is called in the message, such as "night".

    Raises
    ------
    NotMeasurable
        Too few groups; the message says what to do if visits share them.
    """
    visits, groups, needed = len(_fewest(matrix)), number_of_groups(matrix), max(FEWEST_GROUPS, fewest)
    if groups >= needed:
        return
    start, remedy = "", ""
    if groups == visits:
        noun = "visit"
    else:
        start = f"{visits} visits in "
        remedy = f"; if visits of a {noun} do not share errors, take --visit-groups visit"
    raise NotMeasurable(
        f"no interval: {start}{groups} {noun}{'s' * (groups != 1)} cannot tell how much {noun}s differ, which takes "
        f"{needed}{remedy}"
    )


def blocks_of_visits(sides: Sequence[AnyArray], number: int) -> list[IntArray]:
    """Deal groups of visits to blocks, in the order of their hashes.

    Parameters
    ----------
    sides : sequence of (n,) uint64
        Hash of the group of each visit, for one or several sets of visits. A group has the same block in all of them.
    number : int
        Blocks.

    Returns
    -------
    list of (n,) int64
        Block of each visit.
    """
    block: dict[int, int] = {}
    for groups in sides:
        own = np.unique(groups).tolist()
        dealt = [block[group] for group in own if group in block]
        held = np.bincount(np.array(dealt, dtype=np.int64), minlength=number)
        for group in own:
            if group not in block:
                block[group] = int(held.argmin())
                held[block[group]] += 1
    return [np.array([block[group] for group in groups.tolist()], dtype=np.int64) for groups in sides]


def without_block(matrix: VisitMatrix, block: int | None) -> VisitMatrix:
    """The matrix without one block of visits."""
    if block is None:
        return matrix
    number = number_of_blocks(matrix)
    sides = _groups(matrix) if deletes_comparison(matrix) else _groups(matrix)[:1]
    kept = [blocks != block for blocks in blocks_of_visits(sides, number)]
    left = matrix.select(visits=kept[0], comparison_visits=kept[1] if len(kept) > 1 else None)
    return replace(left, min_visits=max(1, matrix.min_visits - int(np.count_nonzero(~kept[0]))))


def deletes_comparison(matrix: VisitMatrix) -> bool:
    """Whether visits that are compared with are left out as well; they are not if they are too few."""
    sides = _groups(matrix)
    return len(sides) > 1 and len(np.unique(sides[1])) >= number_of_blocks(matrix)


def number_of_blocks(matrix: VisitMatrix) -> int:
    """How many blocks of visits are left out, one after the other."""
    return min(number_of_groups(matrix), BLOCKS)


def number_of_groups(matrix: VisitMatrix) -> int:
    """Number of groups of visits, of the side that has fewer where both are left out together."""
    return len(np.unique(_fewest(matrix)))


def visits_in_words(matrix: VisitMatrix) -> str:
    """Return the number of visits, and that of their groups if visits share them."""
    groups = number_of_groups(matrix)
    visits = f"{matrix.n_visits} visits"
    return visits if groups >= matrix.n_visits else f"{visits} in {groups} groups"


def _fewest(matrix: VisitMatrix) -> AnyArray:
    """Groups of the visits of the side that has fewer groups where both are left out together."""
    sides = _groups(matrix) if matrix.delete_jointly else _groups(matrix)[:1]
    return min(sides, key=lambda groups: len(np.unique(groups)))


def _groups(matrix: VisitMatrix) -> list[AnyArray]:
    """Groups of the visits, and of those compared with; single visits where they are not known."""
    sides = [(matrix.values[0], matrix.visit_groups)]
    if matrix.comparison:
        sides.append((matrix.comparison[0], matrix.comparison_groups))
    return [np.arange(values.shape[1]) if groups is None else groups for values, groups in sides]
