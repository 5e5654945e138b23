"""Fuzz the readers with mutated catalogs of all formats.

``python -m benchmarks.fuzz_catalogs --count 500`` tries 500 inputs of each format, ``--seconds 120`` as many as two
minutes allow. Each input must be read or refused with one message. Any other outcome (traceback, hang, crash, too much
memory, rows that are not accounted for) is a fault: the input is saved in the folder ``--keep``, and the exit status
is 1.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from skyaccept.lib import requirements
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.measure import Measurer, Options
from skyaccept.lib.readers import inspection, load
from skyaccept.lib.requirements.model import Specification

from benchmarks import fuzz_seeds, fuzz_structure

HANG = 20.0
"""Seconds after which reading an input counts as a hang."""

MEMORY = 2 * 1024**3
"""Maximum peak memory of the process in bytes."""

CLAUSES = ("AM1", "PA1gri")
"""Clauses that are measured with the data of an input."""

OUTCOMES = ("read", "other rows", "refused", "fault")
"""Possible outcomes; ``other rows`` means that an input was read with another number of rows than the original."""

TOKENS = (
    *(b"", b"0", b"-1", b"1e308", b"nan", b"inf", b"99999999999999999999", b"2147483648", b"-9223372036854775809"),
    *(b"\xff", b"\0", b"\n", b"\r", b'"', b"'", b",", b";", b"\t", b"|", b"#", b"\\", b"[]", b"{}", b"<a>", b"&x;"),
    *(b"NULL", b"--", b">20.1", b"1,5", b"TRUE", b"10**9999999999 deg", b"*a", b"&a", b"!!python/name:os.system"),
)


def mutate(kind: str, content: bytes, rng: np.random.Generator) -> bytes:
    """Mutate bytes, words or lines at one to four places, or the structure."""
    structured = fuzz_structure.STRUCTURED.get(kind)
    if structured is not None and rng.random() < 0.5:
        for _ in range(int(rng.integers(1, 4))):
            content = structured(content, rng)
        return content
    for _ in range(int(rng.integers(1, 5))):
        if not content:
            return content
        start = int(rng.integers(0, len(content)))
        # prefer headers and footers, which decide how the rest is read
        if rng.random() < 0.4:
            start = int(rng.integers(0, min(len(content), 2000)))
        elif rng.random() < 0.3:
            start = max(0, len(content) - 1 - int(rng.integers(0, min(len(content), 3000))))
        content = _mutate_bytes(content, start, rng)
    return content


def _mutate_bytes(content: bytes, start: int, rng: np.random.Generator) -> bytes:
    kind = int(rng.integers(0, 9))
    size = int(rng.choice([1, 2, 4, 8, 80, 1000]))
    if kind == 0:
        return content[:start] + bytes([int(rng.integers(0, 256))]) + content[start + 1 :]
    if kind == 1:
        return content[:start] + bytes([content[start] ^ (1 << int(rng.integers(0, 8)))]) + content[start + 1 :]
    if kind == 2:
        return content[:start]
    if kind == 3:
        return content[:start] + content[start + size :]
    if kind == 4:
        return (
            content[: start + size] + content[start : start + size] * int(rng.integers(1, 4)) + content[start + size :]
        )
    if kind == 5:
        return content[:start] + rng.bytes(size) + content[start + size :]
    token = TOKENS[int(rng.integers(0, len(TOKENS)))]
    if kind == 6:
        return content[:start] + token + content[start:]
    if kind == 7:
        return content[:start] + token + content[start + len(token) :]
    left = right = start
    while left > 0 and content[left - 1 : left].isalnum():
        left -= 1
    while right < len(content) and content[right : right + 1].isalnum():
        right += 1
    return content[:left] + token + content[right:]


@cache
def _specification() -> Specification:
    return requirements.load()


def rows_accounted_for(detections: AssociatedDetections) -> bool:
    """Return whether all cases of a band use or reject each row for a reason."""
    specification = _specification()
    measurer = Measurer(detections, specification, Options(confidence=None))
    for case in specification.cases(["r"]):
        if case.clause.id in CLAUSES:
            sample = measurer.measure(case).sample
            if sample is not None and len(detections) != sample.rows_used + sum(sample.rejected.values()):
                return False
    return True


def outcome(path: Path) -> str:
    """Read and measure an input; returns how it ended.

    The outcome is ``read: N rows``, ``refused`` or ``fault: ...``.
    """
    try:
        detections = load(path)
        complete = rows_accounted_for(detections)
    except InputError as error:
        if "\n" in str(error) or str(path) not in str(error):
            return f"fault: message {str(error)[:200]!r}"
        result = "refused"
    else:
        result = f"read: {len(detections)} rows" if complete else "fault: rows are not accounted for"
    with contextlib.suppress(InputError):
        inspection.describe_inspection(inspection.inspect(str(path)))
    return result


def _read_inputs(pipe: Connection) -> None:
    """Receive paths of inputs through a pipe, read each, and send back its outcome."""
    resource.setrlimit(resource.RLIMIT_AS, (8 * 1024**3, 8 * 1024**3))
    while (path := pipe.recv()) is not None:
        Path("/proc/self/clear_refs").write_text("5")
        started = time.monotonic()
        try:
            result = outcome(path)
        except BaseException as error:  # any exception is a fault
            last = traceback.extract_tb(error.__traceback__)[-1]
            result = (
                f"fault: {type(error).__name__} {str(error)[:150]!r} {last.filename.rpartition('/')[2]}:{last.lineno}"
            )
        peak = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024
        if peak > MEMORY:
            result = f"fault: {peak / 1024**3:.1f} GiB"
        pipe.send((result, time.monotonic() - started))


class Reader:
    """A process that reads inputs, restarted after a hang or a crash."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Start the process."""
        context = multiprocessing.get_context("spawn")
        self.pipe, remote = context.Pipe()
        self.process = context.Process(target=_read_inputs, args=(remote,), daemon=True)
        self.process.start()
        remote.close()

    def read(self, path: Path, wait: float = HANG) -> str:
        """Return the outcome of one input."""
        self.pipe.send(path)
        try:
            if self.pipe.poll(wait):
                return str(self.pipe.recv()[0])
            result = f"fault: hangs for more than {wait:g} s"
        except EOFError:
            result = "fault: the process ended"
        self.process.kill()
        self.process.join()
        self.start()
        return result

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.join()


