"""YAML as published lsst.verify packages write it: what each feature comes to, and that aliases stay bounded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.requirements.lsst_verify import located_yaml, package
from skyaccept.lib.tests import packages

FEATURES: dict[str, tuple[str, Any]] = {
    "set in block style": ("!!set\n? a\n? b\n", ["a", "b"]),
    "set in flow style": ("x: !!set {a, b}\n", {"x": ["a", "b"]}),
    "empty set": ("x: !!set {}\n", {"x": []}),
    "set by an alias": ("x: &s !!set {a, b}\ny: *s\n", {"x": ["a", "b"], "y": ["a", "b"]}),
    "set merged into a set": (
        "x: &s !!set {a, b}\ny: !!set\n  <<: *s\n  ? c\n",
        {"x": ["a", "b"], "y": ["a", "b", "c"]},
    ),
    "merge behind the names of a set": ("x: &s !!set {a}\ny: !!set\n  ? c\n  <<: *s\n", {"x": ["a"], "y": ["a", "c"]}),
    "set of a set of a set": (
        "x: &s !!set {a}\ny: &t !!set\n  <<: *s\n  ? b\nz: !!set\n  <<: *t\n  ? c\n",
        {"x": ["a"], "y": ["a", "b"], "z": ["a", "b", "c"]},
    ),
    "several sets merged": (
        "x: &s !!set {a}\ny: &t !!set {b, a}\nz: !!set\n  <<: [*t, *s]\n  ? c\n",
        {"x": ["a"], "y": ["b", "a"], "z": ["a", "b", "c"]},
    ),
    "sets in a list": ("- &s !!set {a}\n- !!set\n  <<: *s\n  ? b\n- *s\n", [["a"], ["a", "b"], ["a"]]),
    "mapping merged into a set": ("x: &m {a: 1}\ny: !!set\n  <<: *m\n  ? b\n", {"x": {"a": 1}, "y": ["a", "b"]}),
    "set merged into a mapping": (
        "x: &s !!set {a}\ny:\n  <<: *s\n  b: 1\n",
        {"x": ["a"], "y": {"a": None, "b": 1}},
    ),
    "merge of an alias of an alias": (
        "x: &m {a: 1}\ny: &n {<<: *m, b: 2}\nz: {<<: *n, a: 3}\n",
        {"x": {"a": 1}, "y": {"a": 1, "b": 2}, "z": {"a": 3, "b": 2}},
    ),
    "merge of a list": (
        "x: &m {a: 1, b: 1}\ny: &n {a: 2, c: 2}\nz: {<<: [*m, *n], d: 3}\n",
        {"x": {"a": 1, "b": 1}, "y": {"a": 2, "c": 2}, "z": {"a": 1, "b": 1, "c": 2, "d": 3}},
    ),
    "merge of an aliased list": (
        "x: &l [{a: 1}, {a: 2, b: 2}]\nz: {<<: *l}\n",
        {"x": [{"a": 1}, {"a": 2, "b": 2}], "z": {"a": 1, "b": 2}},
    ),
    "two merge keys": (
        "x: &m {a: 1}\ny: &n {a: 2}\nz: {<<: *m, <<: *n}\n",
        {"x": {"a": 1}, "y": {"a": 2}, "z": {"a": 1}},
    ),
    "merge inside what is anchored": (
        "x: &o\n  r: &r {u: 1}\n  t: 2\ny:\n  <<: *o\n  r:\n    <<: *r\n",
        {"x": {"r": {"u": 1}, "t": 2}, "y": {"r": {"u": 1}, "t": 2}},
    ),
    "anchor on a scalar": ("x: &v mag\ny: [*v, *v]\n", {"x": "mag", "y": ["mag", "mag"]}),
    "anchor on a key": ("&k x: 1\ny: *k\n", {"x": 1, "y": "x"}),
    "alias as a key": ("x: &k name\n*k : 1\n", {"x": "name", "name": 1}),
    "anchor used anew": ("x: &v 1\ny: *v\nz: &v 2\nw: *v\n", {"x": 1, "y": 1, "z": 2, "w": 2}),
    "folded and literal text": ("x: >\n  a\n  b\ny: |\n  a\n  b\n", {"x": "a b\n", "y": "a\nb\n"}),
    "folded text of nothing": ("x: >\ny: 1\n", {"x": "", "y": 1}),
    "text over several lines": ('x: a,\n   "b"\n', {"x": 'a, "b"'}),
    "text below its key": ("x:\n  a\n", {"x": "a"}),
    "quoted merge key": ("x:\n  '<<': 1\n", {"x": {"<<": 1}}),
    "date": ("x: 2020-01-01\n", {"x": "2020-01-01"}),
}


@pytest.mark.parametrize("feature", FEATURES)
def test_a_feature_of_yaml_is_read(feature: str) -> None:
    text, expected = FEATURES[feature]
    (found,) = located_yaml.parse(text, Path("x.yaml"), [])
    assert found.plain == expected


@pytest.mark.parametrize("feature", sorted(FEATURES.keys() - {"quoted merge key", "date", "anchor used anew"}))
def test_a_feature_of_yaml_is_read_as_lsst_verify_does(feature: str) -> None:
    """It uses the safe loader of PyYAML, which lets no name of an anchor stand twice; sets have no order."""

    def sets(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: sets(one) for key, one in value.items()}
        if isinstance(value, set):
            return sorted(value)
        return [sets(one) for one in value] if isinstance(value, list) else value

    text, expected = FEATURES[feature]
    loaded = yaml.safe_load(text)
    assert sets(loaded) == sets(with_sets(expected, loaded))


def with_sets(value: Any, like: Any) -> Any:
    """The value with sets for lists where there are sets in another one."""
    if isinstance(like, set):
        return set(value)
    if isinstance(like, dict):
        return {key: with_sets(one, like[key]) for key, one in value.items()}
    return [with_sets(*pair) for pair in zip(value, like, strict=True)] if isinstance(like, list) else value


BOMBS = {
    "lists of lists": "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
    "mappings of mappings": "a: &a {x: 1}\n"
    + "".join(
        f"{b}: &{b} {{{', '.join(f'k{n}: *{a}' for n in range(10))}}}\n"
        for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    ),
    "merges of one mapping": "a: &a {" + ", ".join(f"k{n}: 1" for n in range(2000)) + "}\nb:\n" + "  <<: *a\n" * 20_000,
    "merge of a long list": "a: &a {"
    + ", ".join(f"k{n}: 1" for n in range(2000))
    + "}\nb:\n  <<: ["
    + "*a, " * 2000
    + "]",
    "sets merged into sets": "a: &a !!set {"
    + ", ".join(f"k{n}" for n in range(2000))
    + "}\nb: !!set\n"
    + "  <<: *a\n" * 2000,
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_aliases_stay_bounded(bomb: str) -> None:
    with pytest.raises(InputError, match=r"x\.yaml: line \d+: more than 50000 values with all aliases written out"):
        located_yaml.parse(BOMBS[bomb], Path("x.yaml"), [])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x: &l [a, b]\ny: !!set\n  <<: *l\n", "line 2: key '<<': merges something else than a mapping or a set"),
        ("x: *x\n", "line 1: alias *x has no anchor before it"),
        ("x: &x [*x]\n", "line 1: alias *x has no anchor before it"),
        ("x: !!omap [a: 1]\n", "line 1: tag omap is not supported"),
        ("x: !!binary aGk=\n", "line 1: tag binary is not supported"),
        ("x: !!python/object:os.system {}\n", "line 1: tag python/object:os.system is not supported"),
        ("? [a]\n: 1\n", "line 1: a key must be plain text"),
        ("x: &l [a]\n*l : 1\n", "line 2: a key must be plain text"),
        ('x: "\\e[31m"\n', "line 1: character U+001B in a text controls terminals; leave it out"),
        ('"\\e[31m": 1\n', "line 1: character U+001B in a text controls terminals; leave it out"),
        ("x: !!set {a, a}\n", "line 1: duplicate key 'a'"),
        ("x: " + "[" * 30 + "]" * 30, "line 1: nested more than 20 deep"),
        ("x: " + "[" * 100_000, "line 1"),
    ],
    ids=lambda text: text[:20],
)
def test_what_is_no_plain_data_is_refused(text: str, words: str) -> None:
    with pytest.raises(InputError) as complaint:
        located_yaml.parse(text, Path("x.yaml"), [])
    assert words in str(complaint.value)
    assert len(str(complaint.value)) < 300


METRICS = """\
Time: &Time
    description: Time that the task takes.
    unit: s
    reference: &Pages
        url: https://example.org/pages?spaceKey=~one&title=Metrics
    tags:
        - workflow
