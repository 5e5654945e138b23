"""Measure the mutation score of the tests of ``lib``.

``python -m benchmarks.mutation OUT.json [--mutants N] [--workers N] [--seed N]`` changes single operators, comparisons,
numbers and calls in the packages of `FOLDERS`: a random sample with the same number of mutants from each package. For
each mutant the tests of the module run first, then those of its package, then all of ``lib``. A mutant that no test
detects is printed with its line: it is equivalent to the original, or a test is missing.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).parents[1]
FOLDERS = tuple(f"lib/{name}" for name in ("separation", "sample", "metrics", "uncertainty", "decision", "readers"))
LIMIT = 900
"""Seconds after which the tests of a mutant are stopped; the mutant then counts as detected."""

_OPERATORS = {"+": "-", "-": "+", "*": "/", "/": "*", "//": "*", "**": "*", "%": "*", "&": "|", "|": "&", ">>": "<<"}
_COMPARISONS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "is not": "is", "is": "is not"}
_NAMES = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum", "any": "all", "all": "any"}
_NAMES |= {"nanmean": "nansum", "nanmedian": "nanmean", "nansum": "nanmean", "sum": "max", "mean": "sum"}
_NAMES |= {"floor": "ceil", "ceil": "floor", "sin": "cos", "cos": "sin", "and": "or", "or": "and"}


@dataclass(frozen=True)
class Mutant:
    """A change of a file: bytes ``start:end`` with ``old`` become ``new``."""

    path: str
    line: int
    start: int
    end: int
    old: str
    new: str


def all_mutants() -> list[Mutant]:
    """Return every mutant of `FOLDERS`."""
    mutants = []
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            source = path.read_text(encoding="utf-8")
            mutants += list(_find_mutants(str(path.relative_to(ROOT)), source))
    return mutants


def _find_mutants(path: str, source: str) -> Iterator[Mutant]:
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line.encode()))
    text = source.encode()

    def offset(line: int | None, column: int | None) -> int:
        return starts[(line or 1) - 1] + (column or 0)

    def operator_between(left: ast.expr, right: ast.expr, replacements: dict[str, str]) -> Iterator[Mutant]:
        start, end = offset(left.end_lineno, left.end_col_offset), offset(right.lineno, right.col_offset)
        gap = text[start:end].decode()
        sign = gap.strip(" ()\n")
        if sign in replacements:
            position = start + gap.index(sign)
            line = text[:position].count(b"\n") + 1
            yield Mutant(path, line, position, position + len(sign), sign, replacements[sign])

    for node in ast.walk(_without_annotations(ast.parse(source))):
        if isinstance(node, ast.BinOp):
            yield from operator_between(node.left, node.right, _OPERATORS)
        elif isinstance(node, ast.Compare) and len(node.ops) == 1:
            yield from operator_between(node.left, node.comparators[0], _COMPARISONS)
        elif isinstance(node, ast.BoolOp):
            yield from operator_between(node.values[0], node.values[1], _NAMES)
        elif isinstance(node, ast.Constant) and type(node.value) in (int, float, bool):
            start, end = offset(node.lineno, node.col_offset), offset(node.end_lineno, node.end_col_offset)
            new = str(not node.value) if type(node.value) is bool else f"({text[start:end].decode()} + 1)"
            yield Mutant(path, node.lineno, start, end, text[start:end].decode(), new)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if name in _NAMES:
                end = offset(node.func.end_lineno, node.func.end_col_offset)
                yield Mutant(path, node.func.end_lineno or 0, end - len(name), end, name, _NAMES[name])


def _without_annotations(tree: ast.Module) -> ast.Module:
    """Remove annotations, which have no effect when the code runs."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
            for argument in (*node.args.args, *node.args.kwonlyargs):
                argument.annotation = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Name("x")
    return tree


def detecting_tests(mutant: Mutant, copy: Path) -> str:
    """Return the tests that detect a mutant in a copy of the tree, or ""."""
    original = (copy / mutant.path).read_bytes()
    changed = original[: mutant.start] + mutant.new.encode() + original[mutant.end :]
    with replaced_file(copy, mutant.path, changed):
        return next((tests for tests in stages(mutant.path) if not passes(copy, [tests])), "")


