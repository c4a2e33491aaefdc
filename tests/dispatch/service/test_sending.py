"""Volunteers asked by hand: what rounds plan is proposed first, holds the volunteer's time, and is sent by somebody, whole or in part."""

from datetime import timedelta
from uuid import UUID

import pytest

from dispatch.errors import Conflict
from dispatch.model.intake import Cancel
from dispatch.model.volunteering import NewAbsence
from dispatch.service.attention import needs_a_human
from dispatch.service.consequences import reopen_broken
from dispatch.service.engagements import be_absent
from dispatch.service.offers import accept_offer, decline_offer
from dispatch.service.privacy import erase_person
from dispatch.service.run_sheet import show_runs
from dispatch.service.sending import Sent, send_day
from dispatch.service.trips import cancel_trip
from dispatch.service.waitlist import give_up_late
from dispatch.storage.database import Database
from dispatch.storage.tables import Offer, TripRequest, Volunteer
from routing.network import RoadNetwork
from tests.dispatch.territories import DATE, TestTerritory, at


@pytest.fixture
def place(database: Database, demo_roads: RoadNetwork) -> TestTerritory:
    """A territory on either database that sends by hand."""
    found = TestTerritory(database, demo_roads)
    found.rule(offers={"sending": "by_hand"})
    return found


def send(place: TestTerritory, *chosen: UUID) -> Sent:
    with place.store() as store:
        return send_day(store, DATE, chosen or None, 240, place.world)


def proposal(place: TestTerritory, request: UUID, way: int = 0) -> UUID:
    held = place.trip(request).legs[way].assignment
    assert held
    return held.id


def planned(place: TestTerritory, volunteer: UUID | None = None, **wish: str) -> tuple[UUID, UUID]:
    """A volunteer, and a request whose both ways a round has planned for him or her."""
    who, request = volunteer or place.volunteer(), place.ask(**wish)
    place.run_round({(request, "outbound"): (who, "10:00"), (request, "return"): (who, "12:00")})
    assert place.states(request) == ["proposed", "proposed"]
    return who, request


def test_a_round_asks_nobody_and_holds_the_time(place: TestTerritory) -> None:
    volunteer, request = planned(place)
    assert place.offers(request) == []
    assert [way.assignment.volunteer_id for way in place.trip(request).legs if way.assignment] == [volunteer, volunteer]
    with place.store() as store:
        (run,) = store.runs_of(volunteer)
        assert show_runs(store, [run], place.world.now())[0].riders == {}, "a volunteer learns of it when asked"
        (entry,) = (entry for entry in needs_a_human(store, place.world) if entry.kind == "to_send")
    assert (entry.sentence, entry.until) == ("2 trajets à proposer aux bénévoles : relisez, puis envoyez.", at("10:00"))


def test_all_of_a_day_is_one_question_for_each_volunteer(place: TestTerritory) -> None:
    one, other, first, second = place.volunteer("A"), place.volunteer("B"), place.ask(), place.ask(arrive="14:00", back=None)
    third = place.ask(arrive="16:00", back=None)
    there = {(first, "outbound"): (one, "10:00"), (first, "return"): (one, "12:00"), (second, "outbound"): (one, "13:40")}
    place.run_round({**there, (third, "outbound"): (other, "15:40")})
    sent = send(place)
    assert (sent.volunteers, sent.legs, sent.late) == (2, 4, 0)
    assert len({offer.bundle_id for offer in [*place.offers(first), *place.offers(second)]}) == 1
    assert place.offer(third).volunteer_id == other
    assert send(place) == Sent((), 0, 0, 0), "once"


def test_some_are_sent_and_the_rest_stays_planned_until_a_round_knows_better(place: TestTerritory) -> None:
    volunteer, request = planned(place)
    other = place.ask(arrive="15:00", back=None)
    both = {(request, "outbound"): (volunteer, "10:00"), (request, "return"): (volunteer, "12:00")}
    place.run_round({**both, (other, "outbound"): (volunteer, "14:40")})
    send(place, proposal(place, request))
    assert (place.states(request), place.states(other)) == (["offered", "proposed"], ["proposed"])
    asked, held = place.offer(request), [way.assignment for way in place.trip(request).legs]
    place.run_round({**both, (other, "outbound"): (volunteer, "14:40")})
    assert (place.offer(request).id, place.states(request)) == (asked.id, ["offered", "proposed"])
    assert [way.assignment.id for way in place.trip(request).legs if way.assignment] == [ride.id for ride in held if ride]
    late = place.volunteer("B")
    place.run_round({**both, (other, "outbound"): (late, "14:45")})
    assert [way.assignment.volunteer_id for way in place.trip(other).legs if way.assignment] == [late]
    place.run_round(both, unserved=((other, "outbound"),))
    assert (place.states(other), place.states(request)) == (["standby"], ["offered", "proposed"])
    assert place.trip(other).legs[0].assignment is None


