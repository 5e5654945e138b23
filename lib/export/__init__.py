"""Export results to other formats."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from skyaccept.lib.export import control, junit, lsst_verify, needs, table
from skyaccept.lib.results.model import Results

FORMATS: Mapping[str, Callable[[Results], str]] = {
    "junit": junit.dumps,
    "lsst-verify": lsst_verify.dumps,
    "csv": table.csv,
    "ecsv": table.ecsv,
    "control-md": control.markdown,
    "control-html": control.html,
    "needs": needs.dumps,
}
"""Functions that return results as text, by name of the format."""
