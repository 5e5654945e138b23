"""A few hundred results JSON with one thing wrong: each is read and shown, or refused in one line with its place."""

from collections import Counter
from pathlib import Path

import pytest

from benchmarks import fuzz_results


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
