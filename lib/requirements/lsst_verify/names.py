"""Meaning of names in a package: ``requirements_specs/lsst-verify.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from skyaccept.lib.strict_yaml import STRICT, Quantity, Words

LEVELS = ("design", "minimum", "stretch")
BANDS = "ugrizy"


@dataclass(frozen=True)
class Family:
    """Known metric, by the first part of its names, and its settings in clauses."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    name: str
    metric: str
    definition: str
    parameters: Mapping[str, Quantity] = field(default_factory=dict)
    partner: Mapping[str, str] = field(default_factory=dict)
    against: str | None = None

    @property
    def bands(self) -> str:
        """Bands in which the metric is measured."""
        return "".join(band for band in BANDS if band != self.against)


@dataclass(frozen=True)
class UnmeasuredMetrics:
    """Known metrics that are not measured."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    names: tuple[str, ...]
    reason: Words


@dataclass(frozen=True)
class Names:
    """Meaning of the names in a package."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    families: tuple[Family, ...]
    filters: Mapping[str, str]
    plain: tuple[str, ...]
    milestones: tuple[str, ...]
    not_covered: tuple[UnmeasuredMetrics, ...]

    def family(self, metric: str) -> Family | None:
        """Return the family of a metric, its name without level and bands.

        The name is ``NAME``, ``NAME_LEVEL``, ``NAME_BANDS`` or ``NAME_LEVEL_BANDS``.
        """
        name, *rest = metric.split("_")
        if not all(word in LEVELS or is_bands(word) for word in rest):
            return None
        return next((family for family in self.families if family.name == name), None)

    def reason(self, metric: str) -> str:
        """Return the reason why a metric is not measured."""
        known = (one.reason for one in self.not_covered if metric in one.names)
        return next(known, "no metric of this version measures it")


def is_bands(word: str) -> bool:
    """Return True for a word of distinct bands, such as ``gri``."""
    return word != "" and set(word) <= set(BANDS) and len(set(word)) == len(word)
