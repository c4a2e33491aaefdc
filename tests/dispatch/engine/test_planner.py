"""Rounds happen by themselves: after a wake, after a decline, after a lapse; and what goes wrong stays small."""

import datetime as dt
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from dispatch.engine import rounds as conductor
from dispatch.engine.bus import LocalBus
from dispatch.engine.plan_day import plan_day
from dispatch.engine.planner import Planner
from dispatch.errors import SolveFailed
from dispatch.planning.check import Violation
from dispatch.service.offers import accept_offer, decline_offer
from dispatch.service.rounds import claim_round, enqueue_round
from dispatch.settings import Settings
from dispatch.storage.database import Database
from dispatch.storage.tables import Offer, Round, UnmetNeed
from routing.network import RoadNetwork
from tests.dispatch.territories import DATE, TestTerritory

QUICK = Settings(round_seconds=0.3, debounce_seconds=0.0, sweep_seconds=30.0)


@pytest.fixture
def place(sqlite: Database, demo_roads: RoadNetwork) -> TestTerritory:
    """A territory on SQLite."""
    return TestTerritory(sqlite, demo_roads)


def planner_of(place: TestTerritory) -> Planner:
    return Planner(place.database, place.network, LocalBus(), QUICK, place.world)


def newest_round(place: TestTerritory) -> Round:
    with place.store() as store:
        return store.page(Round, None, 1)[0]


def test_a_request_is_offered_without_anybody_asking_for_a_round(place: TestTerritory) -> None:
    volunteer, request = place.volunteer(), place.ask()
    planner_of(place).turn_and_wait()
    assert place.states(request) == ["offered", "offered"]
    assert place.offer(request).volunteer_id == volunteer
    assert newest_round(place).state == "done"


def test_a_decline_leads_to_another_volunteer_and_at_last_to_nobody(place: TestTerritory) -> None:
    volunteers, request, planner = {place.volunteer("A"), place.volunteer("B")}, place.ask(), planner_of(place)
    asked = set()
    for _ in volunteers:
        planner.turn_and_wait()
        offer = place.offer(request)
        asked.add(offer.volunteer_id)
        with place.store() as store:
            decline_offer(store, store.get(Offer, offer.id), "too_far", place.world)
    assert asked == volunteers
    planner.turn_and_wait()
    assert place.states(request) == ["standby", "standby"]
    assert {way.unserved.reason for way in place.trip(request).legs if way.unserved} == {"REFUSED_PAIR"}


def test_an_offer_nobody_answers_goes_to_the_next_volunteer(place: TestTerritory) -> None:
    place.volunteer("A")
    place.volunteer("B")
    request, planner = place.ask(), planner_of(place)
    planner.turn_and_wait()
    first = place.offer(request)
    place.world.advance(dt.timedelta(minutes=QUICK.offer_minutes + 1))
    planner.turn_and_wait()
    assert place.offer(request).volunteer_id != first.volunteer_id
    assert [offer.id for offer in place.offers(request, "expired")] == [first.id]


def test_a_new_request_leaves_what_was_agreed_as_it_is(place: TestTerritory) -> None:
    place.volunteer("A")
    first, planner = place.ask(), planner_of(place)
    planner.turn_and_wait()
    with place.store() as store:
        accept_offer(store, store.offers_of([first], "sent")[0], place.world)
    before = [way.assignment.told_pickup_at for way in place.trip(first).legs if way.assignment]
    second = place.ask(arrive="15:00", back=None)
    planner.turn_and_wait()
    assert place.states(first) == ["confirmed", "confirmed"]
    assert [way.assignment.told_pickup_at for way in place.trip(first).legs if way.assignment] == before
    assert place.states(second) in (["offered"], ["standby"])


@pytest.mark.parametrize("away", [dt.timedelta(hours=4), dt.timedelta(days=30)])
def test_a_way_whose_time_came_while_nothing_was_running_is_an_unmet_need(place: TestTerritory, away: dt.timedelta) -> None:
    place.volunteer()
    request, planner = place.ask(), planner_of(place)
    planner.turn_and_wait()
    place.world.advance(place.offer(request).expires_at - place.world.now() + dt.timedelta(days=1) + away)
    for _ in range(2):
        planner.turn_and_wait()
    assert place.states(request) == ["unmet", "unmet"]
    with place.store() as store:
        assert len(store.page(UnmetNeed, None, 10)) == 2
        assert len(store.page(Round, None, 10)) == 1  # nothing is left to be planned


def test_nothing_to_do_makes_no_rounds(place: TestTerritory) -> None:
    request, planner = place.ask(), planner_of(place)
    planner.turn_and_wait()
    assert place.states(request) == ["standby", "standby"]  # no volunteers: told, and left in peace
    planner.turn_and_wait()
    with place.store() as store:
        assert len(store.page(Round, None, 10)) == 1


