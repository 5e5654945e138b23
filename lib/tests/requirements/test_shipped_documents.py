"""Shipped requirement documents: the published limits, levels and sources."""

from __future__ import annotations

import astropy.units as u
import pytest
from skyaccept.lib import requirements
from skyaccept.lib.report import specs
from skyaccept.lib.requirements.limits import Limit
from skyaccept.lib.requirements.model import Uncovered
from skyaccept.lib.tests.requirements.documents import (
    CLAUSES,
    LEVELS,
    METRIC,
    PHOTOMETRY,
    POSITIONS,
    SHAPES,
    ZERO_POINTS,
    clauses,
)

# Table 18 of LPM-17: design, minimum, stretch
AM = {"1": (10, 20, 5), "2": (10, 20, 5), "3": (15, 30, 10)}


AF = (10, 20, 5)


AD = {"1": (20, 40, 10), "2": (20, 40, 10), "3": (30, 50, 20)}


# LPM-17, for either band group; u, z, y may be 50 % larger
PA1 = {"gri": (5, 8, 3), "uzy": (7.5, 12, 4.5)}
PF1 = (10, 20, 5)
PA2 = {"gri": (15, 15, 10), "uzy": (22.5, 22.5, 15)}
SEPARATION = {"1": 5, "2": 20, "3": 200}


@pytest.mark.parametrize("number", ["1", "2", "3"])
@pytest.mark.parametrize(("name", "definition"), [("LSE-30", "lvv-t1278"), ("LPM-17", "srd")])
def test_limits_are_the_published_ones(name: str, definition: str, number: str) -> None:
    """AM, AF and AD at three levels, each with the partner threshold of its level."""
    found = clauses(requirements.load([name]))
    for i, level in enumerate(LEVELS):
        am, af, ad = (found[f"{kind}{number}"].levels[level] for kind in ("AM", "AF", "AD"))
        assert am.limit == Limit("<=", AM[number][i] * u.mas)
        assert am.parameters == {}
        assert af.limit == Limit("<=", AF[i] * u.percent)
        assert af.parameters == {"AD": AD[number][i] * u.mas}
        assert ad.limit == Limit("<=", AD[number][i] * u.mas)
        assert ad.parameters == {"AF": AF[i] * u.percent}
    for kind, metric in METRIC.items():
        clause = found[f"{kind}{number}"]
        assert clause.metric == metric
        assert clause.definition == definition
        assert clause.parameters == {"separation": SEPARATION[number] * u.arcmin}
        assert clause.bands == ("r", "i")
        assert tuple(clause.levels) == LEVELS
        assert clause.sample is None
        assert clause.half_width is None
        assert clause.text


@pytest.mark.parametrize("group", ["gri", "uzy"])
@pytest.mark.parametrize("name", ["LSE-30", "LPM-17"])
def test_photometric_limits_are_the_published_ones(name: str, group: str) -> None:
    """PA1, PF1 and PA2 of a band group at three levels, each of the last two with the other as its partner."""
    found = clauses(requirements.load([name]), 0)
    pa1, pf1, pa2 = (found[f"{kind}{group}"] for kind in ("PA1", "PF1", "PA2"))
    for i, level in enumerate(LEVELS):
        assert pa1.levels[level].limit == Limit("<=", PA1[group][i] * u.mmag)
        assert pa1.levels[level].parameters == {}
        assert pf1.levels[level].limit == Limit("<=", PF1[i] * u.percent)
        assert pf1.levels[level].parameters == {"PA2": PA2[group][i] * u.mmag}
        assert pa2.levels[level].limit == Limit("<=", PA2[group][i] * u.mmag)
        assert pa2.levels[level].parameters == {"PF1": PF1[i] * u.percent}
    for clause in (pa1, pf1, pa2):
        assert clause.bands == tuple(group)
        assert clause.definition == "srd"
        assert tuple(clause.levels) == LEVELS
        design, *others = (clause.levels[level].source for level in LEVELS)
        assert design.document == name
        assert {(s.document, s.version, s.page, s.table) for s in others} == {("LPM-17", "5.2.3", None, None)}
        assert clause.verification == (("LVV-T389",) if name == "LSE-30" else ())


def test_units_of_the_published_limits_are_the_fields_own() -> None:
    """Limits are kept in mas and percent, not converted."""
    for name in ("LSE-30", "LPM-17"):
        for clause in clauses(requirements.load([name])).values():
            unit = u.percent if clause.metric.endswith("_outliers") else u.mas
            assert {level.limit.bound.unit for level in clause.levels.values()} == {unit}


