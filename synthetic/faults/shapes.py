"""Faults of the PSF model."""

from __future__ import annotations

import astropy.units as u
from skyaccept.lib.exceptions import InputError
from skyaccept.synthetic import random_fields
from skyaccept.synthetic.exposure import Exposure
from skyaccept.synthetic.faults.fault import Fault
from skyaccept.synthetic.scenario_schema import Ellipticity


def psf_model(exposure: Exposure, strength: float) -> Exposure:
    """Make the PSF model rounder than the PSF, percent."""
    _require_ellipticity(exposure, "psf_model")
    fraction = 1 - strength / 100
    return exposure.with_columns(**{name: fraction * exposure.columns[name] for name in ("psf_e1", "psf_e2")})


def psf_residual(exposure: Exposure, strength: float) -> Exposure:
    """Add an ellipticity field that the PSF model misses; rms in percent."""
    scale = _require_ellipticity(exposure, "psf_residual").scale.to_value(u.rad)
    pattern = random_fields.draw(exposure.random_generator("fault psf_residual"), scale)
    e1, e2 = strength / 100 * random_fields.ellipticity(pattern, exposure.x, exposure.y)
    return exposure.add_ellipticity(e1, e2)


def _require_ellipticity(exposure: Exposure, name: str) -> Ellipticity:
    ellipticity = exposure.scenario.ellipticity
    if ellipticity is None:
        raise InputError(f"scenario {exposure.scenario.scenario}: fault {name} needs a survey with ellipticity")
    return ellipticity


FAULTS = (
    Fault(
        "psf_model",
        psf_model,
        "percent",
        "the model of the PSF is rounder than the PSF by this much",
        "E1, E2 and EX of a visit grow by s^2 times e1^2, e2^2 and e1 e2 of its PSF, at all separations",
        100,
    ),
    Fault(
        "psf_residual",
        psf_residual,
        "percent",
        "the model of the PSF misses another field of ellipticity, of the scale of the survey's; rms of each component",
        "E1 and E2 grow by s^2 times the correlation of the field, which falls with the separation; visits differ the "
        "more, the smaller the field",
        100,
    ),
)
