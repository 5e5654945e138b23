"""Labels, such as visits, bands and objects: text or exact whole numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.column_source import ColumnSource
from skyaccept.lib.readers.columns.computed import ComputedColumn, Labels
from skyaccept.lib.readers.columns.parsing import as_numbers
from skyaccept.lib.readers.table import shorten

MAX_LENGTH = 1000
"""Maximum number of characters of a label."""

_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}")
"""Canonical integers only: 01 and 1 are different labels, and so are 1E5 and 100000."""


@dataclass(frozen=True)
class LabelColumn(ComputedColumn):
    """A column of labels: text, whole numbers or one value for all rows."""

    source: ColumnSource

    @property
    def columns(self) -> tuple[str, ...]:
        """Column of the labels, and that of the days."""
        return tuple(name for name in (self.source.name, self.source.day) if name is not None)

    @property
    def labels(self) -> tuple[str, ...]:
        """Column of the labels."""
        return () if self.source.name is None else (self.source.name,)

    def values(self, raw: Mapping[str, AnyArray], rows: int) -> Labels:
        """Encode the labels of the rows.

        A missing one, or one without a code in the profile, is refused.
        """
        source = self.source
        if source.name is None:
            value = source.value if source.codes is None else source.codes[str(source.value)]
            return Labels(np.zeros(rows, dtype=np.int64), _as_integers_or_text([str(value)])[: min(rows, 1)])
        encoded = _strip_blanks(encode_labels(self.place, source.name, raw[source.name]))
        encoded = _remove_missing(encoded, [str(value) for value in source.missing])
        if self.name != "object":
            refuse_missing(self.place, source.name, encoded)
        if source.codes is not None:
            encoded = _translate(self.place, source.name, encoded, source.codes)
        if source.day is not None:
            encoded = _by_day(self.place, encoded, source.day, raw[source.day])
        return encoded


def encode_labels(place: str, column: str, values: AnyArray) -> Labels:
    """Encode the labels of a column; masked, NaN, None and blank are missing.

    Raises
    ------
    InputError
        The column holds arrays, or text that is not UTF-8.
    """
    if values.ndim != 1:
        raise InputError(f"{place}: column '{column}' holds arrays; it must hold one value per row")
    missing = (
        np.ma.getmaskarray(values).copy() if isinstance(values, np.ma.MaskedArray) else np.zeros(len(values), bool)
    )
    values = np.asarray(values)
    if values.dtype.kind == "f":
        missing |= ~np.isfinite(values)
        there = values[~missing]
        if np.all(there == np.floor(there)):
            if np.abs(there).max(initial=0) > 2**53:
                raise InputError(
                    f"{place}: column '{column}': floating-point numbers above 2^53 are not exact; write text"
                )
            values = np.where(missing, 0, values).astype(np.int64)
    elif values.dtype.kind in "mMc":
        values = values.astype(str)
        missing |= values == "NaT"
    if missing.any():
        values = values.astype(object)
        values[missing] = None
    try:
        codes, uniques = pd.factorize(values)
    except TypeError:  # arrays have no hash
        raise InputError(f"{place}: column '{column}' holds arrays; it must hold one value per row") from None
    texts = []
    for k, value in enumerate(uniques.tolist()):
        try:
            texts.append(value.decode() if isinstance(value, bytes) else value)
        except UnicodeDecodeError:
            row = int(np.argmax(codes == k)) + 1
            raise InputError(f"{place}: column '{column}', row {row}: {value!r:.80} is not UTF-8 text") from None
        if isinstance(texts[-1], str) and len(texts[-1]) > MAX_LENGTH:
            row = int(np.argmax(codes == k)) + 1
            raise InputError(
                f"{place}: column '{column}', row {row}: {shorten(texts[-1])!r} has {len(texts[-1])} characters; a "
                f"label may have {MAX_LENGTH}"
            )
    if uniques.dtype.kind in "OSU":
        labels = _sort_values(codes, _as_integers_or_text([str(text) for text in texts]))
        # as in text tables, where a blank field is null
        return _remove_missing(labels, [text for text in map(str, labels.values.tolist()) if not text.strip()])
    return _sort_values(codes, uniques)


def concatenate(parts: Sequence[Labels]) -> Labels:
    """Concatenate labels of several files; mixed integers and text compare as text."""
    if len(parts) == 1:
        return parts[0]
    values = _concatenate_values([part.values for part in parts])
    unique, rank = np.unique(values, return_inverse=True)
    ranks = np.split(rank, np.cumsum([len(part.values) for part in parts])[:-1])
    return Labels(np.concatenate([_recode(r, part.codes) for r, part in zip(ranks, parts, strict=True)]), unique)


def label_by_file(labels: Labels, number: int) -> Labels:
    """Prefix labels with the ``number`` of their file."""
    return _sort_values(labels.codes, np.array([f"{number} {value}" for value in labels.values.tolist()], dtype=str))


def refuse_missing(place: str, column: str, labels: Labels) -> None:
    """Refuse a column with a missing label.

    Raises
    ------
    InputError
        With the first row.
    """
    missing = labels.codes < 0
    if missing.any():
        raise InputError(
            f"{place}: column '{column}', row {int(np.argmax(missing)) + 1}: no value "
            f"({np.count_nonzero(missing)} such rows)"
        )


def _as_integers_or_text(texts: Sequence[str]) -> AnyArray:
    """Convert labels to integers if all are canonical integers."""
    if texts and all(_WHOLE.fullmatch(text) for text in texts):
        return np.array([int(text) for text in texts], dtype=np.int64)
    return np.array(texts, dtype=str)


def _concatenate_values(values: Sequence[AnyArray]) -> AnyArray:
    """Concatenate label values of several files without rounding."""
    kinds = {one.dtype.kind for one in values if len(one)}
    if kinds <= {"i"} or kinds <= {"u"} or kinds <= {"f"} or kinds <= {"U"}:
        return np.concatenate([one for one in values if len(one)] or values[:1])
    if kinds <= {"i", "u", "O"}:
        return np.array([value for one in values for value in one.tolist()], dtype=object)
    return np.array([str(value) for one in values for value in one.tolist()], dtype=str)


def _sort_values(codes: AnyArray, values: AnyArray) -> Labels:
    """Sort the distinct values and recode."""
    unique, rank = np.unique(values, return_inverse=True)
    return Labels(_recode(rank.astype(np.int64), codes.astype(np.int64, copy=False)), unique)


def _recode(rank: AnyArray, codes: AnyArray) -> AnyArray:
    """Map old codes to new ones; negative codes stay."""
    if not (codes < 0).any():
        return np.asarray(rank[codes]) if len(rank) else codes
    return np.asarray(np.append(rank, -1)[codes])


def _strip_blanks(labels: Labels) -> Labels:
    """Strip blanks at both ends of labels; an empty label is missing."""
    if labels.values.dtype.kind != "U" or all(value == value.strip() for value in labels.values.tolist()):
        return labels
    trimmed = [value.strip() for value in labels.values.tolist()]
    return _remove_missing(_sort_values(labels.codes, _as_integers_or_text(trimmed)), [""])


def _remove_missing(labels: Labels, missing: Sequence[str]) -> Labels:
    """Mark the labels that the profile declares as missing."""
    none = np.isin(np.array([str(value) for value in labels.values.tolist()], dtype=str), list(missing))
    if not missing or not none.any():
        return labels
    number = np.where(none, -1, np.cumsum(~none) - 1)
    rest = labels.values[~none]
    return _sort_values(
        _recode(number, labels.codes), _as_integers_or_text(rest.tolist()) if rest.dtype.kind == "U" else rest
    )


def _translate(place: str, column: str, labels: Labels, codes: Mapping[str, str]) -> Labels:
    unknown = [str(value) for value in labels.values.tolist() if str(value) not in codes]
    if unknown:
        raise InputError(
            f"{place}: column '{column}': code {shorten(', '.join(unknown))} is not in the survey profile's codes "
            f"({shorten(', '.join(codes))})"
        )
    return _sort_values(labels.codes, _as_integers_or_text([codes[str(value)] for value in labels.values.tolist()]))


def _by_day(place: str, labels: Labels, name: str, values: AnyArray) -> Labels:
    """Distinguish equal labels of different whole days."""
    days = as_numbers(place, name, values)
    if not np.isfinite(days).all():
        raise InputError(f"{place}: column '{name}', row {int(np.argmin(np.isfinite(days))) + 1}: no value")
    if np.abs(days).max(initial=0) > 2**53:
        raise InputError(f"{place}: column '{name}': {np.abs(days).max():g} is not a day")
    whole, day = np.unique(np.floor(days).astype(np.int64), return_inverse=True)
    pairs, codes = np.unique(day * max(len(labels.values), 1) + labels.codes, return_inverse=True)
    n = len(labels.values)
    return _sort_values(
        codes, np.array([f"{whole[pair // n]} {labels.values[pair % n]}" for pair in pairs.tolist()], dtype=str)
    )
