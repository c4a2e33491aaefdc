"""What people agreed on is not a planner's to move, on both databases: every way is refused, and each one open without its guard."""

import datetime as dt
import random
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from dispatch.errors import Conflict
from dispatch.model.day import Policy
from dispatch.model.plans import Plan
from dispatch.service.offers import accept_offer
from dispatch.service.rounds import fail_round, save_round
from dispatch.storage.database import Database
from dispatch.storage.store import Store
from dispatch.storage.tables import Assignment, Leg, Offer, Run, TripRequest
from routing.network import RoadNetwork
from tests.dispatch.territories import DATE, NOW, TestTerritory, at, make_plan


def step(kind: str, before: str, after: str, subject: str, seq: int) -> str:
    """The event that would move something."""
    return f"""INSERT INTO event (id, territory_id, kind, subject_id, seq, "before", "after", at)
        VALUES (:new, :here, '{kind}', :{subject}, {seq}, '{before}', '{after}', :now)"""  # noqa: S608


@dataclass(frozen=True)
class Harm:
    """A statement, and what takes its guard away: on PostgreSQL, and the trigger's name on SQLite."""

    statement: str
    postgresql: str
    sqlite: str


LOCKED = "DROP TRIGGER keep_locked ON assignment"
AGREED = "DROP TRIGGER keep_agreed ON event"
HARMS = {
    "a confirmed leg is planned anew": Harm(step("leg", "confirmed", "pending", "leg", 3), AGREED, "keep_agreed"),
    "a confirmed leg is set aside": Harm(step("leg", "confirmed", "standby", "leg", 3), AGREED, "keep_agreed"),
    "a confirmed leg is cancelled": Harm(step("leg", "confirmed", "cancelled", "leg", 3), AGREED, "keep_agreed"),
    "a leg is confirmed that nobody agreed to": Harm(step("leg", "offered", "confirmed", "asked", 2), AGREED, "keep_agreed"),
    "an accepted offer is withdrawn": Harm(step("offer", "accepted", "withdrawn", "offer", 2), AGREED, "keep_agreed"),
    "an offer is accepted for somebody": Harm(step("offer", "sent", "accepted", "sent", 1), AGREED, "keep_agreed"),
    "a request is cancelled": Harm(
        step("request", "accepted", "cancelled", "request", 2),
        f"{AGREED}; GRANT SELECT, UPDATE ON trip_request TO allons_solver",
        "keep_agreed",
    ),
    "a run is begun for its volunteer": Harm(step("run", "planned", "published", "run", 1), "DROP TRIGGER keep_run ON run", "keep_run"),
    "a run is given to somebody else": Harm(
        "UPDATE run SET volunteer_id = :idle WHERE id = :run", "GRANT UPDATE ON run TO allons_solver", "keep_run_columns"
    ),
    "a pickup is moved by an hour": Harm(
        "UPDATE assignment SET pickup_at = :late, dropoff_at = :late WHERE id = :ride", LOCKED, "keep_locked_update"
    ),
    "a ride ends days later": Harm("UPDATE assignment SET dropoff_at = :days WHERE id = :ride", LOCKED, "keep_locked_update"),
    "a ride is taken back": Harm("UPDATE assignment SET active = false WHERE id = :ride", LOCKED, "keep_locked_update"),
    "a ride is unlocked": Harm(
        "UPDATE assignment SET locked = false WHERE id = :ride",
        f"GRANT UPDATE ON assignment TO allons_solver; {LOCKED}",
        "keep_locked_update; DROP TRIGGER keep_assignment_columns",
    ),
    "another time is told": Harm(
        "UPDATE assignment SET told_pickup_at = :late WHERE id = :ride",
        f"GRANT UPDATE ON assignment TO allons_solver; {LOCKED}",
        "keep_locked_update; DROP TRIGGER keep_assignment_columns",
    ),
    "a locked ride is made up": Harm(
        """INSERT INTO assignment (id, territory_id, leg_id, volunteer_id, round_id, run_id, told_pickup_at, pickup_at, dropoff_at,
            active, locked)
        SELECT :new, territory_id, :asked, volunteer_id, round_id, run_id, told_pickup_at, pickup_at, dropoff_at,
            false, true FROM assignment WHERE id = :ride""",
        LOCKED,
        "keep_locked_insert",
    ),
    "a ride is removed": Harm(
        "DELETE FROM assignment WHERE id = :ride", "GRANT DELETE ON assignment TO allons_solver", "keep_assignment_delete"
    ),
    "an accepted offer is no longer about its leg": Harm(
        "UPDATE offer_leg SET open = false WHERE offer_id = :offer", "DROP TRIGGER keep_accepted ON offer_leg", "keep_accepted_update"
    ),
    "an accepted offer is about one leg more": Harm(
        "INSERT INTO offer_leg (id, territory_id, offer_id, leg_id, open) VALUES (:new, :here, :offer, :asked, false)",
        "DROP TRIGGER keep_accepted ON offer_leg",
        "keep_accepted_insert",
    ),
    "an offer lasts longer": Harm(
        "UPDATE offer SET expires_at = :days WHERE id = :sent", "GRANT UPDATE ON offer TO allons_solver", "keep_offer_columns"
    ),
    "a leg is another request's": Harm(
        "UPDATE leg SET direction = 'return' WHERE id = :leg", "GRANT UPDATE ON leg TO allons_solver", "keep_leg_columns"
    ),
}


