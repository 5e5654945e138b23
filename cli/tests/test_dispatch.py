"""Tests of dispatch to a real InfluxDB, and to servers that fail or redirect."""

import base64
import hashlib
import json
import multiprocessing
import shutil
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from skyaccept.cli import main as command
from skyaccept.fixtures import dataset
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.export import http_post
from skyaccept.lib.export import influxdb as influx
from skyaccept.lib.results import table
from skyaccept.lib.results.model import Results
from skyaccept.lib.tests import servers

INFLUXD = shutil.which("influxd")
NAME = 'sur vey,"x"=\\y\nz'


@cache
def results() -> Results:
    """Return results with every kind of value, and a name with all special characters of the protocol."""
    found = dataset.load_baseline("hsc-few-visits")
    return replace(found, dataset=found.dataset | {"name": NAME})


@contextmanager
def server(statuses: list[int]) -> Iterator[tuple[str, list[Any]]]:
    """Run a server that answers with the given statuses, then with success; yields its URL and the requests."""
    seen: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            seen.append((self.path, dict(self.headers), body))
            self.send_response(statuses.pop(0) if statuses else 204)
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{http.server_port}", seen
        finally:
            http.shutdown()
            thread.join()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def influxdb(tmp_path: Path) -> Iterator[str]:
    """Run a real server with users on its own ports."""
    assert INFLUXD is not None
    port, inner = free_port(), free_port()
    folder = tmp_path / "influxdb"
    (tmp_path / "influxdb.conf").write_text(
        f'reporting-disabled = true\nbind-address = "127.0.0.1:{inner}"\n[meta]\ndir = "{folder}/meta"\n'
        f'[data]\ndir = "{folder}/data"\nwal-dir = "{folder}/wal"\n'
        f'[http]\nbind-address = "127.0.0.1:{port}"\nauth-enabled = true\nlog-enabled = false\n'
    )
    process = subprocess.Popen(
        [INFLUXD, "-config", str(tmp_path / "influxdb.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"{url}/ping", timeout=5).close()  # noqa: S310
                break
            except OSError:
                time.sleep(0.1)
        query_server(url, "CREATE USER writer WITH PASSWORD 'secret word' WITH ALL PRIVILEGES")
        query_server(url, "CREATE DATABASE skyaccept")
        yield url
    finally:
        process.terminate()
        process.wait()


def query_server(url: str, query: str) -> Any:
    """Return the server's answer to a query."""
    body = urllib.parse.urlencode({"q": query, "db": "skyaccept"}).encode()
    request = urllib.request.Request(f"{url}/query", body)  # noqa: S310
    request.add_header("Authorization", f"Basic {base64.b64encode(b'writer:secret word').decode()}")
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
        return json.load(answer)["results"][0]


@pytest.mark.slow
@pytest.mark.skipif(INFLUXD is None, reason="InfluxDB is not installed")
def test_real_server_gets_all_numbers_and_missed_runs(
    influxdb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first run has a wrong password and is kept; a second run of the day before follows."""
    stored, other, spool = tmp_path / "a.json", tmp_path / "b.json", tmp_path / "spool"
    results().write(stored)
    replace(results(), run=results().run | {"started": "2026-11-20T00:00:00+00:00"}).write(other)
    arguments = ["--to", "influxdb", influxdb, "--spool", str(spool)]
    monkeypatch.setenv(http_post.USER, "writer")
    monkeypatch.setenv(http_post.PASSWORD, "wrong word")
    assert command.main(["dispatch", str(stored), *arguments]) == 1
    output = capsys.readouterr().out
    assert "0 runs sent\n1 wait in the spool and go with the next dispatch: the server answers 401" in output
    monkeypatch.setenv(http_post.PASSWORD, "secret word")
    assert command.main(["dispatch", str(other), *arguments]) == 0
    assert capsys.readouterr().out == "2 runs sent\n"
    assert not list(spool.rglob("*.lp"))
    assert "word" not in output
    found = query_server(influxdb, "SELECT * FROM skyaccept")["series"][0]
    rows = [dict(zip(found["columns"], values, strict=True)) for values in found["values"]]
    expected = table.rows(results())
    assert len(rows) == 2 * len(expected)
    first = {(row["test"], row["level"]): row for row in rows if row["time"].startswith("2026-11-20")}
    for row in expected:
        there = first[row["test"], row["level"]]
        for name in influx.FIELDS:
            assert there[name] == row[name], (row["test"], name)
        assert there["dataset"] == NAME.replace("\n", " ")
        assert (there["clause"], there["band"]) == (row["clause"], row["band"])


def test_unreachable_server_loses_nothing(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    sent = influx.dispatch(results(), url, "db", tmp_path, waits=(0.0,))
    assert (sent.runs, sent.waiting) == (0, 1)
    assert "cannot be reached" in (sent.reason or "")
    again = influx.dispatch(results(), url, "db", tmp_path, waits=())
    assert again.waiting == 1  # the same run, once
    (path,) = tmp_path.rglob("*.lp")
    assert path.read_text(encoding="utf-8") == influx.lines(results())


def test_busy_server_is_retried_and_a_refusal_is_not(tmp_path: Path) -> None:
    with server([503, 429]) as (url, seen):
        assert influx.dispatch(results(), url, "db", tmp_path, waits=(0.0, 0.0)) == influx.Sent(1, 0)
        assert len(seen) == 3
    with server([400]) as (url, seen):
        sent = influx.dispatch(results(), url, "db", tmp_path, waits=(0.0, 0.0))
        ((path, reason),) = sent.refused
        assert (sent.waiting, len(seen)) == (0, 1)
        assert "the server answers 400" in reason
        assert path.read_text(encoding="utf-8") == influx.lines(results())


def test_failing_server_gets_one_try_and_refused_runs_block_none(tmp_path: Path) -> None:
    """A refused run does not block others; an unreachable server costs one wait, not one for each run."""
    other = replace(results(), run=results().run | {"started": "2026-11-20T00:00:00+00:00"})
    with server([503, 401, 503, 400]) as (url, seen):
        assert influx.dispatch(results(), url, "db", tmp_path, waits=()).waiting == 1
        assert (influx.dispatch(other, url, "db", tmp_path, waits=()).waiting, len(seen)) == (2, 2)
        assert (influx.dispatch(other, url, "db", tmp_path, waits=()).waiting, len(seen)) == (2, 3)
        sent = influx.dispatch(other, url, "db", tmp_path, waits=())
        assert (sent.runs, sent.waiting, len(sent.refused), len(seen)) == (1, 0, 1, 5)
        assert "the server answers 400" in sent.refused[0][1]
        assert influx.dispatch(other, url, "db", tmp_path, waits=()) == influx.Sent(1, 0)  # and no longer of the first


@pytest.mark.slow
def test_refused_run_is_reported_once_with_its_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results().write(tmp_path / "a.json")
    with server([400]) as (url, _):
        arguments = ["dispatch", str(tmp_path / "a.json"), "--to", "influxdb", url, "--spool", str(tmp_path / "spool")]
        assert command.main(arguments) == 1
        (path,) = (tmp_path / "spool").rglob("refused/*.lp")
        assert capsys.readouterr().out.splitlines()[-1].startswith(f"refused, and kept as {path}, ")
        assert command.main(arguments) == 0
        assert capsys.readouterr().out == "1 run sent\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (servers.status("200 OK", "<title>Log in</title>"), "the server answers 200: <title>Log in</title>"),
        (servers.raw(b"SSH-2.0-OpenSSH_9.6\r\n"), "the server gives no answer of HTTP: SSH-2.0-OpenSSH_9.6"),
        (servers.reset(b"HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\n"), "the server "),
    ],
    ids=["login", "SSH", "reset"],
)
def test_other_kind_of_server_loses_nothing_and_is_one_line(
    answer: servers.Answer,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    results().write(tmp_path / "a.json")
    with servers.serving(answer) as (url, _):
        arguments = ["dispatch", str(tmp_path / "a.json"), "--to", "influxdb", url, "--spool", str(tmp_path / "spool")]
        assert command.main(arguments) == 1
    first, last = capsys.readouterr().out.splitlines()
    assert first == "0 runs sent"
    assert last.startswith(f"1 wait in the spool and go with the next dispatch: {message}")
    assert len(list((tmp_path / "spool").rglob("*.lp"))) == 1


def _dispatch(url: str, spool: Path, first: int, number: int) -> None:
    for k in range(first, first + number):
        started = f"2026-11-20T00:{k // 60:02d}:{k % 60:02d}+00:00"
        sent = influx.dispatch(replace(results(), run=results().run | {"started": started}), url, "db", spool)
        assert sent.waiting == 0


@pytest.mark.slow
def test_concurrent_dispatches_send_every_run_once(tmp_path: Path) -> None:
    """Four processes send five runs each, and six runs wait already."""
    away = f"http://127.0.0.1:{free_port()}"
    for k in range(6):
        run = results().run | {"started": f"2026-11-19T00:00:{k:02d}+00:00"}
        influx.dispatch(replace(results(), run=run), away, "db", tmp_path, waits=())
    with server([]) as (url, seen):
        (old,) = tmp_path.iterdir()
        old.rename(tmp_path / hashlib.sha256(influx._target(url, "db").encode()).hexdigest()[:16])
        context = multiprocessing.get_context("spawn")
        workers = [context.Process(target=_dispatch, args=(url, tmp_path, 5 * k, 5)) for k in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert [worker.exitcode for worker in workers] == [0] * 4
        assert len(seen) == len({body for _, _, body in seen}) == 26
    assert not list(tmp_path.rglob("*.lp"))


def test_dispatch_waits_for_another_only_up_to_its_limit(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    influx.dispatch(results(), url, "db", tmp_path, waits=())
    (folder,) = tmp_path.iterdir()
    with influx._exclusive(folder, 1.0) as alone:
        assert alone
        sent = influx.dispatch(results(), url, "db", tmp_path, waits=(), limit=0.1)
    assert sent == influx.Sent(0, 1, "another dispatch to this server is at work")


def test_credentials_come_from_the_environment_and_stay_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither redirect targets nor the spool receive them."""
    monkeypatch.setenv(http_post.TOKEN, "top secret")
    with server([307]) as (url, seen):
        sent = influx.dispatch(results(), url, "my db", tmp_path, waits=())
        assert sent.waiting == 1
        assert "the server answers 307" in (sent.reason or "")
        (path, headers, body) = seen[0]
        assert path == "/write?db=my+db&precision=s"
        assert headers["Authorization"] == "Token top secret"
        assert body == influx.lines(results())
    assert not any(b"secret" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x",
        "host:8086",
        "http://",
        "http://user:secret@host",
        "http://[bad",
        "http://a b",
        "http://h:x",
        "http://h?token=secret",
    ],
)
def test_invalid_url_is_refused_without_showing_it(url: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        influx.dispatch(results(), url, "db", tmp_path)
    assert "secret" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_each_row_is_one_line() -> None:
    text = influx.lines(results())
    assert len(text.splitlines()) == len(table.rows(results()))
    assert r"dataset=sur\ vey\,\"x\"\=\y\ z".replace(r"\"", '"') in text
