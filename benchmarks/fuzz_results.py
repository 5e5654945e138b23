"""Fuzz everything that reads results JSON.

``python -m benchmarks.fuzz_results [N]`` tries N mutants of the results of a run; each has one node deleted, duplicated
or replaced by an odd value, as the seed determines. A mutant is loaded, and if this works, its report, all exports,
comparisons in both directions, its line protocol, and a history with its page are written, in a process with limited
time and memory. Any outcome other than success or an `InputError` is printed, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import copy
import json
import multiprocessing
import random
import resource
import signal
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from skyaccept.fixtures.dataset import load_baseline
from skyaccept.lib import export
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.export import influxdb
from skyaccept.lib.report import html
from skyaccept.lib.results import comparison, history, model
from skyaccept.lib.results.model import Results, dumps

BASELINE = "hsc-few-visits"
CASES = ("OSS-REQ-0388-AM1-r", "OSS-REQ-0388-AF1-r", "OSS-REQ-0387-PF1gri-r", "OSS-REQ-0388-AM2-r")
SECONDS, MEMORY = 20, 2 << 30
"""Maximum time in seconds and memory in bytes for a mutant."""

ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    1e-320,
    1e49,
    -1e49,
    1e308,
    float("nan"),
    float("inf"),
    2**63,
    10**400,
    "",
    "x",
    "1e999 mas",
    "\ud800",
    "\x00\x1b[31m\u202e\u2028",
    "=1+1|`<script>alert(1)</script>",
    "../../x",
    "x" * 100_000,
    [],
    [[]],
    [None, 1, "x"],
    [0.0] * 1_000,
    {},
    {"": None},
    {"design": {}},
)
"""Replacement values for nodes."""

OUTCOMES = ("read", "refused", "traceback", "hang", "memory")
"""Possible outcomes of a mutant; the first two are correct."""


@cache
def seeds() -> tuple[Any, Any]:
    """Return results with cases of every kind and verdict.

    They are JSON with a baseline, and `Results` without.
    """
    results = load_baseline(BASELINE)
    selected = {result.test: result for result in results.results if result.test in CASES}
    selected |= {result.verdict: result for result in results.results}  # type: ignore[misc]
    selected |= {result.kind: result for result in results.results}
    unique = {id(result): result for result in selected.values()}
    small = Results(results.run, results.dataset, tuple(unique.values()), results.definitions, results.uncovered[:2])
    other = comparison.with_baseline(small, small, "baseline.json")
    return json.loads(dumps(other.to_json())), small


def node_paths(node: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the paths of all nodes; of a long list only the first two and the last."""
    if above:
        yield above
    if isinstance(node, dict):
        for key, inner in node.items():
            yield from node_paths(inner, (*above, key))
    elif isinstance(node, list):
        for k in sorted({0, 1, len(node) - 1} & set(range(len(node)))) if len(node) > 8 else range(len(node)):
            yield from node_paths(node[k], (*above, k))


def mutant(number: int, seed: int = 1) -> tuple[str, Any]:
    """Create a mutant; returns a description of the mutation, and the JSON."""
    rng = random.Random(f"{seed} {number}")  # noqa: S311  (no secret)
    data = copy.deepcopy(seeds()[0])
    path = rng.choice(_mutated_paths())
    node = data
    for key in path[:-1]:
        node = node[key]
    choice = rng.randrange(-3, len(ODD_VALUES))
    name = "/".join(map(str, path))
    if choice == -3 or (choice == -2 and isinstance(node, dict)):
        del node[path[-1]]
        return f"{name} deleted", data
    if choice == -2:
        node.append(node[path[-1]])
        return f"{name} duplicated", data
    if choice == -1:
        other = rng.choice(_mutated_paths())
        node[path[-1]] = _node_at(seeds()[0], other)
        return f"{name} replaced by {'/'.join(map(str, other))}", data
    node[path[-1]] = ODD_VALUES[choice]
    return f"{name} replaced by {ascii(ODD_VALUES[choice])[:40]}", data


