"""A plan becomes offers: what is kept, what is withdrawn, what waits, and what changed while it was being made."""

import datetime as dt
from dataclasses import replace
from uuid import UUID

import pytest

from dispatch.errors import BadInput, Conflict
from dispatch.model.intake import NewAvailability
from dispatch.model.plans import ChangeKind, SmallestChange
from dispatch.model.volunteering import NewTie
from dispatch.service.offers import accept_offer, decline_offer
from dispatch.service.people import add_availability, refuse_pair, tie_pair
from dispatch.service.rounds import claim_round, enqueue_round, fail_round, load_day, save_round
from dispatch.service.trips import cancel_trip
from dispatch.storage.database import Database
from dispatch.storage.rounds import OFTEN
from dispatch.storage.store import Store
from dispatch.storage.tables import Availability, Offer, Round, TripRequest
from routing.network import RoadNetwork
from tests.dispatch.territories import DATE, TestTerritory, at, make_plan


@pytest.fixture
def place(database: Database, demo_roads: RoadNetwork) -> TestTerritory:
    """A territory on either database."""
    return TestTerritory(database, demo_roads)


def test_what_a_volunteer_is_asked_is_what_was_planned(place: TestTerritory) -> None:
    volunteer, request = place.volunteer(), place.ask()
    assert not place.run_round({(request, "outbound"): (volunteer, "10:00"), (request, "return"): (volunteer, "12:00")})
    offer = place.offer(request)
    trip = place.trip(request)
    assert (offer.volunteer_id, offer.state) == (volunteer, "sent")
    assert [way.assignment.told_pickup_at for way in trip.legs if way.assignment] == [at("10:00"), at("12:00")]
    assert place.states(request) == ["offered", "offered"]


def test_two_volunteers_are_asked_apart(place: TestTerritory) -> None:
    one, other, request = place.volunteer("A"), place.volunteer("B"), place.ask()
    place.run_round({(request, "outbound"): (one, "10:00"), (request, "return"): (other, "12:00")})
    assert {offer.volunteer_id for offer in place.offers(request)} == {one, other}


def test_a_round_that_plans_the_same_leaves_the_offer_alone(place: TestTerritory) -> None:
    volunteer, request = place.volunteer(), place.ask(back=None)
    place.run_round({(request, "outbound"): (volunteer, "10:00")})
    first = place.offer(request)
    place.run_round({(request, "outbound"): (volunteer, "10:00")})
    assert place.offer(request).id == first.id


@pytest.mark.parametrize("change", ["volunteer", "time", "way dropped"])
def test_a_round_that_plans_otherwise_withdraws_the_offer_and_sends_another(place: TestTerritory, change: str) -> None:
    volunteer, other, request = place.volunteer("A"), place.volunteer("B"), place.ask()
    both = {(request, "outbound"): (volunteer, "10:00"), (request, "return"): (volunteer, "12:00")}
    place.run_round(both)
    first = place.offer(request)
    if change == "way dropped":
        place.run_round({(request, "outbound"): (volunteer, "10:00")}, unserved=((request, "return"),))
        assert place.states(request) == ["offered", "standby"]
    else:
        then = (other, "10:00") if change == "volunteer" else (volunteer, "10:05")
        place.run_round({(request, "outbound"): then, (request, "return"): (then[0], "12:00")})
        assert place.states(request) == ["offered", "offered"]
    assert [offer.id for offer in place.offers(request, "withdrawn")] == [first.id]
    assert first.id not in [offer.id for offer in place.offers(request)]


def test_who_is_left_without_waits_with_the_reason_and_may_be_served_later(place: TestTerritory) -> None:
    request = place.ask(back=None)
    place.run_round({}, unserved=((request, "outbound"),))
    (way,) = place.trip(request).legs
    assert (way.leg.state, way.unserved.reason if way.unserved else None) == ("standby", "NO_DRIVER_WINDOW")
    assert way.unserved
    assert way.unserved.sentence == "Personne n'est libre à cette heure."
    place.run_round({(request, "outbound"): (place.volunteer(), "10:00")})
    assert place.states(request) == ["offered"]
    assert place.trip(request).legs[0].unserved is None


