"""Simulate a survey: its catalog, truth and reference catalog."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import astropy.units as u
import numpy as np
from numpy.typing import NDArray
from skyaccept.lib import progress
from skyaccept.lib.arrays import AnyArray, FloatArray
from skyaccept.lib.catalog.checking import check_detections
from skyaccept.lib.catalog.detections import Detections
from skyaccept.lib.catalog.reference import JULIAN_YEAR, Reference
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.sphere import to_degrees
from skyaccept.synthetic import faults, photometry, sky, visits
from skyaccept.synthetic.exposure import Exposure, expose
from skyaccept.synthetic.random_streams import stream
from skyaccept.synthetic.scenario_schema import Scenario
from skyaccept.synthetic.site import J2000
from skyaccept.synthetic.sky import EPOCH, Sky
from skyaccept.synthetic.visits import Visit

_LABELS = ("visit", "band", "detector", "object")

FIRST_VISIT = 1000
"""Number in the name of the first visit."""


@dataclass(frozen=True)
class Truth:
    """True properties of a simulated survey.

    Attributes
    ----------
    ra, dec : (n_sources,) float64
        Degrees, at the epoch 2016.0; stars come before galaxies.
    mag : dict of str to (n_sources,) float64
        Mean magnitude by band.
    position_error : dict of str to (n_sources,) float64
        Standard error of one position per coordinate by band, mas, from noise at the zenith in typical seeing.
    star : (n_detections,) int64
        Source of each detection, negative for a spurious one.
    galaxy : (n_sources,) bool
    sky : Sky
        True properties of the sources.
    visits : tuple of Visit
    """

    ra: FloatArray
    dec: FloatArray
    mag: dict[str, FloatArray]
    position_error: dict[str, FloatArray]
    star: NDArray[np.int64]
    galaxy: AnyArray
    sky: Sky
    visits: tuple[Visit, ...]


@dataclass(frozen=True)
class Survey:
    """A simulated catalog, not yet associated, and its truth."""

    detections: Detections
    truth: Truth


def simulate(scenario: Scenario, seed: int = 1) -> Survey:
    """Simulate a survey.

    Parameters
    ----------
    scenario : Scenario
    seed : int
        The same scenario and seed give the same bytes.

    Raises
    ------
    InputError
        The field is never up at night, a fault is impossible in the scenario, or the faults lead to a catalog that
        would also be refused from a file.
    """
    true_sky = sky.draw(scenario, seed)
    plan = visits.plan(scenario, seed)
    parts = [part for part in _exposures(scenario, true_sky, plan, seed) if len(part)]
    if not parts:
        raise InputError(f"scenario {scenario.scenario}: no visit has detections")
    columns: dict[str, Any] = {name: np.concatenate([p.columns[name] for p in parts]) for name in parts[0].columns}
    flags = {name.removeprefix("flag_"): columns.pop(name) for name in list(columns) if name.startswith("flag_")}
    # as readers do, number only the labels that occur
    labels = {name: np.unique(columns[name], return_inverse=True) for name in _LABELS if name in columns}
    columns |= {name: codes for name, (_, codes) in labels.items()}
    columns["band"] = columns["band"].astype(np.int16)
    numbers, codes = labels["visit"][0], labels["band"][0]
    bands = sorted(scenario.visits.number)
    detections = Detections(
        **columns,
        visits=tuple(str(FIRST_VISIT + number) for number in numbers),
        bands=tuple(bands[code] for code in codes),
        detectors=tuple(str(number) for number in labels["detector"][0]),
        flags=flags,
        name=f"simulated survey {scenario.scenario}",
        source=f"scenario {scenario.scenario}, seed {seed}",
        survey="simulated",
    )
    detections = check_detections(replace(detections, sha256=_digest(detections)))
    star = np.concatenate([part.source for part in parts])
    return Survey(detections, _truth(scenario, true_sky, plan, star))


def exposures(scenario: Scenario, seed: int) -> Iterator[Exposure]:
    """Yield the visits of a survey with their faults.

    Only one is in memory at a time.
    """
    return _exposures(scenario, sky.draw(scenario, seed), visits.plan(scenario, seed), seed)


def reference(scenario: Scenario, seed: int = 1) -> Reference | None:
    """Simulate the reference catalog of the stars; None if there is none.

    Stars at the faint limit have the errors of the scenario. For brighter ones the errors decrease with the square root
    of the flux, like photon noise.
    """
    settings = scenario.reference
    if settings is None:
        return None
    true_sky = sky.draw(scenario, seed)
    rows = reference_sources(scenario, true_sky)
    if not len(rows):
        raise InputError(f"scenario {scenario.scenario}: no star is bright enough for its reference catalog")
    scale = 10 ** (0.2 * (true_sky.mag[rows] - settings.faintest.to_value(u.mag)))
    position = settings.position_error.to_value(u.mas) * scale
    motion = settings.motion_error.to_value(u.mas / u.yr) * scale
    parallax = settings.parallax_error.to_value(u.mas) * scale

    def noise(purpose: str) -> FloatArray:
        return stream(seed, f"reference {purpose}").standard_normal(len(true_sky))[rows]

    # positions of the catalog are at its own epoch
    epoch = J2000 + (settings.epoch.to_value(u.yr) - 2000) * JULIAN_YEAR
    moved = sky.displace(true_sky.direction[rows], true_sky.motion[rows].T * (epoch - EPOCH) / JULIAN_YEAR)
    ra, dec = to_degrees(sky.displace(moved, position * np.stack([noise("ra"), noise("dec")])))
    bands = sorted(scenario.visits.number)
    mags, mag_errs = {band: true_sky.magnitude(band)[rows] for band in bands}, {}
    if settings.magnitude_error is not None:
        mag_errs = dict.fromkeys(bands, settings.magnitude_error.to_value(u.mag) * scale)
        mags = {band: mags[band] + mag_errs[band] * noise(f"magnitudes {band}") for band in bands}
    catalog = Reference(
        ra,
        dec,
        np.full(len(rows), epoch),
        true_sky.motion[rows, 0] + motion * noise("pmra"),
        true_sky.motion[rows, 1] + motion * noise("pmdec"),
        true_sky.parallax[rows] + parallax * noise("parallax"),
        errors={"ra": position, "dec": position, "pmra": motion, "pmdec": motion, "parallax": parallax},
        mags=mags,
        mag_errs=mag_errs,
        name=f"reference catalog of scenario {scenario.scenario}",
        source=f"scenario {scenario.scenario}, seed {seed}",
        survey="generic",
    )
    digest = hashlib.sha256()
    for values in (
        catalog.ra,
        catalog.dec,
        catalog.mjd,
        catalog.pmra,
        catalog.pmdec,
        catalog.parallax,
        *(mags[b] for b in mag_errs),
    ):
        digest.update(np.ascontiguousarray(values).tobytes())
    return replace(catalog, sha256=digest.hexdigest())


def reference_sources(scenario: Scenario, true_sky: Sky) -> NDArray[np.int64]:
    """Return the indices of the sources in the reference catalog, in its order.

    They are empty without a catalog.
    """
    if scenario.reference is None:
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(~true_sky.galaxy & (true_sky.mag <= scenario.reference.faintest.to_value(u.mag)))


def position_error(scenario: Scenario, band: str, mag: FloatArray) -> FloatArray:
    """Return the standard error of positions per coordinate, mas.

    It is that at the zenith in typical seeing.
    """
    measurement = scenario.measurement
    random = photometry.random_error(band, mag, measurement.depth[band].to_value(u.mag))
    seeing, floor = measurement.seeing.to_value(u.mas), measurement.position_floor.to_value(u.mas)
    return photometry.centroid_error(seeing, photometry.snr(random), floor)


def _exposures(scenario: Scenario, true_sky: Sky, plan: tuple[Visit, ...], seed: int) -> Iterator[Exposure]:
    for visit in plan:
        progress.report(f"simulating {len(plan)} visits", visit.number, len(plan))
        exposure = faults.apply(expose(scenario, true_sky, plan, visit.number, seed))
        if exposure is not None:
            yield exposure


def _truth(scenario: Scenario, true_sky: Sky, plan: tuple[Visit, ...], star: NDArray[np.int64]) -> Truth:
    ra, dec = to_degrees(true_sky.direction)
    mag = {band: true_sky.magnitude(band) for band in scenario.visits.number}
    errors = {band: position_error(scenario, band, values) for band, values in mag.items()}
    return Truth(ra, dec, mag, errors, star, true_sky.galaxy, true_sky, plan)


def _digest(d: Detections) -> str:
    digest = hashlib.sha256()
    shapes = () if d.e1 is None else ("e1", "e2", "psf_e1", "psf_e2")
    for name in ("visit", "band", "ra", "dec", "mag", "mag_err", "snr", "extendedness", "mjd", *shapes):
        digest.update(np.ascontiguousarray(getattr(d, name)).tobytes())
    return digest.hexdigest()
