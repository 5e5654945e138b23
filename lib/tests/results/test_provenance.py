"""Provenance of results."""

from skyaccept import __version__
from skyaccept.lib import requirements
from skyaccept.lib.results.provenance import describe_definitions, document_notes, run_record, uncovered_clauses
from skyaccept.lib.tests.results.stored import stored_results

LSE_30 = requirements.load()


def test_a_run_names_its_start_command_and_versions() -> None:
    record = run_record(0.0, "pytest acceptance")
    assert record["started"] == "1970-01-01T00:00:00+00:00"
    assert (record["command"], record["skyaccept"]) == ("pytest acceptance", __version__)
    assert record["seconds"] > 0
    assert {"numpy", "astropy", "pyarrow"} <= set(record["packages"])


def test_definitions_are_those_that_results_use() -> None:
    used = describe_definitions(stored_results().results, LSE_30)
    assert set(used) == {"srd", "lvv-t1278"}
    assert used["srd"]["text"] == LSE_30.definitions["srd"].text


def test_clauses_without_cases_are_listed_with_the_reason() -> None:
    clauses = uncovered_clauses(LSE_30)
    assert clauses
    assert all(clause["document"] == "LSE-30" and clause["reason"] for clause in clauses)
    assert document_notes(LSE_30) == ()
