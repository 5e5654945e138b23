"""Resolution of lsst.verify packages, clause by clause of SQR-017 and SQR-019, against expectations by hand."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import astropy.units as u
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from skyaccept.lib.requirements.lsst_verify import inheritance, located_yaml, package
from skyaccept.lib.requirements.lsst_verify.package import Package, PackageSpecification
from skyaccept.lib.tests import packages


def resolved(folder: Path, content: str) -> dict[str, PackageSpecification]:
    """Specifications of a package with one file, by their names without the package."""
    found = package.read(packages.one_file(folder, content))
    return {one.full_name.removeprefix("survey."): one for one in found.specifications}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The small package."""
    return package.read(packages.write(tmp_path_factory.mktemp("small")))


@pytest.fixture(scope="module")
def named(small: Package) -> Mapping[str, PackageSpecification]:
    """Its specifications."""
    return {one.full_name: one for one in small.specifications}


def test_a_specification_is_named_by_package_metric_and_name(named: Mapping[str, PackageSpecification]) -> None:
    """SQR-017: ``package.metric.name``, of which the file need state the name and, somewhere, the metric only."""
    assert list(named) == [
        "survey.PA1.camera_design_g",
        "survey.PA1.camera_design_r",
        "survey.AM1.FY20",
        "survey.AM1.design",
        "survey.AM1.minimum",
        "survey.AF1_design.srd",
        "survey.AF1_minimum.srd",
        "survey.AD1_design.srd",
        "survey.AD1_minimum.srd",
        "survey.PA1.design_gri",
        "survey.AB1.limit",
        "survey.TE2.design",
        "survey.TE2.minimum",
        "survey.Speed.exact",
    ]


def test_a_partial_is_no_specification_and_lends_what_it_says(named: Mapping[str, PackageSpecification]) -> None:
    """SQR-017, partials: a document with ``id`` cannot stand alone; ``#id`` in ``base`` mixes it in."""
    assert not [name for name in named if "mas" in name.split(".")[-1]]
    one = named["survey.AD1_design.srd"]
    assert (one.operator, one.bound.value, one.bound.unit) == ("<=", 20, u.mas)


def test_a_partial_may_have_a_base_and_a_metric(named: Mapping[str, PackageSpecification]) -> None:
    """Partials inherit as specifications do; the metric of AM1.design comes from ``#AM1``, its unit from ``#mas``."""
    one = named["survey.AM1.design"]
    assert (one.metric.name, one.operator, one.bound.value, one.bound.unit) == ("AM1", "<=", 10, u.mas)


def test_a_partial_of_another_file_is_named_by_file_and_id(named: Mapping[str, PackageSpecification]) -> None:
    """SQR-017: ``file#id``, the path below the package's folder without extension; also ``package:file#id``."""
    assert named["survey.PA1.camera_design_g"].query["instrument"] == "Camera"
    assert named["survey.PA1.camera_design_r"].query["filter_name"] == "r"


def test_the_same_id_in_two_files_is_two_partials(tmp_path: Path) -> None:
    """``#id`` is that of the own file."""
    packages.one_file(tmp_path, "id: p\nmetadata_query: {where: here}\n---\n" + SPEC.format(name="own", base="'#p'"))
    other = "id: p\nmetadata_query: {where: there}\n---\n" + SPEC.format(name="other", base="'#p'")
    (tmp_path / "specs/survey/second.yaml").write_text(other, encoding="utf-8")
    found = {one.name: one.query["where"] for one in package.read(tmp_path).specifications}
    assert found == {"own": "here", "other": "there"}


SPEC = "name: {name}\nbase: {base}\nmetric: AM1\nthreshold: {{operator: <=, unit: mas, value: 1}}\n"
BARE = "name: {name}\nmetric: {metric}\nthreshold: {{operator: <=, unit: mas, value: {value}}}\n"


@pytest.mark.parametrize("base", ["AM1.first", "survey.AM1.first", "[AM1.first]"])
def test_a_specification_inherits_metric_and_threshold(tmp_path: Path, base: str) -> None:
    """SQR-019, inheritance: all fields of the base; named by its full name, or without the package."""
    found = resolved(tmp_path, f"name: second\nbase: {base}\n---\n" + BARE.format(name="first", metric="AM1", value=3))
    assert (found["AM1.second"].bound, found["AM1.second"].metric.name) == (3 * u.mas, "AM1")


