"""Cached answers are the computed ones; a cache that lies, forgets, is away, slow or full costs time and nothing else."""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import redis

import routing.cache
from routing.cache import CachedTravelTimes, LocalCache, MatrixCache, RedisCache
from routing.matrix import TravelTimes, travel_times
from routing.network import RoadNetwork
from routing.snap import Snapped
from tests.routing.tiny import ROAD, line, snapped


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> RoadNetwork:
    """Three roads in a row."""
    return line(ROAD, {**ROAD, "name": "Rue"}, ROAD).network(tmp_path_factory.mktemp("network"))


@pytest.fixture
def places(network: RoadNetwork) -> Snapped:
    """Four, one of them far from any road."""
    return snapped(network, (100, 0), (1500, 0), (2900, 0), (0, 90_000))


@pytest.fixture(params=["local", pytest.param("redis", marks=pytest.mark.redis)])
def cache(request: pytest.FixtureRequest) -> Iterator[MatrixCache]:
    """Either kind, empty: what holds must hold for both."""
    if request.param == "local":
        yield LocalCache()
        return
    url = request.getfixturevalue("redis_url")
    with redis.Redis.from_url(url) as admin:
        admin.flushall()
    yield RedisCache(url)


def same(a: TravelTimes, b: TravelTimes) -> bool:
    alike = np.array_equal(a.ms, b.ms) and a.ms.dtype == b.ms.dtype
    if a.metres is None or b.metres is None:
        return alike and a.metres is b.metres
    return alike and np.array_equal(a.metres, b.metres)


