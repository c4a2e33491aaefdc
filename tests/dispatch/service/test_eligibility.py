"""Who may ask for rides: wherever a wish comes from it is held against what is written, and what goes beyond it is told to coordinators."""

import datetime as dt
import threading
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from dispatch.engine.feasibility import look
from dispatch.engine.flexible import choose
from dispatch.errors import BadInput
from dispatch.model.eligibility import NewEligibility
from dispatch.model.flexible import NewFlexible
from dispatch.model.intake import Cancel, NewTrip
from dispatch.model.series import NewSeries
from dispatch.service.attention import needs_a_human
from dispatch.service.eligibility import Standing, standing_of, withdraw_eligibility, write_eligibility
from dispatch.service.imports import import_sheet
from dispatch.service.privacy import erase_person
from dispatch.service.series import Outcome, begin_series
from dispatch.service.trips import BY_STAFF, Asker, cancel_trip, request_trip
from dispatch.storage.database import Database
from dispatch.storage.eligibility import EligibilityRows
from dispatch.storage.eligibility_tables import Eligibility
from dispatch.storage.series_tables import RideSeries
from dispatch.storage.tables import Beneficiary, TripRequest
from routing.network import RoadNetwork
from tests.dispatch.territories import NOW, TestTerritory, at

TODAY = NOW.date()  # a Monday, 23 November
REFERRER = Asker(staff=False, channel="prescriber")


def asking(database: Database, roads: RoadNetwork) -> TestTerritory:
    """A territory that asks for eligibility."""
    place = TestTerritory(database, roads)
    place.rule(eligibility={"rule": "asked"})
    return place


@pytest.fixture
def place(sqlite: Database, demo_roads: RoadNetwork) -> TestTerritory:
    return asking(sqlite, demo_roads)


def write(place: TestTerritory, person: UUID, **terms: Any) -> Standing:
    new = NewEligibility.model_validate({"kind": "unconditional", "proof": "paper"} | terms)
    with place.store() as store:
        return write_eligibility(store, store.get(Beneficiary, person), new, None, place.world)


def ask(place: TestTerritory, person: UUID, day: dt.date, asker: Asker = BY_STAFF, **parts: Any) -> UUID:
    return place.ask(person, arrive="10:40", asker=asker, arrive_by=at("10:40", day), return_after=None, **parts)


def refused(place: TestTerritory, person: UUID, day: dt.date, asker: Asker = BY_STAFF, **parts: Any) -> str:
    """The field of the refusal; nothing is kept of it."""
    before = rows(place)
    with pytest.raises(BadInput) as told:
        ask(place, person, day, asker, **parts)
    (fault,) = told.value.faults
    assert fault.code == "not_eligible"
    assert rows(place) == before
    return fault.pointer


def rows(place: TestTerritory) -> list[int]:
    with place.store() as store:
        tables = ("trip_request", "leg", "notice", "event", "series_date", "ride_series", "access")
        return [store.session.scalar(sa.text(f"SELECT count(*) FROM {name}")) or 0 for name in tables]  # noqa: S608


def series(place: TestTerritory, person: UUID, asker: Asker = BY_STAFF, **parts: Any) -> Outcome:
    """Every Thursday."""
    ends: dict[str, Any] = {"origin": place.point(), "destination": place.point(), "arrive_by": "10:40"}
    new = NewSeries(**({"beneficiary_id": person, "weekdays": (4,), "first_day": TODAY} | ends | parts))
    with place.store() as store:
        return begin_series(store, new, place.network, place.world, asker)


def listed(place: TestTerritory) -> list[tuple[str, UUID | None, str]]:
    with place.store() as store:
        return [(entry.kind, entry.person_id, entry.sentence) for entry in needs_a_human(store, place.world)]


