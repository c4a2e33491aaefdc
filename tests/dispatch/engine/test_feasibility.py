"""« Est-ce possible ? »: whether, with whom, why not, and what instead; nothing is kept, and what is said is true when it is asked for."""

import datetime as dt
import time
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from dispatch.engine import feasibility
from dispatch.engine.entrust import entrust
from dispatch.engine.feasibility import Answer, look
from dispatch.errors import BadInput
from dispatch.model.entrusting import Entrust
from dispatch.model.feasibility import Alternative
from dispatch.model.intake import NewAvailability, NewTrip
from dispatch.service.demo import fill_demo
from dispatch.service.people import add_availability
from dispatch.service.trips import BY_STAFF, Asker, request_trip
from dispatch.storage.database import Database
from dispatch.storage.store import Store
from dispatch.storage.tables import Leg, TripRequest
from dispatch.world import FixedWorld
from routing.network import RoadNetwork
from tests.dispatch.territories import DATE, NOW, TestTerritory, at


@pytest.fixture
def place(sqlite: Database, demo_roads: RoadNetwork) -> TestTerritory:
    """A territory on SQLite."""
    return TestTerritory(sqlite, demo_roads)


def wish(place: TestTerritory, person: UUID | None = None, arrive: str = "10:40", back: str | None = "11:40", **parts: Any) -> NewTrip:
    """A wish on the test day."""
    given = {"beneficiary_id": person or place.person(), "origin": place.point(), "destination": place.point(), "arrive_by": at(arrive)}
    return NewTrip(**{**given, "return_after": at(back) if back else None, **parts})


def ask(place: TestTerritory, new: NewTrip, asker: Asker = BY_STAFF) -> Answer:
    with place.database.read() as session:
        return look(Store(session, place.id), new, place.network, place.world, asker)


def by_kind(answer: Answer) -> dict[str, list[Alternative]]:
    found: dict[str, list[Alternative]] = {}
    for one in answer.alternatives:
        found.setdefault(one.kind, []).append(one)
    return found


def keep(place: TestTerritory, new: NewTrip) -> UUID:
    with place.store() as store:
        return request_trip(store, new, place.network, place.world).id


def give(place: TestTerritory, request: UUID, volunteer: UUID, both_ways: bool = True) -> None:
    leg = place.trip(request).legs[0].leg.id
    with place.store() as store:
        given = Entrust(volunteer_id=volunteer, both_ways=both_ways)
        entrust(store, store.get(Leg, leg), given, 240, place.network, place.world)


def test_whoever_is_named_can_be_asked_and_nothing_was_kept(place: TestTerritory) -> None:
    volunteers = {place.volunteer("A"), place.volunteer("B")}
    place.volunteer("C", ("14:00", "18:00"))
    new = wish(place)
    answer = ask(place, new)
    assert answer.feasible
    assert {helper.volunteer_id for helper in answer.helpers} == volunteers
    assert [helper.ways for helper in answer.helpers] == [("outbound", "return")] * 2
    assert all(at("08:00") <= helper.leaves_home < at("10:40") for helper in answer.helpers)
    kilometres = [helper.km for helper in answer.helpers]
    assert kilometres == sorted(kilometres)
    assert answer.helpers[0].minutes > 60  # there, waiting, and back
    assert (answer.why, answer.alternatives, answer.others_waiting) == ((), (), 0)
    with place.store() as store:
        assert store.page(TripRequest, None, 10) == []
    request = keep(place, new)
    give(place, request, answer.helpers[0].volunteer_id)
    assert place.states(request) == ["offered", "offered"]


def test_two_volunteers_may_share_a_wish_unless_it_must_be_the_same_one(place: TestTerritory) -> None:
    morning, noon = place.volunteer("A", ("06:00", "12:00")), place.volunteer("B", ("10:45", "16:00"))
    new = wish(place, back="12:30")
    answer = ask(place, new)
    assert answer.feasible
    assert [(helper.volunteer_id, helper.ways) for helper in answer.helpers] == [(morning, ("outbound",)), (noon, ("return",))]
    strict = ask(place, new.model_copy(update={"same_driver": "require"}))
    assert not strict.feasible
    assert {one.direction for one in by_kind(strict)["one_way"]} == {"outbound", "return"}


def test_who_was_told_something_is_not_named_for_the_same_time(place: TestTerritory) -> None:
    volunteer = place.volunteer(max_rides=2)
    give(place, place.ask(), volunteer)
    answer = ask(place, wish(place))
    assert not answer.feasible
    assert [why.direction for why in answer.why] == ["outbound", "return"]
    assert not by_kind(answer).get("other_time")  # no time of that day helps: the rides of the day are used up


def test_why_is_said_of_the_wish_and_not_of_rides_that_cannot_be_driven_as_told(place: TestTerritory) -> None:
    volunteer, other = place.volunteer(), place.ask()
    place.run_round({(other, "outbound"): (volunteer, "08:01"), (other, "return"): (volunteer, "08:02")})
    assert [why.direction for why in ask(place, wish(place)).why] == ["outbound", "return"]