@cache
def _mutated_paths() -> list[tuple[Any, ...]]:
    """Return at most four of the paths that differ only in list positions."""
    groups: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
    for path in node_paths(seeds()[0]):
        groups.setdefault(tuple(str(key) for key in path if not isinstance(key, int)), []).append(path)
    rng = random.Random(1)  # noqa: S311  (no secret)
    return [path for group in groups.values() for path in rng.sample(group, min(len(group), 4))]


def _node_at(node: Any, path: Sequence[Any]) -> Any:
    for key in path:
        node = node[key]
    return copy.deepcopy(node)


def use_results(path: Path, folder: Path) -> None:
    """Load a results JSON and write everything that the commands make from it."""
    results = model.load(path)
    html.page(results).encode()
    refused = []
    for convert in export.FORMATS.values():
        convert(results).encode()
    for before, after in ((seeds()[1], results), (results, seeds()[1]), (results, results)):
        changes = comparison.compare(before, after)
        html.comparison_page(before, after, changes).encode()
    for make in (lambda: influxdb.lines(results).encode(), lambda: _write_history(results, folder)):
        try:
            make()
        except InputError as error:  # the other output must still work
            refused.append(error)
    if refused:
        raise refused[0]


def _write_history(results: Results, folder: Path) -> None:
    path = history.append(results, folder)
    try:
        html.history_page(history.load(folder)).encode()
    finally:
        path.unlink()


def outcome(data: Any, folder: Path) -> tuple[str, str]:
    """Use a mutant; returns one of `OUTCOMES`, and the message."""
    path = folder / "results.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    try:
        use_results(path, folder / "history")
    except InputError as error:
        lines = str(error).splitlines()
        return (
            ("refused", lines[0]) if len(lines) == 1 and str(path) in lines[0] else ("traceback", f"message: {error}")
        )
    except TimeoutError:
        return "hang", f"more than {SECONDS} s"
    except MemoryError:
        return "memory", f"more than {MEMORY:,} bytes"
    except Exception:
        return "traceback", "".join(traceback.format_exc().splitlines(keepends=True)[-5:])
    return "read", ""


def _timed_outcome(task: tuple[int, int]) -> tuple[str, str, str]:
    """Return the description, outcome and message of a mutant, with limited time."""
    number, seed = task
    description, data = mutant(number, seed)

    def stop(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        with tempfile.TemporaryDirectory() as folder:
            return description, *outcome(data, Path(folder))
    finally:
        signal.alarm(0)


def _limit_process() -> None:
    """Limit the memory, and turn warnings into errors as the tests do."""
    warnings.simplefilter("error")
    resource.setrlimit(
        resource.RLIMIT_AS, (MEMORY + (4 << 30), MEMORY + (4 << 30))
    )  # libraries reserve 4 GiB of address space that they do not use


def main() -> int:
    """Try mutants and count the outcomes; returns 1 if there were faults."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("number", nargs="?", type=int, default=4_000, metavar="N", help="(default: 4000)")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument("--processes", type=int, default=2, metavar="P")
    options = parser.parse_args()
    counts: Counter[str] = Counter()
    shown: Counter[str] = Counter()
    with multiprocessing.get_context("spawn").Pool(options.processes, _limit_process) as pool:
        tasks = [(number, options.seed) for number in range(options.number)]
        for description, kind, message in pool.imap(_timed_outcome, tasks, chunksize=4):
            counts[kind] += 1
            if kind in OUTCOMES[2:]:
                shown[message] += 1
                if shown[message] == 1:
                    sys.stdout.write(f"{kind}: {description}\n{message}\n")
    sys.stdout.write(f"{options.number} mutants: {', '.join(f'{kind} {counts[kind]}' for kind in OUTCOMES)}\n")
    return int(any(counts[kind] for kind in OUTCOMES[2:]))


if __name__ == "__main__":
    sys.exit(main())
