"""Loading of reference catalogs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, ClassVar

import astropy.units as u
import numpy as np
from pydantic import BeforeValidator, PlainValidator
from skyaccept.lib import progress, strict_yaml
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.catalog.checking import LIMITS as DETECTED
from skyaccept.lib.catalog.checking import suggest_missing, wrap_right_ascension
from skyaccept.lib.catalog.reference import JULIAN_YEAR, Reference
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import files
from skyaccept.lib.readers.column_source import ColumnSource, check_keys, column_kind, parse_source
from skyaccept.lib.readers.columns import flux
from skyaccept.lib.readers.columns.flux import FluxColumn
from skyaccept.lib.readers.columns.numbers import NumberColumn, resolve_number
from skyaccept.lib.readers.files import FileTable
from skyaccept.lib.readers.profile import Flux
from skyaccept.lib.readers.spelling import match_spelling
from skyaccept.lib.readers.table import shorten
from skyaccept.lib.strict_yaml import STRICT

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
"""Columns of a reference catalog and their units; ``mjd`` or ``epoch`` dates the positions."""

_MOTION = ("pmra", "pmdec", "parallax")

LIMITS: Mapping[str, tuple[float, float]] = {
    "ra": (0, 360),
    "dec": (-90, 90),
    "epoch": (1950, 2100),
    "pmra": (-11_000, 11_000),
    "pmdec": (-11_000, 11_000),
    "parallax": (-500, 900),
    "ra_err": (0, 1e6),
    "dec_err": (0, 1e6),
    **dict.fromkeys(("pmra_err", "pmdec_err", "parallax_err"), (-np.inf, 1e5)),
    "mag": DETECTED["mag"],
    "mag_err": DETECTED["mag_err"],
}
"""Valid range of values, in the units of `UNITS`; times are checked on reading.

Barnard's star moves by 10,400 mas per year, Proxima Centauri has a parallax of 769 mas, and bad solutions of Gaia have
parallaxes down to -190 mas. An error that is not positive marks a motion that is unknown.
"""

_EPOCH = "map a column of days as mjd, and say how it is written: time: {format: jd | mjd | unix | decimalyear | iso}"

_NEAR = 5  # whole numbers on either side of a marker


@dataclass(frozen=True)
class MagnitudeSource:
    """Source of AB magnitudes in one band: magnitudes or fluxes.

    Attributes
    ----------
    mag : ColumnSource, optional
    flux : ColumnSource, optional
        In a unit of flux density, or in any with a ``zero_point``.
    error : ColumnSource, optional
        Standard error of either, in its unit.
    zero_point : ColumnSource, optional
        AB magnitude of a flux of one unit.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    mag: Annotated[ColumnSource | None, BeforeValidator(parse_source)] = None
    flux: Annotated[ColumnSource | None, BeforeValidator(parse_source)] = None
    error: Annotated[ColumnSource | None, BeforeValidator(parse_source)] = None
    zero_point: Annotated[ColumnSource | None, BeforeValidator(parse_source)] = None

    def check_sources(self, place: strict_yaml.YamlLocation, band: str) -> None:
        """Refuse keys that have no effect, with file, line and key."""
        where = ("mags", band)
        if (self.mag is None) == (self.flux is None):
            raise place.error(where, f"key '{band}': give the column of a mag or of a flux")
        if self.zero_point is not None and self.flux is None:
            raise place.error((*where, "zero_point"), "key 'zero_point': belongs to a flux")
        kinds = {"mag": "magnitude", "flux": "flux", "error": "flux error", "zero_point": "zero point"}
        for key, kind in kinds.items():
            source: ColumnSource | None = getattr(self, key)
            if source is not None:
                check_keys(place, (*where, key), source, kind)
                if source.header is not None or source.field is not None:
                    raise place.error((*where, key), f"key '{key}': give the name of a column, or a value")


