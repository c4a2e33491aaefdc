"""Names and phones leave the files of people for the vault: sealed with a key per person."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from dispatch.errors import NotReady
from dispatch.storage.geometry import Instant
from dispatch.storage.vault import Identity, Vault

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_FILES = ("beneficiary", "volunteer")
_SEALED = ("person", "person_key")


def upgrade() -> None:
    op.create_table(
        "person",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("territory_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_person_territory_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("territory_id", "id", name=op.f("uq_person_territory_id_id")),
    )
    op.create_table(
        "person_key",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("territory_id", sa.Uuid(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=True),
        sa.Column("erased_at", Instant(timezone=True), nullable=True),
        sa.CheckConstraint("(wrapped IS NULL) = (erased_at IS NOT NULL)", name=op.f("ck_person_key_erased_or_not")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_person_key")),
    )
    _seal_what_is_there()
    for name in _FILES:
        with op.batch_alter_table(name) as table:
            table.drop_column("name")
            table.drop_column("phone")
            table.add_column(sa.Column("erased_at", Instant(timezone=True), nullable=True))
            table.create_foreign_key(op.f(f"fk_{name}_territory_id_id"), "person", ["territory_id", "id"], ["territory_id", "id"])
    for statement in _postgresql() if op.get_bind().dialect.name == "postgresql" else _sqlite():
        op.execute(sa.text(statement))


def _seal_what_is_there() -> None:
    bind = op.get_bind()
    territory, person, person_key = (_table(name) for name in ("territory", *_SEALED))
    for territory_id in bind.scalars(sa.select(territory.c.id)).all():
        if bind.dialect.name == "postgresql":
            bind.execute(sa.text("SELECT set_config('allons.territory', :id, true)"), {"id": str(territory_id)})
        for name in _FILES:
            file = _table(name)
            for row in bind.execute(sa.select(file).where(file.c.territory_id == territory_id)).all():
                vault: Vault | None = op.get_context().config.attributes["vault"]  # type: ignore[union-attr]
                if vault is None:
                    raise NotReady("There are names to seal: set ALLONS_VAULT_KEY, then run `allons migrate` again.")
                wrapped = vault.new_key(row.id)
                sealed = vault.seal(row.id, wrapped, Identity(row.name, row.phone))
                bind.execute(sa.insert(person).values(id=row.id, territory_id=territory_id, sealed=sealed))
                bind.execute(sa.insert(person_key).values(person_id=row.id, territory_id=territory_id, wrapped=wrapped))


def _table(name: str) -> Any:
    columns = {
        "territory": ("id",),
        "person": ("id", "territory_id", "sealed"),
        "person_key": ("person_id", "territory_id", "wrapped"),
    }.get(name, ("id", "territory_id", "name", "phone"))
    kinds: dict[str, Any] = {"name": sa.String(), "phone": sa.String(), "sealed": sa.LargeBinary(), "wrapped": sa.LargeBinary()}
    return sa.table(name, *(sa.column(column, kinds.get(column, sa.Uuid())) for column in columns))


def _postgresql() -> list[str]:
    """The planner's role has no right to either table; whom keys name is for the own territory only; what was erased stays so."""
    made = []
    for name in _SEALED:
        made += [
            f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY own_territory ON {name} USING (territory_id = acting_territory())",
            f"GRANT SELECT, INSERT, UPDATE ON {name} TO allons_app",
        ]
    return [
        *made,
        "GRANT UPDATE (body) ON reply TO allons_app",  # emptied when who it speaks of is erased
        """CREATE FUNCTION stay_erased() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.erased_at IS NOT NULL THEN
                RAISE EXCEPTION 'erased for good' USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END $$""",
        "CREATE TRIGGER stay_erased BEFORE UPDATE ON person_key FOR EACH ROW EXECUTE FUNCTION stay_erased()",
        "CREATE TRIGGER never_removed BEFORE DELETE ON person_key FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER never_emptied BEFORE TRUNCATE ON person_key FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ]


def _sqlite() -> list[str]:
    """The same; the files' tables were made anew above, without their triggers."""
    made = [
        """CREATE TRIGGER person_key_stay_erased BEFORE UPDATE ON person_key WHEN OLD.erased_at IS NOT NULL BEGIN
            SELECT raise(ABORT, 'erased for good'); END""",
        "CREATE TRIGGER person_key_never_removed BEFORE DELETE ON person_key BEGIN SELECT raise(ABORT, 'kept'); END",
    ]
    for name in (*_FILES, *_SEALED):
        for verb, rows in (("insert", ("NEW",)), ("update", ("NEW", "OLD")), ("delete", ("OLD",))):
            foreign = " OR ".join(f"{row}.territory_id IS NOT acting_territory()" for row in rows)
            made.append(
                f"CREATE TRIGGER {name}_own_{verb} BEFORE {verb} ON {name} WHEN {foreign} BEGIN SELECT raise(ABORT, 'another territory'); END"
            )
    return made
