"""The log tells when it was changed: every event follows the one before it by digest, and seals cover all of them.

`access` is the log of looks at and changes of people's data; `seal` and `sealed` say which entries were there when.
"""

from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

from dispatch.storage.digests import FIRST, digest
from dispatch.storage.geometry import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NEW = ("access", "seal", "sealed")
_FIELDS = ("id", "territory_id", "kind", "subject_id", "seq", "before", "after", "at", "actor_id", "reason")


def upgrade() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    op.add_column("event", sa.Column("digest", sa.String(length=64), nullable=True))
    op.create_table(
        "access",
        sa.Column("act", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("at", Instant(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("territory_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("act IN ('read', 'made', 'changed', 'erased', 'copied')", name=op.f("ck_access_act")),
        sa.CheckConstraint("count >= 1", name=op.f("ck_access_positive")),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_access_territory_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access")),
    )
    op.create_index(op.f("ix_access_territory_id_at"), "access", ["territory_id", "at"])
    op.create_index(op.f("ix_access_subject_id"), "access", ["subject_id"])
    op.create_table(
        "seal",
        sa.Column("territory_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", Instant(timezone=True), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_seal_counts_from_one")),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_seal_territory_id")),
        sa.PrimaryKeyConstraint("territory_id", "number", name=op.f("pk_seal")),
    )
    op.create_table(
        "sealed",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("territory_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["territory_id", "number"], ["seal.territory_id", "seal.number"], name=op.f("fk_sealed_territory_id_number")
        ),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_sealed")),
    )
    op.create_index(op.f("ix_sealed_territory_id_number"), "sealed", ["territory_id", "number"])
    op.execute("ALTER TABLE event DISABLE TRIGGER never_changed" if postgresql else "DROP TRIGGER event_no_update")
    _chain_what_is_there(postgresql)
    for statement in _postgresql() if postgresql else _sqlite():
        op.execute(sa.text(statement))


def _chain_what_is_there(postgresql: bool) -> None:
    bind = op.get_bind()
    kinds: dict[str, Any] = {
        "id": sa.Uuid(),
        "territory_id": sa.Uuid(),
        "subject_id": sa.Uuid(),
        "seq": sa.Integer(),
        "at": Instant(),
        "actor_id": sa.Uuid(),
    }
    event = sa.table("event", *(sa.column(name, kinds.get(name, sa.String())) for name in (*_FIELDS, "digest")))
    for territory_id in bind.scalars(sa.select(sa.table("territory", sa.column("id", sa.Uuid())))).all():
        if postgresql:
            bind.execute(sa.text("SELECT set_config('allons.territory', :id, true)"), {"id": str(territory_id)})
        else:
            bind.info["territory"] = territory_id.hex
        rows = bind.execute(sa.select(event).where(event.c.territory_id == territory_id).order_by(event.c.subject_id, event.c.seq)).all()
        for _, life in groupby(rows, lambda row: row.subject_id):
            previous = FIRST
            for row in life:
                previous = digest(previous, *(getattr(row, name) for name in _FIELDS))
                bind.execute(sa.update(event).where(event.c.id == row.id).values(digest=previous))


def _postgresql() -> list[str]:
    plain = {"id": "replace({}::text, '-', '')", "at": "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"}
    fields = []
    for name in _FIELDS:
        kind = "id" if name.endswith("id") else name
        fields.append(f"coalesce({plain.get(kind, '{}::text').format(f'NEW.{name}')}, '')")
    made = [
        "ALTER TABLE event ENABLE TRIGGER never_changed",
        f"""CREATE FUNCTION chain_event() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            previous text := (SELECT digest FROM event WHERE subject_id = NEW.subject_id AND seq = NEW.seq - 1);
        BEGIN
            NEW.digest := encode(sha256(convert_to(concat_ws('|', coalesce(previous, ''), {", ".join(fields)}), 'UTF8')), 'hex');
            RETURN NEW;
        END $$""",  # noqa: S608
        "CREATE TRIGGER chain BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION chain_event()",
    ]
    for name in _NEW:
        made += [
            f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY own_territory ON {name} USING (territory_id = acting_territory())",
            f"GRANT SELECT, INSERT ON {name} TO allons_app",
            f"GRANT SELECT ON {name} TO allons_auditor",
            f"CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE ON {name} FOR EACH ROW EXECUTE FUNCTION refuse_change()",
            f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {name} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        ]
    return made


def _sqlite() -> list[str]:
    """SQLite's triggers cannot change the row that comes in: it is given its digest once, right after."""
    made = [
        f"""CREATE TRIGGER event_chain AFTER INSERT ON event BEGIN UPDATE event SET digest = digest(
            (SELECT digest FROM event WHERE subject_id = NEW.subject_id AND seq = NEW.seq - 1), {", ".join(f"NEW.{name}" for name in _FIELDS)}) WHERE id = NEW.id; END""",  # noqa: S608
        """CREATE TRIGGER event_no_update BEFORE UPDATE ON event WHEN OLD.digest IS NOT NULL BEGIN SELECT raise(ABORT, 'kept'); END""",
    ]
    for name in _NEW:
        made += [
            f"CREATE TRIGGER {name}_no_{verb} BEFORE {verb} ON {name} BEGIN SELECT raise(ABORT, 'kept'); END"
            for verb in ("update", "delete")
        ]
        for verb, rows in (("insert", ("NEW",)), ("update", ("NEW", "OLD")), ("delete", ("OLD",))):
            foreign = " OR ".join(f"{row}.territory_id IS NOT acting_territory()" for row in rows)
            made.append(
                f"CREATE TRIGGER {name}_own_{verb} BEFORE {verb} ON {name} WHEN {foreign} BEGIN SELECT raise(ABORT, 'another territory'); END"
            )
    return made