def test_what_was_accepted_is_never_touched_by_a_round(place: TestTerritory) -> None:
    volunteer, other, request = place.volunteer("A"), place.volunteer("B"), place.ask(back=None)
    place.run_round({(request, "outbound"): (volunteer, "10:00")})
    with place.store() as store:
        accept_offer(store, store.offers_of([request], "sent")[0], place.world)
    place.run_round({(request, "outbound"): (other, "10:05")})
    (way,) = place.trip(request).legs
    assert (way.leg.state, way.assignment.volunteer_id if way.assignment else None) == ("confirmed", volunteer)
    place.run_round({}, unserved=((request, "outbound"),))
    assert place.states(request) == ["confirmed"]


def test_a_request_that_changed_while_the_plan_was_made_is_left_alone_and_planned_again(place: TestTerritory) -> None:
    volunteer, changed, same = place.volunteer(), place.ask(), place.ask(arrive="14:00", back=None)
    snapshot = place.snapshot()
    with place.store() as store:
        cancel_trip(store, store.get(TripRequest, changed), place.world)
    both = {(changed, "outbound"): (volunteer, "10:00"), (changed, "return"): (volunteer, "12:00")}
    plan = make_plan({**both, (same, "outbound"): (volunteer, "13:40")})
    with place.store() as store:
        save_round(store, snapshot, plan, 240, place.world)
    assert place.states(changed) == ["cancelled", "cancelled"]
    assert place.offers(changed) == []
    assert place.states(same) == ["offered"]


def test_an_answer_given_while_the_plan_was_made_stands(place: TestTerritory) -> None:
    volunteer, other, request = place.volunteer("A"), place.volunteer("B"), place.ask(back=None)
    place.run_round({(request, "outbound"): (volunteer, "10:00")})
    snapshot = place.snapshot()
    with place.store() as store:
        decline_offer(store, store.offers_of([request], "sent")[0], "too_far", place.world)
    with place.store() as store:
        assert save_round(store, snapshot, make_plan({(request, "outbound"): (volunteer, "10:00")}), 240, place.world)
    assert place.states(request) == ["pending"]
    assert place.offers(request) == []
    place.run_round({(request, "outbound"): (other, "10:00")})
    assert place.offer(request).volunteer_id == other


def test_who_declined_or_let_it_lapse_is_not_asked_again_about_the_same_request(place: TestTerritory) -> None:
    volunteer, request = place.volunteer(), place.ask()
    place.run_round({(request, "outbound"): (volunteer, "10:00"), (request, "return"): (volunteer, "12:00")})
    with place.store() as store:
        decline_offer(store, store.offers_of([request], "sent")[0], "too_far", place.world)
    (found,) = place.snapshot().day.requests
    assert found.refuses == (str(volunteer),)


def test_the_day_holds_ids_but_no_name_and_no_phone_number(place: TestTerritory) -> None:
    person = place.person("Canary Roussel", phone="0611223344")
    place.volunteer("Canary Morel", phone="0655667788")
    place.ask(person)
    text = place.snapshot().day.model_dump_json()
    assert "Canary" not in text
    assert "06112" not in text
    assert "06556" not in text


def test_an_agreed_way_is_locked_and_lets_the_other_way_fail(place: TestTerritory) -> None:
    volunteer, other, request = place.volunteer("A"), place.volunteer("B"), place.ask()
    place.run_round({(request, "outbound"): (volunteer, "10:00"), (request, "return"): (other, "12:00")})
    with place.store() as store:
        (mine,) = (offer for offer in store.offers_of([request], "sent") if offer.volunteer_id == volunteer)
        accept_offer(store, mine, place.world)
    day = place.snapshot().day
    (promise,) = (promise for promise in day.promises if promise.lock != "none")
    assert (promise.request, promise.leg, promise.driver, promise.lock) == (str(request), "outbound", str(volunteer), "both")
    assert day.requests[0].one_way_ok


