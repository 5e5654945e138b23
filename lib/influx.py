"""Results to InfluxDB 1: line protocol over HTTP, with a spool for what could not be sent.

Credentials come from the environment alone (`USER`, `PASSWORD` or `TOKEN`); they are neither stored nor shown.
"""

from __future__ import annotations

import base64
import hashlib
import math
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from skyaccept.lib import tidy
from skyaccept.lib.errors import InputError
from skyaccept.lib.folders import user_folder
from skyaccept.lib.output import keep
from skyaccept.lib.results import Results

USER, PASSWORD, TOKEN = "SKYACCEPT_INFLUX_USER", "SKYACCEPT_INFLUX_PASSWORD", "SKYACCEPT_INFLUX_TOKEN"
"""Names of variables of the environment."""

MEASUREMENT = "skyaccept"
TAGS = ("requirement", "clause", "band", "document", "kind", "metric", "definition", "test", "level", "unit")
FIELDS = (
    "value",
    "value_unbiased",
    "low",
    "high",
    "limit",
    "margin",
    "conformance",
    "objects",
    "visits",
    "pairs",
    "measurements",
    "deciding",
    "verdict",
)

WAITS = (0.5, 1.0, 2.0)
"""Seconds before each further attempt."""

TIMEOUT = 20.0
_SHOWN = 300  # characters of an answer that are shown


@dataclass(frozen=True)
class Sent:
    """What became of a dispatch: runs that were sent, and those that wait in the spool, with the reason."""

    runs: int
    waiting: int
    reason: str | None = None


def lines(results: Results) -> str:
    """Line protocol: a line for each clause, band and level, at the time of the run in seconds."""
    when = round(datetime.fromisoformat(results.run["started"]).timestamp())
    of = {name: str(results.dataset[name]) for name in ("name", "survey", "sha256")}
    common = {"dataset": of["name"], "survey": of["survey"]}
    said = []
    for row in tidy.rows(results):
        tags = {name: str(row[name]) for name in TAGS if row[name] not in (None, "")} | common
        fields = {name: row[name] for name in FIELDS if row[name] is not None}
        fields |= {"sha256": of["sha256"], "skyaccept": results.run["skyaccept"]}
        head = ",".join(
            [MEASUREMENT, *(f"{name}={_tag(value)}" for name, value in sorted(tags.items()) if _tag(value))]
        )
        body = ",".join(f"{name}={_field(value)}" for name, value in fields.items())
        said.append(f"{head} {body} {when}")
    return "\n".join(said) + "\n"


def dispatch(results: Results, url: str, database: str, spool: Path, waits: Sequence[float] = WAITS) -> Sent:
    """Send a run, after those that wait in the spool for the same database.

    Parameters
    ----------
    results : Results
    url : str
        Of the server, http or https, without credentials.
    database : str
    spool : Path
        Folder for what cannot be sent now; the run is in it before anything is sent.
    waits : sequence of float
        Seconds before each further attempt where the server does not answer or is busy.

    Raises
    ------
    InputError
        The URL is none, or the spool cannot be written to.
    """
    target = _target(url, database)
    folder = spool / hashlib.sha256(target.encode()).hexdigest()[:16]
    text = lines(results)
    name = f"{results.run['started'].replace(':', '')}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.lp"
    keep(folder, name, text.encode(), "spool")
    reason, sent = None, 0
    waiting = sorted(path for path in folder.glob("*.lp") if not path.name.startswith("."))
    for path in waiting:
        try:
            refused = _send(target, path.read_bytes(), waits)
        except _Away as away:  # the others would fare no better, and each would wait as long
            reason = str(away)
            break
        if refused is None:
            path.unlink(missing_ok=True)
            sent += 1
        else:
            reason = refused
    return Sent(sent, len(waiting) - sent, reason)


def spool_folder() -> Path:
    """Folder for what could not be sent, below that for the state of programs of the user."""
    return user_folder("XDG_STATE_HOME", ".local", "state") / "skyaccept" / "influxdb"


def _target(url: str, database: str) -> str:
    try:
        parts = urllib.parse.urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        known = False
    if not known:
        raise InputError("the URL of the server has to be like http://host:8086")
    if parts.username is not None or parts.password is not None:
        raise InputError(f"the URL holds credentials; put them into {USER} and {PASSWORD}, or {TOKEN}")
    query = urllib.parse.urlencode({"db": database, "precision": "s"})
    return urllib.parse.urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + "/write", query, ""))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirection would carry the credentials elsewhere."""

    def redirect_request(self, *_: object) -> None:
        return None


class _Away(Exception):  # noqa: N818
    """The server takes nothing now, with the reason."""


def _send(target: str, content: bytes, waits: Sequence[float]) -> str | None:
    """Send once, and again where that may help; None where it was taken, or why this run is refused.

    Raises
    ------
    _Away
        The server cannot be reached, is busy, or takes nothing with these credentials.
    """
    opener = urllib.request.build_opener(_NoRedirect)
    reason = ""
    for wait in (0.0, *waits):
        time.sleep(wait)
        request = urllib.request.Request(target, content, dict(_headers()))  # noqa: S310  (checked by _target)
        try:
            with opener.open(request, timeout=TIMEOUT):
                return None
        except urllib.error.HTTPError as error:
            with error:
                answer = error.read(_SHOWN).decode(errors="replace").strip()
            reason = f"the server answers {error.code}: {answer or error.reason}"
            if error.code in (401, 403):
                raise _Away(reason) from None
            if error.code < 500 and error.code != 429:
                return reason
        except (OSError, ValueError) as error:
            reason = f"the server cannot be reached: {getattr(error, 'reason', error)}"
    raise _Away(reason)


def _headers() -> Iterator[tuple[str, str]]:
    yield "Content-Type", "text/plain; charset=utf-8"
    token, user = os.environ.get(TOKEN), os.environ.get(USER)
    if token:
        yield "Authorization", f"Token {token}"
    elif user:
        pair = f"{user}:{os.environ.get(PASSWORD, '')}"
        yield "Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"


_SPECIAL: Mapping[int, str] = str.maketrans({",": r"\,", " ": r"\ ", "=": r"\=", "\n": r"\ ", "\r": r"\ "})


def _tag(value: str) -> str:
    """A tag may not end in a backslash, which would escape what follows."""
    return value.translate(_SPECIAL).rstrip("\\")


def _field(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value}i"
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} cannot be a field")
        return repr(value)
    text = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{text}"'
