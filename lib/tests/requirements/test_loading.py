"""Loading of requirement documents: names, files, folders, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import astropy.units as u
import pytest
from skyaccept.lib import requirements
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.requirements.limits import Limit
from skyaccept.lib.tests.requirements.documents import (
    DEFINITION,
    DOCUMENT,
    clauses,
    refusal,
    saved,
    with_change,
)


def test_a_user_document_is_read(tmp_path: Path) -> None:
    """A clause may override its definition's sample and half-width."""
    path = saved(tmp_path, DOCUMENT.replace("limit: <= 10", 'limit: "<= 10').replace("percent\n", 'percent"\n'))
    specification = requirements.load([path])
    assert [case.id for case in specification.cases()] == ["REQ-1-AM1-r", "REQ-1-AM1-i", "REQ-1-AF1-r"]
    clause = clauses(specification)["AF1"]
    assert clause.half_width == 30 * u.arcsec
    assert [str(cut) for cut in clause.sample or ()] == ["median snr >= 50", "seen in at least 2 visits"]
    assert clause.levels["design"].source.page == 7
    assert str(clause.levels["design"].source) == "DOC-1, page 7"


def test_a_limit_needs_no_quotes(tmp_path: Path) -> None:
    """YAML takes '<= 10 percent' as plain text."""
    clause = clauses(requirements.load([saved(tmp_path, DOCUMENT)]))["AF1"]
    assert clause.levels["design"].limit == Limit("<=", 10 * u.percent)


def test_a_folder_is_all_its_documents_in_order_of_name(tmp_path: Path) -> None:
    """Both endings count, other files do not."""
    saved(tmp_path, with_change("id: REQ-1", "id: REQ-2"), "b.yml")
    saved(tmp_path, DOCUMENT, "a.yaml")
    saved(tmp_path, "not: a document", "readme.txt")
    for folder in (tmp_path, str(tmp_path)):
        found = requirements.load([folder])
        assert [doc.requirements[0].id for doc in found.documents] == ["REQ-1", "REQ-2"]


def test_names_files_and_folders_go_together(tmp_path: Path) -> None:
    """In the order given."""
    (tmp_path / "more").mkdir()
    one = saved(tmp_path, DOCUMENT)
    saved(tmp_path / "more", with_change("id: REQ-1", "id: REQ-2"))
    found = requirements.load([one, "LPM-17", tmp_path / "more"])
    assert [doc.requirements[0].id for doc in found.documents] == ["REQ-1", "LPM-17", "REQ-2"]


def test_a_copy_of_the_shipped_documents_is_read(tmp_path: Path) -> None:
    """A user who starts from a shipped document gets the same requirements."""
    shutil.copy(requirements.shipped()["LSE-30"], tmp_path)
    assert requirements.load([tmp_path]) == requirements.load()


def test_shipped_documents_are_found_by_name() -> None:
    """Definitions are no document."""
    assert set(requirements.shipped()) >= {"LSE-30", "LPM-17"}
    assert "definitions" not in requirements.shipped()


AM1_LEVEL = 'design: {limit: "<= 10 mas", source: {document: DOC-1}}'


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (with_change("id: REQ-1", "id: !!python/object:os.system REQ-1"), 4, "tag"),
        (with_change("kind: performance", "kind: &kind performance\n    text: *kind"), 7, "aliases"),
        (with_change("    kind: performance", "\tkind: performance"), 6, "tabs"),
    ],
)
def test_yaml_that_is_more_than_data_is_refused(tmp_path: Path, content: str, line: int, words: str) -> None:
    """Tags, aliases and tabs."""
    path = saved(tmp_path, content)
    message = refusal(path)
    assert message.startswith(f"{path}: line {line}")
    assert words in message
    assert "\n" not in message


def test_a_document_in_another_encoding_is_refused(tmp_path: Path) -> None:
    """The message says what to do."""
    path = tmp_path / "doc.yaml"
    path.write_bytes(DOCUMENT.replace("A document", "Ein Schriftstück").encode("utf-16"))
    assert refusal(path) == f"{path}: UTF-16 text; save it as UTF-8"


def test_a_document_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    """The interpreter's stack holds."""
    path = saved(tmp_path, "requirements: " + "[" * 10_000)
    assert refusal(path) == f"{path}: line 1: nested more than 40 deep"


def test_a_run_without_requirements_is_an_error(tmp_path: Path) -> None:
    """Zero requirements never make a green run."""
    with pytest.raises(InputError, match="no requirement found in an empty list of documents"):
        requirements.load([])
    path = saved(tmp_path, DEFINITION)
    assert refusal(path) == f"no requirement found in {path}"
    empty = saved(tmp_path, DOCUMENT[: DOCUMENT.index("clauses:")] + "clauses: []\n", "empty.yaml")
    assert f"no requirement found in {empty}" in refusal(empty) or f"{empty}: line 7: " in refusal(empty)


def test_a_document_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With the names that would do."""
    with pytest.raises(InputError, match=r"--specs LSE-31: no such file or folder, and not one of LPM-17, LSE-30"):
        requirements.load(["LSE-31"])
    with pytest.raises(InputError, match="no YAML file in this folder"):
        requirements.load([tmp_path])


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b"], ids=["too long", "zero byte"])
def test_a_name_that_no_file_can_have_is_refused(name: str) -> None:
    """As any other that does not exist."""
    with pytest.raises(InputError, match="--specs"):
        requirements.load([name])
