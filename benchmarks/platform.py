"""What the API bears: posting a request, listing a day, accepting an offer, alone and mixed, on a platform in full swing.

500 volunteers, 1,000 people, 10,000 ways in PostgreSQL (durable commits), `allons serve` as its own process, clients as threads of another
one, all on this machine: what is measured is the three of them sharing its cores. Every answer but 2xx counts as an error and is shown.
With `--while-solving S`: a round is solved for S seconds in the API's own pool meanwhile, and the longest wait is what matters.

Command: scripts/bench platform --seconds 20 [--clients 8] [--while-solving 60] [--json OUT]
"""

import argparse
import datetime as dt
import http.client
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg

from benchmarks.crowd import Crowd, key_of, make_crowd
from dispatch.storage.database import Database
from dispatch.storage.vault import Vault, find_master_key, new_master_key
from routing.demo import make_demo_extract
from routing.network import RoadNetwork, build_network
from routing.osm import load_extract
from routing.saved import save_network
from tests.servers import free_port, postgis

Call = tuple[str, str, dict[str, object] | None]


def calls(crowd: Crowd, rng: random.Random) -> dict[str, Callable[[], Call]]:
    """What clients do, by name; the next call each time."""
    offers = iter(crowd.offers)

    def post_trip() -> Call:
        day = crowd.first_day + dt.timedelta(days=rng.randrange(20, 60))
        moment = dt.datetime.combine(day, dt.time(8), dt.UTC) + dt.timedelta(minutes=rng.randrange(600))
        origin, destination = rng.sample(crowd.points, 2)
        wish: dict[str, object] = {"beneficiary_id": str(rng.choice(crowd.people)), "origin": origin, "destination": destination}
        return "POST", "/v1/trip-requests", {**wish, "arrive_by": moment.isoformat(), "return_after": moment.isoformat()}

    def list_day() -> Call:
        return "GET", f"/v1/trip-requests?date={crowd.first_day + dt.timedelta(days=rng.randrange(10))}&limit=200", None

    def accept_offer() -> Call:
        return "POST", f"/v1/offers/{next(offers)}/accept", None

    return {"post-trip": post_trip, "list-day": list_day, "accept-offer": accept_offer}


def _in_turn(todo: dict[str, Callable[[], Call]]) -> Callable[[], Call]:
    """One of each, and the day twice, over and over."""
    turns = itertools.cycle((todo["post-trip"], todo["list-day"], todo["list-day"], todo["accept-offer"]))

    def next_call() -> Call:
        return next(turns)()

    return next_call


def load(port: int, key: str, next_call: Callable[[], Call], clients: int, seconds: float) -> dict[str, object]:
    """So many clients, one call after the other each, for so long."""
    gate, lock = threading.Barrier(clients + 1), threading.Lock()
    took: list[float] = []
    seen: Counter[int] = Counter()
    ends = 0.0

    def one() -> None:
        mine, codes = [], Counter[int]()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        gate.wait()
        while time.monotonic() < ends:
            with lock:
                try:
                    method, path, body = next_call()
                except StopIteration:  # no offers are left
                    break
            headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", "Idempotency-Key": str(uuid4())}
            began = time.perf_counter()
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            answer.read()
            mine.append(time.perf_counter() - began)
            codes[answer.status] += 1
        with lock:
            took.extend(mine)
            seen.update(codes)

    threads = [threading.Thread(target=one) for _ in range(clients)]
    for thread in threads:
        thread.start()
    ends = time.monotonic() + seconds
    began = time.monotonic()
    gate.wait()
    for thread in threads:
        thread.join()
    lasted = time.monotonic() - began
    cuts = [1000 * cut for cut in statistics.quantiles(took, n=100)]
    figures = {"p50_ms": cuts[49], "p95_ms": cuts[94], "p99_ms": cuts[98], "longest_ms": 1000 * max(took), "per_second": len(took) / lasted}
    return {**{name: round(figure, 1) for name, figure in figures.items()}, "answers": dict(seen)}


@contextmanager
def platform(folder: Path, *, planner: bool) -> Iterator[tuple[Crowd, int, str]]:
    """A database in full swing and an API on it: what there is, the API's port, a coordinator's key."""
    network = _roads(folder)
    master = new_master_key()
    with postgis(durable=True) as server:
        with psycopg.connect(f"{server.replace('+psycopg', '')}/postgres", autocommit=True) as admin:
            admin.execute("CREATE DATABASE platform")
        url, port = f"{server}/platform", free_port()
        vault = Vault(find_master_key(url, master, None))
        with Database(url, vault) as database:
            database.migrate()
            crowd = make_crowd(database, network, vault)
            key = key_of(database, crowd.territory, "coordinator")
        known = {
            "ALLONS_DATABASE_URL": url,
            "ALLONS_ROADS": str(folder / "demo.roads"),
            "ALLONS_VAULT_KEY": master,
            "ALLONS_CALLS_PER_MINUTE": "1000000",  # the crowd shares one key
            "ALLONS_PLANNER": str(planner).lower(),
        }
        run = [sys.executable, "-c", "from dispatch.cli import main; main()", "serve", "--port", str(port)]
        with (folder / "api.log").open("wb") as log:
            api = subprocess.Popen(run, env={**os.environ, **known}, stdout=log, stderr=log)
        try:
            _wait(port, api)
            yield crowd, port, key
        finally:
            api.terminate()
            api.wait(20)


def _roads(folder: Path) -> RoadNetwork:
    make_demo_extract(folder / "demo.osm.pbf")
    network = build_network(load_extract(folder / "demo.osm.pbf"))
    save_network(network, folder / "demo.roads")
    return network


def _wait(port: int, api: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and api.poll() is None:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the API did not start")


def _solve(port: int, key: str, crowd: Crowd, seconds: float) -> None:
    """Ask for a round of a day that has ways to plan: those of an offer that is declined."""
    for path, body in ((f"/v1/offers/{crowd.offers[-1]}/decline", {"reason": "other"}), ("/v1/rounds", None)):
        day = crowd.first_day + dt.timedelta(days=9)
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", "Idempotency-Key": str(uuid4())}
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("POST", path, json.dumps(body or {"date": str(day), "seconds": seconds}), headers)
        answer = connection.getresponse()
        print(path.rsplit("/", 1)[-1], answer.status, file=sys.stderr)
        answer.read()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--while-solving", type=float, default=0, metavar="SECONDS")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found: dict[str, object] = {}
    with (
        tempfile.TemporaryDirectory(prefix="allons-") as name,
        platform(Path(name), planner=bool(options.while_solving)) as (crowd, port, key),
    ):
        todo = calls(crowd, random.Random(1))
        if options.while_solving:
            _solve(port, key, crowd, options.while_solving)
            found["list-day while a round is solved"] = load(port, key, todo["list-day"], 2, options.while_solving)
        else:
            for what, next_call in todo.items():
                found[f"{what}, one client"] = load(port, key, next_call, 1, options.seconds / 4)
                found[f"{what}, {options.clients} clients"] = load(port, key, next_call, options.clients, options.seconds)
            found[f"mixed, {options.clients} clients"] = load(port, key, _in_turn(todo), options.clients, options.seconds)
    print(json.dumps(found, indent=1))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
