"""Errors that are 0: by the way they are made, and because data are rounded."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from skyaccept.lib import measure, requirements
from skyaccept.lib.catalog.association import RADIUS, associate
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.export.lsst_verify import UNITS
from skyaccept.lib.metrics import METRICS
from skyaccept.lib.requirements.limits import RANGES
from skyaccept.lib.results.model import Result
from skyaccept.lib.tests.samples import detections, scattered
from skyaccept.lib.uncertainty.errors import MOST_ZEROS, ZERO, Errors, Quantity


def errors(zeros: int, of: int = 1000) -> Errors:
    """Errors of 1 to 2, some of them 0."""
    return Errors(components={"value": np.where(np.arange(of) < zeros, 0.0, np.linspace(1, 2, of))}, measurements=of)


@pytest.mark.parametrize(
    ("quantity", "unit"), [("positions", "mas"), ("positions", "mas/yr"), ("magnitudes", "mmag"), ("shapes", "")]
)
def test_too_many_zeros_are_refused(quantity: Quantity, unit: str) -> None:
    most = round(MOST_ZEROS * 1000)
    assert errors(most).check_rounding(quantity, unit) is not None
    words = f"5 % of the errors are exactly 0, which errors of measured {quantity} are not"
    with pytest.raises(NotMeasurable, match=words):
        errors(most + 1).check_rounding(quantity, unit)


def test_tables_of_units_hold_those_of_every_metric() -> None:
    """Zero errors, limits and parameters, and what lsst.verify calls them."""
    estimators = [one for metric in METRICS.values() for one in metric.estimators.values()]
    assert ZERO.keys() == {one.unit for one in estimators}
    units = {metric.unit for metric in METRICS.values()}
    parameters = {unit for m in METRICS.values() for unit in (*m.parameters.values(), *m.level_parameters.values())}
    assert RANGES.keys() == units | parameters
    assert UNITS.keys() == units | ZERO.keys()


def test_zeros_by_the_way_errors_are_made_do_not_count() -> None:
    replace(errors(500), zeros=450).check_rounding("positions", "mas")
    with pytest.raises(NotMeasurable):
        replace(errors(501), zeros=450).check_rounding("positions", "mas")


def test_weights_count_the_zeros() -> None:
    """As often as each value occurred."""
    found = replace(errors(1), weights=np.where(np.arange(1000) == 0, 50.0, 1.0))
    found.check_rounding("magnitudes", "mmag")
    with pytest.raises(NotMeasurable):
        replace(found, weights=np.where(np.arange(1000) == 0, 60.0, 1.0)).check_rounding("magnitudes", "mmag")


def test_each_component_counts_and_the_total_does_not() -> None:
    """One that is rounded is enough."""
    sound, rounded = errors(0).values, errors(100).values
    replace(errors(0), components={"ra": sound, "dec": sound}, total=rounded).check_rounding("positions", "mas")
    with pytest.raises(NotMeasurable):
        replace(errors(0), components={"ra": sound, "dec": -rounded}, total=sound).check_rounding("positions", "mas")


def field(visits: int = 5, step: float = 0.0, mag_step: float = 0.0) -> AssociatedDetections:
    """Stars with errors of 8 mas and 8 mmag, rounded."""
    rng = np.random.default_rng(1)
    ra, dec, obj, visit = scattered(rng, 200, visits, 8.0, (150.0, 2.0))
    mag = 18 + rng.uniform(0, 2, 200)[obj] + rng.normal(0, 0.008, len(obj))
    if step:
        ra, dec = (np.round(values / step) * step for values in (ra, dec))
    if mag_step:
        mag = np.round(mag / mag_step) * mag_step
    return associate(replace(detections(ra, dec, obj, visit), mag=mag), RADIUS)


def found(d: AssociatedDetections, clauses: tuple[str, ...], definition: str) -> list[Result]:
    results = measure.run(
        d, requirements.load(), measure.Options(bands=["r"], definition=definition, confidence=None)
    ).results
    return [result for result in results if result.clause in clauses]


@pytest.mark.parametrize("definition", ["lvv-t1278", "srd", "validate_drp", "faro", "analysis_tools"])
def test_coarsely_rounded_positions_are_not_measurable(definition: str) -> None:
    """Under every definition; in all digits, though one of five deviations from a median is 0, they are."""
    clauses = ("AM1", "AF1", "AD1")
    assert [result.value is None for result in found(field(), clauses, definition)] == [False] * 3
    for result in found(field(step=150 / 3.6e6), clauses, definition):
        assert result.verdict == "not_measurable"
        assert "exactly 0, which errors of measured positions are not" in str(result.reason)


@pytest.mark.parametrize("definition", ["srd", "validate_drp", "faro"])
def test_coarsely_rounded_magnitudes_are_not_measurable(definition: str) -> None:
    """To a tenth of a magnitude; to a thousandth they are measured."""
    clauses = ("PA1gri", "PF1gri")
    assert [result.value is None for result in found(field(mag_step=0.001), clauses, definition)] == [False] * 2
    for result in found(field(mag_step=0.1), clauses, definition):
        assert "exactly 0, which errors of measured magnitudes are not" in str(result.reason)
