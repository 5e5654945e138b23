"""Changes of level in the history of a clause."""

from __future__ import annotations

import numpy as np
from skyaccept.lib.results.history import Point, changes, encode
from skyaccept.lib.tests.results.stored import stored_results


def point(number: int, value: float | None, error: float = 0.1, data: str | None = None) -> Point:
    """A run on a day, with an interval of known width."""
    run = {"started": f"2026-01-{number + 1:02}T00:00:00+00:00", "sha256": data or str(number)}
    if value is None:
        return Point(run, None, None, None, None, None, 10.0, "not_measurable")
    half = 1.959964 * error
    return Point(run, value, value, value - half, value + half, 0.95, 10.0, "pass")


def test_noise_is_no_change_of_level() -> None:
    values = 5 + 0.1 * np.random.default_rng(1).standard_normal(20)
    assert changes([point(k, float(value)) for k, value in enumerate(values)]) == ()


def test_a_step_is_found_where_it_is() -> None:
    values = [5.0] * 6 + [None] + [7.0] * 5
    assert changes([point(k, value) for k, value in enumerate(values)]) == (7,)


def test_the_same_data_must_give_the_same_value() -> None:
    points = [point(0, 5.0, data="a"), point(1, 5.0, data="a"), point(2, 5.0 + 1e-6, data="a")]
    assert changes(points) == (2,)


def test_a_point_without_an_interval_is_not_compared() -> None:
    points = [point(0, 5.0), point(1, 9.0, error=0.0)]
    assert changes(points) == ()


def test_the_name_of_a_file_follows_from_its_content() -> None:
    name, content = encode(stored_results())
    assert name.startswith("2026-11-30T222146Z-")
    assert encode(stored_results()) == (name, content)
