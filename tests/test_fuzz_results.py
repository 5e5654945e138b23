"""A few hundred results JSON with one thing wrong: each is read and shown, or refused in one line with its place."""

import copy
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import fuzz_results


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_what_is_wrong_with_results_is_shown_or_refused(part: int, tmp_path: Path) -> None:
    """Mutants of a seed of its own; the benchmark tries thousands."""
    found: Counter[str] = Counter()
    for number in range(50 * part, 50 * (part + 1)):
        words, data = fuzz_results.mutant(number, seed=2)
        kind, said = fuzz_results.outcome(data, tmp_path)
        assert kind in ("well", "refused"), f"{words}\n{said}"
        found[kind] += 1
    assert min(found["well"], found["refused"]) > 5


def test_a_mutant_is_that_of_its_number() -> None:
    assert fuzz_results.mutant(3) == fuzz_results.mutant(3)
    assert len({fuzz_results.mutant(number)[0] for number in range(50)}) > 40


@pytest.mark.parametrize("threshold", ["", "x", "1e999 mas", "nan percent", None])
def test_a_threshold_without_a_number_is_no_line_in_a_plot(threshold: str | None, tmp_path: Path) -> None:
    """Nor is there one where the clause states none."""
    data = copy.deepcopy(fuzz_results.seeds()[0])
    levels = [level for result in data["results"] for level in result["levels"].values() if level["parameters"]]
    assert levels
    for level in levels:
        level["parameters"] = {} if threshold is None else dict.fromkeys(level["parameters"], threshold)
    assert fuzz_results.outcome(data, tmp_path) == ("well", "")