def test_the_day_knows_refusals_familiar_faces_and_who_drove_of_late(place: TestTerritory) -> None:
    volunteer, person, other = place.volunteer(), place.person(), place.person("Other")
    neighbour, fond = place.person("Neighbour"), place.person("Fond")
    request = place.ask(person, back=None)
    place.run_round({(request, "outbound"): (volunteer, "10:00")})
    with place.store() as store:
        accept_offer(store, store.offers_of([request], "sent")[0], place.world)
        refuse_pair(store, volunteer, other)
        refuse_pair(store, volunteer, other)
        tie_pair(store, volunteer, neighbour, NewTie(known=True))
        tie_pair(store, volunteer, fond, NewTie(preferred=True))
    next_day = DATE + dt.timedelta(days=1)
    with place.store() as store:
        span = NewAvailability(starts_at=at("08:00", next_day), ends_at=at("12:00", next_day))
        add_availability(store, volunteer, span, place.world)
    (driver,) = place.snapshot(next_day).day.drivers
    assert (set(driver.knows), driver.refuses, driver.recent_rides) == ({str(person), str(neighbour)}, (str(other),), 1)
    assert driver.preferred_by == (str(fond),)


def test_a_ride_whose_time_has_passed_is_not_planned_but_told(place: TestTerritory) -> None:
    request = place.ask(back="11:40")
    place.volunteer()
    place.world.advance(dt.timedelta(hours=26))  # 11:00 in Paris on the day
    snapshot = place.snapshot()
    assert snapshot.day.requests == ()
    with place.store() as store:
        save_round(store, snapshot, make_plan({}), 240, place.world)
    trip = place.trip(request)
    assert [way.leg.state for way in trip.legs] == ["standby", "standby"]
    assert all(way.unserved and "passée" in way.unserved.sentence for way in trip.legs)


@pytest.mark.parametrize("volunteer", [None, "d7"])
def test_what_to_ask_for_is_told_with_the_reason_where_it_names_no_volunteer(place: TestTerritory, volunteer: str | None) -> None:
    request = place.ask(back=None)
    snapshot = place.snapshot()
    plan = make_plan({}, ((request, "outbound"),))
    kind = ChangeKind.SHIFT_UNTIL if volunteer else ChangeKind.WINDOW_LATER
    about = {"kind": kind, "request": str(request), "leg": "outbound", "driver": volunteer, "amount": 20}
    change = SmallestChange(**about, sentence="Possible.", sentence_en="It is possible.")
    plan = plan.model_copy(update={"unserved": (plan.unserved[0].model_copy(update={"smallest_change": change}),)})
    with place.store() as store:
        save_round(store, snapshot, plan, 240, place.world)
    (way,) = place.trip(request).legs
    assert way.unserved is not None
    added = ("", "") if volunteer else (" Possible.", " It is possible.")
    assert way.unserved.sentence == f"Personne n'est libre à cette heure.{added[0]}"
    assert way.unserved.sentence_en == f"Nobody is free at that time.{added[1]}"


def test_a_pickup_that_passed_while_the_plan_was_made_is_not_offered(place: TestTerritory) -> None:
    volunteer, request = place.volunteer(), place.ask(back=None)
    snapshot = place.snapshot()
    place.world.advance(dt.timedelta(hours=25, minutes=1))  # 10:01 in Paris on the day
    with place.store() as store:
        save_round(store, snapshot, make_plan({(request, "outbound"): (volunteer, "10:00")}), 240, place.world)
    assert place.states(request) == ["standby"]


def test_todays_spans_begin_now_except_for_who_is_out_driving(place: TestTerritory) -> None:
    busy, idle, request = place.volunteer("A"), place.volunteer("B"), place.ask(back=None)
    gone = place.volunteer("C", span=("08:00", "09:00"))
    place.run_round({(request, "outbound"): (busy, "10:00")})
    with place.store() as store:
        accept_offer(store, store.offers_of([request], "sent")[0], place.world)
    place.world.advance(dt.timedelta(hours=24, minutes=30))  # 9:30 in Paris on the day
    shifts = {driver.id: driver.shifts[0][0] for driver in place.snapshot().day.drivers}
    assert dt.datetime.fromisoformat(shifts[str(busy)]) == at("08:00")
    assert dt.datetime.fromisoformat(shifts[str(idle)]) == at("09:30")
    assert str(gone) not in shifts


