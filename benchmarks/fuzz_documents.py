"""Fuzz the readers of YAML documents with mutated documents.

``python -m benchmarks.fuzz_documents [--mutants N] [--seed N] [--kind KIND] [--show]`` mutates every kind of YAML
document that skyaccept reads: requirements, definitions, survey and reference profiles, scenarios, waivers and a
package for lsst.verify. A mutation deletes, duplicates, renames or replaces one node, or makes it an alias of another.
Each mutant must be read, or refused in one message with file and line. The program prints the counts by kind and
outcome, and every mutant with another outcome.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import FrameType
from typing import Any

import yaml
from skyaccept.lib import readers, requirements
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import profile, reference
from skyaccept.lib.requirements import loading, waivers
from skyaccept.lib.tests import packages
from skyaccept.synthetic import scenario

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

MAX_SECONDS = 20.0
"""Maximum time for a document in seconds."""

MAX_MEMORY = 2 << 20
"""Maximum memory of the process in KiB."""

ODD_VALUES = (
    *("null", "true", "no", ".nan", ".inf", "-.inf", "1e308", "1.0e+308", "-1", "0", "1", "0.5", "9" * 25, "9" * 6000),
    *("''", "' '", "x" * 200, "x" * 30_000, "[]", "{}", "[null]", "[[1], {a: [b]}]", "{a: b}", "{1: 2}"),
    *("[" * 30 + "]" * 30, "'5'", "5 arcmin", "-5 arcmin", "0 mas", "1e308 mas", "nan deg", "-1 mag", "5 furlong"),
    *("10**9999999999 deg", "1 deg**(9**9**9)", "5 " + "(" * 60 + "deg" + ")" * 60, "deg", "degrees", "1000 mag"),
    *("'<= -5 mas'", "'<= 400 percent'", "'>= 0 mas'", "'<= 1e300 mas'", "'< 5'", "2027-02-30", "2027-03-31", "12:30"),
    *(":".join(["1"] * 3000), "010", "0x" + "f" * 3000, '"\\e[31m"', '"a\\nb"', '"\\u202e"', "../../etc/passwd", "'*'"),
    *("!mine x", "!!python/object:os.system {}", "!!binary aGk=", "!!set {a}", "!!int x"),
)
"""Replacement values for nodes, as YAML."""

ROWS = "visit,band,ra,dec,mag,mag_err,snr,extendedness,flux,flux_err,zp,flag_bad,mjd,cls\n" + "".join(
    f"{visit},{band},{10 + 1e-2 * star},{1e-6 * visit},20.{star},0.01,100,0,{900 + star},9,27,0,{60000 + visit},0.1\n"
    for visit in range(4)
    for band in "gr"[visit % 2]
    for star in range(5)
)
"""Catalog of five stars in four visits, as CSV."""

PROFILE = """\
survey: rich
title: A profile with many keys
columns:
  visit: visit
  band: {name: band, codes: {g: g, r: r}}
  ra: {name: ra, unit: deg}
  dec: {name: dec, unit: deg, missing: [-99.0]}
  snr: snr
  mjd: {name: mjd, unit: d, plus: cls}
  extendedness: {name: cls, star_below: 0.5}
flux:
  flux: {name: flux, unit: nJy}
  error: {name: flux_err, unit: nJy}
flags:
  bad: {name: flag_bad, bad: true}
association_radius: 1 arcsec
"""

WAIVERS = """\
waivers:
  - {requirement: OSS-REQ-0388, clause: AM1, reason: Known., who: Somebody, expiry: 2999-01-01, band: r}
  - {requirement: OSS-REQ-0388, clause: AM2, reason: Known., who: Somebody, expiry: 2999-01-01, document: LSE-30}