def test_oss_req_0388_has_its_thirteen_clauses_in_order() -> None:
    """With the verification element, which LPM-17 itself does not have."""
    specification = requirements.load()
    (doc,) = specification.documents
    assert doc.document == "LSE-30"
    assert [(r.id, r.kind) for r in doc.requirements] == [
        ("OSS-REQ-0387", "performance"),
        ("OSS-REQ-0388", "performance"),
        ("OSS-REQ-0403", "performance"),
    ]
    assert tuple(clauses(specification, 0)) == PHOTOMETRY + ZERO_POINTS
    assert tuple(clauses(specification)) == CLAUSES + POSITIONS
    for name, clause in clauses(specification).items():
        assert clause.verification == (() if name in POSITIONS else ("LVV-T1278",))
    srd = requirements.load(["LPM-17"])
    assert (srd.documents[0].document, srd.documents[0].requirements[0].id) == ("LPM-17", "LPM-17")
    assert tuple(clauses(srd)) == CLAUSES + POSITIONS
    assert {clause.verification for clause in clauses(srd).values()} == {()}


def test_design_limits_of_lse_30_name_how_they_are_known() -> None:
    """LSE-30 was not at hand; its minimum and stretch levels are those of LPM-17. No page is invented."""
    for name, clause in clauses(requirements.load()).items():
        design, *others = (clause.levels[level].source for level in LEVELS)
        assert design.document == "LSE-30"
        assert "LSE-61" in str(design.via)
        table = None if name in POSITIONS else 18
        assert [(s.document, s.version, s.table) for s in others] == [("LPM-17", "5.2.3", table)] * 2
        assert {s.page for s in (design, *others)} == {None}
    for name, clause in clauses(requirements.load(["LPM-17"])).items():
        source = "LPM-17, version 5.2.3" + ("" if name in POSITIONS else ", table 18")
        assert {str(level.source) for level in clause.levels.values()} == {source}


def test_the_limits_of_positions_are_those_of_lpm_17() -> None:
    """AB against r, in all bands but r; AA1 in all."""
    limits = {"AB1": (10, 20, 5), "ABF1": (10, 20, 5), "AB2": (20, 40, 10), "AA1": (50, 100, 20)}
    partners = {"AB1": {}, "ABF1": {"AB2": (20, 40, 10)}, "AB2": {"ABF1": (10, 20, 5)}, "AA1": {}}
    for document in ("LSE-30", "LPM-17"):
        found = clauses(requirements.load([document]))
        for name in POSITIONS:
            clause = found[name]
            assert (clause.definition, clause.against) == ("srd", None if name == "AA1" else "r")
            assert set(clause.bands) == set("ugrizy" if name == "AA1" else "ugizy")
            for k, level in enumerate(LEVELS):
                assert clause.levels[level].limit.bound.value == limits[name][k]
                stated = {key: value.value for key, value in clause.levels[level].parameters.items()}
                assert stated == {key: values[k] for key, values in partners[name].items()}


@pytest.mark.parametrize("name", ["LSE-30", "LPM-17"])
def test_the_limits_of_ellipticities_are_those_of_lpm_17(name: str) -> None:
    """Of TE1 to TE4, each level tighter than the one below; TEF goes with TE3 and with TE4."""
    limits = {
        "TE1": (2e-5, 3e-5, 1e-5),
        "TE2": (1e-7, 3e-7, 5e-8),
        "TE3": (4e-5, 6e-5, 2e-5),
        "TE4": (2e-7, 5e-7, 1e-7),
    }
    shares, none = (15, 15, 10), u.dimensionless_unscaled
    specification = requirements.load([name])
    found = clauses(specification, 2)
    assert tuple(found) == SHAPES
    for k, level in enumerate(LEVELS):
        for clause, values in limits.items():
            assert found[clause].levels[level].limit == Limit("<=", values[k] * none)
        for clause in ("TE3", "TE4"):
            share = found[f"TEF-{clause}"].levels[level]
            assert found[clause].levels[level].parameters == {"TEF": shares[k] * u.percent}
            assert share.limit == Limit("<=", shares[k] * u.percent)
            assert share.parameters == {"TE": limits[clause][k] * none}
    assert not specification.notes


def test_every_shipped_clause_has_a_case_or_a_reason() -> None:
    """And `skyaccept specs` prints either, with definition, limits, sources and verification elements."""
    names = list(requirements.shipped())
    assert {"LSE-30", "LPM-17", "LSE-61", "diagnostics"} <= set(names)
    for name in names:
        specification = requirements.load([name])
        cases = specification.cases()
        printed = specs.table(specification)
        for requirement in specification.documents[0].requirements:
            heading = printed.index(
                next(line for line in printed if line.startswith(f"  {requirement.id}: {requirement.title}"))
            )
            assert requirement.kind in printed[heading]
            for clause in requirement.clauses:
                start = heading + next(
                    k for k, line in enumerate(printed[heading:]) if line.startswith(f"    {clause.id}: ")
                )
                end = next(
                    (k for k in range(start + 1, len(printed)) if not printed[k].startswith("      ")), len(printed)
                )
                block = "\n".join(printed[start:end])
                assert all(element in block for element in clause.verification)
                for level, stated in clause.levels.items():
                    assert any(
                        line.split()[0] == level and str(stated.limit) in line and f"[{stated.source}]" in line
                        for line in printed[start + 1 : end]
                    )
                tests = [case.id for case in cases if (case.requirement, case.clause) == (requirement, clause)]
                if isinstance(clause, Uncovered):
                    assert clause.not_covered in block
                    assert "not covered" in printed[start]
                else:
                    assert [test.rsplit("-", 1)[1] for test in tests] == list(clause.bands)
                    assert all(test in block for test in tests)
                    assert f"{clause.metric} under {clause.definition}" in printed[start]