@pytest.fixture
def place(database: Database, demo_roads: RoadNetwork) -> TestTerritory:
    return TestTerritory(database, demo_roads)


def accept(place: TestTerritory, request: UUID) -> None:
    with place.store() as store:
        accept_offer(store, store.offers_of([request], "sent")[0], place.world)


def things(place: TestTerritory) -> dict[str, UUID]:
    """One request whose ride was agreed on, one that somebody was asked about."""
    volunteer, other, idle = (place.volunteer() for _ in range(3))
    first, second = place.ask(back=None), place.ask(back=None)
    place.run_round({(first, "outbound"): (volunteer, "10:00"), (second, "outbound"): (other, "10:00")})
    accept(place, first)
    with place.store() as store:
        legs = store.legs_of([first, second])
        rides = store.active_assignments(leg.id for ways in legs.values() for leg in ways)
        leg, asked = legs[first][0].id, legs[second][0].id
        offers = {offer.state: offer.id for offer in store.offers_of([first, second], "sent", "accepted")}
    found = {"leg": leg, "asked": asked, "ride": rides[leg].id, "run": rides[leg].run_id, "other": rides[asked].run_id}
    return found | {"offer": offers["accepted"], "sent": offers["sent"], "request": first, "idle": idle}


def do(connection: sa.Connection, place: TestTerritory, statement: str, ids: dict[str, UUID]) -> int:
    """Run a statement as a planner of the territory; how many rows it touched."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL ROLE allons_solver")
        connection.execute(sa.text("SELECT set_config('allons.territory', :id, true)"), {"id": str(place.id)})
    else:
        connection.info["role"], connection.info["territory"] = "solver", place.id.hex
    moments = {"now": NOW, "early": at("09:00"), "late": at("11:00"), "days": at("10:10") + dt.timedelta(days=2)}
    values: dict[str, Any] = {**ids, "new": uuid4(), "here": place.id, **moments}
    query = sa.text(statement)
    for name in query._bindparams:
        kind = sa.Uuid() if isinstance(values[name], UUID) else Run.starts_at.type
        query = query.bindparams(sa.bindparam(name, values[name], kind))
    return connection.execute(query).rowcount


def test_no_way_to_move_what_was_agreed_on_is_open_to_a_planner_and_each_needs_its_guard(place: TestTerritory) -> None:
    ids = things(place)
    for what, harm in HARMS.items():
        with place.database._engine.connect() as connection:
            with pytest.raises((sa.exc.IntegrityError, sa.exc.ProgrammingError)), connection.begin():
                do(connection, place, harm.statement, ids)
                pytest.fail(f"{what}: nothing refused it")
            begun = connection.begin()
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(harm.postgresql)
            else:
                for name in harm.sqlite.split("; DROP TRIGGER "):
                    connection.exec_driver_sql(f"DROP TRIGGER {name}")
            assert do(connection, place, harm.statement, ids) == 1, f"{what}: something else refused it"
            begun.rollback()


IN_THE_END = {
    "a run is cancelled that somebody rides in": step("run", "planned", "cancelled", "run", 1),
    "a run ends before who rides in it is fetched": "UPDATE run SET ends_at = :early WHERE id = :run",
    "a ride is put into somebody else's run": "UPDATE assignment SET run_id = :other WHERE id = :ride",
}


@pytest.mark.parametrize("what", IN_THE_END)
def test_whoever_agreed_rides_in_a_run_when_all_is_done(place: TestTerritory, what: str) -> None:
    ids, engine = things(place), place.database._engine.execution_options(role="solver")
    with pytest.raises((Conflict, sa.exc.IntegrityError)), engine.begin() as connection:
        assert do(connection, place, IN_THE_END[what], ids) == 1
    with place.database._engine.begin() as owner:
        if owner.dialect.name == "postgresql":
            owner.exec_driver_sql("DROP TRIGGER keep_ridden ON run; DROP TRIGGER keep_ridden ON assignment")
        else:
            owner.exec_driver_sql("DROP VIEW ride_without_run")
            owner.exec_driver_sql("CREATE VIEW ride_without_run AS SELECT 1 WHERE false")
    with engine.begin() as connection:
        assert do(connection, place, IN_THE_END[what], ids) == 1
    assert agreed(place) == []


@pytest.mark.postgis
def test_a_planner_that_ends_a_run_waits_for_who_is_about_to_agree_to_it(postgis: Database, demo_roads: RoadNetwork) -> None:
    place = TestTerritory(postgis, demo_roads)
    volunteer, request = place.volunteer(), place.ask(back=None)
    place.run_round({(request, "outbound"): (volunteer, "10:00")})
    ids = {"run": next(run.id for runs in _runs(place).values() for run in runs)}
    with place.store() as store:
        accept_offer(store, store.offers_of([request], "sent")[0], place.world)
        with pytest.raises(sa.exc.OperationalError), postgis._engine.begin() as connection:
            connection.exec_driver_sql("SET LOCAL lock_timeout = '200ms'")
            do(connection, place, step("run", "planned", "cancelled", "run", 1), ids)


def _runs(place: TestTerritory) -> dict[UUID, list[Run]]:
    with place.store() as store:
        return store.active_runs(DATE)


def test_what_a_territory_counts_as_kept_is_what_the_database_counts_as_kept(place: TestTerritory) -> None:
    ids = things(place)
    policy = Policy(promise_tolerance_minutes=20, told_rounding_minutes=15)
    for chosen in ({}, policy.model_dump()):
        known = Policy.model_validate(chosen)
        with place.store() as store:
            store.territory().policy = chosen
        first, last = -known.promise_tolerance_minutes, known.promise_tolerance_minutes + known.told_rounding_minutes
        for minutes in (first - 1, first, last, last + 1):
            moved = sa.update(Assignment).where(Assignment.id == ids["ride"]).values(pickup_at=at("10:00") + dt.timedelta(minutes=minutes))
            moved = moved.values(dropoff_at=at("12:00"))
            try:
                with place.database.write("solver") as session:
                    Store(session, place.id).session.execute(moved)
            except Conflict:
                assert not first <= minutes <= last
            else:
                assert first <= minutes <= last


def replan(place: TestTerritory, plan: Plan) -> bool:
    """A round that ends with this plan; False when the database refuses it."""
    snapshot = place.snapshot()
    try:
        with place.database.write("solver") as session:
            save_round(Store(session, place.id), snapshot, plan, 240, place.world)
    except Conflict:
        with place.store() as store:
            fail_round(store, snapshot.round_id, snapshot.token, "refused", place.world)
        return False
    return True


def hostile(rng: random.Random, requests: list[UUID], volunteers: list[UUID]) -> Plan:
    """A plan that gives anybody to anybody at any time, in one or two runs each."""
    served = {
        (r, "outbound"): (rng.choice(volunteers), rng.choice(("09:50", "10:00", "10:15", "14:00"))) for r in requests if rng.random() < 0.8
    }
    plan = make_plan(served, tuple((r, "outbound") for r in requests if (r, "outbound") not in served))
    runs = []
    for run in plan.runs:
        cut = rng.randrange(len(run.legs) + 1) if rng.random() < 0.5 else 0
        for k, legs in enumerate(part for part in (run.legs[:cut], run.legs[cut:]) if part):
            begins = at("08:00") + dt.timedelta(minutes=rng.randrange(60) + 300 * k)
            ends = begins + dt.timedelta(minutes=rng.randrange(20, 300))
            runs.append(run.model_copy(update={"legs": legs, "leaves_home": begins, "back_home": ends}))
    return plan.model_copy(update={"runs": tuple(runs)})


def agreed(place: TestTerritory) -> list[tuple[object, ...]]:
    """Every ride that was agreed on, with all it stands on."""
    kept = (Assignment.leg_id, Assignment.volunteer_id, Assignment.told_pickup_at, Leg.state, TripRequest.state, Offer.state)
    query = (
        sa.select(*kept, Run.starts_at, Run.ends_at)
        .join(Leg, Leg.id == Assignment.leg_id)
        .join(TripRequest, TripRequest.id == Leg.request_id)
        .join(Offer, sa.and_(Offer.request_id == TripRequest.id, Offer.state == "accepted"))
        .join(Run, sa.and_(Run.id == Assignment.run_id, Run.volunteer_id == Assignment.volunteer_id, Run.state == "planned"))
        .where(Assignment.active, Assignment.locked)
    )
    with place.store() as store:
        rows = store.session.execute(query).all()
    early, late = dt.timedelta(minutes=10), dt.timedelta(minutes=15)  # what the territory counts as kept, and the rounding of what is told
    around = (row for row in rows if row.starts_at <= row.told_pickup_at + late and row.ends_at > row.told_pickup_at - early)
    return sorted((tuple(row)[:-2] for row in around), key=str)


@pytest.mark.parametrize("count", [30, pytest.param(1_000, marks=pytest.mark.slow)])
def test_hostile_plans_move_nobody_who_agreed(place: TestTerritory, count: int) -> None:
    rng, volunteers = random.Random(count), [place.volunteer() for _ in range(4)]
    requests = [place.ask(back=None) for _ in range(8)]
    saved = 0
    locked: list[tuple[object, ...]] = []
    for _ in range(count):
        saved += replan(place, hostile(rng, requests, volunteers))
        assert agreed(place) == locked
        offers = [offer for request in requests for offer in place.offers(request)]
        if offers and len(locked) < 5 and rng.random() < 0.4:
            with suppress(Conflict):  # a ride outside its run, which nobody can agree to
                accept(place, rng.choice(offers).request_id)
                locked = agreed(place)
        if not locked or len(requests) - len(locked) < 3:
            requests.append(place.ask(back=None))
    assert len(locked) >= 3
    assert 0 < saved <= count


def span(plan: Plan, *spans: tuple[str, str]) -> Plan:
    """With other times for its runs."""
    new = [
        run.model_copy(update={"leaves_home": at(begins), "back_home": at(ends)})
        for run, (begins, ends) in zip(plan.runs, spans, strict=True)
    ]
    return plan.model_copy(update={"runs": tuple(new)})


def test_a_plan_may_change_the_runs_around_those_who_agreed(place: TestTerritory) -> None:
    volunteer, first, second = place.volunteer(), place.ask(back=None), place.ask(arrive="15:00", back=None)
    one, other = {(first, "outbound"): (volunteer, "10:00")}, {(second, "outbound"): (volunteer, "14:30")}
    assert replan(place, span(make_plan(one | other), ("09:40", "15:00")))
    accept(place, first)
    accept(place, second)
    both, told = make_plan(one | other), agreed(place)
    apart = both.model_copy(update={"runs": make_plan(one).runs + make_plan(other).runs})
    early, late = ("09:30", "12:00"), ("12:00", "15:00")
    for plan, spans in ((apart, (early, late)), (apart, (("09:00", "13:00"), ("13:00", "16:00"))), (both, (("09:00", "17:00"),))):
        assert replan(place, span(plan, *spans))
        assert [(run.starts_at, run.ends_at) for run in _runs(place)[volunteer]] == [(at(begins), at(ends)) for begins, ends in spans]
        assert agreed(place) == told
