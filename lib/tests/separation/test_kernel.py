import numba
import numpy as np
import pytest
from skyaccept.lib import separation
from skyaccept.lib.numba_cache import share_cores
from skyaccept.lib.separation import Annulus, Positions, tree
from skyaccept.lib.sphere import ARCMIN
from skyaccept.lib.tests.separation import plain
from skyaccept.lib.tests.separation.fields import from_vectors, scattered


@pytest.mark.slow
def test_the_number_of_threads_changes_no_bit() -> None:
    rng = np.random.default_rng(8)
    obj, visit, vectors = scattered(rng, 800, 12, 0.3, (0.0, 30.0), np.full(800, 10.0), 0.8)
    annulus = Annulus(4 * ARCMIN, 6 * ARCMIN)
    found = []
    before = numba.get_num_threads()
    share_cores(1)
    available = numba.get_num_threads()
    for threads in (1, 2):
        numba.set_num_threads(min(threads, available))
        for precise in (True, False):
            where = from_vectors(obj, visit, vectors, precise=precise)
            found.append(separation.pair_rms(where, annulus, ddof=1, min_common_visits=2).values.tobytes())
            found.append(
                separation.pair_deviations(where, annulus, about="median", min_common_visits=2).values.tobytes()
            )
    numba.set_num_threads(before)
    assert found[:4] == found[4:]


def test_equal_deviations_keep_their_scatter_in_float32() -> None:
    """Two visits in which a pair is displaced alike: its standard deviation is far below its deviations."""
    rng = np.random.default_rng(0)
    obj, visit, vectors = scattered(rng, 300, 3, 0.1, (40.0, 20.0), np.full(300, 30.0), 1.0)
    half = obj % 2 == 0
    still = visit < 2
    first = {o: k for k, o in enumerate(obj) if visit[k] == 0}
    for k in np.flatnonzero(still & half):
        vectors[k] = vectors[first[obj[k]]]
    for k in np.flatnonzero(still & ~half):
        vectors[k] = vectors[first[obj[k]]]
    keep = ~((visit == 2) & (rng.random(len(obj)) < 0.6))
    where = from_vectors(obj[keep], visit[keep], vectors[keep], precise=False)
    annulus = Annulus(1 * ARCMIN, 10 * ARCMIN)
    fast = separation.pair_rms(where, annulus, ddof=1, min_common_visits=2)
    slow = plain.pair_rms(where, annulus, ddof=1, min_common_visits=2)
    assert np.median(slow.values) < 1e-3, "most pairs have only the two visits without scatter"
    np.testing.assert_allclose(np.sort(fast.values), np.sort(slow.values), atol=1e-4)


def by_pair(where: Positions, annulus: Annulus, least: int = 2) -> dict[tuple[int, int], bytes]:
    """Bits of the standard deviation and of the deviations of each pair, by the codes of its objects."""
    found: dict[tuple[int, int], bytes] = {}
    for i in range(len(where)):
        for j in range(i):
            stars = where.stars
            alone = stars._replace(
                frame=stars.frame[[i, j]],
                x=stars.x[[i, j]],
                y=stars.y[[i, j]],
                bits=stars.bits[[i, j]],
                reach=stars.reach[[i, j]],
                wide=stars.wide[[i, j]],
            )
            order, leaves = tree.build(alone.frame[:, 5:])
            alone = alone._replace(**{name: getattr(alone, name)[order] for name in PER_OBJECT})
            two = Positions(alone, leaves, where.objects[[i, j]][order], where.visits)
            rms = separation.pair_rms(two, annulus, ddof=1, min_common_visits=least)
            about = separation.pair_deviations(two, annulus, about="median", min_common_visits=least)
            if rms.pairs:
                code = sorted(where.objects[[i, j]].tolist())
                found[code[0], code[1]] = rms.values.tobytes() + about.values.tobytes()
    return found


PER_OBJECT = ("frame", "x", "y", "bits", "reach", "wide")


@pytest.mark.parametrize("precise", [True, False])
@pytest.mark.parametrize(("cap", "error"), [(0.05, 10.0), (0.001, 30.0), (0.1, 3e4)])
def test_values_do_not_depend_on_leaves_rows_or_the_rest(precise: bool, cap: float, error: float) -> None:
    """Close and far pairs, slow and fast: those of the whole field, of a part of it, and of two objects alone."""
    rng = np.random.default_rng(4)
    obj, visit, vectors = scattered(rng, 60, 9, cap, (0.0, 30.0), np.full(60, error), 0.9)
    everything = Annulus(0.0, 1.0)
    where = from_vectors(obj, visit, vectors, precise=precise)
    shuffled = rng.permutation(60)
    permuted = from_vectors(shuffled[obj], visit, vectors, precise=precise)
    keep = obj % 2 == 0
    part = from_vectors(obj[keep], visit[keep], vectors[keep], precise=precise)
    parts = by_pair(part, everything)

    def bits(positions: Positions) -> list[bytes]:
        found = separation.pair_rms(positions, everything, ddof=1, min_common_visits=2).values
        about = separation.pair_deviations(positions, everything, about="mean", min_common_visits=2, absolute=True)
        return [np.sort(found).tobytes(), np.sort(about.values).tobytes()]

    assert bits(where) == bits(permuted)
    whole = by_pair(where, everything)
    assert len(parts) > 400
    assert {pair: whole[pair] for pair in parts} == parts
    alone = np.array([np.frombuffer(value, where.stars.x.dtype)[0] for value in whole.values()])
    together = separation.pair_rms(where, everything, ddof=1, min_common_visits=2).values
    np.testing.assert_array_equal(np.sort(together), np.sort(alone))
