"""Guards one by one: each refuses its harm, and the harm is there as soon as the guard is gone."""

import os
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from dispatch.engine.bus import LocalBus
from dispatch.engine.planner import Planner
from dispatch.errors import Conflict
from dispatch.service import offers
from dispatch.service.offers import accept_offer, decline_offer
from dispatch.service.rounds import save_round
from dispatch.service.trips import cancel_trip
from dispatch.settings import Settings
from dispatch.storage import rounds
from dispatch.storage.database import Database
from dispatch.storage.geometry import Instant
from dispatch.storage.log import Event
from dispatch.storage.store import Store
from dispatch.storage.tables import Leg, Offer, Run, TripRequest
from dispatch.world import World
from routing.network import RoadNetwork
from tests.conftest import VAULT
from tests.dispatch.storage.test_guards import race
from tests.dispatch.territories import DATE, NOW, TestTerritory, at, make_plan


@pytest.fixture
def place(database: Database, demo_roads: RoadNetwork) -> TestTerritory:
    return TestTerritory(database, demo_roads)


def asked(place: TestTerritory) -> tuple[UUID, UUID]:
    """A volunteer who was asked about a request."""
    volunteer, request = place.volunteer(), place.ask(back=None)
    place.run_round({(request, "outbound"): (volunteer, "10:00")})
    return volunteer, request


class Skewed(World):
    """A machine whose clock is wrong."""

    def __init__(self, by: timedelta) -> None:
        self._by = by

    def now(self) -> datetime:
        return datetime.now(UTC) + self._by


def lapses(place: TestTerritory, offer: UUID, after: timedelta) -> None:
    """So long after the present by the database's clock, which is this machine's."""
    with place.store() as store:
        store.get(Offer, offer).expires_at = datetime.now(UTC) + after


