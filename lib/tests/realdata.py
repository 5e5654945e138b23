"""Where the real catalogs for tests are; they are read in place and are no part of the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REALDATA = Path(os.environ.get("SKYACCEPT_REALDATA") or Path(__file__).resolve().parents[3] / "shared" / "realdata")
"""Folder of the real catalogs: what SKYACCEPT_REALDATA names, else ``../shared/realdata`` beside the checkout."""

needs_realdata = pytest.mark.skipif(
    not (REALDATA / "expected.yaml").is_file(),
    reason=f"no real catalogs in {REALDATA}; set SKYACCEPT_REALDATA to the folder that holds expected.yaml",
)
