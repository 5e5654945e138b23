"""Text of drafted profiles."""

from __future__ import annotations

import pytest
import yaml
from skyaccept.lib.readers.profile_draft import UNKNOWN, Draft, Line, format_entry

DRAFT = Draft(
    columns=(
        Line("ra", format_entry(name="RA: 1", unit=UNKNOWN), "what unit?", complete=False),
        Line("snr", "s2n"),
        Line("mjd", format_entry(name=UNKNOWN), stated=False, complete=False, has_column=False),
    ),
    flags=(Line("bad", "flag_bad", stated=False),),
)


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"name": "ra"}, "ra"),
        ({"name": "ra", "unit": None}, "ra"),
        ({"name": "ra", "unit": "deg"}, "{name: ra, unit: deg}"),
        ({"name": "99"}, "'99'"),
        ({"name": "a: b", "missing": [99]}, "{name: 'a: b', missing: [99]}"),
        ({"value": UNKNOWN}, "{value: ?}"),
    ],
)
def test_entries_are_flow_mappings_or_names(keys: dict[str, object], text: str) -> None:
    assert format_entry(**keys) == text  # type: ignore[arg-type]


def test_a_draft_is_yaml_once_it_is_filled_in() -> None:
    text = DRAFT.to_yaml("a.csv")
    assert text.startswith("# Drafted by skyaccept inspect from a.csv.")
    assert "#  mjd: ?" in text
    assert "#flags:\n#  bad: flag_bad" in text
    assert yaml.safe_load(text.replace("unit: ?", "unit: deg"))["columns"] == {
        "ra": {"name": "RA: 1", "unit": "deg"},
        "snr": "s2n",
    }


def test_incomplete_lines_are_listed_apart_from_their_columns() -> None:
    assert DRAFT.to_complete() == ["ra", "mjd"]
    assert DRAFT.keys_with_columns() == {"ra", "snr"}
