"""Requirement documents: the published numbers, and what is refused on load."""

from __future__ import annotations

import shutil
from pathlib import Path

import astropy.units as u
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skyaccept.lib import requirements
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.report import specs
from skyaccept.lib.requirements.limits import Limit
from skyaccept.lib.requirements.model import Clause, Specification, Uncovered

PHOTOMETRY = ("PA1gri", "PA1uzy", "PF1gri", "PF1uzy", "PA2gri", "PA2uzy")
ZERO_POINTS = ("PA3", "PA3u", "PF2", "PF2u", "PA4", "PA4u", "PA5", "PA5u", "PA6")
POSITIONS = ("AB1", "ABF1", "AB2", "AA1")
"""Clauses of positions against another band and a reference catalog."""

SHAPES = ("TE1", "TE2", "TEF-TE3", "TE3", "TEF-TE4", "TE4")

BANDS_OF = {
    "AB1": "ugizy",
    "ABF1": "ugizy",
    "AB2": "ugizy",
    "AA1": "ugrizy",
    **dict.fromkeys(("PA3", "PF2", "PA4"), "grizy"),
    **dict.fromkeys(("PA3u", "PF2u", "PA4u", "PA5u"), "u"),
    "PA5": "griz",
    "PA6": "ugrizy",
}

CLAUSES = ("AM1", "AF1", "AD1", "AM2", "AF2", "AD2", "AM3", "AF3", "AD3")
LEVELS = ("design", "minimum", "stretch")

# Table 18 of LPM-17: design, minimum, stretch
AM = {"1": (10, 20, 5), "2": (10, 20, 5), "3": (15, 30, 10)}
AF = (10, 20, 5)
AD = {"1": (20, 40, 10), "2": (20, 40, 10), "3": (30, 50, 20)}

# LPM-17 as metrics.md 2.1 gives it, for either band group; u, z, y may be 50 % larger
PA1 = {"gri": (5, 8, 3), "uzy": (7.5, 12, 4.5)}
PF1 = (10, 20, 5)
PA2 = {"gri": (15, 15, 10), "uzy": (22.5, 22.5, 15)}
SEPARATION = {"1": 5, "2": 20, "3": 200}

METRIC = {"AM": "pair_separation_rms", "AF": "pair_separation_outliers", "AD": "pair_separation_percentile"}

DEFINITIONS = {"cfht-2017", "reference", "lvv-t1278", "lvv-t1278-notebook", "srd"}
DEFINITIONS |= {"validate_drp", "faro", "analysis_tools"}

DOCUMENT = """\
document: DOC-1
title: A document
requirements:
  - id: REQ-1
    title: A requirement
    kind: performance
    clauses:
      - id: AM1
        text: Separations repeat.
        metric: pair_separation_rms
        definition: lvv-t1278
        parameters: {separation: 5 arcmin}
        bands: [r, i]
        levels:
          design: {limit: "<= 10 mas", source: {document: DOC-1}}
      - id: AF1
        text: Few outliers.
        metric: pair_separation_outliers
        definition: srd
        parameters:
          separation: 5 arcmin
        bands:
          - r
        levels:
          design:
            limit: <= 10 percent
            parameters: {AD: 20 mas}
            source:
              document: DOC-1
              page: 7
        half_width: 30 arcsec
        sample:
          - {column: snr, of: median, at_least: 50}
          - {min_visits: 2}
        verification: [LVV-T1]
"""

DEFINITION = """\
definitions:
  - id: mine
    title: Mine
    text: My own way.
    samples:
      stars:
        - {column: snr, of: each, at_least: 10}
    rules:
      - metrics: [pair_separation_rms]
        sample: stars
        estimator: pair_rms
        half_width: 1 arcmin
        ddof: 1
        min_common_visits: 2
"""


def with_change(old: str, new: str, content: str = DOCUMENT) -> str:
    """The content with the one place ``old`` changed."""
    assert content.count(old) == 1, f"{old!r} occurs {content.count(old)} times"
    return content.replace(old, new)


def saved(folder: Path, content: str, name: str = "doc.yaml") -> Path:
    """Write a document."""
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def refusal(*paths: Path) -> str:
    """The complaint about documents that have to be refused."""
    with pytest.raises(InputError) as caught:
        requirements.load(paths)
    return str(caught.value)


