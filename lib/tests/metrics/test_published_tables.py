"""Profiles of tables that Rubin publishes, held to the published schemas."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.readers import inspection, load
from skyaccept.lib.readers import profile as profiles
from skyaccept.lib.readers.column_source import ColumnSource, Flag
from skyaccept.lib.readers.profile import Profile
from skyaccept.lib.units import parse_unit

PUBLISHED = {
    "dp02_dc2": "lsst-dp02-source",
    "dp1": "lsst-dp1-source",
    "dp2": "lsst-dp1-source",
    "lsstcam": "lsst-dp1-source",
    "hsc": "lsst-source",
    "imsim": "lsst-source",
}
"""Survey profile of table Source in each schema."""

TYPES = {
    "double": pa.float64(),
    "float": pa.float32(),
    "short": pa.int16(),
    "int": pa.int32(),
    "long": pa.int64(),
    "boolean": pa.bool_(),
    "char": pa.string(),
    "string": pa.string(),
    "unicode": pa.string(),
    "timestamp": pa.timestamp("us"),
}

STARS, VISITS = 6, 4
N = STARS * VISITS


@cache
def document(name: str) -> Any:
    """A schema as it is published."""
    text = (resources.files("lsst.sdm.schemas") / f"{name}.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


@cache
def schema(name: str, table: str) -> dict[str, Any]:
    """Columns of a table of a schema, those that it takes from another one among them."""
    (found,) = [one for one in document(name)["tables"] if one["name"] == table]
    columns = {column["name"]: column for column in found.get("columns") or []}
    for base, tables in (found.get("columnRefs") or {}).items():
        other = Path(document(name)["resources"][base]["uri"]).stem
        for referred, names in tables.items():
            columns |= {one: schema(other, referred)[one] | (names[one] or {}) for one in names}
    return columns


def sources(profile: Profile) -> list[tuple[ColumnSource | Flag, Any]]:
    """Columns that a profile names, and the unit that it states."""
    found: list[tuple[ColumnSource | Flag, Any]] = [(one, one.unit) for one in profile.columns.values()]
    assert profile.flux is not None
    assert profile.flux.error is not None
    assert profile.moments is not None
    found += [(one, one.unit) for one in (profile.flux.flux, profile.flux.error)]
    found += [(one, one.unit) for one in (*profile.moments.star, *profile.moments.psf)]
    found += [(flag, None) for flags in profile.flags.values() for flag in flags]
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("name", "survey"), PUBLISHED.items())
def test_each_column_of_a_profile_stands_in_the_published_schema(name: str, survey: str) -> None:
    """With the unit that the profile states, if the schema states one."""
    published = schema(name, "Source")
    for source, unit in sources(profiles.load(survey)):
        assert source.name in published
        column = published[source.name]
        if unit is not None:
            assert parse_unit(column.get("fits:tunit") or column["ivoa:unit"]) == unit
        if isinstance(source, Flag) and source.above is None:
            assert column["datatype"] == "boolean"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dp02_dc2", "dp1", "dp2", "lsstcam"])
def test_visit_columns_are_those_of_the_published_visit_table(name: str) -> None:
    published = schema(name, "Visit")
    for ours, source in profiles.load(PUBLISHED[name]).visits.items():
        assert source.name in published
        if ours == "mjd":
            column = published[source.name]
            assert column.get("fits:tunit") or column.get("ivoa:unit") == "d"
            assert "TAI" in published["obsStartMJD"]["description"]


def written(path: Path, columns: dict[str, Any], known: dict[str, Any]) -> Path:
    """A table with exactly the columns and types of a schema, zeros where nothing is known."""
    arrays, fields = [], []
    for name, column in columns.items():
        kind = TYPES[column["datatype"]]
        n = len(next(iter(known.values())))
        values = known.get(name, [""] * n if kind == pa.string() else np.zeros(n, dtype=np.int64))
        arrays.append(pa.array(values).cast(kind))
        fields.append(pa.field(name, kind))
    pq.write_table(pa.Table.from_arrays(arrays, schema=pa.schema(fields)), path)
    return path


def measured() -> dict[str, Any]:
    """Six stars in four visits, as `generic` names them; the last one is a deblended parent."""
    rng = np.random.default_rng(3)
    star = np.tile(np.arange(STARS), VISITS)
    return {
        "visit": np.repeat(2024112400000 + np.arange(VISITS), STARS),
        "detector": star % 3,
        "band": ["r"] * N,
        "ra": 53 + star / 97 + rng.normal(0, 1e-6, N),
        "dec": -28 + star / 89 + rng.normal(0, 1e-6, N),
        "mag": 18 + rng.random(N),
        "snr": 200 + 100 * rng.random(N),
        "ra_err": 1 + rng.random(N).astype(np.float32).astype(float),
        "dec_err": 1 + rng.random(N).astype(np.float32).astype(float),
        "extendedness": (star == 4).astype(float),
        "flag_saturated": rng.random(N) < 0.3,
        "flag_cr": rng.random(N) < 0.3,
        "flag_bad": rng.random(N) < 0.3,
        "flag_edge": rng.random(N) < 0.3,
        "flag_not_primary": (star == 5) | (star == 2),
    }


def published(path: Path, name: str) -> Path:
    """The same as table Source of a schema: star 2 is a piece of sky where that is told, else not primary."""
    ours = measured()
    flux = 10 ** ((31.4 - ours["mag"]) / 2.5)
    columns = schema(name, "Source")
    parent = ours["flag_not_primary"] & (np.tile(np.arange(STARS), VISITS) == 5)
    known = {key: ours[key] for key in ("visit", "detector", "band", "extendedness", "ra")}
    known |= {"dec": ours["dec"], "decl": ours["dec"], "psfFlux": flux, "psfFluxErr": flux / ours["snr"]}
    known |= {"raErr": ours["ra_err"] / 3.6e6, "decErr": ours["dec_err"] / 3.6e6}
    known |= {f"pixelFlags_{flag}": ours[f"flag_{flag}"] for flag in ("saturated", "cr", "bad", "edge")}
    known |= {"detect_isPrimary": ~ours["flag_not_primary"], "deblend_nChild": 2 * parent}
    known |= {"sky_source": ours["flag_not_primary"] & ~parent, "sourceId": np.arange(N) + 600_000_000_000_000_000}
    return written(path, columns, {key: values for key, values in known.items() if key in columns})


def same(found: AssociatedDetections, expected: AssociatedDetections, name: str) -> None:
    """All that both catalogs hold."""
    assert found.visits == expected.visits
    assert found.bands == expected.bands
    np.testing.assert_array_equal(found.ra, expected.ra)
    np.testing.assert_array_equal(found.dec, expected.dec)
    np.testing.assert_array_equal(found.object, expected.object)
    columns = {"mag": 1e-12, "snr": 1e-12, "extendedness": 0.0}
    for column, tolerance in (columns if name == "dp02_dc2" else columns | {"ra_err": 2e-7, "dec_err": 2e-7}).items():
        np.testing.assert_allclose(getattr(found, column), getattr(expected, column), rtol=tolerance)
    for flag in expected.flags:
        np.testing.assert_array_equal(found.flags[flag], expected.flags[flag], err_msg=flag)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "survey"), PUBLISHED.items())
def test_a_published_table_reads_like_the_same_generic_data(tmp_path: Path, name: str, survey: str) -> None:
    """With exactly the columns and types of the schema; nothing of the profile is missing, and inspect advises it."""
    pq.write_table(pa.table(measured()), tmp_path / "plain.parquet")
    path = published(tmp_path / "Source.parquet", name)
    found = load(path, survey)
    same(found, load(tmp_path / "plain.parquet"), name)
    assert found.notes == ()
    assert inspection.inspect(str(path)).advice.survey == survey


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dp02_dc2", "dp1", "dp2", "lsstcam"])
def test_times_and_airmass_come_from_the_published_table_visit(tmp_path: Path, name: str) -> None:
    """Under the names that it has there."""
    visit = np.unique(measured()["visit"])
    mjd, airmass = 60600 + np.arange(VISITS) / 7, 1 + np.arange(VISITS) / 10
    known = {"visit": visit, "band": ["r"] * VISITS, "expMidptMJD": mjd, "airmass": airmass}
    visits = written(tmp_path / "Visit.parquet", schema(name, "Visit"), known)
    found = load(published(tmp_path / "Source.parquet", name), PUBLISHED[name], visits=visits)
    assert found.mjd is not None
    assert found.airmass is not None
    np.testing.assert_allclose(found.mjd, mjd[found.visit], rtol=0, atol=1e-9)
    np.testing.assert_array_equal(found.airmass, airmass[found.visit])


def test_names_of_services_are_matched_without_regard_to_case(tmp_path: Path) -> None:
    """Services hand out columns in small letters."""
    table = pq.read_table(published(tmp_path / "Source.parquet", "dp1"))
    pq.write_table(table.rename_columns([name.lower() for name in table.column_names]), tmp_path / "lower.parquet")
    same(load(tmp_path / "lower.parquet", "lsst-dp1-source"), load(tmp_path / "Source.parquet", "lsst-dp1-source"), "")
    assert inspection.inspect(str(tmp_path / "lower.parquet")).advice.survey == "lsst-dp1-source"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dp02_dc2", "dp1", "dp2", "lsstcam", "apdb"])
def test_no_profile_is_advised_for_sources_of_difference_images(tmp_path: Path, name: str) -> None:
    """Their fluxes are those of differences."""
    columns = schema(name, "DiaSource")
    path = written(tmp_path / "DiaSource.parquet", columns, {"visit": np.arange(3), "band": ["r"] * 3})
    found = inspection.inspect(str(path))
    assert found.advice.survey is None
    assert any("sources of difference images" in note for note in found.notes)
    assert "psfFlux" not in found.advice.text
    assert "snr: snr" not in found.advice.text


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dp1", "dp2", "lsstcam"])
def test_forced_photometry_is_not_mistaken_for_dia_sources(tmp_path: Path, name: str) -> None:
    """It holds the flux in the image as well as that of the difference."""
    columns = schema(name, "ForcedSourceOnDiaObject")
    path = written(tmp_path / "forced.parquet", columns, {"visit": np.arange(3), "band": ["r"] * 3})
    assert not any("difference" in note for note in inspection.inspect(str(path)).notes)
