"""Readers: any catalog file to the same checked detections."""

from __future__ import annotations

import glob
import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import astropy.units as u
import numpy as np
from skyaccept.lib import progress
from skyaccept.lib.association import associate
from skyaccept.lib.catalog import SHAPES, UNITS, Array, Detections, check
from skyaccept.lib.document import exists
from skyaccept.lib.errors import InputError
from skyaccept.lib.readers import conversion, fits, flux, hdf5, moments, parquet, text, votable
from skyaccept.lib.readers import profile as survey_profiles
from skyaccept.lib.readers.conversion import Labels
from skyaccept.lib.readers.flux import Photometry
from skyaccept.lib.readers.moments import Shapes
from skyaccept.lib.readers.profile import REQUIRED, Flag, Profile, Source
from skyaccept.lib.readers.table import LIST, Column, Format, head, same_columns, shorten

FORMATS: tuple[Format, ...] = (
    parquet.FORMAT,
    fits.FORMAT,
    hdf5.FORMAT,
    votable.FORMAT,
    text.FORMAT,
)
"""Formats in the order in which they are tried; a new one is a module and an entry here."""

_OF_VISITS = ("mjd", "airmass")
_ALWAYS = (*REQUIRED, "object")
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
    ".cat",
    ".ldac",
    ".pytable",
    ".hdf5",
    ".h5",
    ".vot",
    ".votable",
    ".vot.gz",
)


@dataclass(frozen=True)
class Origin:
    """Where a column of ours comes from; a number there is ``scale`` times ours."""

    source: Source | Flag | Photometry | Shapes
    scale: float = 1.0

    def columns(self, name: str) -> tuple[str, ...]:
        """Columns of the file that column ``name`` of ours is made from; none for one value for all rows."""
        if isinstance(self.source, Photometry | Shapes):
            return self.source.columns(name)
        if isinstance(self.source, Flag):
            return (self.source.name,)
        if self.source.join is not None:
            return tuple(self.source.join.values())
        return () if self.source.name is None else (self.source.name, *self.source.others)


