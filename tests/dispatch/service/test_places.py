"""What a request says of the stay, of waiting, of children's seats, and how its places are found: kept, sealed, shown."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from dispatch.model.intake import NewTrip
from dispatch.service.offers import accept_offer
from dispatch.service.privacy import erase_person
from dispatch.service.run_sheet import show_runs
from dispatch.service.volunteer_day import load_sheets
from dispatch.storage.database import Database
from dispatch.storage.tables import Beneficiary, Offer, TripRequest
from dispatch.storage.vault import NOWHERE
from routing.network import RoadNetwork
from tests.dispatch.territories import DATE, NOW, TestTerritory, at

SAID = {"origin_label": "12 rue de l'Église", "origin_note": "Sonnez deux fois", "destination_label": "Hôpital, porte B"}


@pytest.fixture
def place(sqlite: Database, demo_roads: RoadNetwork) -> TestTerritory:
    return TestTerritory(sqlite, demo_roads)


def test_a_stay_makes_the_way_back_and_whoever_waits_drives_both_ways(place: TestTerritory) -> None:
    request = place.ask(back=None, stay_minutes=45, wait_at_destination=True, load_minutes=9)
    row = place.trip(request).request
    assert (row.return_after, row.same_driver) == (at("11:25"), "require")
    assert place.states(request) == ["pending", "pending"]
    (planned,) = place.snapshot().day.requests
    assert (planned.load_minutes, planned.unload_minutes, planned.same_driver, planned.wait) == (9, 2, "require", True)


def test_the_run_sheet_says_where_the_volunteer_waits_and_until_when(place: TestTerritory) -> None:
    volunteer, waited, fetched = place.volunteer(), place.ask(wait_at_destination=True), place.ask(arrive="15:40", back="16:40")
    clocks = {(waited, "outbound"): "10:30", (waited, "return"): "11:45", (fetched, "outbound"): "15:30", (fetched, "return"): "16:45"}
    place.run_round({way: (volunteer, clock) for way, clock in clocks.items()})
    with place.store() as store:
        for request in (waited, fetched):
            accept_offer(store, store.offers_of([request], "sent")[0], place.world)
    with place.store() as store:
        (sheet,) = load_sheets(store, DATE, place.world)
    assert [halt.stays_until for halt in sheet.halts] == [None, at("11:45"), *[None] * 6]


@pytest.mark.parametrize("parts", [{"wait_at_destination": True}, {"arrive_by": None, "depart_after": at("10:00"), "stay_minutes": 30}])
def test_a_stay_that_nobody_can_reckon_is_refused(place: TestTerritory, parts: dict[str, object]) -> None:
    wish = {"beneficiary_id": place.person(), "origin": place.point(), "destination": place.point(), "arrive_by": at("10:40")}
    with pytest.raises(ValidationError, match=r"wait_at_destination|stay_minutes"):
        NewTrip.model_validate(wish | parts)


def test_cars_with_too_few_seats_for_children_are_not_asked(place: TestTerritory) -> None:
    one, two, none = place.volunteer("A", child_seats=1), place.volunteer("B", child_seats=2), place.volunteer("C")
    place.ask(seats=3, child_seats=2)
    day = place.snapshot().day
    assert day.requests[0].needs == ("child_seat",)
    assert day.requests[0].refuses == (str(one),)
    able = {driver.id for driver in day.drivers if "child_seat" in driver.accepts_needs}
    assert able == {str(one), str(two)}
    assert str(none) not in able


def test_how_places_are_found_is_sealed_told_to_who_drives_and_lost_with_the_person(place: TestTerritory) -> None:
    person, volunteer = place.person(), place.volunteer()
    request = place.ask(person, **SAID)
    assert place.trip(request).places.origin_note == "Sonnez deux fois"
    with place.store() as store:
        sealed = store.get(TripRequest, request).places
    assert sealed is not None
    assert b"Sonnez" not in sealed
    place.run_round({(request, "outbound"): (volunteer, "10:00"), (request, "return"): (volunteer, "11:45")})
    offer = place.offer(request).id
    with place.store() as store:
        accept_offer(store, store.get(Offer, offer), place.world)
        (view,) = show_runs(store, store.runs_of(volunteer), NOW)
        ends = ("pickup", "dropoff", "home")
        told = {rider.leg.direction: tuple(rider.called(end) for end in ends) for rider in view.riders.values()}
    there, hospital = ("12 rue de l'Église", "Sonnez deux fois"), ("Hôpital, porte B", None)
    assert told == {"outbound": (there, hospital, (None, None)), "return": (hospital, there, (None, None))}
    place.world.advance(timedelta(days=3))
    with place.store() as store:
        erase_person(store, store.get(Beneficiary, person), place.world)
    assert place.trip(request).places == NOWHERE
    with place.store() as store:
        assert store.get(TripRequest, request).places is None
