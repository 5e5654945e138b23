"""Detections: the checked columns and units that everything else relies on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import astropy.units as u
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from skyaccept.lib.color import ColorTerm
from skyaccept.lib.errors import InputError

Array = NDArray[Any]

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
}
"""Columns of a catalog and the units in which `Detections` holds them; None for labels."""

SHAPES = ("e1", "e2", "psf_e1", "psf_e2")
"""Ellipticities of the images and of the model of the PSF."""


@dataclass(frozen=True)
class Detections:
    """Detections of one dataset: one entry per detection, in the order of the file.

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
        Object of each detection, 0 ... n_objects - 1; negative for a detection without a position or in an
        ambiguous group, see `skyaccept.lib.association`. None before association.
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
        The same of the model of the PSF at its place.
    flags : mapping of str to (n,) bool
        True marks a bad detection.
    color_terms : mapping of str to mapping of str to ColorTerm
        By the survey of the reference profile, and by band: what the survey profile declares.
    shape_axes : {"sky", "pixels"}
        Axes of the ellipticities: x to the east and y to the north, or those of the pixels, which are taken to be
        parallel in all detectors.
    name, source, survey, sha256 : str
        What the dataset is called, where it came from, the survey profile, and the hash of its bytes.
    notes : tuple of str
        What a reader of the results has to know about how the data were read: rows and tables left out, values
        changed or marked as missing by a convention. Short sentences.
    """

    ra: Array
    dec: Array
    visit: Array
    band: Array
    visits: tuple[str, ...]
    bands: tuple[str, ...]
    object: Array | None = None
    detector: Array | None = None
    mag: Array | None = None
    mag_err: Array | None = None
    snr: Array | None = None
    extendedness: Array | None = None
    mjd: Array | None = None
    airmass: Array | None = None
    ra_err: Array | None = None
    dec_err: Array | None = None
    e1: Array | None = None
    e2: Array | None = None
    psf_e1: Array | None = None
    psf_e2: Array | None = None
    flags: Mapping[str, Array] = field(default_factory=dict)
    detectors: tuple[str, ...] = ()
    color_terms: Mapping[str, Mapping[str, ColorTerm]] = field(default_factory=dict)
    shape_axes: Literal["sky", "pixels"] = "sky"
    name: str = ""
    source: str = ""
    survey: str = ""
    sha256: str = ""
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ra)

    @property
    def n_objects(self) -> int:
        """Number of objects; 0 before association."""
        return 0 if self.object is None or len(self) == 0 else int(self.object.max()) + 1

    def detector_name(self, code: int) -> str:
        """What the catalog calls a detector."""
        return self.detectors[code] if self.detectors else str(code)

    def column(self, name: str, needed_by: str) -> Array:
        """Optional column by name.

        Raises
        ------
        InputError
            The catalog has no such column.
        """
        values: Array | None = getattr(self, name)
        if values is None:
            raise InputError(
                f"{self.source or self.name}: no column for '{name}', which {needed_by} needs; "
                f"map it in the survey profile ('{self.survey}'), or see what is there with: skyaccept inspect FILE"
            )
        return values


def check(
    detections: Detections,
    parts: Sequence[tuple[str, int]] = (),
    others: Callable[[], Mapping[str, Array]] = dict,
) -> Detections:
    """Return the detections if they are sound; every reader and simulator passes through here.

    Parameters
    ----------
    detections : Detections
    parts : sequence of (str, int), optional
        The files that the rows come from and how many come from each, for messages.
    others : callable, optional
        ``others()`` reads the columns that were left out; called only where rows are identical without them.

    Raises
    ------
    InputError
        No row; columns of different length; a column without any finite value, other than a shape; a declination
        beyond 90 degrees or a right ascension outside [0, 360]; two identical rows. The message names column, row and
        remedy.
    """
    where = detections.source or detections.name or "catalog"
    n = len(detections)
    if n == 0:
        raise InputError(f"{where}: the catalog is empty: it has no rows")
    columns = {name: c for name in UNITS if (c := getattr(detections, name)) is not None}
    columns |= {f"flag_{name}": c for name, c in detections.flags.items()}
    for name, values in columns.items():
        if values.shape != (n,):
            raise InputError(f"{where}: column '{name}' has shape {values.shape}, expected ({n},)")
        # a catalog may have blank shapes, which some clauses need and others do not
        if values.dtype.kind == "f" and name not in SHAPES and not np.isfinite(values).any():
            raise InputError(f"{where}: column '{name}' holds no finite value: all {n} rows are NaN or infinite")
    rows = _Rows(tuple(parts) or ((where, n),))
    _check_range(rows, "ra", detections.ra, 0.0, 360.0)
    _check_range(rows, "dec", detections.dec, -90.0, 90.0)
    _check_duplicates(rows, columns, others)
    return detections


@dataclass(frozen=True)
class _Rows:
    """Names rows by the file they stand in."""

    parts: tuple[tuple[str, int], ...]

    def name(self, row: int) -> str:
        for path, n in self.parts:
            if row < n:
                return f"{path}, row {row + 1}"
            row -= n
        raise IndexError(row)


def _check_range(rows: _Rows, name: str, values: Array, low: float, high: float) -> None:
    outside = np.flatnonzero((values < low) | (values > high))
    if outside.size:
        row = int(outside[0])
        raise InputError(
            f"{rows.name(row)}: column '{name}': {values[row]:.10g} is outside [{low:g}, {high:g}] degrees "
            f"({outside.size} such rows); are the units in the survey profile right?"
        )


def _check_duplicates(rows: _Rows, columns: Mapping[str, Array], others: Callable[[], Mapping[str, Array]]) -> None:
    """Refuse rows that repeat another one in every column; NaN equals NaN here."""
    # right ascension alone leaves few candidates in most catalogs, which the other columns then tell apart
    ra = columns["ra"]
    ordered = np.sort(ra)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    unknown = np.isnan(ra)
    if not twice.size and np.count_nonzero(unknown) < 2:
        return
    candidates = np.flatnonzero(pd.Series(ra).isin(twice).to_numpy() | unknown)
    # the detections of a light curve have one position, and differ in their visits
    first = {name: columns[name] for name in ("ra", "dec", "visit")}
    candidates = candidates[_table(first, candidates).duplicated(keep=False)]
    if not _table(columns, candidates).duplicated().any():
        return
    table = _table({**columns, **others()}, candidates)
    repeated = np.flatnonzero(table.duplicated())
    if repeated.size:
        row = table.iloc[repeated[0]]
        twin = int(np.argmax(((table == row) | (table.isna() & row.isna())).all(axis=1)))
        raise InputError(
            f"{rows.name(int(candidates[repeated[0]]))}: identical in every column to "
            f"{rows.name(int(candidates[twin]))} ({repeated.size} repeated rows); was a file read twice? "
            "remove the duplicates"
        )


def _table(columns: Mapping[str, Array], rows: Array) -> pd.DataFrame:
    return pd.DataFrame({name: values[rows] for name, values in columns.items()})


def numbering(codes: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Number of each of ``size`` codes among some of them; negative where it is not one of these."""
    number = np.full(size, -1, dtype=np.int64)
    number[codes] = np.arange(len(codes))
    return number
