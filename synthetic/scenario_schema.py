"""Schema of the YAML file of a scenario, in which quantities have units."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import astropy.units as u
from pydantic import PlainValidator
from skyaccept.lib import strict_yaml
from skyaccept.lib.requirements.limits import Identifier
from skyaccept.lib.strict_yaml import STRICT, Quantity
from skyaccept.synthetic.photometry import BANDS


def count(value: object) -> int:
    """Validate a count.

    Raises
    ------
    ValueError
        The value is not a whole number from 1 to 100,000,000.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 100_000_000:
        raise ValueError("expected a whole number from 1 to 100,000,000")
    return value


def _number_between(low: float, high: float, description: str) -> Callable[[object], float]:
    """Return a validator of numbers with ``low`` <= number < ``high``."""

    def check(value: object) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value < high:
            raise ValueError(f"expected {description}")
        return float(value)

    return check


def _quantity_between(
    unit: u.UnitBase, low: float, high: float, *, open_end: bool = False
) -> Callable[[object], u.Quantity]:
    """Return a validator of quantities between two limits in a unit.

    ``open_end`` excludes ``low``.
    """

    def check(value: object) -> u.Quantity:
        quantity = strict_yaml.convertible(value, unit)
        number = quantity.to_value(unit)
        if number > high:
            raise ValueError(f"{value}: has to be not above {high:g} {unit}")
        if number < low or (number == low and open_end):
            raise ValueError(f"{value}: has to be {'' if open_end else 'at or '}above {low:g} {unit}")
        return quantity

    return check


Count = Annotated[int, PlainValidator(count)]
Fraction = Annotated[float, PlainValidator(_number_between(0, 1, "a fraction, 0 <= x < 1"))]
ClosedFraction = Annotated[float, PlainValidator(_number_between(0, 1 + 1e-9, "a fraction, 0 <= x <= 1"))]
Rate = Annotated[float, PlainValidator(_number_between(0, 1e6, "a number from 0 to a million"))]
Slope = Annotated[float, PlainValidator(_number_between(-2, 2 + 1e-9, "a slope per magnitude, -2 <= x <= 2"))]
Airmass = Annotated[float, PlainValidator(_number_between(1.0001, 40, "an airmass above 1"))]
Latitude = Annotated[u.Quantity, PlainValidator(_quantity_between(u.deg, -90, 90))]
Longitude = Annotated[u.Quantity, PlainValidator(_quantity_between(u.deg, -360, 360))]
Size = Annotated[u.Quantity, PlainValidator(_quantity_between(u.deg, 0, 180))]
Extent = Annotated[u.Quantity, PlainValidator(_quantity_between(u.deg, 0, 180, open_end=True))]
View = Annotated[u.Quantity, PlainValidator(_quantity_between(u.deg, 0, 60, open_end=True))]
Shift = Annotated[u.Quantity, PlainValidator(_quantity_between(u.arcsec, 0, 60))]
Seeing = Annotated[u.Quantity, PlainValidator(_quantity_between(u.arcsec, 0, 60, open_end=True))]
Parallax = Annotated[u.Quantity, PlainValidator(_quantity_between(u.arcsec, 0, 10))]
Magnitude = Annotated[u.Quantity, PlainValidator(_quantity_between(u.mag, -30, 60))]
Color = Annotated[u.Quantity, PlainValidator(_quantity_between(u.mag, -10, 10))]
Scatter = Annotated[u.Quantity, PlainValidator(_quantity_between(u.mag, 0, 10))]
Motion = Annotated[u.Quantity, PlainValidator(_quantity_between(u.arcsec / u.yr, 0, 100))]
Epoch = Annotated[u.Quantity, PlainValidator(_quantity_between(u.yr, 1950, 2100))]
Start = Annotated[u.Quantity, PlainValidator(_quantity_between(u.day, 33282, 88069))]
Period = Annotated[u.Quantity, PlainValidator(_quantity_between(u.day, 0, 1e6, open_end=True))]
Height = Annotated[u.Quantity, PlainValidator(_quantity_between(u.m, -500, 10_000))]
Band = Annotated[str, PlainValidator(strict_yaml.one_of(*BANDS))]


@dataclass(frozen=True)
class Site:
    """Location of the telescope; longitudes are positive to the east."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    latitude: Latitude
    longitude: Longitude
    height: Height


@dataclass(frozen=True)
class Field:
    """Disc on the sky with all sources."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    ra: Longitude
    dec: Latitude
    radius: Size


@dataclass(frozen=True)
class Colors:
    """Normal distribution of g - i."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    mean: Color
    scatter: Scatter


@dataclass(frozen=True)
class Motions:
    """Rms proper motion in each coordinate, and mean exponential parallax."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    proper_motion: Motion
    parallax: Parallax


