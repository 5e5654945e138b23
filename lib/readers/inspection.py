"""A look at a catalog: its columns, a guess at how they map, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml
from skyaccept.lib.catalog import UNITS
from skyaccept.lib.readers import find, flag_columns, format_of
from skyaccept.lib.readers import profile as profiles
from skyaccept.lib.readers.profile import REQUIRED, Profile
from skyaccept.lib.readers.table import Column

SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "visit": (
        "visit",
        "visit_id",
        "visitid",
        "expid",
        "exposure",
        "exposure_id",
        "ccdvisitid",
        "expnum",
        "obsid",
    ),
    "detector": ("detector", "ccd", "ccdnum", "ccdid", "rcid", "chip"),
    "band": ("band", "filter", "filt", "filtername", "filter_name", "filterid", "physical_filter"),
    "object": ("object", "object_id", "objectid", "obj_index", "matchid", "matched_id", "isolated_star_id"),
    "ra": ("ra", "coord_ra", "alpha_j2000", "alphawin_j2000", "raj2000", "radeg", "alpha"),
    "dec": ("dec", "decl", "coord_dec", "delta_j2000", "deltawin_j2000", "dej2000", "decdeg", "delta"),
    "mag": ("mag", "psfmag", "base_psfflux_mag", "mag_psf", "mag_auto", "magnitude", "psf_mag"),
    "mag_err": (
        "mag_err",
        "magerr",
        "psfmagerr",
        "base_psfflux_magerr",
        "magerr_psf",
        "magerr_auto",
        "psf_magerr",
    ),
    "snr": ("snr", "base_psfflux_snr", "psf_snr", "s2n", "snr_win"),
    "extendedness": ("extendedness", "base_classificationextendedness_value", "extended", "class_star"),
    "mjd": ("mjd", "mjdobs", "mjd_obs", "expmidptmjd", "obsmjd", "expmidpt", "midpointmjdtai"),
    "airmass": ("airmass", "secz"),
    "ra_err": ("ra_err", "raerr", "coord_raerr"),
    "dec_err": ("dec_err", "decerr", "coord_decerr"),
}
"""Names under which surveys store our columns, in lower case, the likeliest first."""

_STARS_ARE_ONE = ("class_star",)
"""Classifiers that are 1 for a star, where extendedness is 0."""


@dataclass(frozen=True)
class Inspection:
    """What a file holds and how it could be read.

    Attributes
    ----------
    path, format : str
    columns : tuple of Column
    profile : Profile or None
        The shipped survey profile that finds most of its columns, if it finds all that are required.
    guess : mapping of str to str
        Our column names to columns of the file.
    missing : tuple of str
        Our columns for which no column was found.
    """

    path: str
    format: str
    columns: tuple[Column, ...]
    profile: Profile | None
    guess: Mapping[str, str]
    missing: tuple[str, ...]


def inspect(source: str) -> Inspection:
    """Inspect the first file of a dataset.

    Raises
    ------
    InputError
        Not readable, or not a catalog.
    """
    path = find(source)[0]
    reader = format_of(path)
    columns = tuple(reader.columns(path))
    names = [column.name for column in columns]
    fitting = [p for p in map(profiles.load, profiles.shipped()) if _finds(p, REQUIRED, names)]
    best = max(fitting, key=lambda p: len(_found(p, names)), default=None)
    guess = _found(best, names) if best else {}
    lower = {name.lower(): name for name in reversed(names)}
    for ours, synonyms in SYNONYMS.items():
        if ours not in guess:
            match = next((lower[synonym] for synonym in synonyms if synonym in lower), None)
            if match is not None:
                guess[ours] = match
    missing = tuple(name for name in UNITS if name not in guess)
    return Inspection(str(path), reader.name, columns, best, guess, missing)


def describe(found: Inspection) -> list[str]:
    """Lines of text: the columns, the mapping, what is missing, and how to go on."""
    lines = [f"{found.path}: {found.format}, {len(found.columns)} columns"]
    width = max((len(column.name) for column in found.columns), default=0)
    for column in found.columns:
        parts = [f"  {column.name:{width}}  {column.dtype:8}  {column.unit or '':8}  {column.description}"]
        lines += [part.rstrip() for part in parts]
    lines.append("")
    if found.profile is not None:
        lines.append(f"survey profile '{found.profile.survey}' fits: --survey {found.profile.survey}")
        names = [column.name for column in found.columns]
        flags = flag_columns(found.profile, names)
        lines.append(f"flags: {', '.join(flags) or 'none'}")
    else:
        lines.append("no shipped survey profile fits; a guess, to be saved as a YAML file and named with --survey:")
    lines += ["", *_yaml(found)]
    required = [name for name in found.missing if name in REQUIRED]
    optional = [name for name in found.missing if name not in REQUIRED]
    if required:
        lines.append(f"missing, and required: {', '.join(required)}")
    if optional:
        lines.append(f"missing: {', '.join(optional)} (needed only where a clause asks for them)")
    return lines


def _found(profile: Profile | None, names: Sequence[str]) -> dict[str, str]:
    sources = profile.columns if profile else {}
    return {ours: source.name for ours, source in sources.items() if source.name in names and source.name is not None}


def _finds(profile: Profile, ours: Sequence[str], names: Sequence[str]) -> bool:
    return all(profile.columns[name].value is not None or profile.columns[name].name in names for name in ours)


def _yaml(found: Inspection) -> list[str]:
    """Write the guess as a survey profile; a unit that the file does not state is left for the user to fill in."""
    units = {column.name: column.unit for column in found.columns}
    lines = ["survey: my-survey", "title: My survey", "columns:"]
    for ours, name in found.guess.items():
        unit, source = UNITS[ours], found.profile.columns.get(ours) if found.profile else None
        stated = units[name] or (str(source.unit) if source and source.unit is not None else None)
        parts, remark = [f"name: {_quoted(name)}"], ""
        if source and source.codes:
            codes = ", ".join(f"{_quoted(code)}: {_quoted(band)}" for code, band in source.codes.items())
            parts.append(f"codes: {{{codes}}}")
        if name.lower() in _STARS_ARE_ONE:
            parts.append("star_above: 0.5")
        if unit is not None and str(unit):
            parts.append(f"unit: {stated or '?'}")
            remark = "" if stated else f"   # the file does not say; {unit}?"
        written = _quoted(name) if len(parts) == 1 else f"{{{', '.join(parts)}}}"
        lines.append(f"  {ours}: {written}{remark}")
    if found.profile is not None and found.profile.flags:
        lines.append("flags:")
        for flag, f in found.profile.flags.items():
            lines.append(f"  {flag}: {{name: {_quoted(f.name)}, bad: {str(f.bad).lower()}}}")
    if found.profile is not None and found.profile.flag_prefix is not None:
        lines.append(f"flag_prefix: {_quoted(found.profile.flag_prefix)}")
    return [*lines, "association_radius: 1 arcsec", ""]


def _quoted(text: str) -> str:
    """Text as YAML, in quotes where it needs them."""
    return yaml.safe_dump([text], default_flow_style=True, width=10_000).strip()[1:-1]
