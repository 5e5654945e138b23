"""Check which clauses react to which fault against a table of expected reactions.

Every fault is injected into a survey without faults at two strengths. At the lower one no clause may react. At that of
the scenario ``fault-NAME`` exactly the clauses that the table names must react, in the stated way. The table is
``sensitivity.yaml``, which explains its keys.
"""

from __future__ import annotations

import multiprocessing
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib import resources
from pathlib import Path
from typing import Any, ClassVar, Literal

from skyaccept.lib import measure, progress, requirements, strict_yaml
from skyaccept.lib.catalog.association import RADIUS, associate
from skyaccept.lib.decision.rule import DecisionRule, Verdict
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.measure import CONFIDENCE
from skyaccept.lib.results.model import Result
from skyaccept.lib.strict_yaml import STRICT, Quantity
from skyaccept.synthetic import scenario, survey
from skyaccept.synthetic.faults import FAULTS
from skyaccept.synthetic.scenario_schema import ChosenFault, Scenario

Reaction = Literal["pass", "fail", "doubt", "near", "lost", "refused"]

SampleCounts = Mapping[str, Mapping[str, int]]
"""Numbers of objects, visits and rejected rows of each sample, by test."""

PATH = Path(str(resources.files("skyaccept.synthetic") / "sensitivity.yaml"))
"""Path of the shipped table."""

RULE = DecisionRule("guarded")
VALUES = DecisionRule("simple")
"""Decision rule that needs no intervals, for quick trials."""

CHANGE = 0.05
"""Smallest relative change of a number of a sample that counts as visible."""

_WORST: tuple[Verdict, ...] = ("error", "fail", "inconclusive", "not_measurable", "pass")


@dataclass(frozen=True)
class Row:
    """Expected effect of a fault; clause names have no group of bands."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    fault: str
    survey: str = "nominal"
    below: Quantity | None = None
    fails: Sequence[str] = ()
    doubted: Sequence[str] = ()
    near: Sequence[str] = ()
    lost: Sequence[str] = ()
    refused: str | None = None
    account: str | None = None
    noted: str | None = None

    def reaction(self, clause: str) -> Reaction:
        """Return the expected reaction of a clause at the higher strength."""
        named: Mapping[Reaction, Sequence[str]] = {
            "fail": self.fails,
            "doubt": self.doubted,
            "near": self.near,
            "lost": self.lost,
        }
        if self.refused is not None:
            return "refused"
        return next((reaction for reaction, clauses in named.items() if clause in clauses), "pass")


@dataclass(frozen=True)
class Base:
    """A survey without faults: the bands to try, and the clauses that need not pass.

    ``lost`` clauses are not measurable in this survey. ``near`` ones are close to their limits: any verdict is right.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    bands: Sequence[str]
    lost: Sequence[str] = ()
    near: Sequence[str] = ()

    def reaction(self, row: Row | None, clause: str) -> Reaction:
        """Return the expected reaction of a clause with a fault, or without one."""
        if clause in self.lost or clause in self.near:
            return "lost" if clause in self.lost else "near"
        return "pass" if row is None else row.reaction(clause)