def test_spans_that_came_to_overlap_are_planned_as_one(place: TestTerritory) -> None:
    volunteer = place.volunteer(span=("08:00", "12:00"))
    with place.store() as store:  # past the service, as two writers at once would
        for k, (begins, ends) in enumerate((("11:00", "13:00"), ("15:00", "16:00"))):
            span = {"starts_at": at(begins), "ends_at": at(ends), "created_at": place.world.now()}
            store.add(Availability(id=UUID(int=k + 1), volunteer_id=volunteer, **span))
    (driver,) = place.snapshot().day.drivers
    spans = [tuple(dt.datetime.fromisoformat(clock) for clock in shift) for shift in driver.shifts]
    assert spans == [(at("08:00"), at("13:00")), (at("15:00"), at("16:00"))]


def test_one_round_of_a_day_waits_at_a_time(place: TestTerritory) -> None:
    with place.store() as store:
        first, second = (enqueue_round(store, DATE, 1.0, 1, place.world) for _ in range(2))
        assert first.id == second.id


def test_two_who_ask_for_a_round_at_once_get_the_same(place: TestTerritory, monkeypatch: pytest.MonkeyPatch) -> None:
    with place.store() as store:
        first = enqueue_round(store, DATE, 1.0, 1, place.world)
    looks = iter([None, first])  # the other one's round is there only after one has looked
    with place.store() as store:
        monkeypatch.setattr(store, "queued_round", lambda _: next(looks))
        assert enqueue_round(store, DATE, 1.0, 1, place.world).id == first.id
        place.world.advance(dt.timedelta(hours=1))
        store.get(Round, first.id).seconds = 2.0  # the transaction is still good
    with place.store() as store:
        assert store.get(Round, first.id).seconds == 2.0


def test_a_round_is_claimed_once(place: TestTerritory) -> None:
    snapshot = place.snapshot()
    with pytest.raises(Conflict, match="Another worker"), place.store() as store:
        claim_round(store, snapshot.round_id, place.world)


def test_a_round_whose_worker_is_lost_is_taken_over_and_the_first_one_comes_too_late(place: TestTerritory) -> None:
    volunteer, request = place.volunteer(), place.ask(back=None)
    with place.store() as store:
        round_id = enqueue_round(store, DATE, 1.0, 1, place.world).id
    with place.store() as store:
        first = load_day(store, claim_round(store, round_id, place.world, lease_s=-1.0), place.world)  # over before it began
    with place.store() as store:
        assert list(store.rounds_to_run()) == [round_id]
        second = load_day(store, claim_round(store, round_id, place.world), place.world)
    assert (first.token, second.token) == (1, 2)
    plan = make_plan({(request, "outbound"): (volunteer, "10:00")})
    with pytest.raises(Conflict, match="taken this round over"), place.store() as store:
        save_round(store, first, plan, 240, place.world)
    assert place.offers(request) == []
    with place.store() as store:
        save_round(store, second, plan, 240, place.world)
    assert len(place.offers(request)) == 1
    for late in (first, second):
        with pytest.raises(Conflict), place.store() as store:
            fail_round(store, round_id, late.token, "late", place.world)
    with place.store() as store:
        assert [event.after for event in store.events(round_id)] == ["running", "running", "done"]


def test_without_the_token_a_late_worker_would_save_a_second_time(place: TestTerritory) -> None:
    volunteer, request = place.volunteer(), place.ask(back=None)
    snapshot = place.snapshot()
    plan = make_plan({(request, "outbound"): (volunteer, "10:00")})
    with pytest.raises(Conflict), place.store() as store:
        save_round(store, replace(snapshot, token=snapshot.token - 1), plan, 240, place.world)
    with place.store() as store:  # the same late worker, let in
        save_round(store, snapshot, plan, 240, place.world)
    assert len(place.offers(request)) == 1


def test_a_day_is_planned_by_one_worker_at_a_time(place: TestTerritory) -> None:
    snapshot = place.snapshot()
    with place.store() as store:
        waiting = enqueue_round(store, DATE, 1.0, 1, place.world).id
        assert list(store.rounds_to_run()) == []
    with pytest.raises(Conflict), place.store() as store:
        claim_round(store, waiting, place.world)
    with place.store() as store:
        fail_round(store, snapshot.round_id, snapshot.token, "x", place.world)
        assert list(store.rounds_to_run()) == [waiting]


