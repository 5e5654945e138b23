"""Definitions of metrics: estimators, settings, samples, and definitions of users."""

from __future__ import annotations

from pathlib import Path

import astropy.units as u
import pytest
from skyaccept.lib import requirements
from skyaccept.lib.tests.requirements.documents import (
    DEFINITION,
    METRIC,
    clauses,
    refusal,
    saved,
    with_change,
)

DEFINITIONS = {"cfht-2017", "proper-motion", "reference", "lvv-t1278", "lvv-t1278-notebook", "srd"}
DEFINITIONS |= {"validate_drp", "faro", "analysis_tools"}


def test_all_definitions_are_shipped() -> None:
    """Each covers the three metrics of pairs, but for that of a diagnostic."""
    found = requirements.load().definitions
    assert set(found) == DEFINITIONS
    for name, definition in found.items():
        assert definition.id == name
        assert definition.title
        assert definition.text
        of_pairs = name not in ("cfht-2017", "proper-motion", "reference")
        assert all((definition.rule(metric) is not None) == of_pairs for metric in METRIC.values())
        assert definition.rule("no_such_metric") is None


@pytest.mark.parametrize(
    ("name", "metric", "estimator", "half_width", "ddof", "visits"),
    [
        ("lvv-t1278", "AM", "pair_rms", 30, 1, 2),
        ("lvv-t1278", "AF", "pair_rms", 30, 1, 2),
        ("lvv-t1278", "AD", "pair_rms", 30, 1, 2),
        ("lvv-t1278-notebook", "AM", "visit_difference", 30, None, 2),
        ("lvv-t1278-notebook", "AF", "visit_difference", 30, None, 2),
        ("lvv-t1278-notebook", "AD", "visit_difference", 30, None, 2),
        ("srd", "AM", "pair_rms", 60, 1, 2),
        ("srd", "AF", "deviation", 60, None, 2),
        ("srd", "AD", "deviation", 60, None, 2),
        ("validate_drp", "AM", "pair_rms", 60, 1, 2),
        ("validate_drp", "AF", "excess_rms", 60, 1, 2),
        ("validate_drp", "AD", "excess_rms", 60, 1, 2),
        ("faro", "AM", "pair_rms", 60, 1, 2),
        ("faro", "AF", "recentred_deviation_size", 60, None, 3),
        ("faro", "AD", "recentred_deviation", 60, None, 3),
        ("analysis_tools", "AM", "pair_rms", 60, 1, 2),
        ("analysis_tools", "AF", "pooled_deviation", 60, None, 3),
        ("analysis_tools", "AD", "pooled_deviation", 60, None, 3),
    ],
)
def test_a_definition_prescribes_estimator_and_settings(
    name: str, metric: str, estimator: str, half_width: float, ddof: int | None, visits: int
) -> None:
    """As the sources of each say."""
    rule = requirements.load().definitions[name].rule(METRIC[metric])
    assert rule is not None
    assert (rule.estimator, rule.ddof, rule.min_common_visits) == (estimator, ddof, visits)
    assert rule.half_width == half_width * u.arcsec


@pytest.mark.parametrize(
    ("name", "cuts"),
    [
        (
            "lvv-t1278",
            [
                "median mag >= 17.5 mag and <= 21.5 mag",
                "median snr >= 50",
                "max extendedness < 0.5",
                "clear in all of the object's detections: saturated, cr, bad, edge, not_primary",
                "seen in at least 2 visits",
            ],
        ),
        ("lvv-t1278-notebook", ["median mag >= 17.5 mag and <= 21.5 mag", "seen in every visit"]),
        (
            "srd",
            [
                "median snr >= 200",
                "max extendedness < 0.5",
                "clear in all of the object's detections: saturated, cr, bad, edge, not_primary",
                "seen in at least 2 visits",
            ],
        ),
        (
            "validate_drp",
            [
                "median snr >= 50",
                "max extendedness < 1",
                "clear in all of the object's detections: saturated, cr, bad, edge",
                "median mag >= 17 mag and < 21.5 mag",
                "seen in at least 2 visits",
            ],
        ),
        (
            "faro",
            [
                "seen in at least 2 visits",
                "every mag finite",
                "clear in all of the object's detections: saturated, cr, bad, edge",
                "median snr >= 50",
                "max extendedness < 0.9",
                "clear in all of the object's detections: not_primary",
                "median mag >= 17 mag and < 21.5 mag",
            ],
        ),
        (
            "analysis_tools",
            [
                "mag >= 17 mag and <= 21.5 mag",
                "snr >= 50 and <= 50000",
                "median extendedness <= 0.5",
                "seen in at least 2 visits",
            ],
        ),
    ],
)
def test_a_definition_prescribes_its_sample(name: str, cuts: list[str]) -> None:
    """Cut by cut, in words."""
    definition = requirements.load().definitions[name]
    assert {definition.rule(metric).sample for metric in METRIC.values()} == {"astrometry"}  # type: ignore[union-attr]
    assert [str(cut) for cut in definition.samples["astrometry"]] == cuts


