"""Shipped survey profiles on synthetic tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from skyaccept.lib.tests.readers import survey_files


def lsst(path: Path, **columns: Any) -> Path:
    """Write sources of two visits of three stars as the LSST pipelines name their columns."""
    star = np.tile(np.arange(3), 2)
    flux = 10 ** (0.4 * (31.4 - 18.0 - star))
    rows = {"visit": np.repeat([1, 2], 3), "detector": star, "band": ["r"] * 6, "ra": 10 + star / 10, "dec": star / 9}
    pq.write_table(pa.table(rows | {"psfFlux": flux, "psfFluxErr": flux / 100} | columns), path)
    return path


def test_lsst_sources_are_what_was_written(tmp_path: Path) -> None:
    """Fluxes become magnitudes, flags their names."""
    flags = {f"pixelFlags_{name}": np.arange(6) == k for k, name in enumerate(("saturated", "cr", "bad", "edge"))}
    more = {
        "extendedness": np.zeros(6),
        "detect_isPrimary": np.arange(6) != 5,
        "raErr": np.full(6, 1e-6),
        "calib_psf_used": np.zeros(6, bool),
    }
    d = survey_files.load(lsst(tmp_path / "a.parquet", **flags, **more), "lsst-source")
    np.testing.assert_allclose(d.mag, 18.0 + np.tile(np.arange(3), 2), atol=1e-12)
    np.testing.assert_allclose(d.snr, 100, rtol=1e-12)
    np.testing.assert_allclose(d.ra_err, 3.6, rtol=1e-12)
    assert [int(np.argmax(d.flags[name])) for name in ("saturated", "cr", "bad", "edge", "not_primary")] == [
        0,
        1,
        2,
        3,
        5,
    ]
    assert d.n_objects == 3


def test_isolated_stars_keep_their_association(tmp_path: Path) -> None:
    """Numbers of objects begin anew with each tract; without calibrated fluxes there are no magnitudes."""
    for name in ("a", "b"):
        lsst(
            tmp_path / f"{name}.parquet",
            obj_index=np.tile([2, 0, 1], 2),
            ra=np.tile([1.0, 2, 3], 2) + 9 * (name == "b"),
        )
    d = survey_files.load(tmp_path, "lsst-isolated-star")
    assert d.n_objects == 6
    bare = pq.read_table(tmp_path / "a.parquet").drop_columns(["psfFlux", "psfFluxErr"])
    pq.write_table(bare, tmp_path / "bare.parquet")
    assert survey_files.load(tmp_path / "bare.parquet", "lsst-isolated-star").mag is None
