"""Declarative quality cuts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import astropy.units as u
import numpy as np
from skyaccept.lib.catalog import detections as catalog
from skyaccept.lib.strict_yaml import number_or_quantity, one_of

UNITS = {name: unit for name, unit in catalog.UNITS.items() if unit is not None}
"""Columns that a cut may use, and their units."""


BOUNDS = {
    "at_least": (np.greater_equal, ">="),
    "above": (np.greater, ">"),
    "at_most": (np.less_equal, "<="),
    "below": (np.less, "<"),
}


@dataclass(frozen=True)
class Cut:
    """One cut: bounds on a column, clear flags, or a minimum number of visits.

    Attributes
    ----------
    column : str
        Column to compare; ``"flags"`` and ``"visits"`` for the other two kinds.
    of : {"each", "median", "max", "min", "all"}
        ``each`` tests every detection; the others test a statistic of all detections of the object.
    bounds : tuple of (str, float)
        Bounds that must hold, by name (`at_least`, `above`, `at_most`, `below`).
    finite : bool
        Whether the value must be finite.
    flags : tuple of str
        Flags that must be clear.
    min_visits : int or "all", optional
    """

    column: str
    of: str = "all"
    bounds: tuple[tuple[str, float], ...] = ()
    finite: bool = False
    flags: tuple[str, ...] = ()
    min_visits: int | Literal["all"] | None = None

    @classmethod
    def parse(cls, entry: object) -> Cut:
        """Parse a cut of a document.

        Raises
        ------
        ValueError
            Unknown key, column or unit, or nothing to cut on.
        """
        if not isinstance(entry, dict):
            raise ValueError("a cut is a mapping, such as {column: snr, of: median, at_least: 50}")
        given = dict(entry)
        if "min_visits" in given:
            visits = given.pop("min_visits")
            _refuse(given)
            if visits != "all" and (not isinstance(visits, int) or isinstance(visits, bool) or visits < 1):
                raise ValueError(f"min_visits: {visits!r} is neither a positive number nor 'all'")
            return cls("visits", min_visits=visits)
        if "flags" in given:
            flags, of = given.pop("flags"), one_of("each", "all")(given.pop("of", "all"))
            _refuse(given)
            if not isinstance(flags, list) or not flags or not all(isinstance(flag, str) for flag in flags):
                raise ValueError("flags: expected a list of flag names")
            return cls("flags", of=of, flags=tuple(flags))
        column = one_of(*UNITS)(given.pop("column", None))
        of = one_of("each", "median", "max", "min", "all")(given.pop("of", None))
        finite = given.pop("finite", False)
        if not isinstance(finite, bool):
            raise ValueError(f"finite: {finite!r} is neither true nor false")
        bounds = []
        for name in BOUNDS:
            if name in given:
                value = number_or_quantity(given.pop(name))
                if not value.unit.is_equivalent(UNITS[column]):
                    raise ValueError(f"{name}: {column} is in {str(UNITS[column]) or 'no unit'}, not '{value}'")
                bounds.append((name, float(value.to_value(UNITS[column]))))
        _refuse(given)
        if not bounds and finite is not True:
            raise ValueError("a cut needs a bound (at_least, above, at_most, below) or finite: true")
        if bounds and of == "all":
            raise ValueError("of: 'all' goes with finite: true; bounds are on each, median, max or min")
        return cls(column, of, tuple(bounds), finite is True)

    @property
    def needs(self) -> tuple[str, ...]:
        """Columns of the cut, flags as ``flag_NAME``; none for a number of visits."""
        if self.flags:
            return tuple(f"flag_{flag}" for flag in self.flags)
        return () if self.min_visits is not None else (self.column,)

    @property
    def reason(self) -> str:
        """Name under which rejected rows are counted; flags count by flag."""
        return {"visits": "visits", "flags": "flag"}.get(self.column, f"{self.column}:{self.of}")

    def __str__(self) -> str:
        if self.min_visits is not None:
            return "seen in every visit" if self.min_visits == "all" else f"seen in at least {self.min_visits} visits"
        if self.flags:
            scope = "on each detection" if self.of == "each" else "in all of the object's detections"
            return f"clear {scope}: {', '.join(self.flags)}"
        what = {"each": self.column, "all": f"every {self.column}"}.get(self.of, f"{self.of} {self.column}")
        unit = f" {UNITS[self.column]}" if UNITS[self.column] != u.one else ""
        parts = [f"{BOUNDS[name][1]} {value:g}{unit}" for name, value in self.bounds]
        return f"{what} {' and '.join(parts + ['finite'] * self.finite)}"


def _refuse(unknown: Mapping[str, object]) -> None:
    if unknown:
        raise ValueError(f"unknown key in a cut: {', '.join(map(str, unknown))}")
