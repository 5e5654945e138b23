"""Second moments of a catalog to ellipticities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from skyaccept.lib.catalog import Array
from skyaccept.lib.errors import InputError
from skyaccept.lib.readers import conversion
from skyaccept.lib.readers.profile import Flag, Moments
from skyaccept.lib.readers.table import Column


@dataclass(frozen=True)
class Shapes:
    """The second moments of one file.

    Attributes
    ----------
    star, psf : tuple of str
        Columns of xx, yy and xy.
    unless : Flag, optional
    """

    star: tuple[str, str, str]
    psf: tuple[str, str, str]
    unless: Flag | None = None

    def columns(self, name: str) -> tuple[str, ...]:
        """Columns of the file that ``name``, one of `SHAPES`, is computed from."""
        xx, yy, xy = self.psf if name.startswith("psf_") else self.star
        found = (xx, yy) if name.endswith("e1") else (xx, yy, xy)
        return found if name.startswith("psf_") or self.unless is None else (*found, self.unless.name)

    def values(self, path: Path, name: str, raw: Mapping[str, Array]) -> Array:
        """Component of the ellipticity of each row.

        Parameters
        ----------
        path : Path
            For messages.
        name : str
            One of `SHAPES`.
        raw : mapping of str to (n,) array
            Columns of the file.

        Returns
        -------
        (n,) float64
            ``e1 = (xx - yy) / (xx + yy)`` or ``e2 = 2 xy / (xx + yy)``, the distortion, in which the unit
            cancels; NaN where xx + yy is not positive, where a moment is NaN, and where the flag is set.
        """
        xx, yy, xy = self.psf if name.startswith("psf_") else self.star
        first, second = (conversion.numbers(path, column, raw[column]) for column in (xx, yy))
        size = first + second
        with np.errstate(invalid="ignore"):
            size = np.where(size > 0, size, np.nan)
        part = first - second if name.endswith("e1") else 2 * conversion.numbers(path, xy, raw[xy])
        found = part / size
        if self.unless is not None and not name.startswith("psf_"):
            found = np.where(conversion.flags(path, self.unless, raw[self.unless.name]), np.nan, found)
        return np.asarray(found)


def offer(path: Path, moments: Moments, there: Mapping[str, Column]) -> Shapes | None:
    """Find the moments of a file; None where it has none of those of the image.

    Raises
    ------
    InputError
        Some of them are missing, or they are in different units.
    """
    if not any(name in there for name in moments.star):
        return None
    flag = () if moments.unless is None else (moments.unless.name,)
    missing = [name for name in (*moments.star, *moments.psf, *flag) if name not in there]
    if missing:
        raise InputError(
            f"{path}: no column '{missing[0]}', which the survey profile needs for ellipticities (moments)"
        )
    for names in (moments.star, moments.psf):
        units = {there[name].unit or "" for name in names}
        if len(units) > 1:
            raise InputError(f"{path}: columns {', '.join(names)} (moments) are not in the same unit")
    return Shapes(moments.star, moments.psf, moments.unless)
