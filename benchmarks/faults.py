"""Faults of other tools, written as wrong lines into a copy of the tree: ``python -m benchmarks.faults [NUMBER ...]``.

What is written where, and which test has to notice it, stands in ``faults.yaml``; what the faults are, in
``docs/faults-of-peers.md``. A wrong line that its test does not notice is printed, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks.mutation import ROOT, check, copied, passes, written


@dataclass(frozen=True)
class WrongLine:
    """A change of a file that brings in a fault, by its number in the documentation, and the test that notices it."""

    fault: int
    file: str
    old: str
    new: str
    test: str


def wrong_lines() -> list[WrongLine]:
    """All that stand in ``faults.yaml``."""
    content = (Path(__file__).parent / "faults.yaml").read_text(encoding="utf-8")
    return [WrongLine(**entry) for entry in yaml.safe_load(content)]


def noticed(wrong: WrongLine, copy: Path) -> bool:
    """Whether the test notices the wrong line in a copy of the tree."""
    source = (ROOT / wrong.file).read_text(encoding="utf-8")
    with written(copy, wrong.file, source.replace(wrong.old, wrong.new).encode()):
        return not passes(copy, [wrong.test])


def main() -> int:
    """Run the tests against the wrong lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faults", nargs="*", type=int, metavar="NUMBER", help="faults to try (default: all)")
    asked = parser.parse_args().faults
    tried = [wrong for wrong in wrong_lines() if not asked or wrong.fault in asked]
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = copied(Path(folder))
        check(copy, sorted({wrong.test for wrong in tried}))
        for wrong in tried:
            seen = noticed(wrong, copy)
            missed += not seen
            sys.stderr.write(f"{wrong.fault}: {wrong.file}: {wrong.test if seen else f'MISSED by {wrong.test}'}\n")
    sys.stdout.write(f"{len(tried) - missed} of {len(tried)} wrong lines are noticed\n")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
