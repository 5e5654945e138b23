"""What is asked of errors, and the form of the answer that can be compared between replicates.

A single order statistic jumps from replicate to replicate, and a jackknife of it is too wide. What is compared is
therefore the mean of neighbouring quantiles, or of the percentages above neighbouring thresholds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special
from skyaccept.lib.arrays import FloatArray
from skyaccept.lib.uncertainty import order_statistics
from skyaccept.lib.uncertainty.transform import Scale

Sorted = tuple[FloatArray, FloatArray | None]
"""Errors in ascending order and their weights; None for ones."""

Kind = Literal["percentile", "above", "rms", "mean", "size"]

_WINDOW = np.linspace(-1, 1, 9)
_WIDTH = 2.0  # half width of the window, in standard errors of a share of as many independent units as there are stars
_REACH = 25.0  # percentages to either side, over which errors move together
_MOST = 0.7  # of the way from the share to 0 or 1
_ENOUGH = 50  # errors that tell how steep their quantiles are
_STEP = 1e-4  # relative, of a percentage


@dataclass(frozen=True)
class Statistic:
    """A statistic of errors.

    Attributes
    ----------
    kind : {"percentile", "above", "rms", "mean", "size"}
        A percentile, interpolated linearly between order statistics, the percentage strictly above a threshold, the
        root mean square about zero, the mean, or the size of the median, in which signs cancel.
    at : float
        Percent for a percentile; for a percentage above, the threshold.
    sized : bool
        Whether only the sizes of the errors count.
    factor : float
        Of a percentile.
    near_zero : bool
        Whether errors may be small against what they are uncertain by, so that ratios of them mean nothing.
    """

    kind: Kind
    at: float = 50.0
    sized: bool = False
    factor: float = 1.0
    near_zero: bool = False

    @property
    def words(self) -> str:
        """What is taken of the errors."""
        taken = {
            "percentile": "median" if self.at == 50 else f"{self.at:g} % quantile",
            "above": f"percentage above {self.at:g}",
            "rms": "rms",
            "mean": "mean",
            "size": "size of the median",
        }[self.kind]
        return f"{taken} of the sizes of" if self.sized else f"{taken} of"

    def prepare(self, errors: Sorted) -> Sorted:
        """Errors that the statistic itself is taken of."""
        return without_signs(errors) if self.sized else errors

    def answer(self, values: NDArray[Any], weights: NDArray[Any] | None = None) -> float:
        """Value in the metric's unit, of prepared errors in any order."""
        if self.kind == "percentile":
            if self.at == 50:
                return self.factor * order_statistics.median(values, weights)
            return self.factor * order_statistics.percentile(values, self.at, weights)
        if self.kind == "above":
            return order_statistics.percentage_above(values, self.at, weights)
        if self.kind == "size":
            return abs(order_statistics.median(values, weights))
        if self.kind == "mean":
            return float(np.average(values, weights=weights))
        return float(np.sqrt(np.average(np.square(values, dtype=np.float64), weights=weights)))


@dataclass(frozen=True)
class View:
    """A scale for the answer, and what is compared on it: ``place(prepared)`` of errors moves with the answer.

    Of a percentage above a threshold there are many at once: the quantiles that the percentages ``above`` lie above,
    ascending, by which it is known.

    Attributes
    ----------
    scale : Scale
    center : (n,) float64
        Answer, or quantiles, on the scale.
    place : callable
        (n,) float64 of prepared errors.
    shift : callable
        ``shift(value, prepared)`` is how far, on the scale, a value lies from the answer of some errors.
    smoothed : (n,) float64
        How much more the answer varies by the choice of stars and by noise than ``place`` does, as a ratio of
        variances.
    above : (n,) float64, optional
    threshold : float
        Of the percentage, in the unit of the errors.
    """

    scale: Scale
    center: FloatArray
    place: Callable[[Sorted], FloatArray]
    shift: Callable[[float, Sorted], float]
    smoothed: FloatArray
    above: FloatArray | None = None
    threshold: float = 0.0


def without_signs(errors: Sorted) -> Sorted:
    """Sizes of errors."""
    values, weights = errors
    if not len(values) or values[0] >= 0:
        return errors
    values = np.abs(values)
    order = np.argsort(values, kind="stable")
    return values[order], None if weights is None else weights[order]


