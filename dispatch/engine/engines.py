"""Where rounds are run: in this process's own pool, or by workers on any number of machines. The round's row is the truth in both.

In: the id of a round that is due. Out: nothing; what becomes of it is in the database. Called by `engine.planner`. One contract test runs
on both: whoever is asked twice, or at the wrong moment, does nothing; whatever is lost is asked again by the planner's next sweep.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Protocol
from uuid import UUID

import structlog
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from dispatch.engine.celery_app import PLAN, make_celery

log = structlog.get_logger()
RunRound = Callable[[UUID, UUID], None]  # territory, round


class SolveEngine(Protocol):
    """Runs rounds, some day; several at once."""

    def submit(self, territory_id: UUID, round_id: UUID, queue: str) -> None:
        """Ask for a round to be run. Never raises, never blocks for long; may be forgotten."""

    def close(self) -> None:
        """Take nothing more; what is being solved is finished or left to others."""


class PoolEngine:
    """In this process: a thread per round, which waits for the solving process that belongs to it (`engine.pool`)."""

    def __init__(self, run: RunRound, at_once: int = 1) -> None:
        self._run, self._threads = run, ThreadPoolExecutor(at_once, thread_name_prefix="round")
        self._known: set[UUID] = set()
        self._lock = Lock()

    def submit(self, territory_id: UUID, round_id: UUID, queue: str) -> None:
        with self._lock:
            if round_id in self._known:
                return
            self._known.add(round_id)
        self._threads.submit(self._one, territory_id, round_id)

    def wait(self) -> None:
        """Until everything that was asked for is done; for the command line and tests."""
        while self._known:
            self._threads.submit(lambda: None).result()

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _one(self, territory_id: UUID, round_id: UUID) -> None:
        try:
            self._run(territory_id, round_id)
        finally:
            with self._lock:
                self._known.discard(round_id)


class CeleryEngine:
    """By messages that carry two ids. Redis may forget them all: the sweep finds the rows and asks again."""

    def __init__(self, redis_url: str) -> None:
        self._celery = make_celery(redis_url)
        self._celery.conf.broker_connection_timeout = 1
        self._celery.conf.broker_transport_options |= {"max_retries": 0}  # whoever asks does not wait for Redis to come back

    def submit(self, territory_id: UUID, round_id: UUID, queue: str) -> None:
        try:
            self._celery.send_task(PLAN, [str(territory_id), str(round_id)], queue=queue, retry=False)
        except (OperationalError, RedisError, OSError) as error:
            log.warning("doorbell", kind=type(error).__name__)

    def close(self) -> None:
        self._celery.close()
