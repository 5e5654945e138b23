"""Sensitivity of the suite: which clause has to react to which fault, as a table, and whether it does.

Every fault is let loose on a survey without faults at two strengths: one that no clause may mind, and that of the
scenario ``fault-NAME``, at which exactly those clauses react that the table names, each in the way that it says. The
table is ``sensitivity.yaml``, which explains its keys.
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

Accounts = Mapping[str, Mapping[str, int]]
"""Entries of the account of each sample, by test."""

PATH = Path(str(resources.files("skyaccept.synthetic") / "sensitivity.yaml"))
"""The table of this package."""

RULE = DecisionRule("guarded")
VALUES = DecisionRule("simple")
"""Rule that needs no intervals."""

CHANGE = 0.05
"""Least relative change of an entry of the account in which a fault shows."""

_WORST: tuple[Verdict, ...] = ("error", "fail", "inconclusive", "not_measurable", "pass")


@dataclass(frozen=True)
class Row:
    """What has to come of a fault; clauses go by their names without a group of bands."""

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
        """What a clause has to do at the strength at which the fault matters."""
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
    """A survey without faults: the bands in which faults are tried, and the clauses that need not pass in it.

    Those that it can never answer, and those that are ``near`` their limits, fail or are inconclusive.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    bands: Sequence[str]
    lost: Sequence[str] = ()
    near: Sequence[str] = ()

    def reaction(self, row: Row | None, clause: str) -> Reaction:
        """What a clause has to do under a fault, or without one."""
        if clause in self.lost or clause in self.near:
            return "lost" if clause in self.lost else "near"
        return "pass" if row is None else row.reaction(clause)


@dataclass(frozen=True)
class Table:
    """Rows, and the surveys in which they are tried."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    surveys: Mapping[str, Base]
    rows: Sequence[Row]


@dataclass(frozen=True)
class Trial:
    """A fault at a strength, let loose on a survey, and what each clause has to do.

    ``fault`` and ``strength`` are empty where nothing is wrong; ``scenario`` is the ``survey`` with the fault.
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
class Found:
    """What came of a trial.

    Attributes
    ----------
    trial : Trial
    verdicts : mapping of str to verdict
        The worst of all bands by clause.
    wrong : tuple of str
        What is not as it has to be, in words.
    """

    trial: Trial
    verdicts: Mapping[str, Verdict]
    wrong: tuple[str, ...] = ()


def load(path: Path = PATH) -> Table:
    """Load a table, by default that of this package.

    Raises
    ------
    InputError
        A survey, a band, a fault or a clause does not exist or is there twice, a survey has faults, or a row names a
        clause that its survey can never answer.
    """
    table, place = strict_yaml.read(path, Table)
    known = clauses()
    for name, base in table.surveys.items():
        if name not in scenario.shipped() or (survey := scenario.load(name)).faults:
            raise place.error(("surveys", name), f"{name!r} is not a shipped scenario without faults")
        bands = survey.visits.number
        if not base.bands or len(set(base.bands)) < len(base.bands) or set(base.bands) - set(bands):
            raise place.error(("surveys", name), f"bands have to be some of {', '.join(bands)}, each once")
        _check(known, [*base.lost, *base.near], place, ("surveys", name))
    for number, row in enumerate(table.rows):
        if row.fault not in FAULTS or row.fault in [other.fault for other in table.rows[:number]]:
            raise place.error(("rows", number, "fault"), f"{row.fault!r} is no fault, or is there twice")
        if row.survey not in table.surveys:
            raise place.error(("rows", number, "survey"), f"{row.survey!r} is not one of {', '.join(table.surveys)}")
        askable = set(known) - set(table.surveys[row.survey].lost)
        _check(askable, [*row.fails, *row.doubted, *row.near, *row.lost], place, ("rows", number))
    return table


def _check(
    known: Collection[str], named: Sequence[str], place: strict_yaml.YamlLocation, key: tuple[str | int, ...]
) -> None:
    """Raise InputError unless clauses are known and stand there once."""
    if wrong := [name for name in named if name not in known or named.count(name) > 1]:
        raise place.error(key, f"clauses that there are not, or that are there twice: {', '.join(wrong)}")


@cache
def clauses() -> tuple[str, ...]:
    """Names of the clauses of LSE-30 without their groups of bands, in its order."""
    return tuple(dict.fromkeys(_family(case.clause.id) for case in requirements.load().cases()))


def trials(table: Table, faults: Collection[str] | None = None) -> list[Trial]:
    """All trials of a table, each survey without a fault first; or those of some faults.

    Raises
    ------
    InputError
        A fault is not in the table.
    """
    if unknown := sorted(set(faults or ()) - {row.fault for row in table.rows}):
        raise InputError(f"--fault {unknown[0]}: not one of {', '.join(row.fault for row in table.rows)}")
    found: list[Trial] = []
    for name, base in table.surveys.items():
        survey = scenario.override(scenario.load(name), bands=base.bands)
        asked = [row for row in table.rows if row.survey == name and (faults is None or row.fault in faults)]
        if asked:
            found += _trials(survey, base, asked)
    return found


def _trials(survey: Scenario, base: Base, rows: Sequence[Row]) -> Iterator[Trial]:
    """Trials of one survey, without a fault and with each."""
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


