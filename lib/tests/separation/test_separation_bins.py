import numpy as np
import pytest
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.separation.separation_bins import SeparationBins


def test_open_bins_divide_the_separations_of_the_clause() -> None:
    ends = SeparationBins(4, 0.01).ends(0.001, 0.16)
    np.testing.assert_allclose(ends, [(0.01, 0.02), (0.02, 0.04), (0.04, 0.08), (0.08, 0.16)])
    np.testing.assert_allclose(SeparationBins(1, 0.01).ends(0.05, 0.1), [(0.05, 0.1)])


def test_bins_with_an_end_count_by_their_middles() -> None:
    bins = SeparationBins(4, 0.01, 0.16)
    np.testing.assert_allclose(bins.ends(0.015, 0.09), [(0.02, 0.04), (0.04, 0.08)])
    assert len(bins.ends(0.0, 1.0)) == 4


@pytest.mark.parametrize(
    ("bins", "asked", "words"),
    [
        (SeparationBins(4, 0.01), (0.0, 0.01), "the bins of the definition begin at 34.3775 arcmin"),
        (SeparationBins(4, 0.01, 0.16), (0.2, 0.3), "no bin of the definition lies within"),
    ],
)
def test_a_range_without_bins_cannot_be_measured(bins: SeparationBins, asked: tuple[float, float], words: str) -> None:
    with pytest.raises(NotMeasurable, match=words):
        bins.ends(*asked)
