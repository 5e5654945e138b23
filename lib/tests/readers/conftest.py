"""Catalogs that several tests of the readers share."""

from __future__ import annotations

import pytest
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.readers import load
from skyaccept.lib.tests.readers import catalogs


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> AssociatedDetections:
    """The small catalog as read from Parquet."""
    return load(catalogs.write(tmp_path_factory.mktemp("expected") / "cat.parquet", catalogs.catalog()))
