"""Where rounds are run: in this process's own pool, or by workers on any number of machines. The round's row is the truth in both.

In: the id of a round that is due. Out: nothing; what becomes of it is in the database. Called by `engine.planner`. One contract test runs
on both: whoever is asked twice, or at the wrong moment, does nothing; whatever is lost is asked again by the planner's next sweep.
"""

from collections import deque
from threading import Condition, Thread
from typing import Protocol
from uuid import UUID

import structlog
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from dispatch.engine.celery_app import PLAN, make_celery

log = structlog.get_logger()


class Runner(Protocol):
    """Runs single rounds, several at once (`engine.planner.RoundRunner`)."""

    def run(self, territory_id: UUID, round_id: UUID) -> None:
        """Run a round. Never raises."""

    def stop(self) -> None:
        """End what is being solved: those rounds are left to others."""


class SolveEngine(Protocol):
    """Runs rounds, some day; several at once."""

    def submit(self, territory_id: UUID, round_id: UUID, queue: str) -> None:
        """Ask for a round to be run. Never raises, never blocks for long; may be forgotten, and is after `close`."""

    def close(self) -> None:
        """Take nothing more; what is being solved is left to others."""


class InlineEngine:
    """In the calling thread, at once: for simulations, where what happens next must not depend on who is quicker."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def submit(self, territory_id: UUID, round_id: UUID, queue: str) -> None:
        self._runner.run(territory_id, round_id)

    def close(self) -> None: ...


class PoolEngine:
    """In this process: threads, each of which waits for the solving process of one round (`engine.pool`).

    They are daemons, unlike those of the standard library's pools: the end of the process waits for nobody.
    """

    _PATIENCE_S = 2.0  # for rounds to give their leases back

    def __init__(self, runner: Runner, at_once: int = 1) -> None:
        self._runner, self._idle = runner, at_once
        self._waiting: deque[tuple[UUID, UUID]] = deque()
        self._known: set[UUID] = set()
        self._changed = Condition()
        self._closed = False

    def submit(self, territory_id: UUID, round_id: UUID, queue: str) -> None:
        with self._changed:
            if self._closed or round_id in self._known:
                return
            self._known.add(round_id)
            self._waiting.append((territory_id, round_id))
            if not self._idle:
                return
            self._idle -= 1
        Thread(target=self._work, name="round", daemon=True).start()

    def wait(self) -> None:
        """Until everything that was asked for is done; for the command line and tests."""
        with self._changed:
            self._changed.wait_for(lambda: not self._known)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._known -= {round_id for _, round_id in self._waiting}
            self._waiting.clear()
        self._runner.stop()
        with self._changed:
            self._changed.wait_for(lambda: not self._known, self._PATIENCE_S)

    def _work(self) -> None:
        """One round after the other, while there are any."""
        while True:
            with self._changed:
                if not self._waiting:
                    self._idle += 1
                    return
                territory_id, round_id = self._waiting.popleft()
            try:
                self._runner.run(territory_id, round_id)
            finally:
                with self._changed:
                    self._known.discard(round_id)
                    self._changed.notify_all()


class CeleryEngine:
    """By messages that carry two ids. Redis may forget them all: the sweep finds the rows and asks again.

    So does it while all workers are busy or away: a message that nobody has heard after `expires_s` is dropped unread.
    """

    def __init__(self, redis_url: str, expires_s: float = 20.0) -> None:
        self._celery, self._expires_s = make_celery(redis_url), expires_s
        self._celery.conf.broker_connection_timeout = 1
        self._celery.conf.broker_transport_options |= {"max_retries": 0}  # whoever asks does not wait for Redis to come back

    def submit(self, territory_id: UUID, round_id: UUID, queue: str) -> None:
        try:
            self._celery.send_task(PLAN, [str(territory_id), str(round_id)], queue=queue, retry=False, expires=self._expires_s)
        except (OperationalError, RedisError, OSError) as error:
            log.warning("doorbell", kind=type(error).__name__)

    def close(self) -> None:
        self._celery.close()
