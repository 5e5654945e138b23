"""Survey profiles: how the columns of a survey's catalogs become detections."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import astropy.units as u
from pydantic import BeforeValidator, Field, PlainValidator
from skyaccept.lib import document
from skyaccept.lib.catalog import SHAPES, UNITS
from skyaccept.lib.color import ColorTerm
from skyaccept.lib.document import STRICT, Quantity
from skyaccept.lib.errors import InputError

REQUIRED = ("visit", "band", "ra", "dec")


def _unit(text: object) -> u.UnitBase:
    try:
        return u.Unit(text)
    except (ValueError, TypeError):
        raise ValueError(f"unit {text!r} is not known to astropy") from None


def as_source(entry: object) -> object:
    """Let a bare column name stand for {name: ...}, and codes be numbers."""
    if isinstance(entry, str):
        return {"name": entry}
    if isinstance(entry, dict) and isinstance(entry.get("codes"), dict):
        return entry | {"codes": {str(key): str(value) for key, value in entry["codes"].items()}}
    return entry


@dataclass(frozen=True)
class Flag:
    """A flag column and the value that marks a bad detection, or the ``bits`` of an integer any of which does."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    name: str
    bad: bool = True
    bits: Annotated[int, Field(ge=1)] | None = None


@dataclass(frozen=True)
class Source:
    """Where a column comes from: a column of the file, or one value for all rows of a file.

    The one value stands here (``value``), in the file's ``header``, or in a ``field`` of its name. ``codes`` translates
    the file's values, ``star_below`` and ``star_above`` turn a classifier into extendedness. ``per`` is a unit that the
    file's own forgets to divide by. ``missing`` are numbers that mean none, and where the flag ``unless`` is set there
    is none either. ``plus`` is a column, in the same unit, that is added. ``magnitude_error`` says that the column for
    S/N holds magnitude errors.

    For labels: ``day`` is a column of days, and a label on another whole day is another one; with ``within: file``, so
    is a label in another file. ``join: {THERE: HERE}`` looks the value up in another table of the file, in the row in
    which its column THERE holds what column HERE does.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    name: str | None = None
    value: str | int | float | None = None
    header: str | None = None
    field: str | None = None
    unit: Annotated[u.UnitBase | None, PlainValidator(_unit)] = None
    codes: Mapping[str, str] | None = None
    star_below: float | None = None
    star_above: float | None = None
    per: Annotated[u.UnitBase | None, PlainValidator(_unit)] = None
    missing: tuple[float, ...] = ()
    unless: Annotated[Flag | None, BeforeValidator(as_source)] = None
    plus: str | None = None
    magnitude_error: bool = False
    day: str | None = None
    within: Literal["file"] | None = None
    join: Mapping[str, str] | None = None

    @property
    def others(self) -> tuple[str, ...]:
        """Columns of the file that are read beside the one it is named after."""
        flag = None if self.unless is None else self.unless.name
        return tuple(name for name in (self.plus, flag, self.day) if name is not None)

    @property
    def places(self) -> int:
        """In how many ways the profile says where the column comes from; one is right."""
        return sum(place is not None for place in (self.name, self.value, self.header, self.field))


@dataclass(frozen=True)
class FileName:
    """How the names of the files begin, such as ``src_{band}_{visit}_{detector}``: no regular expression is needed."""

    text: str
    pattern: re.Pattern[str]

    def fields(self, path: Path) -> dict[str, str]:
        """Fields of a file's name; none where it begins otherwise."""
        match = self.pattern.match(path.name)
        return {} if match is None else match.groupdict()


