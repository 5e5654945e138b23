"""Warnings about levels that contradict each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from skyaccept.lib import requirements
from skyaccept.lib.requirements.consistency import contradictions
from skyaccept.lib.requirements.limits import Citation, Level, Limit


def level(limit: str) -> Level:
    """A level with this limit."""
    return Level(Limit.parse(limit), Citation("D"))


@pytest.mark.parametrize(
    ("design", "minimum", "stretch", "words"),
    [
        ("<= 10 mas", "<= 20 mas", "<= 5 mas", {}),
        ("<= 10 mas", "<= 10 mas", "<= 10 mas", {}),
        (">= 90 percent", ">= 80 percent", ">= 95 percent", {}),
        ("<= 0.01 arcsec", "<= 20 mas", None, {}),
        ("<= 20 mas", None, None, {}),
        ("<= 20 mas", "<= 10 mas", "<= 5 mas", {"design": "design (<= 20 mas) is looser than minimum (<= 10 mas)"}),
        ("<= 10 mas", "<= 20 mas", "<= 11 mas", {"stretch": "stretch (<= 11 mas) is looser than design (<= 10 mas)"}),
        (None, "<= 10 mas", "<= 11 mas", {"stretch": "stretch (<= 11 mas) is looser than minimum (<= 10 mas)"}),
        (
            "<= 1 mas",
            "<= 1 mmag",
            None,
            {"design": "design (<= 1 mas) is in another kind of unit than minimum (<= 1 mmag)"},
        ),
        ("<= 20.0000001 mas", "<= 20 mas", None, {"design": "design (<= 20 mas) is looser than minimum (<= 20 mas)"}),
        (">= 80 mas", ">= 90 mas", None, {"design": "design (>= 80 mas) is looser than minimum (>= 90 mas)"}),
        (
            "<= 1 mas",
            ">= 1 mas",
            None,
            {"design": "design (<= 1 mas) bounds from the other side than minimum (>= 1 mas)"},
        ),
    ],
)
def test_levels_that_contradict_each_other_are_found(
    design: str | None, minimum: str | None, stretch: str | None, words: dict[str, str]
) -> None:
    """Stretch implies design, and design minimum."""
    stated = {"design": design, "minimum": minimum, "stretch": stretch}
    assert contradictions({name: level(text) for name, text in stated.items() if text is not None}) == words


def test_documents_of_ours_are_noted_as_well(tmp_path: Path) -> None:
    """With the file's name and the line of the level."""
    (tmp_path / "doc.yaml").write_text(
        """\
document: D
requirements:
  - id: R
    title: T
    kind: performance
    clauses:
      - id: AM1
        text: T
        metric: pair_separation_rms
        definition: srd
        parameters: {separation: 5 arcmin}
        bands: [r]
        levels:
          design: {limit: "<= 30 mas", source: {document: D}}
          minimum: {limit: "<= 20 mas", source: {document: D}}
""",
        encoding="utf-8",
    )
    (note,) = requirements.load(tmp_path / "doc.yaml").notes
    assert (note.clause, note.text) == (
        "AM1",
        "doc.yaml: line 14: design (<= 30 mas) is looser than minimum (<= 20 mas)",
    )
    assert requirements.load(list(requirements.shipped())).notes == ()
