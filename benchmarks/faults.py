"""Check that tests detect known faults of other tools.

``python -m benchmarks.faults [NUMBER ...]`` writes each fault as a wrong line into a copy of the tree and runs the test
that must fail. ``faults.yaml`` lists the lines and tests, ``docs/faults-of-peers.md`` describes the faults. Undetected
faults are printed, and the exit status is 1 if there are any.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks.mutation import ROOT, check, copy_tree, passes, replaced_file


@dataclass(frozen=True)
class WrongLine:
    """A change that introduces a documented fault, and the test to detect it."""

    fault: int
    file: str
    old: str
    new: str
    test: str


def load_wrong_lines() -> list[WrongLine]:
    """Return the wrong lines of ``faults.yaml``."""
    content = (Path(__file__).parent / "faults.yaml").read_text(encoding="utf-8")
    return [WrongLine(**entry) for entry in yaml.safe_load(content)]


def is_detected(wrong: WrongLine, copy: Path) -> bool:
    """Return whether the test fails with the wrong line in a copy of the tree."""
    source = (ROOT / wrong.file).read_text(encoding="utf-8")
    with replaced_file(copy, wrong.file, source.replace(wrong.old, wrong.new).encode()):
        return not passes(copy, [wrong.test])


def main() -> int:
    """Run the test of each wrong line; returns 1 if one does not fail."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faults", nargs="*", type=int, metavar="NUMBER", help="fault numbers (default: all)")
    numbers = parser.parse_args().faults
    tried = [wrong for wrong in load_wrong_lines() if not numbers or wrong.fault in numbers]
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = copy_tree(Path(folder))
        check(copy, sorted({wrong.test for wrong in tried}))
        for wrong in tried:
            detected = is_detected(wrong, copy)
            missed += not detected
            sys.stderr.write(f"{wrong.fault}: {wrong.file}: {wrong.test if detected else f'MISSED by {wrong.test}'}\n")
    sys.stdout.write(f"{len(tried) - missed} of {len(tried)} wrong lines are detected\n")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