def load(
    source: str | Path,
    survey: str | Path = "generic",
    visits: str | Path | None = None,
    columns: Collection[str] | None = None,
) -> Detections:
    """Read a catalog into checked, associated detections.

    Parameters
    ----------
    source : str or Path
        A file, a folder of catalog files, or a glob pattern; several files are one dataset.
    survey : str or Path
        Survey profile: the name of a shipped one, or a YAML file.
    visits : str or Path, optional
        Table by visit, with columns ``visit`` and ``mjd`` or ``airmass`` that the catalog does not carry.
    columns : collection of str, optional
        Read only these beside visit, band, position and object: names of `UNITS`, and ``flag_NAME``, as
        `skyaccept.lib.measure.needs` gives them. Those that the catalog lacks are left out. All by default.

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
    offers = [_offer(path, profile) for path in files]
    same_columns(files, offers)
    names = [name for name in offers[0] if columns is None or name in columns or name in _ALWAYS]
    sizes, table = _read(files, offers, names)
    if visits is not None:
        joined = _join_visits(Path(visits), cast(Labels, table["visit"]), offers[0])
        table |= {name: values for name, values in joined.items() if columns is None or name in columns}
    detections = _detections(table)
    detections = replace(
        detections,
        color_terms=profile.color_terms,
        name=Path(source).name,
        source=str(source),
        survey=profile.survey,
        shape_axes=profile.shape_axes,
        sha256=fingerprint(files),
    )
    # one value for all rows tells none of them apart
    others = [name for name, origin in offers[0].items() if name not in names and origin.columns(name)]
    progress.report("checking the detections")
    # with the visit, which differs between the detections of one row of a table of light curves
    check(detections, sizes, lambda: _arrays(_read(files, offers, ["visit", *others])[1]))
    progress.report("associating detections with objects")
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


def flag_columns(profile: Profile, names: Sequence[str]) -> dict[str, Flag]:
    """Flags that a file with these columns offers."""
    found = {flag: f for flag, f in profile.flags.items() if f.name in names}
    if profile.flag_prefix is not None:
        for name in names:
            if name.startswith(profile.flag_prefix):
                found[name.removeprefix(profile.flag_prefix).removesuffix(LIST)] = Flag(name)
    return found


def _offer(path: Path, profile: Profile) -> dict[str, Origin]:
    """What a file offers: where each of our columns comes from, flags as ``flag_NAME``."""
    there = {column.name: column for column in format_of(path).columns(path)}
    for name, source in profile.columns.items():
        if source.name is not None and source.name not in there and source.name + LIST in there:
            raise InputError(
                f"{path}: column '{source.name}' holds arrays; {name} has to be one value a row. Where a row is a "
                f"light curve, the survey profile names it '{source.name}{LIST}'"
            )
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
    found: dict[str, Origin] = {}
    header = format_of(path).header(path) if _asks_header(profile) else {}
    fields = profile.file_name.fields(path) if profile.file_name is not None else {}
    for name, source in profile.columns.items():
        if source.name is None:
            found[name] = Origin(conversion.settle(path, name, source, header, fields))
        elif source.name in there:
            found[name] = _origin(path, name, source, there)
    photometry = None if profile.flux is None else flux.offer(path, profile.flux, there, header, fields)
    if photometry is not None:
        for name in flux.GIVES if photometry.error is not None else flux.GIVES[:1]:
            found.setdefault(name, Origin(photometry))
    shapes = None if profile.moments is None else moments.offer(path, profile.moments, there)
    if shapes is not None:
        found |= {name: Origin(shapes) for name in SHAPES}
    flags = flag_columns(profile, list(there)).items()
    found |= {f"flag_{name}": Origin(flag) for name, flag in flags}
    _check_lists(path, found)
    return found


def _check_lists(path: Path, found: Mapping[str, Origin]) -> None:
    """Refuse lists in a file whose rows are detections: in one of light curves the visit is a list as well."""
    lists = [(name, c) for name, origin in found.items() for c in origin.columns(name) if c.endswith(LIST)]
    if lists and not any(column.endswith(LIST) for column in found["visit"].columns("visit")):
        name, column = lists[0]
        raise InputError(
            f"{path}: column '{column.removesuffix(LIST)}' holds arrays; {name} has to be one value a row, unless the "
            "visit is one of a list as well"
        )


def _origin(path: Path, name: str, source: Source, there: Mapping[str, Column]) -> Origin:
    """Where column ``name`` comes from, and the factor to our unit."""
    for other in (*source.others, *(pair for join in (source.join or {}).items() for pair in join)):
        if other not in there:
            raise InputError(
                f"{path}: no column '{other}', which the survey profile needs for {name} ('{source.name}')"
            )
    own = there[str(source.name)].unit
    scale = conversion.scale_of(path, "mag_err" if source.magnitude_error else name, source, own)
    if source.plus is not None and conversion.scale_of(path, name, source, there[source.plus].unit) != scale:
        raise InputError(f"{path}: columns '{source.name}' and '{source.plus}' ({name}) are not in the same unit")
    return Origin(source, scale)


def _asks_header(profile: Profile) -> bool:
    zeros = (profile.flux.zero_point, profile.flux.fluxmag0, profile.flux.calibration) if profile.flux else ()
    return any(source.header is not None for source in (*profile.columns.values(), *zeros) if source is not None)


def _read(
    files: Sequence[Path], offers: Sequence[Mapping[str, Origin]], names: Sequence[str]
) -> tuple[list[tuple[str, int]], dict[str, Array | Labels]]:
    """Number of rows of each file, and the named columns of all of them."""
    tables = [_table(path, offer, names) for path, offer in zip(files, offers, strict=True)]
    sizes = [(str(path), len(next(iter(table.values()), ()))) for path, table in zip(files, tables, strict=True)]
    for number, (offer, table) in enumerate(zip(offers, tables, strict=True)):
        for name in names:
            source, column = offer[name].source, table[name]
            if len(files) > 1 and isinstance(source, Source) and source.within and isinstance(column, Labels):
                apart = [f"{number} {value}" for value in column.values.tolist()]
                rank = np.argsort(np.argsort(apart, kind="stable"), kind="stable")
                table[name] = Labels(rank[column.codes], np.sort(np.array(apart, dtype=str)))
    return sizes, {name: conversion.together([table.pop(name) for table in tables]) for name in names}


def _table(path: Path, offer: Mapping[str, Origin], names: Sequence[str]) -> dict[str, Array | Labels]:
    """Columns of one file under our names and in our units."""
    uses = Counter(column for name in names for column in offer[name].columns(name))
    progress.report(f"reading {path.name}")
    raw = dict(format_of(path).read(path, list(uses)))
    n = len(next(iter(raw.values()))) if raw else 0
    table: dict[str, Array | Labels] = {}
    for name in names:
        source, scale = offer[name].source, offer[name].scale
        if isinstance(source, Flag):
            table[name] = conversion.flags(path, source, raw[source.name])
        elif isinstance(source, Photometry | Shapes):
            table[name] = source.values(path, name, raw)
        elif source.name is None:
            table[name] = conversion.constant(name, source, n)
        elif source.join is not None:
            ((there, here),) = source.join.items()
            listed = format_of(path).read(path, [there, source.name])
            found = conversion.looked_up(path, source.name, (listed[there], raw[here]), listed[source.name])
            table[name] = conversion.convert(path, name, source, scale, found)
        else:
            table[name] = conversion.convert(path, name, source, scale, raw[source.name], raw)
        for column in offer[name].columns(name):
            # let go of a column of the file after its last use: both copies of all columns may not fit
            uses[column] -= 1
            if not uses[column]:
                del raw[column]
    return table


def _arrays(columns: Mapping[str, Array | Labels]) -> dict[str, Array]:
    return {name: c.codes if isinstance(c, Labels) else c for name, c in columns.items()}


def _detections(columns: Mapping[str, Array | Labels]) -> Detections:
    given: dict[str, Any] = _arrays(columns)
    names = {name: tuple(map(str, c.values.tolist())) for name, c in columns.items() if isinstance(c, Labels)}
    given["band"] = given["band"].astype(np.int16)
    flags = {name.removeprefix("flag_"): given.pop(name) for name in list(given) if name.startswith("flag_")}
    return Detections(
        **given, visits=names["visit"], bands=names["band"], detectors=names.get("detector", ()), flags=flags
    )


def _join_visits(path: Path, visit: Labels, offer: Collection[str]) -> dict[str, Array]:
    """Columns of the table by visit that the catalog does not offer, one value for each detection."""
    reader = format_of(path)
    there = {column.name: column for column in reader.columns(path)}
    names = [name for name in _OF_VISITS if name in there and name not in offer]
    if "visit" not in there or not names:
        raise InputError(
            f"{path}: a table of visits needs a column 'visit' and one of {', '.join(_OF_VISITS)} that the catalog "
            f"does not carry; it has {', '.join(there)}"
        )
    raw = reader.read(path, ["visit", *names])
    listed = conversion.labels(path, Source("visit"), raw["visit"])
    if not len(listed):
        raise InputError(f"{path}: the table is empty: it has no rows")
    if (listed.values.dtype.kind in "iu") != (visit.values.dtype.kind in "iu"):
        raise InputError(
            f"{path}: column 'visit' holds {listed.values.dtype}, and the visits of the catalog are "
            f"{visit.values.dtype}"
        )
    if len(listed.values) != len(listed):
        raise InputError(f"{path}: a visit stands in it twice")
    place = np.searchsorted(listed.values, visit.values).clip(max=len(listed) - 1)
    lost = visit.values[listed.values[place] != visit.values]
    if lost.size:
        raise InputError(f"{path}: visit {lost[0]} of the catalog is not in it ({lost.size} visits missing)")
    row = np.argsort(listed.codes)[place]
    joined = {}
    for name in names:
        unit = there[name].unit or str(UNITS[name])
        values = conversion.numbers(path, name, raw[name])
        joined[name] = values[row][visit.codes] * conversion.scale_of(path, name, Source(name), unit)
    return joined