def _file_name(text: object) -> FileName:
    if not isinstance(text, str) or len(text) > 200:
        raise ValueError("a file name is text of at most 200 characters, such as 'src_{band}_{visit}_{detector}'")
    parts = re.split(r"\{([^{}]*)\}", text)
    unknown = [name for name in parts[1::2] if name not in UNITS]
    if unknown or len(set(parts[1::2])) < len(parts[1::2]) or "" in parts[2:-1:2]:
        raise ValueError("fields are different columns of ours with something between them, such as '{visit}_{band}'")
    literal = [re.escape(part) for part in parts[0::2]]
    fields = [f"(?P<{name}>[A-Za-z0-9.+-]+)" for name in parts[1::2]]
    return FileName(text, re.compile("".join(a + b for a, b in zip(literal, [*fields, ""], strict=True))))


@dataclass(frozen=True)
class Flux:
    """Fluxes that become magnitudes, their errors and S/N.

    Attributes
    ----------
    flux, error : Source
        Flux and its standard error, in one unit.
    zero_point : Source, optional
        Magnitude of a flux of one unit.
    fluxmag0 : Source, optional
        Flux of an object of magnitude 0, in the unit of the flux.
    calibration : Source, optional
        Flux density of a flux of one unit, such as nJy per count. One of these three, or none for a flux in nJy.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    flux: Annotated[Source, BeforeValidator(as_source)]
    error: Annotated[Source | None, BeforeValidator(as_source)] = None
    zero_point: Annotated[Source | None, BeforeValidator(as_source)] = None
    fluxmag0: Annotated[Source | None, BeforeValidator(as_source)] = None
    calibration: Annotated[Source | None, BeforeValidator(as_source)] = None

    def check(self, place: document.Place, where: tuple[str | int, ...]) -> None:
        """Refuse a flux that does not say, or says twice, how bright it is.

        Raises
        ------
        InputError
            With file, line and key.
        """
        zeros = [key for key in ("zero_point", "fluxmag0", "calibration") if getattr(self, key) is not None]
        if len(zeros) > 1:
            raise place.error(where, f"keys '{zeros[0]}' and '{zeros[1]}' exclude each other")
        for key in ("flux", "error"):
            source = getattr(self, key)
            if source is not None and (source.name is None or source.places != 1):
                raise place.error((*where, key), f"key '{key}': has to be a column")
        for key in zeros:
            if getattr(self, key).places != 1:
                raise place.error((*where, key), f"key '{key}': give one of name, value, header and field")


@dataclass(frozen=True)
class Moments:
    """Second moments that become ellipticities.

    Attributes
    ----------
    star, psf : tuple of str
        Columns of xx, yy and xy of the image, and of the model of the PSF at its place.
    unless : Flag, optional
        Where it is set there is none of the image.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    star: tuple[str, str, str]
    psf: tuple[str, str, str]
    unless: Annotated[Flag | None, BeforeValidator(as_source)] = None


