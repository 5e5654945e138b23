"""Files of waivers: what is read, and what is refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from skyaccept.lib import requirements
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.requirements import waivers
from skyaccept.lib.requirements.model import Specification

TODAY = date(2026, 6, 30)

ONE = """\
waivers:
  - requirement: OSS-REQ-0388
    clause: AM1
    reason: The camera was tilted.
    who: A. Who
    expiry: 2026-06-30
"""


@pytest.fixture(scope="module")
def specification() -> Specification:
    return requirements.load(["LSE-30", "LSE-61", "diagnostics"])


def write(folder: Path, content: str) -> Path:
    path = folder / "waivers.yaml"
    path.write_text(content, encoding="utf-8")
    return path


def test_a_waiver_holds_in_all_bands_through_its_last_day(tmp_path: Path, specification: Specification) -> None:
    found = waivers.load(write(tmp_path, ONE), specification, TODAY)
    assert set(found) == {"OSS-REQ-0388-AM1-r", "OSS-REQ-0388-AM1-i"}
    waiver = found["OSS-REQ-0388-AM1-r"]
    assert (waiver.reason, waiver.who, waiver.expiry) == ("The camera was tilted.", "A. Who", date(2026, 6, 30))


def test_a_waiver_may_be_of_one_band_and_name_its_document(tmp_path: Path, specification: Specification) -> None:
    """A date in quotes is the same date."""
    text = ONE.replace("clause: AM1", "clause: AM1\n    band: i\n    document: LSE-30").replace(
        "2026-06-30", '"2026-06-30"'
    )
    assert set(waivers.load(write(tmp_path, text), specification, TODAY)) == {"OSS-REQ-0388-AM1-i"}


FAULTS = {
    "no reason": (ONE.replace("    reason: The camera was tilted.\n", ""), 2, "key 'reason' is missing"),
    "blank reason": (ONE.replace("The camera was tilted.", '"  "'), 4, "key 'reason'"),
    "nobody": (ONE.replace("    who: A. Who\n", ""), 2, "key 'who' is missing"),
    "no expiry": (ONE.replace("    expiry: 2026-06-30\n", ""), 2, "key 'expiry' is missing"),
    "expired": (ONE.replace("06-30", "06-29"), 6, "key 'expiry': waiver of OSS-REQ-0388 AM1 has expired on 2026-06-29"),
    "no date": (ONE.replace("2026-06-30", "soon"), 6, "key 'expiry': 'soon' is not a date, such as 2027-03-31"),
    "no such day": (ONE.replace("06-30", "06-31"), 6, "'2026-06-31' is not a day of the calendar"),
    "a time": (ONE.replace("06-30", "06-30 12:00:00"), 6, "is not a date"),
    "unknown requirement": (ONE.replace("0388", "0399"), 2, "key 'requirement': 'OSS-REQ-0399' is not one of OSS-"),
    "unknown clause": (ONE.replace("AM1", "AM9"), 3, "key 'clause': 'AM9' is not one of AM1, AF1, AD1"),
    "unknown band": (ONE.replace("AM1", "AM1\n    band: g"), 4, "key 'band': 'g' is not a band of the clause: r, i"),
    "unknown document": (
        ONE.replace("AM1", "AM1\n    document: LPM-17"),
        4,
        "key 'document': 'LPM-17' is not one of LSE-30, LSE-61, diagnostics",
    ),
    "document of another clause": (ONE.replace("AM1", "AM1\n    document: LSE-61"), 2, "key 'requirement': 'OSS-REQ"),
    "unknown key": (ONE.replace("who:", "whom: A\n    who:"), 5, "unknown key 'whom'"),
    "a capability": (ONE.replace("OSS-REQ-0388", "DMS-REQ-0360"), 3, "AM1 is a capability, which cannot fail"),
    "not covered": (
        ONE.replace("OSS-REQ-0388", "DMS-REQ-0359").replace("AM1", "ResSource"),
        3,
        "ResSource is not covered: nothing can fail",
    ),
    "twice": (ONE + ONE.removeprefix("waivers:\n"), 7, "OSS-REQ-0388-AM1-r is waived twice"),
    "none": ("waivers: []\n", 1, "names no waiver"),
    "not a list": ("waivers: all\n", 1, "key 'waivers'"),
    "code": (ONE.replace("A. Who", "!!python/object:os.system ls"), 5, "tag"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_complaint_names_file_line_and_key(tmp_path: Path, specification: Specification, fault: str) -> None:
    content, line, words = FAULTS[fault]
    path = write(tmp_path, content)
    with pytest.raises(InputError) as caught:
        waivers.load(path, specification, TODAY)
    assert str(caught.value).startswith(f"{path}: line {line}")
    assert words in str(caught.value)


OTHER = """\
document: B
title: The same clause for another band
requirements:
  - id: OSS-REQ-0388
    title: Relative astrometric performance
    kind: performance
    clauses:
      - id: AM1
        text: Separations repeat.
        metric: pair_separation_rms
        definition: lvv-t1278
        parameters: {separation: 5 arcmin}
        bands: [z]
        levels: {design: {limit: "<= 10 mas", source: {document: B}}}
"""


def test_a_clause_of_two_documents_needs_one_named(tmp_path: Path) -> None:
    """The same requirement and clause may stand in two documents for different bands."""
    (tmp_path / "other.yaml").write_text(OTHER, encoding="utf-8")
    both = requirements.load(["LSE-30", tmp_path / "other.yaml"])
    path = write(tmp_path, ONE)
    with pytest.raises(InputError, match=r"line 2: key 'document' is missing; the clause is in LSE-30, B"):
        waivers.load(path, both, TODAY)
    path.write_text(ONE.replace("AM1", "AM1\n    document: B"), encoding="utf-8")
    assert set(waivers.load(path, both, TODAY)) == {"OSS-REQ-0388-AM1-z"}


def test_a_missing_file_is_an_input_error(tmp_path: Path, specification: Specification) -> None:
    with pytest.raises(InputError, match=r"none\.yaml: cannot be read"):
        waivers.load(tmp_path / "none.yaml", specification, TODAY)
