"""SMS that people send: what they said, whose number it is, who wants none, and that they are answered."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from dispatch.errors import NotReady
from dispatch.model.contact import dialled
from dispatch.storage.geometry import Instant
from dispatch.storage.migrations.ownership import guard, of_territory, triggers_aside
from dispatch.storage.vault import Vault

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_OUTCOMES = "'accepted', 'declined', 'cancelled', 'stopped', 'started', 'said_before', 'too_late', 'which_one', 'nothing_open', 'unclear', 'stranger'"
_KINDS = (
    "'offer_sent', 'offer_reminder', 'offer_withdrawn', 'offer_lapsed', 'run_published', 'run_changed', 'run_cancelled', 'ride_confirmed', "
    "'ride_reminder', 'ride_changed', 'ride_cancelled', 'ride_late', 'ride_unmet', 'request_received', 'request_refused', "
    "'cancel_confirmed', 'will_call_heard', 'credential_expiring', 'credential_expired', 'driver_needed', 'legs_reopened', 'login_link', "
    "'login_code', 'sms_answered'"
)


def upgrade() -> None:
    op.add_column("person", sa.Column("phone_digest", sa.String(length=64), nullable=True))
    op.add_column("person", sa.Column("sms_stopped_at", Instant(timezone=True), nullable=True))
    op.create_index(op.f("ix_person_territory_id_phone_digest"), "person", ["territory_id", "phone_digest"])
    _note_numbers()
    with triggers_aside():
        for name in ("notice", "notice_text"):
            with op.batch_alter_table(name) as table:
                table.drop_constraint(op.f(f"ck_{name}_kind"), type_="check")
                table.create_check_constraint(op.f(f"ck_{name}_kind"), sa.text(f"kind IN ({_KINDS})"))
    op.create_table(
        "sms_in",
        *of_territory("sms_in"),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("received_at", Instant(timezone=True), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("about", sa.Uuid(), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("settled_at", Instant(timezone=True), nullable=True),
        sa.CheckConstraint(f"outcome IN ({_OUTCOMES})", name=op.f("ck_sms_in_outcome")),
        sa.ForeignKeyConstraint(
            ["territory_id", "person_id"], ["person.territory_id", "person.id"], name=op.f("fk_sms_in_territory_id_person_id")
        ),
        sa.UniqueConstraint("territory_id", "message_id", name=op.f("uq_sms_in_territory_id_message_id")),
    )
    op.create_index(op.f("ix_sms_in_territory_id_received_at_id"), "sms_in", ["territory_id", "received_at", "id"])
    unread = sa.text("settled_at IS NULL")
    op.create_index("ix_sms_in_waiting", "sms_in", ["territory_id", "received_at"], sqlite_where=unread, postgresql_where=unread)
    guard("sms_in")


def _note_numbers() -> None:
    """By which people who are there already are found."""
    bind = op.get_bind()
    kinds: dict[str, Any] = {"sealed": sa.LargeBinary(), "wrapped": sa.LargeBinary(), "phone_digest": sa.String()}

    def columns(table: str, *names: str) -> Any:
        return sa.table(table, *(sa.column(name, kinds.get(name, sa.Uuid())) for name in names))

    territory, person = columns("territory", "id"), columns("person", "id", "territory_id", "sealed", "phone_digest")
    person_key = columns("person_key", "person_id", "wrapped")
    for territory_id in bind.scalars(sa.select(territory.c.id)).all():
        if bind.dialect.name == "sqlite":
            bind.info["territory"] = territory_id.hex
        else:
            bind.execute(sa.text("SELECT set_config('allons.territory', :id, true)"), {"id": str(territory_id)})
        known = sa.and_(person_key.c.person_id == person.c.id, person_key.c.wrapped.is_not(None))
        sealed = sa.select(person.c.id, person.c.sealed, person_key.c.wrapped).join(person_key, known)
        for row in bind.execute(sealed.where(person.c.territory_id == territory_id, person.c.sealed.is_not(None))).all():
            vault: Vault | None = op.get_context().config.attributes["vault"]  # type: ignore[union-attr]
            if vault is None:
                raise NotReady("There are numbers to be noted: set ALLONS_VAULT_KEY, then run `allons migrate` again.")
            if number := dialled(vault.open(row.id, row.wrapped, row.sealed).phone):
                bind.execute(sa.update(person).where(person.c.id == row.id).values(phone_digest=vault.digest(number)))
