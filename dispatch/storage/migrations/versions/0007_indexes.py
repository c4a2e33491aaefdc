"""Indexes that a large platform's queries go by (`tests/dispatch/storage/test_query_plans.py` says which); rounds by timetable, each once."""

import sqlalchemy as sa
from alembic import op

from dispatch.storage.geometry import Instant

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    def partly(name: str, table: str, columns: list[str], condition: str) -> None:
        op.create_index(name, table, columns, sqlite_where=sa.text(condition), postgresql_where=sa.text(condition))

    op.drop_index(op.f("ix_offer_territory_id_state"), "offer")
    partly("ix_offer_sent", "offer", ["territory_id", "expires_at"], "state = 'sent'")
    op.create_index(op.f("ix_offer_territory_id_sent_at_id"), "offer", ["territory_id", "sent_at", "id"])
    partly("ix_assignment_active_run", "assignment", ["run_id"], "active")
    op.add_column("territory", sa.Column("timetable", sa.JSON(), server_default="[]", nullable=False))
    op.add_column("round", sa.Column("slot", Instant(timezone=True), nullable=True))
    op.create_index(
        "uq_round_slot",
        "round",
        ["territory_id", "service_date", "slot"],
        unique=True,
        sqlite_where=sa.text("slot IS NOT NULL"),
        postgresql_where=sa.text("slot IS NOT NULL"),
    )
    partly("ix_person_key_erased", "person_key", ["territory_id"], "wrapped IS NULL")
