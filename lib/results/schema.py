"""Check results against the JSON Schema, and what a schema cannot express.

The additional checks are for numbers that are not finite, invalid Unicode, and lists of equal length.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from importlib import resources
from itertools import islice, pairwise
from typing import Any, cast

from skyaccept.lib.exceptions import InputError
from skyaccept.lib.rounding import Json

SCHEMA = "skyaccept-results/1"

LARGEST = 1e50
"""Largest number, so that calculations with it stay finite."""

DEPTH = 40
"""Largest depth of nested objects and lists."""

_INT64 = 2**63 - 1
_SURROGATE = re.compile("[\ud800-\udfff]")
_INSTANT = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})")
_MAX_VIOLATIONS = 50  # violations from which the best message is chosen


def parse_time(text: object) -> datetime:
    """Parse date and time, such as ``2027-03-31T12:00:00+00:00``.

    Raises
    ------
    ValueError
        Another format, no time zone, or an invalid date.
    """
    if not isinstance(text, str) or _INSTANT.fullmatch(text) is None:
        raise ValueError(f"{str(text)[:40]!r} is no time like 2027-03-31T12:00:00+00:00")
    found = datetime.fromisoformat(text)
    if not 1970 <= found.year < 2262:
        raise ValueError(f"{text!r} is not between the years 1970 and 2262")
    return found


def decode(content: bytes, where: str) -> Json:
    """Parse the JSON of results and check it.

    Raises
    ------
    InputError
        Not JSON, a duplicate key, or anything that `check_results` refuses.
    """
    try:
        data = json.loads(content, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not a results JSON: {error}") from None
    check_results(data, where)
    return cast("Json", data)


def check_results(data: object, where: str) -> None:
    """Check data against the results schema, and what a schema cannot express.

    Raises
    ------
    InputError
        The data do not conform; the message names the place.
    """
    for place, words in _invalid_values(data):
        raise InputError(f"{where}: {place}: {words}")
    from jsonschema.exceptions import best_match

    fault = best_match(islice(_validator().iter_errors(data), _MAX_VIOLATIONS))
    if fault is not None:
        place = "/".join(map(str, fault.absolute_path)) or "top level"
        raise InputError(f"{where}: not in the results schema {SCHEMA}: {place}: {fault.message[:300]}")
    for place, words in _inconsistent(cast("Json", data)):
        raise InputError(f"{where}: {place}: {words}")


@cache
def schema() -> Json:
    """Return the JSON Schema of the results."""
    text = resources.files("skyaccept.lib.results").joinpath("schema.json").read_text(encoding="utf-8")
    loaded: Json = json.loads(text)
    return loaded


@cache
def _validator() -> Any:
    """Return a validator for which 1.0 is not an integer, as in tables.

    It is quick with plain values.
    """
    from jsonschema import Draft202012Validator, validators

    types = Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    )
    known = Draft202012Validator.VALIDATORS

    def items(validator: Any, subschema: Any, instance: Any, parent: Any) -> Iterator[Any]:
        if not (isinstance(instance, list) and _are_plainly_valid(instance, subschema)):
            yield from known["items"](validator, subschema, instance, parent)

    def properties(validator: Any, subschemas: Any, instance: Any, parent: Any) -> Iterator[Any]:
        if isinstance(instance, dict):
            odd = {
                name: subschema
                for name, subschema in subschemas.items()
                if name in instance and not _are_plainly_valid([instance[name]], subschema)
            }
            yield from known["properties"](validator, odd, instance, parent)

    extended: Any = validators.extend
    return extended(Draft202012Validator, {"items": items, "properties": properties}, type_checker=types)(schema())


_CLASSES: dict[str, tuple[type, ...]] = {
    "number": (int, float),
    "integer": (int,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
}


def _are_plainly_valid(values: list[Any], subschema: Json) -> bool:
    """Whether a schema states no more than types and a minimum, and values fit.

    Values are not containers.

    Most of the values of results are such, and the validator takes fifty times as long to say so.
    """
    if not subschema.keys() <= {"type", "minimum"}:
        return False
    kinds = subschema["type"]
    allowed = [one for kind in ((kinds,) if isinstance(kinds, str) else kinds) for one in _CLASSES.get(kind, ())]
    if not set(map(type, values)).issubset(allowed):
        return False
    return "minimum" not in subschema or all(v >= subschema["minimum"] for v in values if isinstance(v, int | float))


def _object(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = sorted(key for key, _ in pairs)
        twice = next(key for key, after in pairwise(keys) if key == after)
        raise ValueError(f"duplicate key {ascii(twice)[:80]} in an object")
    return found


def _invalid_values(data: object) -> Iterator[tuple[str, str]]:
    """Yield places of unusable numbers and text."""
    waiting: list[tuple[object, Any, int]] = [(data, None, 0)]
    while waiting:
        value, path, depth = waiting.pop()
        if isinstance(value, dict | list):
            if depth >= DEPTH:
                yield _path_text(path), f"more than {DEPTH} objects and lists within each other"
                return
            entries = value.items() if isinstance(value, dict) else enumerate(value)
            waiting += [(inner, (path, key), depth + 1) for key, inner in entries]
            if isinstance(value, dict) and _SURROGATE.search("".join(value)):
                yield _path_text(path), "a key is not valid Unicode: it holds a lone surrogate"
        elif isinstance(value, float) and not abs(value) <= LARGEST:
            why = f"is larger than {LARGEST:g}" if math.isfinite(value) else "is no finite number"
            yield _path_text(path), f"{value} {why}"
        elif isinstance(value, int) and abs(value) > _INT64:
            yield _path_text(path), f"a whole number of more than 64 bits: {str(value)[:30]}"
        elif isinstance(value, str) and _SURROGATE.search(value):
            yield _path_text(path), f"not valid Unicode: a lone surrogate: {ascii(value)[:80]}"


def _path_text(path: Any) -> str:
    """Return the keys from the top of a chain of (parent, key) pairs."""
    keys: list[str] = []
    while path is not None:
        path, key = path
        keys.append(str(key))
    return ascii("/".join(reversed(keys)))[1:-1] or "top level"


def _inconsistent(data: Json) -> Iterator[tuple[str, str]]:
    """Yield places that conform to the schema but are inconsistent."""
    try:
        parse_time(data["run"]["started"])
    except ValueError as error:
        yield "run/started", str(error)
    tests: dict[str, int] = {}
    for number, result in enumerate(data["results"]):
        place = f"results/{number}"
        first = tests.setdefault(result["test"], number)
        if first != number:
            yield f"{place}/test", f"{result['test']!r} is that of results/{first} already"
        if result["limit"] is not None and result["level"] not in result["levels"]:
            yield f"{place}/limit", f"it is that of level {result['level']}, which the clause does not state"
        for name, lists in _parallel_lists(result["data"]):
            if len({len(one) for one in lists}) > 1:
                yield f"{place}/data/{name}", "lists of different lengths"
        edges = result["data"].get("histogram", {}).get("edges")
        if edges and not (edges == sorted(edges) and edges[0] < edges[-1]):
            yield f"{place}/data/histogram/edges", "they do not rise"


def _parallel_lists(data: Json) -> Iterator[tuple[str, list[list[Any]]]]:
    """Yield lists in the data of a result that must have equal lengths."""
    if "histogram" in data:
        yield "histogram", [data["histogram"]["edges"][1:], data["histogram"]["counts"]]
    for name, part in data.get("dependence", {}).items():
        if isinstance(part, dict):
            places = ("center", "corner")
            yield f"dependence/{name}", [v for key, v in part.items() if isinstance(v, list) and key not in places]
    cells = [data["blocks"]["cells"]] if data.get("blocks") else []
    for name, axes in data.get("replicates", {}).items():
        for key in ("all", "visits", "stars"):
            yield f"replicates/{name}", [axis[key] for axis in axes.values()] + (cells if key == "stars" else [])
