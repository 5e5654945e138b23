"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skyaccept.lib.errors import InputError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Path to write to; what stands there becomes ``path`` in one step at the end, and goes if the work breaks off.

    A device or a pipe is written to directly.
    """
    if path.exists() and not path.is_file():
        yield path
        return
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        yield temporary
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write(path: Path, text: str) -> None:
    """Write text, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def keep(folder: Path, name: str, content: bytes, what: str) -> Path:
    """Write a file into a folder that is made where there is none; returns its path.

    Raises
    ------
    InputError
        Folder or file cannot be written; the message begins with ``what`` they are.
    """
    path = folder / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        raise InputError(f"{what} {folder}: cannot be written: {error.strerror}") from None
    return path


def check(path: Path, option: str = "") -> None:
    """Make sure that a path is that of a file in a folder that exists.

    Raises
    ------
    InputError
        It is a folder, or in none; the message names the option.
    """
    if path.is_dir() or not path.resolve().parent.is_dir():
        raise InputError(f"{option} {path}: not a file in an existing folder".lstrip())
