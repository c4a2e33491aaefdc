"""« Confier à… »: who could drive a way and what it would mean; one of them asked now, and nothing else changed."""

from datetime import timedelta
from uuid import UUID

import pytest

from dispatch.engine.entrust import Candidate, candidates, entrust
from dispatch.errors import Conflict, IllegalMove
from dispatch.model.entrusting import Entrust
from dispatch.model.volunteering import NewTie
from dispatch.service.offers import accept_offer, decline_offer
from dispatch.service.people import refuse_pair, tie_pair
from dispatch.service.rounds import claim_round, enqueue_round
from dispatch.storage.database import Database
from dispatch.storage.tables import Leg, Offer, TripRequest
from routing.network import RoadNetwork
from tests.dispatch.territories import DATE, TestTerritory, at


@pytest.fixture
def place(database: Database, demo_roads: RoadNetwork) -> TestTerritory:
    """A territory on either database."""
    return TestTerritory(database, demo_roads)


def leg(place: TestTerritory, request: UUID, direction: int = 0) -> UUID:
    return place.trip(request).legs[direction].leg.id


def give(place: TestTerritory, request: UUID, volunteer: UUID, direction: int = 0, **more: object) -> Offer:
    wish, about = Entrust.model_validate({"volunteer_id": volunteer, **more}), leg(place, request, direction)
    with place.store() as store:
        return entrust(store, store.get(Leg, about), wish, 240, place.network, place.world)


def rank(place: TestTerritory, request: UUID) -> dict[UUID, Candidate]:
    """In order."""
    about = leg(place, request)
    with place.store() as store:
        found = candidates(store, store.get(Leg, about), place.network, place.world)
        return {candidate.volunteer_id: candidate for candidate in found}


def test_a_way_that_is_given_is_offered_at_once_with_the_other_one(place: TestTerritory) -> None:
    volunteer, request = place.volunteer(), place.ask()
    offer = give(place, request, volunteer)
    assert (offer.state, offer.volunteer_id, offer.again_reason) == ("sent", volunteer, None)
    assert place.states(request) == ["offered", "offered"]
    (there, back) = place.trip(request).legs
    assert there.assignment is not None
    assert back.assignment is not None
    assert there.assignment.told_pickup_at < there.assignment.dropoff_at <= at("10:40")
    assert give(place, request, volunteer).id == offer.id


def test_one_way_alone_may_be_given(place: TestTerritory) -> None:
    volunteer, request = place.volunteer(), place.ask()
    give(place, request, volunteer, 1, both_ways=False)
    assert place.states(request) == ["pending", "offered"]


def test_volunteers_are_ranked_with_what_it_would_mean(place: TestTerritory) -> None:
    person = place.person()
    near, away, other = (place.volunteer(name, span) for name, span in (("A", ("08:00", "18:00")), ("B", None), ("C", ("08:00", "18:00"))))
    late, refused = place.volunteer("D", ("14:00", "18:00")), place.volunteer("E")
    with place.store() as store:
        refuse_pair(store, refused, person)
        tie_pair(store, near, person, NewTie(preferred=True))
        tie_pair(store, other, person, NewTie(known=True))
    request = place.ask(person, back=None)
    found = rank(place, request)
    assert set(list(found)[:2]) == {near, other}
    kilometres = [found[one].km for one in list(found)[:2]]
    assert kilometres == sorted(kilometres, key=lambda km: km or 0)
    assert all(found[one].fits and "km de plus" in found[one].sentence for one in (near, other))
    assert "souhaité par la personne" in found[near].sentence
    assert "already knows the person" in found[other].sentence_en
    assert [(found[one].preferred, found[one].known) for one in (near, other)] == [(True, False), (False, True)]
    assert found[near].leaves_home is not None
    assert at("08:00") <= found[near].leaves_home < at("10:40")  # type: ignore[operator]
    assert [found[one].sentence_en for one in (away, late, refused)] == [
        "Has given no time on that day.",
        "Is not free at that time.",
        "These two do not ride together.",
    ]
    assert not any(found[one].fits for one in (away, late, refused))