def test_where_nobody_asks_for_it_everybody_may_ask_and_where_somebody_does_what_is_written_counts(place: TestTerritory) -> None:
    person = place.person()
    place.rule(eligibility={"rule": "none"})
    assert ask(place, person, TODAY + dt.timedelta(days=1))
    place.rule(eligibility={"rule": "asked"})
    tuesday, last = TODAY + dt.timedelta(days=8), TODAY + dt.timedelta(days=9)
    assert refused(place, person, tuesday) == refused(place, person, tuesday, REFERRER) == "beneficiary_id"
    write(place, person, kind="temporary", valid_until=last, purposes=("medical",), companion=True, proof="referrer")
    wish: dict[str, Any] = {"purpose": "medical", "seats": 2}
    assert refused(place, person, last + dt.timedelta(days=1), REFERRER, **wish) == "arrive_by"
    assert refused(place, person, last, purpose="grocery", seats=2) == "purpose"
    assert refused(place, person, last, purpose="medical") == "seats"
    assert ask(place, person, last, REFERRER, **wish)
    beyond = ask(place, person, last + dt.timedelta(days=1), override=True)
    with place.store() as store:
        assert store.get(TripRequest, beyond).override  # on record, and nobody is reminded of it
        assert standing_of(store, store.get(Beneficiary, person), place.world).rides_beyond == 0


def test_what_a_month_has_is_counted_by_its_day_and_what_came_to_nothing_is_not(place: TestTerritory) -> None:
    person = place.person()
    write(place, person, kind="conditional", rides_a_month=2)
    first = ask(place, person, dt.date(2026, 12, 1))
    ask(place, person, dt.date(2026, 12, 31))
    assert refused(place, person, dt.date(2026, 12, 15)) == "arrive_by"
    assert ask(place, person, dt.date(2026, 11, 30))
    assert ask(place, person, dt.date(2027, 1, 1))
    with place.store() as store:
        cancel_trip(store, store.get(TripRequest, first), place.world, Cancel())
    assert ask(place, person, dt.date(2026, 12, 15))


def test_every_other_way_to_ask_is_held_against_it_too(place: TestTerritory) -> None:
    person = place.person("Odette Marchand")
    places: dict[str, Any] = {"origin": place.point(), "destination": place.point()}
    write(place, person, kind="temporary", valid_until=TODAY + dt.timedelta(days=2))
    late = NewTrip(beneficiary_id=person, arrive_by=at("10:40", TODAY + dt.timedelta(days=4)), **places)
    with place.store() as store:
        answer = look(store, late, place.network, place.world, REFERRER)
        assert [obstacle.code for obstacle in answer.obstacles] == ["not_eligible"]
        assert not answer.feasible
        wish = NewFlexible(beneficiary_id=person, within_days=30, **places)
        assert choose(store, wish, place.network, place.world, REFERRER).moment.date() <= TODAY + dt.timedelta(days=2)
        with pytest.raises(BadInput) as told:
            choose(store, wish.model_copy(update={"weekdays": (5,)}), place.network, place.world, REFERRER)
        assert [(fault.pointer, fault.code) for fault in told.value.faults] == [("within_days", "not_eligible")]
        ends = ",".join(str(degrees) for end in places.values() for degrees in end)
        head = "beneficiary,origin_lon,origin_lat,destination_lon,destination_lat,date,arrive_by"
        sheet = f"{head}\nOdette Marchand,{ends},2026-11-27,10:40\n".encode()
        (line,) = import_sheet(store, "trip-requests", sheet, place.network, place.world).lines
        assert [fault.code for fault in line.faults] == ["not_eligible"]


