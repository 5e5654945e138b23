"""needs.json of sphinx-needs."""

from skyaccept.lib.export.needs import convert
from skyaccept.lib.tests.results.stored import stored_results

(NEEDS,) = (version["needs"] for version in convert(stored_results())["versions"].values())


def test_a_case_links_its_clause_and_that_its_requirement() -> None:
    test = NEEDS["OSS_REQ_0388_AM1_R"]
    assert (test["type"], test["status"]) == ("test", "pass")
    (clause,) = (NEEDS[link] for link in test["links"])
    assert (clause["type"], clause["title"]) == ("spec", "OSS-REQ-0388 AM1")
    (requirement,) = (NEEDS[link] for link in clause["links"])
    assert (requirement["type"], requirement["title"]) == ("req", "OSS-REQ-0388")


def test_a_clause_states_its_limits() -> None:
    clause = next(need for need in NEEDS.values() if need["title"] == "OSS-REQ-0388 AF1")
    assert "design: <= 10 % (LSE-30" in clause["content"]


def test_a_clause_without_a_case_gives_the_reason() -> None:
    need = next(need for need in NEEDS.values() if need["status"] == "not_covered")
    assert "Not covered: " in need["content"]
