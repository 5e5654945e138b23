"""Results of a run as frozen records, written to and read from the results JSON."""

from __future__ import annotations

import dataclasses
import gzip
import json
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, TypeVar, cast

from skyaccept.lib.atomic_write import atomic_path
from skyaccept.lib.decision import rule
from skyaccept.lib.decision.rule import Verdict
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.requirements.waivers import WAIVABLE, Waiver
from skyaccept.lib.results.records import (
    BaselineRecord,
    DataRecord,
    DatasetRecord,
    DecisionRecord,
    DefinitionRecord,
    IntervalRecord,
    NoteRecord,
    OtherDefinitionRecord,
    RunRecord,
    UncoveredRecord,
    WaiverRecord,
)
from skyaccept.lib.results.schema import SCHEMA, check_results, decode
from skyaccept.lib.rounding import Json

T = TypeVar("T")

MAX_BYTES = 50_000_000
"""Largest results JSON, unpacked."""

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class LevelResult:
    """Result at one level (design, minimum, stretch).

    Numbers are in the unit of the clause's metric.

    ``parameters`` are the partner thresholds as the document writes them, ``source`` is the publication of the limit.
    The limit of a capability is a target: its ``verdict`` is None if the quantity was measured.
    """

    parameters: Mapping[str, str]
    operator: str
    limit: float
    source: str
    value: float | None
    verdict: Verdict | None
    value_unbiased: float | None = None
    interval: IntervalRecord | None = None
    conformance: float | None = None
    decision: DecisionRecord | None = None


