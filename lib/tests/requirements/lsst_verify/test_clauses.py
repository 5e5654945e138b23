"""What becomes of the specifications of an lsst.verify package: clauses, what is not covered, and notes."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import astropy.units as u
import pytest
from skyaccept.lib import requirements
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.report import specs
from skyaccept.lib.requirements.model import Clause, Requirement, Specification, Uncovered
from skyaccept.lib.tests import packages

UNSAID = ("PA5", "PA5u", "TEF-TE3", "TE3", "TEF-TE4", "TE4")
"""Clauses of two bands, or of a limit and its share, which a specification of a package does not name."""

CAMERA = ("instrument=Camera", "ccds=[1, 2, 3]")


def requirement(specification: Specification) -> Requirement:
    """The only requirement of the only document."""
    (document,) = specification.documents
    (found,) = document.requirements
    return found


def covered(specification: Specification) -> dict[str, Clause]:
    """Its clauses that make cases."""
    return {clause.id: clause for clause in requirement(specification).covered}


def uncovered(specification: Specification) -> dict[str, Uncovered]:
    """Its clauses that make none."""
    return {clause.id: clause for clause in requirement(specification).clauses if isinstance(clause, Uncovered)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small package."""
    return packages.write(tmp_path_factory.mktemp("packages") / "small package")


@pytest.fixture(scope="module")
def small(folder: Path) -> Specification:
    """It, loaded."""
    return requirements.load(folder)


def limits(clause: Clause | Uncovered) -> dict[str, str]:
    """Limits of a clause by level."""
    return {name: str(level.limit) for name, level in clause.levels.items()}


def test_a_package_of_metrics_is_a_requirement(small: Specification) -> None:
    """The folder is the document, and names its safe form."""
    assert small.documents[0].document == "small-package"
    assert (requirement(small).id, requirement(small).kind) == ("survey", "performance")


def test_specifications_at_several_levels_are_one_clause(small: Specification) -> None:
    """Level by the name of the specification; limits in the unit of the metric here; in all bands if none is named."""
    clause = covered(small)["AM1"]
    assert (clause.metric, clause.definition) == ("pair_separation_rms", "lvv-t1278")
    assert clause.parameters["separation"] == 5 * u.arcmin
    assert "".join(clause.bands) == "ugrizy"
    assert limits(clause) == {"design": "<= 10 mas", "minimum": "<= 20 mas"}
    assert clause.text == "Scatter of the separations of stars about 5 arcmin apart."
    assert str(clause.levels["design"].source) == "LPM-17, page 23, via survey.AM1.design"


def test_levels_in_the_names_of_metrics_are_levels_of_one_clause(small: Specification) -> None:
    """AF1_design and AF1_minimum, with the limits of AD1 at that level as their thresholds, and the other way round."""
    af, ad = covered(small)["AF1"], covered(small)["AD1"]
    assert limits(af) == {"design": "<= 10 percent", "minimum": "<= 20 percent"}
    assert [level.parameters["AD"] for level in af.levels.values()] == [20 * u.mas, 40 * u.mas]
    assert limits(ad) == {"design": "<= 20 mas", "minimum": "<= 40 mas"}
    assert [level.parameters["AF"] for level in ad.levels.values()] == [10 * u.percent, 20 * u.percent]


def test_bands_in_a_name_are_those_of_the_clause(small: Specification) -> None:
    """design_gri."""
    clause = covered(small)["PA1gri"]
    assert (clause.bands, limits(clause)) == (("g", "r", "i"), {"design": "<= 5 mmag"})


def test_a_level_may_stand_in_the_tags(small: Specification) -> None:
    """SQR-019 recommends tags for it; a metric against another band is not measured in that one."""
    clause = covered(small)["AB1-limit"]
    assert (clause.bands, clause.against, limits(clause)) == (("u", "g", "i", "z", "y"), "r", {"design": "<= 10 mas"})


def test_everything_else_is_not_covered_with_a_reason(small: Specification) -> None:
    """By metric or, for a metric that is measured, by what stands in the way."""
    found = uncovered(small)
    reasons = {name: clause.not_covered for name, clause in found.items()}
    assert reasons == {
        "AM1-milestones": "targets of a year (FY17, FY18, FY19, FY20, ORR), not a level (1)",
        "PA1-conditional": "apply only where instrument is Camera, ccds is [1, 2, 3] (1); "
        "apply only where instrument is Camera, ccds is [1, 2] (1)",
        "Speed": "no metric of this version measures it",
        "Idle-unlimited": "no specification of this package states a limit",
    }
    assert found["PA1-conditional"].specifications == ("survey.PA1.camera_design_g", "survey.PA1.camera_design_r")
    assert limits(covered(small)["TE2"]) == {"design": "<= 5e-05", "minimum": "<= 3e-05"}


