import sys

import numpy as np
import pytest
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.separation import Positions, matrix, positions
from skyaccept.lib.sphere import MAS, separation
from skyaccept.lib.tests.reference import haversine, mean_position
from skyaccept.lib.tests.separation.fields import build, from_vectors, jittered, scattered


def test_two_detections_of_an_object_in_a_visit_are_refused() -> None:
    with pytest.raises(ValueError, match="two detections"):
        Positions.from_degrees(np.zeros(2, dtype=int), np.zeros(2, dtype=int), np.zeros(2), np.zeros(2))


def test_the_mean_direction_is_that_of_the_mean_vector() -> None:
    stars = jittered(np.random.default_rng(6), 5, 4, (0.0, 0.0), 0.01)
    positions = build(stars)
    for k, star in enumerate(positions.objects):
        x, y, z = positions.direction[k]
        direction = (float(np.degrees(np.arctan2(y, x))), float(np.degrees(np.arcsin(z))))
        assert haversine(direction, mean_position(stars[star])) < 1e-3


def detections(n: int) -> AssociatedDetections:
    """Some objects in four visits each."""
    rng = np.random.default_rng(5)
    obj, visit = np.divmod(np.arange(4 * n), 4)
    ra, dec = rng.uniform(10, 10.1, n)[obj], rng.uniform(0, 0.1, n)[obj] + rng.normal(0, 1e-6, 4 * n)
    band = np.zeros(4 * n, np.int16)
    return AssociatedDetections(ra, dec, visit, band, ("1", "2", "3", "4"), ("r",), object=obj)


@pytest.mark.parametrize(("small", "kind"), [(800, np.float64), (799, np.float32)])
def test_all_parts_of_a_dataset_have_its_precision(small: int, kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    """The detections of the whole dataset count, not those of a sample."""
    monkeypatch.setattr(sys.modules[Positions.__module__], "SMALL", small)
    whole = detections(200)
    rows = np.arange(len(whole))
    found = [positions(whole, part) for part in (rows, rows[:400], rows[400:], rows[:8])]
    assert {part.stars.x.dtype for part in found} == {np.dtype(kind)}


@pytest.mark.parametrize("precise", [True, False])
def test_the_offsets_put_each_detection_in_its_place(precise: bool) -> None:
    rng = np.random.default_rng(2)
    obj, visit, vectors = scattered(rng, 40, 5, 0.2, (0.0, 89.9), np.where(np.arange(40) < 5, 1e4, 10.0), 0.8)
    order = rng.permutation(len(obj))
    where = from_vectors(obj[order], visit[order], vectors[order], precise=precise)
    found = matrix.vectors(where, np.arange(len(where)))
    assert (len(where), where.n_visits) == (40, 5)
    row = np.argsort(where.objects)[obj]
    apart = separation(found[row, visit], vectors) / MAS
    assert apart.max() < (1e-6 if precise else 1e-4)
    assert where.seen.sum() == len(obj)
