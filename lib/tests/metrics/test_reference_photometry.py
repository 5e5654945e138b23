import dataclasses
import math
import statistics

import numpy as np
import pytest
from numpy.typing import NDArray
from skyaccept.lib import measure, readers, requirements
from skyaccept.lib.catalog.colors import ColorRange, ColorTerm
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.catalog.reference import Reference
from skyaccept.lib.metrics.reference_photometry import METRICS, ReferenceSettings
from skyaccept.lib.readers import reference as reader
from skyaccept.lib.results.model import Result
from skyaccept.lib.sphere import MAS
from skyaccept.lib.tests.realdata import REALDATA, needs_realdata
from skyaccept.lib.tests.records import interval_of
from skyaccept.lib.tests.reference import haversine
from skyaccept.lib.tests.samples import detections, rotated, sample

SPECIFICATION = requirements.load()

SETTINGS = ReferenceSettings(radius=1000 * MAS, reference_snr=50.0)

TERM = ColorTerm("r", ("g", "i"), (0.011, -0.13, 0.02), (ColorRange(("g", "r"), 0.2, 1.1),), "made up")


def made(
    seed: int,
    stars: int = 400,
    visits: tuple[int, int] = (5, 5),
    noise: float = 0.004,
    offset: tuple[float, float] = (0.0, 0.0),
    center: tuple[float, float] = (150.0, 2.0),
    term: ColorTerm | None = None,
    zero_points: float = 0.0,
) -> tuple[AssociatedDetections, Reference]:
    """Stars on a grid of 6" in r and i, whose zero points are off, mag; the catalog holds their magnitudes in g, r, i.

    With a colour term r magnitudes are those that it gives.
    """
    rng = np.random.default_rng(seed)
    k, m = np.divmod(np.arange(stars), 20)
    dec = center[1] + (k - stars // 40) * 6 / 3600
    ra = (center[0] + (m - 10) * 6 / 3600 / np.cos(np.radians(dec))) % 360
    color = rng.uniform(0.1, 1.3, stars)
    mags = {"r": rng.uniform(17, 20, stars)}
    mags |= {"g": mags["r"] + color, "i": mags["r"] - 0.4 * color}
    wanted = [mags["r"] if term is None else curve(mags), mags["i"]]
    obj, visit = (grid.ravel() for grid in np.meshgrid(np.arange(stars), np.arange(sum(visits)), indexing="ij"))
    band = (visit >= visits[0]).astype(np.int64)
    found = detections(ra[obj], dec[obj], obj, visit, band)
    steps = rng.normal(0, zero_points, sum(visits)) if zero_points else np.zeros(sum(visits))
    true = np.where(band == 0, wanted[0][obj], wanted[1][obj]) + np.array(offset)[band] + steps[visit]
    found = dataclasses.replace(found, mag=true + rng.normal(0, noise, len(obj)), survey="own")
    if term is not None:
        found = dataclasses.replace(found, color_terms={"standards": {"r": term}})
    unknown = np.full(stars, np.nan)
    errors = dict.fromkeys(mags, np.full(stars, 0.005))
    given = {name: values + rng.normal(0, 0.005, stars) for name, values in mags.items()} if noise else mags
    reference = Reference(
        ra, dec, unknown, unknown, unknown, unknown, mags=given, mag_errs=errors, name="stars", survey="standards"
    )
    return found, reference


def curve(mags: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """What TERM says, written out."""
    c = mags["g"] - mags["i"]
    return np.asarray(mags["r"] + 0.011 - 0.13 * c + 0.02 * c * c)


def results(found: AssociatedDetections, reference: Reference | None, band: str = "r") -> dict[str, Result]:
    """PA5 and PA6 in one band."""
    measurer = measure.Measurer(found, SPECIFICATION, measure.Options(reference=reference))
    cases = [case for case in SPECIFICATION.cases([band]) if case.clause.id in ("PA5", "PA6")]
    return {case.clause.id: measurer.measure(case) for case in cases}


def plain(found: AssociatedDetections, reference: Reference, band: int, term: bool = False) -> dict[int, float]:
    """Mean magnitude minus that of the only reference star within 1", by object, one at a time; mmag."""
    assert found.mag is not None
    differences: dict[int, float] = {}
    for star in range(found.n_objects):
        rows = [k for k in range(len(found)) if found.object[k] == star and found.band[k] == band]
        if not rows:
            continue
        place = (float(found.ra[rows[0]]), float(found.dec[rows[0]]))
        near = [
            k
            for k in range(len(reference))
            if haversine(place, (float(reference.ra[k]), float(reference.dec[k]))) < 1000
        ]
        if len(near) != 1:
            continue
        g, r, i = (float(reference.mags[name][near[0]]) for name in "gri")
        expected = (r, i)[band]
        if term:
            if not 0.2 <= g - r <= 1.1:
                continue
            expected += 0.011 - 0.13 * (g - i) + 0.02 * (g - i) ** 2
        if not math.isfinite(expected):
            continue
        differences[star] = 1000 * (statistics.fmean(float(found.mag[k]) for k in rows) - expected)
    return differences


@pytest.mark.parametrize("center", [(0.0, 0.0), (210.0, -60.0), (80.0, 89.0)])
def test_both_clauses_agree_with_plain_loops(center: tuple[float, float]) -> None:
    """On stars some of which are seen in some visits or one band only, some without a magnitude in the catalog."""
    whole, reference = made(1, 80, (3, 4), 0.02, (0.03, -0.02), center)
    reference.mags["i"][::7] = np.nan
    reference.mags["g"][::5] = np.nan
    keep = (whole.object + whole.visit) % 4 > 0
    keep &= ~((whole.object < 6) & (whole.band == 0)) & ~((whole.object > 70) & (whole.band == 1))
    rows = {name: getattr(whole, name)[keep] for name in ("ra", "dec", "visit", "band", "object", "mag", "snr")}
    rows |= {"extendedness": np.zeros(keep.sum()), "flags": {n: f[keep] for n, f in whole.flags.items()}}
    found = dataclasses.replace(whole, **rows)
    r, i = (plain(found, reference, band) for band in (0, 1))
    clauses = results(found, reference)
    assert clauses["PA6"].value == pytest.approx(abs(statistics.median(r.values())), rel=1e-6)
    both = [r[star] - i[star] for star in r if star in i]
    assert clauses["PA5"].value == pytest.approx(abs(statistics.median(both)), rel=1e-6)
    assert len(both) < len(r)
    assert clauses["PA5"].sample is not None
    assert f"{len(both)} stars are compared in both bands" in clauses["PA5"].sample.notes


def test_a_wrong_zero_point_shows_in_its_band_and_colors() -> None:
    """30 mmag in r: PA6 of r and PA5 of r - i are 30, PA6 of i is 0; PA5 is signed, and opposite ones add up."""
    found, reference = made(2, offset=(0.03, 0.0))
    r, i = results(found, reference), results(found, reference, "i")
    assert r["PA6"].value == pytest.approx(30, abs=1)
    assert r["PA5"].value == pytest.approx(30, abs=1)
    assert (r["PA6"].verdict, r["PA5"].verdict, i["PA6"].verdict) == ("fail", "fail", "pass")
    assert i["PA6"].value == pytest.approx(0, abs=1)
    assert "no detections in band z to compare with" in str(i["PA5"].reason)
    for offset, expected in (((0.02, 0.02), 0), ((-0.02, 0.02), 40)):
        assert results(*made(2, offset=offset))["PA5"].value == pytest.approx(expected, abs=1)


def test_a_colour_term_is_taken_off_where_it_holds() -> None:
    """With it nothing is left; without it what it amounts to at the median colour, and both say which it was."""
    found, reference = made(3, term=TERM)
    pa6 = results(found, reference)["PA6"]
    assert pa6.value == pytest.approx(0, abs=1)
    assert pa6.sample is not None
    assert "with a colour term" in str(pa6.method)
    said = "; ".join(pa6.sample.notes)
    assert "colour term r +0.011 -0.13 c +0.02 c^2 mag, c = g-i, where 0.2 <= g-r <= 1.1 (made up)" in said
    assert "outside 0.2 <= g-r <= 1.1, where the colour term holds" in said
    assert "own zero points repeats in all visits and stars" in said
    assert pa6.interval is not None
    assert "own zero points repeats in all visits and stars" in pa6.interval["method"]
    without = results(dataclasses.replace(found, color_terms={}), reference)["PA6"]
    expected = 1000 * np.median(curve(dict(reference.mags)) - reference.mags["r"])
    assert without.value == pytest.approx(abs(expected), abs=1.5)
    assert without.verdict == "fail"
    assert without.sample is not None
    assert "without a colour term" in str(without.method)
    assert any("declares no colour term of standards for r" in note for note in without.sample.notes)
    assert pa6.value == pytest.approx(abs(statistics.median(plain(found, reference, 0, term=True).values())), rel=1e-6)


def test_wrong_matches_and_variable_stars_hardly_move_the_median() -> None:
    """A tenth of each: the others tell the zero point to 2 mmag."""
    found, reference = made(4, offset=(0.015, 0.0))
    assert found.mag is not None
    rng = np.random.default_rng(4)
    mixed = rng.permutation(np.arange(0, 400, 10))
    reference.mags["r"][np.arange(0, 400, 10)] = reference.mags["r"][mixed]
    phase = rng.uniform(0, 2 * np.pi, 400)
    variable = found.object % 10 == 5
    changed = found.mag + np.where(variable, 0.3 * np.sin(phase[found.object] + found.visit), 0.0)
    pa6 = results(dataclasses.replace(found, mag=changed), reference)["PA6"]
    assert pa6.value == pytest.approx(15, abs=2)


def test_the_sky_turned_and_rows_in_another_order_change_nothing() -> None:
    found, reference = made(5, 60, offset=(0.01, 0.02))
    before = {name: result.value for name, result in results(found, reference).items()}
    axis = np.array([1.0, 2.0, -0.5])
    (ra, dec), (ref_ra, ref_dec) = (rotated(one.ra, one.dec, axis, 1.1) for one in (found, reference))
    turned = dataclasses.replace(found, ra=ra, dec=dec), dataclasses.replace(reference, ra=ref_ra, dec=ref_dec)
    assert {n: r.value for n, r in results(*turned).items()} == pytest.approx(before, rel=1e-9)
    order = np.random.default_rng(0).permutation(len(found))
    names = ("ra", "dec", "visit", "band", "object", "mag", "snr", "extendedness")
    mixed = dataclasses.replace(found, **{name: getattr(found, name)[order] for name in names})
    assert {n: r.value for n, r in results(mixed, reference).items()} == pytest.approx(before, rel=1e-9)


def test_what_cannot_be_measured_is_said() -> None:
    found, reference = made(6, 40)
    assert "no reference catalog is named (--reference)" in str(results(found, None)["PA6"].reason)
    bare = dataclasses.replace(reference, mags={"i": reference.mags["i"], "r": np.full(40, np.nan)})
    reason = "reference catalog stars (standards) gives no magnitudes in band r; it has i"
    for clause in ("PA6", "PA5"):
        assert (results(found, bare)[clause].verdict, results(found, bare)[clause].reason) == ("not_measurable", reason)
    none = dataclasses.replace(reference, mags={})
    assert "gives no magnitudes in band r; it has none at all" in str(results(found, none)["PA6"].reason)
    with_term = dataclasses.replace(found, color_terms={"standards": {"r": TERM}})
    lacking = dataclasses.replace(reference, mags={"r": reference.mags["r"], "i": reference.mags["i"]})
    assert "band g, which the colour term of r takes; it has r, i" in str(results(with_term, lacking)["PA6"].reason)
    away = dataclasses.replace(reference, dec=reference.dec + 1)
    assert "0 matched, 0 ambiguous, 40 unmatched" in str(results(found, away)["PA6"].reason)
    faint = dataclasses.replace(reference, mag_errs=dict.fromkeys("gri", np.full(40, 0.1)))
    assert "40 matched reference stars left out: S/N below 50 or unknown in r" in str(
        results(found, faint)["PA6"].reason
    )


def test_a_reference_without_errors_is_used_and_stars_counted() -> None:
    found, reference = made(7, 40)
    pa6 = results(found, dataclasses.replace(reference, mag_errs={}))["PA6"]
    assert pa6.sample is not None
    assert "the reference catalog gives no errors of magnitudes in r: any S/N is taken" in pa6.sample.notes
    reference.mags["r"][:3] = np.nan
    reference.mag_errs["r"][3:10] = np.nan
    pa6 = results(
        found, dataclasses.replace(reference, mag_errs={"r": np.concatenate([[0.001] * 3, [np.nan] * 7, [0.005] * 30])})
    )["PA6"]
    assert pa6.sample is not None
    assert "3 matched reference stars left out: no magnitude in r" in pa6.sample.notes
    assert "7 matched reference stars left out: S/N below 50 or unknown in r" in pa6.sample.notes
    assert "30 stars are compared" in pa6.sample.notes
    assert pa6.sample.measurements == 150


def test_one_visit_gives_a_value_and_no_interval() -> None:
    """In PA5 also where it is the other band that has one visit."""
    pa6 = results(*made(8, visits=(1, 4), offset=(0.02, 0.0)))["PA6"]
    assert pa6.value == pytest.approx(20, abs=1)
    assert pa6.interval is None
    assert "1 visit cannot tell" in str(pa6.no_interval)
    pa5 = results(*made(8, visits=(4, 1), offset=(0.02, 0.0)))["PA5"]
    assert pa5.value == pytest.approx(20, abs=1)
    assert "1 visit cannot tell" in str(pa5.no_interval)


@pytest.mark.slow
def test_intervals_hold_the_error_of_many_visits() -> None:
    """Zero points of visits scatter by 10 mmag in both bands, which have different numbers of visits."""
    held = {"PA6": 0, "PA5": 0}
    errors: dict[str, list[float]] = {"PA6": [], "PA5": []}
    for seed in range(60):
        found = results(*made(100 + seed, 60, (8, 4), 0.004, (0.02, 0.0), zero_points=0.010))
        for clause, result in found.items():
            low, high = interval_of(result)
            held[clause] += low <= 20 <= high
            assert result.value is not None
            errors[clause].append(result.value - 20)
    assert min(held.values()) >= 51
    assert np.std(errors["PA6"]) == pytest.approx(10 / math.sqrt(8), rel=0.35)
    assert np.std(errors["PA5"]) == pytest.approx(10 * math.sqrt(1 / 8 + 1 / 4), rel=0.35)


def test_motions_are_followed_to_the_epoch_of_the_visits() -> None:
    """A star that has moved by 2" since the epoch of the catalog is found where it is, and not where it was."""
    found, reference = made(9, 100)
    moving = dataclasses.replace(
        reference,
        mjd=np.full(100, 57388.5),
        pmra=np.zeros(100),
        pmdec=np.full(100, 200.0),
        parallax=np.zeros(100),
        dec=reference.dec - 2 / 3600,
    )
    later = dataclasses.replace(found, mjd=np.full(len(found), 57388.5 + 3652.5))
    errors = METRICS[0].estimators["mean_difference"].of_sample(sample(later, reference=moving), {}, SETTINGS)
    assert len(errors.values) == 100
    assert "100 of 100 reference stars moved" in "; ".join(errors.notes)


@needs_realdata
def test_hsc_against_ps1() -> None:
    """As docs/validation.md has it: within a few mmag with the colour terms of the pipelines, and not without."""
    ps1 = reader.load(REALDATA / "refcats" / "ps1_*", "ps1")
    found = readers.load(REALDATA / "hsc/matchedCatalogTract_0_r.fits.gz", "hsc-afw")
    pa6 = results(found, ps1)["PA6"]
    assert pa6.value == pytest.approx(5.44362, abs=1e-4)
    assert pa6.verdict == "pass"
    assert pa6.sample is not None
    assert "44 matched reference stars left out: outside 0 <= g-r and r-i <= 0.5" in "; ".join(pa6.sample.notes)
    both = readers.load(REALDATA / "hsc/matchedCatalogMulti_0_70.fits.gz", "hsc-afw")
    measured = {}
    for name, terms in (("with", both.color_terms), ("without", {})):
        chosen = dataclasses.replace(both, color_terms=terms)
        r, i = results(chosen, ps1), results(chosen, ps1, "i")
        measured[name] = [one.value for one in (r["PA6"], i["PA6"], r["PA5"])]
    assert measured["with"] == pytest.approx([8.56568, 6.59207, 4.93062], abs=1e-4)
    assert measured["without"] == pytest.approx([12.01459, 22.37197, 31.30490], abs=1e-4)
    gaia = reader.load(REALDATA / "refcats" / "gaia_dr2_*", "gaia-dr2")
    assert "gives no magnitudes in band r; it has phot_g_mean, phot_bp_mean, phot_rp_mean" in str(
        results(found, gaia)["PA6"].reason
    )
