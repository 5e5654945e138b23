"""Write to an HTTP server with retries; every failure is one sentence.

Credentials come only from the environment (`TOKEN`, or `USER` and `PASSWORD`). They are never stored or shown, even if
a server sends them back.
"""

from __future__ import annotations

import base64
import html
import http.client
import json
import os
import queue
import threading
import time
import unicodedata
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass

from skyaccept.lib.exceptions import InputError

USER, PASSWORD, TOKEN = "SKYACCEPT_INFLUX_USER", "SKYACCEPT_INFLUX_PASSWORD", "SKYACCEPT_INFLUX_TOKEN"
"""Names of environment variables."""

WAITS = (0.5, 1.0, 2.0)
"""Seconds before each further attempt."""

TIMEOUT = 20.0
"""Seconds until a silent server counts as failed."""

WRITTEN = 204
"""Status of a successful write; a proxy or login page has another."""

_REFUSALS = (400, 413, 422)  # about the content
_READ, _SHOWN = 65_536, 300  # bytes read and characters shown of an answer
_HIDDEN = "(hidden)"


class ServerUnavailable(Exception):  # noqa: N818
    """The server is unavailable, with the reason."""


class ContentRefused(Exception):  # noqa: N818
    """The server refuses this content, with the reason."""


@dataclass(frozen=True, repr=False)
class Credentials:
    """Value of the authorization header, and the secrets in it."""

    header: str | None = None
    secrets: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls) -> Credentials:
        """Read token, or user and password.

        Trailing line ends are ignored, as in files of secrets.

        Raises
        ------
        InputError
            A secret holds a character that no header can hold, or a password has no user; no secret is shown.
        """
        token, user, password = (_secret(name) for name in (TOKEN, USER, PASSWORD))
        if token:
            if not token.isascii():
                raise InputError(f"{TOKEN} holds a character that no token has: none but ASCII can be sent")
            return cls(f"Token {token}", _encodings(token))
        if not user:
            if password:
                raise InputError(f"{PASSWORD} is set and {USER} is not; set both, or {TOKEN}")
            return cls()
        if ":" in user:
            raise InputError(f"{USER} holds a colon, which is where a name ends; use another user")
        pair = base64.b64encode(f"{user}:{password}".encode()).decode()
        return cls(f"Basic {pair}", (pair, *_encodings(password)))

    def hide(self, text: str) -> str:
        """Return text on one line without secrets.

        A truncated secret at its end is hidden as well.
        """
        for secret in self.secrets:
            text = text.replace(secret, _HIDDEN)
            for length in range(len(secret) - 1, 3, -1):
                if text.endswith(secret[:length]):
                    text = text[:-length] + _HIDDEN
                    break
        return "".join(c if c.isprintable() else "\ufffd" for c in " ".join(text.split()))[:_SHOWN]


def _secret(name: str) -> str:
    text = os.environ.get(name, "").rstrip("\r\n")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise InputError(f"{name} holds a control character or a byte that is no text; set it to the secret alone")
    return text


def _encodings(secret: str) -> tuple[str, ...]:
    """Return a secret as written in text, JSON, HTML and URLs."""
    ways = (
        secret,
        json.dumps(secret)[1:-1],
        html.escape(secret),
        urllib.parse.quote(secret),
        urllib.parse.quote_plus(secret),
    )
    return tuple(dict.fromkeys(filter(None, ways)))


def send(target: str, content: bytes, credentials: Credentials, waits: Sequence[float], limit: float) -> None:
    """Write content; retry after failures that may pass.

    Parameters
    ----------
    target : str
        Full URL.
    content : bytes
    credentials : Credentials
    waits : sequence of float
        Seconds before each further attempt.
    limit : float
        Seconds for all attempts together.

    Raises
    ------
    Away
        The server cannot be reached, is busy, is of another kind, or refuses the credentials.
    Refused
        It refuses the content.
    """
    until = time.monotonic() + limit
    reason = ""
    for wait in (0.0, *waits):
        left = until - time.monotonic() - wait
        if left <= 0:
            break
        time.sleep(wait)
        status, said = _answer_within(left, target, content, credentials)
        if status == WRITTEN:
            return
        reason = said if status is None else f"the server answers {status}"
        if status is not None and said:
            reason += f": {said}"
        if status in _REFUSALS:
            raise ContentRefused(reason)
        if status is not None and status < 500 and status != 429:
            raise ServerUnavailable(reason)
    raise ServerUnavailable(reason or f"the server does not answer within {limit:g} s")


Answer = tuple[int | None, str]
"""Status, None without an answer, and the message."""


def _answer_within(seconds: float, target: str, content: bytes, credentials: Credentials) -> Answer:
    """Return the answer of a server; abandon a thread that takes longer."""
    answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()

    def work() -> None:
        answers.put(_answer(target, content, credentials, min(seconds, TIMEOUT)))

    threading.Thread(target=work, daemon=True).start()
    try:
        return answers.get(timeout=seconds)
    except queue.Empty:
        return None, f"the server has not answered after {seconds:.0f} s"


def _answer(target: str, content: bytes, credentials: Credentials, timeout: float) -> Answer:
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    if credentials.header is not None:
        headers["Authorization"] = credentials.header
    opener = urllib.request.build_opener(_NoRedirects)
    request = urllib.request.Request(target, content, headers)  # noqa: S310  (of http or https)
    try:
        with opener.open(request, timeout=timeout) as response:
            return response.status, credentials.hide(_body(response) or response.reason or "")
    except (OSError, ValueError, http.client.HTTPException) as error:
        why = getattr(error, "reason", None) or error
        words = str(why) or type(why).__name__
        kind = "cannot be reached" if isinstance(error, urllib.error.URLError) else "gives no answer of HTTP"
        return None, credentials.hide(f"the server {kind}: {words}")


def _body(response: http.client.HTTPResponse) -> str:
    """Read the beginning of an answer, also of one that breaks off."""
    try:
        content = response.read(_READ)
    except http.client.IncompleteRead as error:
        content = error.partial
    except (OSError, ValueError, http.client.HTTPException):
        content = b""
    return content.decode(errors="replace").strip()


class _NoRedirects(urllib.request.HTTPErrorProcessor):
    """Return every status as an answer.

    Redirects are never followed: they would forward the credentials.
    """

    def http_response(self, _: object, response: http.client.HTTPResponse) -> http.client.HTTPResponse:
        return response

    def https_response(self, _: object, response: http.client.HTTPResponse) -> http.client.HTTPResponse:
        return response
