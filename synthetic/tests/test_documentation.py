from pathlib import Path

import pytest
from skyaccept.synthetic import scenario
from skyaccept.synthetic.faults import FAULTS
from skyaccept.synthetic.faults.fault import Fault

PAGE = Path(__file__).parents[2] / "docs" / "simulation.md"


@pytest.mark.parametrize("fault", FAULTS.values(), ids=lambda fault: fault.name)
def test_the_page_says_of_each_fault_what_the_program_does(fault: Fault) -> None:
    """Name, unit, what is wrong and what it does to the metrics stand in one row."""
    row = " | ".join((f"| `{fault.name}`", fault.unit, fault.text, fault.expected))
    assert f"{row} |" in PAGE.read_text(encoding="utf-8").splitlines()


def test_the_page_names_every_scenario() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name in scenario.shipped():
        if not name.startswith("fault-"):
            assert f"| `{name}` | {scenario.load(name).text.strip()} |" in text
