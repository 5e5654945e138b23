"""Faults of magnitudes and their errors."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from skyaccept.synthetic.exposure import SATURATION_LOSS, SATURATION_SCATTER, Exposure
from skyaccept.synthetic.faults.fault import Fault
from skyaccept.synthetic.random_streams import stream

MMAG = 1e-3


def visit_zero_point(exposure: Exposure, strength: float) -> Exposure:
    """Shift the zero point of one visit in each band, mmag."""
    visits = sum(visit.band == exposure.visit.band for visit in exposure.plan)
    return exposure.add_to_magnitude(strength * MMAG) if exposure.visit.index == visits // 2 else exposure


def band_zero_point(exposure: Exposure, strength: float) -> Exposure:
    """Shift the zero points of all bands but r by a constant, mmag."""
    return exposure if exposure.visit.band == "r" else exposure.add_to_magnitude(strength * MMAG)


def detector_zero_point(exposure: Exposure, strength: float) -> Exposure:
    """Add a constant normal error to the zero point of every detector, mmag."""
    errors = stream(exposure.seed, "fault detector_zero_point").standard_normal(exposure.detectors.number)
    return exposure.add_to_magnitude(strength * MMAG * errors[exposure.columns["detector"]])


def gradient(exposure: Exposure, strength: float) -> Exposure:
    """Add a zero-point gradient along x; strength at the edge of the view, mmag."""
    rim = exposure.scenario.visits.view_radius.to_value(u.rad)
    return exposure.add_to_magnitude(strength * MMAG * exposure.x / rim)


def wrong_gain(exposure: Exposure, strength: float) -> Exposure:
    """Use a gain that is too large, percent.

    Magnitude errors are then too small, and S/N is too large.
    """
    factor = np.sqrt(1 + strength / 100)
    return exposure.with_columns(mag_err=exposure.columns["mag_err"] / factor, snr=exposure.columns["snr"] * factor)


def unflagged_saturation(exposure: Exposure, strength: float) -> Exposure:
    """Let stars saturate fainter than the survey assumes, without flags, mag."""
    assumed, limit = exposure.visit.saturation, exposure.visit.saturation + strength
    mag = np.where(exposure.source >= 0, exposure.true_mag, np.inf)
    loss = SATURATION_LOSS * (np.maximum(limit - mag, 0) - np.maximum(assumed - mag, 0))
    scatter = SATURATION_SCATTER * exposure.visit.seeing * ((mag >= assumed) & (mag < limit))
    east, north = scatter * exposure.random_generator("fault unflagged_saturation").standard_normal((2, len(exposure)))
    unflagged = exposure.with_columns(flag_saturated=np.zeros(len(exposure), dtype=bool))
    return unflagged.add_to_magnitude(loss).shift_on_sky(east, north)


FAULTS = (
    Fault(
        "visit_zero_point",
        visit_zero_point,
        "mmag",
        "the zero point of one visit in each band is off by this much",
        "the variance of each star grows by s^2 / n; a fraction 1/n of the deviations in PF1 and PA2 is about "
        "s (1 - 1/n)",
    ),
    Fault(
        "band_zero_point",
        band_zero_point,
        "mmag",
        "zero points in all bands but r are off by this much, the same in all visits",
        "PA6 of these bands, and PA5 of their colours with r, are s; PA1, PF1 and PA2 do not change",
    ),
    Fault(
        "detector_zero_point",
        detector_zero_point,
        "mmag",
        "zero points of detectors are off by constant amounts, normal; their rms",
        "the variance of a star that changes detectors at each visit grows by s^2",
    ),
    Fault(
        "gradient",
        gradient,
        "mmag",
        "the zero point changes along x by this much from the centre of the focal plane to its rim",
        "the variance of a star grows by (s / R)^2 times the variance of its x, which dithers and rotations make",
    ),
    Fault(
        "wrong_gain",
        wrong_gain,
        "percent",
        "the assumed gain is too large by this much",
        "S/N is too large by sqrt(1 + s), so fainter stars count as bright; magnitude errors shrink likewise",
    ),
    Fault(
        "unflagged_saturation",
        unflagged_saturation,
        "mag",
        "stars saturate this much fainter than the survey assumes, and none is flagged",
        "their magnitudes lose half of the excess, which changes with seeing by 2.5 log10 of it; their positions "
        "scatter by 0.05 FWHM more",
    ),
)
