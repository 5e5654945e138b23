"""Benchmarks of the simulation of a large visit and of a small survey."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import astropy.units as u
import pytest
from skyaccept.synthetic import output, scenario, sky, visits
from skyaccept.synthetic.exposure import expose
from skyaccept.synthetic.scenario_schema import Atmosphere, Scenario, Turbulence

TURBULENT = Atmosphere(Turbulence(5 * u.mas, 5 * u.arcmin))


def nominal_in_r(**parts: Any) -> Scenario:
    """Return the nominal scenario in r only, with some of its parts replaced."""
    return replace(scenario.override(scenario.load("nominal"), bands=["r"]), **parts)


@pytest.mark.parametrize("parts", [{}, {"atmosphere": TURBULENT}], ids=["noise", "turbulence"])
def test_visit(benchmark: Any, parts: dict[str, Any]) -> None:
    chosen = scenario.override(nominal_in_r(**parts), stars=117_000)
    true_sky, plan = sky.draw(chosen, 1), visits.plan(chosen, 1)
    detections = benchmark(expose, chosen, true_sky, plan, 0, 1)
    benchmark.extra_info["detections"] = len(detections)


@pytest.mark.parametrize("suffix", ["parquet", "fits"])
def test_file(benchmark: Any, tmp_path: Path, suffix: str) -> None:
    chosen = scenario.override(nominal_in_r(), stars=11_000)
    written = benchmark.pedantic(output.stream, (chosen, 1, tmp_path / f"survey.{suffix}"), rounds=3)
    benchmark.extra_info["detections"] = written.detections
