"""Verification control document."""

from dataclasses import replace

import pytest
from skyaccept.lib.export import control
from skyaccept.lib.tests.results.stored import stored_results

PA1, AM1, AF1 = stored_results().results


def test_requirements_come_in_document_order_with_their_cases() -> None:
    found = control.requirements(stored_results())
    assert [one.name for one in found] == ["OSS-REQ-0387", "OSS-REQ-0388"]
    assert [len(one.cases) for one in found] == [1, 2]


@pytest.mark.parametrize(
    ("verdicts", "status"),
    [(("pass", "pass"), "verified"), (("pass", "fail"), "not verified"), (("pass", "inconclusive"), "in verification")],
)
def test_the_status_follows_from_the_verdicts(verdicts: tuple[str, str], status: str) -> None:
    cases = tuple(replace(one, verdict=verdict) for one, verdict in zip((AM1, AF1), verdicts, strict=True))  # type: ignore[arg-type]
    assert control.VerifiedRequirement("R", "D", cases, ()).status == status
    assert control.VerifiedRequirement("R", "D", (), ()).status == "not covered"


def test_markdown_escapes_its_signs() -> None:
    bad = replace(AM1, clause="A|*_<b>")
    text = control.markdown(replace(stored_results(), results=(bad,)))
    assert r"A\|\*\_\<b\>" in text