def test_own_values_hold_against_inherited_ones(named: Mapping[str, PackageSpecification]) -> None:
    """SQR-019: a value of the document overrides that of the base, inside mappings one by one."""
    one = named["survey.PA1.camera_design_r"]
    assert (one.operator, one.bound.value, one.bound.unit) == ("<=", 6, u.mmag)
    assert named["survey.AM1.FY20"].bound.value == 15


def test_bases_are_taken_from_left_to_right(tmp_path: Path) -> None:
    """SQR-019: the base to the right overrides that to the left, and the document overrides both."""
    content = """\
id: a
metadata_query: {one: a, two: a, three: a}
---
id: b
metadata_query: {two: b, three: b}
---
name: x
metric: AM1
base: ['#a', '#b']
metadata_query: {three: x}
threshold: {operator: <, unit: mas, value: 1}
"""
    assert resolved(tmp_path, content)["AM1.x"].query == {"one": "a", "two": "b", "three": "x"}
    swapped = content.replace("['#a', '#b']", "['#b', '#a']")
    assert resolved(tmp_path, swapped)["AM1.x"].query == {"one": "a", "two": "a", "three": "x"}


def test_lists_are_appended_to_those_of_the_base(named: Mapping[str, PackageSpecification]) -> None:
    """lsst.verify, merge of documents: items of the document come after those of its base."""
    assert named["survey.PA1.camera_design_g"].query["ccds"] == [1, 2, 3]
    assert named["survey.AM1.design"].tags == ("pairs", "AM1", "design")


def test_a_scalar_replaces_a_list_and_a_list_a_scalar(tmp_path: Path) -> None:
    """lsst.verify, merge of documents: where either value is a scalar, that of the document holds."""
    content = """\
id: p
tags: [a, b]
metadata_query: {filter_name: r, visits: [1]}
---
name: x
metric: AM1
base: '#p'
tags: c
metadata_query: {filter_name: [g, r], visits: 2}
threshold: {operator: <, unit: mas, value: 1}
"""
    one = resolved(tmp_path, content)["AM1.x"]
    assert one.tags == ("c",)
    assert one.query == {"filter_name": ["g", "r"], "visits": 2}


def test_the_last_base_with_a_metric_lends_it(tmp_path: Path) -> None:
    """lsst.verify, resolution: the metric of a base that is a specification replaces that of bases before it."""
    content = "---\n".join(
        [
            "id: p\nmetric: AB1\n",
            BARE.format(name="one", metric="AM1", value=1),
            BARE.format(name="two", metric="AD1_design", value=2),
            "name: x\nbase: [AM1.one, AD1_design.two]\n",
            "name: y\nbase: [AM1.one, '#p']\n",
            "name: z\nbase: ['#p', AM1.one]\n",
            "name: w\nbase: [AM1.one, AD1_design.two]\nmetric: survey.AB1\n",
        ]
    )
    found = resolved(tmp_path, content)
    assert {"AD1_design.x", "AB1.y", "AM1.z", "AB1.w"} <= set(found)
    assert found["AD1_design.x"].bound == 2 * u.mas
    assert found["AB1.y"].bound == 1 * u.mas


def test_documents_may_stand_in_any_order_and_file(tmp_path: Path) -> None:
    """lsst.verify resolves until all bases are known: one may stand after its heirs, and in a later file."""
    packages.one_file(tmp_path, "name: x\nbase: [AM1.one, 'zz/later#p']\n")
    later = "id: p\nbase: '#q'\n---\nid: q\nmetadata_query: {a: 1}\n---\n"
    later += BARE.format(name="one", metric="AM1", value=9)
    (tmp_path / "specs/survey/zz").mkdir()
    (tmp_path / "specs/survey/zz/later.yaml").write_text(later, encoding="utf-8")
    found = {one.name: one for one in package.read(tmp_path).specifications}
    assert (found["x"].bound, found["x"].query) == (9 * u.mas, {"a": 1})


