"""Tests of the exports, each with a reader of its own format."""

import io
import json
import re
from collections import Counter
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, cast

import astropy.units as u
import junitparser
import numpy as np
import pandas as pd
import pytest
import ub_needs_exchange
from astropy.table import Table
from skyaccept.cli import export
from skyaccept.cli import main as command
from skyaccept.fixtures import dataset
from skyaccept.lib.export import FORMATS
from skyaccept.lib.export.keys import unique_keys
from skyaccept.lib.results.model import Results
from skyaccept.lib.results.records import RunRecord, UncoveredRecord, WaiverRecord

HOSTILE = "<script>alert(1)</script>|`x`\x07=cmd"
VERDICTS = {"pass", "fail", "inconclusive", "not_measurable", "waived", "error", "measured"}


@cache
def results() -> Results:
    """Return a few visits of a simulated survey with every verdict and unsafe names."""
    found = dataset.load_baseline("hsc-few-visits")
    by: WaiverRecord = {"who": HOSTILE, "reason": HOSTILE, "expiry": "2027-01-01"}
    some = list(found.results)
    failing = next(k for k, r in enumerate(some) if r.verdict == "fail")
    doubted, passing = (next(k for k, r in enumerate(some) if r.verdict == v) for v in ("inconclusive", "pass"))
    last = [k for k, r in enumerate(some) if r.verdict == "pass"][-1]
    some[doubted] = replace(some[doubted], verdict="waived", waiver=by)
    nothing = {name: replace(level, value=None, verdict="error") for name, level in some[passing].levels.items()}
    some[passing] = replace(some[passing], value=None, verdict="error", reason=HOSTILE, levels=nothing, decision=None)
    some[last] = replace(
        some[last], kind="diagnostic", levels={}, limit=None, operator=None, verdict=None, decision=None
    )
    assert failing not in (doubted, passing, last)
    described = found.dataset | {"name": HOSTILE, "source": HOSTILE}
    return replace(found, results=tuple(some), dataset=described)


def verdicts() -> dict[str, str]:
    """Return the verdict of each test."""
    found: dict[str, str] = {result.test: result.verdict or "measured" for result in results().results}
    assert set(found.values()) == VERDICTS
    return found


def test_junit_has_every_verdict() -> None:
    xml = junitparser.JUnitXml.fromstring(FORMATS["junit"](results()))
    kinds_of = {"pass": [], "measured": [], "fail": ["Failure"], "inconclusive": ["Failure"], "error": ["Error"]}
    found: dict[str, str] = {}
    for suite in xml:
        cases = list(suite)
        kinds = [type(outcome).__name__ for case in cases for outcome in case.result]
        assert (suite.tests, suite.failures) == (len(cases), kinds.count("Failure"))
        assert (suite.errors, suite.skipped) == (kinds.count("Error"), kinds.count("Skipped"))
        for case in cases:
            properties = {one.name: one.value for one in case.child(junitparser.Properties)}  # type: ignore[no-untyped-call]
            found[case.name] = properties["verdict"]
            expected = kinds_of.get(properties["verdict"], ["Skipped"])
            assert [type(outcome).__name__ for outcome in case.result] == expected
            result = next(r for r in results().results if r.test == case.name)
            assert (float(properties["value"]) if "value" in properties else None) == result.value
            assert properties["requirement"] == result.requirement == suite.name
            assert properties.get("verification", "") == " ".join(result.verification)
    assert found == verdicts()
    assert xml.name == HOSTILE.replace("\x07", "\ufffd")


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv", "ecsv"])
def test_tables_have_every_verdict_number_and_level(form: str) -> None:
    text = FORMATS[form](results())
    if form == "csv":
        table = pd.read_csv(io.StringIO(text), keep_default_na=False, na_values=[""])
    else:
        read = Table.read(text, format="ascii.ecsv")
        assert read.meta["dataset"]["sha256"] == results().dataset["sha256"]
        table = read.to_pandas()
    deciding = table[table["deciding"]]
    assert dict(zip(deciding["test"], deciding["verdict"].fillna("measured"), strict=True)) == verdicts()
    for result in results().results:
        rows = table[table["test"] == result.test]
        assert len(rows) == max(1, len(result.levels))
        for name, level in result.levels.items():
            (row,) = (row for _, row in rows.iterrows() if row["level"] == name)
            assert row["limit"] == level.limit
            assert row["value"] == level.value or (np.isnan(row["value"]) and level.value is None)
            assert row["low"] == level.interval["low"] if level.interval else np.isnan(row["low"])
            assert ("" if row["unit"] is None or row["unit"] != row["unit"] else row["unit"]) == result.unit
        if result.sample is not None:
            assert set(rows["visits"]) == {result.sample.visits}