CpuTime:
    <<: *Time
    description: Time of the processor.
    reference:
        <<: *Pages
Sources: &Count
    description: Sources in an image.
    unit: ct
    reference: *Pages
    tags: &Image !!set
        ? images
        ? CCD
Objects:
    <<: *Count
    description: Objects with one source.
    tags: &Night !!set
        ? night
Share:
    description: Share of the sources.
    unit: '%'
    reference: *Pages
    tags: *Image
Watched:
    description: Sources, watched.
    unit: ct
    tags: !!set
        <<: *Image
        ? monitoring
Base: &Base
    unit: ""
    reference:
        doc:
            - One, A. 2010
            - Two, B. 2016
        url:
            - https://example.org/1
            - https://example.org/2
        page: 350
    description: >
        Base of
        correlations
Rho:
    <<: [*Base, *Count]
Folded:
    description: Number with a unit of nothing.
    unit: >
    tags: one
Flux: {description: Level of the sky., unit: nanojansky, tags: [sky]}
Memory: {description: Largest size., unit: byte}
"""

SPECS = """\
# Comment

---
id: 'base'
metric: 'Sources'
threshold:
  operator: "<="
  unit: ''
  reference:
    doc: Three, C. et al. 2016,
         "A catalogue"
tags:
  "one"