def test_every_specification_is_in_a_clause_or_not_covered(tmp_path: Path) -> None:
    """None is lost, whatever holds of the dataset."""
    for where in ((), CAMERA):
        small = requirements.load(packages.write(tmp_path), where)
        table = "\n".join(specs.table(small))
        for name in re.findall(r"^name: (\S+)", "".join(packages.SMALL.values()), re.MULTILINE):
            assert f".{name.split('.')[-1].strip(chr(39))}" in table
        counts = [len(clause.specifications) for clause in uncovered(small).values()]
        sources = {name for clause in covered(small).values() for name in clause_sources(clause)}
        assert sum(counts) + len(sources) == 14


def clause_sources(clause: Clause) -> Iterable[str]:
    """Specifications that state the limits of a clause."""
    for level in clause.levels.values():
        yield from (level.source.via or "").split(", ")


def test_a_query_is_met_by_what_holds_of_the_dataset(folder: Path) -> None:
    """SQR-019, metadata queries: all terms have to be there and equal; ``filter_name`` chooses bands."""
    found = covered(requirements.load(folder, CAMERA))
    clause = found["PA1g-camera"]
    assert (clause.bands, limits(clause)) == (("g",), {"design": "<= 5 mmag"})
    assert clause.text == "Scatter of magnitudes. Where instrument is Camera, ccds is [1, 2, 3]."
    assert set(found) == {"AM1", "AF1", "AD1", "PA1gri", "PA1g-camera", "AB1-limit", "TE2"}
    assert "PA1r-camera" in covered(requirements.load(folder, ["instrument=Camera", "ccds=[1, 2]"]))


@pytest.mark.parametrize("where", [["instrument=camera"], ["instrument=Camera"], ["instrument=Camera", "ccds=[1]"]])
def test_missing_or_other_metadata_leaves_a_specification_out(folder: Path, where: list[str]) -> None:
    """SQR-019: metadata that lack a term, or have another value, do not match."""
    found = requirements.load(folder, where)
    assert set(covered(found)) == {"AM1", "AF1", "AD1", "PA1gri", "AB1-limit", "TE2"}
    assert len(uncovered(found)["PA1-conditional"].specifications) == 2


@pytest.mark.parametrize(
    ("names", "where", "words"),
    [
        ("LSE-30", "instrument=HSC", "--dataset-property goes with an lsst.verify package, and --specs names none"),
        (
            "small",
            "camera=HSC",
            "--dataset-property camera: no specification uses it; they use ccds, instrument",
        ),
        ("small", "filter_name=r", "--dataset-property filter_name: bands are chosen with --band"),
        ("small", "instrument=a instrument=b", "--dataset-property instrument: is given twice"),
        ("small", "instrument", "--dataset-property instrument: not of the form KEY=VALUE"),
        ("small", "instrument=[a", "not valid YAML"),
        ("small", "instrument=!x a", "tag !x is not supported"),
    ],
)
def test_what_cannot_hold_is_refused(folder: Path, names: str, where: str, words: str) -> None:
    """A misspelled term would leave specifications out without a word."""
    with pytest.raises(InputError, match=re.escape(words)):
        requirements.load(folder if names == "small" else names, re.split(" (?=instrument)", where))


LIMIT = "name: {name}\nmetric: {metric}\nthreshold: {{operator: '{op}', unit: {unit}, value: {value}}}\n"


def one(name: str, metric: str = "AM1", op: str = "<=", unit: str = "mas", value: float = 10, more: str = "") -> str:
    """A specification."""
    return LIMIT.format(name=name, metric=metric, op=op, unit=unit, value=value) + more


def loaded(folder: Path, *documents: str, metrics: Mapping[str, str] | None = None) -> Specification:
    """A package of these specifications, and more metrics by name and unit."""
    packages.one_file(folder, "---\n".join(documents))
    if metrics:
        path = folder / "metrics/survey.yaml"
        lines = [f"{name}: {{description: {name}., unit: '{unit}'}}\n" for name, unit in metrics.items()]
        path.write_text(path.read_text(encoding="utf-8") + "".join(lines), encoding="utf-8")
    return requirements.load(folder)