def test_csv_cells_are_never_formulas() -> None:
    found = results()
    bad = replace(found.results[0], reason="=HYPERLINK(1)", definition="@x", band="-r")
    cells = pd.read_csv(io.StringIO(FORMATS["csv"](replace(found, results=(bad,)))), dtype=str).iloc[0]
    assert [cells[name] for name in ("reason", "definition", "band")] == ["'=HYPERLINK(1)", "'@x", "'-r"]


def test_job_has_the_layout_of_lsst_verify() -> None:
    """As in SQR-019: unique names, valid references, units known to astropy, and a specification for each level."""
    job = json.loads(FORMATS["lsst-verify"](results()))
    assert list(job) == ["measurements", "blobs", "metrics", "specs", "meta"]
    blobs = {blob["identifier"]: blob for blob in job["blobs"]}
    metrics = {metric["name"]: metric for metric in job["metrics"]}
    assert len(metrics) == len(job["metrics"]) == len(job["measurements"])
    for measurement in job["measurements"]:
        assert set(measurement) == {"metric", "identifier", "value", "unit", "blob_refs"}
        assert re.fullmatch(r"[a-z0-9_]+\.[A-Za-z0-9_]+", measurement["metric"])
        assert u.Unit(measurement["unit"]) is not None
        for reference in measurement["blob_refs"]:
            for datum in blobs[reference]["data"].values():
                assert set(datum) == {"value", "unit", "label", "description"}
                assert u.Unit(datum["unit"]) is not None
    specs = {spec["name"]: spec for spec in job["specs"]}
    assert len(specs) == sum(len(result.levels) for result in results().results) == len(job["specs"])
    for name, spec in specs.items():
        metric, _, level = name.rpartition(".")
        assert metric in metrics
        assert job["meta"][f"{metric}.verdict"][level] in VERDICTS
        assert spec["threshold"]["unit"] == metrics[metric]["unit"]
    found = {}
    for measurement in job["measurements"]:
        meta = job["meta"][f"{measurement['metric']}.verdict"]
        test = job["meta"][f"{measurement['metric']}.test"]
        result = next(r for r in results().results if r.test == test)
        if isinstance(meta, dict) and result.level in meta:
            found[test] = meta[result.level]
            assert measurement["value"] == result.levels[result.level].value
        elif not result.levels:
            found[test] = meta or "measured"
    assert found == verdicts()
    assert FORMATS["lsst-verify"](results()) == FORMATS["lsst-verify"](results())


def test_job_has_a_metric_for_each_level_with_thresholds() -> None:
    job = json.loads(FORMATS["lsst-verify"](results()))
    names = {measurement["metric"] for measurement in job["measurements"]}
    assert {"oss_req_0388.AM1_r", "oss_req_0388.AF1_r_design", "oss_req_0388.AF1_r_stretch"} <= names
    assert "oss_req_0388.AF1_r" not in names
    assert {"oss_req_0388.AM1_r.design", "oss_req_0388.AF1_r_design.design"} <= {spec["name"] for spec in job["specs"]}


def test_needs_are_valid_for_sphinx_needs(tmp_path: Path) -> None:
    path = tmp_path / "needs.json"
    path.write_text(FORMATS["needs"](results()), encoding="utf-8")
    records = {record.key: record for record in ub_needs_exchange.load(path).select_version(None).records()}
    assert not [diagnostic for record in records.values() for diagnostic in record.diagnostics]
    assert all(re.fullmatch("[A-Z0-9_]{5,}", key) for key in records)
    tests = [record.fields for record in records.values() if record.fields["type"] == "test"]
    assert {fields["title"]: fields["status"] for fields in tests} == verdicts()
    for fields in tests:
        (clause,) = fields["links"]
        (requirement,) = records[clause].fields["links"]
        assert records[clause].fields["type"] == "spec"
        assert records[requirement].fields["type"] == "req"
        assert fields["title"].startswith(records[requirement].fields["title"])
    assert [r for r in records.values() if r.fields["status"] == "not_covered"]


NAMES = ("A-B", "A.B", "A_B", "a-b")


def similar_cases() -> Results:
    """Return cases whose requirements, clauses and bands differ only in case or signs."""
    (one,) = (result for result in results().results if result.test == "OSS-REQ-0388-AM1-r")
    return replace(
        results(),
        results=tuple(
            replace(one, requirement=requirement, clause=clause, band=band, test=f"{requirement}-{clause}-{band}")
            for requirement in NAMES
            for clause in ("AM-1", "AM_1")
            for band in ("r", "R", "r.", "\N{GREEK SMALL LETTER BETA}")
        ),
    )