def test_what_a_volunteer_accepts_while_a_plan_moves_it_leaves_the_volunteer_alone(place: TestTerritory) -> None:
    one, other = place.volunteer("A"), place.volunteer("B")
    first, second = place.ask(back=None), place.ask(arrive="15:00", back=None)
    place.run_round({(first, "outbound"): (one, "10:00")}, unserved=((second, "outbound"),))
    snapshot = place.snapshot()
    with place.store() as store:
        accept_offer(store, store.offers_of([first], "sent")[0], place.world)
    plan = make_plan({(first, "outbound"): (other, "10:00"), (second, "outbound"): (one, "14:30")})  # made before A said yes
    with place.database.write("solver") as session:
        assert save_round(Store(session, place.id), snapshot, plan, 240, place.world)
    assert place.states(first) == ["confirmed"]
    assert place.offers(second) == []  # A's day is not what the plan thought: the next round decides
    assert place.states(second) == ["standby"]


def test_a_run_lasts_as_long_as_somebody_rides_in_it(place: TestTerritory) -> None:
    volunteer, first, second = place.volunteer(), place.ask(back=None), place.ask(arrive="15:00", back=None)
    place.run_round({(first, "outbound"): (volunteer, "10:00"), (second, "outbound"): (volunteer, "14:30")})
    with place.store() as store:
        (run,) = store.active_runs(DATE)[volunteer]
        decline_offer(store, store.offers_of([first], "sent")[0], "too_far", place.world)
        assert store.active_runs(DATE)[volunteer] == [run]
        cancel_trip(store, store.get(TripRequest, second), place.world)
        assert store.active_runs(DATE) == {}


@pytest.mark.parametrize("day", [dt.date(2020, 1, 1), dt.date(2030, 1, 1)])
def test_a_round_for_a_day_long_gone_or_far_away_is_refused(place: TestTerritory, day: dt.date) -> None:
    with pytest.raises(BadInput, match="date"), place.store() as store:
        enqueue_round(store, day, 1.0, 1, place.world)


def test_a_plan_is_kept_with_its_round(place: TestTerritory) -> None:
    request = place.ask(back=None)
    place.run_round({}, unserved=((request, "outbound"),))
    with place.store() as store:
        (row,) = store.page(Round, None, 10)
        assert row.state == "done"
        assert row.plan is not None
        assert row.plan["unserved"][0]["request"] == str(request)
        assert list(store.page(Offer, None, 10)) == []


def test_who_is_being_asked_is_a_promise_that_a_plan_may_change_and_who_has_agreed_is_one_that_it_may_not(place: TestTerritory) -> None:
    volunteer, asked, agreed = place.volunteer(), place.ask(back=None), place.ask(arrive="14:00", back=None)
    place.run_round({(asked, "outbound"): (volunteer, "10:00"), (agreed, "outbound"): (volunteer, "13:40")})
    with place.store() as store:
        accept_offer(store, store.offers_of([agreed], "sent")[0], place.world)
    promises = {promise.request: promise.lock for promise in place.snapshot().day.promises}
    assert promises == {str(asked): "none", str(agreed): "both"}


def test_a_day_whose_rounds_are_overtaken_again_and_again_is_left_alone_for_a_while(database: Database, demo_roads: RoadNetwork) -> None:
    """A round that can never be saved would otherwise be planned every second, for ever."""
    territory = TestTerritory(database, demo_roads)
    territory.ask(back=None)
    patience = dt.timedelta(minutes=10)

    def waits() -> bool:
        with territory.store() as store:
            return bool(store.waiting_days(DATE, territory.world.now() - patience))

    for _ in range(OFTEN):
        assert waits()
        with territory.store() as store:
            enqueue_round(store, DATE, 1.0, 1, territory.world)
        with territory.store() as store:
            (round_id,) = store.rounds_to_run()
            token = claim_round(store, round_id, territory.world).token
        with territory.store() as store:
            fail_round(store, round_id, token, "overtaken", territory.world)
    assert not waits()
    territory.world.advance(patience)
    assert waits()
