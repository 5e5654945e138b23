"""Simulation of a survey: what the catalog says, and what is true."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from skyaccept.lib import progress
from skyaccept.lib.catalog import Array, Detections, check
from skyaccept.lib.errors import InputError
from skyaccept.lib.output import replacing
from skyaccept.lib.reference import JULIAN_YEAR, Reference
from skyaccept.lib.sphere import MAS, Float, separation, unit_vectors
from skyaccept.synthetic.scenario import Scenario

GAMMA = 0.039
"""Band-independent part of the LSST photometric error model (Ivezic et al. 2019, eq. 5)."""

DETECTION_SNR = 5.0

FIRST_VISIT = 1000

J2000 = 51544.5
"""MJD of the epoch 2000."""

FLAGS = ("saturated", "cr", "bad", "edge", "not_primary")


@dataclass(frozen=True)
class Truth:
    """What is true of each simulated star.

    Attributes
    ----------
    ra, dec, mag : (n_stars,) float64
        Degrees and magnitudes; the magnitude is the same in every band.
    position_error : dict of str to (n_stars,) float64
        Standard error of one position per coordinate, mas, by band.
    star : (n_detections,) int64
        Star of each detection.
    """

    ra: Float
    dec: Float
    mag: Float
    position_error: dict[str, Float]
    star: NDArray[np.int64]


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

    Returns
    -------
    Survey

    Notes
    -----
    Signal-to-noise follows the LSST error model: the random error of a magnitude m at depth m5 is
    ``sqrt((0.04 - GAMMA) x + GAMMA x**2)``, ``x = 10 ** (0.4 (m - m5))`` (Ivezic et al. 2019, eq. 5). The error of a
    position is the centroid error of a Gaussian image, FWHM / (2.355 S/N) per coordinate, and a floor, in quadrature.
    """
    stars = _stars(scenario, seed)
    parts = list(_visits(scenario, stars))
    number = len(parts)
    columns: dict[str, Any] = {name: np.concatenate([part.pop(name) for part in parts]) for name in list(parts[0])}
    star = columns.pop("star")
    flags = {name: columns.pop(name) for name in FLAGS}
    bands = tuple(sorted(scenario.visits.number))
    detections = Detections(
        **columns,
        visits=tuple(str(FIRST_VISIT + k) for k in range(number)),
        bands=bands,
        flags=flags,
        name=f"simulated survey {scenario.scenario}",
        source=f"scenario {scenario.scenario}, seed {seed}",
        survey="simulated",
    )
    detections = check(replace(detections, sha256=_digest(detections)))
    ra, dec = _degrees(stars.direction)
    return Survey(detections, Truth(ra, dec, stars.mag, stars.errors, star))


def reference(scenario: Scenario, seed: int = 1) -> Reference | None:
    """Reference catalog of the stars of `simulate`, if the scenario has one; nothing moves."""
    if scenario.reference is None:
        return None
    stars = _stars(scenario, seed)
    n, error = len(stars.mag), scenario.reference.position_error.to_value(u.mas)
    ra, dec = _degrees(_jitter(_draws(seed, "reference"), stars.direction, np.full(n, error)))
    epoch = J2000 + (scenario.reference.epoch.to_value(u.yr) - 2000) * JULIAN_YEAR
    still = np.zeros(n)
    made = Reference(
        ra,
        dec,
        np.full(n, epoch),
        still,
        still,
        still,
        errors={name: np.full(n, error) for name in ("ra", "dec")},
        name=f"reference catalog of scenario {scenario.scenario}",
        source=f"scenario {scenario.scenario}, seed {seed}",
        survey="simulated",
    )
    digest = hashlib.sha256(b"".join(column.tobytes() for column in (ra, dec, made.mjd)))
    return replace(made, sha256=digest.hexdigest())


def position_error(scenario: Scenario, band: str, mag: Float) -> Float:
    """Standard error of a position per coordinate, mas, for stars of these magnitudes."""
    measurement = scenario.measurement
    _, snr = _photometry(scenario, band, mag)
    seeing, floor = measurement.seeing.to_value(u.mas), measurement.position_floor.to_value(u.mas)
    return np.asarray(np.hypot(floor, seeing / (np.sqrt(8 * np.log(2)) * snr)))


def write(survey: Survey, path: Path) -> None:
    """Write the catalog as Parquet in the columns of the generic survey profile, with units, visit by visit."""
    d = survey.detections
    columns = {name: getattr(d, name) for name in _NUMBERS} | dict(d.flags) | {"visit": d.visit, "band": d.band}
    edges = np.searchsorted(d.visit, np.arange(len(d.visits) + 1))
    visits = ({name: values[a:b] for name, values in columns.items()} for a, b in itertools.pairwise(edges))
    _write(visits, d.bands, path)


