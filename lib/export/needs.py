"""needs.json of sphinx-needs: requirements, their clauses as specifications, and the cases that test them."""

from __future__ import annotations

import re
from typing import Any

from skyaccept.lib.results import Json, Result, Results
from skyaccept.lib.results import dumps as written


def dumps(results: Results) -> str:
    """JSON of some results."""
    return written(convert(results))


def convert(results: Results) -> Json:
    """Needs of some results, as plain JSON types."""
    needs: dict[str, Json] = {}

    def add(key: str, **fields: Any) -> str:
        needs.setdefault(key, {"id": key, "tags": [], "links": [], "status": None, **fields})
        return key

    def add_requirement(name: str, document: str) -> str:
        return add(_key(name), type="req", title=name, content=f"See {document}.")

    for result in results.results:
        requirement = add_requirement(result.requirement, result.document)
        clause = add(
            _key(f"{result.requirement}-{result.clause}"),
            type="spec",
            title=f"{result.requirement} {result.clause}",
            content="\n\n".join([result.text, *_limits(result)]),
            links=[requirement],
        )
        add(
            _key(result.test),
            type="test",
            title=result.test,
            content=result.sentence,
            status=result.verdict or "measured",
            tags=[result.metric, result.definition, f"band_{result.band}", *result.verification],
            links=[clause],
        )
    for one in results.uncovered:
        requirement = add_requirement(one["requirement"], one["document"])
        add(
            _key(f"{one['requirement']}-{one['clause']}"),
            type="spec",
            title=f"{one['requirement']} {one['clause']}",
            content=f"{one['text']}\n\nNot covered: {one['reason']}",
            status="not_covered",
            links=[requirement],
        )
    version = results.run["skyaccept"]
    return {
        "project": results.dataset["name"],
        "current_version": version,
        "created": results.run["started"],
        "versions": {version: {"created": results.run["started"], "needs_amount": len(needs), "needs": needs}},
    }


def _limits(result: Result) -> list[str]:
    unit = "%" if result.unit == "percent" else result.unit
    return [
        f"{name}: {level.operator} {level.limit:g} {unit} ({level.source})" for name, level in result.levels.items()
    ]


def _key(text: str) -> str:
    """Identifier as sphinx-needs has them by default: capital letters, digits and underscores, five at least."""
    return re.sub("[^A-Z0-9_]", "_", text.upper()).ljust(5, "_")
