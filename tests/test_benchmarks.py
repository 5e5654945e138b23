"""What benchmarks of the tests and of the intervals count."""

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
    """True values of fewer stars, which nothing here depends on."""
    monkeypatch.setattr(coverage, "FIELDS", 4)


def test_mutants_are_single_changes_of_code_that_still_compiles() -> None:
    found = list(mutation._of("f.py", SOURCE))
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


def test_mutants_are_drawn_from_every_package_alike() -> None:
    whole = mutation.mutants()
    paths = {mutant.path for mutant in whole}
    chosen = mutation.drawn(whole, 14, seed=1)
    by_package = [sum(mutant.path.startswith(f"{folder}/") for mutant in chosen) for folder in mutation.FOLDERS]
    assert by_package == [3, 3, 2, 2, 2, 2]
    assert chosen == mutation.drawn(whole, 14, seed=1)
    assert {
        "lib/uncertainty/matrix_errors.py",
        "lib/metrics/photometric_repeatability.py",
        "lib/separation/pair.py",
    } <= paths
    assert mutation.stages("lib/separation/pair.py")[0] == "lib/tests/separation/test_pair.py"
    assert len(whole) > 1000


def test_a_clause_that_is_covered_too_seldom_is_named() -> None:
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
    lines = list(recovery.sums({"survey": figures}))
    good, bad, zero = (figures[name]["covered"] for name in ("good", "bad", "zero"))
    assert f"{(good + bad + zero) / 3:.1f} % of all (3)" in lines
    assert f"{(good + bad) / 2:.1f} % of those that are not near zero (2)" in lines
    assert f"{(good + bad) / 2:.1f} % of these of survey (2)" in lines
    assert lines[-1] == "significantly below 93 %: bad of survey"
    true, error = (figures["good"][name] for name in ("true", "error"))
    bias = f"{100 * (figures['good']['unbiased'] / true - 1):+.1f} ± {100 * error / true:.1f}"
    other = {"zero": figures["zero"], "other": figures["bad"]}
    rows = list(recovery.show({"survey": figures, "other": other}))
    assert rows[:2] == ["| clause | survey | other |", "|---|---|---|"]
    assert f"| good | {good:.1f} ({bias}) | - |" in rows
    assert f"| zero | {zero:.1f} (near zero) | {zero:.1f} (near zero) |" in rows


@pytest.mark.slow
def test_a_table_that_is_continued_is_that_of_all_surveys() -> None:
    """Two surveys and then two more, against four at once; medians of widths are averaged."""
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


def test_figures_beyond_their_bounds_are_counted() -> None:
    def cell(surveys: int, covered: float, accepted: float) -> dict[str, object]:
        return {"surveys": surveys, "metrics": {"AM1": {"covered": covered, "accepted": accepted}}}

    cells = {"a 3": cell(300, 99, 5), "b 10": cell(300, 98, 6), "c 30": cell(300, 91, 4), "d 30": cell(2000, 91, 9)}
    assert list(table.sums(cells)) == [
        "Covered are 94.8 % on average, of those asked from ten visits on 93.3 %.",
        "2 of 4 are below 93 %, 1 by more than chance for one alone, 1 for all; AM1 of c 30 91.0; AM1 of d 30 91.0.",
        "1 of 3 asked are above 97 %, 0 by more than chance for one alone, 0 for all; AM1 of b 10 98.0.",
        "Accepted are 6.0 % on average.",
        "2 of 4 are above 5 %, 1 by more than chance for one alone, 1 for all; AM1 of d 30 9.0; AM1 of b 10 6.0.",
    ]


@pytest.mark.slow
def test_dear_cells_get_fewer_surveys() -> None:
    found = coverage.run(2, 1, ("independent",), (3, coverage.DEAR[0]))
    assert {name: cell["surveys"] for name, cell in found.items()} == {"independent 3": 2, "independent 30": 1}


def test_the_documentation_names_the_surveys_of_its_tables() -> None:
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
def test_faults_of_other_tools_are_wrong_lines_that_a_test_is_there_for() -> None:
    """Each can be written, in one place, and is read; the documentation names the same, and leaves no fault out."""
    wrong = faults.wrong_lines()
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