def test_lse_61_has_capabilities_with_verification_elements() -> None:
    """All eighteen parameters of DMS-REQ-0359 and those of the others have their element, with its test case."""
    photometric, astrometric, shapes = requirements.load(["LSE-61"]).documents[0].requirements
    assert {r.kind for r in (photometric, astrometric, shapes)} == {"capability"}
    every = (*photometric.clauses, *astrometric.clauses, *shapes.clauses)
    elements = {clause.id: clause.verification for clause in every}
    assert all(len(found) == 1 for found in elements.values())
    assert elements["PA1gri"] == ("LVV-9759 (LVV-T1757)",)
    assert elements["Xtalk"] == ("LVV-9757 (LVV-T1843)",)
    assert elements["AM3"] == ("LVV-9774 (LVV-T1751)",)
    assert len({found for clause in photometric.clauses for found in clause.verification}) == 18
    assert {clause.id for clause in photometric.covered} == set(PHOTOMETRY + ZERO_POINTS) - {"PF2u", "PA4u"}
    assert {clause.id for clause in astrometric.covered} == set(CLAUSES + POSITIONS)
    performance = requirements.load(["LSE-30"]).documents[0].requirements
    assert {clause.id for clause in shapes.covered} == set(SHAPES)
    assert elements["TE3"] == ("LVV-9783 (LVV-T2177)",)
    for asked, required in zip((photometric, astrometric, shapes), performance, strict=True):
        limits = {clause.id: clause.levels["design"] for clause in required.covered}
        for clause in asked.covered:
            target = clause.levels["design"]
            assert (target.limit, target.parameters) == (limits[clause.id].limit, limits[clause.id].parameters)


def test_release_targets_and_their_oddities_match_the_source() -> None:
    """By year: PA1, PA2, AM as verify_metrics has them; AM2 at ORR and PA2 in u, z, y do not fit LPM-17."""
    (doc,) = requirements.load(["release-targets"]).documents
    years = {requirement.id: {c.id: c for c in requirement.covered} for requirement in doc.requirements}
    assert list(years) == ["FY17", "FY18", "FY19", "FY20", "ORR"]

    def targets(clause: str) -> list[float]:
        """Of all years."""
        return [float(found[clause].levels["design"].limit.bound.value) for found in years.values()]

    assert targets("PA1gri") == [8, 8, 6, 5.5, 5]
    assert targets("PA1uzy") == [12, 12, 8, 8, 7.5]
    assert targets("PA2gri") == targets("PA2uzy") == [22.5, 20, 17.5, 15, 15]
    assert targets("AM1") == [30, 30, 20, 15, 10]
    assert targets("AM2") == [40, 40, 30, 20, 15]
    assert targets("AM3") == [40, 40, 30, 20, 15]
    assert {targets(name)[0] for name in ("AF1", "AF2", "AF3", "PF1gri", "PF1uzy")} == {10}
    assert [targets(name) for name in ("AD1", "AD2", "AD3")] == [[20] * 5, [20] * 5, [30] * 5]
    for found in years.values():
        assert {len(clause.levels) for clause in found.values()} == {1}
        for group in ("gri", "uzy"):
            partner = found[f"PF1{group}"].levels["design"].parameters["PA2"]
            assert partner == found[f"PA2{group}"].levels["design"].limit.bound
    said = {requirement.id: requirement.text for requirement in doc.requirements}
    assert "AM2 (15 mas) is looser than the design level of LPM-17 (10 mas)" in said["ORR"]
    assert "PA2 in u, z and y (20 mmag) is tighter than the design level" in said["FY18"]


def test_diagnostics_state_no_limit() -> None:
    """Each is a clause of its own, with its sample; a diagnostic states all that its metric takes as parameters."""
    (doc,) = requirements.load(["diagnostics"]).documents
    assert {requirement.kind for requirement in doc.requirements} == {"diagnostic"}
    assert {len(clause.levels) for requirement in doc.requirements for clause in requirement.covered} == {0}
    snr = next(requirement for requirement in doc.requirements if requirement.id == "PHOT-SNR")
    bins = [f"{kind}{low}-{2 * low}" for kind in ("Star", "Gal") for low in (5, 10, 20, 40)]
    assert [clause.id for clause in snr.covered] == bins
    for clause in snr.covered:
        assert f"median snr >= {clause.id.lstrip('StarGl').split('-')[0]} and < {clause.id.split('-')[1]}" in map(
            str, clause.sample or ()
        )
