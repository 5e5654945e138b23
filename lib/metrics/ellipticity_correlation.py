r"""Residual ellipticity TE1 to TE4 and TEF: correlated errors of the PSF model.

The residual of a star in a visit is :math:`\delta e = e - e_\mathrm{PSF}`, ellipticity of its image minus that of the
model of the PSF there, both as distortions (|e| = (a^2 - b^2) / (a^2 + b^2) of an ellipse with axes a and b),

.. math:: e_1 = \frac{I_{xx} - I_{yy}}{I_{xx} + I_{yy}}, \quad e_2 = \frac{2 I_{xy}}{I_{xx} + I_{yy}},

with x to the east and y to the north. Axes of different stars are not parallel: residuals are carried along great
circles to the middle of their visit (or of the sample), whose axes count. Two stars are off by the area of their
triangle with the middle, 1e-4 rad for 20 arcmin at 2 degrees. Where a survey profile says that the axes are those of
the pixels they are parallel as they stand, and E1 and E2 are those of the camera.

Over all pairs of stars with a separation from ``nearest`` to below ``farthest``, by the mean positions,

.. math::

   E1 = \langle \delta e_1 \delta e_1' \rangle, \quad E2 = \langle \delta e_2 \delta e_2' \rangle, \quad
   EX = \tfrac{1}{2} \langle \delta e_1 \delta e_2' + \delta e_2 \delta e_1' \rangle, \quad \xi_+ = E1 + E2.

- TE1, TE2, ``ellipticity_correlation``: their size;
- TEF, ``ellipticity_correlation_outliers``: the percentage of images (visits) strictly beyond TE3 or TE4;
- TE3, TE4, ``ellipticity_correlation_percentile``: the size that a fraction TEF of the images exceeds, the percentile
  at 100 - TEF, interpolated linearly between order statistics.

=================== ====================================================================== =====================
estimator           errors                                                                 used by
=================== ====================================================================== =====================
visit_correlation   E1, E2 and EX of each visit; of each the size of the median over       srd TE1, TE2
                    visits is taken, and the largest of the three counts
visit_largest       largest size of E1, E2 and EX, one a visit                             srd TEF, TE3, TE4
visit_xi            mean of the sizes of xi+ in bins of separation, one a visit            faro TEF, TE3, TE4
median_residual_xi  mean of xi+ in bins of separation, of the medians of the residuals of  validate_drp TE1, TE2
                    each star over its visits; its size is taken
mean_residual_xi    mean of the sizes of xi+ in bins, of the means of the residuals of     faro TE1, TE2
                    each star over its visits
=================== ====================================================================== =====================

What LPM-17 leaves open, and how ``srd`` reads it. "Averaged over an arbitrary FOV must have the median less than": the
average over all pairs of a visit, and the median over visits; each of E1, E2 and EX has to meet the limit. They may
have either sign, so that sizes count, of the median and not of single visits: that of a noisy number is biased.
"theta <= 1 arcmin": all pairs up to there count alike. "theta >= 5 arcmin" has no end; the mean over all pairs of a
field is that of its largest separations, where nothing correlates. The limit holds where the correlation is largest, so
that clauses end at 20 arcmin, as validate_drp and faro do. An image is beyond TE3 or TE4 where any of the three is.

Bias: noise of single ellipticities has no part in the mean of products of different stars. It widens the distribution
over images, and so raises TEF, TE3 and TE4; `visit_correlations.visit_correlations` takes that off
(``value_unbiased``). What biases E itself: stars that the model was fitted to (residuals come out small), which are
left out where they are flagged; neighbours that overlap; and noise that images of two stars have in common.

The pairs are counted one by one, exactly, in float64 (`skyaccept.lib.separation.correlation`): TreeCorr, which the
peers use, bins approximately, and would not give the sums by cells of the sky that intervals are made of.

Sources: LPM-17 table 27, as quoted in validate_drp; validate_drp calcsrd/tex.py (107f81d); faro tex.py (aff3cf7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from skyaccept.lib.arrays import BoolArray, FloatArray
from skyaccept.lib.catalog.detections import SHAPES
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.metrics import visit_correlations
from skyaccept.lib.metrics.metric import Metric, absolute_median
from skyaccept.lib.metrics.residual_ellipticities import residual_ellipticities
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.subsampling import sampled
from skyaccept.lib.sample.visit_matrix import VisitMatrix
from skyaccept.lib.separation import Annulus, tree
from skyaccept.lib.separation.correlation import COMPONENTS, Sums, group_pairs, sums
from skyaccept.lib.separation.separation_bins import SeparationBins
from skyaccept.lib.sphere import ARCMIN, chord
from skyaccept.lib.uncertainty.errors import Errors
from skyaccept.lib.uncertainty.estimator import Estimator, NoSettings, Parameters
from skyaccept.lib.uncertainty.jackknife import cells_of, starts
from skyaccept.lib.uncertainty.statistic import Statistic

PAIRS = 500_000
"""Pairs that replicates of a correlation of all visits are made of; of more, those of a subsample of the stars."""


@dataclass(frozen=True, kw_only=True)
class BinSettings:
    """Bins of separation."""

    bins: SeparationBins


def fast_visit_correlation(sample: Sample, parameters: Parameters, settings: NoSettings) -> Errors:
    """E1, E2 and EX of each visit.

    Parameters
    ----------
    sample : Sample
    parameters : mapping
        ``nearest`` and ``farthest`` in arcmin.
    settings : NoSettings

    Raises
    ------
    NotMeasurable
        The catalog has no ellipticities, or no visit has a pair of stars in the range of separations.
    """
    found = _by_visit(sample, *_range(parameters))
    by = dict(zip(COMPONENTS, _components(found)[:, _measured(found, parameters)], strict=True))
    return _errors(sample, [found], by, "products of all pairs of a visit, float64")


def fast_visit_largest(sample: Sample, parameters: Parameters, settings: NoSettings) -> Errors:
    """Largest size of E1, E2 and EX of each visit, as `fast_visit_correlation`."""
    found = _by_visit(sample, *_range(parameters))
    values = visit_correlations.largest(_components(found)[:, _measured(found, parameters)])
    return _errors(sample, [found], {"value": values}, "products of all pairs of a visit, float64")


def fast_visit_xi(sample: Sample, parameters: Parameters, settings: BinSettings) -> Errors:
    """Mean of the sizes of xi+ over the bins of each visit that have pairs."""
    found = [_by_visit(sample, *edges) for edges in _bins(parameters, settings)]
    xi = _xi(found)
    seen = np.isfinite(xi).any(axis=0)
    if not seen.any():
        raise _no_pair(parameters)
    values = visit_correlations.mean_size(xi[:, seen])
    return _errors(sample, found, {"value": values}, "products of all pairs of a visit by bin, float64")


def fast_star_xi(sample: Sample, parameters: Parameters, settings: BinSettings, *, mean: bool) -> Errors:
    """Mean of xi+ over bins, of the median residuals of each star; one number.

    With ``mean``, the mean of the sizes of xi+, of the means of the residuals.
    """
    found = _of_stars(sample, parameters, settings, mean=mean)
    values = (visit_correlations.mean_size if mean else visit_correlations.mean)(_xi(found))
    return _errors(sample, found, {"value": values}, "products of all pairs of stars by bin, float64")


def component_measurements(
    sample: Sample, parameters: Parameters, settings: NoSettings, limit: int | None
) -> VisitMatrix:
    """Sums of products by pair of cells and visit, in components E1, E2 and EX."""
    found = _by_visit(sample, *_range(parameters))
    _measured(found, parameters)
    parts = {name: [(found.products[k], found.squares[k], found.number)] for k, name in enumerate(COMPONENTS)}
    return _by_cells(sample, parts)


def largest_measurements(
    sample: Sample, parameters: Parameters, settings: NoSettings, limit: int | None
) -> VisitMatrix:
    """The same with E1, E2 and EX as classes of one component."""
    found = _by_visit(sample, *_range(parameters))
    _measured(found, parameters)
    return _by_cells(sample, {"value": [(found.products[k], found.squares[k], found.number) for k in range(3)]})


def bin_measurements(sample: Sample, parameters: Parameters, settings: BinSettings, limit: int | None) -> VisitMatrix:
    """Sums of products for xi+ by pair of cells and visit, in classes of separation."""
    found = [_by_visit(sample, *edges) for edges in _bins(parameters, settings)]
    # the covariance of e1 e1' and e2 e2' is that of the noise of e1 and e2, which there is none of
    return _by_cells(sample, {"value": [(one.both, one.squares[0] + one.squares[1], one.number) for one in found]})


def star_measurements(sample: Sample, parameters: Parameters, settings: BinSettings, limit: int | None) -> VisitMatrix:
    """Residuals by star and visit, with pairs of stars, or of a subsample of them."""
    where, edges = sample.positions, _bins(parameters, settings)
    most = len(where)
    if limit is not None:
        pairs = sum(one.pairs for one in _of_stars(sample, parameters, settings, mean=True))
        most = min(limit // max(where.n_visits, 1), int(len(where) * min(1.0, np.sqrt(PAIRS / max(pairs, 1)))))
    stars, note = sampled(where.direction, most, "stars")
    order, leaves = tree.build(where.direction[stars])
    listed = [order[tree.listed(leaves, chord(low), chord(high))] for low, high in edges]
    pairs_of = np.concatenate([np.column_stack([two, np.full(len(two), k)]) for k, two in enumerate(listed)])
    if not len(pairs_of):
        raise NotMeasurable(f"no interval: no pair of the {len(stars):,} stars that replicates are made of")
    return VisitMatrix(
        values=(np.asarray(residual_ellipticities(sample, by_visit=False)[stars]),),
        stars=np.arange(len(stars))[:, None],
        n_stars=len(stars),
        subsample_note=note,
        pairs=pairs_of,
        visit_groups=sample.group_keys(where.visits),
    )


def _of_stars(sample: Sample, parameters: Parameters, settings: BinSettings, *, mean: bool) -> list[Sums]:
    """Sums over pairs of stars by bin, of the mean or median of each star."""
    edges = _bins(parameters, settings)

    def compute() -> list[Sums]:
        center = np.nanmean if mean else np.nanmedian
        star = visit_correlations.star_ellipticity(residual_ellipticities(sample, by_visit=False), center)[:, None]
        group = np.zeros(len(star), dtype=np.int64)
        return [sums(sample.positions.tree, Annulus(*ends), group, star) for ends in edges]

    found = sample.cached(("sums over stars", tuple(edges), mean), compute)
    if not np.isfinite(_xi(found)).any():
        raise _no_pair(parameters)
    return found


def _xi(found: list[Sums]) -> FloatArray:
    """xi+ of each bin and visit."""
    return np.stack([visit_correlations.correlations(one.both.sum(axis=0), one.number.sum(axis=0)) for one in found])


def _bins(parameters: Parameters, settings: BinSettings) -> list[tuple[float, float]]:
    return settings.bins.ends(*_range(parameters))


def _by_visit(sample: Sample, nearest: float, farthest: float) -> Sums:
    """Sums of products by visit and cells of the sky."""

    def compute() -> Sums:
        number = len(sample.positions)
        cell = cells_of(number, np.arange(number))
        residuals = residual_ellipticities(sample, by_visit=True)
        return sums(sample.positions.tree, Annulus(nearest, farthest), cell, residuals)

    return sample.cached(("correlation", nearest, farthest), compute)


def _components(found: Sums) -> FloatArray:
    """E1, E2 and EX of each visit, (3, n_visits)."""
    return visit_correlations.correlations(found.products.sum(axis=1), found.number.sum(axis=0))


def _measured(found: Sums, parameters: Parameters) -> BoolArray:
    """Visits that have pairs."""
    seen = np.asarray(found.number.sum(axis=0) > 0)
    if not seen.any():
        raise _no_pair(parameters)
    return seen


def _no_pair(parameters: Parameters) -> NotMeasurable:
    low, high = parameters["nearest"], parameters["farthest"]
    return NotMeasurable(f"no pair of stars {low:g} to {high:g} arcmin apart has ellipticities in one visit")


def _range(parameters: Parameters) -> tuple[float, float]:
    return parameters["nearest"] * ARCMIN, parameters["farthest"] * ARCMIN


def _errors(sample: Sample, found: list[Sums], components: Mapping[str, FloatArray], method: str) -> Errors:
    d, rows = sample.detections, sample.selection.rows
    notes = []
    unknown = len(rows) - int(np.count_nonzero(np.isfinite(sum(sample.column(name) for name in SHAPES))))
    if d.shape_axes == "pixels":
        notes.append("ellipticities along the axes of the pixels, which are taken to be parallel in all detectors")
    empty = int(np.count_nonzero(sum(one.number.sum(axis=0) for one in found) == 0))
    if empty:
        notes.append(f"{empty:,} visits have no pair of stars at these separations")
    return Errors(
        components=components,
        pairs=sum(one.pairs for one in found),
        measurements=round(sum(float(one.number.sum()) for one in found)),
        method=method,
        notes=tuple(notes),
        rejected={"ellipticity:not finite": unknown} if unknown else {},
    )


def _by_cells(sample: Sample, parts: Mapping[str, list[tuple[FloatArray, FloatArray, FloatArray]]]) -> VisitMatrix:
    """Matrix of pairs of cells: sums and numbers by component and class."""
    number = len(sample.positions)
    first = starts(number)
    cells = first[group_pairs(len(first))]
    classes = len(next(iter(parts.values())))
    squares = {
        visit_correlations.SQUARES + name: np.concatenate([square for _, square, _ in own])
        for name, own in parts.items()
    }
    return VisitMatrix(
        values=tuple(np.concatenate([total + 1j * pairs for total, _, pairs in own]) for own in parts.values()),
        components=tuple(parts),
        stars=np.tile(cells, (classes, 1)),
        n_stars=number,
        unit_class=np.repeat(np.arange(classes), len(cells)),
        extra=squares,
        visit_groups=sample.group_keys(sample.positions.visits),
    )


_VISIT_CORRELATION = Estimator(
    description="correlation of residual ellipticities of a visit",
    quantity="shapes",
    measurements=component_measurements,
    errors=partial(visit_correlations.visit_correlations, combine=visit_correlations.single),
    debiased=partial(visit_correlations.visit_correlations, combine=visit_correlations.single, debiased=True),
    fast=fast_visit_correlation,
    unit="",
    signed=True,
    fewest_visits=2,
    independent=True,
    formula="E of a visit, each of E1 = ⟨aᵢaⱼ⟩, E2 = ⟨bᵢbⱼ⟩, EX = ⟨aᵢbⱼ + bᵢaⱼ⟩/2, a = δe₁, b = δe₂",
)

_MEDIAN_RESIDUAL_XI = Estimator(
    description="correlation of the median residual ellipticities of stars, mean of xi+",
    quantity="shapes",
    measurements=star_measurements,
    errors=partial(visit_correlations.star_correlation, center=np.nanmedian, combine=visit_correlations.mean),
    fast=partial(fast_star_xi, mean=False),
    unit="",
    settings=BinSettings,
    signed=True,
    fewest_visits=2,
    formula="mean over bins of ξ₊ = ⟨aᵢaⱼ + bᵢbⱼ⟩, a and b the medians of δe₁ and δe₂ of stars",
)

_OF_VISITS = {
    "visit_largest": replace(
        _VISIT_CORRELATION,
        description="largest correlation of residual ellipticities of a visit",
        measurements=largest_measurements,
        errors=partial(visit_correlations.visit_correlations, combine=visit_correlations.largest),
        debiased=partial(visit_correlations.visit_correlations, combine=visit_correlations.largest, debiased=True),
        fast=fast_visit_largest,
        signed=False,
        formula="max(|E1|, |E2|, |EX|) of a visit, E1 = ⟨aᵢaⱼ⟩, E2 = ⟨bᵢbⱼ⟩, EX = ⟨aᵢbⱼ + bᵢaⱼ⟩/2, a = δe₁, b = δe₂",
    ),
    "visit_xi": replace(
        _VISIT_CORRELATION,
        description="correlation of residual ellipticities of a visit, mean size of xi+",
        measurements=bin_measurements,
        errors=partial(visit_correlations.visit_correlations, combine=visit_correlations.mean_size),
        debiased=partial(visit_correlations.visit_correlations, combine=visit_correlations.mean_size, debiased=True),
        fast=fast_visit_xi,
        settings=BinSettings,
        signed=False,
        formula="mean over bins of |ξ₊| of a visit, ξ₊ = ⟨aᵢaⱼ + bᵢbⱼ⟩, a and b = δe₁ and δe₂",
    ),
}

_TYPICAL = {
    "visit_correlation": _VISIT_CORRELATION,
    "median_residual_xi": _MEDIAN_RESIDUAL_XI,
    "mean_residual_xi": replace(
        _MEDIAN_RESIDUAL_XI,
        description="correlation of the mean residual ellipticities of stars, mean size of xi+",
        errors=partial(visit_correlations.star_correlation, center=np.nanmean, combine=visit_correlations.mean_size),
        fast=partial(fast_star_xi, mean=True),
        statistic=Statistic("mean", sized=True, near_zero=True),
        formula="mean over bins of |ξ₊|, ξ₊ = ⟨aᵢaⱼ + bᵢbⱼ⟩, a and b the means of δe₁ and δe₂ of stars",
    ),
}
ESTIMATORS = _TYPICAL | _OF_VISITS


def _outliers(level: Parameters) -> Statistic:
    return Statistic("above", level["TE"], sized=True)


def _percentile(level: Parameters) -> Statistic:
    return Statistic("percentile", 100 - level["TEF"], sized=True, near_zero=True)


_SEPARATIONS = {"nearest": "arcmin", "farthest": "arcmin"}

METRICS = (
    Metric(
        name="ellipticity_correlation",
        title="correlation of residual ellipticities, the largest of E1, E2 and EX",
        unit="",
        statistic=absolute_median,
        estimators=_TYPICAL,
        parameters=_SEPARATIONS,
        ascending=(("nearest", "farthest"),),
        optional_columns=SHAPES,
    ),
    Metric(
        name="ellipticity_correlation_outliers",
        title="fraction of images whose correlation of residual ellipticities is beyond a threshold",
        unit="percent",
        statistic=_outliers,
        estimators=_OF_VISITS,
        parameters=_SEPARATIONS,
        level_parameters={"TE": ""},
        ascending=(("nearest", "farthest"),),
        optional_columns=SHAPES,
    ),
    Metric(
        name="ellipticity_correlation_percentile",
        title="correlation of residual ellipticities that a fraction TEF of the images exceeds",
        unit="",
        statistic=_percentile,
        estimators=_OF_VISITS,
        parameters=_SEPARATIONS,
        level_parameters={"TEF": "percent"},
        ascending=(("nearest", "farthest"),),
        optional_columns=SHAPES,
    ),
)