@dataclass(frozen=True)
class Table:
    """Rows, and the surveys in which their faults are tried."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    surveys: Mapping[str, Base]
    rows: Sequence[Row]


@dataclass(frozen=True)
class Trial:
    """A fault of one strength in a survey, with the expected reaction of each clause.

    ``fault`` and ``strength`` are empty for the survey without a fault; ``scenario`` is the ``survey`` with the fault.
    """

    survey: Scenario
    fault: str
    strength: str
    scenario: Scenario
    expected: Mapping[str, Reaction]
    refused: str | None = None
    account: str | None = None
    noted: str | None = None


@dataclass(frozen=True)
class TrialResult:
    """Outcome of a trial.

    Attributes
    ----------
    trial : Trial
    verdicts : mapping of str to verdict
        Worst verdict of all bands, by clause.
    wrong : tuple of str
        Descriptions of unexpected reactions.
    """

    trial: Trial
    verdicts: Mapping[str, Verdict]
    wrong: tuple[str, ...] = ()


def load(path: Path = PATH) -> Table:
    """Load a table, by default the shipped one.

    Raises
    ------
    InputError
        A survey, band, fault or clause is unknown or repeated, a survey has faults, or a row names a clause that is not
        measurable in its survey.
    """
    table, place = strict_yaml.read(path, Table)
    clause_names = clauses()
    for name, base in table.surveys.items():
        if name not in scenario.shipped() or (survey := scenario.load(name)).faults:
            raise place.error(("surveys", name), f"{name!r} is not a shipped scenario without faults")
        bands = survey.visits.number
        if not base.bands or len(set(base.bands)) < len(base.bands) or set(base.bands) - set(bands):
            raise place.error(("surveys", name), f"expected some of the bands {', '.join(bands)}, each once")
        _check_clauses(clause_names, [*base.lost, *base.near], place, ("surveys", name))
    for number, row in enumerate(table.rows):
        if row.fault not in FAULTS or row.fault in [other.fault for other in table.rows[:number]]:
            raise place.error(("rows", number, "fault"), f"{row.fault!r} is unknown or repeated")
        if row.survey not in table.surveys:
            raise place.error(("rows", number, "survey"), f"{row.survey!r} is not one of {', '.join(table.surveys)}")
        measurable = set(clause_names) - set(table.surveys[row.survey].lost)
        _check_clauses(measurable, [*row.fails, *row.doubted, *row.near, *row.lost], place, ("rows", number))
    return table


def _check_clauses(
    allowed: Collection[str], named: Sequence[str], place: strict_yaml.YamlLocation, key: tuple[str | int, ...]
) -> None:
    """Raise an InputError unless all clauses are known and unique."""
    if wrong := [name for name in named if name not in allowed or named.count(name) > 1]:
        raise place.error(key, f"unknown or repeated clauses: {', '.join(wrong)}")


@cache
def clauses() -> tuple[str, ...]:
    """Return the names of the clauses of LSE-30 without groups of bands."""
    return tuple(dict.fromkeys(_without_bands(case.clause.id) for case in requirements.load().cases()))


def trials(table: Table, faults: Collection[str] | None = None) -> list[Trial]:
    """Return the trials of a table, or of some faults.

    Each survey without a fault comes first.

    Raises
    ------
    InputError
        A fault is not in the table.
    """
    if unknown := sorted(set(faults or ()) - {row.fault for row in table.rows}):
        raise InputError(f"--fault {unknown[0]}: not one of {', '.join(row.fault for row in table.rows)}")
    result: list[Trial] = []
    for name, base in table.surveys.items():
        survey = scenario.override(scenario.load(name), bands=base.bands)
        rows = [row for row in table.rows if row.survey == name and (faults is None or row.fault in faults)]
        if rows:
            result += _trials(survey, base, rows)
    return result


def _trials(survey: Scenario, base: Base, rows: Sequence[Row]) -> Iterator[Trial]:
    """Yield the trials of one survey: without a fault, then with each."""
    names = clauses()
    passing = {name: base.reaction(None, name) for name in names}
    yield Trial(survey, "", "", survey, passing)
    for row in rows:
        if row.below is not None:
            mild = replace(survey, faults=(ChosenFault(row.fault, row.below),))
            yield Trial(survey, row.fault, f"{row.below:g}", mild, passing)
        named = scenario.load(f"fault-{row.fault.replace('_', '-')}")
        bad = replace(survey, scenario=named.scenario, faults=named.faults)
        expected = {name: base.reaction(row, name) for name in names}
        strength = f"{named.faults[-1].strength:g}"
        yield Trial(survey, row.fault, strength, bad, expected, row.refused, row.account, row.noted)


def run(
    trials_to_run: Sequence[Trial], seed: int = 1, workers: int = 1, rule: DecisionRule = RULE
) -> Iterator[TrialResult]:
    """Run trials in their order.

    Parameters
    ----------
    trials_to_run : sequence of Trial
        Trials, as `trials` returns them.
    seed : int
        Random seed of the surveys.
    workers : int
        Number of processes, which has no effect on the results.
    rule : DecisionRule
        Decision rule; "simple" is faster, because it needs no intervals.

    Yields
    ------
    TrialResult
        Outcome of each trial.
    """
    base_surveys = {trial.survey.scenario: trial.survey for trial in trials_to_run if trial.account}
    sample_counts = {name: _sample_counts(_measure(survey, seed, VALUES)[0]) for name, survey in base_surveys.items()}
    run_trial = partial(_run_trial, sample_counts, seed, rule)
    if workers == 1:
        yield from _with_progress(map(run_trial, trials_to_run), len(trials_to_run))
    else:
        with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
            yield from _with_progress(pool.map(run_trial, trials_to_run), len(trials_to_run))


def _with_progress(results: Iterator[TrialResult], number: int) -> Iterator[TrialResult]:
    for done in range(number):
        progress.report("trying faults", done, number)
        yield next(results)


def _run_trial(sample_counts: Mapping[str, SampleCounts], seed: int, rule: DecisionRule, trial: Trial) -> TrialResult:
    try:
        results, notes = _measure(trial.scenario, seed, rule)
    except InputError as error:
        if trial.refused is not None and trial.refused in str(error):
            return TrialResult(trial, {})
        return TrialResult(trial, {}, (f"refused: {error}",))
    if trial.refused is not None:
        return TrialResult(trial, {}, (f"not refused; expected {trial.refused!r}",))
    verdicts: dict[str, list[Verdict]] = {clause: [] for clause in trial.expected}
    for result in results:
        verdicts[_without_bands(result.clause)].append(result.verdict or "pass")
    for band_verdicts in verdicts.values():
        if not band_verdicts:  # no band has the clause
            band_verdicts.append("not_measurable")
    wrong = [
        f"{clause} {', '.join(band_verdicts).replace('_', ' ')}; expected {_WORDS[trial.expected[clause]]}"
        for clause, band_verdicts in verdicts.items()
        if not _agrees(trial.expected[clause], band_verdicts)
    ]
    if trial.account is not None and not _is_changed(
        sample_counts[trial.survey.scenario], _sample_counts(results), trial.account
    ):
        wrong.append(f"the fault does not change {trial.account!r} in any sample summary")
    if trial.noted is not None and not any(trial.noted in note for note in notes):
        wrong.append(f"no note on the data says {trial.noted!r}")
    return TrialResult(
        trial,
        {clause: min(band_verdicts, key=_WORST.index) for clause, band_verdicts in verdicts.items()},
        tuple(wrong),
    )


_WORDS: Mapping[Reaction, str] = {
    "pass": "pass in every band",
    "fail": "fail in some band",
    "doubt": "fail, inconclusive or not measurable in some band",
    "near": "measured",
    "lost": "not measurable in any band",
}


def _agrees(expected: Reaction, verdicts_by_band: Sequence[Verdict]) -> bool:
    """Return whether verdicts in all bands agree with the expected reaction."""
    if expected == "pass":
        return all(verdict == "pass" for verdict in verdicts_by_band)
    if expected == "fail":
        return "fail" in verdicts_by_band
    if expected == "doubt":
        return (
            not {"fail", "inconclusive", "not_measurable"}.isdisjoint(verdicts_by_band)
            and "error" not in verdicts_by_band
        )
    if expected == "lost":
        return all(verdict == "not_measurable" for verdict in verdicts_by_band)
    return "error" not in verdicts_by_band


def _measure(chosen: Scenario, seed: int, rule: DecisionRule) -> tuple[Sequence[Result], Sequence[str]]:
    """Simulate and measure a scenario; returns the results and the notes on the data."""
    simulated, bands = survey.simulate(chosen, seed), sorted(chosen.visits.number)
    specification = _design_level_only(requirements.load())
    run = measure.run(
        associate(simulated.detections, RADIUS),
        specification,
        measure.Options(
            bands=bands,
            reference=survey.reference(chosen, seed),
            rule=rule,
            confidence=None if rule.name == "simple" else CONFIDENCE,
            diagnose=False,
        ),
    )
    # comparisons of two bands need both of them
    incomplete = {case.id for case in specification.cases(bands) if case.against not in (None, *bands)}
    return [result for result in run.results if result.test not in incomplete], run.dataset["notes"]


def _design_level_only(specification: requirements.Specification) -> requirements.Specification:
    """Return the specification with the design level only.

    Other levels do not matter for reactions.
    """

    def keep_design(
        clause: requirements.Clause | requirements.Uncovered,
    ) -> requirements.Clause | requirements.Uncovered:
        return replace(clause, levels={name: level for name, level in clause.levels.items() if name == "design"})

    documents = tuple(
        replace(d, requirements=tuple(replace(r, clauses=tuple(map(keep_design, r.clauses))) for r in d.requirements))
        for d in specification.documents
    )
    return replace(specification, documents=documents)


def _sample_counts(results: Sequence[Result]) -> SampleCounts:
    """Numbers of objects, visits and rejected rows of each sample, by test."""
    return {
        result.test: {"objects": sample.objects, "visits": sample.visits, **sample.rejected}
        for result in results
        if (sample := result.sample) is not None
    }


def _is_changed(before: SampleCounts, after: SampleCounts, entry: str) -> bool:
    """Return whether a number changes visibly in some sample."""
    pairs = [(before[test].get(entry, 0), current.get(entry, 0)) for test, current in after.items() if test in before]
    return any(abs(new - old) > CHANGE * max(new, old) for old, new in pairs)


def _without_bands(clause: str) -> str:
    """Return the name of a clause without its group of bands, such as PA1 for PA1gri."""
    match = re.match(r"[A-Z]+\d*", clause)
    return match[0] if match else clause
