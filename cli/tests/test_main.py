"""Tests of the ``skyaccept`` command: verify, simulate, specs and usage errors."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skyaccept
from skyaccept.cli import main as command
from skyaccept.fixtures.tests import catalogs, forked
from skyaccept.lib import measure, readers, requirements
from skyaccept.lib.catalog.association import associate
from skyaccept.lib.exceptions import WRITE_ERROR
from skyaccept.lib.readers import reference
from skyaccept.lib.tests import packages
from skyaccept.lib.tests.samples import moving_stars
from skyaccept.synthetic import scenario, survey


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command in a separate process."""
    return forked.run("skyaccept", *arguments, folder=cwd)


@pytest.fixture
def passed_arguments(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the arguments that ``verify`` passes to pytest, without running it."""
    seen: list[str] = []

    def fake(arguments: list[str]) -> int:
        seen.extend(arguments)
        return 0

    monkeypatch.setattr(pytest, "main", fake)
    return seen


def usage_error(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command that must fail with exit status 4 and one message, and return the message."""
    try:
        status: Any = command.main(arguments)
    except SystemExit as stop:
        status = stop.code
    output = capsys.readouterr()
    assert status == command.USAGE_ERROR
    assert output.out == ""
    assert "Traceback" not in output.err
    return output.err


# verify


@pytest.mark.slow
def test_verify_passes_if_requirements_are_met(tmp_path: Path) -> None:
    """The exit status is 0, and the verdict table and the results are written."""
    catalogs.write(tmp_path / "good.csv", error=1)
    done = run("verify", "good.csv", "--band", "r", "--results", "out.json", "-k", "AM1 or AM2", cwd=tmp_path)
    assert done.returncode == 0
    assert "2 of 2 clauses meet the design level" in done.stdout
    data = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert {record["test"]: record["verdict"] for record in data["results"]} == {
        "OSS-REQ-0388-AM1-r": "pass",
        "OSS-REQ-0388-AM2-r": "pass",
    }


@pytest.mark.slow
def test_verify_fails_if_requirements_are_not_met(tmp_path: Path) -> None:
    """The exit status is 1, and a sentence states by how much."""
    catalogs.write(tmp_path / "bad.csv", error=30)
    done = run("verify", "bad.csv", "--band=r", "-k", "AM1", cwd=tmp_path)
    assert done.returncode == 1
    assert "the design limit is <= 10 mas and the bound at a risk of 0.05 is 48.05 mas: fail" in done.stdout


@pytest.mark.slow
def test_verify_has_no_warnings_and_collects_only_cases(tmp_path: Path) -> None:
    """Metrics without clauses have no test, and pytest does not warn about imports before it started."""
    catalogs.write(tmp_path / "good.csv", error=1)
    program = "import sys; from skyaccept.cli.main import main; sys.exit(main())"
    arguments = ["verify", "good.csv", "--specs=LSE-30", "-k", "AM1-r", "-W", "error"]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "collected 98 items / 97 deselected / 1 selected" in done.stdout


@pytest.mark.slow
def test_write_error_has_its_own_exit_status(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no device that is always full")
    program = "import sys; from skyaccept.cli.main import main; sys.exit(main())"
    for arguments, what in (
        (["specs"], "standard output"),
        (["simulate", "nominal", "--stars=50", "--visits=2", "--band=r", "-o", "a.parquet"], "standard output"),
        (["power", "--clause=AM1", "--true-value=9", "--stars=3000", "--visits=5", "--plot=/dev/full"], "/dev/full"),
    ):
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [sys.executable, "-c", program, *arguments],
                cwd=tmp_path,
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        assert done.returncode == WRITE_ERROR
        assert done.stderr == f"ERROR: {what}: cannot be written: No space left on device\n"


@pytest.mark.slow
def test_verify_of_a_missing_catalog_is_a_usage_error(tmp_path: Path) -> None:
    """There is one message, and exit status 4."""
    done = run("verify", "missing.csv", cwd=tmp_path)
    assert done.returncode == 4
    assert done.stderr.strip() == "ERROR: missing.csv: no such file, folder or match"
    assert "Traceback" not in done.stdout


def test_verify_accepts_every_option_of_the_plugin(passed_arguments: list[str]) -> None:
    """Each option is passed under the name that no other plugin can own."""
    options = ["--survey=hsc-afw", "--visits=v.csv", "--scenario=nominal", "--specs=LPM-17", "--specs", "mine.yaml"]
    options += ["--band", "r,i", "--level=stretch", "--definition=srd", "--compare-definitions"]
    assert command.main(["verify", "cat.csv", *options, "--results=out.json", "--require-measurable"]) == 0
    assert passed_arguments[:2] == ["--pyargs", "skyaccept.acceptance"]
    assert sorted(passed_arguments[2:]) == sorted(
        [
            "--sky-dataset=cat.csv",
            "--sky-survey=hsc-afw",
            "--sky-visits=v.csv",
            "--sky-scenario=nominal",
            "--sky-specs=LPM-17",
            "--sky-specs=mine.yaml",
            "--sky-band=r,i",
            "--sky-level=stretch",
            "--sky-definition=srd",
            "--sky-compare-definitions",
            "--sky-results=out.json",
            "--sky-require-measurable",
        ]
    )


@pytest.mark.parametrize(
    "arguments", [[], ["-q"], ["--co"], ["-k", "AM1"], ["--html", "report.html"], ["-n", "2"]], ids=" ".join
)
def test_verify_does_not_mistake_option_values_for_a_file(passed_arguments: list[str], arguments: list[str]) -> None:
    """Options of pytest keep their values, and are not taken for abbreviations of ours."""
    assert command.main(["verify", *arguments]) == 0
    assert passed_arguments == ["--pyargs", "skyaccept.acceptance", *arguments]


def test_verify_passes_options_after_the_file_to_pytest(passed_arguments: list[str]) -> None:
    """FILE comes first, then options of pytest with their values."""
    assert command.main(["verify", "cat.csv", "--html", "report.html", "-k", "AM1", "--level", "minimum"]) == 0
    assert "--sky-dataset=cat.csv" in passed_arguments
    assert "--sky-level=minimum" in passed_arguments
    assert [a for a in passed_arguments if not a.startswith("--sky")][2:] == ["--html", "report.html", "-k", "AM1"]


@pytest.mark.slow
@pytest.mark.parametrize("option", [["--html", "report.html"], ["--junitxml", "report.html"]], ids=" ".join)
def test_verify_never_overwrites_the_catalog(tmp_path: Path, option: list[str]) -> None:
    """With options before FILE the catalog is read, or the command says how to write it."""
    catalog = catalogs.write(tmp_path / "good.csv", error=3)
    before = catalog.read_bytes()
    run("verify", *option, "good.csv", "-k", "AM1", cwd=tmp_path)
    assert catalog.read_bytes() == before


def test_verify_accepts_dataset_as_pytest_does(passed_arguments: list[str]) -> None:
    """--dataset FILE is the same as FILE."""
    assert command.main(["verify", "--dataset", "cat.csv"]) == 0
    assert passed_arguments[2:] in (["--sky-dataset=cat.csv"], ["--dataset", "cat.csv"])


@pytest.mark.slow
def test_verify_uses_reference_catalog_and_epochs_of_a_table(tmp_path: Path) -> None:
    """Results and report name the reference; without epochs the clause is not measurable."""
    found, stars = moving_stars(np.random.default_rng(1), 120, 5, 8.0, center=(0.0, 60.0))
    columns = {"visit": found.visit, "ra": found.ra, "dec": found.dec, "mag": found.mag, "snr": found.snr}
    pd.DataFrame({**columns, "band": "r", "extendedness": 0.0}).to_csv(tmp_path / "cat.csv", index=False)
    reference = {name: getattr(stars, name) for name in ("ra", "dec", "mjd", "pmra", "pmdec", "parallax")}
    for part in (0, 1):
        shard = {name: values[part::2] for name, values in reference.items()}
        pd.DataFrame(shard).to_csv(tmp_path / f"shard_{part}.csv", index=False)
    epochs = pd.DataFrame({"visit": found.visit, "mjd": found.mjd}).drop_duplicates()
    epochs.to_csv(tmp_path / "visits.csv", index=False)
    words = ["verify", "cat.csv", "--band", "r", "-k", "AA1", "--results", "out.json", "--reference"]
    done = run(*words, "shard_*.csv", "--visits=visits.csv", "--html=report.html", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    data = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    (aa1,) = data["results"]
    middle = 8.0 * 0.6745
    by = aa1["data"]["coordinates"]["design"]
    assert (by["ra"], by["dec"], by["total"]) == pytest.approx((middle, middle, 8.0 * 1.1774), rel=0.15)
    assert aa1["value"] == max(by["ra"], by["dec"])
    assert any("120 matched, 0 ambiguous, 0 unmatched" in note for note in aa1["sample"]["notes"])
    named = data["dataset"]["reference"]
    assert (named["name"], named["survey"], named["stars"], named["moving"]) == ("shard_*.csv", "generic", 120, 120)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert named["sha256"] in page
    assert f"(RA cos(Dec) {by['ra']:.4g}, Dec {by['dec']:.4g}, total {by['total']:.4g})" in page
    done = run(*words, "shard_*.csv", cwd=tmp_path)
    assert done.returncode == 1
    assert "the visits have no epochs" in done.stdout
    assert "a diagnostic without motion: median sizes of the offsets RA" in done.stdout
    assert run(*words, "stars.csv", cwd=tmp_path).returncode == command.USAGE_ERROR


# simulate


def test_same_seed_writes_the_same_bytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The default seed is 1."""
    arguments = {"default": [], "one": ["--seed", "1"], "two": ["--seed", "2"]}
    for name, seed in arguments.items():
        assert command.main(["simulate", "nominal", "-o", str(tmp_path / name), "--band=r,i", *seed]) == 0
        assert " detections of 3,000 stars in 16 visits" in capsys.readouterr().out or name == "two"
    files = {name: (tmp_path / name).read_bytes() for name in arguments}
    assert files["default"] == files["one"]
    assert files["default"] != files["two"]


def test_simulate_uses_numbers_of_stars_and_visits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The number of visits applies to each band."""
    arguments = ["simulate", "nominal", "-o", str(tmp_path / "few.parquet"), "--stars", "50", "--visits", "3"]
    assert command.main(arguments) == 0
    assert "of 50 stars in 18 visits" in capsys.readouterr().out
    assert command.main([*arguments, "--band", "r"]) == 0
    assert "of 50 stars in 3 visits" in capsys.readouterr().out
    assert readers.load(tmp_path / "few.parquet").bands == ("r",)


def test_simulate_writes_faults_and_truth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The FITS file has the faults, and the truth is in a folder next to it."""
    path, truth = tmp_path / "survey.fits", tmp_path / "truth"
    arguments = ["simulate", "nominal", "-o", str(path), "--stars=100", "--truth", str(truth)]
    assert command.main([*arguments, "--fault", "band_offset=15 mas", "--fault=missing_visits=50percent"]) == 0
    assert "in 24 visits" in capsys.readouterr().out
    chosen = scenario.override(
        scenario.load("nominal"), stars=100, faults=["band_offset=15mas", "missing_visits=50percent"]
    )
    assert readers.load(path).dec.tolist() == survey.simulate(chosen).detections.dec.tolist()
    assert sorted(file.name for file in truth.iterdir()) == ["sources.parquet", "visits.parquet"]


@pytest.mark.slow
def test_simulate_writes_expected_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every clause of the bands has a value near that of the catalog; without closed form it is refused."""
    path = tmp_path / "expected.csv"
    arguments = ["simulate", "nominal", "-o", str(tmp_path / "a.parquet"), "--expected", str(path)]
    assert command.main([*arguments, "--stars=600"]) == 0
    head, *lines = path.read_text(encoding="utf-8").splitlines()
    assert head == "test,expected,limit"
    values = {line.split(",")[0]: [float(value) for value in line.split(",")[1:]] for line in lines}
    cases = [case.id for case in requirements.load().cases()]
    lacking = (
        "OSS-REQ-0403",
        "OSS-REQ-0387-PA3",
        "OSS-REQ-0387-PF2",
        "OSS-REQ-0387-PA4",
    )  # these need all stars at once
    assert set(values) == {name for name in cases if not name.startswith(lacking)}
    assert 5 < values["OSS-REQ-0388-AM2-r"][0] < values["OSS-REQ-0388-AM2-r"][1] < 9
    capsys.readouterr()
    assert "no closed form" in usage_error([*arguments, "--fault=jitter=3mas"], capsys)


@pytest.mark.slow
def test_simulated_catalog_gives_the_results_of_its_scenario(tmp_path: Path) -> None:
    """Every value and verdict is the same."""
    path = tmp_path / "survey.parquet"
    arguments = [
        "simulate",
        "degraded",
        "--stars=1000",
        "-o",
        str(path),
        "--reference",
        str(tmp_path / "stars.parquet"),
    ]
    assert command.main(arguments) == 0
    specification, chosen = requirements.load(), scenario.override(scenario.load("degraded"), stars=1000)
    direct = associate(survey.simulate(chosen).detections, 4.848e-6)
    expected = measure.run(direct, specification, measure.Options(reference=survey.reference(chosen))).results
    stars = reference.load(tmp_path / "stars.parquet")
    found = measure.run(readers.load(path), specification, measure.Options(reference=stars)).results
    assert [(r.test, r.verdict, r.value, r.sample) for r in found] == [
        (r.test, r.verdict, r.value, r.sample) for r in expected
    ]
    found = tuple(r for r in found if r.requirement != "OSS-REQ-0403" and r.clause != "PA5")  # no shapes, no z
    assert {r.verdict for r in found if r.band in "ri"} == {"pass", "fail", "inconclusive"}
    assert {r.verdict for r in found if r.band not in "ri"} == {"not_measurable"}


@pytest.mark.slow
def test_catalog_and_scenario_give_the_same_results(tmp_path: Path) -> None:
    """Only the name of the dataset differs."""
    catalogs.small_scenario(tmp_path / "small.yaml", "degraded")
    made = run("simulate", "small.yaml", "-o", "survey.parquet", "--reference", "stars.parquet", cwd=tmp_path)
    assert made.returncode == 0
    files = []
    for name, chosen in (
        ("file", ["survey.parquet", "--reference=stars.parquet"]),
        ("scenario", ["--scenario", "small.yaml"]),
    ):
        done = run("verify", *chosen, f"--results={name}.json", "--band=r", cwd=tmp_path)
        assert done.returncode == 1
        files.append(json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))["results"])
    assert files[0] == files[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nope", "-o", "x.parquet"], "--scenario nope: no such file"),
        (["nominal", "-o", "no/such/folder/x.parquet"], "no/such/folder/x.parquet: no such folder"),
        (["nominal", "-o", "."], "."),
        (["nominal", "-o", "x.parquet", "--reference", "no/such/y.parquet"], "no/such/y.parquet: no such folder"),
        (["nominal", "-o", "x.parquet", "--truth", "no/such/truth"], "no/such/truth: no such folder"),
        (["nominal", "-o", "x.csv"], "x.csv: unknown kind of file; name it *.parquet or *.fits"),
        (["nominal", "-o", "x.parquet", "--fault", "jitter=3"], "--fault jitter=3: expected NAME=STRENGTH"),
        (["nominal", "-o", "x.parquet", "--fault", "missing_visits=100 %"], "no visit has detections"),
        (["nominal", "-o", "x.parquet", "--seed", "-1"], "--seed"),
        (["nominal", "-o", "x.parquet", "--stars", "0"], "--stars 0: expected a whole number"),
        (["nominal", "-o", "x.parquet", "--visits", "-1"], "--visits -1: expected a whole number"),
        (["nominal", "-o", "x.parquet", "--band", "r,w"], "--band w: scenario nominal has g, i, r, u, y, z"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_simulate_refuses_invalid_arguments(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    """There is one message, exit status 4, and no file."""
    monkeypatch.chdir(tmp_path)
    assert words in usage_error(["simulate", *arguments], capsys)
    assert not list(tmp_path.iterdir())


# specs and general behaviour


def test_specs_lists_every_clause_with_its_limits_and_tests(capsys: pytest.CaptureFixture[str]) -> None:
    """LSE-30 is the default; definitions, sources and verification elements are listed as well."""
    assert command.main(["specs"]) == 0
    out = capsys.readouterr().out
    assert "LSE-30: Observatory System Specifications" in out
    for case in requirements.load().cases():
        assert case.id in out
    assert "AM1: pair_separation_rms under lvv-t1278; verified by LVV-T1278" in out
    assert "design   <= 10 percent, AD = 20 mas   [LSE-30, via LSE-61" in out
    assert "LPM-17, version 5.2.3, table 18" in out


def test_specs_lists_the_named_documents(capsys: pytest.CaptureFixture[str]) -> None:
    """Names replace the default."""
    assert command.main(["specs", "LPM-17"]) == 0
    out = capsys.readouterr().out
    assert "LPM-17-AM1-r" in out
    assert "OSS-REQ-0388" not in out


def test_specs_lists_kinds_targets_and_uncovered_clauses(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Uncovered clauses have the reason in place of a test."""
    assert command.main(["specs", "LSE-61", "diagnostics"]) == 0
    out = capsys.readouterr().out
    assert "DMS-REQ-0359: Capability to calculate photometric performance (capability: passes when measured" in out
    assert "PA1gri: photometric_repeatability under srd; verified by LVV-9759 (LVV-T1757)" in out
    assert "Xtalk: not covered; verified by LVV-9757 (LVV-T1843)" in out
    assert "no test  a property of images and detectors, which a source catalog does not hold" in out
    assert "(diagnostic: no limit, no verdict)" in out
    assert "sample   mag finite; median snr >= 5 and < 10; max extendedness < 0.5;" in out


def test_specs_lists_all_specifications_of_a_package(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Those with tests are sources of limits, others have the reason; --dataset-property selects."""
    packages.write(tmp_path / "package")
    assert command.main(["specs", str(tmp_path / "package")]) == 0
    out = capsys.readouterr().out
    assert "design   <= 10 mas   [LPM-17, page 23, via survey.AM1.design]" in out
    assert "holds    survey.PA1.camera_design_g, survey.PA1.camera_design_r" in out
    assert "note     specs/survey/limits.yaml: line 58: design (<= 5e-05) is looser than minimum (<= 3e-05)" in out
    properties = ["--dataset-property", "instrument=Camera", "--dataset-property", "ccds=[1, 2]"]
    assert command.main(["specs", "LSE-30", str(tmp_path / "package"), *properties]) == 0
    out = capsys.readouterr().out
    assert "via survey.PA1.camera_design_r]" in out
    assert "survey-PA1r-camera-r" in out
    assert "OSS-REQ-0388-AM1-r" in out


def test_specs_of_an_unknown_document_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    """The message lists the known names."""
    assert usage_error(["specs", "NOPE-1"], capsys).startswith("ERROR: --specs NOPE-1: no such file or folder")


@pytest.mark.slow
def test_closed_pipe_gives_no_error_message(tmp_path: Path) -> None:
    """The command ends quietly."""
    reading, writing = os.pipe()
    os.close(reading)
    program = "import sys; from skyaccept.cli.main import main; sys.exit(main(['specs']))"
    done = subprocess.run(
        [sys.executable, "-c", program], stdout=writing, stderr=subprocess.PIPE, cwd=tmp_path, check=False
    )
    os.close(writing)
    assert done.stderr == b""


def test_version_option_prints_the_package_version(capsys: pytest.CaptureFixture[str]) -> None:
    """The exit status is 0."""
    with pytest.raises(SystemExit) as stop:
        command.main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"skyaccept {skyaccept.__version__}\n"


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["inspect", "a.csv", "--nothing"]], ids=" ".join)
def test_unknown_command_is_a_usage_error(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The usage is printed; the exit status is 4, as 2 is that of pytest for an interrupted run."""
    assert "usage: skyaccept" in usage_error(arguments, capsys)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["verify", "cat.csv", "--by", "visit"], "--by: was renamed: use --breakdown"),
        (["verify", "--where=instrument=HSC"], "--where: was renamed: use --dataset-property"),
        (["specs", "LSE-30", "--where", "instrument=HSC"], "--where: was renamed: use --dataset-property"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_renamed_option_is_refused(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"argument {words}" in usage_error(arguments, capsys)


def test_options_are_never_abbreviated(capsys: pytest.CaptureFixture[str]) -> None:
    """Otherwise a longer option added later could change the meaning of a script."""
    arguments = ["power", "--clause", "AM1", "--true-value", "9", "--stars", "3000", "--visits", "5"]
    assert "unrecognized arguments: --def srd" in usage_error([*arguments, "--def", "srd"], capsys)


def test_command_starts_without_heavy_imports(tmp_path: Path) -> None:
    """--version and --help do not load packages for arrays and tables."""
    program = (
        "import sys; from skyaccept.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print('loaded:', sorted({'numpy', 'astropy', 'pandas', 'pydantic', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.endswith("loaded: []\n")
