"""Conversion of fluxes to magnitudes, errors and signal-to-noise ratios."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import astropy.units as u
import numpy as np
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.columns.computed import ComputedColumn
from skyaccept.lib.readers.columns.numbers import POGSON, NumberColumn, resolve_number, stated_unit
from skyaccept.lib.readers.profile import ZERO_POINTS, Flux
from skyaccept.lib.readers.table import Column

AB_OF_NJY = 31.4
"""AB magnitude of 1 nJy: the flux of magnitude 0 is 10^(-48.6 / 2.5) erg / (s cm2 Hz) (Oke and Gunn 1983)."""

FLUX_COLUMNS = ("mag", "mag_err", "snr")
"""Columns of the detections from a flux; the last two require the flux error."""


@dataclass(frozen=True, kw_only=True)
class FluxColumn(ComputedColumn):
    """A magnitude, its error or a signal-to-noise ratio, computed from fluxes.

    One of `FLUX_COLUMNS`.

    Attributes
    ----------
    flux : NumberColumn
    error : NumberColumn, optional
        In the unit of the flux; required for ``mag_err`` and ``snr``.
    zero : NumberColumn, optional
        Zero point or calibration; None if the unit of the flux is calibrated.
    kind : str
        Kind of ``zero``: ``zero_point`` (mag), ``fluxmag0`` or ``calibration``.
    offset : float
        Added to the zero point, mag.
    """

    flux: NumberColumn
    error: NumberColumn | None
    zero: NumberColumn | None
    kind: str
    offset: float = 0.0

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the flux, and of its zero point or its error."""
        used = (self.flux, self.zero if self.name == "mag" else self.error)
        return tuple(dict.fromkeys(name for column in used if column is not None for name in column.columns))

    def values(self, raw: Mapping[str, AnyArray], rows: int) -> AnyArray:
        """Compute the magnitude, its error, or the signal-to-noise ratio of each row.

        Notes
        -----
        For a flux f with error e and zero point z these are ``z - 2.5 log10 f``, ``2.5 / ln(10) e / f`` and ``f / e``.
        A magnitude and its error are NaN where f is not positive; all are NaN where e or the calibration is not
        positive. The error includes that of the flux only, since an error of the zero point is common to many stars.
        """
        flux = self.flux.values(raw, rows)
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.name == "mag":
                zero = np.zeros(rows)
                if self.zero is not None:
                    zero = _zero_point(self.kind, self.zero.values(raw, rows))
                return np.asarray(zero + self.offset - 2.5 * np.log10(np.where(flux > 0, flux, np.nan)))
            if self.error is None:
                raise ValueError("no error of the flux")
            error = self.error.values(raw, rows)
            error = np.where(error > 0, error, np.nan)
            if self.name == "snr":
                return np.asarray(flux / error)
            return np.asarray(POGSON * error / np.where(flux > 0, flux, np.nan))


def find_columns(
    place: str, flux: Flux, there: Mapping[str, Column], header: Mapping[str, object], fields: Mapping[str, str]
) -> dict[str, FluxColumn]:
    """Resolve the columns that fluxes give; none if an optional flux is absent.

    Raises
    ------
    InputError
        A column is missing, the zero point is missing or not positive, or units are incompatible.
    """
    if flux.flux.name not in there:
        if flux.flux.optional:
            return {}
        raise InputError(f"{place}: no column '{flux.flux.name}' (flux of the survey profile)")
    column = resolve_number(place, "flux", flux.flux, there, None, header, fields)
    unit, error = column.unit, None
    if flux.error is not None and flux.error.name in there:
        own = stated_unit(place, flux.error, there[str(flux.error.name)].unit)
        error = resolve_number(
            place, "error of the flux", flux.error, there, None if own is None else unit, header, fields
        )
    zero, kind, offset = _calibration(place, column, flux, there, header, fields)
    names = FLUX_COLUMNS if error is not None else FLUX_COLUMNS[:1]
    parts: dict[str, Any] = {"flux": column, "error": error, "zero": zero, "kind": kind, "offset": offset}
    return {name: FluxColumn(place=place, name=name, **parts) for name in names}


def _calibration(
    place: str,
    column: NumberColumn,
    flux: Flux,
    there: Mapping[str, Column],
    header: Mapping[str, object],
    fields: Mapping[str, str],
) -> tuple[NumberColumn | None, str, float]:
    """Resolve the zero point, its kind, and its offset in magnitudes."""
    unit = column.unit
    kind = next((key for key in ZERO_POINTS if getattr(flux, key) is not None), None)
    if kind is None:
        if unit is None or not unit.is_equivalent(u.nJy):
            raise InputError(
                f"{place}: column '{flux.flux.name}': a flux in {unit or 'no unit'} needs a zero_point, fluxmag0 or "
                "calibration in the survey profile"
            )
        return None, "calibration", AB_OF_NJY - 2.5 * np.log10(float(unit.to(u.nJy)))
    source = getattr(flux, kind)
    if source.name is not None and source.name not in there:
        raise InputError(f"{place}: no column '{source.name}' ({kind} of the survey profile)")
    if kind == "zero_point":
        stated = there[source.name].unit if source.name is not None else None
        mag = u.mag if source.unit is not None or stated else None
        zero = resolve_number(place, kind, source, there, mag, header, fields)
        offset = 0.0
    else:
        zero = resolve_number(place, kind, source, there, None, header, fields)
        offset = _unit_offset(place, kind, flux, unit, zero.unit)
    if source.name is None:
        value = zero.values({}, 1)[0]
        if not np.isfinite(value) or (kind != "zero_point" and not value > 0):
            raise InputError(f"{place}: {kind} is {value:g}; it must be a number{' above 0' * (kind != 'zero_point')}")
    return zero, kind, offset


def _unit_offset(place: str, kind: str, flux: Flux, unit: u.UnitBase | None, own: u.UnitBase | None) -> float:
    """Compute the offset in magnitudes from the units of a flux and its calibration."""
    if kind == "fluxmag0":
        if own is None or unit is None:
            return 0.0
        if not own.is_equivalent(unit):
            raise InputError(f"{place}: fluxmag0 in {own} is not the unit of '{flux.flux.name}' ({unit})")
        return 2.5 * float(np.log10(float(own.to(unit))))
    if own is None or unit is None or not (own * unit).is_equivalent(u.nJy):
        raise InputError(
            f"{place}: calibration in {own or 'no unit'} makes no flux density of '{flux.flux.name}' in "
            f"{unit or 'no unit'}; state both units in the survey profile, such as nJy / count and count"
        )
    return -2.5 * float(np.log10(float((own * unit).to(u.nJy))))


def _zero_point(kind: str, value: AnyArray) -> AnyArray:
    """Compute the magnitude of one unit of flux.

    NaN for a calibration that is not positive.
    """
    if kind == "zero_point":
        return np.where(np.isfinite(value), value, np.nan)
    logarithm = 2.5 * np.log10(np.where(value > 0, value, np.nan))
    return np.asarray(logarithm if kind == "fluxmag0" else AB_OF_NJY - logarithm)
