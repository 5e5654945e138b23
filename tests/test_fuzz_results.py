"""Tests with a few hundred mutants of `benchmarks.fuzz_results`."""

import copy
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import fuzz_results


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_mutants_are_read_or_refused_in_one_line(part: int, tmp_path: Path) -> None:
    """Use another seed than the benchmark, which tries thousands of mutants."""
    counts: Counter[str] = Counter()
    for number in range(50 * part, 50 * (part + 1)):
        description, data = fuzz_results.mutant(number, seed=2)
        outcome, message = fuzz_results.outcome(data, tmp_path)
        assert outcome in ("read", "refused"), f"{description}\n{message}"
        counts[outcome] += 1
    assert min(counts["read"], counts["refused"]) > 5


def test_number_determines_the_mutant() -> None:
    assert fuzz_results.mutant(3) == fuzz_results.mutant(3)
    assert len({fuzz_results.mutant(number)[0] for number in range(50)}) > 40


@pytest.mark.parametrize("threshold", ["", "x", "1e999 mas", "nan percent", None])
def test_threshold_without_number_is_not_plotted(threshold: str | None, tmp_path: Path) -> None:
    """A clause without threshold is read as well."""
    data = copy.deepcopy(fuzz_results.seeds()[0])
    levels = [level for result in data["results"] for level in result["levels"].values() if level["parameters"]]
    assert levels
    for level in levels:
        level["parameters"] = {} if threshold is None else dict.fromkeys(level["parameters"], threshold)
    assert fuzz_results.outcome(data, tmp_path) == ("read", "")
