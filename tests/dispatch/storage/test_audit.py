"""The log cannot be rewritten: not by the service at all, and not by the owner of the database unnoticed."""

import datetime as dt
import random
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from dispatch.errors import Conflict
from dispatch.service.offers import accept_offer
from dispatch.service.trips import cancel_trip
from dispatch.storage.audit import LATE
from dispatch.storage.database import Database
from dispatch.storage.digests import FIRST, digest
from dispatch.storage.log import Access, Event, Seal, Sealed
from dispatch.storage.store import Store
from dispatch.storage.tables import Leg, TripRequest
from dispatch.world import FixedWorld
from routing.network import RoadNetwork
from tests.dispatch.territories import TestTerritory

LOGS = (Event, Access, Seal, Sealed)
TAMPERINGS = 1000


@pytest.fixture
def place(database: Database, demo_roads: RoadNetwork) -> TestTerritory:
    """A territory with some life, sealed twice, and a little more life."""
    place = TestTerritory(database, demo_roads)
    for clock in ("09:40", "11:40"):
        volunteer = place.volunteer()
        request = place.ask(back=None, arrive=clock)
        place.run_round({(request, "outbound"): (volunteer, clock.replace("40", "00"))})
        with place.store() as store:
            accept_offer(store, store.offers_of([request], "sent")[0], place.world)
            assert store.seal(place.world) > 0
            assert store.seal(place.world) == 0
    with place.store() as store:
        cancel_trip(store, store.get(TripRequest, request), place.world)
    return place


def faults(place: TestTerritory) -> list[str]:
    with place.database.read() as session:
        return [f"{fault.table} {fault.row}" for fault in Store(session, place.id).log_faults()]


def test_what_was_written_by_the_service_is_whole(place: TestTerritory) -> None:
    assert faults(place) == []
    with place.store() as store:
        assert store.seal(place.world) > 0
    assert faults(place) == []


@pytest.mark.parametrize("role", ["app", "solver", "auditor"])
def test_no_role_changes_removes_or_empties_a_log(place: TestTerritory, role: Any) -> None:
    postgresql = place.database._engine.dialect.name == "postgresql"
    for table in LOGS:
        name, column = table.__tablename__, table.__table__.columns.keys()[0]
        statements = [f"UPDATE {name} SET {column} = {column}", f"DELETE FROM {name}"]  # noqa: S608
        for statement in [*statements, f"TRUNCATE {name}"] if postgresql else statements:
            with pytest.raises((Conflict, sa.exc.ProgrammingError)), place.database.write(role) as session:
                session.execute(sa.text(statement)) if postgresql else Store(session, place.id).session.execute(sa.text(statement))


def test_a_digest_that_somebody_brings_along_is_not_taken(place: TestTerritory) -> None:
    with place.store() as store:
        leg = store.session.scalars(sa.select(Leg).where(Leg.state == "confirmed")).first()
        assert leg
        given = {"kind": "leg", "subject_id": leg.id, "seq": leg.version + 1, "before": "confirmed", "after": "completed"}
        row = Event(id=uuid4(), territory_id=place.id, at=place.world.now(), digest="0" * 64, **given)
    try:
        with place.store() as store:
            store.add(row)
    except Conflict:  # SQLite refuses it,
        assert place.database._engine.dialect.name == "sqlite"
    assert faults(place) == []  # PostgreSQL writes its own


def test_a_look_put_in_with_a_date_before_the_last_seals_is_found(place: TestTerritory) -> None:
    with place.store() as store:
        store.seal(place.world)
    with place.store() as store:
        store.note_access("read", "beneficiary", None, 3, FixedWorld(place.world.now() - LATE - dt.timedelta(hours=1), 7))
        assert store.seal(place.world) == 0
    assert [fault.split()[0] for fault in faults(place)] == ["access"]


def test_two_who_seal_at_once_make_one_seal(place: TestTerritory) -> None:
    with place.store() as store:
        head = store.head()
        assert head
    with pytest.raises(Conflict), place.store() as store:
        store.add(Seal(number=head.number, at=place.world.now(), digest="x"))