---
id: "camera"
provenance_query:
  # Prototype
  config: 'a="b"'
  config: 'a="c"'

---
name: lower
metric: Flux
threshold: {operator: ">=", value: -25.0, unit: "nanojansky"}
---
name: upper
metric: "tasks.Rho"
base: ["#base", "#camera"]
threshold:
  value: 1e-6
---

name: exact
base: '#base'
threshold:
  operator: '=='
  value: 14262
  unit: ct
---
name: other
metric: Undefined
threshold: {operator: '<=', value: 3, unit: mmag}
"""


def test_a_package_with_every_feature_is_read(tmp_path: Path) -> None:
    packages.write(tmp_path, {"metrics/tasks.yaml": METRICS, "specs/tasks/a/specs.yaml": SPECS})
    found = package.read(tmp_path)
    metrics = {metric.name: metric for metric in found.metrics}
    assert metrics["CpuTime"].url == metrics["Time"].url == "https://example.org/pages?spaceKey=~one&title=Metrics"
    assert metrics["Watched"].origin.data["tags"].plain == ["images", "CCD", "monitoring"]
    assert metrics["Objects"].unit.to_string() == "ct"
    assert metrics["Rho"].description == "Base of correlations"
    assert metrics["Rho"].doc == "One, A. 2010; Two, B. 2016"
    assert metrics["Folded"].unit.to_string() == ""
    specifications = {one.full_name: one for one in found.specifications}
    assert sorted(specifications) == [
        "tasks.Flux.lower",
        "tasks.Rho.upper",
        "tasks.Sources.exact",
        "tasks.Undefined.other",
    ]
    assert specifications["tasks.Rho.upper"].bound.value == 1e-6
    assert specifications["tasks.Rho.upper"].query == {"config": 'a="c"'}
    assert specifications["tasks.Rho.upper"].tags == ("one",)
    assert [text for _, text in found.notes] == [
        "specs/tasks/a/specs.yaml: line 20: duplicate key 'config'; the last one is used",
        "specs/tasks/a/specs.yaml: line 41: key 'metric': tasks.Undefined is not defined in metrics/tasks.yaml",
    ]
