"""Cars that are late: who hears of it and how often, and that positions go with their run."""

import datetime as dt
from uuid import UUID, uuid4

import numpy as np
import pytest
import sqlalchemy as sa

from dispatch.errors import BadInput, IllegalMove
from dispatch.model.driving import NewPosition
from dispatch.model.sms import IncomingSms
from dispatch.notices.outbox import queue_notice
from dispatch.service.attention import Entry, needs_a_human
from dispatch.service.lateness import Expected, note_position, progress
from dispatch.service.sms import receive_sms
from dispatch.storage.database import Database
from dispatch.storage.driving import RunPosition, RunStop
from dispatch.storage.tables import Run
from routing.matrix import travel_times
from routing.network import RoadNetwork
from routing.snap import snap
from tests.dispatch.service.test_status import Ride
from tests.dispatch.territories import DATE, TestTerritory, at


class Trip(Ride):
    """There and back; the volunteer waits where the person is brought."""

    def __init__(self, place: TestTerritory, network: RoadNetwork) -> None:
        super().__init__(place)
        self.network = network
        with place.store() as store:
            self.run_id = store.runs_of_day(DATE)[0].id
            clocks = ("09:30", "10:00", "10:20", "11:40", "12:00", "12:20")
            kinds = (("home", None), ("pickup", self.there), ("dropoff", self.there), ("pickup", self.back), ("dropoff", self.back))
            stops = [
                RunStop(id=uuid4(), run_id=self.run_id, number=k, kind=kind, leg_id=leg, place=place.point(), metres=1000,
                        arrive_at=at(clocks[k]), depart_at=at("11:30") if k == 2 else at(clocks[k]) + dt.timedelta(minutes=3 if leg else 0))
                for k, (kind, leg) in enumerate((*kinds, ("home", None)))
            ]  # fmt: skip
            store.replace_stops([self.run_id], stops)
            self.pickup = stops[1].place

    def position(self, clock: str, point: tuple[float, float] | None = None, accuracy: int = 10) -> RunPosition:
        new = NewPosition(point=point or self.place.point(), accuracy_m=accuracy, at=at(clock))
        with self.place.store() as store:
            return note_position(store, store.get(Run, self.run_id), new, self.network, self.place.world)

    def expected(self) -> dict[UUID, Expected]:
        with self.place.store() as store:
            return progress(store, [store.get(Run, self.run_id)])[self.run_id]

    def told(self) -> list[tuple[UUID, int]]:
        """Of being late: about which way, how many minutes."""
        with self.place.store() as store:
            keys = [f"late {leg} {step}" for leg in (self.there, self.back) for step in range(1, 25)]
            found = [row for key in keys if (row := store.notice_keyed(key))]
            return [(row.about, row.facts["minutes"]) for row in found]

    def entries(self, kind: str) -> list[Entry]:
        with self.place.store() as store:
            return [entry for entry in needs_a_human(store, self.place.world) if entry.kind == kind]

    def kept(self) -> int:
        with self.place.store() as store:
            return int(store.session.scalar(sa.select(sa.func.count()).select_from(RunPosition)) or 0)


@pytest.fixture
def trip(sqlite: Database, demo_roads: RoadNetwork) -> Trip:
    return Trip(TestTerritory(sqlite, demo_roads), demo_roads)


def test_nothing_is_said_before_anything_is_known(trip: Trip) -> None:
    trip.go_to("10:30")
    assert (trip.expected() if trip.run() == "started" else {}, trip.entries("late"), trip.told()) == ({}, [], [])


def test_setting_out_late_is_told_once_per_step_to_whoever_waits(trip: Trip) -> None:
    trip.go_to("09:56")
    trip.tap("en_route", "09:55")  # half an hour of road before the pickup at 10:00
    assert {leg: found.late_minutes for leg, found in trip.expected().items()} == {trip.there: 25, trip.back: 0}
    assert trip.expected()[trip.there].at == at("10:25")
    assert trip.told() == [(trip.there, 25)]
    (entry,) = trip.entries("late")
    assert (entry.leg_id, entry.minutes, "25 min" in entry.sentence) == (trip.there, 25, True)
    trip.go_to("10:00")
    trip.position("09:59")  # wherever that is: no lateness that was told is told again
    assert len(trip.told()) <= 2
    before = trip.told()
    trip.position("10:00", accuracy=5000)  # says nothing: what the tap says holds
    assert (trip.told(), trip.expected()[trip.there].late_minutes) == (before, 25)


def test_a_position_counts_by_road_until_the_next_tap(trip: Trip) -> None:
    trip.go_to("09:40")
    trip.tap("en_route", "09:31")
    here = trip.place.point()
    kept = trip.position("09:40", here)
    from_here, to_there = (snap(trip.network, np.array([place]), limit_m=500.0) for place in (here, trip.pickup))
    road = dt.timedelta(milliseconds=int(travel_times(trip.network, from_here, to_there).ms[0, 0]))
    assert kept.reaches_at is not None
    assert abs(kept.reaches_at - (at("09:40") + road)) < dt.timedelta(seconds=2)
    assert trip.expected()[trip.there].at == kept.reaches_at
    assert trip.position("09:35").at == at("09:40")  # older than what is known
    trip.go_to("10:40")
    trip.tap("at_pickup", "10:20")
    trip.tap("on_board", "10:39")
    assert trip.expected()[trip.there].at == at("10:56")  # 17 minutes from pickup to the end, which was to be at 10:40
    assert [entry.minutes for entry in trip.entries("late")] == [16]


def test_a_position_that_cannot_be_is_refused_and_changes_nothing(trip: Trip) -> None:
    trip.go_to("09:40")
    with pytest.raises(IllegalMove):
        trip.position("09:40")  # the run has not begun
    trip.tap("en_route", "09:31")
    for clock, point in (("09:50", None), ("09:00", None), ("09:40", (2.9, 46.9))):
        with pytest.raises(BadInput):
            trip.position(clock, point)
    assert trip.kept() == 0


@pytest.mark.parametrize("guarded", [True, False])
def test_with_its_run_a_position_ends_and_the_database_sees_to_it(database: Database, demo_roads: RoadNetwork, guarded: bool) -> None:
    trip = Trip(TestTerritory(database, demo_roads), demo_roads)
    if not guarded:
        with database._engine.begin() as connection:
            name = "run_forget_position" if connection.dialect.name == "sqlite" else "forget_position ON run"
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
    trip.go_to("12:30")
    trip.tap("on_board", "10:01")
    trip.position("12:10")
    trip.position("12:20")
    assert trip.kept() == 1
    trip.tap("completed", "10:20")
    trip.tap("completed", "12:20", trip.back)
    assert (trip.run(), trip.kept()) == ("finished", 0 if guarded else 1)


def test_sms_to_read_and_messages_that_reached_nobody_are_on_the_list(trip: Trip) -> None:
    with trip.place.store() as store:
        person = store.get(Run, trip.run_id).volunteer_id
        facts = {"at": at("10:00"), "rides": 1}
        queue_notice(store, "run_published", person, uuid4(), trip.place.world, facts=facts).state = "failed"
        sms = IncomingSms.model_validate({"from": "+33639980009", "message": "Canary ?", "message_id": uuid4().hex})
        receive_sms(store, sms, trip.place.world)
    assert [len(trip.entries(kind)) for kind in ("not_told", "sms_to_read")] == [1, 1]
    assert "Canary" not in str(trip.entries("sms_to_read"))
    trip.go_to("20:00")
    trip.place.world.advance(dt.timedelta(days=1))
    assert trip.entries("not_told") == []  # it is no news any more
