"""The doorbell: whoever changed something in a territory rings; a planner that waits wakes up. Nothing is kept here.

A ring may be lost at any moment (no listener, Redis restarted): the planner's sweep finds the work in the database all the same.
One contract test runs on every implementation.
"""

import threading
import time
from contextlib import suppress
from typing import Protocol
from uuid import UUID

import redis

CHANNEL = "allons:rings"


class Bus(Protocol):
    """A bell with one ear per process."""

    def ring(self, territory_id: UUID) -> None:
        """Tell the planners that a territory has changed. Never raises, never blocks for long."""

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
    """Between processes, by publish and subscribe. Only ids of territories travel; while Redis is away, waits time out."""

    _SLICE_S = 0.5  # below redis-py's own socket timeout; also how long closing may take

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(url, socket_timeout=2.0, socket_connect_timeout=1.0)
        self._ear = self._redis.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
        self._closed = threading.Event()
        self._listening = False

    def ring(self, territory_id: UUID) -> None:
        with suppress(redis.RedisError):
            self._redis.publish(CHANNEL, territory_id.bytes)

    def wait(self, timeout_s: float) -> set[UUID]:
        rung: set[UUID] = set()
        deadline = time.monotonic() + timeout_s
        while not self._closed.is_set() and not rung and (left := deadline - time.monotonic()) > 0:
            rung |= self._listen(min(left, self._SLICE_S))
        while rung and (more := self._listen(0.0)) - rung:
            rung |= more
        return rung

    def answers(self) -> bool:
        with suppress(redis.RedisError):
            return bool(self._redis.ping())
        return False

    def close(self) -> None:
        self._closed.set()

    def _listen(self, timeout_s: float) -> set[UUID]:
        try:
            if not self._listening:
                self._ear.subscribe(CHANNEL)
                self._listening = True
            message = self._ear.get_message(timeout=timeout_s)
        except redis.RedisError:
            self._listening = False
            self._closed.wait(timeout_s)
            return set()
        data = message["data"] if message else b""
        return {UUID(bytes=data)} if len(data) == 16 else set()
