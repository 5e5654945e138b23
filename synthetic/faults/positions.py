"""Faults of positions and epochs."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from skyaccept.lib.catalog.reference import JULIAN_YEAR
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.sphere import MAS, unit_vectors
from skyaccept.synthetic import atmosphere
from skyaccept.synthetic.exposure import Exposure
from skyaccept.synthetic.faults.fault import Fault, is_affected
from skyaccept.synthetic.random_streams import stream


def jitter(exposure: Exposure, strength: float) -> Exposure:
    """Add independent normal errors to each coordinate, mas."""
    east, north = strength * exposure.random_generator("fault jitter").standard_normal((2, len(exposure)))
    return exposure.shift_on_sky(east, north)


def distortion(exposure: Exposure, strength: float) -> Exposure:
    """Displace radially by the cube of the distance from the centre, mas.

    The size is random in each visit.
    """
    rim = exposure.scenario.visits.view_radius.to_value(u.rad)
    size = strength * exposure.random_generator("fault distortion").standard_normal()
    factor = size * (exposure.x**2 + exposure.y**2) / rim**3
    return exposure.shift_on_focal_plane(factor * exposure.x, factor * exposure.y)


def plate_scale(exposure: Exposure, strength: float) -> Exposure:
    """Displace in proportion to the distance from the centre, percent.

    The size is random in each visit.
    """
    factor = strength / 100 / MAS * exposure.random_generator("fault plate_scale").standard_normal()
    return exposure.shift_on_focal_plane(factor * exposure.x, factor * exposure.y)


def detector_shift(exposure: Exposure, strength: float) -> Exposure:
    """Displace every detector by a constant normal amount in each coordinate, mas."""
    x, y = strength * stream(exposure.seed, "fault detector_shift").standard_normal((2, exposure.detectors.number))
    detector = exposure.columns["detector"]
    return exposure.shift_on_focal_plane(x[detector], y[detector])


def detector_rotation(exposure: Exposure, strength: float) -> Exposure:
    """Rotate every detector about its centre by a constant normal angle, arcsec."""
    turns = stream(exposure.seed, "fault detector_rotation").standard_normal(exposure.detectors.number)
    detector = exposure.columns["detector"]
    x, y = exposure.detectors.center(detector)
    turn = 1000 * strength * turns[detector]
    return exposure.shift_on_focal_plane(-turn * (exposure.y - y), turn * (exposure.x - x))


def mirrored_detectors(exposure: Exposure, strength: float) -> Exposure:
    """Displace the detectors beside the middle one in opposite directions, mas."""
    middle = exposure.detectors.number // 2
    detector = exposure.columns["detector"]
    side = np.where(detector == middle + 1, 1.0, 0.0) - (detector == middle - 1)
    return exposure.shift_on_focal_plane(strength * side, np.zeros(len(exposure)))


def refraction(exposure: Exposure, strength: float) -> Exposure:
    """Leave a fraction of the chromatic refraction uncorrected, percent."""
    color, visit = exposure.sky.color, exposure.visit
    if color is None:
        raise InputError(f"scenario {exposure.scenario.scenario}: fault refraction needs stars with colors")
    real = exposure.source >= 0
    directions = unit_vectors(exposure.columns["ra"], exposure.columns["dec"])
    shift = np.zeros((len(exposure), 3))
    shift[real] = atmosphere.refraction(
        exposure.scenario, visit.band, color[exposure.source[real]], directions[real], visit.zenith
    )
    return exposure.with_directions(directions + strength / 100 * shift)


def proper_motion(exposure: Exposure, strength: float) -> Exposure:
    """Add unknown normal proper motions about the middle of the survey, mas / yr."""
    real = exposure.source >= 0
    motion = np.zeros((len(exposure), 2))
    motions = stream(exposure.seed, "fault proper_motion").standard_normal((len(exposure.sky), 2))
    motion[real] = motions[exposure.source[real]]
    middle = np.mean([visit.mjd for visit in exposure.plan])
    east, north = strength * (exposure.visit.mjd - middle) / JULIAN_YEAR * motion.T
    return exposure.shift_on_sky(east, north)


def wrong_epoch(exposure: Exposure, strength: float) -> Exposure:
    """Delay all epochs, yr."""
    return exposure.with_columns(mjd=exposure.columns["mjd"] + strength * JULIAN_YEAR)


def band_offset(exposure: Exposure, strength: float) -> Exposure:
    """Displace all bands but r to the north, mas."""
    return exposure if exposure.visit.band == "r" else exposure.shift_on_sky(0.0, strength)


def truncation(exposure: Exposure, strength: float) -> Exposure:
    """Round coordinates to a step, mas."""
    step = strength / 3_600_000
    if not step:
        return exposure
    ra, dec = (np.round(exposure.columns[name] / step) * step for name in ("ra", "dec"))
    return exposure.with_columns(ra=ra % 360, dec=np.clip(dec, -90, 90))


def radians(exposure: Exposure, strength: float) -> Exposure:
    """Give coordinates in radians in some visits, percent of the visits."""
    if not is_affected(exposure, "radians", strength):
        return exposure
    return exposure.with_columns(**{name: np.radians(exposure.columns[name]) for name in ("ra", "dec")})


def wrapped_ra(exposure: Exposure, strength: float) -> Exposure:
    """Let RA run from -180 to 180 degrees, percent of the visits."""
    if not is_affected(exposure, "wrapped_ra", strength):
        return exposure
    ra = exposure.columns["ra"]
    return exposure.with_columns(ra=np.where(ra > 180, ra - 360, ra))


FAULTS = (
    Fault(
        "jitter",
        jitter,
        "mas",
        "normal errors of each coordinate of each detection that the errors in the catalog do not know of",
        "sigma^2 grows by s^2 in AM, AF, AD, AB and AA1, at all separations; AB1^2 by s^2 (1 + 1/n)",
    ),
    Fault(
        "distortion",
        distortion,
        "mas",
        "a radial distortion that grows as the cube of the distance from the centre, normal from visit to visit; "
        "its rms at the rim of the view",
        "the variance of a separation D grows by that of s (r_i^2 r_i - r_j^2 r_j) along it, r in units of the rim",
    ),
    Fault(
        "plate_scale",
        plate_scale,
        "percent",
        "a wrong plate scale, normal from visit to visit; its rms",
        "the variance of a separation D grows by (s D)^2: AM3 first, then AM2, then AM1",
    ),
    Fault(
        "detector_shift",
        detector_shift,
        "mas",
        "detectors are displaced by constant normal amounts; their rms in each coordinate",
        "the variance of a separation grows by up to 2 s^2 where both stars change detectors from visit to visit, "
        "by nothing where they share one",
    ),
    Fault(
        "detector_rotation",
        detector_rotation,
        "arcsec",
        "detectors are rotated about their centres by constant normal angles; their rms",
        "the variance of a coordinate is (s a)^2 / 12 for squares of side a, as far as the stars change detectors; "
        "separations within a detector do not change",
    ),
    Fault(
        "mirrored_detectors",
        mirrored_detectors,
        "mas",
        "the detectors left and right of the middle one are displaced by this much in opposite directions",
        "the mean offset is zero; the mean square offset grows by 2 s^2 over the number of detectors: AB1 and AA1 "
        "see it only when it is large",
    ),
    Fault(
        "refraction",
        refraction,
        "percent",
        "this fraction of the chromatic refraction is not corrected",
        "offsets towards the zenith of s c (color - mean) tan z, on Cerro Pachon c = -38 mas per mag of g - i in g, "
        "-11 in r, -4 in i",
    ),
    Fault(
        "proper_motion",
        proper_motion,
        "mas / yr",
        "stars have normal proper motions that processing and reference catalog ignore; rms per coordinate",
        "the variance of a coordinate grows by s^2 times the variance of the times in years",
    ),
    Fault(
        "wrong_epoch",
        wrong_epoch,
        "yr",
        "the times of all visits are late by this much",
        "AA1 compares with positions s times the proper motion away; nothing else reacts",
    ),
    Fault(
        "band_offset",
        band_offset,
        "mas",
        "positions in all bands but r are displaced to the north by this much",
        "AB1^2 of Dec grows by s^2, AA1 in the other bands; AM, AF, AD, ABF1 and AB2 do not change",
    ),
    Fault(
        "truncation",
        truncation,
        "mas",
        "coordinates are rounded to multiples of this; float32 does so to 55 mas in RA of 128 to 256 degrees",
        "well below sigma, the variance of a coordinate grows by s^2 / 12, that of RA times cos(Dec)^2; far above "
        "it, most stars repeat exactly, the others jump by s, and nothing is measurable; the step is noted",
    ),
    Fault(
        "radians",
        radians,
        "percent",
        "this fraction of the visits of each band has radians instead of degrees",
        "100 percent shrinks the sky 57 times: no pair and no reference star is left to measure; with a smaller "
        "fraction the other visits are measured as usual",
        100,
    ),
    Fault(
        "wrapped_ra",
        wrapped_ra,
        "percent",
        "in this fraction of the visits of each band, right ascension runs from -180 to 180 degrees",
        "none but a note if all visits are so; a catalog in which only some are is refused",
        100,
    ),
)
