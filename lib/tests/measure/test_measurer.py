import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from skyaccept.lib import measure, readers, requirements
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.decision.rule import DecisionRule
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.measure import plan
from skyaccept.lib.requirements.model import Specification
from skyaccept.lib.results import model, schema
from skyaccept.lib.results.model import Results
from skyaccept.lib.results.sentences import summary
from skyaccept.lib.tests.metrics.test_photometric_repeatability import catalog
from skyaccept.lib.tests.realdata import REALDATA, needs_realdata
from skyaccept.lib.tests.records import DATASET, RUN, interval_of

HSC = "hsc/matchedCatalogTract_0_r.fits.gz"
AM1 = [case.clause.id for case in requirements.load().cases(["r"])].index("AM1")
"""Place of AM1 in r among the results of LSE-30 in r."""


@pytest.fixture(scope="module")
def hsc() -> AssociatedDetections:
    """HSC r catalog."""
    return readers.load(REALDATA / HSC, "hsc-afw")


@pytest.fixture(scope="module")
def specification() -> Specification:
    return requirements.load()


@needs_realdata
def test_the_published_figures_of_hsc_come_out(hsc: AssociatedDetections, specification: Specification) -> None:
    """AM1, AF1 and AD1 under faro to 1e-7, from the published number of pairs and objects."""
    published = yaml.safe_load((REALDATA / "expected.yaml").read_text())[HSC]
    found = {
        r.clause: r for r in measure.run(hsc, specification, measure.Options(bands=["r"], definition="faro")).results
    }
    assert found["AM1"].value == pytest.approx(published["AM1"]["value"], rel=1e-7)
    assert found["AF1"].value == pytest.approx(published["AF1_design"]["value"], rel=1e-7)
    assert found["AD1"].value == pytest.approx(published["AD1_design"]["value"], rel=1e-7)
    sample = found["AM1"].sample
    assert sample is not None
    assert sample.objects == published["sample_astrometry"]["objects"]
    assert sample.pairs == published["sample_astrometry"]["pairs_5arcmin"]
    assert sample.rows_in == sample.rows_used + sum(sample.rejected.values()) == 5891
    for clause in ("AM2", "AF2", "AD2", "AM3", "AF3", "AD3"):
        assert found[clause].verdict == "not_measurable"
        assert "no pair of objects" in str(found[clause].reason)


@pytest.mark.slow
@needs_realdata
def test_hsc_under_the_written_procedure(hsc: AssociatedDetections, specification: Specification) -> None:
    """About 5.2 mas from about 1,460 pairs, the figures that an independent reading of the procedure gave."""
    result = measure.run(hsc, specification, measure.Options(bands=["r"])).results[AM1]
    assert result.sample is not None
    assert (result.clause, result.definition, result.sample.pairs) == ("AM1", "lvv-t1278", 1462)
    assert result.value == pytest.approx(5.179168, abs=1e-5)


@pytest.mark.slow
@needs_realdata
def test_definitions_stand_side_by_side(hsc: AssociatedDetections, specification: Specification) -> None:
    run = measure.run(hsc, specification, measure.Options(bands=["r"], compare=True))
    first = run.results[AM1]
    # one that does not cover the metric has nothing to say
    assert set(first.other_definitions) == set(specification.definitions) - {
        "lvv-t1278",
        "cfht-2017",
        "proper-motion",
        "reference",
    }
    alone = measure.run(hsc, specification, measure.Options(bands=["r"], definition="faro")).results[AM1]
    assert first.other_definitions["faro"]["levels"]["design"]["value"] == alone.value
    assert "defined for exactly two visits" in str(first.other_definitions["lvv-t1278-notebook"]["reason"])
    assert set(run.definitions) == set(specification.definitions) - {"cfht-2017", "proper-motion"}


@pytest.mark.slow
@needs_realdata
def test_results_survive_being_written_and_read(
    hsc: AssociatedDetections, specification: Specification, tmp_path: Path
) -> None:
    run = measure.run(hsc, specification, measure.Options(compare=True))
    run.write(tmp_path / "results.json")
    assert model.load(tmp_path / "results.json") == run
    assert "<table>" in run._repr_html_()


