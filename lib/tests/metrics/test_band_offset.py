import dataclasses
import math
import statistics

import numpy as np
import pytest
from numpy.typing import NDArray
from skyaccept.lib import measure, readers, requirements
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.metrics import band_offset
from skyaccept.lib.metrics.metric import evaluate
from skyaccept.lib.results.model import Result
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.selection import in_band, select
from skyaccept.lib.sphere import MAS, separation, unit_vectors
from skyaccept.lib.tests.realdata import REALDATA, needs_realdata
from skyaccept.lib.tests.reference import Star, haversine, mean_position
from skyaccept.lib.tests.samples import detections, offset, rotated, sample, scattered

AGAINST_R = band_offset.BandSettings(reference_band="r")
OFFSET, SEPARATIONS = (band_offset.ESTIMATORS[name] for name in ("offset", "separation_std"))
RMS, OUTLIERS, PERCENTILE = band_offset.METRICS


def two_bands(
    rng: np.random.Generator,
    stars: int,
    visits: int,
    sigma: float,
    center: tuple[float, float],
    shift: tuple[float, float] = (0.0, 0.0),
) -> AssociatedDetections:
    """Stars in as many visits of r as of i, those of i displaced by ``shift`` mas along RA cos(Dec) and Dec."""
    ra, dec, obj, visit = scattered(rng, stars, 2 * visits, sigma, center)
    band = (visit >= visits).astype(np.int64)
    ra = ra + band * shift[0] / 3.6e6 / np.cos(np.radians(dec))
    return detections(ra, dec + band * shift[1] / 3.6e6, obj, visit, band)


def results(found: AssociatedDetections, definition: str | None = None) -> dict[str, Result]:
    """The clauses AB in i, by name."""
    run = measure.run(found, requirements.load(), measure.Options(bands=["i"], definition=definition))
    return {result.clause: result for result in run.results if result.clause in ("AB1", "ABF1", "AB2")}


def plain_offsets(found: AssociatedDetections) -> list[tuple[int, float, float]]:
    """Visit and offset of every detection in i from the mean position in r, one at a time."""
    rows = list(zip(objects_of(found), found.visit, found.band, found.ra, found.dec, strict=True))
    middle = {}
    for k in range(found.n_objects):
        seen = {int(v): (float(a), float(d)) for o, v, b, a, d in rows if o == k and b == 0}
        if seen:
            middle[k] = mean_position(Star(seen))
    return [
        (int(v), *offset(middle[int(o)], (float(a), float(d)))) for o, v, b, a, d in rows if b == 1 and int(o) in middle
    ]


def objects_of(found: AssociatedDetections) -> NDArray[np.int64]:
    """Object of each detection."""
    return found.object


