"""For the checkout only: the plugin's own tests need pytester, and everything needs skyaccept to be installed."""

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

# tests that run pytest anew do so in a home of their own, where nothing would be compiled yet
os.environ.setdefault("SKYACCEPT_CACHE", str(Path.home() / ".cache" / "skyaccept"))

# workers of pytest-xdist share the cores: threads of compiled code on top of them get into each other's way
if "PYTEST_XDIST_WORKER" in os.environ:
    from skyaccept.lib.numba_cache import share_cores

    share_cores(int(os.environ["PYTEST_XDIST_WORKER_COUNT"]))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Send all tests of a module that names an ``xdist_group`` to one worker: what they share is made once.

    xdist itself goes by the ids of the tests, to which pytest 9.2 no longer lets it add the group.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _group(config.rootpath / nodeid.split("::")[0]) or nodeid

    return Scheduling(config, log) if config.getoption("dist") == "loadgroup" else None


@cache
def _group(path: Path) -> str | None:
    found = re.search(r'xdist_group\("(\w+)"\)', path.read_text(encoding="utf-8"))
    return found and found[1]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let workers begin with what is slow, so that none of them ends long after the others."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.get_closest_marker("slow") is None)
