"""Scenarios that the tests start from."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import astropy.units as u
import numpy as np
from skyaccept.lib import measure, requirements
from skyaccept.lib.arrays import FloatArray
from skyaccept.lib.catalog.association import RADIUS, associate
from skyaccept.lib.catalog.detections import Detections
from skyaccept.lib.catalog.reference import Reference
from skyaccept.lib.decision.rule import DecisionRule
from skyaccept.lib.requirements import Specification
from skyaccept.lib.results.model import Result
from skyaccept.lib.sphere import MAS, unit_vectors
from skyaccept.synthetic import scenario, sky, visits
from skyaccept.synthetic.exposure import Exposure, expose
from skyaccept.synthetic.scenario_schema import Scenario, Site


@cache
def nominal() -> Scenario:
    """Return the built-in scenario in two of its bands."""
    return scenario.override(scenario.load("nominal"), bands=["r", "i"])


def plain(ra: float = 150, dec: float = 2, *, stars: int = 3000, visits: int = 8, **measurement: Any) -> Scenario:
    """Return the nominal scenario with noise as its only effect, for a field anywhere, at a site below it."""
    base = nominal()
    latitude = float(np.clip(dec, -80, 80))
    return replace(
        base,
        site=Site(latitude * u.deg, 0 * u.deg, 0 * u.m),
        field=replace(base.field, ra=ra * u.deg, dec=dec * u.deg),
        stars=replace(base.stars, number=stars, colors=None, motions=None),
        galaxies=None,
        camera=None,
        visits=replace(base.visits, number=dict.fromkeys(base.visits.number, visits), nights=365),
        measurement=replace(
            base.measurement,
            seeing_scatter=0.0,
            saturation=0 * u.mag,
            missed=0.0,
            spurious=0.0,
            cosmic_rays=0.0,
            **measurement,
        ),
        reference=None,
    )


def sharp(base: Scenario, **parts: Any) -> Scenario:
    """Return a scenario almost without noise, to see the effect of something else."""
    depth = dict.fromkeys(base.measurement.depth, 60 * u.mag)
    quiet = replace(base.measurement, depth=depth, position_floor=0 * u.mas, magnitude_floor=0 * u.mag)
    return replace(base, measurement=quiet, **parts)


def one_magnitude(base: Scenario, mag: float) -> Scenario:
    """Return the scenario with all stars of nearly the same magnitude."""
    stars = replace(base.stars, brightest=mag * u.mag, faintest=(mag + 1e-9) * u.mag)
    return replace(base, stars=stars)


def first(chosen: Scenario, seed: int = 1, number: int = 0) -> Exposure:
    """Expose one visit of a scenario, without faults."""
    return expose(chosen, sky.draw(chosen, seed), visits.plan(chosen, seed), number, seed)


def shifts(made: Exposure, base: Exposure) -> FloatArray:
    """Return the differences of the positions of the same sources in two exposures as vectors, mas."""
    np.testing.assert_array_equal(made.source, base.source)
    pair = [unit_vectors(part.columns["ra"], part.columns["dec"]) for part in (made, base)]
    return np.asarray(pair[0] - pair[1]) / MAS


def single_requirement(name: str) -> Specification:
    """Return LSE-30 with one requirement only."""
    whole = requirements.load()
    documents = tuple(
        replace(d, requirements=tuple(r for r in d.requirements if r.id == name)) for d in whole.documents
    )
    return replace(whole, documents=documents)


def verify(
    detections: Detections,
    reference: Reference | None = None,
    rule: DecisionRule | None = None,
    specification: Specification | None = None,
) -> dict[str, Result]:
    """Return results in r and i by test id, without intervals unless the rule is guarded."""
    run = measure.run(
        associate(detections, RADIUS),
        specification or requirements.load(),
        measure.Options(
            bands=["r", "i"],
            reference=reference,
            rule=rule,
            confidence=None if rule is None or rule.name == "simple" else measure.CONFIDENCE,
        ),
    )
    return {result.test: result for result in run.results}
