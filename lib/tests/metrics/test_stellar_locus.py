import dataclasses
import math
import statistics

import numpy as np
import pytest
from skyaccept.lib import measure, requirements
from skyaccept.lib.catalog.colors import ColorRange, Locus
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.metrics.stellar_locus import Line, fit
from skyaccept.lib.results.model import Result
from skyaccept.lib.tests.records import interval_of
from skyaccept.lib.tests.reference import percentile
from skyaccept.lib.tests.samples import detections, scattered

SPECIFICATION = requirements.load(["diagnostics"])

LOCUS = Locus(ColorRange(("g", "r"), 0.28, 1.0), ColorRange(("r", "i"), 0.02, 0.48), (3.5, 5.0))


def made(
    seed: int, stars: int = 600, visits: int = 5, width: float = 0.02, noise: float = 0.0, zero_points: float = 0.0
) -> AssociatedDetections:
    """Stars along r - i = 0.483 (g - r) - 0.042 with a Gaussian width at right angles, mag, and some that are not."""
    rng = np.random.default_rng(seed)
    ra, dec, obj, visit = scattered(rng, stars, 3 * visits, 0.0, (150.0, 2.0))
    along, aside = rng.uniform(0.0, 1.4, stars), rng.normal(0, width, stars)
    angle = math.atan(0.483)
    x = along * math.cos(angle) - aside * math.sin(angle)
    y = along * math.sin(angle) + aside * math.cos(angle) - 0.042
    y[::50] += 0.5
    r = rng.uniform(17, 21, stars)
    band = visit // visits
    mag = np.stack([r + x, r, r - y])[band, obj] + rng.normal(0, noise, len(obj))
    mag += rng.normal(0, zero_points, 3 * visits)[visit] if zero_points else 0.0
    found = detections(ra, dec, obj, visit)
    return dataclasses.replace(
        found, band=band.astype(np.int16), bands=("g", "r", "i"), mag=mag, snr=np.full(len(mag), 400.0)
    )


def width(found: AssociatedDetections) -> Result:
    """WPerp."""
    (case,) = [case for case in SPECIFICATION.cases(["r"]) if case.clause.id == "wPerp"]
    return measure.Measurer(found, SPECIFICATION).measure(case)


def plain(found: AssociatedDetections) -> float:
    """The same by plain loops; the line by stepping through angles, finer and finer."""
    mags: dict[int, dict[int, list[float]]] = {}
    assert found.mag is not None
    for star, band, mag in zip(found.object, found.band, found.mag, strict=True):
        mags.setdefault(int(star), {}).setdefault(int(band), []).append(float(mag))
    points = []
    for seen in mags.values():
        if len(seen) == 3:
            g, r, i = (statistics.fmean(seen[k]) for k in range(3))
            points.append((g - r, r - i))

    def line(used: list[tuple[float, float]]) -> tuple[float, float, float]:
        x0, y0 = (statistics.fmean(point[k] for point in used) for k in (0, 1))
        best, step = 0.4, 0.4
        for _ in range(12):
            angles = [best + step * k / 10 for k in range(-10, 11)]
            best = min(
                angles, key=lambda a: sum((math.cos(a) * (y - y0) - math.sin(a) * (x - x0)) ** 2 for x, y in used)
            )
            step /= 5
        return x0, y0, best

    def distance(point: tuple[float, float], of: tuple[float, float, float]) -> float:
        return math.cos(of[2]) * (point[1] - of[1]) - math.sin(of[2]) * (point[0] - of[0])

    used = [(x, y) for x, y in points if 0.28 < x < 1.0 and 0.02 < y < 0.48]
    for clip in (3.5, 5.0):
        now = line(used)
        slope = math.tan(now[2])
        ends = [(x, now[1] + slope * (x - now[0])) for x in (0.28, 1.0)]
        # on the inner side of the perpendicular through each end
        between = [p for p in points if p[1] - ends[0][1] > -(p[0] - ends[0][0]) / slope]
        between = [p for p in between if p[1] - ends[1][1] < -(p[0] - ends[1][0]) / slope]
        sizes = [distance(p, now) for p in between]
        reach = clip * 0.74 * (percentile(sizes, 75) - percentile(sizes, 25))
        used = [p for p in between if abs(distance(p, now)) <= reach]
    last = [1000 * distance(p, line(used)) for p in used]
    middle = statistics.median(last)
    return 1.482602218505602 * statistics.median(abs(d - middle) for d in last)


