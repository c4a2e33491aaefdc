"""A store sees its own territory; lists are pages."""

from datetime import timedelta
from uuid import uuid4

import pytest

from dispatch.errors import NotFound
from dispatch.storage.database import Database
from dispatch.storage.store import Store
from dispatch.storage.tables import Beneficiary, Leg, Offer, Round, TripRequest, Volunteer
from routing.network import RoadNetwork
from tests.dispatch.territories import DATE, NOW, TestTerritory


def test_everything_of_another_territory_is_absent(database: Database, demo_roads: RoadNetwork) -> None:
    mine, theirs = TestTerritory(database, demo_roads, "A", 1), TestTerritory(database, demo_roads, "B", 2)
    volunteer, request = theirs.volunteer(), theirs.ask()
    theirs.run_round({(request, "outbound"): (volunteer, "10:00"), (request, "return"): (volunteer, "12:00")})
    trip, offer = theirs.trip(request), theirs.offer(request)
    leg_ids = [way.leg.id for way in trip.legs]
    with mine.store() as store:
        rows = {Volunteer: volunteer, TripRequest: request, Leg: leg_ids[0], Offer: offer.id, Round: offer.round_id}
        for table, row_id in rows.items():
            with pytest.raises(NotFound):
                store.get(table, row_id)  # type: ignore[type-var]
            if table is not Leg:
                assert list(store.page(table, None, 50)) == []  # type: ignore[type-var]
                with pytest.raises(NotFound):
                    store.page(table, row_id, 50)  # type: ignore[type-var]
        assert store.legs_of([request]) == {}
        assert store.active_assignments(leg_ids) == {}
        assert store.beneficiaries([trip.request.beneficiary_id]) == {}
        assert store.requests([request]) == {}
        assert store.offer_legs([offer.id]) == {}
        assert list(store.offers_of([request], "sent")) == []
        assert list(store.active_volunteers()) == []
        assert list(store.availabilities(NOW, NOW + timedelta(days=5))) == []
        assert list(store.requests_of_day(DATE)) == []
        assert store.told([(volunteer, offer.round_id)]) == {}
        assert not store.overlapping(volunteer, NOW, NOW + timedelta(days=5))


def test_a_territory_that_does_not_exist_is_not_found(database: Database) -> None:
    with database.read() as session, pytest.raises(NotFound):
        Store(session, uuid4()).territory()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
def test_pages_show_every_row_once_newest_first(database: Database, demo_roads: RoadNetwork, size: int) -> None:
    territory = TestTerritory(database, demo_roads)
    made = []
    for k in range(7):
        territory.world.advance(timedelta(seconds=k // 3))  # several at one instant
        made.append(territory.person(f"P{k}"))
    seen: list[Beneficiary] = []
    with territory.store() as store:
        while rows := store.page(Beneficiary, seen[-1].id if seen else None, size):
            assert len(rows) <= size
            seen += rows
    assert {row.id for row in seen} == set(made)
    assert len(seen) == len(made)
    assert [row.created_at for row in seen] == sorted((row.created_at for row in seen), reverse=True)


def test_days_wait_from_a_first_one_on_whether_or_not_their_time_has_passed(database: Database, demo_roads: RoadNetwork) -> None:
    territory = TestTerritory(database, demo_roads)
    territory.ask(back=None)
    early, day = NOW - timedelta(hours=1), timedelta(days=1)
    with territory.store() as store:
        assert [store.waiting_days(first, early) for first in (DATE - day, DATE, DATE + day)] == [{DATE}, {DATE}, set()]
