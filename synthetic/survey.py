"""Simulation of a survey: what the catalog says, and what is true."""

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
"""Name of the first visit."""


@dataclass(frozen=True)
class Truth:
    """What is true of a simulated survey.

    Attributes
    ----------
    ra, dec : (n_sources,) float64
        Degrees, at the epoch 2016.0; stars before galaxies.
    mag : dict of str to (n_sources,) float64
        Mean magnitude by band.
    position_error : dict of str to (n_sources,) float64
        Standard error of one position per coordinate, mas, by band, at the zenith in typical seeing, by noise alone.
    star : (n_detections,) int64
        Source of each detection, negative for a spurious one.
    galaxy : (n_sources,) bool
    sky : Sky
        Motions, colors, variability and companions of the sources.
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
        The field is never up at night, a fault does not go with the scenario, or the faults leave a catalog that is
        refused as that of a file would be.
    """
    whole = sky.draw(scenario, seed)
    plan = visits.plan(scenario, seed)
    parts = [part for part in _exposures(scenario, whole, plan, seed) if len(part)]
    if not parts:
        raise InputError(f"scenario {scenario.scenario}: nothing is seen in any visit")
    columns: dict[str, Any] = {name: np.concatenate([p.columns[name] for p in parts]) for name in parts[0].columns}
    flags = {name.removeprefix("flag_"): columns.pop(name) for name in list(columns) if name.startswith("flag_")}
    # labels as readers give them: codes of those that occur
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
    return Survey(detections, _truth(scenario, whole, plan, star))


def exposures(scenario: Scenario, seed: int) -> Iterator[Exposure]:
    """Visits of a survey one after the other, faults included; one of them is in memory at a time."""
    return _exposures(scenario, sky.draw(scenario, seed), visits.plan(scenario, seed), seed)


def reference(scenario: Scenario, seed: int = 1) -> Reference | None:
    """Reference catalog of the stars of `simulate`, if the scenario has one.

    Errors are those of the scenario for stars at its faint limit, and smaller as the square root of the flux for
    brighter ones, as photon noise is.
    """
    catalog = scenario.reference
    if catalog is None:
        return None
    whole = sky.draw(scenario, seed)
    rows = in_reference(scenario, whole)
    if not len(rows):
        raise InputError(f"scenario {scenario.scenario}: no star is bright enough for its reference catalog")
    scale = 10 ** (0.2 * (whole.mag[rows] - catalog.faintest.to_value(u.mag)))
    position = catalog.position_error.to_value(u.mas) * scale
    motion = catalog.motion_error.to_value(u.mas / u.yr) * scale
    parallax = catalog.parallax_error.to_value(u.mas) * scale

    def noise(purpose: str) -> FloatArray:
        return stream(seed, f"reference {purpose}").standard_normal(len(whole))[rows]

    # the catalog gives places at its own epoch
    epoch = J2000 + (catalog.epoch.to_value(u.yr) - 2000) * JULIAN_YEAR
    moved = sky.displaced(whole.direction[rows], whole.motion[rows].T * (epoch - EPOCH) / JULIAN_YEAR)
    ra, dec = to_degrees(sky.displaced(moved, position * np.stack([noise("ra"), noise("dec")])))
    bands = sorted(scenario.visits.number)
    mags, mag_errs = {band: whole.magnitude(band)[rows] for band in bands}, {}
    if catalog.magnitude_error is not None:
        mag_errs = dict.fromkeys(bands, catalog.magnitude_error.to_value(u.mag) * scale)
        mags = {band: mags[band] + mag_errs[band] * noise(f"magnitudes {band}") for band in bands}
    made = Reference(
        ra,
        dec,
        np.full(len(rows), epoch),
        whole.motion[rows, 0] + motion * noise("pmra"),
        whole.motion[rows, 1] + motion * noise("pmdec"),
        whole.parallax[rows] + parallax * noise("parallax"),
        errors={"ra": position, "dec": position, "pmra": motion, "pmdec": motion, "parallax": parallax},
        mags=mags,
        mag_errs=mag_errs,
        name=f"reference catalog of scenario {scenario.scenario}",
        source=f"scenario {scenario.scenario}, seed {seed}",
        survey="generic",
    )
    digest = hashlib.sha256()
    for values in (made.ra, made.dec, made.mjd, made.pmra, made.pmdec, made.parallax, *(mags[b] for b in mag_errs)):
        digest.update(np.ascontiguousarray(values).tobytes())
    return replace(made, sha256=digest.hexdigest())


def in_reference(scenario: Scenario, whole: Sky) -> NDArray[np.int64]:
    """Sources that the reference catalog lists, in its order; none where there is no catalog."""
    if scenario.reference is None:
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(~whole.galaxy & (whole.mag <= scenario.reference.faintest.to_value(u.mag)))


def position_error(scenario: Scenario, band: str, mag: FloatArray) -> FloatArray:
    """Standard error of a position per coordinate, mas, of stars at the zenith in typical seeing."""
    measurement = scenario.measurement
    random = photometry.random_error(band, mag, measurement.depth[band].to_value(u.mag))
    seeing, floor = measurement.seeing.to_value(u.mas), measurement.position_floor.to_value(u.mas)
    return photometry.centroid_error(seeing, photometry.snr(random), floor)


def _exposures(scenario: Scenario, whole: Sky, plan: tuple[Visit, ...], seed: int) -> Iterator[Exposure]:
    for visit in plan:
        progress.report(f"simulating {len(plan)} visits", visit.number, len(plan))
        made = faults.apply(expose(scenario, whole, plan, visit.number, seed))
        if made is not None:
            yield made


def _truth(scenario: Scenario, whole: Sky, plan: tuple[Visit, ...], star: NDArray[np.int64]) -> Truth:
    ra, dec = to_degrees(whole.direction)
    mag = {band: whole.magnitude(band) for band in scenario.visits.number}
    errors = {band: position_error(scenario, band, values) for band, values in mag.items()}
    return Truth(ra, dec, mag, errors, star, whole.galaxy, whole, plan)


def _digest(d: Detections) -> str:
    digest = hashlib.sha256()
    shapes = () if d.e1 is None else ("e1", "e2", "psf_e1", "psf_e2")
    for name in ("visit", "band", "ra", "dec", "mag", "mag_err", "snr", "extendedness", "mjd", *shapes):
        digest.update(np.ascontiguousarray(getattr(d, name)).tobytes())
    return digest.hexdigest()
