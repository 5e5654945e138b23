import pytest
from skyaccept.lib import measure, requirements
from skyaccept.lib.association import associate
from skyaccept.lib.errors import InputError
from skyaccept.synthetic import scenario, survey
from skyaccept.synthetic.tests.surveys import RADIUS

ASTROMETRY = "AB1 AB2 ABF1 AD1 AD2 AD3 AF1 AF2 AF3 AM1 AM2 AM3"

REACTIONS = {
    "band-offset": ("AB1", ""),
    "detector-rotation": ("AB1 AB2 ABF1 AD2 AF2 AM1 AM2", "AD1 AD3 AF1 AF3 AM3"),
    "detector-shift": (ASTROMETRY, ""),
    "detector-zero-point": ("PA1 PA2 PF1", ""),
    "distortion": ("AD3 AF3 AM3", "AB1 AB2 ABF1 AM2"),
    "duplicates": ("", ""),
    "galaxies-as-stars": ("PA2 PF1", ""),
    "gradient": ("PA1 PA2 PF1", ""),
    "jitter": ("AB1 AD1 AD2 AF1 AF2 AM1 AM2", ""),
    "mirrored-detectors": ("AB1", ""),
    "misassociation": ("AB1 AB2 ABF1 AD1 AD2 AF1 AF2", "AD3 AF3 PA2 PF1"),
    "missing-visits": ("", ""),
    "not-a-number": ("", ""),
    "plate-scale": ("AB1 AB2 ABF1 AD3 AF3 AM3", "AD2 AF2 AM2"),
    "proper-motion": ("AB1 AD1 AD2 AF1 AF2 AM1 AM2", "AB2 ABF1 AD3 AF3 AM3"),
    "radians": ("", ""),
    "refraction": ("AB1 AB2 ABF1", ""),
    "swapped-visits": ("PA1 PA2 PF1", ""),
    "truncation": ("AB1 AB2 ABF1 AD1 AD2 AD3 AF1 AF2 AF3 AM1 AM2", "AM3"),
    "unflagged-saturation": ("AB1 AB2 ABF1 AD1 AD2 AD3 AF1 AF2 AF3 PA1 PA2 PF1", ""),
    "visit-zero-point": ("PA1 PA2 PF1", ""),
    "wrong-epoch": ("AA1", ""),
    "wrong-gain": ("", ""),
}
"""Clauses of LSE-30 that miss the design level in some band, and those that may, being close to it."""

REFUSED = {"repeated-rows": "identical in every column", "wrapped-ra": r"column 'ra': -.* is outside \[0, 360\]"}


def values(name: str) -> dict[str, list[float | None]]:
    """Measured values over limits, by clause without its band group."""
    chosen = scenario.load(name)
    detections = associate(survey.simulate(chosen).detections, RADIUS)
    bands, catalog = sorted(chosen.visits.number), survey.reference(chosen)
    found: dict[str, list[float | None]] = {}
    for result in measure.run(detections, requirements.load(), bands=bands, reference=catalog).results:
        assert result.limit is not None
        clause = result.clause.removesuffix("gri").removesuffix("uzy")
        found.setdefault(clause, []).append(None if result.value is None else result.value / result.limit)
    return found


def test_every_fault_has_its_reaction() -> None:
    names = {name.removeprefix("fault-") for name in scenario.shipped() if name.startswith("fault-")}
    assert {*REACTIONS, *REFUSED} == names
    assert not set(REACTIONS) & set(REFUSED)


@pytest.mark.parametrize("name", REACTIONS)
def test_the_clauses_that_should_react_to_a_fault_do_and_no_others(name: str) -> None:
    found = values(f"fault-{name}")
    must, may = (set(part.split()) for part in REACTIONS[name])
    reacting = {clause for clause, ratios in found.items() if any(ratio is not None and ratio > 1 for ratio in ratios)}
    assert must <= reacting <= must | may
    lost = {clause for clause, ratios in found.items() if None in ratios}
    assert lost == ({*ASTROMETRY.split(), "AA1"} - {"AB1", "AB2", "ABF1"} if name == "radians" else set())


@pytest.mark.parametrize("name", REFUSED)
def test_a_catalog_that_no_survey_should_have_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=REFUSED[name]):
        survey.simulate(scenario.load(f"fault-{name}"))


def test_a_year_of_lsst_meets_every_clause() -> None:
    """All six bands; the mixture stands beside the nominal survey for faults that take time or blue bands."""
    found = values("lsst-year")
    assert all(ratio is not None and ratio <= 1 for ratios in found.values() for ratio in ratios)


def test_few_visits_of_hsc_cannot_say_am3_and_the_other_clauses_are_measured() -> None:
    found = values("hsc-few-visits")
    lost = {clause for clause, ratios in found.items() if None in ratios}
    assert lost == {"AM3", "AF3", "AD3"}


def test_many_visits_of_ztf_miss_all_but_absolute_astrometry() -> None:
    found = values("ztf-many-visits")
    passing = {clause for clause, ratios in found.items() if all(ratio is not None and ratio <= 1 for ratio in ratios)}
    assert passing == {"AA1"}