def test_a_failed_solve_is_marked_and_leaves_everything_as_it_was(place: TestTerritory, monkeypatch: pytest.MonkeyPatch) -> None:
    place.volunteer()
    request, planner = place.ask(), planner_of(place)

    def fail(*_: Any) -> None:
        raise SolveFailed

    monkeypatch.setattr(conductor, "plan_day", fail)
    planner.turn_and_wait()
    assert (newest_round(place).state, newest_round(place).failure) == ("failed", "solve_failed")
    assert place.states(request) == ["pending", "pending"]
    planner.turn_and_wait()
    with place.store() as store:
        assert len(store.page(Round, None, 10)) == 1  # not hammered
    monkeypatch.undo()
    place.world.advance(dt.timedelta(minutes=11))
    planner.turn_and_wait()
    assert place.states(request) == ["offered", "offered"]


def test_a_plan_that_breaks_a_rule_is_kept_and_sends_nothing(place: TestTerritory, monkeypatch: pytest.MonkeyPatch) -> None:
    place.volunteer()
    request = place.ask()

    def unsound(*args: Any) -> Any:
        return replace(plan_day(*args), violations=[Violation("capacity", "run 1", "Too many aboard.")])

    monkeypatch.setattr(conductor, "plan_day", unsound)
    planner_of(place).turn_and_wait()
    row = newest_round(place)
    assert (row.state, row.failure, row.plan is not None) == ("failed", "plan_rejected", True)
    assert place.states(request) == ["pending", "pending"]
    assert place.offers(request) == []


def test_an_unforeseen_error_does_not_stop_the_other_territory(place: TestTerritory, monkeypatch: pytest.MonkeyPatch) -> None:
    other = TestTerritory(place.database, place.network, "B", 2)
    place.volunteer()
    other.volunteer()
    mine, theirs = place.ask(), other.ask()

    def trip_over_one(day: Any, *rest: Any) -> Any:
        if any(request.id == str(mine) for request in day.requests):
            raise RuntimeError("canary")
        return plan_day(day, *rest)

    monkeypatch.setattr(conductor, "plan_day", trip_over_one)
    with capture_logs() as lines:
        planner_of(place).turn_and_wait()
    assert place.states(mine) == ["pending", "pending"]
    assert other.states(theirs) == ["offered", "offered"]
    assert "canary" not in str(lines)


def test_a_round_whose_worker_died_is_run_again_when_its_lease_ends(place: TestTerritory) -> None:
    place.volunteer()
    request, planner = place.ask(), planner_of(place)
    with place.store() as store:
        dead = enqueue_round(store, DATE, 0.3, 1, place.world).id
    with place.store() as store:
        claim_round(store, dead, place.world, lease_s=60)
    planner.turn_and_wait()
    assert place.states(request) == ["pending", "pending"]  # somebody is at it
    with place.store() as store:
        store.hold_round(dead, 1, lease_s=-1)
    planner.turn_and_wait()
    assert place.states(request) == ["offered", "offered"]
    with place.store() as store:
        found = store.get(Round, dead)
        assert (found.state, found.token, found.attempts) == ("done", 2, 2)


def test_a_round_that_took_three_workers_down_is_given_up(place: TestTerritory) -> None:
    request, planner = place.ask(), planner_of(place)
    with place.store() as store:
        poison = enqueue_round(store, DATE, 0.3, 1, place.world).id
    for _ in range(3):
        with place.store() as store:
            claim_round(store, poison, place.world, lease_s=-1)
    planner.turn_and_wait()
    with place.store() as store:
        assert (store.get(Round, poison).state, store.get(Round, poison).failure) == ("failed", "poison")
    assert place.states(request) == ["pending", "pending"]


def test_the_thread_wakes_on_a_ring_and_stops_when_told(place: TestTerritory) -> None:
    bus = LocalBus()
    planner = Planner(place.database, place.network, bus, QUICK, place.world)
    planner.start()
    time.sleep(0.3)
    place.volunteer()
    request = place.ask()
    bus.ring(place.id)
    deadline = time.monotonic() + 60
    while place.states(request) != ["offered", "offered"] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert place.states(request) == ["offered", "offered"]
    planner.stop()
    assert not planner._thread.is_alive()


def test_logs_of_a_round_name_nobody(place: TestTerritory, tmp_path: Path) -> None:
    place.volunteer("Canary Morel", phone="0611223344")
    place.ask(place.person("Canary Roussel"))
    with capture_logs() as lines:
        planner_of(place).turn_and_wait()
    assert [line["event"] for line in lines] == ["round"]
    assert "Canary" not in str(lines)
    assert "0611" not in str(lines)