@pytest.mark.parametrize("hours", [-1, 0, 1])
def test_an_offer_lapses_by_the_clock_of_the_database_whatever_the_service_thinks(
    place: TestTerritory, hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, request = asked(place)
    offer, world = place.offer(request).id, Skewed(timedelta(hours=hours))
    planner = Planner(place.database, place.network, LocalBus(), Settings(), world)

    def accept() -> None:
        with place.store() as store:
            accept_offer(store, store.get(Offer, offer), world)

    lapses(place, offer, timedelta(minutes=30))
    planner.lapse_offers()
    assert place.offer(request).id == offer
    lapses(place, offer, -timedelta(minutes=30))
    with pytest.raises(Conflict, match="lapsed"):
        accept()
    if hours < 0:  # without the guard an offer that has lapsed is accepted
        monkeypatch.setattr(rounds, "present", lambda world: sa.literal(world.now(), Instant()))
        accept()
        return
    lapses(place, offer, timedelta(minutes=30))
    accept()
    assert place.states(request) == ["confirmed"]


def test_of_fifty_who_accept_one_offer_at_once_one_wins(place: TestTerritory) -> None:
    _, request = asked(place)
    offer = place.offer(request).id

    def accept(_: int) -> None:
        with place.store() as store:
            accept_offer(store, store.get(Offer, offer), place.world)

    assert len(race(50, accept)) == 49
    with place.store() as store:
        assert [event.after for event in store.events(offer)] == ["accepted"]


def without_looking(place: TestTerritory) -> None:
    """Events are carried out whatever the subject's state and version are, and may have the same number. PostgreSQL."""
    with place.database._engine.begin() as owner:
        (body,) = owner.exec_driver_sql("SELECT pg_get_functiondef('carry_out_event'::regproc)").one()
        condition = " AND state = $5 AND version = $2 - 1"
        assert condition in body
        owner.connection.cursor().execute(body.replace(condition, ""))
        owner.exec_driver_sql("ALTER TABLE event DROP CONSTRAINT uq_event_subject_id_seq")
        owner.exec_driver_sql("DROP TRIGGER state_follows ON leg")


@pytest.mark.postgis
@pytest.mark.parametrize("guarded", [True, False])
def test_two_who_answer_at_once_both_win_once_nobody_looks_at_the_state(
    postgis: Database, demo_roads: RoadNetwork, monkeypatch: pytest.MonkeyPatch, *, guarded: bool
) -> None:
    """Both have read offer and ride, without locking them, before either answers, and neither of them looks again."""
    place, both, legs_of = TestTerritory(postgis, demo_roads), threading.Barrier(2), Store.legs_of
    _, request = asked(place)
    offer = place.offer(request).id
    if not guarded:
        without_looking(place)

    def read_and_wait(store: Store, request_ids: Iterable[UUID], *, lock: bool = False) -> dict[UUID, list[Leg]]:
        found = legs_of(store, request_ids)
        if lock:  # whoever tells people afterwards looks again, and waits for nobody
            both.wait()
        return found

    def accept(_: int) -> None:
        with place.store() as store:
            accept_offer(store, store.get(Offer, offer), place.world)

    monkeypatch.setattr(Store, "is_open", lambda *_: True)
    monkeypatch.setattr(Store, "legs_of", read_and_wait)
    monkeypatch.setattr(offers, "tell_person", lambda *_: None)  # what people were told is kept once, whoever won
    assert len(race(2, accept)) == (1 if guarded else 0)
    with place.store() as store:
        assert [event.after for event in store.events(offer)] == ["accepted"] * (1 if guarded else 2)


@pytest.mark.postgis
@pytest.mark.parametrize("guarded", [True, False])
def test_a_plan_revives_a_ride_cancelled_at_that_moment_once_nobody_looks_at_the_state(
    postgis: Database, demo_roads: RoadNetwork, monkeypatch: pytest.MonkeyPatch, *, guarded: bool
) -> None:
    """The planner has read the ride without locking it; before it writes, somebody else cancels."""
    place = TestTerritory(postgis, demo_roads)
    volunteer, request = place.volunteer(), place.ask(back=None)
    snapshot, read = place.snapshot(), Store.legs_of
    if not guarded:
        without_looking(place)

    def read_and_be_late(store: Store, request_ids: Iterable[UUID], *, lock: bool = False) -> dict[UUID, list[Leg]]:
        monkeypatch.setattr(Store, "legs_of", read)
        found = read(store, request_ids)
        with place.store() as other:
            cancel_trip(other, other.get(TripRequest, request), place.world)
        return found

    monkeypatch.setattr(Store, "legs_of", read_and_be_late)
    with suppress(Conflict) if guarded else nullcontext(), place.database.write("solver") as session:
        save_round(Store(session, place.id), snapshot, make_plan({(request, "outbound"): (volunteer, "10:00")}), 240, place.world)
    assert place.trip(request).request.state == "cancelled"
    assert place.states(request) == ["cancelled" if guarded else "offered"]
    assert len(place.offers(request)) == (0 if guarded else 1)


def step(place: TestTerritory, before: str, after: str, seq: int) -> None:
    """An event of the only leg, as the service would write it."""
    with place.database._engine.execution_options(role="app", rebuilds=_loose(place)).begin() as connection:
        _enter(connection, place)
        leg = connection.execute(sa.select(Leg.id)).scalar_one()
        row = {"id": uuid4(), "territory_id": place.id, "kind": "leg", "subject_id": leg, "seq": seq, "before": before, "after": after}
        connection.execute(sa.insert(Event).values(**row, at=NOW))


def _loose(place: TestTerritory) -> bool:
    return bool(getattr(place, "without_foreign_keys", False))


def _enter(connection: sa.Connection, place: TestTerritory) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT set_config('allons.territory', :id, true)"), {"id": str(place.id)})
    else:
        connection.info["territory"] = place.id.hex


def drop(place: TestTerritory, postgresql: str, sqlite: str) -> None:
    with place.database._engine.begin() as owner:
        for statement in (postgresql if owner.dialect.name == "postgresql" else sqlite).split("; "):
            if statement:
                owner.exec_driver_sql(statement)


def test_a_step_that_the_table_of_steps_has_not_is_taken_once_the_foreign_key_is_gone(place: TestTerritory) -> None:
    _, request = asked(place)
    with place.store() as store:
        cancel_trip(store, store.get(TripRequest, request), place.world)
    with pytest.raises(sa.exc.IntegrityError):
        step(place, "cancelled", "offered", 3)
    assert place.states(request) == ["cancelled"]
    drop(place, "ALTER TABLE event DROP CONSTRAINT fk_event_kind_before_after", "")
    place.without_foreign_keys = True  # type: ignore[attr-defined] # SQLite cannot drop one
    step(place, "cancelled", "offered", 3)
    assert place.states(request) == ["offered"]  # a cancelled ride is back


def test_two_events_have_one_number_once_the_unique_key_is_gone(place: TestTerritory) -> None:
    _, request = asked(place)
    drop(place, "DROP TRIGGER carry_out ON event", "DROP TRIGGER leg_carry_out")
    with pytest.raises(sa.exc.IntegrityError):
        step(place, "pending", "offered", 1)
    if place.database._engine.dialect.name == "sqlite":
        pytest.skip("SQLite cannot drop a unique key of a table")
    drop(place, "ALTER TABLE event DROP CONSTRAINT uq_event_subject_id_seq", "")
    step(place, "pending", "offered", 1)
    with place.store() as store:
        leg = store.legs_of([request])[request][0].id
        assert [event.seq for event in store.events(leg)] == [1, 1]


LOGS = ("event", "access", "seal", "sealed")


@pytest.mark.parametrize("name", LOGS)
def test_a_log_can_be_rewritten_even_by_its_owner_only_without_its_triggers(place: TestTerritory, name: str) -> None:
    asked(place)
    with place.store() as store:
        store.seal(place.world)
    column = {"sealed": "number", "seal": "number"}.get(name, "territory_id")
    pointing = {"seal": ", sealed", "event": ", webhook_delivery"}  # what points to it goes with it
    harms = [(f"UPDATE {name} SET {column} = {column}", "never_changed", f"{name}_no_update")]  # noqa: S608
    if name != "seal":  # others point to it
        harms.append((f"DELETE FROM {name}", "never_changed", f"{name}_no_delete"))  # noqa: S608
    with place.database._engine.connect() as owner:
        postgresql = owner.dialect.name == "postgresql"
        if postgresql:
            harms.append((f"TRUNCATE {name}{pointing.get(name, '')}", "never_emptied", ""))
        for statement, trigger, other in harms:
            with pytest.raises(sa.exc.IntegrityError), owner.begin():
                _enter(owner, place)
                owner.exec_driver_sql(statement)
            begun = owner.begin()
            _enter(owner, place)
            owner.exec_driver_sql(f"DROP TRIGGER {trigger} ON {name}" if postgresql else f"DROP TRIGGER {other}")
            if postgresql and name == "seal":
                owner.exec_driver_sql("DROP TRIGGER never_emptied ON sealed")
            assert owner.exec_driver_sql(statement).rowcount != 0
            begun.rollback()


@pytest.mark.postgis
@pytest.mark.parametrize(
    ("what", "span", "guard"),
    [
        ("empty", "'2026-11-24 09:00Z', '2026-11-24 09:00Z'", "DROP CONSTRAINT ck_run_ordered"),
        ("without an end", "'2026-11-24 20:00Z', 'infinity'", "DROP CONSTRAINT ck_run_bounded"),
        ("nobody's", "'2026-11-24 09:00Z', '2026-11-24 10:00Z'", "ALTER volunteer_id DROP NOT NULL"),
    ],
)
def test_a_run_that_would_overlap_with_nothing_or_everything_is_refused(
    postgis: Database, demo_roads: RoadNetwork, what: str, span: str, guard: str
) -> None:
    place = TestTerritory(postgis, demo_roads)
    volunteer, _ = asked(place)
    who = "NULL" if what == "nobody's" else f"'{volunteer}'"
    row = f"INSERT INTO run (id, territory_id, volunteer_id, service_date, starts_at, ends_at, state) VALUES (gen_random_uuid(), '{place.id}', {who}, '2026-11-24', {span}, 'planned')"  # noqa: S608,E501
    with postgis._engine.connect() as owner:
        with pytest.raises(sa.exc.IntegrityError), owner.begin():
            owner.exec_driver_sql(row)
        with owner.begin() as begun:
            owner.exec_driver_sql(f"ALTER TABLE run {guard}")
            for _ in range(1 if what == "without an end" else 2):  # twice at the same time, and the ban on overlaps sees nothing
                owner.exec_driver_sql(row)
            begun.rollback()


def test_runs_are_taken_exactly_when_they_do_not_overlap_and_may_touch(place: TestTerritory) -> None:
    rng, volunteer, taken = random.Random(1), place.volunteer(), list[tuple[int, int]]()
    with place.store() as store:
        for _ in range(150):
            begins = rng.randrange(20)
            ends = begins + rng.randrange(1, 5)
            span = {"starts_at": at("00:00") + timedelta(hours=begins), "ends_at": at("00:00") + timedelta(hours=ends)}
            run = Run(id=uuid4(), volunteer_id=volunteer, service_date=DATE, state="planned", **span)
            free = all(ends <= b or e <= begins for b, e in taken)
            assert store.add_unless_there(run) == free
            taken += [(begins, ends)] if free else []
    assert any(ends == b for _, ends in taken for b, _ in taken)


def test_a_plan_over_what_has_changed_meanwhile_is_published_once_versions_are_not_compared(place: TestTerritory) -> None:
    _, request = asked(place)
    other = place.volunteer()
    snapshot = place.snapshot()
    with place.store() as store:
        decline_offer(store, store.offers_of([request], "sent")[0], "too_far", place.world)
    for guarded in (True, False):
        with place.store() as store:
            versions = {leg.id: leg.version for leg in store.legs_of([request])[request]}
        known = snapshot if guarded else replace(place.snapshot(), day=snapshot.day, versions=versions)
        with place.database.write("solver") as session:
            save_round(Store(session, place.id), known, make_plan({(request, "outbound"): (other, "10:00")}), 240, place.world)
        assert len(place.offers(request)) == (0 if guarded else 1)  # somebody is asked by a plan that knew of no refusal


@pytest.mark.parametrize("count", [15, pytest.param(400, marks=pytest.mark.slow)])
def test_a_ride_cancelled_while_its_plan_is_made_stays_cancelled(place: TestTerritory, count: int) -> None:
    volunteer, requests = place.volunteer(), [place.ask(back=None, arrive=f"{9 + k // 6:02}:{k % 6 * 10:02}") for k in range(8)]
    rng = random.Random(count)
    for k in range(count):
        snapshot = place.snapshot()
        request = requests[k % len(requests)] = place.ask(back=None) if k >= len(requests) else requests[k]
        plan = make_plan({(request, "outbound"): (volunteer, "10:00")})

        def work(number: int, request: UUID = request, snapshot: Any = snapshot, plan: Any = plan) -> None:
            if number:
                with place.store() as store:
                    cancel_trip(store, store.get(TripRequest, request), place.world)
            else:
                with place.database.write("solver") as session:
                    save_round(Store(session, place.id), snapshot, plan, 240, place.world)

        if rng.random() < 0.5:
            raised = race(2, work)
            assert len(raised) <= 1
            with suppress(Conflict), place.store() as store:
                cancel_trip(store, store.get(TripRequest, request), place.world)
        else:
            work(1)
            work(0)
        assert place.states(request) == ["cancelled"]
        with place.store() as store:
            for held in store.rounds_to_run():
                store.move(store.claim_round(held, 1.0), "failed", place.world)
            running = store.session.scalars(sa.select(rounds.Round).where(rounds.Round.state == "running")).all()
            for row in running:
                store.move(row, "failed", place.world)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_who_is_killed_while_publishing_has_published_all_or_nothing(place: TestTerritory) -> None:
    volunteers, requests = [place.volunteer() for _ in range(2)], [place.ask(back=None), place.ask(arrive="15:00", back=None)]
    place.run_round({(requests[0], "outbound"): (volunteers[0], "10:00")})
    snapshot = place.snapshot()
    pairs = zip(requests, volunteers, ("10:05", "14:30"), strict=True)
    plan = make_plan({(request, "outbound"): (volunteer, clock) for request, volunteer, clock in pairs})
    url = place.database._engine.url.render_as_string(hide_password=False)

    def publish(statements: int) -> int:
        """In a child that is killed before so many statements; how it ended."""
        child = os.fork()
        if child == 0:
            try:
                database, left = Database(url, VAULT), [statements]
                sa.event.listen(database._engine, "before_cursor_execute", _killer(left))
                with database.write("solver") as session:
                    save_round(Store(session, place.id), snapshot, plan, 240, place.world)
            finally:
                os._exit(0 if sys.exc_info()[0] is None else 1)
        return os.waitpid(child, 0)[1]

    def shown() -> list[Any]:
        told = [[(offer.state, offer.volunteer_id) for offer in place.offers(request, "sent", "withdrawn")] for request in requests]
        return [told, [place.states(request) for request in requests]]

    before, kills = shown(), 0
    for statements in range(3, 500, 7):
        if publish(statements) == 0:
            break
        kills += 1
        assert shown() == before
    else:
        pytest.fail("it never came to its end")
    assert kills > 3
    assert shown() != before
    assert [place.states(request) for request in requests] == [["offered"], ["offered"]]


def _killer(left: list[int]) -> Callable[..., None]:
    def count(*_: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return count
