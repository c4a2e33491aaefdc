"""Whether this process works, for whoever watches it: a small HTTP listener of its own, which answers when the API's port is full.

`/livez`: the process answers. `/readyz`: it can work; `degraded` without Redis; 503 without its database, or when it is asked to stop.
`/metrics`: numbers for Prometheus. Started by `allons serve`, `worker` and `beat` when ALLONS_HEALTH_PORT is set.
"""

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import make_wsgi_app

from dispatch.errors import BadInput, DispatchError, Fault
from dispatch.metrics import REGISTRY

if TYPE_CHECKING:
    from dispatch.engine.bus import Bus
    from dispatch.settings import Settings
    from dispatch.storage.database import Database

Report = dict[str, str]


class Health:
    """Of one process. Shared with whoever stops it."""

    def __init__(self, database: "Database", bus: "Bus | None" = None, **facts: str) -> None:
        self._database, self._bus, self._facts = database, bus, facts
        self.stopping = False

    def report(self) -> tuple[bool, Report]:
        """Whether it can work, and the state in a few words. Cost: one query, and one ping where there is Redis."""
        if self.stopping:
            return False, {"status": "stopping"}
        try:
            self._database.check_ready()
        except DispatchError as error:
            return False, {"status": "not_ready", "detail": str(error)}
        if self._bus is not None and not self._bus.answers():
            return True, {"status": "degraded", "redis": "away", **self._facts}
        return True, {"status": "ok", **self._facts}


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    timeout = 5  # seconds without a byte; who sends nothing is let go

    def log_message(self, *_: Any) -> None:
        """Nothing: whoever watches asks every few seconds."""


@contextmanager
def listening(settings: "Settings", health: Health) -> Iterator[None]:
    """Answer on the settings' health port, if there is one, until the end of the block. BadInput when it cannot be listened on."""
    if settings.health_port is None:
        yield
        return
    try:
        server = _Server((settings.health_host, settings.health_port), _Handler)
    except OSError:
        raise BadInput([Fault("ALLONS_HEALTH_PORT", "unavailable", "this address or port cannot be listened on")]) from None
    server.set_app(_application(health))
    thread = threading.Thread(target=server.serve_forever, name="health", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _application(health: Health) -> Callable[..., Iterable[bytes]]:
    metrics = make_wsgi_app(REGISTRY)

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            found: Iterable[bytes] = metrics(environ, start)
            return found
        well, report = (True, {"status": "ok"}) if path == "/livez" else health.report() if path == "/readyz" else (False, None)
        status = "200 OK" if well else "503 Service Unavailable" if report else "404 Not Found"
        start(status, [("Content-Type", "application/json"), ("Cache-Control", "no-store")])
        return [json.dumps(report or {"status": "unknown"}).encode()]

    return answer