def test_dates_of_a_series_beyond_it_are_said_at_once_and_asked_for_once_it_is_renewed(place: TestTerritory) -> None:
    person = place.person()
    with pytest.raises(BadInput) as told:
        series(place, person, REFERRER)
    assert [(fault.pointer, fault.code) for fault in told.value.faults] == [("beneficiary_id", "not_eligible")]
    write(place, person, kind="temporary", valid_until=dt.date(2026, 12, 10))
    made = series(place, person, REFERRER)
    assert [f"{date.day:%m-%d}" for date in made.made] == ["11-26", "12-03", "12-10"]
    assert [(f"{date.day:%m-%d}", date.reason) for date in made.not_made] == [("12-17", "not_eligible"), ("12-24", "not_eligible")]
    assert made.eligible_until == dt.date(2026, 12, 10)  # also where the first date after it is months away
    with pytest.raises(BadInput, match="first_day"):
        series(place, person, REFERRER, first_day=dt.date(2026, 12, 11), weekdays=(5,))
    assert listed(place) == [
        ("eligibility_ends", person, "Droit aux trajets jusqu'au 10/12 ; ensuite : une série. Renouvelez-le, ou prévenez la personne.")
    ]
    assert write(place, person, kind="temporary", valid_until=dt.date(2026, 12, 20)).taken_up == 1
    assert write(place, person).taken_up == 1
    assert listed(place) == []
    with place.store() as store:
        (row,) = store.page(RideSeries, None, 10)
        assert [date.reason for date in store.series_dates(row.id, TODAY).values()] == [None] * 5


def test_coordinators_are_told_before_it_ends_and_of_rides_that_stay_after_it(place: TestTerritory) -> None:
    person, other = place.person(), place.person("Paul Simon")
    write(place, person)
    write(place, other)
    request = ask(place, person, TODAY + dt.timedelta(days=40))
    ask(place, person, TODAY + dt.timedelta(days=41))
    ask(place, other, TODAY + dt.timedelta(days=3))
    assert listed(place) == []
    standing = write(place, person, kind="temporary", valid_until=TODAY + dt.timedelta(days=31))
    assert (standing.rides_beyond, listed(place)) == (2, [])  # said to whoever writes it; nobody needs to act yet
    place.world.advance(dt.timedelta(days=1))
    assert [(kind, who) for kind, who, _ in listed(place)] == [("eligibility_ends", person)]
    place.world.advance(dt.timedelta(days=31))
    assert [(kind, who) for kind, who, _ in listed(place)] == [("not_eligible", person)]
    with place.store() as store:
        assert store.get(TripRequest, request).state == "accepted"  # nothing is cancelled by itself
        withdraw_eligibility(store, store.get(Beneficiary, other), place.world)
        withdraw_eligibility(store, store.get(Beneficiary, other), place.world)
    assert [who for kind, who, _ in listed(place) if kind == "not_eligible"] == [person]  # the other's ride is of the past


def test_a_paper_is_not_seen_in_the_future_and_erasing_leaves_nothing(place: TestTerritory) -> None:
    person = place.person()
    with pytest.raises(BadInput, match="seen_on"):
        write(place, person, seen_on=TODAY + dt.timedelta(days=1))
    write(place, person, seen_on=TODAY)
    with place.store() as store:
        erase_person(store, store.file_of(person), place.world)
        assert store.session.scalars(sa.select(Eligibility)).all() == []


@pytest.mark.postgis
@pytest.mark.parametrize("held", [True, False])
def test_the_last_ride_of_a_month_is_given_once(
    held: bool, postgis: Database, demo_roads: RoadNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two at the same moment the second waits, and counts the first one's ride. Without that it would not."""
    place = asking(postgis, demo_roads)
    person = place.person()
    write(place, person, kind="conditional", rides_a_month=1)
    wish: dict[str, Any] = {"beneficiary_id": person, "origin": place.point(), "destination": place.point()}
    if not held:
        whole = EligibilityRows.eligibility
        monkeypatch.setattr(EligibilityRows, "eligibility", lambda store, who, **_: whole(store, who))
    became: list[str] = []

    def ask_too() -> None:
        try:
            ask(place, person, dt.date(2026, 12, 2))
            became.append("taken")
        except BadInput as error:
            became.append(error.faults[0].code)

    other = threading.Thread(target=ask_too)
    with place.store() as store:
        request_trip(store, NewTrip(arrive_by=at("10:40", dt.date(2026, 12, 1)), **wish), place.network, place.world)
        other.start()
        other.join(0.3 if held else 30)
        assert other.is_alive() == held
    other.join()
    assert became == ["not_eligible" if held else "taken"]
