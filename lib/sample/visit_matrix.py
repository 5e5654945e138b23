"""Measurements by unit (an object, or a pair of objects) and visit."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar

import numpy as np
from skyaccept.lib.arrays import AnyArray, BoolArray, FloatArray, IntArray

LIMIT = 200_000
"""Measurements that replicates are made of; where there are more, those of a subsample of the stars."""

UNIT, VISIT, COMPARISON_VISIT = "unit", "visit", "comparison_visit"
"""Axes along which `VisitMatrix.select` takes a part."""


@dataclass(frozen=True, kw_only=True, eq=False)
class VisitMatrix:
    """Measurements by unit and visit, and what belongs to its units and visits.

    Attributes
    ----------
    values : tuple of (n_units, n_visits, ...) float64 or complex128
        One array for each component, such as RA and Dec; NaN where there is no measurement.
    components : tuple of str
        Their names.
    stars : (n_units, 1 or 2) int64
        Stars of each unit, numbered along the sky: neighbours in number are neighbours on the sky.
    n_stars : int
    brightness : (n_stars,) float64, optional
        Logarithm of S/N, or magnitude.
    objects : (n_stars,) int64, optional
        Code of each star in the catalog.
    extra : mapping of str to (n_units, n_visits) float64
        Further columns by measurement, such as its epoch or the code of its exposure.
    min_visits : int
        Fewest visits of a unit; where visits are left out, as many fewer.
    comparison : tuple of (n_units, m_visits) float64
        Measurements that the values are compared with, by component.
    noise : (n_units,) float64, optional
        Variance that is subtracted from that of each unit.
    subsample_note : str
        What was left out of the matrix.
    visits, comparison_visits : int64, optional
        Code of each visit in the catalog.
    visit_groups, comparison_groups : uint64, optional
        Hash of the name of the group of each visit, see `name_keys`. Visits of a group share errors and are left out
        together.
    delete_jointly : bool
        Whether a block leaves out visits of ``comparison`` as it does of ``values``: there are then no more blocks than
        either side has visits.
    unit_class : (n_units,) int64, optional
        Class of each unit, from 0, such as the bin of its separation.
    pairs : (n_pairs, 3) int64, optional
        Units that are compared with each other, and the class that their separation belongs to.
    """

    AXES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "values": (UNIT, VISIT),
        "stars": (UNIT,),
        "brightness": (),
        "objects": (),
        "extra": (UNIT, VISIT),
        "comparison": (UNIT, COMPARISON_VISIT),
        "noise": (UNIT,),
        "unit_class": (UNIT,),
        "visits": (VISIT,),
        "comparison_visits": (COMPARISON_VISIT,),
        "visit_groups": (VISIT,),
        "comparison_groups": (COMPARISON_VISIT,),
    }
    """Leading axes of each field of arrays; `select` refuses one that is not named here."""

    values: tuple[AnyArray, ...]
    stars: IntArray
    n_stars: int
    components: tuple[str, ...] = ("value",)
    brightness: FloatArray | None = None
    objects: IntArray | None = None
    extra: Mapping[str, FloatArray] = field(default_factory=dict)
    min_visits: int = 1
    comparison: tuple[AnyArray, ...] = ()
    noise: FloatArray | None = None
    unit_class: IntArray | None = None
    subsample_note: str = ""
    visits: IntArray | None = None
    comparison_visits: IntArray | None = None
    visit_groups: AnyArray | None = None
    comparison_groups: AnyArray | None = None
    delete_jointly: bool = False
    pairs: IntArray | None = None
    _per_unit: dict[str, AnyArray] = field(default_factory=dict, init=False, repr=False)
    """What `per_unit` has computed; a matrix with other values, made by `dataclasses.replace`, begins without."""

    @property
    def n_visits(self) -> int:
        """Number of visits."""
        return int(self.values[0].shape[1])

    @property
    def of_pairs(self) -> bool:
        """Whether a unit is a pair of stars."""
        return self.stars.shape[1] == 2

    def select(
        self,
        *,
        units: BoolArray | IntArray | None = None,
        visits: BoolArray | IntArray | None = None,
        comparison_visits: BoolArray | IntArray | None = None,
    ) -> VisitMatrix:
        """Take some of the units and visits.

        Parameters
        ----------
        units, visits, comparison_visits : mask or int64 array, optional
            Rows and columns to keep; all by default.

        Returns
        -------
        VisitMatrix
            Stars keep their numbers. Pairs of units stay where both units do.
        """
        chosen = {UNIT: units, VISIT: visits, COMPARISON_VISIT: comparison_visits}
        changed: dict[str, Any] = {}
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name in self.AXES:
                changed[one.name] = _taken(value, [chosen[axis] for axis in self.AXES[one.name]])
            elif isinstance(value, np.ndarray) and one.name != "pairs":
                raise TypeError(f"AXES does not name the axes of field {one.name!r} of a visit matrix")
        if units is not None and self.pairs is not None:
            changed["pairs"] = _renumbered(self.pairs, np.arange(len(self.stars))[units], len(self.stars))
        part = replace(self, **changed)
        if visits is None and comparison_visits is None:
            part._per_unit.update(_taken(self._per_unit, [units]))
        return part

    def per_unit(self, name: str, compute: Callable[[VisitMatrix], AnyArray]) -> AnyArray:
        """Return an array by unit, computed once.

        Parts of the matrix with the same visits take it over.
        """
        if name not in self._per_unit:
            self._per_unit[name] = compute(self)
        return self._per_unit[name]


def name_keys(names: Iterable[str]) -> AnyArray:
    """Hash the names of groups of visits.

    The order does not follow time, and is the same in every dataset.
    """
    digests = b"".join(hashlib.blake2b(name.encode(), digest_size=8).digest() for name in names)
    return np.frombuffer(digests, dtype="<u8")


def _taken(value: Any, keys: list[BoolArray | IntArray | None]) -> Any:
    """Take a part of an array, or of each of several, along leading axes."""
    if value is None:
        return None
    if isinstance(value, tuple):
        return tuple(_taken(one, keys) for one in value)
    if isinstance(value, Mapping):
        return {name: _taken(one, keys) for name, one in value.items()}
    for axis, key in enumerate(keys):
        if key is not None:
            value = value[(slice(None),) * axis + (key,)]
    return value


def _renumbered(pairs: IntArray, units: IntArray, n_units: int) -> IntArray:
    """Pairs of the units that are kept, by their new numbers."""
    number = np.full(n_units, -1, dtype=np.int64)
    number[units] = np.arange(len(units))
    both = number[pairs[:, :2]]
    kept = (both >= 0).all(axis=1)
    return np.concatenate([both[kept], pairs[kept, 2:]], axis=1)
