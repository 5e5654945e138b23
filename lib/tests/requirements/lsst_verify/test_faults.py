"""What is refused of lsst.verify packages, with file, line and key; what is limited; what is never opened."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from skyaccept.lib import requirements
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.requirements.lsst_verify import inheritance, located_yaml, package
from skyaccept.lib.tests import packages

GOOD = """\
id: p
threshold:
  operator: '<='
  unit: mas
---
name: design
metric: AM1
base: '#p'
threshold:
  value: 10
"""


def refusal(folder: Path) -> str:
    """The complaint about a package that has to be refused."""
    with pytest.raises(InputError) as caught:
        requirements.load(folder)
    return str(caught.value)


def test_the_good_ones_are_read(tmp_path: Path) -> None:
    """What is broken below is good without the change."""
    requirements.load(packages.one_file(tmp_path / "one", GOOD))
    requirements.load(packages.write(tmp_path / "small"))


FAULTS: dict[str, tuple[str, str, int, str]] = {
    "partial not found": ("'#p'", "'#q'", 8, "key 'base': there is no partial survey:file#q"),
    "partial in another file": ("'#p'", "'other#p'", 8, "there is no partial survey:other#p; there is survey:file#p"),
    "unknown base": ("'#p'", "AM1.other", 8, "key 'base': there is no specification survey.AM1.other"),
    "one of two bases unknown": ("'#p'", "['#p', '#r']", 8, "there is no partial survey:file#r"),
    "base of another metric": (
        "'#p'",
        "['#p', PA1.design]",
        8,
        "no specification survey.PA1.design; there is survey.AM1",
    ),
    "base in a circle": ("id: p\n", "id: p\nbase: '#p'\n", 2, "bases in a circle, survey:file#p -> survey:file#p"),
    "base is no name": ("'#p'", "3", 8, "key 'base': 3 is not a name"),
    "base without metric": (
        "'#p'",
        "design",
        8,
        "key 'base': 'design' names no metric; write METRIC.design, or #design",
    ),
    "base over two lines": ("'#p'", '"a\\nb"', 8, "write METRIC.a\\nb, or #a\\nb for a partial"),
    "base of two marks": ("'#p'", "'a#b#c'", 8, "'a#b#c' is not of the form file#partial"),
    "base of four parts": ("'#p'", "a.b.c.d", 8, "'a.b.c.d' is not a name of at most 3 parts"),
    "base in another package": (
        "'#p'",
        "other.AM1.x",
        8,
        "'other.AM1.x' is of other, and what it belongs to is of survey",
    ),
    "unit unknown to astropy": (
        "unit: mas",
        "unit: marsec",
        4,
        "AM1.design: key 'unit': 'marsec' is not known to astropy; did you mean",
    ),
    "unit that takes ages": ("unit: mas", "unit: 10**999999999 mas", 4, "'10**999999999 mas' is no unit; no number"),
    "unit without bounds": ("unit: mas", "unit: 1e999 mas", 4, "key 'unit': '1e999 mas' is no unit"),
    "unit is no text": ("unit: mas", "unit: 3", 4, "key 'unit': a value of type int is no unit"),
    "unit of another kind": (
        "unit: mas",
        "unit: mmag",
        4,
        "'mmag' is not convertible to 'marcsec', the unit of the metric",
    ),
    "no threshold": (
        "base: '#p'\nthreshold:\n  value: 10\n",
        "",
        6,
        "key 'threshold' is missing, here and in all bases",
    ),
    "threshold is no mapping": (
        "threshold:\n  value: 10\n",
        "threshold: 10\n",
        9,
        "key 'threshold': expected a mapping",
    ),
    "no value": ("  value: 10\n", "  unit: mas\n", 6, "threshold: key 'value' is missing, here and in all bases"),
    "no operator": ("  operator: '<='\n", "", 5, "threshold: key 'operator' is missing, here and in all bases"),
    "no unit": ("  unit: mas\n", "", 5, "threshold: key 'unit' is missing, here and in all bases"),
    "unknown operator": ("'<='", "'=<'", 3, "key 'operator': '=<' is not one of <=, <, >=, >, ==, !="),
    "value is text": ("value: 10", "value: ten", 10, "key 'value': 'ten' is not a finite number"),
    "value is infinite": ("value: 10", "value: .inf", 10, "'inf' is not a finite number"),
    "value overflows": ("value: 10", "value: 1" + "0" * 400, 10, "a number of 401 characters"),
    "value is true": ("value: 10", "value: true", 10, "'True' is not a finite number"),
    "metric of another package": (
        "metric: AM1",
        "metric: other.AM1",
        7,
        "'other.AM1' is of other, and what it belongs",
    ),
    "no metric": ("metric: AM1\n", "", 6, "design: key 'metric' is missing, and no base has one"),
    "no name": ("name: design\n", "", 6, "key 'name' is missing, or 'id' of a partial"),
    "name of a partial": ("id: p\n", "id: p\nname: p\n", 2, "key 'name' does not belong to a partial"),
    "name that is none": ("name: design", "name: de sign", 6, "key 'name': 'de sign' is not a name"),
    "name for a page": ("name: design", "name: <b>", 6, "key 'name': '<b>' is not a name"),
    "id that is none": ("id: p\n", "id: 'a#b'\n", 1, "key 'id': 'a#b' is not the name of a partial"),
    "other package": (
        "name: design\n",
        "name: design\npackage: other\n",
        7,
        "key 'package': 'other', but the file is in",
    ),
    "other metric in the name": (
        "name: design",
        "name: PA1.design",
        6,
        "'PA1.design' is of PA1, and what it belongs to",
    ),
    "query is no mapping": (
        "name: design\n",
        "name: design\nmetadata_query: r\n",
        7,
        "key 'metadata_query': expected a map",
    ),
    "duplicate key": ("  value: 10\n", "  value: 10\n  value: 11\n", 11, "duplicate key 'value'"),
    "yaml tag": (
        "value: 10",
        "value: !!python/object/apply:os.system [x]",
        10,
        "tag python/object/apply:os.system is not",
    ),
    "tag of our own": ("value: 10", "value: !mine 3", 10, "tag !mine is not supported"),
    "binary": ("value: 10", "value: !!binary aGk=", 10, "tag binary is not supported"),
    "unknown alias": ("value: 10", "value: *ten", 10, "alias *ten has no anchor before it"),
    "alias in itself": ("  value: 10", "  value: &a [*a]", 10, "alias *a has no anchor before it"),
    "merge of a scalar": ("  value: 10", "  <<: 3", 10, "key '<<': merges something else than a mapping or a set"),
    "a key that is none": ("  value: 10", "  ? [a]\n  : 3", 10, "a key must be plain text"),
    "list of documents": ("---\nname", "---\n- a\n---\nname", 6, "expected a mapping of keys to values"),
    "not YAML": ("value: 10", "value: [10", 11, "not valid YAML"),
    "tabs": ("  value: 10", "\tvalue: 10", 10, "not valid YAML"),
}
"""By name: what stands in `GOOD`, what stands there instead, the line and words of the complaint."""


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_specification_is_named_by_file_line_and_key(tmp_path: Path, name: str) -> None:
    """The file below the folder that was named."""
    old, new, line, words = FAULTS[name]
    assert GOOD.count(old) == 1
    found = refusal(packages.one_file(tmp_path, GOOD.replace(old, new)))
    assert found.startswith(f"{tmp_path / 'specs/survey/file.yaml'}: line {line}")
    assert words in found
    assert "\n" not in found


METRIC_FAULTS: dict[str, tuple[str, str, int, str]] = {
    "unit unknown to astropy": (
        "unit: mmag",
        "unit: magz",
        22,
        "survey.PA1: key 'unit': 'magz' is not known to astropy; did you mean mag?",
    ),
    "no unit": ("  unit: mmag\n", "", 21, "survey.PA1: key 'unit' is missing"),
    "no description": ("  description: Scatter of magnitudes.\n", "", 21, "survey.PA1: key 'description' is missing"),
    "description is a list": ("Scatter of magnitudes.", "[a]", 21, "survey.PA1: key 'description': is not text"),
    "unknown key": (
        "tags: photometry",
        "tag: photometry",
        24,
        "survey.PA1: unknown key 'tag'; a metric has description",
    ),
    "duplicate metric": ("PA1:", "AM1:", 20, "duplicate key 'AM1'"),
    "name of a metric": ("PA1:", "'P A1':", 21, "'P A1' is not the name of a metric"),
    "not a mapping": (
        "Idle: {description: Limited by nothing., unit: s}",
        "Idle: 3",
        28,
        "key 'Idle': expected a mapping",
    ),
    "reference is text": ("reference: *Where", "reference: LPM-17", 23, "key 'reference': expected a mapping"),
}


@pytest.mark.parametrize("name", METRIC_FAULTS)
def test_a_fault_of_a_metric_is_named_with_file_line_and_key(tmp_path: Path, name: str) -> None:
    """In the file of metrics."""
    old, new, line, words = METRIC_FAULTS[name]
    content = packages.SMALL["metrics/survey.yaml"]
    assert content.count(old) == 1
    packages.write(tmp_path)
    (tmp_path / "metrics/survey.yaml").write_text(content.replace(old, new), encoding="utf-8")
    found = refusal(tmp_path)
    assert found.startswith(f"{tmp_path / 'metrics/survey.yaml'}: line {line}: ")
    assert words in found


def test_a_fault_is_named_where_written_not_where_inherited(tmp_path: Path) -> None:
    """The unit comes from a partial of another file."""
    packages.write(tmp_path)
    path = tmp_path / "specs/survey/limits.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("'milliarcsecond'", "'milliarc'"), encoding="utf-8")
    assert refusal(tmp_path).startswith(f"{path}: line 5: survey.AM1.FY20: key 'unit': 'milliarc'")


def test_bases_in_a_circle_are_named_in_order(tmp_path: Path) -> None:
    """Through specifications and partials, and files."""
    content = "name: a\nbase: AM1.b\n---\nname: b\nbase: '#c'\nmetric: AM1\n---\nid: c\nbase: AM1.a\n"
    found = refusal(packages.one_file(tmp_path, content))
    circle = "survey:file#c -> survey.AM1.a -> survey.AM1.b -> survey:file#c"
    assert found.endswith(f"file.yaml: line 5: key 'base': bases in a circle, {circle}")


def test_bases_in_a_circle_are_named_before_the_metric_is_known(tmp_path: Path) -> None:
    """The metric is looked for along the circle."""
    content = "name: a\nbase: '#b'\n---\nid: b\nbase: '#c'\n---\nid: c\nbase: '#b'\n"
    assert "bases in a circle, survey:file#b -> survey:file#c -> survey:file#b" in refusal(
        packages.one_file(tmp_path, content)
    )


def test_two_specifications_of_one_name_are_refused(tmp_path: Path) -> None:
    """lsst.verify would take the last, in whatever order the files come."""
    packages.one_file(tmp_path, GOOD)
    again = tmp_path / "specs/survey/second.yaml"
    again.write_text(GOOD.replace("10", "11"), encoding="utf-8")
    assert refusal(tmp_path) == (
        f"{again}: line 6: duplicate survey.AM1.design, which says something else in file, line 6"
    )


def test_two_partials_of_one_name_are_refused(tmp_path: Path) -> None:
    """Nobody can say which of them is meant."""
    content = GOOD + "---\nid: p\nthreshold:\n  operator: '<'\n  unit: mas\n"
    found = refusal(packages.one_file(tmp_path, content))
    assert "line 12: duplicate survey:file#p, which says something else in file, line 1" in found


def test_what_stands_there_twice_and_says_the_same_is_noted(tmp_path: Path) -> None:
    """The public package has such; tags decide nothing."""
    content = GOOD + "---\n" + GOOD.replace("metric: AM1", "metric: AM1\ntags: [again]")
    found = requirements.load(packages.one_file(tmp_path, content))
    assert [note.text for note in found.notes] == [
        "specs/survey/file.yaml: line 12: survey:file#p repeats what it says in file, line 1, as do 1 more in this file"
    ]
    assert len(found.cases()) == 6


def test_keys_without_effect_are_noted(tmp_path: Path) -> None:
    """lsst.verify carries them along and looks at none."""
    content = GOOD.replace("value: 10", "value: 10\n  valu: 11") + "metadata_qery: {a: 1}\n"
    found = requirements.load(packages.one_file(tmp_path, content))
    assert [note.text for note in found.notes] == [
        "specs/survey/file.yaml: line 12: key 'metadata_qery' is without effect",
        "specs/survey/file.yaml: line 11: key 'valu' is without effect",
    ]


def test_a_key_repeated_in_a_prototype_is_noted(tmp_path: Path) -> None:
    """``provenance_query`` of the public package has one; anywhere else it is refused."""
    content = GOOD + "provenance_query:\n  config: a\n  config: b\n"
    found = requirements.load(packages.one_file(tmp_path, content))
    assert [note.text for note in found.notes] == [
        "specs/survey/file.yaml: line 13: duplicate key 'config'; the last one is used"
    ]
    assert "duplicate key 'config'" in refusal(packages.one_file(tmp_path, content.replace("provenance", "metadata")))


def test_notes_are_not_without_number(tmp_path: Path) -> None:
    """Beyond some they are counted."""
    content = GOOD + "".join(f"key{number}: 1\n" for number in range(package.MAX_NOTES + 7))
    notes = requirements.load(packages.one_file(tmp_path, content)).notes
    assert len(notes) == package.MAX_NOTES + 1
    assert notes[-1].text == "and 7 more of such notes"


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    """Before it is read."""
    packages.write(tmp_path)
    (tmp_path / "specs/survey/huge.yaml").write_text("# " + "x" * package.MAX_BYTES, encoding="utf-8")
    assert f"huge.yaml: {package.MAX_BYTES + 2} bytes; a document may have at most {package.MAX_BYTES}" in refusal(
        tmp_path
    )


@pytest.mark.parametrize(
    ("limit", "value", "words"),
    [
        ("MAX_FILES", 3, "more than 3 YAML files in this package"),
        ("MAX_ENTRIES", 6, "more than 6 "),
        ("MAX_ALL_BYTES", 2000, "more than 2000 bytes of YAML in this package"),
    ],
)
def test_a_package_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, words: str
) -> None:
    """By the number of files, of files of any kind or documents, and their bytes."""
    monkeypatch.setattr(package, limit, value)
    assert words in refusal(packages.write(tmp_path))


def test_aliases_cannot_grow_without_bounds(tmp_path: Path) -> None:
    """Ten lists of ten of the one before."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    started = time.perf_counter()
    found = refusal(packages.one_file(tmp_path, GOOD + "\n".join(lines) + "\n"))
    assert f"more than {located_yaml.MAX_VALUES} values with all aliases written out" in found
    assert time.perf_counter() - started < 5


