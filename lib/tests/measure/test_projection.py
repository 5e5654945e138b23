"""Only the columns that the clauses need are read."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from skyaccept.lib import measure, readers, requirements
from skyaccept.lib.catalog.detections import SHAPES, UNITS
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.tests.readers.catalogs import assert_same, astropy_table, catalog, write

SPECIFICATION = requirements.load()
ALWAYS = {"visit", "band", "ra", "dec", "object"}


def there(detections: Any) -> set[str]:
    """Columns and flags that detections have."""
    columns = {name for name in UNITS if getattr(detections, name) is not None}
    return columns | {f"flag_{name}" for name in detections.flags}


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".ecsv.gz", ".fits", ".fits.gz"])
def test_the_named_columns_are_those_of_the_whole_catalog(tmp_path: Path, suffix: str) -> None:
    """Beside them there are visit, band, position and object; a name that the catalog lacks is no error."""
    path = write(tmp_path / f"c{suffix}", catalog())
    whole, part = readers.load(path), readers.load(path, columns={"snr", "flag_cr", "flag_bad"})
    assert there(part) == ALWAYS | {"snr", "flag_cr"}
    changes: dict[str, Any] = {name: None for name in there(whole) - there(part) if name in UNITS}
    expected = dataclasses.replace(whole, flags={"cr": whole.flags["cr"]}, detectors=(), **changes)
    assert_same(part, expected)
    assert part.sha256 == whole.sha256
    assert there(readers.load(path, columns=())) == ALWAYS


def test_parquet_reads_no_other_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "c.parquet", catalog())
    asked: list[str] = []
    read = pq.ParquetFile.read

    def spy(self: Any, columns: list[str]) -> Any:
        asked.extend(columns)
        return read(self, columns=columns)

    monkeypatch.setattr(pq.ParquetFile, "read", spy)
    readers.load(path, columns={"mag"})
    assert sorted(asked) == ["band", "dec", "mag", "ra", "visit"]


def test_rows_that_differ_in_an_unread_column_are_no_duplicates(tmp_path: Path) -> None:
    """That column is read when it comes to that, and rows identical in it as well are refused as ever."""
    columns = catalog()
    twice = {name: np.append(values, values[3]) for name, values in columns.items()}
    path = write(tmp_path / "twice.parquet", twice)
    with pytest.raises(InputError, match=r"row 16: identical in every column to .*row 4 \(1 repeated rows\)"):
        readers.load(path, columns={"mag"})
    twice["mag"][15] += 0.1
    assert len(readers.load(write(path, twice), columns={"snr"})) == 16


def test_units_of_columns_left_out_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "c.fits"
    astropy_table(catalog(), {"mag_err": "arcsec"}).write(path)
    with pytest.raises(InputError, match="column 'mag_err'"):
        readers.load(path, columns={"mag"})


def test_a_visit_table_adds_only_columns_the_catalog_lacks(tmp_path: Path) -> None:
    """A column that the catalog has is not taken from the table, whether it is read or not."""
    columns = catalog()
    del columns["mjd"]
    path = write(tmp_path / "c.parquet", columns)
    visits = write(
        tmp_path / "v.csv", {"visit": np.unique(columns["visit"]), "mjd": [60001.0, 60002, 60003], "airmass": 9.0}
    )
    whole = readers.load(path, visits=visits)
    assert there(readers.load(path, visits=visits, columns={"mjd", "airmass"})) == ALWAYS | {"mjd", "airmass"}
    np.testing.assert_array_equal(readers.load(path, visits=visits, columns={"airmass"}).airmass, whole.airmass)
    assert there(readers.load(path, visits=visits, columns={"mag"})) == ALWAYS | {"mag"}


EXPLAINING = {"detector", "mag", "mjd", "airmass", "visit_group"}


def test_needs_are_those_of_the_cuts_in_use() -> None:
    """Of the deciding definition, of the one chosen instead, or of all; and what explains where errors come from."""
    cases = SPECIFICATION.cases(["r"])
    flags = {f"flag_{name}" for name in ("saturated", "cr", "bad", "edge", "not_primary")} | EXPLAINING
    everywhere = {"snr", "extendedness", "flag_psf_used", *SHAPES} | flags
    assert measure.needs(SPECIFICATION, cases) == everywhere
    assert measure.needs(SPECIFICATION, cases, measure.Options(definition="srd")) == everywhere
    pairs = [case for case in cases if case.clause.metric.startswith("pair_separation")]
    assert measure.needs(SPECIFICATION, pairs, measure.Options(definition="srd")) == {"snr", "extendedness"} | flags
    assert measure.needs(SPECIFICATION, cases, measure.Options(definition="lvv-t1278-notebook")) == EXPLAINING
    everything = set[str]().union(
        *(measure.needs(SPECIFICATION, cases, measure.Options(definition=name)) for name in SPECIFICATION.definitions)
    )
    assert measure.needs(SPECIFICATION, cases, measure.Options(definition="srd", compare=True)) == everything
    with pytest.raises(InputError, match="--definition mine: does not exist"):
        measure.needs(SPECIFICATION, cases, measure.Options(definition="mine"))


def test_a_clause_needs_the_columns_of_its_own_sample(tmp_path: Path) -> None:
    content = yaml.safe_load(requirements.shipped()["LSE-30"].read_text())
    del content["requirements"][0], content["requirements"][1:]
    first = content["requirements"][0]["clauses"][0]
    content["requirements"][0]["clauses"] = [first | {"sample": [{"column": "ra_err", "of": "each", "below": "9 mas"}]}]
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(content))
    own = requirements.load([tmp_path / "own.yaml"])
    assert measure.needs(own, own.cases()) == {"ra_err"} | EXPLAINING
    assert "ra_err" not in measure.needs(own, own.cases(), measure.Options(definition="srd"))


def test_an_estimator_needs_the_columns_that_it_reads(tmp_path: Path) -> None:
    """Also where no cut looks at them; one that is missing is named with whoever needs it."""
    content = yaml.safe_load(requirements.shipped()["LSE-30"].read_text())
    first = content["requirements"][0]["clauses"][0]
    own = first | {"sample": [{"min_visits": 2}], "subtract_shot_noise": True}
    content["requirements"] = [content["requirements"][0] | {"clauses": [own]}]
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(content))
    specification = requirements.load([tmp_path / "own.yaml"])
    cases = specification.cases(["r"])
    assert measure.needs(specification, cases) == {"mag_err"} | EXPLAINING
    for missing in ("mag", "mag_err"):
        columns = catalog()
        del columns[missing]
        detections = readers.load(write(tmp_path / f"{missing}.parquet", columns))
        words = f"no column for '{missing}', which OSS-REQ-0387-PA1gri-r under definition srd needs"
        with pytest.raises(InputError, match=words):
            measure.Measurer(detections, specification).check(cases)
        with pytest.raises(InputError, match=words):
            measure.run(detections, specification, measure.Options(bands=["r"]))


def test_missing_columns_are_refused_and_missing_flags_noted(tmp_path: Path) -> None:
    """As for the whole catalog."""
    columns = catalog()
    del columns["snr"]
    cases = SPECIFICATION.cases(["r"])
    needs = measure.needs(SPECIFICATION, cases)
    path = write(tmp_path / "c.parquet", columns)
    said = []
    for wanted in (None, needs):
        with pytest.raises(InputError) as caught:
            measure.Measurer(readers.load(path, columns=wanted), SPECIFICATION).check(cases)
        said.append(str(caught.value))
    assert said[0] == said[1]
    assert "no column for 'snr', which OSS-REQ-0387-PA1gri-r under definition srd needs" in said[0]
    path = write(tmp_path / "c.parquet", catalog())
    runs = [
        measure.run(readers.load(path, columns=wanted), SPECIFICATION, measure.Options(bands=["r"])).results
        for wanted in (None, needs)
    ]
    assert runs[0] == runs[1]
    assert runs[0][0].sample is not None
    assert "the catalog has no flag 'bad': not applied" in runs[0][0].sample.notes
