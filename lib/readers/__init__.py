"""Readers: any catalog file to the same checked detections."""

from __future__ import annotations

import glob
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from skyaccept.lib.association import associate
from skyaccept.lib.catalog import UNITS, Array, Detections, check, factorize
from skyaccept.lib.document import exists
from skyaccept.lib.errors import InputError
from skyaccept.lib.readers import fits, parquet, text
from skyaccept.lib.readers import profile as survey_profiles
from skyaccept.lib.readers.profile import REQUIRED, Profile, Source
from skyaccept.lib.readers.table import Column, Format, head, shorten

FORMATS: tuple[Format, ...] = (parquet.FORMAT, fits.FORMAT, text.FORMAT)
"""Formats in the order in which they are tried; a new one is a module and an entry here."""

_OF_VISITS = ("mjd", "airmass")
_SUFFIXES = (
    ".parquet",
    ".parq",
    ".csv",
    ".ecsv",
    ".fits",
    ".fit",
    ".csv.gz",
    ".ecsv.gz",
    ".fits.gz",
    ".fit.gz",
)


def load(source: str | Path, survey: str | Path = "generic", visits: str | Path | None = None) -> Detections:
    """Read a catalog into checked, associated detections.

    Parameters
    ----------
    source : str or Path
        A file, a folder of catalog files, or a glob pattern; several files are one dataset.
    survey : str or Path
        Survey profile: the name of a shipped one, or a YAML file.
    visits : str or Path, optional
        Table by visit, with columns ``visit`` and ``mjd`` or ``airmass`` that the catalog does not carry.

    Returns
    -------
    Detections
        With ``object`` set.

    Raises
    ------
    InputError
        Anything wrong with the files; the message names file, column, row and remedy.
    """
    profile = survey_profiles.load(survey)
    files = find(source)
    tables = [_table(path, profile) for path in files]
    for path, table in zip(files, tables, strict=True):
        if set(table) != set(tables[0]):
            odd = ", ".join(sorted(set(table) ^ set(tables[0])))
            raise InputError(f"{path}: not the columns of {files[0]}: {odd} stands in one of them only")
    sizes = [(str(path), len(table["ra"])) for path, table in zip(files, tables, strict=True)]
    columns = {name: _together([table.pop(name) for table in tables]) for name in list(tables[0])}
    if visits is not None:
        columns |= _join_visits(Path(visits), columns)
    detections = _detections(columns)
    detections = replace(
        detections,
        name=Path(source).name,
        source=str(source),
        survey=profile.survey,
        sha256=fingerprint(files),
    )
    check(detections, sizes)
    return associate(detections, float(profile.association_radius.to_value(u.rad)))


def find(source: str | Path) -> list[Path]:
    """Catalog files that a path, folder or glob pattern stands for, in ascending order.

    Raises
    ------
    InputError
        There is none.
    """
    path = Path(source)
    if exists(path) and path.is_dir():
        files = sorted(p for p in path.iterdir() if p.name.endswith(_SUFFIXES))
        if not files:
            raise InputError(f"{path}: no catalog in this folder (looked for {', '.join(_SUFFIXES)})")
        return files
    if exists(path):
        return [path]
    files = sorted(Path(name) for name in glob.glob(str(source), recursive=True) if Path(name).is_file())  # noqa: PTH207
    if not files:
        raise InputError(f"{source}: no such file, folder or match")
    return files


def format_of(path: Path) -> Format:
    """Format of a file, by its content.

    Raises
    ------
    InputError
        Not readable, or no known format.
    """
    start = head(path)
    for candidate in FORMATS:
        if candidate.recognises(start):
            return candidate
    raise InputError(f"{path}: not a catalog: none of {', '.join(f.name for f in FORMATS)}")


def fingerprint(files: Sequence[Path]) -> str:
    """SHA-256 of a file's bytes, or of the names and hashes of several."""
    digests = []
    for path in files:
        with path.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    if len(files) == 1:
        return digests[0]
    listing = "".join(f"{digest}  {path.name}\n" for digest, path in zip(digests, files, strict=True))
    return hashlib.sha256(listing.encode()).hexdigest()


def flag_columns(profile: Profile, names: Sequence[str]) -> dict[str, tuple[str, bool]]:
    """Flags that a file with these columns offers: flag -> (column, value that marks a bad detection)."""
    found = {flag: (f.name, f.bad) for flag, f in profile.flags.items() if f.name in names}
    if profile.flag_prefix is not None:
        for name in names:
            if name.startswith(profile.flag_prefix):
                found[name.removeprefix(profile.flag_prefix)] = (name, True)
    return found