def stream(scenario: Scenario, seed: int, path: Path) -> int:
    """Simulate a survey into a file, which becomes what `write` makes of it, with one visit at a time in memory.

    Returns
    -------
    int
        Number of detections.

    Raises
    ------
    InputError
        There is none.
    """
    return _write(_visits(scenario, _stars(scenario, seed)), tuple(sorted(scenario.visits.number)), path)


def write_reference(catalog: Reference, path: Path) -> None:
    """Write a reference catalog as Parquet in the columns of the generic reference profile, with units."""
    columns = {name: (getattr(catalog, name), unit) for name, unit in _REFERENCE.items()}
    columns |= {f"{name}_err": (values, _REFERENCE_ERRORS[name]) for name, values in catalog.errors.items()}
    schema = pa.schema([pa.field(name, pa.float64(), metadata={"unit": unit}) for name, (_, unit) in columns.items()])
    with replacing(path) as temporary:
        pq.write_table(pa.table([values for values, _ in columns.values()], schema=schema), temporary)


_REFERENCE = {"ra": "deg", "dec": "deg", "mjd": "d", "pmra": "mas / yr", "pmdec": "mas / yr", "parallax": "mas"}
_REFERENCE_ERRORS = _REFERENCE | {"ra": "mas", "dec": "mas"}
"""Columns of a written reference catalog, and units of them and of their errors."""

_NUMBERS = {
    "ra": "deg",
    "dec": "deg",
    "mag": "mag",
    "mag_err": "mag",
    "snr": None,
    "extendedness": None,
    "ra_err": "mas",
    "dec_err": "mas",
    "mjd": "d",
}
"""Columns of a written catalog that hold numbers, and their units."""

_SCHEMA = pa.schema(
    [pa.field("visit", pa.int64()), pa.field("detector", pa.int32()), pa.field("band", pa.string())]
    + [pa.field(name, pa.float64(), metadata={"unit": unit} if unit else None) for name, unit in _NUMBERS.items()]
    + [pa.field(f"flag_{name}", pa.bool_()) for name in FLAGS]
)


def _write(visits: Iterable[Mapping[str, Array]], bands: Sequence[str], path: Path) -> int:
    """Write a row group for each visit that has detections."""
    total = 0
    # numbers that hardly repeat gain nothing from a dictionary
    with (
        replacing(path) as temporary,
        pq.ParquetWriter(temporary, _SCHEMA, use_dictionary=["visit", "detector", "band", "extendedness"]) as file,
    ):
        for visit in (visit for visit in visits if len(visit["ra"])):
            n = len(visit["ra"])
            columns: list[Any] = [
                visit["visit"] + FIRST_VISIT,
                np.zeros(n, dtype=np.int32),
                pa.repeat(bands[visit["band"][0]], n),
                *(visit[name] for name in (*_NUMBERS, *FLAGS)),
            ]
            file.write_table(pa.table(columns, schema=_SCHEMA))
            total += n
        if not total:
            raise InputError(f"{path}: nothing to write: no star is seen in any visit")
    return total


@dataclass(frozen=True)
class _Stars:
    """Stars as unit vectors, with their magnitudes and errors, and the state in which they leave the generator."""

    direction: Float
    mag: Float
    errors: dict[str, Float]
    center: tuple[float, float]
    rng: np.random.Generator
    times: Float


def _stars(scenario: Scenario, seed: int) -> _Stars:
    rng = np.random.default_rng(seed)
    stars = scenario.stars
    mag = _magnitudes(rng, stars.number, _mag(stars.brightest), _mag(stars.faintest), stars.slope)
    center = _angle(scenario.field.ra), _angle(scenario.field.dec)
    direction = _disc(rng, stars.number, center, _angle(scenario.field.radius))
    errors = {band: position_error(scenario, band, mag) for band in scenario.visits.number}
    number = sum(scenario.visits.number.values())
    times = scenario.visits.start.to_value(u.day) + scenario.visits.nights * _draws(seed, "times").random(number)
    return _Stars(direction, mag, errors, center, rng, times)


