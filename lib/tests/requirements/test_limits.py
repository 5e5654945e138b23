"""Limits and thresholds that tell nothing are refused: of every metric, at and beyond the ends of its range."""

from __future__ import annotations

from pathlib import Path

import astropy.units as u
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skyaccept.lib import requirements
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.metrics import METRICS
from skyaccept.lib.requirements.limits import RANGES, Limit, explain_useless


def test_every_unit_of_metrics_and_their_parameters_has_a_range() -> None:
    for metric in METRICS.values():
        assert {metric.unit, *metric.parameters.values(), *metric.level_parameters.values()} <= set(RANGES)


@pytest.mark.parametrize("operator", ["<=", "<", ">=", ">"])
@pytest.mark.parametrize("unit", sorted({metric.unit for metric in METRICS.values()}))
def test_a_limit_tells_values_apart_or_is_useless(unit: str, operator: str) -> None:
    """By trying values all over the range: some have to meet the limit, and others not."""
    low, high = RANGES[unit]
    inside = [low + share * (high - low) for share in (0, 1e-9, 0.5, 1 - 1e-9, 1)]
    if unit != "percent":
        inside = inside[1:-1]  # an error is not exactly 0, nor the largest that there is
    meets = {"<=": float.__le__, "<": float.__lt__, ">=": float.__ge__, ">": float.__gt__}[operator]
    for bound in (-1e300, -3.0, low, 1e-12 * high, (low + high) / 2, high, 2 * high, 1e300):
        told = {meets(float(value), float(bound)) for value in inside}
        limit = Limit(operator, bound * u.Unit(unit))  # type: ignore[arg-type]
        if bound == 1e-12 * high:  # between the values that are tried
            assert explain_useless(limit, unit) == ""
        else:
            assert (explain_useless(limit, unit) == "") is (len(told) == 2), limit


@pytest.mark.parametrize(
    ("unit", "limit", "words"),
    [
        ("mas", "<= -5 mas", "never holds; a value lies between 0 and 6.48e+08 mas"),
        ("mas", "<= 0 mas", "never holds but for a value of 0"),
        ("mas", "< 0 arcsec", "never holds"),
        ("mas", ">= 0 mas", "always holds"),
        ("mas", "> 0 mas", "always holds but for a value of 0"),
        ("mas", "<= 1e300 mas", "always holds"),
        ("mas", "<= 200 deg", "always holds"),
        ("mmag", "<= -1 mmag", "never holds; a value lies between 0 and 100000 mmag"),
        ("mmag", "<= 1e9 mag", "always holds"),
        ("percent", "<= 400 percent", "always holds; a value lies between 0 and 100 percent"),
        ("percent", "<= 100 percent", "always holds"),
        ("percent", "<= -3 percent", "never holds"),
        ("percent", ">= 0 percent", "always holds"),
        ("percent", "< 0 percent", "never holds"),
        ("percent", "> 100 percent", "never holds"),
        ("", "<= -1e-7 dimensionless", "never holds; a value lies between 0 and 4"),
        ("", ">= 5 dimensionless", "never holds"),
    ],
)
def test_a_limit_that_tells_nothing_is_refused_where_it_stands(
    tmp_path: Path, unit: str, limit: str, words: str
) -> None:
    metric = next(name for name, metric in METRICS.items() if metric.unit == unit)
    path = write(tmp_path, metric, limit)
    with pytest.raises(InputError) as complaint:
        requirements.load(path)
    parsed = Limit.parse(limit)
    assert str(complaint.value).startswith(f"{path}: line 12: R: C: key 'limit': {parsed} {words}")


@pytest.mark.parametrize("limit", ["<= 0 percent", "< 100 percent", ">= 100 percent", "> 0 percent", "<= 99.9 percent"])
def test_a_share_may_be_nothing_or_all(tmp_path: Path, limit: str) -> None:
    path = write(tmp_path, "photometric_outliers", limit, "{PA2: 15 mmag}")
    (doc,) = requirements.load(path).documents
    assert doc.requirements[0].covered[0].levels["design"].limit == Limit.parse(limit)


@pytest.mark.parametrize(
    ("metric", "limit", "parameters", "words"),
    [
        ("photometric_outliers", "<= 10 percent", "{PA2: -5 mmag}", "key 'PA2': -5.0 mmag is not above 0 and up to"),
        ("photometric_outliers", "<= 10 percent", "{PA2: 0 mmag}", "key 'PA2': 0.0 mmag is not above 0 and up to"),
        ("photometric_outliers", "<= 10 percent", "{PA2: 1e300 mmag}", "is not above 0 and up to 100000 mmag"),
        ("photometric_outliers", "<= 10 percent", "{PA2: 5 mas}", "key 'PA2': 5.0 mas is not convertible to mmag"),
        ("photometric_percentile", "<= 15 mmag", "{PF1: -1 percent}", "key 'PF1': -1.0 % is not from 0 to below 100"),
        ("photometric_percentile", "<= 15 mmag", "{PF1: 100 percent}", "key 'PF1': 100.0 % is not from 0 to below 100"),
        ("position_outliers", "<= 10 percent", "{beyond: -1 mas}", "key 'beyond': -1.0 mas is not above 0"),
        ("position_outliers", "<= 10 percent", "{beyond: 200 deg}", "key 'beyond': 200.0 deg is not above 0"),
    ],
)
def test_a_threshold_out_of_range_is_refused_where_it_stands(
    tmp_path: Path, metric: str, limit: str, parameters: str, words: str
) -> None:
    path = write(tmp_path, metric, limit, parameters)
    with pytest.raises(InputError) as complaint:
        requirements.load(path)
    assert str(complaint.value).startswith(f"{path}: line 12: R: C: ")
    assert words in str(complaint.value)