def run(chosen: Sequence[Trial], seed: int = 1, workers: int = 1, rule: DecisionRule = RULE) -> Iterator[Found]:
    """Try every trial, in their order.

    Parameters
    ----------
    chosen : sequence of Trial
        As `trials` returns them.
    seed, workers : int
        Of the surveys; processes at work, which change nothing but the time it takes.
    rule : DecisionRule
        How verdicts are made; without intervals, and sooner, where it is "simple".
    """
    asked = {trial.survey.scenario: trial.survey for trial in chosen if trial.account}
    accounts = {name: _accounts(_measure(survey, seed, VALUES)[0]) for name, survey in asked.items()}
    find = partial(_try, accounts, seed, rule)
    if workers == 1:
        yield from _reported(map(find, chosen), len(chosen))
    else:
        with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
            yield from _reported(pool.map(find, chosen), len(chosen))


def _reported(found: Iterator[Found], number: int) -> Iterator[Found]:
    for done in range(number):
        progress.report("trying faults", done, number)
        yield next(found)


def _try(accounts: Mapping[str, Accounts], seed: int, rule: DecisionRule, trial: Trial) -> Found:
    try:
        results, notes = _measure(trial.scenario, seed, rule)
    except InputError as error:
        if trial.refused is not None and trial.refused in str(error):
            return Found(trial, {})
        return Found(trial, {}, (f"refused: {error}",))
    if trial.refused is not None:
        return Found(trial, {}, (f"not refused; expected {trial.refused!r}",))
    verdicts: dict[str, list[Verdict]] = {clause: [] for clause in trial.expected}
    for result in results:
        verdicts[_family(result.clause)].append(result.verdict or "pass")
    for said in verdicts.values():
        if not said:  # no band has the clause
            said.append("not_measurable")
    wrong = [
        f"{clause} {', '.join(said).replace('_', ' ')}; expected {_WORDS[trial.expected[clause]]}"
        for clause, said in verdicts.items()
        if not _agrees(trial.expected[clause], said)
    ]
    if trial.account is not None and not _changed(accounts[trial.survey.scenario], _accounts(results), trial.account):
        wrong.append(f"{trial.account!r} is what it would be without the fault in the account of every sample")
    if trial.noted is not None and not any(trial.noted in note for note in notes):
        wrong.append(f"no note on the data says {trial.noted!r}")
    return Found(trial, {clause: min(said, key=_WORST.index) for clause, said in verdicts.items()}, tuple(wrong))


_WORDS: Mapping[Reaction, str] = {
    "pass": "pass in every band",
    "fail": "fail in some band",
    "doubt": "fail, inconclusive or not measurable in some band",
    "near": "measured",
    "lost": "not measurable in any band",
}


def _agrees(expected: Reaction, said: Sequence[Verdict]) -> bool:
    """Whether the verdicts of a clause in its bands are what they have to be."""
    if expected == "pass":
        return all(verdict == "pass" for verdict in said)
    if expected == "fail":
        return "fail" in said
    if expected == "doubt":
        return not {"fail", "inconclusive", "not_measurable"}.isdisjoint(said) and "error" not in said
    if expected == "lost":
        return all(verdict == "not_measurable" for verdict in said)
    return "error" not in said


def _measure(chosen: Scenario, seed: int, rule: DecisionRule) -> tuple[Sequence[Result], Sequence[str]]:
    """Results, and the notes on the data."""
    made, bands = survey.simulate(chosen, seed), sorted(chosen.visits.number)
    specification = _at_design(requirements.load())
    run = measure.run(
        associate(made.detections, RADIUS),
        specification,
        measure.Options(
            bands=bands,
            reference=survey.reference(chosen, seed),
            rule=rule,
            confidence=None if rule.name == "simple" else CONFIDENCE,
            diagnose=False,
        ),
    )
    # of two bands that are compared both have to be there
    lacking = {case.id for case in specification.cases(bands) if case.against not in (None, *bands)}
    return [result for result in run.results if result.test not in lacking], run.dataset["notes"]


def _at_design(specification: requirements.Specification) -> requirements.Specification:
    """The same without the other levels, which have no part in a reaction."""

    def only(clause: requirements.Clause | requirements.Uncovered) -> requirements.Clause | requirements.Uncovered:
        return replace(clause, levels={name: level for name, level in clause.levels.items() if name == "design"})

    documents = tuple(
        replace(d, requirements=tuple(replace(r, clauses=tuple(map(only, r.clauses))) for r in d.requirements))
        for d in specification.documents
    )
    return replace(specification, documents=documents)


def _accounts(results: Sequence[Result]) -> Accounts:
    """Entries of the account of each sample, by test."""
    return {
        result.test: {"objects": sample.objects, "visits": sample.visits, **sample.rejected}
        for result in results
        if (sample := result.sample) is not None
    }


def _changed(before: Accounts, after: Accounts, entry: str) -> bool:
    """Whether an entry is another one in some sample."""
    pairs = [(before[test].get(entry, 0), found.get(entry, 0)) for test, found in after.items() if test in before]
    return any(abs(new - old) > CHANGE * max(new, old) for old, new in pairs)


def _family(clause: str) -> str:
    """Name of a clause without its group of bands: PA1 of PA1gri."""
    found = re.match(r"[A-Z]+\d*", clause)
    return found[0] if found else clause
