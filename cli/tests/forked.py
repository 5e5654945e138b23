"""Run many commands, each in a process of its own that has everything imported already.

Reads a JSON list of {"folder": ..., "arguments": [...]} from standard input, and writes a list of
{"status": ..., "output": ..., "errors": ...}, in the same order.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from typing import Any

from skyaccept.cli.main import main
from skyaccept.fixtures import verification  # noqa: F401  (what every command of verify would import)


def run(command: dict[str, Any]) -> dict[str, Any]:
    """Run one command of skyaccept in a child of this process."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        child = os.fork()
        if not child:
            _be_the_command(command, output.fileno(), errors.fileno())
        _, status = os.waitpid(child, 0)
        said = []
        for file in (output, errors):
            file.seek(0)
            said.append(file.read().decode(errors="replace"))
    return {"status": os.waitstatus_to_exitcode(status), "output": said[0], "errors": said[1]}


def _be_the_command(command: dict[str, Any], output: int, errors: int) -> None:
    """Run the command and end this process."""
    status = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(errors, 2)
        os.chdir(command["folder"])
        status = main(command["arguments"])
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else 1
    except BaseException:  # whatever it is, the test has to see it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    done = [run(command) for command in json.load(sys.stdin)]
    json.dump(done, sys.stdout)