"""


class TooLongError(BaseException):
    """A document took longer than `MAX_SECONDS`.

    It is not an ``Exception``, so that no reader catches it.
    """


@dataclass(frozen=True)
class Subject:
    """A document to mutate, and the function that reads its file."""

    kind: str
    name: str
    text: str
    load: Callable[[Path], object]


@dataclass(frozen=True)
class Outcome:
    """Outcome of a mutant.

    It is accepted, refused, unplaced (a message without file and line), traceback, hang or memory.
    """

    kind: str
    name: str
    change: str
    ended: str
    message: str = ""


def subjects(folder: Path) -> list[Subject]:
    """Return the documents to mutate.

    Requirements and definitions are split into small parts, for speed.
    """
    catalog = folder / "catalog.csv"
    catalog.write_text(ROWS, encoding="utf-8")
    specification = requirements.load()
    shipped = {**requirements.shipped(), "definitions": Path(requirements.__file__).parents[2] / "requirements_specs"}
    shipped["definitions"] /= loading.DEFINITIONS
    documents = [
        Subject("document", f"{name}-{number}.yaml", text, lambda path: requirements.load(["LSE-30", path]).cases())
        for name, path in shipped.items()
        for number, text in enumerate(_split(path.read_text(encoding="utf-8")))
    ]
    documents += [
        Subject("profile", f"{name}.yaml", path.read_text(encoding="utf-8"), profile.load)
        for name, path in profile.shipped().items()
    ]
    for name, text in (("rich", PROFILE), ("generic", profile.shipped()["generic"].read_text(encoding="utf-8"))):
        documents.append(Subject("catalog", f"{name}.yaml", text, lambda path: readers.load(catalog, path)))
    documents += [
        Subject("reference", f"{name}.yaml", path.read_text(encoding="utf-8"), lambda p: reference.load(catalog, p))
        for name, path in reference.shipped().items()
    ]
    documents += [
        Subject("scenario", f"{name}.yaml", path.read_text(encoding="utf-8"), scenario.load)
        for name, path in scenario.shipped().items()
    ]
    documents.append(
        Subject("waivers", "w.yaml", WAIVERS, lambda path: waivers.load(path, specification, date(2027, 1, 1)))
    )
    package = packages.write(folder / "package")
    documents += [
        Subject("package", f"package/{name}", text, lambda _: requirements.load(package))
        for name, text in packages.SMALL.items()
        if name.endswith((".yaml", ".yml"))
    ]
    return documents


def _split(text: str) -> Iterator[str]:
    """Split a document into one for each requirement or definition, renamed."""
    document = yaml.safe_load(text)
    for key in ("requirements", "definitions"):
        for item in document.get(key, ()):
            small = {**item, "id": f"{item['id']}-x"} | {
                part: item[part][:3] for part in ("clauses", "rules") if part in item
            }
            yield yaml.safe_dump({**document, key: [small]}, sort_keys=False)


def mutate(text: str, rng: random.Random) -> tuple[str, str]:
    """Mutate one node of a YAML text; returns a description and the new text."""
    roots = list(yaml.compose_all(text, Loader=LOADER))
    inner = [node for root in roots for node in _nodes(root) if not isinstance(node, yaml.ScalarNode) and node.value]
    parent = rng.choice(inner)
    position = rng.randrange(len(parent.value))
    action = rng.choice(("left out", "twice", "renamed", "alias", "merge", *["replaced"] * 8))
    node = parent.value[position]
    key = node[0].value if isinstance(node, tuple) else position
    where = f"line {(node[0] if isinstance(node, tuple) else node).start_mark.line + 1}, {key}"
    if action == "left out":
        del parent.value[position]
    elif action == "twice":
        parent.value.insert(position, parent.value[position])
    elif action == "renamed" and isinstance(parent, yaml.MappingNode):
        parent.value[position] = (
            _parse_node(rng.choice(("other", "''", "'<<'", "null", "1.10"))),
            parent.value[position][1],
        )
    elif action == "merge" and isinstance(parent, yaml.MappingNode):
        parent.value.insert(0, (yaml.ScalarNode("tag:yaml.org,2002:merge", "<<"), rng.choice(inner)))
    else:
        new, description = (rng.choice(inner), "an alias") if action == "alias" else _draw_replacement(rng)
        where += f" by {description[:60]}"
        action = "alias" if action == "alias" else "replaced"
        parent.value[position] = (parent.value[position][0], new) if isinstance(parent, yaml.MappingNode) else new
    return f"{where} {action}", yaml.serialize_all(roots, Dumper=DUMPER, allow_unicode=True, width=10**6)


def _draw_replacement(rng: random.Random) -> tuple[yaml.Node, str]:
    value = rng.choice(ODD_VALUES)
    return _parse_node(value), value


def _parse_node(value: str) -> yaml.Node:
    return yaml.compose(value, Loader=LOADER)


def _nodes(root: yaml.Node) -> Iterator[yaml.Node]:
    """Yield a node and all nodes below it, each once."""
    stack, seen = [root], set[int]()
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        if isinstance(node, yaml.MappingNode):
            stack += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            stack += node.value


def read_mutant(subject: Subject, text: str, folder: Path) -> tuple[str, str]:
    """Read a mutant; returns the outcome and the message."""
    path = folder / subject.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    started = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, MAX_SECONDS)
    try:
        subject.load(path)
        outcome = ("accepted", "")
    except InputError as error:
        lines = str(error).splitlines()
        placed = all(re.search(r"\.ya?ml: line \d+", line) or "catalog.csv" in line for line in lines)
        outcome = ("refused" if placed else "unplaced", str(error))
    except TooLongError:
        outcome = ("hang", f"{time.monotonic() - started:.0f} s")
    except Exception:
        outcome = ("traceback", "".join(traceback.format_exc().splitlines(keepends=True)[-6:]))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        path.write_text(subject.text, encoding="utf-8")
    if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > MAX_MEMORY:
        outcome = ("memory", outcome[1])
    return outcome


def _raise_too_long(_signal: int, _frame: FrameType | None) -> None:
    raise TooLongError


def run(mutants: int, seed: int, folder: Path, kinds: Sequence[str] = ()) -> Iterator[Outcome]:
    """Read the given number of mutants, drawn evenly from the kinds of documents."""
    signal.signal(signal.SIGALRM, _raise_too_long)
    by_kind: dict[str, list[Subject]] = {}
    for subject in subjects(folder):
        by_kind.setdefault(subject.kind, []).append(subject)
    rng = random.Random(seed)  # noqa: S311  (no secret)
    for _ in range(mutants):
        subject = rng.choice(by_kind[rng.choice(list(kinds) or list(by_kind))])
        change, text = mutate(subject.text, rng)
        yield Outcome(subject.kind, subject.name, change, *read_mutant(subject, text, folder))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the counts as JSON; returns 1 if a mutant had another outcome.

    Correct outcomes are to be accepted, or refused with file and line.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--mutants", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", action="append", default=[])
    parser.add_argument("--show", action="store_true", help="print the mutants with replaced values that were accepted")
    options = parser.parse_args(arguments)
    counts: dict[str, Counter[str]] = {}
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for outcome in run(options.mutants, options.seed, Path(folder), options.kind):
            counts.setdefault(outcome.kind, Counter())[outcome.ended] += 1
            if outcome.ended not in ("accepted", "refused"):
                bad += 1
                sys.stdout.write(f"{outcome.ended}: {outcome.name}, {outcome.change}\n{outcome.message}\n")
            elif options.show and outcome.ended == "accepted" and outcome.change.endswith("replaced"):
                sys.stdout.write(f"accepted: {outcome.name}, {outcome.change}\n")
            sys.stdout.flush()
    sys.stdout.write(json.dumps(counts, indent=1) + "\n")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
