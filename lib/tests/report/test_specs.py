"""Documents as text."""

from skyaccept.lib import requirements
from skyaccept.lib.report import specs


def test_each_requirement_clause_and_limit_has_its_line() -> None:
    lines = specs.table(requirements.load())
    assert lines[0] == "LSE-30: Observatory System Specifications"
    start = next(k for k, line in enumerate(lines) if line.startswith("    AM1: pair_separation_rms under lvv-t1278"))
    clause = lines[start : start + 7]
    assert "      with     separation = 5 arcmin" in clause
    assert any(line.startswith("      design   <= 10 mas   [") for line in clause)
    assert any(line.startswith("      tests    OSS-REQ-0388-AM1-r, OSS-REQ-0388-AM1-i") for line in clause)


def test_a_clause_without_a_test_says_why() -> None:
    lines = specs.table(requirements.load())
    start = next(k for k, line in enumerate(lines) if line.startswith("    ResSource: not covered"))
    assert any(line.startswith("      no test  ") for line in lines[start : start + 6])
