"""Stored results for tests that need results and no measurement."""

from functools import cache
from pathlib import Path

from skyaccept.lib.results import model
from skyaccept.lib.results.model import Results

DATA = Path(__file__).parent / "data"
FIRST, LATER = DATA / "first.json.gz", DATA / "results.json.gz"
"""Results of scenario hsc-few-visits: by the first version that stored baselines, and by a later one of schema 1."""


@cache
def stored_results() -> Results:
    """PA1 (inconclusive), AM1 and AF1 (pass) in the r band, with breakdowns, trends and a baseline."""
    return model.load(LATER)