def main(arguments: list[str] | None = None) -> int:
    """Run the fuzzer; returns 1 if there were faults."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="inputs of each format")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after this many seconds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--formats", nargs="*", choices=sorted(fuzz_seeds.SEEDS), default=sorted(fuzz_seeds.SEEDS))
    parser.add_argument("--keep", type=Path, default=Path("fuzz-faults"))
    options = parser.parse_args(arguments)
    deadline = time.monotonic() + options.seconds
    counts: Counter[tuple[str, str]] = Counter()
    reader = Reader()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        contents = {}
        for kind in options.formats:
            path = folder / f"seed{fuzz_seeds.SUFFIXES.get(kind, '.' + kind)}"
            fuzz_seeds.SEEDS[kind](path)
            result = reader.read(path, 120)
            if not result.startswith("read"):
                raise SystemExit(f"{kind}: the original catalog is not read: {result}")
            contents[kind] = ("".join(path.suffixes), path.read_bytes(), result)
        for number in range(options.count):
            for kind, (suffix, content, original) in contents.items():
                if time.monotonic() > deadline:
                    break
                rng = np.random.default_rng([options.seed, number, sum(kind.encode())])
                path = folder / f"cat{suffix}"
                path.write_bytes(mutate(kind, content, rng))
                result = reader.read(path)
                if result.startswith("read") and result != original:
                    result = f"other rows: {result}"
                counts[kind, result.partition(":")[0]] += 1
                if result.startswith(("fault", "other")):
                    options.keep.mkdir(parents=True, exist_ok=True)
                    (options.keep / f"{kind}-{options.seed}-{number}{suffix}").write_bytes(path.read_bytes())
                    print(f"{kind} {number}: {result}", flush=True)
    reader.stop()
    for kind in options.formats:
        print(f"{kind:12s} " + ", ".join(f"{counts[kind, end]} {end}" for end in OUTCOMES))
    total = Counter({end: sum(n for (_, e), n in counts.items() if e == end) for end in OUTCOMES})
    print(f"{'all':12s} " + ", ".join(f"{n} {end}" for end, n in total.items()))
    return int(total["fault"] > 0)


if __name__ == "__main__":
    sys.exit(main())
