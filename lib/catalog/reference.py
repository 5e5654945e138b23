"""Reference catalogs: stars with known positions, motions and magnitudes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from skyaccept.lib.arrays import AnyArray, FloatArray
from skyaccept.lib.sphere import MAS, tangent_basis, unit_vectors

JULIAN_YEAR = 365.25
"""Days; proper motions are per Julian year."""


@dataclass(frozen=True)
class Reference:
    """Stars of a reference catalog, in the order of its files.

    Attributes
    ----------
    ra, dec : (n,) float64
        Barycentric position at the star's own epoch, degrees, ICRS.
    mjd : (n,) float64
        Epoch of the position; NaN where unknown.
    pmra, pmdec : (n,) float64
        Proper motion, mas per Julian year, in right ascension times cos(Dec); NaN where unknown.
    parallax : (n,) float64
        mas; NaN where unknown.
    errors : mapping of str to (n,) float64
        Standard errors of the above that the catalog gives, by the same names and in the same units (mas for
        positions).
    mags, mag_errs : mapping of str to (n,) float64
        AB magnitudes and their standard errors by band; NaN where not measured.
    name, source, survey, sha256, notes : str, tuple of str
        As of `Detections`.
    """

    ra: AnyArray
    dec: AnyArray
    mjd: AnyArray
    pmra: AnyArray
    pmdec: AnyArray
    parallax: AnyArray
    errors: Mapping[str, AnyArray] = field(default_factory=dict)
    mags: Mapping[str, AnyArray] = field(default_factory=dict)
    mag_errs: Mapping[str, AnyArray] = field(default_factory=dict)
    name: str = ""
    source: str = ""
    survey: str = ""
    sha256: str = ""
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ra)

    @property
    def moving(self) -> AnyArray:
        """Return which stars have a known epoch, proper motion and parallax, (n,) bool."""
        return np.isfinite(self.mjd) & np.isfinite(self.pmra) & np.isfinite(self.pmdec) & np.isfinite(self.parallax)

    def describe(self) -> dict[str, Any]:
        """Describe the catalog for the results."""
        return {
            "name": self.name,
            "source": self.source,
            "sha256": self.sha256,
            "survey": self.survey,
            "stars": len(self),
            "moving": int(self.moving.sum()),
        }

    def directions(self) -> FloatArray:
        """Return unit vectors at the epochs of the catalog, (n, 3)."""
        return unit_vectors(self.ra, self.dec)

    def directions_at(self, stars: AnyArray, mjd: AnyArray) -> FloatArray:
        """Predict the geocentric directions of stars at given times.

        Parameters
        ----------
        stars : (m,) int
            Rows of the catalog.
        mjd : (m,) float64
            Times, days.

        Returns
        -------
        (m, 3) float64
            Unit vectors; NaN where epoch, proper motion or parallax is unknown.

        Notes
        -----
        A star at direction r moves uniformly in space and is seen from the Earth at b (au, barycentric):
        ``r + (pmra east + pmdec north) t - parallax b``, made a unit vector: the standard model of stellar motion
        (The Hipparcos and Tycho Catalogues, ESA SP-1200, volume 1, section 1.2) without radial velocity, which is not
        known here. That is off by 1e-3 mas in ten years for 50 mas per year at 200 pc, by 60 mas for Barnard's star.
        The centre of the Earth, from the series built into astropy (good to some 10 km), replaces the observatory:
        4e-5 of the parallax. Times count as one scale: TAI, TT, UTC and TCB differ by less than two minutes, which is
        0.04 mas for 10" per year.
        """
        place = unit_vectors(self.ra[stars], self.dec[stars])
        east, north = tangent_basis(place)
        years = ((mjd - self.mjd[stars]) / JULIAN_YEAR)[:, None]
        motion = (self.pmra[stars, None] * east + self.pmdec[stars, None] * north) * MAS
        seen = place + motion * years - self.parallax[stars, None] * MAS * earth_position(mjd)
        return np.asarray(seen / np.linalg.norm(seen, axis=1, keepdims=True))


def earth_position(mjd: AnyArray) -> FloatArray:
    """Barycentric position of the Earth in ICRS, au, (n, 3).

    NaN where the time is NaN.
    """
    from astropy.coordinates import get_body_barycentric
    from astropy.time import Time

    times, place = np.unique(mjd, return_inverse=True)
    positions = np.full((len(times), 3), np.nan)
    finite = np.isfinite(times)
    if finite.any():
        # the ephemeris is part of astropy, so nothing is fetched
        where = get_body_barycentric("earth", Time(times[finite], format="mjd", scale="tdb"), ephemeris="builtin")
        positions[finite] = where.xyz.to_value("au").T
    return np.asarray(positions[place])
