"""Runs, events, leases; and what the database keeps by itself: overlaps, states, territories, locks (0002_postgresql.sql and below)."""

from collections import defaultdict
from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

from dispatch.storage.geometry import Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_STATES = {
    "trip_request": ("request", "submitted"),
    "leg": ("leg", "pending"),
    "offer": ("offer", "sent"),
    "round": ("round", "queued"),
    "run": ("run", "planned"),
}
_TRANSITIONS: dict[str, dict[str, str]] = {
    "request": {"submitted": "cancelled closed"},
    "leg": {
        "pending": "offered standby cancelled",
        "standby": "offered pending cancelled",
        "offered": "confirmed pending standby cancelled",
        "confirmed": "pending standby completed cancelled",
    },
    "offer": {"sent": "accepted declined expired withdrawn", "accepted": "withdrawn"},
    "round": {"queued": "running failed", "running": "running done failed"},
    "run": {"planned": "published cancelled", "published": "started cancelled", "started": "finished", "finished": "verified"},
}
_OF_TERRITORY = (
    "beneficiary", "volunteer", "availability", "refusal", "trip_request", "leg", "round", "run", "assignment", "offer", "offer_leg",
    "unserved_leg", "event",
)  # fmt: skip
_NOT_THE_PLANNERS = {
    "leg": "id, territory_id, request_id, direction",
    "run": "id, territory_id, volunteer_id, service_date",
    "offer": "id, territory_id, request_id, volunteer_id, round_id, sent_at, expires_at",
    "offer_leg": "id, territory_id, offer_id, leg_id",
    "assignment": "id, territory_id, leg_id, volunteer_id, round_id, told_pickup_at, locked",
}
_ACTIVE = "('planned', 'published', 'started')"


def upgrade() -> None:
    _make_tables()
    _widen_tables()
    _fill_runs()
    with op.batch_alter_table("assignment") as table:
        table.alter_column("run_id", existing_type=sa.Uuid(), nullable=False)
        table.create_foreign_key(op.f("fk_assignment_territory_id_run_id"), "run", ["territory_id", "run_id"], ["territory_id", "id"])
    if op.get_bind().dialect.name == "postgresql":
        cursor = op.get_bind().connection.cursor()
        cursor.execute(Path(__file__).with_name("0002_postgresql.sql").read_text(encoding="utf-8"))  # no parameters: "%" is itself
    else:
        for statement in _sqlite_triggers():
            op.execute(sa.text(statement))