def _draws(seed: int, purpose: str) -> np.random.Generator:
    """Random numbers for one purpose, which do not depend on what else is drawn."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=tuple(purpose.encode())))


def _visits(scenario: Scenario, stars: _Stars) -> Iterator[dict[str, Array]]:
    """Columns of each visit in turn, all bands one after the other."""
    visits, measurement = scenario.visits, scenario.measurement
    true, mag, rng = stars.direction, stars.mag, stars.rng
    number, of = 0, sum(visits.number.values())
    for code, band in enumerate(sorted(visits.number)):
        scatter, snr = _photometry(scenario, band, mag)
        for _ in range(visits.number[band]):
            progress.report(f"simulating {of} visits", number, of)
            pointing = _disc(rng, 1, stars.center, _angle(visits.dither))
            inside = separation(true, pointing) < _angle(visits.view_radius)
            star = np.flatnonzero(inside & (rng.random(len(true)) >= visits.missed) & (snr >= DETECTION_SNR))
            sigma = stars.errors[band][star]
            ra, dec = _degrees(_jitter(rng, true[star], sigma))
            n = len(star)
            yield {
                "star": star,
                "visit": np.full(n, number),
                "band": np.full(n, code, dtype=np.int16),
                "detector": np.zeros(n, dtype=np.int32),
                "ra": ra,
                "dec": dec,
                "mag": mag[star] + scatter[star] * rng.standard_normal(n),
                "mag_err": scatter[star],
                "snr": snr[star],
                "extendedness": np.zeros(n),
                "ra_err": sigma,
                "dec_err": sigma,
                "mjd": np.full(n, stars.times[number]),
                "saturated": mag[star] < _mag(measurement.saturation),
                "cr": rng.random(n) < measurement.cosmic_rays,
                "bad": np.zeros(n, dtype=bool),
                "edge": rng.random(n) < measurement.edges,
                "not_primary": np.zeros(n, dtype=bool),
            }
            number += 1


def _photometry(scenario: Scenario, band: str, mag: Float) -> tuple[Float, Float]:
    """Standard error of a magnitude, mag, and S/N."""
    x = 10 ** (0.4 * (mag - _mag(scenario.measurement.depth[band])))
    random = np.sqrt((0.04 - GAMMA) * x + GAMMA * x**2)
    return np.hypot(random, _mag(scenario.measurement.magnitude_floor)), 2.5 / np.log(10) / random


def _magnitudes(rng: np.random.Generator, n: int, bright: float, faint: float, slope: float) -> Float:
    """Draw from a density proportional to 10 ** (slope m) between two magnitudes."""
    uniform = rng.random(n)
    if slope == 0:
        return bright + (faint - bright) * uniform
    low, high = 10 ** (slope * bright), 10 ** (slope * faint)
    return np.asarray(np.log10(low + (high - low) * uniform) / slope)


def _disc(rng: np.random.Generator, n: int, center: tuple[float, float], radius: float) -> Float:
    """Unit vectors uniform within ``radius`` of a centre (ra, dec), radians; right at the poles as well."""
    cos_distance = 1 - rng.random(n) * (1 - np.cos(radius))
    distance, angle = np.arccos(cos_distance), 2 * np.pi * rng.random(n)
    middle = unit_vectors(np.degrees(center[0]), np.degrees(center[1]))
    east = np.array([-np.sin(center[0]), np.cos(center[0]), 0.0])
    north = np.cross(middle, east)
    aside = np.cos(angle)[:, None] * east + np.sin(angle)[:, None] * north
    return np.asarray(np.cos(distance)[:, None] * middle + np.sin(distance)[:, None] * aside)


def _jitter(rng: np.random.Generator, true: Float, sigma: Float) -> Float:
    """Move unit vectors by a Gaussian error of ``sigma`` mas in each of two directions of the tangent plane."""
    # any direction that is not along the star spans its tangent plane; the least component is farthest from it
    axis = np.eye(3)[np.argmin(np.abs(true), axis=1)]
    first = np.cross(true, axis)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(true, first)
    shift = rng.standard_normal((2, len(true))) * sigma * MAS
    moved = true + shift[0][:, None] * first + shift[1][:, None] * second
    return np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True))


def _degrees(vectors: Float) -> tuple[Float, Float]:
    ra = np.degrees(np.arctan2(vectors[:, 1], vectors[:, 0])) % 360
    dec = np.degrees(np.arctan2(vectors[:, 2], np.hypot(vectors[:, 0], vectors[:, 1])))
    return np.where(ra >= 360, 0.0, ra), dec


def _angle(value: u.Quantity) -> float:
    return float(value.to_value(u.rad))


def _mag(value: u.Quantity) -> float:
    return float(value.to_value(u.mag))


def _digest(d: Detections) -> str:
    digest = hashlib.sha256()
    for name in ("visit", "band", "ra", "dec", "mag", "mag_err", "snr"):
        digest.update(np.ascontiguousarray(getattr(d, name)).tobytes())
    return digest.hexdigest()
