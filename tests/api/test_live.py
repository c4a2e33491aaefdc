"""The stream of changes over HTTP: what is in it, for whom, and when it ends."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import httpx2
import pytest
import uvicorn
from fastapi import Request

from api.routes import live as live_route
from api.server import _Server
from dispatch.service.keys import Caller
from dispatch.storage.database import Database
from routing.network import RoadNetwork
from tests.api.conftest import Service
from tests.servers import free_port

Event = dict[str, str]


class Listening:
    """The service behind a real server, and clients that read its stream line by line."""

    def __init__(self, service: Service) -> None:
        self.service, self.url = service, f"http://127.0.0.1:{(port := free_port())}"
        config = uvicorn.Config(service.app, host="127.0.0.1", port=port, log_level="error", access_log=False, timeout_graceful_shutdown=5)
        self.server = _Server(config, service.parts)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.02)

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join()

    def events(self, headers: dict[str, str], told: Callable[[httpx2.Response], None] = lambda _: None) -> Iterator[Event]:
        """Until the stream ends; comments too."""
        with httpx2.stream("GET", f"{self.url}/v1/live", headers=headers, timeout=20) as answer:
            told(answer)
            event: Event = {}
            for line in answer.iter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    event[name] = value
                elif event:
                    yield event
                    event = {}

    def bearer(self, role: str = "coordinator", **more: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.service.key(role)}", **more}


@pytest.fixture
def listening(sqlite: Database, demo_roads: RoadNetwork) -> Iterator[Listening]:
    found = Listening(Service(sqlite, demo_roads, live_seconds=60, live_clients=2))
    yield found
    found.stop()


def test_a_change_is_told_once_with_nothing_personal_and_goes_on_after_a_break(listening: Listening) -> None:
    service, heads = listening.service, []
    stream = listening.events(listening.bearer(), lambda answer: heads.append((answer.status_code, answer.headers["content-type"])))
    assert (next(stream), heads) == ({"retry": "2000"}, [(200, "text/event-stream; charset=utf-8")])
    assert next(stream)["event"] == "ready"
    before = {row["id"] for row in service.call("auditor", "GET", "/v1/events").json()["items"]}
    made = service.call("coordinator", "POST", "/v1/trip-requests", json=service.wish()).json()
    service.there.ask(service.people[service.there.id][1])
    first = next(stream)
    data = json.loads(first["data"])
    assert (first["event"], data["kind"], data["id"], data["version"]) == ("change", "request", made["id"], 1)
    assert set(data) == {"kind", "id", "state", "version", "at"}
    stream.close()  # type: ignore[attr-defined]
    service.call("coordinator", "POST", f"/v1/trip-requests/{made['id']}/cancel", json={"reason": "other"})
    logged = {row["id"] for row in service.call("auditor", "GET", "/v1/events").json()["items"]} - before
    again = listening.events(listening.bearer(**{"Last-Event-ID": first["id"]}))
    next(again)
    rest = [next(again) for _ in range(len(logged) - 1)]
    assert sorted([first["id"], *(event["id"] for event in rest)]) == sorted(logged)
    assert "Canary" not in str(rest)


def test_drivers_and_whoever_has_no_key_see_no_stream_and_only_so_many_watch(listening: Listening) -> None:
    def status(headers: dict[str, str]) -> int:
        return httpx2.get(f"{listening.url}/v1/live", headers=headers).status_code

    assert (status({}), status(listening.bearer("driver")), status(listening.bearer("admin"))) == (401, 403, 403)
    streams = [listening.events(listening.bearer()) for _ in range(2)]
    for stream in streams:
        next(stream)
    assert status(listening.bearer()) == 429


def test_the_stream_ends_when_the_key_does(listening: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_route, "BEAT_S", 0.2)
    stream = listening.events(listening.bearer())
    assert [list(next(stream)) for _ in range(3)] == [["retry"], ["event", "data", "id"], [""]]  # the last: a beat
    key_id = _key_of(listening.service, "coordinator")
    assert listening.service.call("manager", "DELETE", f"/v1/keys/{key_id}").status_code == 204
    began = time.monotonic()
    for _ in stream:
        assert time.monotonic() - began < 10
    while len(listening.service.parts.live):  # the reader may see the end a moment before the server has put the watcher away
        assert time.monotonic() - began < 10
        time.sleep(0.02)


def test_a_server_that_stops_ends_its_streams_at_once(listening: Listening) -> None:
    stream = listening.events(listening.bearer())
    next(stream)
    began = time.monotonic()
    listening.stop()
    assert [event["event"] for event in stream] == ["ready"]
    assert time.monotonic() - began < 2


def test_who_takes_nothing_is_sent_away(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_route, "TAKEN_S", 0.05)
    watcher = service.parts.live.watch(service.here.id)
    caller = Caller(role="coordinator", actor_id=service.here.id, territory_id=service.here.id, holder_id=None)
    request = Request({"type": "http", "headers": []})

    async def never() -> Any:
        await asyncio.sleep(60)

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            await never()

    asyncio.run(live_route._Stream(request, service.parts, caller, watcher)(request.scope, never, send))
    assert len(service.parts.live) == 0


def _key_of(service: Service, role: str) -> UUID:
    items = service.call("manager", "GET", "/v1/keys").json()["items"]
    return next(UUID(item["id"]) for item in items if item["role"] == role)