def stages(path: str) -> list[str]:
    """Return the tests of a module, of its package, and of ``lib``, in order."""
    package, module = Path(path).parts[1], Path(path).name
    own = Path("lib/tests", package, f"test_{module}")
    return [*([str(own)] if (ROOT / own).is_file() else []), f"lib/tests/{package}", "lib/tests"]


def sample_mutants(whole: Sequence[Mutant], number: int, seed: int) -> list[Mutant]:
    """Draw a random sample with the same number of mutants from each folder."""
    rng = random.Random(seed)  # noqa: S311
    sample = []
    for k, folder in enumerate(FOLDERS):
        package_mutants = [mutant for mutant in whole if mutant.path.startswith(f"{folder}/")]
        size = number // len(FOLDERS) + (k < number % len(FOLDERS))
        sample += rng.sample(package_mutants, min(size, len(package_mutants)))
    return sample


@contextmanager
def replaced_file(copy: Path, name: str, content: bytes) -> Iterator[None]:
    """Replace the content of a file in a copy of the tree within a ``with`` block."""
    path = copy / name
    original = path.read_bytes()
    path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(original)


def passes(copy: Path, tests: list[str]) -> bool:
    """Return whether the given tests pass in a copy of the tree."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(command, cwd=copy, env=_environment(copy), capture_output=True, timeout=LIMIT)  # noqa: S603
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def copy_tree(folder: Path) -> Path:
    """Copy the tree to ``folder/tree``, whose package Python imports first."""
    copy = folder / "tree"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "build", "dist", "*.egg-info"))
    package = copy / "site" / "skyaccept"
    shutil.copytree(ROOT / "package", package)
    for name in ("acceptance", "cli", "fixtures", "lib", "requirements_specs", "synthetic"):
        (package / name).symlink_to(copy / name)
    return copy


def check(copy: Path, tests: list[str]) -> None:
    """Check that Python imports the copy, and that the given tests pass in it."""
    program = "import skyaccept.lib.catalog.detections as found; print(found.__file__)"
    where = subprocess.run([sys.executable, "-c", program], env=_environment(copy), capture_output=True, text=True)  # noqa: S603
    if str(copy) not in where.stdout or not passes(copy, tests):
        raise SystemExit(f"the tests do not pass in the unchanged copy {copy}: {where.stdout}{where.stderr}")


def _environment(copy: Path) -> dict[str, str]:
    single_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    return {**os.environ, **single_thread, "PYTHONPATH": str(copy / "site"), "SKYACCEPT_CACHE": str(copy / "cache")}


def main() -> None:
    """Run the tests against a sample of mutants."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--mutants", type=int, default=60)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    population = all_mutants()
    sample = sample_mutants(population, options.mutants, options.seed)
    with tempfile.TemporaryDirectory() as folder:
        copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(options.workers):
            copies.put(copy := copy_tree(Path(folder) / str(number)))
            check(copy, ["lib/tests/separation/test_pair.py"])

        def run_tests(mutant: Mutant) -> dict[str, object]:
            copy = copies.get()
            try:
                tests = detecting_tests(mutant, copy)
            finally:
                copies.put(copy)
            sys.stderr.write(f"{mutant.path}:{mutant.line}: {mutant.old} -> {mutant.new}: {tests or 'SURVIVED'}\n")
            return asdict(mutant) | {"noticed_by": tests}

        with ThreadPoolExecutor(options.workers) as pool:
            outcomes = list(pool.map(run_tests, sample))
    killed = sum(bool(outcome["noticed_by"]) for outcome in outcomes)
    options.out.write_text(
        json.dumps({"of": len(population), "tried": len(outcomes), "killed": killed, "mutants": outcomes}, indent=1)
    )
    sys.stdout.write(f"{killed} of {len(outcomes)} mutants are detected, of a total of {len(population):,}\n")


if __name__ == "__main__":
    main()
