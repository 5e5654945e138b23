"""Simulation of one visit of a survey of 117,000 stars, and of a whole small survey into a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import astropy.units as u
import pytest
from skyaccept.synthetic import output, scenario, sky, visits
from skyaccept.synthetic.exposure import expose
from skyaccept.synthetic.scenario_schema import Atmosphere, Scenario, Turbulence

STORM = Atmosphere(Turbulence(5 * u.mas, 5 * u.arcmin))


def survey(**parts: Any) -> Scenario:
    """The nominal survey in r alone."""
    return replace(scenario.override(scenario.load("nominal"), bands=["r"]), **parts)


@pytest.mark.parametrize("parts", [{}, {"atmosphere": STORM}], ids=["noise", "turbulence"])
def test_visit(benchmark: Any, parts: dict[str, Any]) -> None:
    chosen = scenario.override(survey(**parts), stars=117_000)
    whole, plan = sky.draw(chosen, 1), visits.plan(chosen, 1)
    made = benchmark(expose, chosen, whole, plan, 0, 1)
    benchmark.extra_info["detections"] = len(made)


@pytest.mark.parametrize("suffix", ["parquet", "fits"])
def test_file(benchmark: Any, tmp_path: Path, suffix: str) -> None:
    chosen = scenario.override(survey(), stars=11_000)
    written = benchmark.pedantic(output.stream, (chosen, 1, tmp_path / f"survey.{suffix}"), rounds=3)
    benchmark.extra_info["detections"] = written.detections
