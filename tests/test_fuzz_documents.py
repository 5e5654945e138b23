"""Tests with a few mutants of `benchmarks.fuzz_documents`."""

from pathlib import Path

import pytest

from benchmarks import fuzz_documents

MUTANTS = {"document": 40, "profile": 60, "catalog": 40, "reference": 60, "scenario": 40, "waivers": 40, "package": 60}


@pytest.mark.slow
@pytest.mark.parametrize("kind", MUTANTS)
def test_mutants_are_read_or_refused_with_file_and_line(tmp_path: Path, kind: str) -> None:
    outcomes = list(fuzz_documents.run(MUTANTS[kind], 7, tmp_path, [kind]))
    assert [one for one in outcomes if one.ended not in ("accepted", "refused")] == []
    assert {one.kind for one in outcomes} == {kind}
    assert sum(one.ended == "refused" for one in outcomes) > MUTANTS[kind] / 4


def test_every_kind_of_mutation_occurs_and_seed_repeats_it() -> None:
    """The same seed gives the same mutants, and 200 seeds give every kind of mutation."""
    changes = {fuzz_documents.mutate("a: {b: [1, 2]}\n", fuzz_documents.random.Random(seed)) for seed in range(200)}
    again = {fuzz_documents.mutate("a: {b: [1, 2]}\n", fuzz_documents.random.Random(seed)) for seed in range(200)}
    assert changes == again
    assert {change.split()[-1] for change, _ in changes} >= {"out", "twice", "renamed", "alias", "merge", "replaced"}
    assert len({text for _, text in changes}) > 50


def test_outcomes_are_told_apart(tmp_path: Path) -> None:
    """The outcomes are a traceback, a message without file and line, a refusal and an accepted document."""

    def broken(_: Path) -> None:
        raise KeyError("x")

    def unplaced(_: Path) -> None:
        raise fuzz_documents.InputError("something is wrong")

    def placed(path: Path) -> None:
        raise fuzz_documents.InputError(f"{path}: line 3: wrong")

    loads = {broken: "traceback", unplaced: "unplaced", placed: "refused", str: "accepted"}
    for load, expected in loads.items():
        subject = fuzz_documents.Subject("kind", "a.yaml", "a: 1\n", load)
        assert fuzz_documents.read_mutant(subject, "a: 2\n", tmp_path)[0] == expected
        assert (tmp_path / "a.yaml").read_text() == "a: 1\n"
