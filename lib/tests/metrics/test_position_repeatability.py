import math

import numpy as np
import pytest
from skyaccept.lib import measure, requirements
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.metrics.metric import evaluate
from skyaccept.lib.metrics.position_repeatability import ESTIMATORS, METRICS, ObjectRmsSettings
from skyaccept.lib.tests.reference import Star, mean_position
from skyaccept.lib.tests.samples import detections, offset, rotated, sample, scattered
from skyaccept.lib.uncertainty.estimator import NoSettings

RMS, OUTLIERS = METRICS
OBJECT_RMS, RESIDUAL = ESTIMATORS["object_rms"], ESTIMATORS["residual"]
TWENTY = ObjectRmsSettings(ddof=0)


def measured(ra: np.ndarray, dec: np.ndarray, obj: np.ndarray, visit: np.ndarray) -> dict[str, float]:
    """Median rms by coordinate of objects with two visits or more."""
    errors = OBJECT_RMS.of_sample(sample(detections(ra, dec, obj, visit)), {}, ObjectRmsSettings(ddof=0))
    return evaluate(RMS.statistic({}), errors)[1]


@pytest.mark.parametrize("center", [(0.0, 0.0), (320.0, -60.0), (53.0, -28.0), (200.0, 89.9)])
def test_both_metrics_agree_with_plain_loops(center: tuple[float, float]) -> None:
    """Objects of 3 to 6 visits."""
    rng = np.random.default_rng(8)
    ra, dec, obj, visit = scattered(rng, 40, 6, 30.0, center, 0.02)
    keep = (visit <= obj % 6) & (obj % 6 > 1)
    ra, dec, obj, visit = ra[keep] % 360, dec[keep], obj[keep], visit[keep]
    each, all_residuals = [], []
    for k in range(40):
        seen = {int(v): (float(a), float(d)) for a, d, o, v in zip(ra, dec, obj, visit, strict=True) if o == k}
        if not seen:
            continue
        shifts = [offset(mean_position(Star(seen)), place) for place in seen.values()]
        each.append([math.sqrt(sum(s[c] ** 2 for s in shifts) / (len(shifts) - 1)) for c in (0, 1)])
        all_residuals += shifts
    own = sample(detections(ra, dec, obj, visit))
    errors = OBJECT_RMS.of_sample(own, {}, ObjectRmsSettings(ddof=1))
    value, by = evaluate(RMS.statistic({}), errors)
    assert by["ra"] == pytest.approx(np.median([e[0] for e in each]), rel=1e-6)
    assert by["dec"] == pytest.approx(np.median([e[1] for e in each]), rel=1e-6)
    assert by["total"] == pytest.approx(np.median([math.hypot(*e) for e in each]), rel=1e-6)
    assert value == max(by["ra"], by["dec"])
    errors = RESIDUAL.of_sample(own, {}, NoSettings())
    share = [100 * sum(abs(s[c]) > 50 for s in all_residuals) / len(all_residuals) for c in (0, 1)]
    assert evaluate(OUTLIERS.statistic({"beyond": 50.0}), errors)[0] == pytest.approx(max(share))
    assert errors.measurements == len(all_residuals)


def test_the_injected_error_comes_out_and_its_gaussian_tail() -> None:
    """18 mas a coordinate in 40 visits: the rms is low by sqrt(1 - 1/n), and 0.55 % lie beyond 50 mas."""
    found = detections(*scattered(np.random.default_rng(2), 400, 40, 18.0, (215.0, 52.0)))
    _, by = evaluate(RMS.statistic({}), OBJECT_RMS.of_sample(sample(found), {}, TWENTY))
    expected = 18 * math.sqrt(1 - 1 / 40)
    assert by["ra"] == pytest.approx(expected, abs=0.4)
    assert by["dec"] == pytest.approx(expected, abs=0.4)
    tail = 100 * math.erfc(50 / expected / math.sqrt(2))
    _, share = evaluate(OUTLIERS.statistic({"beyond": 50.0}), RESIDUAL.of_sample(sample(found), {}, NoSettings()))
    assert share["ra"] == pytest.approx(tail, abs=0.2)


