"""Reader of reference catalogs, through the formats of the catalogs themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, ClassVar

import astropy.units as u
import numpy as np
from pydantic import BeforeValidator, PlainValidator
from skyaccept.lib import document, progress
from skyaccept.lib.catalog import Array
from skyaccept.lib.document import STRICT
from skyaccept.lib.errors import InputError
from skyaccept.lib.readers import conversion, find, fingerprint, flux, format_of
from skyaccept.lib.readers.profile import Flux, Source, as_source
from skyaccept.lib.readers.table import Column, same_columns
from skyaccept.lib.reference import JULIAN_YEAR, Reference

UNITS: Mapping[str, u.UnitBase] = {
    "ra": u.deg,
    "dec": u.deg,
    "mjd": u.day,
    "epoch": u.yr,
    "pmra": u.mas / u.yr,
    "pmdec": u.mas / u.yr,
    "parallax": u.mas,
    "ra_err": u.mas,
    "dec_err": u.mas,
    "pmra_err": u.mas / u.yr,
    "pmdec_err": u.mas / u.yr,
    "parallax_err": u.mas,
}
"""Columns of a reference catalog and their units; ``mjd``, or ``epoch`` as a Julian year, is when positions hold."""

_MOTION = ("pmra", "pmdec", "parallax")


@dataclass(frozen=True)
class Magnitude:
    """Magnitudes of a reference catalog in one band: as they stand, or from fluxes in a unit of flux density."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    mag: Annotated[Source | None, BeforeValidator(as_source)] = None
    flux: Annotated[Source | None, BeforeValidator(as_source)] = None
    error: Annotated[Source | None, BeforeValidator(as_source)] = None


