"""Road times that were asked before: a port with a local and a Redis implementation, and the callable that uses it.

In: two sets of snapped points. Out: `TravelTimes`, the very numbers `routing.matrix.travel_times` gives. Called by `dispatch.engine`.

A key names the exact question: the version of the network, and edge and share of every point. It holds no coordinate and no name, and says
nothing to whoever reads it. What is kept is whole answers: a day is planned again and again with the same points, and an answer in pieces
would cost more to put together than to compute (15 ms for 200 points).
"""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

import numpy as np
import redis

from routing.matrix import TravelTimes, travel_times
from routing.network import RoadNetwork
from routing.snap import Snapped

_DIGEST = 16


class MatrixCache(Protocol):
    """Bytes by key. May forget anything at any time; never raises, never waits for long."""

    def get(self, key: bytes) -> bytes | None:
        """What was kept under the key, or None."""

    def put(self, key: bytes, value: bytes) -> None:
        """Keep, if there is room."""


class LocalCache:
    """In this process, bounded: what was not asked for longest goes first."""

    def __init__(self, max_bytes: int = 64 * 2**20) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()
        self._room = max_bytes

    def get(self, key: bytes) -> bytes | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: bytes, value: bytes) -> None:
        with self._lock:
            self._room += len(self._kept.pop(key, b""))
            self._kept[key] = value
            self._room -= len(value)
            while self._room < 0:
                self._room += len(self._kept.popitem(last=False)[1])


class RedisCache:
    """Between processes. Redis that is away, slow or full costs a tenth of a second, and then nothing for a while."""

    TIMEOUT_S = 0.1
    REST_S = 5.0  # after a failure: not every question waits for the timeout

    def __init__(self, url: str, max_bytes: int = 16 * 2**20, keep_s: int = 86_400) -> None:
        self._redis = redis.Redis.from_url(url, socket_timeout=self.TIMEOUT_S, socket_connect_timeout=self.TIMEOUT_S, retry=None)
        self._max_bytes, self._keep_s = max_bytes, keep_s
        self._rests_until = 0.0

    def get(self, key: bytes) -> bytes | None:
        found = self._unless_away(lambda: self._redis.get(b"allons:matrix:" + key))
        return found if isinstance(found, bytes) else None

    def put(self, key: bytes, value: bytes) -> None:
        if len(value) <= self._max_bytes:
            self._unless_away(lambda: self._redis.set(b"allons:matrix:" + key, value, ex=self._keep_s))

    def _unless_away(self, ask: Callable[[], object]) -> object:
        if time.monotonic() < self._rests_until:
            return None
        try:
            return ask()
        except redis.RedisError:
            self._rests_until = time.monotonic() + self.REST_S
            return None


class CachedTravelTimes:
    """`travel_times` on one network with a cache before it; safe to call from several threads.

    Parameters
    ----------
    network : RoadNetwork
    cache : MatrixCache
    threads : int
        At most so many for one question that has to be computed.
    """

    def __init__(self, network: RoadNetwork, cache: MatrixCache, threads: int = 1) -> None:
        self._network, self._cache, self._threads = network, cache, threads
        self._lock = threading.Lock()
        self._flights: dict[bytes, threading.Lock] = {}

    def __call__(self, origins: Snapped, destinations: Snapped, metres: bool = False) -> TravelTimes:
        """As `travel_times`. The same question asked by several threads at once is computed once, as long as the cache keeps the answer."""
        key = _key(self._network, origins, destinations, metres)
        shape = (len(origins.edge), len(destinations.edge))
        known = _unpack(self._cache.get(key), shape, metres)
        if known is not None:
            return known
        with self._lock:
            flight = self._flights.setdefault(key, threading.Lock())
        with flight:
            try:
                known = _unpack(self._cache.get(key), shape, metres)
                if known is None:
                    known = travel_times(self._network, origins, destinations, metres, self._threads)
                    self._cache.put(key, _pack(known))
            finally:
                with self._lock:
                    self._flights.pop(key, None)
        return known


def _key(network: RoadNetwork, origins: Snapped, destinations: Snapped, metres: bool) -> bytes:
    digest = hashlib.blake2b(f"{network.version} {len(origins.edge)} {int(metres)}".encode(), digest_size=_DIGEST)
    for points in (origins, destinations):
        for column in (points.edge, points.fraction, points.time_fraction):
            digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest().encode()


def _pack(times: TravelTimes) -> bytes:
    content = times.ms.tobytes() + (b"" if times.metres is None else times.metres.tobytes())
    return hashlib.blake2b(content, digest_size=_DIGEST).digest() + content


def _unpack(packed: bytes | None, shape: tuple[int, int], metres: bool) -> TravelTimes | None:
    """None when there is nothing, or something else than was put there."""
    cells = shape[0] * shape[1]
    if packed is None or len(packed) != _DIGEST + 4 * cells * (1 + metres):
        return None
    if hashlib.blake2b(memoryview(packed)[_DIGEST:], digest_size=_DIGEST).digest() != packed[:_DIGEST]:
        return None
    numbers = np.frombuffer(packed, np.int32, offset=_DIGEST)
    return TravelTimes(numbers[:cells].reshape(shape), numbers[cells:].reshape(shape) if metres else None)
