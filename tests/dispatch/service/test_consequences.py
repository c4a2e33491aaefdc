"""What a change of a volunteer does to rides that are planned and agreed on: reopened at once, as few as can be, and people are told."""

import datetime as dt
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from dispatch.errors import Conflict
from dispatch.model.intake import ChangedVolunteer, NewAvailability, NewVolunteer
from dispatch.model.volunteering import Hours, NewAbsence, NewCredential, RefusedPaper, Verified, WeeklyGrid
from dispatch.rules.availability import covers
from dispatch.service import consequences, engagements
from dispatch.service.availability import free_spans
from dispatch.service.consequences import TouchedRide
from dispatch.service.credentials import end_papers, hand_in, refuse, verify
from dispatch.service.engagements import (
    be_absent,
    be_free_no_more,
    change_volunteer,
    change_weekly_hours,
    keep_apart,
    step_engagement,
)
from dispatch.service.offers import accept_offer
from dispatch.service.people import add_availability, add_volunteer
from dispatch.service.rounds import save_round
from dispatch.storage.database import Database
from dispatch.storage.notice_tables import Notice
from dispatch.storage.store import Store
from dispatch.storage.tables import Assignment, Run, Volunteer
from routing.network import RoadNetwork
from tests.dispatch.territories import DATE, TestTerritory, at, make_plan

BLOCKING = {"credentials": {"kinds": [{"code": "licence", "fr": "Permis", "en": "Licence", "blocking": True, "warn_days": 10}]}}


@pytest.fixture
def place(database: Database, demo_roads: RoadNetwork) -> TestTerritory:
    return TestTerritory(database, demo_roads)


def agreed(place: TestTerritory, volunteer: UUID, person: UUID | None = None, **parts: Any) -> UUID:
    """A request whose ways, at 10:00 and 15:00, this volunteer has agreed to drive."""
    request = place.ask(person, back="14:50", **parts)
    place.run_round({(request, "outbound"): (volunteer, "10:00"), (request, "return"): (volunteer, "15:00")})
    with place.store() as store:
        accept_offer(store, store.offers_of([request], "sent")[0], place.world)
    return request


def notices(place: TestTerritory, kind: str) -> list[Notice]:
    with place.store() as store:
        return list(store.session.scalars(sa.select(Notice).where(Notice.kind == kind)))