@dataclass(frozen=True)
class ReferenceProfile:
    """Mapping from the columns of a reference catalog to a `Reference`."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    survey: str
    title: str
    columns: Mapping[
        Annotated[str, PlainValidator(strict_yaml.one_of(*UNITS))],
        Annotated[ColumnSource, BeforeValidator(parse_source)],
    ]
    mags: Mapping[str, MagnitudeSource] = field(default_factory=dict)
    table: str | None = None


def shipped() -> dict[str, Path]:
    """Return the shipped reference profiles by name."""
    folder = Path(str(resources.files("skyaccept.lib.readers.references")))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def load(source: str | Path, survey: str | Path = "generic") -> Reference:
    """Load a reference catalog.

    Parameters
    ----------
    source : str or Path
        A file, a folder, or a glob pattern; several files form one catalog.
    survey : str or Path
        Profile: ``gaia-dr2``, ``ps1``, ``generic``, or a YAML file.

    Returns
    -------
    Reference
        A proper motion or parallax with an error that is not positive is unknown: reference catalogs mark stars
        with a position only in this way.

    Raises
    ------
    InputError
        Anything wrong with the files; the message names file, column, row and remedy.
    """
    profile = _profile(survey)
    dataset = files.find_files(source)
    parts = [part for path in dataset.paths for part in _file_tables(dataset, path, profile)]
    read = [_read_table(part, profile) for part in parts]
    tables, wrapped = [table for table, _ in read], [note for _, note in read if note]
    for part, table in zip(parts, tables, strict=True):
        if set(table) != set(tables[0]):
            odd = ", ".join(sorted(set(table) ^ set(tables[0])))
            raise InputError(f"{part.place}: not the columns of {parts[0].place}: {odd} is in one of them only")
    columns = {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
    n = len(columns["ra"])
    if not n:
        raise InputError(f"{source}: the reference catalog is empty: it has no rows")
    placed = np.isfinite(columns["ra"]) & np.isfinite(columns["dec"])
    lost = n - int(np.count_nonzero(placed))
    if lost == n:
        raise InputError(f"{source}: no star of the reference catalog has a position")
    columns = {name: values[placed] for name, values in columns.items()} if lost else columns
    unknown = np.full(n - lost, np.nan)
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
        sha256=files.fingerprint(dataset),
        notes=(*dataset.notes(), *_note_absent(parts[0], profile), *_note_without_position(lost, n), *wrapped),
    )


def _profile(name: str | Path) -> ReferenceProfile:
    profiles = shipped()
    path = profiles.get(str(name), Path(name))
    if not strict_yaml.path_exists(path):
        raise InputError(f"--reference-survey {name}: no such file, and not one of {', '.join(profiles)}")
    profile, place = strict_yaml.read(path, ReferenceProfile)
    for column in ("ra", "dec"):
        if column not in profile.columns:
            raise place.error(("columns",), f"key '{column}' is missing: a profile must map it")
    for column, source in profile.columns.items():
        check_keys(place, ("columns", column), source, column_kind(column, UNITS[column]), UNITS[column])
        if source.header or source.field or source.join:
            raise place.error(("columns", column), f"key '{column}': give the name of a column, or a value")
        if source.value is not None and source.unit is None and source.time is None:
            raise place.error(("columns", column), f"key '{column}': a value must be a number with a unit")
    for band, magnitude in profile.mags.items():
        magnitude.check_sources(place, band)
    return profile


def _file_tables(dataset: files.DatasetFiles, path: Path, profile: ReferenceProfile) -> list[FileTable]:
    """Return the tables of a file that have positions."""
    parts = files.file_tables(dataset, path, profile.table)
    fitting = [part for part in parts if not _missing_required(part, profile)]
    if not fitting:
        part = min(parts, key=lambda part: len(_missing_required(part, profile)))
        missing = ", ".join(map(repr, _missing_required(part, profile)))
        raise InputError(
            f"{part.place}: no column {missing}, which reference profile "
            f"'{profile.survey}' maps; choose another --reference-survey"
        )
    return fitting


def _missing_required(part: FileTable, profile: ReferenceProfile) -> list[str]:
    there = part.columns()
    sources = [match_spelling(profile.columns[name], there) for name in ("ra", "dec")]
    return [source.name for source in sources if source.name is not None and source.name not in there]


def _note_absent(part: FileTable, profile: ReferenceProfile) -> tuple[str, ...]:
    """Note the columns of the profile that the catalog lacks."""
    there = part.columns()
    profile = match_spelling(profile, there)
    sources = [*profile.columns.values()]
    sources += [s for m in profile.mags.values() for s in (m.mag, m.flux, m.error) if s is not None]
    absent = [s.name for s in sources if s.name is not None and s.name not in there and not s.optional]
    if not absent:
        return ()
    return (f"columns of its profile that it does not have: {shorten(', '.join(absent))}",)


def _note_without_position(lost: int, n: int) -> tuple[str, ...]:
    """Note the number of stars without a position."""
    return (f"{lost:,} of {n:,} stars left out: they have no position",) if lost else ()


def _read_table(part: FileTable, profile: ReferenceProfile) -> tuple[dict[str, AnyArray], str]:
    """Read one table; return its columns, and a note on wrapped right ascensions.

    Magnitudes are ``mag:BAND`` and ``mag_err:BAND``.
    """
    there, place = part.columns(), part.place
    profile = match_spelling(profile, there)
    columns: dict[str, NumberColumn | FluxColumn] = {
        name: resolve_number(place, name, source, there, UNITS[name], {}, {})
        for name, source in profile.columns.items()
        if source.name is None or source.name in there
    }
    for band, magnitude in profile.mags.items():
        columns |= {f"{kind}:{band}": column for kind, column in _magnitude_columns(part, magnitude).items()}
    wanted = list(dict.fromkeys(name for column in columns.values() for name in column.columns))
    progress.report(f"reading {part.path.name}")
    raw = files.read_columns([part], wanted)[0]
    rows = len(next(iter(raw.values())))
    table = {name: np.asarray(column.values(raw, rows)) for name, column in columns.items()}
    table["ra"], note = wrap_right_ascension(table["ra"])
    _check_values(place, table)
    return table, note and f"{place}: {note}"


def _magnitude_columns(part: FileTable, magnitude: MagnitudeSource) -> dict[str, NumberColumn | FluxColumn]:
    """Resolve ``mag`` and ``mag_err`` of a band."""
    there, place = part.columns(), part.place
    if magnitude.flux is not None:
        if magnitude.flux.name not in there:
            return {}
        stated = Flux(magnitude.flux, magnitude.error, magnitude.zero_point)
        columns = flux.find_columns(place, stated, there, {}, {})
        return {name: column for name, column in columns.items() if name != "snr"}
    pairs = (("mag", magnitude.mag), ("mag_err", magnitude.error))
    return {
        kind: resolve_number(place, kind, source, there, u.mag, {}, {})
        for kind, source in pairs
        if source is not None and source.name in there
    }


def _check_values(place: str, table: Mapping[str, AnyArray]) -> None:
    """Refuse invalid values, and undeclared markers of missing values."""
    for name, values in table.items():
        if name == "mjd":
            continue
        low, high = LIMITS[name.partition(":")[0]]
        counts = np.ones(len(values), dtype=bool)
        if name in _MOTION and f"{name}_err" in table:
            counts = table[f"{name}_err"] > 0  # else it is unknown
        wrong = np.flatnonzero(counts & ((values < low) | (values > high)))
        remedy = _EPOCH if name == "epoch" else "are the units in the reference profile right?"
        what = f"not within [{low:g}, {high:g}] {_unit(name)}".rstrip()
        if not wrong.size and name in _MOTION:
            wrong, what = (
                np.flatnonzero(counts & np.isin(values, _undeclared_markers(values[counts]))),
                "a marker of a missing value",
            )
        if wrong.size:
            raise InputError(
                f"{place}, row {wrong[0] + 1}: {name} is {values[wrong[0]]:.10g}, {what} "
                f"({wrong.size} such rows); {remedy}{suggest_missing(values[wrong], len(values))}"
            )


def _unit(name: str) -> str:
    """Return the name of the unit of a column."""
    return {"ra": "degrees", "dec": "degrees", "epoch": "Julian years"}.get(name, str(UNITS.get(name, "mag")))


def _undeclared_markers(values: AnyArray) -> AnyArray:
    """Find values such as -999 that stand out among their neighbours.

    One row is enough in a column of fractions; for 99, or in a column of whole numbers, it takes three.
    """
    whole = values[np.isfinite(values) & (values == np.round(values))]
    rounded = 2 * len(whole) > np.count_nonzero(np.isfinite(values))
    markers = []
    for mark in np.outer([1, -1], [99, 999, 9999]).ravel():
        number = np.count_nonzero(whole == mark)
        near = np.count_nonzero(np.abs(whole - mark) <= _NEAR) - number
        if number >= (3 if rounded or abs(mark) < 100 else 1) and number > 10 * near:
            markers.append(mark)
    return np.array(markers)