def test_needs_have_unique_ids_despite_case_and_signs() -> None:
    (version,) = json.loads(FORMATS["needs"](similar_cases()))["versions"].values()
    needs = version["needs"].values()
    assert version["needs_amount"] == len(version["needs"])
    assert all(re.fullmatch("[A-Z0-9_]{5,}", need["id"]) for need in needs)
    for kind, number in (("req", 4), ("spec", 8), ("test", 32)):
        found = [need["title"] for need in needs if need["type"] == kind and need["status"] != "not_covered"]
        assert len(found) >= number
    tests = {need["title"]: need for need in needs if need["type"] == "test"}
    assert set(tests) == {result.test for result in similar_cases().results}
    for result in similar_cases().results:
        clause = version["needs"][tests[result.test]["links"][0]]
        assert clause["title"] == f"{result.requirement} {result.clause}"
        assert version["needs"][clause["links"][0]]["title"] == result.requirement


def test_need_has_the_limits_of_all_bands() -> None:
    first, *others = similar_cases().results
    level = first.levels["design"]
    other = replace(others[0], levels={"design": replace(level, limit=77.0)})
    text = FORMATS["needs"](replace(similar_cases(), results=(first, other)))
    assert f"design: <= {level.limit:g} mas" in text
    assert "design: <= 77 mas" in text


def test_job_has_unique_names_despite_signs() -> None:
    job = json.loads(FORMATS["lsst-verify"](similar_cases()))
    names = [metric["name"] for metric in job["metrics"]]
    assert len(names) == len(set(names)) == len(job["measurements"]) == 32
    assert all(re.fullmatch(r"[a-z0-9_]+\.[A-Za-z0-9_]+", name) for name in names)
    assert {job["meta"][f"{name}.test"] for name in names} == {result.test for result in similar_cases().results}
    assert len({spec["name"] for spec in job["specs"]}) == len(job["specs"])


def test_unique_names_are_unchanged() -> None:
    assert unique_keys({("a",): "A", ("b",): "B"}) == {("a",): "A", ("b",): "B"}
    found = unique_keys({("r",): "X", ("R",): "X", ("x",): "Y"})
    assert found[("x",)] == "Y"
    assert len(set(found.values())) == 3
    trap = found[("r",)]
    assert len(set(unique_keys({("r",): "X", ("R",): "X", ("t",): trap}).values())) == 3


def test_junit_has_only_characters_of_xml() -> None:
    """Control characters, surrogates and noncharacters are replaced in all texts."""
    bad = "".join(map(chr, (*range(32), 0x7F, 0x85, 0xD800, 0xDFFF, 0xFFFE, 0xFFFF)))
    (one,) = (result for result in results().results if result.test == "OSS-REQ-0388-AM1-r")
    texts: dict[str, Any] = {
        name: bad for name, value in vars(one).items() if isinstance(value, str) and name not in ("kind", "level")
    }
    case = replace(one, **texts | {"verdict": "fail", "verification": (bad,)})
    found = replace(
        results(),
        results=(case,),
        run=cast("RunRecord", {name: bad for name, value in results().run.items() if isinstance(value, str)}),
        dataset={**results().dataset, "name": bad, "source": bad, "sha256": bad},
    )
    suite = next(iter(junitparser.JUnitXml.fromstring(FORMATS["junit"](found))))
    assert suite.timestamp
    assert suite.tests == 1


