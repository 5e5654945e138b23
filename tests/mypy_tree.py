"""Run mypy over the packages under their installed names.

Only the mapping in pyproject.toml makes the folders packages of `skyaccept`, and mypy does not read it. A temporary
tree of symbolic links that mirrors the mapping lets mypy find them.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".mypy_cache"


def build(tree: Path, root: Path = ROOT) -> Path:
    """Create the tree in an empty folder and return the path of the package in it."""
    mapping = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]["package-dir"]
    package = tree / "skyaccept"
    package.mkdir()
    for item in (root / mapping.pop("skyaccept")).iterdir():
        (package / item.name).symlink_to(item)
    for name, folder in mapping.items():
        (package / name.removeprefix("skyaccept.")).symlink_to(root / folder)
    return package


def check(root: Path = ROOT, cache: Path = CACHE) -> subprocess.CompletedProcess[str]:
    """Run mypy on the packages of a checkout; ``cache`` has the results of unchanged modules."""
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder), root)
        options = ["--config-file", str(root / "pyproject.toml"), "--cache-dir", str(cache)]
        command = [sys.executable, "-m", "mypy", *options, "-p", "skyaccept"]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    done = check()
    sys.stdout.write(done.stdout + done.stderr)
    sys.exit(done.returncode)
