"""A running API whose database goes away says so, takes nothing on, and goes on by itself when it is back."""

import signal
from pathlib import Path
from uuid import uuid4

import httpx2
import psycopg
import pytest

from dispatch.service.keys import make_key
from dispatch.storage.database import Database
from dispatch.storage.registry import Registry
from dispatch.storage.store import Store
from dispatch.world import World
from routing.network import RoadNetwork
from routing.saved import save_network
from tests.api.test_crash import serving
from tests.conftest import VAULT
from tests.dispatch.territories import TestTerritory
from tests.servers import free_port, postgres


@pytest.mark.slow
@pytest.mark.postgis
def test_a_database_that_is_away_is_told_and_healed_without_a_restart(demo_roads: RoadNetwork, tmp_path: Path) -> None:
    save_network(demo_roads, tmp_path / "demo.roads")
    with postgres() as server:
        with psycopg.connect(f"{server.url.replace('+psycopg', '')}/postgres", autocommit=True) as admin:
            admin.execute("CREATE DATABASE away")
        with Database(f"{server.url}/away", VAULT) as database:
            database.migrate()
            place, port = TestTerritory(database, demo_roads), free_port()
            with database.write() as session:
                _, key = make_key(Registry(session), "coordinator", Store(session, place.id), None, World())
            home = list(place.point())

            def call(method: str) -> httpx2.Response:
                headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": str(uuid4())}
                body = {"json": {"name": "P", "home": home}} if method == "POST" else {}
                return httpx2.request(method, f"http://127.0.0.1:{port}/v1/beneficiaries", headers=headers, timeout=30, **body)

            with serving(database, tmp_path / "demo.roads", port) as process:
                assert [call("POST").status_code, call("GET").status_code] == [201, 200]
                for _ in range(2):
                    server.stop(signal.SIGQUIT)
                    for method in ("GET", "POST", "GET"):
                        answer = call(method)
                        assert (answer.status_code, answer.json()["type"]) == (503, "urn:allons:error:not_ready")
                        assert int(answer.headers["retry-after"]) > 0
                    server.start()
                    assert [call("GET").status_code, call("POST").status_code] == [200, 201]
                assert process.poll() is None
                assert len(call("GET").json()["items"]) == 3  # none of those that were refused
