"""A look at a catalog: its columns, a guess at how they map, and what is missing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import astropy.units as u
import numpy as np
import yaml
from skyaccept.lib.catalog import UNITS
from skyaccept.lib.readers import files, flags
from skyaccept.lib.readers import profile as profiles
from skyaccept.lib.readers.flux import GIVES
from skyaccept.lib.readers.profile import REQUIRED, Flux, Profile
from skyaccept.lib.readers.source import Flag, Source
from skyaccept.lib.readers.table import LIST, Column

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
    "object": (
        "object",
        "object_id",
        "objectid",
        "obj_index",
        "matchid",
        "matched_id",
        "isolated_star_id",
        "matchedsourceid",
    ),
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

FLUXES: Mapping[str, str] = {
    "flux": "fluxerr",
    "psfflux": "psffluxerr",
    "psf_flux": "psf_flux_err",
    "base_psfflux_instflux": "base_psfflux_instfluxerr",
    "base_psfflux_flux": "base_psfflux_fluxerr",
    "instflux": "instfluxerr",
    "flux_psf": "fluxerr_psf",
    "flux_auto": "fluxerr_auto",
    "flux_aper": "fluxerr_aper",
}
"""Names under which surveys store a flux and its error, in lower case, the likeliest first."""

_ZERO_POINT = "   # magnitude of a flux of 1; or {name: COLUMN}, {header: KEYWORD}"

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
    fixed : mapping of str to Source
        Our columns that the profile takes from the header, the name of the file, or a value.
    flux : Flux or None
        Flux that gives magnitudes where no column does; a zero point that is not known is "?".
    missing : tuple of str
        Our columns for which nothing was found.
    """

    path: str
    format: str
    columns: tuple[Column, ...]
    profile: Profile | None
    guess: Mapping[str, str]
    fixed: Mapping[str, Source]
    flux: Flux | None
    missing: tuple[str, ...]


def inspect(source: str) -> Inspection:
    """Inspect the first file of a dataset.

    Raises
    ------
    InputError
        Not readable, or not a catalog.
    """
    found = files.find(source)
    path = found.paths[0]
    part = files.parts(found, path)[0]
    columns = tuple(part.columns().values())
    names = [column.name for column in columns]
    header = part.table.header
    fitting = [p for p in map(profiles.load, profiles.shipped()) if _fits(p, path, names, header)]
    best = max(fitting, key=lambda p: len(_found(p, names)), default=None)
    fixed = {} if best is None else {name: source for name, source in best.columns.items() if source.name is None}
    guess = _found(best, names) if best else {}
    lower = _by_plain_name(names)
    for ours, synonyms in SYNONYMS.items():
        if ours not in guess and ours not in fixed:
            match = next((lower[synonym] for synonym in synonyms if synonym in lower), None)
            if match is not None:
                guess[ours] = match
    flux = best.flux if best is not None and best.flux is not None and best.flux.flux.name in names else None
    if flux is None and "mag" not in guess:
        flux = _guessed_flux(lower, {column.name: column.unit for column in columns})
    given = {*guess, *fixed, *(() if flux is None else GIVES if flux.error is not None else GIVES[:1])}
    missing = tuple(name for name in UNITS if name not in given)
    return Inspection(str(path), part.format.name, columns, best, guess, fixed, flux, missing)


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
        flagged = flags.columns_of(found.profile.flags, found.profile.flag_prefix, names)
        lines.append(f"flags: {', '.join(flagged) or 'none'}")
    else:
        lines.append("no shipped survey profile fits; a guess, to be saved as a YAML file and named with --survey:")
    lines += ["", *_yaml(found)]
    required = [name for name in found.missing if name in REQUIRED]
    optional = [name for name in found.missing if name not in REQUIRED]
    if required:
        lines.append(f"missing, and required: {', '.join(required)}")
    if "visit" in required or "band" in required:
        lines.append(
            "what holds for a whole file may come from its header, {header: KEYWORD}, from its name, {field: visit} "
            "with file_name: 'src_{band}_{visit}', or be a {value: r}"
        )
    if optional:
        lines.append(f"missing: {', '.join(optional)} (needed only where a clause asks for them)")
    return lines


def _by_plain_name(names: Sequence[str]) -> dict[str, str]:
    """Columns, of the table in which most are known, by their names in lower case alone."""
    tables: dict[str, dict[str, str]] = {}
    for name in reversed(names):
        table, _, plain = name.rpartition("/")
        tables.setdefault(table, {})[plain.removesuffix(LIST).lower()] = name
    known = {synonym for synonyms in SYNONYMS.values() for synonym in synonyms}
    return max(tables.values(), key=lambda columns: len(known & set(columns)), default={})


def _found(profile: Profile | None, names: Sequence[str]) -> dict[str, str]:
    sources = profile.columns if profile else {}
    return {ours: source.name for ours, source in sources.items() if source.name in names and source.name is not None}


def _fits(profile: Profile, path: Path, names: Collection[str], header: Mapping[str, object]) -> bool:
    """Whether a file has all that a profile needs."""
    stated = profile.file_name.fields(path) if profile.file_name is not None else {}
    places = [profile.columns[name] for name in REQUIRED]
    return all(
        source.value is not None or source.name in names or source.header in header or source.field in stated
        for source in places
    )


def _guessed_flux(lower: Mapping[str, str], units: Mapping[str, str | None]) -> Flux | None:
    """Flux of a file by its name; its zero point is for the user to fill in unless its unit says it."""
    flux = next((name for name in FLUXES if name in lower), None)
    if flux is None:
        return None
    unit, error = units[lower[flux]], lower.get(FLUXES[flux])
    try:
        density = unit is not None and u.Unit(unit).is_equivalent(u.nJy)
    except ValueError:
        density = False
    return Flux(Source(lower[flux]), None if error is None else Source(error), None if density else Source(value="?"))


