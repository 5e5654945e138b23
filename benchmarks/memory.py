"""Peak memory of the separation core: ``python -m benchmarks.memory`` prints it as JSON, in MB (Linux only).

Pairs 200 arcmin apart of 100,000 objects in 100 visits, once the positions are there.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from skyaccept.lib import separation
from skyaccept.lib.separation import Annulus

from benchmarks.test_kernels import ARCMIN, field


def status(key: str) -> float:
    """A figure of this process in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith(key))


def main() -> None:
    """Measure once the code is compiled and the input of `field` is gone."""
    annulus = Annulus(199.5 * ARCMIN, 200.5 * ARCMIN)
    few = field(3_000, 100, 1.8, False)
    separation.pair_rms(few, annulus, ddof=1, min_common_visits=2)
    started = status("VmRSS")
    where = field(100_000, 100, 1.8, False)
    held = status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    found = separation.pair_rms(where, annulus, ddof=1, min_common_visits=2)
    figures = {
        "pairs": found.pairs,
        "offsets": (where.stars.x.nbytes + where.stars.y.nbytes) / 1e6,
        "process_before": started,
        "process_with_positions": held,
        "peak": status("VmHWM"),
    }
    sys.stdout.write(json.dumps({name: round(value) for name, value in figures.items()}) + "\n")


if __name__ == "__main__":
    main()