@pytest.mark.slow
def test_the_width_agrees_with_plain_loops() -> None:
    """On stars that are not seen in every visit, or not in every band."""
    whole = made(1, 300, 3, 0.02, 0.01)
    keep = (whole.object + whole.visit) % 5 > 0
    keep &= ~((whole.object < 10) & (whole.band == 0))
    names = ("ra", "dec", "visit", "band", "object", "mag", "snr", "extendedness")
    rows = {name: getattr(whole, name)[keep] for name in names}
    found = dataclasses.replace(whole, **rows, flags={})
    result = width(found)
    assert result.value == pytest.approx(plain(found), rel=1e-5)
    assert (result.verdict, result.unit, result.limit) == (None, "mmag", None)
    assert result.sample is not None
    assert result.sample.notes[0].startswith("290 stars have all of g, r, i; ")
    assert "colours not corrected for extinction" in result.sample.notes


def test_the_injected_width_and_line_come_out() -> None:
    found = made(2, 3000, 3, 0.015)
    result = width(found)
    assert result.value == pytest.approx(15, abs=0.8)
    assert result.sample is not None
    words = result.sample.notes[1].split()
    assert words[:2] == ["r-i", "="]
    assert float(words[2]) == pytest.approx(0.483, abs=0.005)
    assert float(words[4]) == pytest.approx(-0.042, abs=0.004)


@pytest.mark.slow
def test_the_noise_of_few_visits_is_taken_off() -> None:
    """12 mmag in each of four visits widen 12 mmag to 14; the interval of many surveys holds the true width."""
    held, values, unbiased = 0, [], []
    for seed in range(30):
        result = width(made(10 + seed, 600, 4, 0.012, 0.012))
        assert result.interval is not None
        assert result.value is not None
        assert result.value_unbiased is not None
        low, high = interval_of(result)
        held += low <= 12 <= high
        values.append(result.value)
        unbiased.append(result.value_unbiased)
    # of a distance with slope t: (1 + (1 + t)^2 + t^2) / (1 + t^2) times the variance of a mean magnitude
    t = 0.483
    noise = (t**2 + (1 + t) ** 2 + 1) / (1 + t**2) * 12**2 / 4
    assert np.mean(values) == pytest.approx(math.sqrt(12**2 + noise), rel=0.02)
    assert np.mean(unbiased) == pytest.approx(12, rel=0.03)
    assert held >= 26


def test_a_shift_of_all_colours_changes_nothing() -> None:
    """Zero points that are off move the locus and not its width, as long as the box still holds it."""
    found = made(3, 800, 3, 0.02)
    assert found.mag is not None
    moved = dataclasses.replace(found, mag=found.mag + np.array([0.01, 0.0, -0.01])[found.band])
    assert width(moved).value == pytest.approx(width(found).value, rel=0.05)


def test_what_cannot_be_measured_is_said() -> None:
    found = made(4, 100, 2)
    two = dataclasses.replace(found, bands=("g", "r", "z"))
    assert (width(two).verdict, width(two).reason) == (
        "not_measurable",
        "the dataset has no detections in band i; it has g, r, z",
    )
    apart = dataclasses.replace(found, object=found.object + 100 * found.band)
    assert width(apart).reason == "no star has all of g, r, i"
    assert found.mag is not None
    red = dataclasses.replace(found, mag=found.mag + np.array([3.0, 0.0, 0.0])[found.band])
    assert "only 0 stars in the box 0.28 <= g-r <= 1, 0.02 <= r-i <= 0.48" in str(width(red).reason)
    with pytest.raises(NotMeasurable, match="a line takes 3"):
        fit(np.full(5, np.nan), np.full(5, 0.2), LOCUS)
    once = width(made(5, 200, 1))
    assert once.value is not None
    assert "1 visit cannot tell" in str(once.no_interval)


@pytest.mark.parametrize("angle", [-0.6, 0.0, 0.45, 1.2])
def test_a_line_is_the_principal_axis(angle: float) -> None:
    rng = np.random.default_rng(6)
    along, aside = rng.normal(0, 1.0, 4000), rng.normal(0, 0.1, 4000)
    x = 2 + along * np.cos(angle) - aside * np.sin(angle)
    y = -1 + along * np.sin(angle) + aside * np.cos(angle)
    line = Line.least_squares(x, y)
    assert line.angle == pytest.approx(angle, abs=0.01)
    _, _, axes = np.linalg.svd(np.stack([x - x.mean(), y - y.mean()], axis=1), full_matrices=False)
    assert abs(axes[0] @ [np.cos(line.angle), np.sin(line.angle)]) == pytest.approx(1, abs=1e-12)
    assert np.std(line.distance(x, y)) == pytest.approx(0.1, rel=0.05)
    np.testing.assert_allclose(np.hypot(line.distance(x, y), line.along(x, y)), np.hypot(x - line.x, y - line.y))
