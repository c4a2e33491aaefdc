"""The service as it is, on loopback, on a clock that stands until it is moved; and callers, who know nothing but HTTP.

In: a database, roads, a world. Out: a `Service` that is called and takes its planner's turns when told to. Called by `simulation.month`.
"""

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any
from uuid import UUID

import requests
import uvicorn

from api.app import create_app
from api.deps import Parts
from dispatch.engine.bus import LocalBus
from dispatch.engine.engines import InlineEngine
from dispatch.engine.planner import Planner, RoundRunner
from dispatch.errors import SolveFailed
from dispatch.notices.running import Senders
from dispatch.settings import Settings
from dispatch.storage.database import Database
from dispatch.world import FixedWorld
from routing.network import RoadNetwork

_START_S = 30.0


class Caller:
    """Somebody who speaks to the service over HTTP with a key. Every answer that is a mistake of ours (5xx) ends the simulation."""

    def __init__(self, address: str, key: str, world: FixedWorld) -> None:
        self._address, self._world = address, world
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {key}"

    def call(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, **query: Any) -> tuple[int, Any]:
        """Status and body of an answer."""
        given = {"Idempotency-Key": str(self._world.new_id())} if method == "POST" else {}
        answer = self._session.request(
            method, f"{self._address}{path}", json=body, params=query or None, headers={**given, **(headers or {})}, timeout=60
        )
        if answer.status_code >= 500:
            raise AssertionError(f"{method} {path}: {answer.status_code} {answer.text}")
        kind = answer.headers.get("content-type", "")
        return answer.status_code, answer.json() if "json" in kind else answer.content

    def get(self, path: str, **query: Any) -> Any:
        """What is there."""
        status, body = self.call("GET", path, **query)
        if status != 200:
            raise AssertionError(f"GET {path}: {status} {body}")
        return body

    def all(self, path: str, **query: Any) -> Iterator[Any]:
        """Everything of a list, page after page."""
        page = self.get(path, limit=200, **query)
        yield from page["items"]
        while page["next"]:
            page = self.get(path, limit=200, after=page["next"], **query)
            yield from page["items"]

    def make(self, path: str, body: Any) -> Any:
        """What was made."""
        status, found = self.call("POST", path, body)
        if not 200 <= status < 300:
            raise AssertionError(f"POST {path}: {status} {found}")
        return found

    def close(self) -> None:
        self._session.close()


class Service:
    """A running service."""

    def __init__(self, database: Database, network: RoadNetwork, world: FixedWorld, settings: Settings) -> None:
        self.world = world
        self._parts = Parts(database=database, network=network, bus=LocalBus(), settings=settings, world=world)
        self._runner = RoundRunner(database, network, settings, world)
        self._planner = Planner(database, network, self._parts.bus, settings, world, InlineEngine(self._runner))
        self._senders = Senders(database, settings, world)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._server = uvicorn.Server(uvicorn.Config(create_app(self._parts), log_level="warning", access_log=False, lifespan="off"))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listening]}, name="service", daemon=True)
        self._callers: list[Caller] = []

    @contextmanager
    def running(self) -> Iterator["Service"]:
        """From here to there."""
        self._thread.start()
        waited = time.monotonic() + _START_S
        while not self._server.started:
            if time.monotonic() > waited:
                raise SolveFailed("The simulated service did not start.")
            time.sleep(0.01)
        try:
            yield self
        finally:
            for caller in self._callers:
                caller.close()
            self._server.should_exit = True
            self._thread.join(10)
            self._runner.stop()
            with suppress(OSError):
                self._listening.close()

    def caller(self, key: str) -> Caller:
        """Somebody with a key."""
        host, port = self._listening.getsockname()[:2]
        self._callers.append(Caller(f"http://{host}:{port}", key, self.world))
        return self._callers[-1]

    def go_to(self, moment: datetime) -> None:
        """Let time pass until then."""
        if moment > self.world.now():
            self.world.advance(moment - self.world.now())

    def turn(self) -> None:
        """What the service does by itself, once: sweeps, rounds, notices."""
        self._planner.turn()
        self._senders.tell_people()


def id_of(found: Mapping[str, Any]) -> UUID:
    """Of something that was made."""
    return UUID(found["id"])
