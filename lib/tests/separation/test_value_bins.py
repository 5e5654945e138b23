import numpy as np
import pytest
from skyaccept.lib import separation
from skyaccept.lib.separation import Annulus, value_bins
from skyaccept.lib.tests.separation.fields import from_vectors, scattered


@pytest.mark.slow
@pytest.mark.parametrize("precise", [True, False])
@pytest.mark.parametrize("error", [10.0, 300.0, 1e6])
def test_bins_stand_in_for_what_is_too_much_to_keep(
    precise: bool, error: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each value is off by less than 7e-5 mas, or 1e-6 of it; none is lost, whatever the batches and the carry."""
    rng = np.random.default_rng(1)
    obj, visit, vectors = scattered(rng, 150, 6, 0.1, (10.0, -30.0), np.full(150, error), 0.9)
    where, annulus = from_vectors(obj, visit, vectors, precise=precise), Annulus(0.0, 1.0)

    def measure() -> list[separation.PairValues]:
        return [
            separation.pair_rms(where, annulus, ddof=1, min_common_visits=2),
            separation.pair_deviations(where, annulus, about="median", min_common_visits=2),
            separation.pair_deviations(where, annulus, about="mean", min_common_visits=2),
        ]

    kept = measure()
    monkeypatch.setattr(separation, "KEPT", 4000)
    monkeypatch.setattr(separation, "_PLACES", 5000)
    monkeypatch.setattr(value_bins, "_MOST", 20_000)
    for whole, binned in zip(kept, measure(), strict=True):
        assert whole.counts is None
        assert binned.counts is not None
        assert np.all(np.diff(binned.values) > 0)
        assert (binned.pairs, binned.measurements) == (whole.pairs, whole.measurements)
        values = np.sort(whole.values.astype(np.float64))
        repeated = np.repeat(binned.values, binned.counts)
        np.testing.assert_allclose(repeated, values, atol=7e-5, rtol=1e-6)
