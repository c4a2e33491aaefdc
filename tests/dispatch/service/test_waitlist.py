"""Rides nobody was found for: tried again until it is too late, then a need with place and cause; nobody is left where they were taken."""

import datetime as dt
from uuid import UUID

import pytest
import sqlalchemy as sa

from dispatch.errors import BadInput, IllegalMove
from dispatch.model.intake import Cancel
from dispatch.service.attention import needs_a_human
from dispatch.service.offers import accept_offer, decline_offer
from dispatch.service.trips import bring_back, cancel_trip, close_if_over
from dispatch.service.waitlist import give_up_late
from dispatch.storage.database import Database
from dispatch.storage.notice_tables import Notice
from dispatch.storage.store import Store
from dispatch.storage.tables import Offer, TripRequest, UnmetNeed
from routing.network import RoadNetwork
from tests.dispatch.territories import TestTerritory, at


@pytest.fixture
def place(database: Database, demo_roads: RoadNetwork) -> TestTerritory:
    return TestTerritory(database, demo_roads)


def go_to(place: TestTerritory, clock: str) -> None:
    place.world.advance(at(clock) - place.world.now())


def give_up(place: TestTerritory) -> int:
    with place.store() as store:
        return give_up_late(store, place.world)


def needs(place: TestTerritory) -> list[UnmetNeed]:
    with place.store() as store:
        return list(store.page(UnmetNeed, None, 200))


def told(place: TestTerritory, kind: str) -> int:
    with place.store() as store:
        return store.session.query(Notice).filter_by(territory_id=place.id, kind=kind).count()


def accept(place: TestTerritory, request: UUID) -> None:
    offer = place.offer(request)
    with place.store() as store:
        accept_offer(store, store.get(Offer, offer.id), place.world)


def test_a_ride_is_given_up_at_its_lead_time_and_not_before(place: TestTerritory) -> None:
    request = place.ask(arrive="10:40")
    go_to(place, "09:09")
    assert give_up(place) == 0
    go_to(place, "09:11")
    assert give_up(place) == 2
    assert place.states(request) == ["unmet", "unmet"]
    assert place.trip(request).request.state == "closed"
    assert sorted((need.direction, need.cause) for need in needs(place)) == [
        ("outbound", "NO_DRIVER_WINDOW"),
        ("return", "NO_DRIVER_WINDOW"),
    ]
    assert told(place, "ride_unmet") == 1
    assert give_up(place) == 0


def test_an_unmet_need_keeps_the_place_to_a_kilometre_only(place: TestTerritory) -> None:
    place.ask(arrive="10:40", back=None)
    go_to(place, "10:00")
    give_up(place)
    (need,) = needs(place)
    assert all(round(value, 2) == value for value in (*need.origin, *need.destination))


def test_a_ride_that_everybody_declined_says_so(place: TestTerritory) -> None:
    request, volunteer = place.ask(back=None), place.volunteer()
    place.run_round({(request, "outbound"): (volunteer, "10:00")})
    offer = place.offer(request)
    with place.store() as store:
        decline_offer(store, store.get(Offer, offer.id), "personal", place.world)
    place.run_round({}, ((request, "outbound"),))
    go_to(place, "10:00")
    give_up(place)
    assert [need.cause for need in needs(place)] == ["ALL_DECLINED"]


def test_whoever_was_taken_there_is_not_given_up(place: TestTerritory) -> None:
    request, volunteer = place.ask(arrive="10:40", back="11:40"), place.volunteer()
    place.run_round({(request, "outbound"): (volunteer, "10:00")}, ((request, "return"),))
    accept(place, request)
    go_to(place, "11:35")
    assert give_up(place) == 0
    assert place.states(request) == ["confirmed", "standby"]


def test_whoever_can_do_with_one_way_is_told_about_the_other(place: TestTerritory) -> None:
    request, volunteer = place.ask(arrive="10:40", back="11:40", one_way_ok=True), place.volunteer()
    place.run_round({(request, "outbound"): (volunteer, "10:00")}, ((request, "return"),))
    accept(place, request)
    go_to(place, "10:30")
    assert give_up(place) == 1
    assert place.states(request) == ["confirmed", "unmet"]


def test_a_way_back_of_unknown_time_waits_for_a_call_and_is_planned_then(place: TestTerritory) -> None:
    request, volunteer = place.ask(back=None, return_open=True), place.volunteer()
    assert place.states(request) == ["pending", "on_call"]
    place.run_round({(request, "outbound"): (volunteer, "10:00")})
    accept(place, request)
    assert place.states(request) == ["confirmed", "on_call"]
    go_to(place, "11:50")
    with place.store() as store:
        bring_back(store, store.get(TripRequest, request), at("11:45"), place.world)
    assert place.states(request) == ["confirmed", "pending"]
    found = place.trip(request).request
    assert found.return_after == at("11:55")
    place.run_round({(request, "outbound"): (volunteer, "10:00"), (request, "return"): (volunteer, "12:00")})
    assert place.states(request) == ["confirmed", "offered"]


