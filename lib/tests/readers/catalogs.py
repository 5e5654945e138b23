"""Small catalogs in every format, for the tests of the readers."""

from __future__ import annotations

import dataclasses
import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.table import MaskedColumn, Table
from skyaccept.lib.catalog.detections import Detections
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import load
from skyaccept.lib.tests.realdata import REALDATA

Columns = dict[str, Any]
HSC = REALDATA / "hsc" / "matchedCatalogTract_0_r.fits.gz"


STARS, VISITS = 5, 3


def catalog() -> Columns:
    """Five stars in three visits, under the names of the generic survey."""
    rng = np.random.default_rng(7)
    n = STARS * VISITS
    star = np.tile(np.arange(STARS), VISITS)
    return {
        "visit": np.repeat([903334, 90, 1_000_000_007], STARS).astype(np.int64),
        "detector": (star % 2).astype(np.int64),
        "band": np.where(np.repeat(np.arange(VISITS), STARS) == 2, "i", "r"),
        "ra": 150 + star / 97 + rng.normal(0, 3e-6, n),
        "dec": -30 + star / 89 + rng.normal(0, 3e-6, n),
        "mag": 20 + rng.random(n),
        "mag_err": 0.01 * rng.random(n),
        "snr": 100 * rng.random(n),
        "extendedness": (star == 4).astype(float),
        "mjd": 60000 + np.repeat(np.arange(VISITS), STARS) / 7,
        "airmass": 1 + rng.random(n),
        "ra_err": 10 * rng.random(n),
        "dec_err": 10 * rng.random(n),
        "flag_saturated": star == 1,
        "flag_cr": rng.random(n) < 0.3,
    }


def write(path: Path, columns: Mapping[str, Any], units: Mapping[str, str] | None = None) -> Path:
    """Write a catalog in the format that the name of the file asks for."""
    name = path.name.removesuffix(".gz")
    if name.endswith(".parquet"):
        arrow = pa.table(dict(columns))
        fields = [f.with_metadata({"unit": units[f.name]}) if units and f.name in units else f for f in arrow.schema]
        pq.write_table(arrow.cast(pa.schema(fields)), path)
    elif name.endswith(".csv"):
        pd.DataFrame(dict(columns)).to_csv(path, index=False)
    elif name.endswith(".h5"):
        with h5py.File(path, "w") as file:
            table = astropy_table(columns)
            table.convert_unicode_to_bytestring()
            file.create_dataset("catalog", data=table.as_array())
    else:
        known = {".ecsv": "ascii.ecsv", ".vot": "votable"}
        astropy_table(columns, units).write(path, format=known.get(Path(name).suffix, "fits"))
    if path.suffix == ".gz" and not path.read_bytes().startswith(b"\x1f\x8b"):
        path.write_bytes(gzip.compress(path.read_bytes()))
    return path


def astropy_table(columns: Mapping[str, Any], units: Mapping[str, str] | None = None) -> Any:
    """Catalog as an astropy table."""
    table = Table(dict(columns))
    for column, unit in (units or {}).items():
        table[column].unit = unit
    return table


def split(folder: Path, suffix: str, columns: Columns) -> Path:
    """Write a catalog to three files of a folder."""
    folder.mkdir()
    for part in range(3):
        rows = slice(part * STARS, (part + 1) * STARS)
        write(folder / f"part{part}{suffix}", {name: values[rows] for name, values in columns.items()})
    return folder


def profile(folder: Path, changes: str = "", columns: Mapping[str, str] | None = None) -> Path:
    """A survey profile: four columns as they stand, or others."""
    entries = {"visit": "visit", "band": "band", "ra": "{name: ra, unit: deg}", "dec": "{name: dec, unit: deg}"}
    entries |= columns or {}
    lines = ["survey: mine", "title: Mine", "columns:"]
    lines += [f"  {name}: {entry}" for name, entry in entries.items() if entry]
    path = folder / "mine.yaml"
    path.write_text("\n".join([*lines, "association_radius: 1 arcsec", changes, ""]))
    return path


def assert_same(a: Detections, b: Detections) -> None:
    """Bit for bit the same columns, of the same types."""
    for field in dataclasses.fields(Detections):
        if field.name in ("name", "source", "sha256"):
            continue
        mine, other = getattr(a, field.name), getattr(b, field.name)
        if field.name == "flags":
            assert set(mine) == set(other)
            for flag in mine:
                np.testing.assert_array_equal(mine[flag], other[flag], err_msg=flag)
                assert mine[flag].dtype == other[flag].dtype == np.bool_
        elif isinstance(mine, np.ndarray):
            assert isinstance(other, np.ndarray)
            assert mine.dtype == other.dtype, field.name
            np.testing.assert_array_equal(mine, other, err_msg=field.name)
        else:
            assert mine == other, field.name


def refusal(source: str | Path, **options: Any) -> str:
    """Message about a catalog that has to be refused."""
    with pytest.raises(InputError) as caught:
        load(source, **options)
    message = str(caught.value)
    assert len(message) < 2000
    assert "\n" not in message
    return message


SUFFIXES = (".parquet", ".csv", ".csv.gz", ".ecsv", ".ecsv.gz", ".fits", ".fits.gz", ".h5", ".vot", ".vot.gz")


def missing(columns: Columns, name: str, row: int, suffix: str) -> Columns:
    """Catalog in which one value is missing, in the way of the format."""
    values = columns[name]
    mask = np.arange(len(values)) == row
    if suffix == ".parquet":
        return columns | {name: pa.array(values, mask=mask)}
    if suffix == ".csv":
        return columns | {name: pd.Series(values).astype(object).mask(mask)}
    return columns | {name: MaskedColumn(values, mask=mask)}


def visits(path: Path, **columns: Any) -> Path:
    """Table by visit, in another order than the catalog, with one visit more."""
    table = {"visit": [1_000_000_007, 5, 90, 903334], "mjd": [60002.5, 61000.0, 60001.25, 60000.0]}
    return write(path, table | columns)
