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
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from dispatch.service.keys import make_key
from dispatch.storage.database import Database
from dispatch.storage.registry import Registry
from dispatch.storage.store import Store
from dispatch.storage.tables import Beneficiary
from dispatch.world import World
from routing.network import RoadNetwork
from routing.saved import save_network
from tests.conftest import VAULT_KEY
from tests.dispatch.territories import TestTerritory
from tests.servers import free_port

KILLS, CLIENTS = 2, 4


@contextmanager
def serving(database: Database, roads: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """`allons serve`, ended by its own id."""
    url = database._engine.url.render_as_string(hide_password=False)
    settings = {"ALLONS_DATABASE_URL": url, "ALLONS_ROADS": str(roads), "ALLONS_PLANNER": "false", "ALLONS_VAULT_KEY": VAULT_KEY}
    run = [sys.executable, "-c", "from dispatch.cli import main; main()", "serve", "--port", str(port)]
    process = subprocess.Popen(run, env={**os.environ, **settings}, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
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
def test_what_was_acknowledged_before_a_kill_is_there_once(database: Database, demo_roads: RoadNetwork, tmp_path: Path) -> None:
    place = TestTerritory(database, demo_roads)
    save_network(demo_roads, tmp_path / "demo.roads")
    with database.write() as session:
        _, key = make_key(Registry(session), "coordinator", Store(session, place.id), None, World())
    port, home = free_port(), list(place.point())
    told: dict[str, str] = {}  # idempotency key -> id
    unknown: list[str] = []  # sent, and never answered
    ended = threading.Event()

    def post(once: str) -> str | None:
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": once}
        try:
            answer = httpx2.post(
                f"http://127.0.0.1:{port}/v1/beneficiaries", json={"name": f"P {once}", "home": home}, headers=headers, timeout=10
            )
        except httpx2.HTTPError:
            return None
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def client() -> None:
        while not ended.is_set():
            once = str(uuid4())
            found = post(once)
            if found is None:
                unknown.append(once)
                time.sleep(0.05)
            else:
                told[once] = found

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    rng = random.Random(1)
    for number in range(KILLS):
        with serving(database, tmp_path / "demo.roads", port) as process:
            if not number:
                for thread in threads:
                    thread.start()
            time.sleep(2 + rng.random())
            process.send_signal(signal.SIGKILL)
            process.wait()
    ended.set()
    for thread in threads:
        thread.join()
    with serving(database, tmp_path / "demo.roads", port):
        assert all(post(once) == found for once, found in random.Random(2).sample(sorted(told.items()), 20))
        again = [once for once in unknown[-20:] if post(once)]
        assert [post(once) for once in again] == [post(once) for once in again]
    with place.store() as store:
        rows: list[Beneficiary] = []
        while page := store.page(Beneficiary, rows[-1].id if rows else None, 200):
            rows += page
        names = [who.name for who in store.identities(row.id for row in rows).values()]
    assert len(told) > 30
    assert {*told.values()} <= {str(row.id) for row in rows}
    assert len(names) == len(set(names))  # each key made one person at most
