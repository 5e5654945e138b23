"""Tests of ``skyaccept compare`` with both catalogs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from skyaccept.cli import main as command
from skyaccept.lib import measure, readers, requirements
from skyaccept.lib.readers import reference as references

pytestmark = pytest.mark.xdist_group("compare")  # shared fixtures are made once


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write results of a survey processed twice; the second has 10 % more of the same jitter, and fewer rows."""
    folder = tmp_path_factory.mktemp("compare")
    for name, jitter in (("a", "10mas"), ("b", "11mas")):
        simulate = ["simulate", "nominal", "-o", str(folder / f"{name}.parquet"), "--stars", "1500", "--visits", "5"]
        simulate += ["--seed", "2", "--band", "r", "--fault", f"jitter={jitter}"]
        assert command.main([*simulate, "--reference", str(folder / "stars.parquet")]) == 0
    table = pd.read_parquet(folder / "b.parquet").sample(frac=0.98, random_state=1)
    table[table["visit"] != table["visit"].max()].to_parquet(folder / "b.parquet")
    stars = references.load(folder / "stars.parquet", "generic")
    for name in ("a", "b"):
        detections = readers.load(folder / f"{name}.parquet")
        run = measure.run(detections, requirements.load(), measure.Options(bands=["r"], reference=stars))
        run.write(folder / f"{name}.json")
    return folder


def compare(folder: Path, *options: str, runs: tuple[str, str] = ("a", "b")) -> int:
    names = [str(folder / f"{name}.json") for name in runs]
    return command.main(["compare", *names, *options])


def both(folder: Path) -> list[str]:
    return ["--datasets", str(folder / "a.parquet"), str(folder / "b.parquet")]


@pytest.mark.slow
def test_clauses_are_paired_by_star_and_visit(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    page = folder / "compare.html"
    assert compare(folder, *both(folder), "--reference", str(folder / "stars.parquet"), "-o", str(page)) == 0
    lines = {line.split(": ")[0]: line for line in capsys.readouterr().out.splitlines()}
    for clause in ("OSS-REQ-0388-AM1-r", "OSS-REQ-0388-AA1-r", "OSS-REQ-0388-AM2-r"):
        assert ": worse: " in lines[clause]
        assert ", by star and visit: " in lines[clause]
        assert "4 of 5 (after: 4) visits in common; stars without a counterpart: " in lines[clause]
    assert compare(folder) == 0
    plain = {line.split(": ")[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "as independent" in plain["OSS-REQ-0388-AM1-r"]
    text = page.read_text(encoding="utf-8")
    assert text.count("by star and visit: ") >= len([line for line in lines.values() if "by star and visit" in line])
    assert "the difference is that of the measurements\nin both datasets" in text


@pytest.mark.slow
def test_clauses_without_reference_catalog_are_compared_unpaired(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert compare(folder, *both(folder)) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("OSS-REQ-0388-AA1-r"))
    assert "as independent; not by star and visit: no reference catalog is named (--reference)" in line


@pytest.mark.slow
def test_visits_with_other_names_are_not_paired(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = pd.read_parquet(folder / "b.parquet")
    table.assign(visit=table["visit"] + 100).to_parquet(folder / "c.parquet")
    measure.run(readers.load(folder / "c.parquet"), requirements.load(), measure.Options(bands=["r"])).write(
        folder / "c.json"
    )
    capsys.readouterr()
    paths = ["--datasets", str(folder / "a.parquet"), str(folder / "c.parquet")]
    assert compare(folder, *paths, runs=("a", "c")) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("OSS-REQ-0388-AM1-r"))
    assert "as independent; not by star and visit: the datasets have no visit in common" in line


@pytest.mark.slow
def test_each_dataset_can_have_its_profile(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second catalog is the same with other column names."""
    table = pd.read_parquet(folder / "b.parquet").rename(columns={"ra": "alpha"})
    table.to_parquet(folder / "d.parquet")
    profile = Path(readers.__file__).parent / "profiles" / "generic.yaml"
    mine = profile.read_text(encoding="utf-8").replace("survey: generic", "survey: mine")
    assert "{name: ra, unit" in mine
    (folder / "mine.yaml").write_text(mine.replace("{name: ra, unit", "{name: alpha, unit"), encoding="utf-8")
    detections = readers.load(folder / "d.parquet", folder / "mine.yaml")
    measure.run(detections, requirements.load(), measure.Options(bands=["r"])).write(folder / "d.json")
    capsys.readouterr()
    paths = ["--datasets", str(folder / "a.parquet"), str(folder / "d.parquet")]
    surveys = ["--survey", "generic", "--survey", str(folder / "mine.yaml")]
    assert compare(folder, *paths, *surveys, runs=("a", "d")) == 0
    assert "OSS-REQ-0388-AM1-r: worse" in capsys.readouterr().out
    assert compare(folder, *paths, runs=("a", "d")) == 4
    assert "mine" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--survey", "generic"], "--survey: needs --datasets BEFORE AFTER"),
        (["--reference-survey", "ps1"], "--reference-survey: needs --datasets"),
        (["--datasets", "{b}", "{b}"], r"b.parquet: is not what "),
        (["--datasets", "{a}", "{a}"], r"a.parquet: is not what "),
        (["--datasets", "{a}", "{b}", *["--survey", "generic"] * 3], "--survey: given 3 times; give it once for both"),
        (["--datasets", "{a}", "{b}", "--reference-survey", "ps1"], "--reference-survey ps1: needs --reference"),
        (["--datasets", "{a}", "none.parquet"], "none.parquet"),
    ],
)
def test_inconsistent_options_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    places = {name: str(folder / f"{name}.parquet") for name in ("a", "b")}
    assert compare(folder, *(option.format(**places) for option in options)) == 4
    assert words in capsys.readouterr().err


@pytest.mark.slow
def test_unshipped_documents_must_be_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        text = (folder / f"{name}.json").read_text(encoding="utf-8")
        (folder / f"{name}2.json").write_text(text.replace('"LSE-30"', '"OURS"'), encoding="utf-8")
    assert compare(folder, *both(folder), runs=("a2", "b2")) == 4
    assert "OURS is not a shipped document: name the documents of the runs with --specs" in capsys.readouterr().err
    assert compare(folder, *both(folder), "--specs", "LSE-30", runs=("a2", "b2")) == 0


@pytest.mark.slow
def test_results_of_another_catalog_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = pd.read_parquet(folder / "a.parquet")
    noisier = table.assign(mag=table["mag"] + np.random.default_rng(1).normal(0, 0.01, len(table)))
    noisier.to_parquet(folder / "e.parquet")
    found = readers.load(folder / "e.parquet")
    text = (folder / "a.json").read_text(encoding="utf-8")
    old = readers.load(folder / "a.parquet").sha256
    (folder / "e.json").write_text(text.replace(old, found.sha256), encoding="utf-8")
    paths = ["--datasets", str(folder / "e.parquet"), str(folder / "b.parquet")]
    assert compare(folder, *paths, runs=("e", "b")) == 4
    assert "e.json: OSS-REQ-0387-PA1gri-r is " in capsys.readouterr().err
