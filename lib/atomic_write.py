"""Write files completely or not at all."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from skyaccept.lib.exceptions import InputError, OutputError

_TERMINATING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""Signals that terminate a process."""


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path that becomes ``path`` in one step at the end.

    It is removed if the work breaks off.

    Yield the path of a device or a pipe itself.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    with _named_errors(path):
        if _is_special(path):
            yield path
            return
        with _staged(path) as (temporary, target):
            yield temporary
            temporary.replace(target)


def write(path: Path, text: str) -> None:
    """Write text completely or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(encode(text))


def write_together(contents: Mapping[Path, bytes]) -> list[OutputError]:
    """Write several files; an interruption leaves all of them new, or none.

    Returns
    -------
    list of OutputError
        One for each file that cannot be written. The others are written.
    """
    errors: list[OutputError] = []
    staged: list[tuple[Path, Path, Path]] = []
    with ExitStack() as stack:
        for path, content in contents.items():
            try:
                with _named_errors(path):
                    if _is_special(path):
                        path.write_bytes(content)
                        continue
                    path.parent.mkdir(parents=True, exist_ok=True)
                    temporary, target = stack.enter_context(_staged(path))
                    temporary.write_bytes(content)
                    staged.append((path, temporary, target))
            except OutputError as error:
                errors.append(error)
        with _signals_deferred():
            for path, temporary, target in staged:
                try:
                    with _named_errors(path):
                        temporary.replace(target)
                except OutputError as error:
                    errors.append(error)
    return errors


def encode(text: str) -> bytes:
    """Encode text as UTF-8, and other bytes of file names as visible escapes."""
    return text.encode(errors="backslashreplace")


def write_into(folder: Path, name: str, content: bytes, what: str) -> Path:
    """Write a file into a folder, make the folder if needed, and return the path.

    Raises
    ------
    OutputError
        Folder or file cannot be written; the message begins with ``what``.
    """
    path = folder / name
    with _named_errors(folder, what):
        folder.mkdir(parents=True, exist_ok=True)
        with _staged(path) as (temporary, target):
            temporary.write_bytes(content)
            temporary.replace(target)
    return path


def check_writable(path: Path, option: str = "", *, make_folder: bool = False) -> None:
    """Check before the work that a file can be written.

    Its folder has to exist, or it must be possible to make it.

    Raises
    ------
    InputError
        It is a folder, its folder does not exist, or there is no permission; the message names the option.
    """
    said = f"{option} {path}".lstrip()
    try:
        folder = path.resolve().parent
        while make_folder and not folder.exists():
            folder = folder.parent
        if path.is_dir() or not folder.is_dir():
            raise InputError(f"{said}: not a file in an existing folder")
        if not os.access(path if _is_special(path) else folder, os.W_OK):
            raise InputError(f"{said}: cannot be written: no permission")
    except (OSError, RuntimeError) as error:  # a folder without permission, or a link to itself
        raise InputError(f"{said}: cannot be written: {getattr(error, 'strerror', None) or error}") from None


def _is_special(path: Path) -> bool:
    """Return True for something that cannot be replaced, such as a device."""
    return path.exists() and not path.is_file()


@contextmanager
def _named_errors(path: Path, what: str = "") -> Iterator[None]:
    """Turn a system error into one that names the file."""
    try:
        yield
    except OSError as error:
        said = f"{what} {path}".lstrip()
        raise OutputError(f"{said}: cannot be written: {error.strerror or error}") from None


@contextmanager
def _staged(path: Path) -> Iterator[tuple[Path, Path]]:
    """Yield a temporary file beside the target, and the target; clean up at the end."""
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    with _handling([number for number in _TERMINATING if signal.getsignal(number) is signal.SIG_DFL], _exit):
        try:
            yield temporary, target
        finally:
            temporary.unlink(missing_ok=True)


def _exit(number: int, _: object) -> None:
    """Exit with the status that shells report, so that cleanup runs."""
    raise SystemExit(128 + number)


@contextmanager
def _signals_deferred() -> Iterator[None]:
    """Defer signals that terminate the process; ignore Ctrl-C, which came too late."""
    came: list[int] = []
    heard = [n for n in (*_TERMINATING, signal.SIGINT) if signal.getsignal(n) not in (signal.SIG_IGN, None)]
    with _handling(heard, lambda number, _: came.append(number)):
        yield
    for number in came:
        if number != signal.SIGINT:
            signal.raise_signal(number)


@contextmanager
def _handling(numbers: list[int], handler: Callable[[int, Any], None]) -> Iterator[None]:
    """Handle signals in the main thread, the only one that Python allows to."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