Change = Callable[[TestTerritory, Store, Volunteer, UUID], list[TouchedRide]]
MONDAY_ONLY = WeeklyGrid(hours=(Hours(weekday=1, starts="08:00", ends="12:00"),))
#: What may happen to a volunteer who has agreed to drive a person both ways; which ways are open again.
CHANGES: dict[str, tuple[Change, list[str]]] = {
    "away all day": (
        lambda p, s, v, _: be_absent(s, v, NewAbsence(first_day=DATE), p.world)[1],
        ["pending", "pending"],
    ),
    "away in the afternoon": (
        lambda p, s, v, _: be_absent(s, v, NewAbsence(starts_at=at("14:00"), ends_at=at("18:00")), p.world)[1],
        ["confirmed", "pending"],
    ),
    "away another day": (
        lambda p, s, v, _: be_absent(s, v, NewAbsence(first_day=DATE + dt.timedelta(days=1)), p.world)[1],
        ["confirmed", "confirmed"],
    ),
    "away at noon, between the rides": (
        lambda p, s, v, _: be_absent(s, v, NewAbsence(starts_at=at("12:15"), ends_at=at("12:45")), p.world)[1],
        ["confirmed", "confirmed"],
    ),
    "a span taken back": (
        lambda p, s, v, _: be_free_no_more(s, v, s.availabilities_of(v.id)[0], p.world),
        ["pending", "pending"],
    ),
    "weekly hours that have nothing to do with it": (
        lambda p, s, v, _: change_weekly_hours(s, v, MONDAY_ONLY, p.world)[1],
        ["confirmed", "confirmed"],
    ),
    "suspended": (lambda p, s, v, _: step_engagement(s, v, "suspended", p.world), ["pending", "pending"]),
    "left": (lambda p, s, v, _: step_engagement(s, v, "left", p.world), ["pending", "pending"]),
    "refused by one side": (lambda p, s, v, person: keep_apart(s, v, person, p.world), ["pending", "pending"]),
    "no walkers any more": (
        lambda p, s, v, _: change_volunteer(s, v, ChangedVolunteer(name="J", home=v.home, active=True), p.network, p.world),
        ["pending", "pending"],
    ),
    "another name": (
        lambda p, s, v, _: change_volunteer(
            s, v, ChangedVolunteer(name="J", home=v.home, active=True, accepts_needs=("walker",)), p.network, p.world
        ),
        ["confirmed", "confirmed"],
    ),
    "a radius of a kilometre": (
        lambda p, s, v, _: change_volunteer(
            s, v, ChangedVolunteer(name="J", home=v.home, active=True, accepts_needs=("walker",), radius_km=1), p.network, p.world
        ),
        ["pending", "pending"],
    ),
    "put to rest by the file": (
        lambda p, s, v, _: change_volunteer(
            s, v, ChangedVolunteer(name="J", home=v.home, active=False, accepts_needs=("walker",)), p.network, p.world
        ),
        ["pending", "pending"],
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_cannot_be_driven_any_more_is_open_again_and_nothing_else(place: TestTerritory, what: str) -> None:
    change, expected = CHANGES[what]
    volunteer, person = place.volunteer(accepts_needs=["walker"]), place.person(needs=["walker"])
    request = agreed(place, volunteer, person)
    with place.store() as store:
        touched = change(place, store, store.get(Volunteer, volunteer), person)
    assert place.states(request) == expected
    assert [ride.direction for ride in touched] == [
        way for way, state in zip(("outbound", "return"), expected, strict=True) if state != "confirmed"
    ]
    told = notices(place, "legs_reopened")
    legs = place.trip(request).legs
    assert [notice.facts["legs"] for notice in told] == ([[str(ride.leg_id) for ride in touched]] if touched else [])
    assert len(notices(place, "offer_withdrawn")) == bool(touched)
    offers = {offer.state for offer in place.offers(request, "accepted", "withdrawn")}
    assert offers == ({"withdrawn"} if expected == ["pending", "pending"] else {"accepted"})
    assert [way.assignment is not None for way in legs] == [state == "confirmed" for state in expected]


@pytest.mark.parametrize("what", CHANGES)
def test_a_dry_run_says_the_same_and_changes_nothing(place: TestTerritory, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    change, expected = CHANGES[what]
    volunteer, person = place.volunteer(accepts_needs=["walker"]), place.person(needs=["walker"])
    request = agreed(place, volunteer, person)

    def dry(*parts: Any, **_: Any) -> Any:
        return consequences.change_and_look(*parts, dry_run=True)

    monkeypatch.setattr(engagements, "change_and_look", dry)
    with place.store() as store:
        row = store.get(Volunteer, volunteer)
        touched = change(place, store, row, person)
        assert (row.active, row.engagement) == (True, "active")
    assert len(touched) == expected.count("pending")
    assert place.states(request) == ["confirmed", "confirmed"]
    assert notices(place, "legs_reopened") == []
    with place.store() as store:
        assert list(store.absences_of(volunteer)) == list(store.weekly_hours(volunteer)) == list(store.refusals_of(volunteer)) == []
        assert len(store.availabilities_of(volunteer)) == 1


def test_a_question_that_does_not_fit_any_more_is_taken_back_whole(place: TestTerritory) -> None:
    volunteer, request = place.volunteer(), place.ask(back="14:50")
    place.run_round({(request, "outbound"): (volunteer, "10:00"), (request, "return"): (volunteer, "15:00")})
    with place.store() as store:
        be_absent(store, store.get(Volunteer, volunteer), NewAbsence(starts_at=at("14:00"), ends_at=at("18:00")), place.world)
    assert place.states(request) == ["pending", "pending"]
    assert place.offers(request) == []


def test_ways_that_need_the_same_volunteer_go_together(place: TestTerritory) -> None:
    volunteer = place.volunteer()
    request = agreed(place, volunteer, same_driver="require")
    with place.store() as store:
        afternoon = NewAbsence(starts_at=at("14:00"), ends_at=at("18:00"))
        touched = be_absent(store, store.get(Volunteer, volunteer), afternoon, place.world)[1]
    assert [ride.reason for ride in touched] == ["together", "away"]
    assert place.states(request) == ["pending", "pending"]


def test_a_run_under_way_is_not_broken(place: TestTerritory) -> None:
    volunteer = place.volunteer()
    request = agreed(place, volunteer)
    with place.store() as store:
        run = store.session.scalars(sa.select(Run).where(Run.state == "planned")).one()
        for state in ("published", "started"):
            store.move(run, state, place.world)
    person = place.trip(request).request.beneficiary_id
    for change in ("away all day", "suspended", "refused by one side"):
        with pytest.raises(Conflict, match="on the way"), place.store() as store:
            CHANGES[change][0](place, store, store.get(Volunteer, volunteer), person)
    assert place.states(request) == ["confirmed", "confirmed"]
    with place.store() as store:
        assert list(store.absences_of(volunteer)) == []
        assert store.get(Volunteer, volunteer).active


def test_what_was_driven_in_the_morning_stays_when_the_afternoon_is_called_off(place: TestTerritory) -> None:
    volunteer = place.volunteer()
    request = agreed(place, volunteer)
    place.world.advance(at("12:00") - place.world.now())
    with place.store() as store:
        store.move(store.legs_of([request])[request][0], "completed", place.world)
        be_absent(store, store.get(Volunteer, volunteer), NewAbsence(starts_at=at("13:00"), ends_at=at("18:00")), place.world)
    assert place.states(request) == ["completed", "pending"]


def test_who_goes_away_while_a_plan_is_made_is_not_asked(place: TestTerritory) -> None:
    volunteer, other = place.volunteer(), place.volunteer()
    request, second = place.ask(back=None), place.ask(arrive="15:00", back=None)
    snapshot = place.snapshot()
    with place.store() as store:
        be_absent(store, store.get(Volunteer, volunteer), NewAbsence(first_day=DATE), place.world)
    plan = make_plan({(request, "outbound"): (volunteer, "10:00"), (second, "outbound"): (other, "14:30")})
    with place.database.write("solver") as session:
        assert save_round(Store(session, place.id), snapshot, plan, 240, place.world)  # to be planned again
    assert (place.states(request), place.states(second)) == (["pending"], ["offered"])


def test_the_database_gives_no_ride_to_who_is_away_or_not_active(place: TestTerritory) -> None:
    """The guard behind the one above: a plan that looked too early."""
    volunteer = place.volunteer()
    request = agreed(place, volunteer)
    with place.store() as store:
        ride = store.session.scalars(sa.select(Assignment)).first()
        assert ride
        be_absent(store, store.get(Volunteer, volunteer), NewAbsence(first_day=DATE), place.world)
    columns = {
        name: getattr(ride, name) for name in ("leg_id", "volunteer_id", "round_id", "run_id", "told_pickup_at", "pickup_at", "dropoff_at")
    }

    def give() -> None:
        with place.store() as store:
            store.add(Assignment(id=place.world.new_id(), active=True, **columns))

    with pytest.raises(Conflict):
        give()
    with place.database._engine.begin() as connection:
        kind = connection.dialect.name
        connection.exec_driver_sql(
            "DROP TRIGGER keep_available ON assignment" if kind == "postgresql" else "DROP TRIGGER assignment_keep_available"
        )
    give()
    assert place.states(request) == ["pending", "pending"]


def test_active_and_engagement_cannot_differ(place: TestTerritory) -> None:
    volunteer = place.volunteer(span=None)

    def differ() -> None:
        with place.store() as store:
            store.session.execute(sa.update(Volunteer).values(active=False))

    with pytest.raises(Conflict):
        differ()
    with place.database._engine.begin() as connection:
        kind = connection.dialect.name
        connection.exec_driver_sql("DROP TRIGGER in_step ON volunteer" if kind == "postgresql" else "DROP TRIGGER volunteer_in_step_update")
    differ()
    with place.store() as store:
        row = store.get(Volunteer, volunteer)
        assert (row.active, row.engagement) == (False, "active")


def with_licence(place: TestTerritory, volunteer: UUID, expires: dt.date | None) -> None:
    with place.store() as store:
        store.territory().rules = BLOCKING
        paper = hand_in(store, store.get(Volunteer, volunteer), NewCredential(kind="licence", expires_on=expires), place.world)
        verify(store, paper, Verified(), None, place.world)


@pytest.mark.parametrize(
    ("expires", "planned"), [(None, True), (DATE + dt.timedelta(days=1), True), (DATE, False), ("missing", False), ("waiting", False)]
)
def test_nobody_is_planned_on_a_day_that_a_blocking_paper_does_not_cover(place: TestTerritory, expires: Any, planned: bool) -> None:
    volunteer = place.volunteer()
    place.ask(back=None)
    with place.store() as store:
        store.territory().rules = BLOCKING
    if expires == "waiting":
        with place.store() as store:
            hand_in(store, store.get(Volunteer, volunteer), NewCredential(kind="licence"), place.world)
    elif expires != "missing":
        with_licence(place, volunteer, expires)
    assert [driver.id for driver in place.snapshot().day.drivers] == ([str(volunteer)] if planned else [])


def test_a_span_over_midnight_ends_with_the_paper(place: TestTerritory) -> None:
    """A credential that expires in mid-run: the run would have to be over before."""
    volunteer = place.volunteer(span=None)
    midnight = DATE + dt.timedelta(days=1)
    with place.store() as store:
        add_availability(store, volunteer, NewAvailability(starts_at=at("20:00"), ends_at=at("02:00", midnight)), place.world)
    with_licence(place, volunteer, midnight)
    with place.store() as store:
        spans = free_spans(store, DATE)[volunteer]
    assert spans == [(at("20:00"), at("00:00", midnight))]
    assert not covers(spans, at("23:30"), at("00:30", midnight))


def test_a_paper_that_ends_is_told_of_before_and_opens_rides_when_it_has(place: TestTerritory) -> None:
    volunteer = place.volunteer()
    with_licence(place, volunteer, DATE + dt.timedelta(days=1))
    request = agreed(place, volunteer)
    for _ in range(2):
        with place.store() as store:
            assert end_papers(store, place.world) == 0
    assert len(notices(place, "credential_expiring")) == 1
    with place.store() as store:  # it turns out to be somebody else's
        paper = store.credentials_of(volunteer, "valid")[0]
        _, touched = refuse(store, paper, RefusedPaper(reason="other_person").reason, place.world)
    assert len(touched) == 2
    assert place.states(request) == ["pending", "pending"]


def test_papers_end_by_the_clock_and_never_twice(place: TestTerritory) -> None:
    volunteer = place.volunteer()
    with_licence(place, volunteer, DATE)
    place.world.advance(at("00:00") - place.world.now() - dt.timedelta(seconds=1))
    with place.store() as store:
        assert end_papers(store, place.world) == 0
    place.world.advance(dt.timedelta(seconds=1))  # midnight on the wall of the territory
    for expected in (1, 0):
        with place.store() as store:
            assert end_papers(store, place.world) == expected
    assert len(notices(place, "credential_expired")) == 1
    with place.store() as store:
        assert [paper.state for paper in store.credentials_of(volunteer)] == ["expired"]


def test_a_newer_paper_replaces_the_one_before(place: TestTerritory) -> None:
    volunteer = place.volunteer()
    with_licence(place, volunteer, DATE + dt.timedelta(days=5))
    place.world.advance(dt.timedelta(minutes=1))
    with_licence(place, volunteer, DATE + dt.timedelta(days=500))
    with place.store() as store:
        assert [paper.state for paper in store.credentials_of(volunteer)] == ["valid", "replaced"]


def test_an_application_is_not_planned_until_it_is_active(place: TestTerritory) -> None:
    place.ask(back=None)
    with place.store() as store:
        new = NewVolunteer(name="Nouvelle", home=place.point(), apply=True)
        row = add_volunteer(store, new, place.network, place.world)
        grid = WeeklyGrid(hours=tuple(Hours(weekday=day, starts="08:00", ends="18:00") for day in range(1, 8)))
        change_weekly_hours(store, row, grid, place.world)
        volunteer = row.id
    assert place.snapshot().day.drivers == ()
    with place.store() as store:
        for step in ("vetting", "active"):
            step_engagement(store, store.get(Volunteer, volunteer), step, place.world)  # type: ignore[arg-type]
        events = [(event.before, event.after) for event in store.events(volunteer)]
    assert events == [("applied", "vetting"), ("vetting", "active")]
