"""The planner: a thread that waits for the bell and has the rounds run that are due. Nobody has to ask for a round.

In: a database, roads, a bus, an engine. Out: rounds in the database. Started by the API's process; the database is the only queue, so that
a planner may be killed at any moment, and several of them do no harm.
"""

import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from dispatch.engine.bus import Bus
from dispatch.engine.engines import CeleryEngine, PoolEngine, SolveEngine
from dispatch.engine.pool import Children
from dispatch.engine.rounds import run_round
from dispatch.errors import BadInput, Conflict, DispatchError, Fault
from dispatch.metrics import DUE, SWEPT_AT
from dispatch.model.slots import Slot, due_slots
from dispatch.service.credentials import end_papers
from dispatch.service.offers import lapse_offer
from dispatch.service.privacy import erase_after_restore, retire_people
from dispatch.service.publishing import publish_due
from dispatch.service.reminding import remind
from dispatch.service.rounds import MOST_DAYS, enqueue_round, enqueue_slot
from dispatch.service.series import due_series, extend_series
from dispatch.service.waitlist import give_up_late
from dispatch.settings import Settings
from dispatch.storage.accounts import Accounts
from dispatch.storage.database import Database
from dispatch.storage.registry import Registry
from dispatch.storage.replies import Replies
from dispatch.storage.store import Store
from dispatch.storage.tables import Offer, Round, Territory
from dispatch.world import World
from routing.cache import CachedTravelTimes, LocalCache, RedisCache
from routing.network import RoadNetwork

log = structlog.get_logger()
OLDEST = timedelta(days=MOST_DAYS)  # back to there nobody is forgotten, however long nothing was running
PATIENCE = timedelta(minutes=10)  # a day whose round has just failed is left alone this long


class RoundRunner:
    """Runs single rounds, with road times that are kept from one to the next. Used by the pool and by workers."""

    def __init__(self, database: Database, network: RoadNetwork, settings: Settings, world: World) -> None:
        self._database, self._network, self._settings, self._world = database, network, settings, world
        cache = RedisCache(settings.redis_url) if settings.redis_url else LocalCache()
        self._road_times = CachedTravelTimes(network, cache, settings.matrix_threads)
        self._children = Children()

    def stop(self) -> None:
        """End what is being solved: those rounds are left to others."""
        self._children.end()

    def run(self, territory_id: UUID, round_id: UUID) -> None:
        """Run a round, and queue its day again if it changed meanwhile. Never raises: whoever runs rounds must outlive any of them."""
        try:
            minutes = self._settings.offer_minutes
            known = (self._world, self._road_times, self._children, self._settings.round_iterations)
            if run_round(self._database, self._network, territory_id, round_id, minutes, *known):
                with self._database.write() as session:
                    store = Store(session, territory_id)
                    day = store.get(Round, round_id).service_date
                    enqueue_round(store, day, self._settings.round_seconds, 1, self._world, OLDEST.days)
        except DispatchError as error:  # taken by another planner, or the database is away
            log.warning("round", round=str(round_id), ended=error.code)
        except Exception as error:
            log.error("round", round=str(round_id), ended="error", kind=type(error).__name__)


