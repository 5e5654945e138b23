"""Settings for tests in a checkout, which need an installed skyaccept."""

import importlib.util
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

if importlib.util.find_spec("skyaccept") is None:
    raise pytest.UsageError("skyaccept is not installed in this environment: run 'make test', or 'pip install -e .'")

pytest_plugins = ["pytester"]

# tests that start pytest do so in another home folder, where no compiled code would be cached
os.environ.setdefault("SKYACCEPT_CACHE", str(Path.home() / ".cache" / "skyaccept"))

# workers of pytest-xdist share the cores, so compiled code must not start a thread per core in each worker
if "PYTEST_XDIST_WORKER" in os.environ:
    from skyaccept.lib.numba_cache import share_cores

    share_cores(int(os.environ["PYTEST_XDIST_WORKER_COUNT"]))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Send all tests of a module with an ``xdist_group`` to one worker.

    Shared fixtures are then made once.

    The scheduler of xdist itself reads the group from the test id, which pytest 9.2 no longer lets it change.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _xdist_group(config.rootpath / nodeid.split("::")[0]) or nodeid

    return Scheduling(config, log) if config.getoption("dist") == "loadgroup" else None


@cache
def _xdist_group(path: Path) -> str | None:
    match = re.search(r'xdist_group\("(\w+)"\)', path.read_text(encoding="utf-8"))
    return match and match[1]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run slow tests first, so that all workers finish at about the same time."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.get_closest_marker("slow") is None)
