"""needs.json of sphinx-needs: requirements, clauses as specifications, cases."""

from __future__ import annotations

import re
from dataclasses import dataclass

from skyaccept.lib.export.keys import unique_keys
from skyaccept.lib.results.model import Result, Results
from skyaccept.lib.results.model import dumps as written
from skyaccept.lib.results.records import UncoveredRecord
from skyaccept.lib.results.sentences import summary
from skyaccept.lib.rounding import Json


def dumps(results: Results) -> str:
    """Return results as JSON."""
    return written(convert(results))


def convert(results: Results) -> Json:
    """Return the needs of results as plain JSON types."""
    made = [
        need
        for one in (*map(_result_needs, results.results), *map(_uncovered_needs, results.uncovered))
        for need in one
    ]
    keys = unique_keys({need.name: _key(need.name[-1]) for need in made})
    needs: dict[str, Json] = {}
    contents: dict[str, list[str]] = {}
    for need in made:
        key = keys[need.name]
        links = [keys[need.above]] if need.above else []
        needs.setdefault(key, {"id": key, "tags": [], "status": None, **need.fields, "links": links})
        contents.setdefault(key, []).append(need.fields["content"])
    for key, found in contents.items():  # bands with different limits have different contents
        needs[key]["content"] = "\n\n".join(dict.fromkeys(found))
    version = results.run["skyaccept"]
    return {
        "project": results.dataset["name"],
        "current_version": version,
        "created": results.run["started"],
        "versions": {version: {"created": results.run["started"], "needs_amount": len(needs), "needs": needs}},
    }


@dataclass(frozen=True)
class _Need:
    """Requirement, clause or case.

    ``name`` is unique and ends in the shown name, ``above`` is linked.
    """

    name: tuple[str, ...]
    above: tuple[str, ...]
    fields: Json


def _result_needs(result: Result) -> list[_Need]:
    requirement = _requirement(result.document, result.requirement)
    said = "\n\n".join([result.text, *_limits(result)])
    clause = _clause(requirement, result.requirement, result.clause, said, None)
    fields = {
        "type": "test",
        "title": result.test,
        "content": summary(result),
        "status": result.verdict or "measured",
        "tags": [result.metric, result.definition, f"band_{result.band}", *result.verification],
    }
    return [requirement, clause, _Need(("test", result.test), clause.name, fields)]


def _uncovered_needs(one: UncoveredRecord) -> list[_Need]:
    requirement = _requirement(one["document"], one["requirement"])
    said = f"{one['text']}\n\nNot covered: {one['reason']}"
    return [requirement, _clause(requirement, one["requirement"], one["clause"], said, "not_covered")]


def _requirement(document: str, name: str) -> _Need:
    return _Need(("req", document, name), (), {"type": "req", "title": name, "content": f"See {document}."})


def _clause(above: _Need, requirement: str, clause: str, content: str, status: str | None) -> _Need:
    fields = {"type": "spec", "title": f"{requirement} {clause}", "content": content, "status": status}
    return _Need(("spec", *above.name, clause, f"{requirement}-{clause}"), above.name, fields)


def _limits(result: Result) -> list[str]:
    unit = "%" if result.unit == "percent" else result.unit
    return [
        f"{name}: {level.operator} {level.limit:g} {unit} ({level.source})" for name, level in result.levels.items()
    ]


def _key(text: str) -> str:
    """Return an identifier of sphinx-needs.

    At least five capital letters, digits and underscores.
    """
    return re.sub("[^A-Z0-9_]", "_", text.upper()).ljust(5, "_")
