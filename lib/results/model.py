"""The results of a run: frozen records, written as the results JSON that every report is made from."""

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
from typing import Any

from skyaccept.lib.atomic_write import replacing
from skyaccept.lib.decision import rule
from skyaccept.lib.decision.rule import Verdict
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.requirements.waivers import WAIVABLE, Waiver
from skyaccept.lib.results.schema import SCHEMA, check, decode
from skyaccept.lib.rounding import Json
from skyaccept.lib.terminal_text import safe

MAX_BYTES = 50_000_000
"""Of a results JSON, unpacked."""


_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class LevelResult:
    """Outcome at one level (design, minimum, stretch); numbers in the unit of the clause's metric.

    ``parameters`` are the partner thresholds as the document writes them, ``source`` is where the limit is published.
    The limit of a capability is a target: ``verdict`` is None where the quantity was measured. ``decision`` is a
    `skyaccept.lib.decision.rule.Decision` without its verdict, and what limits an inconclusive one.
    """

    parameters: Mapping[str, str]
    operator: str
    limit: float
    source: str
    value: float | None
    verdict: Verdict | None
    value_unbiased: float | None = None
    interval: Json | None = None
    conformance: float | None = None
    decision: Json | None = None


@dataclass(frozen=True)
class SampleAccount:
    """What a measurement rests on, and where every other row went."""

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
    """Result of one clause in one band; the fields are the keys of the results JSON.

    A diagnostic has no levels and no limit; where it was measured its ``verdict`` is None. Where there is a value and
    no interval, ``no_interval`` says why; ``limited_by`` is what contributes most to the width of one. ``decision`` is
    that at the deciding level; ``waiver`` says why, by whom and until when a failure is accepted.
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
    sample: SampleAccount | None
    test: str
    value_unbiased: float | None = None
    interval: Json | None = None
    no_interval: str | None = None
    limited_by: str | None = None
    method: str | None = None
    formula: str | None = None
    verification: tuple[str, ...] = ()
    other_definitions: Mapping[str, Json] = field(default_factory=dict)
    data: Json = field(default_factory=dict)
    decision: Json | None = None
    waiver: Json | None = None

    def __repr__(self) -> str:
        return f"Result({self.test}: {self.verdict})"

    @property
    def accepted(self) -> bool:
        """Whether the requirement counts as met, and a diagnostic as measured."""
        if self.kind == "diagnostic":
            return self.measured
        return self.verdict == "pass" and self.waiver is None

    @property
    def measured(self) -> bool:
        """Whether the dataset could say something about the clause."""
        return self.verdict not in ("not_measurable", "error")

    @property
    def margin(self) -> float | None:
        """Distance to the deciding limit, positive where it is met; None where nothing was measured or decided."""
        if self.kind != "performance" or self.value is None or self.limit is None or self.operator is None:
            return None
        return rule.margin(self.value, self.operator, self.limit)

    @property
    def basis(self) -> str:
        """What the value rests on, in words; "" without a sample."""
        if self.sample is None:
            return ""
        what = f"{self.sample.pairs:,} pairs" if self.sample.pairs else f"{self.sample.measurements:,} measurements"
        return f"{what} of {self.sample.objects:,} objects in {self.sample.visits} visits"

    @property
    def coordinates(self) -> Mapping[str, float]:
        """Values along ``ra`` (times cos Dec) and ``dec``, and in ``total``, where each coordinate is limited."""
        by: Json = self.data.get("coordinates", {})
        found: Mapping[str, float] = by.get(self.level if self.level in self.levels else "value", {})
        return found

    @property
    def sentence(self) -> str:
        """The verdict as a sentence: what was measured, on what, the limit and the margin; safe for a terminal."""
        if self.value is None or self.sample is None:
            return safe(f"{self.test}: {str(self.verdict).replace('_', ' ')}: {self.reason}")
        stated = self.levels[self.level].parameters if self.level in self.levels else {}
        thresholds = "".join(f", {name} = {value}" for name, value in stated.items())
        unit = "%" if self.unit == "percent" else f" {self.unit}".rstrip()
        at = ", ".join(f"{name} {value}" for name, value in self.parameters.items())
        named = {"ra": "RA cos(Dec)", "dec": "Dec", "total": "total"}
        by = ", ".join(f"{named.get(name, name)} {value:.4g}" for name, value in self.coordinates.items())
        by = f" ({by})" if by else ""
        said = (
            f"{self.test}: {self.title}{f' ({at})' if at else ''} is {self.value:.4g}{unit}{by} on {self.basis} "
            f"({self.definition}{thresholds})"
        )
        limit = f"{self.operator} {self.limit:g}{unit}" if self.limit is not None else ""
        if self.margin is not None:
            said += f"; the {self.level} limit is {limit}{self._decided(unit)}"
        elif limit:
            said += f"; the {self.level} target is {limit}, and the capability to measure it is what is required"
        if self.verdict == "not_measurable":
            said += f"; not measurable: {self.reason}"
        return safe(said + self._blamed + self._waived)

    def _decided(self, unit: str) -> str:
        """What came of the comparison with the limit, in words."""
        verdict, found = self.levels[self.level].verdict, self.decision or {}
        words = ""
        if found.get("bound") is not None:
            words = f" and the bound at a risk of {found['risk']:g} is {found['bound']:.4g}{unit}: {verdict}, "
            chance = rule.probability(found["conformance"])
            words += found["reason"] or f"the true value meets the limit with a probability of {chance}"
        elif self.measured:
            words = f", {'met with' if verdict == 'pass' else 'missed by'} {abs(self.margin or 0.0):.3g}{unit}"
        return words + (f"; {found['note']}" if found.get("note") else "")

    @property
    def _blamed(self) -> str:
        """Which visit, detector or region the errors of a clause that does not pass come from, in words."""
        by: Json = self.data.get("breakdown", {})
        if self.verdict not in ("fail", "inconclusive", "waived") or not by:
            return ""
        nouns = {key: {"sky": "region"}.get(key, key) for key in by}
        found = []
        for key, noun in nouns.items():
            cell = next((cell for cell in by[key]["cells"] if cell["name"] == by[key]["worst"]), None)
            if cell is not None:
                n, of = by[key]["departing"], by[key]["count"]
                count = f"{n} of {of} {noun}s {'is an outlier' if n == 1 else 'are outliers'}"
                found.append(f"{noun} {cell['name']}, {cell['ratio']:.2g} times the rest ({count})")
        if found:
            return f"; worst: {'; '.join(found)}"
        judged = [noun for key, noun in nouns.items() if by[key]["judged"]]
        if not judged:
            return f"; too few measurements to tell {listed([f'{noun}s' for noun in nouns.values()], 'or')} apart"
        return f"; no outlying {listed(judged, 'or')}"

    @property
    def _waived(self) -> str:
        if self.waiver is None:
            return ""
        by = f"{self.waiver['who']} until {self.waiver['expiry']}: {self.waiver['reason']}"
        return f"; waived by {by}" if self.verdict == "waived" else f"; it passes, so the waiver has to go, by {by}"

    def with_waiver(self, waiver: Waiver | None) -> Result:
        """Put a waiver on the record of its case; a failure becomes ``waived``.

        A pass keeps its verdict, and with a waiver it does not count as accepted: the waiver has to go.
        """
        if waiver is None or self.verdict not in (*WAIVABLE, "pass"):
            return self
        return dataclasses.replace(
            self, verdict="waived" if self.verdict in WAIVABLE else self.verdict, waiver=waiver.to_json()
        )

    def to_json(self) -> Json:
        """As plain JSON types."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, record: Json) -> Result:
        """Rebuild from `to_json`; keys that this version does not know are left out."""
        known = {f.name for f in dataclasses.fields(cls)}
        fields = {key: value for key, value in record.items() if key in known}
        fields["levels"] = {name: _build(LevelResult, level) for name, level in record["levels"].items()}
        if record["sample"] is not None:
            fields["sample"] = _build(SampleAccount, record["sample"])
        fields["verification"] = tuple(record.get("verification", ()))
        return cls(**fields)