@pytest.mark.parametrize("number", [0, 1, 2, *(pytest.param(k, marks=pytest.mark.slow) for k in range(3, 10))])
def test_of_a_thousand_tamperings_by_the_owner_none_goes_unnoticed(place: TestTerritory, number: int) -> None:
    rng, engine = random.Random(number), place.database._engine
    with engine.connect() as connection:
        connection.begin()
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET session_replication_role = replica")  # no trigger and no foreign key is looked at
        else:
            for (name,) in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
            connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        store = Store(_session(place, connection), place.id)
        assert list(store.log_faults()) == []
        for _ in range(TAMPERINGS // 10 // 2):  # the other half on the other database
            with connection.begin_nested() as undo:
                done = rng.choice(WAYS)(connection, place.id, rng)
                store.session.expire_all()
                assert list(store.log_faults()) != [], done
                undo.rollback()
        store.session.expire_all()
        assert list(store.log_faults()) == []


def test_who_rewrites_log_and_seals_alike_is_given_away_by_a_head_that_was_kept_outside(place: TestTerritory) -> None:
    with place.store() as store:
        store.seal(place.world)
        kept = store.head()
        assert kept
    with place.database._engine.connect() as connection:
        connection.begin()
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET session_replication_role = replica")
        else:
            for (name,) in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        session = _session(place, connection)
        for subject in session.scalars(sa.select(Event.subject_id).distinct()).all():
            previous = FIRST
            for row in session.scalars(sa.select(Event).where(Event.subject_id == subject).order_by(Event.seq)).all():
                row.at += dt.timedelta(hours=1)
                previous = row.digest = digest(
                    previous, row.id, place.id, row.kind, subject, row.seq, row.before, row.after, row.at, row.actor_id, row.reason
                )
        session.flush()
        digests = dict(session.execute(sa.select(Event.id, Event.digest).union_all(sa.select(Access.id, Access.digest))).all())
        previous = FIRST
        for seal in session.scalars(sa.select(Seal).order_by(Seal.number)).all():
            covered = session.scalars(sa.select(Sealed.entry_id).where(Sealed.number == seal.number)).all()
            previous = seal.digest = digest(previous, place.id, seal.number, seal.at, *(digests[row] for row in sorted(covered)))
        session.flush()
        store = Store(session, place.id)
        assert list(store.log_faults()) == []  # all of it fits together again,
        head = store.head()
        assert head
        assert head.number == kept.number
        assert head.digest != kept.digest  # but it is not what was there


def _session(place: TestTerritory, connection: sa.Connection) -> Any:
    from sqlalchemy.orm import Session

    return Session(connection, info={"vault": None}, join_transaction_mode="create_savepoint")


def _one(connection: sa.Connection, table: type[Any], territory: UUID, rng: random.Random) -> Any:
    rows = connection.execute(sa.select(table.__table__).where(table.territory_id == territory)).all()
    return sorted(rows, key=str)[rng.randrange(len(rows))]


def _changed(table: type[Any], **fields: Callable[[Any], Any]) -> Callable[..., str]:
    def tamper(connection: sa.Connection, territory: UUID, rng: random.Random) -> str:
        row, name = _one(connection, table, territory, rng), rng.choice(sorted(fields))
        keys = [column == getattr(row, column.name) for column in table.__table__.primary_key]
        connection.execute(sa.update(table).where(*keys).values({name: fields[name](getattr(row, name))}))
        return f"{table.__tablename__}.{name} of {row}"

    return tamper


def _removed(table: type[Any]) -> Callable[..., str]:
    def tamper(connection: sa.Connection, territory: UUID, rng: random.Random) -> str:
        row = _one(connection, table, territory, rng)
        if table is Access:  # one that no seal covers yet could go unnoticed: docs/audit.md
            covered = set(connection.scalars(sa.select(Sealed.entry_id)))
            while row.id not in covered:
                row = _one(connection, table, territory, rng)
        keys = [column == getattr(row, column.name) for column in table.__table__.primary_key]
        connection.execute(sa.delete(table).where(*keys))
        return f"{table.__tablename__} without {row}"

    return tamper


def _put_in(connection: sa.Connection, territory: UUID, rng: random.Random) -> str:
    row = _one(connection, Event, territory, rng)
    last = connection.scalar(sa.select(sa.func.max(Event.seq)).where(Event.subject_id == row.subject_id))
    connection.execute(sa.insert(Event).values({**row._mapping, "id": uuid4(), "seq": last + 1}))
    return f"a step put in after {row}"


def _exchanged(connection: sa.Connection, territory: UUID, rng: random.Random) -> str:
    row = _one(connection, Event, territory, rng)
    other = _one(connection, Event, territory, rng)
    while other.at == row.at and other.id == row.id:
        other = _one(connection, Event, territory, rng)
    for mine, theirs in ((row, other), (other, row)):
        connection.execute(sa.update(Event).where(Event.id == mine.id).values(digest=theirs.digest))
    return f"digests of {row} and {other} exchanged"


LATER: Callable[[Any], Any] = lambda at: at + dt.timedelta(microseconds=1)  # noqa: E731
WAYS: list[Callable[..., str]] = [
    _changed(Event, at=LATER, actor_id=lambda _: uuid4(), reason=lambda _: "x", after=lambda _: "completed", seq=lambda n: n + 50),
    _changed(Access, at=LATER, actor_id=lambda _: uuid4(), count=lambda n: n + 1, act=lambda old: "read" if old != "read" else "made"),
    _changed(Seal, at=LATER, digest=lambda old: old[::-1], number=lambda n: n + 50),
    _changed(Sealed, number=lambda n: 3 - n),
    _removed(Event),
    _removed(Access),
    _removed(Seal),
    _removed(Sealed),
    _put_in,
    _exchanged,
]
