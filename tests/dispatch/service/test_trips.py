"""What is refused at intake, in words that name the field and never the value; and what is taken."""

import datetime as dt
from uuid import uuid4

import pytest

from dispatch.errors import BadInput, Conflict, NotFound
from dispatch.model.day import Driver, Request
from dispatch.model.intake import NewAvailability, NewBeneficiary, NewTerritory, NewVolunteer
from dispatch.model.needs import NEEDS
from dispatch.service.people import (
    MOST_SPANS,
    add_availability,
    add_beneficiary,
    add_volunteer,
    make_territory,
    policy_of,
    refuse_pair,
)
from dispatch.storage.database import Database
from dispatch.storage.registry import Registry
from dispatch.storage.tables import TripRequest
from routing.network import RoadNetwork
from tests.dispatch.territories import DATE, TestTerritory, at

FAR = (2.9, 46.9)  # some 60 km from the demo's roads


@pytest.fixture
def place(sqlite: Database, demo_roads: RoadNetwork) -> TestTerritory:
    """A territory on SQLite."""
    return TestTerritory(sqlite, demo_roads)


def faults(caught: pytest.ExceptionInfo[BadInput]) -> dict[str, str]:
    return {fault.pointer: fault.code for fault in caught.value.faults}


def test_a_request_has_one_pending_leg_per_way(place: TestTerritory) -> None:
    assert place.states(place.ask()) == ["pending", "pending"]
    assert place.states(place.ask(back=None)) == ["pending"]


def test_the_service_day_is_the_local_one(place: TestTerritory) -> None:
    late = place.ask(arrive="00:20", back=None)  # 23:20 of the day before in UTC
    assert place.trip(late).request.service_date == DATE


@pytest.mark.parametrize(
    ("parts", "pointer", "code"),
    [
        ({"origin": FAR}, "origin", "far_from_roads"),
        ({"destination": FAR}, "destination", "far_from_roads"),
        ({"arrive_by": at("10:40", dt.date(2026, 11, 22)), "return_after": None}, "arrive_by", "past"),
        ({"arrive_by": at("10:40", dt.date(2028, 11, 22)), "return_after": None}, "arrive_by", "too_far_ahead"),
        ({"beneficiary_id": uuid4()}, "beneficiary_id", "unknown"),
    ],
)
def test_intake_names_the_field(place: TestTerritory, parts: dict[str, object], pointer: str, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        place.ask(**parts)  # type: ignore[arg-type]
    assert faults(caught) == {pointer: code}
    assert "46.9" not in str(caught.value)
    with place.store() as store:
        assert list(store.page(TripRequest, None, 10)) == []


def test_a_ride_to_where_one_is_makes_no_sense(place: TestTerritory) -> None:
    here = place.point()
    with pytest.raises(BadInput, match="destination"):
        place.ask(origin=here, destination=here)


def test_another_territorys_person_is_as_unknown_as_nobody(place: TestTerritory, sqlite: Database, demo_roads: RoadNetwork) -> None:
    other = TestTerritory(sqlite, demo_roads, "B", 2)
    with pytest.raises(BadInput) as caught:
        place.ask(other.person())
    assert faults(caught) == {"beneficiary_id": "unknown"}


def test_the_same_wish_twice_is_told_as_such(place: TestTerritory) -> None:
    person = place.person()
    place.ask(person)
    with pytest.raises(Conflict, match="already"):
        place.ask(person)
    place.ask(person, arrive="15:00", back=None)


def test_homes_far_from_roads_are_refused(place: TestTerritory) -> None:
    with pytest.raises(BadInput, match="home"), place.store() as store:
        add_beneficiary(store, NewBeneficiary(name="A", home=FAR), place.network, place.world)
    with pytest.raises(BadInput, match="home"), place.store() as store:
        add_volunteer(store, NewVolunteer(name="A", home=FAR), place.network, place.world)


def test_spans_of_one_volunteer_do_not_overlap_and_are_not_past(place: TestTerritory) -> None:
    volunteer = place.volunteer(span=("08:00", "12:00"))
    for begins, ends in (("11:00", "13:00"), ("09:00", "10:00"), ("07:00", "13:00")):
        with pytest.raises(Conflict), place.store() as store:
            add_availability(store, volunteer, NewAvailability(starts_at=at(begins), ends_at=at(ends)), place.world)
    with place.store() as store:
        add_availability(store, volunteer, NewAvailability(starts_at=at("12:00"), ends_at=at("18:00")), place.world)
    past = NewAvailability(starts_at=at("08:00", dt.date(2026, 1, 5)), ends_at=at("09:00", dt.date(2026, 1, 5)))
    with pytest.raises(BadInput, match="ends_at"), place.store() as store:
        add_availability(store, volunteer, past, place.world)


def test_availability_and_refusals_need_people_who_exist(place: TestTerritory) -> None:
    with pytest.raises(NotFound), place.store() as store:
        add_availability(store, uuid4(), NewAvailability(starts_at=at("08:00"), ends_at=at("09:00")), place.world)
    volunteer = place.volunteer()
    with pytest.raises(NotFound), place.store() as store:
        refuse_pair(store, volunteer, uuid4())


def test_territories_have_names_of_their_own(place: TestTerritory) -> None:
    with pytest.raises(Conflict, match="name"), place.database.write() as session:
        make_territory(Registry(session), NewTerritory(name="Pays d'essai"), place.world)


def test_a_policy_saved_before_a_choice_existed_takes_its_default(place: TestTerritory) -> None:
    with place.store() as store:
        territory = store.territory()
        territory.policy = {"cents_per_km": 40}
        assert (policy_of(territory).cents_per_km, policy_of(territory).snap_limit_metres) == (40, 500)


def test_a_volunteer_gives_as_many_spans_a_day_as_can_be_planned(place: TestTerritory) -> None:
    assert Driver.model_fields["shifts"].metadata[0].max_length == MOST_SPANS
    volunteer = place.volunteer(span=None)

    def give(day: dt.date, minutes: int) -> None:
        begins = at("00:00", day) + dt.timedelta(minutes=minutes)
        with place.store() as store:
            span = NewAvailability(starts_at=begins, ends_at=begins + dt.timedelta(minutes=30))
            add_availability(store, volunteer, span, place.world)

    for k in range(MOST_SPANS):
        give(DATE, 60 * k)
    with pytest.raises(BadInput) as caught:
        give(DATE, 60 * MOST_SPANS)
    assert faults(caught) == {"starts_at": "too_many"}
    give(DATE, 24 * 60)  # the next day
    assert len(place.snapshot().day.drivers[0].shifts) == MOST_SPANS


def test_a_person_may_have_every_need_twice_and_be_planned(place: TestTerritory) -> None:
    """Of the person and of the request. More than a day may hold would keep the whole day from being planned."""
    assert len(NEEDS) <= Request.model_fields["needs"].metadata[0].max_length
    place.ask(place.person(needs=list(NEEDS)), needs=list(NEEDS))
    assert set(place.snapshot().day.requests[0].needs) == set(NEEDS)
