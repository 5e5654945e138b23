"""Results JSON with one thing wrong, through everything that reads results: ``python -m benchmarks.fuzz_results [N]``.

Nodes of the results of a run are deleted, doubled or replaced by odd values, one in each mutant. A mutant is loaded,
and where that works its page, all exports, comparisons both ways, its line protocol and its file of a history with its
page are made, in a process with bounds on time and memory. What is no `InputError` and no success is printed, and
the exit status is 1. The seed decides which mutants there are.
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
"""What a mutant may take."""

ODD: tuple[Any, ...] = (
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
"""What a node is replaced by."""

KINDS = ("well", "refused", "traceback", "hang", "memory")
"""What may become of a mutant; the first two are as they should be."""


@cache
def seeds() -> tuple[Any, Any]:
    """Results of a run with some cases of each kind, as JSON with a baseline, and the same as `Results`."""
    found = load_baseline(BASELINE)
    chosen = {result.test: result for result in found.results if result.test in CASES}
    chosen |= {result.verdict: result for result in found.results}  # type: ignore[misc]
    chosen |= {result.kind: result for result in found.results}
    kept = {id(result): result for result in chosen.values()}
    small = Results(found.run, found.dataset, tuple(kept.values()), found.definitions, found.uncovered[:2])
    other = comparison.with_baseline(small, small, "baseline.json")
    return json.loads(dumps(other.to_json())), small


def paths(node: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Places of all nodes; of a list of numbers the first and last."""
    if above:
        yield above
    if isinstance(node, dict):
        for key, inner in node.items():
            yield from paths(inner, (*above, key))
    elif isinstance(node, list):
        for k in sorted({0, 1, len(node) - 1} & set(range(len(node)))) if len(node) > 8 else range(len(node)):
            yield from paths(node[k], (*above, k))


def mutant(number: int, seed: int = 1) -> tuple[str, Any]:
    """What is wrong with a mutant, in words, and its JSON."""
    rng = random.Random(f"{seed} {number}")  # noqa: S311  (no secret)
    data = copy.deepcopy(seeds()[0])
    place = rng.choice(_places())
    node = data
    for key in place[:-1]:
        node = node[key]
    how = rng.randrange(-3, len(ODD))
    name = "/".join(map(str, place))
    if how == -3 or (how == -2 and isinstance(node, dict)):
        del node[place[-1]]
        return f"{name} deleted", data
    if how == -2:
        node.append(node[place[-1]])
        return f"{name} doubled", data
    if how == -1:
        other = rng.choice(_places())
        node[place[-1]] = _at(seeds()[0], other)
        return f"{name} replaced by {'/'.join(map(str, other))}", data
    node[place[-1]] = ODD[how]
    return f"{name} replaced by {ascii(ODD[how])[:40]}", data


@cache
def _places() -> list[tuple[Any, ...]]:
    """Places, those with the same names of keys less often where there are many."""
    groups: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
    for place in paths(seeds()[0]):
        groups.setdefault(tuple(str(key) for key in place if not isinstance(key, int)), []).append(place)
    rng = random.Random(1)  # noqa: S311  (no secret)
    return [place for group in groups.values() for place in rng.sample(group, min(len(group), 4))]


def _at(node: Any, place: Sequence[Any]) -> Any:
    for key in place:
        node = node[key]
    return copy.deepcopy(node)


def use(path: Path, folder: Path) -> None:
    """Do everything with a results JSON that the commands do."""
    found = model.load(path)
    html.page(found).encode()
    refused = []
    for convert in export.FORMATS.values():
        convert(found).encode()
    for before, after in ((seeds()[1], found), (found, seeds()[1]), (found, found)):
        changes = comparison.compare(before, after)
        html.comparison_page(before, after, changes).encode()
    for make in (lambda: influxdb.lines(found).encode(), lambda: _history(found, folder)):
        try:
            make()
        except InputError as error:  # the others have to work all the same
            refused.append(error)
    if refused:
        raise refused[0]


def _history(found: Results, folder: Path) -> None:
    path = history.append(found, folder)
    try:
        html.history_page(history.load(folder)).encode()
    finally:
        path.unlink()


def outcome(data: Any, folder: Path) -> tuple[str, str]:
    """What becomes of a mutant: one of `KINDS`, and the message."""
    path = folder / "results.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    try:
        use(path, folder / "history")
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
    return "well", ""


def _bounded(task: tuple[int, int]) -> tuple[str, str, str]:
    """Outcome of a mutant within bounds, with what is wrong with it."""
    number, seed = task
    words, data = mutant(number, seed)

    def stop(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        with tempfile.TemporaryDirectory() as folder:
            return words, *outcome(data, Path(folder))
    finally:
        signal.alarm(0)


def _limit() -> None:
    """Bound memory, and make errors of warnings, as the tests do."""
    warnings.simplefilter("error")
    resource.setrlimit(
        resource.RLIMIT_AS, (MEMORY + (4 << 30), MEMORY + (4 << 30))
    )  # libraries map 4 GiB that they do not use


def main() -> int:
    """Try mutants and count what becomes of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("number", nargs="?", type=int, default=4_000, metavar="N", help="(default: 4000)")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument("--processes", type=int, default=2, metavar="P")
    options = parser.parse_args()
    counts: Counter[str] = Counter()
    shown: Counter[str] = Counter()
    with multiprocessing.get_context("spawn").Pool(options.processes, _limit) as pool:
        tasks = [(number, options.seed) for number in range(options.number)]
        for words, kind, said in pool.imap(_bounded, tasks, chunksize=4):
            counts[kind] += 1
            if kind in KINDS[2:]:
                shown[said] += 1
                if shown[said] == 1:
                    sys.stdout.write(f"{kind}: {words}\n{said}\n")
    sys.stdout.write(f"{options.number} mutants: {', '.join(f'{kind} {counts[kind]}' for kind in KINDS)}\n")
    return int(any(counts[kind] for kind in KINDS[2:]))


if __name__ == "__main__":
    sys.exit(main())
