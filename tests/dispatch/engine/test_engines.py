"""Wherever rounds are run: asked twice is done once, what is lost is asked again, and a closed engine leaves its rounds to others."""

import json
import time
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import pytest
import redis

from dispatch.engine.engines import CeleryEngine, PoolEngine, SolveEngine
from dispatch.engine.planner import RoundRunner
from dispatch.settings import Settings
from dispatch.world import World
from routing.network import RoadNetwork
from tests.dispatch.workers import Place, running, worker


@pytest.fixture(params=["pool", pytest.param("celery", marks=[pytest.mark.redis, pytest.mark.slow])])
def engine(request: pytest.FixtureRequest, demo: Place, demo_roads: RoadNetwork) -> Iterator[SolveEngine]:
    """Each of the two engines, on PostgreSQL."""
    if request.param == "pool":
        pool = PoolEngine(RoundRunner(demo.database, demo_roads, Settings(), World()))
        yield pool
        pool.close()
        return
    url = request.getfixturevalue("redis_url")
    with worker(demo, url):
        celery = CeleryEngine(url, expires_s=120)
        yield celery
        celery.close()


@pytest.mark.postgis
def test_a_round_that_is_asked_for_twice_is_run_once(demo: Place, engine: SolveEngine) -> None:
    round_id = demo.round()
    for _ in range(2):
        engine.submit(demo.territory, round_id, "rounds")
    row = demo.until("done", round_id)
    engine.submit(demo.territory, round_id, "rounds")
    time.sleep(1)
    assert (demo.row(round_id).state, demo.row(round_id).token, row.attempts) == ("done", 1, 1)
    assert demo.offers() > 10


@pytest.mark.parametrize("demo", ["sqlite"], indirect=True)
def test_a_closed_engine_has_left_its_rounds_to_the_next_one(demo: Place, demo_roads: RoadNetwork) -> None:
    """Without waiting for the ten minutes that they may take, nor for the end of their lease."""
    first, second = (PoolEngine(RoundRunner(demo.database, demo_roads, Settings(), World())) for _ in range(2))
    round_id = demo.round(seconds=600)
    first.submit(demo.territory, round_id, "rounds")
    demo.until("running", round_id)
    time.sleep(0.5)
    began = time.monotonic()
    first.close()
    assert time.monotonic() - began < 2
    first.submit(demo.territory, round_id, "rounds")
    first.wait()
    assert (demo.row(round_id).state, demo.row(round_id).token, demo.offers()) == ("running", 1, 0)
    demo.shorten(round_id, 0.5)
    second.submit(demo.territory, round_id, "rounds")
    second.wait()
    assert demo.steps(round_id) == ["running", "running", "done"]
    second.close()


@pytest.mark.postgis
@pytest.mark.redis
@pytest.mark.slow
def test_a_worker_takes_the_rounds_of_its_own_groups_only(demo: Place, redis_url: str) -> None:
    first = demo.round()
    second = demo.round(days_later=1)
    with running(demo, "worker", "--queues", "north,west", ALLONS_REDIS_URL=redis_url):
        engine = CeleryEngine(redis_url)
        engine.submit(demo.territory, first, "rounds")
        engine.submit(demo.territory, second, "north")
        engine.close()
        demo.until("done", second)
        assert demo.row(first).state == "queued"


def test_without_redis_asking_is_forgotten_and_nothing_is_raised() -> None:
    engine = CeleryEngine("redis://127.0.0.1:1/0")
    engine.submit(UUID(int=1), UUID(int=2), "rounds")
    engine.close()


@pytest.mark.redis
def test_a_message_says_how_long_it_is_worth_hearing_and_carries_two_ids_only(redis_url: str) -> None:
    engine, began = CeleryEngine(redis_url, expires_s=20), time.time()
    engine.submit(UUID(int=1), UUID(int=2), "expiring")
    engine.close()
    (text,) = redis.Redis.from_url(redis_url).lrange("allons:expiring", 0, -1)
    message = json.loads(text)
    assert 19 < datetime.fromisoformat(message["headers"]["expires"]).timestamp() - began < 25
    assert message["headers"]["argsrepr"] == str([str(UUID(int=1)), str(UUID(int=2))])


@pytest.mark.postgis
@pytest.mark.redis
@pytest.mark.slow
def test_what_was_asked_for_long_ago_is_dropped_unread(demo: Place, redis_url: str) -> None:
    """A night without workers leaves a message for each sweep; the sweep after the night is the one that counts."""
    round_id, bell = demo.round(), redis.Redis.from_url(redis_url)
    bell.flushall()  # of what other tests have asked for
    stale = CeleryEngine(redis_url, expires_s=0.5)
    for _ in range(5):
        stale.submit(demo.territory, round_id, "rounds")
    stale.close()
    assert bell.llen("allons:rounds") == 5
    time.sleep(1)
    with worker(demo, redis_url):
        deadline = time.monotonic() + 60
        while bell.llen("allons:rounds"):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        time.sleep(2)
        assert demo.row(round_id).state == "queued"
        fresh = CeleryEngine(redis_url)
        fresh.submit(demo.territory, round_id, "rounds")
        fresh.close()
        assert demo.until("done", round_id).attempts == 1