@pytest.mark.parametrize(
    ("document", "kind", "words"),
    [
        (one("safe"), "levels", "name none of the levels design, minimum, stretch (1)"),
        (one("safe", more="tags: [design, minimum]\n"), "levels", "more than one level, design and minimum (1)"),
        (one("design_minimum"), "levels", "more than one level, design and minimum (1)"),
        (one("minimum", "AF1_design", unit="percent"), "levels", "more than one level, design and minimum (1)"),
        (one("design", op="=="), "operators", "the operator == bounds nothing (1)"),
        (
            one("design", more="metadata_query: {filter_name: HSC-G^HSC-R}\n"),
            "filters",
            "the filter HSC-G^HSC-R is none",
        ),
        (
            one("design", "AB1", more="metadata_query: {filter_name: r}\n"),
            "filters",
            "compares with r and is not measured",
        ),
        (one("design_ri", "AB1"), "filters", "compares with r and is not measured in it"),
        (one("design", "AF1_design", unit="percent"), "partners", "limit of AD1 at their level in ugrizy, and there"),
        (one("design_ORR"), "milestones", "targets of a year"),
        (
            one("design_gr", more="metadata_query: {filter_name: HSC-I}\n"),
            "filters",
            "name the bands gr, and ask for the filter HSC-I",
        ),
    ],
)
def test_a_specification_that_cannot_be_a_clause_says_why(tmp_path: Path, document: str, kind: str, words: str) -> None:
    """Each kind of reason is an entry of its own, beside the clauses of other specifications."""
    found = loaded(tmp_path, document, one("design_gri", "PA1", unit="mmag"))
    (left,) = [clause for name, clause in uncovered(found).items() if name.endswith(f"-{kind}")]
    assert words in left.not_covered
    assert set(covered(found)) == {"PA1gri"}


def test_a_known_metric_in_another_unit_is_not_measured(tmp_path: Path) -> None:
    """It is something else."""
    found = loaded(tmp_path, one("design", "AA1", unit="mmag"), one("design"), metrics={"AA1": "mmag"})
    assert uncovered(found)["AA1-units"].not_covered == (
        "the limit is in 'mmag', and absolute_astrometry is measured in mas (1)"
    )


def test_bands_with_the_same_limits_are_one_clause(tmp_path: Path) -> None:
    """And those with others another."""
    bands = {"HSC-G": 5, "HSC-R": 5, "HSC-I2": 6, "y": 7}
    documents = [
        one(f"design_{n}x", "PA1", unit="mmag", value=value, more=f"metadata_query: {{filter_name: {name}}}\n")
        for n, (name, value) in enumerate(bands.items())
    ]
    documents = [re.sub(r"design_\dx", "design", text) for text in documents]
    names = iter(["design_g", "design_r", "design_i", "design_y"])
    documents = [text.replace("name: design", f"name: {next(names)}", 1) for text in documents]
    found = covered(loaded(tmp_path, *documents))
    assert {name: (limits(clause)["design"], clause.bands) for name, clause in found.items()} == {
        "PA1gr": ("<= 5 mmag", ("g", "r")),
        "PA1i": ("<= 6 mmag", ("i",)),
        "PA1y": ("<= 7 mmag", ("y",)),
    }
    assert found["PA1gr"].levels["design"].source.via == "survey.PA1.design_g, survey.PA1.design_r"


def test_several_filters_are_several_bands(tmp_path: Path) -> None:
    """SQR-017: one of them."""
    document = one("design", more="metadata_query: {filter_name: [r, HSC-I]}\n")
    assert covered(loaded(tmp_path, document))["AM1ri"].bands == ("r", "i")


def test_other_parts_of_a_name_make_a_separate_clause(tmp_path: Path) -> None:
    """Both limits have to be met, as in lsst.verify."""
    found = covered(
        loaded(tmp_path, one("design", value=10), one("design_deep", value=8), one("minimum_deep", value=9))
    )
    assert limits(found["AM1"]) == {"design": "<= 10 mas"}
    assert limits(found["AM1-deep"]) == {"design": "<= 8 mas", "minimum": "<= 9 mas"}


def test_two_limits_of_one_level_are_two_clauses(tmp_path: Path) -> None:
    """The second is named after its specification."""
    found = covered(loaded(tmp_path, one("design", value=10), one("srd_design", value=8), one("design_r", value=7)))
    assert {name: limits(clause)["design"] for name, clause in found.items()} == {
        "AM1": "<= 10 mas",
        "AM1-srd_design": "<= 8 mas",
        "AM1r-design_r": "<= 7 mas",
    }


