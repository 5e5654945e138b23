"""Progress reporting by a context-local listener."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str, int, int], None]
"""``listener(stage, done, of)``; ``of`` is 0 if the total is unknown."""

_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


def report(stage: str, done: int = 0, of: int = 0) -> None:
    """Report a stage, and that ``done`` of ``of`` parts are done."""
    listener = _listener.get()
    if listener is not None:
        listener(stage, done, of)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Send all reports in this context to ``listener``, the innermost one."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
