"""Files of a simulated survey: catalog, reference catalog, truth. Parquet or FITS, one visit in memory at a time."""

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
"""Units of the columns of a catalog that have one."""

_REFERENCE = {"ra": "deg", "dec": "deg", "mjd": "d", "pmra": "mas / yr", "pmdec": "mas / yr", "parallax": "mas"}
_REFERENCE_ERRORS = _REFERENCE | {"ra": "mas", "dec": "mas"}

_FITS = {"f": "D", "i": "K", "b": "L"}
_BLOCK = 2880

Columns = Mapping[str, AnyArray]
Write = Callable[[Columns], None]


@dataclass(frozen=True)
class Written:
    """Number of detections, and of visits that have any."""

    detections: int
    visits: int


def stream(scenario: Scenario, seed: int, path: Path) -> Written:
    """Simulate a survey into a file in the columns of the generic survey profile, with units.

    A visit without detections leaves no trace. Columns that only faults or shapes of images bring stand behind the
    others.

    Raises
    ------
    InputError
        No detection is left, or the file is neither .parquet nor .fits.
    """
    bands = np.array(sorted(scenario.visits.number))
    return _write(path, (_table(exposure, bands) for exposure in exposures(scenario, seed)), UNITS)


def write_reference(catalog: Reference, path: Path) -> None:
    """Write a reference catalog in the columns of the generic reference profile, with units."""
    columns = {name: getattr(catalog, name) for name in _REFERENCE}
    units = dict(_REFERENCE)
    for name, values in catalog.errors.items():
        columns[f"{name}_err"], units[f"{name}_err"] = values, _REFERENCE_ERRORS[name]
    for band, values in catalog.mags.items():
        columns[f"mag_{band}"], units[f"mag_{band}"] = values, "mag"
    for band, values in catalog.mag_errs.items():
        columns[f"mag_err_{band}"], units[f"mag_err_{band}"] = values, "mag"
    _write(path, [columns], units)


def write_truth(scenario: Scenario, seed: int, folder: Path) -> None:
    """Write what is true of a survey: ``sources.parquet`` and ``visits.parquet`` in a folder, which is made."""
    whole = sky.draw(scenario, seed)
    ra, dec = to_degrees(whole.direction)
    sources = {"source": np.arange(len(whole)), "ra": ra, "dec": dec}
    sources |= {"pmra": whole.motion[:, 0], "pmdec": whole.motion[:, 1], "parallax": whole.parallax}
    sources |= {f"mag_{band}": whole.magnitude(band) for band in sorted(scenario.visits.number)}
    sources |= {"galaxy": whole.galaxy, "amplitude": whole.amplitude, "period": whole.period, "phase": whole.phase}
    sources |= {"companion_east": whole.companion[:, 0], "companion_north": whole.companion[:, 1]}
    sources |= {"companion_flux": whole.share}
    units = _REFERENCE | {"amplitude": "mag", "period": "d", "companion_east": "mas", "companion_north": "mas"}
    units |= {name: "mag" for name in sources if name.startswith("mag_")}
    plan = [asdict(visit) for visit in visits.plan(scenario, seed)]
    table = {name: np.array([visit[name] for visit in plan]) for name in plan[0]}
    for name in ("pointing", "zenith"):
        table[f"{name}_ra"], table[f"{name}_dec"] = to_degrees(table.pop(name))
    table["visit"] = table.pop("number") + FIRST_VISIT
    of_visits = {"mjd": "d", "rotation": "rad", "seeing": "mas", "depth": "mag", "saturation": "mag"}
    of_visits |= {name: "deg" for name in table if name.endswith(("_ra", "_dec"))}
    folder.mkdir(exist_ok=True)
    _write(folder / "sources.parquet", [sources], units)
    _write(folder / "visits.parquet", [table], of_visits)


def _table(exposure: Exposure, bands: AnyArray) -> dict[str, AnyArray]:
    """Columns of a visit as they stand in a file."""
    columns = dict(exposure.columns)
    return columns | {"visit": columns["visit"] + FIRST_VISIT, "band": bands[columns["band"]]}


def _write(path: Path, parts: Iterable[Columns], units: Mapping[str, str]) -> Written:
    """Write tables of the same columns one after the other; those without rows leave no trace."""
    formats = {".parquet": _parquet, "": _parquet, ".fits": _fits}
    if path.suffix not in formats:
        raise InputError(f"{path}: unknown kind of file; name it *.parquet or *.fits")
    rows = tables = 0
    filled = (part for part in parts if len(next(iter(part.values()))))
    with atomic_path(path) as temporary:
        first = next(filled, None)
        if first is None:
            raise InputError(f"{path}: nothing to write: nothing is seen in any visit")
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
def _parquet(path: Path, first: Columns, units: Mapping[str, str]) -> Iterator[Write]:
    """Write a row group for each part."""
    schema = pa.schema(
        pa.field(name, pa.array(values[:1]).type, metadata={"unit": units[name]} if name in units else None)
        for name, values in first.items()
    )
    # numbers that hardly repeat gain nothing from a dictionary
    repeating = [
        name for name, v in first.items() if v.dtype.kind in "iUb" or name in ("extendedness", "mjd", "airmass")
    ]
    with pq.ParquetWriter(path, schema, use_dictionary=repeating) as file:
        yield lambda part: file.write_table(pa.table([part[name] for name in schema.names], schema=schema))


@contextmanager
def _fits(path: Path, first: Columns, units: Mapping[str, str]) -> Iterator[Write]:
    """Write a binary table whose number of rows is put into its header at the end."""
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
                # logical columns hold letters
                block[name] = np.where(values, ord("T"), ord("F")) if values.dtype.kind == "b" else values
            file.write(block.tobytes())
            rows += len(block)

        def head() -> bytes:
            table.header["NAXIS2"] = rows
            return primary + table.header.tostring().encode("ascii")

        file.write(head())
        yield write
        file.write(bytes(-file.tell() % _BLOCK))
        file.seek(0)
        file.write(head())
