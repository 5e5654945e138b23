"""Column names of common surveys."""

from __future__ import annotations

from collections import Counter

from skyaccept.lib.catalog.detections import UNITS
from skyaccept.lib.readers import synonyms


def test_names_are_in_lower_case_and_map_to_known_columns() -> None:
    assert set(synonyms.COLUMNS) <= set(UNITS)
    pairs = (*synonyms.POSITIONS, *synonyms.POSITION_ERRORS, *synonyms.MAGNITUDES, *synonyms.FLUXES)
    words = [word for names in (*synonyms.COLUMNS.values(), *synonyms.HEADER.values(), *pairs) for word in names]
    assert [word for word in words if word != word.lower()] == []


def test_no_name_means_two_columns() -> None:
    counts = Counter(word for names in synonyms.COLUMNS.values() for word in names)
    assert [word for word, number in counts.items() if number > 1] == []
