"""Small catalogs of all formats, from which mutated ones are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.table import MaskedColumn, QTable, Table
from astropy.time import Time


def catalog() -> Table:
    """Twelve stars in four visits, with masked magnitudes."""
    rng = np.random.default_rng(5)
    stars, visits = 12, 4
    n = stars * visits
    star = np.tile(np.arange(stars), visits)
    table = Table(
        {
            "visit": np.repeat(np.arange(visits) + 1000, stars),
            "detector": star % 2,
            "band": np.where(np.repeat(np.arange(visits), stars) == 3, "i", "r"),
            "ra": 150 + star / 97 + rng.normal(0, 3e-6, n),
            "dec": 2 + star / 89 + rng.normal(0, 3e-6, n),
            "mag": MaskedColumn(20 + rng.random(n), mask=rng.random(n) < 0.2),
            "mag_err": 0.01 * rng.random(n),
            "snr": 100 * rng.random(n),
            "extendedness": (star == 4).astype(float),
            "airmass": 1 + rng.random(n),
            "flag_cr": rng.random(n) < 0.3,
        }
    )
    for name, unit in {"ra": "deg", "dec": "deg", "mag": "mag"}.items():
        table[name].unit = unit
    return table


def frame() -> pd.DataFrame:
    """The same as a data frame."""
    return catalog().to_pandas()


def timed() -> QTable:
    """The same with times as astropy stores them."""
    table = QTable(catalog())
    table["mjd"] = Time(60000 + np.arange(len(table)) / 7, format="mjd", scale="utc")
    return table


def _delimited(delimiter: str, comment: str = "") -> Callable[[Path], None]:
    return lambda path: path.write_text(comment + frame().to_csv(sep=delimiter, index=False)) and None


def _sextractor(path: Path) -> None:
    table = frame().astype({"flag_cr": int}).fillna(99.0)
    lines = [f"#{k + 1:4d} {name:20s} Some words" for k, name in enumerate(table.columns)]
    path.write_text("\n".join([*lines, table.to_string(header=False, index=False), ""]))


def _daophot(path: Path) -> None:
    table = frame().astype({"flag_cr": int}).fillna("INDEF")
    header = ["#K IRAF = NOAO/IRAFV2.10EXPORT version %-23s", f"#N {' '.join(table.columns)} \\"]
    path.write_text("\n".join([*header, "#", table.to_string(header=False, index=False), ""]))


def _ipac(path: Path) -> None:
    catalog().write(path, format="ascii.ipac", overwrite=True)


def _nested(path: Path) -> None:
    table = frame()
    rows = [
        {
            "objectid": number,
            "lc": [group[["visit", "band", "ra", "dec", "mag"]].to_dict("records")],
            **group[["visit", "band", "ra", "dec", "mag"]].to_dict("list"),
        }
        for number, (_, group) in enumerate(table.groupby(table["ra"].round(2)))
    ]
    pq.write_table(pa.Table.from_pylist([row | {"lc": row["lc"][0]} for row in rows]), path)


SEEDS: Mapping[str, Callable[[Path], object]] = {
    "csv": _delimited(","),
    "csv-hash": _delimited(",", "#"),
    "semicolon": _delimited(";"),
    "tsv": _delimited("\t"),
    "blanks": lambda path: path.write_text(frame().fillna(99.0).to_string(index=False)),
    "sextractor": _sextractor,
    "daophot": _daophot,
    "ipac": _ipac,
    "ecsv": lambda path: timed().write(path, format="ascii.ecsv", overwrite=True),
    "parquet": lambda path: pq.write_table(pa.Table.from_pandas(frame()), path),
    "parquet-astropy": lambda path: timed().write(path, format="parquet", overwrite=True),
}
"""What writes a catalog of each format to a path."""

SUFFIXES: Mapping[str, str] = {
    "csv-hash": ".csv",
    "semicolon": ".csv",
    "blanks": ".dat",
    "sextractor": ".cat",
    "daophot": ".dat",
    "ipac": ".tbl",
    "parquet-astropy": ".parquet",
}
"""What its name ends in, where that is not the name of the format."""
