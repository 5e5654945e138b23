"""Detections: columns by name, chosen rows, and what association adds."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from skyaccept.lib.catalog.detections import AssociatedDetections, Detections, inverse_index, select_rows
from skyaccept.lib.exceptions import InputError


def detections() -> Detections:
    """Four detections in two visits of one name."""
    return Detections(
        ra=np.arange(4.0),
        dec=np.zeros(4),
        visit=np.array([0, 0, 1, 1]),
        band=np.array([0, 0, 1, 1], dtype=np.int16),
        visits=("7", "7", "8"),
        bands=("g", "r"),
        mag=np.arange(20.0, 24.0),
        flags={"bad": np.array([True, False, False, True])},
        source="a.csv",
        survey="generic",
    )


def associated(*objects: int) -> AssociatedDetections:
    """The same with objects."""
    return AssociatedDetections.from_detections(detections(), object=np.array(objects, dtype=np.int64))


@pytest.mark.parametrize(("objects", "number"), [((0, 1, -2, 0), 2), ((-1, -1, -2, -3), 0), ((0, 1, 2, 3), 4)])
def test_negative_codes_are_no_objects(objects: tuple[int, ...], number: int) -> None:
    assert associated(*objects).n_objects == number


def test_association_copies_every_field() -> None:
    before = detections()
    after = AssociatedDetections.from_detections(before, object=np.arange(4))
    for field in fields(Detections):
        if field.name != "object":
            assert getattr(after, field.name) is getattr(before, field.name), field.name


def test_the_exposures_have_the_band_of_their_detections() -> None:
    assert associated(0, 1, 1, 0).exposures() == [("7", "g"), ("7", "r"), ("8", "")]


def test_chosen_rows_keep_their_type_columns_and_flags() -> None:
    some = select_rows(associated(0, 1, 1, 0), np.array([2, 0]))
    assert isinstance(some, AssociatedDetections)
    assert (some.ra.tolist(), some.object.tolist(), some.flags["bad"].tolist()) == ([2.0, 0.0], [1, 0], [False, True])
    assert some.visits == ("7", "7", "8")


def test_a_column_that_is_not_there_is_refused_with_its_user() -> None:
    assert detections().column("mag", "PA1") is not None
    with pytest.raises(InputError, match=r"a\.csv: no column for 'snr', which PA1 needs") as caught:
        detections().column("snr", "PA1")
    assert "('generic')" in str(caught.value)


def test_a_detector_is_named_or_numbered() -> None:
    assert detections().detector_name(4) == "4"
    assert Detections(**{**vars(detections()), "detectors": ("a", "b")}).detector_name(1) == "b"


def test_numbering_inverts_codes() -> None:
    assert inverse_index(np.array([3, 1]), 5).tolist() == [-1, 1, -1, 0, -1]
