"""For the checkout only: the plugin's own tests need pytester, and everything needs skyaccept to be installed."""

import importlib.util
import os
from pathlib import Path

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
