"""Named definitions of metrics: estimator, settings and sample."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Annotated, Any, ClassVar

import astropy.units as u
from pydantic import Field, PlainValidator
from skyaccept.lib import strict_yaml
from skyaccept.lib.catalog.colors import Locus
from skyaccept.lib.metrics import METRICS
from skyaccept.lib.requirements.limits import Identifier, check_range
from skyaccept.lib.sample.cuts import Cut
from skyaccept.lib.separation.separation_bins import SeparationBins
from skyaccept.lib.strict_yaml import STRICT, Quantity
from skyaccept.lib.uncertainty.estimator import Estimator

MAX_VISITS = 100_000
"""Largest number of visits that a definition may require of an object."""

_WIDEST = 1 * u.deg


@dataclass(frozen=True)
class Rule:
    """How a definition measures some metrics: estimator, settings and sample.

    ``half_width`` and ``min_common_visits`` belong to estimators of pairs. With ``all_bands`` the cuts judge an object
    by its detections in all bands. ``radius`` matches reference stars; those count whose magnitudes have an S/N of
    ``reference_snr`` at least. ``locus`` is the part of the stellar locus that is looked at, ``bins`` are those of
    correlations.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    metrics: tuple[Annotated[str, PlainValidator(strict_yaml.one_of(*METRICS))], ...]
    estimator: str
    sample: str
    half_width: Quantity | None = None
    min_common_visits: int | None = None
    ddof: int | None = None
    all_bands: bool = False
    radius: Quantity | None = None
    reference_snr: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] | None = None
    locus: Locus | None = None
    bins: SeparationBins | None = None


@dataclass(frozen=True)
class Definition:
    """Named definition: rules for the metrics that it covers, and their samples."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    id: Identifier
    title: str
    text: str
    rules: tuple[Rule, ...]
    samples: Mapping[str, tuple[Annotated[Cut, PlainValidator(Cut.parse)], ...]]
    quirks: tuple[str, ...] = ()

    def rule(self, metric: str) -> Rule | None:
        """Return the rule for a metric; None if the definition has none."""
        return next((rule for rule in self.rules if metric in rule.metrics), None)


def check_definitions(
    found: Iterable[Definition], place: strict_yaml.SourceLocation, known: dict[str, Definition]
) -> None:
    """Check the definitions of a document, and add them to those known.

    Raises
    ------
    InputError
        A definition is invalid; the message names file, line and key.
    """
    for d, definition in enumerate(found):
        where: tuple[str | int, ...] = ("definitions", d)
        if definition.id in known:
            raise place.error((*where, "id"), f"key 'id': duplicate definition {definition.id!r}")
        known[definition.id] = definition
        for name, cuts in definition.samples.items():
            check_cuts(cuts, place, (*where, "samples", name))
        for r, rule in enumerate(definition.rules):
            here = (*where, "rules", r)
            if rule.sample not in definition.samples:
                raise place.error((*here, "sample"), f"key 'sample': no sample named {rule.sample!r} here")
            for metric in rule.metrics:
                estimators = METRICS[metric].estimators
                if rule.estimator not in estimators:
                    raise place.error(
                        (*here, "estimator"),
                        f"key 'estimator': {rule.estimator!r} is not one of {', '.join(estimators)}",
                    )
                _check_settings(rule, estimators[rule.estimator], place, here)


def check_cuts(cuts: Iterable[Cut], place: strict_yaml.SourceLocation, where: tuple[str | int, ...]) -> None:
    """Check that each cut can be passed.

    Raises
    ------
    InputError
        A cut rejects everything.
    """
    for number, cut in enumerate(cuts):
        bounds = dict(cut.bounds)
        low = max(bounds.get("at_least", -inf), bounds.get("above", -inf))
        high = min(bounds.get("at_most", inf), bounds.get("below", inf))
        if low > high or (low == high and ("above" in bounds or "below" in bounds)):
            raise place.error((*where, number), f"no {cut.column} lies above {low:g} and below {high:g}")
        if isinstance(cut.min_visits, int) and cut.min_visits > MAX_VISITS:
            raise place.error((*where, number), f"key 'min_visits': {cut.min_visits} is more than {MAX_VISITS}")


def _check_settings(
    rule: Rule, estimator: Estimator, place: strict_yaml.SourceLocation, where: tuple[str | int, ...]
) -> None:
    """Check that required settings are valid, and that no unused one is given."""
    for key in ("half_width", "min_common_visits", "ddof", "radius", "reference_snr", "locus", "bins"):
        if estimator.takes(key) and getattr(rule, key) is None:
            raise place.error(where, f"key '{key}' is missing; {rule.estimator} needs it")
        if not estimator.takes(key) and getattr(rule, key) is not None:
            raise place.error((*where, key), f"key '{key}' has no effect on {rule.estimator}")
    if rule.bins is not None:
        rule.bins.check(place, (*where, "bins"))
    for key in ("half_width", "radius"):
        if getattr(rule, key) is not None:
            check_range(key, getattr(rule, key), "arcmin", place, (*where, key))
    if rule.radius is not None and rule.radius > _WIDEST:
        raise place.error((*where, "radius"), f"key 'radius': {rule.radius} is more than {_WIDEST}")
    least = rule.min_common_visits
    if least is not None and not 2 <= least <= MAX_VISITS:
        raise place.error(
            (*where, "min_common_visits"), f"key 'min_common_visits': {least} is not from 2 to {MAX_VISITS}"
        )
    if rule.ddof is not None and not 0 <= rule.ddof < (least or 2):
        raise place.error((*where, "ddof"), f"key 'ddof': {rule.ddof} is not from 0 to below min_common_visits")
