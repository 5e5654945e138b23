"""Results of the shipped scenarios, for regression checks; ``make baselines`` renews them."""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def shipped() -> dict[str, Path]:
    """Files of results by the names of the scenarios that they are of."""
    folder = Path(str(resources.files("skyaccept.synthetic.baselines")))
    return {path.name.removesuffix(".json.gz"): path for path in sorted(folder.glob("*.json.gz"))}
