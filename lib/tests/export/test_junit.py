"""JUnit XML."""

from dataclasses import replace
from xml.etree import ElementTree as Tree

from skyaccept.lib.export import junit
from skyaccept.lib.results.records import RunRecord
from skyaccept.lib.results.sentences import summary
from skyaccept.lib.tests.results.stored import stored_results


def test_suites_are_requirements_and_failures_are_counted() -> None:
    root = Tree.fromstring(junit.dumps(stored_results()))
    assert [(s.get("name"), s.get("tests"), s.get("failures")) for s in root] == [
        ("OSS-REQ-0387", "1", "1"),
        ("OSS-REQ-0388", "2", "0"),
    ]
    (failure,) = root.iter("failure")
    assert failure.get("type") == "inconclusive"
    assert failure.get("message") == summary(stored_results().results[0])


def test_values_are_properties() -> None:
    root = Tree.fromstring(junit.dumps(stored_results()))
    case = next(node for node in root.iter("testcase") if node.get("name") == "OSS-REQ-0388-AM1-r")
    values = {node.get("name"): node.get("value") for node in case.iter("property")}
    assert values["value"] == "5.929191890501228"
    assert (values["operator"], values["limit"], values["verdict"]) == ("<=", "10.0", "pass")


def test_cases_that_did_not_run_are_errors() -> None:
    run: RunRecord = {
        **stored_results().run,
        "incomplete": {"selected": 4, "recorded": 3, "missing": ["X-1-r"], "reason": "interrupted"},
    }
    root = Tree.fromstring(junit.dumps(replace(stored_results(), run=run)))
    assert root[-1].get("name") == "not run"
    assert [node.get("name") for node in root[-1].iter("testcase")] == ["X-1-r"]
