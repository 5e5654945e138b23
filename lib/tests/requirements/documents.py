"""Requirement documents as text, and what loading them raises, for tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from skyaccept.lib import requirements
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.requirements.model import Clause, Specification

DOCUMENT = """\
document: DOC-1
title: A document
requirements:
  - id: REQ-1
    title: A requirement
    kind: performance
    clauses:
      - id: AM1
        text: Separations repeat.
        metric: pair_separation_rms
        definition: lvv-t1278
        parameters: {separation: 5 arcmin}
        bands: [r, i]
        levels:
          design: {limit: "<= 10 mas", source: {document: DOC-1}}
      - id: AF1
        text: Few outliers.
        metric: pair_separation_outliers
        definition: srd
        parameters:
          separation: 5 arcmin
        bands:
          - r
        levels:
          design:
            limit: <= 10 percent
            parameters: {AD: 20 mas}
            source:
              document: DOC-1
              page: 7
        half_width: 30 arcsec
        sample:
          - {column: snr, of: median, at_least: 50}
          - {min_visits: 2}
        verification: [LVV-T1]
"""


DEFINITION = """\
definitions:
  - id: mine
    title: Mine
    text: My own way.
    samples:
      stars:
        - {column: snr, of: each, at_least: 10}
    rules:
      - metrics: [pair_separation_rms]
        sample: stars
        estimator: pair_rms
        half_width: 1 arcmin
        ddof: 1
        min_common_visits: 2
"""


def with_change(old: str, new: str, content: str = DOCUMENT) -> str:
    """The content with the one place ``old`` changed."""
    assert content.count(old) == 1, f"{old!r} occurs {content.count(old)} times"
    return content.replace(old, new)


def saved(folder: Path, content: str, name: str = "doc.yaml") -> Path:
    """Write a document."""
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def refusal(*paths: Path) -> str:
    """The complaint about documents that have to be refused."""
    with pytest.raises(InputError) as caught:
        requirements.load(paths)
    return str(caught.value)


def clauses(specification: Specification, requirement: int = 1) -> dict[str, Clause]:
    """Clauses of one requirement, by default the second or the only one, of the only document."""
    (doc,) = specification.documents
    requirement = min(requirement, len(doc.requirements) - 1)
    return {clause.id: clause for clause in doc.requirements[requirement].covered}


def fault(old: str, new: str, words: str, content: str = DOCUMENT) -> tuple[str, str]:
    """Content in which the line to be found is marked, and words of the complaint."""
    return with_change(old, new, content), words


TO_LEVELS = """
    clauses:
      - id: AM1
        text: Separations repeat.
        metric: pair_separation_rms
        definition: lvv-t1278
        parameters: {separation: 5 arcmin}
        bands: [r, i]
        """


UNCOVERED = """\
document: DOC-1
title: A document
requirements:
  - id: REQ-1
    title: A requirement
    kind: capability
    clauses:
      - id: AM1
        text: Separations repeat.
        not_covered: out of reach
      - id: AF1
        text: Few outliers.
        not_covered: out of reach as well
"""


STARS = (
    DOCUMENT.replace("pair_separation_outliers", "photometric_outliers")
    .replace("        parameters:\n          separation: 5 arcmin\n", "")
    .replace("AD: 20 mas", "PA2: 15 mmag")
)


STAR_RULE = DEFINITION.replace("pair_separation_rms", "photometric_repeatability").replace("pair_rms", "magnitude_rms")


LEVELS = ("design", "minimum", "stretch")


BANDS_OF = {
    "AB1": "ugizy",
    "ABF1": "ugizy",
    "AB2": "ugizy",
    "AA1": "ugrizy",
    **dict.fromkeys(("PA3", "PF2", "PA4"), "grizy"),
    **dict.fromkeys(("PA3u", "PF2u", "PA4u", "PA5u"), "u"),
    "PA5": "griz",
    "PA6": "ugrizy",
}


CLAUSES = ("AM1", "AF1", "AD1", "AM2", "AF2", "AD2", "AM3", "AF3", "AD3")


PHOTOMETRY = ("PA1gri", "PA1uzy", "PF1gri", "PF1uzy", "PA2gri", "PA2uzy")


ZERO_POINTS = ("PA3", "PA3u", "PF2", "PF2u", "PA4", "PA4u", "PA5", "PA5u", "PA6")


POSITIONS = ("AB1", "ABF1", "AB2", "AA1")
"""Clauses of positions against another band and a reference catalog."""


SHAPES = ("TE1", "TE2", "TEF-TE3", "TE3", "TEF-TE4", "TE4")

METRIC = {"AM": "pair_separation_rms", "AF": "pair_separation_outliers", "AD": "pair_separation_percentile"}

AM1_LEVEL = 'design: {limit: "<= 10 mas", source: {document: DOC-1}}'
