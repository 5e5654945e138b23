"""Odd documents: ``python -m benchmarks.fuzz_documents [--mutants N] [--seed N] [--kind KIND] [--show]``.

Every YAML document that skyaccept reads, requirement documents, definitions, survey and reference profiles, scenarios,
waivers and an lsst.verify package, is changed at one node of its structure: left out, written twice, renamed, made an
alias of another, or replaced by an odd value. It has to be read, or refused in one message with file and line; printed
are the counts by kind and outcome, and what ended otherwise.
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

LONGEST = 20.0
"""Seconds that a document may take."""

LARGEST = 2 << 20
"""KiB that the process may take."""

ODD = (
    *("null", "true", "no", ".nan", ".inf", "-.inf", "1e308", "1.0e+308", "-1", "0", "1", "0.5", "9" * 25, "9" * 6000),
    *("''", "' '", "x" * 200, "x" * 30_000, "[]", "{}", "[null]", "[[1], {a: [b]}]", "{a: b}", "{1: 2}"),
    *("[" * 30 + "]" * 30, "'5'", "5 arcmin", "-5 arcmin", "0 mas", "1e308 mas", "nan deg", "-1 mag", "5 furlong"),
    *("10**9999999999 deg", "1 deg**(9**9**9)", "5 " + "(" * 60 + "deg" + ")" * 60, "deg", "degrees", "1000 mag"),
    *("'<= -5 mas'", "'<= 400 percent'", "'>= 0 mas'", "'<= 1e300 mas'", "'< 5'", "2027-02-30", "2027-03-31", "12:30"),
    *(":".join(["1"] * 3000), "010", "0x" + "f" * 3000, '"\\e[31m"', '"a\\nb"', '"\\u202e"', "../../etc/passwd", "'*'"),
    *("!mine x", "!!python/object:os.system {}", "!!binary aGk=", "!!set {a}", "!!int x"),
)
"""What a node is replaced by, as YAML."""

ROWS = "visit,band,ra,dec,mag,mag_err,snr,extendedness,flux,flux_err,zp,flag_bad,mjd,cls\n" + "".join(
    f"{visit},{band},{10 + 1e-2 * star},{1e-6 * visit},20.{star},0.01,100,0,{900 + star},9,27,0,{60000 + visit},0.1\n"
    for visit in range(4)
    for band in "gr"[visit % 2]
    for star in range(5)
)
"""A tiny catalog."""

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
    """A document took more than `LONGEST`; nothing on the way catches it."""


@dataclass(frozen=True)
class Subject:
    """A document, and how it is read once it stands in a file of this name in a folder."""

    kind: str
    name: str
    text: str
    load: Callable[[Path], object]


@dataclass(frozen=True)
class Outcome:
    """How the reading of a changed document ended: accepted, refused, unplaced, traceback, hang or memory."""

    kind: str
    name: str
    change: str
    ended: str
    message: str = ""


def subjects(folder: Path) -> list[Subject]:
    """Everything that is changed; of requirements and definitions small parts, to be read quickly."""
    catalog = folder / "catalog.csv"
    catalog.write_text(ROWS, encoding="utf-8")
    specification = requirements.load()
    shipped = {**requirements.shipped(), "definitions": Path(requirements.__file__).parents[2] / "requirements_specs"}
    shipped["definitions"] /= loading.DEFINITIONS
    found = [
        Subject("document", f"{name}-{number}.yaml", text, lambda path: requirements.load(["LSE-30", path]).cases())
        for name, path in shipped.items()
        for number, text in enumerate(_parts(path.read_text(encoding="utf-8")))
    ]
    found += [
        Subject("profile", f"{name}.yaml", path.read_text(encoding="utf-8"), profile.load)
        for name, path in profile.shipped().items()
    ]
    for name, text in (("rich", PROFILE), ("generic", profile.shipped()["generic"].read_text(encoding="utf-8"))):
        found.append(Subject("catalog", f"{name}.yaml", text, lambda path: readers.load(catalog, path)))
    found += [
        Subject("reference", f"{name}.yaml", path.read_text(encoding="utf-8"), lambda p: reference.load(catalog, p))
        for name, path in reference.shipped().items()
    ]
    found += [
        Subject("scenario", f"{name}.yaml", path.read_text(encoding="utf-8"), scenario.load)
        for name, path in scenario.shipped().items()
    ]
    found.append(
        Subject("waivers", "w.yaml", WAIVERS, lambda path: waivers.load(path, specification, date(2027, 1, 1)))
    )
    package = packages.write(folder / "package")
    found += [
        Subject("package", f"package/{name}", text, lambda _: requirements.load(package))
        for name, text in packages.SMALL.items()
        if name.endswith((".yaml", ".yml"))
    ]
    return found


def _parts(text: str) -> Iterator[str]:
    """Documents with one requirement or definition each, under other names than those that are shipped."""
    document = yaml.safe_load(text)
    for key in ("requirements", "definitions"):
        for one in document.get(key, ()):
            few = {**one, "id": f"{one['id']}-x"} | {
                part: one[part][:3] for part in ("clauses", "rules") if part in one
            }
            yield yaml.safe_dump({**document, key: [few]}, sort_keys=False)


def changed(text: str, draw: random.Random) -> tuple[str, str]:
    """Change one node of a YAML text; returns what was done, and the text."""
    roots = list(yaml.compose_all(text, Loader=LOADER))
    inner = [node for root in roots for node in _nodes(root) if not isinstance(node, yaml.ScalarNode) and node.value]
    parent = draw.choice(inner)
    at = draw.randrange(len(parent.value))
    done = draw.choice(("left out", "twice", "renamed", "alias", "merge", *["replaced"] * 8))
    node = parent.value[at]
    key = node[0].value if isinstance(node, tuple) else at
    where = f"line {(node[0] if isinstance(node, tuple) else node).start_mark.line + 1}, {key}"
    if done == "left out":
        del parent.value[at]
    elif done == "twice":
        parent.value.insert(at, parent.value[at])
    elif done == "renamed" and isinstance(parent, yaml.MappingNode):
        parent.value[at] = (_odd(draw.choice(("other", "''", "'<<'", "null", "1.10"))), parent.value[at][1])
    elif done == "merge" and isinstance(parent, yaml.MappingNode):
        parent.value.insert(0, (yaml.ScalarNode("tag:yaml.org,2002:merge", "<<"), draw.choice(inner)))
    else:
        new, words = (draw.choice(inner), "an alias") if done == "alias" else _replacement(draw)
        where += f" by {words[:60]}"
        done = "alias" if done == "alias" else "replaced"
        parent.value[at] = (parent.value[at][0], new) if isinstance(parent, yaml.MappingNode) else new
    return f"{where} {done}", yaml.serialize_all(roots, Dumper=DUMPER, allow_unicode=True, width=10**6)


def _replacement(draw: random.Random) -> tuple[yaml.Node, str]:
    words = draw.choice(ODD)
    return _odd(words), words


def _odd(words: str) -> yaml.Node:
    return yaml.compose(words, Loader=LOADER)


def _nodes(root: yaml.Node) -> Iterator[yaml.Node]:
    """A node and all in it, each once."""
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


def ended(subject: Subject, text: str, folder: Path) -> tuple[str, str]:
    """How the reading of a changed document ends, and what it says."""
    path = folder / subject.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    started = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, LONGEST)
    try:
        subject.load(path)
        found = ("accepted", "")
    except InputError as error:
        lines = str(error).splitlines()
        placed = all(re.search(r"\.ya?ml: line \d+", line) or "catalog.csv" in line for line in lines)
        found = ("refused" if placed else "unplaced", str(error))
    except TooLongError:
        found = ("hang", f"{time.monotonic() - started:.0f} s")
    except Exception:
        found = ("traceback", "".join(traceback.format_exc().splitlines(keepends=True)[-6:]))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        path.write_text(subject.text, encoding="utf-8")
    if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > LARGEST:
        found = ("memory", found[1])
    return found


def _too_long(_signal: int, _frame: FrameType | None) -> None:
    raise TooLongError


def run(mutants: int, seed: int, folder: Path, kinds: Sequence[str] = ()) -> Iterator[Outcome]:
    """Read so many changed documents, drawn evenly from the kinds."""
    signal.signal(signal.SIGALRM, _too_long)
    by_kind: dict[str, list[Subject]] = {}
    for subject in subjects(folder):
        by_kind.setdefault(subject.kind, []).append(subject)
    draw = random.Random(seed)  # noqa: S311  (no secret)
    for _ in range(mutants):
        subject = draw.choice(by_kind[draw.choice(list(kinds) or list(by_kind))])
        change, text = changed(subject.text, draw)
        yield Outcome(subject.kind, subject.name, change, *ended(subject, text, folder))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the counts as JSON; 1 where a document ended in anything but acceptance or a message with its place."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--mutants", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", action="append", default=[])
    parser.add_argument("--show", action="store_true", help="print what was accepted with an odd value")
    given = parser.parse_args(arguments)
    counts: dict[str, Counter[str]] = {}
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for one in run(given.mutants, given.seed, Path(folder), given.kind):
            counts.setdefault(one.kind, Counter())[one.ended] += 1
            if one.ended not in ("accepted", "refused"):
                bad += 1
                sys.stdout.write(f"{one.ended}: {one.name}, {one.change}\n{one.message}\n")
            elif given.show and one.ended == "accepted" and one.change.endswith("replaced"):
                sys.stdout.write(f"accepted: {one.name}, {one.change}\n")
            sys.stdout.flush()
    sys.stdout.write(json.dumps(counts, indent=1) + "\n")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