class Planner:
    """Has rounds run until it is stopped. One turn: lapse offers, queue rounds for waiting legs and by timetable, hand on what is due."""

    def __init__(
        self, database: Database, network: RoadNetwork | None, bus: Bus, settings: Settings, world: World, engine: SolveEngine | None = None
    ) -> None:
        self._database, self._bus, self._settings, self._world = database, bus, settings, world
        self._network = network
        self._engine = engine or _engine_for(database, network, settings, world)
        self._forgotten_at: datetime | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self.run, name="planner", daemon=True)

    def run(self) -> None:
        """Until stopped, in the calling thread."""
        rung = True
        while not self._stopping.is_set():
            try:
                if rung:
                    self.submit_rounds()  # what somebody asked for by hand does not wait for more requests to come in
                    self._stopping.wait(self._settings.debounce_seconds)
                self.turn()
            except Exception as error:  # such as a database that is away: the next sweep tries again
                log.error("planner", kind=type(error).__name__)
            rung = bool(self._bus.wait(self._settings.sweep_seconds))

    def start(self) -> None:
        """Begin in a thread; the first turn comes at once, for what was left from last time."""
        self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> None:
        """Ask it to end and wait for it a little; a round that is being solved is left to the next planner."""
        self.ask_to_stop()
        self._engine.close()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def ask_to_stop(self) -> None:
        """End after the present turn."""
        self._stopping.set()
        self._bus.close()

    def turn(self) -> None:
        """Everything that is due, once; rounds go on beside it."""
        self.lapse_offers()
        self.remind()
        self.give_up()
        self.end_papers()
        self.extend_series()
        self.queue_rounds()
        self.queue_slots()
        self.publish()
        self.submit_rounds()
        if self._forgotten_at is None or self._world.now() > self._forgotten_at + timedelta(hours=1):
            self.forget()
            self._forgotten_at = self._world.now()
        SWEPT_AT.set(self._world.now().timestamp())

    def turn_and_wait(self) -> None:
        """A turn, and until its rounds are done; for engines of this process."""
        self.turn()
        if isinstance(self._engine, PoolEngine):
            self._engine.wait()

    def lapse_offers(self) -> None:
        """Offers nobody answered in time end as declined ones do."""
        for territory in self._territories():
            with self._database.read() as session:
                overdue = [offer.id for offer in Store(session, territory.id).overdue_offers(self._world)]
            for offer_id in overdue:
                with suppress(Conflict), self._database.write() as session:  # answered at this very moment
                    store = Store(session, territory.id)
                    lapse_offer(store, store.get(Offer, offer_id), self._world)

    def remind(self) -> None:
        """Volunteers who have not answered hear once more."""
        for territory in self._territories():
            with suppress(Conflict), self._database.write() as session:  # another planner was quicker
                remind(Store(session, territory.id), self._world)

    def give_up(self) -> None:
        """Rides that it is too late to find anybody for become unmet needs."""
        for territory in self._territories():
            with suppress(Conflict), self._database.write() as session:  # somebody was found at this very moment: the next turn looks again
                give_up_late(Store(session, territory.id), self._world)

    def publish(self) -> None:
        """Volunteers hear of their next day at the territory's hour, and of every change after it."""
        for territory in self._territories():
            with suppress(Conflict), self._database.write() as session:  # another planner was quicker
                publish_due(Store(session, territory.id), self._world)

    def end_papers(self) -> None:
        """Papers of volunteers whose day has come; rides that nobody may drive without them are open again."""
        for territory in self._territories():
            with suppress(Conflict), self._database.write() as session:  # changed at this very moment: the next turn looks again
                end_papers(Store(session, territory.id), self._world)

    def extend_series(self) -> None:
        """Rides that come again are asked for some weeks ahead; a series at a time."""
        for territory in self._territories():
            with self._database.read() as session:
                due = due_series(Store(session, territory.id), self._world)
            for series_id in due:
                with (
                    suppress(Conflict),
                    self._database.write() as session,
                ):  # erased or changed at this very moment: the next turn looks again
                    store = Store(session, territory.id)
                    extend_series(store, store.series_held(series_id), self._network, self._world)

    def forget(self) -> None:
        """People not seen for long, people a restored backup brought back, and answers that nobody will ask for any more."""
        for territory in self._territories():
            with self._database.write() as session:
                erase_after_restore(Store(session, territory.id), self._world)
                Replies(session).forget(territory.id, self._world.now())
                Store(session, territory.id).forget_positions(self._world.now() - timedelta(days=1))
            erased = 1
            while erased:
                with self._database.write() as session:
                    erased = retire_people(Store(session, territory.id), self._settings.retention_months, self._world)
        with self._database.write() as session:
            Replies(session).forget(None, self._world.now())
            Accounts(session).forget(self._world.now())
        self.seal()

    def seal(self) -> None:
        """Seal what the logs hold since last time."""
        for territory in self._territories():
            with suppress(Conflict), self._database.write() as session:  # another planner was quicker
                Store(session, territory.id).seal(self._world)

    def queue_rounds(self) -> None:
        """One round for every day of every territory that has waiting legs."""
        for territory in self._territories():
            with self._database.read() as session:
                waiting = Store(session, territory.id).waiting_days(self._world.now().date() - OLDEST, self._world.now() - PATIENCE)
            for day in sorted(waiting):
                with self._database.write() as session:
                    enqueue_round(Store(session, territory.id), day, self._settings.round_seconds, 1, self._world, OLDEST.days)

    def queue_slots(self) -> None:
        """One round for every time of every timetable that has come, whether or not anything waits."""
        for territory in self._territories():
            timetable = [Slot.model_validate(slot) for slot in territory.timetable]
            for day, slot in sorted(due_slots(timetable, territory.timezone, self._world.now()).items()):
                with self._database.read() as session:
                    taken = Store(session, territory.id).slot_taken(day, slot)
                if not taken:
                    with suppress(Conflict), self._database.write() as session:  # another planner was quicker
                        enqueue_slot(Store(session, territory.id), day, slot, self._settings.round_seconds, self._world)

    def submit_rounds(self) -> None:
        """Hand rounds on that wait, or whose worker is lost."""
        due = 0
        for territory in self._territories():
            with self._database.read() as session:
                rounds = Store(session, territory.id).rounds_to_run()
            due += len(rounds)
            for round_id in rounds:
                self._engine.submit(territory.id, round_id, territory.queue)
        DUE.set(due)

    def _territories(self) -> Sequence[Territory]:
        with self._database.read() as session:
            return Registry(session).territories()


def _engine_for(database: Database, network: RoadNetwork | None, settings: Settings, world: World) -> SolveEngine:
    if settings.workers and settings.redis_url:
        return CeleryEngine(settings.redis_url, 2 * settings.sweep_seconds)
    if network is None:
        raise BadInput([Fault("ALLONS_WORKERS", "missing", "rounds are run by workers only with ALLONS_WORKERS=true and ALLONS_REDIS_URL")])
    return PoolEngine(RoundRunner(database, network, settings, world), settings.rounds_at_once)
