"""The step to which positions were rounded."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skyaccept.lib.catalog import precision

DEGREE = 3.6e6  # mas


def field(n: int = 3000, ra: float = 150.0, dec: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """Places in a small field, in all digits of float64."""
    rng = np.random.default_rng(n)
    return ra + rng.uniform(-0.1, 0.1, n), dec + rng.uniform(-0.1, 0.1, n)


def test_all_digits_have_no_step() -> None:
    ra, dec = field()
    assert precision.rounding_step(ra) == precision.rounding_step(dec) == precision.Step()
    assert precision.precision_note(ra, dec) == ""


@pytest.mark.parametrize(("ra", "mas"), [(150.0, 54.9), (300.0, 109.9), (20.0, 6.87)])
def test_single_precision_is_noted(ra: float, mas: float) -> None:
    """However the values are held; the step depends on the size of the number."""
    places = [values.astype(np.float32) for values in field(ra=ra, dec=0.01)]
    for held in (places, [values.astype(np.float64) for values in places]):
        note = precision.precision_note(held[0], held[1])
        assert note == (
            f"positions have a precision of about {mas:.3g} mas in RA (single precision): "
            "errors below that are not seen"
        )


@pytest.mark.parametrize("unit", [np.pi / 180, 1 / 15, 3600.0])
def test_single_precision_of_other_units_is_found(unit: float) -> None:
    """Radians, hours and arcseconds, turned into degrees in float64."""
    ra, _ = field()
    held = (ra * unit).astype(np.float32).astype(np.float64) / unit
    step = precision.rounding_step(held)
    assert (step.single, step.fraction) == (True, 1.0)
    assert step.size == pytest.approx(np.spacing(np.float32(150 * unit)) / unit)


@settings(deadline=None, max_examples=80)
@given(
    st.sampled_from([1e-3, 1e-4, 1e-5, 1e-6, 15 / 3600 / 100, 0.1 / 3600, 36 / DEGREE, 55 / DEGREE, 1.3 / DEGREE]),
    st.sampled_from([0.0, 0.003, 20.0, 359.0]),
    st.sampled_from([0.1, 1.0, 300.0]),
)
def test_steps_are_found(size: float, low: float, width: float) -> None:
    """Decimals of degrees, of seconds of time and of arcseconds over any width; any other step over a field."""
    if size in (55 / DEGREE, 1.3 / DEGREE):
        width = min(width, 1.0)
    rng = np.random.default_rng(5)
    values = np.round((low + rng.uniform(0, width, 20_000)) / size) * size
    found = precision.rounding_step(values)
    assert found.size == pytest.approx(size, rel=1e-6)
    assert (found.single, found.fraction) == (False, 1.0)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.sampled_from([20, 100, 20_000]), st.sampled_from([1e-5, 1.0, 360.0]))
def test_no_step_is_found_in_any_field_of_all_digits(seed: int, number: int, width: float) -> None:
    values = np.random.default_rng(seed).uniform(0, width, number)
    assert precision.rounding_step(values) == precision.Step()


@pytest.mark.parametrize("n", [100, 3000, 400_000])
@pytest.mark.parametrize("share", [0.1, 0.2, 0.8])
def test_rows_of_which_a_share_is_rounded_are_noted_with_it(n: int, share: float) -> None:
    """One visit of five rounded, in whatever order the rows stand, and four files of five in single precision."""
    ra, dec = field(max(n, int(21 / share) + 1))
    visit = np.arange(len(ra)) % 10 < 10 * share
    for some in (visit, np.sort(visit)):
        five = precision.precision_note(np.where(some, np.round(ra, 5), ra), np.where(some, np.round(dec, 5), dec))
        single = precision.precision_note(np.where(some, ra.astype(np.float32), ra), dec)
        for note, size, why in ((five, 36, "rounded"), (single, 54.9, "single precision")):
            percent, rest = note.split("% ")
            assert float(percent) == pytest.approx(100 * share, abs=2)
            assert rest.startswith(f"of the positions have a precision of about {size} mas")
            assert why in rest


def test_a_few_rows_of_more_digits_hide_no_step() -> None:
    """All rows rounded but one."""
    ra, dec = field(20_000)
    for rounded in (np.round(ra, 5), ra.astype(np.float32).astype(float)):
        whole = precision.precision_note(rounded, dec)
        rounded[7777] += 1.3e-7
        assert precision.precision_note(rounded, dec) == whole
        assert whole.startswith("positions have a precision")


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 10_000),
    st.sampled_from([100, 1000, 20_000]),
    st.sampled_from([1e-7, 1e-8, 1e-9, 1.5e-8, 1e-4 / 3600, 1e-5 / 3600]),
)
def test_multiples_by_chance_are_no_step(seed: int, n: int, size: float) -> None:
    """One value in ten of seven decimals has six."""
    values = 150 + np.random.default_rng(seed).uniform(0, 0.2, n)
    assert precision.precision_note(np.round(values / size) * size, values - 150) == ""


def test_the_sky_counts_and_not_the_number() -> None:
    """Right ascension far from the equator has steps that are smaller on the sky."""
    ra, dec = field(dec=80.0)
    assert "6.25 mas in RA (rounded)" in precision.precision_note(np.round(ra, 5), dec)
    assert "36 mas in Dec (rounded)" in precision.precision_note(ra, np.round(dec, 5))


def test_steps_that_do_not_matter_are_not_noted() -> None:
    """Seven decimals are 0.36 mas, six are 3.6."""
    ra, dec = field()
    assert precision.precision_note(np.round(ra, 7), np.round(dec, 7)) == ""
    assert "3.6 mas" in precision.precision_note(np.round(ra, 6), dec)


def test_missing_positions_do_not_count() -> None:
    ra, dec = field()
    ra[::3], dec[::5] = np.nan, np.inf
    assert precision.precision_note(ra, dec) == ""
    assert "36 mas" in precision.precision_note(np.round(ra, 5), np.round(dec, 5))
    nothing = np.full(50, np.nan)
    assert precision.precision_note(nothing, nothing) == ""


def test_few_values_have_no_step() -> None:
    """One star in two places."""
    assert precision.rounding_step(np.array([10.0, 10.5] * 100)) == precision.Step()
