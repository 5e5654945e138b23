"""Fluxes of a catalog to magnitudes, their errors and signal-to-noise ratios."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import astropy.units as u
import numpy as np
from skyaccept.lib.catalog import Array
from skyaccept.lib.errors import InputError
from skyaccept.lib.readers import conversion
from skyaccept.lib.readers.profile import Flux, Source
from skyaccept.lib.readers.table import Column

AB_OF_NJY = 31.4
"""AB magnitude of 1 nJy: the flux of magnitude 0 is 10^(-48.6 / 2.5) erg / (s cm2 Hz) (Oke and Gunn 1983)."""

GIVES = ("mag", "mag_err", "snr")
"""Columns of ours that a flux gives; the latter two need its error."""


@dataclass(frozen=True)
class Photometry:
    """The fluxes of one file: their columns and zero point.

    Attributes
    ----------
    flux, error : str
        Columns of the file; None where it gives no error.
    zero : str or None
        Column that the zero point comes from; None where it is the same for all rows.
    zero_point : float
        Magnitude of one unit of flux; with a column, what is added to the magnitude that it gives.
    kind : str
        What the column holds: ``zero_point`` (mag), ``fluxmag0`` or ``calibration``.
    scale : float
        Unit of the flux over that of its error.
    """

    flux: str
    error: str | None
    zero: str | None
    zero_point: float
    kind: str
    scale: float = 1.0

    def columns(self, name: str) -> tuple[str, ...]:
        """Columns of the file that ``name``, one of `GIVES`, is computed from."""
        wanted = {"mag": (self.flux, self.zero), "mag_err": (self.flux, self.error), "snr": (self.flux, self.error)}
        return tuple(column for column in wanted[name] if column is not None)

    def values(self, path: Path, name: str, raw: Mapping[str, Array]) -> Array:
        """Magnitude, its error, or S/N of each row.

        Parameters
        ----------
        path : Path
            For messages.
        name : str
            One of `GIVES`.
        raw : mapping of str to (n,) array
            Columns of the file.

        Returns
        -------
        (n,) float64
            ``m = z - 2.5 log10 f``, ``2.5 / ln(10) e / f`` and ``f / e`` for a flux f with error e and zero point z.
            NaN for a magnitude or its error where f is not positive, and wherever e or the calibration is not.
            The error is that of the flux alone: an error of the zero point is common to many stars.
        """
        flux = conversion.numbers(path, self.flux, raw[self.flux])
        with np.errstate(divide="ignore", invalid="ignore"):
            if name == "mag":
                values = self._zero_points(path, raw) - 2.5 * np.log10(np.where(flux > 0, flux, np.nan))
                return np.asarray(values)
            error = conversion.numbers(path, str(self.error), raw[str(self.error)]) / self.scale
            error = np.where(error > 0, error, np.nan)
            if name == "snr":
                return np.asarray(flux / error)
            return np.asarray(2.5 / np.log(10) * error / np.where(flux > 0, flux, np.nan))

    def _zero_points(self, path: Path, raw: Mapping[str, Array]) -> Array | float:
        if self.zero is None:
            return self.zero_point
        values = conversion.numbers(path, self.zero, raw[self.zero])
        return _zero_point(self.kind, np.where(np.isfinite(values), values, np.nan)) + self.zero_point


def offer(
    path: Path, flux: Flux, there: Mapping[str, Column], header: Mapping[str, object], fields: Mapping[str, str]
) -> Photometry | None:
    """Find the fluxes of a file; None where the file has no column of that name.

    Raises
    ------
    InputError
        The zero point is missing or not positive, or units do not go together.
    """
    name = str(flux.flux.name)
    if name not in there:
        return None
    unit = _unit(path, flux.flux, there)
    error = None if flux.error is None or flux.error.name not in there else str(flux.error.name)
    scale = 1.0
    if error is not None and flux.error is not None:
        own = _unit(path, flux.error, there)
        if unit is not None and own is not None:
            if not own.is_equivalent(unit):
                raise InputError(f"{path}: column '{error}': {own} is not the unit of '{name}' ({unit})")
            scale = float(unit.to(own))
    for kind in ("zero_point", "fluxmag0", "calibration"):
        source: Source | None = getattr(flux, kind)
        if source is None:
            continue
        added = 0.0
        if kind == "calibration":
            own = source.unit if source.name is None else _unit(path, source, there)
            if own is None or unit is None or not (own * unit).is_equivalent(u.nJy):
                raise InputError(
                    f"{path}: calibration in {own or 'no unit'} makes no flux density of '{name}' in "
                    f"{unit or 'no unit'}; state both units in the survey profile, such as nJy / count and count"
                )
            added = -2.5 * np.log10(float((own * unit).to(u.nJy)))
        if source.name is not None:
            if source.name not in there:
                raise InputError(f"{path}: no column '{source.name}' ({kind} of the survey profile)")
            return Photometry(name, error, source.name, added, kind, scale)
        value = conversion.settle(path, kind, source, header, fields).value
        if not isinstance(value, int | float) or (kind != "zero_point" and not value > 0):
            raise InputError(f"{path}: {kind} is {value!r}; it has to be a number{' above 0' * (kind != 'zero_point')}")
        return Photometry(name, error, None, float(_zero_point(kind, np.float64(value))) + added, kind, scale)
    if unit is None or not unit.is_equivalent(u.nJy):
        raise InputError(
            f"{path}: column '{name}': a flux in {unit or 'no unit'} needs a zero_point, fluxmag0 or calibration in "
            "the survey profile"
        )
    return Photometry(name, error, None, AB_OF_NJY - 2.5 * np.log10(float(unit.to(u.nJy))), "calibration", scale)


def _zero_point(kind: str, value: Array | np.float64) -> Array | np.float64:
    """Magnitude of one unit of flux; NaN where a flux of magnitude 0, or a calibration, is not positive."""
    if kind == "zero_point":
        return value
    logarithm = 2.5 * np.log10(np.where(value > 0, value, np.nan))
    return np.asarray(logarithm if kind == "fluxmag0" else AB_OF_NJY - logarithm)


def _unit(path: Path, source: Source, there: Mapping[str, Column]) -> u.UnitBase | None:
    """Unit of a column, by the file and the profile, which may not contradict each other."""
    own = there[str(source.name)].unit if source.name in there else None
    if not own:
        return source.unit
    try:
        unit = u.Unit(own)
    except ValueError:
        raise InputError(f"{path}: column '{source.name}': its unit {own!r} is not known") from None
    if source.unit is not None and source.unit != unit:
        raise InputError(
            f"{path}: column '{source.name}': the file says {unit}, the survey profile says {source.unit}; "
            "correct the profile, or choose another --survey"
        )
    return unit
