"""Folders of the user."""

from __future__ import annotations

import os
from pathlib import Path


def ensure_home() -> None:
    """Set ``HOME`` to the root folder for a user who has no home, as container runtimes do.

    Such a user has neither ``HOME`` nor an entry in the list of users, and `Path.home` raises; astropy calls that when
    it is imported. The root folder is not one that such a user can write to.
    """
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = os.sep


def user_folder(variable: str, *below_home: str) -> Path:
    """Folder that a variable such as ``XDG_CACHE_HOME`` names by an absolute path, else one below the home folder."""
    named = Path(os.environ.get(variable, ""))
    return named if named.is_absolute() else Path.home().joinpath(*below_home)