@dataclass(frozen=True)
class SampleSummary:
    """Size of a sample, and the number of rows rejected for each reason."""

    objects: int
    visits: int
    pairs: int
    measurements: int
    rows_in: int
    rows_used: int
    rejected: Mapping[str, int]
    cuts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class Result:
    """Result of one clause in one band; its fields are the keys of the results JSON.

    A diagnostic has no levels and no limit; its ``verdict`` is None if it was measured. ``no_interval`` says why a
    value has no interval; ``limited_by`` is the main contribution to the width of an interval. ``decision`` belongs to
    the deciding level. ``waiver`` says why, by whom and until when a failure is accepted.
    """

    requirement: str
    clause: str
    document: str
    kind: str
    metric: str
    title: str
    text: str
    definition: str
    band: str
    unit: str
    operator: str | None
    level: str
    value: float | None
    limit: float | None
    verdict: Verdict | None
    reason: str | None
    parameters: Mapping[str, str]
    levels: Mapping[str, LevelResult]
    sample: SampleSummary | None
    test: str
    value_unbiased: float | None = None
    interval: IntervalRecord | None = None
    no_interval: str | None = None
    limited_by: str | None = None
    method: str | None = None
    formula: str | None = None
    verification: tuple[str, ...] = ()
    other_definitions: Mapping[str, OtherDefinitionRecord] = field(default_factory=dict)
    data: DataRecord = field(default_factory=DataRecord)
    decision: DecisionRecord | None = None
    waiver: WaiverRecord | None = None

    def __repr__(self) -> str:
        return f"Result({self.test}: {self.verdict})"

    @property
    def satisfied(self) -> bool:
        """Whether the clause is met without a waiver, or a diagnostic measured."""
        if self.kind == "diagnostic":
            return self.measured
        return self.verdict == "pass" and self.waiver is None

    @property
    def measured(self) -> bool:
        """Whether the clause could be measured on the dataset."""
        return self.verdict not in ("not_measurable", "error")

    @property
    def margin(self) -> float | None:
        """Distance to the deciding limit, positive if it is met.

        None if nothing was measured or decided.
        """
        if self.kind != "performance" or self.value is None or self.limit is None or self.operator is None:
            return None
        return rule.margin(self.value, self.operator, self.limit)

    @property
    def coordinates(self) -> Mapping[str, float]:
        """Values along ``ra`` (times cos Dec) and ``dec``, and in ``total``.

        Only if each coordinate is limited.
        """
        by_level = self.data.get("coordinates", {})
        return by_level.get(self.level if self.level in self.levels else "value", {})

    def with_waiver(self, waiver: Waiver | None) -> Result:
        """Return this result with the waiver of its case; a failure becomes ``waived``.

        A pass keeps its verdict, but with a waiver it is not satisfied: the waiver has to go.
        """
        if waiver is None or self.verdict not in (*WAIVABLE, "pass"):
            return self
        verdict: Verdict = "waived" if self.verdict in WAIVABLE else "pass"
        record: WaiverRecord = {"reason": waiver.reason, "who": waiver.who, "expiry": waiver.expiry.isoformat()}
        return dataclasses.replace(self, verdict=verdict, waiver=record)

    def to_json(self) -> Json:
        """Return plain JSON types."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, record: Json) -> Result:
        """Rebuild from `to_json`; ignore keys that this version does not know."""
        known = {f.name for f in dataclasses.fields(cls)}
        fields = {key: value for key, value in record.items() if key in known}
        fields["levels"] = {name: _build(LevelResult, level) for name, level in record["levels"].items()}
        if record["sample"] is not None:
            fields["sample"] = _build(SampleSummary, record["sample"])
        fields["verification"] = tuple(record.get("verification", ()))
        return cls(**fields)


@dataclass(frozen=True)
class Results:
    """All results of a run, in document order.

    ``uncovered`` are clauses of the documents that make no case, ``notes`` are warnings about the documents.
    ``baseline`` is the run that it was compared with, and the change of each clause.
    """

    run: RunRecord
    dataset: DatasetRecord
    results: tuple[Result, ...]
    definitions: Mapping[str, DefinitionRecord] = field(default_factory=dict)
    uncovered: tuple[UncoveredRecord, ...] = ()
    baseline: BaselineRecord | None = None
    notes: tuple[NoteRecord, ...] = ()

    def to_json(self) -> Json:
        """Return plain JSON types in the layout of the results schema."""
        return {
            "schema": SCHEMA,
            "run": self.run,
            "dataset": self.dataset,
            "definitions": dict(self.definitions),
            "uncovered": list(self.uncovered),
            "notes": list(self.notes),
            "baseline": self.baseline,
            "results": [result.to_json() for result in self.results],
        }

    def encode(self, path: Path) -> bytes:
        """Return the content of a file, checked against the schema.

        It is compressed if the name ends in ``.gz``.
        """
        text = dumps(self.to_json())
        check_results(json.loads(text), "results")
        content = text.encode()
        return gzip.compress(content, mtime=0) if path.suffix == ".gz" else content

    def write(self, path: Path) -> None:
        """Write the file of `encode`; replace an existing one in one step."""
        content = self.encode(path)
        with atomic_path(path) as temporary:
            temporary.write_bytes(content)

    def count(self, verdict: Verdict) -> int:
        """Return the number of results with a verdict."""
        return sum(result.verdict == verdict for result in self.results)

    def of_kind(self, kind: str) -> tuple[Result, ...]:
        """Return the results of one kind of requirement."""
        return tuple(result for result in self.results if result.kind == kind)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in ("case", "kind", "measured", "limit", "unit", "verdict"))
        rows = []
        for r in self.results:
            value = "" if r.value is None else f"{r.value:.4g}"
            limit = "" if r.limit is None else f"{r.operator} {r.limit:g}"
            cells = (r.test, r.kind, value, limit, r.unit, r.verdict or "measured")
            rows.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
        return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def normalize_json(data: T) -> T:
    """Return data as JSON reads it back: lists for tuples.

    Text has no lone surrogates.
    """
    return cast("T", json.loads(dumps(data)))


def dumps(data: object) -> str:
    r"""Return JSON text with a fixed layout; refuse NaN.

    A byte of a file name that is not UTF-8 becomes ``\\udcff``, which reads back as a backslash and letters.
    """
    text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False)
    return re.sub("[\ud800-\udfff]", lambda match: rf"\\u{ord(match[0]):x}", text) + "\n"


def load(path: str | Path) -> Results:
    """Read a results JSON, compressed or not.

    Raises
    ------
    InputError
        Not readable, not JSON, too large, or not in the results schema.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            packed = file.read(len(_GZIP)) == _GZIP
            file.seek(0)
            content = (gzip.GzipFile(fileobj=file) if packed else file).read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise InputError(f"{path}: larger than {MAX_BYTES} bytes")
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    data = decode(content, str(path))
    return Results(
        run=data["run"],
        dataset=data["dataset"],
        results=tuple(Result.from_json(record) for record in data["results"]),
        definitions=data.get("definitions", {}),
        uncovered=tuple(data.get("uncovered", ())),
        baseline=data.get("baseline"),
        notes=tuple(data.get("notes", ())),
    )


def in_document_order(records: Iterable[Result], order: Iterable[str]) -> tuple[Result, ...]:
    """Sort results in the order of their test ids in the documents."""
    place = {test: number for number, test in enumerate(order)}
    return tuple(sorted(records, key=lambda result: place[result.test]))


def _build(kind: type[Any], record: Json) -> Any:
    known = {f.name for f in dataclasses.fields(kind)}
    fields = {key: tuple(v) if isinstance(v, list) else v for key, v in record.items() if key in known}
    return kind(**fields)
