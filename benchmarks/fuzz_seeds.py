"""Small catalogs of all formats, which `benchmarks.fuzz_catalogs` mutates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.io import fits
from astropy.io.votable import from_table
from astropy.table import MaskedColumn, QTable, Table
from astropy.time import Time


def catalog() -> Table:
    """Return a catalog of twelve stars in four visits, with masked magnitudes."""
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
    """Return the catalog as a data frame."""
    return catalog().to_pandas()


def catalog_with_times() -> QTable:
    """Return the catalog with an astropy ``Time`` column."""
    table = QTable(catalog())
    table["mjd"] = Time(60000 + np.arange(len(table)) / 7, format="mjd", scale="utc")
    return table


def _delimited(delimiter: str, comment: str = "") -> Callable[[Path], None]:
    return lambda path: path.write_text(comment + frame().to_csv(sep=delimiter, index=False)) and None


def _sextractor(path: Path) -> None:
    table = frame().astype({"flag_cr": int}).fillna(30.0)
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


def _fits(path: Path, form: str = "binary", ldac: bool = False) -> None:
    table = catalog().filled(30.0)
    hdus: list[Any] = [fits.PrimaryHDU()]
    for part in (table[:24], table[24:]):
        part["flag_cr"] = part["flag_cr"].astype("i4") if form == "ascii" else part["flag_cr"]
        kinds = {"i": "I12", "f": "D25.17", "U": "A1"}
        columns = [
            fits.Column(name, kinds.get(part[name].dtype.kind), array=np.asarray(part[name]), ascii=True)
            for name in part.colnames
            if form == "ascii"
        ]
        if ldac:
            text = fits.Header({"SIMPLE": True, "EXPNUM": 5}).tostring(padding=False)
            image = fits.BinTableHDU.from_columns([fits.Column("Field Header Card", f"{len(text)}A", array=[text])])
            image.name = "LDAC_IMHEAD"
            hdus.append(image)
        hdu = fits.TableHDU.from_columns(columns) if form == "ascii" else fits.BinTableHDU(part)
        hdu.name = "LDAC_OBJECTS" if ldac else "CAT"
        hdus.append(hdu)
    fits.HDUList(hdus).writeto(path, overwrite=True)


def _scaled_fits(path: Path) -> None:
    table = catalog()
    stored = np.rint((table["mag"].filled(0) - 20) * 1000).astype("i2")
    table["mag"] = np.where(table["mag"].mask, -32768, stored).astype("i2")
    table["object"] = np.tile(np.arange(12, dtype="u8"), 4)
    hdu = fits.BinTableHDU(table)
    number = table.colnames.index("mag") + 1
    hdu.header.update({f"TNULL{number}": -32768, f"TSCAL{number}": 0.001, f"TZERO{number}": 20.0})
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path, overwrite=True, checksum=True)


def _votable(form: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        whole = from_table(catalog())
        whole.get_first_table().format = form
        whole.to_xml(str(path))

    return write


def _columns(path: Path) -> None:
    with h5py.File(path, "w") as file:
        for name, values in frame().items():
            stored = values.to_numpy()
            file[f"photometry/{name}"] = stored.astype("S1") if stored.dtype.kind == "O" or name == "band" else stored


def _records(path: Path) -> None:
    with h5py.File(path, "w") as file:
        table = catalog().filled(30.0)
        table.convert_unicode_to_bytestring()
        file.create_dataset("cat", data=table.as_array(), chunks=(10,), compression="gzip")


SEEDS: Mapping[str, Callable[[Path], object]] = {
    "csv": _delimited(","),
    "csv-hash": _delimited(",", "#"),
    "semicolon": _delimited(";"),
    "tsv": _delimited("\t"),
    "blanks": lambda path: path.write_text(frame().fillna(30.0).to_string(index=False)),
    "sextractor": _sextractor,
    "daophot": _daophot,
    "ipac": _ipac,
    "ecsv": lambda path: catalog_with_times().write(path, format="ascii.ecsv", overwrite=True),
    "parquet": lambda path: pq.write_table(pa.Table.from_pandas(frame()), path),
    "parquet-astropy": lambda path: catalog_with_times().write(path, format="parquet", overwrite=True),
    "fits": _fits,
    "fits-gz": _fits,
    "fits-ascii": lambda path: _fits(path, "ascii"),
    "fits-scaled": _scaled_fits,
    "ldac": lambda path: _fits(path, ldac=True),
    "votable-tabledata": _votable("tabledata"),
    "votable-binary": _votable("binary"),
    "votable-binary2": _votable("binary2"),
    "hdf5-records": _records,
    "hdf5-columns": _columns,
    "hdf5-astropy": lambda path: catalog_with_times().write(path, path="cat", serialize_meta=True, overwrite=True),
    "hdf5-pandas": lambda path: frame().to_hdf(path, key="cat", format="table", mode="w"),
    "hdf5-pandas-fixed": lambda path: frame().assign(band=1).to_hdf(path, key="cat", format="fixed", mode="w"),
}
"""Function that writes the catalog to a path, by format."""

SUFFIXES: Mapping[str, str] = {
    "csv-hash": ".csv",
    "semicolon": ".csv",
    "blanks": ".dat",
    "sextractor": ".cat",
    "daophot": ".dat",
    "ipac": ".tbl",
    "parquet-astropy": ".parquet",
    "fits-gz": ".fits.gz",
    "fits-ascii": ".fits",
    "fits-scaled": ".fits",
    **dict.fromkeys(("votable-tabledata", "votable-binary", "votable-binary2"), ".vot"),
    **dict.fromkeys(("hdf5-records", "hdf5-columns", "hdf5-astropy", "hdf5-pandas", "hdf5-pandas-fixed"), ".h5"),
}
"""File name suffix of each format whose suffix is not its name."""
