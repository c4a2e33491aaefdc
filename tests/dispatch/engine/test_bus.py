"""One contract, every bus: a ring wakes who waits, rings add up, nothing blocks for longer than it says."""

import threading
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
import redis

from dispatch.engine.bus import RINGS, Bus, LocalBus, RedisBus
from tests.servers import free_port


@pytest.fixture(params=["local", pytest.param("redis", marks=pytest.mark.redis)])
def bus(request: pytest.FixtureRequest) -> Iterator[Bus]:
    """A bus that listens already."""
    made: Bus = LocalBus() if request.param == "local" else RedisBus(request.getfixturevalue("redis_url"))
    made.wait(0.3)  # Redis hears what is rung after it has subscribed
    made.wait(0.1)
    yield made
    made.close()


def test_a_ring_before_the_wait_is_heard(bus: Bus) -> None:
    territory = uuid4()
    bus.ring(territory)
    assert bus.wait(5.0) == {territory}


def test_a_ring_during_the_wait_ends_it(bus: Bus) -> None:
    territory = uuid4()
    timer = threading.Timer(0.2, bus.ring, [territory])
    timer.start()
    began = time.monotonic()
    assert bus.wait(20.0) == {territory}
    assert time.monotonic() - began < 10
    timer.join()


def test_rings_add_up_and_are_told_once(bus: Bus) -> None:
    territories = {uuid4() for _ in range(5)}
    for territory in [*territories, *territories]:
        bus.ring(territory)
    heard: set[object] = set()
    deadline = time.monotonic() + 10
    while heard != territories and time.monotonic() < deadline:
        heard |= bus.wait(1.0)
    assert heard == territories
    while bus.wait(0.2):
        pass
    assert bus.wait(0.2) == set()


def test_silence_ends_with_an_empty_set(bus: Bus) -> None:
    assert bus.wait(0.05) == set()


def test_closing_ends_a_wait(bus: Bus) -> None:
    timer = threading.Timer(0.2, bus.close)
    timer.start()
    began = time.monotonic()
    assert bus.wait(20.0) == set()
    assert time.monotonic() - began < 10
    timer.join()


def test_without_redis_nothing_raises_and_waits_still_end() -> None:
    bus = RedisBus(f"redis://127.0.0.1:{free_port()}/0")
    bus.ring(uuid4())
    assert bus.wait(0.3) == set()
    bus.close()


@pytest.mark.redis
def test_two_processes_hear_each_other_and_nonsense_is_ignored(redis_url: str) -> None:
    here, there = RedisBus(redis_url), RedisBus(redis_url)
    here.wait(0.3)
    redis.Redis.from_url(redis_url).xadd(RINGS, {b"territory": b"not an id"})
    territory = uuid4()
    there.ring(territory)
    heard: set[object] = set()
    deadline = time.monotonic() + 10
    while not heard and time.monotonic() < deadline:
        heard = set(here.wait(1.0))
    assert heard == {territory}
    here.close()
    there.close()
