"""Types of the records against the schema of the results JSON."""

from __future__ import annotations

from typing import Any

import pytest
from skyaccept.lib.results import records, schema

DATA = "$defs/result/properties/data/properties"
PLACES = {
    "IntervalRecord": "$defs/interval/oneOf/1",
    "DecisionRecord": "$defs/decision/oneOf/1",
    "WaiverRecord": "$defs/waiver/oneOf/1",
    "SampleRecord": "$defs/sample",
    "LevelRecord": "$defs/level",
    "OtherDefinitionRecord": "$defs/result/properties/other_definitions/additionalProperties",
    "GroupRecord": "$defs/breakdown/properties/cells/items",
    "BreakdownRecord": "$defs/breakdown",
    "HistogramRecord": f"{DATA}/histogram",
    "ReplicatesRecord": f"{DATA}/replicates/additionalProperties/additionalProperties",
    "BlocksRecord": f"{DATA}/blocks/oneOf/1",
    "MagnitudeRecord": f"{DATA}/dependence/properties/magnitude",
    "SkyRecord": f"{DATA}/dependence/properties/sky",
    "GroupsRecord": f"{DATA}/dependence/properties/detectors",
    "VisitsRecord": f"{DATA}/dependence/properties/visits",
    "DependenceRecord": f"{DATA}/dependence",
    "WithoutMotionRecord": f"{DATA}/without_motion",
    "DataRecord": "$defs/result/properties/data",
    "SelectionRecord": "properties/run/properties/selection",
    "IncompleteRecord": "properties/run/properties/incomplete/oneOf/1",
    "RunRecord": "properties/run",
    "ReferenceRecord": "properties/dataset/properties/reference/oneOf/1",
    "VisitGroupsRecord": "properties/dataset/properties/visit_groups",
    "DatasetRecord": "properties/dataset",
    "DefinitionRecord": "properties/definitions/additionalProperties",
    "UncoveredRecord": "properties/uncovered/items",
    "NoteRecord": "properties/notes/items",
    "ChangeRecord": "$defs/change",
    "BaselineDatasetRecord": "properties/baseline/oneOf/1/properties/dataset",
    "BaselineRecord": "properties/baseline/oneOf/1",
}


def schema_part(path: str) -> dict[str, Any]:
    """Part of the schema."""
    found: Any = schema.schema()
    for key in path.split("/"):
        found = found[int(key)] if isinstance(found, list) else found[key]
    return dict(found)


@pytest.mark.parametrize("name", PLACES)
def test_a_record_has_the_keys_of_the_schema(name: str) -> None:
    record, stated = getattr(records, name), schema_part(PLACES[name])
    assert set(record.__annotations__) == set(stated["properties"])
    assert record.__required_keys__ == set(stated.get("required", ()))


def test_every_record_is_compared_with_the_schema() -> None:
    assert {name for name in vars(records) if name.endswith("Record")} == set(PLACES)


def test_ends_of_an_interval_are_none_without_one() -> None:
    assert records.interval_ends(None) == (None, None)
    assert records.interval_ends({"confidence": 0.9, "low": 1.0, "high": None, "method": "m"}) == (1.0, None)
