r"""Estimates with an uncertainty: what the true value of a metric may be, by what changes without some stars or visits.

The estimand is the statistic in the limit of many visits and stars drawn like these.
`skyaccept.lib.uncertainty.jackknife` makes the table of the statistic with each block of visits left out (rows), each
cell of stars (columns), and both; `part` turns it into a distribution. With B blocks of visits, G cells and the
statistic :math:`y` on a scale on which it varies evenly,

.. math::

   v &= \tfrac{B-1}{B} \sum_b (y_b - \bar y)^2, \quad g = \tfrac{G-1}{G} \sum_c (y_c - \bar y)^2, \\
   i &= \tfrac{(B-1)(G-1)}{BG} \sum_{bc} (y_{bc} - \bar y_b - \bar y_c + \bar y)^2,

the delete-block jackknife (Tukey 1958; Shao and Wu 1989) by visits, by stars, and of their interaction. What a single
measurement contributes is in all three, so :math:`g + v - i` counts it once (analysis of variance of a two-way table
with one entry a cell; Scheffe 1959, chapter 7). Before that g, v and i are divided by what noise makes too large of
them (`skyaccept.lib.uncertainty.jackknife_bias`), v as far as it looks like noise. Without effects of visits or stars
v and g estimate the same noise, and the larger of the two is too large on average, while i of order statistics is too
large itself: the variance is at least a mean of g and v that goes from the arithmetic one, where they are alike, to
the larger, where one is `ALIKE` times the other. See `combined`.

What single visits add to a scatter is skewed: one visit that is far worse than the others raises the estimate and its
error, and where it is missing both are low. With T the distance of the true value from the estimate in standard errors,
and t distributed evenly (Johnson 1978, the expansion of Cornish and Fisher for the mean of V skewed contributions),

.. math:: T = t + \gamma (1 + 2 t^2) / (6 \sqrt V),

where :math:`\gamma` is `SKEWNESS` times the share of the visits in the variance. See `unskewed`. The scales and these
choices were made by simulation, see docs/uncertainty.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from scipy import optimize, special
from skyaccept.lib.arrays import FloatArray
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.uncertainty.transform import Scale

Source = Literal["stars", "visits", "both"]

_NODES = (np.arange(256) + 0.5) / 128 - 1  # of the rectangular distribution of a bias
_SURE = 1e-12  # least probability of a quantile to be on either side of a threshold
_DOMINANT = 2.0  # times the variance of the other source

ALIKE, TELLING = 4.0, 10
"""Ratio of two variances up to which they may be the same by chance, and blocks of visits that can tell."""

SKEWNESS = 2.0
"""Of what single visits add to a scatter: that of chi squared with two degrees of freedom."""


MODERATE = 0.1
"""Relative error up to which all of it is what the upper half of an interval bends by."""


def _bend(error: float) -> float:
    return max(error / 2, min(error, MODERATE))


def unskewed(distance: FloatArray, error: float, skew: float = 0.0) -> FloatArray:
    """Distances of a true value from its estimate, in standard errors, as ones that are distributed evenly.

    T = skew / 2 + t + a t^2 above t = 0 and skew / 2 + t / (1 - skew t) below, which agree to second order with a mean
    of skewed contributions and where every quantile is finite. On a logarithm a is at least the standard error e up to
    `MODERATE`, or half of e: a scatter that comes out low has a low error too. For mean squares, by the same expansion,
    it is e / 3 for Gaussian errors and 1.5 e where 3 % of them are five times wider.

    Parameters
    ----------
    distance : float64, any shape
    error : float
        The standard error, on a scale where a step is a relative change; otherwise 0.
    skew : float
    """
    rest = np.asarray(distance - skew / 2)
    upward = np.maximum(rest, 0)
    above = 2 * upward / (1 + np.sqrt(1 + 4 * max(skew, _bend(error)) * upward))
    with np.errstate(divide="ignore"):
        below = np.minimum(rest, 0) / np.maximum(1 + skew * np.minimum(rest, 0), 0)
    return np.where(rest > 0, above, below)


@dataclass(frozen=True)
class Part:
    r"""Distribution of a true value: t about ``center``, widened by a rectangular one of half width ``bias``.

    The true value may lie farther above than below, see `unskewed`.

    Attributes
    ----------
    scale : Scale
    center, error, bias : float
        On the scale.
    degrees : float
        Degrees of freedom.
    visits, stars : float
        Variances on the scale that come from visits and from stars.
    skew : float
        Of the contributions of visits, over three times the root of their number.
    """

    scale: Scale
    center: float
    error: float
    degrees: float
    bias: float
    visits: float
    stars: float
    skew: float = 0.0

    def below(self, x: float) -> float:
        """Probability that the true value is at most x."""
        if self.scale.kind == "logarithm" and x <= 0:
            return 0.0
        if self.scale.kind == "share" and not 0 <= x < 100:
            return float(x >= 100)
        if self.scale.kind == "size":
            return self._before(x) - self._before(-x) if x >= 0 else 0.0
        return self._before(float(self.scale.on(x)))

    def quantile(self, probability: float) -> float:
        """Value that the true one stays below with a probability."""
        far = max(abs(float(special.stdtrit(self.degrees, p))) for p in (probability, (1 + probability) / 2))
        reach = self.bias + self.error * (1 + far)
        if self.scale.kind == "size":
            reach += abs(self.center)
            return float(optimize.brentq(lambda x: self.below(x) - probability, 0, reach, xtol=1e-12))
        bent = self.error * (max(self.skew, _bend(self._relative)) * (1 + far) ** 2 + self.skew)
        low, high = self.center - reach, self.center + reach + bent
        place = optimize.brentq(lambda y: self._before(y) - probability, low, high, xtol=1e-12)
        return float(self.scale.off(place))

    def _before(self, y: float) -> float:
        """Probability that the true value is at most at a place on the scale."""
        distance = y - self.center - (_NODES * self.bias if self.bias else np.zeros(1))
        even = unskewed(distance / self.error, self._relative, self.skew)
        return float(special.stdtr(self.degrees, even).mean())

    @property
    def _relative(self) -> float:
        return self.error if self.scale.relative else 0.0


@dataclass(frozen=True)
class Crossing:
    """Distribution of a percentage above a threshold, by what is known of quantiles.

    At most x % are above where the quantile at 100 - x is at most the threshold. Between the quantiles that are known
    the probability is interpolated, as standard deviations of a Gaussian over the logit; beyond the last of them it
    goes to 0 at 0 % and to 1 at 100 %.

    Attributes
    ----------
    above : (n,) float64
        Percentages above the quantiles, ascending.
    known : (n,) float64
        Probabilities that the quantiles are at most the threshold, as standard deviations, ascending.
    error, visits, stars : float
        Those of the quantile that is as likely above the threshold as below.
    """

    above: FloatArray
    known: FloatArray
    error: float
    visits: float
    stars: float

    @classmethod
    def of(cls, above: FloatArray, parts: Sequence[Part], threshold: float) -> Crossing:
        """From distributions of the quantiles."""
        deviations = special.ndtri(np.clip([part.below(threshold) for part in parts], _SURE, 1 - _SURE))
        # what lies below a quantile lies below each higher one, and what lies above, above each lower one
        upward = np.maximum.accumulate(np.maximum(deviations, 0))
        downward = np.minimum.accumulate(np.minimum(deviations, 0)[::-1])[::-1]
        known = upward + downward
        middle = parts[int(np.argmin(np.abs(known)))]
        return cls(above, known, middle.error, middle.visits, middle.stars)

    def below(self, x: float) -> float:
        """Probability that the true value is at most x."""
        first, last = special.ndtr(self.known[[0, -1]])
        if x < self.above[0]:
            return float(first * max(x, 0.0) / self.above[0])
        if x > self.above[-1]:
            return float(1 - (1 - last) * max(100 - x, 0.0) / (100 - self.above[-1]))
        return float(special.ndtr(np.interp(special.logit(x / 100), special.logit(self.above / 100), self.known)))

    def quantile(self, probability: float) -> float:
        """Value that the true one stays below with a probability."""
        first, last = special.ndtr(self.known[[0, -1]])
        if probability < first:
            return float(self.above[0] * probability / first)
        if probability > last:
            return float(100 - (100 - self.above[-1]) * (1 - probability) / (1 - last))
        place = np.interp(special.ndtri(probability), self.known, special.logit(self.above / 100))
        return float(100 * special.expit(place))


@dataclass(frozen=True)
class Coordinate:
    """What is known of one coordinate, or of the metric where there is one only.

    ``parts`` are views of one value, or of what it is under two assumptions; on each side the widest of them counts.
    """

    value: float
    parts: tuple[Part | Crossing, ...]

    def below(self, x: float) -> float:
        """Probability that the true value is at most x."""
        found = [part.below(x) for part in self.parts]
        return float(np.median([min(found), 0.5, max(found)]))

    def quantile(self, probability: float) -> float:
        """Value that the true one stays below with a probability."""
        widest = max if probability > 0.5 else min
        return widest(part.quantile(probability) for part in self.parts)


@dataclass(frozen=True)
class Estimate:
    """What the data say about the true value of a metric.

    Attributes
    ----------
    value : float
        Estimate of the value in the limit of many visits and stars, in the metric's unit.
    method : str
        How the interval was made, in words.
    limited_by : {"stars", "visits", "both"}
        What contributes most to the width.
    coordinates : tuple of Coordinate
        One, or one each where the larger of two coordinates is limited. The true value is at most x where both are: the
        probability is that of the less certain one, which holds whatever the two have in common (intersection-union
        test, Berger 1982).
    """

    value: float
    method: str
    limited_by: Source
    coordinates: tuple[Coordinate, ...]
    found: dict[float, float] = field(default_factory=dict, repr=False, compare=False)
    """Quantiles, which levels and rules ask for again and again."""

    def interval(self, confidence: float) -> tuple[float, float]:
        """Lower and upper bound with equal tails, in the metric's unit."""
        tail = (1 - confidence) / 2
        return self._quantile(tail), self._quantile(1 - tail)

    def conformance(self, operator: str, limit: float) -> float:
        """Probability that the true value meets a limit in the metric's unit; ``operator`` is <=, <, >= or >."""
        below = min(coordinate.below(limit) for coordinate in self.coordinates)
        return below if operator.startswith("<") else 1 - below

    def _quantile(self, probability: float) -> float:
        if probability not in self.found:
            self.found[probability] = max(coordinate.quantile(probability) for coordinate in self.coordinates)
        return self.found[probability]


