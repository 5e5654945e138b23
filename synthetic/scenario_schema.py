"""Schema of the YAML file of a scenario; quantities carry their unit."""

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
    """Validator of a number of things.

    Raises
    ------
    ValueError
        Not a whole number from 1 to 100,000,000.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 100_000_000:
        raise ValueError("expected a whole number from 1 to 100,000,000")
    return value


def _number(low: float, high: float, words: str) -> Callable[[object], float]:
    """Validator of a number from ``low`` to below ``high``."""

    def check(value: object) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value < high:
            raise ValueError(f"expected {words}")
        return float(value)

    return check


def _in(unit: u.UnitBase, low: float, high: float, *, open_end: bool = False) -> Callable[[object], u.Quantity]:
    """Validator of a quantity from ``low``, or with ``open_end`` from above it, to ``high`` in a unit."""

    def check(value: object) -> u.Quantity:
        found = strict_yaml.convertible(value, unit)
        number = found.to_value(unit)
        if number > high:
            raise ValueError(f"{value}: has to be not above {high:g} {unit}")
        if number < low or (number == low and open_end):
            raise ValueError(f"{value}: has to be {'' if open_end else 'at or '}above {low:g} {unit}")
        return found

    return check


Count = Annotated[int, PlainValidator(count)]
Fraction = Annotated[float, PlainValidator(_number(0, 1, "a fraction, 0 <= x < 1"))]
Share = Annotated[float, PlainValidator(_number(0, 1 + 1e-9, "a share, 0 <= x <= 1"))]
Rate = Annotated[float, PlainValidator(_number(0, 1e6, "a number from 0 to a million"))]
Slope = Annotated[float, PlainValidator(_number(-2, 2 + 1e-9, "a slope per magnitude, -2 <= x <= 2"))]
Airmass = Annotated[float, PlainValidator(_number(1.0001, 40, "an airmass above 1"))]
Latitude = Annotated[u.Quantity, PlainValidator(_in(u.deg, -90, 90))]
Longitude = Annotated[u.Quantity, PlainValidator(_in(u.deg, -360, 360))]
Size = Annotated[u.Quantity, PlainValidator(_in(u.deg, 0, 180))]
Extent = Annotated[u.Quantity, PlainValidator(_in(u.deg, 0, 180, open_end=True))]
View = Annotated[u.Quantity, PlainValidator(_in(u.deg, 0, 60, open_end=True))]
Shift = Annotated[u.Quantity, PlainValidator(_in(u.arcsec, 0, 60))]
Seeing = Annotated[u.Quantity, PlainValidator(_in(u.arcsec, 0, 60, open_end=True))]
Parallax = Annotated[u.Quantity, PlainValidator(_in(u.arcsec, 0, 10))]
Magnitude = Annotated[u.Quantity, PlainValidator(_in(u.mag, -30, 60))]
Color = Annotated[u.Quantity, PlainValidator(_in(u.mag, -10, 10))]
Scatter = Annotated[u.Quantity, PlainValidator(_in(u.mag, 0, 10))]
Motion = Annotated[u.Quantity, PlainValidator(_in(u.arcsec / u.yr, 0, 100))]
Epoch = Annotated[u.Quantity, PlainValidator(_in(u.yr, 1950, 2100))]
Start = Annotated[u.Quantity, PlainValidator(_in(u.day, 33282, 88069))]
Period = Annotated[u.Quantity, PlainValidator(_in(u.day, 0, 1e6, open_end=True))]
Height = Annotated[u.Quantity, PlainValidator(_in(u.m, -500, 10_000))]
Band = Annotated[str, PlainValidator(strict_yaml.one_of(*BANDS))]


@dataclass(frozen=True)
class Site:
    """Where the telescope stands; longitude to the east."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    latitude: Latitude
    longitude: Longitude
    height: Height


@dataclass(frozen=True)
class Field:
    """Disc on the sky that holds the sources."""

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
    """Proper motion, rms of each coordinate, and mean of the exponentially distributed parallaxes."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    proper_motion: Motion
    parallax: Parallax


@dataclass(frozen=True)
class Variables:
    """Share of the stars that vary as a sine, of this half amplitude and periods from ``shortest`` to ``longest``."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    fraction: Fraction
    amplitude: Scatter
    shortest: Period
    longest: Period


@dataclass(frozen=True)
class Companions:
    """Share of the stars with an unresolved companion within ``separation``, ``fainter`` by so much."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    fraction: Fraction
    separation: Shift
    fainter: Magnitude


@dataclass(frozen=True)
class Stars:
    """Stars uniform over the field, their number growing as 10 ** (slope * r)."""

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
    """Galaxies uniform over the field, round Gaussians of this FWHM."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    number: Count
    brightest: Magnitude
    faintest: Magnitude
    slope: Slope
    size: Shift


@dataclass(frozen=True)
class Visits:
    """Visits in each band, pointed uniformly within a disc, in ``nights`` nights from ``start`` (MJD) on."""

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
    """Square detectors in a square grid; a detection closer than ``edge`` to the rim of its detector is flagged."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    detector: Extent
    gap: Size
    edge: Size


@dataclass(frozen=True)
class Measurement:
    """Depth (S/N = 5) and image quality (FWHM) at the zenith, noise floors, and what is missed or spurious."""

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
    """Displacements of a visit: rms of each coordinate, and scale of the von Karman correlation."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    rms: Shift
    scale: Extent


@dataclass(frozen=True)
class Atmosphere:
    """Turbulence, and the share of the chromatic refraction that is left in positions."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    turbulence: Turbulence | None = None
    refraction: Share = 0.0


@dataclass(frozen=True)
class Flat:
    """Residual of the flat field: rms, and scale of its correlation on the focal plane."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    rms: Scatter
    scale: Extent


@dataclass(frozen=True)
class Calibration:
    """Errors of zero points, of each visit and of each detector, and of the flat field."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    visits: Scatter | None = None
    detectors: Scatter | None = None
    flat: Flat | None = None


@dataclass(frozen=True)
class Ellipticity:
    """Ellipticity that the PSF model misses: rms of each component, scale of its correlation, error of one star.

    ``psf`` is the rms of each component of the model itself, which is the same all over a visit.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    rms: Share
    scale: Extent
    error: Share
    psf: Share = 0.0


@dataclass(frozen=True)
class ReferenceCatalog:
    """Reference catalog of the same stars down to ``faintest`` in r, where its errors are these, per coordinate.

    Its magnitudes are those of the survey's bands, with ``magnitude_error`` in each, or exact without it.
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
    """A fault by name, and how strong."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    name: str
    strength: Quantity


@dataclass(frozen=True)
class Variant:
    """A scenario that is like another one, with faults."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    scenario: Identifier
    title: str
    text: str
    like: str
    faults: Sequence[ChosenFault]


@dataclass(frozen=True)
class Scenario:
    """A simulated survey; what has a default is switched off by it."""

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
