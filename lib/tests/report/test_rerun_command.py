"""The command that measures one case again."""

import pytest
from skyaccept.lib.report.rerun_command import rerun_command


@pytest.mark.parametrize(
    ("run", "again"),
    [
        ("pytest acceptance --dataset a.parquet", "pytest acceptance --dataset a.parquet -k R-AM1-r"),
        ("pytest --html r.html --sky-results=r.json -q", "pytest -q -k R-AM1-r"),
        ("pytest --history h --dataset 'a b'", "pytest --dataset 'a b' -k R-AM1-r"),
        ("skyaccept.lib.measure.run", "skyaccept.lib.measure.run"),
        ("pytest 'unbalanced", "pytest 'unbalanced"),
        ("", ""),
    ],
)
def test_a_case_is_measured_again_without_what_the_run_wrote(run: str, again: str) -> None:
    assert rerun_command(run, "R-AM1-r") == again