def count_computed(monkeypatch: pytest.MonkeyPatch, wait_s: float = 0.0) -> list[int]:
    """A list that grows by every matrix that is really computed."""
    computed: list[int] = []

    def counted(*asked: object) -> TravelTimes:
        computed.append(1)
        time.sleep(wait_s)
        return travel_times(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr(routing.cache, "travel_times", counted)
    return computed


@pytest.mark.parametrize("metres", [False, True])
def test_the_second_answer_is_the_first_one_and_not_computed(
    cache: MatrixCache, network: RoadNetwork, places: Snapped, metres: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = count_computed(monkeypatch)
    ask = CachedTravelTimes(network, cache)
    expected = travel_times(network, places, places, metres)
    assert same(ask(places, places, metres), expected)
    assert same(ask(places, places, metres), expected)
    assert len(computed) == 1


def test_another_network_another_place_or_metres_are_another_question(
    cache: MatrixCache, network: RoadNetwork, places: Snapped, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = count_computed(monkeypatch)
    ask = CachedTravelTimes(network, cache)
    ask(places, places)
    ask(places, places, True)
    moved = replace(places, time_fraction=places.time_fraction * 0.999)
    assert same(ask(moved, places), travel_times(network, moved, places))
    assert same(ask(places, moved), travel_times(network, places, moved))
    slower = line({**ROAD, "maxspeed": "30"}, {**ROAD, "name": "Rue"}, ROAD).network(tmp_path)
    assert same(CachedTravelTimes(slower, cache)(places, places), travel_times(slower, places, places))
    assert len(computed) == 5


def test_no_question_has_a_form_that_another_has_too(cache: MatrixCache, network: RoadNetwork, places: Snapped) -> None:
    """Three origins and one destination are not one origin and three destinations."""
    one, three = (Snapped(*(getattr(places, name)[part] for name in ("edge", "fraction", "time_fraction", "distance_m")))
                  for part in (slice(0, 1), slice(1, 4)))  # fmt: skip
    ask = CachedTravelTimes(network, cache)
    assert ask(one, three).ms.shape == (1, 3)
    assert ask(three, one).ms.shape == (3, 1)
    assert ask(one, one).ms.shape == (1, 1)


@pytest.mark.parametrize(
    "spoil", [lambda kept: b"", lambda kept: kept[:-4], lambda kept: kept[:-1] + b"\x01", lambda kept: b"x" * len(kept)]
)
def test_what_was_spoilt_is_computed_again(network: RoadNetwork, places: Snapped, spoil: object) -> None:
    class Spoiling(LocalCache):
        def put(self, key: bytes, value: bytes) -> None:
            super().put(key, spoil(value))  # type: ignore[operator]

    ask = CachedTravelTimes(network, Spoiling())
    for _ in range(2):
        assert same(ask(places, places, True), travel_times(network, places, places, True))


def test_many_who_ask_the_same_at_once_compute_it_once(
    cache: MatrixCache, network: RoadNetwork, places: Snapped, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = count_computed(monkeypatch, wait_s=0.3)
    ask = CachedTravelTimes(network, cache)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(places, places), range(8)))
    assert len(computed) == 1
    assert all(same(answer, answers[0]) for answer in answers)


def test_a_question_that_fails_does_not_hold_up_the_next(network: RoadNetwork, places: Snapped, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> TravelTimes:
        raise MemoryError

    ask = CachedTravelTimes(network, LocalCache())
    monkeypatch.setattr(routing.cache, "travel_times", fails)
    with pytest.raises(MemoryError):
        ask(places, places)
    monkeypatch.undo()
    assert same(ask(places, places), travel_times(network, places, places))


def test_the_local_cache_is_bounded_and_drops_what_was_not_asked_for_longest() -> None:
    cache = LocalCache(max_bytes=100)
    for key in (b"a", b"b"):
        cache.put(key, b"x" * 40)
    assert cache.get(b"a")
    cache.put(b"c", b"x" * 40)
    assert [key for key in (b"a", b"b", b"c") if cache.get(key)] == [b"a", b"c"]
    cache.put(b"a", b"y" * 50)
    assert cache.get(b"a") == b"y" * 50
    cache.put(b"d", b"x" * 101)
    assert cache.get(b"d") is None


def test_redis_that_is_away_costs_little_and_is_then_left_alone(network: RoadNetwork, places: Snapped) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ask = CachedTravelTimes(network, RedisCache(f"redis://127.0.0.1:{port}/0"))
    for _ in range(50):
        assert same(ask(places, places), travel_times(network, places, places))


def test_redis_that_never_answers_costs_one_timeout(network: RoadNetwork, places: Snapped) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        ask = CachedTravelTimes(network, RedisCache(f"redis://127.0.0.1:{mute.getsockname()[1]}/0"))
        began = time.monotonic()
        for _ in range(20):
            assert same(ask(places, places), travel_times(network, places, places))
        assert time.monotonic() - began < 20 * RedisCache.TIMEOUT_S  # not one for each of them


@pytest.mark.redis
def test_redis_that_comes_back_is_used_again(
    redis_url: str, network: RoadNetwork, places: Snapped, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = RedisCache(redis_url)
    monkeypatch.setattr(cache, "REST_S", 0.0)
    with redis.Redis.from_url(redis_url) as admin:
        admin.flushall()
        admin.client_kill_filter(_type="normal", skipme=True)
        ask = CachedTravelTimes(network, cache)
        ask(places, places)
        admin.client_kill_filter(_type="normal", skipme=True)
        ask(places, places)
        ask(places, places)
        assert admin.dbsize() == 1
        assert 0 < int(admin.ttl(admin.keys()[0])) <= 86_400  # type: ignore[index]


@pytest.mark.redis
def test_a_full_redis_and_an_answer_too_large_are_no_matter(redis_url: str, network: RoadNetwork, places: Snapped) -> None:
    with redis.Redis.from_url(redis_url) as admin:
        admin.flushall()
        RedisCache(redis_url, max_bytes=10).put(b"k", b"x" * 11)
        assert admin.dbsize() == 0
        admin.config_set("maxmemory", "1mb")
        try:
            ask = CachedTravelTimes(network, RedisCache(redis_url))
            assert same(ask(places, places), travel_times(network, places, places))
        finally:
            admin.config_set("maxmemory", "0")


@pytest.mark.redis
def test_nothing_in_redis_tells_where_anybody_is(redis_url: str, network: RoadNetwork, places: Snapped) -> None:
    with redis.Redis.from_url(redis_url) as admin:
        admin.flushall()
        CachedTravelTimes(network, RedisCache(redis_url))(places, places)
        (key,) = admin.keys()  # type: ignore[misc]
    assert len(key.removeprefix(b"allons:matrix:")) == 32
    assert set(key.removeprefix(b"allons:matrix:")) <= set(b"0123456789abcdef")


def test_locks_of_questions_are_not_kept(network: RoadNetwork, places: Snapped) -> None:
    ask = CachedTravelTimes(network, LocalCache())
    ask(places, places)
    assert ask._flights == {}
    assert threading.active_count() < 20
