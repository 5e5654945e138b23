r"""Residual ellipticity TE1 to TE4 and TEF: how what the PSF model misses correlates between stars.

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
- TE3, TE4, ``ellipticity_correlation_percentile``: the size that a fraction TEF of the images exceeds, the
  (100 - TEF)th percentile, interpolated linearly between order statistics.

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
"theta <= 1 arcmin": all pairs up to there count alike. "theta >= 5 arcmin" has no end; the mean over the pairs of a
whole field is that of its largest separations, where nothing correlates and where the pairs are. The limit holds where
the correlation is largest, so that clauses end at 20 arcmin, as validate_drp and faro do. An image is beyond TE3 or TE4
where any of the three is.

Bias: noise of single ellipticities has no part in the mean of products of different stars. It widens the distribution
over images, and so raises TEF, TE3 and TE4; `correlation.visit_correlation` takes that off (``value_unbiased``). What
biases E itself: stars that the model was fitted to (residuals come out small), which are left out where they are
flagged; neighbours that overlap; and noise that images of two stars have in common.

The pairs are counted one by one, exactly, in float64 (`skyaccept.lib.separation.correlation`): TreeCorr, which the
peers use, bins approximately, and would not give the sums by cells of the sky that intervals are made of.

Sources: LPM-17 table 27, as quoted in validate_drp; validate_drp calcsrd/tex.py (107f81d); faro tex.py (aff3cf7).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.arrays import FloatArray
from skyaccept.lib.catalog.detections import SHAPES
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.metrics.metric import Errors, Estimator, Metric, Settings
from skyaccept.lib.metrics.residual_ellipticities import residual_ellipticities
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.subsampling import sampled
from skyaccept.lib.sample.visit_matrix import LIMIT, Matrix
from skyaccept.lib.separation import Annulus, tree
from skyaccept.lib.separation.correlation import COMPONENTS, Sums, group_pairs, sums
from skyaccept.lib.sphere import ARCMIN, chord
from skyaccept.lib.uncertainty import resampled_correlations
from skyaccept.lib.uncertainty.jackknife import Resampled, cells_of, starts
from skyaccept.lib.uncertainty.statistic import Question

Parameters = Mapping[str, float]

PAIRS = 500_000
"""Pairs that replicates of a correlation of all visits are made of; of more, those of some of the stars."""


def visit_correlation(sample: Sample, parameters: Parameters, settings: Settings) -> Errors:
    """E1, E2 and EX of each visit.

    Parameters
    ----------
    sample : Sample
    parameters : mapping
        ``nearest`` and ``farthest`` in arcmin.
    settings : Settings

    Raises
    ------
    NotMeasurable
        The catalog has no ellipticities, or no visit has a pair of stars in the range of separations.
    """
    found = _by_visit(sample, *_range(parameters))
    by = dict(zip(COMPONENTS, _components(found)[:, _measured(found, parameters)], strict=True))
    values = np.abs(np.concatenate(list(by.values())))
    return _errors(sample, [found], values, "products of all pairs of a visit, float64", by)


def visit_largest(sample: Sample, parameters: Parameters, settings: Settings) -> Errors:
    """Largest size of E1, E2 and EX of each visit; parameters and errors as `visit_correlation`."""
    found = _by_visit(sample, *_range(parameters))
    values = _largest(_components(found)[:, _measured(found, parameters)])
    return _errors(sample, [found], values, "products of all pairs of a visit, float64")


def visit_xi(sample: Sample, parameters: Parameters, settings: Settings) -> Errors:
    """Mean of the sizes of xi+ over the bins of each visit that have pairs, with ``settings.bins``."""
    found = [_by_visit(sample, *edges) for edges in _bins(parameters, settings)]
    xi = np.stack([resampled_correlations.correlations(one.both.sum(axis=0), one.number.sum(axis=0)) for one in found])
    seen = np.isfinite(xi).any(axis=0)
    if not seen.any():
        raise _no_pair(parameters)
    return _errors(sample, found, _mean_size(xi[:, seen]), "products of all pairs of a visit by bin, float64")


def median_residual_xi(sample: Sample, parameters: Parameters, settings: Settings) -> Errors:
    """Mean of xi+ over the bins with pairs, of the medians of the residuals of each star; one number, signed."""
    return _of_stars(sample, parameters, settings, np.nanmedian, _mean)


def mean_residual_xi(sample: Sample, parameters: Parameters, settings: Settings) -> Errors:
    """Mean of the sizes of xi+ over the bins with pairs, of the means of the residuals of each star; one number."""
    return _of_stars(sample, parameters, settings, np.nanmean, _mean_size)


def _of_stars(
    sample: Sample,
    parameters: Parameters,
    settings: Settings,
    middle: Callable[..., FloatArray],
    combine: resampled_correlations.Combine,
) -> Errors:
    """One number: correlation of what `correlation.star_ellipticity` makes of the residuals of each star."""
    star = resampled_correlations.star_ellipticity(residual_ellipticities(sample, by_visit=False), middle)[:, None]
    group = np.zeros(len(star), dtype=np.int64)
    found = [sums(sample.positions.tree, Annulus(*edges), group, star) for edges in _bins(parameters, settings)]
    xi = np.stack([resampled_correlations.correlations(one.both.sum(axis=0), one.number.sum(axis=0)) for one in found])
    if not np.isfinite(xi).any():
        raise _no_pair(parameters)
    return _errors(sample, found, combine(xi), "products of all pairs of stars by bin, float64")


def _bins(parameters: Parameters, settings: Settings) -> list[tuple[float, float]]:
    if settings.bins is None:
        raise ValueError("the definition names no bins")
    return settings.bins.ends(*_range(parameters))


def _by_visit(sample: Sample, nearest: float, farthest: float) -> Sums:
    """Sums of products by visit and cells of the sky."""

    def find() -> Sums:
        number = len(sample.positions)
        cell = cells_of(number, np.arange(number))
        return sums(
            sample.positions.tree, Annulus(nearest, farthest), cell, residual_ellipticities(sample, by_visit=True)
        )

    return sample.once(("correlation", nearest, farthest), find)


def _components(found: Sums) -> FloatArray:
    """E1, E2 and EX of each visit, (3, n_visits)."""
    return resampled_correlations.correlations(found.products.sum(axis=1), found.number.sum(axis=0))


def _measured(found: Sums, parameters: Parameters) -> NDArray[np.bool_]:
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


def _errors(
    sample: Sample, found: list[Sums], values: FloatArray, method: str, by: Mapping[str, FloatArray] | None = None
) -> Errors:
    d, rows = sample.detections, sample.selection.rows
    notes = []
    unknown = len(rows) - int(np.count_nonzero(np.isfinite(sum(sample.column(name) for name in SHAPES))))
    if unknown:
        notes.append(
            f"{unknown:,} of {len(rows):,} detections have no ellipticity of themselves or of the PSF: not used"
        )
    if d.shape_axes == "pixels":
        notes.append("ellipticities along the axes of the pixels, which are taken to be parallel in all detectors")
    empty = int(np.count_nonzero(sum(one.number.sum(axis=0) for one in found) == 0))
    if empty:
        notes.append(f"{empty:,} visits have no pair of stars at these separations")
    return Errors(
        values,
        sum(one.pairs for one in found),
        round(sum(float(one.number.sum()) for one in found)),
        method,
        coordinates=by or {},
        notes=tuple(notes),
    )


def _largest(values: FloatArray) -> FloatArray:
    return np.asarray(np.abs(values).max(axis=0))


def _single(values: FloatArray) -> FloatArray:
    return np.asarray(values[0])


def _mean(values: FloatArray) -> FloatArray:
    return np.asarray(np.nanmean(values, axis=0))


def _mean_size(values: FloatArray) -> FloatArray:
    return np.asarray(np.nanmean(np.abs(values), axis=0))


def _by_cells(sample: Sample, axes: list[list[tuple[FloatArray, FloatArray, FloatArray]]]) -> Matrix:
    """Matrix of pairs of cells; by axis and part, sums of products, of their squares, and numbers of pairs."""
    number = len(sample.positions)
    first = starts(number)
    stars = np.tile(first[group_pairs(len(first))], (len(axes[0]), 1))
    values = tuple(np.concatenate([total + 1j * pairs for total, _, pairs in parts]) for parts in axes)
    other = tuple(np.concatenate([squares for _, squares, _ in parts]) for parts in axes)
    return Matrix(values, stars, number, other=other)


def _matrix_of_components(sample: Sample, parameters: Parameters, settings: Settings, errors: Errors) -> Matrix:
    found = _by_visit(sample, *_range(parameters))
    parts = [(found.products[k], found.squares[k], found.number) for k in range(len(COMPONENTS))]
    return _by_cells(sample, [[part] for part in parts] if errors.coordinates else [parts])


def _matrix_of_bins(sample: Sample, parameters: Parameters, settings: Settings, errors: Errors) -> Matrix:
    found = [_by_visit(sample, *edges) for edges in _bins(parameters, settings)]
    # the covariance of e1 e1' and e2 e2' is that of the noise of e1 and e2, which there is none of
    return _by_cells(sample, [[(one.both, one.squares[0] + one.squares[1], one.number) for one in found]])


def _matrix_of_stars(sample: Sample, parameters: Parameters, settings: Settings, errors: Errors) -> Matrix:
    """Residuals by star and visit, with the pairs of stars; where there are too many, of some of the stars."""
    where, edges = sample.positions, _bins(parameters, settings)
    most = min(LIMIT // max(where.n_visits, 1), int(len(where) * min(1.0, np.sqrt(PAIRS / max(errors.pairs, 1)))))
    stars, note = sampled(where.direction, most, "stars")
    direction = where.direction[stars]
    order, leaves = tree.build(direction)
    listed = [order[tree.listed(leaves, chord(low), chord(high))] for low, high in edges]
    pairs = np.concatenate([np.column_stack([two, np.full(len(two), k)]) for k, two in enumerate(listed)])
    if not len(pairs):
        raise NotMeasurable(f"no interval: no pair of the {len(stars):,} stars that replicates are made of")
    values = residual_ellipticities(sample, by_visit=False)[stars]
    return Matrix((np.asarray(values),), np.arange(len(stars))[:, None], len(stars), note=note, pairs=pairs)


def _of_visits(parts: int, combine: resampled_correlations.Combine) -> Callable[[Matrix, Settings], Resampled]:
    return lambda matrix, _: resampled_correlations.visit_correlation(matrix, parts, combine)


def _visit_xi(matrix: Matrix, settings: Settings) -> Resampled:
    number = len(starts(matrix.n_stars))
    return resampled_correlations.visit_correlation(
        matrix, len(matrix.stars) // (number * (number + 1) // 2), _mean_size
    )


def _of_all(
    middle: Callable[..., FloatArray], combine: resampled_correlations.Combine
) -> Callable[[Matrix, Settings], Resampled]:
    def replicates(matrix: Matrix, settings: Settings) -> Resampled:
        classes = 0 if matrix.pairs is None else int(matrix.pairs[:, 2].max()) + 1
        return resampled_correlations.star_correlation(matrix, middle, classes, combine)

    return replicates


_OF_VISITS = {
    "visit_largest": Estimator(
        visit_largest,
        "largest correlation of residual ellipticities of a visit",
        _matrix_of_components,
        _of_visits(len(COMPONENTS), _largest),
        unit="",
        formula="max(|E1|, |E2|, |EX|) of a visit, E1 = ⟨aᵢaⱼ⟩, E2 = ⟨bᵢbⱼ⟩, EX = ⟨aᵢbⱼ + bᵢaⱼ⟩/2, a = δe₁, b = δe₂",
    ),
    "visit_xi": Estimator(
        visit_xi,
        "correlation of residual ellipticities of a visit, mean size of xi+",
        _matrix_of_bins,
        _visit_xi,
        unit="",
        formula="mean over bins of |ξ₊| of a visit, ξ₊ = ⟨aᵢaⱼ + bᵢbⱼ⟩, a and b = δe₁ and δe₂",
        needs=("bins",),
    ),
}

_TYPICAL = {
    "visit_correlation": Estimator(
        visit_correlation,
        "correlation of residual ellipticities of a visit",
        _matrix_of_components,
        _of_visits(1, _single),
        unit="",
        formula="E of a visit, each of E1 = ⟨aᵢaⱼ⟩, E2 = ⟨bᵢbⱼ⟩, EX = ⟨aᵢbⱼ + bᵢaⱼ⟩/2, a = δe₁, b = δe₂",
    ),
    "median_residual_xi": Estimator(
        median_residual_xi,
        "correlation of the median residual ellipticities of stars, mean of xi+",
        _matrix_of_stars,
        _of_all(np.nanmedian, _mean),
        unit="",
        formula="mean over bins of ξ₊ = ⟨aᵢaⱼ + bᵢbⱼ⟩, a and b the medians of δe₁ and δe₂ of stars",
        needs=("bins",),
    ),
    "mean_residual_xi": Estimator(
        mean_residual_xi,
        "correlation of the mean residual ellipticities of stars, mean size of xi+",
        _matrix_of_stars,
        _of_all(np.nanmean, _mean_size),
        unit="",
        formula="mean over bins of |ξ₊|, ξ₊ = ⟨aᵢaⱼ + bᵢbⱼ⟩, a and b the means of δe₁ and δe₂ of stars",
        needs=("bins",),
        question=Question("mean", sized=True, near_zero=True),
    ),
}
ESTIMATORS = _TYPICAL | _OF_VISITS

_SEPARATIONS = {"nearest": "arcmin", "farthest": "arcmin"}

METRICS = (
    Metric(
        "ellipticity_correlation",
        "correlation of residual ellipticities, the largest of E1, E2 and EX",
        "",
        lambda _: Question("size"),
        _TYPICAL,
        _SEPARATIONS,
        optional_columns=SHAPES,
    ),
    Metric(
        "ellipticity_correlation_outliers",
        "fraction of images whose correlation of residual ellipticities is beyond a threshold",
        "percent",
        lambda level: Question("above", level["TE"], sized=True),
        _OF_VISITS,
        _SEPARATIONS,
        {"TE": ""},
        optional_columns=SHAPES,
    ),
    Metric(
        "ellipticity_correlation_percentile",
        "correlation of residual ellipticities that a fraction TEF of the images exceeds",
        "",
        lambda level: Question("percentile", 100 - level["TEF"], sized=True, near_zero=True),
        _OF_VISITS,
        _SEPARATIONS,
        {"TEF": "percent"},
        optional_columns=SHAPES,
    ),
)
