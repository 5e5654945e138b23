"""JUnit XML: a suite per requirement, a case per clause and band."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import groupby
from xml.etree import ElementTree as Tree

from skyaccept.lib.results.model import Result, Results
from skyaccept.lib.results.records import interval_ends
from skyaccept.lib.results.sentences import summary

_OUTCOMES: Mapping[str | None, tuple[str, str]] = {
    "fail": ("failure", "fail"),
    "inconclusive": ("failure", "inconclusive"),
    "error": ("error", "error"),
    "not_measurable": ("skipped", "not_measurable"),
    "waived": ("skipped", "waived"),
}
"""Element and type by verdict; a pass and a measured diagnostic have none."""

_COUNTED = {"failure": "failures", "error": "errors", "skipped": "skipped"}

_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold."""


def dumps(results: Results) -> str:
    """Return results as XML, with measured values as properties."""
    root = Tree.Element("testsuites", {"name": _text(results.dataset["name"])})
    started = _text(results.run["started"])[:19]
    for requirement, group in groupby(results.results, key=lambda result: result.requirement):
        cases = list(group)
        outcomes = [_OUTCOMES[case.verdict][0] for case in cases if case.verdict in _OUTCOMES]
        suite = Tree.SubElement(
            root,
            "testsuite",
            {"name": _text(requirement), "tests": str(len(cases)), "timestamp": started}
            | {attribute: str(outcomes.count(kind)) for kind, attribute in _COUNTED.items()},
        )
        dataset = {f"dataset.{key}": results.dataset[key] for key in ("name", "source", "sha256")}
        _properties(suite, {"skyaccept": results.run["skyaccept"], "command": results.run["command"], **dataset})
        for case in cases:
            _case(suite, case)
    incomplete = results.run.get("incomplete")
    if incomplete:
        missing = incomplete["missing"]
        count = str(len(missing))
        suite = Tree.SubElement(root, "testsuite", {"name": "not run", "tests": count, "errors": count})
        for test in missing:
            unknown = Tree.SubElement(suite, "testcase", {"name": _text(test), "classname": "not run", "time": "0"})
            Tree.SubElement(unknown, "error", {"type": "not run", "message": "selected, and the run ended before it"})
    Tree.indent(root)
    return Tree.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _case(suite: Tree.Element, result: Result) -> None:
    case = Tree.SubElement(
        suite,
        "testcase",
        {"name": _text(result.test), "classname": _text(f"{result.document}.{result.requirement}"), "time": "0"},
    )
    low, high = interval_ends(result.interval)
    sample = result.sample
    _properties(
        case,
        {
            "requirement": result.requirement,
            "clause": result.clause,
            "document": result.document,
            "kind": result.kind,
            "band": result.band,
            "metric": result.metric,
            "definition": result.definition,
            "level": result.level,
            "verdict": result.verdict or "measured",
            "value": result.value,
            "value_unbiased": result.value_unbiased,
            "low": low,
            "high": high,
            "unit": result.unit,
            "operator": result.operator,
            "limit": result.limit,
            "margin": result.margin,
            "objects": sample.objects if sample else None,
            "visits": sample.visits if sample else None,
            "verification": " ".join(result.verification) or None,
        },
    )
    if result.verdict in _OUTCOMES:
        kind, name = _OUTCOMES[result.verdict]
        Tree.SubElement(case, kind, {"type": name, "message": _text(summary(result))})


def _properties(parent: Tree.Element, values: Mapping[str, object]) -> None:
    properties = Tree.SubElement(parent, "properties")
    for name, value in values.items():
        if value is not None:
            shown = repr(value) if isinstance(value, float) else str(value)
            Tree.SubElement(properties, "property", {"name": name, "value": _text(shown)})


def _text(text: str) -> str:
    return _UNFIT.sub("\ufffd", text)
