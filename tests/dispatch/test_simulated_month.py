"""A month in a world of its own: people ask, rounds come, volunteers answer or do not, days are driven; every evening all still holds.

The embedded profile on SQLite, one seed after another. Rounds run in the calling thread, with few iterations: what is looked at is not the
plans, which have tests of their own, but what becomes of everybody.
"""

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from dispatch.engine import rounds as conductor
from dispatch.engine.bus import LocalBus
from dispatch.engine.engines import InlineEngine
from dispatch.engine.plan_day import plan_day
from dispatch.engine.planner import Planner, RoundRunner
from dispatch.errors import Conflict
from dispatch.model.intake import NewAvailability
from dispatch.model.slots import slot_instant
from dispatch.service.offers import accept_offer, decline_offer
from dispatch.service.people import add_availability
from dispatch.service.trips import cancel_trip, show_trips
from dispatch.settings import Settings
from dispatch.storage.database import Database
from dispatch.storage.store import Store
from dispatch.storage.tables import Offer, Round, Run, TripRequest
from routing.network import RoadNetwork
from tests.dispatch.engine.test_timetable import choose
from tests.dispatch.territories import TestTerritory

DAYS = 30
ZONE = "Europe/Paris"
FINAL = {"completed", "cancelled", "unmet"}


class Month:
    """One territory, day after day."""

    def __init__(self, database: Database, network: RoadNetwork, seed: int) -> None:
        self.place, self.rng = TestTerritory(database, network, seed=seed), random.Random(seed)
        self.world, settings = self.place.world, Settings(offer_minutes=150)
        self.planner = Planner(
            database, network, LocalBus(), settings, self.world, InlineEngine(RoundRunner(database, network, settings, self.world))
        )
        choose(self.place, ("17:00", 1))
        self.volunteers = [self.place.volunteer(f"V{k}", span=None) for k in range(3)]
        self.people = [self.place.person(f"P{k}") for k in range(8)]

    def at(self, day: dt.date, clock: str) -> dt.datetime:
        return slot_instant(day, clock, ZONE)

    def go_to(self, moment: dt.datetime) -> None:
        self.world.advance(max(moment - self.world.now(), dt.timedelta()))

    def live(self, day: dt.date) -> None:
        """From morning to night."""
        for volunteer in self.volunteers:
            if self.rng.random() < 0.7:
                ahead = day + dt.timedelta(days=2)
                with self.place.store() as store:
                    span = NewAvailability(starts_at=self.at(ahead, "08:00"), ends_at=self.at(ahead, "18:00"))
                    add_availability(store, volunteer, span, self.world)
        for clock in ("08:30", "13:00", "17:05", "21:00"):
            self.go_to(self.at(day, clock))
            if clock != "21:00":
                self.ask(day)
            self.planner.turn()
            self.answer()
            self.planner.turn()
        self.drive(day)

    def ask(self, day: dt.date) -> None:
        """Somebody asks for a ride of one of the next days, and now and then somebody does not need it any more."""
        ahead, hour = day + dt.timedelta(days=self.rng.choice((0, 1, 1, 2, 3))), self.rng.choice(("09", "10", "11", "14", "15"))
        arrive = self.at(ahead, f"{hour}:{self.rng.choice((0, 20, 40)):02}")
        if arrive > self.world.now():
            back = arrive + dt.timedelta(hours=1) if self.rng.random() < 0.7 else None
            try:
                self.place.ask(self.rng.choice(self.people), arrive_by=arrive, return_after=back)
            except Conflict:  # had asked for that moment before
                return
        if self.rng.random() < 0.1:
            with self.place.store() as store:
                open_ones = [
                    row for row in store.page(TripRequest, None, 20, state="accepted") if row.arrive_by and row.arrive_by > self.world.now()
                ]
                if open_ones:
                    cancel_trip(store, self.rng.choice(open_ones), self.world)

    def answer(self) -> None:
        """Yes, no, or nothing."""
        with self.place.store() as store:
            offers = [row.id for row in store.page(Offer, None, 200, state="sent")]
        for offer_id in offers:
            draw = self.rng.random()
            with self.place.store() as store:
                offer = store.get(Offer, offer_id)
                if draw < 0.6:
                    accept_offer(store, offer, self.world)
                elif draw < 0.8:
                    decline_offer(store, offer, "personal", self.world)

    def drive(self, day: dt.date) -> None:
        """What was agreed on is driven, and its runs end."""
        with self.place.store() as store:
            for request in store.requests_of_day(day):
                for leg in store.legs_of([request.id])[request.id]:
                    if leg.state == "confirmed":
                        store.move(leg, "completed", self.world)
            for run in [run for runs in store.active_runs(day).values() for run in runs]:
                steps = ("planned", "published", "started", "finished")
                for state in steps[steps.index(run.state) + 1 :]:
                    store.move(run, state, self.world)

    def complaints(self, day: dt.date) -> Iterator[str]:
        """What does not hold this evening."""
        with self.place.database.read() as session:
            store = Store(session, self.place.id)
            yield from (f"log: {fault.table} {fault.sentence}" for fault in store.log_faults())
            rows = [row for row in store.page(TripRequest, None, 10_000) if row.service_date <= day]
            for view in show_trips(store, rows):
                for way in view.legs:
                    on_a_list = way.leg.state == "standby" and way.unserved is not None
                    if way.leg.state not in FINAL and not on_a_list:
                        yield f"{view.request.service_date}: a way that is {way.leg.state} and on nobody's list"
            runs: dict[UUID, list[Run]] = {}
            for volunteer in self.volunteers:
                runs[volunteer] = [run for run in store.runs_of(volunteer) if run.state != "cancelled"]
            for own in runs.values():
                for first, second in pairwise(sorted(own, key=lambda run: run.starts_at)):
                    if second.starts_at < first.ends_at:
                        yield "a volunteer in two places at once"
            stuck = [row for row in store.page(Round, None, 10_000) if row.state in ("queued", "running")]
            yield from (f"a round that is {row.state}" for row in stuck)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
def test_after_every_day_of_a_month_everybody_is_driven_or_on_a_list(
    sqlite: Database, demo_roads: RoadNetwork, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def few_iterations(day: Any, network: Any, params: Any, *rest: Any) -> Any:
        return plan_day(day, network, replace(params, iterations=20), *rest)

    monkeypatch.setattr(conductor, "plan_day", few_iterations)
    month = Month(sqlite, demo_roads, seed)
    first = month.world.now().date()
    for number in range(DAYS):
        day = first + dt.timedelta(days=number)
        month.live(day)
        month.go_to(month.at(day, "23:30"))
        assert list(month.complaints(day)) == [], (number, day)
    with month.place.store() as store:
        legs = [leg for ways in store.legs_of(row.id for row in store.page(TripRequest, None, 10_000)).values() for leg in ways]
        ended = {state: sum(leg.state == state for leg in legs) for state in ("completed", "cancelled", "unmet")}
        slots = [row.slot for row in store.page(Round, None, 10_000) if row.slot]
    assert min(ended.values()) > 0, ended
    assert len(slots) == len(set(slots)) == DAYS
