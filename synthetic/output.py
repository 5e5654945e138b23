"""Write catalog, reference catalog and truth of a survey, visit by visit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.io import fits
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.atomic_write import atomic_path
from skyaccept.lib.catalog.reference import Reference
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.sphere import to_degrees
from skyaccept.synthetic import sky, visits
from skyaccept.synthetic.exposure import Exposure
from skyaccept.synthetic.scenario_schema import Scenario
from skyaccept.synthetic.survey import FIRST_VISIT, exposures

UNITS = {
    "ra": "deg",
    "dec": "deg",
    "mag": "mag",
    "mag_err": "mag",
    "ra_err": "mas",
    "dec_err": "mas",
    "mjd": "d",
}
"""Units of the catalog columns."""

_REFERENCE = {"ra": "deg", "dec": "deg", "mjd": "d", "pmra": "mas / yr", "pmdec": "mas / yr", "parallax": "mas"}
_REFERENCE_ERRORS = _REFERENCE | {"ra": "mas", "dec": "mas"}

_FITS = {"f": "D", "i": "K", "b": "L"}
_BLOCK = 2880

Columns = Mapping[str, AnyArray]
Write = Callable[[Columns], None]


@dataclass(frozen=True)
class Written:
    """Number of written detections, and of visits with detections."""

    detections: int
    visits: int


def stream(scenario: Scenario, seed: int, path: Path) -> Written:
    """Simulate a survey into a file.

    The file has the columns of the generic survey profile and their units.

    Visits without detections are not in the file. Columns that come from faults or image shapes are the last ones.

    Parameters
    ----------
    scenario
        Survey to simulate.
    seed
        Random seed; the same seed gives the same bytes.
    path
        File to write: ``*.parquet`` or ``*.fits``.

    Returns
    -------
    Written
        Numbers of detections and visits.

    Raises
    ------
    InputError
        There are no detections, or the file is neither .parquet nor .fits.
    """
    bands = np.array(sorted(scenario.visits.number))
    return _write_tables(path, (_file_columns(exposure, bands) for exposure in exposures(scenario, seed)), UNITS)


def write_reference(catalog: Reference, path: Path) -> None:
    """Write a reference catalog with the columns of the generic profile."""
    columns = {name: getattr(catalog, name) for name in _REFERENCE}
    units = dict(_REFERENCE)
    for name, values in catalog.errors.items():
        columns[f"{name}_err"], units[f"{name}_err"] = values, _REFERENCE_ERRORS[name]
    for band, values in catalog.mags.items():
        columns[f"mag_{band}"], units[f"mag_{band}"] = values, "mag"
    for band, values in catalog.mag_errs.items():
        columns[f"mag_err_{band}"], units[f"mag_err_{band}"] = values, "mag"
    _write_tables(path, [columns], units)


def write_truth(scenario: Scenario, seed: int, folder: Path) -> None:
    """Write ``sources.parquet`` and ``visits.parquet`` with the truth to a folder."""
    true_sky = sky.draw(scenario, seed)
    ra, dec = to_degrees(true_sky.direction)
    sources = {"source": np.arange(len(true_sky)), "ra": ra, "dec": dec}
    sources |= {"pmra": true_sky.motion[:, 0], "pmdec": true_sky.motion[:, 1], "parallax": true_sky.parallax}
    sources |= {f"mag_{band}": true_sky.magnitude(band) for band in sorted(scenario.visits.number)}
    sources |= {name: getattr(true_sky, name) for name in ("galaxy", "amplitude", "period", "phase")}
    sources |= {"companion_east": true_sky.companion[:, 0], "companion_north": true_sky.companion[:, 1]}
    sources |= {"companion_flux": true_sky.share}
    units = _REFERENCE | {"amplitude": "mag", "period": "d", "companion_east": "mas", "companion_north": "mas"}
    units |= {name: "mag" for name in sources if name.startswith("mag_")}
    plan = [asdict(visit) for visit in visits.plan(scenario, seed)]
    table = {name: np.array([visit[name] for visit in plan]) for name in plan[0]}
    for name in ("pointing", "zenith"):
        table[f"{name}_ra"], table[f"{name}_dec"] = to_degrees(table.pop(name))
    table["visit"] = table.pop("number") + FIRST_VISIT
    visit_units = {"mjd": "d", "rotation": "rad", "seeing": "mas", "depth": "mag", "saturation": "mag"}
    visit_units |= {name: "deg" for name in table if name.endswith(("_ra", "_dec"))}
    folder.mkdir(exist_ok=True)
    _write_tables(folder / "sources.parquet", [sources], units)
    _write_tables(folder / "visits.parquet", [table], visit_units)


def _file_columns(exposure: Exposure, bands: AnyArray) -> dict[str, AnyArray]:
    """Return the columns of a visit as they are in a file."""
    columns = dict(exposure.columns)
    return columns | {"visit": columns["visit"] + FIRST_VISIT, "band": bands[columns["band"]]}


def _write_tables(path: Path, parts: Iterable[Columns], units: Mapping[str, str]) -> Written:
    """Write tables with the same columns one after the other, if they have rows."""
    formats = {".parquet": _open_parquet, "": _open_parquet, ".fits": _open_fits}
    if path.suffix not in formats:
        raise InputError(f"{path}: unknown kind of file; name it *.parquet or *.fits")
    rows = tables = 0
    filled = (part for part in parts if len(next(iter(part.values()))))
    with atomic_path(path) as temporary:
        first = next(filled, None)
        if first is None:
            raise InputError(f"{path}: nothing to write: no visit has detections")
        with formats[path.suffix](temporary, first, units) as write:
            for part in _chain(first, filled):
                write(part)
                rows += len(next(iter(part.values())))
                tables += 1
    return Written(rows, tables)


def _chain(first: Columns, rest: Iterable[Columns]) -> Iterator[Columns]:
    yield first
    yield from rest


@contextmanager
def _open_parquet(path: Path, first: Columns, units: Mapping[str, str]) -> Iterator[Write]:
    """Open a Parquet file; each call of the function writes a row group."""
    schema = pa.schema(
        pa.field(name, pa.array(values[:1]).type, metadata={"unit": units[name]} if name in units else None)
        for name, values in first.items()
    )
    # columns with few repeated values gain nothing from a dictionary
    repeating = [
        name for name, v in first.items() if v.dtype.kind in "iUb" or name in ("extendedness", "mjd", "airmass")
    ]
    with pq.ParquetWriter(path, schema, use_dictionary=repeating) as file:
        yield lambda part: file.write_table(pa.table([part[name] for name in schema.names], schema=schema))


@contextmanager
def _open_fits(path: Path, first: Columns, units: Mapping[str, str]) -> Iterator[Write]:
    """Open a FITS binary table; the number of rows is written at the end."""
    columns = [
        fits.Column(name, f"{v.dtype.itemsize // 4}A" if v.dtype.kind == "U" else _FITS[v.dtype.kind], units.get(name))
        for name, v in first.items()
    ]
    table = fits.BinTableHDU.from_columns(columns, nrows=0)
    kind = table.columns.dtype.newbyteorder(">")
    rows = 0
    with path.open("w+b") as file:
        primary = fits.PrimaryHDU().header.tostring().encode("ascii")

        def write(part: Columns) -> None:
            nonlocal rows
            block = np.empty(len(next(iter(part.values()))), dtype=kind)
            for name, values in part.items():
                # logical columns store letters
                block[name] = np.where(values, ord("T"), ord("F")) if values.dtype.kind == "b" else values
            file.write(block.tobytes())
            rows += len(block)

        def header() -> bytes:
            table.header["NAXIS2"] = rows
            return primary + table.header.tostring().encode("ascii")

        file.write(header())
        yield write
        file.write(bytes(-file.tell() % _BLOCK))
        file.seek(0)
        file.write(header())
