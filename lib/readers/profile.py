"""Survey profiles: the mapping from a survey's columns to detections."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import astropy.units as u
from pydantic import BeforeValidator, PlainValidator
from skyaccept.lib import strict_yaml
from skyaccept.lib.catalog.colors import ColorTerm
from skyaccept.lib.catalog.detections import SHAPES, UNITS
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.column_source import (
    ColumnSource,
    Flag,
    check_keys,
    column_kind,
    parse_flags,
    parse_source,
)
from skyaccept.lib.strict_yaml import STRICT

REQUIRED = ("visit", "band", "ra", "dec")


_FIELD = re.compile(r"[A-Za-z0-9.+-]+")


@dataclass(frozen=True)
class FileName:
    """Pattern at the start of file names, such as ``src_{band}_{visit}_{detector}``.

    Attributes
    ----------
    text : str
    names : tuple of str
        The fields, in order.
    literals : tuple of str
        Text before each field, and after the last one.
    """

    text: str
    names: tuple[str, ...]
    literals: tuple[str, ...]

    def fields(self, path: Path) -> dict[str, str]:
        """Match a file name, each field as long as possible; {} without a match."""
        values = self._match(path.name, 0, 0, set())
        return {} if values is None else dict(zip(self.names, values, strict=True))

    def _match(self, name: str, number: int, start: int, failed: set[tuple[int, int]]) -> list[str] | None:
        """Match the fields from ``number`` on in ``name[start:]``; remember failures."""
        literal = self.literals[number]
        if (number, start) in failed or not name.startswith(literal, start):
            return None
        if number == len(self.names):
            return []
        begin = start + len(literal)
        longest = _FIELD.match(name, begin)
        for end in range(longest.end() if longest else begin, begin, -1):
            rest = self._match(name, number + 1, end, failed)
            if rest is not None:
                return [name[begin:end], *rest]
        failed.add((number, start))
        return None


def _file_name(text: object) -> FileName:
    if not isinstance(text, str) or len(text) > 200:
        raise ValueError("a file name is text of at most 200 characters, such as 'src_{band}_{visit}_{detector}'")
    parts = re.split(r"\{([^{}]*)\}", text)
    unknown = [name for name in parts[1::2] if name not in UNITS]
    if unknown or len(set(parts[1::2])) < len(parts[1::2]) or "" in parts[2:-1:2]:
        raise ValueError(
            "fields are different columns of the detections, with text between them, such as '{visit}_{band}'"
        )
    return FileName(text, tuple(parts[1::2]), tuple(parts[0::2]))


@dataclass(frozen=True)
class Flux:
    """Fluxes to convert to magnitudes, errors and S/N.

    Attributes
    ----------
    flux, error : ColumnSource
        Flux and its standard error, in one unit.
    zero_point : ColumnSource, optional
        Magnitude of one unit of flux.
    fluxmag0 : ColumnSource, optional
        Flux of magnitude 0, in the unit of the flux.
    calibration : ColumnSource, optional
        Flux density of one unit of flux, such as nJy per count. Give one of these three, or none for a flux in nJy.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    flux: Annotated[ColumnSource, BeforeValidator(parse_source)]
    error: Annotated[ColumnSource | None, BeforeValidator(parse_source)] = None
    zero_point: Annotated[ColumnSource | None, BeforeValidator(parse_source)] = None
    fluxmag0: Annotated[ColumnSource | None, BeforeValidator(parse_source)] = None
    calibration: Annotated[ColumnSource | None, BeforeValidator(parse_source)] = None

    def check_sources(self, place: strict_yaml.YamlLocation, where: tuple[str | int, ...]) -> None:
        """Refuse a flux with two calibrations, or with keys that have no effect.

        Raises
        ------
        InputError
            With file, line and key.
        """
        zeros = [key for key in ZERO_POINTS if getattr(self, key) is not None]
        if len(zeros) > 1:
            raise place.error((*where, zeros[1]), f"keys '{zeros[0]}' and '{zeros[1]}' exclude each other")
        for key, kind in (("flux", "flux"), ("error", "flux error"), *((key, "zero point") for key in zeros)):
            if getattr(self, key) is not None:
                check_keys(place, (*where, key), getattr(self, key), kind)


ZERO_POINTS = ("zero_point", "fluxmag0", "calibration")
"""Keys of `Flux` for the photometric calibration."""


Moment = Annotated[ColumnSource, BeforeValidator(parse_source)]


