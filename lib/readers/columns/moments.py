"""Conversion of second moments to ellipticities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.catalog.detections import SHAPES
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.column_source import Flag
from skyaccept.lib.readers.columns.computed import ComputedColumn
from skyaccept.lib.readers.columns.flags import evaluate_flag
from skyaccept.lib.readers.columns.numbers import NumberColumn, resolve_number
from skyaccept.lib.readers.profile import Moments
from skyaccept.lib.readers.table import Column


@dataclass(frozen=True)
class ShapeColumn(ComputedColumn):
    """A component of an ellipticity (`SHAPES`), computed from second moments.

    Attributes
    ----------
    moments : tuple of NumberColumn
        xx, yy and xy.
    unless : Flag, optional
        Flag of rows without a valid ellipticity.
    """

    moments: tuple[NumberColumn, ...]
    unless: Flag | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the moments and of the flag."""
        used = self.moments[:2] if self.name.endswith("e1") else self.moments
        names = [name for moment in used for name in moment.columns]
        return tuple(dict.fromkeys(names if self.unless is None else [*names, self.unless.name]))

    def values(self, raw: Mapping[str, AnyArray], rows: int) -> AnyArray:
        """Compute a component of the ellipticity of each row.

        Notes
        -----
        The distortion ``e1 = (xx - yy) / (xx + yy)`` or ``e2 = 2 xy / (xx + yy)``, in which the unit cancels. It is NaN
        where xx + yy is not positive, where a moment is NaN, and where the flag is set.
        """
        xx, yy, xy = self.moments
        first, second = xx.values(raw, rows), yy.values(raw, rows)
        size = first + second
        with np.errstate(invalid="ignore"):
            size = np.where(size > 0, size, np.nan)
        part = first - second if self.name.endswith("e1") else 2 * xy.values(raw, rows)
        ellipticity = part / size
        if self.unless is not None:
            ellipticity = np.where(evaluate_flag(self.place, self.unless, raw[self.unless.name]), np.nan, ellipticity)
        return np.asarray(ellipticity)


def find_columns(place: str, moments: Moments, there: Mapping[str, Column]) -> dict[str, ShapeColumn]:
    """Resolve the ellipticities that moments give; none without image moments.

    Raises
    ------
    InputError
        Some moments are missing, or their units differ.
    """
    if not any(source.name in there for source in moments.star):
        return {}
    names = [str(source.name) for source in (*moments.star, *moments.psf)]
    missing = [name for name in (*names, *([moments.unless.name] if moments.unless else [])) if name not in there]
    if missing:
        raise InputError(
            f"{place}: no column '{missing[0]}', which the survey profile needs for ellipticities (moments)"
        )
    shapes = {}
    for key, sources in (("", moments.star), ("psf_", moments.psf)):
        columns = tuple(resolve_number(place, "a moment", source, there, None, {}, {}) for source in sources)
        if len({column.unit for column in columns}) > 1:
            listed = ", ".join(str(source.name) for source in sources)
            raise InputError(f"{place}: columns {listed} (moments) are not in the same unit")
        for name in SHAPES:
            if name.startswith("psf_") == bool(key):
                shapes[name] = ShapeColumn(place, name, columns, None if key else moments.unless)
    return shapes
