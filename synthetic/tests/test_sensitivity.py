"""Tests of the sensitivity matrix and of its checks."""

from dataclasses import replace
from pathlib import Path

import pytest
from skyaccept.lib.decision.rule import DecisionRule
from skyaccept.lib.exceptions import InputError
from skyaccept.synthetic import scenario, sensitivity, sensitivity_report
from skyaccept.synthetic.faults import FAULTS
from skyaccept.synthetic.sensitivity import Row, Trial, TrialResult

TRIALS = sensitivity.trials(sensitivity.load())


SIMPLE = DecisionRule("simple")


def run_quickly(trial: Trial, rule: DecisionRule = SIMPLE) -> TrialResult:
    """Run trials with the simple rule, which is faster."""
    (found,) = sensitivity.run([trial], rule=rule)
    return found


def strongest_trial(fault: str) -> Trial:
    """Return the stronger trial of a fault."""
    return [trial for trial in TRIALS if trial.fault == fault][-1]


@pytest.mark.slow
@pytest.mark.parametrize(
    "trial", TRIALS, ids=lambda trial: f"{trial.fault or trial.survey.scenario} {trial.strength}".strip()
)
def test_exactly_the_expected_clauses_react(trial: Trial) -> None:
    """Weak faults use the simple rule here; `skyaccept selftest` tries them with intervals as well."""
    mild = trial.fault and trial is not strongest_trial(trial.fault)
    assert run_quickly(trial, SIMPLE if mild else DecisionRule("guarded")).wrong == ()


def test_table_has_every_fault_and_fault_scenario() -> None:
    rows = [row.fault for row in sensitivity.load().rows]
    assert sorted(rows) == sorted(FAULTS)
    names = {name.removeprefix("fault-").replace("-", "_") for name in scenario.shipped() if name.startswith("fault-")}
    assert names == set(rows)


@pytest.mark.slow
def test_fault_scenarios_are_surveys_of_the_table() -> None:
    for row in sensitivity.load().rows:
        survey, faulty = scenario.load(row.survey), scenario.load(f"fault-{row.fault.replace('_', '-')}")
        assert [fault.name for fault in faulty.faults] == [row.fault]
        whole = replace(faulty, scenario=survey.scenario, title=survey.title, text=survey.text, faults=())
        assert whole == survey


def test_every_clause_reacts_and_most_reactions_are_definite() -> None:
    rows = sensitivity.load().rows
    reacting = {clause for row in rows for clause in (*row.fails, *row.doubted)}
    assert reacting == set(sensitivity.clauses())
    assert sum(len(row.near) for row in rows) <= 0.1 * len(TRIALS) * len(sensitivity.clauses())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "row", "message"),
    [
        ("band_offset", Row("band_offset"), r"AB1 fail; expected pass in every band"),
        ("band_offset", Row("band_offset", fails=["AB1", "AM1"]), r"AM1 pass; expected fail in some band"),
        ("band_offset", Row("band_offset", fails=["AB1"], doubted=["PA1"]), r"PA1 pass, pass; expected fail, inconc"),
        ("band_offset", Row("band_offset", fails=["AB1"], lost=["AA1"]), r"AA1 pass, pass; expected not measurable"),
        ("band_offset", Row("band_offset", fails=["AB1"], account="visits"), r"does not change 'visits'"),
        ("band_offset", Row("band_offset", fails=["AB1"], noted="precision"), r"no note on the data says 'precision'"),
        ("repeated_rows", Row("repeated_rows"), r"refused: .*identical in every column"),
        ("repeated_rows", Row("repeated_rows", refused="too blue"), r"refused: .*identical in every column"),
        ("band_offset", Row("band_offset", refused="too blue"), r"not refused; expected 'too blue'"),
    ],
)
def test_unexpected_reactions_are_reported(fault: str, row: Row, message: str) -> None:
    base = sensitivity.load().surveys[row.survey]
    expected = {clause: base.reaction(row, clause) for clause in sensitivity.clauses()}
    found = run_quickly(
        replace(strongest_trial(fault), expected=expected, refused=row.refused, account=row.account, noted=row.noted)
    )
    assert len(found.wrong) == 1
    assert sensitivity_report.headline([found]).endswith("; 1 do not")
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(found.wrong[0])
    assert found.wrong[0] in sensitivity_report.lines([found])[-2]


