"""Residual ellipticities of stars by visit: shape minus that of the PSF model."""

from __future__ import annotations

import numpy as np
from skyaccept.lib.arrays import ComplexArray
from skyaccept.lib.catalog.detections import SHAPES, inverse_index
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sphere import mean_directions, parallel_transport, unit_vectors

_BLOCK = 1_000_000


def residual_ellipticities(sample: Sample, by_visit: bool) -> ComplexArray:
    """Residual ellipticities, (n_stars, n_visits) complex, NaN where not measured.

    In the axes at the middle of each visit, or of the sample.
    """

    def compute() -> ComplexArray:
        d, rows = sample.detections, sample.selection.rows
        missing = [name for name in SHAPES if getattr(d, name) is None]
        if missing:
            raise NotMeasurable(
                f"the catalog has no ellipticities of stars and PSF model (no column for {', '.join(missing)}, and no "
                "second moments, in the survey profile)"
            )
        e1, e2, psf_e1, psf_e2 = (sample.column(name).astype(np.float64) for name in SHAPES)
        residual = (e1 - psf_e1) + 1j * (e2 - psf_e2)
        if not np.isfinite(residual).any():
            raise NotMeasurable(
                f"none of the {len(rows):,} selected detections has ellipticities of itself and the PSF"
            )
        column = inverse_index(sample.positions.visits, len(d.visits))[d.visit[rows]]
        if d.shape_axes == "sky":
            middle = mean_directions(
                sample.positions.direction[sample.star_index], column if by_visit else np.zeros_like(column)
            )
            for begin in range(0, len(rows), _BLOCK):
                part = slice(begin, begin + _BLOCK)
                here = unit_vectors(d.ra[rows[part]], d.dec[rows[part]])
                place = column[part] if by_visit else np.zeros(len(here), dtype=np.int64)
                residual[part] = parallel_transport(residual[part], here, middle[place])
        found = np.full((len(sample.positions), sample.positions.n_visits), complex(np.nan, np.nan))
        found[sample.star_index, column] = np.where(np.isfinite(residual), residual, complex(np.nan, np.nan))
        return found

    return sample.cached(("residual ellipticities", by_visit), compute)
