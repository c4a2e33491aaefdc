"""Indexes that a large platform's queries go by; `tests/dispatch/storage/test_query_plans.py` says which."""

import sqlalchemy as sa
from alembic import op

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
    partly("ix_person_key_erased", "person_key", ["territory_id"], "wrapped IS NULL")
