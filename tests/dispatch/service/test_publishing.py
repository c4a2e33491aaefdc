"""What people are told: once, again only when it changes, and nobody whom a change does not touch."""

from uuid import UUID

import pytest
import sqlalchemy as sa

from dispatch.service.offers import accept_offer, take_back_offer
from dispatch.service.publishing import publish_day, publish_due
from dispatch.service.run_sheet import show_runs
from dispatch.storage.database import Database
from dispatch.storage.notice_tables import Notice
from dispatch.storage.tables import Offer
from routing.network import RoadNetwork
from tests.dispatch.territories import DATE, TestTerritory, at


@pytest.fixture
def place(database: Database, demo_roads: RoadNetwork) -> TestTerritory:
    return TestTerritory(database, demo_roads)


def agree(place: TestTerritory, request: UUID) -> None:
    for offer in place.offers(request):
        with place.store() as store:
            accept_offer(store, store.get(Offer, offer.id), place.world)


def publish(place: TestTerritory) -> int:
    with place.store() as store:
        return publish_day(store, DATE, place.world)


def told(place: TestTerritory, *kinds: str) -> list[tuple[str, UUID]]:
    with place.store() as store:
        query = (
            sa.select(Notice.kind, Notice.person_id).where(Notice.territory_id == place.id, Notice.kind.in_(kinds)).order_by(Notice.number)
        )
        return [tuple(row) for row in store.session.execute(query)]


RUN = ("run_published", "run_changed", "run_cancelled")
RIDE = ("ride_confirmed", "ride_changed")


def test_a_day_is_published_once_and_a_change_is_told_to_whom_it_touches(place: TestTerritory) -> None:
    one, other = place.volunteer(), place.volunteer()
    first, second, third = (place.ask(arrive=clock, back=None) for clock in ("10:40", "11:40", "15:00"))
    place.run_round({(first, "outbound"): (one, "10:00"), (second, "outbound"): (other, "11:00")})
    agree(place, first), agree(place, second)
    assert publish(place) == 2
    assert publish(place) == 0
    place.run_round({(first, "outbound"): (one, "10:00"), (second, "outbound"): (other, "11:00"), (third, "outbound"): (other, "14:30")})
    assert publish(place) == 0  # nobody has said yes to it
    agree(place, third)
    assert publish(place) == 1
    assert sorted(told(place, *RUN), key=str) == sorted([("run_published", one), ("run_published", other), ("run_changed", other)], key=str)


def test_a_volunteer_whose_rides_are_gone_is_told_so(place: TestTerritory) -> None:
    volunteer, request = place.volunteer(), place.ask(back=None)
    place.run_round({(request, "outbound"): (volunteer, "10:00")})
    agree(place, request)
    publish(place)
    (offer,) = place.offers(request, "accepted")
    with place.store() as store:
        take_back_offer(store, store.get(Offer, offer.id), place.world)
    assert publish(place) == 1
    assert told(place, *RUN)[-1] == ("run_cancelled", volunteer)
    assert publish(place) == 0


def test_tomorrow_is_published_at_the_territorys_hour_and_today_at_once(place: TestTerritory) -> None:
    volunteer, request = place.volunteer(), place.ask(back=None)
    place.run_round({(request, "outbound"): (volunteer, "10:00")})
    agree(place, request)
    for clock, expected in (("17:59", 0), ("18:00", 1), ("18:01", 0)):
        place.world.advance(at(clock, DATE.replace(day=DATE.day - 1)) - place.world.now())
        with place.store() as store:
            assert publish_due(store, place.world) == expected, clock


def test_a_person_is_told_who_comes_when_every_way_is_agreed_on_and_again_when_that_changes(place: TestTerritory) -> None:
    one, other, request = place.volunteer(), place.volunteer(), place.ask()
    place.run_round({(request, "outbound"): (one, "10:00"), (request, "return"): (other, "11:40")})
    first, second = place.offers(request)
    for number, offer in enumerate((first, second)):
        with place.store() as store:
            accept_offer(store, store.get(Offer, offer.id), place.world)
        assert len(told(place, *RIDE)) == 2 * number
    taken = next(offer for offer in (first, second) if offer.volunteer_id == other)
    with place.store() as store:
        take_back_offer(store, store.get(Offer, taken.id), place.world)
    third = place.volunteer()
    place.run_round({(request, "outbound"): (one, "10:00"), (request, "return"): (third, "11:50")})
    agree(place, request)
    assert [kind for kind, _ in told(place, *RIDE)] == ["ride_confirmed", "ride_confirmed", "ride_changed"]


def test_a_sheet_has_the_steps_of_those_who_ride_and_numbers_while_they_are_needed(place: TestTerritory) -> None:
    volunteer, request, dropped = place.volunteer(), place.ask(back=None), place.ask(arrive="12:00", back=None)
    place.run_round({(request, "outbound"): (volunteer, "10:00"), (dropped, "outbound"): (volunteer, "11:30")})
    agree(place, request)
    (offer,) = place.offers(dropped)
    with place.store() as store:
        take_back_offer(store, store.get(Offer, offer.id), place.world)
        (run,) = store.runs_of_day(DATE)
        for clock, shown in ((at("07:59", DATE.replace(day=DATE.day - 1)), False), (at("08:00", DATE.replace(day=DATE.day - 1)), True)):
            assert show_runs(store, [run], clock)[0].phones is shown
        view = show_runs(store, [run], at("20:01"))[0]
        assert not view.phones
    assert [stop.kind for stop in view.stops] == ["home", "pickup", "dropoff", "home"]
    assert list(view.riders) == [place.trip(request).legs[0].leg.id]
