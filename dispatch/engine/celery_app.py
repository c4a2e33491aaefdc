"""Celery as a doorbell: a message names a round, and whoever hears it tries to claim the row. Nothing else travels, nothing is kept.

In: settings. Out: a Celery application whose workers run rounds. Started by `allons worker`.

Messages are acknowledged when they are heard, not when the round is done (no `acks_late`). The row is the truth: a round whose worker dies
is found by its lease, after 15 seconds and a sweep, whether or not Redis still knows of it. A message that came back would add nothing to
that, would come only after a visibility timeout that must be longer than the longest round, and then a second time for rounds that are not
lost at all. For the same reason a worker that is told to stop leaves its rounds instead of finishing them.
"""

import os
import threading
from typing import TYPE_CHECKING
from uuid import UUID

from celery import Celery, signals
from kombu.entity import Queue

if TYPE_CHECKING:
    from dispatch.settings import Settings

PLAN = "allons.plan_round"
STOP_S = 9.0  # a worker that is told to stop has ended after so long, whatever it was doing


def make_celery(redis_url: str) -> Celery:
    """The application, for sending and for working. Connects on first use."""
    celery = Celery("allons", broker=redis_url, set_as_current=False)
    celery.conf.update(
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        worker_prefetch_multiplier=1,  # a round waits for a free worker, not behind another round
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,  # Redis may be away for a night
        broker_transport_options={"socket_timeout": 10, "socket_connect_timeout": 1, "global_keyprefix": "allons:"},
    )
    return celery


def work(settings: "Settings", queues: tuple[str, ...], at_once: int) -> None:
    """Run rounds of some queues until stopped: a thread for each round, which waits for the solving process that belongs to it."""
    from dispatch.engine.bus import CHANGES, RedisBus
    from dispatch.engine.planner import RoundRunner
    from dispatch.health import Health, listening
    from dispatch.storage.database import Database
    from dispatch.world import World
    from routing.saved import open_roads

    assert settings.redis_url  # noqa: S101 - the command has checked both
    assert settings.roads  # noqa: S101
    database = Database(settings.database_url)  # without the vault: who people are is nothing to a planner
    database.check_ready()
    database.announce = RedisBus(settings.redis_url, CHANGES).ring
    runner = RoundRunner(database, open_roads(settings.roads), settings, World())
    celery = make_celery(settings.redis_url)

    @celery.task(name=PLAN)  # type: ignore[untyped-decorator]
    def plan_round(territory_id: str, round_id: str) -> None:
        runner.run(UUID(territory_id), UUID(round_id))

    health = Health(database)

    def leave(**_: object) -> None:
        health.stopping = True
        runner.stop()
        late = threading.Timer(STOP_S, os._exit, (0,))  # such as in the proof of a very large plan: the lease is enough to find it again
        late.daemon = True
        late.start()

    signals.worker_shutting_down.connect(leave, weak=False)
    celery.conf.task_queues = [Queue(name) for name in queues]  # type: ignore[no-untyped-call]
    with database, listening(settings, health):
        celery.worker_main(
            ["worker", "--pool=threads", f"--concurrency={at_once}", "--without-gossip", "--without-mingle", "--loglevel=WARNING"]
        )
