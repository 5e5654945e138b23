"""Tests of residual ellipticities against the correlation of their fields."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, special
from skyaccept.lib import measure
from skyaccept.lib.arrays import FloatArray
from skyaccept.lib.catalog.association import RADIUS, associate
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.metrics.ellipticity_correlation import ESTIMATORS
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.selection import select
from skyaccept.lib.uncertainty.estimator import NoSettings
from skyaccept.synthetic import scenario, survey, visits
from skyaccept.synthetic.random_streams import stream
from skyaccept.synthetic.scenario_schema import Scenario
from skyaccept.synthetic.tests.surveys import plain, single_requirement

NEAR, FAR = {"nearest": 0.0, "farthest": 1.0}, {"nearest": 5.0, "farthest": 20.0}


def von_karman(distance: float) -> float:
    """Return the von Karman correlation at a distance in units of the scale."""
    return float(2 ** (1 / 6) / special.gamma(5 / 6) * distance ** (5 / 6) * special.kv(5 / 6, distance))


def correlations(found: AssociatedDetections, range_: dict[str, float]) -> Mapping[str, FloatArray]:
    """Return E1, E2 and EX of each visit."""
    here = Sample(found, select(found, "r", (), "test"), "r")
    return ESTIMATORS["visit_correlation"].of_sample(here, range_, NoSettings()).components


def agrees(found: Mapping[str, FloatArray], rms: float) -> None:
    """Compare E1 and E2 with rms^2 times the mean correlation of pairs up to 1', within five standard errors."""
    mean, _ = integrate.quad(lambda r: 2 * r * von_karman(r / 0.5), 0, 1)
    for name, expected in (("E1", rms**2 * mean), ("E2", rms**2 * mean), ("EX", 0.0)):
        error = found[name].std(ddof=1) / np.sqrt(len(found[name]))
        assert error < 0.1 * rms**2 * mean
        assert abs(found[name].mean() - expected) < 5 * error


def perfect() -> Scenario:
    """Return the survey with shapes, with fewer stars and a perfect PSF model."""
    chosen = scenario.override(scenario.load("shapes"), bands=["r"], stars=1500)
    assert chosen.ellipticity is not None
    return replace(chosen, ellipticity=replace(chosen.ellipticity, rms=0.0, error=0.0))


@pytest.mark.parametrize("range_", [NEAR, FAR], ids=["near", "far"])
def test_too_round_model_correlates_at_all_separations(range_: dict[str, float]) -> None:
    """E1 = s^2 e1^2, E2 = s^2 e2^2 and EX = s^2 e1 e2 of the PSF of a visit, in the axes at its centre."""
    chosen = scenario.override(perfect(), faults=["psf_model=30percent"])
    found = correlations(associate(survey.simulate(chosen, 4).detections, RADIUS), range_)
    shape = chosen.ellipticity
    assert shape is not None
    for k, visit in enumerate(visits.plan(chosen, 4)):
        model = shape.psf * stream(4, "psf r", visit.index).standard_normal(2)
        e = 0.3 * complex(*model) * np.exp(2j * visit.rotation)
        expected = {"E1": e.real**2, "E2": e.imag**2, "EX": e.real * e.imag}
        for name, value in expected.items():
            assert found[name][k] == pytest.approx(value, abs=3e-3 * abs(e) ** 2)


def test_residual_field_correlates_up_to_its_scale() -> None:
    """Beyond the scale the correlation vanishes."""
    chosen = scenario.override(perfect(), faults=["psf_residual=2percent"])
    made = associate(survey.simulate(chosen, 5).detections, RADIUS)
    agrees(correlations(made, NEAR), 0.02)
    for values in correlations(made, FAR).values():
        assert abs(values.mean()) < 5 * values.std(ddof=1) / np.sqrt(len(values)) < 0.01 * 0.02**2


@pytest.mark.parametrize("fault", ["psf_model", "psf_residual"])
def test_faults_of_shapes_need_shapes(fault: str) -> None:
    with pytest.raises(InputError, match=f"scenario nominal: fault {fault} needs a survey with ellipticity"):
        survey.simulate(scenario.override(plain(stars=10), faults=[f"{fault}=1percent"]))


@pytest.mark.slow
def test_survey_with_shapes_meets_its_limits() -> None:
    """Noise of single ellipticities does not contribute to the correlation."""
    chosen = scenario.override(scenario.load("shapes"), bands=["r"])
    shape = chosen.ellipticity
    assert shape is not None
    found = associate(survey.simulate(chosen, 2).detections, RADIUS)
    agrees(correlations(found, NEAR), shape.rms)
    run = measure.run(found, single_requirement("OSS-REQ-0403"), measure.Options(bands=["r"]))
    verdicts = {result.clause: result.verdict for result in run.results}
    assert len(verdicts) == 6
    assert {clause: verdict for clause, verdict in verdicts.items() if verdict != "pass"} == {}


@pytest.mark.slow
def test_large_residual_fails_and_model_does_not_matter() -> None:
    chosen = scenario.override(scenario.load("shapes"), bands=["r"], stars=800)
    shape = chosen.ellipticity
    assert shape is not None
    wide = replace(chosen, ellipticity=replace(shape, rms=0.02, scale=10 * shape.scale))
    found = associate(survey.simulate(wide, 3).detections, RADIUS)
    run = measure.run(found, single_requirement("OSS-REQ-0403"), measure.Options(bands=["r"]))
    verdicts = {result.clause: result.verdict for result in run.results}
    assert len(verdicts) == 6
    assert set(verdicts.values()) == {"fail"}


def test_ellipticities_change_no_other_column() -> None:
    chosen = scenario.override(scenario.load("shapes"), bands=["r"], stars=100, visits=2)
    with_shapes, without = (
        survey.simulate(replace(chosen, ellipticity=shape), 1).detections for shape in (chosen.ellipticity, None)
    )
    assert without.e1 is None
    for name in ("ra", "dec", "mag", "mag_err", "snr", "visit"):
        np.testing.assert_array_equal(getattr(with_shapes, name), getattr(without, name))
