"""Limit, level and bands of a specification."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import astropy.units as u
import pytest
from skyaccept.lib.requirements.lsst_verify.located_yaml import Value
from skyaccept.lib.requirements.lsst_verify.names import Family, Names
from skyaccept.lib.requirements.lsst_verify.package import PackageMetric, PackageSpecification
from skyaccept.lib.requirements.lsst_verify.specification import NotCovered, conditions_text, parse_specification

HERE = Value({}, Path("limits.yaml"), 1)
METRIC = PackageMetric("survey", "AM1", "Scatter.", u.mas, HERE)
ONE = PackageSpecification("survey", METRIC, "design_gri_cold", "<=", 0.01 * u.arcsec, {}, (), HERE)
FAMILY = Family("AM1", "pair_separation_rms", "srd", against="y")
NAMES = Names((FAMILY,), {"HSC-R": "r", "HSC-Y": "y"}, ("nightly",), ("FY18",), ())


def parse(**changes: Any) -> tuple[str, str, str, str]:
    """Level, bands, qualifier and limit of the specification with some changes."""
    found = parse_specification(replace(ONE, **changes), FAMILY, NAMES, {"instrument": "HSC"})
    return found.level, found.bands, found.qualifier, str(found.limit)


def test_a_name_states_level_bands_and_qualifier() -> None:
    assert parse() == ("design", "gri", "cold", "<= 10 mas")
    assert parse(name="nightly-minimum") == ("minimum", "ugriz", "", "<= 10 mas")


def test_a_query_chooses_bands_before_the_name() -> None:
    assert parse(query={"filter_name": "HSC-R", "instrument": "HSC"})[1] == "r"


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"query": {"instrument": "DECam"}}, "conditional"),
        ({"name": "FY18_design"}, "milestones"),
        ({"name": "cold"}, "levels"),
        ({"name": "design_minimum"}, "levels"),
        ({"operator": "=="}, "operators"),
        ({"bound": 1 * u.s}, "units"),
        ({"bound": -1 * u.mas}, "ranges"),
        ({"query": {"filter_name": "HSC-X"}}, "filters"),
        ({"query": {"filter_name": "HSC-Y"}}, "filters"),
        ({"name": "design", "query": {"filter_name": "HSC-Y"}}, "filters"),
    ],
)
def test_a_specification_without_a_clause_has_a_reason(changes: dict[str, Any], kind: str) -> None:
    with pytest.raises(NotCovered) as caught:
        parse(**changes)
    assert caught.value.kind == kind
    assert caught.value.reason


def test_long_terms_are_cut() -> None:
    assert conditions_text({"a": 1, "b": "x" * 61}) == f"a is 1, b is {'x' * 60}..."