@dataclass(frozen=True)
class Variables:
    """Fraction of variable stars, half amplitude, and range of periods."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    fraction: Fraction
    amplitude: Scatter
    shortest: Period
    longest: Period


@dataclass(frozen=True)
class Companions:
    """Fraction of stars with an unresolved companion, and its properties.

    ``separation`` is its largest distance, ``fainter`` its magnitude difference.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    fraction: Fraction
    separation: Shift
    fainter: Magnitude


@dataclass(frozen=True)
class Stars:
    """Stars uniform over the field, with counts that grow as 10 ** (slope * r)."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    number: Count
    brightest: Magnitude
    faintest: Magnitude
    slope: Slope
    colors: Colors | None = None
    motions: Motions | None = None
    variables: Variables | None = None
    companions: Companions | None = None


@dataclass(frozen=True)
class Galaxies:
    """Galaxies uniform over the field: round Gaussians with the FWHM ``size``."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    number: Count
    brightest: Magnitude
    faintest: Magnitude
    slope: Slope
    size: Shift


@dataclass(frozen=True)
class Visits:
    """Visits in each band: pointings, nights and limits of observation.

    Pointings are uniform within a disc of radius ``dither``, in ``nights`` nights from ``start`` (MJD).
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    number: Mapping[Band, Count]
    view_radius: View
    dither: Size
    start: Start
    nights: Count
    airmass: Airmass
    rotation: Size | None = None


@dataclass(frozen=True)
class Camera:
    """Square detectors in a square grid.

    Detections closer than ``edge`` to the edge of a detector are flagged.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    detector: Extent
    gap: Size
    edge: Size


@dataclass(frozen=True)
class Measurement:
    """Depth, seeing, error floors, and missed and spurious detections.

    Depth (S/N = 5) and seeing (FWHM) are those at the zenith.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    depth: Mapping[Band, Magnitude]
    seeing: Seeing
    saturation: Magnitude
    position_floor: Shift
    magnitude_floor: Scatter
    missed: Fraction
    spurious: Rate
    cosmic_rays: Fraction
    seeing_scatter: Fraction = 0.0


@dataclass(frozen=True)
class Turbulence:
    """Rms displacement in each coordinate, and scale of its correlation."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    rms: Shift
    scale: Extent


@dataclass(frozen=True)
class Atmosphere:
    """Turbulence, and the fraction of the chromatic refraction that is not corrected."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    turbulence: Turbulence | None = None
    refraction: ClosedFraction = 0.0


@dataclass(frozen=True)
class Flat:
    """Residual of the flat field: rms, and scale on the focal plane."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    rms: Scatter
    scale: Extent


@dataclass(frozen=True)
class Calibration:
    """Rms zero-point errors of visits and detectors, and the flat-field residual."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    visits: Scatter | None = None
    detectors: Scatter | None = None
    flat: Flat | None = None


@dataclass(frozen=True)
class Ellipticity:
    """Residual ellipticity: rms, scale of its correlation, and error of one star.

    ``psf`` is the rms of each component of the PSF model itself, which is constant within a visit.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    rms: ClosedFraction
    scale: Extent
    error: ClosedFraction
    psf: ClosedFraction = 0.0


@dataclass(frozen=True)
class ReferenceCatalog:
    """Reference catalog of the stars brighter than ``faintest`` in r.

    The errors are those at this limit, per coordinate.

    It has magnitudes in the survey's bands, with ``magnitude_error`` in each; without it they are exact.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    epoch: Epoch
    faintest: Magnitude
    position_error: Shift
    motion_error: Motion
    parallax_error: Parallax
    magnitude_error: Scatter | None = None


@dataclass(frozen=True)
class ChosenFault:
    """Name and strength of a fault."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    name: str
    strength: Quantity


@dataclass(frozen=True)
class Variant:
    """A scenario like another one, with additional faults."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    scenario: Identifier
    title: str
    text: str
    like: str
    faults: Sequence[ChosenFault]


@dataclass(frozen=True)
class Scenario:
    """A simulated survey; the defaults switch effects off."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    scenario: Identifier
    title: str
    text: str
    site: Site
    field: Field
    stars: Stars
    visits: Visits
    measurement: Measurement
    galaxies: Galaxies | None = None
    camera: Camera | None = None
    atmosphere: Atmosphere | None = None
    calibration: Calibration | None = None
    ellipticity: Ellipticity | None = None
    reference: ReferenceCatalog | None = None
    faults: Sequence[ChosenFault] = ()
