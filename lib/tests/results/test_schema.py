"""Results JSON from strangers: what no page can be made of is refused with file and place."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.results import model, schema

BASELINES = sorted(
    Path(str(path)) for path in resources.files("skyaccept.synthetic.baselines").iterdir() if path.name.endswith(".gz")
)


@cache
def stored() -> Any:
    """A few results of a run, with everything that results may hold."""
    path = next(path for path in BASELINES if path.name.startswith("hsc-few-visits"))
    data = json.loads(model.dumps(model.load(path).to_json()))
    return data | {"results": [one for one in data["results"] if one["decision"] and one["data"].get("dependence")][:3]}


def changed(change: Callable[[Any], object]) -> Any:
    data = copy.deepcopy(stored())
    change(data)
    return data


def measured(data: Any) -> Any:
    """The first case with a bound and plots."""
    return next(r for r in data["results"] if r["decision"] and r["decision"]["bound"] and "dependence" in r["data"])


def put(*keys: Any, to: Any) -> Callable[[Any], object]:
    """Set what is below some keys of a measured case."""

    def change(data: Any) -> None:
        node = measured(data)
        for key in keys[:-1]:
            node = node[key]
        node[keys[-1]] = to

    return change


@pytest.mark.slow
@pytest.mark.parametrize("path", BASELINES, ids=lambda path: path.name)
def test_results_of_earlier_versions_are_read(path: Path) -> None:
    found = model.load(path)
    schema.check_results(json.loads(model.dumps(found.to_json())), path.name)
    assert found.results


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"seconds": 7.128', '"seconds": NaN', "run/seconds: nan is no finite number"),
        ('"seconds": 7.128', '"seconds": -Infinity', "run/seconds: -inf is no finite number"),
        ('"seconds": 7.128', '"seconds": 1e999', "run/seconds: inf is no finite number"),
        ('"seconds": 7.128', '"seconds": 1e300', r"run/seconds: 1e\+300 is larger than 1e\+50"),
        ('"seconds": 7.128', '"seconds": 9223372036854775808', "run/seconds: a whole number of more than 64 bits"),
        ('"seconds": 7.128', f'"seconds": {"9" * 5000}', "not a results JSON"),
        ('"seconds": 7.128', '"seconds": 1, "seconds": 2', "not a results JSON: duplicate key 'seconds'"),
        (
            '"seconds": 7.128',
            f'"x": {"[" * 100}{"]" * 100}, "seconds": 1',
            "run/x/0/.*: more than 40 objects",
        ),
        ('"skyaccept": "0', r'"skyaccept": "\ud8000', r"run/skyaccept: not valid Unicode: a lone surrogate"),
        ('"skyaccept": "0', r'"\udcff": "", "skyaccept": "0', "run: a key is not valid Unicode"),
        ("2026-11-22T13:22:59+00:00", "yesterday", "run/started: 'yesterday' is no time like"),
        ("2026-11-22T13:22:59+00:00", "2026-11-22T13:22:59", "run/started: '2026-11-22T13:22:59' is no time like"),
        ("2026-11-22T13:22:59+00:00", "2026-11-22/13:22:59+00:00", "run/started: .* is no time like"),
        ("2026-11-22T13:22:59+00:00", "2026-02-30T13:22:59+00:00", "run/started: day is out of range"),
        ("2026-11-22T13:22:59+00:00", "9999-12-31T23:59:59-12:00", "run/started: .* is not between the years"),
        ("2026-11-22T13:22:59+00:00", r"2026-11-22T13:22:59+00:00\n", "run/started: .* is no time like"),
    ],
)
def test_what_json_should_not_hold_is_named_with_its_place(old: str, new: str, said: str, tmp_path: Path) -> None:
    started = {"started": "2026-11-22T13:22:59+00:00", "seconds": 7.128}
    text = model.dumps({**stored(), "run": stored()["run"] | started})
    assert text.count(old) == 1
    path = tmp_path / "r.json"
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=f"^{path}: {said}"):
        model.load(path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["title", "text", "parameters", "operator", "sample", "levels", "reason"])
def test_what_every_case_has_may_not_be_missing(name: str) -> None:
    with pytest.raises(InputError, match=f"r.json: .*: results/[0-9]+: '{name}' is a required property"):
        schema.check_results(changed(lambda data: measured(data).pop(name)), "r.json")


@pytest.mark.parametrize("name", ["operator", "source", "limit", "parameters", "verdict"])
def test_what_every_level_has_may_not_be_missing(name: str) -> None:
    with pytest.raises(InputError, match=f"results/[0-9]+/levels/design: '{name}' is a required property"):
        schema.check_results(changed(lambda data: measured(data)["levels"]["design"].pop(name)), "r.json")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (put("decision", "conformance", to=None), "decision"),
        (put("decision", "risk", to=None), "decision"),
        (put("sample", "visits", to=2.0), "results/[0-9]+/sample.*"),
        (put("sample", "visits", to=True), "results/[0-9]+/sample.*"),
        (lambda data: measured(data)["levels"].pop("design"), "results/[0-9]+/limit: it is that of level design"),
        (put("data", "histogram", "edges", 0, to=1e6), "results/[0-9]+/data/histogram/edges: they do not rise"),
        (
            lambda data: measured(data)["data"]["histogram"]["counts"].pop(),
            "data/histogram: lists of different",
        ),
        (lambda data: measured(data)["data"]["dependence"]["magnitude"].pop("floor"), "'floor' is a dependency"),
        (
            lambda data: measured(data)["data"]["blocks"]["cells"].pop(),
            "data/replicates/.*: lists of different",
        ),
        (put("data", "replicates", "design", to={"a": {"all": [1.0], "visits": [1.0], "stars": [1.0]}}), "too short"),
        (lambda data: data["results"].append(data["results"][0]), "results/3/test: .* is that of results/0 already"),
        (lambda data: data.update(baseline={"source": "", "dataset": {}, "changes": []}), "baseline"),
    ],
)
def test_what_does_not_go_together_is_named_with_its_place(change: Callable[[Any], object], said: str) -> None:
    with pytest.raises(InputError, match=f"r.json: .*{said}"):
        schema.check_results(changed(change), "r.json")


@pytest.mark.slow
def test_a_name_that_is_no_text_is_stored_as_text(tmp_path: Path) -> None:
    """A file may have any bytes in its name; the results can be read by any program."""
    found = model.load(next(iter(BASELINES)))
    found.dataset["source"] = "caf\udce9.csv"
    found.write(tmp_path / "r.json")
    json.loads((tmp_path / "r.json").read_bytes())
    assert model.load(tmp_path / "r.json").dataset["source"] == r"caf\udce9.csv"
