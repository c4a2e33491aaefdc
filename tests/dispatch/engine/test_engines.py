"""Wherever rounds are run: asked twice is done once, what is lost is asked again, and a worker that dies leaves nothing half done."""

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

import pytest
import redis

from dispatch.engine.bus import LocalBus
from dispatch.engine.engines import CeleryEngine, PoolEngine, SolveEngine
from dispatch.engine.planner import Planner, RoundRunner
from dispatch.service.demo import fill_demo
from dispatch.service.rounds import enqueue_round
from dispatch.settings import Settings
from dispatch.storage.database import Database
from dispatch.storage.store import Store
from dispatch.storage.tables import Round, TripRequest
from dispatch.world import World
from routing.network import RoadNetwork
from routing.saved import save_network


@dataclass
class Place:
    """The demo territory in a database, and where its roads are."""

    database: Database
    territory: UUID
    day: date
    roads: Path

    def round(self, seconds: float = 0.5) -> UUID:
        with self.database.write() as session:
            return enqueue_round(Store(session, self.territory), self.day, seconds, 1, World()).id

    def row(self, round_id: UUID) -> Round:
        with self.database.read() as session:
            return Store(session, self.territory).get(Round, round_id)

    def until(self, state: str, round_id: UUID, seconds: float = 60) -> Round:
        deadline = time.monotonic() + seconds
        while (row := self.row(round_id)).state != state:
            assert time.monotonic() < deadline, f"the round is {row.state}"
            time.sleep(0.1)
        return row

    def offers(self) -> int:
        with self.database.read() as session:
            store = Store(session, self.territory)
            requests = store.page(TripRequest, None, 200)
            return len(store.offers_of([request.id for request in requests], "sent", "withdrawn", "expired"))


@pytest.fixture
def place(request: pytest.FixtureRequest, demo_roads: RoadNetwork, tmp_path: Path) -> Place:
    """On the kind of database that is asked for."""
    database = request.getfixturevalue(getattr(request, "param", "postgis"))
    save_network(demo_roads, tmp_path / "demo.roads")
    demo = fill_demo(database, demo_roads, World())
    return Place(database, demo.territory_id, demo.date, tmp_path / "demo.roads")


@contextmanager
def worker(place: Place, redis_url: str, queues: str = "rounds") -> Iterator["subprocess.Popen[bytes]"]:
    """`allons worker` as a process group of its own, killed by that group's id."""
    url = place.database._engine.url.render_as_string(hide_password=False)
    settings = {"ALLONS_DATABASE_URL": url, "ALLONS_REDIS_URL": redis_url, "ALLONS_ROADS": str(place.roads)}
    run = [sys.executable, "-c", "from dispatch.cli import main; main()", "worker", "--queues", queues]
    process = subprocess.Popen(run, env={**os.environ, **settings}, start_new_session=True)
    try:
        yield process
    finally:
        kill(process)


def kill(process: "subprocess.Popen[bytes]") -> None:
    """The worker and the processes that solve for it, without a word."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture(params=["pool", pytest.param("celery", marks=[pytest.mark.redis, pytest.mark.postgis, pytest.mark.slow])])
def engine(request: pytest.FixtureRequest, place: Place, demo_roads: RoadNetwork) -> Iterator[SolveEngine]:
    """Each of the two engines, on PostgreSQL."""
    if request.param == "pool":
        pool = PoolEngine(RoundRunner(place.database, demo_roads, Settings(), World()).run)
        yield pool
        pool.close()
        return
    url = request.getfixturevalue("redis_url")
    with worker(place, url):
        celery = CeleryEngine(url)
        yield celery
        celery.close()


@pytest.mark.postgis
def test_a_round_that_is_asked_for_twice_is_run_once(place: Place, engine: SolveEngine) -> None:
    round_id = place.round()
    for _ in range(2):
        engine.submit(place.territory, round_id, "rounds")
    row = place.until("done", round_id)
    engine.submit(place.territory, round_id, "rounds")
    time.sleep(1)
    assert (place.row(round_id).state, place.row(round_id).token, row.attempts) == ("done", 1, 1)
    assert place.offers() > 10


@pytest.mark.postgis
@pytest.mark.redis
@pytest.mark.slow
def test_a_worker_takes_the_rounds_of_its_own_groups_only(place: Place, redis_url: str) -> None:
    first = place.round()
    with place.database.write() as session:
        second = enqueue_round(Store(session, place.territory), place.day + timedelta(days=1), 0.5, 1, World()).id
    with worker(place, redis_url, "north,west"):
        engine = CeleryEngine(redis_url)
        engine.submit(place.territory, first, "rounds")
        engine.submit(place.territory, second, "north")
        engine.close()
        place.until("done", second)
        assert place.row(first).state == "queued"


def test_without_redis_asking_is_forgotten_and_nothing_is_raised() -> None:
    engine = CeleryEngine("redis://127.0.0.1:1/0")
    engine.submit(UUID(int=1), UUID(int=2), "rounds")
    engine.close()


@pytest.mark.postgis
@pytest.mark.redis
@pytest.mark.slow
def test_a_worker_killed_in_mid_solve_with_redis_emptied_loses_nothing(
    place: Place, redis_url: str, demo_roads: RoadNetwork, record_property: Callable[[str, object], None]
) -> None:
    planner = Planner(place.database, demo_roads, LocalBus(), Settings(), World(), CeleryEngine(redis_url))
    round_id = place.round(seconds=6.0)
    with worker(place, redis_url) as first:
        planner.submit_rounds()
        place.until("running", round_id)
        time.sleep(2)
        kill(first)
    redis.Redis.from_url(redis_url).flushall()
    killed = time.monotonic()
    with worker(place, redis_url):
        while place.row(round_id).state != "done":
            assert time.monotonic() < killed + 90
            planner.submit_rounds()
            time.sleep(1)
    record_property("seconds_from_the_kill", round(time.monotonic() - killed, 1))
    row = place.row(round_id)
    assert (row.state, row.token, row.attempts) == ("done", 2, 2)
    with place.database.read() as session:
        assert [event.after for event in Store(session, place.territory).events(round_id)] == ["running", "running", "done"]
    assert place.offers() > 10
