"""Every way an offer can end, and what becomes of the ways it is about."""

from datetime import timedelta

import pytest

from dispatch.errors import Conflict, IllegalMove
from dispatch.service.offers import accept_offer, decline_offer, lapse_offer, show_offers, withdraw_offer
from dispatch.service.trips import cancel_trip
from dispatch.storage.database import Database
from dispatch.storage.tables import Offer, TripRequest
from routing.network import RoadNetwork
from tests.dispatch.territories import TestTerritory, at


@pytest.fixture
def place(sqlite: Database, demo_roads: RoadNetwork) -> TestTerritory:
    """A territory on SQLite."""
    return TestTerritory(sqlite, demo_roads)


def sent(place: TestTerritory) -> Offer:
    """An offer about both ways."""
    volunteer, request = place.volunteer(), place.ask()
    place.run_round({(request, "outbound"): (volunteer, "10:00"), (request, "return"): (volunteer, "12:00")})
    return place.offer(request)


def test_an_accepted_offer_confirms_both_ways(place: TestTerritory) -> None:
    offer = sent(place)
    with place.store() as store:
        accept_offer(store, store.get(Offer, offer.id), place.world)
    assert place.states(offer.request_id) == ["confirmed", "confirmed"]


def test_a_declined_offer_reopens_its_ways_and_forgets_the_volunteer(place: TestTerritory) -> None:
    offer = sent(place)
    with place.store() as store:
        decline_offer(store, store.get(Offer, offer.id), "too_far", place.world)
    trip = place.trip(offer.request_id)
    assert [(way.leg.state, way.assignment) for way in trip.legs] == [("pending", None), ("pending", None)]
    assert place.offers(offer.request_id, "declined")[0].decline_reason == "too_far"


def test_an_offer_that_lapses_ends_like_a_declined_one(place: TestTerritory) -> None:
    offer = sent(place)
    with place.store() as store:
        lapse_offer(store, store.get(Offer, offer.id), place.world)
    assert place.states(offer.request_id) == ["pending", "pending"]


def test_a_lapsed_offer_cannot_be_accepted_even_before_the_planner_has_noticed(place: TestTerritory) -> None:
    offer = sent(place)
    place.world.advance(timedelta(minutes=241))
    with pytest.raises(Conflict, match="lapsed"), place.store() as store:
        accept_offer(store, store.get(Offer, offer.id), place.world)
    assert place.states(offer.request_id) == ["offered", "offered"]


def test_an_offer_ends_before_the_first_pickup(place: TestTerritory) -> None:
    place.world.advance(timedelta(hours=25, minutes=-10))  # 9:50 in Paris on the day
    assert sent(place).expires_at == at("10:00")


@pytest.mark.parametrize("first", ["accept", "decline", "lapse", "withdraw"])
@pytest.mark.parametrize("second", ["accept", "decline", "lapse"])
def test_an_offer_is_answered_once(place: TestTerritory, first: str, second: str) -> None:
    offer = sent(place)

    def answer(how: str) -> None:
        with place.store() as store:
            row = store.get(Offer, offer.id)
            if how == "accept":
                accept_offer(store, row, place.world)
            elif how == "decline":
                decline_offer(store, row, "other", place.world)
            elif how == "lapse":
                lapse_offer(store, row, place.world)
            else:
                withdraw_offer(store, row, place.world)

    answer(first)
    before = place.states(offer.request_id)
    with pytest.raises(IllegalMove):
        answer(second)
    assert place.states(offer.request_id) == before


def test_cancelling_a_request_frees_those_who_were_asked_and_those_who_had_agreed(place: TestTerritory) -> None:
    one, other, request = place.volunteer("A"), place.volunteer("B"), place.ask()
    place.run_round({(request, "outbound"): (one, "10:00"), (request, "return"): (other, "12:00")})
    with place.store() as store:
        offers = store.offers_of([request], "sent")
        assert len(offers) == 2
        accept_offer(store, offers[0], place.world)
    with place.store() as store:
        cancel_trip(store, store.get(TripRequest, request), place.world)
    trip = place.trip(request)
    assert trip.request.state == "cancelled"
    assert [(way.leg.state, way.assignment) for way in trip.legs] == [("cancelled", None), ("cancelled", None)]
    assert {offer.state for offer in place.offers(request, "sent", "accepted", "withdrawn")} == {"withdrawn"}


def test_a_cancelled_request_stays_cancelled(place: TestTerritory) -> None:
    request = place.ask()
    for expected in (None, IllegalMove):
        with place.store() as store:
            row = store.get(TripRequest, request)
            if expected is None:
                cancel_trip(store, row, place.world)
            else:
                with pytest.raises(expected):
                    cancel_trip(store, row, place.world)


def test_a_closed_offer_still_shows_what_was_asked(place: TestTerritory) -> None:
    offer = sent(place)
    with place.store() as store:
        decline_offer(store, store.get(Offer, offer.id), "other", place.world)
    with place.store() as store:
        (view,) = show_offers(store, [store.get(Offer, offer.id)])
    assert [(leg.direction, told.told_pickup_at) for leg, told in view.rides] == [("outbound", at("10:00")), ("return", at("12:00"))]
