"""Tests of the benchmarks of mutation, coverage, recovery and faults."""

import ast
import json
import re

import numpy as np
import pytest
import yaml

from benchmarks import coverage, faults, mutation, recovery, table

SOURCE = '''"""One + two."""
LIMIT: int = 3
def f(a: float, n: int = 2) -> float:
    """Less <= more."""
    return max(a + n, 1.5) if a < LIMIT and not n else np.mean(a)
'''


@pytest.fixture(autouse=True)
def few_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    """Average the true values over fewer stars; nothing here depends on their precision."""
    monkeypatch.setattr(coverage, "FIELDS", 4)


def test_mutants_are_single_changes_that_compile() -> None:
    found = list(mutation._find_mutants("f.py", SOURCE))
    for mutant in found:
        compile(SOURCE[: mutant.start] + mutant.new + SOURCE[mutant.end :], "f.py", "exec")
        assert SOURCE[mutant.start : mutant.end] == mutant.old
        assert SOURCE[: mutant.start].count("\n") + 1 == mutant.line
    assert sorted((m.old, m.new) for m in found) == [
        ("+", "-"),
        ("1.5", "(1.5 + 1)"),
        ("2", "(2 + 1)"),
        ("3", "(3 + 1)"),
        ("<", "<="),
        ("and", "or"),
        ("max", "min"),
        ("mean", "sum"),
    ]


def test_sample_has_equally_many_mutants_of_each_package() -> None:
    whole = mutation.all_mutants()
    paths = {mutant.path for mutant in whole}
    sample = mutation.sample_mutants(whole, 14, seed=1)
    by_package = [sum(mutant.path.startswith(f"{folder}/") for mutant in sample) for folder in mutation.FOLDERS]
    assert by_package == [3, 3, 2, 2, 2, 2]
    assert sample == mutation.sample_mutants(whole, 14, seed=1)
    assert {
        "lib/uncertainty/matrix_errors.py",
        "lib/metrics/photometric_repeatability.py",
        "lib/separation/pair.py",
    } <= paths
    assert mutation.stages("lib/separation/pair.py")[0] == "lib/tests/separation/test_pair.py"
    assert len(whole) > 1000


def test_clause_with_low_coverage_is_listed() -> None:
    rng = np.random.default_rng(1)
    runs = []
    for _ in range(400):
        good, bad, zero = 9 + rng.standard_normal(3)
        runs.append(
            {
                "good": (9.0, good, good, good - 1.96, good + 1.96),
                "bad": (9.0, bad, bad, bad - 1.2, bad + 1.2),
                "zero": (0.0, zero, zero - 9, zero - 99, zero + 99),
            }
        )
    figures = recovery.summary(runs)
    assert 92 < figures["good"]["covered"] < 98
    assert figures["bad"]["covered"] < 82
    lines = list(recovery.average_lines({"survey": figures}))
    good, bad, zero = (figures[name]["covered"] for name in ("good", "bad", "zero"))
    assert f"{(good + bad + zero) / 3:.1f} % of all clauses (3)" in lines
    assert f"{(good + bad) / 2:.1f} % of clauses with values away from zero (2)" in lines
    assert f"{(good + bad) / 2:.1f} % of those in survey (2)" in lines
    assert lines[-1] == "significantly below 93 %: bad in survey"
    true, error = (figures["good"][name] for name in ("true", "error"))
    bias = f"{100 * (figures['good']['unbiased'] / true - 1):+.1f} ± {100 * error / true:.1f}"
    other = {"zero": figures["zero"], "other": figures["bad"]}
    rows = list(recovery.coverage_table({"survey": figures, "other": other}))
    assert rows[:2] == ["| clause | survey | other |", "|---|---|---|"]
    assert f"| good | {good:.1f} ({bias}) | - |" in rows
    assert f"| zero | {zero:.1f} (near zero) | {zero:.1f} (near zero) |" in rows


