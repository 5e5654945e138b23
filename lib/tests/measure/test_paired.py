"""Two processings by star and visit: the table of differences by loops, and surveys of which the truth is known."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy import stats
from skyaccept.lib import measure, requirements
from skyaccept.lib.catalog.association import AMBIGUOUS
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.exceptions import InputError, NotMeasurable
from skyaccept.lib.measure.paired import Pairing, Processing, columns, common, difference
from skyaccept.lib.metrics import absolute_astrometry
from skyaccept.lib.requirements.model import Document
from skyaccept.lib.results.comparison import Change, compare
from skyaccept.lib.results.model import Results
from skyaccept.lib.sample.visit_matrix import VisitMatrix
from skyaccept.lib.tests import samples
from skyaccept.lib.uncertainty import jackknife_bias
from skyaccept.lib.uncertainty.estimator import MatrixErrors, NoSettings
from skyaccept.lib.uncertainty.statistic import Statistic

pytestmark = pytest.mark.xdist_group("pairing")  # what these tests share is made once

Values = np.ndarray

CLAUSES = ("AM1", "AD1", "PA1gri")


def some(document: Document) -> Document:
    """Those clauses of a document that these tests look at."""
    kept = [replace(r, clauses=tuple(c for c in r.clauses if c.id in CLAUSES)) for r in document.requirements]
    return replace(document, requirements=tuple(requirement for requirement in kept if requirement.clauses))


WHOLE = requirements.load()
SPEC = replace(WHOLE, documents=tuple(some(document) for document in WHOLE.documents))
STARS, VISITS, SIGMA = 250, 10, 6.0


def matrix(values: Sequence[Values], objects: Sequence[int], visits: Sequence[int], stars: Values) -> VisitMatrix:
    return VisitMatrix(
        values=tuple(values),
        components=tuple(map(str, range(len(values)))),
        stars=stars,
        n_stars=len(objects),
        objects=np.array(objects, dtype=np.int64),
        visits=np.array(visits),
    )


def offsets(values: VisitMatrix) -> MatrixErrors:
    return MatrixErrors(
        estimator=absolute_astrometry.ESTIMATORS["reference_offset"], matrix=values, settings=NoSettings()
    )


def stored(
    units: dict[tuple[int, ...], dict[int, tuple[float, ...]]], objects: list[int], visits: list[int]
) -> VisitMatrix:
    """Matrix of measurements by objects of the unit and visit, in the order in which these are given."""
    axes = len(next(iter(next(iter(units.values())).values())))
    values = np.full((axes, len(units), len(visits)), np.nan)
    for row, seen in enumerate(units.values()):
        for visit, found in seen.items():
            values[:, row, visits.index(visit)] = found
    place = np.array([[objects.index(one) for one in unit] for unit in units])
    return matrix(list(values), objects, visits, place)


def rms(values: list[float]) -> float:
    return float(np.sqrt(sum(x * x for x in values) / len(values)))


@pytest.mark.parametrize("axes", [1, 2])
@pytest.mark.parametrize("of", ["stars", "pairs"])
def test_the_difference_is_that_of_plain_loops(of: str, axes: int) -> None:
    """Few stars and visits, so that each is a cell and a block; in other orders, and not all of them in both."""
    rng = np.random.default_rng(3)
    units: list[tuple[int, ...]] = (
        [(k,) for k in range(8)] if of == "stars" else list(itertools.combinations(range(7), 2))
    )
    before: dict[tuple[int, ...], dict[int, tuple[float, ...]]] = {
        u: {v: tuple(rng.normal(0, 5, axes)) for v in (3, 4, 5, 6, 7) if rng.random() > 0.15} for u in units[1:]
    }
    after: dict[tuple[int, ...], dict[int, tuple[float, ...]]] = {}
    for unit in reversed(units[:-1]):
        like = before.get(unit, {})
        after[unit[::-1]] = {v: tuple(np.add(like.get(v, 5.0), rng.normal(0.3, 1, axes))) for v in (9, 7, 5, 4, 3)}
    names = sorted({k for unit in units for k in unit})
    here, there = common(
        stored(before, names[::-1], [3, 4, 5, 6, 7]), stored(after, [2, 5, 0, 1, 4, 3, 6, 7], [9, 7, 5, 4, 3])
    )

    measured = {
        (unit, visit): (before[unit][visit], after[unit[::-1]][visit])
        for unit in units
        if unit in before and unit[::-1] in after
        for visit in before[unit]
        if visit in after[unit[::-1]]
    }
    visits = sorted({visit for _, visit in measured})
    kept = [k for k in names[::-1] if any(k in unit for unit, _ in measured)]
    assert here.visits is not None
    assert list(here.visits) == visits == [3, 4, 5, 7]
    assert here.objects is not None
    assert list(here.objects) == kept

    def value(side: int, without_visit: int | None, without_star: int | None) -> float:
        left = [
            found[side]
            for (unit, visit), found in measured.items()
            if visit != without_visit and without_star not in unit
        ]
        return max(rms([one[axis] for one in left]) for axis in range(axes))

    table = np.array([[value(1, v, k) - value(0, v, k) for k in (None, *kept)] for v in (None, *visits)])
    b, g = len(visits), len(kept)
    rows, cols, inner = table[1:, 0], table[0, 1:], table[1:, 1:]
    by_visits = (b - 1) / b * sum((rows - rows.mean()) ** 2)
    by_stars = (g - 1) / g * sum((cols - cols.mean()) ** 2)
    both = [[inner[j, k] - rows[j] - cols[k] + table[0, 0] for k in range(g)] for j in range(b)]
    centred = np.array(both) - np.mean(both, axis=0) - np.mean(both, axis=1)[:, None] + np.mean(both)
    interaction = (b - 1) * (g - 1) / (b * g) * np.sum(centred**2)
    if of == "pairs":
        by_stars, interaction = (x / jackknife_bias.of_stars(here.stars, np.arange(g)) for x in (by_stars, interaction))
    less, more = sorted((by_visits, by_stars))
    alike = max(0, 1 - math.log(more / less) / math.log(4)) * b / 10
    variance = max(by_visits + by_stars - interaction, alike * (less + more) / 2 + (1 - alike) * more)
    weight = min(by_visits / variance, 1)
    freedom = 1 / ((1 - alike) * (weight**2 / (b - 1) + (1 - weight) ** 2 / (g - 1)) + alike / (b + g - 2))
    half = stats.t.ppf(0.95, freedom) * np.sqrt(variance)

    first, second = (offsets(m) for m in (here, there))
    found = difference(first, second, Statistic("rms"), 0.9, "words")
    assert (found.value, found.low, found.high) == pytest.approx(
        (table[0, 0], table[0, 0] - half, table[0, 0] + half), rel=1e-9
    )
    assert (found.paired, found.pairing) == (True, "words")


def test_what_measurements_are_compared_with_is_reduced_as_well() -> None:
    """The mean position in the other band is that of the visits and stars that both hold."""
    rng = np.random.default_rng(4)
    offset, other = rng.normal(0, 5, (6, 5)), rng.normal(0, 5, (6, 4))
    objects, visits = np.arange(6), np.arange(5)
    stars = objects[:, None]
    here = replace(
        matrix([offset], objects.tolist(), visits.tolist(), stars),
        comparison=(other,),
        comparison_visits=np.arange(10, 14),
    )
    lost = other[::-1, 1:].copy()
    lost[0] = np.nan  # star 5 is not seen in the other band
    there = replace(
        matrix([offset[::-1]], objects[::-1].tolist(), visits.tolist(), stars),
        comparison=(lost,),
        comparison_visits=np.arange(11, 15 - 1),
    )
    for found in common(here, there):
        assert found.values[0] == pytest.approx(offset[:5])
        assert found.comparison[0] == pytest.approx(other[:5, 1:])
        assert found.comparison_visits is not None
        assert list(found.comparison_visits) == [11, 12, 13]
    apart = replace(there, comparison_visits=np.arange(20, 23))
    with pytest.raises(NotMeasurable, match="no visit of the band compared with in common"):
        common(here, apart)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"visits": np.arange(10, 15)}, "the datasets have no visit in common"),
        ({"objects": np.arange(10, 16)}, "the datasets have no star in common"),
        ({"values": (np.full((6, 5), np.nan),)}, "the datasets have no measurement of a star in common"),
    ],
)
def test_what_has_nothing_in_common_says_so(change: dict[str, object], words: str) -> None:
    one = matrix([np.ones((6, 5))], list(range(6)), list(range(5)), np.arange(6)[:, None])
    with pytest.raises(NotMeasurable, match=words):
        common(one, replace(one, **change))  # type: ignore[arg-type]


def test_what_no_replicate_tells_apart_is_no_certainty() -> None:
    """The same measurements differ by nothing; others of which no share changes have no interval."""
    values = np.random.default_rng(1).normal(0, 1, (30, 6))
    one = offsets(matrix([values], list(range(30)), list(range(6)), np.arange(30)[:, None]))
    assert difference(one, one, Statistic("rms"), 0.95, "").high == 0
    twice = offsets(replace(one.matrix, values=(values + 1e-3,)))
    with pytest.raises(NotMeasurable, match="nothing changes when stars or visits are left out"):
        difference(one, twice, Statistic("above", 1e6), 0.95, "")


@cache
def sky(seed: int = 1, sigma: float = SIGMA) -> AssociatedDetections:
    """Stars about RA = 0 seen in all visits, the same draws whatever their errors."""
    rng = np.random.default_rng(seed)
    found = samples.detections(*samples.scattered(rng, STARS, VISITS, sigma, (0.0, -20.0)))
    magnitude = 20 + np.random.default_rng(seed + 1).normal(0, 0.004, len(found))
    return replace(found, mag=magnitude, sha256=f"sky {seed} {sigma}")


def noisier(found: AssociatedDetections, extra: float, seed: int) -> AssociatedDetections:
    """Each measurement with another error of its own, mas."""
    shift = np.random.default_rng(seed).normal(0, extra / 3.6e6, (2, len(found)))
    ra = (found.ra + shift[0] / np.cos(np.radians(found.dec))) % 360
    return replace(found, ra=ra, dec=found.dec + shift[1], sha256=f"{found.sha256} + {extra} {seed}")


def taken(found: AssociatedDetections, rows: Values) -> AssociatedDetections:
    """Some rows, in their order, as a reader would give them: with codes of the visits and objects that are left."""
    parts = {
        field.name: value[rows]
        for field in dataclasses.fields(found)
        if isinstance(value := getattr(found, field.name), np.ndarray)
    }
    codes, parts["visit"] = np.unique(parts["visit"], return_inverse=True)
    # objects are numbered as they appear
    _, first, label = np.unique(parts["object"], return_index=True, return_inverse=True)
    parts["object"] = np.argsort(np.argsort(first))[label]
    flags = {name: values[rows] for name, values in found.flags.items()}
    names = tuple(found.visits[code] for code in codes)
    return replace(found, **parts, flags=flags, visits=names, sha256=f"{found.sha256}, some")


def verified(found: AssociatedDetections) -> Results:
    return measure.run(found, SPEC, measure.Options(bands=["r"], confidence=None))


def paired(before: AssociatedDetections, after: AssociatedDetections) -> dict[str, Change]:
    """Changes by clause."""
    first, second = verified(before), verified(after)
    pair = Pairing(Processing(first, before, "a.json"), Processing(second, after, "b.json"), SPEC)
    return {
        c.test.split("-")[-2]: c
        for c in compare(first, second, pair=pair)
        if "AM" in c.test or "AD" in c.test or "PA1" in c.test
    }


@pytest.mark.slow
def test_one_per_cent_more_of_the_same_error_shows() -> None:
    """6 mas and 6.05 mas from the same draws."""
    found = paired(sky(), sky(1, 6.05))
    am1 = found["AM1"]
    assert (am1.flag, am1.paired) == ("worse", True)
    assert am1.difference == pytest.approx(0.05 * np.sqrt(2), rel=0.15)
    assert (am1.low or 0) > 0
    assert paired(sky(1, 6.05), sky())["AM1"].flag == "better"
    assert found["PA1gri"].flag == "same"
    assert (found["PA1gri"].low, found["PA1gri"].high) == (0, 0)


@pytest.mark.slow
def test_measuring_again_is_no_change() -> None:
    """Independent errors of the same size in both: flagged in about one of twenty, either way."""
    flags = [
        paired(noisier(sky(seed), 1.0, 100 + seed), noisier(sky(seed), 1.0, 200 + seed))["AM1"].flag
        for seed in range(1, 13)
    ]
    assert flags.count("same") >= 10


@pytest.mark.slow
def test_the_order_of_rows_objects_and_visits_changes_nothing() -> None:
    after = noisier(sky(), 1.0, 7)
    rows = np.random.default_rng(8).permutation(len(after))
    found, again = paired(sky(), after), paired(sky(), taken(after, rows))
    for name, change in found.items():
        assert again[name].pairing == change.pairing
        for end in ("difference", "low", "high"):
            assert getattr(again[name], end) == pytest.approx(getattr(change, end), rel=1e-6, abs=1e-9)
    assert len(found) >= 3


@pytest.mark.slow
def test_stars_and_visits_not_in_both_are_left_out_and_counted() -> None:
    """As if both had been reduced to what both have."""
    before, after = sky(), noisier(sky(), 2.0, 7)
    lost = np.isin(before.object, np.arange(0, STARS, 25)) | np.isin(before.visit, [2, 6])
    lost |= np.random.default_rng(5).random(len(before)) < 0.05
    some = taken(after, np.flatnonzero(~lost)[::-1])
    found = paired(before, some)["AM1"]
    alike = paired(taken(before, np.flatnonzero(~lost)), some)["AM1"]
    assert " and 8 of 10 (after: 8) visits in common; stars without a counterpart: 10 before, 0 after" in str(
        found.pairing
    )
    # mean positions of more visits move a few pairs into the class or out of it, and more stars make other cells
    assert found.difference == pytest.approx(alike.difference, rel=0.01)
    assert found.low == pytest.approx(alike.low, rel=0.1)
    assert found.high == pytest.approx(alike.high, rel=0.1)
    back = paired(some, before)["AM1"]
    assert "; stars without a counterpart: 0 before, 10 after" in str(back.pairing)
    assert back.difference == pytest.approx(-(found.difference or 0), rel=1e-6)


@pytest.mark.slow
def test_a_star_that_moved_beyond_the_radius_has_no_counterpart() -> None:
    before = sky()
    moved = before.dec + np.where(before.object == 3, 1.2 / 3600, np.where(before.object == 4, 0.8 / 3600, 0))
    found = paired(before, replace(before, dec=moved, sha256="moved"))["AM1"]
    assert "; stars without a counterpart: 1 before, 1 after" in str(found.pairing)


@pytest.mark.slow
def test_detections_of_no_object_do_not_matter() -> None:
    before = sky()
    label = before.object.copy()
    label[before.object == 9] = AMBIGUOUS
    after = replace(noisier(before, 1.0, 3), object=label)
    assert "249 " not in str(paired(before, before)["AM1"].pairing)
    assert "; stars without a counterpart: 1 before, 0 after" in str(paired(before, after)["PA1gri"].pairing)


def renamed(found: AssociatedDetections) -> AssociatedDetections:
    return replace(found, visits=tuple(f"x{name}" for name in found.visits), sha256="renamed")


@pytest.mark.slow
def test_surveys_without_common_visits_compare_as_independent() -> None:
    before, after = sky(), renamed(noisier(sky(), 1.0, 3))
    first, second = (measure.run(d, SPEC, measure.Options(bands=["r"])) for d in (before, after))
    pair = Pairing(Processing(first, before, "a.json"), Processing(second, after, "b.json"), SPEC)
    (found,) = (c for c in compare(first, second, pair=pair) if c.test == "OSS-REQ-0388-AM1-r")
    (plain,) = (c for c in compare(first, second) if c.test == "OSS-REQ-0388-AM1-r")
    assert found.pairing == "as independent; not by star and visit: the datasets have no visit in common"
    assert replace(found, pairing=plain.pairing) == plain
    without = paired(before, after)["AM1"]
    assert without.flag == "not_comparable"
    assert str(without.reason).endswith("not by star and visit: the datasets have no visit in common")


def test_too_few_common_visits_say_what_it_takes() -> None:
    before, after = sky(), sky(1, 6.05)
    two = replace(after, visits=tuple(f"{'x' * (k > 1)}{k}" for k in range(VISITS)))
    assert "no interval: 2 visits cannot tell" in str(paired(before, two)["AM1"].reason)


def edited(results: Results, factor: float) -> Results:
    moved = tuple(replace(r, value=None if r.value is None else r.value * factor) for r in results.results)
    return replace(results, results=moved)


@pytest.mark.slow
def test_results_that_the_datasets_do_not_give_are_refused() -> None:
    before, after = sky(), sky(1, 6.05)
    first, second = verified(before), verified(after)
    with pytest.raises(InputError, match=r"test: is not what a\.json was made of: the sha256 of the dataset is sky 1"):
        Processing(second, before, "a.json")
    there = Processing(second, after, "b.json")
    pair = Pairing(Processing(edited(first, 1 + 1e-8), before, "a.json"), there, SPEC)
    with pytest.raises(InputError, match=r"a\.json: OSS-REQ-0387-PA1gri-r is .* measured anew on test: by another"):
        compare(edited(first, 1 + 1e-8), second, pair=pair)
    # what rounds differently is no other value
    rounded = edited(first, 1 + 1e-13)
    pair = Pairing(Processing(rounded, before, "a.json"), there, SPEC)
    assert compare(rounded, second, pair=pair)


def test_a_clause_that_the_documents_lack_is_not_paired() -> None:
    before, after = sky(), sky(1, 6.05)
    first, second = verified(before), verified(after)
    pair = Pairing(
        Processing(first, before, "a.json"), Processing(second, after, "b.json"), requirements.load("LPM-17")
    )
    (found,) = (c for c in compare(first, second, pair=pair) if c.test == "OSS-REQ-0388-AM1-r")
    assert "the requirement documents that were named have no such clause" in str(found.reason)


def test_columns_follow_the_definitions_named_in_the_results() -> None:
    plain, srd = (
        measure.run(sky(), WHOLE, measure.Options(bands=["r"], confidence=None, definition=d)) for d in (None, "srd")
    )
    cases = WHOLE.cases(["r"])
    assert columns(plain, WHOLE) == measure.needs(WHOLE, cases)
    assert columns(srd, WHOLE) == measure.needs(WHOLE, cases, measure.Options(definition="srd"))


@pytest.mark.slow
def test_samples_of_many_measurements_are_of_the_same_stars(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the measurements: both take nearly the same stars, whatever the order of their objects."""
    before, after = sky(), noisier(sky(), 1.0, 7)
    rows = np.random.default_rng(8).permutation(len(after))
    whole = paired(before, after)["AM1"]
    monkeypatch.setattr("skyaccept.lib.measure.plan.LIMIT", 5000)
    found = paired(before, taken(after, rows))["AM1"]
    said = str(found.pairing)
    assert "; replicates of " in said
    number, _, of = said.split(" measurements, ")[1].split(" pairs")[0].replace(",", "").split()[:3]
    assert int(number) >= 0.9 * int(of) > 100
    assert found.difference == pytest.approx(whole.difference, abs=4 * ((whole.high or 0) - (whole.low or 0)))
