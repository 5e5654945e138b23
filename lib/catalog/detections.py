"""Detections: the validated columns and units of a catalog."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, Self, TypeVar

import astropy.units as u
import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.catalog.colors import ColorTerm
from skyaccept.lib.exceptions import InputError

UNITS: Mapping[str, u.UnitBase | None] = {
    "visit": None,
    "detector": None,
    "band": None,
    "object": None,
    "ra": u.deg,
    "dec": u.deg,
    "mag": u.mag,
    "mag_err": u.mag,
    "snr": u.one,
    "extendedness": u.one,
    "mjd": u.day,
    "airmass": u.one,
    "ra_err": u.mas,
    "dec_err": u.mas,
    "e1": u.one,
    "e2": u.one,
    "psf_e1": u.one,
    "psf_e2": u.one,
    "visit_group": None,
}
"""Columns of a catalog and their units in `Detections`; None for labels."""

SHAPES = ("e1", "e2", "psf_e1", "psf_e2")
"""Ellipticities of the images and of the PSF model."""


@dataclass(frozen=True)
class Detections:
    """Detections of one dataset, one entry per detection, in the order of the file.

    Attributes
    ----------
    ra, dec : (n,) float64
        Position in degrees, ICRS; NaN where not measured.
    visit : (n,) int64
        Index into ``visits``.
    band : (n,) int16
        Index into ``bands``.
    visits, bands : tuple of str
        Names of the visits and bands, in ascending order.
    object : (n,) int64, optional
        Object codes of the catalog, negative for a detection without an object.
    visit_group : (n,) int64, optional
        Index into ``visit_group_names``: visits of a group share errors.
    visit_group_names : tuple of str
        Names of the groups of visits, in ascending order.
    detector : (n,) int64, optional
        Index into ``detectors``, or the number of the detector where these are empty.
    detectors : tuple of str
        Names of the detectors, in ascending order.
    mag, mag_err : (n,) float, optional
        Magnitude and its standard error, mag.
    snr : (n,) float, optional
        Signal-to-noise ratio of the flux.
    extendedness : (n,) float, optional
        0 for a point source, 1 for an extended one.
    mjd, airmass : (n,) float, optional
        Time and airmass of the exposure.
    ra_err, dec_err : (n,) float, optional
        Standard error of the position per coordinate, mas.
    e1, e2 : (n,) float, optional
        Ellipticity of the image as a distortion, e1 = (xx - yy) / (xx + yy) and e2 = 2 xy / (xx + yy) of its second
        moments; NaN where not measured.
    psf_e1, psf_e2 : (n,) float, optional
        Ellipticity of the PSF model at its position.
    flags : mapping of str to (n,) bool
        True marks a bad detection.
    color_terms : mapping of str to mapping of str to ColorTerm
        Colour terms of the survey profile, by the survey of the reference profile and by band.
    shape_axes : {"sky", "pixels"}
        Axes of the ellipticities: x to the east and y to the north, or those of the pixels, assumed to be
        parallel in all detectors.
    name, source, survey, sha256 : str
        Name and origin of the dataset, its survey profile, and the hash of its bytes.
    notes : tuple of str
        Short sentences on how the data were read: rows and tables left out, values changed or marked as missing.
    """

    ra: AnyArray
    dec: AnyArray
    visit: AnyArray
    band: AnyArray
    visits: tuple[str, ...]
    bands: tuple[str, ...]
    object: AnyArray | None = None
    visit_group: AnyArray | None = None
    detector: AnyArray | None = None
    mag: AnyArray | None = None
    mag_err: AnyArray | None = None
    snr: AnyArray | None = None
    extendedness: AnyArray | None = None
    mjd: AnyArray | None = None
    airmass: AnyArray | None = None
    ra_err: AnyArray | None = None
    dec_err: AnyArray | None = None
    e1: AnyArray | None = None
    e2: AnyArray | None = None
    psf_e1: AnyArray | None = None
    psf_e2: AnyArray | None = None
    flags: Mapping[str, AnyArray] = field(default_factory=dict)
    detectors: tuple[str, ...] = ()
    visit_group_names: tuple[str, ...] = ()
    color_terms: Mapping[str, Mapping[str, ColorTerm]] = field(default_factory=dict)
    shape_axes: Literal["sky", "pixels"] = "sky"
    name: str = ""
    source: str = ""
    survey: str = ""
    sha256: str = ""
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ra)

    def detector_name(self, code: int) -> str:
        """Return the name of a detector in the catalog."""
        return self.detectors[code] if self.detectors else str(code)

    def column(self, name: str, needed_by: str) -> AnyArray:
        """Return an optional column by name.

        Raises
        ------
        InputError
            The catalog has no such column.
        """
        values: AnyArray | None = getattr(self, name)
        if values is None:
            raise InputError(
                f"{self.source or self.name}: no column for '{name}', which {needed_by} needs; "
                f"map it in the survey profile ('{self.survey}'), or see what is there with: skyaccept inspect FILE"
            )
        return values


@dataclass(frozen=True)
class AssociatedDetections(Detections):
    """Detections whose objects and exposures are known.

    Attributes
    ----------
    visit : (n,) int64
        Index into ``visits``; a visit is an exposure of one band.
    visits : tuple of str
        Names of the visits in ascending order, once for each band of a visit.
    object : (n,) int64
        Object of each detection, 0 ... n_objects - 1, or a negative code of `skyaccept.lib.catalog.association` for a
        detection without an object.
    """

    object: AnyArray

    @classmethod
    def from_detections(cls, detections: Detections, **changes: Any) -> Self:
        """Copy detections, with changed values of some fields."""
        return cls(**{one.name: getattr(detections, one.name) for one in fields(Detections)} | changes)

    @property
    def n_objects(self) -> int:
        """Number of objects."""
        return max(0, int(self.object.max(initial=-1)) + 1)

    def exposures(self) -> list[tuple[str, str]]:
        """Name and band of each visit; the band is empty for a visit without detections."""
        band = np.full(len(self.visits), -1, dtype=np.int64)
        band[self.visit] = self.band
        bands = (*self.bands, "")
        return [(name, bands[code]) for name, code in zip(self.visits, band, strict=True)]


D = TypeVar("D", bound=Detections)


def select_rows(detections: D, rows: NDArray[np.int64]) -> D:
    """Select rows of the detections."""
    columns = {name: values[rows] for name in UNITS if (values := getattr(detections, name)) is not None}
    flags = {name: values[rows] for name, values in detections.flags.items()}
    return replace(detections, **columns, flags=flags)


def inverse_index(codes: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Return the index of each of ``size`` codes in ``codes``, or -1."""
    number = np.full(size, -1, dtype=np.int64)
    number[codes] = np.arange(len(codes))
    return number
