"""Servers on this machine that answer a write in some way, or not at all."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Answer = Callable[[socket.socket, bytes, threading.Event], None]
"""``answer(connection, request, ended)`` to a request that was read whole; ``ended`` is set when the server goes."""


def raw(content: bytes) -> Answer:
    """Send some bytes, and close."""

    def answer(connection: socket.socket, request: bytes, ended: threading.Event) -> None:
        connection.sendall(content)

    return answer


def status(line: str, body: str = "", headers: str = "") -> Answer:
    """Answer as HTTP has it."""
    return raw(f"HTTP/1.1 {line}\r\nContent-Length: {len(body.encode())}\r\n{headers}\r\n{body}".encode())


def reset(content: bytes) -> Answer:
    """Send some bytes, and break off."""

    def answer(connection: socket.socket, request: bytes, ended: threading.Event) -> None:
        connection.sendall(content)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return answer


def stall(content: bytes) -> Answer:
    """Send some bytes, and nothing more."""

    def answer(connection: socket.socket, request: bytes, ended: threading.Event) -> None:
        connection.sendall(content)
        ended.wait(30)

    return answer


def drip(start: bytes) -> Answer:
    """Send some bytes, and then one after the other without an end."""

    def answer(connection: socket.socket, request: bytes, ended: threading.Event) -> None:
        connection.sendall(start)
        while not ended.wait(0.02):
            connection.sendall(b"x")

    return answer


def echo(line: str) -> Answer:
    """Answer with what was sent."""

    def answer(connection: socket.socket, request: bytes, ended: threading.Event) -> None:
        head = request.partition(b"\r\n\r\n")[0]
        connection.sendall(f"HTTP/1.1 {line}\r\nContent-Length: {len(head)}\r\n\r\n".encode() + head)

    return answer


@contextmanager
def serving(answer: Answer) -> Iterator[tuple[str, list[bytes]]]:
    """A server; yields its URL and the requests so far."""
    seen: list[bytes] = []
    ended = threading.Event()

    def talk(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(30)
            request = _request(connection)
            seen.append(request)
            answer(connection, request, ended)

    def accept() -> None:
        while not ended.is_set():
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                threading.Thread(target=talk, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", seen
        finally:
            ended.set()
            thread.join()


def _request(connection: socket.socket) -> bytes:
    """Head and body of a request."""
    found = b""
    while b"\r\n\r\n" not in found:
        found += connection.recv(65_536) or b"\r\n\r\n"
    head, _, body = found.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    while len(body) < int((lengths or [b"0"])[0]):
        more = connection.recv(65_536)
        if not more:
            break
        body += more
    return head + b"\r\n\r\n" + body