def test_each_alternative_works_when_it_is_asked_for(place: TestTerritory) -> None:
    volunteer = place.volunteer("A", ("12:00", "17:00"))
    tomorrow = DATE + dt.timedelta(days=1)
    with place.store() as store:
        span = NewAvailability(starts_at=at("08:00", tomorrow), ends_at=at("18:00", tomorrow))
        add_availability(store, volunteer, span, place.world)
    new = wish(place, arrive="12:15", back="13:30")
    answer = ask(place, new)
    found = by_kind(answer)
    assert not answer.feasible
    assert set(found) == {"one_way", "volunteer_more", "other_time", "other_day"}
    assert [one.direction for one in found["one_way"]] == ["return"]
    (more,) = found["volunteer_more"]
    assert more.volunteer_id == volunteer
    assert more.minutes is not None
    assert 5 <= more.minutes <= 180
    assert "peut commencer dès" in more.sentence
    (later,) = found["other_time"]
    assert later.arrive_by is not None
    assert at("12:15") < later.arrive_by <= at("15:15")
    (day,) = found["other_day"]
    assert (day.arrive_by, day.return_after) == (at("12:15", tomorrow), at("13:30", tomorrow))
    for one in (day, later):
        other = new.model_copy(update={"arrive_by": one.arrive_by, "return_after": one.return_after})
        assert ask(place, other).feasible
        request = keep(place, other)
        give(place, request, one.helpers[0].volunteer_id)
        assert place.states(request) == ["offered", "offered"]


def test_without_the_checker_s_word_nobody_is_named(place: TestTerritory, monkeypatch: pytest.MonkeyPatch) -> None:
    place.volunteer()
    new = wish(place)
    assert ask(place, new).feasible
    monkeypatch.setattr(feasibility, "check_plan", lambda *_: ["something is wrong"])
    answer = ask(place, new)
    assert not answer.feasible
    assert (answer.helpers, answer.alternatives) == ((), ())


def test_rules_that_say_no_are_told_with_until_when_it_was_possible_and_alternatives_keep_to_them(place: TestTerritory) -> None:
    volunteer = place.volunteer()
    for days in range(1, 4):
        day = DATE + dt.timedelta(days=days)
        with place.store() as store:
            add_availability(store, volunteer, NewAvailability(starts_at=at("08:00", day), ends_at=at("18:00", day)), place.world)
    place.rule(booking={"notice_minutes": 2880, "weekdays": [1, 3, 4]})  # the test day is a Tuesday
    new = wish(place)
    answer = ask(place, new)
    assert [(o.code, o.possible_until) for o in answer.obstacles] == [("short_notice", at("10:40") - dt.timedelta(days=2))]
    assert answer.together
    assert not answer.feasible
    assert [one.arrive_by for one in answer.alternatives] == [at("10:40", DATE + dt.timedelta(days=n)) for n in (2, 3)]
    with pytest.raises(BadInput):
        keep(place, new)
    assert ask(place, new.model_copy(update={"override": True})).feasible
    stranger = Asker(staff=False, channel="web")
    with pytest.raises(BadInput):
        ask(place, new.model_copy(update={"override": True}), stranger)


def test_nobody_is_given_a_second_ride_at_once_and_the_way_around_it_is_told(place: TestTerritory) -> None:
    place.volunteer("A", ("06:00", "20:00"))
    person = place.person()
    place.ask(person)
    answer = ask(place, wish(place, person, arrive="11:00", back="11:30"))
    assert [obstacle.code for obstacle in answer.obstacles] == ["another_ride"]
    assert answer.others_waiting == 2
    for one in by_kind(answer)["other_time"]:
        assert one.arrive_by is not None
        assert one.return_after is not None
        assert one.return_after < at("10:40") or one.arrive_by > at("11:40")


def test_an_unknown_person_is_refused_as_in_a_request(place: TestTerritory) -> None:
    with pytest.raises(BadInput) as caught:
        ask(place, wish(place, UUID(int=7)))
    assert [(fault.pointer, fault.code) for fault in caught.value.faults] == [("beneficiary_id", "unknown")]


@pytest.mark.slow
def test_on_the_demo_s_day_an_answer_takes_less_than_a_second(sqlite: Database, demo_roads: RoadNetwork) -> None:
    """60 ways, 26 volunteers; half of the wishes cannot be, which takes longest: all alternatives are looked for."""
    world = FixedWorld(NOW)
    demo = fill_demo(sqlite, demo_roads, world)
    points = demo_roads.sample_points(np.random.default_rng(3), 80).round(6).tolist()
    taken = []
    with sqlite.read() as session:
        store = Store(session, demo.territory_id)
        people = [row.beneficiary_id for row in store.requests_of_day(demo.date)]
        for k in range(40):
            moment = at(("05:00", "10:00", "15:00", "20:00")[k % 4], demo.date)
            origin, destination = tuple(points[2 * k]), tuple(points[2 * k + 1])
            parts = {"arrive_by": moment, "return_after": moment + dt.timedelta(minutes=50), "origin": origin, "destination": destination}
            new = NewTrip(beneficiary_id=people[k % len(people)], **parts)
            began = time.perf_counter()
            look(store, new, demo_roads, world, BY_STAFF)
            taken.append(time.perf_counter() - began)
    assert sorted(taken[2:])[int(0.95 * 38)] < 1
