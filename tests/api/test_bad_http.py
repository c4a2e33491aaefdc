"""D1: what is no proper HTTP, spoken over a socket, is refused with the stated status, in the form of every refusal; others are served.

Where the rest of what is sent could be taken for a next request the connection is closed.
"""

import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from api import server
from tests.api.conftest import Service
from tests.api.kinds import CANARY
from tests.api.operations import digests
from tests.servers import free_port

_JSON = b"Host: a\r\nContent-Type: application/json\r\n"
_POST = b"POST /v1/session HTTP/1.1\r\n" + _JSON
_BOMB = gzip.compress(b" " * 50_000_000)
_WORD = CANARY.encode()
NOTHING = 0  # the connection ends without an answer
#: What is sent, and the statuses that may come back.
HTTP: dict[str, tuple[set[int], bytes]] = {
    "no host": ({400}, b"GET /livez HTTP/1.1\r\n\r\n"),
    "two hosts": ({400}, b"GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    "a negative length": ({400}, b"POST /v1/session HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"),
    "a length in words": ({400}, b"POST /v1/session HTTP/1.1\r\nHost: a\r\nContent-Length: ten\r\n\r\n"),
    "two lengths": ({400}, b"POST /v1/session HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}"),
    "a wrong chunk": ({400}, b"POST /v1/session HTTP/1.1\r\n" + _JSON + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"),
    "an endless chunk": ({400}, b"POST /v1/session HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\n"),
    "an unknown transfer": ({400, 501}, b"POST /v1/session HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n"),
    "a long header": ({431}, b"GET /livez HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 66_000 + b"\r\n\r\n"),
    "many headers": ({431}, b"GET /livez HTTP/1.1\r\nHost: a\r\n" + b"X-Y: zzzzzzzz\r\n" * 5000 + b"\r\n"),
    "a null byte": ({400}, b"GET /livez HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n"),
    "a bare return": ({400}, b"GET /livez HTTP/1.1\r\nHost: a\r\nX: y\rZ: w\r\n\r\n"),
    "a long address": ({431}, b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"),
    "an old protocol": ({400}, b"GET /livez\r\n\r\n"),
    "no method": ({400}, b" /livez HTTP/1.1\r\nHost: a\r\n\r\n"),
    "an unknown method": ({405}, b"BREW /livez HTTP/1.1\r\nHost: a\r\n\r\n"),
    "trace": ({405}, b"TRACE /livez HTTP/1.1\r\nHost: a\r\n\r\n"),
    "put where there is none": ({405}, b"PUT /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
    "an address with its host": ({404}, b"GET http://evil.test/nothing HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a packed body": ({415}, b"POST /v1/session HTTP/1.1\r\n" + _JSON + b"Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}"),
    "a large body": ({413}, b"POST /v1/session HTTP/1.1\r\n" + _JSON + b"Content-Length: 99999999\r\n\r\n{}"),
    "a body longer than said": ({422}, b"POST /v1/session HTTP/1.1\r\n" + _JSON + b"Content-Length: 2\r\n\r\n{}{}{}\r\n\r\n"),
    "tls": ({400}, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200),
    "a host with blanks": ({400}, b"GET /livez HTTP/1.1\r\nHost: " + _WORD + b" b\r\n\r\n"),
    "a host with a path": ({400}, b"GET /livez HTTP/1.1\r\nHost: " + _WORD + b"/../x\r\n\r\n"),
    "a host with somebody": ({400}, b"GET /livez HTTP/1.1\r\nHost: me@" + _WORD + b"\r\n\r\n"),
    "an empty host": ({400}, b"GET /livez HTTP/1.1\r\nHost: \r\n\r\n"),
    "a length and chunks": ({400}, _POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
    "a folded header": ({200}, b"GET /livez HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n"),
    "head": ({405}, b"HEAD /livez HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a packed bomb": ({413, 415}, _POST + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(_BOMB) + _BOMB),
    "an unknown packing": ({415}, _POST + b"Content-Encoding: " + _WORD + b"\r\nContent-Length: 2\r\n\r\n{}"),
    "an unknown header": ({200}, b"GET /livez HTTP/1.1\r\nHost: a\r\n" + _WORD + b": " + _WORD + b"\r\n\r\n"),
    "a strange way": ({404}, b"GET /v1/" + _WORD + b" HTTP/1.1\r\nHost: a\r\n\r\n"),
}  # fmt: skip
#: What comes piece by piece, and never whole: begun, and then this again and again.
SLOW = {
    "a header in drops": (b"GET /livez HTTP/1.1\r\nHost: a\r\nX: ", b"y"),
    "a body in drops": (_POST + b"Content-Length: 9999\r\n\r\n{", b" "),
    "a body shorter than said": (_POST + b"Content-Length: 99\r\n\r\n{}", b""),
    "no body after all": (_POST + b"Expect: 100-continue\r\nContent-Length: 99\r\n\r\n", b""),
    "nothing at all": (b"", b""),
}
DEADLINE_S = 1.0


@pytest.fixture
def port(many: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The service on loopback, with the protocol it is served with, only less patient."""
    monkeypatch.setattr(server, "RECEIPT_S", DEADLINE_S)
    port = free_port()
    own = {"http": server._ImpatientProtocol, "log_level": "critical", "h11_max_incomplete_event_size": 32 * 1024}
    running = uvicorn.Server(uvicorn.Config(many.app, host="127.0.0.1", port=port, **own))  # type: ignore[arg-type]
    thread = threading.Thread(target=running.run)
    thread.start()
    while not running.started:
        time.sleep(0.02)
    yield port
    running.should_exit = True
    thread.join()


def answered(connection: socket.socket) -> tuple[int, bytes, bytes]:
    """Status, head and body of what comes back; status 0 when the connection ends first."""
    received = b""
    try:
        while b"\r\n\r\n" not in received:
            if not (more := connection.recv(65_536)):
                return NOTHING, b"", b""
            received += more
        head, _, body = received.partition(b"\r\n\r\n")
        wanted = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
        while len(body) < wanted and (more := connection.recv(65_536)):
            body += more
    except ConnectionError:
        return NOTHING, b"", b""
    return int(received.split(b" ", 2)[1]), head, body[:wanted]  # what follows is an answer of its own


def is_served(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=15) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        return answered(connection)[0] == 200


def wrong_with(sent: bytes, statuses: set[int], port: int) -> Iterator[str]:
    with socket.create_connection(("127.0.0.1", port), timeout=15) as connection:
        connection.sendall(sent)
        status, head, body = answered(connection)
    if status not in statuses:
        yield f"{status} {head!r} {body[:200]!r}"
    if CANARY.encode() in head + body:
        yield "repeats what was sent"
    told = status >= 400 and not sent.startswith(b"HEAD")
    if told and (b"application/problem+json" not in head or json.loads(body)["status"] != status):
        yield f"is no problem+json: {head!r}"
    if status in (413, 431) and b"connection: close" not in head.lower():
        yield "goes on listening"


def test_what_is_no_proper_http_is_refused_and_everybody_else_is_served(many: Service, port: int) -> None:
    before, wrong = digests(many), []
    for what, (statuses, sent) in HTTP.items():
        wrong += [f"{what}: {told}" for told in wrong_with(sent, statuses, port)]
        wrong += [] if is_served(port) else [f"{what}: nobody is served after it"]
    assert not wrong, "\n".join(wrong)
    assert digests(many) == before


def test_who_sends_in_drops_is_let_go_and_everybody_else_is_served(port: int) -> None:
    began = time.monotonic()
    open_ = {what: socket.create_connection(("127.0.0.1", port), timeout=15) for what in SLOW}
    for what, (start, _) in SLOW.items():
        open_[what].sendall(start)
    while time.monotonic() < began + DEADLINE_S + 1:
        assert is_served(port)
        for what, (_, drop) in SLOW.items():
            try:
                open_[what].sendall(drop)
            except ConnectionError:
                continue
        time.sleep(0.1)
    for connection in open_.values():
        connection.settimeout(5)
        status, _, _ = answered(connection)
        assert status in (NOTHING, 100)
        connection.close()