def test_whoever_does_not_fit_is_refused_with_the_rule_and_nothing_is_changed(place: TestTerritory) -> None:
    late, away, request = place.volunteer("D", ("14:00", "18:00")), place.volunteer("B", None), place.ask()
    for volunteer, said in ((late, "not free"), (away, "no time on that day")):
        with pytest.raises(Conflict, match=said):
            give(place, request, volunteer)
    assert place.states(request) == ["pending", "pending"]
    with place.store() as store:
        assert store.queued_round(DATE) is None


def test_what_others_were_told_stays_and_who_waits_goes_on_waiting(place: TestTerritory) -> None:
    volunteer, other = place.volunteer("A"), place.volunteer("B")
    first, second, waiting = (
        place.ask(arrive="09:40", back="16:00"),
        place.ask(arrive="10:40", back=None),
        place.ask(arrive="12:40", back="14:00"),
    )
    before = give(place, first, volunteer), give(place, second, other)
    with place.store() as store:
        accept_offer(store, store.get(Offer, before[0].id), place.world)
    told = [way.assignment.told_pickup_at for way in place.trip(first).legs if way.assignment]
    third = place.ask(arrive="12:10", back=None)
    offer = give(place, third, volunteer)
    assert offer.volunteer_id == volunteer
    assert [way.assignment.told_pickup_at for way in place.trip(first).legs if way.assignment] == told
    assert place.offer(second).id == before[1].id
    assert [place.states(request) for request in (first, second, waiting, third)] == [
        ["confirmed", "confirmed"],
        ["offered"],
        ["pending", "pending"],
        ["offered"],
    ]


def test_a_way_that_somebody_else_is_asked_about_is_taken_back_from_them(place: TestTerritory) -> None:
    one, other, request = place.volunteer("A"), place.volunteer("B"), place.ask()
    first = give(place, request, one)
    second = give(place, request, other)
    assert place.offer(request).id == second.id
    with place.store() as store:
        assert store.get(Offer, first.id).state == "withdrawn"
        assert [run.state for run in store.runs_of(one)] == ["cancelled"]
    back = give(place, request, one, 1, both_ways=False)
    assert {offer.id for offer in place.offers(request)} == {
        back.id,
        *(offer.id for offer in place.offers(request) if offer.volunteer_id == other),
    }
    assert place.states(request) == ["offered", "offered"]


def test_nobody_is_asked_again_without_a_reason(place: TestTerritory) -> None:
    volunteer, request = place.volunteer(), place.ask(back=None)
    offer = give(place, request, volunteer)
    with place.store() as store:
        decline_offer(store, store.get(Offer, offer.id), "other", place.world)
    assert (rank(place, request)[volunteer].answered, rank(place, request)[volunteer].fits) == ("declined", True)
    with pytest.raises(Conflict, match="asked about it before"):
        give(place, request, volunteer)
    again = give(place, request, volunteer, again_reason="free_now")
    assert (again.state, again.again_reason) == ("sent", "free_now")


def test_what_is_agreed_on_or_over_is_not_given(place: TestTerritory) -> None:
    one, other, request = place.volunteer("A"), place.volunteer("B"), place.ask()
    offer = give(place, request, one)
    with place.store() as store:
        accept_offer(store, store.get(Offer, offer.id), place.world)
    with pytest.raises(IllegalMove):
        give(place, request, other)
    with pytest.raises(IllegalMove):
        rank(place, request)


def test_a_round_that_waits_comes_after_and_one_at_work_is_waited_for(place: TestTerritory) -> None:
    volunteer, request = place.volunteer(), place.ask(back=None)
    with place.store() as store:
        waiting = enqueue_round(store, DATE, 7.0, 3, place.world)
    give(place, request, volunteer)
    with place.store() as store:
        after = store.queued_round(DATE)
        assert after is not None
        assert (after.id != waiting.id, after.seconds, after.seed) == (True, 7.0, 3)
        claim_round(store, after.id, place.world)
    second = place.ask(arrive="15:00", back=None)
    with pytest.raises(Conflict, match="at work"):
        give(place, second, volunteer)
    assert place.states(second) == ["pending"]


def test_a_ride_whose_time_has_passed_is_not_given(place: TestTerritory) -> None:
    volunteer, request = place.volunteer(), place.ask(back=None)
    place.world.advance(timedelta(days=1, hours=4))
    with pytest.raises(Conflict):
        give(place, request, volunteer)
    with place.store() as store:
        assert store.get(TripRequest, request).state == "accepted"