def test_lists_cannot_grow_without_bounds(tmp_path: Path) -> None:
    """Each partial takes the one before twice, and lists are appended."""
    parts = ["id: p0\nmetadata_query: {visits: [1, 2, 3, 4]}\n"]
    parts += [f"id: p{n}\nbase: ['#p{n - 1}', '#p{n - 1}']\n" for n in range(1, 40)]
    started = time.perf_counter()
    found = refusal(packages.one_file(tmp_path, GOOD + "---\n" + "---\n".join(parts)))
    assert f"has more than {located_yaml.MAX_VALUES} values with all that it inherits" in found
    assert time.perf_counter() - started < 5


def test_metrics_are_looked_for_once_along_bases(tmp_path: Path) -> None:
    """Each partial takes the one before twice, and none has a metric."""
    parts = ["id: p0\ntags: x\n"] + [f"id: p{n}\nbase: ['#p{n - 1}', '#p{n - 1}']\n" for n in range(1, 40)]
    started = time.perf_counter()
    found = refusal(packages.one_file(tmp_path, "---\n".join(parts) + "---\nname: x\nbase: '#p39'\n"))
    assert "key 'metric' is missing, and no base has one" in found
    assert time.perf_counter() - started < 5


def test_all_that_is_written_out_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many heirs of a long list."""
    monkeypatch.setattr(inheritance, "MAX_VALUES", 1000)
    heirs = [f"id: h{n}\nbase: '#p0'\nmetadata_query: {{visits: [{n}]}}\n" for n in range(20)]
    parts = [f"id: p0\nmetadata_query: {{visits: {list(range(90))}}}\n", *heirs]
    assert "more than 1000 values in this package" in refusal(packages.one_file(tmp_path, "---\n".join(parts)))


def test_bases_above_one_another_have_a_limit(tmp_path: Path) -> None:
    """A long chain, from its end."""
    parts = [f"id: p{n}\nbase: '#p{n + 1}'\n" for n in range(2000)] + ["id: p2000\n"]
    found = refusal(packages.one_file(tmp_path, "---\n".join(parts)))
    assert f"key 'base': more than {inheritance.MAX_BASES} bases above one another" in found


@pytest.mark.parametrize("opening", ["[", "{a: "])
def test_nesting_has_a_limit(tmp_path: Path, opening: str) -> None:
    """However deep."""
    found = refusal(packages.one_file(tmp_path, GOOD + f"deep: {opening * 50_000}"))
    assert f"line 11: nested more than {located_yaml.MAX_DEPTH} deep" in found or "not valid YAML" in found


def test_a_package_needs_both_folders(tmp_path: Path) -> None:
    """Otherwise it is a folder of documents, without any."""
    packages.write(tmp_path)
    (tmp_path / "metrics").rename(tmp_path / "metric")
    found = refusal(tmp_path)
    assert "no YAML file in this folder, nor an lsst.verify package (folders metrics and specs)" in found


def test_a_file_outside_the_folder_of_a_package_is_refused(tmp_path: Path) -> None:
    """lsst.verify would pass over it."""
    packages.write(tmp_path, specs__alone="")
    (tmp_path / "specs/alone.yaml").write_text(GOOD, encoding="utf-8")
    assert "alone.yaml: is not in the folder of a package; move it to specs/PACKAGE/" in refusal(tmp_path)


def test_the_name_of_a_package_becomes_part_of_identifiers(tmp_path: Path) -> None:
    """It is refused where it is none."""
    packages.write(tmp_path)
    (tmp_path / "metrics/<img>.yaml").write_text("", encoding="utf-8")
    assert "'<img>' is not the name of a package" in refusal(tmp_path)


def test_a_package_has_one_file_of_metrics(tmp_path: Path) -> None:
    """Of two extensions only one can be."""
    packages.write(tmp_path)
    (tmp_path / "metrics/survey.yml").write_text("X: {description: x, unit: s}\n", encoding="utf-8")
    assert "survey.yml: survey has another file of metrics" in refusal(tmp_path)


def linked(what: str) -> Callable[[Path, Path], Path]:
    """Function that puts a link in place of part of a package, to ``outside``."""

    def link(folder: Path, outside: Path) -> Path:
        place = folder / what
        place.rename(outside / "moved")
        place.symlink_to(outside / "moved")
        return place

    return link


@pytest.mark.parametrize(
    "what",
    ["metrics", "specs", "specs/survey", "specs/survey/camera", "specs/survey/limits.yaml", "metrics/survey.yaml"],
)
def test_links_are_not_followed(tmp_path: Path, what: str) -> None:
    """Neither of files nor of folders."""
    folder, outside = packages.write(tmp_path / "package"), tmp_path / "outside"
    outside.mkdir()
    place = linked(what)(folder, outside)
    assert refusal(folder).startswith(f"{place}: a link, which may lead out of the package")


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    """Whoever names it means it."""
    packages.write(tmp_path / "package")
    (tmp_path / "link").symlink_to(tmp_path / "package")
    assert requirements.load(tmp_path / "link").cases()


def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    """It would never end."""
    packages.write(tmp_path)
    os.mkfifo(tmp_path / "specs/survey/pipe.yaml")
    assert refusal(tmp_path) == f"{tmp_path / 'specs/survey/pipe.yaml'}: not a regular file"


def test_nothing_but_yaml_files_of_the_two_folders_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing that a file names."""
    packages.write(tmp_path, specs__survey__evil="x")
    (tmp_path / "other.yaml").write_text("x: [", encoding="utf-8")
    (tmp_path / "specs/survey/more.yaml").write_text(GOOD.replace("design", "climbs"), encoding="utf-8")
    opened = []
    original = Path.read_bytes

    def spy(path: Path) -> bytes:
        opened.append(path)
        return original(path)

    monkeypatch.setattr(Path, "read_bytes", spy)
    package.read(tmp_path)
    names = ["metrics/survey.yaml"]
    names += [f"specs/survey/{name}" for name in ("camera/base.yml", "camera/limits.yaml", "limits.yaml", "more.yaml")]
    assert opened == [tmp_path / name for name in names]


def test_a_base_that_climbs_out_is_a_name_that_does_not_exist(tmp_path: Path) -> None:
    """Bases are names of documents, never paths."""
    (tmp_path / "secret.yaml").write_text("id: p\n", encoding="utf-8")
    found = refusal(packages.one_file(tmp_path / "package", GOOD.replace("'#p'", "'../../../secret#p'")))
    assert "there is no partial survey:../../../secret#p" in found


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    """With its name."""
    packages.write(tmp_path)
    path = tmp_path / "specs/survey/latin.yaml"
    path.write_bytes("name: é\n".encode("latin-1"))
    assert refusal(tmp_path).startswith(f"{path}: not UTF-8 text")
