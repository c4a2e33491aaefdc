"""A change is asked for over HTTP: how long until those who watch the territory hear of it?

Twenty clients watch with Server-Sent Events; requests are posted, and cancelled a tenth of a second later. `embedded`: SQLite, one
`allons serve`. `served`: PostgreSQL and Redis, two of them: changes are posted at one, and watched at the other. The clock runs from before
the call to the event at a client, so that it holds all of the call, its commit too. Cost model: the call, a ring, one look into the log
whatever the number of clients, a line to each client. Control: every client has every change once; `--silent` takes Redis away from the
process where changes are posted: then only the look every second finds them, and the median is half a second.

Command: python -m benchmarks.live_stream [--changes 300] [--clients 20] [--silent] [--json OUT]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import psycopg

from dispatch.service.demo import fill_demo
from dispatch.service.keys import make_key
from dispatch.storage.database import Database
from dispatch.storage.registry import Registry
from dispatch.storage.store import Store
from dispatch.storage.vault import Vault
from dispatch.world import World
from routing.demo import make_demo_extract
from routing.network import RoadNetwork, build_network
from routing.osm import load_extract
from routing.saved import save_network
from tests.servers import free_port, postgis, redis_server

EVERY_S = 0.1
KEY = "A" * 43 + "="  # of a vault that nobody else has


@contextmanager
def serving(**settings: str) -> Iterator[str]:
    """`allons serve` without planner and sender: nothing happens but what is posted."""
    port = free_port()
    known = {"ALLONS_PLANNER": "false", "ALLONS_SENDER": "false", "ALLONS_VAULT_KEY": KEY, "ALLONS_CALLS_PER_MINUTE": "100000"}
    words = [sys.executable, "-c", "from dispatch.cli import main; main()", "serve", "--port", str(port)]
    process = subprocess.Popen(words, env={**os.environ, **known, **settings}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        while True:
            try:
                httpx2.get(f"{url}/readyz").raise_for_status()
                break
            except httpx2.HTTPError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(15)


class Client(threading.Thread):
    """Watches; when each thing was heard of for the first time."""

    def __init__(self, url: str, key: str) -> None:
        super().__init__(daemon=True)
        self._url, self._key = url, key
        self.ready = threading.Event()
        self.heard: dict[str, float] = {}
        self.twice = 0

    def run(self) -> None:
        with httpx2.stream("GET", f"{self._url}/v1/live", headers={"Authorization": f"Bearer {self._key}"}, timeout=60) as answer:
            for line in answer.iter_lines():
                now = time.monotonic()
                if line.startswith("event: ready"):
                    self.ready.set()
                if line.startswith("data: {") and (told := json.loads(line[6:])).get("version") == 1:
                    self.twice += told["id"] in self.heard
                    self.heard.setdefault(told["id"], now)


def measure(database: Database, network: RoadNetwork, here: str, there: str, changes: int, number: int) -> dict[str, Any]:
    """Milliseconds from before a call at `here` to the event at clients of `there`."""
    demo = fill_demo(database, network, World())
    with database.write() as session:
        _, key = make_key(Registry(session), "coordinator", Store(session, demo.territory_id), None, World())
    clients = [Client(there, key) for _ in range(number)]
    for client in clients:
        client.start()
    for client in clients:
        client.ready.wait(30)
    http = httpx2.Client(base_url=here, headers={"Authorization": f"Bearer {key}"}, timeout=30)
    like = http.get("/v1/trip-requests?limit=1").json()["items"][0]
    http.post(f"/v1/trip-requests/{like['id']}/cancel").raise_for_status()  # it is asked for again and again
    wish = {name: like[name] for name in ("beneficiary_id", "origin", "destination", "arrive_by")}
    sent: dict[str, float] = {}
    calls: list[float] = []
    for _ in range(changes):
        began = time.monotonic()
        answer = http.post("/v1/trip-requests", json=wish, headers={"Idempotency-Key": str(uuid4())})
        answer.raise_for_status()
        sent[answer.json()["id"]] = began
        calls.append(1000 * (time.monotonic() - began))
        time.sleep(max(0.0, EVERY_S - (time.monotonic() - began)))
        http.post(f"/v1/trip-requests/{answer.json()['id']}/cancel").raise_for_status()  # nobody is taken to two places at once
    time.sleep(3)
    waits = [1000 * (client.heard[row] - began) for client in clients for row, began in sent.items() if row in client.heard]
    cut = statistics.quantiles(waits, n=100)
    return {
        "events": len(waits), "missing": number * changes - len(waits), "twice": sum(client.twice for client in clients),
        "call_median_ms": round(statistics.median(calls), 1), "median_ms": round(cut[49], 1), "p95_ms": round(cut[94], 1),
        "p99_ms": round(cut[98], 1), "worst_ms": round(max(waits), 1),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--changes", type=int, default=300)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--silent", action="store_true")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        make_demo_extract(folder / "demo.osm.pbf")
        network = build_network(load_extract(folder / "demo.osm.pbf"))
        save_network(network, folder / "demo.roads")
        roads = {"ALLONS_ROADS": str(folder / "demo.roads")}
        if not chosen.silent:
            url = f"sqlite:///{folder}/allons.sqlite3"
            with Database(url, Vault(bytes(32))) as database:
                database.migrate()
                with serving(ALLONS_DATABASE_URL=url, **roads) as one:
                    found["embedded"] = measure(database, network, one, one, chosen.changes, chosen.clients)
            print("embedded", found["embedded"])
        server = stack.enter_context(postgis())
        redis = {"ALLONS_REDIS_URL": stack.enter_context(redis_server(folder))}
        with psycopg.connect(f"{server.replace('+psycopg', '')}/postgres", autocommit=True) as admin:
            admin.execute("CREATE DATABASE live")
        with Database(f"{server}/live", Vault(bytes(32))) as database:
            database.migrate()
            at = {"ALLONS_DATABASE_URL": f"{server}/live", **roads}
            with serving(**at, **({} if chosen.silent else redis)) as here, serving(**at, **redis) as there:
                found["served"] = measure(database, network, here, there, chosen.changes, chosen.clients)
        print("served", found["served"])
    if chosen.json:
        chosen.json.write_text(json.dumps({"version": "0.1.0", "cores": os.cpu_count(), **found}, indent=1))


if __name__ == "__main__":
    main()
