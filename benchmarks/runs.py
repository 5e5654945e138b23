"""Measure duration and peak memory of complete runs, from file to report.

``python -m benchmarks.runs OUT.json`` simulates catalogs with 1e5, 1e6 and 1e7 detections, verifies each several times
in a separate process, and writes the results together with a description of the machine.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq

SIZES = {"1e5": (1_200, 100), "1e6": (11_600, 100), "1e7": (116_000, 100)}
"""Number of stars and visits in one band of a field of 3.6 degrees."""

ROUNDS = {"1e5": 5, "1e6": 5, "1e7": 5}


def simulate(stars: int, visits: int, catalog: Path) -> dict[str, float]:
    """Simulate the nominal scenario in r with the given numbers of stars and visits."""
    program = "import sys; from skyaccept.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "simulate", "nominal", "-o", str(catalog), "--band=r"]
    return run([*command, f"--stars={stars}", f"--visits={visits}"], catalog.parent)


def verify(catalog: Path) -> dict[str, float]:
    """Verify a catalog, from file to report."""
    folder = catalog.parent
    command = [sys.executable, "-m", "pytest", "--pyargs", "skyaccept.acceptance", f"--sky-dataset={catalog}"]
    command += ["--sky-band=r", "-q", f"--html={folder / 'report.html'}", f"--sky-results={folder / 'results.json'}"]
    return run(command, folder)


def run(command: list[str], folder: Path) -> dict[str, float]:
    """Run a command in a separate process.

    Returns its duration in seconds and its peak memory in GiB.
    """
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=folder)  # noqa: S603
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} ended with status {status}")
    return {"seconds": round(time.perf_counter() - started, 2), "peak_gib": round(usage.ru_maxrss / 2**20, 3)}


def main(out: Path) -> None:
    """Simulate and verify catalogs of all sizes and write the results."""
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size, (stars, visits) in SIZES.items():
            catalog = folder / "survey.parquet"
            simulated = simulate(stars, visits, catalog)
            runs = [verify(catalog) for _ in range(ROUNDS[size] + 1)][1:]
            detections = pq.read_metadata(catalog).num_rows
            figures[size] = {"detections": detections, "simulation": simulated, "runs": runs}
            sys.stdout.write(f"{size}: {json.dumps(figures[size])}\n")
    # the first process may compile code, so the second one counts
    command = [sys.executable, "-m", "benchmarks.memory"]
    memory = [subprocess.run(command, check=True, capture_output=True).stdout for _ in range(2)]  # noqa: S603
    machine = {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "python": platform.python_version(),
        "system": platform.platform(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
    }
    out.write_text(
        json.dumps({"machine": machine, "sizes": figures, "core_mb": json.loads(memory[1])}, indent=1) + "\n"
    )


def _processor() -> str:
    """Return the name of the processor, if the system reports it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