@dataclass(frozen=True)
class Profile:
    """A survey profile.

    Attributes
    ----------
    survey, title : str
    columns : mapping of str to Source
        By the names of `UNITS`.
    flags : mapping of str to Flag
        By the names that definitions use (saturated, cr, bad, edge, not_primary ...).
    flag_prefix : str, optional
        Every column whose name starts so is a flag, true for bad, named by what follows.
    association_radius : Quantity
    flux : Flux, optional
        What gives ``mag``, ``mag_err`` and ``snr`` where no column does.
    moments : Moments, optional
        What gives ``e1``, ``e2``, ``psf_e1`` and ``psf_e2`` in place of columns of these.
    shape_axes : {"sky", "pixels"}
        Axes of moments or ellipticities, see `skyaccept.lib.catalog.Detections`.
    file_name : FileName, optional
        With the fields that columns are taken from.
    color_terms : mapping of str to mapping of str to ColorTerm
        By the survey of the reference profile, and by band.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    survey: str
    title: str
    columns: Mapping[
        Annotated[str, PlainValidator(document.one_of(*UNITS))], Annotated[Source, BeforeValidator(as_source)]
    ]
    association_radius: Quantity
    flags: Mapping[str, Annotated[Flag, BeforeValidator(as_source)]] = field(default_factory=dict)
    flag_prefix: str | None = None
    flux: Flux | None = None
    moments: Moments | None = None
    shape_axes: Literal["sky", "pixels"] = "sky"
    file_name: Annotated[FileName | None, PlainValidator(_file_name)] = None
    color_terms: Mapping[str, Mapping[str, ColorTerm]] = field(default_factory=dict)


def shipped() -> dict[str, Path]:
    """Survey profiles that come with the package, by name."""
    folder = Path(str(resources.files("skyaccept.lib.readers.profiles")))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def load(name: str | Path) -> Profile:
    """Load a survey profile by the name of a shipped one, or from a YAML file.

    Raises
    ------
    InputError
        No such profile, or it breaks a rule; the message names file, line and key.
    """
    known = shipped()
    path = known.get(str(name), Path(name))
    if not document.exists(path):
        raise InputError(f"--survey {name}: no such file, and not one of {', '.join(known)}")
    profile, place = document.read(path, Profile)
    for column in REQUIRED:
        if column not in profile.columns:
            raise place.error(("columns",), f"key '{column}' is missing: a profile has to map it")
    for column, source in profile.columns.items():
        where = ("columns", column)
        if source.places != 1:
            raise place.error(
                where,
                f"key '{column}': give either the name of a column or a value for all rows (value, header or field)",
            )
        if source.field is not None and (
            profile.file_name is None or source.field not in profile.file_name.pattern.groupindex
        ):
            raise place.error(where, f"key 'field': no field '{source.field}' in the profile's key 'file_name'")
        unit = UNITS[column]
        if unit is not None and source.value is not None and not isinstance(source.value, int | float):
            raise place.error(where, f"key '{column}': {source.value!r} is not a number")
        if unit not in (None, u.one) and (source.header or source.field) and source.unit is None:
            raise place.error(where, f"key '{column}': a header or file name states no unit; add 'unit:'")
        _check_keys(place, column, source)
        if source.magnitude_error:
            unit = u.mag
        if source.unit is not None and (unit is None or not source.unit.is_equivalent(unit)):
            raise place.error(where, f"key 'unit': {column} is not measured in {source.unit}")
        if (source.star_below is not None or source.star_above is not None) and column != "extendedness":
            raise place.error(where, "keys 'star_below' and 'star_above' belong to extendedness")
    if profile.flux is not None:
        profile.flux.check(place, ("flux",))
    for catalog, terms in profile.color_terms.items():
        for band, term in terms.items():
            term.check(place, ("color_terms", catalog, band))
    both = [] if profile.moments is None else [name for name in SHAPES if name in profile.columns]
    if both:
        raise place.error(
            ("columns", both[0]), f"key '{both[0]}': the profile gives 'moments' as well; keep one of both"
        )
    radius = profile.association_radius
    if not radius.unit.is_equivalent(u.rad):
        raise place.error(("association_radius",), f"key 'association_radius': {radius} is no angle")
    if not 0 < radius.to_value(u.deg) < 180:
        raise place.error(("association_radius",), f"key 'association_radius': {radius} is not above 0")
    return profile


def _check_keys(place: document.Place, column: str, source: Source) -> None:
    """Refuse keys that mean nothing for a column, rather than pass over them."""
    where, label = ("columns", column), UNITS[column] is None
    numeric = {"missing": source.missing, "unless": source.unless, "plus": source.plus}
    for key, given in {**numeric, "day": source.day, "join": source.join}.items():
        if given and source.name is None:
            raise place.error(where, f"key '{key}': goes with the name of a column")
        if given and key in numeric and label:
            raise place.error(where, f"key '{key}': {column} is a label, not a number")
    if (source.day is not None or source.within is not None) and not label:
        raise place.error(where, "keys 'day' and 'within' belong to labels")
    if source.magnitude_error and column != "snr":
        raise place.error(where, "key 'magnitude_error': belongs to snr")
    if source.join is not None and (len(source.join) != 1 or source.others or label):
        raise place.error(where, "key 'join': one pair {THERE: HERE}, for a number that stands in another table")
