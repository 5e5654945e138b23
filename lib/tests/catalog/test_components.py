"""Connected components of points on the sphere."""

from __future__ import annotations

import numpy as np
import pytest
from skyaccept.lib.catalog.components import UNPLACED, connected_components
from skyaccept.lib.sphere import unit_vectors

ARCSEC = np.pi / 180 / 3600


@pytest.mark.parametrize("dec", [0.0, 89.9999, -90.0])
@pytest.mark.parametrize("ra", [0.0, 123.0])
def test_a_chain_of_visits_is_one_component(ra: float, dec: float) -> None:
    """Neighbours 0.8" apart join ends 2.4" apart; a point 5" away stays alone."""
    offsets = np.array([0.0, 0.8, 1.6, 2.4, 7.4]) / 3600
    vectors = unit_vectors(np.full(5, ra), dec + np.where(dec > 0, -offsets, offsets))
    assert connected_components(vectors, np.arange(5), ARCSEC).tolist() == [0, 0, 0, 0, 1]


def test_points_of_one_visit_are_not_joined() -> None:
    vectors = unit_vectors(np.zeros(2), np.array([0.0, 0.1 / 3600]))
    assert connected_components(vectors, np.array([4, 4]), ARCSEC).tolist() == [0, 1]


def test_labels_follow_the_first_points_and_skip_nan() -> None:
    vectors = unit_vectors(np.array([5.0, np.nan, 1.0, 5.0]), np.zeros(4))
    assert connected_components(vectors, np.arange(4), ARCSEC).tolist() == [0, UNPLACED, 1, 0]
