"""Parquet files of light curves and of arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from skyaccept.lib import readers
from skyaccept.lib.catalog.association import has_one_position_per_object
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import inspection, reference
from skyaccept.lib.readers.formats import parquet
from skyaccept.lib.tests.readers import survey_files


def curves_file(path: Path, columns: dict[str, Any], large: bool = False, **options: Any) -> Path:
    """Write light curves."""
    kind = pa.large_list if large else pa.list_
    forms = {"hmjd": pa.float64(), "catflags": pa.uint16()}
    arrays = {
        name: pa.array(values, kind(forms.get(name, pa.float32()))) if isinstance(values, list) else pa.array(values)
        for name, values in columns.items()
    }
    pq.write_table(pa.table(arrays), path, **options)
    return path


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("rows", [1, 4, 100])
def test_light_curves_are_what_a_plain_loop_makes_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, large: bool
) -> None:
    """Whatever the groups of rows and the batches in which they are read."""
    monkeypatch.setattr(parquet, "_ROWS", rows)
    columns = survey_files.curves()
    d = survey_files.load(curves_file(tmp_path / "a.parquet", columns, large, row_group_size=2), "ztf-lightcurve")
    plain = [(star, k) for star in range(6) for k in range(len(columns["mag"][star]))]
    assert len(d) == len(plain) == 22
    for row, (star, k) in enumerate(plain):
        bad = columns["catflags"][star][k] == survey_files.BAD_EPOCH
        assert np.isnan(d.mag[row]) if bad else d.mag[row] == np.float32(columns["mag"][star][k])
        assert d.flags["bad_epoch"][row] == bad
        assert d.ra[row] == columns["objra"][star]
        day, coefficient = int(columns["hmjd"][star][k]), np.float32(columns["clrcoeff"][star][k])
        assert d.visits[d.visit[row]] == f"{day} {float(coefficient)}"
    assert d.n_objects == 5
    assert len(d.visits) == 5  # the same coefficient on another day is another visit
    assert d.mjd is None


def test_lists_of_unequal_length_are_refused(tmp_path: Path) -> None:
    """The message names the row and both columns."""
    columns = survey_files.curves()
    columns["mag"][3].pop()
    path = curves_file(tmp_path / "a.parquet", columns)
    with pytest.raises(InputError) as caught:
        parquet.read(path, [0], ["objra", "hmjd[]", "mag[]"], ())
    assert str(caught.value) == f"{path}, row 4: column 'mag' lists 4 values, and 'hmjd' 5"
    assert survey_files.refusal(path, "ztf-lightcurve").startswith(f"{path}, row 4: column '")


def test_missing_list_values_are_nan_and_missing_lists_empty(tmp_path: Path) -> None:
    """A list that is missing in one column has to be so in all."""
    columns = survey_files.curves()
    columns["mag"][0][2] = None
    for name in ("hmjd", "mag", "magerr", "clrcoeff", "catflags"):
        columns[name][2] = None
    d = survey_files.load(curves_file(tmp_path / "a.parquet", columns), "ztf-lightcurve")
    assert len(d) == 22
    assert np.isnan(d.mag[2])
    columns["mag"][1] = None
    assert "row 2: column 'mag' lists 0 values" in survey_files.refusal(
        curves_file(tmp_path / "b.parquet", columns), "ztf-lightcurve"
    )


def test_light_curves_of_several_files_are_one_catalog(tmp_path: Path) -> None:
    """Objects have numbers of their own throughout."""
    curves_file(tmp_path / "a.parquet", survey_files.curves())
    more = survey_files.curves(6)
    curves_file(tmp_path / "b.parquet", more | {"objectid": more["objectid"] + 1000, "objra": more["objra"] + 1})
    curves_file(tmp_path / "c.parquet", {name: values[:0] for name, values in survey_files.curves().items()})
    assert survey_files.load(tmp_path, "ztf-lightcurve").n_objects == 10


def test_lists_in_a_table_of_detections_are_refused(tmp_path: Path) -> None:
    """A visit is one of each row there."""
    columns = {"visit": [1, 2], "band": ["r", "r"], "ra": [1.0, 2.0], "dec": [0.0, 0.0], "mag": [[1.0], [2.0]]}
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table(columns), path)
    assert survey_files.refusal(path).startswith(f"{path}: column 'mag' holds arrays; mag must be one value per row")


ARRAYS = (
    "survey: s\ntitle: a survey\nassociation_radius: 1 arcsec\n"
    + "columns: {visit: v, band: b, ra: {name: ra, unit: deg}, dec: {name: dec, unit: deg}"
)


def arrays_file(folder: Path, values: Any, **further: Any) -> Path:
    """Detections with a list each, as pandas writes arrays."""
    path = folder / "a.parquet"
    table = {"v": [1, 2, 3], "b": ["r"] * 3, "ra": [10.0] * 3, "dec": [1.0] * 3, "A": values, **further}
    pq.write_table(pa.table(table), path, row_group_size=2)
    return path


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        (", mag: {name: A, element: 1, unit: mag}}\n", [20.0, np.nan, 21.0]),
        (
            "}\nflux: {flux: {name: A, element: 1, unit: nJy}, error: {name: E, element: 0, unit: nJy}}\n",
            [31.4 - 2.5 * np.log10(20), np.nan, 31.4 - 2.5 * np.log10(21)],
        ),
    ],
)
def test_lists_of_one_length_are_arrays(tmp_path: Path, rest: str, expected: list[float]) -> None:
    survey = tmp_path / "s.yaml"
    survey.write_text(ARRAYS + rest)
    path = arrays_file(tmp_path, [[0, 20.0], None, [0, 21.0]], E=[[1.0], [1.0], [1.0]])
    found = readers.load(path, survey).mag
    assert found is not None
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_lists_of_several_lengths_have_no_elements(tmp_path: Path) -> None:
    survey = tmp_path / "s.yaml"
    survey.write_text(ARRAYS + ", mag: {name: A, element: 1, unit: mag}}\n")
    path = arrays_file(tmp_path, [[0, 20.0], [0, 1.0], [0, 21.0, 3]])
    assert "column 'A' holds lists of different lengths, 2 and in row 3 3" in survey_files.refusal(path, survey)
    survey.write_text(ARRAYS + ", mag: {name: 'A[]', unit: mag}}\n")
    assert "element: 0 (the first)" in survey_files.refusal(path, survey)
    survey.write_text(ARRAYS + ", mag: {name: A, unit: mag}}\n")
    assert "element: 0 (the first)" in survey_files.refusal(path, survey)
    survey.write_text(ARRAYS + "}\nflags: {bad: A}\n")
    assert "column 'A' holds lists" in survey_files.refusal(path, survey)


def test_elements_of_lists_serve_in_reference_profiles(tmp_path: Path) -> None:
    survey = tmp_path / "r.yaml"
    survey.write_text(
        "survey: r\ntitle: stars\ncolumns: {ra: {name: ra, unit: deg}, dec: {name: dec, unit: deg}}\n"
        "mags: {r: {mag: {name: A, element: 1, unit: mag}}}\n"
    )
    path = arrays_file(tmp_path, [[0, 15.0], [0, 16.0], [0, 17.0]])
    assert reference.load(path, survey).mags["r"].tolist() == [15.0, 16.0, 17.0]


def test_drafts_ask_for_an_element_where_values_are_lists(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = {"visit": [1], "band": ["r"], "ra": [10.0], "dec": [1.0], "mag": [[20.0, 21.0]]}
    pq.write_table(pa.table(table), path)
    text = inspection.inspect(str(path)).advice.text
    assert "mag: {name: mag, unit: ?, element: ?}" in text


def test_more_values_than_can_be_held_are_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small file may declare very many."""
    path = tmp_path / "a.parquet"
    columns = survey_files.curves()
    columns["mag"][1] = [15.0] * 100_000
    curves_file(path, columns)
    monkeypatch.setattr(parquet, "MAX_UNCOMPRESSED", 400_000)
    assert (
        survey_files.refusal(path, "ztf-lightcurve") == f"{path}: column 'mag' declares 100018 values, too many to hold"
    )


