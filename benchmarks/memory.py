"""Measure the peak memory of the separation core (Linux only).

``python -m benchmarks.memory`` reduces the pairs 200 arcmin apart of 100,000 objects in 100 visits and prints the
memory in MB as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from skyaccept.lib import separation
from skyaccept.lib.separation import Annulus

from benchmarks.test_kernels import ARCMIN, draw_field


def process_memory(key: str) -> float:
    """Return an entry of ``/proc/self/status`` in MB, such as ``VmRSS``."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith(key))


def main() -> None:
    """Measure the peak memory of positions and reduction.

    A small run compiles the code first.
    """
    annulus = Annulus(199.5 * ARCMIN, 200.5 * ARCMIN)
    small = draw_field(3_000, 100, 1.8, False)
    separation.pair_rms(small, annulus, ddof=1, min_common_visits=2)
    started = process_memory("VmRSS")
    positions = draw_field(100_000, 100, 1.8, False)
    with_positions = process_memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    rms = separation.pair_rms(positions, annulus, ddof=1, min_common_visits=2)
    figures = {
        "pairs": rms.pairs,
        "offsets": (positions.stars.x.nbytes + positions.stars.y.nbytes) / 1e6,
        "process_before": started,
        "process_with_positions": with_positions,
        "peak": process_memory("VmHWM"),
    }
    sys.stdout.write(json.dumps({name: round(value) for name, value in figures.items()}) + "\n")


if __name__ == "__main__":
    main()
