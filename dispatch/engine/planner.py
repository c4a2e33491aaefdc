"""The planner: a thread that waits for the bell and runs the rounds that are due. Nobody has to ask for a round.

In: a database, roads, a bus. Out: rounds in the database. Started by the API's process; the database is the only queue, so that a
planner may be killed at any moment and the next one goes on.
"""

import threading
from collections.abc import Iterable
from datetime import date, timedelta
from uuid import UUID

import structlog

from dispatch.engine.bus import Bus
from dispatch.engine.rounds import run_round
from dispatch.errors import DispatchError
from dispatch.service.offers import lapse_offer
from dispatch.service.rounds import enqueue_round, fail_round
from dispatch.settings import Settings
from dispatch.storage.database import Database
from dispatch.storage.store import Registry, Store
from dispatch.storage.tables import Offer, Round
from dispatch.world import World
from routing.cache import CachedTravelTimes, LocalCache, RedisCache
from routing.network import RoadNetwork

log = structlog.get_logger()
PATIENCE = timedelta(minutes=10)  # a day whose round has just failed is left alone this long
ABANDONED = timedelta(minutes=30)  # longer than any round; its planner has died


class Planner:
    """Runs rounds until it is stopped. One turn: lapse offers, queue a round for every day with waiting legs, run what is queued."""

    def __init__(self, database: Database, network: RoadNetwork, bus: Bus, settings: Settings, world: World) -> None:
        self._database, self._network, self._bus, self._settings, self._world = database, network, bus, settings, world
        cache = RedisCache(settings.redis_url) if settings.redis_url else LocalCache()
        self._road_times = CachedTravelTimes(network, cache, settings.matrix_threads)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="planner", daemon=True)

    def start(self) -> None:
        """Begin; the first turn comes at once, for what was left from last time."""
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Ask it to end and wait for it; a round that is being solved is left to the next planner."""
        self._stopping.set()
        self._bus.close()
        self._thread.join(timeout_s)

    def turn(self) -> None:
        """Everything that is due, once."""
        self.lapse_offers()
        self.queue_rounds()
        self.run_queued()

    def lapse_offers(self) -> None:
        """Offers nobody answered in time end as declined ones do; rounds of dead planners are marked failed."""
        with self._database.read() as session:
            overdue = Registry(session).overdue_offers(self._world.now())
            abandoned = Registry(session).stale_rounds(self._world.now() - ABANDONED)
        for territory_id, offer_id in overdue:
            with self._database.write() as session:
                store = Store(session, territory_id)
                lapse_offer(store, store.get(Offer, offer_id), self._world)
        for territory_id, round_id in abandoned:
            with self._database.write() as session:
                fail_round(Store(session, territory_id), round_id, "abandoned", self._world)

    def queue_rounds(self) -> None:
        """One round for every day of every territory that has waiting legs."""
        with self._database.read() as session:
            waiting = Registry(session).waiting_days(self._world.now(), self._world.now() - PATIENCE)
        self._queue(sorted(waiting))

    def run_queued(self) -> None:
        """Run rounds until none is queued. A round that fails does not stop the others."""
        with self._database.read() as session:
            queued = Registry(session).queued_rounds()
        for territory_id, round_id in queued:
            if self._stopping.is_set():
                return
            with self._database.read() as session:
                day = Store(session, territory_id).get(Round, round_id).service_date
            if self._run_one(territory_id, round_id):
                self._queue([(territory_id, day)])

    def _run_one(self, territory_id: UUID, round_id: UUID) -> bool:
        try:
            minutes = self._settings.offer_minutes
            return run_round(self._database, self._network, territory_id, round_id, minutes, self._world, self._road_times)
        except DispatchError as error:  # taken by another planner, or answered while it was being saved
            log.warning("round", round=str(round_id), ended=error.code)
        except Exception as error:  # the planner must outlive any round
            log.error("round", round=str(round_id), ended="error", kind=type(error).__name__)
        return False

    def _queue(self, days: Iterable[tuple[UUID, date]]) -> None:
        for territory_id, day in days:
            with self._database.write() as session:
                enqueue_round(Store(session, territory_id), day, self._settings.round_seconds, 1, self._world)

    def _run(self) -> None:
        rung = True
        while not self._stopping.is_set():
            try:
                self.run_queued()  # what somebody asked for by hand does not wait for more requests to come in
                if rung:
                    self._stopping.wait(self._settings.debounce_seconds)
                self.turn()
            except Exception as error:  # such as a database that is away: the next sweep tries again
                log.error("planner", kind=type(error).__name__)
            rung = bool(self._bus.wait(self._settings.sweep_seconds))