@dataclass(frozen=True)
class Moments:
    """Second moments to convert to ellipticities.

    Attributes
    ----------
    star, psf : tuple of ColumnSource
        Columns of xx, yy and xy of the image, and of the PSF model at its position.
    unless : Flag, optional
        Flag of rows without a valid ellipticity of the image.
    optional : bool
        Whether a file may lack all of them without a note.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    star: tuple[Moment, Moment, Moment]
    psf: tuple[Moment, Moment, Moment]
    unless: Annotated[Flag | None, BeforeValidator(parse_source)] = None
    optional: bool = False

    def check_sources(self, place: strict_yaml.YamlLocation) -> None:
        """Refuse keys that have no effect for a moment; raises as `check_keys`."""
        for key in ("star", "psf"):
            for number, source in enumerate(getattr(self, key)):
                check_keys(place, ("moments", key, number), source, "moment")


def _angle(text: object) -> u.Quantity:
    angle = strict_yaml.convertible(text, u.rad)
    if not 0 < angle.to_value(u.deg) < 180:
        raise ValueError(f"{text} is not between 0 and 180 degrees")
    return angle


def _table_name(name: object) -> object:
    return str(name) if isinstance(name, int) and not isinstance(name, bool) else name


@dataclass(frozen=True)
class Profile:
    """A survey profile.

    Attributes
    ----------
    survey, title : str
    columns : mapping of str to ColumnSource
        By the names of `UNITS`.
    flags : mapping of str to tuple of Flag
        By the names that definitions use (saturated, cr, bad, edge, not_primary ...); any of them marks a bad
        detection.
    flag_prefix : str, optional
        Prefix of columns that are flags, true for bad, named by the rest of the column name.
    association_radius : Quantity
    flux : Flux, optional
        Source of ``mag``, ``mag_err`` and ``snr`` without columns of their own.
    moments : Moments, optional
        Source of ``e1``, ``e2``, ``psf_e1`` and ``psf_e2``, in place of columns of their own.
    shape_axes : {"sky", "pixels"}
        Axes of moments or ellipticities, see `skyaccept.lib.catalog.detections.Detections`.
    file_name : FileName, optional
        Pattern of file names, with fields for columns.
    color_terms : mapping of str to mapping of str to ColorTerm
        By the survey of the reference profile, and by band.
    table : str, optional
        Table to read from each file, by its name or its number from 1.
    visits : mapping of str to ColumnSource
        Columns of the visit table (``--visits``): ``visit``, ``band`` if it distinguishes visits, ``mjd``,
        ``airmass``. These names are the default.
    duplicates : {"refuse", "merge"}
        Treatment of repeated measurements, see
        `skyaccept.lib.catalog.association.associate`.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    survey: str
    title: str
    columns: Mapping[
        Annotated[str, PlainValidator(strict_yaml.one_of(*UNITS))],
        Annotated[ColumnSource, BeforeValidator(parse_source)],
    ]
    association_radius: Annotated[u.Quantity, PlainValidator(_angle)]
    flags: Mapping[str, Annotated[tuple[Flag, ...], BeforeValidator(parse_flags)]] = field(default_factory=dict)
    flag_prefix: str | None = None
    flux: Flux | None = None
    moments: Moments | None = None
    shape_axes: Literal["sky", "pixels"] = "sky"
    file_name: Annotated[FileName | None, PlainValidator(_file_name)] = None
    color_terms: Mapping[str, Mapping[str, ColorTerm]] = field(default_factory=dict)
    table: Annotated[str | None, BeforeValidator(_table_name)] = None
    visits: Mapping[
        Annotated[str, PlainValidator(strict_yaml.one_of("visit", "band", "mjd", "airmass"))],
        Annotated[ColumnSource, BeforeValidator(parse_source)],
    ] = field(default_factory=dict)
    duplicates: Literal["refuse", "merge"] = "refuse"


def shipped() -> dict[str, Path]:
    """Return the shipped survey profiles by name."""
    folder = Path(str(resources.files("skyaccept.lib.readers.profiles")))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def load(name: str | Path) -> Profile:
    """Load a shipped survey profile by name, or one from a YAML file.

    Raises
    ------
    InputError
        No such profile, or it breaks a rule; the message names file, line and key.
    """
    profiles = shipped()
    path = profiles.get(str(name), Path(name))
    if not strict_yaml.path_exists(path):
        raise InputError(f"--survey {name}: no such file, and not one of {', '.join(profiles)}")
    profile, place = strict_yaml.read(path, Profile)
    for column in REQUIRED:
        if column not in profile.columns:
            raise place.error(("columns",), f"key '{column}' is missing: a profile must map it")
    for column, source in profile.columns.items():
        check_keys(place, ("columns", column), source, column_kind(column, UNITS[column]), UNITS[column])
        if column in REQUIRED and source.optional:
            raise place.error(("columns", column, "optional"), f"key 'optional': {column} is required")
    for where, source in _sources(profile):
        if source.field is not None and (profile.file_name is None or source.field not in profile.file_name.names):
            raise place.error(where, f"key 'field': no field '{source.field}' in the profile's key 'file_name'")
        unit = UNITS.get(str(where[-1]), u.one)
        if unit not in (None, u.one) and (source.header or source.field) and not (source.unit or source.time):
            raise place.error(where, f"key '{where[-1]}': a header or file name states no unit; add 'unit:'")
    _check_visits(place, profile)
    if profile.flux is not None:
        profile.flux.check_sources(place, ("flux",))
    if profile.moments is not None:
        profile.moments.check_sources(place)
    both = [] if profile.moments is None else [name for name in SHAPES if name in profile.columns]
    if both:
        raise place.error(
            ("columns", both[0]), f"key '{both[0]}': the profile gives 'moments' as well; keep one of both"
        )
    return profile


def _sources(profile: Profile) -> Iterator[tuple[tuple[str | int, ...], ColumnSource]]:
    """Iterate over the columns that may come from a header or a file name."""
    for column, source in profile.columns.items():
        yield ("columns", column), source
    for key in ZERO_POINTS if profile.flux is not None else ():
        source = getattr(profile.flux, key)
        if source is not None:
            yield ("flux", key), source


def _check_visits(place: strict_yaml.YamlLocation, profile: Profile) -> None:
    for column, source in profile.visits.items():
        check_keys(place, ("visits", column), source, column_kind(column, UNITS[column]), UNITS[column])
        for key in ("header", "field", "value", "day", "within", "join", "optional"):
            given = source.keys()
            if key in given:
                raise place.error(
                    ("visits", column, key), f"key '{key}': has no effect in a table of visits; remove it"
                )
    if profile.visits and ("visit" not in profile.visits or set(profile.visits) <= {"visit", "band"}):
        raise place.error(("visits",), "key 'visits': map 'visit', and one of mjd and airmass")
