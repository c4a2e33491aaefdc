"""The doorbell: whoever changed something in a territory rings; who waits wakes up and looks into the database. Nothing is kept here.

There are two bells: planners wait at the first (`RINGS`), those who watch what happens at the second (`CHANGES`). A ring may be lost at any
moment (nobody waits, Redis restarted): who waits looks again after a while all the same. One contract test runs on every implementation.
"""

import threading
import time
from contextlib import suppress
from typing import Any, Protocol
from uuid import UUID

import redis

RINGS, CHANGES = "allons:rings", "allons:changes"
_KEPT = 1000  # rings of a stream, about: whoever is further behind has no need of them


class Bus(Protocol):
    """A bell with one ear per process."""

    def ring(self, territory_id: UUID) -> None:
        """Say that a territory has changed. Never raises, never blocks for long."""

    def wait(self, timeout_s: float) -> set[UUID]:
        """Territories that rang since the last call; waits for the first ring, and returns an empty set after `timeout_s`."""

    def answers(self) -> bool:
        """Whether rings are heard at the moment."""

    def close(self) -> None:
        """Stop listening: a waiting call returns at once."""


class LocalBus:
    """Between threads of one process."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._rung: set[UUID] = set()
        self._closed = False

    def ring(self, territory_id: UUID) -> None:
        with self._changed:
            self._rung.add(territory_id)
            self._changed.notify_all()

    def wait(self, timeout_s: float) -> set[UUID]:
        with self._changed:
            self._changed.wait_for(lambda: bool(self._rung) or self._closed, timeout_s)
            rung, self._rung = self._rung, set()
            return rung

    def answers(self) -> bool:
        return True

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class RedisBus:
    """Between processes, by a bounded stream: who was cut off for a moment hears what rang meanwhile. Only ids of territories travel.

    While Redis is away, waits time out.
    """

    _SLICE_S = 0.5  # below redis-py's own socket timeout; also how long closing may take

    def __init__(self, url: str, stream: str = RINGS) -> None:
        self._redis = redis.Redis.from_url(url, socket_timeout=2.0, socket_connect_timeout=1.0)
        self._stream = stream
        self._heard: bytes | None = None  # the last entry; none: not listening yet
        self._closed = threading.Event()

    def ring(self, territory_id: UUID) -> None:
        with suppress(redis.RedisError):
            self._redis.xadd(self._stream, {b"territory": territory_id.bytes}, maxlen=_KEPT, approximate=True)

    def wait(self, timeout_s: float) -> set[UUID]:
        rung: set[UUID] = set()
        deadline = time.monotonic() + timeout_s
        while not self._closed.is_set() and not rung and (left := deadline - time.monotonic()) > 0:
            rung |= self._listen(min(left, self._SLICE_S))
        return rung

    def answers(self) -> bool:
        with suppress(redis.RedisError):
            return bool(self._redis.ping())
        return False

    def close(self) -> None:
        self._closed.set()

    def _listen(self, timeout_s: float) -> set[UUID]:
        try:
            if self._heard is None:
                newest: Any = self._redis.xrevrange(self._stream, count=1)
                self._heard = newest[0][0] if newest else b"0-0"
            found: Any = self._redis.xread({self._stream: self._heard}, count=_KEPT, block=max(1, round(1000 * timeout_s)))
        except redis.RedisError:
            self._closed.wait(timeout_s)
            return set()
        entries = found[0][1] if found else []
        if entries:
            self._heard = entries[-1][0]  # a moment: what comes is later, also in a stream that begins anew
        told = [fields.get(b"territory", b"") for _, fields in entries]
        return {UUID(bytes=territory) for territory in told if len(territory) == 16}