def estimate(coordinates: Sequence[Coordinate], method: str) -> Estimate:
    """Estimate of the largest of some coordinates."""
    largest = max(coordinates, key=lambda coordinate: coordinate.value)
    widest = max(largest.parts, key=lambda part: part.error)
    limited: Source = "both"
    if widest.visits > _DOMINANT * widest.stars:
        limited = "visits"
    elif widest.stars > _DOMINANT * widest.visits:
        limited = "stars"
    return Estimate(largest.value, method, limited, tuple(coordinates))


@dataclass(frozen=True)
class Scheme:
    """How replicates are to be read, by what they leave out.

    Attributes
    ----------
    visits, stars : float
        By what factor the variances by visits and by stars are too large where they are noise, see
        `skyaccept.lib.uncertainty.jackknife_bias`.
    skewed : int, optional
        Number of visits, where what they add to a scatter is skewed.
    """

    visits: float = 1.0
    stars: float = 1.0
    skewed: int | None = None


def part(
    table: FloatArray,
    center: float,
    scale: Scale,
    bias: float = 0.0,
    smoothed: float = 1.0,
    scheme: Scheme | None = None,
) -> Part:
    """Distribution that a table of replicates speaks for.

    Parameters
    ----------
    table : (1 + B, 1 + G) float64
        The statistic on its scale: all of the sample in place (0, 0), without block b of the visits in row 1 + b,
        without cell c of the stars in column 1 + c.
    center : float
        Estimate of the value on the scale.
    scale : Scale
    bias : float
        Largest bias that may be left, on the scale.
    smoothed : float
        Variance by stars of the answer itself over that of the statistic in the table.
    scheme : Scheme, optional

    Raises
    ------
    NotMeasurable
        Fewer than two blocks either way, or no replicate differs.
    """
    scheme = scheme or Scheme()
    blocks, cells = table.shape[0] - 1, table.shape[1] - 1
    if blocks < 2 or cells < 2:
        raise NotMeasurable("too few stars or visits to leave some out")
    visits, stars, interaction = variances(table)
    stars, interaction = stars / scheme.stars, interaction / (scheme.stars * scheme.visits)
    alike = likeness(visits, stars, blocks)
    visits /= scheme.visits ** (alike if visits > stars else _telling(blocks))
    variance = combined(visits, stars, interaction, alike) + (smoothed - 1) * stars
    if scale.kind == "share":
        variance = max(variance, _unseen(center, scale.units))
    if not variance > 0:
        raise NotMeasurable("nothing changes when stars or visits are left out")
    weight = min(visits / variance, 1.0)
    apart = weight**2 / (blocks - 1) + (1 - weight) ** 2 / (cells - 1)
    degrees = 1 / ((1 - alike) * apart + alike / (blocks + cells - 2))
    error = float(np.sqrt(variance))
    skew = 0.0
    if scheme.skewed is not None and (scale.relative or scale.kind == "share"):
        skew = SKEWNESS * max(visits - stars, 0.0) / variance / (3 * np.sqrt(scheme.skewed))
        if scale.relative:  # a logarithm takes as much of it
            skew = max(skew - error, 0.0)
    return Part(scale, center, error, degrees, bias, max(visits - interaction, 0.0), stars, skew)


