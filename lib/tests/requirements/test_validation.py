"""Faults of requirement documents, each refused with file, line and key."""

from __future__ import annotations

from pathlib import Path

import astropy.units as u
import pytest
from skyaccept.lib import requirements
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.tests.requirements.documents import (
    AM1_LEVEL,
    DEFINITION,
    DOCUMENT,
    STAR_RULE,
    STARS,
    TO_LEVELS,
    UNCOVERED,
    clauses,
    fault,
    refusal,
    saved,
    with_change,
)

FAULTS = {
    "unknown key of a document": fault("title: A document", "titel: x  # HERE", "unknown key 'titel'"),
    "unknown key of a requirement": fault(
        "kind: performance", "kind: performance\n    x: 1  # HERE", "unknown key 'x'"
    ),
    "unknown key of a clause": fault("bands: [r, i]", "bands: [r, i]\n        x: 1  # HERE", "AM1: unknown key 'x'"),
    "unknown key of a level": fault(AM1_LEVEL, AM1_LEVEL[:-1] + ", x: 1}  # HERE", "AM1: unknown key 'x'"),
    "unknown key of a source": fault("page: 7", "page: 7\n              x: 1  # HERE", "AF1: unknown key 'x'"),
    "missing key of a requirement": fault(
        "  - id: REQ-1\n    title: A requirement\n", "  - id: REQ-1  # HERE\n", "REQ-1: key 'title' is missing"
    ),
    "missing limit": fault(
        'limit: "<= 10 mas", source: {document: DOC-1}}', "source: {document: DOC-1}}  # HERE", "'limit'"
    ),
    "missing source": fault(", source: {document: DOC-1}}", "}  # HERE", "AM1: key 'source' is missing"),
    "unknown kind": fault("kind: performance", "kind: perfect  # HERE", "key 'kind'"),
    "unknown metric": fault(
        "pair_separation_rms", "pair_separation_rsm  # HERE", "'pair_separation_rsm' is not one of"
    ),
    "unknown level": fault(AM1_LEVEL, AM1_LEVEL.replace("design", "desing") + "  # HERE", "'desing' is not one of"),
    "unknown level with a block below it": fault(
        "          design:\n", "          desing:  # HERE\n", "'desing' is not one of design, minimum, stretch"
    ),
    "identifier with a blank": fault("id: REQ-1", "id: REQ 1  # HERE", "key 'id'"),
    "identifier with a slash": fault("- id: AM1", "- id: A/M1  # HERE", "key 'id'"),
    "limit without a unit": fault("limit: <= 10 percent", "limit: <= 10  # HERE", "AF1: key 'limit': '10' has no unit"),
    "limit with an unknown unit": fault("<= 10 percent", "<= 10 prozent  # HERE", "unit 'prozent' is not known"),
    "limit without an operator": fault("<= 10 percent", "10 percent  # HERE", "a limit is an operator"),
    "unknown operator": fault(
        "limit: <= 10 percent", "limit: =< 10 percent  # HERE", "'=<' is not one of <=, <, >=, >"
    ),
    "limit of the wrong dimension": fault(
        "limit: <= 10 percent", "limit: <= 10 mas  # HERE", "key 'limit': <= 10 mas cannot bound"
    ),
    "partner threshold without a unit": fault("{AD: 20 mas}", "{AD: 20}  # HERE", "AF1: key 'AD': 20 has no unit"),
    "partner threshold missing": fault("{AD: 20 mas}", "{}  # HERE", "AF1: key 'AD' is missing (in mas)"),
    "parameters of a level missing": fault(
        "design:\n            limit: <= 10 percent\n            parameters: {AD: 20 mas}\n            source:\n"
        "              document: DOC-1\n              page: 7\n",
        "design: {limit: <= 10 percent, source: {document: DOC-1}}  # HERE\n",
        "AF1: key 'AD' is missing (in mas)",
    ),
    "partner threshold of the wrong dimension": fault(
        "{AD: 20 mas}", "{AD: 20 mmag}  # HERE", "key 'AD': 20.0 mmag is not convertible to mas"
    ),
    "partner threshold that the metric does not take": fault(
        "{AD: 20 mas}", "{AD: 20 mas, AF: 1 percent}  # HERE", "unknown key 'AF'"
    ),
    "separation missing": fault(
        "parameters: {separation: 5 arcmin}", "parameters: {}  # HERE", "AM1: key 'separation' is missing"
    ),
    "separation without a unit": fault(
        "          separation: 5 arcmin", "          separation: 5  # HERE", "AF1: key 'separation': 5 has no unit"
    ),
    "separation of the wrong dimension": fault(
        "          separation: 5 arcmin",
        "          separation: 5 s  # HERE",
        "key 'separation': 5.0 s is not convertible",
    ),
    "unknown parameter": fault(
        "          separation: 5 arcmin",
        "          separation: 5 arcmin\n          angle: 5 arcmin  # HERE",
        "unknown key 'angle'",
    ),
    "half-width of the wrong dimension": fault(
        "half_width: 30 arcsec", "half_width: 30 s  # HERE", "key 'half_width': 30.0 s is not convertible to arcmin"
    ),
    "unknown band": fault("[r, i]", "[r, q]  # HERE", "AM1: key 'bands': band 'q' is not one of u, g, r, i, z, y"),
    "unknown band in a block": fault(
        "          - r\n", "          - r\n          - NB387  # HERE\n", "band 'NB387' is not one of"
    ),
    "bands as one word": fault("[r, i]", "ri  # HERE", "key 'bands'"),
    "no band": fault("[r, i]", "[]  # HERE", "key 'bands': names no band"),
    "no level": fault("levels:\n          " + AM1_LEVEL, "levels: {}  # HERE", "key 'levels': names no level"),
    "limits of a diagnostic": fault(
        f"kind: performance{TO_LEVELS}levels:\n          {AM1_LEVEL}",
        f"kind: diagnostic{TO_LEVELS}levels:\n          {AM1_LEVEL}  # HERE",
        "AM1: key 'levels': a diagnostic has no limits",
    ),
    "both a metric and a reason for none": fault(
        "        not_covered: out of reach\n",
        "        not_covered: out of reach\n        metric: pair_separation_rms  # HERE\n",
        "AM1: unknown key 'metric'",
        UNCOVERED,
    ),
    "duplicate of a clause that is not covered": fault(
        "- id: AF1", "- id: AM1  # HERE", "AM1: key 'id': duplicate REQ-1-AM1,", UNCOVERED
    ),
    "no reason": fault(
        "not_covered: out of reach as well", "not_covered: ' '  # HERE", "AF1: key 'not_covered'", UNCOVERED
    ),
    "shot noise of pairs": fault(
        "bands: [r, i]",
        "subtract_shot_noise: true  # HERE\n        bands: [r, i]",
        "AM1: key 'subtract_shot_noise': pair_",
    ),
    "shot noise of single measurements": fault(
        "        definition: srd\n",
        "        definition: srd\n        subtract_shot_noise: true  # HERE\n",
        "AF1: key 'subtract_shot_noise': photometric_outliers under srd",
        STARS.replace("        half_width: 30 arcsec\n", ""),
    ),
    "half-width of stars": fault(
        "half_width: 30 arcsec", "half_width: 30 arcsec  # HERE", "AF1: key 'half_width': photometric_outliers", STARS
    ),
    "separation of stars": fault(
        "          separation: 5 arcmin",
        "          separation: 5 arcmin  # HERE",
        "AF1: unknown key 'separation'; the metric takes none",
        DOCUMENT.replace("pair_separation_outliers", "photometric_outliers").replace("half_width: 30 arcsec", ""),
    ),
    "half-width of a rule for stars": fault(
        "half_width: 1 arcmin",
        "half_width: 1 arcmin  # HERE",
        "mine: key 'half_width' has no effect on magnitude_rms",
        STAR_RULE,
    ),
    "half-width of a rule for pairs missing": fault(
        "      - metrics: [pair_separation_rms]\n",
        "      - metrics: [pair_separation_rms]  # HERE\n",
        "mine: key 'half_width' is missing; pair_rms needs it",
        DEFINITION.replace("        half_width: 1 arcmin\n", ""),
    ),
    "fewest visits of a rule for pairs missing": fault(
        "      - metrics: [pair_separation_rms]\n",
        "      - metrics: [pair_separation_rms]  # HERE\n",
        "mine: key 'min_common_visits' is missing; pair_rms needs it",
        DEFINITION.replace("        min_common_visits: 2\n", ""),
    ),
    "unknown definition": fault(
        "definition: srd", "definition: sdr  # HERE", "AF1: key 'definition': 'sdr' does not exist; known: lvv-t1278"
    ),
    "duplicate clause": fault("- id: AF1", "- id: AM1  # HERE", "key 'id': duplicate REQ-1-AM1-r"),
    "duplicate band": fault("[r, i]", "[r, r]  # HERE", "AM1: key"),
    "duplicate key": fault(
        "definition: srd", "definition: srd\n        definition: faro  # HERE", "duplicate key 'definition'"
    ),
    "document without a name": fault(
        "document: DOC-1\ntitle: A document", "title: A document  # HERE", "key 'document' is missing"
    ),
    "cut with an unknown column": fault(
        "{column: snr, of: median, at_least: 50}",
        "{column: sn, of: median, at_least: 50}  # HERE",
        "key 'sample': 'sn' is not one of",
    ),
    "cut with an unknown key": fault("{min_visits: 2}", "{min_visits: 2, x: 1}  # HERE", "unknown key in a cut: x"),
    "cut with the wrong unit": fault(
        "at_least: 50}", "at_least: 50 mas}  # HERE", "at_least: snr is in no unit, not '50.0 mas'"
    ),
    "unknown sample": fault(
        "sample: stars", "sample: star  # HERE", "mine: key 'sample': no sample named 'star' here", DEFINITION
    ),
    "unknown estimator": fault(
        "estimator: pair_rms",
        "estimator: rms  # HERE",
        "mine: key 'estimator': 'rms' is not one of pair_rms,",
        DEFINITION,
    ),
    "unknown metric of a rule": fault(
        "[pair_separation_rms]", "[rms]  # HERE", "mine: key 'metrics': 'rms' is not one of", DEFINITION
    ),
    "ddof missing": fault(
        "      - metrics: [pair_separation_rms]\n",
        "      - metrics: [pair_separation_rms]  # HERE\n",
        "mine: key 'ddof' is missing; pair_rms needs it",
        DEFINITION.replace("        ddof: 1\n", ""),
    ),
    "ddof that leaves nothing to divide by": fault("ddof: 1", "ddof: 2  # HERE", "mine: key 'ddof'", DEFINITION),
    "negative ddof": fault("ddof: 1", "ddof: -1  # HERE", "mine: key 'ddof'", DEFINITION),
    "one common visit": fault(
        "min_common_visits: 2",
        "min_common_visits: 1  # HERE",
        "mine: key 'min_common_visits': 1 is not from 2 to 100000",
        DEFINITION,
    ),
    "half-width of a rule of the wrong dimension": fault(
        "half_width: 1 arcmin",
        "half_width: 1 mag  # HERE",
        "mine: key 'half_width': 1.0 mag is not convertible to arcmin",
        DEFINITION,
    ),
    "half-width of a rule without a unit": fault(
        "half_width: 1 arcmin", "half_width: 1  # HERE", "mine: key 'half_width': 1 has no unit", DEFINITION
    ),
    "half-width of nothing": fault(
        "half_width: 1 arcmin", "half_width: 0 arcmin  # HERE", "mine: key 'half_width'", DEFINITION
    ),
    "definition that is shipped": fault(
        "id: mine", "id: faro  # HERE", "faro: key 'id': duplicate definition 'faro'", DEFINITION
    ),
    "unknown key of a definition": fault(
        "title: Mine", "title: Mine\n    x: 1  # HERE", "mine: unknown key 'x'", DEFINITION
    ),
    "unknown key of a rule": fault("ddof: 1", "ddof: 1\n        x: 1  # HERE", "mine: unknown key 'x'", DEFINITION),
    "neither requirements nor definitions": (
        "document: DOC-1  # HERE\ntitle: T\n",
        "neither 'requirements' nor 'definitions'",
    ),
    "no requirement in the list": (
        "document: DOC-1  # HERE\nrequirements: []\n",
        "neither 'requirements' nor 'definitions'",
    ),
    "separation of nothing": fault(
        "          separation: 5 arcmin", "          separation: 0 arcmin  # HERE", "AF1: key 'separation'"
    ),
    "negative separation": fault(
        "          separation: 5 arcmin", "          separation: -5 arcmin  # HERE", "AF1: key 'separation'"
    ),
    "separation beyond the antipode": fault(
        "          separation: 5 arcmin", "          separation: 181 deg  # HERE", "AF1: key 'separation'"
    ),
    "negative half-width": fault("half_width: 30 arcsec", "half_width: -30 arcsec  # HERE", "AF1: key 'half_width'"),
    "share above a hundred percent": fault(
        'design: {limit: "<= 10 mas", source: {document: DOC-1}}',
        'design: {limit: "<= 10 mas", parameters: {AF: 150 percent}, source: {document: DOC-1}}  # HERE',
        "AM1: key 'AF'",
        with_change("pair_separation_rms", "pair_separation_percentile"),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_with_file_line_and_key(tmp_path: Path, name: str) -> None:
    """One fault, one line."""
    content, words = FAULTS[name]
    line = content[: content.index("# HERE")].count("\n") + 1
    path = saved(tmp_path, content)
    message = refusal(path)
    assert message.startswith(f"{path}: line {line}: ")
    assert words in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("        against: r\n", "", "key 'against' is missing; the metric compares two bands"),
        ("against: r\n", "against: q\n", "key 'against': 'q' is not a band"),
        ("metric: pair_separation_rms\n", "metric: pair_separation_rms\n        against: r\n", "does not belong here"),
    ],
)
def test_a_band_compared_with_stands_where_it_belongs(tmp_path: Path, old: str, new: str, message: str) -> None:
    content = requirements.shipped()["LSE-30"].read_text()
    assert old in content
    path = tmp_path / "own.yaml"
    path.write_text(content.replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        requirements.load([path])


def test_an_identifier_stands_once_in_all_documents(tmp_path: Path) -> None:
    """The complaint names both files."""
    one, two = saved(tmp_path, DOCUMENT, "one.yaml"), saved(tmp_path, DOCUMENT, "two.yaml")
    assert refusal(one, two) == f"{two}: line 8: REQ-1: AM1: key 'id': duplicate REQ-1-AM1-r, also in {one}"


def test_a_document_may_name_further_bands(tmp_path: Path) -> None:
    """They hold for this document only."""
    content = with_change("title: A document", "title: A document\nbands: [NB387]")
    content = with_change("[r, i]", "[r, NB387]", content)
    found = requirements.load([saved(tmp_path, content)])
    assert "REQ-1-AM1-NB387" in [case.id for case in found.cases(["NB387"])]
    other = saved(tmp_path, with_change("[r, i]", "[NB387]").replace("REQ-1", "REQ-2"), "other.yaml")
    assert "line 13: REQ-2: AM1: key 'bands': band 'NB387'" in refusal(tmp_path / "doc.yaml", other)


def test_a_requirement_without_clauses_is_refused_beside_others(tmp_path: Path) -> None:
    """It would drop out of the report unseen."""
    content = DOCUMENT + "  - {id: REQ-2, title: Empty, kind: performance, clauses: []}\n"
    path = saved(tmp_path, content)
    message = refusal(path)
    assert message.startswith(f"{path}: line {content.count(chr(10))}: REQ-2: key 'clauses'")


def test_a_diagnostic_has_its_thresholds_as_parameters(tmp_path: Path) -> None:
    """For it has no level; one that is missing is named."""
    content = DOCUMENT[DOCUMENT.index("document") : DOCUMENT.index("      - id: AM1")] + (
        "      - id: PF1\n        text: Outliers.\n        metric: photometric_outliers\n        definition: srd\n"
        "        bands: [r]\n        parameters: {PA2: 15 mmag}\n"
    )
    content = content.replace("performance", "diagnostic")
    assert clauses(requirements.load([saved(tmp_path, content)]))["PF1"].parameters == {"PA2": 15 * u.mmag}
    without = saved(tmp_path, content.replace("PA2: 15 mmag", ""))
    assert "PF1: key 'PA2' is missing (in mmag)" in refusal(without)
