"""Files of a package: metrics, thresholds, names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import astropy.units as u
import pytest
from skyaccept.lib.requirements.lsst_verify import package
from skyaccept.lib.requirements.lsst_verify.package import Package, PackageSpecification
from skyaccept.lib.tests import packages


def resolved(folder: Path, content: str) -> dict[str, PackageSpecification]:
    """Specifications of a package with one file, by their names without the package."""
    found = package.read(packages.one_file(folder, content))
    return {one.full_name.removeprefix("survey."): one for one in found.specifications}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The small package."""
    return package.read(packages.write(tmp_path_factory.mktemp("small")))


@pytest.fixture(scope="module")
def named(small: Package) -> Mapping[str, PackageSpecification]:
    """Its specifications."""
    return {one.full_name: one for one in small.specifications}


def test_a_metric_has_name_description_unit_and_reference(small: Package) -> None:
    """SQR-017, metric YAML: metrics stand by name in the file of their package; the unit is one of astropy."""
    metric = small.metrics[0]
    assert (metric.package, metric.name, metric.unit) == ("survey", "AM1", u.mas)
    assert metric.description == "Scatter of the separations of stars about 5 arcmin apart."
    assert (metric.doc, metric.page, metric.url) == ("LPM-17", 23, "https://example.org/lpm-17")


def test_a_metric_of_numbers_has_an_empty_unit_or_dashes(small: Package) -> None:
    """SQR-017 writes the unit of a count as ``---``, SQR-019 as an empty text."""
    units = {metric.name: metric.unit for metric in small.metrics}
    assert units["TE2"] == units["Speed"] == u.dimensionless_unscaled
    assert units["AF1_design"] == u.percent


def test_a_metric_may_share_what_an_anchor_names(small: Package) -> None:
    """The metric files of the public package use anchors, aliases and merge keys; own keys hold against merged ones."""
    by_name = {metric.name: metric for metric in small.metrics}
    assert by_name["AF1_design"].description == "Share of separations beyond AD1."
    assert by_name["AF1_minimum"].description == by_name["AM1"].description
    assert by_name["PA1"].doc == by_name["AF1_design"].doc == "LPM-17"
    assert by_name["TE2"].doc == "One; Two"


def test_files_are_read_in_folders_of_folders(tmp_path: Path) -> None:
    """SQR-017: below the folder of a package, names of files and folders mean nothing."""
    packages.write(tmp_path, specs__survey__a__b__c__deep="x: [")  # no YAML by its name
    (tmp_path / "specs/survey/a/b/more.yml").write_text(
        "name: deep\nmetric: AM1\nthreshold: {operator: <, unit: mas, value: 1}\n", encoding="utf-8"
    )
    assert "survey.AM1.deep" in {one.full_name for one in package.read(tmp_path).specifications}


def test_a_threshold_is_an_operator_a_number_and_a_unit(named: Mapping[str, PackageSpecification]) -> None:
    """SQR-017: ``{measurement} {operator} {threshold}``, with a unit of its own that converts to the metric's."""
    one = named["survey.AM1.minimum"]
    assert (one.operator, one.bound.value, one.bound.unit) == ("<=", 0.02, u.arcsec)
    assert named["survey.Speed.exact"].operator == "=="


@pytest.mark.parametrize("operator", ["<=", "<", ">=", ">", "==", "!="])
def test_all_operators_of_thresholds_are_known(tmp_path: Path, operator: str) -> None:
    """lsst.verify, ThresholdSpecification: six comparisons."""
    content = f"{{name: x, metric: AM1, threshold: {{operator: '{operator}', unit: mas, value: 1}}}}"
    assert resolved(tmp_path, content)["AM1.x"].operator == operator


@pytest.mark.parametrize(("text", "value"), [("1e-6", 1e-6), ("-25", -25.0), ("1.5E+3", 1500.0), (".5", 0.5), ("7", 7)])
def test_a_number_may_lack_what_yaml_asks_of_one(tmp_path: Path, text: str, value: float) -> None:
    """YAML 1.1 takes ``1e-6`` for text; the public package means the number."""
    content = f"{{name: x, metric: AM1, threshold: {{operator: <, unit: mas, value: {text}}}}}"
    assert resolved(tmp_path, content)["AM1.x"].bound.value == value