def test_limits_that_differ_little_are_two(tmp_path: Path) -> None:
    """Bands share a clause where their limits are the same to the last digit."""
    documents = [one("design_r", value=10), one("design_i", value=10.0000001)]
    assert set(covered(loaded(tmp_path, *documents))) == {"AM1r", "AM1i"}


def test_only_bands_without_a_partner_are_left_out(tmp_path: Path) -> None:
    """The clause stands for the others."""
    documents = [one("design_ri", "AF1_design", unit="percent"), one("design_r", "AD1_design")]
    found = loaded(tmp_path, *documents)
    assert covered(found)["AF1r"].bands == ("r",)
    left = uncovered(found)["AF1-partners"]
    assert left.not_covered == "need the limit of AD1 at their level in i, and there is none (1)"
    assert left.specifications == ("survey.AF1_design.design_ri",)


def test_magnitudes_on_a_system_have_a_unit(tmp_path: Path) -> None:
    """Astropy knows ``mag(AB)``, which is no unit like others; its numbers are magnitudes."""
    documents = [one("design", "Depth", ">=", "mag(AB)", 24), one("minimum", "Depth", ">=", "mag(AB)", 25)]
    found = loaded(tmp_path, *documents, one("design"), metrics={"Depth": "mag(AB)"})
    assert limits(uncovered(found)["Depth"]) == {"design": ">= 24 mag", "minimum": ">= 25 mag"}
    assert "design (>= 24 mag) is looser than minimum" in found.notes[0].text


def test_a_partner_is_qualified_alike_or_not_at_all(tmp_path: Path) -> None:
    """AF1 of a qualifier takes AD1 of the same, if it is there."""
    documents = [
        one("srd", "AD1_design", value=20),
        one("deep", "AD1_design", value=30),
        one("srd", "AF1_design", unit="percent"),
        one("deep", "AF1_design", unit="percent"),
        one("wide", "AF1_design", unit="percent"),
    ]
    found = covered(loaded(tmp_path, *documents))
    partners = {name: found[name].levels["design"].parameters["AD"] for name in ("AF1", "AF1-deep", "AF1-wide")}
    assert partners == {"AF1": 20 * u.mas, "AF1-deep": 30 * u.mas, "AF1-wide": 20 * u.mas}


def test_a_limit_that_always_or_never_holds_is_not_covered(tmp_path: Path) -> None:
    """The package loads; what needs the limit as its threshold has none."""
    documents = [
        one("srd", "AD1_design"),
        one("srd", "AF1_design", unit="percent", value=110),
        one("design", value=-5),
    ]
    left_out = uncovered(loaded(tmp_path, *documents, one("minimum", "PA1", unit="mmag")))
    assert left_out["AF1-ranges"].not_covered.startswith("the limit <= 110 percent always holds; a value lies between")
    assert left_out["AM1-ranges"].not_covered.startswith("the limit <= -5 mas never holds; a value lies between 0")
    assert left_out["AD1-partners"].specifications == ("survey.AD1_design.srd",)


def test_identifiers_are_safe_and_stable(small: Specification, folder: Path) -> None:
    """They become test ids and anchors of pages."""
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", case.id) for case in small.cases())
    assert [case.id for case in small.cases()] == [case.id for case in requirements.load(folder).cases()]
    assert [case.id for case in small.cases(["r"])] == [
        "survey-AM1-r",
        "survey-AF1-r",
        "survey-AD1-r",
        "survey-PA1gri-r",
        "survey-TE2-r",
    ]


def test_packages_and_documents_go_together(folder: Path, tmp_path: Path) -> None:
    """In the order in which they are named."""
    other = packages.write(
        tmp_path / "other",
        {name.replace("survey", "second"): text.replace("survey", "second") for name, text in packages.SMALL.items()},
    )
    found = requirements.load(["LSE-30", folder, other])
    assert [document.document for document in found.documents] == ["LSE-30", "small-package", "other"]
    tests = [case.id for case in found.cases()]
    assert {"OSS-REQ-0388-AM1-r", "survey-AM1-r", "second-AM1-r"} <= set(tests)
    with pytest.raises(InputError, match="duplicate survey-AM1-u"):
        requirements.load([folder, packages.write(tmp_path / "again")])