def clauses(specification: Specification, requirement: int = 1) -> dict[str, Clause]:
    """Clauses of one requirement, by default the second or the only one, of the only document."""
    (doc,) = specification.documents
    requirement = min(requirement, len(doc.requirements) - 1)
    return {clause.id: clause for clause in doc.requirements[requirement].covered}


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


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("        against: r\n", "", "key 'against' is missing; the metric compares two bands"),
        ("against: r\n", "against: q\n", "key 'against': 'q' is not a band"),
        ("metric: pair_separation_rms\n", "metric: pair_separation_rms\n        against: r\n", "does not belong here"),
    ],
)
def test_a_band_compared_with_stands_where_it_belongs(tmp_path: Path, old: str, new: str, message: str) -> None:
    content = requirements.shipped()["LSE-30"].read_text()
    assert old in content
    path = tmp_path / "own.yaml"
    path.write_text(content.replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        requirements.load([path])


def test_cases_are_clauses_by_band_in_document_order() -> None:
    """Bands may be chosen; a choice that leaves nothing is an error."""
    both = requirements.load(["LSE-30", "LPM-17"])
    everything = [case.id for case in both.cases()]
    assert everything == [
        f"{requirement}-{clause}-{band}"
        for parts in (("OSS-REQ-0387", "OSS-REQ-0388", "OSS-REQ-0403"), ("LPM-17",) * 3)
        for requirement, names in zip(parts, (PHOTOMETRY + ZERO_POINTS, CLAUSES + POSITIONS, SHAPES), strict=True)
        for clause in names
        for band in BANDS_OF.get(clause, "ri" if clause in CLAUSES + SHAPES else clause[-3:])
    ]
    assert [case.id for case in both.cases(["i"])] == [name for name in everything if name.endswith("-i")]
    assert [case.document for case in both.cases(["i"])] == ["LSE-30"] * 27 + ["LPM-17"] * 27
    with pytest.raises(
        InputError, match="LSE-30, LPM-17 has clauses for bands g, i, r, u, y, z, and --band asks for N1, N2"
    ):
        both.cases(["N2", "N1"])
    with pytest.raises(InputError, match="no requirement to verify"):
        both.cases([])


def test_all_definitions_are_shipped() -> None:
    """Each covers the three metrics of pairs, but for that of a diagnostic."""
    found = requirements.load().definitions
    assert set(found) == DEFINITIONS
    for name, definition in found.items():
        assert definition.id == name
        assert definition.title
        assert definition.text
        of_pairs = name not in ("cfht-2017", "reference")
        assert all((definition.rule(metric) is not None) == of_pairs for metric in METRIC.values())
        assert definition.rule("no_such_metric") is None


@pytest.mark.parametrize(
    ("name", "metric", "estimator", "half_width", "ddof", "visits"),
    [
        ("lvv-t1278", "AM", "pair_rms", 30, 1, 2),
        ("lvv-t1278", "AF", "pair_rms", 30, 1, 2),
        ("lvv-t1278", "AD", "pair_rms", 30, 1, 2),
        ("lvv-t1278-notebook", "AM", "visit_difference", 30, None, 2),
        ("lvv-t1278-notebook", "AF", "visit_difference", 30, None, 2),
        ("lvv-t1278-notebook", "AD", "visit_difference", 30, None, 2),
        ("srd", "AM", "pair_rms", 60, 1, 2),
        ("srd", "AF", "deviation", 60, None, 2),
        ("srd", "AD", "deviation", 60, None, 2),
        ("validate_drp", "AM", "pair_rms", 60, 1, 2),
        ("validate_drp", "AF", "excess_rms", 60, 1, 2),
        ("validate_drp", "AD", "excess_rms", 60, 1, 2),
        ("faro", "AM", "pair_rms", 60, 1, 2),
        ("faro", "AF", "recentred_deviation_size", 60, None, 3),
        ("faro", "AD", "recentred_deviation", 60, None, 3),
        ("analysis_tools", "AM", "pair_rms", 60, 1, 2),
        ("analysis_tools", "AF", "pooled_deviation", 60, None, 3),
        ("analysis_tools", "AD", "pooled_deviation", 60, None, 3),
    ],
)
def test_a_definition_prescribes_estimator_and_settings(
    name: str, metric: str, estimator: str, half_width: float, ddof: int | None, visits: int
) -> None:
    """As the sources of each say."""
    rule = requirements.load().definitions[name].rule(METRIC[metric])
    assert rule is not None
    assert (rule.estimator, rule.ddof, rule.min_common_visits) == (estimator, ddof, visits)
    assert rule.half_width == half_width * u.arcsec


@pytest.mark.parametrize(
    ("name", "cuts"),
    [
        (
            "lvv-t1278",
            [
                "median mag >= 17.5 mag and <= 21.5 mag",
                "median snr >= 50",
                "max extendedness < 0.5",
                "clear in all of the object's detections: saturated, cr, bad, edge, not_primary",
                "seen in at least 2 visits",
            ],
        ),
        ("lvv-t1278-notebook", ["median mag >= 17.5 mag and <= 21.5 mag", "seen in every visit"]),
        (
            "srd",
            [
                "median snr >= 200",
                "max extendedness < 0.5",
                "clear in all of the object's detections: saturated, cr, bad, edge, not_primary",
                "seen in at least 2 visits",
            ],
        ),
        (
            "validate_drp",
            [
                "median snr >= 50",
                "max extendedness < 1",
                "clear in all of the object's detections: saturated, cr, bad, edge",
                "median mag >= 17 mag and < 21.5 mag",
                "seen in at least 2 visits",
            ],
        ),
        (
            "faro",
            [
                "seen in at least 2 visits",
                "every mag finite",
                "clear in all of the object's detections: saturated, cr, bad, edge",
                "median snr >= 50",
                "max extendedness < 0.9",
                "clear in all of the object's detections: not_primary",
                "median mag >= 17 mag and < 21.5 mag",
            ],
        ),
        (
            "analysis_tools",
            [
                "mag >= 17 mag and <= 21.5 mag",
                "snr >= 50 and <= 50000",
                "median extendedness <= 0.5",
                "seen in at least 2 visits",
            ],
        ),
    ],
)
def test_a_definition_prescribes_its_sample(name: str, cuts: list[str]) -> None:
    """Cut by cut, in words."""
    definition = requirements.load().definitions[name]
    assert {definition.rule(metric).sample for metric in METRIC.values()} == {"astrometry"}  # type: ignore[union-attr]
    assert [str(cut) for cut in definition.samples["astrometry"]] == cuts


@pytest.mark.parametrize(
    ("name", "estimators", "ddof", "cuts"),
    [
        (
            "srd",
            ("magnitude_rms", "magnitude_deviation", "magnitude_deviation"),
            1,
            [
                "mag finite",
                "median snr >= 200",
                "max extendedness < 0.5",
                "clear in all of the object's detections: saturated, cr, bad, edge, not_primary",
                "seen in at least 2 visits",
            ],
        ),
        (
            "validate_drp",
            ("magnitude_difference", "magnitude_difference_size", "magnitude_difference_size"),
            None,
            [
                "mag finite",
                "median snr >= 50",
                "max extendedness < 1",
                "clear in all of the object's detections: saturated, cr, bad, edge",
                "seen in at least 2 visits",
            ],
        ),
        (
            "faro",
            ("magnitude_rms", "magnitude_deviation", None),
            0,
            ["seen in at least 3 visits", "every mag finite", "median snr >= 200", "max extendedness < 0.9"],
        ),
        (
            "analysis_tools",
            ("magnitude_rms", "excess_magnitude_rms", None),
            1,
            ["mag finite", "snr > 200", "median extendedness <= 0.5", "seen in at least 3 visits"],
        ),
        ("lvv-t1278", (None, None, None), None, []),
        ("lvv-t1278-notebook", (None, None, None), None, []),
    ],
)
def test_a_definition_prescribes_how_photometry_is_measured(
    name: str, estimators: tuple[str | None, ...], ddof: int | None, cuts: list[str]
) -> None:
    """Estimators of PA1, PF1 and PA2, and the sample of bright stars, as the sources of each say."""
    definition = requirements.load().definitions[name]
    rules = [definition.rule(f"photometric_{kind}") for kind in ("repeatability", "outliers", "percentile")]
    assert tuple(rule and rule.estimator for rule in rules) == estimators
    assert rules[0] is None or rules[0].ddof == ddof
    assert [str(cut) for cut in definition.samples.get("photometry", ())] == cuts


def test_a_user_document_is_read(tmp_path: Path) -> None:
    """A clause may override its definition's sample and half-width."""
    path = saved(tmp_path, DOCUMENT.replace("limit: <= 10", 'limit: "<= 10').replace("percent\n", 'percent"\n'))
    specification = requirements.load([path])
    assert [case.id for case in specification.cases()] == ["REQ-1-AM1-r", "REQ-1-AM1-i", "REQ-1-AF1-r"]
    clause = clauses(specification)["AF1"]
    assert clause.half_width == 30 * u.arcsec
    assert [str(cut) for cut in clause.sample or ()] == ["median snr >= 50", "seen in at least 2 visits"]
    assert clause.levels["design"].source.page == 7
    assert str(clause.levels["design"].source) == "DOC-1, page 7"


def test_a_limit_needs_no_quotes(tmp_path: Path) -> None:
    """YAML takes '<= 10 percent' as plain text."""
    clause = clauses(requirements.load([saved(tmp_path, DOCUMENT)]))["AF1"]
    assert clause.levels["design"].limit == Limit("<=", 10 * u.percent)


def test_a_folder_is_all_its_documents_in_order_of_name(tmp_path: Path) -> None:
    """Both endings count, other files do not."""
    saved(tmp_path, with_change("id: REQ-1", "id: REQ-2"), "b.yml")
    saved(tmp_path, DOCUMENT, "a.yaml")
    saved(tmp_path, "not: a document", "readme.txt")
    for folder in (tmp_path, str(tmp_path)):
        found = requirements.load([folder])
        assert [doc.requirements[0].id for doc in found.documents] == ["REQ-1", "REQ-2"]


def test_names_files_and_folders_go_together(tmp_path: Path) -> None:
    """In the order given."""
    (tmp_path / "more").mkdir()
    one = saved(tmp_path, DOCUMENT)
    saved(tmp_path / "more", with_change("id: REQ-1", "id: REQ-2"))
    found = requirements.load([one, "LPM-17", tmp_path / "more"])
    assert [doc.requirements[0].id for doc in found.documents] == ["REQ-1", "LPM-17", "REQ-2"]


def test_a_copy_of_the_shipped_documents_is_read(tmp_path: Path) -> None:
    """A user who starts from a shipped document gets the same requirements."""
    shutil.copy(requirements.shipped()["LSE-30"], tmp_path)
    assert requirements.load([tmp_path]) == requirements.load()


def test_shipped_documents_are_found_by_name() -> None:
    """Definitions are no document."""
    assert set(requirements.shipped()) >= {"LSE-30", "LPM-17"}
    assert "definitions" not in requirements.shipped()


def test_a_user_document_may_bring_definitions(tmp_path: Path) -> None:
    """Beside the shipped ones, for itself and for other documents of the run."""
    own = with_change("definition: srd", "definition: mine")
    own = with_change("pair_separation_outliers", "pair_separation_rms", own)
    own = own.replace("percent", "mas").replace("            parameters: {AD: 20 mas}\n", "")
    together = requirements.load([saved(tmp_path, own + DEFINITION)])
    assert set(together.definitions) == DEFINITIONS | {"mine"}
    assert clauses(together)["AF1"].definition == "mine"
    apart = requirements.load([saved(tmp_path, own, "own.yaml"), saved(tmp_path, DEFINITION, "definition.yaml")])
    assert apart.definitions == together.definitions
    assert len(apart.documents) == 1


def fault(old: str, new: str, words: str, content: str = DOCUMENT) -> tuple[str, str]:
    """Content in which the line to be found is marked, and words of the complaint."""
    return with_change(old, new, content), words


TO_LEVELS = """
    clauses:
      - id: AM1
        text: Separations repeat.
        metric: pair_separation_rms
        definition: lvv-t1278
        parameters: {separation: 5 arcmin}
        bands: [r, i]
        """

UNCOVERED = """\
document: DOC-1
title: A document
requirements:
  - id: REQ-1
    title: A requirement
    kind: capability
    clauses:
      - id: AM1
        text: Separations repeat.
        not_covered: out of reach
      - id: AF1
        text: Few outliers.
        not_covered: out of reach as well
"""

STARS = (
    DOCUMENT.replace("pair_separation_outliers", "photometric_outliers")
    .replace("        parameters:\n          separation: 5 arcmin\n", "")
    .replace("AD: 20 mas", "PA2: 15 mmag")
)

STAR_RULE = DEFINITION.replace("pair_separation_rms", "photometric_repeatability").replace("pair_rms", "magnitude_rms")

AM1_LEVEL = 'design: {limit: "<= 10 mas", source: {document: DOC-1}}'

FAULTS = {
    "unknown key of a document": fault("title: A document", "titel: x  # HERE", "unknown key 'titel'"),
    "unknown key of a requirement": fault(
        "kind: performance", "kind: performance\n    x: 1  # HERE", "unknown key 'x'"
    ),
    "unknown key of a clause": fault("bands: [r, i]", "bands: [r, i]\n        x: 1  # HERE", "AM1: unknown key 'x'"),
    "unknown key of a level": fault(AM1_LEVEL, AM1_LEVEL[:-1] + ", x: 1}  # HERE", "AM1: unknown key 'x'"),
    "unknown key of a source": fault("page: 7", "page: 7\n              x: 1  # HERE", "AF1: unknown key 'x'"),
    "missing key of a requirement": fault(
        "  - id: REQ-1\n    title: A requirement\n", "  - id: REQ-1  # HERE\n", "REQ-1: key 'title' is missing"
    ),
    "missing limit": fault(
        'limit: "<= 10 mas", source: {document: DOC-1}}', "source: {document: DOC-1}}  # HERE", "'limit'"
    ),
    "missing source": fault(", source: {document: DOC-1}}", "}  # HERE", "AM1: key 'source' is missing"),
    "unknown kind": fault("kind: performance", "kind: perfect  # HERE", "key 'kind'"),
    "unknown metric": fault(
        "pair_separation_rms", "pair_separation_rsm  # HERE", "'pair_separation_rsm' is not one of"
    ),
    "unknown level": fault(AM1_LEVEL, AM1_LEVEL.replace("design", "desing") + "  # HERE", "'desing' is not one of"),
    "unknown level with a block below it": fault(
        "          design:\n", "          desing:  # HERE\n", "'desing' is not one of design, minimum, stretch"
    ),
    "identifier with a blank": fault("id: REQ-1", "id: REQ 1  # HERE", "key 'id'"),
    "identifier with a slash": fault("- id: AM1", "- id: A/M1  # HERE", "key 'id'"),
    "limit without a unit": fault("limit: <= 10 percent", "limit: <= 10  # HERE", "AF1: key 'limit': '10' has no unit"),
    "limit with an unknown unit": fault("<= 10 percent", "<= 10 prozent  # HERE", "unit 'prozent' is not known"),
    "limit without an operator": fault("<= 10 percent", "10 percent  # HERE", "a limit is an operator"),
    "unknown operator": fault(
        "limit: <= 10 percent", "limit: =< 10 percent  # HERE", "'=<' is not one of <=, <, >=, >"
    ),
    "limit of the wrong dimension": fault(
        "limit: <= 10 percent", "limit: <= 10 mas  # HERE", "key 'limit': <= 10 mas cannot bound"
    ),
    "partner threshold without a unit": fault("{AD: 20 mas}", "{AD: 20}  # HERE", "AF1: key 'AD': 20 has no unit"),
    "partner threshold missing": fault("{AD: 20 mas}", "{}  # HERE", "AF1: key 'AD' is missing (in mas)"),
    "parameters of a level missing": fault(
        "design:\n            limit: <= 10 percent\n            parameters: {AD: 20 mas}\n            source:\n"
        "              document: DOC-1\n              page: 7\n",
        "design: {limit: <= 10 percent, source: {document: DOC-1}}  # HERE\n",
        "AF1: key 'AD' is missing (in mas)",
    ),
    "partner threshold of the wrong dimension": fault(
        "{AD: 20 mas}", "{AD: 20 mmag}  # HERE", "key 'AD': 20.0 mmag is not convertible to mas"
    ),
    "partner threshold that the metric does not take": fault(
        "{AD: 20 mas}", "{AD: 20 mas, AF: 1 percent}  # HERE", "unknown key 'AF'"
    ),
    "separation missing": fault(
        "parameters: {separation: 5 arcmin}", "parameters: {}  # HERE", "AM1: key 'separation' is missing"
    ),
    "separation without a unit": fault(
        "          separation: 5 arcmin", "          separation: 5  # HERE", "AF1: key 'separation': 5 has no unit"
    ),
    "separation of the wrong dimension": fault(
        "          separation: 5 arcmin",
        "          separation: 5 s  # HERE",
        "key 'separation': 5.0 s is not convertible",
    ),
    "unknown parameter": fault(
        "          separation: 5 arcmin",
        "          separation: 5 arcmin\n          angle: 5 arcmin  # HERE",
        "unknown key 'angle'",
    ),
    "half-width of the wrong dimension": fault(
        "half_width: 30 arcsec", "half_width: 30 s  # HERE", "key 'half_width': 30.0 s is not convertible to arcmin"
    ),
    "unknown band": fault("[r, i]", "[r, q]  # HERE", "AM1: key 'bands': band 'q' is not one of u, g, r, i, z, y"),
    "unknown band in a block": fault(
        "          - r\n", "          - r\n          - NB387  # HERE\n", "band 'NB387' is not one of"
    ),
    "bands as one word": fault("[r, i]", "ri  # HERE", "key 'bands'"),
    "no band": fault("[r, i]", "[]  # HERE", "key 'bands': names no band"),
    "no level": fault("levels:\n          " + AM1_LEVEL, "levels: {}  # HERE", "key 'levels': names no level"),
    "limits of a diagnostic": fault(
        f"kind: performance{TO_LEVELS}levels:\n          {AM1_LEVEL}",
        f"kind: diagnostic{TO_LEVELS}levels:\n          {AM1_LEVEL}  # HERE",
        "AM1: key 'levels': a diagnostic has no limits",
    ),
    "both a metric and a reason for none": fault(
        "        not_covered: out of reach\n",
        "        not_covered: out of reach\n        metric: pair_separation_rms  # HERE\n",
        "AM1: unknown key 'metric'",
        UNCOVERED,
    ),
    "duplicate of a clause that is not covered": fault(
        "- id: AF1", "- id: AM1  # HERE", "AM1: key 'id': duplicate REQ-1-AM1,", UNCOVERED
    ),
    "no reason": fault(
        "not_covered: out of reach as well", "not_covered: ' '  # HERE", "AF1: key 'not_covered'", UNCOVERED
    ),
    "shot noise of pairs": fault(
        "bands: [r, i]",
        "subtract_shot_noise: true  # HERE\n        bands: [r, i]",
        "AM1: key 'subtract_shot_noise': pair_",
    ),
    "shot noise of single measurements": fault(
        "        definition: srd\n",
        "        definition: srd\n        subtract_shot_noise: true  # HERE\n",
        "AF1: key 'subtract_shot_noise': photometric_outliers under srd",
        STARS.replace("        half_width: 30 arcsec\n", ""),
    ),
    "half-width of stars": fault(
        "half_width: 30 arcsec", "half_width: 30 arcsec  # HERE", "AF1: key 'half_width': photometric_outliers", STARS
    ),
    "separation of stars": fault(
        "          separation: 5 arcmin",
        "          separation: 5 arcmin  # HERE",
        "AF1: unknown key 'separation'; the metric takes none",
        DOCUMENT.replace("pair_separation_outliers", "photometric_outliers").replace("half_width: 30 arcsec", ""),
    ),
    "half-width of a rule for stars": fault(
        "half_width: 1 arcmin",
        "half_width: 1 arcmin  # HERE",
        "mine: key 'half_width' has no effect on magnitude_rms",
        STAR_RULE,
    ),
    "half-width of a rule for pairs missing": fault(
        "      - metrics: [pair_separation_rms]\n",
        "      - metrics: [pair_separation_rms]  # HERE\n",
        "mine: key 'half_width' is missing; pair_rms needs it",
        DEFINITION.replace("        half_width: 1 arcmin\n", ""),
    ),
    "fewest visits of a rule for pairs missing": fault(
        "      - metrics: [pair_separation_rms]\n",
        "      - metrics: [pair_separation_rms]  # HERE\n",
        "mine: key 'min_common_visits' is missing; pair_rms needs it",
        DEFINITION.replace("        min_common_visits: 2\n", ""),
    ),
    "unknown definition": fault(
        "definition: srd", "definition: sdr  # HERE", "AF1: key 'definition': 'sdr' does not exist; known: lvv-t1278"
    ),
    "duplicate clause": fault("- id: AF1", "- id: AM1  # HERE", "key 'id': duplicate REQ-1-AM1-r"),
    "duplicate band": fault("[r, i]", "[r, r]  # HERE", "AM1: key"),
    "duplicate key": fault(
        "definition: srd", "definition: srd\n        definition: faro  # HERE", "duplicate key 'definition'"
    ),
    "document without a name": fault(
        "document: DOC-1\ntitle: A document", "title: A document  # HERE", "key 'document' is missing"
    ),
    "cut with an unknown column": fault(
        "{column: snr, of: median, at_least: 50}",
        "{column: sn, of: median, at_least: 50}  # HERE",
        "key 'sample': 'sn' is not one of",
    ),
    "cut with an unknown key": fault("{min_visits: 2}", "{min_visits: 2, x: 1}  # HERE", "unknown key in a cut: x"),
    "cut with the wrong unit": fault(
        "at_least: 50}", "at_least: 50 mas}  # HERE", "at_least: snr is in no unit, not '50.0 mas'"
    ),
    "unknown sample": fault(
        "sample: stars", "sample: star  # HERE", "mine: key 'sample': no sample named 'star' here", DEFINITION
    ),
    "unknown estimator": fault(
        "estimator: pair_rms",
        "estimator: rms  # HERE",
        "mine: key 'estimator': 'rms' is not one of pair_rms,",
        DEFINITION,
    ),
    "unknown metric of a rule": fault(
        "[pair_separation_rms]", "[rms]  # HERE", "mine: key 'metrics': 'rms' is not one of", DEFINITION
    ),
    "ddof missing": fault(
        "      - metrics: [pair_separation_rms]\n",
        "      - metrics: [pair_separation_rms]  # HERE\n",
        "mine: key 'ddof' is missing; pair_rms needs it",
        DEFINITION.replace("        ddof: 1\n", ""),
    ),
    "ddof that leaves nothing to divide by": fault("ddof: 1", "ddof: 2  # HERE", "mine: key 'ddof'", DEFINITION),
    "negative ddof": fault("ddof: 1", "ddof: -1  # HERE", "mine: key 'ddof'", DEFINITION),
    "one common visit": fault(
        "min_common_visits: 2",
        "min_common_visits: 1  # HERE",
        "mine: key 'min_common_visits': 1 is not from 2 to 100000",
        DEFINITION,
    ),
    "half-width of a rule of the wrong dimension": fault(
        "half_width: 1 arcmin",
        "half_width: 1 mag  # HERE",
        "mine: key 'half_width': 1.0 mag is not convertible to arcmin",
        DEFINITION,
    ),
    "half-width of a rule without a unit": fault(
        "half_width: 1 arcmin", "half_width: 1  # HERE", "mine: key 'half_width': 1 has no unit", DEFINITION
    ),
    "half-width of nothing": fault(
        "half_width: 1 arcmin", "half_width: 0 arcmin  # HERE", "mine: key 'half_width'", DEFINITION
    ),
    "definition that is shipped": fault(
        "id: mine", "id: faro  # HERE", "faro: key 'id': duplicate definition 'faro'", DEFINITION
    ),
    "unknown key of a definition": fault(
        "title: Mine", "title: Mine\n    x: 1  # HERE", "mine: unknown key 'x'", DEFINITION
    ),
    "unknown key of a rule": fault("ddof: 1", "ddof: 1\n        x: 1  # HERE", "mine: unknown key 'x'", DEFINITION),
    "neither requirements nor definitions": (
        "document: DOC-1  # HERE\ntitle: T\n",
        "neither 'requirements' nor 'definitions'",
    ),
    "no requirement in the list": (
        "document: DOC-1  # HERE\nrequirements: []\n",
        "neither 'requirements' nor 'definitions'",
    ),
    "separation of nothing": fault(
        "          separation: 5 arcmin", "          separation: 0 arcmin  # HERE", "AF1: key 'separation'"
    ),
    "negative separation": fault(
        "          separation: 5 arcmin", "          separation: -5 arcmin  # HERE", "AF1: key 'separation'"
    ),
    "separation beyond the antipode": fault(
        "          separation: 5 arcmin", "          separation: 181 deg  # HERE", "AF1: key 'separation'"
    ),
    "negative half-width": fault("half_width: 30 arcsec", "half_width: -30 arcsec  # HERE", "AF1: key 'half_width'"),
    "share above a hundred percent": fault(
        'design: {limit: "<= 10 mas", source: {document: DOC-1}}',
        'design: {limit: "<= 10 mas", parameters: {AF: 150 percent}, source: {document: DOC-1}}  # HERE',
        "AM1: key 'AF'",
        with_change("pair_separation_rms", "pair_separation_percentile"),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_with_file_line_and_key(tmp_path: Path, name: str) -> None:
    """One fault, one line."""
    content, words = FAULTS[name]
    line = content[: content.index("# HERE")].count("\n") + 1
    path = saved(tmp_path, content)
    message = refusal(path)
    assert message.startswith(f"{path}: line {line}: ")
    assert words in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (with_change("id: REQ-1", "id: !!python/object:os.system REQ-1"), 4, "tag"),
        (with_change("kind: performance", "kind: &kind performance\n    text: *kind"), 7, "aliases"),
        (with_change("    kind: performance", "\tkind: performance"), 6, "tabs"),
    ],
)
def test_yaml_that_is_more_than_data_is_refused(tmp_path: Path, content: str, line: int, words: str) -> None:
    """Tags, aliases and tabs."""
    path = saved(tmp_path, content)
    message = refusal(path)
    assert message.startswith(f"{path}: line {line}")
    assert words in message
    assert "\n" not in message


def test_a_document_in_another_encoding_is_refused(tmp_path: Path) -> None:
    """The message says what to do."""
    path = tmp_path / "doc.yaml"
    path.write_bytes(DOCUMENT.replace("A document", "Ein Schriftstück").encode("utf-16"))
    assert refusal(path) == f"{path}: UTF-16 text; save it as UTF-8"


def test_a_document_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    """The interpreter's stack holds."""
    path = saved(tmp_path, "requirements: " + "[" * 10_000)
    assert refusal(path) == f"{path}: line 1: nested more than 40 deep"


def test_an_identifier_stands_once_in_all_documents(tmp_path: Path) -> None:
    """The complaint names both files."""
    one, two = saved(tmp_path, DOCUMENT, "one.yaml"), saved(tmp_path, DOCUMENT, "two.yaml")
    assert refusal(one, two) == f"{two}: line 8: REQ-1: AM1: key 'id': duplicate REQ-1-AM1-r, also in {one}"


def test_a_definition_stands_once_in_all_documents(tmp_path: Path) -> None:
    """Two files may not both define it."""
    one, two = saved(tmp_path, DEFINITION, "one.yaml"), saved(tmp_path, DEFINITION, "two.yaml")
    assert refusal(one, two) == f"{two}: line 2: mine: key 'id': duplicate definition 'mine'"


def test_the_same_clause_may_have_other_limits_in_other_bands(tmp_path: Path) -> None:
    """Entries of one id, each with its own bands."""
    content = with_change("- id: AF1", "- id: AM1").replace("          - r\n", "          - z\n")
    found = requirements.load([saved(tmp_path, content)])
    assert [case.id for case in found.cases()] == ["REQ-1-AM1-r", "REQ-1-AM1-i", "REQ-1-AM1-z"]


def test_a_document_may_name_further_bands(tmp_path: Path) -> None:
    """They hold for this document only."""
    content = with_change("title: A document", "title: A document\nbands: [NB387]")
    content = with_change("[r, i]", "[r, NB387]", content)
    found = requirements.load([saved(tmp_path, content)])
    assert "REQ-1-AM1-NB387" in [case.id for case in found.cases(["NB387"])]
    other = saved(tmp_path, with_change("[r, i]", "[NB387]").replace("REQ-1", "REQ-2"), "other.yaml")
    assert "line 13: REQ-2: AM1: key 'bands': band 'NB387'" in refusal(tmp_path / "doc.yaml", other)


def test_a_run_without_requirements_is_an_error(tmp_path: Path) -> None:
    """Zero requirements never make a green run."""
    with pytest.raises(InputError, match="no requirement found in an empty list of documents"):
        requirements.load([])
    path = saved(tmp_path, DEFINITION)
    assert refusal(path) == f"no requirement found in {path}"
    empty = saved(tmp_path, DOCUMENT[: DOCUMENT.index("clauses:")] + "clauses: []\n", "empty.yaml")
    assert f"no requirement found in {empty}" in refusal(empty) or f"{empty}: line 7: " in refusal(empty)


def test_a_requirement_without_clauses_is_refused_beside_others(tmp_path: Path) -> None:
    """It would drop out of the report unseen."""
    content = DOCUMENT + "  - {id: REQ-2, title: Empty, kind: performance, clauses: []}\n"
    path = saved(tmp_path, content)
    message = refusal(path)
    assert message.startswith(f"{path}: line {content.count(chr(10))}: REQ-2: key 'clauses'")


def test_a_document_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With the names that would do."""
    with pytest.raises(InputError, match=r"--specs LSE-31: no such file or folder, and not one of LPM-17, LSE-30"):
        requirements.load(["LSE-31"])
    with pytest.raises(InputError, match="no YAML file in this folder"):
        requirements.load([tmp_path])


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b"], ids=["too long", "zero byte"])
def test_a_name_that_no_file_can_have_is_refused(name: str) -> None:
    """As any other that does not exist."""
    with pytest.raises(InputError, match="--specs"):
        requirements.load([name])


@settings(deadline=None)
@given(
    st.sampled_from(["<=", "<", ">=", ">"]),
    st.floats(-1e6, 1e6),
    st.sampled_from(["mas", "percent", "mag", "arcsec"]),
    st.sampled_from(["", " ", "   "]),
)
def test_a_limit_is_read_as_it_is_written(operator: str, bound: float, unit: str, blank: str) -> None:
    """Operator, number and unit."""
    assert Limit.parse(f"{operator}{blank}{bound!r} {unit}") == Limit(operator, bound * u.Unit(unit))  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "<=", "10 mas", "<= mas", "== 10 mas", "<<= 10 mas", "≤ 10 mas", None, 10, [1]])
def test_what_is_no_limit_is_a_value_error(text: object) -> None:
    """With a hint at what a limit looks like."""
    with pytest.raises(ValueError, match=r"operator|not one of|number"):
        Limit.parse(text)


def test_a_limit_writes_itself_as_in_the_document() -> None:
    """And what it writes can be read."""
    limit = Limit("<=", 10 * u.percent)
    assert str(limit) == "<= 10 percent"
    assert Limit.parse(str(limit)) == limit


def test_every_clause_of_every_shipped_document_has_a_case_or_a_stated_reason() -> None:
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


def test_lse_61_asks_for_capabilities_and_names_the_elements_that_verify_them() -> None:
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


def test_release_targets_are_those_of_the_source_with_what_is_odd_about_them() -> None:
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


def test_a_diagnostic_takes_the_thresholds_of_a_level_as_parameters(tmp_path: Path) -> None:
    """For it has no level; one that is missing is named."""
    content = DOCUMENT[DOCUMENT.index("document") : DOCUMENT.index("      - id: AM1")] + (
        "      - id: PF1\n        text: Outliers.\n        metric: photometric_outliers\n        definition: srd\n"
        "        bands: [r]\n        parameters: {PA2: 15 mmag}\n"
    )
    content = content.replace("performance", "diagnostic")
    assert clauses(requirements.load([saved(tmp_path, content)]))["PF1"].parameters == {"PA2": 15 * u.mmag}
    without = saved(tmp_path, content.replace("PA2: 15 mmag", ""))
    assert "PF1: key 'PA2' is missing (in mmag)" in refusal(without)
