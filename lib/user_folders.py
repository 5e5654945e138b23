"""Folders of the user."""

from __future__ import annotations

import os
from pathlib import Path


def ensure_home() -> None:
    """Set ``HOME`` to the root folder for a user without a home.

    As container runtimes do.

    Such a user has neither ``HOME`` nor an entry in the list of users, so that `Path.home` raises. astropy calls it on
    import. The user cannot write to the root folder.
    """
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = os.sep


def user_folder(variable: str, *below_home: str) -> Path:
    """Return the absolute path in a variable, else a folder below the home folder.

    The variable is one such as ``XDG_CACHE_HOME``.
    """
    named = Path(os.environ.get(variable, ""))
    return named if named.is_absolute() else Path.home().joinpath(*below_home)