@pytest.mark.slow
@needs_realdata
def test_data_for_plots_stay_small_and_account_for_every_error(
    hsc: AssociatedDetections, specification: Specification
) -> None:
    for result in measure.run(hsc, specification, measure.Options(bands=["r"])).results:
        if result.value is not None:
            histogram = result.data["histogram"]
            assert sum(histogram["counts"]) + histogram["above"] == histogram["of"]
            assert len(str(result.data)) < 20_000


@needs_realdata
def test_a_missing_column_is_an_error_but_not_in_a_comparison(
    hsc: AssociatedDetections, specification: Specification
) -> None:
    without = dataclasses.replace(hsc, snr=None)
    with pytest.raises(InputError, match=r"no column for 'snr', which OSS-REQ-0387-PA1gri-r under definition srd"):
        measure.run(without, specification, measure.Options(bands=["r"]))
    run = measure.run(
        without, specification, measure.Options(bands=["r"], definition="lvv-t1278-notebook", compare=True)
    )
    assert "no column for 'snr'" in str(run.results[AM1].other_definitions["faro"]["reason"])


@pytest.mark.slow
@needs_realdata
def test_a_clause_may_have_a_sample_and_definition_of_its_own(hsc: AssociatedDetections, tmp_path: Path) -> None:
    text = (requirements.shipped()["LSE-30"]).read_text()
    own = "        sample: [{column: snr, of: median, at_least: 100}, {min_visits: 2}]\n        bands: [r, i]\n"
    path = tmp_path / "own.yaml"
    path.write_text(text.replace("        bands: [r, i]\n", own, 1))
    plain, mine = requirements.load(), requirements.load([path])

    def value(specification: Specification, definition: str | None) -> float | None:
        return measure.run(hsc, specification, measure.Options(bands=["r"], definition=definition)).results[AM1].value

    assert value(mine, None) != value(plain, None)
    assert value(mine, "faro") == value(plain, "faro")


def test_unknown_choices_are_input_errors(specification: Specification) -> None:
    nothing = Results(RUN, DATASET, ())
    assert nothing.count("pass") == 0
    with pytest.raises(InputError, match="--level best"):
        measure.Measurer(None, specification, measure.Options(level="best"))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="--definition mine"):
        measure.Measurer(None, specification, measure.Options(definition="mine"))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="--band asks for q"):
        specification.cases(["q"])


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("diagnostic", {"verdict": "pass"}),
        ("diagnostic", {"limit": 5.0}),
        ("capability", {"verdict": "fail"}),
        ("capability", {"levels": {}}),
        ("performance", {"verdict": None}),
        ("performance", {"operator": None}),
        ("performance", {"kind": "diagnostic"}),
    ],
)
def test_the_schema_keeps_the_kinds_of_requirement_apart(kind: str, changes: dict[str, Any]) -> None:
    """What was measured conforms; a verdict on a diagnostic, a failed capability, a limit too many do not."""
    stars = [[18.0 + k, 18.01 + k, 18.02 + k] for k in range(5)]
    bright, faint = catalog(stars), dataclasses.replace(catalog(stars), snr=np.full(15, 50.0))
    document, detections = {
        "performance": ("LSE-30", bright),
        "capability": ("LSE-61", bright),
        "diagnostic": ("diagnostics", faint),
    }[kind]
    found = measure.run(detections, requirements.load([document]), measure.Options(bands=["r"]))
    data = json.loads(model.dumps(found.to_json()))
    schema.check_results(data, "results")
    record = next(record for record in data["results"] if record["value"] is not None)
    assert record["kind"] == kind
    record.update(changes)
    with pytest.raises(InputError, match="not in the results schema"):
        schema.check_results(data, "results")


def test_sentences_and_margins_tell_a_limit_from_a_target() -> None:
    """A capability misses no limit; the value, its sample and the target are said all the same."""
    bad = catalog([[18.0 + k, 18.1 + k, 18.2 + k] for k in range(5)])
    simple = DecisionRule("simple")
    required, asked = (
        measure.run(bad, requirements.load([name]), measure.Options(bands=["r"], rule=simple)).results[0]
        for name in ("LSE-30", "LSE-61")
    )
    assert (required.verdict, asked.verdict) == ("fail", "pass")
    assert required.margin == pytest.approx(-95)
    assert asked.margin is None
    measured = "scatter of the magnitudes of a star is 100 mmag on 15 measurements of 5 objects in 3 visits (srd); "
    assert f"{measured}the design limit is <= 5 mmag, missed by 95 mmag" in summary(required)
    assert f"{measured}the design target is <= 5 mmag, and the capability" in summary(asked)
    assert (
        measure.run(bad, requirements.load(["LSE-61"]), measure.Options(bands=["r"], level="stretch")).results[0].level
        == "design"
    )


