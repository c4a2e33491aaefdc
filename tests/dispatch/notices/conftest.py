"""Real receivers on loopback: a mail server, a provider of SMS, and a territory with people who can be told things."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from dispatch.storage.database import Database
from routing.network import RoadNetwork
from tests.dispatch.territories import TestTerritory
from tests.servers import free_port


class Mailbox:
    """What a mail server took, in order; `answer` is what it says to the next mails."""

    def __init__(self) -> None:
        self.mails: list[tuple[Envelope, EmailMessage]] = []
        self.answer = "250 OK"
        self.refuses: dict[str, str] = {}
        self.url = ""

    async def handle_RCPT(self, _s: SMTP, _n: Session, envelope: Envelope, address: str, _o: list[str]) -> str:  # noqa: N802
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _s: SMTP, _n: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.answer.startswith("250"):
            content = envelope.content
            assert isinstance(content, bytes)
            self.mails.append((envelope, message_from_bytes(content, policy=policy.default)))  # type: ignore[arg-type]
        return self.answer

    @property
    def ids(self) -> list[str]:
        return [str(mail["Message-ID"]) for _, mail in self.mails]


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A mail server."""
    box, port = Mailbox(), free_port()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    box.url = f"smtp+plain://127.0.0.1:{port}"
    yield box
    server.stop()


class Posts:
    """What was posted, in order; `answers` says what comes back, by default 200."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        self.answer: Callable[[int], tuple[int, dict[str, str]]] = lambda _: (200, {})
        self.port = 0

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, _, body in self.seen]


@contextmanager
def receiving() -> Iterator[Posts]:
    """An HTTP server that keeps what it is sent."""
    posts, lock = Posts(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        timeout = 5

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                posts.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                status, headers = posts.answer(len(posts.seen))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    posts.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield posts
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def posts() -> Iterator[Posts]:
    """A receiver of SMS or webhooks."""
    with receiving() as found:
        yield found


@pytest.fixture
def place(database: Database, demo_roads: RoadNetwork) -> TestTerritory:
    """A territory on either database."""
    return TestTerritory(database, demo_roads)
