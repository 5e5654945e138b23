"""What a visit measures: detection, positions, magnitudes and flags of the sources in view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import astropy.units as u
import numpy as np
from skyaccept.lib.arrays import AnyArray, FloatArray
from skyaccept.lib.sphere import MAS, to_degrees, unit_vectors
from skyaccept.synthetic import atmosphere, calibration, camera, photometry, random_fields
from skyaccept.synthetic.photometry import FWHM
from skyaccept.synthetic.random_streams import stream
from skyaccept.synthetic.scenario_schema import Ellipticity, Scenario
from skyaccept.synthetic.sky import Sky, disc, displaced
from skyaccept.synthetic.visits import Visit

SPURIOUS = -1
"""Source of a detection that is none."""

SATURATION_LOSS = 0.5
"""Share of its excess in magnitude over saturation that a star loses."""

SATURATION_SCATTER = 0.05
"""Scatter of the position of a saturated star per coordinate, FWHM."""

HIT = 0.1
"""Light of a typical hit of a cosmic ray, mag, and its way to the east or west, standard deviations of the image."""


@dataclass(frozen=True)
class Exposure:
    """Detections of one visit, and what is true of them.

    Attributes
    ----------
    scenario : Scenario
    visit : Visit
    plan : tuple of Visit
        All visits of the survey.
    seed : int
    sky : Sky
    detectors : Grid
    source : (n,) int64
        Source in the sky, or `SPURIOUS`.
    true_mag : (n,) float64
        Without any error, in the band of the visit.
    x, y : (n,) float64
        True place on the focal plane, radians.
    columns : mapping of str to (n,) array
        The catalog: columns of `Detections` by name; flags as ``flag_NAME``; ``visit`` and ``band`` as indices.
    """

    scenario: Scenario
    visit: Visit
    plan: tuple[Visit, ...]
    seed: int
    sky: Sky
    detectors: camera.Grid
    source: AnyArray
    true_mag: FloatArray
    x: FloatArray
    y: FloatArray
    columns: Mapping[str, AnyArray]

    def __len__(self) -> int:
        return len(self.source)

    def draws(self, purpose: str) -> np.random.Generator:
        """Random numbers of this visit."""
        return stream(self.seed, f"{purpose} {self.visit.band}", self.visit.index)

    def with_columns(self, **columns: AnyArray) -> Exposure:
        """The same with columns replaced or added."""
        return replace(self, columns={**self.columns, **columns})

    def select(self, rows: AnyArray) -> Exposure:
        """The chosen rows, as a mask or as indices."""
        return replace(
            self,
            source=self.source[rows],
            true_mag=self.true_mag[rows],
            x=self.x[rows],
            y=self.y[rows],
            columns={name: values[rows] for name, values in self.columns.items()},
        )

    def joined(self, other: Exposure) -> Exposure:
        """Rows of another part of the same visit after these."""
        return replace(
            self,
            source=np.concatenate([self.source, other.source]),
            true_mag=np.concatenate([self.true_mag, other.true_mag]),
            x=np.concatenate([self.x, other.x]),
            y=np.concatenate([self.y, other.y]),
            columns={name: np.concatenate([values, other.columns[name]]) for name, values in self.columns.items()},
        )

    def moved(self, east: FloatArray | float, north: FloatArray | float) -> Exposure:
        """Positions moved on the sky, mas to the east and north."""
        place = unit_vectors(self.columns["ra"], self.columns["dec"])
        return self.at(displaced(place, np.stack(np.broadcast_arrays(east, north, np.zeros(len(self))))[:2]))

    def shifted(self, x: FloatArray, y: FloatArray) -> Exposure:
        """Positions moved along the axes of the focal plane, mas."""
        place = unit_vectors(self.columns["ra"], self.columns["dec"])
        return self.at(place + camera.along(self.visit, place, np.stack([x, y]) * MAS))

    def stretched(self, e1: FloatArray, e2: FloatArray) -> Exposure:
        """Images whose ellipticities along the axes of the focal plane have changed."""
        place = unit_vectors(self.columns["ra"], self.columns["dec"])
        change = camera.spun(self.visit, place, e1 + 1j * e2)
        return self.with_columns(e1=self.columns["e1"] + change.real, e2=self.columns["e2"] + change.imag)

    def brightened(self, change: FloatArray | float) -> Exposure:
        """Magnitudes changed, mag."""
        return self.with_columns(mag=self.columns["mag"] + change)

    def at(self, vectors: FloatArray) -> Exposure:
        """Positions in the directions of vectors of any length."""
        ra, dec = to_degrees(vectors)
        return self.with_columns(ra=ra, dec=dec)


def expose(scenario: Scenario, sky: Sky, plan: tuple[Visit, ...], number: int, seed: int) -> Exposure:
    """Simulate one visit.

    Numbers are drawn for every source of the sky, in view or not, so that what is seen changes no draw.
    """
    visit, measurement = plan[number], scenario.measurement
    place = sky.seen(visit.mjd)
    rim = float(np.cos(scenario.visits.view_radius.to_value(u.rad)))
    inside = np.flatnonzero(np.einsum("ij,j->i", place, visit.pointing) > rim)
    detectors = camera.grid(scenario)
    x, y = camera.project(place[inside], visit)
    detector, edge = detectors.locate(x, y)

    def draws(purpose: str) -> np.random.Generator:
        return stream(seed, f"{purpose} {visit.band}", visit.index)

    mag = sky.magnitude(visit.band, visit.mjd)[inside]
    wide = np.where(sky.galaxy[inside], 1.0, 0.0)
    size = 0.0 if scenario.galaxies is None else scenario.galaxies.size.to_value(u.mas)
    # a PSF fitted to a round Gaussian that is wider, and to a star with a faint companion: first order in its flux
    overlap = np.exp(-np.square(sky.companion[inside]).sum(axis=1) / 4 / (visit.seeing / FWHM) ** 2)
    gain = sky.share[inside] * overlap
    seen_mag = mag + 2.5 * np.log10((1 + wide * size**2 / 2 / visit.seeing**2) / (1 + gain))
    random = photometry.random_error(visit.band, seen_mag, visit.depth)
    snr = photometry.snr(random)
    noise = draws("flux").standard_normal(len(sky))[inside]
    found = draws("missed").random(len(sky))[inside] >= measurement.missed
    chosen = np.flatnonzero((detector >= 0) & found & (snr + noise >= photometry.DETECTION_SNR))
    source = inside[chosen]
    x, y, random, snr, noise, seen_mag = (v[chosen] for v in (x, y, random, snr, noise, seen_mag))

    fwhm = np.hypot(visit.seeing, size * wide[chosen])
    sigma = photometry.centroid_error(fwhm, snr, measurement.position_floor.to_value(u.mas))
    saturated = seen_mag < visit.saturation
    hit = draws("cosmic rays").random(len(sky))[source] < measurement.cosmic_rays
    strength = HIT * hit * draws("hits").standard_normal(len(sky))[source]
    scatter = np.hypot(sigma, SATURATION_SCATTER * visit.seeing * saturated)
    offset = scatter[:, None] * draws("positions").standard_normal((len(sky), 2))[source]
    offset += gain[chosen, None] * sky.companion[source]
    offset[:, 0] += strength * visit.seeing / FWHM
    floor = measurement.magnitude_floor.to_value(u.mag)
    measured = seen_mag - random * noise + floor * draws("magnitudes").standard_normal(len(sky))[source]
    measured += SATURATION_LOSS * np.maximum(visit.saturation - seen_mag, 0) - np.abs(strength)
    measured += calibration.error(scenario, visit, seed, detector[chosen], x, y)

    place = place[source]
    color = None if sky.color is None else sky.color[source]
    shift = atmosphere.displacement(scenario, visit, seed, color, place, x, y)
    ra, dec = to_degrees(displaced(place, offset.T, shift))
    columns = _table(
        scenario,
        visit,
        detector=detector[chosen],
        ra=ra,
        dec=dec,
        mag=measured,
        mag_err=np.hypot(random, floor),
        snr=snr,
        extendedness=wide[chosen],
        ra_err=sigma,
        flag_saturated=saturated,
        flag_cr=hit,
        flag_edge=edge[chosen],
    )
    if scenario.ellipticity is not None:
        columns |= _shapes(scenario.ellipticity, visit, seed, source, place, (x, y), len(sky))
    made = Exposure(scenario, visit, plan, seed, sky, detectors, source, mag[chosen], x, y, columns)
    return _with_spurious(made) if measurement.spurious else made


def _shapes(
    shape: Ellipticity,
    visit: Visit,
    seed: int,
    source: AnyArray,
    place: FloatArray,
    at: tuple[FloatArray, FloatArray],
    sources: int,
) -> dict[str, AnyArray]:
    """Columns of ellipticities of the images and of the model of the PSF, x to the east and y to the north.

    The model, what it misses and the noise of an image are drawn in the axes of the focal plane, which are carried from
    the pointing to each place.
    """
    pattern = random_fields.draw(stream(seed, f"ellipticity {visit.band}", visit.index), shape.scale.to_value(u.rad))
    noise = stream(seed, f"shapes {visit.band}", visit.index).standard_normal((sources, 2))[source]
    e1, e2 = shape.rms * random_fields.ellipticity(pattern, *at) + shape.error * noise.T
    model = shape.psf * stream(seed, f"psf {visit.band}", visit.index).standard_normal(2)
    psf = camera.spun(visit, place, complex(*model))
    image = psf + camera.spun(visit, place, e1 + 1j * e2)
    return {"e1": image.real, "e2": image.imag, "psf_e1": psf.real, "psf_e2": psf.imag}


def _with_spurious(made: Exposure) -> Exposure:
    """Add a Poisson number of detections of nothing, uniform over the view, of S/N 5 and exponentially rarer above."""
    scenario, visit = made.scenario, made.visit
    rng = made.draws("spurious")
    n = int(rng.poisson(scenario.measurement.spurious))
    center = np.array(to_degrees(visit.pointing))
    place = disc(rng, n, center, scenario.visits.view_radius.to_value(u.rad))
    snr = photometry.DETECTION_SNR + rng.exponential(size=n)
    extendedness = np.where(rng.random(n) < 0.5, 0.0, 1.0)
    x, y = camera.project(place, visit)
    detector, edge = made.detectors.locate(x, y)
    on = detector >= 0
    place, snr, x, y = place[on], snr[on], x[on], y[on]
    ra, dec = to_degrees(place)
    columns = _table(
        scenario,
        visit,
        detector=detector[on],
        ra=ra,
        dec=dec,
        mag=visit.depth - 2.5 * np.log10(snr / photometry.DETECTION_SNR),
        mag_err=np.hypot(2.5 / np.log(10) / snr, scenario.measurement.magnitude_floor.to_value(u.mag)),
        snr=snr,
        extendedness=extendedness[on],
        ra_err=photometry.centroid_error(visit.seeing, snr, scenario.measurement.position_floor.to_value(u.mas)),
        flag_saturated=np.zeros(len(x), dtype=bool),
        flag_cr=np.zeros(len(x), dtype=bool),
        flag_edge=edge[on],
    )
    columns |= {name: np.full(len(x), np.nan) for name in made.columns if name not in columns}
    return made.joined(
        replace(
            made,
            source=np.full(len(x), SPURIOUS),
            true_mag=np.full(len(x), np.nan),
            x=x,
            y=y,
            columns=columns,
        )
    )


def _table(scenario: Scenario, visit: Visit, **measured: AnyArray) -> dict[str, AnyArray]:
    """All columns: what was measured, and what is the same for the whole visit."""
    n = len(measured["ra"])
    none = np.zeros(n, dtype=bool)
    return {
        "visit": np.full(n, visit.number),
        "band": np.full(n, sorted(scenario.visits.number).index(visit.band), dtype=np.int16),
        "mjd": np.full(n, visit.mjd),
        "airmass": np.full(n, visit.airmass),
        **measured,
        "dec_err": measured["ra_err"],
        "flag_bad": none,
        "flag_not_primary": none,
    }
