"""Mutation score of the tests: ``python -m benchmarks.mutation OUT.json [--mutants N] [--workers N] [--seed N]``.

Single operators, comparisons, numbers and calls in the packages of `FOLDERS` are changed: a random choice, as many of
each package. The tests of ``lib`` are run against each: first those of the module, then those of its package, then all.
A mutant that no test notices is printed with its line: it is either equivalent or a missing test.
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
"""Seconds after which a mutant that never ends is killed."""

_OPERATORS = {"+": "-", "-": "+", "*": "/", "/": "*", "//": "*", "**": "*", "%": "*", "&": "|", "|": "&", ">>": "<<"}
_COMPARISONS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "is not": "is", "is": "is not"}
_NAMES = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum", "any": "all", "all": "any"}
_NAMES |= {"nanmean": "nansum", "nanmedian": "nanmean", "nansum": "nanmean", "sum": "max", "mean": "sum"}
_NAMES |= {"floor": "ceil", "ceil": "floor", "sin": "cos", "cos": "sin", "and": "or", "or": "and"}


@dataclass(frozen=True)
class Mutant:
    """A change of a file: what stands from one place to another, and what stands there instead."""

    path: str
    line: int
    start: int
    end: int
    old: str
    new: str


def mutants() -> list[Mutant]:
    """Every mutant of the folders."""
    found = []
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            source = path.read_text(encoding="utf-8")
            found += list(_of(str(path.relative_to(ROOT)), source))
    return found


def _of(path: str, source: str) -> Iterator[Mutant]:
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line.encode()))
    text = source.encode()

    def place(line: int | None, column: int | None) -> int:
        return starts[(line or 1) - 1] + (column or 0)

    def between(left: ast.expr, right: ast.expr, known: dict[str, str]) -> Iterator[Mutant]:
        start, end = place(left.end_lineno, left.end_col_offset), place(right.lineno, right.col_offset)
        said = text[start:end].decode()
        sign = said.strip(" ()\n")
        if sign in known:
            first = start + said.index(sign)
            line = text[:first].count(b"\n") + 1
            yield Mutant(path, line, first, first + len(sign), sign, known[sign])

    for node in ast.walk(_without_annotations(ast.parse(source))):
        if isinstance(node, ast.BinOp):
            yield from between(node.left, node.right, _OPERATORS)
        elif isinstance(node, ast.Compare) and len(node.ops) == 1:
            yield from between(node.left, node.comparators[0], _COMPARISONS)
        elif isinstance(node, ast.BoolOp):
            yield from between(node.values[0], node.values[1], _NAMES)
        elif isinstance(node, ast.Constant) and type(node.value) in (int, float, bool):
            start, end = place(node.lineno, node.col_offset), place(node.end_lineno, node.end_col_offset)
            new = str(not node.value) if type(node.value) is bool else f"({text[start:end].decode()} + 1)"
            yield Mutant(path, node.lineno, start, end, text[start:end].decode(), new)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if name in _NAMES:
                end = place(node.func.end_lineno, node.func.end_col_offset)
                yield Mutant(path, node.func.end_lineno or 0, end - len(name), end, name, _NAMES[name])


def _without_annotations(tree: ast.Module) -> ast.Module:
    """Take out what does nothing: annotations, and assignments to constants of the module that only name types."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
            for argument in (*node.args.args, *node.args.kwonlyargs):
                argument.annotation = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Name("x")
    return tree


def noticed(mutant: Mutant, copy: Path) -> str:
    """Which tests notice a mutant in a copy of the tree; empty where none does."""
    original = (copy / mutant.path).read_bytes()
    changed = original[: mutant.start] + mutant.new.encode() + original[mutant.end :]
    with written(copy, mutant.path, changed):
        return next((tests for tests in stages(mutant.path) if not passes(copy, [tests])), "")


def stages(path: str) -> list[str]:
    """Tests of a module, then those of its package, then all."""
    package, module = Path(path).parts[1], Path(path).name
    own = Path("lib/tests", package, f"test_{module}")
    return [*([str(own)] if (ROOT / own).is_file() else []), f"lib/tests/{package}", "lib/tests"]


def drawn(whole: Sequence[Mutant], number: int, seed: int) -> list[Mutant]:
    """Choose mutants at random, as many of each folder."""
    rng = random.Random(seed)  # noqa: S311
    chosen = []
    for k, folder in enumerate(FOLDERS):
        own = [mutant for mutant in whole if mutant.path.startswith(f"{folder}/")]
        share = number // len(FOLDERS) + (k < number % len(FOLDERS))
        chosen += rng.sample(own, min(share, len(own)))
    return chosen


@contextmanager
def written(copy: Path, name: str, content: bytes) -> Iterator[None]:
    """Put another content into a file of a copy of the tree for as long as it is needed."""
    path = copy / name
    original = path.read_bytes()
    path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(original)


def passes(copy: Path, tests: list[str]) -> bool:
    """Whether all of some tests pass in a copy of the tree."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(command, cwd=copy, env=_environment(copy), capture_output=True, timeout=LIMIT)  # noqa: S603
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def copied(folder: Path) -> Path:
    """Copy of the tree whose package is found before the one that is installed."""
    copy = folder / "tree"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "build", "dist", "*.egg-info"))
    package = copy / "site" / "skyaccept"
    shutil.copytree(ROOT / "package", package)
    for name in ("acceptance", "cli", "fixtures", "lib", "requirements_specs", "synthetic"):
        (package / name).symlink_to(copy / name)
    return copy


def check(copy: Path, tests: list[str]) -> None:
    """Make sure that some tests are those of the copy, and pass in it."""
    program = "import skyaccept.lib.catalog.detections as found; print(found.__file__)"
    where = subprocess.run([sys.executable, "-c", program], env=_environment(copy), capture_output=True, text=True)  # noqa: S603
    if str(copy) not in where.stdout or not passes(copy, tests):
        raise SystemExit(f"the tests do not pass in {copy} as it is: {where.stdout}{where.stderr}")


def _environment(copy: Path) -> dict[str, str]:
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    return {**os.environ, **one, "PYTHONPATH": str(copy / "site"), "SKYACCEPT_CACHE": str(copy / "cache")}


def main() -> None:
    """Run the tests against a choice of mutants."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--mutants", type=int, default=60)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    whole = mutants()
    chosen = drawn(whole, asked.mutants, asked.seed)
    with tempfile.TemporaryDirectory() as folder:
        copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(asked.workers):
            copies.put(copy := copied(Path(folder) / str(number)))
            check(copy, ["lib/tests/separation/test_pair.py"])

        def one(mutant: Mutant) -> dict[str, object]:
            copy = copies.get()
            try:
                by = noticed(mutant, copy)
            finally:
                copies.put(copy)
            sys.stderr.write(f"{mutant.path}:{mutant.line}: {mutant.old} -> {mutant.new}: {by or 'SURVIVED'}\n")
            return asdict(mutant) | {"noticed_by": by}

        with ThreadPoolExecutor(asked.workers) as pool:
            found = list(pool.map(one, chosen))
    killed = sum(bool(one["noticed_by"]) for one in found)
    asked.out.write_text(
        json.dumps({"of": len(whole), "tried": len(found), "killed": killed, "mutants": found}, indent=1)
    )
    sys.stdout.write(f"{killed} of {len(found)} mutants are noticed ({len(whole):,} there are)\n")


if __name__ == "__main__":
    main()
