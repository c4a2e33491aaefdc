"""A wish whose day does not matter: it is put on the first day on which somebody can drive it, within what was said."""

import datetime as dt

import pytest

from dispatch.engine import flexible
from dispatch.engine.flexible import choose
from dispatch.errors import BadInput
from dispatch.model.flexible import TIMES, NewFlexible
from dispatch.model.intake import NewAvailability, NewTrip
from dispatch.service.people import add_availability, rules_of
from dispatch.service.trips import BY_STAFF, Asker
from dispatch.storage.database import Database
from routing.network import RoadNetwork
from tests.dispatch.territories import TestTerritory, at

THURSDAY = dt.date(2026, 11, 26)  # today is Monday, the 23rd


@pytest.fixture
def place(sqlite: Database, demo_roads: RoadNetwork) -> TestTerritory:
    return TestTerritory(sqlite, demo_roads)


def free(place: TestTerritory, day: dt.date, starts: str, ends: str) -> None:
    volunteer = place.volunteer(span=None)
    with place.store() as store:
        add_availability(store, volunteer, NewAvailability(starts_at=at(starts, day), ends_at=at(ends, day)), place.world)


def chosen(place: TestTerritory, asker: Asker = BY_STAFF, **parts: object) -> NewTrip:
    wish = {"beneficiary_id": place.person(), "origin": place.point(), "destination": place.point(), "within_days": 7} | parts
    with place.store() as store:
        return choose(store, NewFlexible(**wish), place.network, place.world, asker)  # type: ignore[arg-type]


def test_the_first_day_on_which_somebody_can_is_taken_with_its_way_back(place: TestTerritory) -> None:
    free(place, THURSDAY, "08:00", "18:00")
    trip = chosen(place, stay=45)
    assert trip.moment.date() == THURSDAY
    assert trip.return_after == trip.moment + dt.timedelta(minutes=45)


def test_the_part_of_the_day_is_kept_to(place: TestTerritory) -> None:
    free(place, THURSDAY, "08:00", "12:30")
    free(place, THURSDAY + dt.timedelta(days=1), "12:30", "19:00")
    trip = chosen(place, part_of_day="afternoon")
    assert trip.moment in {at(clock, THURSDAY + dt.timedelta(days=1)) for clock in TIMES["afternoon"]}


def test_where_nobody_can_the_last_day_is_asked_for_so_that_every_round_tries_again(place: TestTerritory) -> None:
    trip = chosen(place)
    assert trip.moment.date() == dt.date(2026, 11, 30)


def test_after_some_seconds_no_further_day_is_looked_at(place: TestTerritory, monkeypatch: pytest.MonkeyPatch) -> None:
    free(place, THURSDAY, "08:00", "18:00")
    monkeypatch.setattr(flexible, "MOST_S", 0.0)
    assert chosen(place).moment.date() == dt.date(2026, 11, 30)


def test_a_territory_that_takes_nothing_so_soon_says_so(place: TestTerritory) -> None:
    with place.store() as store:
        rules = rules_of(store.territory())
        booking = rules.booking.model_copy(update={"notice_minutes": 43_200})
        store.territory().rules = rules.model_copy(update={"booking": booking}).model_dump(mode="json")
    with pytest.raises(BadInput) as told:
        chosen(place, asker=Asker(actor_id=None, staff=False, channel="web"))
    assert told.value.faults[0].pointer == "within_days"