@dataclass(frozen=True)
class ReferenceProfile:
    """How the columns of a reference catalog become a `Reference`."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    survey: str
    title: str
    columns: Mapping[
        Annotated[str, PlainValidator(document.one_of(*UNITS))], Annotated[Source, BeforeValidator(as_source)]
    ]
    mags: Mapping[str, Magnitude] = field(default_factory=dict)


def shipped() -> dict[str, Path]:
    """Profiles of reference catalogs that come with the package, by name."""
    folder = Path(str(resources.files("skyaccept.lib.readers.references")))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def load(source: str | Path, survey: str | Path = "generic") -> Reference:
    """Read a reference catalog.

    Parameters
    ----------
    source : str or Path
        A file, a folder, or a glob pattern; several shards are one catalog.
    survey : str or Path
        Profile: ``gaia-dr2``, ``ps1``, ``generic``, or a YAML file.

    Returns
    -------
    Reference
        A proper motion or parallax whose error is given and not positive is unknown: so reference catalogs mark
        stars with a position only.

    Raises
    ------
    InputError
        Anything wrong with the files; the message names file, column, row and remedy.
    """
    profile = _profile(survey)
    files = find(source)
    tables = [_table(path, profile) for path in files]
    same_columns(files, tables)
    columns = {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
    n = len(columns["ra"])
    if not n:
        raise InputError(f"{source}: the reference catalog is empty: it has no rows")
    unknown = np.full(n, np.nan)
    for name in _MOTION:
        if name in columns and f"{name}_err" in columns:
            columns[name] = np.where(columns[f"{name}_err"] > 0, columns[name], np.nan)
    mjd = columns.get("mjd")
    if mjd is None and "epoch" in columns:
        mjd = 51544.5 + (columns["epoch"] - 2000) * JULIAN_YEAR
    return Reference(
        columns["ra"],
        columns["dec"],
        unknown if mjd is None else mjd,
        columns.get("pmra", unknown),
        columns.get("pmdec", unknown),
        columns.get("parallax", unknown),
        errors={name.removesuffix("_err"): v for name, v in columns.items() if name in UNITS and "_err" in name},
        mags={band: columns[f"mag:{band}"] for band in profile.mags if f"mag:{band}" in columns},
        mag_errs={band: columns[f"mag_err:{band}"] for band in profile.mags if f"mag_err:{band}" in columns},
        name=Path(source).name,
        source=str(source),
        survey=profile.survey,
        sha256=fingerprint(files),
    )


def _profile(name: str | Path) -> ReferenceProfile:
    known = shipped()
    path = known.get(str(name), Path(name))
    if not document.exists(path):
        raise InputError(f"--reference-survey {name}: no such file, and not one of {', '.join(known)}")
    profile, place = document.read(path, ReferenceProfile)
    for column in ("ra", "dec"):
        if column not in profile.columns:
            raise place.error(("columns",), f"key '{column}' is missing: a profile has to map it")
    for column, source in profile.columns.items():
        if source.places != 1 or source.header or source.field:
            raise place.error(("columns", column), f"key '{column}': give the name of a column, or a value")
        if source.unit is not None and not source.unit.is_equivalent(UNITS[column]):
            raise place.error(("columns", column), f"key 'unit': {column} is not measured in {source.unit}")
        if source.value is not None and (source.unit is None or not isinstance(source.value, int | float)):
            raise place.error(("columns", column), f"key '{column}': a value has to be a number with a unit")
    for band, magnitude in profile.mags.items():
        sources = [s for s in (magnitude.mag, magnitude.flux, magnitude.error) if s is not None]
        if (magnitude.mag is None) == (magnitude.flux is None) or any(s.name is None for s in sources):
            raise place.error(("mags", band), f"key '{band}': give the column of a mag or of a flux")
    return profile


def _table(path: Path, profile: ReferenceProfile) -> dict[str, Array]:
    """Columns of one shard under our names and in our units; magnitudes as ``mag:BAND`` and ``mag_err:BAND``."""
    reader = format_of(path)
    there = {column.name: column for column in reader.columns(path)}
    missing = [s.name for n in ("ra", "dec") if (s := profile.columns[n]).name is not None and s.name not in there]
    if missing:
        raise InputError(
            f"{path}: no column {', '.join(map(repr, missing))}, which reference profile '{profile.survey}' maps; "
            "choose another --reference-survey"
        )
    used = {name: source for name, source in profile.columns.items() if source.name is None or source.name in there}
    bands = {band: found for band, m in profile.mags.items() if (found := _magnitude(path, m, there))}
    wanted = {source.name for source in used.values() if source.name is not None}
    wanted |= {column for entries in bands.values() for columns, _ in entries.values() for column in columns}
    progress.report(f"reading {path.name}")
    raw = dict(reader.read(path, sorted(wanted)))
    n = len(next(iter(raw.values())))
    table = {}
    for name, source in used.items():
        if source.name is None:
            table[name] = np.full(n, float(source.value or 0) * (source.unit or UNITS[name]).to(UNITS[name]))
            continue
        scale = conversion.scale_of(path, name, source, there[source.name].unit, UNITS)
        table[name] = conversion.numbers(path, source.name, raw[source.name]) * scale
    _check(path, table)
    for band, entries in bands.items():
        for kind, (_, compute) in entries.items():
            table[f"{kind}:{band}"] = compute(raw)
    return table


def _magnitude(path: Path, magnitude: Magnitude, there: Mapping[str, Column]) -> dict[str, Any]:
    """What a file gives of a band: ``mag`` and ``mag_err``, each with its columns and how it comes from them."""
    if magnitude.flux is not None:
        photometry = flux.offer(path, Flux(magnitude.flux, magnitude.error), there, {}, {})
        if photometry is None:
            return {}

        def from_flux(kind: str) -> Any:
            return photometry.columns(kind), lambda raw: photometry.values(path, kind, raw)

        return {kind: from_flux(kind) for kind in flux.GIVES[: 2 if photometry.error else 1]}

    def as_it_stands(source: Source) -> Any:
        scale = conversion.scale_of(path, "mag", source, there[str(source.name)].unit)
        return (source.name,), lambda raw: conversion.numbers(path, str(source.name), raw[str(source.name)]) * scale

    pairs = (("mag", magnitude.mag), ("mag_err", magnitude.error))
    return {kind: as_it_stands(s) for kind, s in pairs if s is not None and s.name in there}


def _check(path: Path, table: Mapping[str, Array]) -> None:
    for name, low, high in (("ra", 0.0, 360.0), ("dec", -90.0, 90.0)):
        wrong = np.flatnonzero(~((table[name] >= low) & (table[name] <= high)))
        if wrong.size:
            raise InputError(
                f"{path}, row {wrong[0] + 1}: {name} is {table[name][wrong[0]]:.10g}, not within [{low:g}, {high:g}] "
                f"degrees ({wrong.size} such rows); are the units in the reference profile right?"
            )
