"""Simulate one visit: detection, positions, magnitudes and flags of the sources."""

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
from skyaccept.synthetic.sky import Sky, displace, draw_in_disc
from skyaccept.synthetic.visits import Visit

SPURIOUS = -1
"""Source index of a spurious detection."""

SATURATION_LOSS = 0.5
"""Fraction of its excess over saturation, in magnitudes, that a star loses."""

SATURATION_SCATTER = 0.05
"""Scatter of the position of a saturated star per coordinate, FWHM."""

COSMIC_RAY_MAG = 0.1
"""Typical change by a cosmic ray: of the magnitude in mag, and in RA in standard deviations of the image."""


@dataclass(frozen=True)
class Exposure:
    """Detections of one visit, with their true values.

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
        Magnitude without any error, in the band of the visit.
    x, y : (n,) float64
        True position on the focal plane, radians.
    columns : mapping of str to (n,) array
        Catalog columns by their names in `Detections`; flags are ``flag_NAME``, ``visit`` and ``band`` indices.
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

    def random_generator(self, purpose: str) -> np.random.Generator:
        """Return the random generator of this visit for a purpose."""
        return stream(self.seed, f"{purpose} {self.visit.band}", self.visit.index)

    def with_columns(self, **columns: AnyArray) -> Exposure:
        """Return the exposure with columns replaced or added."""
        return replace(self, columns={**self.columns, **columns})

    def select(self, rows: AnyArray) -> Exposure:
        """Return the exposure with some rows only, given as a mask or as indices."""
        return replace(
            self,
            source=self.source[rows],
            true_mag=self.true_mag[rows],
            x=self.x[rows],
            y=self.y[rows],
            columns={name: values[rows] for name, values in self.columns.items()},
        )

    def append(self, other: Exposure) -> Exposure:
        """Return the exposure with the rows of another part of the same visit appended."""
        return replace(
            self,
            source=np.concatenate([self.source, other.source]),
            true_mag=np.concatenate([self.true_mag, other.true_mag]),
            x=np.concatenate([self.x, other.x]),
            y=np.concatenate([self.y, other.y]),
            columns={name: np.concatenate([values, other.columns[name]]) for name, values in self.columns.items()},
        )

    def shift_on_sky(self, east: FloatArray | float, north: FloatArray | float) -> Exposure:
        """Return the exposure with positions shifted to the east and north, mas."""
        offset = np.stack(np.broadcast_arrays(east, north, np.zeros(len(self))))[:2]
        return self.with_directions(displace(self._directions(), offset))

    def shift_on_focal_plane(self, x: FloatArray, y: FloatArray) -> Exposure:
        """Return the exposure with positions shifted on the focal plane, mas."""
        directions = self._directions()
        return self.with_directions(directions + camera.shift_vectors(self.visit, directions, np.stack([x, y]) * MAS))

    def add_ellipticity(self, e1: FloatArray, e2: FloatArray) -> Exposure:
        """Return the exposure with ellipticities added, in focal-plane axes."""
        change = camera.rotate_to_sky(self.visit, self._directions(), e1 + 1j * e2)
        return self.with_columns(e1=self.columns["e1"] + change.real, e2=self.columns["e2"] + change.imag)

    def add_to_magnitude(self, change: FloatArray | float) -> Exposure:
        """Return the exposure with a change added to the magnitudes, mag."""
        return self.with_columns(mag=self.columns["mag"] + change)

    def with_directions(self, vectors: FloatArray) -> Exposure:
        """Return the exposure with positions in the directions of vectors of any length."""
        ra, dec = to_degrees(vectors)
        return self.with_columns(ra=ra, dec=dec)

    def _directions(self) -> FloatArray:
        return unit_vectors(self.columns["ra"], self.columns["dec"])


def expose(scenario: Scenario, sky: Sky, plan: tuple[Visit, ...], number: int, seed: int) -> Exposure:
    """Simulate one visit.

    Random numbers are drawn for every source of the sky, so that they do not depend on which sources are in view.
    """
    visit, measurement = plan[number], scenario.measurement
    directions = sky.apparent_directions(visit.mjd)
    min_cosine = float(np.cos(scenario.visits.view_radius.to_value(u.rad)))
    inside = np.flatnonzero(np.einsum("ij,j->i", directions, visit.pointing) > min_cosine)
    detectors = camera.detector_grid(scenario)
    x, y = camera.project(directions[inside], visit)
    detector, edge = detectors.locate(x, y)

    def random_generator(purpose: str) -> np.random.Generator:
        return stream(seed, f"{purpose} {visit.band}", visit.index)

    mag = sky.magnitude(visit.band, visit.mjd)[inside]
    is_galaxy = np.where(sky.galaxy[inside], 1.0, 0.0)
    size = 0.0 if scenario.galaxies is None else scenario.galaxies.size.to_value(u.mas)
    # flux of a PSF fit to a wider round Gaussian, and to a star with a faint companion (first order in its flux)
    overlap = np.exp(-np.square(sky.companion[inside]).sum(axis=1) / 4 / (visit.seeing / FWHM) ** 2)
    gain = sky.share[inside] * overlap
    psf_mag = mag + 2.5 * np.log10((1 + is_galaxy * size**2 / 2 / visit.seeing**2) / (1 + gain))
    random = photometry.random_error(visit.band, psf_mag, visit.depth)
    snr = photometry.snr(random)
    noise = random_generator("flux").standard_normal(len(sky))[inside]
    not_missed = random_generator("missed").random(len(sky))[inside] >= measurement.missed
    detected = np.flatnonzero((detector >= 0) & not_missed & (snr + noise >= photometry.DETECTION_SNR))
    source = inside[detected]
    x, y, random, snr, noise, psf_mag = (v[detected] for v in (x, y, random, snr, noise, psf_mag))

    fwhm = np.hypot(visit.seeing, size * is_galaxy[detected])
    sigma = photometry.centroid_error(fwhm, snr, measurement.position_floor.to_value(u.mas))
    saturated = psf_mag < visit.saturation
    hit_by_cosmic_ray = random_generator("cosmic rays").random(len(sky))[source] < measurement.cosmic_rays
    strength = COSMIC_RAY_MAG * hit_by_cosmic_ray * random_generator("hits").standard_normal(len(sky))[source]
    scatter = np.hypot(sigma, SATURATION_SCATTER * visit.seeing * saturated)
    offset = scatter[:, None] * random_generator("positions").standard_normal((len(sky), 2))[source]
    offset += gain[detected, None] * sky.companion[source]
    offset[:, 0] += strength * visit.seeing / FWHM
    floor = measurement.magnitude_floor.to_value(u.mag)
    measured = psf_mag - random * noise + floor * random_generator("magnitudes").standard_normal(len(sky))[source]
    measured += SATURATION_LOSS * np.maximum(visit.saturation - psf_mag, 0) - np.abs(strength)
    measured += calibration.zero_point_error(scenario, visit, seed, detector[detected], x, y)

    directions = directions[source]
    color = None if sky.color is None else sky.color[source]
    shift = atmosphere.displacement(scenario, visit, seed, color, directions, x, y)
    ra, dec = to_degrees(displace(directions, offset.T, shift))
    columns = _complete_columns(
        scenario,
        visit,
        detector=detector[detected],
        ra=ra,
        dec=dec,
        mag=measured,
        mag_err=np.hypot(random, floor),
        snr=snr,
        extendedness=is_galaxy[detected],
        ra_err=sigma,
        flag_saturated=saturated,
        flag_cr=hit_by_cosmic_ray,
        flag_edge=edge[detected],
    )
    if scenario.ellipticity is not None:
        columns |= _shape_columns(scenario.ellipticity, visit, seed, source, directions, (x, y), len(sky))
    exposure = Exposure(scenario, visit, plan, seed, sky, detectors, source, mag[detected], x, y, columns)
    return _add_spurious(exposure) if measurement.spurious else exposure


def _shape_columns(
    shape: Ellipticity,
    visit: Visit,
    seed: int,
    source: AnyArray,
    directions: FloatArray,
    focal_plane: tuple[FloatArray, FloatArray],
    sources: int,
) -> dict[str, AnyArray]:
    """Return the ellipticities of images and PSF model as columns.

    The axes are x to the east and y to the north.

    Model, residual and noise are drawn in the axes of the focal plane, which are transported from the pointing to each
    position.
    """
    pattern = random_fields.draw(stream(seed, f"ellipticity {visit.band}", visit.index), shape.scale.to_value(u.rad))
    noise = stream(seed, f"shapes {visit.band}", visit.index).standard_normal((sources, 2))[source]
    e1, e2 = shape.rms * random_fields.ellipticity(pattern, *focal_plane) + shape.error * noise.T
    model = shape.psf * stream(seed, f"psf {visit.band}", visit.index).standard_normal(2)
    psf = camera.rotate_to_sky(visit, directions, complex(*model))
    image = psf + camera.rotate_to_sky(visit, directions, e1 + 1j * e2)
    return {"e1": image.real, "e2": image.imag, "psf_e1": psf.real, "psf_e2": psf.imag}


def _add_spurious(exposure: Exposure) -> Exposure:
    """Add spurious detections.

    Their number is Poisson, positions are uniform over the view, and S/N is exponential above 5.
    """
    scenario, visit = exposure.scenario, exposure.visit
    rng = exposure.random_generator("spurious")
    n = int(rng.poisson(scenario.measurement.spurious))
    center = np.array(to_degrees(visit.pointing))
    directions = draw_in_disc(rng, n, center, scenario.visits.view_radius.to_value(u.rad))
    snr = photometry.DETECTION_SNR + rng.exponential(size=n)
    extendedness = np.where(rng.random(n) < 0.5, 0.0, 1.0)
    x, y = camera.project(directions, visit)
    detector, edge = exposure.detectors.locate(x, y)
    on_detector = detector >= 0
    directions, snr, x, y = directions[on_detector], snr[on_detector], x[on_detector], y[on_detector]
    ra, dec = to_degrees(directions)
    columns = _complete_columns(
        scenario,
        visit,
        detector=detector[on_detector],
        ra=ra,
        dec=dec,
        mag=visit.depth - 2.5 * np.log10(snr / photometry.DETECTION_SNR),
        mag_err=np.hypot(2.5 / np.log(10) / snr, scenario.measurement.magnitude_floor.to_value(u.mag)),
        snr=snr,
        extendedness=extendedness[on_detector],
        ra_err=photometry.centroid_error(visit.seeing, snr, scenario.measurement.position_floor.to_value(u.mas)),
        flag_saturated=np.zeros(len(x), dtype=bool),
        flag_cr=np.zeros(len(x), dtype=bool),
        flag_edge=edge[on_detector],
    )
    columns |= {name: np.full(len(x), np.nan) for name in exposure.columns if name not in columns}
    return exposure.append(
        replace(
            exposure,
            source=np.full(len(x), SPURIOUS),
            true_mag=np.full(len(x), np.nan),
            x=x,
            y=y,
            columns=columns,
        )
    )


def _complete_columns(scenario: Scenario, visit: Visit, **measured: AnyArray) -> dict[str, AnyArray]:
    """Return the measured columns and those that are constant over the visit."""
    n = len(measured["ra"])
    false = np.zeros(n, dtype=bool)
    return {
        "visit": np.full(n, visit.number),
        "band": np.full(n, sorted(scenario.visits.number).index(visit.band), dtype=np.int16),
        "mjd": np.full(n, visit.mjd),
        "airmass": np.full(n, visit.airmass),
        **measured,
        "dec_err": measured["ra_err"],
        "flag_bad": false,
        "flag_not_primary": false,
    }