@dataclass(frozen=True)
class Results:
    """All results of a run, in document order.

    ``uncovered`` are clauses of its documents that make no case, ``notes`` what is odd about them, ``baseline`` is the
    run that it was compared with, and the `skyaccept.lib.results.comparison.Change` of each clause.
    """

    run: Json
    dataset: Json
    results: tuple[Result, ...]
    definitions: Mapping[str, Json] = field(default_factory=dict)
    uncovered: tuple[Json, ...] = ()
    baseline: Json | None = None
    notes: tuple[Json, ...] = ()

    def to_json(self) -> Json:
        """As plain JSON types, in the layout of the results schema."""
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
        """Content of a file of this name, checked against the schema; compressed if named ``*.gz``."""
        text = dumps(self.to_json())
        check(json.loads(text), "results")
        content = text.encode()
        return gzip.compress(content, mtime=0) if path.suffix == ".gz" else content

    def write(self, path: Path) -> None:
        """Write the file of `encode`; one that is there is replaced in one step."""
        content = self.encode(path)
        with replacing(path) as temporary:
            temporary.write_bytes(content)

    def count(self, verdict: Verdict) -> int:
        """Number of results with a verdict."""
        return sum(result.verdict == verdict for result in self.results)

    def of_kind(self, kind: str) -> tuple[Result, ...]:
        """Results of the requirements of one kind."""
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


def plain(data: Json) -> Json:
    """Data as it comes back from JSON: lists for tuples, and text that UTF-8 can hold."""
    copy: Json = json.loads(dumps(data))
    return copy


def dumps(data: Json) -> str:
    r"""JSON text with a fixed layout; not-a-number is refused.

    A byte of the name of a file that is no text is written as ``\\udcff``, which reads as a backslash and letters.
    """
    text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False)
    return re.sub("[\ud800-\udfff]", lambda found: rf"\\u{ord(found[0]):x}", text) + "\n"


def load(path: str | Path) -> Results:
    """Read a results JSON, which may be compressed.

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
    results = tuple(Result.from_json(record) for record in data["results"])
    return Results(
        data["run"],
        data["dataset"],
        results,
        data.get("definitions", {}),
        tuple(data.get("uncovered", ())),
        data.get("baseline"),
        tuple(data.get("notes", ())),
    )


def in_document_order(records: Iterable[Result], order: Iterable[str]) -> tuple[Result, ...]:
    """Sort results by the order of their test ids in the documents."""
    place = {test: number for number, test in enumerate(order)}
    return tuple(sorted(records, key=lambda result: place[result.test]))


def listed(words: Iterable[str], last: str) -> str:
    """Words as a list in a sentence; ``last`` stands before the last one."""
    found = list(words)
    return f" {last} ".join(filter(None, (", ".join(found[:-1]), *found[-1:])))


def _build(kind: type[Any], record: Json) -> Any:
    known = {f.name for f in dataclasses.fields(kind)}
    fields = {key: tuple(v) if isinstance(v, list) else v for key, v in record.items() if key in known}
    return kind(**fields)
