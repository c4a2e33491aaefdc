"""Versions of what people edit, and what creating requests were answered."""

import sqlalchemy as sa
from alembic import op

from dispatch.storage.geometry import Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("territory", "beneficiary", "volunteer"):
        op.add_column(name, sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.create_table(
        "reply",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("territory_id", sa.Uuid(), nullable=True),
        sa.Column("request_sha256", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_reply_territory_id")),
        sa.PrimaryKeyConstraint("client_id", "key", name=op.f("pk_reply")),
    )
    op.create_index(op.f("ix_reply_created_at"), "reply", ["created_at"])
    if op.get_bind().dialect.name == "postgresql":
        for statement in (
            "ALTER TABLE reply ENABLE ROW LEVEL SECURITY",
            "ALTER TABLE reply FORCE ROW LEVEL SECURITY",
            "CREATE POLICY own_territory ON reply USING (territory_id IS NOT DISTINCT FROM acting_territory())",
            "GRANT SELECT, INSERT, DELETE ON reply TO allons_app",
        ):
            op.execute(statement)
        return
    for verb, row in (("insert", "NEW"), ("update", "NEW"), ("delete", "OLD")):
        op.execute(
            f"CREATE TRIGGER reply_own_{verb} BEFORE {verb} ON reply WHEN {row}.territory_id IS NOT acting_territory() "
            "BEGIN SELECT raise(ABORT, 'another territory'); END"
        )