class Cells(HTMLParser):
    """Parser of HTML tables: texts of cells by row, and all elements."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.elements: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: D102
        self.elements[tag] += 1
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:  # noqa: D102
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def test_control_document_is_the_same_in_html_and_markdown() -> None:
    reader = Cells()
    reader.feed(FORMATS["control-html"](results()))
    assert "script" not in reader.elements
    rows = [[cell.strip() for cell in row] for row in reader.rows if row and row[0] != "clause"]
    assert {row[3]: row[7].replace(" ", "_") for row in rows} == verdicts()
    text = FORMATS["control-md"](results())
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    assert {len(row) for row in cells} == {9}
    plain = [[re.sub(r"\\(.)", r"\1", cell) for cell in row] for row in cells if row[0] not in ("clause", "---")]
    assert [row[:8] for row in plain] == [row[:8] for row in rows]
    assert "<script" not in text.replace("\\<script", "")
    assert "ResSource: not covered: " in text
    assert "OSS\\-REQ" not in text


@pytest.mark.parametrize(
    ("cases", "uncovered", "status"),
    [
        (("pass", "pass"), False, "verified"),
        (("pass", "pass"), True, "in verification"),
        (("pass", "not_measurable"), False, "in verification"),
        (("pass", "inconclusive"), False, "in verification"),
        (("pass", "waived"), False, "in verification"),
        (("pass", "fail", "not_measurable"), True, "not verified"),
        (("pass", "error"), False, "not verified"),
        ((), True, "not covered"),
    ],
)
def test_status_of_a_requirement_follows_from_its_clauses(cases: tuple[str, ...], uncovered: bool, status: str) -> None:
    from skyaccept.lib.export import control

    base = next(result for result in results().results if result.verdict == "fail")
    clause: UncoveredRecord = {
        "requirement": base.requirement,
        "document": base.document,
        "clause": "X",
        "text": "x",
        "reason": "y",
    }
    found = replace(
        results(),
        results=tuple(replace(base, verdict=verdict) for verdict in cases),  # type: ignore[arg-type]
        uncovered=(clause,) if uncovered else (),
    )
    (requirement,) = control.requirements(found)
    assert requirement.status == status


@pytest.mark.slow
def test_report_of_stored_results_is_complete_and_safe(tmp_path: Path) -> None:
    stored, page = tmp_path / "results.json.gz", tmp_path / "report.html"
    results().write(stored)
    assert command.main(["report", str(stored), "-o", str(page)]) == 0
    reader = Cells()
    reader.feed(page.read_text(encoding="utf-8"))
    assert {"html", "title", "svg", "table"} <= set(reader.elements)
    text = page.read_text(encoding="utf-8")
    assert "alert(1)" in text
    assert text.count("<script") == 1
    assert "alert" not in text[text.index("<script") :]


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
def test_export_writes_a_file_or_prints(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored, written = tmp_path / "results.json", tmp_path / "out"
    one_of_each = {result.verdict: result for result in results().results}
    found = replace(results(), results=tuple(one_of_each.values()))
    found.write(stored)
    assert command.main(["export", str(stored), "--to", form]) == 0
    assert command.main(["export", str(stored), "--to", form, "-o", str(written)]) == 0
    assert capsys.readouterr().out == written.read_text(encoding="utf-8") == FORMATS[form](found)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["export", "results.json", "--to", "csv", "-o", "no/such/x"], "no/such/x: not a file in an existing folder"),
        (["report", "results.json", "-o", "."], ".: not a file in an existing folder"),
        (["report", "none.json", "-o", "x.html"], "none.json: cannot be read"),
        (["export", "results.json", "--to", "pdf"], "invalid choice: 'pdf'"),
        (["export", "results.json", "--to", "job"], "argument --to: job is now called lsst-verify"),
    ],
)
def test_invalid_options_are_refused(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    results().write(Path("results.json"))
    assert command.main(arguments) == 4
    assert message in capsys.readouterr().err


def test_command_lists_every_format() -> None:
    assert tuple(FORMATS) == export.FORMATS


@pytest.mark.slow
def test_comparison_has_lines_and_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "compare.html"
    assert command.main(["compare", "nominal", "degraded", "-o", str(page)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "17 worse, 48 gone, 2 better, 31 same"
    (changed,) = (line for line in lines if line.startswith("OSS-REQ-0388-AM1-r"))
    assert re.match(r"OSS-REQ-0388-AM1-r: worse: 6.809 before, 13.29 mas now; difference \+6.839 \(\+", changed)
    reader = Cells()
    reader.feed(page.read_text(encoding="utf-8"))
    rows = [[cell.strip() for cell in row] for row in reader.rows]
    (row,) = (row for row in rows if row[:2] == ["AM1", "r"] and len(row) == 11)
    assert row[2:5] == ["6.809", "13.29", "+6.839"]
    assert [row[9], row[10]] == ["pass", "fail"]
    (row,) = (row for row in rows if row[:2] == ["AM1", "r"] and len(row) == 8)
    assert [re.sub("[^YN]", "", cell) for cell in row[2:]] == ["Y", "Y", "N", "N", "Y", "N"]


@pytest.mark.slow
def test_comparison_page_escapes_names(tmp_path: Path) -> None:
    stored, page = tmp_path / "results.json", tmp_path / "compare.html"
    results().write(stored)
    assert command.main(["compare", str(stored), "hsc-few-visits", "-o", str(page)]) == 0
    reader = Cells()
    reader.feed(page.read_text(encoding="utf-8"))
    assert reader.elements["script"] == 1  # the page's own script, which zooms into plots