@pytest.mark.parametrize("center", [(320.0, -60.0), (53.0, -28.0)])
def test_scatter_in_dec_does_not_leak_into_ra(center: tuple[float, float]) -> None:
    """With each row's own cos(Dec), 10 mas read 49.3 mas at RA 320, Dec -60; here they are 10 in both."""
    by = measured(*scattered(np.random.default_rng(4), 300, 30, 10.0, center))
    assert by["ra"] == pytest.approx(10 * math.sqrt(1 - 1 / 30), abs=0.2)
    assert by["dec"] == pytest.approx(10 * math.sqrt(1 - 1 / 30), abs=0.2)


def test_the_total_is_the_sum_of_squares_and_is_invariant() -> None:
    ra, dec, obj, visit = scattered(np.random.default_rng(6), 50, 5, 20.0, (359.99, 10.0))
    own = OBJECT_RMS.of_sample(sample(detections(ra, dec, obj, visit)), {}, ObjectRmsSettings(ddof=0))
    assert own.total is not None
    np.testing.assert_allclose(own.total**2, own.components["ra"] ** 2 + own.components["dec"] ** 2, rtol=1e-12)
    turned = rotated(ra, dec, np.array([1.0, -2.0, 0.5]), 1.2)
    assert measured(*turned, obj, visit)["total"] == pytest.approx(measured(ra, dec, obj, visit)["total"], rel=1e-6)


def test_swapping_ra_and_dec_near_the_equator_swaps_the_two() -> None:
    """A quarter turn about the point (0, 0) takes east to north."""
    ra, dec, obj, visit = scattered(np.random.default_rng(7), 60, 6, 10.0, (0.0, 0.0), 0.001)
    ra = ra + np.random.default_rng(1).normal(0, 15 / 3.6e6, len(ra))
    here = measured(ra, dec, obj, visit)
    there = measured(*rotated(ra, dec, np.array([1.0, 0.0, 0.0]), np.pi / 2), obj, visit)
    assert here["ra"] > 1.3 * here["dec"]
    assert (there["ra"], there["dec"]) == pytest.approx((here["dec"], here["ra"]), rel=1e-6)


def test_the_order_of_rows_and_of_visits_changes_nothing() -> None:
    ra, dec, obj, visit = scattered(np.random.default_rng(9), 30, 6, 10.0, (30.0, 20.0))
    order = np.random.default_rng(0).permutation(len(ra))
    here = measured(ra, dec, obj, visit)
    assert measured(ra[order], dec[order], obj[order], visit[order]) == pytest.approx(here, rel=1e-9)
    assert measured(ra, dec, obj, 5 - visit) == pytest.approx(here, rel=1e-9)


def test_too_few_visits_are_refused_and_cfht_needs_twenty() -> None:
    once = detections(*scattered(np.random.default_rng(2), 5, 1, 18.0, (215.0, 52.0)))
    with pytest.raises(NotMeasurable, match="no object in band r has more than 1 visits"):
        OBJECT_RMS.of_sample(sample(once), {}, ObjectRmsSettings(ddof=1))
    many = detections(*scattered(np.random.default_rng(2), 50, 22, 15.0, (215.0, 52.0)))
    assert many.mag is not None
    many.mag[many.object == 0] = 21.6
    found = {
        r.clause: r for r in measure.run(many, requirements.load("diagnostics"), measure.Options(bands=["r"])).results
    }
    rms, share = found["RMS-position"], found["Outliers-position"]
    assert rms.verdict is None
    assert rms.sample is not None
    assert rms.sample.objects == 49
    assert rms.value == pytest.approx(15 * math.sqrt(1 - 1 / 22), abs=0.7)
    assert set(rms.data["coordinates"]["value"]) == {"ra", "dec", "total"}
    assert share.value is not None
    assert 0 <= share.value < 1
    few = detections(*scattered(np.random.default_rng(2), 5, 19, 15.0, (215.0, 52.0)))
    found = {
        r.clause: r for r in measure.run(few, requirements.load("diagnostics"), measure.Options(bands=["r"])).results
    }
    assert "needs 20 visits in band r, and the dataset has 19" in str(found["RMS-position"].reason)


def test_the_matrix_names_visits_where_two_bands_have_some() -> None:
    ra, dec, obj, visit = scattered(np.random.default_rng(2), 10, 6, 5.0, (40.0, -20.0))
    found = sample(detections(ra, dec, obj, visit, band=(visit < 3).astype(np.int64)))
    matrix = OBJECT_RMS.measurements(found, {}, ObjectRmsSettings(ddof=1), None)
    assert matrix.visits is not None
    assert matrix.visits.tolist() == [3, 4, 5]
