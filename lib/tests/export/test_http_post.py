"""Writes to servers that do not answer as a server should: one sentence each, nothing lost, no secret shown."""

from __future__ import annotations

import base64
import time

import pytest
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.export import http_post
from skyaccept.lib.tests import servers
from skyaccept.lib.tests.servers import Answer, drip, raw, reset, serving, stall, status

pytestmark = pytest.mark.slow

HTML = "<!DOCTYPE html><title>Log in</title>"
HEAD = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 1000\r\n\r\n"
CHUNKED = b"HTTP/1.1 500 Internal Server Error\r\nTransfer-Encoding: chunked\r\n\r\n"

AWAY: dict[str, tuple[Answer, str]] = {
    "closes": (raw(b""), "gives no answer of HTTP: Remote end closed connection"),
    "garbage": (raw(b"\x00\xff\x1b[31m nonsense\r\n\r\n"), "gives no answer of HTTP"),
    "SSH": (raw(b"SSH-2.0-OpenSSH_9.6\r\n"), "gives no answer of HTTP: SSH-2.0-OpenSSH_9.6"),
    "long status line": (raw(b"HTTP/1.1 200 " + b"x" * 100_000), "gives no answer of HTTP"),
    "long header": (raw(b"HTTP/1.1 204 No\r\nX: " + b"x" * 100_000), "gives no answer of HTTP: got more than"),
    "many headers": (raw(b"HTTP/1.1 204 No\r\n" + b"X: y\r\n" * 200), "gives no answer of HTTP: got more than 100"),
    "status that is no number": (raw(b"HTTP/1.1 abc No\r\n\r\n"), "gives no answer of HTTP"),
    "header that is none": (raw(b"HTTP/1.1 503 No\r\nno header\r\n\r\n"), "answers 503"),
    "length that is none": (raw(b"HTTP/1.1 500 No\r\nContent-Length: x\r\n\r\nwords"), "answers 500"),
    "broken chunks": (raw(CHUNKED + b"zz\r\nwords\r\n"), "answers 500"),
    "chunks that end early": (raw(CHUNKED + b"ff\r\nwords"), "answers 500"),
    "body that ends early": (raw(HEAD + b"words"), "answers 500: words"),
    "reset at once": (reset(b""), "gives no answer of HTTP: [Errno 104]"),
    "reset in a header": (reset(b"HTTP/1.1 500 Int"), "the server"),
    "reset in a body": (reset(HEAD + b"words"), "answers 500"),
    "silent": (stall(b""), "the server"),
    "silent in a header": (stall(b"HTTP/1.1 204 No\r\nX: "), "the server"),
    "silent in a body": (stall(HEAD + b"words"), "the server"),
    "drips a header": (drip(b"HTTP/1.1 204 No\r\nX: "), "has not answered after 1 s"),
    "drips a body": (drip(HEAD), "has not answered after 1 s"),
    "busy": (status("503 Service Unavailable"), "answers 503: Service Unavailable"),
    "too many requests": (status("429 Slow down"), "answers 429"),
    "page of a login": (status("200 OK", HTML), f"answers 200: {HTML}"),
    "created": (status("201 Created"), "answers 201"),
    "taken by a proxy": (status("202 Accepted", "queued"), "answers 202: queued"),
    "continues": (raw(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), "answers 200"),
    "elsewhere": (status("302 Found", headers="Location: http://127.0.0.1:9/\r\n"), "answers 302: Found"),
    "unauthorized": (status("401 Unauthorized", '{"error":"no"}'), 'answers 401: {"error":"no"}'),
    "no such database": (status("404 Not Found", '{"error":"database not found"}'), "answers 404"),
    "answer in colour": (
        status("503 No", "\x1b[31mred\x1b[0m\nline\ttwo"),
        "answers 503: \ufffd[31mred\ufffd[0m line two",
    ),
}
"""What a server does, and what is said of it."""


@pytest.fixture
def nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (http_post.USER, http_post.PASSWORD, http_post.TOKEN):
        monkeypatch.delenv(name, raising=False)


def send(url: str, waits: tuple[float, ...] = (), limit: float = 1.0) -> None:
    http_post.send(f"{url}/write", b"content", http_post.Credentials.from_environment(), waits, limit)