@pytest.mark.slow
def test_continued_table_equals_table_of_all_surveys() -> None:
    """Compare two surveys and then two more with four at once; only means are the same, medians are not."""
    cell = ("independent",), (3,)
    whole = coverage.run(4, 1, *cell)
    half = coverage.run(2, 1, *cell)
    saved: list[int] = []
    found = coverage.run(4, 1, *cell, lambda cells: saved.append(cells["independent 3"]["surveys"]), half)
    assert saved == [4]
    assert found["independent 3"]["surveys"] == whole["independent 3"]["surveys"] == 4
    for name, figures in whole["independent 3"]["metrics"].items():
        for key in ("covered", "below", "above", "accepted", "unbiased", "true"):
            assert abs(found["independent 3"]["metrics"][name][key] - figures[key]) < 1e-9 * max(1, abs(figures[key]))


def test_summary_counts_cases_beyond_their_bounds() -> None:
    def cell(surveys: int, covered: float, accepted: float) -> dict[str, object]:
        return {"surveys": surveys, "metrics": {"AM1": {"covered": covered, "accepted": accepted}}}

    cells = {"a 3": cell(300, 99, 5), "b 10": cell(300, 98, 6), "c 30": cell(300, 91, 4), "d 30": cell(2000, 91, 9)}
    corrected = "after Bonferroni correction"
    assert list(table.summary_lines(cells)) == [
        "Average coverage: 94.8 %; main metrics, 10 or more visits: 93.3 %.",
        f"2 of 4 coverages are below 93 %, 1 of them significantly (1 {corrected}): AM1, c 30: 91.0; AM1, d 30: 91.0.",
        f"1 of 3 coverages of main metrics are above 97 %, 0 of them significantly (0 {corrected}): AM1, b 10: 98.0.",
        "Average acceptance: 6.0 %.",
        f"2 of 4 acceptances are above 5 %, 1 of them significantly (1 {corrected}): AM1, d 30: 9.0; AM1, b 10: 6.0.",
    ]


@pytest.mark.slow
def test_slow_cells_get_fewer_surveys() -> None:
    found = coverage.run(2, 1, ("independent",), (3, coverage.EXPENSIVE_VISITS))
    assert {name: cell["surveys"] for name, cell in found.items()} == {"independent 3": 2, "independent 30": 1}


def test_documentation_states_the_number_of_surveys() -> None:
    cells = json.loads((mutation.ROOT / "docs/coverage.json").read_text(encoding="utf-8"))
    page = (mutation.ROOT / "docs/uncertainty.md").read_text(encoding="utf-8")
    assert len(cells) == len(coverage.REGIMES) * len(coverage.VISITS)
    numbers = {
        visits: {cells[f"{regime} {visits}"]["surveys"] for regime in coverage.REGIMES} for visits in coverage.VISITS
    }
    (surveys,) = numbers.pop(30)
    assert f" {surveys:,} with 30 visits" in page
    (surveys,) = set.union(*numbers.values())
    assert f" {surveys:,} surveys a cell" in page


@pytest.mark.slow
def test_each_fault_of_other_tools_has_a_wrong_line_and_a_test() -> None:
    """Each line to replace occurs once, the new file parses, and the documentation lists the same faults."""
    wrong = faults.load_wrong_lines()
    for one in wrong:
        source = (mutation.ROOT / one.file).read_text(encoding="utf-8")
        assert source.count(one.old) == 1, one
        changed = source.replace(one.old, one.new)
        assert changed != source
        if one.file.endswith(".py"):
            compile(changed, one.file, "exec")
        else:
            yaml.safe_load(changed)
        file, name = one.test.split("::")
        tests = ast.parse((mutation.ROOT / file).read_text(encoding="utf-8")).body
        assert name.split("[")[0] in {node.name for node in tests if isinstance(node, ast.FunctionDef)}, one
    page = (mutation.ROOT / "docs/faults-of-peers.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| .* \| `(\S+)`: .* \| `(\S+)` \|$", page, re.MULTILINE)
    assert [(int(number), *others) for number, *others in rows] == [
        (one.fault, one.file, one.test.split("[")[0]) for one in wrong
    ]
    without = [int(number) for number in re.findall(r"^- (\d+): ", page, re.MULTILINE)]
    assert sorted({one.fault for one in wrong} | set(without)) == list(range(1, 30))
    assert not {one.fault for one in wrong} & set(without)