def test_limits_are_those_of_lse_30(tmp_path: Path) -> None:
    """A package that states what LSE-30 does has the same clauses, apart from texts and sources."""
    lse = {clause.id: clause for doc in requirements.load().documents for r in doc.requirements for clause in r.covered}
    lse = {name: clause for name, clause in lse.items() if name not in UNSAID}
    documents, metrics = [], {}
    for name, clause in lse.items():
        family = re.sub("(gri|uzy|u)$", "", name)
        for level, stated in clause.levels.items():
            metric = f"{family}_{level}_{name.removeprefix(family)}".strip("_")
            metrics[metric] = str(stated.limit.bound.unit)
            query = f"metadata_query: {{filter_name: [{', '.join(clause.bands)}]}}\n"
            bound = stated.limit.bound
            documents.append(one("srd", metric, stated.limit.operator, f"'{bound.unit}'", bound.value, query))
    found = covered(
        loaded(
            tmp_path,
            *documents,
            metrics={k: v for k, v in metrics.items() if k not in packages.SMALL["metrics/survey.yaml"]},
        )
    )

    def named(name: str) -> str:
        """The same in a package, which says the bands where they are not all that there can be."""
        if name in ("AB1", "ABF1", "AB2", "AA1", "PA6") or re.search("(gri|uzy|u)$", name):
            return name
        return name + ("grizy" if name in ("PA3", "PF2", "PA4") else "ri")

    assert {named(name) for name in lse} == set(found)
    for name, clause in lse.items():
        other = found[named(name)]
        assert (other.metric, other.definition, other.against) == (clause.metric, clause.definition, clause.against)
        assert set(other.bands) == set(clause.bands)
        assert dict(other.parameters) == dict(clause.parameters)
        for level, stated in clause.levels.items():
            assert other.levels[level].limit == stated.limit
            assert dict(other.levels[level].parameters) == dict(stated.parameters)


def test_a_contradiction_is_noted_with_file_and_line(small: Specification) -> None:
    """As TE2 of the public package has one; the run goes on."""
    (note,) = small.notes
    assert (note.document, note.requirement, note.clause) == ("small-package", "survey", "TE2")
    assert note.text == "specs/survey/limits.yaml: line 58: design (<= 5e-05) is looser than minimum (<= 3e-05)"
    assert packages.SMALL["specs/survey/limits.yaml"].splitlines()[57].endswith("value: 5e-5}")
    assert f"      note     {note.text}" in specs.table(small)


def test_a_contradiction_of_a_clause_that_makes_cases_is_noted(tmp_path: Path) -> None:
    """On that clause."""
    found = loaded(tmp_path, one("design", value=30), one("minimum", value=20))
    assert [(note.clause, note.text) for note in found.notes] == [
        ("AM1", "specs/survey/file.yaml: line 3: design (<= 30 mas) is looser than minimum (<= 20 mas)")
    ]


def test_more_than_1500_specifications_load_within_5_seconds(tmp_path: Path) -> None:
    """As the public package has; every one of them stands in the table."""
    number = packages.large(tmp_path, cameras=10)
    assert number > 1500
    packages.write(tmp_path)
    started = time.perf_counter()
    found = requirements.load(tmp_path)
    assert time.perf_counter() - started < 5
    big, _ = found.documents[0].requirements
    assert sum(len(c.specifications) for c in big.clauses if isinstance(c, Uncovered)) == number


def test_the_example_of_the_documentation_is_what_it_says(tmp_path: Path) -> None:
    """Files, clause and tests of docs/packages.md."""
    page = (Path(__file__).parents[4] / "docs/packages.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n# (\S+?):? .*?\n(.*?)```", page, re.DOTALL)
    found = requirements.load(packages.write(tmp_path, {name.rstrip(":"): text for name, text in blocks}))
    assert limits(covered(found)["AM1"]) == {"design": "<= 10 mas"}
    assert [case.id for case in found.cases()] == [f"survey-AM1-{band}" for band in "ugrizy"]
    assert uncovered(found)["AM1-conditional"].specifications == ("survey.AM1.camera_design_r",)
    (row,) = [line for line in page.splitlines() if line.startswith("| metric |")]
    clauses = [clause.id for r in requirements.load().documents[0].requirements for clause in r.covered]
    families = {re.sub("(gri|uzy|u)$", "", name) for name in clauses if name not in UNSAID}
    assert set(re.findall("`(.*?)`", row)) == families - {"AM2", "AF2", "AD2"}
