"""The demo fills what is missing, tells that it is invented, and leaves what is there."""

import datetime as dt
from uuid import UUID

import pytest

from dispatch.service.demo import DRIVERS, LEGS, NOTE, fill_demo
from dispatch.storage.database import Database
from dispatch.storage.store import Store
from dispatch.storage.tables import Availability, Beneficiary, TripRequest, Volunteer
from dispatch.world import FixedWorld
from routing.network import RoadNetwork


def counts(database: Database, territory_id: UUID) -> list[int]:
    with database.read() as session:
        store = Store(session, territory_id)
        return [len(store.page(table, None, 10_000)) for table in (Volunteer, Beneficiary, TripRequest, Availability)]


def test_the_demo_has_its_people_and_tomorrows_requests(sqlite: Database, demo_roads: RoadNetwork) -> None:
    world = FixedWorld(dt.datetime(2026, 11, 23, 8, tzinfo=dt.UTC))
    demo = fill_demo(sqlite, demo_roads, world)
    assert demo.date == dt.date(2026, 11, 24)
    with sqlite.read() as session:
        store = Store(session, demo.territory_id)
        requests = store.requests_of_day(demo.date)
        legs = store.legs_of([request.id for request in requests])
        assert sum(len(ways) for ways in legs.values()) == LEGS
        assert len(store.active_volunteers()) == DRIVERS
        assert store.territory().note == NOTE
        assert "fictif" in NOTE
    assert len(set(demo.names.values())) > DRIVERS


def test_run_again_it_adds_only_what_is_missing(sqlite: Database, demo_roads: RoadNetwork) -> None:
    world = FixedWorld(dt.datetime(2026, 11, 23, 8, tzinfo=dt.UTC))
    first = fill_demo(sqlite, demo_roads, world)
    before = counts(sqlite, first.territory_id)
    world.advance(dt.timedelta(hours=2))
    assert fill_demo(sqlite, demo_roads, world).territory_id == first.territory_id
    assert counts(sqlite, first.territory_id) == before
    world.advance(dt.timedelta(days=1))
    assert fill_demo(sqlite, demo_roads, world).date == dt.date(2026, 11, 25)
    volunteers, people, requests, spans = counts(sqlite, first.territory_id)
    assert (volunteers, people) == (before[0], before[1])
    assert (requests, spans) == (2 * before[2], 2 * before[3])


@pytest.mark.parametrize("today", [dt.date(2026, 3, 28), dt.date(2026, 10, 24), dt.date(2026, 12, 31), dt.date(2028, 2, 28)])
def test_any_tomorrow_will_do(sqlite: Database, demo_roads: RoadNetwork, today: dt.date) -> None:
    world = FixedWorld(dt.datetime.combine(today, dt.time(8), dt.UTC))
    demo = fill_demo(sqlite, demo_roads, world)
    assert demo.date == today + dt.timedelta(days=1)