def _together(parts: list[Array]) -> Array:
    """One array of the parts of several files; that of a single file as it is, for a copy may not fit."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _table(path: Path, profile: Profile) -> dict[str, Array]:
    """Columns of one file under our names and in our units; flags as ``flag_NAME``."""
    reader = format_of(path)
    there = {column.name: column for column in reader.columns(path)}
    missing = [
        f"'{source.name}' ({name})"
        for name in REQUIRED
        if (source := profile.columns[name]).name is not None and source.name not in there
    ]
    if missing:
        raise InputError(
            f"{path}: no column {', '.join(missing)}, which survey profile '{profile.survey}' maps; "
            f"it has {', '.join(map(shorten, list(there)[:12]))}{' ...' if len(there) > 12 else ''}. "
            "Choose another --survey, or see a guess with: skyaccept inspect FILE"
        )
    sources = {name: s for name, s in profile.columns.items() if s.value is not None or s.name in there}
    flags = flag_columns(profile, list(there))
    wanted = [s.name for s in sources.values() if s.name is not None] + [column for column, _ in flags.values()]
    raw = dict(reader.read(path, dict.fromkeys(wanted)))
    n = len(next(iter(raw.values()))) if raw else 0
    uses = Counter(wanted)
    table = {}
    for name, source in sources.items():
        table[name] = _convert(path, name, source, there, raw, n)
        _release(raw, uses, source.name)
    for flag, (column, bad) in flags.items():
        values = _boolean(path, column, raw[column])
        table[f"flag_{flag}"] = values if bad else ~values
        _release(raw, uses, column)
    return table


def _release(raw: dict[str, Array], uses: Counter[str], name: str | None) -> None:
    """Let go of a column of the file after its last use: both copies of all columns may not fit."""
    if name is not None:
        uses[name] -= 1
        if not uses[name]:
            del raw[name]


def _convert(
    path: Path, name: str, source: Source, there: Mapping[str, Column], raw: Mapping[str, Array], n: int
) -> Array:
    unit = UNITS[name]
    if source.name is None:
        if unit is None:
            return np.full(n, source.value)
        return np.full(n, float(source.value or 0) * (source.unit or unit).to(unit))
    values = raw[source.name]
    if values.ndim != 1:
        raise InputError(f"{path}: column '{source.name}' holds arrays; {name} has to be one number a row")
    if unit is None:
        return _labels(path, source, values)
    values = _numbers(path, source.name, values)
    scale = _scale(path, name, source, there[source.name].unit, unit)
    if scale != 1.0:
        values = values * scale
    if source.star_below is not None or source.star_above is not None:
        star = np.ones(n, dtype=bool)
        if source.star_below is not None:
            star &= values < source.star_below
        if source.star_above is not None:
            star &= values > source.star_above
        values = np.where(np.isfinite(values), np.where(star, 0.0, 1.0), np.nan)
    return values


def _scale(path: Path, name: str, source: Source, own: str | None, unit: u.UnitBase) -> float:
    """Factor to our unit, after comparing what the file and the profile say of theirs."""
    stated = source.unit
    if own:
        try:
            file_unit = u.Unit(own)
        except ValueError:
            raise InputError(f"{path}: column '{source.name}': its unit {own!r} is not known") from None
        plain = getattr(file_unit, "function_unit", file_unit)  # mag(AB) is mag
        if stated is not None and stated not in (file_unit, plain):
            raise InputError(
                f"{path}: column '{source.name}': the file says {file_unit}, the survey profile says {stated}; "
                "correct the profile, or choose another --survey"
            )
        stated = file_unit
    if stated is not None and hasattr(stated, "function_unit") and stated.function_unit == unit:
        return 1.0
    if stated is None:
        if unit == u.one:
            return 1.0
        raise InputError(
            f"{path}: column '{source.name}': neither the file nor the survey profile states its unit; add "
            f"'unit:' to '{name}' in the profile"
        )
    if not stated.is_equivalent(unit):
        raise InputError(f"{path}: column '{source.name}': {stated} is not a unit of {name} ({unit})")
    return float(stated.to(unit))


def _numbers(path: Path, name: str, values: Array) -> Array:
    if values.dtype.kind in "fiub":
        return values.astype(np.float64, copy=False)
    for row, value in enumerate(values):
        try:
            float(value if value is not None else "nan")
        except (TypeError, ValueError):
            shown = shorten(value)
            raise InputError(f"{path}: column '{name}', row {row + 1}: {shown!r} is not a number") from None
    return values.astype(np.float64)


def _labels(path: Path, source: Source, values: Array) -> Array:
    """Labels as integers or text, translated by the profile's codes; none may be missing."""
    if values.dtype.kind == "f":
        missing = np.flatnonzero(~np.isfinite(values))
        if not missing.size and np.all(values == np.floor(values)):
            if np.abs(values).max(initial=0) > 2**53:
                raise InputError(f"{path}: column '{source.name}': too large for whole floating-point numbers")
            values = values.astype(np.int64)
    else:
        if any(isinstance(value, np.ndarray | list | dict) for value in values[:1].tolist()):
            raise InputError(f"{path}: column '{source.name}' holds arrays; it has to hold one value a row")
        missing = np.flatnonzero(
            [value is None or value != value for value in values] if values.dtype == object else []
        )
    if missing.size:
        raise InputError(
            f"{path}: column '{source.name}', row {int(missing[0]) + 1}: no value ({missing.size} such rows)"
        )
    if values.dtype.kind in "OSU":
        values = np.array([v.decode() if isinstance(v, bytes) else str(v) for v in values.tolist()], dtype=str)
    if source.codes is None:
        return values
    distinct, index = np.unique(values, return_inverse=True)
    unknown = [str(value) for value in distinct if str(value) not in source.codes]
    if unknown:
        raise InputError(
            f"{path}: column '{source.name}': code {', '.join(unknown)} is not in the survey profile's codes "
            f"({', '.join(source.codes)})"
        )
    return np.array([source.codes[str(value)] for value in distinct])[index]


