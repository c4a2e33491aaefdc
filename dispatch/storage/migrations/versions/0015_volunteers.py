"""Volunteers' lives: engagement, papers, weekly hours, absences, the car, limits; and kilometres of runs."""

from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from alembic import op

from dispatch.storage.geometry import Instant
from dispatch.storage.migrations.ownership import guard, of_territory, points_to
from dispatch.world import World

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_TRANSITIONS = {
    "engagement": {
        "applied": "vetting refused left",
        "vetting": "active refused left",
        "active": "suspended left",
        "suspended": "active left",
        "left": "vetting",
    },
    "credential": {"submitted": "valid refused replaced", "valid": "expired replaced refused"},
}
_INITIAL = {"engagement": "applied", "credential": "submitted"}
_STATES = {
    "engagement": "'applied', 'vetting', 'active', 'suspended', 'left', 'refused'",
    "credential": "'submitted', 'valid', 'expired', 'replaced', 'refused'",
}


def upgrade() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    _columns()
    _engagement()
    _credentials()
    _hours()
    transition = sa.table("transition", *(sa.column(name, sa.String()) for name in ("kind", "before", "after")))
    op.bulk_insert(
        transition,
        [
            {"kind": kind, "before": before, "after": after}
            for kind, table in _TRANSITIONS.items()
            for before, followers in table.items()
            for after in followers.split()
        ],
    )
    guard("engagement", app="SELECT, INSERT, UPDATE", solver="SELECT")
    for name in ("credential", "weekly_hours", "absence"):
        guard(name, solver="SELECT")
    guard("credential_file")
    for statement in _postgresql() if postgresql else _sqlite():
        op.execute(sa.text(statement))
    _engage_who_is_there(postgresql)
    for statement in _in_step_postgresql() if postgresql else _in_step_sqlite():
        op.execute(sa.text(statement))