@pytest.mark.slow
@needs_realdata
def test_every_measured_clause_of_hsc_has_its_interval(hsc: AssociatedDetections, specification: Specification) -> None:
    """About the unbiased value, at each level, narrower where less confidence is asked for."""
    wide = measure.run(hsc, specification, measure.Options(bands=["r"])).results
    narrow = measure.run(hsc, specification, measure.Options(bands=["r"], confidence=0.5)).results
    measured = [(a, b) for a, b in zip(wide, narrow, strict=True) if a.value is not None]
    assert len(measured) >= 6
    for result, less in measured:
        assert result.no_interval is None
        assert result.limited_by in ("stars", "visits", "both")
        for name, level in result.levels.items():
            assert level.interval is not None
            assert level.value_unbiased is not None
            assert level.conformance is not None
            low, high = interval_of(level)
            assert 0 <= low <= level.value_unbiased <= high
            inner_low, inner_high = interval_of(less.levels[name])
            assert low <= inner_low <= inner_high <= high
            kept = result.data["replicates"][name]["value"]
            assert len(kept["visits"]) == 3
            assert len(kept["stars"]) == 16
            assert kept["all"] == pytest.approx([level.value_unbiased], rel=1e-5, abs=1e-9)


def test_values_can_be_had_without_intervals(specification: Specification) -> None:
    """The same values; and the reason why there is no interval."""
    detections = catalog([[18.0, 18.01, 18.02, 18.0]] * 6)
    alone = measure.run(detections, specification, measure.Options(bands=["r"], confidence=None)).results[0]
    known = measure.run(detections, specification, measure.Options(bands=["r"])).results[0]
    assert alone.value == known.value is not None
    assert (alone.interval, alone.no_interval) == (None, "no interval was asked for")


def test_a_confidence_is_between_0_and_1(specification: Specification) -> None:
    detections = catalog([[20.0] * 3] * 3)
    for wrong in (0.0, 1.0, 95.0, float("nan")):
        with pytest.raises(InputError, match="--confidence"):
            measure.run(detections, specification, measure.Options(confidence=wrong))


@needs_realdata
def test_two_visits_give_a_value_and_a_reason_for_no_interval(
    hsc: AssociatedDetections, specification: Specification
) -> None:
    two = hsc.visit < 2
    rows = {f.name: getattr(hsc, f.name) for f in dataclasses.fields(hsc)}
    cut: dict[str, Any] = {
        name: value[two] for name, value in rows.items() if isinstance(value, np.ndarray) and len(value) == len(two)
    }
    cut["flags"] = {name: value[two] for name, value in hsc.flags.items()}
    result = measure.run(dataclasses.replace(hsc, **cut), specification, measure.Options(bands=["r"])).results[AM1]
    assert result.value is not None
    assert result.interval is None
    assert "2 visits cannot tell" in str(result.no_interval)


def test_each_value_comes_with_the_formula_that_made_it() -> None:
    """Under every definition; the statistic of the clause, and the error of the estimator with its own ddof."""
    specification = requirements.load()
    said = {}
    for definition in specification.definitions.values():
        for case in specification.cases(["r"]):
            if definition.rule(case.clause.metric) is not None:
                said[definition.id, case.clause.id] = plan.resolve(definition, case).formula("design")
    assert all(said.values())
    assert not any("{" in formula or "?" in formula for formula in said.values())
    assert said["lvv-t1278", "AM1"].startswith("median of √(Σ (sₖ - s̄)² / (n - 1)), s the separations of a pair")
    assert said["srd", "AD1"].startswith("90 % quantile of |sₖ - median(s)|")
    assert said["srd", "PF1gri"].startswith("percentage above 15 of |mₖ - m̄|")
    assert said["validate_drp", "PA1gri"].startswith("(Q₇₅ - Q₂₅) / 1.349")