@pytest.mark.usefixtures("nothing")
@pytest.mark.parametrize("kind", AWAY)
def test_what_is_no_written_content_is_one_sentence(kind: str) -> None:
    answer, said = AWAY[kind]
    with serving(answer) as (url, seen), pytest.raises(http_post.ServerUnavailable) as away:
        send(url)
    assert said in str(away.value)
    assert str(away.value).isprintable() or "\ufffd" in str(away.value)
    assert len(str(away.value)) < 400
    assert seen
    assert seen[0].endswith(b"\r\n\r\ncontent")


@pytest.mark.usefixtures("nothing")
@pytest.mark.parametrize("line", ["400 Bad Request", "413 Too Large", "422 Unprocessable"])
def test_refused_content_is_reported_in_the_words_of_the_server(line: str) -> None:
    with (
        serving(status(line, '{"error":"field type conflict"}')) as (url, seen),
        pytest.raises(http_post.ContentRefused) as refused,
    ):
        send(url, (0.0, 0.0))
    assert str(refused.value) == f'the server answers {line[:3]}: {{"error":"field type conflict"}}'
    assert len(seen) == 1


@pytest.mark.usefixtures("nothing")
def test_only_204_is_a_write() -> None:
    with serving(status("204 No Content")) as (url, seen):
        send(url)
    assert len(seen) == 1


@pytest.mark.usefixtures("nothing")
def test_all_attempts_together_take_no_longer_than_the_limit() -> None:
    """However many there are, and however little the server sends."""
    started = time.monotonic()
    with serving(drip(HEAD)) as (url, _), pytest.raises(http_post.ServerUnavailable):
        send(url, (0.1,) * 100, limit=0.5)
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n"])
def test_line_ends_after_a_secret_do_not_count(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(http_post.TOKEN, f"tok-S3CRET{end}")
    assert http_post.Credentials.from_environment().header == "Token tok-S3CRET"
    monkeypatch.delenv(http_post.TOKEN)
    monkeypatch.setenv(http_post.USER, f"writer{end}")
    monkeypatch.setenv(http_post.PASSWORD, f"S3CRET{end}")
    assert http_post.Credentials.from_environment().header == f"Basic {base64.b64encode(b'writer:S3CRET').decode()}"


@pytest.mark.usefixtures("nothing")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            (name, f"S3{c}CRET")
            for name in (http_post.TOKEN, http_post.USER, http_post.PASSWORD)
            for c in "\n\r\t\x1b\x7f\x85\udcff"
        ),
        (http_post.TOKEN, "S3CRET\N{EURO SIGN}"),
        (http_post.USER, "S3:CRET"),
        (http_post.PASSWORD, "S3CRET"),
    ],
)
def test_an_unsendable_secret_is_refused_by_name_alone(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InputError) as error:
        http_post.Credentials.from_environment()
    assert str(error.value).startswith(name)
    assert "S3" not in str(error.value)
    assert "CRET" not in str(error.value)


@pytest.mark.usefixtures("nothing")
@pytest.mark.parametrize(
    "variables",
    [
        {http_post.TOKEN: "tok-S3CRET"},
        {http_post.USER: "w", http_post.PASSWORD: "S3CRET"},
        {http_post.USER: "w", http_post.PASSWORD: 'S3"<CRET&'},
    ],
)
@pytest.mark.parametrize("answer", [servers.echo("500 Error"), servers.echo("400 Bad"), servers.echo("200 OK")])
def test_a_server_that_sends_the_request_back_shows_no_secret(
    variables: dict[str, str], answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    header = http_post.Credentials.from_environment().header or ""
    with (
        serving(answer) as (url, seen),
        pytest.raises((http_post.ServerUnavailable, http_post.ContentRefused)) as error,
    ):
        send(url)
    assert header.encode() in seen[0]
    assert "Authorization: " in str(error.value)
    assert header.split()[1] not in str(error.value)
    assert "(hidden)" in str(error.value)


def test_prefixes_and_other_spellings_of_secrets_are_hidden() -> None:
    made = http_post.Credentials("Token x", http_post._encodings('S3CRET "word"'))
    assert made.hide("Token S3CRET") == "Token (hidden)"
    for text in ('S3CRET \\"word\\"', "S3CRET &quot;word&quot;", "S3CRET%20%22word%22", "S3CRET+%22word%22"):
        assert made.hide(f"x {text} y") == "x (hidden) y"


@pytest.mark.usefixtures("nothing")
def test_nobody_there_is_said_so() -> None:
    with serving(raw(b"")) as (url, _):
        pass
    with pytest.raises(http_post.ServerUnavailable, match=r"cannot be reached: .*refused"):
        send(url)