def likeness(visits: float, stars: float, blocks: int) -> float:
    """How alike the variances by visits and by stars are: 1 where they are equal, 0 from a ratio of `ALIKE`.

    The fewer blocks of visits there are, the less is made of it.
    """
    larger, smaller = max(visits, stars), min(visits, stars)
    return _telling(blocks) * max(0.0, 1 - float(np.log(larger / smaller) / np.log(ALIKE))) if smaller > 0 else 0.0


def _telling(blocks: int) -> float:
    return min(blocks / TELLING, 1.0)


def combined(visits: float, stars: float, interaction: float, alike: float) -> float:
    """Variance of a value from those by visits, by stars and of their interaction.

    Of variances that are alike (1) both estimate the noise; otherwise (0) the larger one does.
    """
    larger, smaller = max(visits, stars), min(visits, stars)
    return max(stars + visits - interaction, larger - alike * (larger - smaller) / 2)


def variances(table: FloatArray) -> tuple[float, float, float]:
    """Jackknife variances of a table by visits, by stars and of their interaction: v, g and i above."""
    blocks, cells = table.shape[0] - 1, table.shape[1] - 1
    both = table[1:, 1:] - table[1:, :1] - table[:1, 1:] + table[0, 0]
    both = both - both.mean(axis=0) - both.mean(axis=1, keepdims=True) + both.mean()
    return (
        (blocks - 1) * float(table[1:, 0].var()),
        (cells - 1) * float(table[0, 1:].var()),
        (blocks - 1) * (cells - 1) * float(np.mean(both**2)),
    )


def _unseen(center: float, units: float) -> float:
    """Variance of a percentage of which no unit, or hardly one, was seen: about 3 / units stays below 97.5 %."""
    z = float(np.exp(-center) if center < 0 else max(1 - center, 0.0))
    share = 2 * float(special.ndtr(-z))
    seen = max(min(share, 1 - share) * (units + 1) - 0.5, 0.0)
    slope = 2 * max(z, 1.0) * float(np.exp(-z * z / 2) / np.sqrt(2 * np.pi))
    return float(np.exp(-seen) * 0.5 / ((units + 1) * slope) ** 2)