def _make_tables() -> None:
    op.create_table(
        "run",
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column("service_date", sa.Date(), nullable=False),
        sa.Column("starts_at", Instant(timezone=True), nullable=False),
        sa.Column("ends_at", Instant(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("territory_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("state IN ('planned', 'published', 'started', 'finished', 'verified', 'cancelled')", name=op.f("ck_run_state")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_run_ordered")),
        sa.ForeignKeyConstraint(
            ["territory_id", "volunteer_id"], ["volunteer.territory_id", "volunteer.id"], name=op.f("fk_run_territory_id_volunteer_id")
        ),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_run_territory_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
        sa.UniqueConstraint("territory_id", "id", name=op.f("uq_run_territory_id_id")),
    )
    op.create_index(op.f("ix_run_territory_id_service_date"), "run", ["territory_id", "service_date"])
    op.create_index(op.f("ix_run_volunteer_id"), "run", ["volunteer_id"])
    transition = op.create_table(
        "transition",
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("before", sa.String(length=20), nullable=False),
        sa.Column("after", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("kind", "before", "after", name=op.f("pk_transition")),
    )
    steps = [
        {"kind": kind, "before": before, "after": after}
        for kind, table in _TRANSITIONS.items()
        for before, followers in table.items()
        for after in followers.split()
    ]
    op.bulk_insert(transition, steps)
    op.create_table(
        "event",
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("before", sa.String(length=20), nullable=False),
        sa.Column("after", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=30), nullable=True),
        sa.Column("at", Instant(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("territory_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("seq >= 1", name=op.f("ck_event_counts_from_one")),
        sa.ForeignKeyConstraint(
            ["kind", "before", "after"],
            ["transition.kind", "transition.before", "transition.after"],
            name=op.f("fk_event_kind_before_after"),
        ),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_event_territory_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("subject_id", "seq", name=op.f("uq_event_subject_id_seq")),
    )
    op.create_index(op.f("ix_event_territory_id_at"), "event", ["territory_id", "at"])


def _widen_tables() -> None:
    """New columns; the life of what exists is told from here on, so that every version begins again."""
    with op.batch_alter_table("territory") as table:
        table.add_column(sa.Column("queue", sa.String(length=40), server_default="rounds", nullable=False))
    with op.batch_alter_table("trip_request") as table:
        table.add_column(sa.Column("version", sa.Integer(), server_default="0", nullable=False))
    for name in ("leg", "offer", "round"):
        with op.batch_alter_table(name) as table:
            table.alter_column("version", existing_type=sa.Integer(), server_default="0")
        op.execute(sa.text(f"UPDATE {name} SET version = 0"))  # noqa: S608
    with op.batch_alter_table("round") as table:
        table.add_column(sa.Column("token", sa.Integer(), server_default="0", nullable=False))
        table.add_column(sa.Column("attempts", sa.Integer(), server_default="0", nullable=False))
        table.add_column(sa.Column("lease_until", sa.Double(), nullable=True))
    op.execute(sa.text("UPDATE round SET state = 'failed', failure = 'abandoned' WHERE state = 'running'"))
    where = sa.text("state = 'running'")
    op.create_index("uq_round_running", "round", ["territory_id", "service_date"], unique=True, sqlite_where=where, postgresql_where=where)
    with op.batch_alter_table("assignment") as table:
        table.add_column(sa.Column("run_id", sa.Uuid(), nullable=True))
        table.add_column(sa.Column("locked", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute(sa.text("UPDATE assignment SET locked = true WHERE active AND leg_id IN (SELECT id FROM leg WHERE state = 'confirmed')"))


def _fill_runs() -> None:
    """One run for what a volunteer was asked or has agreed to drive on a day."""
    bind = op.get_bind()
    tables: dict[str, dict[str, Any]] = {
            "assignment": {
                "id": sa.Uuid(), "territory_id": sa.Uuid(), "leg_id": sa.Uuid(), "volunteer_id": sa.Uuid(), "run_id": sa.Uuid(),
                "pickup_at": Instant(), "dropoff_at": Instant(), "active": sa.Boolean(),
            },
            "leg": {"id": sa.Uuid(), "request_id": sa.Uuid()},
            "trip_request": {"id": sa.Uuid(), "service_date": sa.Date()},
            "run": {
                "id": sa.Uuid(), "territory_id": sa.Uuid(), "volunteer_id": sa.Uuid(), "service_date": sa.Date(), "starts_at": Instant(),
                "ends_at": Instant(), "state": sa.String(), "version": sa.Integer(),
            },
    }  # fmt: skip
    assignment, leg, request, run = (
        sa.table(name, *(sa.column(column, kind) for column, kind in columns.items())) for name, columns in tables.items()
    )
    query = (
        sa.select(assignment, request.c.service_date)
        .join(leg, leg.c.id == assignment.c.leg_id)
        .join(request, request.c.id == leg.c.request_id)
    )
    found: defaultdict[Any, list[Any]] = defaultdict(list)
    for row in bind.execute(query).all():  # closed ones belong to runs that were cancelled
        found[row.territory_id, row.volunteer_id, row.service_date, None if row.active else row.id].append(row)
    for (territory, volunteer, day, closed), rows in found.items():
        begins, ends = min(row.pickup_at for row in rows), max(row.dropoff_at for row in rows)
        if begins == ends:
            ends = ends.replace(microsecond=ends.microsecond + 1)
        span = {"starts_at": begins, "ends_at": ends, "state": "cancelled" if closed else "planned", "version": 0}
        run_id = uuid4()
        bind.execute(sa.insert(run).values(id=run_id, territory_id=territory, volunteer_id=volunteer, service_date=day, **span))
        bind.execute(sa.update(assignment).where(assignment.c.id.in_([row.id for row in rows])).values(run_id=run_id))


def _sqlite_triggers() -> list[str]:
    """`acting_role` and `acting_territory` are functions that `storage.database` gives to each connection.

    Another program can read the file, and cannot write past these rules.
    """
    overlap = f"""
        SELECT raise(ABORT, 'overlap') WHERE EXISTS (SELECT 1 FROM run WHERE volunteer_id = NEW.volunteer_id AND id <> NEW.id
            AND state IN {_ACTIVE} AND starts_at < NEW.ends_at AND ends_at > NEW.starts_at)"""  # noqa: S608
    made = [
        f"CREATE TRIGGER run_overlap_{verb} BEFORE {verb} ON run WHEN NEW.state IN {_ACTIVE} BEGIN {overlap}; END"
        for verb in ("insert", "update")
    ]
    made += [
        f"CREATE TRIGGER event_no_{verb} BEFORE {verb} ON event BEGIN SELECT raise(ABORT, 'kept'); END" for verb in ("update", "delete")
    ]
    for table, (kind, initial) in _STATES.items():
        extra = ", answered_at = NEW.at, decline_reason = NEW.reason" if kind == "offer" else ""
        made += [
            f"""CREATE TRIGGER {table}_carry_out AFTER INSERT ON event WHEN NEW.kind = '{kind}' BEGIN
                SELECT raise(ABORT, 'the subject is elsewhere') WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE id = NEW.subject_id
                    AND territory_id = NEW.territory_id AND state = NEW.before AND version = NEW.seq - 1);
                UPDATE {table} SET state = NEW.after, version = NEW.seq{extra} WHERE id = NEW.subject_id; END""",  # noqa: S608
            f"""CREATE TRIGGER {table}_begins BEFORE INSERT ON {table} WHEN NEW.state <> '{initial}' OR NEW.version <> 0 BEGIN
                SELECT raise(ABORT, 'not at its beginning'); END""",
            f"""CREATE TRIGGER {table}_follows BEFORE UPDATE ON {table} WHEN NEW.state <> OLD.state OR NEW.version <> OLD.version BEGIN
                SELECT raise(ABORT, 'no event led here') WHERE NOT EXISTS (SELECT 1 FROM event WHERE subject_id = NEW.id
                    AND seq = NEW.version AND after = NEW.state AND seq = (SELECT max(seq) FROM event WHERE subject_id = NEW.id)); END""",  # noqa: S608
        ]
    for table in _OF_TERRITORY:
        for verb, rows in (("insert", ("NEW",)), ("update", ("NEW", "OLD")), ("delete", ("OLD",))):
            foreign = " OR ".join(f"{row}.territory_id IS NOT acting_territory()" for row in rows)
            made.append(
                f"CREATE TRIGGER {table}_own_{verb} BEFORE {verb} ON {table} WHEN {foreign} BEGIN SELECT raise(ABORT, 'another territory'); END"
            )
    return made + _sqlite_locks()


def _sqlite_locks() -> list[str]:
    """What 0002_postgresql.sql has under I7, by triggers that look who acts."""
    made = []

    def refuse(name: str, when: str, on: str) -> None:
        condition = f"acting_role() = 'solver' AND ({when})"
        made.append(f"CREATE TRIGGER keep_{name} BEFORE {on} WHEN {condition} BEGIN SELECT raise(ABORT, 'this was agreed on'); END")

    def kept(first: str, last: str, told: str) -> str:
        """Whether what lasts from `first` to `last` touches what a territory counts as kept, given what was told."""
        after, before = (f"round((julianday({moment}) - julianday({told})) * 1440, 3)" for moment in (last, first))
        tolerance, rounding = "coalesce(policy ->> 'promise_tolerance_minutes', 10)", "coalesce(policy ->> 'told_rounding_minutes', 5)"
        own = f"t.id = a.territory_id AND {after} >= -{tolerance} AND {before} <= {tolerance} + {rounding}"
        return f"EXISTS (SELECT 1 FROM territory t WHERE {own})"  # noqa: S608

    waiting = "('pending', 'standby', 'offered')"
    step = f"NEW.kind = 'leg' AND NEW.before IN {waiting} AND NEW.after IN {waiting}"
    withdrawn = "NEW.kind = 'offer' AND NEW.before = 'sent' AND NEW.after = 'withdrawn'"
    refuse("agreed", f"NOT (NEW.kind IN ('round', 'run') OR {step} OR {withdrawn})", "INSERT ON event")
    refuse("run", "OLD.state NOT IN ('planned', 'published') OR NEW.state NOT IN (OLD.state, 'cancelled')", "UPDATE ON run")
    other = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in ("leg_id", "volunteer_id", "told_pickup_at", "active", "locked"))
    late = f"NOT {kept('NEW.pickup_at', 'NEW.pickup_at', 'NEW.told_pickup_at').replace('a.territory_id', 'NEW.territory_id')}"
    long = "julianday(NEW.dropoff_at) > julianday(NEW.pickup_at) + 1"
    refuse("locked_update", f"(OLD.locked OR NEW.locked) AND ({other} OR {late} OR {long})", "UPDATE ON assignment")
    refuse("locked_insert", "NEW.locked", "INSERT ON assignment")
    for verb in ("insert", "update"):
        accepted = "EXISTS (SELECT 1 FROM offer o WHERE o.id = NEW.offer_id AND o.state = 'accepted')"
        refuse(f"accepted_{verb}", accepted, f"{verb} ON offer_leg")
    for table, columns in _NOT_THE_PLANNERS.items():  # PostgreSQL: rights to columns, and none to remove
        refuse(f"{table}_columns", "true", f"UPDATE OF {columns} ON {table}")
        refuse(f"{table}_delete", "true", f"DELETE ON {table}")
    made.append(  # must be empty when a planner's transaction ends: SQLite has no deferred triggers, `storage.database` looks
        f"""CREATE VIEW ride_without_run AS SELECT a.id FROM assignment a WHERE a.active AND a.locked AND NOT EXISTS (SELECT 1 FROM run r
            WHERE r.id = a.run_id AND r.volunteer_id = a.volunteer_id AND r.state <> 'cancelled'
            AND {kept("r.starts_at", "r.ends_at", "a.told_pickup_at")})"""  # noqa: S608
    )
    return made