def _columns() -> None:
    for name in ("low_step", "fold_wheelchair", "front_seat"):
        op.add_column("volunteer", sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("volunteer", sa.Column("child_seats", sa.Integer(), server_default="0", nullable=False))
    for name, kind in (
        ("fiscal_power", sa.Integer()),
        ("radius_km", sa.Double()),
        ("max_km_week", sa.Double()),
        ("max_rides_week", sa.Integer()),
        ("wished_rides", sa.Integer()),
        ("max_duty_minutes", sa.Integer()),
    ):
        op.add_column("volunteer", sa.Column(name, kind, nullable=True))
    op.add_column("availability", sa.Column("instead", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("run", sa.Column("metres", sa.Integer(), server_default="0", nullable=False))


def _moved(name: str) -> list[sa.Column[object] | sa.Constraint]:
    return [
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(f"state IN ({_STATES[name]})", name=op.f(f"ck_{name}_state")),
        sa.UniqueConstraint("territory_id", "id", name=op.f(f"uq_{name}_territory_id_id")),
    ]


def _engagement() -> None:
    op.create_table(
        "engagement",
        *of_territory("engagement"),
        *_moved("engagement"),
        points_to("engagement", "id", "volunteer"),
    )


def _index(name: str, table: str, columns: list[str], condition: str, *, unique: bool = False) -> None:
    op.create_index(name, table, columns, unique=unique, sqlite_where=sa.text(condition), postgresql_where=sa.text(condition))


def _credentials() -> None:
    op.create_table(
        "credential",
        *of_territory("credential"),
        *_moved("credential"),
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("verified_by", sa.Uuid(), nullable=True),
        sa.Column("verified_at", Instant(timezone=True), nullable=True),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        points_to("credential", "volunteer_id", "volunteer"),
        sa.CheckConstraint("issued_on IS NULL OR expires_on IS NULL OR issued_on < expires_on", name=op.f("ck_credential_ordered")),
        sa.CheckConstraint("state <> 'valid' OR verified_at IS NOT NULL", name=op.f("ck_credential_looked_at")),
    )
    _index("uq_credential_valid", "credential", ["volunteer_id", "kind"], "state = 'valid'", unique=True)
    _index("ix_credential_ends", "credential", ["territory_id", "expires_on"], "state = 'valid'")
    op.create_index(op.f("ix_credential_volunteer_id"), "credential", ["volunteer_id"])
    op.create_index(op.f("ix_credential_territory_id_created_at_id"), "credential", ["territory_id", "created_at", "id"])
    op.create_table(
        "credential_file",
        *of_territory("credential_file"),
        sa.Column("credential_id", sa.Uuid(), nullable=False),
        sa.Column("media_type", sa.String(length=20), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["territory_id", "credential_id"],
            ["credential.territory_id", "credential.id"],
            name=op.f("fk_credential_file_territory_id_credential_id"),
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("credential_id", name=op.f("uq_credential_file_credential_id")),
        sa.CheckConstraint("media_type IN ('application/pdf', 'image/jpeg', 'image/png')", name=op.f("ck_credential_file_media_type")),
    )


def _hours() -> None:
    op.create_table(
        "weekly_hours",
        *of_territory("weekly_hours"),
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("starts", sa.String(length=5), nullable=False),
        sa.Column("ends", sa.String(length=5), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("every_weeks", sa.Integer(), nullable=False),
        points_to("weekly_hours", "volunteer_id", "volunteer"),
        sa.CheckConstraint("weekday BETWEEN 1 AND 7 AND every_weeks >= 1", name=op.f("ck_weekly_hours_of_a_week")),
        sa.CheckConstraint("starts < ends", name=op.f("ck_weekly_hours_ordered")),
        sa.CheckConstraint("valid_until IS NULL OR valid_from <= valid_until", name=op.f("ck_weekly_hours_valid_ordered")),
    )
    op.create_index(op.f("ix_weekly_hours_volunteer_id"), "weekly_hours", ["volunteer_id"])
    op.create_index(op.f("ix_weekly_hours_territory_id_weekday"), "weekly_hours", ["territory_id", "weekday"])
    op.create_table(
        "absence",
        *of_territory("absence"),
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", Instant(timezone=True), nullable=False),
        sa.Column("ends_at", Instant(timezone=True), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        points_to("absence", "volunteer_id", "volunteer"),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_absence_ordered")),
    )
    op.create_index(op.f("ix_absence_volunteer_id"), "absence", ["volunteer_id"])
    op.create_index(op.f("ix_absence_territory_id_ends_at"), "absence", ["territory_id", "ends_at"])


def _postgresql() -> list[str]:
    """States follow events; nobody is given a ride who has left or is away then. An absence and a plan wait for each other."""
    made = [
        f"CREATE TRIGGER state_follows BEFORE INSERT OR UPDATE ON {name} FOR EACH ROW EXECUTE FUNCTION state_follows_events('{initial}')"
        for name, initial in _INITIAL.items()
    ]
    return [
        *made,
        "GRANT UPDATE (metres) ON run TO allons_solver",
        "CREATE TRIGGER a_wait_for_volunteer BEFORE INSERT ON absence FOR EACH ROW EXECUTE FUNCTION wait_for_volunteer()",
        """CREATE FUNCTION keep_available() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.active THEN
                PERFORM pg_advisory_xact_lock(hashtextextended(NEW.volunteer_id::text, 0));
                IF NOT EXISTS (SELECT FROM volunteer v WHERE v.id = NEW.volunteer_id AND v.active)
                    OR EXISTS (SELECT FROM absence a WHERE a.volunteer_id = NEW.volunteer_id
                        AND a.starts_at < NEW.dropoff_at AND a.ends_at > NEW.pickup_at) THEN
                    RAISE EXCEPTION 'not there at that time' USING ERRCODE = 'integrity_constraint_violation';
                END IF;
            END IF;
            RETURN NEW;
        END $$""",
        "CREATE TRIGGER keep_available BEFORE INSERT ON assignment FOR EACH ROW EXECUTE FUNCTION keep_available()",
    ]


def _sqlite() -> list[str]:
    made = []
    for table, initial in _INITIAL.items():
        made += [
            f"""CREATE TRIGGER {table}_carry_out AFTER INSERT ON event WHEN NEW.kind = '{table}' BEGIN
                SELECT raise(ABORT, 'the subject is elsewhere') WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE id = NEW.subject_id
                    AND territory_id = NEW.territory_id AND state = NEW.before AND version = NEW.seq - 1);
                UPDATE {table} SET state = NEW.after, version = NEW.seq WHERE id = NEW.subject_id; END""",  # noqa: S608
            f"""CREATE TRIGGER {table}_begins BEFORE INSERT ON {table} WHEN NEW.state <> '{initial}' OR NEW.version <> 0 BEGIN
                SELECT raise(ABORT, 'not at its beginning'); END""",
            f"""CREATE TRIGGER {table}_follows BEFORE UPDATE ON {table} WHEN NEW.state <> OLD.state OR NEW.version <> OLD.version BEGIN
                SELECT raise(ABORT, 'no event led here') WHERE NOT EXISTS (SELECT 1 FROM event WHERE subject_id = NEW.id
                    AND seq = NEW.version AND after = NEW.state AND seq = (SELECT max(seq) FROM event WHERE subject_id = NEW.id)); END""",  # noqa: S608
        ]
    return [
        *made,
        """CREATE TRIGGER assignment_keep_available BEFORE INSERT ON assignment WHEN NEW.active BEGIN
            SELECT raise(ABORT, 'not there at that time')
            WHERE NOT EXISTS (SELECT 1 FROM volunteer v WHERE v.id = NEW.volunteer_id AND v.active)
            OR EXISTS (SELECT 1 FROM absence a WHERE a.volunteer_id = NEW.volunteer_id
                AND a.starts_at < NEW.dropoff_at AND a.ends_at > NEW.pickup_at); END""",
    ]


def _engage_who_is_there(postgresql: bool) -> None:
    """Who was active is; who was not is suspended, and who was erased has left."""
    bind, world = op.get_bind(), World()
    ids = ("id", "territory_id", "subject_id")
    kinds: dict[str, Any] = {
        **dict.fromkeys(ids, sa.Uuid()), "seq": sa.Integer(), "version": sa.Integer(), "at": Instant(), "active": sa.Boolean(),
        "erased_at": Instant(),
    }  # fmt: skip

    def columns(table: str, *names: str) -> Any:
        return sa.table(table, *(sa.column(name, kinds.get(name, sa.String())) for name in names))

    territory, volunteer = columns("territory", "id"), columns("volunteer", "id", "territory_id", "active", "erased_at")
    engagement = columns("engagement", "id", "territory_id", "state", "version")
    event = columns("event", *ids, "kind", "seq", "before", "after", "at")
    for territory_id in bind.scalars(sa.select(territory.c.id)).all():
        if postgresql:
            bind.execute(sa.text("SELECT set_config('allons.territory', :id, true)"), {"id": str(territory_id)})
        else:
            bind.info["territory"] = territory_id.hex
        for row in bind.execute(sa.select(volunteer).where(volunteer.c.territory_id == territory_id)).all():
            own = {"territory_id": territory_id}
            bind.execute(sa.insert(engagement).values(id=row.id, state="applied", version=0, **own))
            way = ["applied", "left"] if row.erased_at else ["applied", "vetting", "active", *([] if row.active else ["suspended"])]
            for seq, (before, after) in enumerate(pairwise(way), 1):
                step = {"kind": "engagement", "seq": seq, "before": before, "after": after, "at": world.now()}
                bind.execute(sa.insert(event).values(id=world.new_id(), subject_id=row.id, **own, **step))


def _in_step_postgresql() -> list[str]:
    """`volunteer.active` says what the engagement says, and nobody can make it say something else."""
    return [
        """CREATE FUNCTION engage_volunteer() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE volunteer SET active = (NEW.state = 'active') WHERE id = NEW.id AND active <> (NEW.state = 'active');
            RETURN NULL;
        END $$""",
        "CREATE TRIGGER engage AFTER UPDATE ON engagement FOR EACH ROW EXECUTE FUNCTION engage_volunteer()",
        """CREATE FUNCTION keep_in_step() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.active <> EXISTS (SELECT FROM engagement e WHERE e.id = NEW.id AND e.state = 'active') THEN
                RAISE EXCEPTION 'the engagement says otherwise' USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END $$""",
        "CREATE TRIGGER in_step BEFORE INSERT OR UPDATE ON volunteer FOR EACH ROW EXECUTE FUNCTION keep_in_step()",
    ]


def _in_step_sqlite() -> list[str]:
    said = "EXISTS (SELECT 1 FROM engagement e WHERE e.id = NEW.id AND e.state = 'active')"
    return [
        """CREATE TRIGGER engagement_engage AFTER UPDATE ON engagement BEGIN
            UPDATE volunteer SET active = (NEW.state = 'active') WHERE id = NEW.id AND active <> (NEW.state = 'active'); END""",
        *(
            f"""CREATE TRIGGER volunteer_in_step_{verb} BEFORE {verb} ON volunteer WHEN NEW.active <> {said} BEGIN
            SELECT raise(ABORT, 'the engagement says otherwise'); END"""
            for verb in ("insert", "update")
        ),
    ]
