"""Scenarios: descriptions of simulated surveys, as YAML."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

from skyaccept.lib import strict_yaml
from skyaccept.lib.exceptions import InputError
from skyaccept.synthetic.faults import FAULTS
from skyaccept.synthetic.scenario_schema import ChosenFault, Scenario, Variant, count

_MOST_DETECTORS = 1000


def shipped() -> dict[str, Path]:
    """Scenarios that come with the package, by name."""
    folder = Path(str(resources.files("skyaccept.synthetic.scenarios")))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def load(name: str | Path) -> Scenario:
    """Load a scenario by the name of a shipped one, or from a YAML file.

    Raises
    ------
    InputError
        No such scenario, or it breaks a rule; the message names file, line and key.
    """
    known = shipped()
    path = known.get(str(name), Path(name))
    if not strict_yaml.path_exists(path):
        raise InputError(f"--scenario {name}: no such file, and not one of {', '.join(known)}")
    if _is_variant(path):
        return _variant(path)
    scenario, place = strict_yaml.read(path, Scenario)
    for band in scenario.visits.number:
        if band not in scenario.measurement.depth:
            raise place.error(("measurement", "depth"), f"key 'depth': band {band!r} is missing")
    for part in ("stars", "galaxies"):
        sources = getattr(scenario, part)
        if sources is not None and sources.faintest <= sources.brightest:
            raise place.error((part, "faintest"), "key 'faintest': has to be fainter than 'brightest'")
    camera = scenario.camera
    if camera is not None and scenario.visits.view_radius > _MOST_DETECTORS / 2 * camera.detector:
        raise place.error(("camera", "detector"), f"key 'detector': more than {_MOST_DETECTORS} of them in a row")
    variables = scenario.stars.variables
    if variables is not None and variables.shortest > variables.longest:
        raise place.error(("stars", "variables", "longest"), "key 'longest': has to be at or above 'shortest'")
    _check_faults(scenario.faults, place)
    return scenario


def _is_variant(path: Path) -> bool:
    return "like" in strict_yaml.read(path, dict[str, Any])[0]


def _variant(path: Path) -> Scenario:
    """Load a scenario that is like a shipped one, with faults."""
    variant, place = strict_yaml.read(path, Variant)
    known = shipped()
    if variant.like not in known or _is_variant(known[variant.like]):
        raise place.error(("like",), f"key 'like': {variant.like!r} is not a shipped scenario that stands for itself")
    _check_faults(variant.faults, place)
    like = load(variant.like)
    return replace(
        like,
        scenario=variant.scenario,
        title=variant.title,
        text=variant.text,
        faults=(*like.faults, *variant.faults),
    )


def _check_faults(faults: Sequence[ChosenFault], place: strict_yaml.YamlLocation) -> None:
    for number, fault in enumerate(faults):
        for key, problem in (("name", _unknown), ("strength", _unfit)):
            if said := problem(fault):
                raise place.error(("faults", number, key), f"key '{key}': {said}")


def override(
    scenario: Scenario,
    stars: int | None = None,
    visits: int | None = None,
    bands: Collection[str] | None = None,
    faults: Sequence[str] = (),
) -> Scenario:
    """Change a scenario's number of stars, of visits in each band, or its bands; add faults, as NAME=STRENGTH.

    Galaxies change in number with the stars.

    Raises
    ------
    InputError
        Not a number that a scenario may have, a band that it does not, or not a fault.
    """
    for name, number in (("stars", stars), ("visits", visits)):
        if number is not None:
            try:
                count(number)
            except ValueError as error:
                raise InputError(f"--{name} {number}: {error}") from None
    known = scenario.visits.number
    unknown = sorted(set(bands or ()) - set(known))
    if unknown:
        raise InputError(f"--band {', '.join(unknown)}: scenario {scenario.scenario} has {', '.join(sorted(known))}")
    numbers = {band: visits or n for band, n in known.items() if bands is None or band in bands}
    galaxies = scenario.galaxies
    if galaxies is not None and stars is not None:
        galaxies = replace(galaxies, number=max(1, round(galaxies.number * stars / scenario.stars.number)))
    return replace(
        scenario,
        stars=replace(scenario.stars, number=stars or scenario.stars.number),
        galaxies=galaxies,
        visits=replace(scenario.visits, number=numbers),
        faults=(*scenario.faults, *map(_fault, faults)),
    )


def _fault(text: str) -> ChosenFault:
    """Parse ``jitter=10mas``."""
    name, _, strength = text.partition("=")
    try:
        chosen = ChosenFault(name, strict_yaml.quantity(strength))
    except ValueError as error:
        raise InputError(f"--fault {text}: expected NAME=STRENGTH, such as jitter=10mas: {error}") from None
    if said := _unknown(chosen) or _unfit(chosen):
        raise InputError(f"--fault {text}: {said}")
    return chosen


def _unknown(fault: ChosenFault) -> str:
    """What is wrong with the name of a fault, if anything is."""
    return "" if fault.name in FAULTS else f"{fault.name!r} is not one of {', '.join(FAULTS)}"


def _unfit(fault: ChosenFault) -> str:
    """What is wrong with the strength of a fault, if anything is."""
    try:
        FAULTS[fault.name].measure(fault.strength)
    except ValueError as error:
        return str(error)
    return ""