def test_a_call_is_heard_once_and_for_a_way_back_only(place: TestTerritory) -> None:
    one_way, open_return = place.ask(back=None), place.ask(back=None, return_open=True)
    go_to(place, "11:50")
    for request, error in ((one_way, BadInput), (open_return, None), (open_return, IllegalMove)):
        with place.store() as store:
            row = store.get(TripRequest, request)
            if error is None:
                bring_back(store, row, at("11:55"), place.world)
            else:
                with pytest.raises(error):
                    bring_back(store, row, at("11:55"), place.world)
    assert told(place, "will_call_heard") == 1


@pytest.mark.parametrize("ready", [at("09:00"), at("09:00") + dt.timedelta(days=3)])
def test_nobody_is_ready_before_the_ride_there_or_days_later(place: TestTerritory, ready: dt.datetime) -> None:
    request = place.ask(arrive="10:40", back=None, return_open=True)
    with pytest.raises(BadInput), place.store() as store:
        bring_back(store, store.get(TripRequest, request), ready, place.world)
    assert place.states(request) == ["pending", "on_call"]


def test_a_ride_cancelled_shortly_before_is_cancelled_late(place: TestTerritory) -> None:
    soon, later = place.ask(arrive="10:40", back=None), place.ask(arrive="15:00", back=None)
    first, second = place.volunteer(), place.volunteer()
    place.run_round({(soon, "outbound"): (first, "10:00"), (later, "outbound"): (second, "14:30")})
    for request in (soon, later):
        accept(place, request)
    go_to(place, "09:00")
    for request in (soon, later):
        with place.store() as store:
            cancel_trip(store, store.get(TripRequest, request), place.world)
    assert (place.states(soon), place.states(later)) == (["late_cancelled"], ["cancelled"])
    assert place.trip(soon).request.state == "cancelled"


def test_a_way_back_alone_can_be_given_up_and_the_volunteer_goes_on_with_the_way_there(place: TestTerritory) -> None:
    request, volunteer = place.ask(), place.volunteer()
    place.run_round({(request, "outbound"): (volunteer, "10:00"), (request, "return"): (volunteer, "11:40")})
    with place.store() as store:
        cancel_trip(store, store.get(TripRequest, request), place.world, Cancel(reason="other_transport", leg="return"))
    assert place.states(request) == ["pending", "cancelled"]
    with pytest.raises(IllegalMove), place.store() as store:
        cancel_trip(store, store.get(TripRequest, request), place.world, Cancel(leg="return"))


def test_a_request_is_closed_when_both_ways_are_over_and_solves_what_was_unmet(place: TestTerritory) -> None:
    person, goal = place.person(), place.point()
    first = place.ask(person, arrive="10:40", back=None, destination=goal)
    go_to(place, "10:00")
    give_up(place)
    second, volunteer = place.ask(person, arrive="15:00", back=None, destination=goal), place.volunteer()
    place.run_round({(second, "outbound"): (volunteer, "14:30")})
    accept(place, second)
    with place.store() as store:
        row = store.get(TripRequest, second)
        close_if_over(store, row, place.world)
        assert row.state == "accepted"
        store.move(store.legs_of([second])[second][0], "completed", place.world)
        close_if_over(store, row, place.world)
        assert row.state == "closed"
    assert [need.solved_by for need in needs(place)] == [second]
    assert place.trip(first).request.state == "closed"


def test_the_database_keeps_one_need_per_way(place: TestTerritory) -> None:
    place.ask(back=None)
    go_to(place, "10:00")
    give_up(place)
    (need,) = needs(place)
    values = {attribute.key: getattr(need, attribute.key) for attribute in sa.inspect(UnmetNeed).column_attrs}
    with place.store() as store:
        assert not store.add_unless_there(UnmetNeed(**(values | {"id": place.world.new_id()})))


def test_of_two_who_look_at_once_the_second_one_finds_nothing_to_do(place: TestTerritory) -> None:
    place.ask()
    go_to(place, "10:00")
    with place.database.read() as early:
        seen = Store(early, place.id).legs_in_want(at("12:00"))
    assert len(seen) == 2
    assert (give_up(place), give_up(place)) == (2, 0)


def test_a_way_back_that_stays_on_call_without_its_way_there_comes_to_a_humans_notice(place: TestTerritory) -> None:
    """Nobody was found for the way there, and one way alone would do: whoever went otherwise may call, and whoever did not is asked."""
    request = place.ask(arrive="10:40", back=None, return_open=True, one_way_ok=True)
    go_to(place, "09:11")
    assert give_up(place) == 1
    assert place.states(request) == ["unmet", "on_call"]
    listed = []
    for clock in ("13:30", "13:50"):
        go_to(place, clock)
        with place.store() as store:
            listed.append([(entry.kind, entry.request_id) for entry in needs_a_human(store, place.world)])
    assert listed == [[], [("not_called", request)]]
