"""Draft of a profile from the column names and header of a table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import astropy.units as u
import numpy as np
import yaml
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.catalog.detections import UNITS
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import files, synonyms
from skyaccept.lib.readers.columns.labels import encode_labels
from skyaccept.lib.readers.columns.parsing import as_numbers
from skyaccept.lib.readers.columns.times import likely_format
from skyaccept.lib.readers.files import FileTable
from skyaccept.lib.readers.profile import REQUIRED
from skyaccept.lib.readers.profile_draft import UNKNOWN, Blank, Draft, Line, Value, format_entry
from skyaccept.lib.readers.table import LIST_SUFFIX, Column, array_length, is_array, shorten
from skyaccept.lib.units import parse_unit

BY_NAME = "by its name"

_BANDS = frozenset("ugrizy")


@dataclass(frozen=True)
class Names:
    """Columns of one table by lower-case name.

    Attributes
    ----------
    part : FileTable
    by_name : mapping of str to Column
        Names without those of tables and structs and without `LIST_SUFFIX`; of an HDF5 file, those of the table with
        the most recognised names.
    """

    part: FileTable
    by_name: Mapping[str, Column]

    @classmethod
    def of_table(cls, part: FileTable) -> Names:
        """Collect the columns of a table, including those of folder names."""
        tables: dict[str, dict[str, Column]] = {}
        names = part.columns()
        for name, column in names.items():
            if name + LIST_SUFFIX in names:
                continue
            table, _, last = name.rpartition("/")
            columns, word = tables.setdefault(table, {}), last.removesuffix(LIST_SUFFIX).rpartition(".")[2].lower()
            # values per epoch take precedence over their mean
            if word not in columns or (name.endswith(LIST_SUFFIX) and not columns[word].name.endswith(LIST_SUFFIX)):
                columns[word] = column
        words = {word for names in synonyms.COLUMNS.values() for word in names}
        words |= {word for pair in (*synonyms.POSITIONS, *synonyms.MAGNITUDES, *synonyms.FLUXES) for word in pair}
        chosen = cls(part, max(tables.values(), key=lambda columns: len(words & set(columns)), default={}))
        visit = chosen.first(synonyms.COLUMNS["visit"])
        if visit is not None and visit.name.endswith(LIST_SUFFIX):
            return chosen
        # rows are detections, and lists are arrays
        return cls(part, {word: names.get(c.name.removesuffix(LIST_SUFFIX), c) for word, c in chosen.by_name.items()})

    def first(self, words: Sequence[str]) -> Column | None:
        """Return the first of the given columns that exists."""
        return next((self.by_name[word] for word in words if word in self.by_name), None)

    def pair(self, pairs: Sequence[tuple[str, str]]) -> tuple[Column | None, Column | None]:
        """Return the first pair whose columns both exist, else one column alone."""
        whole = [pair for pair in pairs if pair[0] in self.by_name and pair[1] in self.by_name]
        whole.sort(key=lambda pair: is_array(self.by_name[pair[0]]))
        if whole:
            return self.by_name[whole[0][0]], self.by_name[whole[0][1]]
        return self.first([one for one, _ in pairs]), None

    @property
    def of_differences(self) -> bool:
        """Whether the table holds sources of difference images."""
        forced = "psfdiffflux" in self.by_name  # measured in both images at the position of an object
        return self.first(synonyms.DIFFERENCE) is not None and not forced

    @property
    def of_sextractor(self) -> bool:
        """Whether SExtractor wrote the table."""
        return sum(word in self.by_name for word in synonyms.SEXTRACTOR) >= 2


def draft_profile(part: FileTable) -> Draft:
    """Draft a survey profile, with alternatives for what is missing."""
    names = Names.of_table(part)
    columns = [*labels_and_positions(names), *_photometry(names), *_extendedness(names), *_time(names)]
    airmass = names.first(synonyms.COLUMNS["airmass"])
    columns += [Line("airmass", _entry(airmass), BY_NAME)] if airmass is not None else _alternatives(part, "airmass")
    columns += _pair(names, ("ra_err", "dec_err"), synonyms.POSITION_ERRORS)
    mag = any(line.key == "mag" and line.stated for line in columns)
    flags, end = _flags(names)
    return Draft(tuple(columns), tuple(_file_name(part, columns)), tuple(_flux(names, mag)), tuple(flags), tuple(end))


def labels_and_positions(names: Names) -> list[Line]:
    """Draft visit, detector, band, object, and position."""
    lines: list[Line] = []
    for ours in ("visit", "detector", "band", "object"):
        column = names.first(synonyms.COLUMNS[ours])
        lines += [_label(names, ours, column)] if column is not None else _alternatives(names.part, ours)
    return [*lines, *_pair(names, ("ra", "dec"), synonyms.POSITIONS)]


def _label(names: Names, ours: str, column: Column) -> Line:
    remark = BY_NAME
    if ours == "band":
        values = _label_values(names.part, column.name)
        odd = [value for value in values if value not in _BANDS]
        if odd:
            example = format_entry(codes={odd[0]: "r"})[1:-1]
            remark += (
                f"; its values are {shorten(', '.join(values))}: a name other than u, g, r, i, z, y needs {example}"
            )
    return Line(ours, _entry(column), remark)


def _incomplete(key: str, written: str, remark: str, *, has_column: bool = False) -> Line:
    """Draft a line that counts once the user has completed it."""
    return Line(key, written, remark, stated=False, complete=False, has_column=has_column)


def _entry(column: Column, **further: Value | None) -> str:
    return format_entry(name=column.name, **further)


def _number(
    ours: str, column: Column, remark: str = BY_NAME, expected: u.UnitBase | None = None, **keys: Value
) -> Line:
    """Draft a column with the unit from the file, or a blank for the user to fill in."""
    unit = UNITS[ours] if expected is None else expected
    text, why = _unit(column, unit)
    length = array_length(column)
    element = UNKNOWN if is_array(column) else None
    if length is None and element is not None:
        why = f"{why}; lists, perhaps all of one length: choose an element, from 0".removeprefix("; ")
    elif length is not None:
        why = f"{why}; an array of {length}: choose an element, 0 to {length - 1}".removeprefix("; ")
    written = format_entry(name=column.name, unit=text, element=element, **keys)
    complete = text is not UNKNOWN and element is None
    stated = complete or ours in REQUIRED
    return Line(ours, written, "; ".join(filter(None, (remark, why))), stated=stated, complete=complete)


def _unit(column: Column, expected: u.UnitBase | None) -> tuple[str | Blank | None, str]:
    """Return the unit to write, or a blank, with a remark."""
    if expected is None or expected == u.one:
        return None, ""
    if not column.unit:
        return UNKNOWN, f"the file does not say; {expected}?"
    try:
        own = parse_unit(column.unit, factor=True)
    except ValueError:
        return UNKNOWN, f"the file says {shorten(column.unit)}, which is not known; {expected}?"
    if not getattr(own, "function_unit", own).is_equivalent(expected):
        return UNKNOWN, f"the file says {own}, which is not a unit of it; {expected}?"
    return str(own), ""


def _pair(names: Names, ours: tuple[str, str], pairs: Sequence[tuple[str, str]]) -> list[Line]:
    """Draft two related columns, such as right ascension and declination."""
    one, other = names.pair(pairs)
    if other is None:
        other = names.first([second for _, second in pairs])
    lines: list[Line] = []
    for name, column in zip(ours, (one, other), strict=True):
        if column is None:
            lines += _alternatives(names.part, name)
            continue
        inverse = column.name.lower().endswith("ivar")
        remark = BY_NAME
        if column.name.lower().endswith("_world"):
            remark = "by its name: on the sky, where the WCS of the image is of right ascension and declination"
        unit = UNITS[name]
        expected = unit**-2 if inverse and unit is not None else None
        keys: dict[str, Value] = {"inverse_variance": True} if inverse else {}
        lines.append(_number(name, column, remark, expected, **keys))
    return lines


def _photometry(names: Names) -> list[Line]:
    """Draft magnitude, its error, and S/N."""
    mag, error = names.pair(synonyms.MAGNITUDES)
    keys: dict[str, Value] = {"missing": [99]} if names.of_sextractor else {}
    remark = f"{BY_NAME}; 99 is none in SExtractor's catalogs" if keys else BY_NAME
    lines = [_number(ours, c, remark, None, **keys) for ours, c in (("mag", mag), ("mag_err", error)) if c is not None]
    snr = None if names.of_differences else names.first(synonyms.COLUMNS["snr"])
    if snr is not None:
        lines.append(_number("snr", snr))
    elif error is not None:
        remark = "there is no column of S/N: from the magnitude error, 2.5 / (ln 10 e)"
        lines.append(_number("snr", error, remark, u.mag, magnitude_error=True, **keys))
    return lines


def _flux(names: Names, mag: bool) -> list[Line]:
    """Draft flux, its error and zero point, if there is no magnitude."""
    flux, error = names.pair(synonyms.DIFFERENCE_FLUXES if names.of_differences else synonyms.FLUXES)
    if flux is None or mag:
        return []
    remark = f"{BY_NAME}: of the image itself, not of the difference" if names.of_differences else BY_NAME
    element = UNKNOWN if is_array(flux) else None
    lines = [("flux", _entry(flux, unit=_known_unit(flux), element=element), remark)]
    if error is not None:
        inverse = True if error.name.lower().endswith("ivar") else None
        lines.append(
            ("error", _entry(error, unit=_known_unit(error), element=element, inverse_variance=inverse), BY_NAME)
        )
    unit = _known_unit(flux)
    complete = element is None
    if unit is None or not parse_unit(unit, factor=True).is_equivalent(u.nJy):
        column = names.first(synonyms.ZERO_POINTS)
        if column is not None:
            lines.append(("zero_point", _entry(column), "by its name: the magnitude of a flux of 1"))
        else:
            complete = False
            headers = [f"{line.entry}, {line.remark}" for line in _alternatives(names.part, "zero_point")]
            others = () if flux.unit else ("in its place unit: nJy of flux and error",)
            remark = "; or ".join(("magnitude of a flux of 1", "{name: COLUMN}", *headers, *others))
            lines.append(("zero_point", format_entry(value=UNKNOWN), remark))
    return [Line(*line, stated=complete, complete=complete) for line in lines]


def _known_unit(column: Column) -> str | None:
    """Return the unit of a column, if astropy knows it."""
    try:
        return str(parse_unit(column.unit, factor=True)) if column.unit else None
    except ValueError:
        return None


def _extendedness(names: Names) -> list[Line]:
    column = names.first(synonyms.COLUMNS["extendedness"])
    if column is None:
        return [Line("extendedness", format_entry(value=0), "if all of them are stars", stated=False, has_column=False)]
    word = column.name.rpartition("/")[2].rpartition(".")[2].lower()
    if word == "class_star":
        return [Line("extendedness", _entry(column, star_above=0.5), "by its name: 1 is a star")]
    if word == "spread_model":
        written = _entry(column, star_below=UNKNOWN)
        return [
            _incomplete("extendedness", written, "by its name: near 0 for stars; up to which value?", has_column=True)
        ]
    return [Line("extendedness", _entry(column), BY_NAME)]


def _time(names: Names) -> list[Line]:
    """Draft the column of times; suggest a format from the range of values."""
    column = names.first(synonyms.COLUMNS["mjd"])
    if column is None:
        return _alternatives(names.part, "mjd")
    if column.dtype.startswith(("timestamp", "datetime", "date")):
        return [
            Line("mjd", _entry(column), "by its name: timestamps, taken as TAI; else time: {format: iso, scale: utc}")
        ]
    values = _number_values(names.part, column.name)
    if values is None or not values.size:
        written = _entry(column, time={"format": UNKNOWN})
        return [_incomplete("mjd", written, "by its name: format mjd, jd, unix, decimalyear or iso?", has_column=True)]
    form, span = likely_format(values), f"its values are {values.min():.10g} to {values.max():.10g}"
    stated, _ = _unit(column, u.day)
    if form == "time: {format: mjd}" and isinstance(stated, str):
        return [Line("mjd", _entry(column, unit=stated), f"{BY_NAME} and unit; {span}")]
    if form is None:
        return [
            _incomplete(
                "mjd", _entry(column, time={"format": UNKNOWN}), f"{span}: how are they written?", has_column=True
            )
        ]
    remark = f"by its name; {span}, such times from 1950 to 2100: is that right?"
    return [Line("mjd", _entry(column, **yaml.safe_load(form)), remark, stated=False)]


def _flags(names: Names) -> tuple[list[Line], list[Line]]:
    """Draft the flags, and their prefix."""
    lines = [Line(ours, _entry(c), BY_NAME) for ours, words in synonyms.FLAGS.items() if (c := names.first(words))]
    primary = names.first(("detect_isprimary",))
    children, sky = names.first(("deblend_nchild",)), names.first(("sky_source", "merge_peak_sky"))
    if primary is not None:
        lines.append(Line("not_primary", _entry(primary, bad=False), BY_NAME))
    elif children is not None:
        others = f", {_entry(sky)}" if sky is not None else ""
        remark = "there is no detect_isPrimary: parents of deblended sources" + (", and empty sky" if sky else "")
        lines.append(Line("not_primary", f"[{_entry(children, above=0)}{others}]", remark))
    for word in synonyms.BITS:
        column = names.by_name.get(word)
        if column is None or column.dtype in ("flag", "bool", "boolean", "L"):
            continue
        if word == "flags" and names.of_sextractor:
            for ours, (bits, meaning) in synonyms.SEXTRACTOR_BITS.items():
                written, stated = _entry(column, bits=bits), ours != "blended"
                lines.append(Line(ours, written, f"bits of SExtractor's FLAGS: {meaning}", stated=stated))
        elif word == "catflags":
            lines.append(Line("bad_epoch", _entry(column, bits=32768), "by its name: bit 15 of ZTF's catflags"))
        else:
            written = _entry(column, bits=UNKNOWN)
            lines.append(
                _incomplete(
                    f"{word}_bad", written, "an integer of several bits: which of them are bad?", has_column=True
                )
            )
    lines = list({line.key: line for line in reversed(lines)}.values())[::-1]
    prefixed = [name for name in names.part.columns() if name.startswith("flag_")]
    remark = f"{shorten(', '.join(prefixed))}: true is bad"
    return lines, [Line("flag_prefix", "flag_", remark)] if prefixed else []


def _alternatives(part: FileTable, ours: str) -> list[Line]:
    """Draft alternatives to a missing column: header keywords, a value, a table."""
    keywords = {key.lower(): key for key in part.table.header}
    there = [keywords[word] for word in synonyms.HEADER.get(ours, ()) if word in keywords]
    lines = [_header(ours, key, part.table.header[key]) for key in there[:3]]
    if ours in ("visit", "band"):
        lines.append(
            _incomplete(ours, format_entry(value=UNKNOWN), f"one value for all rows, if they are of one {ours}")
        )
        lines.append(_incomplete(ours, format_entry(name=UNKNOWN), "a column under another name"))
    elif ours in ("ra", "dec"):
        lines.append(_incomplete(ours, format_entry(name=UNKNOWN, unit=UNKNOWN), "a column under another name"))
    elif ours == "mjd":
        written = format_entry(name=UNKNOWN, unit="d")
        lines.append(_incomplete(ours, written, "a column; or a table by visit: --visits FILE"))
    return lines


def _header(ours: str, key: str, value: object) -> Line:
    remark = f"keyword of the header, here {shorten(str(value))}"
    further: dict[str, Value] = {}
    if ours == "band" and str(value).strip() not in _BANDS:
        further["codes"] = {str(value).strip(): UNKNOWN}
    if ours == "mjd":
        form = likely_format(np.array([float(value)])) if isinstance(value, int | float) else None
        further = yaml.safe_load(form) if form else {"time": {"format": "iso", "scale": "utc"}}
    return Line(
        ours,
        format_entry(header=key, **further),
        remark,
        stated=False,
        complete="codes" not in further,
        has_column=False,
    )


def _file_name(part: FileTable, columns: Sequence[Line]) -> list[Line]:
    """Draft file name fields for a missing visit or band."""
    lost = [ours for ours in ("visit", "band") if not any(line.key == ours and line.stated for line in columns)]
    name = part.path.name
    stem = name.split(".")[0]
    spans: dict[str, tuple[int, int]] = {}
    runs = sorted(re.finditer(r"\d+", stem), key=lambda match: match.start() - match.end())
    if "visit" in lost and runs:
        spans["visit"] = runs[0].span()
    letter = re.search(r"(?<![A-Za-z])(?:[A-Za-z]{3}-)?[ugrizyUGRIZY](?![A-Za-z0-9])", stem)
    if "band" in lost and letter is not None:
        spans["band"] = letter.span()
    if not spans or "{" in name or "}" in name:
        return []
    text = name
    for ours, (start, stop) in sorted(spans.items(), key=lambda item: -item[1][0]):
        text = f"{text[:start]}{{{ours}}}{text[stop:]}"
    example = ", ".join(f"{ours} {stem[start:stop]}" for ours, (start, stop) in spans.items())
    ways = ", ".join(f"{ours}: {{field: {ours}}}" for ours in spans)
    return [Line("file_name", format_entry(name=text), f"would give {example}, with {ways} below", stated=False)]


def _label_values(part: FileTable, name: str) -> list[str]:
    """Return the labels of a column; none if it cannot be read."""
    if name in part.fixed:
        return [value] if (value := part.fixed[name]) is not None else []
    try:
        read = files.read_columns([part], [name], [name])[0]
        return [str(value) for value in encode_labels(part.place, name, read[name]).values[:20].tolist()]
    except InputError:
        return []


def _number_values(part: FileTable, name: str) -> AnyArray | None:
    """Return the finite nonzero numbers of a column; None if it is not numeric."""
    if name in part.fixed:
        return None
    try:
        read = files.read_columns([part], [name])[0]
        values = as_numbers(part.place, name, read[name])
    except InputError:
        return None
    return np.asarray(values[np.isfinite(values) & (values != 0)])
