"""What a scenario describes: the schema of its YAML file, with a unit for everything that has one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import astropy.units as u
from pydantic import PlainValidator
from skyaccept.lib import document
from skyaccept.lib.document import STRICT, Quantity
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
    def check(value: object) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value < high:
            raise ValueError(f"expected {words}")
        return float(value)

    return check


def _in(
    unit: u.UnitBase, low: float = -float("inf"), high: float = float("inf"), *, above: float = -float("inf")
) -> Callable[[object], u.Quantity]:
    """Validator of a quantity that is convertible to a unit, and within limits in it."""

    def check(value: object) -> u.Quantity:
        found = document.convertible(value, unit)
        number = found.to_value(unit)
        if not (low <= number <= high and number > above):
            bound = f"not above {high:g} {unit}" if number > high else f"above {max(low, above):g} {unit}"
            raise ValueError(f"{value}: has to be {bound}")
        return found

    return check


Count = Annotated[int, PlainValidator(count)]
Fraction = Annotated[float, PlainValidator(_number(0, 1, "a fraction, 0 <= x < 1"))]
Share = Annotated[float, PlainValidator(_number(0, 1 + 1e-9, "a share, 0 <= x <= 1"))]
Rate = Annotated[float, PlainValidator(_number(0, 1e6, "a number from 0 to a million"))]
Airmass = Annotated[float, PlainValidator(_number(1.0001, 40, "an airmass above 1"))]
Angle = Annotated[u.Quantity, PlainValidator(_in(u.rad))]
Size = Annotated[u.Quantity, PlainValidator(_in(u.rad, 0))]
Extent = Annotated[u.Quantity, PlainValidator(_in(u.rad, above=0))]
View = Annotated[u.Quantity, PlainValidator(_in(u.deg, 0, 60, above=0))]
Magnitude = Annotated[u.Quantity, PlainValidator(_in(u.mag))]
Scatter = Annotated[u.Quantity, PlainValidator(_in(u.mag, 0))]
Motion = Annotated[u.Quantity, PlainValidator(_in(u.rad / u.yr, 0))]
Time = Annotated[u.Quantity, PlainValidator(_in(u.day))]
Length = Annotated[u.Quantity, PlainValidator(_in(u.m))]
Band = Annotated[str, PlainValidator(document.one_of(*BANDS))]


@dataclass(frozen=True)
class Site:
    """Where the telescope stands; longitude to the east."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    latitude: Angle
    longitude: Angle
    height: Length


@dataclass(frozen=True)
class Field:
    """Disc on the sky that holds the sources."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    ra: Angle
    dec: Angle
    radius: Size


@dataclass(frozen=True)
class Colors:
    """Normal distribution of g - i."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    mean: Magnitude
    scatter: Scatter


@dataclass(frozen=True)
class Motions:
    """Proper motion, rms of each coordinate, and mean of the exponentially distributed parallaxes."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    proper_motion: Motion
    parallax: Size


@dataclass(frozen=True)
class Variables:
    """Share of the stars that vary as a sine, of this half amplitude and periods from ``shortest`` to ``longest``."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    fraction: Fraction
    amplitude: Scatter
    shortest: Time
    longest: Time


@dataclass(frozen=True)
class Companions:
    """Share of the stars with an unresolved companion within ``separation``, ``fainter`` by so much."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    fraction: Fraction
    separation: Size
    fainter: Magnitude


@dataclass(frozen=True)
class Stars:
    """Stars uniform over the field, their number growing as 10 ** (slope * r)."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    number: Count
    brightest: Magnitude
    faintest: Magnitude
    slope: float
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
    slope: float
    size: Size


@dataclass(frozen=True)
class Visits:
    """Visits in each band, pointed uniformly within a disc, in ``nights`` nights from ``start`` (MJD) on."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    number: Mapping[Band, Count]
    view_radius: View
    dither: Size
    start: Time
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
    seeing: Extent
    saturation: Magnitude
    position_floor: Size
    magnitude_floor: Scatter
    missed: Fraction
    spurious: Rate
    cosmic_rays: Fraction
    seeing_scatter: Fraction = 0.0


@dataclass(frozen=True)
class Turbulence:
    """Displacements of a visit: rms of each coordinate, and scale of the von Karman correlation."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    rms: Size
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
    rms: Rate
    scale: Extent
    error: Rate
    psf: Rate = 0.0


@dataclass(frozen=True)
class ReferenceCatalog:
    """Reference catalog of the same stars down to ``faintest`` in r, where its errors are these, per coordinate.

    Its magnitudes are those of the survey's bands, with ``magnitude_error`` in each, or exact without it.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    epoch: Annotated[u.Quantity, PlainValidator(_in(u.yr))]
    faintest: Magnitude
    position_error: Size
    motion_error: Motion
    parallax_error: Size
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
    scenario: str
    title: str
    text: str
    like: str
    faults: Sequence[ChosenFault]


@dataclass(frozen=True)
class Scenario:
    """A simulated survey; what has a default is switched off by it."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    scenario: str
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
