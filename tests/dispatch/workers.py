"""The demo territory in a database, and processes that run its rounds: as people start them, ended by their own ids. Shared by tests."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa

from dispatch.service.demo import fill_demo
from dispatch.service.rounds import enqueue_round
from dispatch.storage.database import Database
from dispatch.storage.store import Store
from dispatch.storage.tables import Round, TripRequest
from dispatch.world import World
from routing.network import RoadNetwork
from routing.saved import save_network
from tests.conftest import VAULT_KEY


@dataclass
class Place:
    """The demo territory in a database, and where its roads are."""

    database: Database
    territory: UUID
    day: date
    roads: Path

    def round(self, seconds: float = 0.5, days_later: int = 0) -> UUID:
        """One that waits to be run."""
        with self.database.write() as session:
            return enqueue_round(Store(session, self.territory), self.day + timedelta(days=days_later), seconds, 1, World()).id

    def row(self, round_id: UUID) -> Round:
        """As it is now."""
        with self.database.read() as session:
            return Store(session, self.territory).get(Round, round_id)

    def shorten(self, round_id: UUID, seconds: float) -> None:
        """Whoever runs it next has only so long."""
        with self.database.write() as session:
            Store(session, self.territory)
            session.execute(sa.update(Round).where(Round.id == round_id).values(seconds=seconds))

    def until(self, state: str, round_id: UUID, seconds: float = 180) -> Round:
        """Wait for a state."""
        until(lambda: self.row(round_id).state == state, seconds)
        return self.row(round_id)

    def steps(self, round_id: UUID) -> list[str]:
        """What has become of it, from the beginning."""
        with self.database.read() as session:
            return [event.after for event in Store(session, self.territory).events(round_id)]

    def offers(self) -> int:
        """How many there are."""
        with self.database.read() as session:
            store = Store(session, self.territory)
            requests = store.page(TripRequest, None, 200)
            return len(store.offers_of([request.id for request in requests], "sent", "withdrawn", "expired"))


def make_place(database: Database, network: RoadNetwork, folder: Path) -> Place:
    """Fill a database; the roads go into the folder."""
    save_network(network, folder / "demo.roads")
    demo = fill_demo(database, network, World())
    return Place(database, demo.territory_id, demo.date, folder / "demo.roads")


def until(there: Callable[[], bool], seconds: float = 180) -> None:
    """Wait for something; AssertionError when it does not come."""
    deadline = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@contextmanager
def running(place: Place, *words: str, log: Path | None = None, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    """`allons …` as a process group of its own, killed by that group's id."""
    url = place.database._engine.url.render_as_string(hide_password=False)
    known = {"ALLONS_DATABASE_URL": url, "ALLONS_VAULT_KEY": VAULT_KEY, "ALLONS_ROADS": str(place.roads)}
    run = [sys.executable, "-c", "from dispatch.cli import main; main()", *words]
    with (log or Path(os.devnull)).open("ab") as out:
        process = subprocess.Popen(run, env={**os.environ, **known, **settings}, start_new_session=True, stdout=out, stderr=out)
    try:
        yield process
    finally:
        kill(process)


@contextmanager
def worker(place: Place, redis_url: str, log: Path | None = None, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    """`allons worker`."""
    with running(place, "worker", log=log, ALLONS_REDIS_URL=redis_url, **settings) as process:
        yield process


def kill(process: "subprocess.Popen[bytes]") -> None:
    """The process and those that solve for it, without a word."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
