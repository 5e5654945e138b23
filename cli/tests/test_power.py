"""Tests of ``skyaccept power``."""

from pathlib import Path

import pytest
from skyaccept.cli.main import USAGE_ERROR, main

COMMAND = ["power", "--clause", "AM1", "--true-value", "9", "--stars", "3000", "--visits", "5"]


@pytest.mark.slow
def test_power_prints_probabilities_and_writes_the_plot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Repeated runs give the same bytes, and the given true value is marked."""
    picture = tmp_path / "power.svg"
    outputs = []
    for _ in range(2):
        assert main([*COMMAND, "--plot", str(picture)]) == 0
        outputs.append((capsys.readouterr().out, picture.read_bytes()))
    assert outputs[0] == outputs[1]
    assert "OSS-REQ-0388-AM1-r under lvv-t1278" in outputs[0][0]
    assert "design limit <= 10 mas; decision guarded, risk 0.05" in outputs[0][0]
    assert [line.split()[0] for line in outputs[0][0].splitlines() if line.endswith("<")] == ["9"]
    assert outputs[0][1].startswith(b'<svg xmlns="http://www.w3.org/2000/svg"')


@pytest.mark.slow
def test_power_uses_field_and_error_model_options(capsys: pytest.CaptureFixture[str]) -> None:
    own = [
        "--field",
        "20 arcmin",
        "--error-spread",
        "0.2",
        "--shared-variance",
        "0",
        "--level",
        "minimum",
        "--power",
        "0.9",
    ]
    assert main([*COMMAND, *own, "--true-value", "18"]) == 0
    output = capsys.readouterr().out
    assert "within 0.333333 deg" in output
    assert "minimum limit <= 20 mas" in output
    assert "visits 0.000" in output
    assert "to pass with a probability of 0.9: " in output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--clause", "AM9"], "--clause AM9: not one of PA1gri"),
        (["--specs", "LSE-30", "--specs", "LSE-61"], "--clause AM1: one of OSS-REQ-0388-AM1, DMS-REQ-0360-AM1"),
        (["--definition", "mine"], "--definition mine: does not exist"),
        (["--definition", "validate_drp", "--clause", "AF1"], "no model of the errors of excess_rms"),
        (["--field", "5"], "--field 5: '5' has no unit"),
        (["--field", "5 mas"], "no pair of 5 arcmin"),
        (["--field", "5 mag"], "--field 5 mag: 'mag' and 'rad'"),
        (["--level", "best"], "no limit at level best"),
        (["--risk", "0.7"], "--risk 0.7: not a probability"),
        (["--shared-variance", "1"], "--shared-variance 1: not a fraction"),
        (["--true-value", "nan"], "--true-value nan: not a value"),
        (["--stars", "1"], "--stars 1: not from 2"),
        (["--plot", "nowhere/power.svg"], "--plot nowhere/power.svg: not a file in an existing folder"),
        (["--stars", "many"], "invalid int value"),
        (["--true", "9"], "argument --true: was renamed: use --true-value"),
        (["--common=0"], "argument --common: was renamed: use --shared-variance"),
        (["--spread", "0.2"], "argument --spread: was renamed: use --error-spread"),
    ],
    ids=lambda value: " ".join(value)[:40],
)
def test_invalid_plan_is_refused_in_one_message(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit status is 4."""
    assert main([*COMMAND, *arguments]) == USAGE_ERROR
    assert words in capsys.readouterr().err
