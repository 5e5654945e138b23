"""Load scenarios, the YAML descriptions of simulated surveys."""

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

_MAX_DETECTORS = 1000


def shipped() -> dict[str, Path]:
    """Return the paths of the shipped scenarios by name."""
    folder = Path(str(resources.files("skyaccept.synthetic.scenarios")))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def load(name: str | Path) -> Scenario:
    """Load a scenario by the name of a shipped one, or from a YAML file.

    Raises
    ------
    InputError
        There is no such scenario, or it is invalid; the message names file, line and key.
    """
    shipped_scenarios = shipped()
    path = shipped_scenarios.get(str(name), Path(name))
    if not strict_yaml.path_exists(path):
        raise InputError(f"--scenario {name}: no such file, and not one of {', '.join(shipped_scenarios)}")
    if _is_variant(path):
        return _load_variant(path)
    scenario, place = strict_yaml.read(path, Scenario)
    for band in scenario.visits.number:
        if band not in scenario.measurement.depth:
            raise place.error(("measurement", "depth"), f"key 'depth': band {band!r} is missing")
    for part in ("stars", "galaxies"):
        sources = getattr(scenario, part)
        if sources is not None and sources.faintest <= sources.brightest:
            raise place.error((part, "faintest"), "key 'faintest': has to be fainter than 'brightest'")
    camera = scenario.camera
    if camera is not None and scenario.visits.view_radius > _MAX_DETECTORS / 2 * camera.detector:
        raise place.error(("camera", "detector"), f"key 'detector': more than {_MAX_DETECTORS} of them in a row")
    variables = scenario.stars.variables
    if variables is not None and variables.shortest > variables.longest:
        raise place.error(("stars", "variables", "longest"), "key 'longest': has to be at or above 'shortest'")
    _check_faults(scenario.faults, place)
    return scenario


def _is_variant(path: Path) -> bool:
    return "like" in strict_yaml.read(path, dict[str, Any])[0]


def _load_variant(path: Path) -> Scenario:
    """Load a shipped scenario with other faults."""
    variant, place = strict_yaml.read(path, Variant)
    shipped_scenarios = shipped()
    if variant.like not in shipped_scenarios or _is_variant(shipped_scenarios[variant.like]):
        raise place.error(("like",), f"key 'like': {variant.like!r} is not a shipped scenario without 'like'")
    _check_faults(variant.faults, place)
    base = load(variant.like)
    return replace(
        base,
        scenario=variant.scenario,
        title=variant.title,
        text=variant.text,
        faults=(*base.faults, *variant.faults),
    )


def _check_faults(faults: Sequence[ChosenFault], place: strict_yaml.YamlLocation) -> None:
    for number, fault in enumerate(faults):
        for key, problem in (("name", _name_error), ("strength", _strength_error)):
            if message := problem(fault):
                raise place.error(("faults", number, key), f"key '{key}': {message}")


def override(
    scenario: Scenario,
    stars: int | None = None,
    visits: int | None = None,
    bands: Collection[str] | None = None,
    faults: Sequence[str] = (),
) -> Scenario:
    """Change numbers and bands of a scenario, and add faults.

    Parameters
    ----------
    scenario
        Scenario to change.
    stars
        Number of stars; the number of galaxies changes in proportion.
    visits
        Number of visits in each band.
    bands
        Bands to keep.
    faults
        Additional faults as NAME=STRENGTH.

    Returns
    -------
    Scenario
        The changed scenario.

    Raises
    ------
    InputError
        A number is out of range, the scenario has no such band, or a fault is unknown or invalid.
    """
    for name, number in (("stars", stars), ("visits", visits)):
        if number is not None:
            try:
                count(number)
            except ValueError as error:
                raise InputError(f"--{name} {number}: {error}") from None
    band_visits = scenario.visits.number
    unknown = sorted(set(bands or ()) - set(band_visits))
    if unknown:
        bands_text = ", ".join(sorted(band_visits))
        raise InputError(f"--band {', '.join(unknown)}: scenario {scenario.scenario} has {bands_text}")
    numbers = {band: visits or n for band, n in band_visits.items() if bands is None or band in bands}
    galaxies = scenario.galaxies
    if galaxies is not None and stars is not None:
        galaxies = replace(galaxies, number=max(1, round(galaxies.number * stars / scenario.stars.number)))
    return replace(
        scenario,
        stars=replace(scenario.stars, number=stars or scenario.stars.number),
        galaxies=galaxies,
        visits=replace(scenario.visits, number=numbers),
        faults=(*scenario.faults, *map(_parse_fault, faults)),
    )


def _parse_fault(text: str) -> ChosenFault:
    """Parse a fault such as ``jitter=10mas``."""
    name, _, strength = text.partition("=")
    try:
        fault = ChosenFault(name, strict_yaml.quantity(strength))
    except ValueError as error:
        raise InputError(f"--fault {text}: expected NAME=STRENGTH, such as jitter=10mas: {error}") from None
    if message := _name_error(fault) or _strength_error(fault):
        raise InputError(f"--fault {text}: {message}")
    return fault


def _name_error(fault: ChosenFault) -> str:
    """Return an error message if the name of a fault is unknown."""
    return "" if fault.name in FAULTS else f"{fault.name!r} is not one of {', '.join(FAULTS)}"


def _strength_error(fault: ChosenFault) -> str:
    """Return an error message if the strength of a fault is invalid."""
    try:
        FAULTS[fault.name].measure(fault.strength)
    except ValueError as error:
        return str(error)
    return ""
