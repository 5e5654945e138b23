"""A reduced run of `benchmarks.fuzz_documents`: odd documents of every kind are read, or refused with their place."""

from pathlib import Path

import pytest

from benchmarks import fuzz_documents

MUTANTS = {"document": 40, "profile": 60, "catalog": 40, "reference": 60, "scenario": 40, "waivers": 40, "package": 60}


@pytest.mark.slow
@pytest.mark.parametrize("kind", MUTANTS)
def test_odd_documents_are_read_or_refused_with_their_place(tmp_path: Path, kind: str) -> None:
    found = list(fuzz_documents.run(MUTANTS[kind], 7, tmp_path, [kind]))
    assert [one for one in found if one.ended not in ("accepted", "refused")] == []
    assert {one.kind for one in found} == {kind}
    assert sum(one.ended == "refused" for one in found) > MUTANTS[kind] / 4


def test_a_change_is_one_of_the_structure() -> None:
    """Drawn anew from the same seed it is the same."""
    changes = {fuzz_documents.changed("a: {b: [1, 2]}\n", fuzz_documents.random.Random(seed)) for seed in range(200)}
    again = {fuzz_documents.changed("a: {b: [1, 2]}\n", fuzz_documents.random.Random(seed)) for seed in range(200)}
    assert changes == again
    assert {change.split()[-1] for change, _ in changes} >= {"out", "twice", "renamed", "alias", "merge", "replaced"}
    assert len({text for _, text in changes}) > 50


def test_what_is_neither_read_nor_refused_is_told_apart(tmp_path: Path) -> None:
    """A traceback, a message without place, and a document that takes too long."""

    def broken(_: Path) -> None:
        raise KeyError("x")

    def unplaced(_: Path) -> None:
        raise fuzz_documents.InputError("something is wrong")

    def placed(path: Path) -> None:
        raise fuzz_documents.InputError(f"{path}: line 3: wrong")

    loads = {broken: "traceback", unplaced: "unplaced", placed: "refused", str: "accepted"}
    for load, expected in loads.items():
        subject = fuzz_documents.Subject("kind", "a.yaml", "a: 1\n", load)
        assert fuzz_documents.ended(subject, "a: 2\n", tmp_path)[0] == expected
        assert (tmp_path / "a.yaml").read_text() == "a: 1\n"
