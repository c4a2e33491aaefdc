"""An API that is killed at any moment: whatever it has acknowledged is there, and a repeated request is not done twice."""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from dispatch.service.keys import make_key
from dispatch.storage.database import Database
from dispatch.storage.registry import Registry
from dispatch.storage.store import Store
from dispatch.storage.tables import Beneficiary, TripRequest
from dispatch.world import World
from routing.network import RoadNetwork
from routing.saved import save_network
from tests.conftest import VAULT_KEY
from tests.dispatch.territories import TestTerritory
from tests.servers import free_port

KILLS, CLIENTS = 2, 4
#: The answer leaves, and what it says is committed a second later.
ANSWER_FIRST = """
import contextlib, threading
from api.deps import Parts
from dispatch.storage.store import Store

@contextlib.contextmanager
def writing(self, territory_id, actor_id):
    transaction = self.database.write()
    yield Store(transaction.__enter__(), territory_id, actor_id)
    threading.Timer(1.0, transaction.__exit__, (None, None, None)).start()

Parts.writing = writing
"""


@contextmanager
def serving(database: Database, roads: Path, port: int, changed: str = "") -> Iterator["subprocess.Popen[bytes]"]:
    """`allons serve`, with something changed in it, ended by its own id."""
    url = database._engine.url.render_as_string(hide_password=False)
    settings = {"ALLONS_DATABASE_URL": url, "ALLONS_ROADS": str(roads), "ALLONS_PLANNER": "false", "ALLONS_VAULT_KEY": VAULT_KEY}
    run = [sys.executable, "-c", f"{changed}\nfrom dispatch.cli import main; main()", "serve", "--port", str(port)]
    process = subprocess.Popen(run, env={**os.environ, **settings}, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 180  # a process that starts among others
        while not _listens(port):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.slow
@pytest.mark.parametrize("changed", ["", ANSWER_FIRST], ids=["committed first", "answered first"])
def test_what_is_answered_before_it_is_committed_is_lost_with_the_process(
    database: Database, demo_roads: RoadNetwork, tmp_path: Path, changed: str
) -> None:
    place = TestTerritory(database, demo_roads)
    save_network(demo_roads, tmp_path / "demo.roads")
    with database.write() as session:
        _, key = make_key(Registry(session), "coordinator", Store(session, place.id), None, World())
    port, person = free_port(), {"name": "Odette", "home": list(place.point())}
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": str(uuid4())}
    with serving(database, tmp_path / "demo.roads", port, changed) as process:
        answer = httpx2.post(f"http://127.0.0.1:{port}/v1/beneficiaries", json=person, headers=headers, timeout=10)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert answer.status_code == 201, answer.text
    with place.store() as store:
        there = [str(row.id) for row in store.page(Beneficiary, None, 10)]
    assert there == ([] if changed else [answer.json()["id"]])


class Clients:
    """Several at once who file people, ask for rides and cancel them, each time with a new key, until they are told to end."""

    def __init__(self, port: int, key: str, place: TestTerritory) -> None:
        self._url, self._key, self._home, self._there = f"http://127.0.0.1:{port}/v1", key, list(place.point()), list(place.point())
        self.told: dict[str, str] = {}  # idempotency key -> id
        self.unknown: list[str] = []  # sent, and never answered
        self.cancelled: list[UUID] = []
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(CLIENTS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def post(self, once: str) -> str | None:
        """The id of the person whom this key has made; None when there is no answer."""
        answer = self._send("beneficiaries", {"name": f"P {once}", "home": self._home}, once)
        return str(answer["id"]) if answer else None

    def _send(self, path: str, body: Any, once: str) -> Any:
        headers = {"Authorization": f"Bearer {self._key}", "Idempotency-Key": once}
        try:
            answer = httpx2.post(f"{self._url}/{path}", json=body, headers=headers, timeout=10)
        except httpx2.HTTPError:
            return None
        assert answer.status_code in (200, 201, 202), answer.text
        return answer.json()

    def _ride(self, person: str) -> None:
        arrive_by = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        asked = self._send(
            "trip-requests",
            {"beneficiary_id": person, "origin": self._home, "destination": self._there, "arrive_by": arrive_by},
            str(uuid4()),
        )
        if asked and self._send(f"trip-requests/{asked['id']}/cancel", None, str(uuid4())):
            self.cancelled.append(UUID(asked["id"]))

    def _run(self) -> None:
        while not self._ended.is_set():
            once = str(uuid4())
            found = self.post(once)
            if found is None:
                self.unknown.append(once)
                time.sleep(0.05)
            else:
                self.told[once] = found
                self._ride(found)


@pytest.mark.slow
def test_what_was_acknowledged_before_a_kill_is_there_once(database: Database, demo_roads: RoadNetwork, tmp_path: Path) -> None:
    place, port, rng = TestTerritory(database, demo_roads), free_port(), random.Random(1)
    save_network(demo_roads, tmp_path / "demo.roads")
    with database.write() as session:
        _, key = make_key(Registry(session), "coordinator", Store(session, place.id), None, World())
    clients = Clients(port, key, place)
    for number in range(KILLS):
        with serving(database, tmp_path / "demo.roads", port) as process:
            if not number:
                clients.start()
            time.sleep(2 + rng.random())
            process.send_signal(signal.SIGKILL)
            process.wait()
    clients.end()
    with serving(database, tmp_path / "demo.roads", port):
        assert all(clients.post(once) == found for once, found in rng.sample(sorted(clients.told.items()), 10))
        again = [once for once in clients.unknown[-20:] if clients.post(once)]
        assert [clients.post(once) for once in again] == [clients.post(once) for once in again]
    with place.store() as store:
        assert list(store.log_faults()) == []  # the log replays to the state of everything
        assert {store.get(TripRequest, request).state for request in clients.cancelled} == {"cancelled"}
        rows: list[Beneficiary] = []
        while page := store.page(Beneficiary, rows[-1].id if rows else None, 200):
            rows += page
        names = [who.name for who in store.identities(row.id for row in rows).values()]
    assert len(clients.told) > 15
    assert {*clients.told.values()} <= {str(row.id) for row in rows}
    assert len(names) == len(set(names))  # each key made one person at most