def views(question: Statistic, whole: Sorted, n_stars: int, per_unit: int) -> list[View]:
    """Views of the answer of prepared errors ``whole``, of units of ``per_unit`` of ``n_stars`` stars."""
    value = question.answer(*whole)
    if question.kind == "above":
        return _of_percentage(question, whole, value, n_stars, per_unit)
    window = _window(question.at, n_stars)
    if question.kind == "size":
        return [_of_size(whole, window)]
    least = _quantiles(whole, window[:1])[0] if question.kind == "percentile" else value
    logarithm = min(value, least) > 0 and not question.near_zero
    scale = Scale("logarithm", relative=True) if logarithm else Scale("size") if question.near_zero else Scale()

    def place(errors: Sorted) -> FloatArray:
        found = (
            question.factor * _quantiles(errors, window) if question.kind == "percentile" else question.answer(*errors)
        )
        return np.atleast_1d(scale.on(np.maximum(found, 1e-12) if logarithm else found).mean())

    def shift(other: float, errors: Sorted) -> float:
        answer = question.answer(*errors)
        if logarithm and min(other, answer) <= 0:
            return 0.0
        return float(scale.on(other) - scale.on(answer))

    smoothed = _smoothed(window, _slopes(whole, window, scale)) if question.kind == "percentile" else 1.0
    return [View(scale, np.atleast_1d(scale.on(value)), place, shift, np.atleast_1d(smoothed))]


def level(question: Statistic, whole: Sorted, n_stars: int) -> Callable[[Sorted], float]:
    """What moves as the answer does, in the metric's unit, with as few jumps as can be: for small differences.

    Of a percentile or a median the mean of the quantiles about it, over a good part of the distribution: two samples of
    nearly the same errors hardly differ, and one order statistic jumps by more. Of a percentage above a threshold the
    mean over the thresholds about it that are as far apart as those of the prepared errors ``whole``, of ``n_stars``
    stars, are uncertain. Otherwise the answer itself.
    """
    if question.kind == "above":
        percent = float(np.clip(100 - question.answer(*whole), 100 / n_stars, 100 - 100 / n_stars))
        ends = _quantiles(whole, _window(percent, n_stars)[[0, -1]])
        near = question.at + float(ends[1] - ends[0]) / 2 * _WINDOW
        return lambda errors: float(np.mean(_percentages(question.prepare(errors), near)))
    if question.kind in ("percentile", "size"):
        at = question.at
        about = at + min(_REACH, _MOST * at, _MOST * (100 - at)) * np.linspace(-1, 1, 17)

        def mean(errors: Sorted) -> float:
            found = question.factor * float(np.mean(_quantiles(question.prepare(errors), about)))
            return abs(found) if question.kind == "size" else found

        return mean
    return lambda errors: question.answer(*question.prepare(errors))


def _of_size(whole: Sorted, window: FloatArray) -> View:
    """The size of a median whose sign does not count."""
    return View(
        Scale("size"),
        np.atleast_1d(order_statistics.median(*whole)),
        lambda errors: np.atleast_1d(np.mean(_quantiles(errors, window))),
        lambda value, errors: (
            float(np.sign(order_statistics.median(*errors))) * (value - abs(order_statistics.median(*errors)))
        ),
        np.atleast_1d(_smoothed(window, _slopes(whole, window, Scale()))),
    )


def _of_percentage(question: Statistic, whole: Sorted, value: float, n_stars: int, per_unit: int) -> list[View]:
    """A percentage above a threshold, by the quantiles about the threshold and by how many units are counted.

    At most x % are above the threshold where the quantile at 100 - x is not.
    """
    threshold, units = question.at, n_stars / per_unit
    percent = float(np.clip(100 - value, 100 / n_stars, 100 - 100 / n_stars))
    logarithm = threshold > 0 and whole[0][0] >= 0 and _quantiles(whole, _around(percent)[:1])[0] > 0
    base = Scale("logarithm" if logarithm else "linear", relative=logarithm)

    def on(found: FloatArray) -> FloatArray:
        return base.on(np.maximum(found, 1e-12 * threshold) if logarithm else found)

    levels = _levels(percent, n_stars, units)
    windows = np.stack([_window(level, n_stars) for level in levels])

    def quantiles(errors: Sorted) -> FloatArray:
        found = on(_quantiles(errors, windows.ravel()))
        return np.asarray(found.reshape(windows.shape).mean(axis=1))

    def shift(other: float, errors: Sorted) -> float:
        here, there = on(_quantiles(errors, 100 - np.array([question.answer(*errors), other])))
        return float(here - there)

    steepness = np.array([_smoothed(window, _slopes(whole, window, base)) for window in windows])
    crossing = View(base, on(_quantiles(whole, levels)), quantiles, shift, steepness, 100 - levels, threshold)

    counting, window = Scale("share", units=units), _window(percent, n_stars)
    ends = on(_quantiles(whole, window[[0, -1]]))
    near = base.off(float(base.on(threshold)) + float(ends[1] - ends[0]) / 2 * _WINDOW)

    def share(errors: Sorted) -> FloatArray:
        return np.atleast_1d(np.mean(counting.on(_percentages(errors, near))))

    def shift_of_share(other: float, errors: Sorted) -> float:
        return float(counting.on(other) - counting.on(question.answer(*errors)))

    beyond = np.clip(_percentages(whole, near), 100 / n_stars, 100 - 100 / n_stars)
    smoothed = _smoothed(beyond, counting.on(beyond * (1 + _STEP)) - counting.on(beyond * (1 - _STEP)))
    counted = View(counting, np.atleast_1d(counting.on(value)), share, shift_of_share, np.atleast_1d(smoothed))
    return [crossing, counted]


