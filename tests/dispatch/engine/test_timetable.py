"""Days are planned at the times of a territory's timetable: each once, told by the database, by however many planners."""

import datetime as dt
from typing import Any

import pytest
import redis

from dispatch.engine.bus import LocalBus
from dispatch.engine.engines import CeleryEngine
from dispatch.engine.planner import Planner
from dispatch.model.day import Policy
from dispatch.model.intake import ChangedTerritory
from dispatch.model.rules import Rules
from dispatch.service.people import change_territory
from dispatch.service.rounds import claim_round, enqueue_round, enqueue_slot, fail_round
from dispatch.settings import Settings
from dispatch.storage.database import Database
from dispatch.storage.registry import Registry
from dispatch.storage.tables import Round
from routing.network import RoadNetwork
from tests.dispatch.territories import DATE, TestTerritory, at

SLOT = at("17:00")


class Deaf:
    """An engine that hears nothing."""

    def submit(self, *_: Any) -> None: ...

    def close(self) -> None: ...


def choose(place: TestTerritory, *slots: tuple[str, int], queue: str = "rounds") -> None:
    """A timetable of one's own."""
    with place.database.write() as session:
        registry = Registry(session)
        timetable = [{"at": clock, "ahead": ahead} for clock, ahead in slots]
        name = registry.territory(place.id).name
        new = ChangedTerritory.model_validate({"name": name, "policy": Policy(), "rules": Rules(), "timetable": timetable, "queue": queue})
        change_territory(registry, registry.territory(place.id), new)


def planner_of(place: TestTerritory) -> Planner:
    return Planner(place.database, place.network, LocalBus(), Settings(), place.world, Deaf())


def rounds(place: TestTerritory) -> list[Round]:
    with place.store() as store:
        return sorted(store.page(Round, None, 500), key=lambda row: row.queued_at)


def end(place: TestTerritory) -> None:
    """As a worker would leave the round that waits."""
    for row in rounds(place):
        if row.state == "queued":
            with place.store() as store:
                token = claim_round(store, row.id, place.world).token
            with place.store() as store:
                fail_round(store, row.id, token, "overtaken", place.world)


def test_tomorrow_is_planned_at_five_and_today_at_six_once_each(sqlite: Database, demo_roads: RoadNetwork) -> None:
    place = TestTerritory(sqlite, demo_roads)
    choose(place, ("17:00", 1), ("06:00", 0))
    planners = [planner_of(place), planner_of(place)]
    for _ in range(24 * 6):  # a day, looked at every ten minutes, by two
        for planner in planners:
            planner.queue_slots()
            end(place)
        place.world.advance(dt.timedelta(minutes=10))
    assert [(row.service_date, row.slot) for row in rounds(place)] == [
        (DATE, at("17:00", DATE - dt.timedelta(days=1))),
        (DATE, at("06:00")),
    ]


@pytest.mark.parametrize("night", [dt.date(2027, 3, 28), dt.date(2027, 10, 31)])
def test_on_the_night_of_a_clock_change_each_time_comes_once(sqlite: Database, demo_roads: RoadNetwork, night: dt.date) -> None:
    place = TestTerritory(sqlite, demo_roads)
    choose(place, ("02:30", 1), ("17:00", 1))
    place.world.advance(dt.datetime.combine(night, dt.time(), dt.UTC) - dt.timedelta(hours=4) - place.world.now())
    planner = planner_of(place)
    for _ in range(36 * 4):
        planner.queue_slots()
        end(place)
        place.world.advance(dt.timedelta(minutes=15))
    days = [row.service_date - night for row in rounds(place)]
    assert [day.days for day in days] == [1, 1, 2]  # half past two and five o'clock of that day; half past two of the next


def test_a_round_that_waits_anyway_is_the_one_of_the_timetable(database: Database, demo_roads: RoadNetwork) -> None:
    place = TestTerritory(database, demo_roads)
    with place.store() as store:
        waiting = enqueue_round(store, DATE, 1.0, 1, place.world)
    for _ in range(2):
        with place.store() as store:
            enqueue_slot(store, DATE, SLOT, 1.0, place.world)
    assert [(row.id, row.slot) for row in rounds(place)] == [(waiting.id, SLOT)]


def test_two_planners_make_one_round_and_without_the_index_two(database: Database, demo_roads: RoadNetwork) -> None:
    place = TestTerritory(database, demo_roads)

    def ask() -> int:
        with place.store() as store:  # both have looked before, and found nothing
            enqueue_slot(store, DATE, SLOT, 1.0, place.world)
        end(place)
        return len(rounds(place))

    assert [ask(), ask()] == [1, 1]
    with database._engine.begin() as connection:
        connection.exec_driver_sql("DROP INDEX uq_round_slot")
    assert ask() == 2


@pytest.mark.redis
def test_a_territorys_rounds_are_in_the_line_of_its_group_only(sqlite: Database, demo_roads: RoadNetwork, redis_url: str) -> None:
    north, south = TestTerritory(sqlite, demo_roads, "North", 1), TestTerritory(sqlite, demo_roads, "South", 2)
    choose(north, queue="north")
    line = redis.Redis.from_url(redis_url)
    line.flushall()
    engine = CeleryEngine(redis_url)
    planner = Planner(sqlite, demo_roads, LocalBus(), Settings(), north.world, engine)
    found = []
    for place in (north, south):
        with place.store() as store:
            enqueue_round(store, DATE, 1.0, 1, place.world)
        planner.submit_rounds()
        found.append([line.llen(f"allons:{name}") for name in ("north", "rounds")])
    engine.close()
    assert found == [[1, 0], [2, 1]]  # what nobody has taken is asked for again
