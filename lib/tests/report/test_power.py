"""Sample plans as text and plot."""

from xml.etree import ElementTree as Tree

import pytest
from skyaccept.lib import requirements
from skyaccept.lib.decision.power import Plan
from skyaccept.lib.decision.rule import DecisionRule
from skyaccept.lib.report import power

pytestmark = pytest.mark.slow

SPECIFICATION = requirements.load()
CASE = next(case for case in SPECIFICATION.cases() if case.id == "OSS-REQ-0388-AM1-r")
PLAN = Plan(CASE, SPECIFICATION.definitions["lvv-t1278"], 500, 4, DecisionRule())


def test_lines_state_limit_sample_and_assumptions() -> None:
    lines = power.lines(PLAN, 9.0)
    assert lines[1] == "design limit <= 10 mas; decision guarded, risk 0.05"
    assert lines[2].startswith("sample: 500 stars in 4 visits, about ")
    assert sum(line.startswith("assumed: ") for line in lines) == len(power.assumptions(PLAN)) == 3
    assert next(line for line in lines if line.endswith(" <")).split()[0] == "9"


def test_the_plot_is_an_image_with_its_assumptions() -> None:
    root = Tree.fromstring(power.plot(PLAN, 9.0))
    described = [node.text for node in root.iter() if node.tag.endswith("desc")]
    assert described == power.assumptions(PLAN)
