"""How much and how far volunteers want to drive, and what their cars do: as the planner is told it (`service.day`)."""

import datetime as dt
from uuid import UUID

import pytest

from dispatch.model.day import Driver
from dispatch.model.intake import NewAvailability
from dispatch.model.needs import NEEDS
from dispatch.rules.fitness import km_between, met_needs
from dispatch.service.offers import accept_offer
from dispatch.service.people import add_availability
from dispatch.storage.database import Database
from dispatch.storage.tables import Run, Volunteer
from routing.network import RoadNetwork
from tests.dispatch.territories import DATE, TestTerritory, at

HERE = (2.4, 46.3)


@pytest.fixture
def place(sqlite: Database, demo_roads: RoadNetwork) -> TestTerritory:
    return TestTerritory(sqlite, demo_roads)


def driver(place: TestTerritory, volunteer: UUID) -> Driver:
    return next(driver for driver in place.snapshot().day.drivers if driver.id == str(volunteer))


def add_run(place: TestTerritory, volunteer: UUID, day: dt.date, km: int) -> None:
    """A run of another day with one ride that was agreed on, made like the one of the test day."""
    with place.store() as store:
        run = next(iter(store.runs_of(volunteer)))
        run.metres = km * 1000
        run.service_date = day


@pytest.mark.parametrize(
    ("day", "limits", "left"),
    [
        (DATE + dt.timedelta(days=1), {"max_km_week": 100.0}, (70.0, None)),
        (DATE + dt.timedelta(days=1), {"max_km_week": 100.0, "max_km": 50.0}, (50.0, None)),
        (DATE - dt.timedelta(days=1), {"max_km_week": 20.0}, (0.0, None)),
        (DATE + dt.timedelta(days=5), {"max_rides_week": 3}, (None, 2)),
        (DATE + dt.timedelta(days=6), {"max_rides_week": 3}, (None, 3)),  # the Monday after
        (DATE - dt.timedelta(days=2), {"max_rides_week": 3}, (None, 3)),  # the Sunday before
        (DATE, {"max_rides_week": 1}, (None, 1)),  # what the day itself holds is in it already
    ],
)
def test_what_other_days_of_the_week_hold_is_taken_off(
    place: TestTerritory, day: dt.date, limits: dict[str, float], left: tuple[float | None, int | None]
) -> None:
    volunteer, request = place.volunteer(**limits), place.ask(back=None)
    place.run_round({(request, "outbound"): (volunteer, "10:00")})
    with place.store() as store:
        accept_offer(store, store.offers_of([request], "sent")[0], place.world)
    add_run(place, volunteer, day, 30)
    found = driver(place, volunteer)
    assert (found.max_km, found.max_rides) == left


def test_a_run_knows_its_planned_kilometres(place: TestTerritory) -> None:
    volunteer, request = place.volunteer(), place.ask(back=None)
    place.run_round({(request, "outbound"): (volunteer, "10:00")})
    with place.store() as store:
        assert [run.metres for run in store.runs_of(volunteer)] == [1000]
        assert store.session.get(Run, store.runs_of(volunteer)[0].id) is not None


def test_who_lives_too_far_is_not_asked_about_a_ride(place: TestTerritory) -> None:
    near, anywhere = place.volunteer("Near", radius_km=1), place.volunteer("Anywhere")
    place.ask(back=None)
    with place.store() as store:
        home = store.get(Volunteer, near).home
    place.ask(arrive="15:00", back=None, origin=home, destination=(round(home[0] + 0.001, 6), home[1]))
    far, close = sorted(place.snapshot().day.requests, key=lambda request: request.arrive_by or "")
    assert (far.refuses, close.refuses) == ((str(near),), ())
    assert str(anywhere) not in far.refuses


def test_the_car_meets_needs_without_being_asked(place: TestTerritory) -> None:
    volunteer = place.volunteer(
        low_step=True, fold_wheelchair=True, front_seat=True, child_seats=1, wheelchair_places=1, accepts_needs=["cane"]
    )
    expected = {"cane", "low_step", "fold_wheelchair", "front_seat", "child_seat", "wheelchair_seated"}
    assert set(driver(place, volunteer).accepts_needs) == expected <= set(NEEDS)
    plain = place.volunteer(span=None)
    with place.store() as store:
        assert met_needs(store.get(Volunteer, plain)) == ()


@pytest.mark.parametrize(("wished", "counted"), [(None, 1), (16, 0), (4, 2), (1, 8)])
def test_who_wishes_for_more_rides_has_driven_less(place: TestTerritory, wished: int | None, counted: int) -> None:
    volunteer, request = place.volunteer(wished_rides=wished, max_duty_minutes=120), place.ask(back=None)
    place.run_round({(request, "outbound"): (volunteer, "10:00")})
    with place.store() as store:
        accept_offer(store, store.offers_of([request], "sent")[0], place.world)
        later = DATE + dt.timedelta(days=7)
        add_availability(store, volunteer, NewAvailability(starts_at=at("08:00", later), ends_at=at("18:00", later)), place.world)
    (found,) = place.snapshot(later).day.drivers
    assert (found.recent_rides, found.max_duty_minutes) == (counted, 120)


def test_distances_are_those_of_the_earth() -> None:
    assert km_between(HERE, HERE) == 0
    assert km_between((2.3522, 48.8566), (4.8357, 45.7640)) == pytest.approx(391.5, abs=1)  # Paris, Lyon
    assert km_between((0, 0), (180, 0)) == pytest.approx(20015, abs=1)
