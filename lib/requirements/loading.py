"""Load requirement documents from YAML files and lsst.verify packages."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import resources
from pathlib import Path

from skyaccept.lib import strict_yaml
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.requirements import definitions as definition
from skyaccept.lib.requirements.consistency import document_notes
from skyaccept.lib.requirements.definitions import Definition
from skyaccept.lib.requirements.lsst_verify import clauses as lsst_verify
from skyaccept.lib.requirements.lsst_verify.package import FOLDERS, is_package
from skyaccept.lib.requirements.model import Document, Specification
from skyaccept.lib.requirements.validation import check_clauses

DEFINITIONS, LSST_VERIFY = "definitions.yaml", "lsst-verify.yaml"
"""Files in the folder of the shipped documents that are not documents."""


def shipped() -> dict[str, Path]:
    """Return the shipped requirement documents by name."""
    folder = Path(str(resources.files("skyaccept.requirements_specs")))
    return {path.stem: path for path in sorted(folder.glob("*.yaml")) if path.name not in (DEFINITIONS, LSST_VERIFY)}


def load(names: str | Path | Iterable[str | Path] = "LSE-30", where: Iterable[str] = ()) -> Specification:
    """Load requirement documents.

    Parameters
    ----------
    names : str, Path, or iterable of these
        Each the name of a shipped document, a YAML file, a folder of YAML files, or an lsst.verify package.
    where : iterable of str
        Properties of the dataset, such as ``"instrument=HSC"``, for conditional specifications of a package.

    Returns
    -------
    Specification

    Raises
    ------
    InputError
        A document cannot be read or is invalid (the message names file, line and key), or there is no requirement.
    """
    if isinstance(names, str | Path):
        names = (names,)
    folder = Path(str(resources.files("skyaccept.requirements_specs")))
    names = list(names)
    definitions: dict[str, Definition] = {}
    known = shipped()
    folders = [name for name in names if str(name) not in known and is_package(Path(name))]
    packages = lsst_verify.read(folders, folder / LSST_VERIFY, where)
    read: list[tuple[Document, strict_yaml.SourceLocation]] = [_shipped(folder / DEFINITIONS)]
    for name in names:
        if name in packages:
            data, origin = packages[name]
            read.append((strict_yaml.validate(data, Document, origin), origin))
        else:
            read += [_shipped(known[str(name)])] if str(name) in known else [_read(path) for path in _files(name)]
    for doc, place in read:
        definition.check_definitions(doc.definitions, place, definitions)
    seen: dict[str, Path] = {}
    for doc, place in read:
        check_clauses(doc, place, definitions, seen)
    documents = tuple(doc for doc, _ in read if doc.requirements)
    if not any(requirement.clauses for doc in documents for requirement in doc.requirements):
        raise InputError(f"no requirement found in {', '.join(map(str, names)) or 'an empty list of documents'}")
    noted = (note for doc, place in read for note in document_notes(doc.document or "", doc.requirements, place))
    return Specification(documents, definitions, tuple(noted))


def _read(path: Path) -> tuple[Document, strict_yaml.SourceLocation]:
    return strict_yaml.read(path, Document)


_shipped = cache(_read)
"""Read a shipped document, once."""


def _files(name: str | Path) -> list[Path]:
    path = Path(name)
    if strict_yaml.path_exists(path) and path.is_dir():
        files = sorted([*path.glob("*.yaml"), *path.glob("*.yml")])
        if not files:
            raise InputError(
                f"{path}: no YAML file in this folder, nor an lsst.verify package (folders {' and '.join(FOLDERS)})"
            )
        return files
    if not strict_yaml.path_exists(path):
        raise InputError(f"--specs {name}: no such file or folder, and not one of {', '.join(shipped())}")
    return [path]
