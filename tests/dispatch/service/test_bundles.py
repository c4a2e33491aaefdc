"""What one volunteer is asked on one day is one question: asked once, answered whole or in part, and the rest is planned again."""

import datetime as dt
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from dispatch.engine.plan_day import make_problem
from dispatch.errors import BadInput, Conflict, IllegalMove
from dispatch.service.bundles import answer_question
from dispatch.service.offers import accept_offer, withdraw_offer
from dispatch.service.reminding import remind
from dispatch.storage.database import Database
from dispatch.storage.notice_tables import Notice
from dispatch.storage.tables import Offer
from routing.network import RoadNetwork
from tests.dispatch.territories import TestTerritory

BOTH = ("outbound", "return")


@pytest.fixture
def place(sqlite: Database, demo_roads: RoadNetwork) -> TestTerritory:
    """A territory on SQLite."""
    return TestTerritory(sqlite, demo_roads)


class Question:
    """Two people, there and back, asked of one volunteer."""

    def __init__(self, place: TestTerritory, **parts: Any) -> None:
        self.place, self.volunteer = place, place.volunteer()
        self.requests = place.ask(**parts), place.ask(arrive="14:40", back="15:40", **parts)
        ways = [(request, way) for request in self.requests for way in BOTH]
        self.clocks = dict(zip(ways, ("10:00", "12:00", "14:00", "16:00"), strict=True))
        self.plan()

    def plan(self, without: tuple[UUID, str] | None = None) -> None:
        """As before, but for a way."""
        self.place.run_round({way: (self.volunteer, clock) for way, clock in self.clocks.items() if way != without})

    def legs(self) -> list[UUID]:
        return [way.leg.id for request in self.requests for way in self.place.trip(request).legs]

    def states(self) -> list[str]:
        return [state for request in self.requests for state in self.place.states(request)]

    def offers(self, *states: str) -> list[Offer]:
        return [offer for request in self.requests for offer in self.place.offers(request, *states)]

    def answer(self, accepted: list[UUID], reason: Any = None) -> None:
        about = self.bundle
        with self.place.store() as store:
            answer_question(store, store.get(Offer, about), accepted, reason, self.place.world)

    @property
    def bundle(self) -> UUID:
        (found,) = {offer.bundle_id for offer in self.offers("sent", "accepted", "declined", "withdrawn")}
        assert found
        return found

    def notices(self, kind: str = "offer_sent") -> list[tuple[str, Any]]:
        """State and facts."""
        with self.place.store() as store:
            rows = store.session.scalars(sa.select(Notice).where(Notice.kind == kind).order_by(Notice.number)).all()
            return [(row.state, row.facts) for row in rows]


@pytest.fixture
def question(place: TestTerritory) -> Question:
    return Question(place)


def test_the_rides_of_a_day_are_one_question_with_one_deadline(question: Question) -> None:
    ((state, facts),) = question.notices()
    assert (state, facts["rides"], facts["people"]) == ("queued", 4, 2)
    assert "beneficiary_id" not in facts
    offers = question.offers()
    assert len(offers) == 2
    assert {(offer.bundle_id, offer.expires_at) for offer in offers} == {(question.bundle, offers[0].expires_at)}


def test_whoever_does_not_answer_is_reminded_of_it_once(question: Question) -> None:
    question.place.world.advance(dt.timedelta(minutes=121))
    for expected in (1, 0):
        with question.place.store() as store:
            assert remind(store, question.place.world) == expected
    ((_, facts),) = question.notices("offer_reminder")
    assert facts["rides"] == 4


def test_some_ways_are_driven_and_the_others_go_to_somebody_else(question: Question) -> None:
    there, _, second, last = question.legs()
    question.answer([there, second, last], "schedule_conflict")
    assert question.states() == ["confirmed", "pending", "confirmed", "confirmed"]
    assert [(offer.state, offer.decline_reason) for offer in question.offers("declined")] == [("declined", "schedule_conflict")]
    first = question.requests[0]
    day = question.place.snapshot().day
    assert str(question.volunteer) in next(request for request in day.requests if request.id == str(first)).refuses
    problem, _ = make_problem(day, question.place.network)  # what was promised stands beside what was declined
    assert len(problem.legs) == 4


def test_the_way_that_was_declined_is_planned_for_another_and_what_was_agreed_stays(question: Question) -> None:
    there, _, *rest = question.legs()
    question.answer([there, *rest], "too_far")
    other, first = question.place.volunteer("Other"), question.requests[0]
    agreed = {way: (question.volunteer, clock) for way, clock in question.clocks.items() if way != (first, "return")}
    question.place.run_round(agreed | {(first, "return"): (other, "12:00")})
    assert question.states() == ["confirmed", "offered", "confirmed", "confirmed"]
    assert question.place.offer(first).volunteer_id == other


def test_nothing_is_driven_when_no_way_is_named(question: Question) -> None:
    question.answer([], "personal")
    assert question.states() == ["pending"] * 4
    assert {offer.state for offer in question.offers("sent", "accepted", "declined")} == {"declined"}
    assert {state for state, _ in question.notices()} == {"dropped"}


def test_an_answer_that_cannot_be_changes_nothing(question: Question) -> None:
    legs, elsewhere = question.legs(), question.place.trip(question.place.ask(arrive="17:00", back=None)).legs[0].leg.id
    with pytest.raises(BadInput, match="accept"):
        question.answer([*legs, elsewhere])
    with pytest.raises(BadInput, match="reason"):
        question.answer(legs[:3])
    first = question.offers()[0].id
    with question.place.store() as store:
        withdraw_offer(store, store.get(Offer, first), question.place.world)
    with pytest.raises(Conflict, match="look again"):
        question.answer(legs)
    assert question.states() == ["offered"] * 4
    question.answer(legs[2:])
    with pytest.raises(IllegalMove):
        question.answer(legs[2:])


def test_a_lapsed_question_is_not_answered_in_part(question: Question) -> None:
    question.place.world.advance(dt.timedelta(minutes=241))
    with pytest.raises(Conflict, match="lapsed"):
        question.answer(question.legs()[:1], "other")
    assert question.states() == ["offered"] * 4
    assert len(question.offers()) == 2


def test_ways_that_need_the_same_volunteer_are_not_taken_apart(place: TestTerritory) -> None:
    question = Question(place, same_driver="require")
    there, _, *rest = question.legs()
    with pytest.raises(Conflict, match="together"):
        question.answer([there, *rest], "other")
    question.answer(rest, "other")
    assert question.states() == ["pending", "pending", "confirmed", "confirmed"]


def test_whoever_has_not_heard_it_yet_hears_of_what_is_left(question: Question) -> None:
    first = question.offers()[0].id
    with question.place.store() as store:
        accept_offer(store, store.get(Offer, first), question.place.world, "phone")
    (before, _), (now, facts) = question.notices()
    assert (before, now, facts["rides"]) == ("dropped", "queued", 2)
    assert "people" not in facts


def test_what_a_later_round_adds_is_a_question_of_its_own(question: Question) -> None:
    third = question.place.ask(arrive="17:00", back=None)
    question.clocks[third, "outbound"] = "16:30"
    question.plan()
    added = question.place.offer(third)
    assert added.bundle_id == added.id != question.bundle
    assert len(question.notices()) == 2
