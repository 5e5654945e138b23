"""Clauses and the cases that they make."""

from __future__ import annotations

from pathlib import Path

import pytest
from skyaccept.lib import requirements
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.tests.requirements.documents import (
    BANDS_OF,
    CLAUSES,
    PHOTOMETRY,
    POSITIONS,
    SHAPES,
    ZERO_POINTS,
    saved,
    with_change,
)


def test_cases_are_clauses_by_band_in_document_order() -> None:
    """Bands may be chosen; a choice that leaves nothing is an error."""
    both = requirements.load(["LSE-30", "LPM-17"])
    everything = [case.id for case in both.cases()]
    assert everything == [
        f"{requirement}-{clause}-{band}"
        for parts in (("OSS-REQ-0387", "OSS-REQ-0388", "OSS-REQ-0403"), ("LPM-17",) * 3)
        for requirement, names in zip(parts, (PHOTOMETRY + ZERO_POINTS, CLAUSES + POSITIONS, SHAPES), strict=True)
        for clause in names
        for band in BANDS_OF.get(clause, "ri" if clause in CLAUSES + SHAPES else clause[-3:])
    ]
    assert [case.id for case in both.cases(["i"])] == [name for name in everything if name.endswith("-i")]
    assert [case.document for case in both.cases(["i"])] == ["LSE-30"] * 27 + ["LPM-17"] * 27
    with pytest.raises(
        InputError, match="LSE-30, LPM-17 has clauses for bands g, i, r, u, y, z, and --band asks for N1, N2"
    ):
        both.cases(["N2", "N1"])
    with pytest.raises(InputError, match="no requirement to verify"):
        both.cases([])


def test_the_same_clause_may_have_other_limits_in_other_bands(tmp_path: Path) -> None:
    """Entries of one id, each with its own bands."""
    content = with_change("- id: AF1", "- id: AM1").replace("          - r\n", "          - z\n")
    found = requirements.load([saved(tmp_path, content)])
    assert [case.id for case in found.cases()] == ["REQ-1-AM1-r", "REQ-1-AM1-i", "REQ-1-AM1-z"]
