"""An absence typed at 18:00 that breaks the rides of a volunteer on the next day: how long until somebody else is asked?

500 ways, 150 volunteers, the demo territory's roads; SQLite and `allons serve` with its planner as its own process, everything over
HTTP. The volunteer with the most rides is away; the clock runs from the call to the answer of the API, and on until every way that was
reopened is offered to somebody or has a sentence why not. Cost model: the call is a few queries; then come the pause that lets more
changes in (`ALLONS_DEBOUNCE_SECONDS`), one round (`ALLONS_ROUND_SECONDS`) and saving. Control: how many agreed rides of others have
another volunteer or time afterwards; there must be none.

Command: python -m benchmarks.absence [--legs 500] [--drivers 150] [--json OUT]
"""

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2

from dispatch.service.demo import fill_demo
from dispatch.service.keys import make_key
from dispatch.settings import Settings
from dispatch.storage.database import Database
from dispatch.storage.registry import Registry
from dispatch.storage.store import Store
from dispatch.world import World
from routing.demo import make_demo_extract
from routing.network import build_network
from routing.osm import load_extract
from routing.saved import save_network
from tests.servers import free_port

PATIENCE_S = 240.0


class Client:
    """A coordinator."""

    def __init__(self, port: int, key: str) -> None:
        self._http = httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {key}"}, timeout=60)

    def call(self, method: str, path: str, **rest: Any) -> Any:
        answer = self._http.request(method, path, headers={"Idempotency-Key": str(uuid4())}, **rest)
        answer.raise_for_status()
        return answer.json()

    def accept(self, offer_id: str) -> None:
        """Unless a round has just taken it back: then there is another one."""
        answer = self._http.post(f"/v1/offers/{offer_id}/accept")
        if answer.status_code != 409:
            answer.raise_for_status()

    def every(self, path: str) -> list[dict[str, Any]]:
        """All pages of a list."""
        found: list[dict[str, Any]] = []
        after = ""
        while True:
            page = self.call("GET", f"{path}&limit=200{after}")
            found += page["items"]
            if page["next"] is None:
                return found
            after = f"&after={page['next']}"

    def ways(self, date: dt.date) -> dict[str, dict[str, Any]]:
        """By id."""
        return {leg["id"]: leg for trip in self.every(f"/v1/trip-requests?date={date}") for leg in trip["legs"]}


def wait_for(client: Client, date: dt.date, ways: set[str] | None) -> float:
    """Until ways, or all of the day, are offered, agreed on or have a reason; seconds."""
    began = time.monotonic()
    while True:
        looked_at = [leg for row, leg in client.ways(date).items() if ways is None or row in ways]
        open_ones = [leg for leg in looked_at if leg["state"] in ("pending", "proposed")]
        if not open_ones:
            return time.monotonic() - began
        if time.monotonic() - began > PATIENCE_S:
            raise SystemExit(f"{len(open_ones)} ways still wait")
        time.sleep(0.25)


def measure(client: Client, date: dt.date) -> dict[str, object]:
    """Everybody asked says yes; then the busiest volunteer is away."""
    wait_for(client, date, None)
    while offers := client.every("/v1/offers?state=sent"):
        for offer in offers:
            client.accept(offer["id"])
        wait_for(client, date, None)
    before = client.ways(date)
    driven = Counter(leg["volunteer_id"] for leg in before.values() if leg["state"] == "confirmed")
    (volunteer, rides), *_ = driven.most_common(1)
    path, day = f"/v1/volunteers/{volunteer}/absences", {"first_day": str(date)}
    began = time.monotonic()
    would = client.call("POST", f"{path}?dry_run=true", json=day)
    asked = time.monotonic()
    did = client.call("POST", path, json=day)
    answered = time.monotonic()
    reopened = {ride["leg_id"] for ride in did["touched"]}
    if len(reopened) != rides or len(would["touched"]) != rides:
        raise SystemExit("the answer does not name the rides that the volunteer had")
    waited = wait_for(client, date, reopened)
    after = client.ways(date)
    told = ("volunteer_id", "told_pickup_at", "state")
    agreed = {row for row, leg in before.items() if leg["state"] == "confirmed"} - reopened
    return {
        "legs": len(before),
        "confirmed_before": sum(driven.values()),
        "reopened": rides,
        "dry_run_s": round(asked - began, 2),
        "answer_s": round(answered - asked, 2),
        "offered_again_s": round(answered - asked + waited, 1),
        "offered_again": sum(after[row]["state"] == "offered" for row in reopened),
        "nobody_found": sum(after[row]["state"] == "standby" for row in reopened),
        "others_changed": sum(any(before[row][name] != after[row][name] for name in told) for row in agreed),
    }


def main() -> None:
    """Make the day, serve it, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--legs", type=int, default=500)
    parser.add_argument("--drivers", type=int, default=150)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_demo_extract(folder / "demo.osm.pbf")
        network = build_network(load_extract(folder / "demo.osm.pbf"))
        save_network(network, folder / "demo.roads")
        url, port = f"sqlite:///{folder}/allons.sqlite3", free_port()
        with Database.of(Settings(database_url=url)) as database:
            database.migrate()
            demo = fill_demo(database, network, World(), legs=args.legs, drivers=args.drivers)
            with database.write() as session:
                key = make_key(Registry(session), "coordinator", Store(session, demo.territory_id), None, World())[1]
        known = {"ALLONS_DATABASE_URL": url, "ALLONS_ROADS": str(folder / "demo.roads"), "ALLONS_CALLS_PER_MINUTE": "1000000"}
        run = [sys.executable, "-c", "from dispatch.cli import main; main()", "serve", "--port", str(port)]
        with (folder / "api.log").open("wb") as log:
            api = subprocess.Popen(run, env={**os.environ, **known}, stdout=log, stderr=log)
        try:
            _wait(port, api)
            figures = measure(Client(port, key), demo.date)
        finally:
            api.terminate()
            api.wait(30)
    print(json.dumps(figures, indent=1))
    if args.json:
        args.json.write_text(json.dumps({**figures, "cores": os.cpu_count()}, indent=1) + "\n")


def _wait(port: int, api: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        if api.poll() is not None:
            raise SystemExit("the API has ended")
        try:
            httpx2.get(f"http://127.0.0.1:{port}/readyz", timeout=5).raise_for_status()
            return
        except httpx2.HTTPError:
            time.sleep(0.2)
    raise SystemExit("the API does not come up")


if __name__ == "__main__":
    main()
