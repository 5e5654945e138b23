"""Headers that astropy adds to tables: units, masks, times and coordinates.

Columns other than plain numbers or text are stored as several plain columns (value and mask, two parts of a Julian
date), which the header names. ECSV, Parquet and HDF5 files hold it as YAML.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import yaml
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.table import Column, apply_mask, shorten

MAX_BYTES = 4_000_000
MAX_NODES = 200_000
"""Maximum number of entries of a header; an alias (``*name``) counts at each use."""

MAX_DEPTH = 40

_PLAIN = {
    "Angle",
    "Column",
    "Dex",
    "Decibel",
    "Distance",
    "Latitude",
    "Longitude",
    "Magnitude",
    "MaskedAngle",
    "MaskedColumn",
    "MaskedLatitude",
    "MaskedLongitude",
    "MaskedNDArray",
    "MaskedQuantity",
    "NdarrayMixin",
    "Quantity",
}
_PLAIN_KEYS = {"__class__", "value", "data", "mask", "unit", "wrap_angle"}
_TIME_KEYS = {"__class__", "format", "scale", "value", "jd1", "jd2", "precision", "in_subfmt", "out_subfmt"}
_TIME_FORMATS = {"mjd", "jd", "iso", "isot", "yday", "fits", "unix", "decimalyear", "jyear", "byear"}
_SCALES = {"tai", "utc", "tdb"}
_OTHER_SCALES = {"tt", "tcb", "tcg"}
SCALES = _SCALES | _OTHER_SCALES
"""Supported time scales."""

_SKY_KEYS = {"__class__", "frame", "ra", "dec", "representation_type", "distance", "pm_ra_cosdec", "pm_dec"}
_DAY = 86_400_000_000  # microseconds


@dataclass(frozen=True)
class CombinedColumn:
    """A column that astropy stores as several columns.

    Attributes
    ----------
    name : str
        Name of the combined column.
    parts : mapping of str to str
        Stored columns: ``value`` and ``mask``; for times also ``jd1``, ``jd2``, ``jd1.mask``, ``jd2.mask``.
    unit : str, optional
    format, scale : str, optional
        Format and scale of times.
    refused : str, optional
        Reason why the column is not supported.
    """

    name: str
    parts: Mapping[str, str]
    unit: str | None = None
    format: str | None = None
    scale: str | None = None
    refused: str | None = None

    @property
    def handed_scale(self) -> str | None:
        """Scale of the returned times: their own, or TAI if no profile can state it."""
        return self.scale if self.scale is None or self.scale in _SCALES else "tai"


@dataclass(frozen=True)
class Header:
    """Content of astropy's header.

    Attributes
    ----------
    columns : mapping of str to Column
        Stored columns by name; ``dtype`` is that of the header.
    subtypes : mapping of str to str
        Types of columns of JSON: ``float64[3]``, ``float64[null]`` or ``json``.
    combined : mapping of str to CombinedColumn
    delimiter : str
    """

    columns: Mapping[str, Column] = field(default_factory=dict)
    subtypes: Mapping[str, str] = field(default_factory=dict)
    combined: Mapping[str, CombinedColumn] = field(default_factory=dict)
    delimiter: str = " "

    def offered(self, stored: Sequence[Column]) -> tuple[Column, ...]:
        """Replace the stored columns by the columns they form, with the header's units."""
        there = {column.name: column for column in stored}
        makers = {part: one for one in self.combined.values() for part in one.parts.values()}
        columns: dict[str, Column] = {}
        for column in stored:
            one = makers.get(column.name)
            described = self.columns.get(column.name)
            unit = column.unit or (described.unit if described else None)
            if one is None:
                columns[column.name] = replace(column, unit=unit)
            elif one.name not in columns:
                kept = there.get(one.name, column)
                dtype = "datetime64[us]" if one.format is not None else kept.dtype
                unit = kept.unit or (self.columns[one.name].unit if one.name in self.columns else None) or one.unit
                columns[one.name] = Column(one.name, dtype, unit, kept.description, one.handed_scale)
        return tuple(columns.values())

    def needed(self, names: Collection[str]) -> list[str]:
        """Return the stored columns that form the named ones, without repeats."""
        parts = [list(self.combined[n].parts.values()) if n in self.combined else [n] for n in names]
        return list(dict.fromkeys(name for several in parts for name in several))

    def combine(self, place: str, names: Collection[str], stored: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
        """Form the named columns from stored ones.

        Raises
        ------
        InputError
            A column is of an unsupported kind, or a part of it is missing or invalid.
        """
        return {n: _combine_column(place, self.combined[n], stored) if n in self.combined else stored[n] for n in names}

    def check_columns(self, place: str, names: Collection[str], stored: Collection[str]) -> None:
        """Refuse columns that cannot be formed, before reading; raises as `combine`."""
        for one in (self.combined[name] for name in names if name in self.combined):
            if one.refused is not None:
                raise InputError(f"{place}: column '{one.name}' {one.refused}")
            for part in one.parts.values():
                if part not in stored:
                    raise InputError(
                        f"{place}: column '{one.name}': its part '{part}', which the header names, is not in the file; "
                        "write the table again with all its columns"
                    )


def read_header(place: str, text: str) -> Header:
    """Parse a header.

    Parameters
    ----------
    place : str
        File, for messages.
    text : str
        YAML.

    Raises
    ------
    InputError
        The text is not YAML, not such a header, or too large.
    """
    document = _document(place, text)
    entries = document.get("datatype") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not isinstance(document, dict):
        raise InputError(f"{place}: the header has no list 'datatype' of columns")
    columns: dict[str, Column] = {}
    subtypes: dict[str, str] = {}
    for number, entry in enumerate(entries, start=1):
        name, kind = (entry.get("name"), entry.get("datatype")) if isinstance(entry, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(kind, str):
            raise InputError(f"{place}: the header, datatype {number}: an entry must have a name and a datatype")
        if name in columns:
            raise InputError(f"{place}: column '{shorten(name)}' occurs twice in its header")
        columns[name] = Column(name, kind, _unit(entry.get("unit")), str(entry.get("description") or ""))
        if entry.get("subtype") is not None:
            subtypes[name] = str(entry["subtype"])
    combined: dict[str, CombinedColumn] = {}
    for name, entry in _serialized(document.get("meta")).items():
        for one in _combined(name, entry):
            combined[one.name] = one
    return Header(columns, subtypes, combined, str(document.get("delimiter") or " "))


def _serialized(meta: object) -> Mapping[str, Any]:
    """Return the entries of columns that are stored as several."""
    for mapping in meta if isinstance(meta, list) else [meta]:
        entries = mapping.get("__serialized_columns__") if isinstance(mapping, dict) else None
        if isinstance(entries, dict):
            return entries
    return {}


def _combined(name: str, entry: object) -> list[CombinedColumn]:
    """Build the columns of one entry: several for coordinates, else one."""
    kind = _class_of(entry)
    keys = set(entry) if isinstance(entry, dict) else set()
    if isinstance(entry, dict) and kind == "Time":
        return [_time(name, entry, keys)]
    if isinstance(entry, dict) and kind == "SkyCoord":
        reason = None
        if entry.get("frame") != "icrs" or not keys <= _SKY_KEYS:
            frame = shorten(entry.get("frame"))
            reason = f"is of coordinates '{name}' in frame {frame}, which is not read; write it in ICRS"
        return [
            replace(one, refused=reason or one.refused)
            for key, part in entry.items()
            if _stored(part)
            for one in [_plain(f"{name}.{key}", part)]
        ]
    return [_plain(name, entry)]


def _plain(name: str, entry: object) -> CombinedColumn:
    """Build a column of values with an optional unit and mask."""
    parts: dict[str, str] = {}
    unit: str | None = None
    while isinstance(entry, dict) and "__class__" in entry:
        kind = _class_of(entry)
        if kind not in _PLAIN or not set(entry) <= _PLAIN_KEYS:
            return CombinedColumn(
                name, _parts(entry), refused=f"is stored as {shorten(entry['__class__'])}, which is not read"
            )
        unit = unit or _unit(entry.get("unit"))
        mask = entry.get("mask")
        if mask is not None:
            parts["mask"] = str(mask.get("name")) if isinstance(mask, dict) else ""
        entry = entry.get("value", entry.get("data"))
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        return CombinedColumn(name, parts, refused="has an entry in the header that names no stored column")
    return CombinedColumn(name, parts | {"value": str(entry["name"])}, unit)


def _time(name: str, entry: Mapping[str, Any], keys: set[str]) -> CombinedColumn:
    parts: dict[str, str] = {}
    kind, scale = entry.get("format"), entry.get("scale")
    wrong = not keys <= _TIME_KEYS or scale not in SCALES
    for key in ("value", "jd1", "jd2"):
        if key in entry:
            part = _plain(key, entry[key])
            wrong = wrong or part.refused is not None
            parts |= {key: part.parts.get("value", "")}
            parts |= {f"{key}.mask": part.parts["mask"]} if "mask" in part.parts else {}
    wrong = wrong or not (("value" in parts and kind in _TIME_FORMATS) or {"jd1", "jd2"} <= set(parts))
    reason = f"is a time of format {shorten(kind)} and scale {shorten(scale)}, which is not read" if wrong else None
    return CombinedColumn(name, parts, None, str(kind), str(scale), reason)


def _combine_column(place: str, one: CombinedColumn, stored: Mapping[str, AnyArray]) -> AnyArray:
    parts = {role: stored[name] for role, name in one.parts.items()}
    masks: list[tuple[str, AnyArray]] = []
    for role in [role for role in parts if role.endswith("mask")]:
        mask = parts.pop(role)
        if mask.dtype.kind != "b" or isinstance(mask, np.ma.MaskedArray):
            raise InputError(f"{place}: column '{one.parts[role]}': a mask must be true or false in every row")
        masks.append((one.parts[role], mask))
    if one.format is None:
        value = parts["value"]
        for name, mask in masks:
            value = apply_mask(place, one.name, value, name, mask)
        return value
    if any(values.ndim > 1 for values in parts.values()):
        raise InputError(f"{place}: column '{one.name}' holds arrays of times; write one time a row")
    missing = np.zeros(len(next(iter(parts.values()))), dtype=bool)
    for name, mask in masks:
        missing = missing | np.ma.getmaskarray(apply_mask(place, one.name, np.ma.array(missing), name, mask))
    return timestamps(place, one, parts, missing)


def timestamps(place: str, one: CombinedColumn, parts: Mapping[str, AnyArray], missing: AnyArray) -> AnyArray:
    """Convert times to datetime64[us], in their own scale or in TAI."""
    from astropy.time import Time

    for values in parts.values():
        missing = missing | np.ma.getmaskarray(values)
        if values.dtype.kind == "f":
            missing = missing | ~np.isfinite(np.ma.getdata(values))
    there = ~missing
    times = np.full(len(missing), np.datetime64("NaT", "us"))
    try:
        if "jd1" in parts:
            first, second = (np.ma.getdata(parts[key])[there].astype(np.float64) for key in ("jd1", "jd2"))
            if (np.abs(first) + np.abs(second) > 1e8).any():
                raise ValueError("a Julian date beyond all calendars")
            time = Time(first, second, format="jd", scale=one.scale)
        else:
            values = np.ma.getdata(parts["value"])[there]
            values = values.astype(str) if values.dtype.kind == "O" else values
            time = Time(values, format=one.format, scale=one.scale)
        if one.handed_scale != one.scale:
            time = time.tai
        day = np.floor(time.jd1 - 2440587.5)
        rest = (time.jd1 - 2440587.5 - day) + time.jd2
        if len(day) and np.abs(day).max() > 5e6:
            raise ValueError("a time beyond all calendars")
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(f"{place}: column '{one.name}': not times of format {one.format}: {shorten(error)}") from None
    times[there] = (day.astype(np.int64) * _DAY + np.rint(rest * _DAY).astype(np.int64)).astype("datetime64[us]")
    return times


def _class_of(entry: object) -> str:
    return str(entry.get("__class__", "")).rpartition(".")[2] if isinstance(entry, dict) else ""


def _stored(entry: object) -> bool:
    """Return whether an entry names stored columns."""
    return bool(_parts(entry))


def _parts(entry: object) -> dict[str, str]:
    """Collect all stored columns of an entry, at any depth."""
    if not isinstance(entry, dict):
        return {}
    if set(entry) == {"name"} and isinstance(entry["name"], str):
        return {entry["name"]: entry["name"]}
    return {name: name for part in entry.values() for name in _parts(part)}


def _unit(entry: object) -> str | None:
    """Return the unit of a column, which is text or a mapping."""
    if isinstance(entry, dict):
        entry = entry.get("unit")
    return entry if isinstance(entry, str) and entry else None


def _document(place: str, text: str) -> object:
    """Parse YAML to dicts, lists and text; tags have no effect."""
    if len(text) > MAX_BYTES:
        raise InputError(f"{place}: the header has {len(text)} characters; it may have at most {MAX_BYTES}")
    try:
        events = iter(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
        for event in events:
            if isinstance(event, yaml.NodeEvent):
                return _node(event, events, {}, 0)[0]
    except (yaml.YAMLError, ValueError) as error:
        problem = getattr(error, "problem", None) or str(error).split("\n")[0]
        raise InputError(f"{place}: the header is not readable YAML: {shorten(problem)}") from None
    return None


def _node(
    event: yaml.Event, events: Iterator[yaml.Event], anchors: dict[str, tuple[object, int]], depth: int
) -> tuple[object, int]:
    """Convert one node, and count its entries."""
    if depth > MAX_DEPTH:
        raise ValueError(f"more than {MAX_DEPTH} levels")
    if isinstance(event, yaml.AliasEvent):
        if event.anchor not in anchors:
            raise ValueError(f"alias *{event.anchor} refers to nothing before it")
        return anchors[event.anchor]
    value: object
    size = 1
    if isinstance(event, yaml.ScalarEvent):
        value = None if event.implicit[0] and event.value in ("", "~", "null", "Null", "NULL") else event.value
    elif isinstance(event, yaml.SequenceStartEvent):
        items = []
        while not isinstance(event_in := next(events), yaml.SequenceEndEvent):
            item, count = _node(event_in, events, anchors, depth + 1)
            items.append(item)
            size += count
        value = items
    else:
        pairs: dict[object, object] = {}
        while not isinstance(event_in := next(events), yaml.MappingEndEvent):
            key, _ = _node(event_in, events, anchors, depth + 1)
            if not isinstance(key, str) or key in pairs or key == "<<":
                raise ValueError(f"key {shorten(key)!r} is not text, occurs twice or merges others")
            pairs[key], count = _node(next(events), events, anchors, depth + 1)
            size += count
        value = pairs
    if size > MAX_NODES:
        raise ValueError(f"more than {MAX_NODES} entries")
    anchor = getattr(event, "anchor", None)
    if anchor is not None:
        anchors[anchor] = (value, size)
    return value, size