def test_name_package_and_base_are_not_inherited(tmp_path: Path) -> None:
    """A document is named by itself alone."""
    content = BARE.format(name="one", metric="AM1", value=1) + "package: survey\n---\nname: two\nbase: AM1.one\n"
    assert set(resolved(tmp_path, content)) == {"AM1.one", "AM1.two"}


def test_a_partial_of_another_package_is_named_with_it(tmp_path: Path) -> None:
    """lsst.verify: ``package:file#id`` reaches into the folder of another package."""
    packages.one_file(tmp_path, SPEC.format(name="x", base="'other:f#p'"))
    (tmp_path / "specs/other").mkdir()
    (tmp_path / "specs/other/f.yaml").write_text("id: p\nmetadata_query: {a: 1}\n", encoding="utf-8")
    (found,) = package.read(tmp_path).specifications
    assert found.query == {"a": 1}


def test_a_provenance_query_asks_as_a_metadata_query_does(tmp_path: Path) -> None:
    """SQR-017 names it ``provenance_query``, SQR-019 ``metadata_query``."""
    content = SPEC.format(name="x", base="[]") + "provenance_query: {a: 1, b: 1}\nmetadata_query: {b: 2}\n"
    assert resolved(tmp_path, content)["AM1.x"].query == {"a": 1, "b": 2}


def test_documents_without_content_say_nothing(tmp_path: Path) -> None:
    """``---`` twice, comments alone, or an empty file."""
    content = "# nothing\n---\n---\n" + BARE.format(name="x", metric="AM1", value=1) + "---\n# at the end\n...\n"
    packages.one_file(tmp_path, content)
    (tmp_path / "specs/survey/empty.yaml").write_text("", encoding="utf-8")
    assert [one.name for one in package.read(tmp_path).specifications] == ["x"]


VALUES = st.recursive(
    st.integers(0, 3) | st.sampled_from(["a", "b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("klm"), inner, max_size=3),
    max_leaves=6,
)
DOCUMENTS = st.lists(st.tuples(VALUES, st.lists(st.integers(0, 5), max_size=3)), min_size=1, max_size=6)


def merged(base: Any, new: Any) -> Any:
    """Plain reference of the merge."""
    if isinstance(base, dict) and isinstance(new, dict):
        found = deepcopy(base)
        for key in new:
            found[key] = merged(base[key], new[key]) if key in base else deepcopy(new[key])
        return found
    if isinstance(base, list) and isinstance(new, list):
        return deepcopy(base) + deepcopy(new)
    return deepcopy(new)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(DOCUMENTS, st.randoms(use_true_random=False))
def test_inheritance_is_that_of_a_plain_reference(documents: list[tuple[Any, list[int]]], random: Any) -> None:
    """Partials that inherit from earlier ones, in any order of the file, against merging them one after the other."""
    written = []
    expected: list[dict[str, Any]] = []
    for number, (value, bases) in enumerate(documents):
        bases = [base for base in bases if base < number]
        written.append({"name": f"n{number}", "metric": "M", "x": value, "base": [f"M.n{base}" for base in bases]})
        content: dict[str, Any] = {}
        for base in bases:
            content = merged(content, expected[base])
        expected.append(merged(content, {"x": value}))
    random.shuffle(written)
    values = located_yaml.parse(yaml.safe_dump_all(written), Path("x.yaml"), [])
    found, notes = inheritance.resolve([inheritance.parse_entry(value, "p", "x") for value in values])
    assert {one.name: one.content.plain for one in found} == {f"n{n}": value for n, value in enumerate(expected)}
    assert notes == []


@given(VALUES, VALUES)
def test_a_merge_is_that_of_a_plain_reference(base: Any, new: Any) -> None:
    """And counts its values."""
    one, other = (located_yaml.parse(yaml.safe_dump({"v": value}), Path("x"), [])[0].data["v"] for value in (base, new))
    found = located_yaml.merge(one, other)
    assert found.plain == merged(base, new)
    assert found.size == counted(found.plain)


def counted(value: Any) -> int:
    """Number of values in a value."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(counted(one) for one in inner)