def percentile(values: list[float], share: float) -> float:
    """Linear between order statistics."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * share / 100
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


@pytest.mark.slow
@pytest.mark.parametrize("center", [(0.0, 0.0), (75.0, -60.0), (120.0, 89.9)])
def test_every_definition_agrees_with_plain_loops(center: tuple[float, float]) -> None:
    """On objects some of which are seen in one band only."""
    whole = two_bands(np.random.default_rng(1), 30, 4, 9.0, center, (6.0, -11.0))
    obj = objects_of(whole)
    keep = (obj + whole.visit) % 5 > 0
    keep &= ~((obj < 3) & (whole.band == 0)) & ~((obj > 26) & (whole.band == 1))
    found = detections(whole.ra[keep], whole.dec[keep], obj[keep], whole.visit[keep], whole.band[keep])
    shifts = plain_offsets(found)
    x, y = [s[1] for s in shifts], [s[2] for s in shifts]

    srd = results(found)
    rms = [math.sqrt(sum(v * v for v in c) / len(c)) for c in (x, y)]
    assert srd["AB1"].value == pytest.approx(max(rms), rel=1e-7)
    assert srd["AB1"].data["coordinates"]["design"]["ra"] == pytest.approx(rms[0], rel=1e-7)
    about = [[abs(v - statistics.fmean(c)) for v in c] for c in (x, y)]
    for level, ab2, abf1 in (("design", 20, 10), ("minimum", 40, 20), ("stretch", 10, 5)):
        share = max(100 * sum(v > ab2 for v in c) / len(c) for c in about)
        assert srd["ABF1"].levels[level].value == pytest.approx(share)
        deviation = max(percentile(c, 100 - abf1) for c in about)
        assert srd["AB2"].levels[level].value == pytest.approx(deviation, rel=1e-7)
    assert srd["AB1"].sample is not None
    assert srd["AB1"].sample.measurements == len(shifts)

    tools = results(found, "analysis_tools")
    by_visit: dict[int, list[tuple[float, float]]] = {}
    for visit, *shift in shifts:
        by_visit.setdefault(visit, []).append((shift[0], shift[1]))
    each = [[math.sqrt(statistics.fmean([s[c] ** 2 for s in v])) for v in by_visit.values()] for c in (0, 1)]
    assert tools["AB1"].value == pytest.approx(max(map(statistics.median, each)), rel=1e-7)
    far = [0, 0]
    for own in by_visit.values():
        for c in (0, 1):
            middle = statistics.median([s[c] for s in own])
            far[c] += sum(abs(s[c] - middle) > 20 for s in own)
    assert tools["ABF1"].value == pytest.approx(100 * max(far) / len(shifts))
    total = 100 * sum(math.hypot(a, b) > 20 for a, b in zip(x, y, strict=True)) / len(x)
    assert tools["ABF1"].data["coordinates"]["design"]["total"] == pytest.approx(total)

    rows = zip(objects_of(found), found.visit, found.ra, found.dec, strict=True)
    place = {(int(o), int(v)): (float(a), float(d)) for o, v, a, d in rows}
    scatter = []
    for v in range(4):
        for w in range(4, 8):
            common = [o for o in range(30) if (o, v) in place and (o, w) in place]
            scatter.append(statistics.stdev([haversine(place[o, v], place[o, w]) for o in common]))
    assert results(found, "faro")["AB1"].value == pytest.approx(statistics.fmean(scatter), rel=1e-5)


@pytest.mark.slow
def test_a_constant_offset_fails_srd_and_is_hidden_by_faro() -> None:
    """30 mas in RA with 5 mas a coordinate: the requirement reads over 30 and fails, faro about 5 and passes."""
    found = two_bands(np.random.default_rng(5), 400, 5, 5.0, (150.0, 2.0), (30.0, 0.0))
    srd, faro, tools = (results(found, name) for name in ("srd", "faro", "analysis_tools"))
    assert srd["AB1"].verdict == "fail"
    assert srd["AB1"].value == pytest.approx(math.sqrt(30**2 + 25 * (1 + 1 / 5)), abs=0.3)
    assert srd["AB1"].data["coordinates"]["design"]["dec"] == pytest.approx(5 * math.sqrt(1.2), abs=0.2)
    # the separation is about 30 mas plus the difference along RA of two errors of 5 mas: sqrt(2) 5, less for one field
    assert faro["AB1"].verdict == "pass"
    assert faro["AB1"].value == pytest.approx(5 * math.sqrt(2), abs=0.3)
    assert tools["AB1"].verdict == "fail"
    assert srd["ABF1"].verdict == srd["AB2"].verdict == "pass"
    assert srd["AB2"].value == pytest.approx(1.645 * 5 * math.sqrt(1.2), abs=0.4)


def test_faro_measures_the_error_of_the_separation() -> None:
    """The figure of the comparison of tools: positions in r without error, 5 mas a coordinate in the other band."""
    rng = np.random.default_rng(6)
    ra, dec, obj, visit = scattered(rng, 2000, 2, 0.0, (150.0, 2.0))
    other = visit == 1
    ra = ra + other * (30 + rng.normal(0, 5, len(ra))) / 3.6e6 / np.cos(np.radians(dec))
    found = detections(ra, dec + other * rng.normal(0, 5, len(dec)) / 3.6e6, obj, visit, other.astype(np.int64))
    errors = SEPARATIONS.of_sample(sample(found, "i"), {}, AGAINST_R)
    assert errors.values.mean() == pytest.approx(4.99, abs=0.2)
    srd = evaluate(RMS.statistic({}), OFFSET.of_sample(sample(found, "i"), {}, AGAINST_R))
    assert srd[0] == pytest.approx(math.sqrt(30**2 + 5**2), abs=0.3)


def test_squared_coordinates_add_up_to_an_invariant_total() -> None:
    found = two_bands(np.random.default_rng(2), 60, 3, 8.0, (359.999, 5.0), (12.0, 4.0))
    by = evaluate(RMS.statistic({}), OFFSET.of_sample(sample(found, "i"), {}, AGAINST_R))[1]
    assert by["total"] ** 2 == pytest.approx(by["ra"] ** 2 + by["dec"] ** 2, rel=1e-12)
    ra, dec = rotated(found.ra, found.dec, np.array([0.3, 1.0, 2.0]), 2.0)
    turned = dataclasses.replace(found, ra=ra, dec=dec)
    there = evaluate(RMS.statistic({}), OFFSET.of_sample(sample(turned, "i"), {}, AGAINST_R))[1]
    assert there["total"] == pytest.approx(by["total"], rel=1e-6)


def test_swapping_ra_and_dec_near_the_equator_swaps_the_two() -> None:
    found = two_bands(np.random.default_rng(3), 60, 3, 8.0, (0.0, 0.0), (25.0, 4.0))
    ra, dec = rotated(found.ra, found.dec, np.array([1.0, 0.0, 0.0]), np.pi / 2)
    turned = dataclasses.replace(found, ra=ra, dec=dec)
    here, there = (
        evaluate(RMS.statistic({}), OFFSET.of_sample(sample(d, "i"), {}, AGAINST_R))[1] for d in (found, turned)
    )
    assert here["ra"] > 2 * here["dec"]
    assert (there["ra"], there["dec"]) == pytest.approx((here["dec"], here["ra"]), rel=1e-4)


@pytest.mark.parametrize("estimator", list(band_offset.ESTIMATORS))
def test_the_order_of_rows_and_visits_changes_nothing(estimator: str) -> None:
    found = two_bands(np.random.default_rng(4), 40, 3, 8.0, (10.0, 30.0), (5.0, 4.0))
    order = np.random.default_rng(0).permutation(len(found))
    mixed = detections(
        found.ra[order], found.dec[order], objects_of(found)[order], 5 - found.visit[order], found.band[order]
    )
    chosen = band_offset.ESTIMATORS[estimator]
    here, there = (chosen.of_sample(sample(d, "i"), {}, AGAINST_R) for d in (found, mixed))
    for name, values in here.components.items():
        np.testing.assert_allclose(np.sort(there.components[name]), np.sort(values), rtol=1e-7, atol=1e-7)


def test_what_cannot_be_compared_is_said() -> None:
    one = detections(*scattered(np.random.default_rng(1), 10, 3, 8.0, (10.0, 30.0)))
    only_i = dataclasses.replace(one, bands=("i",))
    reason = results(only_i)["AB1"].reason
    assert "the dataset has no detections in band r to compare with; it has i" in str(reason)
    found = two_bands(np.random.default_rng(1), 10, 3, 8.0, (10.0, 30.0))
    apart = dataclasses.replace(found, object=objects_of(found) + 10 * found.band)
    with pytest.raises(NotMeasurable, match="no object of the sample in i is one of those in r"):
        OFFSET.of_sample(sample(apart, "i"), {}, AGAINST_R)
    with pytest.raises(NotMeasurable, match="no visit in i and visit in r have 2 common objects"):
        SEPARATIONS.of_sample(sample(apart, "i"), {}, AGAINST_R)


@needs_realdata
def test_the_band_metric_reproduces_the_published_value_of_hsc() -> None:
    """R against r in the two-band catalog, its sample taken over both bands as faro does."""
    found = readers.load(REALDATA / "hsc/matchedCatalogMulti_0_70.fits.gz", "hsc-afw")
    cuts = requirements.load().definitions["faro"].samples["astrometry"]
    chosen = in_band(select(found, None, cuts, "test"), found, "r")
    own = Sample(found, chosen, "r", lambda band: Sample(found, chosen, band))
    errors = SEPARATIONS.of_sample(own, {}, AGAINST_R)
    value, _ = evaluate(RMS.statistic_of(SEPARATIONS, {}), errors)
    assert value == pytest.approx(6.980149809903474, rel=1e-7)
    assert chosen.rows_in == len(chosen.rows) + sum(chosen.rejected.values())


@pytest.mark.slow
@needs_realdata
def test_hsc_i_against_r() -> None:
    """8.405 mas under faro, as by plain loops over the file's own radians; 7.3 mas, which meets the limit, under srd.

    71 measurements cannot say whether the true value meets it as well.
    """
    found = readers.load(REALDATA / "hsc/matchedCatalogMulti_0_70.fits.gz", "hsc-afw")
    assert results(found, "faro")["AB1"].value == pytest.approx(8.405082157155677, rel=1e-7)
    srd = results(found)
    assert [srd[name].verdict for name in ("AB1", "ABF1", "AB2")] == ["inconclusive"] * 3
    assert [bool((srd[name].margin or 0) > 0) for name in ("AB1", "ABF1", "AB2")] == [True] * 3
    assert srd["AB1"].value == pytest.approx(7.30361, abs=1e-4)


def test_the_helper_displaces_by_what_it_says() -> None:
    found = two_bands(np.random.default_rng(1), 3, 1, 0.0, (40.0, 60.0), (30.0, 40.0))
    vectors = unit_vectors(found.ra, found.dec)
    np.testing.assert_allclose(separation(vectors[found.band == 0], vectors[found.band == 1]) / MAS, 50.0, rtol=1e-5)
