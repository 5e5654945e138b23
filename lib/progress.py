"""Progress of long work: whoever does it reports, whoever shows it listens; nobody has to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str, int, int], None]
"""``listener(stage, done, of)``; ``of`` is 0 where it is not known how much there is to do."""

_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


def report(stage: str, done: int = 0, of: int = 0) -> None:
    """Say what is being done, and that ``done`` of ``of`` parts of it are."""
    listener = _listener.get()
    if listener is not None:
        listener(stage, done, of)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Let ``listener`` hear all reports within; the innermost one hears them."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