@pytest.mark.slow
def test_clause_without_a_band_is_not_measurable() -> None:
    """AB1 has no case in r, and its cells are still shown."""
    found = run_quickly(strongest_trial("psf_model"))
    assert found.verdicts["AB1"] == "not_measurable"
    assert found.wrong == ()
    assert "AB1: not measurable; expected: lost" in sensitivity_report.page([found], 1)
    wrong = run_quickly(replace(found.trial, expected={**found.trial.expected, "AB1": "pass"})).wrong
    assert wrong == ("AB1 not measurable; expected pass in every band",)


def test_selected_faults_use_only_their_surveys() -> None:
    chosen = sensitivity.trials(sensitivity.load(), ["psf_model", "wrapped_ra"])
    found = [(trial.survey.scenario, trial.fault) for trial in chosen]
    shapes, hsc = ("", *2 * ["psf_model"]), ("", "wrapped_ra")
    assert found == [*(("shapes", name) for name in shapes), *(("hsc-few-visits", name) for name in hsc)]


@pytest.mark.slow
def test_workers_change_nothing() -> None:
    chosen = [strongest_trial("band_offset"), strongest_trial("repeated_rows")]
    assert list(sensitivity.run(chosen, workers=2, rule=SIMPLE)) == [run_quickly(trial) for trial in chosen]


def test_unknown_fault_is_refused() -> None:
    with pytest.raises(InputError, match="--fault earthquake: not one of jitter, distortion"):
        sensitivity.trials(sensitivity.load(), ["jitter", "earthquake"])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("fault: jitter", "fault: jitters", r"line \d+: .*'jitters' is unknown"),
        ("fault: distortion", "fault: jitter", "'jitter' is unknown or repeated"),
        ("fails: [AM3]", "fails: [AM3, AM9]", "unknown or repeated clauses: AM9"),
        ("fails: [AM3]", "fails: [AM3, AD3]", "unknown or repeated clauses: AD3"),
        ("below: 1 mas", "below: one", "one"),
        ("below: 1 mas", "beneath: 1 mas", "beneath"),
        ("survey: shapes", "survey: nowhere", "'nowhere' is not one of nominal, shapes"),
        ("lost: [TE1,", "lost: [TE9,", "unknown or repeated clauses: TE9"),
        ("fails: [AM3]", "fails: [AM3, TE1]", r"line \d+: .*unknown or repeated clauses: TE1"),
        ("  shapes:", "  shapez:", r"line \d+: .*'shapez' is not a shipped scenario without faults"),
        ("  shapes:", "  fault-jitter:", "'fault-jitter' is not a shipped scenario without faults"),
        ("bands: [g, r]", "bands: [g, q]", r"line \d+: .*expected some of the bands u, g, r, i, z, y, each once"),
        ("bands: [g, r]", "bands: [g, g]", "expected some of the bands u, g, r, i, z, y, each once"),
        ("bands: [g, r]", "bands: []", "expected some of the bands u, g, r, i, z, y, each once"),
    ],
)
def test_invalid_table_is_refused(old: str, new: str, message: str, tmp_path: Path) -> None:
    text = sensitivity.PATH.read_text(encoding="utf-8")
    path = tmp_path / "table.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        sensitivity.load(path)


def test_page_escapes_and_lists_unexpected_reactions() -> None:
    trial = replace(strongest_trial("band_offset"), fault="<b>", refused="<i>")
    shown = sensitivity_report.page(
        [
            TrialResult(trial, {}, ("AM1 <u>",)),
            TrialResult(strongest_trial("jitter"), dict.fromkeys(trial.expected, "pass")),
        ],
        1,
    )
    assert "<b>" not in shown
    assert "<i>" not in shown
    assert "AM1 &lt;u&gt;" in shown
    assert "1 of 2 trials" in shown
    assert "://" not in shown
