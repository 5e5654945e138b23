"""Read the metrics and resolved specifications of an lsst.verify package."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import astropy.units as u
from skyaccept.lib import strict_yaml
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.requirements.lsst_verify import inheritance, located_yaml
from skyaccept.lib.requirements.lsst_verify.located_yaml import Value
from skyaccept.lib.units import parse_unit

FOLDERS = ("metrics", "specs")
"""Folders of a package that are read, and no others."""

MAX_BYTES = 1_000_000
MAX_ALL_BYTES = 20_000_000
MAX_FILES = 2_000
MAX_ENTRIES = 20_000
"""Largest size of a YAML file and of all files, and largest number of YAML files and of any entries."""

MAX_NOTES = 50

_OPERATORS = ("<=", "<", ">=", ">", "==", "!=")
_SUFFIXES = (".yaml", ".yml")
_METRIC_KEYS = ("description", "unit", "tags", "reference")
_KEYS = (
    "id",
    "name",
    "metric",
    "package",
    "base",
    "threshold",
    "metadata_query",
    located_yaml.LENIENT,
    "tags",
    "reference",
)
_THRESHOLD_KEYS = ("operator", "unit", "value", "reference")


@dataclass(frozen=True)
class PackageMetric:
    """Metric; ``doc``, ``page`` and ``url`` cite its definition."""

    package: str
    name: str
    description: str
    unit: u.UnitBase
    origin: Value
    doc: str = ""
    page: int | None = None
    url: str = ""


@dataclass(frozen=True)
class PackageSpecification:
    """Threshold for a metric, on datasets whose metadata match ``query``."""

    package: str
    metric: PackageMetric
    name: str
    operator: str
    bound: u.Quantity
    query: Mapping[str, Any]
    tags: tuple[str, ...]
    origin: Value

    @property
    def full_name(self) -> str:
        """Such as ``validate_drp.AM1.design``."""
        return f"{self.package}.{self.metric.name}.{self.name}"

    @property
    def limit_origin(self) -> Value:
        """Location of the number."""
        found: Value = self.origin.data["value"]
        return found


@dataclass(frozen=True)
class Package:
    """Content of a package, with warnings by name of package."""

    folder: Path
    metrics: tuple[PackageMetric, ...]
    specifications: tuple[PackageSpecification, ...]
    notes: tuple[tuple[str, str], ...]

    def where(self, value: Value) -> str:
        """Return the file below the folder, and the line."""
        return f"{value.path.relative_to(self.folder).as_posix()}: line {value.line}"


def is_package(folder: Path) -> bool:
    """Return True for a folder with the layout of a package."""
    return all(strict_yaml.path_exists(folder / name) and (folder / name).is_dir() for name in FOLDERS)


def read(folder: Path) -> Package:
    """Read metrics and specifications.

    Raises
    ------
    InputError
        Unreadable, unresolved or too much content, or links; the message names file, line and key.
    """
    notes: list[tuple[Value, str]] = []
    metrics: dict[tuple[str, str], PackageMetric] = {}
    entries: list[inheritance.Entry] = []
    listing, seen = _Listing(), set[str]()
    for path in listing.files(folder / "metrics", deep=False):
        package = _name(path, path.stem)
        if package in seen:
            raise InputError(f"{path}: {package} has another file of metrics")
        seen.add(package)
        for content in located_yaml.read(path, MAX_BYTES, notes):
            for name, value in content.mapping("the document").items():
                if (package, name) in metrics:
                    raise value.error(f"duplicate metric {package}.{name}")
                metrics[package, name] = _metric(package, name, value)
                if len(metrics) > MAX_ENTRIES:
                    raise InputError(f"{path}: more than {MAX_ENTRIES} metrics in this package")
    for directory in listing.directories(folder / "specs"):
        package = _name(directory, directory.name)
        for path in listing.files(directory):
            file = path.relative_to(directory).with_suffix("").as_posix()
            for content in located_yaml.read(path, MAX_BYTES, notes):
                entries.append(inheritance.parse_entry(content, package, file))
                if len(entries) > MAX_ENTRIES:
                    raise InputError(f"{path}: more than {MAX_ENTRIES} documents in this package")
    for one in entries:
        notes += _unknown_keys(one.content)
    resolved, repeated = inheritance.resolve(entries)
    notes += repeated
    specifications = tuple(_specification(one, metrics, notes) for one in resolved)
    made = Package(folder, tuple(metrics.values()), specifications, ())
    return Package(folder, made.metrics, specifications, _notes_by_package(made, notes))


class _Listing:
    """Lists YAML files in order of name; refuses links and too many entries."""

    def __init__(self) -> None:
        self._seen = Counter[str]()

    def files(self, folder: Path, *, deep: bool = True) -> Iterator[Path]:
        """Yield the YAML files of a folder, with ``deep`` also of its subfolders."""
        for path in self._entries(folder):
            if path.is_dir():
                if deep:
                    yield from self.files(path)
            elif path.suffix in _SUFFIXES:
                if not path.is_file():
                    raise InputError(f"{path}: not a regular file")
                self._count("YAML files", MAX_FILES, folder)
                self._count("bytes of YAML", MAX_ALL_BYTES, folder, path.stat().st_size)
                yield path

    def directories(self, folder: Path) -> Iterator[Path]:
        """Yield the subfolders of a folder, which may hold no YAML file itself."""
        for path in self._entries(folder):
            if path.is_dir():
                yield path
            elif path.suffix in _SUFFIXES:
                raise InputError(f"{path}: is not in the folder of a package; move it to specs/PACKAGE/")

    def _entries(self, folder: Path) -> list[Path]:
        if folder.is_symlink():
            raise InputError(f"{folder}: a link, which may lead out of the package; put the folder itself there")
        try:
            found = sorted(folder.iterdir())
        except OSError as error:
            raise InputError(f"{folder}: cannot be read: {error.strerror}") from None
        for path in found:
            self._count("files", MAX_ENTRIES, folder)
            if path.is_symlink() and (path.suffix in _SUFFIXES or path.is_dir()):
                raise InputError(f"{path}: a link, which may lead out of the package; put the file itself there")
        return found

    def _count(self, what: str, most: int, folder: Path, number: int = 1) -> None:
        self._seen[what] += number
        if self._seen[what] > most:
            raise InputError(f"{folder}: more than {most} {what} in this package")


def _name(path: Path, name: str) -> str:
    if inheritance.NAME.fullmatch(name) is None:
        raise InputError(f"{path}: {name!r} is not the name of a package (letters, digits, _ and -)")
    return name


def _metric(package: str, name: str, value: Value) -> PackageMetric:
    if inheritance.NAME.fullmatch(name) is None:
        raise value.error(f"{name!r} is not the name of a metric (letters, digits, _ and -)")
    data = value.mapping(name)
    for key in data:
        if key not in _METRIC_KEYS:
            raise data[key].error(f"{package}.{name}: unknown key '{key}'; a metric has {', '.join(_METRIC_KEYS)}")
    for key in ("description", "unit"):
        if key not in data:
            raise value.error(f"{package}.{name}: key '{key}' is missing")
    if not isinstance(data["description"].data, str):
        raise data["description"].error(f"{package}.{name}: key 'description': is not text")
    reference = data["reference"].mapping("reference") if "reference" in data else {}
    page = reference["page"].data if "page" in reference else None
    return PackageMetric(
        package,
        name,
        " ".join(data["description"].data.split()),
        _unit(data["unit"], f"{package}.{name}"),
        value,
        _text(reference.get("doc")),
        page if isinstance(page, int) and not isinstance(page, bool) else None,
        _text(reference.get("url")),
    )


def _text(value: Value | None) -> str:
    """Return one text or several, joined."""
    if value is None or value.data is None:
        return ""
    found = value.plain if isinstance(value.data, list) else [value.plain]
    return "; ".join(" ".join(str(one).split()) for one in found)


def _specification(
    one: inheritance.Resolved, metrics: dict[tuple[str, str], PackageMetric], notes: list[tuple[Value, str]]
) -> PackageSpecification:
    """Read the threshold of a specification; add an undefined metric, with a warning."""
    content, name = one.content, one.full_name
    if "threshold" not in content.data:
        raise content.error(f"{name}: key 'threshold' is missing, here and in all bases")
    threshold = content.data["threshold"]
    data = threshold.mapping("threshold")
    for key in ("operator", "unit", "value"):
        if key not in data:
            raise content.error(f"{name}: threshold: key '{key}' is missing, here and in all bases")
    operator = data["operator"]
    if operator.data not in _OPERATORS:
        raise operator.error(f"{name}: key 'operator': {operator.plain!r} is not one of {', '.join(_OPERATORS)}")
    unit = _unit(data["unit"], name)
    if (one.package, one.metric) not in metrics:
        words = f"key 'metric': {one.package}.{one.metric} is not defined in metrics/{one.package}.yaml"
        notes.append((content, words))
        metrics[one.package, one.metric] = PackageMetric(one.package, one.metric, f"{one.metric}.", unit, content)
    metric = metrics[one.package, one.metric]
    if not unit.is_equivalent(metric.unit):
        raise data["unit"].error(
            f"{name}: key 'unit': '{unit}' is not convertible to '{metric.unit}', the unit of the metric"
        )
    bound = _number(data["value"], name) * unit
    query: dict[str, Any] = {}
    for key in (located_yaml.LENIENT, "metadata_query"):
        if key in content.data:
            query |= {term: value.plain for term, value in content.data[key].mapping(key).items()}
    return PackageSpecification(
        one.package, metric, one.name, str(operator.data), bound, query, _tags(content.data.get("tags")), threshold
    )


def _tags(value: Value | None) -> tuple[str, ...]:
    found = [] if value is None or value.data is None else value.plain
    return tuple(map(str, found)) if isinstance(found, list) else (str(found),)


def _number(value: Value, name: str) -> float:
    """Return a number; ``1e-6`` without a point is text in YAML."""
    number = value.data
    if isinstance(number, str) and re.fullmatch(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", number):
        number = float(number)
    try:
        if isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number):
            return float(number)
    except OverflowError:
        pass
    raise value.error(f"{name}: key 'value': {str(value.plain)[:80]!r} is not a finite number")


def _unit(value: Value, name: str) -> u.UnitBase:
    """Return a unit.

    SQR-017 writes that of a number as ``---``, SQR-019 as empty text.
    """
    try:
        return parse_unit("" if value.data == "---" else value.data)
    except ValueError as error:
        raise value.error(f"{name}: key 'unit': {error}") from None


def _unknown_keys(content: Value) -> list[tuple[Value, str]]:
    """Return warnings about keys that neither lsst.verify nor this reader uses."""
    threshold = content.data.get("threshold")
    inner = threshold.data if threshold is not None and isinstance(threshold.data, dict) else {}
    return [
        (value, f"key '{key}' is without effect")
        for data, known in ((content.data, _KEYS), (inner, _THRESHOLD_KEYS))
        for key, value in data.items()
        if key not in known
    ]


def _notes_by_package(package: Package, notes: list[tuple[Value, str]]) -> tuple[tuple[str, str], ...]:
    """Return warnings by package.

    The first `MAX_NOTES`, then the number of the others.
    """
    found: list[tuple[str, str]] = []
    left_out = Counter[str]()
    for value, text in notes:
        parts = value.path.relative_to(package.folder).parts
        name = Path(parts[1]).stem if parts[0] == "metrics" else parts[1]
        if sum(known == name for known, _ in found) < MAX_NOTES:
            found.append((name, f"{package.where(value)}: {text}"))
        else:
            left_out[name] += 1
    return (*found, *((name, f"and {number} more of such notes") for name, number in left_out.items()))