def test_who_was_asked_and_is_not_wanted_any_more_hears_it_and_the_next_one_is_proposed(place: TestTerritory) -> None:
    _, request = planned(place)
    send(place)
    other = place.volunteer("B")
    place.run_round({(request, "outbound"): (other, "10:00"), (request, "return"): (other, "12:00")})
    assert (place.states(request), place.offers(request)) == (["proposed", "proposed"], [])
    assert len(place.offers(request, "withdrawn")) == 1
    assert send(place).volunteers == 1


def test_what_was_sent_is_answered_like_any_offer_and_a_no_is_planned_anew(place: TestTerritory) -> None:
    volunteer, request = planned(place)
    send(place, proposal(place, request))
    send(place, proposal(place, request, 1))
    there, back = sorted(place.offers(request), key=lambda offer: offer.id)
    with place.store() as store:
        accept_offer(store, store.get(Offer, there.id), place.world)
        decline_offer(store, store.get(Offer, back.id), "too_far", place.world)
    assert sorted(place.states(request)) == ["confirmed", "pending"]
    assert volunteer == there.volunteer_id


def test_both_ways_that_need_the_same_volunteer_are_asked_together(place: TestTerritory) -> None:
    _, request = planned(place, same_driver="require")
    with pytest.raises(Conflict, match="both ways together"):
        send(place, proposal(place, request))
    assert place.states(request) == ["proposed", "proposed"]
    assert send(place, proposal(place, request), proposal(place, request, 1)).legs == 2
    assert len(place.offers(request)) == 1


def test_a_choice_that_is_out_of_date_asks_nobody(place: TestTerritory) -> None:
    _, request = planned(place)
    seen = proposal(place, request), proposal(place, request, 1)
    other = place.volunteer("B")
    place.run_round({(request, "outbound"): (other, "10:00"), (request, "return"): (other, "12:00")})
    with pytest.raises(Conflict, match="look at the proposal again"):  # nobody is asked whom the coordinator has not seen there
        send(place, *seen)
    assert (place.states(request), place.offers(request)) == (["proposed", "proposed"], [])


def test_what_is_too_late_to_ask_about_is_said_and_left(place: TestTerritory) -> None:
    _, request = planned(place)
    place.world.advance(timedelta(hours=25, minutes=1))  # 10:01 in Paris on the day
    assert (send(place).late, place.states(request)) == (1, ["proposed", "offered"])


@pytest.mark.parametrize("how", ["cancelled", "absent", "suspended", "erased", "given up"])
def test_a_proposal_that_comes_to_nothing_gives_the_time_back(place: TestTerritory, how: str) -> None:
    volunteer, request = planned(place)
    if how == "given up":
        place.world.advance(timedelta(hours=24, minutes=30))  # 9:30 in Paris: too late to find anybody
    with place.store() as store:
        row = store.get(Volunteer, volunteer)
        if how == "cancelled":
            cancel_trip(store, store.get(TripRequest, request), place.world, Cancel(leg="return"))
        elif how == "absent":
            be_absent(store, row, NewAbsence(first_day=DATE), place.world)
        elif how == "suspended":
            store.engage(row, "suspended", place.world)
            reopen_broken(store, row, place.world)
        elif how == "erased":
            erase_person(store, row, place.world)
        else:
            give_up_late(store, place.world)
    states = {"cancelled": ["proposed", "cancelled"], "given up": ["unmet", "unmet"]}.get(how, ["pending", "pending"])
    assert place.states(request) == states
    assert [way.assignment is not None for way in place.trip(request).legs] == [state == "proposed" for state in states]
    with place.store() as store:
        runs = [run.state for run in store.runs_of(volunteer)]
    assert runs == ["planned" if "proposed" in states else "cancelled"]


def test_when_the_territory_sends_at_once_again_the_next_round_asks(place: TestTerritory) -> None:
    volunteer, request = planned(place)
    place.rule(offers={"sending": "at_once"})
    place.run_round({(request, "outbound"): (volunteer, "10:00"), (request, "return"): (volunteer, "12:00")})
    assert place.states(request) == ["offered", "offered"]
    assert len(place.offers(request)) == 1