def test_photometry_alone_gives_no_astrometry(tmp_path: Path) -> None:
    """Positions of objects are not positions of visits: with a reason, while magnitudes are measured."""
    columns = survey_files.curves()
    found = survey_files.results(
        survey_files.load(curves_file(tmp_path / "a.parquet", columns), "ztf-lightcurve"), "analysis_tools", "g"
    )
    assert found["AB1"].verdict == found["AA1"].verdict == "not_measurable"
    assert str(found["AB1"].reason).startswith("the catalog has one position for each object")
    found = survey_files.results(
        survey_files.load(tmp_path / "a.parquet", "ztf-lightcurve"), "validate_drp", "g", confidence=None
    )
    rows = [np.array(m)[np.array(f) == 0] for m, f in zip(columns["mag"], columns["catflags"], strict=True)]
    assert found["PA1gri"].value is not None
    assert found["PA1gri"].sample.measurements == sum(len(m) for m in rows)


def test_positions_are_those_of_objects_only_if_none_has_two(tmp_path: Path) -> None:
    """One detection that lies elsewhere tells; single detections tell nothing."""
    d = survey_files.load(curves_file(tmp_path / "a.parquet", survey_files.curves()), "ztf-lightcurve")
    assert has_one_position_per_object(d)
    moved = d.dec.copy()
    moved[1] += 1e-9
    assert not has_one_position_per_object(AssociatedDetections(**{**vars(d), "dec": moved}))
    lone = AssociatedDetections(
        np.array([1.0, 2.0]), np.zeros(2), np.zeros(2, int), np.zeros(2, int), ("v",), ("r",), np.arange(2)
    )
    assert not has_one_position_per_object(lone)
