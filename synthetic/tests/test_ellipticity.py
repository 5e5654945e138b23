"""Residual ellipticities of simulated surveys against the correlation of their fields."""

from dataclasses import replace

import numpy as np
from scipy import integrate, special
from skyaccept.lib import measure, requirements
from skyaccept.lib.association import RADIUS, associate
from skyaccept.lib.metrics.ellipticity import ESTIMATORS
from skyaccept.lib.metrics.metric import Sample, Settings
from skyaccept.lib.selection import select
from skyaccept.synthetic import scenario, survey

NEAR = {"nearest": 0.0, "farthest": 1.0}


def von_karman(distance: float) -> float:
    """Correlation of the fields of `skyaccept.synthetic.waves`, distance in units of their scale."""
    return float(2 ** (1 / 6) / special.gamma(5 / 6) * distance ** (5 / 6) * special.kv(5 / 6, distance))


def test_the_survey_with_shapes_meets_its_limits_with_the_correlation_of_its_field() -> None:
    """E1 and E2 are rms^2 times the mean correlation of pairs up to an arcmin apart, within five standard errors."""
    chosen = scenario.override(scenario.load("shapes"), bands=["r"])
    shape = chosen.ellipticity
    assert shape is not None
    found = associate(survey.simulate(chosen, 2).detections, RADIUS)
    mean, _ = integrate.quad(lambda r: 2 * r * von_karman(r / 0.5), 0, 1)
    here = Sample(found, select(found, "r", (), "test"), "r")
    by = ESTIMATORS["visit_correlation"].find(here, NEAR, Settings()).coordinates
    for name, expected in (("E1", shape.rms**2 * mean), ("E2", shape.rms**2 * mean), ("EX", 0.0)):
        error = by[name].std(ddof=1) / np.sqrt(len(by[name]))
        assert error < 0.1 * shape.rms**2 * mean
        assert abs(by[name].mean() - expected) < 5 * error
    specification = requirements.load()
    run = measure.run(found, specification, bands=["r"])
    verdicts = {result.clause: result.verdict for result in run.results if result.requirement == "OSS-REQ-0403"}
    assert {clause: verdict for clause, verdict in verdicts.items() if verdict != "pass"} == {}


def test_a_residual_that_is_too_large_fails_and_the_model_does_not_matter() -> None:
    chosen = scenario.override(scenario.load("shapes"), bands=["r"], stars=800)
    shape = chosen.ellipticity
    assert shape is not None
    wide = replace(chosen, ellipticity=replace(shape, rms=0.02, scale=10 * shape.scale))
    found = associate(survey.simulate(wide, 3).detections, RADIUS)
    run = measure.run(found, requirements.load(), bands=["r"])
    verdicts = {result.clause: result.verdict for result in run.results if result.requirement == "OSS-REQ-0403"}
    assert set(verdicts.values()) == {"fail"}


def test_ellipticities_change_no_other_column() -> None:
    chosen = scenario.override(scenario.load("shapes"), bands=["r"], stars=100, visits=2)
    with_shapes, without = (
        survey.simulate(replace(chosen, ellipticity=shape), 1).detections for shape in (chosen.ellipticity, None)
    )
    assert without.e1 is None
    for name in ("ra", "dec", "mag", "mag_err", "snr", "visit"):
        np.testing.assert_array_equal(getattr(with_shapes, name), getattr(without, name))