def _levels(percent: float, n_stars: int, units: float) -> FloatArray:
    """Percentages about one, descending, at distances on the logit that grow from half of what counting leaves."""
    share = percent / 100
    out = np.concatenate([np.arange(0, 4, 0.5), 4 * 1.25 ** np.arange(24)]) / np.sqrt(units * share * (1 - share))
    ends = _logit(np.array([100 / n_stars, 100 - 100 / n_stars]))
    found = np.unique(np.clip(_logit(np.array(percent)) + np.concatenate([-out, out]), *ends))
    return np.asarray(100 * special.expit(found[::-1]))


def _around(percent: float) -> FloatArray:
    """Percentages around one, over a good part of the distribution."""
    low, high = percent - min(_REACH, _MOST * percent), percent + min(_REACH, _MOST * (100 - percent))
    return np.linspace(low, high, 17)


def _window(percent: float, n_stars: int) -> FloatArray:
    """Percentages around one, as far apart as they are uncertain."""
    share = percent / 100
    half = min(_WIDTH * np.sqrt(share * (1 - share) / n_stars), _MOST * share, _MOST * (1 - share))
    return np.asarray(100 * (share + half * _WINDOW))


def _smoothed(percent: FloatArray, slopes: FloatArray) -> float:
    """How much more the middle one of some order statistics varies than the mean of all of them.

    Those of independent errors at the shares p <= q have the covariance p (1 - q), times the ``slopes`` there. It is
    once to twice as much for smooth distributions; slopes of few errors may say anything.
    """
    share = percent / 100
    covariance = np.minimum.outer(share, share) * (1 - np.maximum.outer(share, share)) * np.outer(slopes, slopes)
    middle, mean = float(covariance.diagonal()[len(share) // 2]), float(covariance.mean())
    return float(np.clip(middle / mean, 1, 2)) if mean > 0 else 1.0


def _slopes(errors: Sorted, window: FloatArray, scale: Scale) -> FloatArray:
    """How steeply quantiles rise with their share, in any unit: of a cubic over the logit, through those around.

    Where that cannot be told they are taken for equal.
    """
    around = _around(float(window[len(window) // 2]))
    found = _quantiles(errors, around)
    unknown = len(errors[0]) < _ENOUGH or (scale.kind == "logarithm" and found[0] <= 0)
    if unknown or not 0 < around[0] < around[-1] < 100:
        return np.ones(len(window))
    middle, reach = np.mean(_logit(around)), np.ptp(_logit(around))
    cubic = np.polyder(np.polyfit((_logit(around) - middle) / reach, scale.on(found), 3))
    slopes = np.maximum(np.polyval(cubic, (_logit(window) - middle) / reach), 0)
    return np.asarray(slopes / (window * (100 - window)))


def _logit(percent: FloatArray) -> FloatArray:
    return np.asarray(np.log(percent / (100 - percent)))


def _quantiles(errors: Sorted, percent: FloatArray) -> FloatArray:
    """Percentiles of sorted errors, as `skyaccept.lib.uncertainty.order_statistics.percentile` has them."""
    values, weights = errors
    if weights is None:
        place = (len(values) - 1) * percent / 100
        low = np.floor(place).astype(np.int64)
        high = np.minimum(low + 1, len(values) - 1)
    else:
        upto = np.cumsum(weights)
        place = (upto[-1] - 1) * percent / 100
        low = np.searchsorted(upto, np.floor(place), side="right")
        high = np.searchsorted(upto, np.minimum(np.floor(place) + 1, np.round(upto[-1]) - 1), side="right")
    return np.asarray(values[low] + (values[high] - values[low]) * (place - np.floor(place)))


def _percentages(errors: Sorted, thresholds: FloatArray) -> FloatArray:
    """Percentages of sorted errors above thresholds."""
    values, weights = errors
    first = np.searchsorted(values, thresholds, side="right")
    if weights is None:
        return np.asarray(100 * (1 - first / len(values)))
    upto = np.concatenate([[0.0], np.cumsum(weights)])
    return np.asarray(100 * np.clip(1 - upto[first] / upto[-1], 0, 1))