@pytest.mark.parametrize(
    ("name", "estimators", "ddof", "cuts"),
    [
        (
            "srd",
            ("magnitude_rms", "magnitude_deviation", "magnitude_deviation"),
            1,
            [
                "mag finite",
                "median snr >= 200",
                "max extendedness < 0.5",
                "clear in all of the object's detections: saturated, cr, bad, edge, not_primary",
                "seen in at least 2 visits",
            ],
        ),
        (
            "validate_drp",
            ("magnitude_difference", "magnitude_difference_size", "magnitude_difference_size"),
            None,
            [
                "mag finite",
                "median snr >= 50",
                "max extendedness < 1",
                "clear in all of the object's detections: saturated, cr, bad, edge",
                "seen in at least 2 visits",
            ],
        ),
        (
            "faro",
            ("magnitude_rms", "magnitude_deviation", None),
            0,
            ["seen in at least 3 visits", "every mag finite", "median snr >= 200", "max extendedness < 0.9"],
        ),
        (
            "analysis_tools",
            ("magnitude_rms", "excess_magnitude_rms", None),
            1,
            ["mag finite", "snr > 200", "median extendedness <= 0.5", "seen in at least 3 visits"],
        ),
        ("lvv-t1278", (None, None, None), None, []),
        ("lvv-t1278-notebook", (None, None, None), None, []),
    ],
)
def test_a_definition_prescribes_how_photometry_is_measured(
    name: str, estimators: tuple[str | None, ...], ddof: int | None, cuts: list[str]
) -> None:
    """Estimators of PA1, PF1 and PA2, and the sample of bright stars, as the sources of each say."""
    definition = requirements.load().definitions[name]
    rules = [definition.rule(f"photometric_{kind}") for kind in ("repeatability", "outliers", "percentile")]
    assert tuple(rule and rule.estimator for rule in rules) == estimators
    assert rules[0] is None or rules[0].ddof == ddof
    assert [str(cut) for cut in definition.samples.get("photometry", ())] == cuts


def test_a_user_document_may_bring_definitions(tmp_path: Path) -> None:
    """Beside the shipped ones, for itself and for other documents of the run."""
    own = with_change("definition: srd", "definition: mine")
    own = with_change("pair_separation_outliers", "pair_separation_rms", own)
    own = own.replace("percent", "mas").replace("            parameters: {AD: 20 mas}\n", "")
    together = requirements.load([saved(tmp_path, own + DEFINITION)])
    assert set(together.definitions) == DEFINITIONS | {"mine"}
    assert clauses(together)["AF1"].definition == "mine"
    apart = requirements.load([saved(tmp_path, own, "own.yaml"), saved(tmp_path, DEFINITION, "definition.yaml")])
    assert apart.definitions == together.definitions
    assert len(apart.documents) == 1


def test_a_definition_stands_once_in_all_documents(tmp_path: Path) -> None:
    """Two files may not both define it."""
    one, two = saved(tmp_path, DEFINITION, "one.yaml"), saved(tmp_path, DEFINITION, "two.yaml")
    assert refusal(one, two) == f"{two}: line 2: mine: key 'id': duplicate definition 'mine'"