def write(folder: Path, metric: str, limit: str, parameters: str = "{}") -> Path:
    """Write a document of one clause, whose limit stands in line 12."""
    path = folder / "doc.yaml"
    stated = {"separation": "5 arcmin", "nearest": "1 arcmin", "farthest": "5 arcmin"}
    own = ", ".join(f"{name}: {stated[name]}" for name in METRICS[metric].parameters)
    path.write_text(
        f"""\
document: D
title: T
requirements:
  - id: R
    title: T
    kind: performance
    clauses:
      - id: C
        text: T
        metric: {metric}
        definition: srd
        levels: {{design: {{limit: "{limit}", source: {{document: D}}, parameters: {parameters}}}}}
        parameters: {{{own}}}
        bands: [r]
""",
        encoding="utf-8",
    )
    return path


DEFINITION = """\
definitions:
  - id: mine
    title: T
    text: T
    samples:
      s:
        - {column: snr, of: each, at_least: 5, at_most: 100}
        - {min_visits: 2}
    rules:
      - {metrics: [pair_separation_rms], estimator: EST, sample: s, half_width: 1 arcmin, min_common_visits: 2, ddof: 1}
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("at_least: 5", "at_least: 101", 7, "no snr lies above 101 and below 100"),
        ("at_least: 5", "above: 100", 7, "no snr lies above 100 and below 100"),
        ("at_least: 5", "at_least: .nan", 7, "nan is not a finite number"),
        ("at_least: 5", "at_least: .inf", 7, "inf is not a finite number"),
        ("min_visits: 2", "min_visits: 1000000000000", 8, "key 'min_visits': 1000000000000 is more than 100000"),
        ("min_visits: 2", "min_visits: 0", 8, "min_visits: 0 is neither a positive number nor 'all'"),
        ("1 arcmin", "-1 arcmin", 10, "key 'half_width': -1.0 arcmin is not above 0 and up to 10800 arcmin"),
        ("1 arcmin", "0 arcmin", 10, "key 'half_width': 0.0 arcmin is not above 0"),
        ("1 arcmin", "1e300 arcmin", 10, "key 'half_width': 1e+300 arcmin is not above 0"),
        ("1 arcmin", "1 mag", 10, "key 'half_width': 1.0 mag is not convertible to arcmin"),
        ("visits: 2, ddof", "visits: 1, ddof", 10, "key 'min_common_visits': 1 is not from 2 to 100000"),
        ("visits: 2, ddof", "visits: 99999999999999999999, ddof", 10, "is not from 2 to 100000"),
        ("ddof: 1", "ddof: -1", 10, "key 'ddof': -1 is not from 0 to below min_common_visits"),
        ("ddof: 1", "ddof: 2", 10, "key 'ddof': 2 is not from 0 to below min_common_visits"),
        ("ddof: 1", "ddof: .nan", 10, "key 'ddof'"),
    ],
)
def test_a_number_out_of_range_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, words: str
) -> None:
    estimators = METRICS["pair_separation_rms"].estimators
    estimator = next(name for name, one in estimators.items() if one.takes("ddof"))
    assert old in DEFINITION
    path = tmp_path / "own.yaml"
    path.write_text(DEFINITION.replace(old, new).replace("EST", estimator), encoding="utf-8")
    with pytest.raises(InputError) as complaint:
        requirements.load(["LSE-30", path])
    assert str(complaint.value).startswith(f"{path}: line {line}: ")
    assert words in str(complaint.value)
    path.write_text(DEFINITION.replace("EST", estimator), encoding="utf-8")
    assert "mine" in requirements.load(["LSE-30", path]).definitions


@settings(deadline=None)
@given(
    st.sampled_from(["<=", "<", ">=", ">"]),
    st.floats(-1e6, 1e6),
    st.sampled_from(["mas", "percent", "mag", "arcsec"]),
    st.sampled_from(["", " ", "   "]),
)
def test_a_limit_is_read_as_it_is_written(operator: str, bound: float, unit: str, blank: str) -> None:
    """Operator, number and unit."""
    assert Limit.parse(f"{operator}{blank}{bound!r} {unit}") == Limit(operator, bound * u.Unit(unit))  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "<=", "10 mas", "<= mas", "== 10 mas", "<<= 10 mas", "≤ 10 mas", None, 10, [1]])
def test_what_is_no_limit_is_a_value_error(text: object) -> None:
    """With a hint at what a limit looks like."""
    with pytest.raises(ValueError, match=r"operator|not one of|number"):
        Limit.parse(text)


def test_a_limit_writes_itself_as_in_the_document() -> None:
    """And what it writes can be read."""
    limit = Limit("<=", 10 * u.percent)
    assert str(limit) == "<= 10 percent"
    assert Limit.parse(str(limit)) == limit
