"""Whoever watches a process is told whether it works, on a port of its own."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from dispatch.engine.bus import LocalBus, RedisBus
from dispatch.errors import BadInput
from dispatch.health import Health, listening
from dispatch.metrics import REGISTRY
from dispatch.service.demo import fill_demo
from dispatch.settings import Settings
from dispatch.storage.database import Database
from dispatch.world import World
from routing.network import RoadNetwork
from routing.saved import save_network
from tests.conftest import VAULT_KEY
from tests.servers import free_port, redis_server


def get(port: int, path: str) -> tuple[int, Any]:
    """Status and body."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode()
    return answer.status, json.loads(text) if answer.headers["content-type"] == "application/json" else text


@contextmanager
def watched(health: Health) -> Iterator[int]:
    port = free_port()
    with listening(Settings(health_port=port), health):
        yield port


def test_a_process_that_works_says_so_and_shows_its_figures(sqlite: Database) -> None:
    with watched(Health(sqlite, LocalBus(), roads="7")) as port:
        assert get(port, "/livez") == (200, {"status": "ok"})
        assert get(port, "/readyz") == (200, {"status": "ok", "roads": "7"})
        assert "allons_rounds_total" in get(port, "/metrics")[1]
        assert get(port, "/v1/volunteers")[0] == 404


def test_without_tables_or_when_it_is_asked_to_stop_it_takes_no_more(tmp_path: Path, sqlite: Database) -> None:
    with Database(f"sqlite:///{tmp_path}/empty.sqlite3") as empty, watched(Health(empty)) as port:
        assert get(port, "/livez")[0] == 200
        assert get(port, "/readyz")[0] == 503
    health = Health(sqlite)
    health.stopping = True
    with watched(health) as port:
        assert get(port, "/readyz") == (503, {"status": "stopping"})


@pytest.mark.redis
def test_without_redis_it_works_all_the_same_only_later(sqlite: Database, tmp_path: Path) -> None:
    with redis_server(tmp_path) as url:
        bus = RedisBus(url)
        bus.ring(uuid4())
        with watched(Health(sqlite, bus)) as port:
            assert get(port, "/readyz") == (200, {"status": "ok"})
    with watched(Health(sqlite, bus)) as port:
        assert get(port, "/readyz") == (200, {"status": "degraded", "redis": "away"})


def test_a_port_that_is_taken_is_told(sqlite: Database) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(BadInput, match="ALLONS_HEALTH_PORT"), listening(Settings(health_port=taken.getsockname()[1]), Health(sqlite)):
            pass


def test_figures_have_no_label_that_could_name_anybody() -> None:
    labels = {name for metric in REGISTRY._collector_to_names for name in metric._labelnames}  # type: ignore[attr-defined]
    assert labels == {"route", "method", "status", "kind", "ended", "outcome"}


@pytest.fixture
def served(tmp_path: Path, demo_roads: RoadNetwork) -> Iterator[tuple[subprocess.Popen[bytes], int, int]]:
    """`allons serve` as people start it: the process, its port, its health port."""
    save_network(demo_roads, tmp_path / "demo.roads")
    url = f"sqlite:///{tmp_path}/allons.sqlite3"
    known = {"ALLONS_DATABASE_URL": url, "ALLONS_VAULT_KEY": VAULT_KEY, "ALLONS_ROADS": str(tmp_path / "demo.roads")}
    with Database.of(Settings(database_url=url, vault_key=VAULT_KEY)) as database:  # type: ignore[arg-type]
        database.migrate()
        fill_demo(database, demo_roads, World())
    port, health = free_port(), free_port()
    run = [sys.executable, "-c", "from dispatch.cli import main; main()", "serve", "--port", str(port)]
    more = {"ALLONS_HEALTH_PORT": str(health), "ALLONS_PLANNER": "false"}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(run, env={**os.environ, **known, **more}, stdout=log, stderr=log)
    until(lambda: answers(health))
    yield process, port, health
    if process.poll() is None:
        process.kill()
    process.wait()


def answers(port: int) -> bool:
    try:
        return get(port, "/readyz")[0] == 200
    except OSError:
        return False


def until(there: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow
def test_asked_to_stop_it_ends_what_it_has_begun(served: tuple[subprocess.Popen[bytes], int, int]) -> None:
    process, port, _ = served
    seen: list[int] = []

    def calls() -> None:
        with suppress(OSError):
            while True:
                seen.append(get(port, "/readyz")[0])

    threads = [threading.Thread(target=calls) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(15) == 0
    assert time.monotonic() - began < 10
    for thread in threads:
        thread.join()
    assert set(seen) <= {200, 503}
    assert seen.count(200) > 20


@pytest.mark.slow
def test_three_hundred_who_send_half_a_request_keep_nobody_out(served: tuple[subprocess.Popen[bytes], int, int]) -> None:
    _, port, health = served
    slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(300)]
    for k, connection in enumerate(slow):
        connection.sendall(b"POST /v1/session HTTP/1.1\r\nHost: x\r\n" + (b"Content-Length: 90\r\n\r\n{" if k % 2 else b"X-Slow: "))
    time.sleep(0.5)
    began = time.monotonic()
    assert [get(port, "/livez")[0] for _ in range(20)] == [200] * 20
    assert time.monotonic() - began < 5
    assert get(health, "/readyz")[0] == 200
    time.sleep(max(0.0, 11 - (time.monotonic() - began)))
    for connection in slow:
        connection.settimeout(2)
        with suppress(ConnectionResetError):
            assert connection.recv(10) == b""
        connection.close()
