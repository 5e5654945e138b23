"""Results of the shipped scenarios for regression checks (``make baselines``)."""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def shipped() -> dict[str, Path]:
    """Return the paths of the stored results by scenario."""
    folder = Path(str(resources.files("skyaccept.synthetic.baselines")))
    return {path.name.removesuffix(".json.gz"): path for path in sorted(folder.glob("*.json.gz"))}
