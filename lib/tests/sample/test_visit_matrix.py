"""Parts of a visit matrix against plain indexing, field by field."""

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pytest
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.sample.visit_matrix import COMPARISON_VISIT, UNIT, VISIT, VisitMatrix, name_keys

UNITS, VISITS, OTHERS, STARS = 6, 5, 4, 7


def matrix() -> VisitMatrix:
    """A matrix in which every field of arrays is there, and no two values are equal."""
    rng = np.random.default_rng(1)
    return VisitMatrix(
        values=tuple(rng.random((2, UNITS, VISITS))),
        components=("ra", "dec"),
        stars=rng.integers(0, STARS, (UNITS, 2)),
        n_stars=STARS,
        brightness=rng.random(STARS),
        objects=np.arange(10, 10 + STARS),
        extra={"time": rng.random((UNITS, VISITS))},
        comparison=tuple(rng.random((2, UNITS, OTHERS))),
        noise=rng.random(UNITS),
        unit_class=np.arange(UNITS),
        visits=np.arange(20, 20 + VISITS),
        comparison_visits=np.arange(30, 30 + OTHERS),
        visit_groups=name_keys(map(str, range(VISITS))),
        comparison_groups=name_keys(map(str, range(OTHERS))),
        pairs=np.array([[0, 1, 0], [1, 4, 1], [3, 5, 0], [2, 4, 1]]),
    )


def arrays(value: Any) -> list[AnyArray]:
    """Arrays of a field."""
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, tuple) else [value]


def test_a_part_is_taken_of_every_field_along_its_axes() -> None:
    """By masks and by places, of all three axes at once."""
    whole = matrix()
    keys: dict[str, AnyArray] = {
        UNIT: np.array([True, False, True, True, False, True]),
        VISIT: np.array([3, 0]),
        COMPARISON_VISIT: np.array([False, True, True, False]),
    }
    part = whole.select(units=keys[UNIT], visits=keys[VISIT], comparison_visits=keys[COMPARISON_VISIT])
    for name, axes in VisitMatrix.AXES.items():
        assert getattr(whole, name) is not None, f"{name} is not tried"
        for found, value in zip(arrays(getattr(part, name)), arrays(getattr(whole, name)), strict=True):
            expected = value
            for axis, one in enumerate(axes):
                places = np.flatnonzero(keys[one]) if keys[one].dtype == bool else keys[one]
                expected = np.take(expected, places, axis=axis)
            np.testing.assert_array_equal(found, expected, err_msg=name)
    assert (part.n_stars, part.components, part.min_visits) == (whole.n_stars, whole.components, whole.min_visits)


def test_every_field_of_arrays_names_its_axes() -> None:
    whole = matrix()
    held = {
        one.name
        for one in fields(whole)
        if any(isinstance(value, np.ndarray) for value in arrays(getattr(whole, one.name)))
    }
    assert len(held) > 10
    assert held - {"pairs"} <= set(VisitMatrix.AXES)


def test_a_field_without_axes_is_refused() -> None:
    """A field that somebody adds cannot be carried along with the wrong shape."""

    @dataclass(frozen=True, kw_only=True, eq=False)
    class Longer(VisitMatrix):
        seeing: AnyArray

    longer = Longer(values=(np.zeros((2, 3)),), stars=np.zeros((2, 1), np.int64), n_stars=1, seeing=np.zeros(3))
    with pytest.raises(TypeError, match="AXES does not name the axes of field 'seeing'"):
        longer.select(visits=np.array([0, 1]))


def test_pairs_of_units_stay_where_both_units_do() -> None:
    part = matrix().select(units=np.array([False, True, True, True, True, True]))
    assert part.pairs is not None
    assert part.pairs.tolist() == [[0, 3, 1], [2, 4, 0], [1, 3, 1]]


def means(part: VisitMatrix) -> AnyArray:
    """Mean of each unit."""
    return np.asarray(part.values[0].mean(axis=1))


def test_what_was_computed_by_unit_goes_with_the_units() -> None:
    whole = matrix()
    expected = whole.per_unit("mean", means)
    kept = np.array([4, 1])
    part = whole.select(units=kept)
    assert part.per_unit("mean", lambda _: np.full(2, np.nan)).tolist() == expected[kept].tolist()
    fewer = whole.select(visits=np.array([0, 1]))
    assert fewer.per_unit("mean", means) == pytest.approx(whole.values[0][:, :2].mean(axis=1))


def test_a_matrix_with_other_values_computes_anew() -> None:
    """Nor does the first one take over what the second computes."""
    whole = matrix()
    other = replace(whole, values=tuple(10 * values for values in whole.values))
    assert other.per_unit("mean", means) == pytest.approx(10 * whole.values[0].mean(axis=1))
    assert whole.per_unit("mean", means) == pytest.approx(whole.values[0].mean(axis=1))
