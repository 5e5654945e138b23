"""Send results to InfluxDB 1: line protocol over HTTP, with a spool.

A run is stored in the spool before anything is sent, and removed after the server has written it. A run that the server
refuses for its content moves to a separate folder. Only one of several simultaneous dispatches sends; the others wait.
"""

from __future__ import annotations

import fcntl
import hashlib
import math
import time
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from skyaccept.lib.atomic_write import write_into
from skyaccept.lib.exceptions import InputError, OutputError
from skyaccept.lib.export import http_post
from skyaccept.lib.results import table
from skyaccept.lib.results.model import Results
from skyaccept.lib.results.schema import parse_time
from skyaccept.lib.user_folders import user_folder

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

REFUSED = "refused"
"""Folder in the spool for runs that a server refuses for their content."""


@dataclass(frozen=True)
class Sent:
    """Result of a dispatch.

    ``runs`` were sent; ``waiting`` runs are in the spool, for the ``reason``; ``refused`` are the files of refused runs
    with the answer of the server.
    """

    runs: int
    waiting: int
    reason: str | None = None
    refused: tuple[tuple[Path, str], ...] = ()


def lines(results: Results) -> str:
    """Return line protocol: a line for each clause, band and level.

    The time is that of the run, in seconds.

    Raises
    ------
    InputError
        Two lines would be the same point, and a server would keep only one.
    """
    when = round(parse_time(results.run["started"]).timestamp())
    of = {name: str(results.dataset[name]) for name in ("name", "survey", "sha256")}
    common = {"dataset": of["name"], "survey": of["survey"]}
    said: dict[str, str] = {}
    for row in table.rows(results):
        tags = {name: str(row[name]) for name in TAGS if row[name] not in (None, "")} | common
        fields = {name: row[name] for name in FIELDS if row[name] is not None}
        fields |= {"sha256": of["sha256"], "skyaccept": results.run["skyaccept"]}
        head = ",".join(
            [MEASUREMENT, *(f"{name}={_tag(value)}" for name, value in sorted(tags.items()) if _tag(value))]
        )
        if head in said:
            raise InputError(f"{row['test']}: its tags are those of another test in line protocol; rename one of them")
        said[head] = ",".join(f"{name}={_field(value)}" for name, value in fields.items())
    return "".join(f"{head} {body} {when}\n" for head, body in said.items())


def dispatch(
    results: Results,
    url: str,
    database: str,
    spool: Path,
    waits: Sequence[float] = http_post.WAITS,
    limit: float = 60.0,
) -> Sent:
    """Send a run, after the runs in the spool for the same database.

    Parameters
    ----------
    results : Results
    url : str
        Of the server, http or https, without credentials.
    database : str
    spool : Path
        Folder for unsent runs; the run is stored there before anything is sent.
    waits : sequence of float
        Seconds before each further attempt if the server does not answer or is busy.
    limit : float
        Seconds that all attempts for one run may take, and the wait for another dispatch.

    Raises
    ------
    InputError
        Invalid URL or credentials.
    OutputError
        The spool cannot be read and written.
    """
    target = _target(url, database)
    credentials = http_post.Credentials.from_environment()
    folder = spool / hashlib.sha256(target.encode()).hexdigest()[:16]
    text = lines(results)
    name = f"{results.run['started'].replace(':', '')}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.lp"
    write_into(folder, name, text.encode(), "spool")
    try:
        with _exclusive(folder, limit) as alone:
            if not alone:
                return Sent(0, len(_waiting(folder)), "another dispatch to this server is at work")
            return _send_all(folder, target, credentials, waits, limit)
    except OSError as error:
        raise OutputError(f"spool {folder}: cannot be used: {error.strerror or error}") from None


def _send_all(
    folder: Path, target: str, credentials: http_post.Credentials, waits: Sequence[float], limit: float
) -> Sent:
    """Send the runs in a folder; move refused ones aside."""
    sent = 0
    refused: list[tuple[Path, str]] = []
    waiting = _waiting(folder)
    for number, path in enumerate(waiting):
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # removed by hand in the meantime
            continue
        try:
            http_post.send(target, content, credentials, waits, limit)
        except http_post.ServerUnavailable as away:  # the others would fail as well, after the same wait
            return Sent(sent, len(waiting) - number, str(away), tuple(refused))
        except http_post.ContentRefused as refusal:
            aside = folder / REFUSED / path.name
            aside.parent.mkdir(exist_ok=True)
            path.replace(aside)
            refused.append((aside, str(refusal)))
        else:
            path.unlink(missing_ok=True)
            sent += 1
    return Sent(sent, 0, refused=tuple(refused))


def _waiting(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.lp") if not path.name.startswith(".") and path.is_file())


@contextmanager
def _exclusive(folder: Path, limit: float) -> Iterator[bool]:
    """Yield True once no other dispatch uses the folder; a lock ends with its owner."""
    until = time.monotonic() + limit
    with (folder / ".lock").open("ab") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    yield False
                    return
                time.sleep(0.05)
            else:
                yield True
                return


def spool_folder() -> Path:
    """Return the default spool, in the user's folder for program state."""
    return user_folder("XDG_STATE_HOME", ".local", "state") / "skyaccept" / "influxdb"


def _target(url: str, database: str) -> str:
    """Return the URL to write to; messages do not show the URL."""
    try:
        parts = urllib.parse.urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        query = urllib.parse.urlencode({"db": database, "precision": "s"})
    except ValueError:
        known = False
    if not known or not url.isprintable() or " " in url:
        raise InputError("the URL of the server has to be like http://host:8086, and the name of the database be text")
    if parts.username is not None or parts.password is not None:
        raise InputError(
            f"the URL holds credentials; put them into {http_post.USER} and {http_post.PASSWORD}, or {http_post.TOKEN}"
        )
    if parts.query or parts.fragment:
        raise InputError("the URL of the server ends in ?... or #..., which is not sent; leave it out")
    return urllib.parse.urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + "/write", query, ""))


_SPECIAL: Mapping[int, str] = str.maketrans({",": r"\,", " ": r"\ ", "=": r"\=", "\n": r"\ ", "\r": r"\ "})


def _tag(value: str) -> str:
    """Escape a tag; it may not end in a backslash, which would escape what follows."""
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