def _yaml(found: Inspection) -> list[str]:
    """Write the guess as a survey profile; what the file does not state is left for the user to fill in."""
    profile, units = found.profile, {column.name: column.unit for column in found.columns}
    lines = ["survey: my-survey", "title: My survey"]
    if profile is not None and profile.file_name is not None:
        lines.append(f"file_name: {_quoted(profile.file_name.text)}")
    lines.append("columns:")
    lines += [f"  {ours}: {_entry(source)}" for ours, source in found.fixed.items()]
    for ours, name in found.guess.items():
        unit, source = UNITS[ours], profile.columns.get(ours) if profile else None
        stated = units[name] or (str(source.unit) if source and source.unit is not None else None)
        parts, remark = [f"name: {_quoted(name)}"], ""
        if source and source.codes:
            parts.append(f"codes: {_codes(source.codes)}")
        if name.lower() in _STARS_ARE_ONE:
            parts.append("star_above: 0.5")
        if source and source.magnitude_error:
            unit = u.mag
        if unit is not None and str(unit):
            parts.append(f"unit: {stated or '?'}")
            remark = "" if stated else f"   # the file does not say; {unit}?"
        parts += _further(source) if source else []
        written = _quoted(name) if len(parts) == 1 else f"{{{', '.join(parts)}}}"
        lines.append(f"  {ours}: {written}{remark}")
    if found.flux is not None:
        lines.append("flux:")
        for key in ("flux", "error", "zero_point", "fluxmag0", "calibration"):
            entry: Source | None = getattr(found.flux, key)
            if entry is not None:
                remark = (
                    "   # magnitude of a flux of 1; or {name: COLUMN}, {header: KEYWORD}" if entry.value == "?" else ""
                )
                lines.append(f"  {key}: {_entry(entry)}{remark}")
    if profile is not None and profile.flags:
        lines.append("flags:")
        lines += [f"  {flag}: [{', '.join(map(_flag, marks))}]" for flag, marks in profile.flags.items()]
    if profile is not None and profile.flag_prefix is not None:
        lines.append(f"flag_prefix: {_quoted(profile.flag_prefix)}")
    if profile is not None:
        lines += _shapes(profile) + _color_terms(profile)
    return [*lines, "association_radius: 1 arcsec", ""]


def _shapes(profile: Profile) -> list[str]:
    """What a profile says of ellipticities."""
    lines = [] if profile.shape_axes == "sky" else [f"shape_axes: {profile.shape_axes}"]
    if (moments := profile.moments) is not None:
        lines.append("moments:")
        lines += [f"  {key}: [{', '.join(map(_entry, getattr(moments, key)))}]" for key in ("star", "psf")]
        lines += [] if moments.unless is None else [f"  unless: {_flag(moments.unless)}"]
    return lines


def _color_terms(profile: Profile) -> list[str]:
    """The colour terms of a profile."""
    lines = ["color_terms:"] if profile.color_terms else []
    for catalog, terms in profile.color_terms.items():
        lines.append(f"  {_quoted(catalog)}:")
        for band, term in terms.items():
            held = [
                f"{{color: [{', '.join(map(_quoted, one.color))}]"
                + "".join(
                    f", {key}: {value} mag"
                    for key in ("at_least", "at_most")
                    if np.isfinite(value := getattr(one, key))
                )
                + "}"
                for one in term.range
            ]
            lines += [
                f"    {_quoted(band)}:",
                f"      reference: {_quoted(term.reference)}",
                f"      color: [{', '.join(map(_quoted, term.color))}]",
                f"      coefficients: [{', '.join(f'{value} mag' for value in term.coefficients)}]",
                f"      range: [{', '.join(held)}]",
                f"      source: {_quoted(term.source)}",
            ]
    return lines


def _entry(source: Source) -> str:
    """Write all that a profile says of one column."""
    parts = []
    for key in ("name", "value", "header", "field", "unit", "codes", "star_below", "star_above", "per"):
        value = getattr(source, key)
        if key == "codes" and value is not None:
            parts.append(f"codes: {_codes(value)}")
        elif value is not None:
            parts.append(f"{key}: {_quoted(value if isinstance(value, int | float) else str(value))}")
    return f"{{{', '.join([*parts, *_further(source)])}}}"


def _further(source: Source) -> list[str]:
    """What else a profile says of a column, in YAML."""
    parts = [f"missing: [{', '.join(map(str, source.missing))}]"] if source.missing else []
    parts += [
        f"{key}: {_quoted(text)}" for key in ("plus", "day", "within") if (text := getattr(source, key)) is not None
    ]
    if source.unless is not None:
        parts.append(f"unless: {_flag(source.unless)}")
    if source.magnitude_error:
        parts.append("magnitude_error: true")
    if source.join is not None:
        parts.append(f"join: {_codes(source.join)}")
    return parts


def _flag(flag: Flag) -> str:
    bits = "" if flag.bits is None else f", bits: {flag.bits}"
    return f"{{name: {_quoted(flag.name)}, bad: {str(flag.bad).lower()}{bits}}}"


def _codes(codes: Mapping[str, str]) -> str:
    return f"{{{', '.join(f'{_quoted(code)}: {_quoted(band)}' for code, band in codes.items())}}}"


def _quoted(text: str | float) -> str:
    """Text as YAML, in quotes where it needs them."""
    return yaml.safe_dump([text], default_flow_style=True, width=10_000).strip()[1:-1]