def _boolean(path: Path, name: str, values: Array) -> Array:
    if values.dtype.kind == "b":
        return values
    if values.dtype.kind in "iu" and np.isin(values, (0, 1)).all():
        return values.astype(bool)
    if values.dtype == object:
        known = {True: True, False: False, "True": True, "False": False, "true": True, "false": False}
        if all(isinstance(value, str | bool) and value in known for value in values.tolist()):
            return np.array([known[value] for value in values.tolist()], dtype=bool)
    raise InputError(f"{path}: column '{name}': a flag has to be true or false (or 1 or 0) in every row")


def _detections(columns: Mapping[str, Array]) -> Detections:
    given: dict[str, Any] = dict(columns)
    visit, visits = factorize(given.pop("visit"))
    band, bands = factorize(given.pop("band"))
    flags = {name.removeprefix("flag_"): given.pop(name) for name in list(given) if name.startswith("flag_")}
    if "object" in given:
        given["object"] = factorize(given["object"])[0]
    if "detector" in given:
        given["detector"] = factorize(given["detector"])[0]
    return Detections(visit=visit, visits=visits, band=band, bands=bands, flags=flags, **given)


def _join_visits(path: Path, columns: Mapping[str, Array]) -> dict[str, Array]:
    """Columns of the table by visit that the catalog lacks, one value for each detection."""
    reader = format_of(path)
    there = {column.name: column for column in reader.columns(path)}
    names = [name for name in _OF_VISITS if name in there and name not in columns]
    if "visit" not in there or not names:
        raise InputError(
            f"{path}: a table of visits needs a column 'visit' and one of {', '.join(_OF_VISITS)} that the catalog "
            f"does not carry; it has {', '.join(there)}"
        )
    raw = reader.read(path, ["visit", *names])
    labels = _labels(path, Source("visit"), raw["visit"])
    wanted = columns["visit"]
    if labels.size == 0:
        raise InputError(f"{path}: the table is empty: it has no rows")
    if (labels.dtype.kind in "iu") != (wanted.dtype.kind in "iu"):
        raise InputError(
            f"{path}: column 'visit' holds {labels.dtype}, and the visits of the catalog are {wanted.dtype}"
        )
    visits, first = np.unique(labels, return_index=True)
    if len(visits) != len(labels):
        raise InputError(f"{path}: a visit stands in it twice")
    place = np.searchsorted(visits, columns["visit"]).clip(max=len(visits) - 1)
    lost = np.unique(columns["visit"][visits[place] != columns["visit"]])
    if lost.size:
        raise InputError(f"{path}: visit {lost[0]} of the catalog is not in it ({lost.size} visits missing)")
    return {
        name: (
            _numbers(path, name, raw[name])
            * _scale(path, name, Source(name, unit=None), there[name].unit or str(UNITS[name]), UNITS[name])
        )[first][place]
        for name in names
    }
